//! Step four, *release*: what may be told of each touched person is laid as intents ([`lay`]),
//! and the release job makes messages of them ([`job`]).
//!
//! Laying needs no study key and makes no pseudonym. The job is its own process; it alone opens
//! the study key, asks for consent again in the transaction that makes the message, and marks an
//! intent as sent only after the broker has confirmed it.

pub mod answer;
pub mod census;
pub mod close;
pub mod file;
pub mod job;
pub mod keys;
pub mod lay;
pub mod make;
pub mod resend;
pub mod settings;
