//! What people said about the exchange of their records under agreements.

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::schema::objection;
use crate::store::{StoreError, Tx};

/// One thing a person said.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = objection, treat_none_as_default_value = false)]
pub struct ObjectionRow {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub subject_id: String,
    /// About which agreement.
    pub agreement: String,
    /// `objected` or `lifted`.
    pub decision: String,
    /// The day it was said.
    pub decided_on: String,
    /// When it was entered.
    pub entered_at: String,
}

/// Writes one down.
///
/// # Errors
/// Where the database fails.
pub fn add(tx: &mut Tx, row: &ObjectionRow) -> Result<(), StoreError> {
    diesel::insert_into(objection::table).values(row).execute(&mut tx.connection)?;
    Ok(())
}

/// What some subjects said.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx, subjects: &[String]) -> Result<Vec<ObjectionRow>, StoreError> {
    let mut found = Vec::new();
    for subjects in subjects.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => objection::table
            .filter(objection::subject_id.eq_any(subjects))
            .order(objection::id)
            .select(ObjectionRow::as_select())
            .load::<ObjectionRow>(connection))?);
    }
    Ok(found)
}

/// Everything that was said, in the order of entry.
///
/// # Errors
/// Where the database fails.
pub fn list_all(tx: &mut Tx) -> Result<Vec<ObjectionRow>, StoreError> {
    Ok(objection::table.order(objection::id).select(ObjectionRow::as_select()).load(&mut tx.connection)?)
}
