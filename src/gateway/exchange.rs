//! Exchange with partners: what is laid, how it is made and sent, and what is on record of it.
//!
//! Whether anything may go is decided in [`exchange`](crate::exchange), which alone makes a message.
//! It is decided anew each time a message is about to be sent, so an agreement that has ended, an
//! objection or a restriction stops what already waits.

pub mod last_look;
pub mod lay;
pub mod make;
pub mod objection;
pub mod outlet;
pub mod overview;
pub mod plan;
pub mod preview;
pub mod request;
pub mod restriction;
pub mod send;
