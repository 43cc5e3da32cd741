//! Plants faults that cost no fact: on extra rows, on rows about nobody, on copies.
//!
//! An extra row about a known person is spoiled only where it speaks of an event of its own; a
//! fault in what identifies a person sits on a row about nobody, with an identifier of its own, so
//! that no true record is touched.

mod council;
mod housing;
mod trust;

pub use council::{cld, costs};
pub use housing::{events, tracker};
pub use trust::{adt, fhir};
