//! Dispatches: that a version of a record is to go to a partner, and what became of it.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::connection::AnyConnection;
use crate::store::schema::dispatch;
use crate::store::{StoreError, Tx};

/// One dispatch.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = dispatch, treat_none_as_default_value = false)]
pub struct Dispatch {
    /// Its id; ids are in order of laying.
    pub id: String,
    /// The flow.
    pub flow: String,
    /// The agreement it goes under.
    pub agreement: String,
    /// The version under which it was decided; 0 until it was.
    pub agreement_version: i64,
    /// To whom.
    pub partner: String,
    /// In which layout.
    pub mapping: String,
    /// Whom it is about.
    pub person_id: String,
    /// Of which record.
    pub record_id: String,
    /// Of what kind.
    pub record_kind: String,
    /// Which version.
    pub number: i64,
    /// 0 by the flow; one more for each time it was laid again by hand.
    pub round: i64,
    /// How it stands: see [`State`].
    pub state: String,
    /// Why it did not go, or what the last try met.
    pub reason: String,
    /// How often it was tried.
    pub tries: i64,
    /// When it is tried next.
    pub due_at: String,
    /// Until when whoever claimed it has it.
    pub lease_until: Option<String>,
    /// The id of its message.
    pub message_id: Option<String>,
    /// When it was laid.
    pub created_at: String,
    /// When it was sent, refused or given up.
    pub ended_at: Option<String>,
}

/// How a dispatch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// To be sent.
    Waiting,
    /// Taken by the partner.
    Sent,
    /// It would have said what the partner was last told.
    Unchanged,
    /// It may not go.
    Refused,
    /// The partner did not take it.
    Undelivered,
}

impl State {
    /// The word stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Undelivered => "undelivered",
        }
    }
}

/// How many of a flow and agreement stand how, and why.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Count {
    /// The flow.
    pub flow: String,
    /// The agreement.
    pub agreement: String,
    /// The partner.
    pub partner: String,
    /// How they stand.
    pub state: String,
    /// Why.
    pub reason: String,
    /// How many.
    pub count: i64,
}

/// Lays dispatches; one that was laid already stays as it is. How many are new.
///
/// # Errors
/// Where the database fails.
pub fn lay(tx: &mut Tx, rows: &[Dispatch]) -> Result<u64, StoreError> {
    let mut laid = 0;
    for row in rows {
        let is_new = on_both!(tx, connection => diesel::insert_into(dispatch::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(connection))?;
        laid += u64::try_from(is_new).unwrap_or_default();
        if is_new > 0 {
            supersede(tx, row)?;
        }
    }
    Ok(laid)
}

/// Ends what waits of an earlier version of the same record, unless somebody is just sending it: so
/// that news is not held up by what was to be tried again tomorrow.
fn supersede(tx: &mut Tx, row: &Dispatch) -> Result<(), StoreError> {
    let earlier = dispatch::table
        .filter(dispatch::record_id.eq(&row.record_id).and(dispatch::flow.eq(&row.flow)))
        .filter(dispatch::agreement.eq(&row.agreement).and(dispatch::number.lt(row.number)))
        .filter(dispatch::state.eq(State::Waiting.as_str()))
        .filter(dispatch::lease_until.is_null().or(dispatch::lease_until.le(&row.created_at)));
    on_both!(tx, connection => diesel::update(earlier)
        .set((
            dispatch::state.eq(State::Refused.as_str()),
            dispatch::reason.eq(SUPERSEDED),
            dispatch::ended_at.eq(Some(&row.created_at)),
        ))
        .execute(connection))?;
    Ok(())
}

/// The reason of what a later version has taken the place of.
const SUPERSEDED: &str = "superseded";

/// Those of some records.
///
/// # Errors
/// Where the database fails.
pub fn list_of_records(tx: &mut Tx, records: &[String]) -> Result<Vec<Dispatch>, StoreError> {
    let mut found = Vec::new();
    for records in records.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => dispatch::table
            .filter(dispatch::record_id.eq_any(records))
            .order(dispatch::id)
            .select(Dispatch::as_select())
            .load::<Dispatch>(connection))?);
    }
    Ok(found)
}

/// The dispatch of that id.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, id: &str) -> Result<Option<Dispatch>, StoreError> {
    Ok(dispatch::table.find(id).select(Dispatch::as_select()).first(&mut tx.connection).optional()?)
}

/// Takes back that a dispatch was sent, because its message did not go after all: it was not allowed,
/// or it is made anew.
///
/// # Errors
/// Where the database fails.
pub fn take_back(
    tx: &mut Tx,
    id: &str,
    (state, reason): (State, &str),
    (due_at, ended_at): (&str, Option<&str>),
) -> Result<(), StoreError> {
    diesel::update(dispatch::table.find(id))
        .set((
            dispatch::state.eq(state.as_str()),
            dispatch::reason.eq(reason),
            dispatch::due_at.eq(due_at),
            dispatch::ended_at.eq(ended_at),
            dispatch::lease_until.eq(None::<String>),
        ))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// Claims those that are due for a partner: of each person the first that waits, so that a partner
/// hears of one person in order. What another has claimed is left to it.
///
/// # Errors
/// Where the database fails.
pub fn claim(
    tx: &mut Tx,
    partner: &str,
    (now, until): (&str, &str),
    n_max: i64,
) -> Result<Vec<Dispatch>, StoreError> {
    let earlier = diesel::alias!(dispatch as earlier);
    let before = earlier
        .filter(earlier.field(dispatch::partner).eq(dispatch::partner))
        .filter(earlier.field(dispatch::person_id).eq(dispatch::person_id))
        .filter(earlier.field(dispatch::state).eq(State::Waiting.as_str()))
        .filter(earlier.field(dispatch::id).lt(dispatch::id));
    let due = dispatch::table
        .filter(dispatch::partner.eq(partner).and(dispatch::state.eq(State::Waiting.as_str())))
        .filter(dispatch::due_at.le(now))
        .filter(dispatch::lease_until.is_null().or(dispatch::lease_until.le(now)))
        .filter(diesel::dsl::not(diesel::dsl::exists(before)))
        .order(dispatch::id)
        .limit(n_max);
    let mut claimed: Vec<Dispatch> = match &mut tx.connection {
        AnyConnection::Sqlite(connection) => due.select(Dispatch::as_select()).load(connection)?,
        AnyConnection::Postgres(connection) => due.select(Dispatch::as_select()).load(connection)?,
    };
    let ids: Vec<&str> = claimed.iter().map(|one| one.id.as_str()).collect();
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        diesel::update(dispatch::table.filter(dispatch::id.eq_any(ids)))
            .set(dispatch::lease_until.eq(Some(until)))
            .execute(&mut tx.connection)?;
    }
    for one in &mut claimed {
        one.lease_until = Some(until.to_owned());
    }
    Ok(claimed)
}

/// Writes down how a dispatch stands. Does nothing to one that has ended meanwhile; says whether it
/// did.
///
/// # Errors
/// Where the database fails.
pub fn save(tx: &mut Tx, row: &Dispatch) -> Result<bool, StoreError> {
    let this = dispatch::table.filter(dispatch::id.eq(&row.id).and(dispatch::ended_at.is_null()));
    let changed = diesel::update(this)
        .set((
            dispatch::agreement_version.eq(row.agreement_version),
            dispatch::state.eq(&row.state),
            dispatch::reason.eq(&row.reason),
            dispatch::tries.eq(row.tries),
            dispatch::due_at.eq(&row.due_at),
            dispatch::lease_until.eq(&row.lease_until),
            dispatch::message_id.eq(&row.message_id),
            dispatch::ended_at.eq(&row.ended_at),
        ))
        .execute(&mut tx.connection)?;
    Ok(changed > 0)
}

/// When the next of any partner but those named is due; none where none waits.
///
/// # Errors
/// Where the database fails.
pub fn next_due(tx: &mut Tx, but: &BTreeSet<String>) -> Result<Option<String>, StoreError> {
    let waiting = dispatch::table
        .filter(dispatch::state.eq(State::Waiting.as_str()).and(dispatch::partner.ne_all(but)))
        .select(diesel::dsl::min(dispatch::due_at));
    Ok(on_both!(tx, connection => waiting.first::<Option<String>>(connection))?)
}

/// How many stand how, and why.
///
/// # Errors
/// Where the database fails.
pub fn count(tx: &mut Tx) -> Result<Vec<Count>, StoreError> {
    let by = (dispatch::flow, dispatch::agreement, dispatch::partner, dispatch::state, dispatch::reason);
    Ok(dispatch::table
        .group_by(by)
        .order((dispatch::flow, dispatch::agreement, dispatch::state, dispatch::reason))
        .select((
            dispatch::flow,
            dispatch::agreement,
            dispatch::partner,
            dispatch::state,
            dispatch::reason,
            diesel::dsl::count_star(),
        ))
        .load(&mut tx.connection)?)
}

/// How many were given up since an instant, by partner.
///
/// # Errors
/// Where the database fails.
pub fn count_undelivered(tx: &mut Tx, since: &str) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(dispatch::table
        .filter(dispatch::state.eq(State::Undelivered.as_str()).and(dispatch::ended_at.ge(since)))
        .group_by(dispatch::partner)
        .select((dispatch::partner, diesel::dsl::count_star()))
        .load(&mut tx.connection)?)
}

/// Lets go of what is claimed for a partner, as it is once the lease of a sender that was killed has
/// run out.
///
/// # Errors
/// Where the database fails.
pub fn let_go(tx: &mut Tx, partner: &str) -> Result<(), StoreError> {
    diesel::update(dispatch::table.filter(dispatch::partner.eq(partner)))
        .set(dispatch::lease_until.eq(None::<String>))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// Moves what waits of a person to the one they are now.
///
/// # Errors
/// Where the database fails.
pub fn set_person(tx: &mut Tx, old: &str, stands: &str) -> Result<(), StoreError> {
    diesel::update(dispatch::table.filter(dispatch::person_id.eq(old)))
        .set(dispatch::person_id.eq(stands))
        .execute(&mut tx.connection)?;
    Ok(())
}
