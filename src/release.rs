//! Study protocol, pseudonyms, the gate: the only maker of a `DoorMessage`. Pure.

pub mod door;
pub mod protocol;
pub mod pseudonym;
pub mod tree;
