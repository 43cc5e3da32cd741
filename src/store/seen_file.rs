//! The files of a feed's place as they were last seen there, by the keyed hash of their name.

use diesel::prelude::*;

use crate::base::seal::KeyedHash;
use crate::store::schema::seen_file;
use crate::store::{StoreError, Tx};

/// A file as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = seen_file, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct SeenFile {
    /// The source.
    pub source: String,
    /// The feed of the source.
    pub feed: String,
    /// Keyed hash of its name.
    pub name_hash: Vec<u8>,
    /// Its length.
    pub size_bytes: i64,
    /// When it was last changed, by the clock of where it lies.
    pub modified_ms: i64,
    /// Since when it has been seen so.
    pub since: String,
    /// Keyed hash of its bytes, once it was read as it is.
    pub content_hash: Option<Vec<u8>>,
}

/// The file of that name.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, source: &str, feed: &str, name: &KeyedHash) -> Result<Option<SeenFile>, StoreError> {
    let found = seen_file::table
        .find((source, feed, name.as_bytes().as_slice()))
        .select(SeenFile::as_select())
        .first(&mut tx.connection)
        .optional()?;
    Ok(found)
}

/// Writes down how a file was seen.
///
/// # Errors
/// Where the database fails.
pub fn put(tx: &mut Tx, seen: &SeenFile) -> Result<(), StoreError> {
    on_both!(tx, connection => diesel::insert_into(seen_file::table)
        .values(seen)
        .on_conflict((seen_file::source, seen_file::feed, seen_file::name_hash))
        .do_update()
        .set(seen)
        .execute(connection))?;
    Ok(())
}
