//! The queue as a door.

/// A study's queue, seen from this side.
pub struct Inlet;
