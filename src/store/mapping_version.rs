//! Every mapping that was ever used, by hash, so that any value can be explained later.

use diesel::prelude::*;

use crate::store::schema::mapping_version;
use crate::store::{StoreError, Tx};

/// Writes a mapping down, unless it is there.
///
/// # Errors
/// Where the database fails.
pub fn keep(tx: &mut Tx, hash: &[u8; 32], name: &str, version: i64, text: &str) -> Result<(), StoreError> {
    on_both!(tx, connection => diesel::insert_into(mapping_version::table)
        .values((
            mapping_version::hash.eq(hash.as_slice()),
            mapping_version::name.eq(name),
            mapping_version::version.eq(version),
            mapping_version::text.eq(text),
        ))
        .on_conflict_do_nothing()
        .execute(connection))?;
    Ok(())
}

/// Name, version and hash of every mapping that stands behind the current records, by name.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx) -> Result<Vec<(String, i64, Vec<u8>)>, StoreError> {
    let rows = mapping_version::table
        .order((mapping_version::name, mapping_version::version, mapping_version::hash))
        .select((mapping_version::name, mapping_version::version, mapping_version::hash))
        .load(&mut tx.connection)?;
    Ok(rows)
}

/// The text of the mapping of that hash.
///
/// # Errors
/// Where there is none, or the database fails.
pub fn find_text(tx: &mut Tx, hash: &[u8]) -> Result<String, StoreError> {
    Ok(mapping_version::table.find(hash).select(mapping_version::text).first(&mut tx.connection)?)
}
