//! The keys the store works with. They stand outside the database.

use crate::base::seal::{IndexKey, MasterKey};

/// The keys of the operational zone.
#[derive(Clone)]
pub struct Keys {
    /// Wraps data keys.
    pub master: MasterKey,
    /// Makes look-up hashes.
    pub index: IndexKey,
}
