//! Units set aside for somebody to look at, sealed with their batch's key.

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::base::seal::Sealed;
use crate::store::schema::{batch, quarantine};
use crate::store::{StoreError, Tx};

/// A unit that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Insertable)]
#[diesel(table_name = quarantine, treat_none_as_default_value = false)]
pub struct Quarantined {
    /// Its id.
    pub id: String,
    /// The run that set it aside.
    pub run_id: String,
    /// The batch it came in.
    pub batch_id: String,
    /// The source.
    pub source: String,
    /// The feed.
    pub feed: String,
    /// Its ordinal in the batch, from 1.
    pub unit: i64,
    /// The sheet it stood on.
    pub sheet: Option<String>,
    /// The line or row.
    pub line: Option<i64>,
    /// The path in a tree.
    pub path: Option<String>,
    /// The worst finding that set it aside.
    pub code: String,
    /// The unit itself, sealed with the batch's data key.
    pub sealed: Vec<u8>,
    /// [`OPEN`], [`FIXED`] or [`REPLAYED`].
    pub state: String,
    /// The sender's own name of the column or member that is wrong.
    pub column_name: Option<String>,
    /// What was expected there.
    pub expected: String,
    /// The run that replays it, or did so last.
    pub replay_run: Option<String>,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// The run that took it, or who marked it as fixed.
    pub closed_by: Option<String>,
}

/// A unit that was set aside, but for itself.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// The run that set it aside.
    pub run_id: String,
    /// The batch it came in.
    pub batch_id: String,
    /// The source.
    pub source: String,
    /// The feed.
    pub feed: String,
    /// Its ordinal in the batch, from 1.
    pub unit: i64,
    /// The sheet it stood on.
    pub sheet: Option<String>,
    /// The line or row.
    pub line: Option<i64>,
    /// The path in a tree.
    pub path: Option<String>,
    /// The worst finding that set it aside.
    pub code: String,
    /// [`OPEN`], [`FIXED`] or [`REPLAYED`].
    pub state: String,
    /// The sender's own name of the column or member that is wrong.
    pub column_name: Option<String>,
    /// What was expected there.
    pub expected: String,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// When its batch arrived.
    pub received_at: String,
}

/// The columns of [`Listed`], in order.
const LISTED: (
    quarantine::id,
    quarantine::run_id,
    quarantine::batch_id,
    quarantine::source,
    quarantine::feed,
    quarantine::unit,
    quarantine::sheet,
    quarantine::line,
    quarantine::path,
    quarantine::code,
    quarantine::state,
    quarantine::column_name,
    quarantine::expected,
    quarantine::closed_at,
    batch::received_at,
) = (
    quarantine::id,
    quarantine::run_id,
    quarantine::batch_id,
    quarantine::source,
    quarantine::feed,
    quarantine::unit,
    quarantine::sheet,
    quarantine::line,
    quarantine::path,
    quarantine::code,
    quarantine::state,
    quarantine::column_name,
    quarantine::expected,
    quarantine::closed_at,
    batch::received_at,
);

/// It waits for somebody.
pub const OPEN: &str = "open";

/// It was put right at the source, which sends it again.
pub const FIXED: &str = "fixed";

/// It was read again, and taken.
pub const REPLAYED: &str = "replayed";

/// Which units are asked for: those that fit every part that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this source.
    pub source: Option<String>,
    /// Of this feed of it.
    pub feed: Option<String>,
    /// With this code.
    pub code: Option<String>,
    /// Of this batch.
    pub batch: Option<String>,
    /// That arrived before this instant.
    pub received_before: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// These; any where none is named.
    pub ids: Vec<String>,
}

/// How an open unit stands after it was read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Its ordinal in the batch.
    pub unit: i64,
    /// The worst finding.
    pub code: String,
    /// The sender's own name of the column or member that is wrong.
    pub column_name: Option<String>,
    /// What was expected there.
    pub expected: String,
}

/// Sets units aside; one that is there already, from an earlier reading of the same batch, stays.
///
/// # Errors
/// Where the database fails.
pub fn put(tx: &mut Tx, rows: &[Quarantined]) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS_A_STATEMENT_MAX) {
        on_both!(tx, connection => diesel::insert_into(quarantine::table)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(connection))?;
    }
    Ok(())
}

/// The units that fit, in the order in which they arrived.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx, filter: &Filter, n_max: i64) -> Result<Vec<Listed>, StoreError> {
    let mut asked = quarantine::table
        .inner_join(batch::table)
        .order((batch::received_at, quarantine::batch_id, quarantine::unit))
        .limit(n_max)
        .into_boxed();
    if let Some(source) = &filter.source {
        asked = asked.filter(quarantine::source.eq(source));
    }
    if let Some(feed) = &filter.feed {
        asked = asked.filter(quarantine::feed.eq(feed));
    }
    if let Some(code) = &filter.code {
        asked = asked.filter(quarantine::code.eq(code));
    }
    if let Some(batch_id) = &filter.batch {
        asked = asked.filter(quarantine::batch_id.eq(batch_id));
    }
    if let Some(before) = &filter.received_before {
        asked = asked.filter(batch::received_at.lt(before));
    }
    if let Some(state) = &filter.state {
        asked = asked.filter(quarantine::state.eq(state));
    }
    if !filter.ids.is_empty() {
        asked = asked.filter(quarantine::id.eq_any(&filter.ids));
    }
    Ok(asked.select(LISTED).load(&mut tx.connection)?)
}

/// The units that a run is to replay, in order.
///
/// # Errors
/// Where the database fails.
pub fn list_of_replay(tx: &mut Tx, run_id: &str) -> Result<Vec<Listed>, StoreError> {
    Ok(quarantine::table
        .inner_join(batch::table)
        .filter(quarantine::replay_run.eq(run_id))
        .order(quarantine::unit)
        .select(LISTED)
        .load(&mut tx.connection)?)
}

/// A unit itself, sealed.
///
/// # Errors
/// Where there is none, or the database fails.
pub fn find_sealed(tx: &mut Tx, id: &str) -> Result<Sealed, StoreError> {
    let sealed = quarantine::table.find(id).select(quarantine::sealed).first(&mut tx.connection)?;
    Ok(Sealed::from_bytes(sealed))
}

/// Notes that a run replays units.
///
/// # Errors
/// Where the database fails.
pub fn set_replay(tx: &mut Tx, ids: &[String], run_id: &str) -> Result<(), StoreError> {
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        diesel::update(quarantine::table.filter(quarantine::id.eq_any(ids)))
            .set(quarantine::replay_run.eq(run_id))
            .execute(&mut tx.connection)?;
    }
    Ok(())
}

/// The ordinals of the open units of a batch.
///
/// # Errors
/// Where the database fails.
pub fn list_open_of_batch(tx: &mut Tx, batch_id: &str) -> Result<Vec<i64>, StoreError> {
    Ok(quarantine::table
        .filter(quarantine::batch_id.eq(batch_id).and(quarantine::state.eq(OPEN)))
        .order(quarantine::unit)
        .select(quarantine::unit)
        .load(&mut tx.connection)?)
}

/// How many units are open.
///
/// # Errors
/// Where the database fails.
pub fn count_open(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(quarantine::table.filter(quarantine::state.eq(OPEN)).count().get_result(&mut tx.connection)?)
}

/// How many units are open, by source and feed.
///
/// # Errors
/// Where the database fails.
pub fn count_open_by_feed(tx: &mut Tx) -> Result<Vec<(String, String, i64)>, StoreError> {
    Ok(quarantine::table
        .filter(quarantine::state.eq(OPEN))
        .group_by((quarantine::source, quarantine::feed))
        .select((quarantine::source, quarantine::feed, diesel::dsl::count_star()))
        .order((quarantine::source, quarantine::feed))
        .load(&mut tx.connection)?)
}

/// Closes open units of a batch, since a run took them.
///
/// # Errors
/// Where the database fails.
pub fn close_taken(
    tx: &mut Tx,
    batch_id: &str,
    units: &[i64],
    run_id: &str,
    at: &str,
) -> Result<(), StoreError> {
    for units in units.chunks(ROWS_A_STATEMENT_MAX) {
        diesel::update(
            quarantine::table
                .filter(quarantine::batch_id.eq(batch_id).and(quarantine::unit.eq_any(units)))
                .filter(quarantine::state.eq(OPEN)),
        )
        .set((quarantine::state.eq(REPLAYED), quarantine::closed_at.eq(at), quarantine::closed_by.eq(run_id)))
        .execute(&mut tx.connection)?;
    }
    Ok(())
}

/// Writes down why open units of a batch are still set aside.
///
/// # Errors
/// Where the database fails.
pub fn set_causes(tx: &mut Tx, batch_id: &str, causes: &[Cause]) -> Result<(), StoreError> {
    for cause in causes {
        diesel::update(
            quarantine::table
                .filter(quarantine::batch_id.eq(batch_id).and(quarantine::unit.eq(cause.unit)))
                .filter(quarantine::state.eq(OPEN)),
        )
        .set((
            quarantine::code.eq(&cause.code),
            quarantine::column_name.eq(&cause.column_name),
            quarantine::expected.eq(&cause.expected),
        ))
        .execute(&mut tx.connection)?;
    }
    Ok(())
}

/// Marks open units as fixed at the source; gives how many were open.
///
/// # Errors
/// Where the database fails.
pub fn mark_fixed(tx: &mut Tx, ids: &[String], actor: &str, at: &str) -> Result<usize, StoreError> {
    let mut marked = 0;
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        marked += diesel::update(
            quarantine::table.filter(quarantine::id.eq_any(ids).and(quarantine::state.eq(OPEN))),
        )
        .set((quarantine::state.eq(FIXED), quarantine::closed_at.eq(at), quarantine::closed_by.eq(actor)))
        .execute(&mut tx.connection)?;
    }
    Ok(marked)
}

/// Closes what earlier full files of a feed left open: the last one, read by this run, has the same
/// rows, mended or not.
///
/// # Errors
/// Where the database fails.
pub fn close_older(
    tx: &mut Tx,
    (source, feed): (&str, &str),
    batch_id: &str,
    run_id: &str,
    at: &str,
) -> Result<(), StoreError> {
    diesel::update(
        quarantine::table
            .filter(quarantine::source.eq(source).and(quarantine::feed.eq(feed)))
            .filter(quarantine::batch_id.ne(batch_id).and(quarantine::state.eq(OPEN))),
    )
    .set((quarantine::state.eq(FIXED), quarantine::closed_at.eq(at), quarantine::closed_by.eq(run_id)))
    .execute(&mut tx.connection)?;
    Ok(())
}
