//! Units set aside for somebody to look at, sealed with their batch's key.

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::schema::quarantine;
use crate::store::{StoreError, Tx};

/// A unit that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
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
    /// The first finding that set it aside.
    pub code: String,
    /// The unit itself, sealed with the batch's data key.
    pub sealed: Vec<u8>,
    /// `open`, `fixed` or `replayed`.
    pub state: String,
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

/// The units that are set aside and open, oldest first.
///
/// # Errors
/// Where the database fails.
pub fn list_open(tx: &mut Tx, n_max: i64) -> Result<Vec<Quarantined>, StoreError> {
    Ok(quarantine::table
        .filter(quarantine::state.eq("open"))
        .order((quarantine::batch_id, quarantine::unit))
        .limit(n_max)
        .select(Quarantined::as_select())
        .load(&mut tx.connection)?)
}

/// The units of a source, or of all, that are set aside and open, oldest first.
///
/// # Errors
/// Where the database fails.
pub fn list_open_of(tx: &mut Tx, source: Option<&str>, n_max: i64) -> Result<Vec<Quarantined>, StoreError> {
    let mut asked = quarantine::table
        .filter(quarantine::state.eq("open"))
        .order((quarantine::batch_id, quarantine::unit))
        .limit(n_max)
        .into_boxed();
    if let Some(source) = source {
        asked = asked.filter(quarantine::source.eq(source.to_owned()));
    }
    Ok(asked.select(Quarantined::as_select()).load(&mut tx.connection)?)
}

/// How many units are open.
///
/// # Errors
/// Where the database fails.
pub fn count_open(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(quarantine::table.filter(quarantine::state.eq("open")).count().get_result(&mut tx.connection)?)
}

/// Closes what earlier full files of a feed left open: the last one has the same rows, mended or
/// not.
///
/// # Errors
/// Where the database fails.
pub fn close_older(tx: &mut Tx, source: &str, feed: &str, batch_id: &str) -> Result<(), StoreError> {
    diesel::update(
        quarantine::table
            .filter(quarantine::source.eq(source).and(quarantine::feed.eq(feed)))
            .filter(quarantine::batch_id.ne(batch_id).and(quarantine::state.eq("open"))),
    )
    .set(quarantine::state.eq("fixed"))
    .execute(&mut tx.connection)?;
    Ok(())
}
