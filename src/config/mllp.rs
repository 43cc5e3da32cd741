//! Settings of a feed whose messages come over MLLP.

use serde::{Deserialize, Serialize};

use crate::base::limit::{MLLP_CONNECTIONS, MLLP_IDLE_S, MLLP_MESSAGE_BYTES};
use crate::config::SecretFile;

/// Where a feed's HL7 v2 messages are listened for, and whose.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mllp {
    /// Address and port; empty where nothing is listened for.
    pub listen: String,
    /// The receiving application that messages must name (MSH-5); empty for any.
    pub application: String,
    /// The receiving facility that messages must name (MSH-6); empty for any.
    pub facility: String,
    /// PEM file of the certificate and its chain; empty for none.
    pub certificate: String,
    /// PEM file of the certificate's key.
    pub certificate_key: SecretFile,
    /// PEM file of the authority whose certificate a sender must show; empty asks for none.
    pub client_authority: String,
    /// Whether a proxy or tunnel protects it.
    pub behind_proxy: bool,
    /// Connections at once.
    pub connections_max: usize,
    /// Bytes of one message.
    pub message_bytes_max: usize,
    /// Seconds that a connection may rest.
    pub idle_s: u64,
}

impl Default for Mllp {
    fn default() -> Self {
        Self {
            listen: String::new(),
            application: String::new(),
            facility: String::new(),
            certificate: String::new(),
            certificate_key: SecretFile::default(),
            client_authority: String::new(),
            behind_proxy: false,
            connections_max: MLLP_CONNECTIONS,
            message_bytes_max: MLLP_MESSAGE_BYTES,
            idle_s: MLLP_IDLE_S,
        }
    }
}
