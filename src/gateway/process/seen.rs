//! What one file has brought so far: which units, and which records with what content.

use std::collections::{HashMap, HashSet};

use crate::base::seal::KeyedHash;
use crate::gateway::GatewayError;
use crate::gateway::process::Work;
use crate::gateway::process::read::{Content, RecordRead, UnitRead};
use crate::store::subject;

/// The first half of a record's keyed hash. The hash is of the kind too, and 128 bits of it tell
/// records as well apart as all of them.
type Mark = u128;

/// A record's content as this file gave it.
#[derive(Clone, Copy)]
struct Said {
    /// The first quarter of its hash: asked only of two contents of one record.
    hash: u64,
    /// The source's own time in milliseconds; the least number where it gave none.
    source_ms: i64,
}

impl Said {
    fn of(record: &RecordRead) -> Self {
        Self {
            hash: record.hash.quarter(),
            source_ms: record.source_time.map_or(i64::MIN, crate::base::edge::Instant::unix_ms),
        }
    }
}

/// What one file has brought so far. Kept in memory: about 50 bytes a record.
pub(super) struct Seen {
    units: HashSet<u128>,
    records: HashMap<Mark, Said>,
    /// Records of units that were refused or set aside: they are in the file, and yet nothing was
    /// said of them.
    unsaid: HashSet<Mark>,
    /// People whose rows were passed over as out of scope.
    filtered: HashSet<KeyedHash>,
    /// People named by a unit that was refused or set aside: whatever else of theirs the file
    /// held may be in that unit.
    in_doubt: HashSet<KeyedHash>,
    /// Units of which it is not known whom they are about.
    pub(super) nameless: u64,
    /// False where the file as a whole is at fault, so that what is not in it proves nothing.
    pub(super) is_whole: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            units: HashSet::new(),
            records: HashMap::new(),
            unsaid: HashSet::new(),
            filtered: HashSet::new(),
            in_doubt: HashSet::new(),
            nameless: 0,
            is_whole: true,
        }
    }
}

/// How a record stands to what the same file said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// The file has not spoken of it yet, or speaks of another time.
    No,
    /// The file said the same.
    Same,
    /// The file said something else of the same thing.
    Other,
}

impl Seen {
    /// True if the same unit stood in this file before; remembers it.
    pub(super) fn is_again(&self, fresh: &mut Self, unit: &UnitRead) -> bool {
        self.units.contains(&unit.fingerprint) || !fresh.units.insert(unit.fingerprint)
    }

    /// What the file said of a record before; remembers what it says now.
    pub(super) fn again(&self, fresh: &mut Self, record: &RecordRead) -> Again {
        let (mark, said) = (record.key.half(), Said::of(record));
        let before = fresh.records.get(&mark).or_else(|| self.records.get(&mark));
        let again = match before {
            None => Again::No,
            Some(before) if before.hash == said.hash => Again::Same,
            Some(before) if before.source_ms != said.source_ms => Again::No,
            Some(_) => Again::Other,
        };
        if again == Again::No {
            fresh.records.insert(mark, said);
        }
        again
    }

    /// Remembers that a record is in the file, where it does not matter what it says.
    pub(super) fn note(&mut self, record: &RecordRead) {
        self.records.entry(record.key.half()).or_insert_with(|| Said::of(record));
    }

    /// Remembers whose rows were passed over.
    pub(super) fn note_filtered(&mut self, records: &[RecordRead]) {
        self.filtered.extend(records.iter().filter_map(|record| record.subject));
    }

    /// Remembers whom a unit that was refused or set aside was about.
    pub(super) fn note_doubt(&mut self, about: &[RecordRead]) {
        let named = self.in_doubt.len();
        self.in_doubt.extend(about.iter().filter_map(|record| record.subject));
        if self.in_doubt.len() == named && about.iter().all(|record| record.subject.is_none()) {
            self.nameless += 1;
        }
        self.unsaid.extend(about.iter().map(|record| record.key.half()));
    }

    /// Takes in what a committed transaction brought.
    pub(super) fn extend(&mut self, fresh: Self) {
        self.units.extend(fresh.units);
        self.records.extend(fresh.records);
        self.unsaid.extend(fresh.unsaid);
        self.filtered.extend(fresh.filtered);
        self.in_doubt.extend(fresh.in_doubt);
        self.nameless += fresh.nameless;
        self.is_whole &= fresh.is_whole;
    }

    /// Takes in a unit that an earlier process committed, or set aside because only its sender knows
    /// which record it speaks of.
    pub(super) fn replay(&mut self, unit: &UnitRead, is_open: bool) {
        match &unit.content {
            Content::Records(about) if is_open => {
                self.units.insert(unit.fingerprint);
                self.note_doubt(about);
            }
            Content::Refused(about) => self.note_doubt(about),
            Content::SetAside { about, .. } => {
                self.units.insert(unit.fingerprint);
                self.note_doubt(about);
            }
            Content::Nothing => {
                self.units.insert(unit.fingerprint);
            }
            Content::Records(records) => {
                self.units.insert(unit.fingerprint);
                for record in records {
                    self.note(record);
                }
            }
        }
    }

    /// True if the file holds that record.
    pub(super) fn holds(&self, key: KeyedHash) -> bool {
        self.records.contains_key(&key.half()) || self.unsaid.contains(&key.half())
    }

    /// True if a unit about that person could not be read.
    pub(super) fn is_in_doubt(&self, subject: &KeyedHash) -> bool {
        self.in_doubt.contains(subject)
    }

    /// True if somebody whose rows were passed over has become known since.
    pub(super) fn became_known(&self, work: &Work<'_>) -> Result<bool, GatewayError> {
        let mut filtered: Vec<KeyedHash> = self.filtered.iter().copied().collect();
        filtered.sort_unstable();
        let rows = work.gateway.store.read(|tx| subject::find_by_keys(tx, &work.feed.source, &filtered))?;
        Ok(rows.iter().any(|row| row.is_known))
    }
}
