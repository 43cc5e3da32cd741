//! Step three, *link*: each touched subject is compared with everybody who could be the same
//! person, and the people known so far are formed, joined, merged or split.
//!
//! A subject's neighbourhood is whoever shares a block with it or belongs to its person, and
//! theirs in turn; so a decision on one neighbourhood is the decision on everybody.

mod settle;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::base::id::SubjectId;
use crate::base::limit::{BLOCK_SUBJECTS_MAX, LINK_SUBJECTS_MAX};
use crate::base::private::{Grant, Link};
use crate::base::seal::KeyedHash;
use crate::gateway::{Gateway, GatewayError};
use crate::person::block::SURE_BLOCKS;
use crate::person::compare::Reason;
use crate::person::decide::{Decision, Doubt, decide};
use crate::person::features::{Features, Head, Subjects};
use crate::record::kind::Kind;
use crate::record::kind::person::Person;
use crate::record::typed;
use crate::store::record::{self, CurrentRecord};
use crate::store::subject::{self, SubjectRow};
use crate::store::work::{self, Step, Work};
use crate::store::{StoreError, Tx, audit, run};

/// What the step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Linked {
    /// Subjects it was run for.
    pub subjects: u64,
    /// People formed.
    pub formed: u64,
    /// Subjects that joined a person.
    pub joined: u64,
    /// People that ended in another.
    pub merged: u64,
    /// People parted from another.
    pub split: u64,
}

impl Linked {
    fn add(&mut self, other: Self) {
        self.subjects += other.subjects;
        self.formed += other.formed;
        self.joined += other.joined;
        self.merged += other.merged;
        self.split += other.split;
    }
}

/// Links every subject that waits. `told` hears how many are done. Each transaction is whole: a
/// step that is killed goes on where it was.
///
/// # Errors
/// Where the store fails, or a key does not open what it should.
pub fn link(gateway: &Gateway, told: &dyn Fn(u64)) -> Result<Linked, GatewayError> {
    let mut all = Linked::default();
    loop {
        let done = gateway.store.write(|tx| link_some(tx, gateway))?;
        if done.subjects == 0 {
            return Ok(all);
        }
        all.add(done);
        told(all.subjects);
    }
}

fn link_some(tx: &mut Tx, gateway: &Gateway) -> Result<Linked, GatewayError> {
    let waiting = work::claim(tx, Step::Link, LINK_SUBJECTS_MAX)?;
    if waiting.is_empty() {
        return Ok(Linked::default());
    }
    let keys: Vec<String> = waiting.iter().map(|work| work.key.clone()).collect();
    let around = neighbourhood(tx, &keys)?;
    let decision = decide_on(tx, gateway, &around)?;
    let run_id = waiting.first().map(|work| work.run_id.clone()).unwrap_or_default();
    let mut linked = settle::settle_all(tx, gateway, around.rows, &decision, &run_id)?;
    linked.subjects = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
    count_by_run(tx, &waiting)?;
    work::done(tx, Step::Link, &keys)?;
    Ok(linked)
}

fn count_by_run(tx: &mut Tx, waiting: &[Work]) -> Result<(), StoreError> {
    let mut by_run: BTreeMap<&str, i64> = BTreeMap::new();
    for work in waiting {
        *by_run.entry(&work.run_id).or_default() += 1;
    }
    for (run_id, count) in by_run {
        run::count_steps(tx, run_id, count, 0)?;
    }
    Ok(())
}

/// Subjects that hang together.
#[derive(Default)]
struct Around {
    rows: BTreeMap<String, SubjectRow>,
    /// Those with a block too large to look through.
    too_many: BTreeSet<String>,
    /// Those who share a block or a person with somebody.
    company: BTreeSet<String>,
    /// Those of whom enough is known to tell who they are.
    certain: BTreeSet<String>,
}

impl Around {
    /// True of somebody who is like nobody, and of whom enough is known: there is nothing to
    /// compare, and so nothing to open.
    fn is_alone(&self, row: &SubjectRow) -> bool {
        row.wrapped_key.is_some() && self.certain.contains(&row.id) && !self.company.contains(&row.id)
    }
}

fn neighbourhood(tx: &mut Tx, start: &[String]) -> Result<Around, StoreError> {
    let mut around = Around::default();
    let mut seen_blocks: BTreeSet<KeyedHash> = BTreeSet::new();
    let mut seen_people: BTreeSet<String> = BTreeSet::new();
    let mut edge: Vec<String> = start.to_vec();
    while !edge.is_empty() {
        let mut next = BTreeSet::new();
        let found = subject::find(tx, &edge)?;
        let people: BTreeSet<String> = found.iter().filter_map(|row| row.person_id.clone()).collect();
        let people: Vec<String> =
            people.into_iter().filter(|person| seen_people.insert(person.clone())).collect();
        let mut of_person: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
        for row in subject::list_of_people(tx, &people)? {
            of_person.entry(row.person_id).or_default().push(row.id);
        }
        for ids in of_person.into_values().filter(|ids| ids.len() > 1) {
            around.company.extend(ids.iter().cloned());
            next.extend(ids);
        }
        around.rows.extend(found.into_iter().map(|row| (row.id.clone(), row)));
        let mut wanted = Vec::new();
        for block in subject::list_blocks(tx, &edge)? {
            wanted.extend(KeyedHash::from_slice(&block.hash).filter(|hash| seen_blocks.insert(*hash)));
            if SURE_BLOCKS.contains(&block.block.as_str()) {
                around.certain.insert(block.subject_id);
            }
        }
        let mut members: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
        for block in subject::find_by_shared_blocks(tx, &wanted)? {
            members.entry(block.hash).or_default().push(block.subject_id);
        }
        for ids in members.into_values() {
            if ids.len() > BLOCK_SUBJECTS_MAX {
                let known: Vec<String> = ids.into_iter().filter(|id| around.rows.contains_key(id)).collect();
                around.company.extend(known.iter().cloned());
                around.too_many.extend(known);
            } else {
                around.company.extend(ids.iter().cloned());
                next.extend(ids);
            }
        }
        edge = next.into_iter().filter(|id| !around.rows.contains_key(id)).collect();
    }
    Ok(around)
}

/// Opens those who are to be compared and decides; the others are each a person. What was opened
/// is on record.
fn decide_on(tx: &mut Tx, gateway: &Gateway, around: &Around) -> Result<Decision, GatewayError> {
    let (alone, compared): (Vec<&SubjectRow>, Vec<&SubjectRow>) =
        around.rows.values().partition(|row| around.is_alone(row));
    let mut decision = Decision::default();
    if !compared.is_empty() {
        let grant = Grant::<Link>::begin(&gateway.actor);
        let decided = compare(tx, gateway, &compared, &grant);
        let receipt = grant.close();
        decision = decided?;
        let object = format!("{} subjects", compared.len());
        audit::append(tx, &receipt, "link", &object, gateway.edge.now())?;
    }
    for row in alone {
        decision.clusters.push(vec![subject_id(&row.id)?]);
    }
    for id in &around.too_many {
        let id = subject_id(id)?;
        decision.doubts.push(Doubt { a: id, b: id, reason: Reason::TooMany });
    }
    decision.doubts.sort_unstable();
    Ok(decision)
}

fn compare(
    tx: &mut Tx,
    gateway: &Gateway,
    rows: &[&SubjectRow],
    grant: &Grant<Link>,
) -> Result<Decision, GatewayError> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut people: BTreeMap<String, Vec<CurrentRecord>> = BTreeMap::new();
    for record in record::list_current_of_kind(tx, Kind::Person.as_str(), &ids)? {
        if let Some(id) = record.subject_id.clone() {
            people.entry(id).or_default().push(record);
        }
    }
    let mut subjects = Vec::with_capacity(rows.len());
    for row in rows {
        let records = people.get(&row.id).map(Vec::as_slice).unwrap_or_default();
        let head = Head { id: subject_id(&row.id)?, source: row.source.as_str().into() };
        subjects.push((head, features(gateway, row, records, grant)?));
    }
    Ok(decide(&Subjects::new(subjects), grant))
}

/// What linkage knows of a subject: its person record, the one that arrived last where there are
/// several. Nothing is known of one that was shredded.
fn features(
    gateway: &Gateway,
    row: &SubjectRow,
    records: &[CurrentRecord],
    grant: &Grant<Link>,
) -> Result<Features, GatewayError> {
    let latest = records.iter().max_by_key(|record| (!record.is_absent, &record.arrived_at, &record.id));
    let Some(latest) = latest.filter(|_| row.wrapped_key.is_some()) else { return Ok(Features::default()) };
    let key = subject::data_key(&gateway.keys, row)?;
    let label = format!("{}/{}", latest.id, latest.number);
    let identity = latest.identity.as_ref().map(|sealed| key.unseal(&label, sealed)).transpose()?;
    let person: Person = typed::read(&latest.body, identity.as_ref())
        .map_err(|_misfit| StoreError::Unreadable { what: "person record" })?;
    Ok(Features::of(&person, grant))
}

fn subject_id(text: &str) -> Result<SubjectId, StoreError> {
    SubjectId::from_str(text).map_err(|_id| StoreError::Unreadable { what: "subject id" })
}
