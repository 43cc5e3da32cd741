//! The release job of one study: its own process, and the only one that opens the study key.
//!
//! Intents are claimed with a lease, made into messages, published, and marked as sent only after
//! the broker's confirm. Killed at any point it goes on where it was: what was published and not
//! marked is made again, byte for byte, under the same id, and the far side lets it take effect
//! once.

use std::collections::BTreeMap;

use crate::base::edge::Instant;
use crate::base::finding::Findings;
use crate::base::id::{PersonId, ReleaseId};
use crate::base::limit::{INTENTS_CLAIMED_MAX, UNSENT_TRIES_MAX};
use crate::base::private::{Grant, Release};
use crate::consent::decide::When;
use crate::gateway::release::census::{self, Census};
use crate::gateway::release::close::{self, Kept};
use crate::gateway::release::keys::ReleaseKeys;
use crate::gateway::release::make::{Maker, Outcome};
use crate::gateway::release::resend::Resend;
use crate::gateway::release::settings::Settings;
use crate::gateway::{Gateway, GatewayError, health};
use crate::queue::{self, Queue, QueueName};
use crate::release::door::DoorMessage;
use crate::release::gate::Gate;
use crate::release::protocol::Protocol;
use crate::store::intent::{self, Intent};
use crate::store::release::{self, PseudonymRow, ReleaseRow};
use crate::store::standing::{self, StandingRow};
use crate::store::{StoreError, Tx, audit, meta, person};

/// The release job of one study.
pub struct Job<'j> {
    /// The gateway.
    pub gateway: &'j Gateway,
    /// The gateway's name.
    pub name: &'j str,
    /// The protocol.
    pub protocol: &'j Protocol,
    /// The keys of the release role.
    pub keys: &'j ReleaseKeys,
    /// The door.
    pub queue: &'j Queue,
    /// Seconds that a claimed intent stays with this job.
    pub lease_s: i64,
    /// When what nobody acknowledged is sent again.
    pub resend: Resend,
}

/// What one run of the job did.
#[derive(Debug, Default)]
pub struct Report {
    /// The release; none where there was nothing new to tell.
    pub release: Option<String>,
    /// What it kept of itself.
    pub kept: Kept,
    /// How everybody stands.
    pub census: Census,
    /// Records kept back by this run, by reason.
    pub withheld: BTreeMap<String, u64>,
    /// What was found while making messages.
    pub findings: Findings,
    /// Answers to notices, read from the queue back.
    pub answers: u64,
    /// Messages that were sent again, because nobody had said that they arrived.
    pub resent: u64,
}

/// An intent, and the message made of it.
pub(super) struct Ready {
    pub(super) intent: Intent,
    pub(super) message: DoorMessage,
}

impl Job<'_> {
    /// Runs it to its end. `told` hears how many messages are out.
    ///
    /// # Errors
    /// Where the store, the queue or a key fails. What was sent is kept; run again, it goes on.
    pub fn run(&self, told: &dyn Fn(u64)) -> Result<Report, GatewayError> {
        let study = &self.protocol.study;
        self.queue.declare(&QueueName::study(study))?;
        self.queue.declare(&QueueName::back(study))?;
        let mut report = Report::default();
        report.answers = self.read_answers(&mut report.findings)?;
        let open = self.gateway.store.read(|tx| release::find_open(tx, study))?;
        if let Some(row) = open.filter(|row| row.state == "closing") {
            let kept = serde_json::from_str(&row.counts)
                .map_err(|_json| StoreError::Unreadable { what: "release" })?;
            self.tell_closed(&row, &kept)?;
        }
        self.resend(&mut report, told)?;
        report.census = census::take(self.gateway, self.protocol)?;
        let (_, decided) = census::look(self.gateway, self.protocol)?;
        report.findings.extend(census::unlinked(&decided));
        let Some(row) = self.begin()? else { return Ok(report) };
        let (mut sent, mut tries) = (report.resent, 0);
        loop {
            let done = self.some(&row, &mut report)?;
            if done.count == 0 {
                break;
            }
            // What was not confirmed is still this job's, and is claimed and published again.
            tries = if done.unsent == 0 { 0 } else { tries + 1 };
            if tries == 1 {
                // Trying again may take minutes, and the health page is to say why at once.
                health::note_door(self.gateway, Some(&GatewayError::Unsent))?;
            }
            if tries > UNSENT_TRIES_MAX {
                return Err(GatewayError::Unsent);
            }
            sent += done.count - done.unsent;
            told(sent);
        }
        let withheld = report.withheld.clone();
        let kept = self
            .gateway
            .store
            .write(|tx| close::close(tx, self.gateway, &row, &report.census, &withheld))?
            .ok_or(GatewayError::Unsent)?;
        self.tell_closed(&row, &kept)?;
        report.release = Some(row.id);
        report.kept = kept;
        Ok(report)
    }

    /// The release that is open, or a new one; none where there is nothing to tell.
    fn begin(&self) -> Result<Option<ReleaseRow>, GatewayError> {
        let (study, version) = (&self.protocol.study, i64::from(self.protocol.version));
        self.gateway.store.write(|tx| {
            if let Some(open) = release::find_open(tx, study)? {
                return Ok(Some(open));
            }
            let last = release::find_last(tx, study)?;
            let is_told = last.is_some_and(|last| last.protocol_version == version);
            if is_told && intent::count_unsent(tx, study)? == 0 {
                return Ok(None);
            }
            let row = ReleaseRow {
                id: ReleaseId::mint(&self.gateway.edge).to_string(),
                study: study.clone(),
                protocol_version: version,
                cut_off: self.gateway.edge.now().to_string(),
                state: "open".to_owned(),
                counts: String::new(),
                closed_at: None,
                settled_at: None,
                incarnation: meta::number(tx, INCARNATION)?,
            };
            release::create(tx, &row)?;
            Ok(Some(row))
        })
    }

    /// Claims some intents, makes and publishes their messages, and marks what was confirmed.
    fn some(&self, row: &ReleaseRow, report: &mut Report) -> Result<Done, GatewayError> {
        let made = self.gateway.store.write(|tx| self.claim_and_make(tx, row))?;
        let count = made.count;
        for (reason, number) in made.withheld {
            *report.withheld.entry(reason.to_owned()).or_default() += number;
        }
        report.findings.extend(made.findings);
        if made.ready.is_empty() {
            return Ok(Done { count, unsent: 0 });
        }
        let sent = self.publish(&made.ready)?;
        let at = self.gateway.edge.now();
        self.gateway.store.write(|tx| {
            for ready in &sent {
                self.mark(tx, row, ready, at)?;
            }
            Ok::<_, GatewayError>(())
        })?;
        let unsent = made.ready.len() - sent.len();
        Ok(Done { count, unsent: u64::try_from(unsent).unwrap_or_default() })
    }

    /// Publishes messages, and gives those that the broker has. A queue that somebody deleted
    /// meanwhile is made again, for the next try.
    pub(super) fn publish<'r>(&self, ready: &'r [Ready]) -> Result<Vec<&'r Ready>, GatewayError> {
        let messages: Vec<DoorMessage> = ready.iter().map(|ready| ready.message.clone()).collect();
        let outcomes = self.queue.publish(&messages)?;
        if outcomes.contains(&queue::Outcome::Unroutable) {
            self.queue.declare(&QueueName::study(&self.protocol.study))?;
        }
        let sent = ready.iter().zip(outcomes).filter(|(_, outcome)| *outcome == queue::Outcome::Sent);
        Ok(sent.map(|(ready, _)| ready).collect())
    }

    fn claim_and_make(&self, tx: &mut Tx, row: &ReleaseRow) -> Result<MadeSome, GatewayError> {
        let now = self.gateway.edge.now();
        // A release is one claimer: killed and run again, it takes its own claims up at once.
        let claim = (row.id.as_str(), &*now.to_string(), &*now.plus_s(self.lease_s).to_string());
        let mut intents = intent::claim(tx, &self.protocol.study, claim, INTENTS_CLAIMED_MAX)?;
        if intents.is_empty() {
            return Ok(MadeSome::default());
        }
        intents.sort_by(|a, b| (a.sequence, &a.id).cmp(&(b.sequence, &b.id)));
        let made = self.make_of(tx, row, intents, now)?;
        intent::delete(tx, &made.nothing)?;
        Ok(made)
    }

    /// Makes messages of intents, and writes into the audit what was opened for it.
    pub(super) fn make_of(
        &self,
        tx: &mut Tx,
        row: &ReleaseRow,
        intents: Vec<Intent>,
        now: Instant,
    ) -> Result<MadeSome, GatewayError> {
        let grant = Grant::<Release>::begin(&self.gateway.actor);
        let made = self.make(tx, row, intents, now, &grant);
        let receipt = grant.close();
        let made = made?;
        audit::append(tx, &receipt, "release", &row.id, now)?;
        Ok(made)
    }

    fn make(
        &self,
        tx: &mut Tx,
        row: &ReleaseRow,
        intents: Vec<Intent>,
        now: Instant,
        grant: &Grant<Release>,
    ) -> Result<MadeSome, GatewayError> {
        let gate = self.gate(row)?;
        let settings = Settings::load(tx)?;
        let when = When { at: now.london_day(), known_at: now };
        let maker = Maker {
            gateway: self.gateway,
            protocol: self.protocol,
            gate: &gate,
            settings: &settings,
            when,
            grant,
        };
        let outcomes = maker.make(tx, &intents)?;
        let mut some =
            MadeSome { count: u64::try_from(intents.len()).unwrap_or_default(), ..MadeSome::default() };
        for (intent, outcome) in intents.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Message(message, findings) => {
                    some.findings.extend(findings.into_iter().collect());
                    some.ready.push(Ready { intent, message: *message });
                }
                Outcome::Nothing(reason, findings) => {
                    some.findings.extend(findings.into_iter().collect());
                    *some.withheld.entry(reason).or_default() += 1;
                    some.nothing.push(intent.id);
                }
            }
        }
        Ok(some)
    }

    fn gate(&self, row: &ReleaseRow) -> Result<Gate<'_>, GatewayError> {
        let incarnation = u64::try_from(row.incarnation).unwrap_or_default();
        let id = row.id.parse().map_err(|_id| StoreError::Unreadable { what: "release id" })?;
        Ok(Gate::new(self.protocol, &self.keys.study, self.name, id, incarnation))
    }

    /// Marks one message as sent, and what stands by it.
    fn mark(&self, tx: &mut Tx, row: &ReleaseRow, ready: &Ready, at: Instant) -> Result<(), GatewayError> {
        let (intent, message_id) = (&ready.intent, ready.message.message_id());
        if !intent::mark_sent(tx, &intent.id, message_id, &at.to_string(), &row.id)? {
            // Taken back meanwhile, and what takes it back on the far side is laid.
            return Ok(());
        }
        let study = &self.protocol.study;
        let record_id = intent.record_id.clone().unwrap_or_default();
        match (intent.kind.as_str(), &intent.person_id) {
            ("record" | "setting", _) => {
                let standing = StandingRow {
                    study: study.clone(),
                    record_id,
                    person_id: intent.person_id.clone(),
                    kind: intent.record_kind.clone().unwrap_or_default(),
                    number: intent.number,
                    basis: intent.basis.clone(),
                    message_id: message_id.to_owned(),
                    sequence: intent.sequence,
                };
                standing::put(tx, &standing)?;
            }
            ("retracted", Some(person)) => {
                standing::delete(tx, study, &record_id, person, intent.sequence)?;
            }
            ("withdrawn", _) => {
                release::mark_notice_sent(
                    tx,
                    intent.notice_id.as_deref().unwrap_or_default(),
                    &at.to_string(),
                )?;
            }
            ("superseded", Some(old)) => self.register_merge(tx, row, old, &record_id)?,
            _ => {}
        }
        if intent.kind == "record"
            && let Some(person) = &intent.person_id
        {
            self.register(tx, row, person)?;
        }
        Ok(())
    }

    /// Registers a pseudonym. Whose it is stands sealed.
    fn register(&self, tx: &mut Tx, row: &ReleaseRow, person: &str) -> Result<(), GatewayError> {
        let pseudonym = self.pseudonym(person)?;
        let sealed = self.keys.role.seal_link(&self.gateway.edge, &pseudonym, person.as_bytes());
        let row = PseudonymRow {
            study: self.protocol.study.clone(),
            recipient: self.protocol.recipient.clone(),
            epoch: i64::from(self.protocol.epoch),
            value: pseudonym,
            person_sealed: sealed.as_bytes().to_vec(),
            first_release: row.id.clone(),
            superseded_by: None,
        };
        Ok(release::register(tx, &row)?)
    }

    fn register_merge(
        &self,
        tx: &mut Tx,
        row: &ReleaseRow,
        old: &str,
        stands: &str,
    ) -> Result<(), GatewayError> {
        if person::find(tx, &[stands.to_owned()])?.is_empty() {
            return Ok(());
        }
        self.register(tx, row, stands)?;
        let domain =
            (self.protocol.study.as_str(), self.protocol.recipient.as_str(), i64::from(self.protocol.epoch));
        Ok(release::set_pseudonym_superseded(tx, domain, &self.pseudonym(old)?, &self.pseudonym(stands)?)?)
    }

    fn pseudonym(&self, person: &str) -> Result<String, StoreError> {
        let person: PersonId = person.parse().map_err(|_id| StoreError::Unreadable { what: "person id" })?;
        Ok(self.protocol.domain().person(&self.keys.study, person).to_string())
    }

    /// Publishes the end of a release, and marks it as closed.
    fn tell_closed(&self, row: &ReleaseRow, kept: &Kept) -> Result<(), GatewayError> {
        let message_id = self.publish_end(row, kept)?;
        let at = self.gateway.edge.now().to_string();
        let counts = serde_json::to_string(kept).unwrap_or_default();
        self.gateway.store.write(|tx| {
            release::set_state(tx, &row.id, "closed", &counts, Some(&at))?;
            Ok::<_, GatewayError>(release::note_told(tx, &row.id, &message_id, &at)?)
        })
    }

    /// Publishes the end of a release, and gives the message's id.
    pub(super) fn publish_end(&self, row: &ReleaseRow, kept: &Kept) -> Result<String, GatewayError> {
        let message = self.gateway.store.read(|tx| {
            let origin = format!("wayleave/{}", self.name);
            let closing = close::closing(tx, row, kept, self.protocol, &origin, &self.keys.signing)?;
            Ok::<_, GatewayError>(self.gate(row)?.closed(closing))
        })?;
        let message = [message];
        let mut tries = 0;
        while self.queue.publish(&message)?.first() != Some(&queue::Outcome::Sent) {
            tries += 1;
            if tries > UNSENT_TRIES_MAX {
                return Err(GatewayError::Unsent);
            }
            self.queue.declare(&QueueName::study(&self.protocol.study))?;
        }
        let [message] = message;
        Ok(message.message_id().to_owned())
    }
}

/// Name in `meta` of the gateway's life: one more each time it is restored from a backup.
pub const INCARNATION: &str = "incarnation";

/// Intents that were dealt with, and how many of them nobody confirmed.
struct Done {
    count: u64,
    unsent: u64,
}

#[derive(Default)]
pub(super) struct MadeSome {
    count: u64,
    pub(super) ready: Vec<Ready>,
    /// Ids of the intents of which nothing may be told.
    pub(super) nothing: Vec<String>,
    withheld: BTreeMap<&'static str, u64>,
    findings: Findings,
}
