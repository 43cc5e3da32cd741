//! How far each schedule is: the last slot that is done, and the one that somebody runs now.

use diesel::prelude::*;

use crate::store::schema::slot;
use crate::store::{StoreError, Tx};

/// One schedule. Instants are of fixed width, so that text order is time order.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = slot, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct SlotRow {
    /// Which, as `sync/council/cld`.
    pub name: String,
    /// The last slot that is done or was passed over.
    pub last: String,
    /// The slot that is run, or is to be tried again.
    pub claimed: Option<String>,
    /// Who runs it.
    pub holder: Option<String>,
    /// Until when nobody else may; without a holder, before which it is not tried.
    pub until: Option<String>,
    /// How often it was tried.
    pub tries: i64,
}

/// The schedule of that name.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, name: &str) -> Result<Option<SlotRow>, StoreError> {
    Ok(slot::table.find(name).select(SlotRow::as_select()).first(&mut tx.connection).optional()?)
}

/// Writes a schedule down, whether it was there or not.
///
/// # Errors
/// Where the database fails.
pub fn put(tx: &mut Tx, row: &SlotRow) -> Result<(), StoreError> {
    let rows = diesel::update(slot::table.find(&row.name)).set(row).execute(&mut tx.connection)?;
    if rows == 0 {
        diesel::insert_into(slot::table).values(row).execute(&mut tx.connection)?;
    }
    Ok(())
}

/// How many schedules have a slot that failed and is tried again.
///
/// # Errors
/// Where the database fails.
pub fn count_again(tx: &mut Tx) -> Result<i64, StoreError> {
    let again = slot::table.filter(slot::claimed.is_not_null().and(slot::tries.gt(1)));
    Ok(again.count().get_result(&mut tx.connection)?)
}
