//! Whom the units of a chunk are about: who is in scope, who is new, whose blocks changed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::base::id::SubjectId;
use crate::base::seal::{DataKey, KeyedHash};
use crate::config::Scope;
use crate::gateway::GatewayError;
use crate::gateway::process::Work;
use crate::gateway::process::read::{Content, RecordRead, UnitRead};
use crate::gateway::receive::{known_blocks, known_keys, says_who};
use crate::person::block::{KNOWN_BLOCKS, NHS_NUMBER};
use crate::store::subject::{self, Block, SubjectRow};
use crate::store::{Tx, meta, requested};

/// One person as this source knows them, in one transaction.
struct Person {
    id: String,
    is_known: bool,
    key: Option<DataKey>,
    /// What is written down of somebody new.
    new: Option<SubjectRow>,
    is_newly_known: bool,
}

/// The people of a chunk.
pub(super) struct People<'w> {
    work: &'w Work<'w>,
    by_key: HashMap<KeyedHash, Person>,
    /// Blocks of the chunk that somebody known has.
    known_blocks: HashSet<KeyedHash>,
    changed_blocks: BTreeMap<String, Vec<(&'static str, KeyedHash)>>,
    /// Those of them by which somebody out of scope may come into it.
    asked_blocks: BTreeSet<KeyedHash>,
    /// Somebody is known by a key who was not.
    has_new_keys: bool,
    /// Somebody known has blocks of which it is not asked whether they are new.
    has_new_blocks: bool,
    /// NHS numbers that the source was asked about, of those that the chunk speaks of.
    requested: HashSet<KeyedHash>,
    /// The NHS number of a person as far as this source told it.
    numbers: HashMap<KeyedHash, KeyedHash>,
}

impl<'w> People<'w> {
    /// Nobody yet.
    pub(super) fn new(work: &'w Work<'w>) -> Self {
        Self {
            work,
            by_key: HashMap::new(),
            known_blocks: HashSet::new(),
            changed_blocks: BTreeMap::new(),
            asked_blocks: BTreeSet::new(),
            has_new_keys: false,
            has_new_blocks: false,
            requested: HashSet::new(),
            numbers: HashMap::new(),
        }
    }

    /// Looks up everybody a chunk speaks of, in a few queries, and who of those known is like them.
    pub(super) fn load_all(&mut self, tx: &mut Tx, units: &[UnitRead]) -> Result<(), GatewayError> {
        let mut keys: Vec<KeyedHash> =
            units.iter().flat_map(UnitRead::all).filter_map(|record| record.subject).collect();
        keys.sort_unstable();
        keys.dedup();
        self.load(tx, &keys)?;
        if self.work.feed.scope == Scope::Known {
            let mut blocks = BTreeSet::new();
            for record in units.iter().flat_map(UnitRead::all) {
                if record.subject.is_some_and(|subject| !self.is_known(&subject)) {
                    let held = record.blocks.iter().filter(|(name, _)| KNOWN_BLOCKS.contains(name));
                    blocks.extend(held.map(|(_, hash)| *hash));
                }
            }
            let blocks: Vec<KeyedHash> = blocks.into_iter().collect();
            self.known_blocks.extend(subject::find_known_blocks(tx, &blocks)?);
        }
        if self.work.feed.scope == Scope::Requested {
            self.load_requested(tx, units, &keys)?;
        }
        Ok(())
    }

    /// Looks up whom of a chunk the source was asked about.
    fn load_requested(
        &mut self,
        tx: &mut Tx,
        units: &[UnitRead],
        keys: &[KeyedHash],
    ) -> Result<(), GatewayError> {
        let of_id: HashMap<&str, KeyedHash> =
            keys.iter().filter_map(|key| Some((self.by_key.get(key)?.id.as_str(), *key))).collect();
        let ids: Vec<String> = of_id.keys().map(|id| (*id).to_owned()).collect();
        for block in subject::list_blocks(tx, &ids)? {
            let hash = KeyedHash::from_slice(&block.hash).filter(|_| block.block == NHS_NUMBER);
            if let (Some(key), Some(hash)) = (of_id.get(block.subject_id.as_str()), hash) {
                self.numbers.insert(*key, hash);
            }
        }
        let told = units.iter().flat_map(UnitRead::all).filter_map(number);
        let mut numbers: Vec<KeyedHash> = self.numbers.values().copied().chain(told).collect();
        numbers.sort_unstable();
        numbers.dedup();
        self.requested.extend(requested::find_wanted(tx, &self.work.feed.source, &numbers)?);
        Ok(())
    }

    /// Looks up some people. The keys are in order, each once.
    pub(super) fn load(&mut self, tx: &mut Tx, keys: &[KeyedHash]) -> Result<(), GatewayError> {
        for (key, id, is_known) in subject::find_known_by_keys(tx, &self.work.feed.source, keys)? {
            if let Some(key) = KeyedHash::from_slice(&key) {
                let found = Person { id, is_known, key: None, new: None, is_newly_known: false };
                self.by_key.insert(key, found);
            }
        }
        Ok(())
    }

    fn is_known(&self, subject: &KeyedHash) -> bool {
        self.by_key.get(subject).is_some_and(|person| person.is_known)
    }

    /// True if records about this person may be taken: the source's scope is wider, they are
    /// known, or the records of this unit say that they are somebody known.
    pub(super) fn is_in_scope(&self, subject: Option<&KeyedHash>, unit: &[RecordRead]) -> bool {
        let Some(subject) = subject else { return true };
        match self.work.feed.scope {
            Scope::Defines | Scope::Everyone => true,
            // What the unit itself says of who it is about comes before what was said earlier.
            Scope::Requested => {
                let mut of_subject = unit.iter().filter(|record| record.subject.as_ref() == Some(subject));
                let said = of_subject.find_map(number);
                let number = said.or_else(|| self.numbers.get(subject).copied());
                number.is_some_and(|number| self.requested.contains(&number))
            }
            Scope::Known => {
                self.is_known(subject)
                    || unit
                        .iter()
                        .filter(|record| record.subject.as_ref() == Some(subject))
                        .flat_map(|record| &record.blocks)
                        .any(|(name, hash)| KNOWN_BLOCKS.contains(name) && self.known_blocks.contains(hash))
            }
        }
    }

    /// Takes a person in who is in scope; writes down the blocks by which others are found.
    pub(super) fn admit(&mut self, subject: KeyedHash, at: &str) {
        let edge = &self.work.gateway.edge;
        let makes_known = self.work.feed.scope != Scope::Everyone;
        match self.by_key.get_mut(&subject) {
            // Somebody taken in while the source's scope was wider is only known from now on.
            Some(person) if makes_known && !person.is_known => {
                person.is_known = true;
                person.is_newly_known = true;
                self.has_new_keys = true;
                self.has_new_blocks = true;
            }
            Some(_) => {}
            None => {
                let id = SubjectId::mint(edge).to_string();
                let key = DataKey::generate(edge);
                let wrapped = self.work.gateway.keys.master.wrap(edge, &id, &key);
                let row = SubjectRow {
                    id: id.clone(),
                    source: self.work.feed.source.clone(),
                    key_hash: subject.as_bytes().to_vec(),
                    wrapped_key: Some(wrapped.as_bytes().to_vec()),
                    person_id: None,
                    is_known: makes_known,
                    created_at: at.to_owned(),
                };
                let person = Person {
                    id,
                    is_known: makes_known,
                    key: Some(key),
                    new: Some(row),
                    is_newly_known: false,
                };
                self.by_key.insert(subject, person);
                self.has_new_keys |= makes_known;
            }
        }
    }

    /// Notes the blocks of somebody known, so that a later row of the same chunk finds them.
    pub(super) fn note_known(&mut self, subject: &KeyedHash, blocks: &[(&'static str, KeyedHash)]) {
        if let Some((_, hash)) = blocks.iter().find(|(name, _)| *name == NHS_NUMBER) {
            self.numbers.insert(*subject, *hash);
        }
        if self.is_known(subject) {
            self.known_blocks.extend(blocks.iter().map(|(_, hash)| *hash));
        }
    }

    /// The id of somebody taken in.
    pub(super) fn id(&self, subject: &KeyedHash) -> Option<&str> {
        self.by_key.get(subject).map(|person| person.id.as_str())
    }

    /// Unwraps the data keys of these people, in one query.
    pub(super) fn load_keys(&mut self, tx: &mut Tx, subjects: &[KeyedHash]) -> Result<(), GatewayError> {
        let locked: Vec<KeyedHash> = subjects
            .iter()
            .filter(|subject| self.by_key.get(subject).is_some_and(|person| person.key.is_none()))
            .copied()
            .collect();
        for row in subject::find_by_keys(tx, &self.work.feed.source, &locked)? {
            let key = subject::data_key(&self.work.gateway.keys, &row)?;
            if let Some(person) =
                KeyedHash::from_slice(&row.key_hash).and_then(|subject| self.by_key.get_mut(&subject))
            {
                person.key = Some(key);
            }
        }
        Ok(())
    }

    /// The data key of somebody taken in, once it is unwrapped.
    pub(super) fn data_key(&self, subject: &KeyedHash) -> Option<&DataKey> {
        self.by_key.get(subject).and_then(|person| person.key.as_ref())
    }

    /// Sets the blocks of somebody whose person record is new or changed.
    pub(super) fn set_blocks(&mut self, subject: &KeyedHash, blocks: Vec<(&'static str, KeyedHash)>) {
        let Some(person) = self.by_key.get(subject) else { return };
        if person.is_known {
            self.known_blocks.extend(blocks.iter().map(|(_, hash)| *hash));
            let asked = blocks.iter().filter(|(name, _)| KNOWN_BLOCKS.contains(name));
            self.asked_blocks.extend(asked.map(|(_, hash)| *hash));
        }
        self.changed_blocks.insert(person.id.clone(), blocks);
    }

    /// Writes down who is new before their records. Gives by how much that raises the mark of this
    /// feed ([`known_mark`](crate::gateway::receive::known_mark)).
    pub(super) fn write(&mut self, tx: &mut Tx) -> Result<i64, GatewayError> {
        let raised = self.raise_marks(tx)?;
        let mut new: Vec<SubjectRow> = self.by_key.values().filter_map(|person| person.new.clone()).collect();
        new.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        subject::create(tx, &new)?;
        let mut known: Vec<String> = self
            .by_key
            .values()
            .filter(|person| person.is_newly_known)
            .map(|person| person.id.clone())
            .collect();
        known.sort_unstable();
        subject::mark_known(tx, &known)?;
        // Somebody new has none that would have to go.
        let is_new: HashSet<&String> = new.iter().map(|row| &row.id).collect();
        let ids: Vec<String> =
            self.changed_blocks.keys().filter(|id| !is_new.contains(id)).cloned().collect();
        let blocks: Vec<Block> = self
            .changed_blocks
            .iter()
            .flat_map(|(id, blocks)| {
                let distinct: BTreeSet<_> = blocks.iter().collect();
                distinct.into_iter().map(|(block, hash)| Block {
                    subject_id: id.clone(),
                    block: (*block).to_owned(),
                    hash: hash.as_bytes().to_vec(),
                })
            })
            .collect();
        subject::replace_blocks(tx, &ids, &blocks)?;
        Ok(raised)
    }

    /// Counts that somebody may have come into scope. A block that somebody known had already lets
    /// nobody in who was not.
    fn raise_marks(&self, tx: &mut Tx) -> Result<i64, GatewayError> {
        let feed = self.work.feed;
        let asked: Vec<KeyedHash> = self.asked_blocks.iter().copied().collect();
        let held: BTreeSet<KeyedHash> = subject::find_known_blocks(tx, &asked)?.into_iter().collect();
        let has_new_blocks = self.has_new_blocks || held.len() < asked.len();
        let marks = [
            (self.has_new_keys, known_keys(&feed.source), true),
            (has_new_blocks, known_blocks(&feed.source), says_who(feed)),
        ];
        let mut raised = 0;
        for (_, name, is_asked) in marks.into_iter().filter(|(has_new, ..)| *has_new) {
            let mark = meta::number(tx, &name)?;
            meta::set(tx, &name, &(mark + 1).to_string())?;
            raised += i64::from(is_asked);
        }
        Ok(raised)
    }
}

/// The NHS number that a record tells.
fn number(record: &RecordRead) -> Option<KeyedHash> {
    record.blocks.iter().find(|(name, _)| *name == NHS_NUMBER).map(|(_, hash)| *hash)
}

impl UnitRead {
    /// Every record of the unit, usable or not.
    pub(super) fn all(&self) -> &[RecordRead] {
        match &self.content {
            Content::Refused(records)
            | Content::SetAside { about: records, .. }
            | Content::Records(records) => records,
            Content::Nothing => &[],
        }
    }
}
