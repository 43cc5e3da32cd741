//! People: sets of subjects, and what happened to them.

use diesel::prelude::*;

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
    /// Its id: the person's and an ordinal.
    pub id: String,
    /// formed, joined, left, merged, split.
    pub kind: String,
    /// The person.
    pub person_id: String,
    /// The other, of a merge or split.
    pub other_person_id: Option<String>,
    /// The subject that joined or left.
    pub subject_id: Option<String>,
    /// What the link rests on; empty where there is none.
    pub tier: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
}

/// Writes down a new person.
///
/// # Errors
/// Where the database fails.
pub fn create(tx: &mut Tx, id: &str, at: &str) -> Result<(), StoreError> {
    let row = PersonRow { id: id.to_owned(), created_at: at.to_owned(), superseded_by: None };
    diesel::insert_into(person::table).values(&row).execute(&mut tx.connection)?;
    Ok(())
}

/// The people of these ids, in order.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, ids: &[String]) -> Result<Vec<PersonRow>, StoreError> {
    Ok(person::table
        .filter(person::id.eq_any(ids))
        .order(person::id)
        .select(PersonRow::as_select())
        .load(&mut tx.connection)?)
}

/// Ends a person in another.
///
/// # Errors
/// Where the database fails.
pub fn set_superseded(tx: &mut Tx, id: &str, by: &str) -> Result<(), StoreError> {
    diesel::update(person::table.find(id)).set(person::superseded_by.eq(by)).execute(&mut tx.connection)?;
    Ok(())
}

/// Writes down what happened. The id is given here.
///
/// # Errors
/// Where the database fails.
pub fn append_event(tx: &mut Tx, mut event: PersonEvent) -> Result<(), StoreError> {
    let before: i64 = person_event::table
        .filter(person_event::person_id.eq(&event.person_id))
        .count()
        .get_result(&mut tx.connection)?;
    event.id = format!("{}/{}", event.person_id, before + 1);
    diesel::insert_into(person_event::table).values(&event).execute(&mut tx.connection)?;
    Ok(())
}

/// What happened to a person, in order.
///
/// # Errors
/// Where the database fails.
pub fn list_events(tx: &mut Tx, person_id: &str) -> Result<Vec<PersonEvent>, StoreError> {
    Ok(person_event::table
        .filter(person_event::person_id.eq(person_id))
        .order((person_event::at, person_event::id))
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
