//! The records that a chunk speaks of, as they stand, and what becomes of them.

mod hear;
mod shared;
mod which;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::base::id::RecordId;
use crate::base::seal::{DataKey, Hasher, KeyedHash, Sealed};
use crate::gateway::GatewayError;
use crate::gateway::process::Work;
use crate::gateway::process::people::People;
use crate::gateway::process::read::{RecordRead, UnitRead};
use crate::mapping::{Snapshot, Update};
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::record::{schema, typed};
use crate::store::record::{self, CurrentRecord, RecordRow};
use crate::store::version::{self, VersionHead, VersionRow};
use crate::store::{StoreError, Tx};

/// What a record did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It was not there.
    New,
    /// It says something else than before.
    Changed,
    /// It says what was known.
    Unchanged,
    /// It says what was known, and had been absent.
    Returned,
}

/// One record as it stands within the transaction.
struct Head<'u> {
    row: RecordRow,
    is_new: bool,
    is_dirty: bool,
    /// The versions before this transaction, where they matter.
    history: Vec<VersionHead>,
    /// The current version as stored, where a patch needs it.
    stored: Option<CurrentRecord>,
    /// The current version as made in this transaction.
    made: Option<Cow<'u, Draft>>,
}

/// The records of a chunk.
pub(super) struct Heads<'w, 'u> {
    work: &'w Work<'w>,
    run_id: &'w str,
    content: Hasher,
    /// Records about which the chunk says only what is known.
    same: HashSet<KeyedHash>,
    by_key: HashMap<(Kind, KeyedHash), Head<'u>>,
    versions: Vec<VersionRow>,
    /// Of the records that other feeds of the source tell too.
    shared: shared::Shared,
}

/// Which head a version is put to, and how.
struct Put {
    key: (Kind, KeyedHash),
    number: i64,
    change: Change,
    /// What is current is newer.
    is_late: bool,
}

impl<'w, 'u> Heads<'w, 'u> {
    /// Looks up every record that the units taken speak of, in a few queries.
    pub(super) fn load(
        tx: &mut Tx,
        work: &'w Work<'w>,
        run_id: &'w str,
        taken: &[(&UnitRead, Vec<&RecordRead>)],
    ) -> Result<Self, GatewayError> {
        let content = work.gateway.keys.index.hasher("record-content");
        let mut heads = Self {
            work,
            run_id,
            content,
            same: HashSet::new(),
            by_key: HashMap::new(),
            versions: Vec::new(),
            shared: shared::Shared::default(),
        };
        let differing = heads.load_stands(tx, taken)?;
        for (kind, keys) in differing {
            for row in record::find_by_keys(tx, &work.feed.source, kind.as_str(), &keys)? {
                if let Some(key) = KeyedHash::from_slice(&row.key_hash) {
                    heads.by_key.insert((kind, key), Head::found(row));
                }
            }
        }
        heads.load_stored(tx, taken)?;
        heads.load_history(tx, taken)?;
        heads.load_shared(tx, taken)?;
        Ok(heads)
    }

    /// Finds the records about which the chunk says only what is known; gives the keys of those
    /// that are there and must be looked at in full.
    fn load_stands(
        &mut self,
        tx: &mut Tx,
        taken: &[(&UnitRead, Vec<&RecordRead>)],
    ) -> Result<BTreeMap<Kind, Vec<KeyedHash>>, GatewayError> {
        let records = || taken.iter().flat_map(|(_, records)| records).filter(|one| one.shared.is_none());
        let mut keys: Vec<KeyedHash> = records().map(|record| record.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let is_full = self.work.feed.mapping.snapshot == Snapshot::Full;
        let mut stands = HashMap::with_capacity(keys.len());
        for stand in record::find_stands(tx, &self.work.feed.name, &keys)? {
            let is_settled = !stand.is_absent && (!is_full || stand.is_of_feed);
            let hash = KeyedHash::from_slice(&stand.current_hash).filter(|_hash| is_settled);
            if let Some(key) = KeyedHash::from_slice(&stand.key_hash) {
                stands.insert(key, hash);
            }
        }
        let mut differing: BTreeMap<Kind, Vec<KeyedHash>> = BTreeMap::new();
        for record in records() {
            let Some(hash) = stands.get(&record.key) else { continue };
            if record.update == Update::Whole && *hash == Some(record.hash) {
                self.same.insert(record.key);
            } else {
                differing.entry(record.kind).or_default().push(record.key);
            }
        }
        for keys in differing.values_mut() {
            keys.sort_unstable();
            keys.dedup();
            for key in keys.iter() {
                self.same.remove(key);
            }
        }
        Ok(differing)
    }

    /// Whose data keys will be needed: of those about whom something is not known yet.
    pub(super) fn subjects_changing(&self, taken: &[(&UnitRead, Vec<&RecordRead>)]) -> Vec<KeyedHash> {
        let mut subjects: Vec<KeyedHash> = taken
            .iter()
            .flat_map(|(_, records)| records)
            .filter(|record| !self.same.contains(&record.key))
            .filter_map(|record| record.subject)
            .collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }

    /// The current versions that patches will be merged over.
    fn load_stored(
        &mut self,
        tx: &mut Tx,
        taken: &[(&UnitRead, Vec<&RecordRead>)],
    ) -> Result<(), GatewayError> {
        let patched: BTreeSet<(Kind, KeyedHash)> = taken
            .iter()
            .flat_map(|(_, records)| records)
            .filter(|record| record.update == Update::Patch && record.shared.is_none())
            .map(|record| (record.kind, record.key))
            .collect();
        let by_id: BTreeMap<String, (Kind, KeyedHash)> = patched
            .into_iter()
            .filter_map(|key| self.by_key.get(&key).map(|head| (head.row.id.clone(), key)))
            .collect();
        let ids: Vec<String> = by_id.keys().cloned().collect();
        for current in record::find_current(tx, &ids)? {
            if let Some(head) = by_id.get(&current.id).and_then(|key| self.by_key.get_mut(key)) {
                head.stored = Some(current);
            }
        }
        Ok(())
    }

    /// The history of the records about which this feed may say what it said before, or
    /// something older than what is current.
    fn load_history(
        &mut self,
        tx: &mut Tx,
        taken: &[(&UnitRead, Vec<&RecordRead>)],
    ) -> Result<(), GatewayError> {
        let mut by_id: BTreeMap<String, (Kind, KeyedHash)> = BTreeMap::new();
        for (unit, records) in taken {
            for record in records.iter().filter(|record| record.shared.is_none()) {
                let key = (record.kind, record.key);
                let Some(head) = self.by_key.get(&key) else { continue };
                let is_other = head.row.current_hash.as_slice() != record.hash.as_bytes().as_slice();
                let is_mixed = head.row.current_feed != self.work.feed.name;
                if is_other && (is_mixed || head.is_older(record, &self.work.batch.received_at, unit.ordinal))
                {
                    by_id.insert(head.row.id.clone(), key);
                }
            }
        }
        let ids: Vec<String> = by_id.keys().cloned().collect();
        for version in version::list_heads(tx, &ids)? {
            if let Some(head) = by_id.get(&version.record_id).and_then(|key| self.by_key.get_mut(key)) {
                head.history.push(version);
            }
        }
        Ok(())
    }

    /// Takes one record of a unit.
    pub(super) fn take(
        &mut self,
        people: &People<'_>,
        unit: &UnitRead,
        record: &'u RecordRead,
    ) -> Result<Change, GatewayError> {
        if self.same.contains(&record.key) {
            return Ok(Change::Unchanged);
        }
        if let Some(shared) = &record.shared {
            return self.take_shared(people, unit, record, shared);
        }
        let key = (record.kind, record.key);
        if !self.by_key.contains_key(&key) {
            let head = Head::new(self.work, self.run_id, people, unit, record);
            self.by_key.insert(key, head);
            let put = Put { key, number: 1, change: Change::New, is_late: false };
            return self.put(people, unit, record, settled(record), put);
        }
        let feed = &self.work.feed.name;
        let Some(head) = self.by_key.get_mut(&key) else { return Err(GatewayError::Stopped) };
        if record.update == Update::Whole
            && self.work.feed.mapping.snapshot == Snapshot::Full
            && head.row.feed != *feed
        {
            head.row.feed.clone_from(feed);
            head.is_dirty = true;
        }
        if head.row.current_hash.as_slice() == record.hash.as_bytes().as_slice() {
            return Ok(head.unchanged());
        }
        let next = head.row.last_number + 1;
        let received_at = &self.work.batch.received_at;
        if head.is_older(record, received_at, unit.ordinal) {
            let is_known = head.is_of_this_batch(received_at)
                || head.history.iter().any(|version| {
                    version.hash.as_slice() == record.hash.as_bytes().as_slice()
                        || (version.batch_id == self.work.batch.id && version.unit == unit.ordinal)
                });
            if is_known {
                return Ok(head.unchanged());
            }
            let put = Put { key, number: next, change: Change::Changed, is_late: true };
            return self.put(people, unit, record, settled(record), put);
        }
        let draft = match record.update {
            Update::Whole => {
                let said = head.history.iter().rev().find(|version| version.feed == *feed);
                if said.is_some_and(|said| said.hash.as_slice() == record.hash.as_bytes().as_slice()) {
                    return Ok(head.unchanged());
                }
                settled(record)
            }
            Update::Patch => {
                let mut current = head.current(people, record, &self.work.own_key)?;
                current.merge(&record.draft);
                let hash = current.keyed_hash(&self.content);
                if head.row.current_hash.as_slice() == hash.as_bytes().as_slice() {
                    head.made = Some(Cow::Owned(current));
                    return Ok(head.unchanged());
                }
                Cow::Owned(current)
            }
        };
        let put = Put { key, number: next, change: Change::Changed, is_late: false };
        self.put(people, unit, record, draft, put)
    }

    /// Adds a version, and moves the head on where it is the newest.
    fn put(
        &mut self,
        people: &People<'_>,
        unit: &UnitRead,
        record: &RecordRead,
        draft: Cow<'u, Draft>,
        put: Put,
    ) -> Result<Change, GatewayError> {
        let work = self.work;
        let Put { key, number, change, is_late } = put;
        let Some(head) = self.by_key.get_mut(&key) else { return Err(GatewayError::Stopped) };
        let hash = match (record.update, &record.shared) {
            (Update::Whole, None) => record.hash,
            (Update::Patch, _) | (_, Some(_)) => draft.keyed_hash(&self.content),
        };
        let (body, identity) = draft.part();
        let identity = match identity {
            Some(identity) => {
                let key = match &record.subject {
                    Some(subject) => people.data_key(subject),
                    None => Some(&work.own_key),
                };
                let key = key.ok_or(GatewayError::Stopped)?;
                Some(
                    key.seal(&work.gateway.edge, &format!("{}/{number}", head.row.id), &identity)
                        .as_bytes()
                        .to_vec(),
                )
            }
            None => None,
        };
        self.versions.push(VersionRow {
            record_id: head.row.id.clone(),
            number,
            hash: hash.as_bytes().to_vec(),
            source_time: record.source_time.map(|time| time.to_string()),
            arrived_at: work.batch.received_at.clone(),
            batch_id: work.batch.id.clone(),
            feed: work.feed.name.clone(),
            unit: unit.ordinal,
            sheet: unit.place.sheet.as_deref().map(str::to_owned),
            line: i64::try_from(unit.place.line).ok(),
            path: unit.place.path.as_deref().map(str::to_owned),
            mapping_hash: work.feed.mapping.hash.to_vec(),
            body,
            identity,
        });
        head.is_dirty = true;
        head.row.last_number = number;
        head.row.absent_since = None;
        self.run_id.clone_into(&mut head.row.last_run);
        if !is_late {
            head.row.current_number = number;
            head.row.current_hash = hash.as_bytes().to_vec();
            head.row.current_source_time = record.source_time.map(|time| time.to_string());
            head.row.current_arrived_at.clone_from(&work.batch.received_at);
            head.row.current_unit = unit.ordinal;
            head.row.current_feed.clone_from(&work.feed.name);
            head.made = Some(draft);
        }
        Ok(change)
    }

    /// The draft that is current after a change, where it was made in this transaction.
    pub(super) fn made(&self, record: &RecordRead) -> Option<&Draft> {
        self.by_key.get(&(record.kind, record.key)).and_then(|head| head.made.as_deref())
    }

    /// Writes the heads that moved and the versions that came.
    pub(super) fn write(self, tx: &mut Tx) -> Result<(), StoreError> {
        let (mut new, mut moved) = (Vec::new(), Vec::new());
        for head in self.by_key.into_values() {
            match (head.is_new, head.is_dirty) {
                (true, _) => new.push(head.row),
                (false, true) => moved.push(head.row),
                (false, false) => {}
            }
        }
        new.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        moved.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        record::create(tx, &new)?;
        record::put(tx, &moved)?;
        version::append(tx, &self.versions)?;
        self.shared.write(tx)
    }
}

/// The draft of a record without what it takes away. A whole record is settled when it is read.
fn settled(record: &RecordRead) -> Cow<'_, Draft> {
    match record.update {
        Update::Whole => Cow::Borrowed(&record.draft),
        Update::Patch => {
            let mut draft = record.draft.clone();
            draft.settle();
            Cow::Owned(draft)
        }
    }
}

impl Head<'_> {
    fn found(row: RecordRow) -> Self {
        Self { row, is_new: false, is_dirty: false, history: Vec::new(), stored: None, made: None }
    }

    fn new(work: &Work<'_>, run_id: &str, people: &People<'_>, unit: &UnitRead, record: &RecordRead) -> Self {
        let row = RecordRow {
            id: RecordId::mint(&work.gateway.edge).to_string(),
            subject_id: record.subject.as_ref().and_then(|subject| people.id(subject)).map(str::to_owned),
            source: work.feed.source.clone(),
            feed: work.feed.name.clone(),
            kind: record.kind.as_str().to_owned(),
            key_hash: record.key.as_bytes().to_vec(),
            current_number: 1,
            last_number: 1,
            current_hash: record.hash.as_bytes().to_vec(),
            current_source_time: record.source_time.map(|time| time.to_string()),
            current_arrived_at: work.batch.received_at.clone(),
            current_unit: unit.ordinal,
            current_feed: work.feed.name.clone(),
            absent_since: None,
            last_run: run_id.to_owned(),
        };
        Self { row, is_new: true, is_dirty: true, history: Vec::new(), stored: None, made: None }
    }

    /// True if what is current is newer: by the source's own time where both have one, else by
    /// arrival, and within one file by order.
    fn is_older(&self, record: &RecordRead, received_at: &str, unit: i64) -> bool {
        let new = record.source_time.map(|time| time.to_string());
        match (&self.row.current_source_time, new) {
            (Some(current), Some(new)) if *current != new => new < *current,
            _ => (received_at, unit) < (self.row.current_arrived_at.as_str(), self.row.current_unit),
        }
    }

    /// True if the current version came from the batch that is being read (again).
    fn is_of_this_batch(&self, received_at: &str) -> bool {
        self.row.current_arrived_at == received_at
    }

    fn unchanged(&mut self) -> Change {
        match self.row.absent_since.take() {
            Some(_) => {
                self.is_dirty = true;
                Change::Returned
            }
            None => Change::Unchanged,
        }
    }

    /// The current version as a draft.
    fn current(
        &self,
        people: &People<'_>,
        record: &RecordRead,
        own_key: &DataKey,
    ) -> Result<Draft, GatewayError> {
        if let Some(made) = &self.made {
            return Ok(Draft::clone(made));
        }
        let unreadable = || StoreError::Unreadable { what: "record" };
        let stored = self.stored.as_ref().ok_or_else(unreadable)?;
        let key = match &record.subject {
            Some(subject) => people.data_key(subject).ok_or_else(unreadable)?,
            None => own_key,
        };
        let label = format!("{}/{}", stored.id, stored.number);
        let identity =
            stored.identity.as_ref().map(|sealed: &Sealed| key.unseal(&label, sealed)).transpose()?;
        let draft = typed::draft(schema::of(record.kind), &stored.body, identity.as_ref());
        Ok(draft.map_err(|_misfit| unreadable())?)
    }
}
