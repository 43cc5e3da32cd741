//! Every mapping that was ever used, by hash, with its code lists, so that any value can be explained
//! later, and a mapping be used again as it was.

use diesel::prelude::*;

use crate::store::schema::{mapping_code_list, mapping_version};
use crate::store::{StoreError, Tx};

/// A mapping as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: i64,
    /// Its text.
    pub text: String,
    /// The code lists it names, each with its text.
    pub code_lists: Vec<(String, String)>,
}

/// Writes a mapping down, with its code lists, unless it is there.
///
/// # Errors
/// Where the database fails.
pub fn keep(tx: &mut Tx, hash: &[u8; 32], kept: &Kept) -> Result<(), StoreError> {
    on_both!(tx, connection => diesel::insert_into(mapping_version::table)
        .values((
            mapping_version::hash.eq(hash.as_slice()),
            mapping_version::name.eq(&kept.name),
            mapping_version::version.eq(kept.version),
            mapping_version::text.eq(&kept.text),
        ))
        .on_conflict_do_nothing()
        .execute(connection))?;
    let has_lists = mapping_code_list::table.filter(mapping_code_list::mapping_hash.eq(hash.as_slice()));
    let n: i64 = has_lists.count().get_result(&mut tx.connection)?;
    if n > 0 {
        return Ok(());
    }
    for (name, text) in &kept.code_lists {
        diesel::insert_into(mapping_code_list::table)
            .values((
                mapping_code_list::mapping_hash.eq(hash.as_slice()),
                mapping_code_list::name.eq(name),
                mapping_code_list::text.eq(text),
            ))
            .execute(&mut tx.connection)?;
    }
    Ok(())
}

/// The mapping of that hash.
///
/// # Errors
/// Where there is none, or the database fails.
pub fn find(tx: &mut Tx, hash: &[u8]) -> Result<Kept, StoreError> {
    let (name, version, text) = mapping_version::table
        .find(hash)
        .select((mapping_version::name, mapping_version::version, mapping_version::text))
        .first(&mut tx.connection)?;
    let code_lists = mapping_code_list::table
        .filter(mapping_code_list::mapping_hash.eq(hash))
        .order(mapping_code_list::name)
        .select((mapping_code_list::name, mapping_code_list::text))
        .load(&mut tx.connection)?;
    Ok(Kept { name, version, text, code_lists })
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
