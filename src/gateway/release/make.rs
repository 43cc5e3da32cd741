//! Making a message of an intent, in the transaction that claimed it: consent is asked again.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::base::finding::Finding;
use crate::base::id::{NoticeId, PersonId, RecordId};
use crate::base::private::{Grant, Release};
use crate::base::seal::DataKey;
use crate::consent::decide::{Denied, Proof, When};
use crate::consent::directive::Scope;
use crate::gateway::release::file::{File, Wishes, draft};
use crate::gateway::release::settings::Settings;
use crate::gateway::{Gateway, GatewayError};
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::release::door::DoorMessage;
use crate::release::gate::{About, Asking, Gate, Gone, Made, Standing, Withheld};
use crate::release::protocol::Protocol;
use crate::release::scan::Own;
use crate::release::treat::Around;
use crate::store::intent::Intent;
use crate::store::record::CurrentRecord;
use crate::store::{StoreError, Tx, person, release, version};

/// What became of an intent.
pub enum Outcome {
    /// A message, and what was found while making it.
    Message(Box<DoorMessage>, Vec<Finding>),
    /// Nothing may be told, by the reason's word.
    Nothing(&'static str, Vec<Finding>),
}

/// Makes messages of claimed intents.
pub struct Maker<'a> {
    /// The gateway.
    pub gateway: &'a Gateway,
    /// The protocol.
    pub protocol: &'a Protocol,
    /// The gate.
    pub gate: &'a Gate<'a>,
    /// Settings by name.
    pub settings: &'a Settings,
    /// The moment for which consent is asked.
    pub when: When,
    /// Leave to open birth dates and the person's own identifiers.
    pub grant: &'a Grant<Release>,
}

/// A person whose messages are being made.
struct Opened {
    file: File,
    proof: Result<Proof, Denied>,
    keys: BTreeMap<String, DataKey>,
    people: Vec<(String, Draft)>,
    own: Own,
}

impl Maker<'_> {
    /// Makes a message of each, in order.
    ///
    /// # Errors
    /// Where the store fails, or something stored does not open.
    pub fn make(&self, tx: &mut Tx, intents: &[Intent]) -> Result<Vec<Outcome>, GatewayError> {
        let mut opened: BTreeMap<String, Opened> = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(intents.len());
        for intent in intents {
            if intent.kind == "record"
                && let Some(person) = &intent.person_id
                && !opened.contains_key(person)
            {
                opened.insert(person.clone(), self.open(tx, person)?);
            }
            let about = intent.person_id.as_ref().and_then(|person| opened.get(person));
            outcomes.push(self.make_one(tx, intent, about)?);
        }
        Ok(outcomes)
    }

    fn open(&self, tx: &mut Tx, person: &str) -> Result<Opened, GatewayError> {
        let wishes = Wishes::list(tx, &[person.to_owned()])?;
        let file = File::list(tx, wishes)?.pop().ok_or(StoreError::NoRow)?;
        let proof = file.wishes.proof(&self.protocol.study, self.when);
        let keys = file.wishes.data_keys(self.gateway)?;
        let mut all = Vec::new();
        let mut people = Vec::new();
        // Nothing is opened of somebody of whom nothing may be told.
        if proof.is_ok() {
            for record in file.records.iter().filter(|record| record.kind == Kind::Person.as_str()) {
                let draft = draft(record, &keys)?;
                if !record.is_absent {
                    people.push((record.source.clone(), draft.clone()));
                }
                all.push(draft);
            }
        }
        let own = Own::of(all.iter(), self.grant);
        Ok(Opened { file, proof, keys, people, own })
    }

    fn make_one(
        &self,
        tx: &mut Tx,
        intent: &Intent,
        about: Option<&Opened>,
    ) -> Result<Outcome, GatewayError> {
        let sequence = u64::try_from(intent.sequence).unwrap_or_default();
        let person = intent.person_id.as_deref().map(person_id).transpose()?;
        match (intent.kind.as_str(), person, about) {
            ("record", Some(_), Some(about)) => self.record(tx, intent, about, sequence),
            ("setting", None, _) => self.setting(tx, intent, sequence),
            ("retracted", Some(person), _) => Ok(self.retracted(intent, person, sequence)),
            ("superseded", Some(old), _) => {
                let stands = stands(tx, intent.record_id.as_deref().unwrap_or_default())?;
                Ok(message(self.gate.superseded(old, stands, sequence)))
            }
            ("withdrawn", Some(person), _) => {
                let notice = release::find_notice(tx, intent.notice_id.as_deref().unwrap_or_default())?;
                let notice = notice.ok_or(StoreError::NoRow)?;
                let unreadable = || StoreError::Unreadable { what: "notice" };
                let id = NoticeId::from_str(&notice.id).map_err(|_id| unreadable())?;
                let scope = Scope::find(&notice.scope).ok_or_else(unreadable)?;
                let decided_on = notice.decided_on.parse().map_err(|_day| unreadable())?;
                Ok(message(self.gate.withdrawn(person, id, scope, decided_on, sequence)))
            }
            _ => Err(StoreError::Unreadable { what: "intent" }.into()),
        }
    }

    fn record(
        &self,
        tx: &mut Tx,
        intent: &Intent,
        opened: &Opened,
        sequence: u64,
    ) -> Result<Outcome, GatewayError> {
        let proof = match &opened.proof {
            Ok(proof) => proof,
            Err(denied) => return Ok(Outcome::Nothing(denied.as_str(), Vec::new())),
        };
        let number = u64::try_from(intent.number).unwrap_or_default();
        let setting = |name: &str| self.settings.find(name);
        let about = About {
            own: &opened.own,
            is_restricted: opened.file.is_restricted(),
            around: Around { start: opened.file.start(self.protocol, proof), setting: &setting },
        };
        let person = opened.file.wishes.person;
        if intent.record_kind.as_deref() == Some(Kind::Person.as_str()) {
            let said: Vec<(&str, &Draft)> =
                opened.people.iter().map(|(source, draft)| (source.as_str(), draft)).collect();
            if said.is_empty() {
                return Ok(Outcome::Nothing("gone", Vec::new()));
            }
            return Ok(made(self.gate.person(proof, person, &said, &about, (number, sequence), self.grant)));
        }
        let id = intent.record_id.as_deref().unwrap_or_default();
        let current = opened.file.records.iter().find(|record| record.id == id && !record.is_absent);
        let Some(current) = current else { return Ok(Outcome::Nothing("gone", Vec::new())) };
        let Some(record) = at_version(tx, current, intent.number)? else {
            return Ok(Outcome::Nothing("gone", Vec::new()));
        };
        let asking = Asking {
            person,
            record: record_id(id)?,
            version: number,
            kind: record.kind.parse().map_err(|_kind| StoreError::Unreadable { what: "kind" })?,
            source: &record.source,
            draft: &draft(&record, &opened.keys)?,
        };
        Ok(made(self.gate.record(proof, &asking, &about, sequence, self.grant)))
    }

    fn setting(&self, tx: &mut Tx, intent: &Intent, sequence: u64) -> Result<Outcome, GatewayError> {
        let id = record_id(intent.record_id.as_deref().unwrap_or_default())?;
        let current = self.settings.record(id);
        let record = current.map(|record| at_version(tx, record, intent.number)).transpose()?.flatten();
        let Some(record) = record else { return Ok(Outcome::Nothing("gone", Vec::new())) };
        let draft = draft(&CurrentRecord { identity: None, ..record }, &BTreeMap::new())?;
        let number = u64::try_from(intent.number).unwrap_or_default();
        Ok(made(self.gate.setting(id, number, &draft, sequence, self.grant)))
    }

    fn retracted(&self, intent: &Intent, person: PersonId, sequence: u64) -> Outcome {
        let id = intent.record_id.as_deref().unwrap_or_default();
        let standing = RecordId::from_str(id)
            .map(Standing::Record)
            .or_else(|_not_a_record| PersonId::from_str(id).map(Standing::Person));
        let kind = intent.record_kind.as_deref().unwrap_or_default().parse::<Kind>();
        match (standing, kind, Gone::find(&intent.reason)) {
            (Ok(standing), Ok(kind), Some(gone)) => {
                message(self.gate.retracted(person, kind, &standing, gone, sequence))
            }
            _ => Outcome::Nothing("unreadable", Vec::new()),
        }
    }
}

fn message(message: DoorMessage) -> Outcome {
    Outcome::Message(Box::new(message), Vec::new())
}

fn made(made: Result<Made, Withheld>) -> Outcome {
    match made {
        Ok(made) => Outcome::Message(Box::new(made.message), made.findings),
        Err(withheld) => {
            let word = withheld.as_str();
            let findings = match withheld {
                Withheld::Identifier(finding) => vec![*finding],
                _ => Vec::new(),
            };
            Outcome::Nothing(word, findings)
        }
    }
}

/// The record as the intent's version had it.
fn at_version(
    tx: &mut Tx,
    current: &CurrentRecord,
    number: i64,
) -> Result<Option<CurrentRecord>, StoreError> {
    if current.number == number {
        return Ok(Some(current.clone()));
    }
    let found = version::find(tx, &current.id, number)?;
    Ok(found.map(|row| CurrentRecord {
        number: row.number,
        hash: row.hash,
        source_time: row.source_time,
        arrived_at: row.arrived_at,
        body: row.body,
        identity: row.identity.map(crate::base::seal::Sealed::from_bytes),
        ..current.clone()
    }))
}

/// The person that stands for one who may have ended in another since.
fn stands(tx: &mut Tx, id: &str) -> Result<PersonId, StoreError> {
    let mut id = id.to_owned();
    // A person ends once, so the chain has no circle; the bound is a guard.
    for _ in 0..crate::base::limit::MERGES_FOLLOWED_MAX {
        let row = person::find(tx, std::slice::from_ref(&id))?.into_iter().next().ok_or(StoreError::NoRow)?;
        match row.superseded_by {
            Some(next) => id = next,
            None => break,
        }
    }
    person_id(&id)
}

fn person_id(text: &str) -> Result<PersonId, StoreError> {
    PersonId::from_str(text).map_err(|_id| StoreError::Unreadable { what: "person id" })
}

fn record_id(text: &str) -> Result<RecordId, StoreError> {
    RecordId::from_str(text).map_err(|_id| StoreError::Unreadable { what: "record id" })
}
