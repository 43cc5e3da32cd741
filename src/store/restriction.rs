//! What officers said of people by hand: that they are restricted, or no longer.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::schema::{record, restriction, version};
use crate::store::{StoreError, Tx};

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = restriction, treat_none_as_default_value = false)]
pub struct RestrictionRow {
    /// Its id.
    pub id: String,
    /// Of whom.
    pub subject_id: String,
    /// `restricted` or `lifted`.
    pub decision: String,
    /// From which day.
    pub decided_on: String,
    /// When it was entered.
    pub entered_at: String,
}

/// Writes one down.
///
/// # Errors
/// Where the database fails.
pub fn add(tx: &mut Tx, row: &RestrictionRow) -> Result<(), StoreError> {
    diesel::insert_into(restriction::table).values(row).execute(&mut tx.connection)?;
    Ok(())
}

/// The subjects of whom their source says now that they are restricted, or of whom an officer has said
/// anything.
///
/// # Errors
/// Where the database fails.
pub fn list_flagged(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    let current = version::record_id.eq(record::id).and(version::number.eq(record::current_number));
    let said: Vec<Option<String>> = record::table
        .inner_join(version::table.on(current))
        .filter(record::kind.eq("person").and(record::subject_id.is_not_null()))
        // As the body is written, without blanks; who is meant is read from the body itself.
        .filter(version::body.like("%\"restricted\":true%"))
        .select(record::subject_id)
        .load(&mut tx.connection)?;
    let mut flagged: BTreeSet<String> = said.into_iter().flatten().collect();
    let by_hand: Vec<String> =
        restriction::table.select(restriction::subject_id).distinct().load(&mut tx.connection)?;
    flagged.extend(by_hand);
    Ok(flagged.into_iter().collect())
}

/// What was said of some subjects.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx, subjects: &[String]) -> Result<Vec<RestrictionRow>, StoreError> {
    let mut found = Vec::new();
    for subjects in subjects.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => restriction::table
            .filter(restriction::subject_id.eq_any(subjects))
            .order(restriction::id)
            .select(RestrictionRow::as_select())
            .load::<RestrictionRow>(connection))?);
    }
    Ok(found)
}
