//! Who is the same person. Pure.
//!
//! [`normalise`] puts names into one form, [`compare`](compare::compare) judges a pair,
//! [`decide`](decide::decide) makes clusters of subjects, and [`settle`](settle::settle) says
//! what that does to the people known so far. Deterministic tiers only; a scored tier and a
//! clerical decision have their place in [`Tier`](compare::Tier).

pub mod block;
pub mod compare;
pub mod decide;
pub mod features;
pub mod nickname;
pub mod normalise;
pub mod settle;
