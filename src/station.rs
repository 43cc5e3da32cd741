//! The roles that speak the health service's own transports: each keeps what it takes before it
//! acknowledges it, and what is kept goes the way of everything that arrives.

pub mod mllp;
pub mod post;
