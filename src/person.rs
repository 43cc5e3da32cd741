//! Who is the same person: deterministic tiers, pure.

pub mod normalise;
