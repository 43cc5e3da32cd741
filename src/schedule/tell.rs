//! The ways by which alerts are told: the log always, mail and a signed webhook where they are
//! configured.

use serde::Serialize;
use zeroize::Zeroizing;

use crate::config::{Config, RelayTls};
use crate::gateway::alert::{self, AlertShown, Told};
use crate::gateway::keys::{self, KeyError};
use crate::gateway::{Gateway, GatewayError};
use crate::transport::http::{self, Client, HttpError, Method, Request, Url};
use crate::transport::smtp::{self, Mail, Relay, Safety, SmtpError};
use crate::transport::webhook::{NotSecrets, Secrets};

/// Every way that is configured.
#[derive(Default)]
pub struct Ways {
    mail: Option<Relay>,
    webhook: Option<Webhook>,
}

struct Webhook {
    client: Client,
    url: Url,
    secrets: Secrets,
}

/// Why a way cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WaysError {
    /// The relay's address is none.
    #[error("`alert.relay` is `{relay}`: expected a name and a port, as `relay.example.org:587`")]
    Relay {
        /// As configured.
        relay: String,
    },
    /// Mail cannot be sent so.
    #[error(transparent)]
    Mail(#[from] SmtpError),
    /// The webhook's address is none, or in the clear over a network.
    #[error("`alert.webhook` is no address that can be posted to: expected https://…")]
    Webhook,
    /// There is nothing to sign with.
    #[error("`alert.webhook` is set, and `alert.webhook_secrets` names no file")]
    Unsigned,
    /// The secrets cannot be used.
    #[error("{}: {source}", file.display())]
    Secrets {
        /// The file.
        file: std::path::PathBuf,
        /// What was expected.
        source: NotSecrets,
    },
    /// A file of a secret cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    File {
        /// The file.
        file: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of a secret can be read by others.
    #[error(transparent)]
    Open(#[from] KeyError),
    /// Requests cannot be made.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl WaysError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Mail(error) => error.retryable(),
            Self::Http(error) => error.retryable(),
            Self::Relay { .. }
            | Self::Webhook
            | Self::Unsigned
            | Self::Secrets { .. }
            | Self::File { .. }
            | Self::Open(_) => false,
        }
    }
}

impl Ways {
    /// The ways of a configuration.
    ///
    /// # Errors
    /// Where one cannot be used, or is not safe.
    pub fn open(config: &Config) -> Result<Self, WaysError> {
        Ok(Self { mail: mail(config)?, webhook: webhook(config)? })
    }

    /// Tells the log what it has not been told.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn tell_log(gateway: &Gateway) -> Result<(), GatewayError> {
        alert::tell(gateway, "log", &mut |alert| {
            tracing::warn!(
                alert.id = alert.id,
                alert.kind = alert.kind,
                run.feed = alert.feed,
                alert.about = alert.about,
                count = alert.count,
                "{}; to do: {}",
                alert.text,
                alert.to_do
            );
            Told::Yes
        })?;
        alert::tell_ends(gateway, "log", &mut |alert| {
            tracing::info!(
                alert.id = alert.id,
                alert.kind = alert.kind,
                run.feed = alert.feed,
                alert.about = alert.about,
                "{}",
                over(alert, "the gateway")
            );
            Told::Yes
        })
    }

    /// Tells by mail and webhook what is to be told by them now. A way that fails is tried again later.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn tell(&self, gateway: &Gateway) -> Result<(), GatewayError> {
        if let Some(relay) = &self.mail {
            alert::tell(gateway, "mail", &mut |alert| by_mail(relay, gateway, alert, false))?;
            alert::tell_ends(gateway, "mail", &mut |alert| by_mail(relay, gateway, alert, true))?;
        }
        if let Some(webhook) = &self.webhook {
            alert::tell(gateway, "webhook", &mut |alert| webhook.post(gateway, alert, false))?;
            alert::tell_ends(gateway, "webhook", &mut |alert| webhook.post(gateway, alert, true))?;
        }
        Ok(())
    }

    /// The words of the ways that are configured, beside the log.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let mail = self.mail.as_ref().map(|_| "mail");
        mail.into_iter().chain(self.webhook.as_ref().map(|_| "webhook")).collect()
    }
}

fn mail(config: &Config) -> Result<Option<Relay>, WaysError> {
    let alert = &config.alert;
    if alert.relay.is_empty() {
        return Ok(None);
    }
    let wrong = || WaysError::Relay { relay: alert.relay.clone() };
    let (host, port) = alert.relay.rsplit_once(':').ok_or_else(wrong)?;
    let account = match (alert.relay_user.as_str(), alert.relay_secret.as_str()) {
        ("", _) | (_, "") => None,
        (user, file) => Some((user.to_owned(), secret(config, file)?)),
    };
    let settings = smtp::Settings {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: port.parse().map_err(|_port| wrong())?,
        safety: match alert.relay_tls {
            RelayTls::StartTls => Safety::StartTls,
            RelayTls::Tls => Safety::Tls,
            RelayTls::None => Safety::Plain,
        },
        authority: Some(&config.outbound.authority)
            .filter(|file| !file.is_empty())
            .map(|file| config.path(file)),
        account,
        from: alert.from.clone(),
        to: alert.to.clone(),
    };
    Ok(Some(Relay::open(&settings)?))
}

fn webhook(config: &Config) -> Result<Option<Webhook>, WaysError> {
    let alert = &config.alert;
    if alert.webhook.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(&alert.webhook).map_err(|_url| WaysError::Webhook)?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
        return Err(WaysError::Webhook);
    }
    if alert.webhook_secrets.is_empty() {
        return Err(WaysError::Unsigned);
    }
    let text = secret(config, &alert.webhook_secrets)?;
    let file = config.path(&alert.webhook_secrets);
    let secrets = Secrets::parse(&text).map_err(|source| WaysError::Secrets { file, source })?;
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let client = Client::open(&http::Settings {
        proxy: given(&config.outbound.proxy),
        authority: given(&config.outbound.authority).map(|file| config.path(&file)),
        identity: None,
        refuses_private: !alert.webhook_private,
    })?;
    Ok(Some(Webhook { client, url, secrets }))
}

/// The secret in a file that nobody else may read.
fn secret(config: &Config, file: &str) -> Result<Zeroizing<String>, WaysError> {
    let file = config.path(file);
    if keys::is_open_to_others(&file) {
        return Err(KeyError::Open { what: "alert", file }.into());
    }
    let text = std::fs::read_to_string(&file).map_err(|source| WaysError::File { file, source })?;
    let text = Zeroizing::new(text);
    Ok(Zeroizing::new(text.trim().to_owned()))
}

/// The subject and the text of an alert as a person reads it.
#[must_use]
pub fn letter(alert: &AlertShown, gateway: &str) -> (String, String) {
    let about = if alert.feed.is_empty() { gateway } else { alert.feed.as_str() };
    let subject = format!("Wayleave: {about}: {}", alert.kind);
    let since = alert.raised_at.get(..16).unwrap_or_default().replace('T', " ");
    let text = format!(
        "{}\n\nTo do: {}\n\nSince {since} UTC. `wayleave status` says how things stand now.\nAlert {}\n",
        alert.text, alert.to_do, alert.id
    );
    (subject, text)
}

/// That what an alert told is over, in a line.
fn over(alert: &AlertShown, gateway: &str) -> String {
    let about = if alert.feed.is_empty() { gateway } else { alert.feed.as_str() };
    format!("{about} is well again ({})", alert.kind)
}

/// The subject and the text that tell that an alert is over.
#[must_use]
pub fn letter_of_end(alert: &AlertShown, gateway: &str) -> (String, String) {
    let at = |instant: &str| instant.get(..16).unwrap_or_default().replace('T', " ");
    let over = over(alert, gateway);
    let text = format!(
        "{over}. Nothing is to be done.\n\nFrom {} to {} UTC: {}\nAlert {}\n",
        at(&alert.raised_at),
        at(alert.ended_at.as_deref().unwrap_or_default()),
        alert.text,
        alert.id
    );
    (format!("Wayleave: {over}"), text)
}

/// What the message is known by that tells of an alert, or that it is over.
fn message_id(alert: &AlertShown, is_over: bool) -> String {
    if is_over { format!("{}-over", alert.id) } else { alert.id.clone() }
}

fn by_mail(relay: &Relay, gateway: &Gateway, alert: &AlertShown, is_over: bool) -> Told {
    let write = if is_over { letter_of_end } else { letter };
    let (subject, text) = write(alert, "the gateway");
    let mail =
        Mail { id: &message_id(alert, is_over), at: gateway.edge.now(), subject: &subject, text: &text };
    match relay.send(&mail) {
        Ok(()) => Told::Yes,
        Err(error) => not_told("mail", alert, &error, error.retryable()),
    }
}

fn not_told(way: &str, alert: &AlertShown, error: &dyn std::error::Error, is_retryable: bool) -> Told {
    tracing::warn!(alert.id = alert.id, way, error = %error, "an alert could not be told by {way}: {error}");
    if is_retryable { Told::NotYet } else { Told::Never }
}

/// What is posted.
#[derive(Serialize)]
struct Event<'e> {
    r#type: &'static str,
    timestamp: &'e str,
    data: Data<'e>,
}

#[derive(Serialize)]
struct Data<'e> {
    id: &'e str,
    kind: &'e str,
    feed: &'e str,
    about: &'e str,
    count: i64,
    text: &'e str,
    to_do: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<&'e str>,
}

impl Webhook {
    fn post(&self, gateway: &Gateway, alert: &AlertShown, is_over: bool) -> Told {
        let ended_at = alert.ended_at.as_deref().filter(|_| is_over);
        let id = message_id(alert, is_over);
        let event = Event {
            r#type: if is_over { "alert.ended" } else { "alert.raised" },
            timestamp: ended_at.unwrap_or(&alert.raised_at),
            data: Data {
                id: &alert.id,
                kind: &alert.kind,
                feed: &alert.feed,
                about: &alert.about,
                count: alert.count,
                text: &alert.text,
                to_do: if is_over { "" } else { &alert.to_do },
                ended_at,
            },
        };
        // Texts and numbers always become JSON.
        let body = serde_json::to_vec(&event).unwrap_or_default();
        let at = (gateway.edge.now().unix_ms() / 1_000).to_string();
        let signature = self.secrets.sign(&id, &at, &body);
        let request = Request {
            method: Method::POST,
            url: self.url.clone(),
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("webhook-id", id),
                ("webhook-timestamp", at),
                ("webhook-signature", signature),
            ],
            body,
        };
        match self.client.send(request) {
            Ok(answer) if (200..300).contains(&answer.status) => Told::Yes,
            Ok(answer) => {
                tracing::warn!(
                    alert.id = alert.id,
                    status = answer.status,
                    "the receiver of alerts answered with status {}",
                    answer.status
                );
                // Gone (410) is for good, by the specification; anything else may be mended.
                if answer.status == 410 { Told::Never } else { Told::NotYet }
            }
            Err(error) => not_told("webhook", alert, &error, error.retryable()),
        }
    }
}
