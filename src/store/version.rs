//! Versions: what a record said, each time it said something else.

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::schema::version;
use crate::store::{StoreError, Tx};

/// One version of a record.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = version, treat_none_as_default_value = false)]
pub struct VersionRow {
    /// The record.
    pub record_id: String,
    /// Its number, from 1.
    pub number: i64,
    /// Keyed hash of both halves.
    pub hash: Vec<u8>,
    /// The source's own time.
    pub source_time: Option<String>,
    /// When it arrived.
    pub arrived_at: String,
    /// The batch it came in.
    pub batch_id: String,
    /// The feed it came in.
    pub feed: String,
    /// Ordinal of its unit in the batch, from 1.
    pub unit: i64,
    /// The sheet.
    pub sheet: Option<String>,
    /// The line or row.
    pub line: Option<i64>,
    /// The path in a tree.
    pub path: Option<String>,
    /// The mapping that read it.
    pub mapping_hash: Vec<u8>,
    /// The open half, JSON.
    pub body: String,
    /// The sealed half.
    pub identity: Option<Vec<u8>>,
}

/// A version without what it says.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = version)]
pub struct VersionHead {
    /// The record.
    pub record_id: String,
    /// Its number.
    pub number: i64,
    /// Keyed hash of both halves.
    pub hash: Vec<u8>,
    /// The batch it came in.
    pub batch_id: String,
    /// The feed it came in.
    pub feed: String,
    /// Ordinal of its unit.
    pub unit: i64,
}

/// Adds versions.
///
/// # Errors
/// Where one is there already, or the database fails.
pub fn append(tx: &mut Tx, rows: &[VersionRow]) -> Result<(), StoreError> {
    insert_all!(tx, version::table, rows);
    Ok(())
}

/// The heads of every version of these records, by record and number.
///
/// # Errors
/// Where the database fails.
pub fn list_heads(tx: &mut Tx, record_ids: &[String]) -> Result<Vec<VersionHead>, StoreError> {
    let mut found = Vec::new();
    for ids in record_ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(
            version::table
                .filter(version::record_id.eq_any(ids))
                .order((version::record_id, version::number))
                .select(VersionHead::as_select())
                .load::<VersionHead>(&mut tx.connection)?,
        );
    }
    Ok(found)
}

/// Every version of a record, by number.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx, record_id: &str) -> Result<Vec<VersionRow>, StoreError> {
    Ok(version::table
        .filter(version::record_id.eq(record_id))
        .order(version::number)
        .select(VersionRow::as_select())
        .load(&mut tx.connection)?)
}

/// One version of a record.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, record_id: &str, number: i64) -> Result<Option<VersionRow>, StoreError> {
    Ok(version::table
        .find((record_id, number))
        .select(VersionRow::as_select())
        .first(&mut tx.connection)
        .optional()?)
}
