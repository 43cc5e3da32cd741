//! The canonical records: one struct a kind, their schemas, and the tree they travel in.
//!
//! `schemas/record/<kind>.json` is the published contract. Each property carries `x-privacy`;
//! what is marked `identifier` or `free-text` makes up a record's *identity* and is stored only
//! sealed, the rest is its *body*.

pub mod draft;
pub mod kind;
pub mod nhs_number;
pub mod saying;
pub mod schema;
pub mod typed;
