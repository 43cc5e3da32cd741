//! Which mapping a feed is read through: each choice is a row, and none is ever changed.

use diesel::prelude::*;

use crate::store::schema::live_mapping;
use crate::store::{StoreError, Tx};

/// One choice of a feed's mapping.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = live_mapping, treat_none_as_default_value = false)]
pub struct LiveMapping {
    /// The source.
    pub source: String,
    /// The feed.
    pub feed: String,
    /// Its ordinal among the choices of the feed, from 1.
    pub number: i64,
    /// The mapping; none for the one that the configuration names.
    pub mapping_hash: Option<Vec<u8>>,
    /// The choice to which a rollback goes back.
    pub before: Option<i64>,
    /// When it was made.
    pub at: String,
    /// Who made it.
    pub actor: String,
}

/// Writes down a choice.
///
/// # Errors
/// Where another was made meanwhile, or the database fails.
pub fn create(tx: &mut Tx, new: &LiveMapping) -> Result<(), StoreError> {
    diesel::insert_into(live_mapping::table).values(new).execute(&mut tx.connection)?;
    Ok(())
}

/// The choice of that number.
///
/// # Errors
/// Where there is none, or the database fails.
pub fn find(tx: &mut Tx, source: &str, feed: &str, number: i64) -> Result<LiveMapping, StoreError> {
    Ok(live_mapping::table
        .find((source, feed, number))
        .select(LiveMapping::as_select())
        .first(&mut tx.connection)?)
}

/// The last choice of a feed.
///
/// # Errors
/// Where the database fails.
pub fn find_last(tx: &mut Tx, source: &str, feed: &str) -> Result<Option<LiveMapping>, StoreError> {
    Ok(live_mapping::table
        .filter(live_mapping::source.eq(source).and(live_mapping::feed.eq(feed)))
        .order(live_mapping::number.desc())
        .select(LiveMapping::as_select())
        .first(&mut tx.connection)
        .optional()?)
}
