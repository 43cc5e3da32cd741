//! HL7 v2 messages over a connection that stays open: the Minimal Lower Layer Protocol (HL7 v2.x,
//! implementation guide, appendix C), as listener and as sender.
//!
//! Each message is framed by a vertical tab before it and a file separator with a carriage return
//! behind it, and each is answered in its place. What a message says is none of this room's
//! business: it hands bytes on, and sends the bytes that come back.

mod frame;
mod listen;
mod send;
mod stream;

pub use frame::{Framed, Frames, framed};
pub use listen::{Listener, ListenerSettings, Noticed, Taker};
pub use send::{Sender, SenderSettings};

use crate::transport::tls::TlsError;

/// Why a connection cannot be had or used. Never holds what was sent.
#[derive(Debug, thiserror::Error)]
pub enum MllpError {
    /// The address is none.
    #[error("`{setting}` is no address of this machine: {address}")]
    Address {
        /// Which setting.
        setting: String,
        /// As configured.
        address: String,
    },
    /// Others could listen in.
    #[error(
        "`{setting}` is {address}, which others can reach, and there is no TLS: set `certificate` and `certificate_key` beside it, or `behind_proxy = true` where a proxy or tunnel protects it"
    )]
    Bare {
        /// Which setting.
        setting: String,
        /// As configured.
        address: std::net::SocketAddr,
    },
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The port is taken, or may not be.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Nobody takes the connection, or it broke.
    #[error("{to} cannot be reached over MLLP: {reason}")]
    Unreachable {
        /// Whom, as configured.
        to: String,
        /// Why.
        reason: String,
    },
    /// The message was sent, and not answered.
    #[error("{to} did not answer a message in {wait_s} seconds")]
    NoAnswer {
        /// Whom, as configured.
        to: String,
        /// How long was waited.
        wait_s: u64,
    },
}

impl MllpError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Listen { .. } | Self::Unreachable { .. } | Self::NoAnswer { .. } => true,
            Self::Tls(error) => error.retryable(),
            Self::Address { .. } | Self::Bare { .. } => false,
        }
    }
}
