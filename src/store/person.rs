//! People: sets of subjects, and what happened to them.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::schema::{person, person_event};
use crate::store::{StoreError, Tx};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = person, treat_none_as_default_value = false)]
pub struct PersonRow {
    /// The id.
    pub id: String,
    /// When it was formed.
    pub created_at: String,
    /// The person it ended in.
    pub superseded_by: Option<String>,
}

/// Something that happened to a person.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = person_event, treat_none_as_default_value = false)]
pub struct PersonEvent {
    /// The person.
    pub person_id: String,
    /// Its ordinal among all that happened to the person, from 1.
    pub number: i64,
    /// formed, joined, left, merged, split.
    pub kind: String,
    /// The other, of a merge or split.
    pub other_person_id: Option<String>,
    /// The subject that joined or left; the first of a person that was formed.
    pub subject_id: Option<String>,
    /// What the link rests on; empty where there is none.
    pub tier: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
}

/// Writes down new people.
///
/// # Errors
/// Where one is there already, or the database fails.
pub fn create(tx: &mut Tx, rows: &[PersonRow]) -> Result<(), StoreError> {
    insert_all!(tx, person::table, rows);
    Ok(())
}

/// The people of these ids, in order.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, ids: &[String]) -> Result<Vec<PersonRow>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => person::table
            .filter(person::id.eq_any(ids))
            .order(person::id)
            .select(PersonRow::as_select())
            .load::<PersonRow>(connection))?);
    }
    Ok(found)
}

/// Ends a person in another.
///
/// # Errors
/// Where the database fails.
pub fn set_superseded(tx: &mut Tx, id: &str, by: &str) -> Result<(), StoreError> {
    diesel::update(person::table.find(id)).set(person::superseded_by.eq(by)).execute(&mut tx.connection)?;
    Ok(())
}

/// Writes down what happened, in order. The numbers are given here.
///
/// # Errors
/// Where the database fails.
pub fn append_events(tx: &mut Tx, mut events: Vec<PersonEvent>) -> Result<(), StoreError> {
    // Of somebody who is formed here nothing has happened yet.
    let formed: BTreeSet<&String> =
        events.iter().filter(|event| event.kind == "formed").map(|event| &event.person_id).collect();
    let known: BTreeSet<&String> =
        events.iter().map(|event| &event.person_id).filter(|id| !formed.contains(id)).collect();
    let known: Vec<&String> = known.into_iter().collect();
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for ids in known.chunks(ROWS_A_STATEMENT_MAX) {
        let query = person_event::table
            .filter(person_event::person_id.eq_any(ids.iter().copied()))
            .group_by(person_event::person_id)
            .select((person_event::person_id, diesel::dsl::count_star()));
        counts.extend(on_both!(tx, connection => query.load::<(String, i64)>(connection))?);
    }
    for event in &mut events {
        let count = counts.entry(event.person_id.clone()).or_default();
        *count += 1;
        event.number = *count;
    }
    insert_all!(tx, person_event::table, &events);
    Ok(())
}

/// What happened to a person, in order.
///
/// # Errors
/// Where the database fails.
pub fn list_events(tx: &mut Tx, person_id: &str) -> Result<Vec<PersonEvent>, StoreError> {
    Ok(person_event::table
        .filter(person_event::person_id.eq(person_id))
        .order(person_event::number)
        .select(PersonEvent::as_select())
        .load(&mut tx.connection)?)
}

/// How many people there are now.
///
/// # Errors
/// Where the database fails.
pub fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(person::table.filter(person::superseded_by.is_null()).count().get_result(&mut tx.connection)?)
}

/// People that stand, after an id, in order.
///
/// # Errors
/// Where the database fails.
pub fn list_after(tx: &mut Tx, after: &str, n_max: i64) -> Result<Vec<String>, StoreError> {
    Ok(person::table
        .filter(person::superseded_by.is_null().and(person::id.gt(after)))
        .order(person::id)
        .limit(n_max)
        .select(person::id)
        .load(&mut tx.connection)?)
}
