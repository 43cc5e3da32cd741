//! What is still to do, by step: subjects to link, people to release.

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::connection::AnyConnection;
use crate::store::schema::work;
use crate::store::{StoreError, Tx};

/// A step that takes its work from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A subject whose identity may have changed.
    Link,
    /// A person of whom something may go out or be taken back.
    Release,
    /// A person of whom a partner may have to be told.
    Exchange,
}

impl Step {
    /// The word stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Release => "release",
            Self::Exchange => "exchange",
        }
    }
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = work, treat_none_as_default_value = false)]
pub struct Work {
    /// The step.
    pub step: String,
    /// Subject or person id.
    pub key: String,
    /// The run that made it necessary.
    pub run_id: String,
    /// Since when it waits.
    pub created_at: String,
}

/// Adds things to do; one that waits already stays as it is.
///
/// # Errors
/// Where the database fails.
pub fn push(tx: &mut Tx, step: Step, keys: &[String], run_id: &str, at: &str) -> Result<(), StoreError> {
    match &mut tx.connection {
        AnyConnection::Sqlite(connection) => {
            let keys = serde_json::to_string(keys).unwrap_or_default();
            diesel::sql_query(PUSH_SQLITE)
                .bind::<Text, _>(step.as_str())
                .bind::<Text, _>(run_id)
                .bind::<Text, _>(at)
                .bind::<Text, _>(keys)
                .execute(connection)?;
        }
        AnyConnection::Postgres(connection) => {
            diesel::sql_query(PUSH)
                .bind::<Text, _>(step.as_str())
                .bind::<Array<Text>, _>(keys)
                .bind::<Text, _>(run_id)
                .bind::<Text, _>(at)
                .execute(connection)?;
        }
    }
    Ok(())
}

const PUSH: &str = "INSERT INTO work (step, key, run_id, created_at)
    SELECT $1, key, $3, $4 FROM UNNEST($2) AS added (key) ON CONFLICT DO NOTHING";

// Without a condition the conflict clause reads as one of a join.
const PUSH_SQLITE: &str = "INSERT INTO work (step, key, run_id, created_at)
    SELECT ?, value, ?, ? FROM JSON_EACH(?) WHERE TRUE ON CONFLICT DO NOTHING";

/// The first things to do. On PostgreSQL they are locked until the transaction ends, and what
/// another has locked is passed over; a SQLite write has the whole database anyway.
///
/// # Errors
/// Where the database fails.
pub fn claim(tx: &mut Tx, step: Step, n_max: i64) -> Result<Vec<Work>, StoreError> {
    let waiting = work::table.filter(work::step.eq(step.as_str())).order(work::key).limit(n_max);
    let claimed = match &mut tx.connection {
        AnyConnection::Sqlite(connection) => waiting.select(Work::as_select()).load(connection),
        AnyConnection::Postgres(connection) => {
            waiting.select(Work::as_select()).for_update().skip_locked().load(connection)
        }
    };
    Ok(claimed?)
}

/// Strikes out what was done, in the transaction that did it.
///
/// # Errors
/// Where the database fails.
pub fn done(tx: &mut Tx, step: Step, keys: &[String]) -> Result<(), StoreError> {
    for keys in keys.chunks(ROWS_A_STATEMENT_MAX) {
        let these = work::table.filter(work::step.eq(step.as_str()).and(work::key.eq_any(keys)));
        on_both!(tx, connection => diesel::delete(these).execute(connection))?;
    }
    Ok(())
}

/// Strikes out everything a step has to do: nobody is to be told.
///
/// # Errors
/// Where the database fails.
pub fn clear(tx: &mut Tx, step: Step) -> Result<(), StoreError> {
    diesel::delete(work::table.filter(work::step.eq(step.as_str()))).execute(&mut tx.connection)?;
    Ok(())
}

/// Whether a step has anything to do.
///
/// # Errors
/// Where the database fails.
pub fn waits(tx: &mut Tx, step: Step) -> Result<bool, StoreError> {
    let first = work::table.filter(work::step.eq(step.as_str())).select(work::key).limit(1);
    Ok(first.first::<String>(&mut tx.connection).optional()?.is_some())
}

/// How many things a step has to do.
///
/// # Errors
/// Where the database fails.
pub fn count(tx: &mut Tx, step: Step) -> Result<i64, StoreError> {
    Ok(work::table.filter(work::step.eq(step.as_str())).count().get_result(&mut tx.connection)?)
}
