//! Words everyone uses: where a thing stands, what is wrong with it, what may not be shown.
//!
//! Pure: no clock, no randomness and no I/O are read here. They come in from the edges
//! through [`edge::Edge`].

pub mod address;
pub mod day;
pub mod edge;
pub mod finding;
pub mod id;
pub mod limit;
pub mod money;
pub mod origin;
pub mod private;
pub mod seal;
pub mod tree;
