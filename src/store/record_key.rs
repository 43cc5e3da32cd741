//! What else a record is told by, beside the key it was first seen under.

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::base::seal::KeyedHash;
use crate::store::schema::record_key;
use crate::store::{StoreError, Tx};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Queryable, Selectable, Insertable)]
#[diesel(table_name = record_key, treat_none_as_default_value = false)]
pub struct RecordKey {
    /// Keyed hash of another key of it, or of what tells it apart for every feed of its source.
    pub key_hash: Vec<u8>,
    /// The record.
    pub record_id: String,
}

/// The records that are told by these.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, hashes: &[KeyedHash]) -> Result<Vec<RecordKey>, StoreError> {
    let mut found = Vec::new();
    for hashes in hashes.chunks(ROWS_A_STATEMENT_MAX) {
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        found.extend(
            record_key::table
                .filter(record_key::key_hash.eq_any(hashes))
                .select(RecordKey::as_select())
                .load::<RecordKey>(&mut tx.connection)?,
        );
    }
    Ok(found)
}

/// What these records are told by.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx, record_ids: &[String]) -> Result<Vec<RecordKey>, StoreError> {
    let mut found = Vec::new();
    for ids in record_ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(
            record_key::table
                .filter(record_key::record_id.eq_any(ids))
                .select(RecordKey::as_select())
                .load::<RecordKey>(&mut tx.connection)?,
        );
    }
    Ok(found)
}

/// Writes down what records are told by; what is there already stays.
///
/// # Errors
/// Where the database fails.
pub fn add(tx: &mut Tx, rows: &[RecordKey]) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS_A_STATEMENT_MAX) {
        on_both!(tx, connection => diesel::insert_into(record_key::table)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(connection))?;
    }
    Ok(())
}

/// Tells a record by nothing more than the key it was first seen under.
///
/// # Errors
/// Where the database fails.
pub fn remove(tx: &mut Tx, record_ids: &[String]) -> Result<(), StoreError> {
    for ids in record_ids.chunks(ROWS_A_STATEMENT_MAX) {
        let of_these = record_key::table.filter(record_key::record_id.eq_any(ids));
        on_both!(tx, connection => diesel::delete(of_these).execute(connection))?;
    }
    Ok(())
}
