//! What goes out by MESH and MLLP, and what became of it; and what lies in the mailbox that nobody
//! takes.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::base::limit::{SENT_CLAIMED_MAX, SENT_LISTED_MAX};
use crate::store::schema::{mailbox_doubt, sent};
use crate::store::{StoreError, Tx};

/// How a message goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// To a mailbox.
    Mesh,
    /// To an HL7 v2 receiver.
    Mllp,
}

impl Transport {
    /// The word stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mesh => "mesh",
            Self::Mllp => "mllp",
        }
    }
}

/// Where a message is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is to be sent.
    Waiting,
    /// It was sent, and its answer is not known.
    Sending,
    /// The exchange has it.
    Accepted,
    /// Whom it is for has taken it.
    Acknowledged,
    /// It was not delivered, and is not sent again by itself.
    Undelivered,
    /// It may no longer go, and did not.
    Withheld,
}

impl State {
    /// The word stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Acknowledged => "acknowledged",
            Self::Undelivered => "undelivered",
            Self::Withheld => "withheld",
        }
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = sent, treat_none_as_default_value = false)]
pub struct Sent {
    /// Our own id of it.
    pub id: String,
    /// How it goes; see [`Transport`].
    pub transport: String,
    /// Whom it is for.
    pub recipient: String,
    /// What it is for.
    pub workflow: String,
    /// Its subject.
    pub subject: String,
    /// Its file name.
    pub file_name: String,
    /// What it is kept in order with.
    pub in_order_of: Option<String>,
    /// Keyed hash of the caller's own key.
    pub key_hash: Vec<u8>,
    /// Bytes of it.
    pub size_bytes: i64,
    /// It, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Where it is; see [`State`].
    pub state: String,
    /// The exchange's id of it.
    pub message_id: Option<String>,
    /// Why it was not delivered.
    pub code: Option<String>,
    /// How often it was tried.
    pub tries: i64,
    /// When it is tried or asked about next.
    pub next_try_at: String,
    /// When it was queued.
    pub queued_at: String,
    /// When it came to where it is.
    pub changed_at: String,
    /// The dispatch it goes out for; none of a message that somebody queued by hand.
    pub dispatch_id: Option<String>,
}

/// What changes of a message.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = sent)]
pub struct Change {
    /// Where it is now.
    pub state: String,
    /// The exchange's id of it; as it was where none.
    pub message_id: Option<String>,
    /// Why it was not delivered; as it was where none.
    pub code: Option<String>,
    /// How often it was tried.
    pub tries: i64,
    /// When it is tried or asked about next.
    pub next_try_at: String,
    /// When that came to be.
    pub changed_at: String,
}

/// A message of the mailbox that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = mailbox_doubt)]
pub struct Doubt {
    /// The exchange's id of it.
    pub message_id: String,
    /// `unrouted`, `too-large` or `report`.
    pub reason: String,
    /// What it is for.
    pub workflow: String,
    /// Who sent it.
    pub sender: String,
    /// Of a report: why something was not delivered.
    pub code: String,
    /// When it was seen first.
    pub first_seen_at: String,
    /// When it was seen last.
    pub last_seen_at: String,
}

/// Writes a message down; false where the caller's key was there already.
///
/// # Errors
/// Where the database fails.
pub fn put(tx: &mut Tx, row: &Sent) -> Result<bool, StoreError> {
    let put = on_both!(tx, connection => diesel::insert_into(sent::table)
        .values(row)
        .on_conflict(sent::key_hash)
        .do_nothing()
        .execute(connection))?;
    Ok(put == 1)
}

/// The message of that id.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, id: &str) -> Result<Option<Sent>, StoreError> {
    Ok(sent::table.find(id).select(Sent::as_select()).first(&mut tx.connection).optional()?)
}

/// The messages that are to be sent, oldest first; those whose turn has not come are among them,
/// since others may have to wait for them.
///
/// # Errors
/// Where the database fails.
pub fn list_waiting(
    tx: &mut Tx,
    transport: Transport,
    recipient: Option<&str>,
) -> Result<Vec<Sent>, StoreError> {
    let mut waiting = sent::table
        .filter(sent::transport.eq(transport.as_str()))
        .filter(sent::state.eq_any([State::Waiting.as_str(), State::Sending.as_str()]))
        .order(sent::id)
        .limit(SENT_CLAIMED_MAX)
        .into_boxed();
    if let Some(recipient) = recipient {
        waiting = waiting.filter(sent::recipient.eq(recipient.to_owned()));
    }
    Ok(waiting.select(Sent::as_select()).load(&mut tx.connection)?)
}

/// Messages that the exchange has, and that are to be asked about by now.
///
/// # Errors
/// Where the database fails.
pub fn list_to_track(tx: &mut Tx, now: &str) -> Result<Vec<Sent>, StoreError> {
    Ok(sent::table
        .filter(sent::state.eq(State::Accepted.as_str()).and(sent::message_id.is_not_null()))
        .filter(sent::next_try_at.le(now.to_owned()))
        .order(sent::next_try_at)
        .limit(SENT_CLAIMED_MAX)
        .select(Sent::as_select())
        .load(&mut tx.connection)?)
}

/// The message that the exchange calls so, or that we do.
///
/// # Errors
/// Where the database fails.
pub fn find_reported(tx: &mut Tx, linked: &str, local_id: &str) -> Result<Option<Sent>, StoreError> {
    if !linked.is_empty() {
        let found = sent::table.filter(sent::message_id.eq(linked.to_owned())).select(Sent::as_select());
        if let Some(found) = found.first(&mut tx.connection).optional()? {
            return Ok(Some(found));
        }
    }
    find(tx, local_id)
}

/// Changes a message.
///
/// # Errors
/// Where the database fails.
pub fn change(tx: &mut Tx, id: &str, change: &Change) -> Result<(), StoreError> {
    diesel::update(sent::table.find(id)).set(change).execute(&mut tx.connection)?;
    // What has arrived need not be kept here as well.
    if change.state == State::Acknowledged.as_str() {
        diesel::update(sent::table.find(id))
            .set(sent::sealed.eq(None::<Vec<u8>>))
            .execute(&mut tx.connection)?;
    }
    Ok(())
}

/// Keeps a message back for good: what it says is forgotten, and its caller's key is free for another.
///
/// # Errors
/// Where the database fails.
pub fn withhold(tx: &mut Tx, id: &str, (code, key_hash): (&str, &[u8]), at: &str) -> Result<(), StoreError> {
    diesel::update(sent::table.find(id))
        .set((
            sent::state.eq(State::Withheld.as_str()),
            sent::code.eq(Some(code)),
            sent::sealed.eq(None::<Vec<u8>>),
            sent::key_hash.eq(key_hash),
            sent::changed_at.eq(at),
        ))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// The last messages, newest first.
///
/// # Errors
/// Where the database fails.
pub fn list_last(tx: &mut Tx, n_max: i64) -> Result<Vec<Sent>, StoreError> {
    let n_max = n_max.min(SENT_LISTED_MAX);
    Ok(sent::table.order(sent::id.desc()).limit(n_max).select(Sent::as_select()).load(&mut tx.connection)?)
}

/// How many messages are where, by transport and state.
///
/// # Errors
/// Where the database fails.
pub fn count(tx: &mut Tx) -> Result<BTreeMap<(String, String), i64>, StoreError> {
    let rows: Vec<(String, String, i64)> = sent::table
        .group_by((sent::transport, sent::state))
        .select((sent::transport, sent::state, diesel::dsl::count_star()))
        .load(&mut tx.connection)?;
    Ok(rows.into_iter().map(|(transport, state, count)| ((transport, state), count)).collect())
}

/// How many messages were not delivered since an instant, by transport.
///
/// # Errors
/// Where the database fails.
pub fn count_undelivered(tx: &mut Tx, since: &str) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(sent::table
        .filter(sent::state.eq(State::Undelivered.as_str()).and(sent::changed_at.ge(since)))
        .group_by(sent::transport)
        .select((sent::transport, diesel::dsl::count_star()))
        .load(&mut tx.connection)?)
}

/// Notes a message that somebody has to look at; true where it was not known.
///
/// # Errors
/// Where the database fails.
pub fn doubt(tx: &mut Tx, row: &Doubt) -> Result<bool, StoreError> {
    let known = diesel::update(mailbox_doubt::table.find(&row.message_id))
        .set(mailbox_doubt::last_seen_at.eq(&row.last_seen_at))
        .execute(&mut tx.connection)?;
    if known == 0 {
        diesel::insert_into(mailbox_doubt::table).values(row).execute(&mut tx.connection)?;
    }
    Ok(known == 0)
}

/// Forgets a doubt: the message was taken after all.
///
/// # Errors
/// Where the database fails.
pub fn settle(tx: &mut Tx, message_id: &str) -> Result<(), StoreError> {
    diesel::delete(mailbox_doubt::table.find(message_id)).execute(&mut tx.connection)?;
    Ok(())
}

/// The messages that somebody has to look at, newest first.
///
/// # Errors
/// Where the database fails.
pub fn list_doubts(tx: &mut Tx) -> Result<Vec<Doubt>, StoreError> {
    Ok(mailbox_doubt::table
        .order(mailbox_doubt::last_seen_at.desc())
        .limit(SENT_LISTED_MAX)
        .select(Doubt::as_select())
        .load(&mut tx.connection)?)
}
