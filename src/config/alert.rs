//! Settings of alerts: who is told, by which ways, and what is worth telling.

use serde::{Deserialize, Serialize};

use crate::config::SecretFile;

/// Who is told of trouble, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alert {
    /// The site's mail relay, as `relay.example.org:587`; empty for no mail.
    pub relay: String,
    /// How the connection to it is made safe.
    pub relay_tls: RelayTls,
    /// The account at the relay; empty where it asks for none.
    pub relay_user: String,
    /// File of the account's secret.
    pub relay_secret: SecretFile,
    /// Who mail is from.
    pub from: String,
    /// Whom it is to.
    pub to: Vec<String>,
    /// Where alerts are posted; empty for nowhere.
    pub webhook: String,
    /// File of the `whsec_` secrets that sign them.
    pub webhook_secrets: SecretFile,
    /// Whether it may be an address of a private network.
    pub webhook_private: bool,
    /// Units of one feed that may be set aside before somebody is told; and again at twice as many.
    pub quarantine_max: i64,
    /// Days that something may wait to go to a study before somebody is told.
    pub unsent_days: i64,
    /// Hours that a notice of withdrawal may wait.
    pub notice_hours: i64,
}

impl Default for Alert {
    fn default() -> Self {
        Self {
            relay: String::new(),
            relay_tls: RelayTls::default(),
            relay_user: String::new(),
            relay_secret: SecretFile::default(),
            from: String::new(),
            to: Vec::new(),
            webhook: String::new(),
            webhook_secrets: SecretFile::default(),
            webhook_private: false,
            quarantine_max: 100,
            unsent_days: 35,
            notice_hours: 24,
        }
    }
}

/// How the connection to a mail relay is made safe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RelayTls {
    /// By STARTTLS, or not at all.
    #[default]
    StartTls,
    /// By TLS from the first byte.
    Tls,
    /// Not; only to this machine.
    None,
}
