//! Records that several feeds of a source tell: a star that an event told and that a row of the
//! workbook tells too is one record. Each feed's own word is kept ([`saying`](crate::record::saying)),
//! and what is current is what they say together.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::hear::Held;
use super::which::Which;
use super::{Change, Head, Heads, Put, settled};
use crate::base::seal::KeyedHash;
use crate::gateway::GatewayError;
use crate::gateway::process::people::People;
use crate::gateway::process::read::{RecordRead, SharedRead, UnitRead};
use crate::mapping::{Snapshot, Update};
use crate::record::kind::Kind;
use crate::store::record_key::{self, RecordKey};
use crate::store::{StoreError, Tx, record, saying, version};

/// What is known of such records in one transaction.
#[derive(Default)]
pub(super) struct Shared {
    /// Records by what else they are told by than the key they were first seen under.
    pub(super) keys: BTreeMap<KeyedHash, BTreeSet<String>>,
    pub(super) new_keys: BTreeSet<RecordKey>,
    /// Where each record's head stands.
    pub(super) heads: BTreeMap<String, (Kind, KeyedHash)>,
    pub(super) sayings: BTreeMap<String, BTreeMap<String, Held>>,
    /// What rows with an id say but for their days.
    pub(super) likes: HashSet<KeyedHash>,
    /// Which record each of the unit at hand speaks of.
    pub(super) which: HashMap<(Kind, KeyedHash), Which>,
    /// Records that turned out to be others, and those.
    pub(super) joined: BTreeMap<String, String>,
}

impl<'u> Heads<'_, 'u> {
    /// Looks up what the units say of records that other feeds tell too, in a few queries.
    pub(super) fn load_shared(
        &mut self,
        tx: &mut Tx,
        taken: &[(&UnitRead, Vec<&RecordRead>)],
    ) -> Result<(), GatewayError> {
        let records = taken.iter().flat_map(|(_, records)| records);
        let told: Vec<(&RecordRead, &SharedRead)> =
            records.filter_map(|record| Some((*record, record.shared.as_deref()?))).collect();
        if told.is_empty() {
            return Ok(());
        }
        self.load_told(tx, &told)?;
        let likes: BTreeSet<KeyedHash> = told
            .iter()
            .filter(|(_, shared)| shared.lacks_row_id())
            .filter_map(|(_, shared)| shared.like)
            .collect();
        let likes: Vec<KeyedHash> = likes.into_iter().collect();
        let found = saying::find_like(tx, &likes)?;
        self.shared.likes.extend(found.iter().filter_map(|hash| KeyedHash::from_slice(hash)));
        let (known, changing): (Vec<_>, Vec<_>) =
            told.into_iter().partition(|(record, shared)| self.is_said(record, shared));
        self.same.extend(known.iter().map(|(record, _)| record.key));
        changing.iter().for_each(|(record, _)| {
            self.same.remove(&record.key);
        });
        let ids: BTreeSet<String> =
            changing.iter().flat_map(|(record, shared)| self.told_by_any(record, shared)).collect();
        let ids: Vec<String> = ids.into_iter().collect();
        for current in record::find_current(tx, &ids)? {
            let head = self.shared.heads.get(&current.id).and_then(|key| self.by_key.get_mut(key));
            if let Some(head) = head {
                head.stored = Some(current);
            }
        }
        for version in version::list_heads(tx, &ids)? {
            let head = self.shared.heads.get(&version.record_id).and_then(|key| self.by_key.get_mut(key));
            if let Some(head) = head {
                head.history.push(version);
            }
        }
        Ok(())
    }

    /// The heads of the records spoken of, whatever they are told by, and what the feeds say of them.
    fn load_told(&mut self, tx: &mut Tx, told: &[(&RecordRead, &SharedRead)]) -> Result<(), GatewayError> {
        let mut hashes = BTreeSet::new();
        let mut keys: BTreeMap<Kind, BTreeSet<KeyedHash>> = BTreeMap::new();
        for (record, shared) in told {
            let own = [Some(record.key), shared.plain_key];
            keys.entry(record.kind).or_default().extend(own.into_iter().flatten());
            hashes.extend(own.into_iter().chain([shared.same]).flatten());
        }
        let hashes: Vec<KeyedHash> = hashes.into_iter().collect();
        for row in record_key::find(tx, &hashes)? {
            if let Some(hash) = KeyedHash::from_slice(&row.key_hash) {
                self.shared.keys.entry(hash).or_default().insert(row.record_id);
            }
        }
        let mut rows = Vec::new();
        for (kind, keys) in keys {
            let keys: Vec<KeyedHash> = keys.into_iter().collect();
            rows.extend(record::find_by_keys(tx, &self.work.feed.source, kind.as_str(), &keys)?);
        }
        let ids: BTreeSet<String> = self.shared.keys.values().flatten().cloned().collect();
        let ids: Vec<String> = ids.into_iter().collect();
        rows.extend(record::find(tx, &ids)?);
        for row in rows {
            if let (Some(key), Ok(kind)) = (KeyedHash::from_slice(&row.key_hash), row.kind.parse::<Kind>()) {
                self.shared.heads.insert(row.id.clone(), (kind, key));
                self.by_key.entry((kind, key)).or_insert_with(|| Head::found(row));
            }
        }
        let ids: Vec<String> = self.shared.heads.keys().cloned().collect();
        for row in saying::list(tx, &ids)? {
            let of = self.shared.sayings.entry(row.record_id.clone()).or_default();
            of.insert(row.feed.clone(), Held::kept(row));
        }
        Ok(())
    }

    /// True if this feed said the same last, by the same key, and nothing else has to be noted.
    fn is_said(&self, record: &RecordRead, shared: &SharedRead) -> bool {
        let feed = &self.work.feed.name;
        let Some(id) = self.told_by_key(record.kind, record.key) else { return false };
        let Some(head) = self.head(id) else { return false };
        let Some(held) = self.shared.sayings.get(id).and_then(|sayings| sayings.get(feed)) else {
            return false;
        };
        let is_settled = head.row.absent_since.is_none()
            && (self.work.feed.mapping.snapshot != Snapshot::Full || head.row.feed == *feed);
        is_settled && record.update == Update::Whole && held.says_again(record, shared)
    }

    pub(super) fn head(&self, id: &str) -> Option<&Head<'u>> {
        self.shared.heads.get(id).and_then(|key| self.by_key.get(key))
    }

    /// Takes a record that other feeds tell too.
    pub(super) fn take_shared(
        &mut self,
        people: &People<'_>,
        unit: &UnitRead,
        record: &'u RecordRead,
        shared: &SharedRead,
    ) -> Result<Change, GatewayError> {
        let known = match self.shared.which.remove(&(record.kind, record.key)) {
            Some(Which::Known(id)) => id,
            Some(Which::New | Which::Twin) | None => return self.begin(people, unit, record, shared),
        };
        let key = *self.shared.heads.get(&known).ok_or(GatewayError::Stopped)?;
        self.adopt(key, record);
        self.open(people, record, shared, &known)?;
        let is_joined = shared.has_own && self.join_others(people, record, shared, &known)?;
        let is_late = self.hear(unit, record, shared, (&known, key));
        let draft = self.shared.together(record.kind, &shared.of.fields, &known);
        self.settle(people, record, &known)?;
        let hash = draft.keyed_hash(&self.content);
        let (batch, content_hash) = (&self.work.batch, record.hash.as_bytes().as_slice());
        let head = self.by_key.get_mut(&key).ok_or(GatewayError::Stopped)?;
        let number = head.row.last_number + 1;
        let is_current = head.row.current_hash.as_slice() == hash.as_bytes().as_slice();
        let is_history = |version: &version::VersionHead| {
            version.hash == content_hash || (version.batch_id == batch.id && version.unit == unit.ordinal)
        };
        match (is_late, is_current) {
            (true, _) if !head.history.iter().any(is_history) => {
                let put = Put { key, number, change: Change::Changed, is_late };
                self.put(people, unit, record, settled(record), put)
            }
            (false, false) => {
                let put = Put { key, number, change: Change::Changed, is_late };
                self.put(people, unit, record, Cow::Owned(draft), put)
            }
            _ if is_joined => {
                head.unchanged();
                Ok(Change::Changed)
            }
            _ => Ok(head.unchanged()),
        }
    }

    /// A record that nobody has told.
    fn begin(
        &mut self,
        people: &People<'_>,
        unit: &UnitRead,
        record: &'u RecordRead,
        shared: &SharedRead,
    ) -> Result<Change, GatewayError> {
        let key = (record.kind, record.key);
        let head = Head::new(self.work, self.run_id, people, unit, record);
        let id = head.row.id.clone();
        self.shared.heads.insert(id.clone(), key);
        self.by_key.insert(key, head);
        self.hear(unit, record, shared, (&id, key));
        self.settle(people, record, &id)?;
        let put = Put { key, number: 1, change: Change::New, is_late: false };
        self.put(people, unit, record, settled(record), put)
    }

    /// A full file says from now on whether the record is there.
    fn adopt(&mut self, key: (Kind, KeyedHash), record: &RecordRead) {
        let feed = self.work.feed;
        let is_full = record.update == Update::Whole && feed.mapping.snapshot == Snapshot::Full;
        if let Some(head) = self.by_key.get_mut(&key).filter(|head| is_full && head.row.feed != feed.name) {
            head.row.feed.clone_from(&feed.name);
            head.is_dirty = true;
        }
    }
}

impl Shared {
    /// Writes down what the feeds say now, and by what else records are told.
    pub(super) fn write(self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut keys = self.new_keys;
        if !self.joined.is_empty() {
            let gone: Vec<String> = self.joined.keys().cloned().collect();
            keys.extend(record_key::list(tx, &gone)?);
            record_key::remove(tx, &gone)?;
            saying::remove(tx, &gone)?;
        }
        let into = |row: RecordKey| match self.joined.get(&row.record_id) {
            Some(id) => RecordKey { record_id: id.clone(), ..row },
            None => row,
        };
        let keys: BTreeSet<RecordKey> = keys.into_iter().map(into).collect();
        record_key::add(tx, &keys.into_iter().collect::<Vec<_>>())?;
        let held = self.sayings.into_values().flat_map(BTreeMap::into_values);
        saying::put(tx, &held.filter_map(Held::changed).collect::<Vec<_>>())
    }
}
