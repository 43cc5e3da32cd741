//! Messages into the store: at least once in, once in effect.
//!
//! A batch is claimed, applied in one transaction, told to the gateway as taken, and acknowledged to
//! the broker only then. Killed at any moment, the next run is given the same messages again, and the inbox
//! lets none take effect twice. Notices are answered after the commit too, and the store knows
//! which answers are still owed.

pub mod answer;
pub mod ground;

pub(crate) mod apply;
mod inlet;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::finding::{Code, Finding, Findings};
use crate::base::limit::COLLECT_MESSAGES_MAX;
use crate::base::origin::Origin;
use crate::evaluation::collect::answer::{Answer, Signer};
use crate::evaluation::collect::apply::Applied;
use crate::evaluation::door::{self, Incoming};
use crate::evaluation::store::row::RefusedRow;
use crate::evaluation::store::{Store, StoreError, inbound};

pub use inlet::Inlet;

/// A message as the broker hands it over, until it is acknowledged.
pub struct Claimed<T> {
    /// Its id, as the broker has it.
    pub message_id: String,
    /// Its body.
    pub body: Vec<u8>,
    /// What the broker wants back.
    pub token: T,
}

/// The door as seen from this side: one study's queue in, and the queue back.
pub trait Door {
    /// What the broker wants back for a message.
    type Token;

    /// Claims up to `max` messages for a while; none where the queue is empty.
    ///
    /// # Errors
    /// Where the broker cannot be reached.
    fn claim(&mut self, max: usize) -> Result<Vec<Claimed<Self::Token>>, DoorError>;

    /// Says that messages have been dealt with.
    ///
    /// # Errors
    /// Where the broker cannot be reached.
    fn acknowledge(&mut self, tokens: Vec<Self::Token>) -> Result<(), DoorError>;

    /// Refuses a message: the broker offers it again as often as it is set to, then puts it among
    /// the dead letters.
    ///
    /// # Errors
    /// Where the broker cannot be reached.
    fn refuse(&mut self, token: Self::Token) -> Result<(), DoorError>;

    /// Says on the queue back that messages were taken, and waits until the broker has it. `body` names
    /// them; `message_id` is the same each time the same are named.
    ///
    /// # Errors
    /// Where the broker cannot be reached or does not take it.
    fn tell_taken(&mut self, message_id: &str, body: &[u8]) -> Result<(), DoorError>;

    /// Sends an answer on the queue back, and waits until the broker has it.
    ///
    /// # Errors
    /// Where the broker cannot be reached or does not take it.
    fn answer(&mut self, message_id: &str, notice: &str, body: &[u8]) -> Result<(), DoorError>;
}

/// Why the broker could not be used.
#[derive(Debug, thiserror::Error)]
#[error("the queue could not be used")]
pub struct DoorError {
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
    /// Whether trying again could help.
    pub is_passing: bool,
}

/// Why collecting stopped. What was committed before stays, and the rest stays in the queue.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The broker.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CollectError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Door(error) => error.is_passing,
            Self::Store(error) => error.retryable(),
        }
    }
}

/// What was collected.
#[derive(Debug, Default)]
pub struct Collected {
    /// Messages that were taken from the queue and fitted.
    pub received: u64,
    /// Messages that took effect, by kind.
    pub fresh: BTreeMap<&'static str, u64>,
    /// Messages that had taken effect before.
    pub repeated: u64,
    /// Messages that did not fit and are among the dead letters.
    pub refused: u64,
    /// Records that withdrawals removed.
    pub removed: u64,
    /// Notices that were answered.
    pub answered: u64,
    /// Why messages were refused.
    pub findings: Findings,
    refused_ids: BTreeSet<String>,
}

/// Collects one study's messages until its queue is empty, or until `go_on` says no after a
/// batch.
///
/// # Errors
/// Where the broker or the store cannot be used.
pub fn collect<D: Door>(
    store: &mut Store,
    door: &mut D,
    signer: &Signer,
    study: &str,
    go_on: &mut dyn FnMut(&Collected) -> bool,
) -> Result<Collected, CollectError> {
    let mut collected = Collected::default();
    // Answers that an earlier run was killed before giving.
    answer_owed(store, door, signer, study, &mut collected)?;
    loop {
        let claimed = door.claim(COLLECT_MESSAGES_MAX)?;
        if claimed.is_empty() {
            return Ok(collected);
        }
        take(store, door, signer, study, claimed, &mut collected)?;
        answer_owed(store, door, signer, study, &mut collected)?;
        if !go_on(&collected) {
            return Ok(collected);
        }
    }
}

/// One batch: read, committed, told as taken, then acknowledged.
fn take<D: Door>(
    store: &mut Store,
    door: &mut D,
    signer: &Signer,
    study: &str,
    claimed: Vec<Claimed<D::Token>>,
    collected: &mut Collected,
) -> Result<(), CollectError> {
    let mut messages = Vec::with_capacity(claimed.len());
    let mut tokens = Vec::with_capacity(claimed.len());
    let mut refused = Vec::new();
    for Claimed { message_id, body, token } in claimed {
        match door::read(&body).and_then(|message| directed(message, study)) {
            Ok(message) => {
                messages.push(message);
                tokens.push(token);
            }
            Err(finding) => refused.push((message_id, token, finding)),
        }
    }
    let taken: Vec<String> = messages.iter().map(|message| message.message_id.clone()).collect();
    let rows: Vec<RefusedRow> =
        refused.iter().map(|(id, _, finding)| refused_row(study, id, finding)).collect();
    let applied: Applied = store.write(|either| {
        if !rows.is_empty() {
            inbound::note_refused(either, &rows)?;
        }
        apply::apply(either, study, messages)
    })?;
    if applied.is_scrub_due {
        store.scrub()?;
    }
    collected.add(&applied, tokens.len());
    // Before it is taken off the queue: killed in between, it comes again and is told again.
    if !taken.is_empty() {
        let (message_id, body) = signer.taken(&taken);
        door.tell_taken(&message_id, &body)?;
    }
    door.acknowledge(tokens)?;
    for (message_id, token, finding) in refused {
        door.refuse(token)?;
        // It comes again until it is a dead letter, and is told once.
        if collected.refused_ids.insert(message_id) {
            collected.refused += 1;
            collected.findings.push(finding);
        }
    }
    Ok(())
}

fn directed(message: Incoming, study: &str) -> Result<Incoming, Finding> {
    if message.study == study {
        return Ok(message);
    }
    Err(Finding::new(
        Code::DoorMisdirected,
        Origin::default(),
        "a message of the study whose queue it stands in",
    ))
}

fn refused_row(study: &str, message_id: &str, finding: &Finding) -> RefusedRow {
    // The broker's id is no more to be trusted than the body.
    let is_id = message_id.len() == 32 && message_id.bytes().all(|byte| byte.is_ascii_hexdigit());
    RefusedRow {
        message_id: if is_id { message_id.to_owned() } else { answer::digest(&[message_id.as_bytes()]) },
        study: study.to_owned(),
        code: finding.code.as_str().to_owned(),
        expected: finding.expected.clone(),
    }
}

fn answer_owed<D: Door>(
    store: &mut Store,
    door: &mut D,
    signer: &Signer,
    study: &str,
    collected: &mut Collected,
) -> Result<(), CollectError> {
    for row in store.owed_notices(study)? {
        let answers: &[Answer] =
            if row.is_removal { &[Answer::Acknowledged, Answer::Removed] } else { &[Answer::Acknowledged] };
        for answer in answers {
            let (message_id, body) = signer.answer(&row.notice_id, *answer);
            door.answer(&message_id, &row.notice_id, &body)?;
        }
        store.answer_notice(&row)?;
        collected.answered += 1;
    }
    Ok(())
}

impl Collected {
    /// Adds what was collected after.
    pub fn extend(&mut self, later: Self) {
        self.received += later.received;
        self.repeated += later.repeated;
        self.removed += later.removed;
        self.answered += later.answered;
        for (kind, count) in later.fresh {
            *self.fresh.entry(kind).or_default() += count;
        }
        let new = later.refused_ids.difference(&self.refused_ids).count();
        if new > 0 {
            self.refused += u64::try_from(new).unwrap_or(u64::MAX);
            self.findings.extend(later.findings);
        }
        self.refused_ids.extend(later.refused_ids);
    }

    fn add(&mut self, applied: &Applied, received: usize) {
        self.received += u64::try_from(received).unwrap_or(u64::MAX);
        self.repeated += applied.repeated;
        self.removed += applied.removed;
        for (kind, count) in &applied.fresh {
            *self.fresh.entry(kind).or_default() += count;
        }
    }
}
