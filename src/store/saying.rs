//! What each feed last said of a record that several feeds of a source tell.

use diesel::prelude::*;
use diesel::upsert::excluded;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::base::seal::KeyedHash;
use crate::store::schema::{record, saying};
use crate::store::{StoreError, Tx};

/// What one feed last said of one record.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = saying, treat_none_as_default_value = false)]
pub struct SayingRow {
    /// The record.
    pub record_id: String,
    /// The feed.
    pub feed: String,
    /// Keyed hash of the key under which it did.
    pub key_hash: Vec<u8>,
    /// Keyed hash of what told it apart for every feed; none where something of that was blank.
    pub same_hash: Option<Vec<u8>>,
    /// Keyed hash of what it says but for its days, where it has a row's own id.
    pub like_hash: Option<Vec<u8>>,
    /// It tells it by something of its own.
    pub has_own: bool,
    /// Keyed hash of what it last said, as it said it.
    pub hash: Vec<u8>,
    /// The source's own time of that.
    pub source_time: Option<String>,
    /// When it arrived.
    pub arrived_at: String,
    /// The batch it came in.
    pub batch_id: String,
    /// Ordinal of its unit there.
    pub unit: i64,
    /// What it says: the open half, JSON.
    pub body: String,
    /// The sealed half.
    pub identity: Option<Vec<u8>>,
    /// When it last said something else of each field, JSON.
    pub times: String,
}

/// What the feeds say of these records.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx, record_ids: &[String]) -> Result<Vec<SayingRow>, StoreError> {
    let mut found = Vec::new();
    for ids in record_ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => saying::table
            .filter(saying::record_id.eq_any(ids))
            .select(SayingRow::as_select())
            .load::<SayingRow>(connection))?);
    }
    Ok(found)
}

/// Which of these are said of a record that is there, by a row with an id of its own: what a row says
/// but for its days.
///
/// # Errors
/// Where the database fails.
pub fn find_like(tx: &mut Tx, hashes: &[KeyedHash]) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut found = Vec::new();
    for hashes in hashes.chunks(ROWS_A_STATEMENT_MAX) {
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        let query = saying::table
            .inner_join(record::table)
            .filter(saying::like_hash.eq_any(hashes).and(record::absent_since.is_null()))
            .select(saying::like_hash.assume_not_null())
            .distinct();
        found.extend(on_both!(tx, connection => query.load::<Vec<u8>>(connection))?);
    }
    Ok(found)
}

/// Writes down what feeds say now.
///
/// # Errors
/// Where the database fails.
pub fn put(tx: &mut Tx, rows: &[SayingRow]) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS_A_STATEMENT_MAX) {
        on_both!(tx, connection => diesel::insert_into(saying::table)
            .values(rows)
            .on_conflict((saying::record_id, saying::feed))
            .do_update()
            .set((
                saying::key_hash.eq(excluded(saying::key_hash)),
                saying::same_hash.eq(excluded(saying::same_hash)),
                saying::like_hash.eq(excluded(saying::like_hash)),
                saying::has_own.eq(excluded(saying::has_own)),
                saying::hash.eq(excluded(saying::hash)),
                saying::source_time.eq(excluded(saying::source_time)),
                saying::arrived_at.eq(excluded(saying::arrived_at)),
                saying::batch_id.eq(excluded(saying::batch_id)),
                saying::unit.eq(excluded(saying::unit)),
                saying::body.eq(excluded(saying::body)),
                saying::identity.eq(excluded(saying::identity)),
                saying::times.eq(excluded(saying::times)),
            ))
            .execute(connection))?;
    }
    Ok(())
}

/// Forgets what is said of records that turned out to be others.
///
/// # Errors
/// Where the database fails.
pub fn remove(tx: &mut Tx, record_ids: &[String]) -> Result<(), StoreError> {
    for ids in record_ids.chunks(ROWS_A_STATEMENT_MAX) {
        let of_these = saying::table.filter(saying::record_id.eq_any(ids));
        on_both!(tx, connection => diesel::delete(of_these).execute(connection))?;
    }
    Ok(())
}
