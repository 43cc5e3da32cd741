//! Where the broker is, and the connection to it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use lapin::options::ConfirmSelectOptions;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind};

use crate::base::limit::{
    BROKER_WAIT_S, CONNECT_PAUSE_MS, CONNECT_PAUSE_MS_MAX, CONNECT_TRIES_MAX, RETURN_TRIES_MAX,
};
use crate::queue::error::Cause;
use crate::queue::rabbitmq::consume::Consuming;
use crate::queue::{PREFIX, QueueError, Settings};

/// Where the broker is, and under which names. Not printable: it holds the password.
pub(super) struct Site {
    pub(super) prefix: String,
    uri: AMQPUri,
    authority: Option<String>,
    host: String,
}

impl Site {
    pub(super) fn read(settings: &Settings) -> Result<Self, QueueError> {
        let (url, prefix) = split_prefix(&settings.url)?;
        // The library's own message could quote the URL, and the password with it.
        let uri: AMQPUri = url.parse().map_err(|_quoting| QueueError::Url)?;
        let host = uri.authority.host.clone();
        if uri.scheme == AMQPScheme::AMQP && !is_loopback(&host) {
            return Err(QueueError::Plain { host });
        }
        let authority = match &settings.authority {
            None => None,
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .map_err(|source| QueueError::Authority { file: file.clone(), source })?,
            ),
        };
        let host = format!("{host}:{}", uri.authority.port);
        Ok(Self { prefix, uri, authority, host })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn unreachable(&self, source: impl Into<Cause>) -> QueueError {
        QueueError::Unreachable { host: self.host.clone(), source: source.into() }
    }

    /// What an error of the library means.
    pub(super) fn failed(&self, error: lapin::Error) -> QueueError {
        let host = self.host.clone();
        let kind = match error.kind() {
            ErrorKind::ProtocolError(amqp) => Some(amqp.kind().clone()),
            _ => None,
        };
        let source = Box::new(error);
        match kind {
            Some(
                AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)
                | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED),
            ) => QueueError::Refused { host, source },
            Some(AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)) => {
                QueueError::Topology { host, source }
            }
            Some(
                AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)
                | AMQPErrorKind::Hard(AMQPHardError::INVALIDPATH),
            ) => QueueError::Missing { host, source },
            _ => QueueError::Broken { host, source },
        }
    }
}

/// Takes `?prefix=NAME` off a URL.
fn split_prefix(url: &str) -> Result<(String, String), QueueError> {
    let Some((base, query)) = url.split_once('?') else { return Ok((url.to_owned(), PREFIX.to_owned())) };
    let mut prefix = PREFIX.to_owned();
    let mut rest = Vec::new();
    for pair in query.split('&') {
        match pair.strip_prefix("prefix=") {
            Some(name) => name.clone_into(&mut prefix),
            None => rest.push(pair),
        }
    }
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if prefix.is_empty() || prefix.len() > 40 || !prefix.chars().all(is_good) {
        return Err(QueueError::Url);
    }
    let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
    Ok((url, prefix))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An open connection and what hangs on it.
pub(super) struct Live {
    /// Which connection of this process it is.
    pub(super) number: u64,
    connection: Connection,
    /// In confirm mode; also used to declare and to count.
    pub(super) channel: Channel,
    /// One channel for each queue that is claimed from.
    pub(super) consuming: BTreeMap<String, Consuming>,
}

impl Live {
    /// Opens a connection, trying again for a while where nobody answers; for longer where
    /// somebody did before (`is_return`).
    pub(super) async fn open(site: &Site, number: u64, is_return: bool) -> Result<Self, QueueError> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(CONNECT_PAUSE_MS))
            .with_max_delay(Duration::from_millis(CONNECT_PAUSE_MS_MAX))
            .with_max_times(if is_return { RETURN_TRIES_MAX } else { CONNECT_TRIES_MAX })
            .build();
        let mut result = Self::try_open(site, number).await;
        for pause in pauses {
            match result {
                Err(error) if error.retryable() => {
                    tracing::debug!(queue.host = %site.host, "the broker does not answer, trying again");
                    tokio::time::sleep(pause).await;
                    result = Self::try_open(site, number).await;
                }
                _ => break,
            }
        }
        result
    }

    async fn try_open(site: &Site, number: u64) -> Result<Self, QueueError> {
        let patience = Duration::from_secs(BROKER_WAIT_S);
        match tokio::time::timeout(patience, Self::connect(site, number)).await {
            Ok(Ok(live)) => Ok(live),
            Ok(Err(error)) => Err(match site.failed(error) {
                QueueError::Broken { host, source } => QueueError::Unreachable { host, source },
                other => other,
            }),
            Err(elapsed) => Err(site.unreachable(elapsed)),
        }
    }

    async fn connect(site: &Site, number: u64) -> Result<Self, lapin::Error> {
        let properties = ConnectionProperties::default().with_connection_name("wayleave".into());
        let tls = OwnedTLSConfig { identity: None, cert_chain: site.authority.clone() };
        let runtime = lapin::runtime::default_runtime()?;
        let connection =
            Connection::connect_uri_with_config(site.uri.clone(), properties, tls, runtime).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { number, connection, channel, consuming: BTreeMap::new() })
    }

    pub(super) fn is_open(&self) -> bool {
        self.connection.status().connected()
            && self.channel.status().connected()
            && self.consuming.values().all(Consuming::is_open)
    }

    pub(super) async fn new_channel(&self) -> Result<Channel, lapin::Error> {
        self.connection.create_channel().await
    }

    /// Closes one thing after the other. A quorum queue may hear of a closed connection before it
    /// hears of the last acknowledgements; a cancelled consumer it answers for in order.
    pub(super) async fn close(self) {
        for consuming in self.consuming.into_values() {
            let _closed = consuming.close().await;
        }
        let _closed = self.connection.close(200, "done".into()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{Site, split_prefix};
    use crate::base::limit::LEASE_S;
    use crate::queue::{QueueError, Settings};

    fn read(url: &str) -> Result<Site, QueueError> {
        Site::read(&Settings { url: url.to_owned(), authority: None, lease_s: LEASE_S })
    }

    #[test]
    fn the_prefix_comes_off_the_url() {
        let split = |url: &str| split_prefix(url).unwrap();
        assert_eq!(split("amqp://h/%2f"), ("amqp://h/%2f".into(), "wayleave".into()));
        assert_eq!(split("amqp://h/%2f?prefix=x"), ("amqp://h/%2f".into(), "x".into()));
        assert_eq!(split("amqp://h/?heartbeat=5&prefix=x"), ("amqp://h/?heartbeat=5".into(), "x".into()));
        assert!(split_prefix("amqp://h/?prefix=a.b").is_err());
    }

    #[test]
    fn clear_text_stays_on_this_machine() {
        assert!(read("amqp://127.0.0.1:1/%2f").is_ok());
        assert!(read("amqp://[::1]:1/%2f").is_ok());
        assert!(read("amqps://broker.example/%2f").is_ok());
        assert!(matches!(read("amqp://broker.example/%2f"), Err(QueueError::Plain { .. })));
    }

    #[test]
    fn no_error_holds_the_password() {
        for url in [
            "amqp://u:sesame@broker.example/%2f",
            "amqp://u:sesame@[bad/%2f",
            "amqp://u:sesame@127.0.0.1:x/%2f",
            "amqp://u:sesame@127.0.0.1/%2f?heartbeat=sesame",
        ] {
            let error = read(url).err().unwrap();
            assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
        }
    }
}
