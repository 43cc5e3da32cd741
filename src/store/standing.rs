//! What stands on the far side, as far as this side has sent it.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::upsert::excluded;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::schema::standing;
use crate::store::{StoreError, Tx};

/// A record or setting that stands on the far side.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = standing, treat_none_as_default_value = false)]
pub struct StandingRow {
    /// The study.
    pub study: String,
    /// The record, the setting, or the person whose merged record it is.
    pub record_id: String,
    /// Whose it is; none for a setting.
    pub person_id: Option<String>,
    /// Its kind.
    pub kind: String,
    /// The version.
    pub number: i64,
    /// What it was laid on.
    pub basis: String,
    /// The message that told it.
    pub message_id: String,
    /// That message's place.
    pub sequence: i64,
}

/// What stands of these people, in order of record.
///
/// # Errors
/// Where the database fails.
pub fn list_of_people(
    tx: &mut Tx,
    study: &str,
    person_ids: &[String],
) -> Result<Vec<StandingRow>, StoreError> {
    let mut found = Vec::new();
    for ids in person_ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => standing::table
            .filter(standing::study.eq(study).and(standing::person_id.eq_any(ids)))
            .order(standing::record_id)
            .select(StandingRow::as_select())
            .load::<StandingRow>(connection))?);
    }
    Ok(found)
}

/// The settings that stand.
///
/// # Errors
/// Where the database fails.
pub fn list_settings(tx: &mut Tx, study: &str) -> Result<Vec<StandingRow>, StoreError> {
    Ok(standing::table
        .filter(standing::study.eq(study).and(standing::kind.eq("setting")))
        .select(StandingRow::as_select())
        .load(&mut tx.connection)?)
}

/// Writes down what was sent. An older message never stands over a newer one of the same person.
///
/// # Errors
/// Where the database fails.
pub fn put(tx: &mut Tx, row: &StandingRow) -> Result<(), StoreError> {
    let before: Option<StandingRow> = standing::table
        .find((&row.study, &row.record_id))
        .select(StandingRow::as_select())
        .first(&mut tx.connection)
        .optional()?;
    if before.is_some_and(|before| before.person_id == row.person_id && before.sequence > row.sequence) {
        return Ok(());
    }
    on_both!(tx, connection => diesel::insert_into(standing::table)
        .values(row)
        .on_conflict((standing::study, standing::record_id))
        .do_update()
        .set((
            standing::person_id.eq(excluded(standing::person_id)),
            standing::kind.eq(excluded(standing::kind)),
            standing::number.eq(excluded(standing::number)),
            standing::basis.eq(excluded(standing::basis)),
            standing::message_id.eq(excluded(standing::message_id)),
            standing::sequence.eq(excluded(standing::sequence)),
        ))
        .execute(connection))?;
    Ok(())
}

/// Strikes out a record that no longer stands under a person.
///
/// # Errors
/// Where the database fails.
pub fn delete(
    tx: &mut Tx,
    study: &str,
    record_id: &str,
    person_id: &str,
    before: i64,
) -> Result<(), StoreError> {
    let row = standing::table
        .filter(standing::study.eq(study).and(standing::record_id.eq(record_id)))
        .filter(standing::person_id.eq(person_id).and(standing::sequence.lt(before)));
    diesel::delete(row).execute(&mut tx.connection)?;
    Ok(())
}

/// Strikes out all that stands of a person.
///
/// # Errors
/// Where the database fails.
pub fn delete_person(tx: &mut Tx, study: &str, person_id: &str) -> Result<(), StoreError> {
    let rows = standing::table.filter(standing::study.eq(study).and(standing::person_id.eq(person_id)));
    diesel::delete(rows).execute(&mut tx.connection)?;
    Ok(())
}

/// Puts all that stands of a person under another.
///
/// # Errors
/// Where the database fails.
pub fn move_person(tx: &mut Tx, from: &str, to: &str) -> Result<(), StoreError> {
    diesel::update(standing::table.filter(standing::person_id.eq(from)))
        .set(standing::person_id.eq(Some(to)))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// The studies in which something of a person stands.
///
/// # Errors
/// Where the database fails.
pub fn list_studies(tx: &mut Tx, person_id: &str) -> Result<Vec<String>, StoreError> {
    Ok(standing::table
        .filter(standing::person_id.eq(person_id))
        .select(standing::study)
        .distinct()
        .order(standing::study)
        .load(&mut tx.connection)?)
}

/// What must stand: people, and records by kind.
///
/// # Errors
/// Where the database fails.
pub fn totals(tx: &mut Tx, study: &str) -> Result<BTreeMap<String, i64>, StoreError> {
    let rows: Vec<(String, i64)> = standing::table
        .filter(standing::study.eq(study))
        .group_by(standing::kind)
        .select((standing::kind, diesel::dsl::count_star()))
        .load(&mut tx.connection)?;
    let mut totals: BTreeMap<String, i64> = rows.into_iter().collect();
    let people: Vec<Option<String>> = standing::table
        .filter(standing::study.eq(study).and(standing::person_id.is_not_null()))
        .select(standing::person_id)
        .distinct()
        .load(&mut tx.connection)?;
    totals.insert("people".to_owned(), i64::try_from(people.len()).unwrap_or(i64::MAX));
    Ok(totals)
}
