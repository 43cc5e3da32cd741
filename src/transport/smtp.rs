//! Mail, by the site's relay: short texts to the people who run the gateway.
//!
//! The connection is encrypted, from the first byte or by STARTTLS before anything is said; in the
//! clear only to this machine. A relay that does not offer what is asked for is not spoken to.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport as _};
use zeroize::Zeroizing;

use crate::base::edge::Instant;
use crate::base::limit::OUTBOUND_WAIT_S;

/// How the connection to the relay is made safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// By STARTTLS, or not at all.
    StartTls,
    /// By TLS from the first byte.
    Tls,
    /// Not; only to this machine.
    Plain,
}

/// How mail is sent.
pub struct Settings {
    /// The relay's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is made safe.
    pub safety: Safety,
    /// A PEM file of certificate authorities that are trusted beside the public ones.
    pub authority: Option<PathBuf>,
    /// The account and its secret, where the relay asks for one.
    pub account: Option<(String, Zeroizing<String>)>,
    /// Who it is from.
    pub from: String,
    /// Whom it is to.
    pub to: Vec<String>,
}

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail<'m> {
    /// Told apart by it: the same again is the same mail.
    pub id: &'m str,
    /// When it was written.
    pub at: Instant,
    /// Its subject.
    pub subject: &'m str,
    /// Its text.
    pub text: &'m str,
}

/// Why a mail was not sent. Holds the configuration's own words, and a status of the relay.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// In the clear over a network.
    #[error(
        "`alert.relay` is {host}, which is not this machine, and `alert.relay_tls` is \"none\": set it to \"starttls\" or \"tls\""
    )]
    Bare {
        /// The relay.
        host: String,
    },
    /// The certificate authority cannot be used.
    #[error("cannot use {} for TLS to the mail relay: {reason}", file.display())]
    Authority {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// An address is none.
    #[error("`{address}` is no mail address; see `alert.from` and `alert.to`")]
    Address {
        /// As configured.
        address: String,
    },
    /// There is nobody to send to.
    #[error("`alert.relay` is set, and `alert.to` names nobody")]
    Nobody,
    /// The relay did not show that it is the one that was named.
    #[error(
        "the mail relay {host} could not be spoken to over TLS: its certificate is not trusted, or it offers no STARTTLS; see `outbound.authority`"
    )]
    NotSafe {
        /// The relay.
        host: String,
    },
    /// The relay refused, and would again.
    #[error("the mail relay {host} refused the mail (status {status})")]
    Refused {
        /// The relay.
        host: String,
        /// Its status.
        status: String,
    },
    /// The relay does not answer, or says to come again.
    #[error("the mail relay {host} does not take the mail now ({status})")]
    NotNow {
        /// The relay.
        host: String,
        /// Its status, or what happened.
        status: String,
    },
}

impl SmtpError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            // A certificate is renewed, and an account mended, by somebody who need not start us again.
            Self::NotNow { .. } | Self::NotSafe { .. } => true,
            Self::Bare { .. }
            | Self::Authority { .. }
            | Self::Address { .. }
            | Self::Nobody
            | Self::Refused { .. } => false,
        }
    }
}

/// A relay.
pub struct Relay {
    transport: SmtpTransport,
    host: String,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Relay {
    /// A relay of these settings. Nothing is said to it yet.
    ///
    /// # Errors
    /// Where a setting cannot be used, or is not safe.
    pub fn open(settings: &Settings) -> Result<Self, SmtpError> {
        let host = settings.host.clone();
        if settings.safety == Safety::Plain && !is_this_machine(&host) {
            return Err(SmtpError::Bare { host });
        }
        let mailbox = |address: &String| {
            address.parse::<Mailbox>().map_err(|_address| SmtpError::Address { address: address.clone() })
        };
        let to = settings.to.iter().map(mailbox).collect::<Result<Vec<_>, _>>()?;
        if to.is_empty() {
            return Err(SmtpError::Nobody);
        }
        let tls = match settings.safety {
            Safety::Plain => Tls::None,
            Safety::StartTls => Tls::Required(parameters(settings)?),
            Safety::Tls => Tls::Wrapper(parameters(settings)?),
        };
        let mut builder = SmtpTransport::builder_dangerous(&host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(Duration::from_secs(OUTBOUND_WAIT_S)));
        if let Some((user, secret)) = &settings.account {
            builder = builder.credentials(Credentials::new(user.clone(), secret.as_str().to_owned()));
        }
        Ok(Self { transport: builder.build(), host, from: mailbox(&settings.from)?, to })
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// Where the relay does not take it.
    pub fn send(&self, mail: &Mail<'_>) -> Result<(), SmtpError> {
        let at = std::time::UNIX_EPOCH + Duration::from_millis(mail.at.unix_ms().unsigned_abs());
        let domain = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(mail.subject)
            .date(at)
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .header(ContentType::TEXT_PLAIN);
        for one in &self.to {
            message = message.to(one.clone());
        }
        let not_now = |status: &str| SmtpError::NotNow { host: self.host.clone(), status: status.to_owned() };
        let message =
            message.body(mail.text.to_owned()).map_err(|_mail| not_now("it could not be written"))?;
        self.transport.send(&message).map(|_taken| ()).map_err(|error| self.why(&error))
    }

    /// The relay's status, and none of its words: it may quote what it was sent.
    fn why(&self, error: &Error) -> SmtpError {
        let host = self.host.clone();
        let status = error.status().map(|code| code.to_string());
        match status {
            // An account that is refused may be mended; anything else that is for good is for good.
            Some(status) if error.is_permanent() && !status.starts_with("53") => {
                SmtpError::Refused { host, status }
            }
            Some(status) => SmtpError::NotNow { host, status: format!("status {status}") },
            None if error.is_tls() || is_of_tls(error) || error.is_client() => SmtpError::NotSafe { host },
            None if error.is_timeout() => SmtpError::NotNow { host, status: "it took too long".to_owned() },
            None => SmtpError::NotNow { host, status: "no connection".to_owned() },
        }
    }
}

/// True where a failed connection failed by its certificate.
fn is_of_tls(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if inner.is::<rustls::Error>()
            || wrapped.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
        {
            return true;
        }
        cause = inner.source();
    }
    false
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn parameters(settings: &Settings) -> Result<TlsParameters, SmtpError> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    let file = settings.authority.clone().unwrap_or_default();
    let wrong = |reason: String| SmtpError::Authority { file: file.clone(), reason };
    if let Some(file) = &settings.authority {
        let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
        let authority = Certificate::from_pem(&text)
            .map_err(|_pem| wrong("it holds no certificate in PEM".to_owned()))?;
        builder = builder.add_root_certificate(authority);
    }
    builder.build_rustls().map_err(|_tls| wrong("TLS cannot be set up with it".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Relay, Safety, Settings, SmtpError};

    fn settings(host: &str, safety: Safety) -> Settings {
        Settings {
            host: host.to_owned(),
            port: 25,
            safety,
            authority: None,
            account: None,
            from: "Wayleave <wayleave@example.org>".to_owned(),
            to: vec!["data@example.org".to_owned()],
        }
    }

    #[test]
    fn in_the_clear_only_to_this_machine() {
        for host in ["relay.example.org", "10.0.0.1", "localhost.example.org"] {
            let refused = Relay::open(&settings(host, Safety::Plain)).err();
            assert!(matches!(refused, Some(SmtpError::Bare { .. })), "{host}");
            assert!(Relay::open(&settings(host, Safety::StartTls)).is_ok(), "{host}");
        }
        for host in ["localhost", "127.0.0.1", "::1"] {
            assert!(Relay::open(&settings(host, Safety::Plain)).is_ok(), "{host}");
        }
    }

    #[test]
    fn nobody_and_no_address_are_said() {
        let nobody = Settings { to: Vec::new(), ..settings("localhost", Safety::Tls) };
        assert!(matches!(Relay::open(&nobody).err(), Some(SmtpError::Nobody)));
        let wrong = Settings { to: vec!["the data team".to_owned()], ..settings("localhost", Safety::Tls) };
        assert!(matches!(Relay::open(&wrong).err(), Some(SmtpError::Address { .. })));
    }
}
