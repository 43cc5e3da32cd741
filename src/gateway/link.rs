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
use crate::person::compare::Reason;
use crate::person::decide::{Decision, Doubt, decide};
use crate::person::features::{Features, Head, Subjects};
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
    let grant = Grant::<Link>::begin(&gateway.actor);
    let decided = decide_on(tx, gateway, &around, &grant);
    let receipt = grant.close();
    let decision = decided?;
    let at = gateway.edge.now();
    audit::append(tx, &receipt, "link", &format!("{} subjects", around.rows.len()), at)?;
    let run_id = waiting.first().map(|work| work.run_id.clone()).unwrap_or_default();
    let mut linked = settle::settle_all(tx, gateway, &around.rows, &decision, &run_id)?;
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

/// Subjects that hang together, and those among them with a block too large to look through.
struct Around {
    rows: Vec<SubjectRow>,
    too_many: BTreeSet<String>,
}

fn neighbourhood(tx: &mut Tx, start: &[String]) -> Result<Around, StoreError> {
    let mut rows: BTreeMap<String, SubjectRow> = BTreeMap::new();
    let mut too_many = BTreeSet::new();
    let mut seen_blocks: BTreeSet<(String, Vec<u8>)> = BTreeSet::new();
    let mut seen_people: BTreeSet<String> = BTreeSet::new();
    let mut edge: Vec<String> = start.to_vec();
    while !edge.is_empty() {
        let mut next = BTreeSet::new();
        let found = subject::find(tx, &edge)?;
        for person in found.iter().filter_map(|row| row.person_id.clone()) {
            if seen_people.insert(person.clone()) {
                next.extend(subject::list_of_person(tx, &person)?.into_iter().map(|row| row.id));
            }
        }
        rows.extend(found.into_iter().map(|row| (row.id.clone(), row)));
        let mut wanted: Vec<(String, KeyedHash)> = Vec::new();
        for block in subject::list_blocks(tx, &edge)? {
            if seen_blocks.insert((block.block.clone(), block.hash.clone()))
                && let Some(hash) = KeyedHash::from_slice(&block.hash)
            {
                wanted.push((block.block, hash));
            }
        }
        let asked: Vec<(&str, KeyedHash)> =
            wanted.iter().map(|(name, hash)| (name.as_str(), *hash)).collect();
        let mut members: BTreeMap<(String, Vec<u8>), Vec<String>> = BTreeMap::new();
        for block in subject::find_by_blocks(tx, &asked)? {
            members.entry((block.block, block.hash)).or_default().push(block.subject_id);
        }
        for ids in members.into_values() {
            if ids.len() > BLOCK_SUBJECTS_MAX {
                too_many.extend(ids.into_iter().filter(|id| rows.contains_key(id)));
            } else {
                next.extend(ids);
            }
        }
        edge = next.into_iter().filter(|id| !rows.contains_key(id)).collect();
    }
    Ok(Around { rows: rows.into_values().collect(), too_many })
}

fn decide_on(
    tx: &mut Tx,
    gateway: &Gateway,
    around: &Around,
    grant: &Grant<Link>,
) -> Result<Decision, GatewayError> {
    let ids: Vec<String> = around.rows.iter().map(|row| row.id.clone()).collect();
    let mut people: BTreeMap<String, Vec<CurrentRecord>> = BTreeMap::new();
    for record in record::list_current(tx, &ids)?.into_iter().filter(|record| record.kind == "person") {
        if let Some(id) = record.subject_id.clone() {
            people.entry(id).or_default().push(record);
        }
    }
    let mut subjects = Vec::with_capacity(around.rows.len());
    for row in &around.rows {
        let records = people.get(&row.id).map(Vec::as_slice).unwrap_or_default();
        let head = Head { id: subject_id(&row.id)?, source: row.source.as_str().into() };
        subjects.push((head, features(gateway, row, records, grant)?));
    }
    let mut decision = decide(&Subjects::new(subjects), grant);
    for id in &around.too_many {
        let id = subject_id(id)?;
        decision.doubts.push(Doubt { a: id, b: id, reason: Reason::TooMany });
    }
    decision.doubts.sort_unstable();
    Ok(decision)
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
