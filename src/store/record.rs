//! Records: one thing as one source tells it, and which of its versions is current.

use diesel::prelude::*;
use diesel::upsert::excluded;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::base::seal::{KeyedHash, Sealed};
use crate::store::schema::{record, version};
use crate::store::{StoreError, Tx};

/// A record's head: everything but what its versions say.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = record, treat_none_as_default_value = false)]
pub struct RecordRow {
    /// Its id.
    pub id: String,
    /// Whose it is; none for a setting.
    pub subject_id: Option<String>,
    /// The source.
    pub source: String,
    /// The feed whose snapshots say whether it is still there.
    pub feed: String,
    /// Its kind.
    pub kind: String,
    /// Keyed hash of its key.
    pub key_hash: Vec<u8>,
    /// Number of the current version.
    pub current_number: i64,
    /// Number of the last version: a late, older one comes after the current.
    pub last_number: i64,
    /// Keyed hash of the current version.
    pub current_hash: Vec<u8>,
    /// The source's own time of the current version.
    pub current_source_time: Option<String>,
    /// When the current version arrived.
    pub current_arrived_at: String,
    /// Ordinal of the unit it came from, in its batch.
    pub current_unit: i64,
    /// The feed it came in.
    pub current_feed: String,
    /// The file since which it is no longer there.
    pub absent_since: Option<String>,
    /// The run that last changed it.
    pub last_run: String,
}

/// A record with its current version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentRecord {
    /// The record's id.
    pub id: String,
    /// Whose it is; none for a setting.
    pub subject_id: Option<String>,
    /// The source.
    pub source: String,
    /// The feed.
    pub feed: String,
    /// Its kind.
    pub kind: String,
    /// Number of the version.
    pub number: i64,
    /// Keyed hash of the version.
    pub hash: Vec<u8>,
    /// The source's own time.
    pub source_time: Option<String>,
    /// When it arrived.
    pub arrived_at: String,
    /// The open half, JSON.
    pub body: String,
    /// The sealed half.
    pub identity: Option<Sealed>,
    /// No longer in the source's last full file.
    pub is_absent: bool,
}

/// As much of a record as shows whether it says anything new.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Stand {
    /// Keyed hash of its key.
    pub key_hash: Vec<u8>,
    /// Keyed hash of the current version.
    pub current_hash: Vec<u8>,
    /// It is this feed's, whose snapshots say whether it is still there.
    pub is_of_feed: bool,
    /// No longer in the source's last full file.
    pub is_absent: bool,
}

/// How the records of these keys stand, of whatever kind. The hash of a key is keyed by source and
/// kind, so that it is of one record only.
///
/// # Errors
/// Where the database fails.
pub fn find_stands(tx: &mut Tx, feed: &str, hashes: &[KeyedHash]) -> Result<Vec<Stand>, StoreError> {
    let mut found = Vec::with_capacity(hashes.len());
    for hashes in hashes.chunks(ROWS_A_STATEMENT_MAX) {
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        let query = record::table.filter(record::key_hash.eq_any(hashes)).select((
            record::key_hash,
            record::current_hash,
            record::feed.eq(feed),
            record::absent_since.is_not_null(),
        ));
        found.extend(on_both!(tx, connection => query.load::<Stand>(connection))?);
    }
    Ok(found)
}

/// The heads of these keys.
///
/// # Errors
/// Where the database fails.
pub fn find_by_keys(
    tx: &mut Tx,
    source: &str,
    kind: &str,
    hashes: &[KeyedHash],
) -> Result<Vec<RecordRow>, StoreError> {
    let mut found = Vec::with_capacity(hashes.len());
    for hashes in hashes.chunks(ROWS_A_STATEMENT_MAX) {
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        found.extend(on_both!(tx, connection => record::table
            .filter(record::key_hash.eq_any(hashes))
            .filter(record::source.eq(source).and(record::kind.eq(kind)))
            .select(RecordRow::as_select())
            .load::<RecordRow>(connection))?);
    }
    Ok(found)
}

/// The heads of these ids.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, ids: &[String]) -> Result<Vec<RecordRow>, StoreError> {
    let mut found = Vec::new();
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => record::table
            .filter(record::id.eq_any(ids))
            .select(RecordRow::as_select())
            .load::<RecordRow>(connection))?);
    }
    Ok(found)
}

/// Writes the heads of new records.
///
/// # Errors
/// Where one is there already, or the database fails.
pub fn create(tx: &mut Tx, rows: &[RecordRow]) -> Result<(), StoreError> {
    insert_all!(tx, record::table, rows);
    Ok(())
}

/// Writes heads: new ones are added, those that are there moved on.
///
/// # Errors
/// Where the database fails.
pub fn put(tx: &mut Tx, rows: &[RecordRow]) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS_A_STATEMENT_MAX) {
        on_both!(tx, connection => diesel::insert_into(record::table)
            .values(rows)
            .on_conflict(record::id)
            .do_update()
            .set((
                record::feed.eq(excluded(record::feed)),
                record::current_number.eq(excluded(record::current_number)),
                record::last_number.eq(excluded(record::last_number)),
                record::current_hash.eq(excluded(record::current_hash)),
                record::current_source_time.eq(excluded(record::current_source_time)),
                record::current_arrived_at.eq(excluded(record::current_arrived_at)),
                record::current_unit.eq(excluded(record::current_unit)),
                record::current_feed.eq(excluded(record::current_feed)),
                record::absent_since.eq(excluded(record::absent_since)),
                record::last_run.eq(excluded(record::last_run)),
            ))
            .execute(connection))?;
    }
    Ok(())
}

/// Id, keyed hash of the key, and subject.
pub type Present = (String, Vec<u8>, Option<String>);

/// The id, key and subject of every record of a feed that is not absent, after an id, in
/// order of id.
///
/// # Errors
/// Where the database fails.
pub fn list_present(
    tx: &mut Tx,
    source: &str,
    feed: &str,
    after: &str,
    n_max: i64,
) -> Result<Vec<Present>, StoreError> {
    Ok(record::table
        .filter(record::source.eq(source).and(record::feed.eq(feed)))
        .filter(record::absent_since.is_null().and(record::id.gt(after)))
        .order(record::id)
        .limit(n_max)
        .select((record::id, record::key_hash, record::subject_id))
        .load(&mut tx.connection)?)
}

/// Marks records as no longer there since a file.
///
/// # Errors
/// Where the database fails.
pub fn mark_absent(tx: &mut Tx, ids: &[String], batch_id: &str, run_id: &str) -> Result<(), StoreError> {
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        diesel::update(record::table.filter(record::id.eq_any(ids)))
            .set((record::absent_since.eq(batch_id), record::last_run.eq(run_id)))
            .execute(&mut tx.connection)?;
    }
    Ok(())
}

/// Records with their current versions, in order of kind and id.
macro_rules! current {
    ($tx:expr, $which:expr) => {{
        let query = record::table
            .inner_join(version::table)
            .filter($which.and(version::number.eq(record::current_number)))
            .order((record::kind, record::id))
            .select((
                (record::id, record::subject_id, record::source, record::feed, record::kind),
                (record::current_number, record::current_hash, record::current_source_time),
                (version::arrived_at, version::body, version::identity, record::absent_since.is_not_null()),
            ));
        on_both!($tx, connection => query.load::<CurrentTuple>(connection))?.into_iter().map(current)
    }};
}

type CurrentTuple = (
    (String, Option<String>, String, String, String),
    (i64, Vec<u8>, Option<String>),
    (String, String, Option<Vec<u8>>, bool),
);

fn current(row: CurrentTuple) -> CurrentRecord {
    let ((id, subject_id, source, feed, kind), (number, hash, source_time), version) = row;
    let (arrived_at, body, identity, is_absent) = version;
    let identity = identity.map(Sealed::from_bytes);
    CurrentRecord {
        id,
        subject_id,
        source,
        feed,
        kind,
        number,
        hash,
        source_time,
        arrived_at,
        body,
        identity,
        is_absent,
    }
}

/// The records of these subjects, each with its current version, absent ones too, in order of
/// kind and id.
///
/// # Errors
/// Where the database fails.
pub fn list_current(tx: &mut Tx, subject_ids: &[String]) -> Result<Vec<CurrentRecord>, StoreError> {
    let mut found = Vec::new();
    for ids in subject_ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(current!(tx, record::subject_id.eq_any(ids)));
    }
    Ok(found)
}

/// The records of one kind of these subjects, each with its current version, absent ones too, in
/// order of id.
///
/// # Errors
/// Where the database fails.
pub fn list_current_of_kind(
    tx: &mut Tx,
    kind: &str,
    subject_ids: &[String],
) -> Result<Vec<CurrentRecord>, StoreError> {
    let mut found = Vec::new();
    for ids in subject_ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(current!(tx, record::subject_id.eq_any(ids).and(record::kind.eq(kind))));
    }
    Ok(found)
}

/// The records of these ids, each with its current version.
///
/// # Errors
/// Where the database fails.
pub fn find_current(tx: &mut Tx, ids: &[String]) -> Result<Vec<CurrentRecord>, StoreError> {
    let mut found = Vec::new();
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(current!(tx, record::id.eq_any(ids)));
    }
    Ok(found)
}

/// Every setting, with its current version, absent ones too, in order of id.
///
/// # Errors
/// Where the database fails.
pub fn list_settings(tx: &mut Tx) -> Result<Vec<CurrentRecord>, StoreError> {
    Ok(current!(tx, record::kind.eq("setting")).collect())
}

/// How many records there are of each kind, absent ones left out, by kind.
///
/// # Errors
/// Where the database fails.
pub fn count_by_kind(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(record::table
        .filter(record::absent_since.is_null())
        .group_by(record::kind)
        .order(record::kind)
        .select((record::kind, diesel::dsl::count_star()))
        .load(&mut tx.connection)?)
}
