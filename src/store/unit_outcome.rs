//! What became of each unit of a delivery, for its receipt. No value of anybody is in it.

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::schema::unit_outcome;
use crate::store::{StoreError, Tx};

/// What became of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = unit_outcome, treat_none_as_default_value = false)]
pub struct UnitOutcome {
    /// The batch.
    pub batch_id: String,
    /// Its ordinal in the batch, from 1.
    pub unit: i64,
    /// The outcome, in the ledger's word.
    pub outcome: String,
    /// What was found, as JSON.
    pub findings: String,
}

/// Writes outcomes down; one that is there stands.
///
/// # Errors
/// Where the database fails.
pub fn put(tx: &mut Tx, rows: &[UnitOutcome]) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS_A_STATEMENT_MAX) {
        on_both!(tx, connection => diesel::insert_into(unit_outcome::table)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(connection))?;
    }
    Ok(())
}

/// Sets the outcomes of units that are taken now and were not when they were read first: that is
/// good news for the sender. Any other outcome of a later reading changes nothing.
///
/// # Errors
/// Where the database fails.
pub fn improve(tx: &mut Tx, rows: &[UnitOutcome]) -> Result<(), StoreError> {
    for row in rows.iter().filter(|row| row.outcome == "accepted") {
        diesel::update(unit_outcome::table.find((&row.batch_id, row.unit)))
            .set((unit_outcome::outcome.eq(&row.outcome), unit_outcome::findings.eq(&row.findings)))
            .execute(&mut tx.connection)?;
    }
    Ok(())
}

/// Sets the outcomes of units that were replayed, whatever became of them.
///
/// # Errors
/// Where the database fails.
pub fn replace(tx: &mut Tx, rows: &[UnitOutcome]) -> Result<(), StoreError> {
    for row in rows {
        diesel::update(unit_outcome::table.find((&row.batch_id, row.unit)))
            .set((unit_outcome::outcome.eq(&row.outcome), unit_outcome::findings.eq(&row.findings)))
            .execute(&mut tx.connection)?;
    }
    Ok(())
}

/// The outcomes of some units of a batch that are there, in order.
///
/// # Errors
/// Where the database fails.
pub fn list(
    tx: &mut Tx,
    batch_id: &str,
    units: std::ops::Range<i64>,
) -> Result<Vec<UnitOutcome>, StoreError> {
    Ok(unit_outcome::table
        .filter(unit_outcome::batch_id.eq(batch_id))
        .filter(unit_outcome::unit.ge(units.start).and(unit_outcome::unit.lt(units.end)))
        .order(unit_outcome::unit)
        .select(UnitOutcome::as_select())
        .load(&mut tx.connection)?)
}
