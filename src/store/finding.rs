//! What was wrong with the data of a run: the first findings whole, all of them counted.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::base::finding::Finding;
use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::base::seal::KeyedHash;
use crate::store::schema::{run_finding, run_finding_count};
use crate::store::{StoreError, Tx};

/// A finding as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = run_finding, treat_none_as_default_value = false)]
pub struct RunFinding {
    /// The run.
    pub run_id: String,
    /// Its ordinal in the run, from 0.
    pub position: i64,
    /// Which fault.
    pub code: String,
    /// How much it matters.
    pub severity: String,
    /// The sheet.
    pub sheet: Option<String>,
    /// The line or row.
    pub line: Option<i64>,
    /// The sender's column.
    pub column_name: Option<String>,
    /// The path in a tree or message.
    pub path: Option<String>,
    /// What was expected.
    pub expected: String,
    /// What to do.
    pub hint: String,
    /// Keyed hash of what the unit is about.
    pub about: Option<Vec<u8>>,
}

impl RunFinding {
    /// The stored form of a finding.
    #[must_use]
    pub fn new(run_id: &str, position: i64, finding: &Finding, about: Option<KeyedHash>) -> Self {
        let owned = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
        Self {
            run_id: run_id.to_owned(),
            position,
            code: finding.code.as_str().to_owned(),
            severity: finding.severity.as_str().to_owned(),
            sheet: owned(&finding.origin.sheet),
            line: finding.origin.line.and_then(|line| i64::try_from(line).ok()),
            column_name: owned(&finding.origin.column),
            path: owned(&finding.origin.path),
            expected: finding.expected.clone(),
            hint: finding.advice().to_owned(),
            about: about.map(|about| about.as_bytes().to_vec()),
        }
    }
}

/// How many findings of one code and severity a run has.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = run_finding_count)]
pub struct RunFindingCount {
    /// Which fault.
    pub code: String,
    /// How much it matters.
    pub severity: String,
    /// How many.
    pub count: i64,
}

/// Adds whole findings.
///
/// # Errors
/// Where the database fails.
pub fn append(tx: &mut Tx, rows: &[RunFinding]) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS_A_STATEMENT_MAX) {
        on_both!(tx, connection => diesel::insert_into(run_finding::table).values(rows).execute(connection))?;
    }
    Ok(())
}

/// Sets how many there are of each code and severity.
///
/// # Errors
/// Where the database fails.
pub fn set_counts(
    tx: &mut Tx,
    run_id: &str,
    counts: &BTreeMap<(&'static str, &'static str), i64>,
) -> Result<(), StoreError> {
    for ((code, severity), count) in counts {
        on_both!(tx, connection => diesel::insert_into(run_finding_count::table)
            .values((
                run_finding_count::run_id.eq(run_id),
                run_finding_count::code.eq(*code),
                run_finding_count::severity.eq(*severity),
                run_finding_count::count.eq(*count),
            ))
            .on_conflict((run_finding_count::run_id, run_finding_count::code, run_finding_count::severity))
            .do_update()
            .set(run_finding_count::count.eq(*count))
            .execute(connection))?;
    }
    Ok(())
}

/// The findings of a run that are kept whole, in the order they were found.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx, run_id: &str) -> Result<Vec<RunFinding>, StoreError> {
    Ok(run_finding::table
        .filter(run_finding::run_id.eq(run_id))
        .order(run_finding::position)
        .select(RunFinding::as_select())
        .load(&mut tx.connection)?)
}

/// How many findings of each code a run has, by code.
///
/// # Errors
/// Where the database fails.
pub fn list_counts(tx: &mut Tx, run_id: &str) -> Result<Vec<RunFindingCount>, StoreError> {
    Ok(run_finding_count::table
        .filter(run_finding_count::run_id.eq(run_id))
        .order((run_finding_count::code, run_finding_count::severity))
        .select(RunFindingCount::as_select())
        .load(&mut tx.connection)?)
}
