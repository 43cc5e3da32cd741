//! The far side of the door: pseudonyms only.
//!
//! It has its own database and its own signing key, and never holds a study key, an operational
//! connection or a name. What it knows has come through the queue; what it says back names a
//! notice and nothing else.
//!
//! - [`door`]: what a message is, read strictly and checked against the published schema
//! - [`collect`]: messages into the store, at least once in, once in effect
//! - [`store`]: the evaluation database
//! - [`extract`]: one folder of CSV, Data Package and codebook for each release; and its check

pub mod collect;
pub mod door;
pub mod extract;
pub mod store;
