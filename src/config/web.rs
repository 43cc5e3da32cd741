//! Settings of the web: where it listens, and what each source may send.

use serde::{Deserialize, Serialize};

use crate::config::SecretFile;

/// Where `wayleave serve` listens, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// Address and port.
    pub listen: String,
    /// PEM file of the certificate and its chain; empty for none.
    pub certificate: String,
    /// PEM file of the certificate's key.
    pub certificate_key: SecretFile,
    /// Whether a proxy that speaks TLS stands before it.
    pub behind_proxy: bool,
    /// How the web is reached from outside; empty where links may be relative.
    pub public_url: String,
    /// Connections open at once.
    pub connections_max: usize,
    /// Seconds that a stopping service waits for requests under way.
    pub stop_wait_s: u64,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            certificate: String::new(),
            certificate_key: SecretFile::default(),
            behind_proxy: false,
            public_url: String::new(),
            connections_max: 1_024,
            stop_wait_s: 20,
        }
    }
}

/// What one source may send over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceWeb {
    /// The feed that posted events belong to; empty where none may be posted.
    pub events: String,
    /// The feeds to which files may be uploaded, with a key.
    pub uploads: Vec<String>,
    /// Bytes of one uploaded file.
    pub upload_bytes_max: u64,
    /// Whether a key made by `wayleave key create` may stand for a signature.
    pub bearer: bool,
    /// The member that holds an event's own id.
    pub event_id: String,
    /// Bytes of one request.
    pub body_bytes_max: usize,
    /// Events of one request.
    pub events_max: usize,
    /// Requests a second, on the long run.
    pub requests_per_s: u32,
    /// Requests that may come at once.
    pub requests_burst: u32,
}

impl Default for SourceWeb {
    fn default() -> Self {
        Self {
            events: String::new(),
            uploads: Vec::new(),
            upload_bytes_max: 64 * 1024 * 1024,
            bearer: false,
            event_id: "id".to_owned(),
            body_bytes_max: 1024 * 1024,
            events_max: 1_000,
            requests_per_s: 1_000,
            requests_burst: 2_000,
        }
    }
}
