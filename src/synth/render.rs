//! Each system's own layout: rows, lines, entries and messages, and then bytes.

pub mod adt;
pub mod cld;
pub mod costs;
pub mod events;
pub mod fhir;
pub mod table;
pub mod tracker;
