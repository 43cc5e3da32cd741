//! Study protocol, pseudonyms, the gate: the only maker of a `DoorMessage`. Pure.

pub mod choose;
pub mod door;
pub mod gate;
pub mod protocol;
pub mod pseudonym;
pub mod scan;
pub mod treat;
