//! The web: what the gateway takes and shows over HTTP.
//!
//! `operational` serves the gateway's zone. A problem (RFC 9457) is made here and nowhere else.

pub mod body;
pub mod journal;
pub mod listen;
pub mod operational;
pub mod problem;
pub mod trail;
