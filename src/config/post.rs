//! Settings of messages that go and come by the health service's own transports.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::limit::{MESH_CHUNK_BYTES, MESH_EVERY_S, MESH_TRACK_EVERY_S};
use crate::config::SecretFile;

/// A mailbox of the message exchange MESH.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mesh {
    /// The exchange's address; empty for no mailbox.
    pub url: String,
    /// The mailbox's id.
    pub mailbox: String,
    /// File of its password.
    pub password: SecretFile,
    /// File of the shared key of the environment.
    pub shared_key: SecretFile,
    /// PEM file of the certificate that is shown; empty for none.
    pub certificate: String,
    /// PEM file of the certificate's key.
    pub certificate_key: SecretFile,
    /// Which workflow is taken into which feed.
    pub routes: BTreeMap<String, String>,
    /// Seconds between two looks into the mailbox.
    pub every_s: u64,
    /// Seconds after which it is asked what became of a message that was sent.
    pub track_every_s: i64,
    /// Bytes of one chunk that is sent.
    pub chunk_bytes: usize,
}

impl Default for Mesh {
    fn default() -> Self {
        Self {
            url: String::new(),
            mailbox: String::new(),
            password: "keys/mesh.password".into(),
            shared_key: "keys/mesh.shared".into(),
            certificate: String::new(),
            certificate_key: SecretFile::default(),
            routes: BTreeMap::new(),
            every_s: MESH_EVERY_S,
            track_every_s: MESH_TRACK_EVERY_S,
            chunk_bytes: MESH_CHUNK_BYTES,
        }
    }
}

/// Somebody who takes HL7 v2 messages over MLLP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Receiver {
    /// Host and port.
    pub to: String,
    /// Whether TLS is spoken. Without it, only this machine is sent to, unless `behind_proxy`.
    pub tls: bool,
    /// Whether a tunnel or proxy protects what is sent without TLS.
    pub behind_proxy: bool,
    /// PEM file of the certificate that is shown; empty for none.
    pub certificate: String,
    /// PEM file of the certificate's key.
    pub certificate_key: SecretFile,
    /// The sending and receiving application and facility that messages are given where they name
    /// none (MSH-3 to MSH-6).
    pub sending_application: String,
    /// See `sending_application`.
    pub sending_facility: String,
    /// See `sending_application`.
    pub receiving_application: String,
    /// See `sending_application`.
    pub receiving_facility: String,
}
