//! Messages that go out by MESH and MLLP: queued, sealed until they have arrived, and what became
//! of them.
//!
//! Whoever decides that a message may go (an agreement, a person at the command line) puts it here,
//! in the transaction of that decision. From then on it is this room's: it is sent at least once,
//! under an id by which the receiver can tell it from another. What goes under an agreement is held
//! against it once more right before it goes ([`last_look`](crate::gateway::exchange::last_look)).

use std::collections::BTreeSet;

use serde::Serialize;

use crate::base::edge::Instant;
use crate::base::id::SentId;
use crate::base::limit::{SENT_PAUSE_S, SENT_PAUSE_S_MAX, SENT_TRIES_MAX};
use crate::base::private::Private;
use crate::base::seal::{DataKey, Hasher, Sealed};
use crate::gateway::{Gateway, GatewayError};
pub use crate::store::sent::Transport;
use crate::store::sent::{self, Change, Sent, State};
use crate::store::{StoreError, Tx, audit};

/// A message to be sent, but for its content.
#[derive(Debug, Clone, Copy)]
pub struct ToSend<'a> {
    /// How it goes.
    pub transport: Transport,
    /// A mailbox, or the name of an MLLP receiver in the configuration.
    pub recipient: &'a str,
    /// Over MESH: what it is for.
    pub workflow: &'a str,
    /// Over MESH: its subject; nothing that names anybody.
    pub subject: &'a str,
    /// Over MESH: its file name; nothing that names anybody.
    pub file_name: &'a str,
    /// What it is kept in order with, such as a person's random id: none of them overtakes another.
    pub in_order_of: Option<&'a str>,
    /// The caller's own key: queued twice is queued once.
    pub key: &'a str,
    /// The dispatch it goes out for, so that whether it may is asked once more before it does; none of
    /// what somebody queues by hand.
    pub dispatch: Option<&'a str>,
}

/// Where messages are put that are to be sent.
pub struct Outbox {
    gateway: Gateway,
    seal: DataKey,
    keys: Hasher,
}

/// A message that was put there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Our own id of it; of no use where it was there already.
    pub id: String,
    /// False where the caller's key was there already.
    pub is_new: bool,
}

/// A message, as it is shown: nothing of what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentShown {
    /// Our own id of it.
    pub id: String,
    /// `mesh` or `mllp`.
    pub transport: String,
    /// Whom it is for.
    pub recipient: String,
    /// What it is for.
    pub workflow: String,
    /// waiting, sending, accepted, acknowledged, undelivered or withheld.
    pub state: String,
    /// The exchange's id of it.
    pub message_id: Option<String>,
    /// Why it was not delivered.
    pub code: Option<String>,
    /// How often it was tried.
    pub tries: i64,
    /// Bytes of it.
    pub size_bytes: i64,
    /// When it was queued.
    pub queued_at: String,
    /// When it came to where it is.
    pub changed_at: String,
}

impl Outbox {
    /// Where messages are put.
    ///
    /// # Errors
    /// Where the store fails, or a key does not open what it sealed.
    pub fn open(gateway: &Gateway) -> Result<Self, GatewayError> {
        let keys = gateway.keys.index.hasher("sent");
        Ok(Self { seal: gateway.own_key()?, keys, gateway: gateway.clone() })
    }

    /// Queues a message, in the caller's transaction.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn put(
        &self,
        tx: &mut Tx,
        what: &ToSend<'_>,
        content: &Private<Vec<u8>>,
    ) -> Result<Queued, StoreError> {
        let edge = &self.gateway.edge;
        let (id, now) = (SentId::mint(edge).to_string(), edge.now());
        let row = Sent {
            transport: what.transport.as_str().to_owned(),
            recipient: what.recipient.to_owned(),
            workflow: what.workflow.to_owned(),
            subject: what.subject.to_owned(),
            file_name: what.file_name.to_owned(),
            in_order_of: what.in_order_of.map(str::to_owned),
            key_hash: self.keys.hash([what.key.as_bytes()]).as_bytes().to_vec(),
            size_bytes: i64::try_from(content.inspect().len()).unwrap_or(i64::MAX),
            sealed: Some(self.seal.seal(edge, &label(&id), content).as_bytes().to_vec()),
            state: State::Waiting.as_str().to_owned(),
            message_id: None,
            code: None,
            tries: 0,
            next_try_at: now.to_string(),
            queued_at: now.to_string(),
            changed_at: now.to_string(),
            dispatch_id: what.dispatch.map(str::to_owned),
            id: id.clone(),
        };
        let is_new = sent::put(tx, &row)?;
        if is_new {
            let purpose = format!("{} to {}", row.transport, row.recipient);
            audit::append_act(tx, &self.gateway.actor, "queue", &purpose, &id, 1, now)?;
        }
        Ok(Queued { id, is_new })
    }

    /// What a message says, to be sent now.
    pub(super) fn content(&self, row: &Sent) -> Result<Private<Vec<u8>>, GatewayError> {
        let sealed = row.sealed.clone().ok_or(StoreError::Unreadable { what: "message to be sent" })?;
        Ok(self.seal.unseal(&label(&row.id), &Sealed::from_bytes(sealed))?)
    }

    /// Keeps a message back, in the transaction in which it became known that it may not go.
    pub(super) fn withhold(&self, tx: &mut Tx, row: &Sent, reason: &str) -> Result<(), StoreError> {
        let now = self.gateway.edge.now();
        let key = self.keys.hash([row.id.as_bytes(), b"withheld"]);
        sent::withhold(tx, &row.id, (reason, key.as_bytes()), &now.to_string())?;
        let purpose = format!("{} to {}: {reason}", row.transport, row.recipient);
        audit::append_act(tx, &self.gateway.actor, "withheld", &purpose, &row.id, 1, now)?;
        Ok(())
    }

    /// Says where a message is now.
    pub(super) fn change(&self, row: &Sent, how: &How<'_>) -> Result<(), GatewayError> {
        let now = self.gateway.edge.now();
        let change = how.change(row, now);
        self.gateway.store.write(|tx| {
            sent::change(tx, &row.id, &change)?;
            if change.state != row.state && change.state != State::Sending.as_str() {
                let purpose = format!("{} to {}", row.transport, row.recipient);
                audit::append_act(tx, &self.gateway.actor, &change.state, &purpose, &row.id, 1, now)?;
            }
            Ok(())
        })
    }
}

/// What happened to a message.
pub(super) enum How<'a> {
    /// It is being sent: from here on it may have arrived.
    Sending,
    /// It did not arrive, or may not have: with why, as a code. It is tried again after a pause, and
    /// given up after many.
    NotYet(&'a str),
    /// The exchange has it under this id; it is asked about after so many seconds.
    Accepted(&'a str, i64),
    /// It is with whom it is for.
    Acknowledged,
    /// It was not delivered, and why.
    Undelivered(&'a str),
}

impl How<'_> {
    fn change(&self, row: &Sent, now: Instant) -> Change {
        let tries = row.tries + 1;
        let mut change = Change {
            state: row.state.clone(),
            message_id: None,
            code: None,
            tries: row.tries,
            next_try_at: row.next_try_at.clone(),
            changed_at: now.to_string(),
        };
        let mut to = |state: State| state.as_str().clone_into(&mut change.state);
        match self {
            Self::Sending => {
                to(State::Sending);
                change.tries = tries;
            }
            Self::NotYet(code) if row.tries >= SENT_TRIES_MAX => {
                to(State::Undelivered);
                change.code = Some(format!("given-up-{code}"));
            }
            Self::NotYet(code) => {
                change.code = Some((*code).to_owned());
                // Doubles from one try to the next.
                let doubled = SENT_PAUSE_S.saturating_mul(1_i64 << row.tries.clamp(0, 20));
                change.next_try_at = now.plus_s(doubled.min(SENT_PAUSE_S_MAX)).to_string();
            }
            Self::Accepted(id, after_s) => {
                to(State::Accepted);
                change.message_id = (!id.is_empty()).then(|| (*id).to_owned());
                change.next_try_at = now.plus_s(*after_s).to_string();
            }
            Self::Acknowledged => to(State::Acknowledged),
            Self::Undelivered(code) => {
                to(State::Undelivered);
                change.code = Some((*code).to_owned());
            }
        }
        change
    }
}

/// Which of the waiting messages may be sent now, in order: whoever waits for another that is not
/// done yet is not among them.
pub(super) struct Turn {
    now: String,
    held: BTreeSet<String>,
}

impl Turn {
    pub(super) fn at(now: Instant) -> Self {
        Self { now: now.to_string(), held: BTreeSet::new() }
    }

    /// Whether it is this message's turn.
    pub(super) fn has(&mut self, row: &Sent) -> bool {
        let is_held = row.in_order_of.as_ref().is_some_and(|order| self.held.contains(order));
        let is_due = row.next_try_at <= self.now;
        if !is_due {
            self.hold(row);
        }
        is_due && !is_held
    }

    /// That a message is not done, so that those after it wait.
    pub(super) fn hold(&mut self, row: &Sent) {
        self.held.extend(row.in_order_of.clone());
    }
}

/// How many messages were not delivered since an instant, by transport.
///
/// # Errors
/// Where the store fails.
pub fn count_undelivered(gateway: &Gateway, since: Instant) -> Result<Vec<(String, i64)>, GatewayError> {
    Ok(gateway.store.read(|tx| sent::count_undelivered(tx, &since.to_string()))?)
}

/// The last messages, newest first.
///
/// # Errors
/// Where the store fails.
pub fn list_last(gateway: &Gateway, n_max: i64) -> Result<Vec<SentShown>, GatewayError> {
    let rows = gateway.store.read(|tx| sent::list_last(tx, n_max))?;
    let shown = |row: Sent| SentShown {
        id: row.id,
        transport: row.transport,
        recipient: row.recipient,
        workflow: row.workflow,
        state: row.state,
        message_id: row.message_id,
        code: row.code,
        tries: row.tries,
        size_bytes: row.size_bytes,
        queued_at: row.queued_at,
        changed_at: row.changed_at,
    };
    Ok(rows.into_iter().map(shown).collect())
}

/// What a message is sealed under.
fn label(id: &str) -> String {
    format!("sent/{id}")
}
