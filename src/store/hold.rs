//! Files that were held before anything of them had effect, and what somebody decided of each.

use diesel::prelude::*;

use crate::store::schema::hold;
use crate::store::{StoreError, Tx};

/// One file that is or was held.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = hold, treat_none_as_default_value = false)]
pub struct HoldRow {
    /// The run that looked at it.
    pub run_id: String,
    /// The file.
    pub batch_id: String,
    /// failed or vanished.
    pub reason: String,
    /// So many …
    pub part: i64,
    /// … of so many.
    pub whole: i64,
    /// The share in thousandths that was allowed.
    pub share_max: i64,
    /// Since when.
    pub held_at: String,
    /// let-through or thrown-away.
    pub decided: Option<String>,
    /// By whom.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<String>,
}

/// Writes down that a file is held.
///
/// # Errors
/// Where the database fails.
pub fn create(tx: &mut Tx, row: &HoldRow) -> Result<(), StoreError> {
    diesel::insert_into(hold::table).values(row).execute(&mut tx.connection)?;
    Ok(())
}

/// Why a run is held, and what was decided of it.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, run_id: &str) -> Result<Option<HoldRow>, StoreError> {
    Ok(hold::table.find(run_id).select(HoldRow::as_select()).first(&mut tx.connection).optional()?)
}

/// True if somebody let this file through.
///
/// # Errors
/// Where the database fails.
pub fn is_let_through(tx: &mut Tx, batch_id: &str, decided: &str) -> Result<bool, StoreError> {
    let through = hold::table.filter(hold::batch_id.eq(batch_id).and(hold::decided.eq(decided)));
    Ok(through.count().get_result::<i64>(&mut tx.connection)? > 0)
}

/// What is held and not decided, oldest first.
///
/// # Errors
/// Where the database fails.
pub fn list_undecided(tx: &mut Tx) -> Result<Vec<HoldRow>, StoreError> {
    Ok(hold::table
        .filter(hold::decided.is_null())
        .order(hold::run_id)
        .select(HoldRow::as_select())
        .load(&mut tx.connection)?)
}

/// Writes down what was decided.
///
/// # Errors
/// Where nothing of that run waits for a decision, or the database fails.
pub fn decide(tx: &mut Tx, run_id: &str, decided: &str, by: &str, at: &str) -> Result<(), StoreError> {
    let rows = diesel::update(hold::table.find(run_id))
        .filter(hold::decided.is_null())
        .set((hold::decided.eq(decided), hold::decided_by.eq(by), hold::decided_at.eq(at)))
        .execute(&mut tx.connection)?;
    if rows == 1 { Ok(()) } else { Err(StoreError::NoRow) }
}
