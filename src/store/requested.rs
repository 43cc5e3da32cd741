//! Whom a partner was asked about by a cohort request.

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::base::seal::KeyedHash;
use crate::store::schema::requested;
use crate::store::{StoreError, Tx};

/// One NHS number of one request.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = requested, treat_none_as_default_value = false)]
pub struct Requested {
    /// The request.
    pub request: String,
    /// Who is asked.
    pub partner: String,
    /// The study whose consent covers it.
    pub study: String,
    /// Keyed hash of the number.
    pub number_hash: Vec<u8>,
    /// Whose it is.
    pub person_id: String,
    /// The number, sealed.
    pub number_sealed: Vec<u8>,
    /// How it stands: see [`State`].
    pub state: String,
    /// The message by which its last change goes.
    pub message_id: Option<String>,
    /// Since when it stands so.
    pub changed_at: String,
}

/// How a number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// To be asked about.
    ToAdd,
    /// In a message that may be out.
    Adding,
    /// Asked about.
    Listed,
    /// To be taken back.
    ToRemove,
    /// In a message that takes it back, and may be out.
    Removing,
    /// Taken back.
    Removed,
}

impl State {
    /// The word stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToAdd => "to-add",
            Self::Adding => "adding",
            Self::Listed => "listed",
            Self::ToRemove => "to-remove",
            Self::Removing => "removing",
            Self::Removed => "removed",
        }
    }
}

/// Those whose records are wanted: consent covers them, and they are asked about or about to be.
const WANTED: [&str; 3] = [State::ToAdd.as_str(), State::Adding.as_str(), State::Listed.as_str()];

/// The rows of some people.
///
/// # Errors
/// Where the database fails.
pub fn list_of_people(tx: &mut Tx, people: &[String]) -> Result<Vec<Requested>, StoreError> {
    let mut found = Vec::new();
    for people in people.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => requested::table
            .filter(requested::person_id.eq_any(people))
            .select(Requested::as_select())
            .load::<Requested>(connection))?);
    }
    Ok(found)
}

/// The rows of a request, in a fixed order that says nothing of anybody.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx, request: &str) -> Result<Vec<Requested>, StoreError> {
    Ok(requested::table
        .filter(requested::request.eq(request))
        .order(requested::number_hash)
        .select(Requested::as_select())
        .load(&mut tx.connection)?)
}

/// How many stand how, by request.
///
/// # Errors
/// Where the database fails.
pub fn count(tx: &mut Tx) -> Result<Vec<(String, String, i64)>, StoreError> {
    Ok(requested::table
        .group_by((requested::request, requested::state))
        .select((requested::request, requested::state, diesel::dsl::count_star()))
        .order((requested::request, requested::state))
        .load(&mut tx.connection)?)
}

/// Those of these numbers whose records are wanted of a partner.
///
/// # Errors
/// Where the database fails.
pub fn find_wanted(tx: &mut Tx, partner: &str, numbers: &[KeyedHash]) -> Result<Vec<KeyedHash>, StoreError> {
    let mut found = Vec::new();
    for numbers in numbers.chunks(ROWS_A_STATEMENT_MAX) {
        let numbers: Vec<&[u8]> = numbers.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        let rows = on_both!(tx, connection => requested::table
            .filter(requested::partner.eq(partner).and(requested::state.eq_any(WANTED)))
            .filter(requested::number_hash.eq_any(numbers))
            .select(requested::number_hash)
            .load::<Vec<u8>>(connection))?;
        found.extend(rows.iter().filter_map(|hash| KeyedHash::from_slice(hash)));
    }
    Ok(found)
}

/// Writes rows: new ones are added, those that are there moved on.
///
/// # Errors
/// Where the database fails.
pub fn put(tx: &mut Tx, rows: &[Requested]) -> Result<(), StoreError> {
    for row in rows {
        on_both!(tx, connection => diesel::insert_into(requested::table)
            .values(row)
            .on_conflict((requested::request, requested::number_hash))
            .do_update()
            .set((
                requested::person_id.eq(&row.person_id),
                requested::number_sealed.eq(&row.number_sealed),
                requested::state.eq(&row.state),
                requested::message_id.eq(&row.message_id),
                requested::changed_at.eq(&row.changed_at),
            ))
            .execute(connection))?;
    }
    Ok(())
}

/// Makes the rows of a person those of the one they are now.
///
/// # Errors
/// Where the database fails.
pub fn set_person(tx: &mut Tx, old: &str, stands: &str) -> Result<(), StoreError> {
    diesel::update(requested::table.filter(requested::person_id.eq(old)))
        .set(requested::person_id.eq(stands))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// Moves the numbers of a message on that still stand as they did when it was made.
///
/// # Errors
/// Where the database fails.
pub fn settle(
    tx: &mut Tx,
    request: &str,
    message_id: &str,
    (from, to): (State, State),
    at: &str,
) -> Result<usize, StoreError> {
    let these = requested::table
        .filter(requested::request.eq(request).and(requested::message_id.eq(message_id)))
        .filter(requested::state.eq(from.as_str()));
    Ok(diesel::update(these)
        .set((requested::state.eq(to.as_str()), requested::changed_at.eq(at)))
        .execute(&mut tx.connection)?)
}
