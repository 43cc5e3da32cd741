//! What came in over HTTP: one row a request that was answered with 202.

use std::collections::BTreeMap;

use diesel::dsl::exists;
use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::base::seal::KeyedHash;
use crate::store::run::{Run, State};
use crate::store::schema::{delivery, run};
use crate::store::{StoreError, Tx};

/// How the units stand in what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One event.
    Event,
    /// A list of events.
    Events,
    /// A whole file.
    File,
    /// One HL7 v2 message.
    Message,
}

impl Shape {
    /// The word stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Events => "events",
            Self::File => "file",
            Self::Message => "message",
        }
    }
}

/// A request that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = delivery, treat_none_as_default_value = false)]
pub struct Delivery {
    /// Its id, which is its receipt's.
    pub id: String,
    /// The source that sent it.
    pub source: String,
    /// The feed of the source.
    pub feed: String,
    /// Keyed hash of the sender's own id of it.
    pub id_hash: Vec<u8>,
    /// Keyed hash of the body.
    pub content_hash: Vec<u8>,
    /// How the sender showed who it is: `signed`, or `key/` and the key's id.
    pub credential: String,
    /// How the units stand in it; see [`Shape`].
    pub shape: String,
    /// How many units it holds.
    pub units: i64,
    /// The events, sealed; none once they stand in a batch.
    pub sealed: Option<Vec<u8>>,
    /// When it arrived.
    pub received_at: String,
    /// How often it was sent again.
    pub repeats: i64,
    /// The batch it went into.
    pub batch_id: Option<String>,
    /// The ordinal in that batch of its first unit.
    pub first_unit: Option<i64>,
}

/// What is known of a request that was kept before.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = delivery)]
pub struct Known {
    /// Its receipt.
    pub id: String,
    /// Keyed hash of the sender's own id of it.
    pub id_hash: Vec<u8>,
    /// Keyed hash of the body.
    pub content_hash: Vec<u8>,
    /// When it arrived.
    pub received_at: String,
    /// How many units it holds.
    pub units: i64,
}

/// Those of a source's requests that were kept before, by the hash of the sender's id.
///
/// # Errors
/// Where the database fails.
pub fn find_known(
    tx: &mut Tx,
    source: &str,
    hashes: &[KeyedHash],
) -> Result<BTreeMap<KeyedHash, Known>, StoreError> {
    let mut known = BTreeMap::new();
    for hashes in hashes.chunks(ROWS_A_STATEMENT_MAX) {
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        let rows: Vec<Known> = delivery::table
            .filter(delivery::source.eq(source).and(delivery::id_hash.eq_any(hashes)))
            .select(Known::as_select())
            .load(&mut tx.connection)?;
        known.extend(rows.into_iter().filter_map(|row| Some((KeyedHash::from_slice(&row.id_hash)?, row))));
    }
    Ok(known)
}

/// Keeps requests.
///
/// # Errors
/// Where one is there already, or the database fails.
pub fn put(tx: &mut Tx, rows: &[&Delivery]) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS_A_STATEMENT_MAX) {
        on_both!(tx, connection => diesel::insert_into(delivery::table)
            .values(rows.to_vec())
            .execute(connection))?;
    }
    Ok(())
}

/// Counts that requests were sent again.
///
/// # Errors
/// Where the database fails.
pub fn count_repeats(tx: &mut Tx, ids: &[String]) -> Result<(), StoreError> {
    for id in ids {
        diesel::update(delivery::table.find(id))
            .set(delivery::repeats.eq(delivery::repeats + 1))
            .execute(&mut tx.connection)?;
    }
    Ok(())
}

/// The request of that receipt.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, id: &str) -> Result<Option<Delivery>, StoreError> {
    let found =
        delivery::table.find(id).select(Delivery::as_select()).first(&mut tx.connection).optional()?;
    Ok(found)
}

/// The last requests of a source, or of all, newest first.
///
/// # Errors
/// Where the database fails.
pub fn list_last_of(tx: &mut Tx, source: Option<&str>, n_max: i64) -> Result<Vec<Delivery>, StoreError> {
    let mut asked = delivery::table.order(delivery::id.desc()).limit(n_max).into_boxed();
    if let Some(source) = source {
        asked = asked.filter(delivery::source.eq(source.to_owned()));
    }
    Ok(asked.select(Delivery::as_select()).load(&mut tx.connection)?)
}

/// The last file of a feed that was uploaded.
///
/// # Errors
/// Where the database fails.
pub fn find_last_file(tx: &mut Tx, source: &str, feed: &str) -> Result<Option<Delivery>, StoreError> {
    Ok(delivery::table
        .filter(delivery::source.eq(source).and(delivery::feed.eq(feed)))
        .filter(delivery::shape.eq(Shape::File.as_str()))
        .order(delivery::id.desc())
        .select(Delivery::as_select())
        .first(&mut tx.connection)
        .optional()?)
}

/// The files of a feed that were uploaded after another, newest first.
///
/// # Errors
/// Where the database fails.
pub fn list_files_after(tx: &mut Tx, after: &Delivery, n_max: i64) -> Result<Vec<Delivery>, StoreError> {
    Ok(delivery::table
        .filter(delivery::source.eq(&after.source).and(delivery::feed.eq(&after.feed)))
        .filter(delivery::shape.eq(Shape::File.as_str()).and(delivery::id.gt(&after.id)))
        .order(delivery::id.desc())
        .limit(n_max)
        .select(Delivery::as_select())
        .load(&mut tx.connection)?)
}

/// The first requests of a feed that stand in no batch yet, oldest first. On PostgreSQL they are
/// locked until the transaction ends, and what another has locked is passed over.
///
/// # Errors
/// Where the database fails.
pub fn claim(tx: &mut Tx, source: &str, feed: &str, n_max: i64) -> Result<Vec<Delivery>, StoreError> {
    let waiting = delivery::table
        .filter(delivery::source.eq(source).and(delivery::feed.eq(feed)))
        .filter(delivery::batch_id.is_null())
        .order(delivery::id)
        .limit(n_max);
    let claimed = match &mut tx.connection {
        crate::store::connection::AnyConnection::Sqlite(connection) => {
            waiting.select(Delivery::as_select()).load(connection)
        }
        crate::store::connection::AnyConnection::Postgres(connection) => {
            waiting.select(Delivery::as_select()).for_update().skip_locked().load(connection)
        }
    };
    Ok(claimed?)
}

/// Notes where a request went, and takes its sealed body away: the batch has it.
///
/// # Errors
/// Where the database fails.
pub fn gathered(tx: &mut Tx, id: &str, batch_id: &str, first_unit: i64) -> Result<(), StoreError> {
    diesel::update(delivery::table.find(id))
        .set((
            delivery::batch_id.eq(batch_id),
            delivery::first_unit.eq(first_unit),
            delivery::sealed.eq(None::<Vec<u8>>),
        ))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// True if the batch holds events that were posted.
///
/// # Errors
/// Where the database fails.
pub fn is_gathered(tx: &mut Tx, batch_id: &str) -> Result<bool, StoreError> {
    let posted =
        delivery::table.filter(delivery::batch_id.eq(batch_id).and(delivery::shape.ne(Shape::File.as_str())));
    Ok(diesel::select(exists(posted)).get_result(&mut tx.connection)?)
}

/// True if a request of that feed stands in no batch yet.
///
/// # Errors
/// Where the database fails.
pub fn is_waiting(tx: &mut Tx, source: &str, feed: &str) -> Result<bool, StoreError> {
    let waiting = delivery::table
        .filter(delivery::source.eq(source).and(delivery::feed.eq(feed)))
        .filter(delivery::batch_id.is_null());
    Ok(diesel::select(exists(waiting)).get_result(&mut tx.connection)?)
}

/// The runs over what came in by HTTP whose units are not all processed, oldest first. Those that
/// read a batch again are not among them.
///
/// # Errors
/// Where the database fails.
pub fn list_open_runs(tx: &mut Tx) -> Result<Vec<Run>, StoreError> {
    let came = delivery::table
        .filter(delivery::batch_id.is_not_null())
        .filter(delivery::batch_id.assume_not_null().eq(run::batch_id));
    Ok(run::table
        .filter(run::state.eq(State::Processing.as_str()).and(run::note.eq("")))
        .filter(exists(came))
        .order(run::id)
        .select(Run::as_select())
        .load(&mut tx.connection)?)
}

/// How many requests wait to be read, and since when the oldest does.
///
/// # Errors
/// Where the database fails.
pub fn count_waiting(tx: &mut Tx) -> Result<(i64, Option<String>), StoreError> {
    let waiting = delivery::table.filter(delivery::batch_id.is_null());
    Ok(waiting
        .select((diesel::dsl::count_star(), diesel::dsl::min(delivery::received_at)))
        .first(&mut tx.connection)?)
}
