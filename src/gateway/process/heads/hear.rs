//! What each feed says of a record that several of them tell.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::Heads;
use super::shared::Shared;
use crate::base::seal::{DataKey, KeyedHash, Sealed};
use crate::gateway::GatewayError;
use crate::gateway::process::Work;
use crate::gateway::process::people::People;
use crate::gateway::process::read::{RecordRead, SharedRead, UnitRead};
use crate::mapping::Update;
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::record::saying::{Said, Saying, together};
use crate::record::{schema, typed};
use crate::store::StoreError;
use crate::store::record::RecordRow;
use crate::store::record_key::RecordKey;
use crate::store::saying::SayingRow;

/// What one feed says of a record.
pub(super) struct Held {
    pub(super) row: SayingRow,
    /// Once it is opened.
    words: Option<Saying>,
    is_dirty: bool,
}

impl Held {
    /// As it was kept.
    pub(super) const fn kept(row: SayingRow) -> Self {
        Self { row, words: None, is_dirty: false }
    }

    /// Nothing yet.
    fn new(record_id: &str, feed: &str) -> Self {
        let row = SayingRow {
            record_id: record_id.to_owned(),
            feed: feed.to_owned(),
            key_hash: Vec::new(),
            same_hash: None,
            like_hash: None,
            has_own: false,
            hash: Vec::new(),
            source_time: None,
            arrived_at: String::new(),
            batch_id: String::new(),
            unit: 0,
            body: String::new(),
            identity: None,
            times: String::new(),
        };
        Self { row, words: Some(Saying::default()), is_dirty: false }
    }

    /// What the current version of a record says, of which it was not heard who said what.
    fn of_current(row: &RecordRow) -> Self {
        let mut held = Self::new(&row.id, &row.current_feed);
        held.row.key_hash.clone_from(&row.key_hash);
        held.row.hash.clone_from(&row.current_hash);
        held.row.source_time.clone_from(&row.current_source_time);
        held.row.arrived_at.clone_from(&row.current_arrived_at);
        held.row.unit = row.current_unit;
        held
    }

    /// When it last said anything.
    fn last(&self) -> Said {
        let SayingRow { source_time, arrived_at, unit, .. } = &self.row;
        Said { source: source_time.clone(), arrived: arrived_at.clone(), unit: *unit }
    }

    /// True if a record says what it said last, by the same key.
    pub(super) fn says_again(&self, record: &RecordRead, shared: &SharedRead) -> bool {
        self.row.hash == record.hash.as_bytes()
            && self.row.key_hash == record.key.as_bytes()
            && self.row.same_hash.as_deref() == shared.same.as_ref().map(|hash| hash.as_bytes().as_slice())
            && (self.row.has_own || !shared.has_own)
    }

    /// What is to be written, where it has changed.
    pub(super) fn changed(self) -> Option<SayingRow> {
        self.is_dirty.then_some(self.row)
    }

    fn open(&mut self, key: &DataKey, kind: Kind) -> Result<(), StoreError> {
        if self.words.is_some() {
            return Ok(());
        }
        let unreadable = || StoreError::Unreadable { what: "record" };
        let label = format!("{}/{}", self.row.record_id, self.row.feed);
        let identity = self.row.identity.clone().map(Sealed::from_bytes);
        let identity =
            identity.map(|sealed| key.unseal(&label, &sealed)).transpose().map_err(|_sealed| unreadable())?;
        let schema = schema::of(kind);
        let draft =
            typed::draft(schema, &self.row.body, identity.as_ref()).map_err(|_misfit| unreadable())?;
        let times = serde_json::from_str(&self.row.times).map_err(|_json| unreadable())?;
        self.words = Some(Saying::kept(schema, self.row.has_own, &draft, times));
        Ok(())
    }
}

impl Shared {
    /// What the feeds say together of a record. They are open.
    pub(super) fn together(&self, kind: Kind, told_by: &[&'static str], id: &str) -> Draft {
        let sayings = self.sayings.get(id).into_iter().flatten();
        let open: BTreeMap<&str, &Saying> =
            sayings.filter_map(|(feed, held)| Some((feed.as_str(), held.words.as_ref()?))).collect();
        together(kind, told_by, &open)
    }

    /// Tells a record by something else too.
    fn add_key(&mut self, hash: KeyedHash, id: &str) {
        let of = self.keys.entry(hash).or_default();
        if of.insert(id.to_owned()) {
            self.new_keys.insert(RecordKey { key_hash: hash.as_bytes().to_vec(), record_id: id.to_owned() });
        }
    }
}

impl Heads<'_, '_> {
    /// Opens what the feeds say of a record, and takes in what is current by another way: told by a
    /// feed whose mapping does not say that others tell it too.
    pub(super) fn open(
        &mut self,
        people: &People<'_>,
        record: &RecordRead,
        shared: &SharedRead,
        id: &str,
    ) -> Result<(), GatewayError> {
        let key = data_key(self.work, people, record)?;
        for held in self.shared.sayings.entry(id.to_owned()).or_default().values_mut() {
            held.open(key, record.kind)?;
        }
        let known = self.shared.together(record.kind, &shared.of.fields, id);
        let Some(head) = self.head(id) else { return Err(GatewayError::Stopped) };
        if head.row.current_hash == known.keyed_hash(&self.content).as_bytes() {
            return Ok(());
        }
        let current = head.current(people, record, &self.work.own_key)?;
        let held = Held::of_current(&head.row);
        let sayings = self.shared.sayings.entry(id.to_owned()).or_default();
        let held = sayings.entry(held.row.feed.clone()).or_insert(held);
        let said = held.last();
        held.words.get_or_insert_default().overlay(&current, &known, &said);
        held.is_dirty = true;
        Ok(())
    }

    /// What this feed says now of a record. True if it said something newer before, so that this is
    /// history.
    pub(super) fn hear(
        &mut self,
        unit: &UnitRead,
        record: &RecordRead,
        shared: &SharedRead,
        (id, key): (&str, (Kind, KeyedHash)),
    ) -> bool {
        let (feed, batch) = (&self.work.feed.name, &self.work.batch);
        let said = Said {
            source: record.source_time.map(|time| time.to_string()),
            arrived: batch.received_at.clone(),
            unit: unit.ordinal,
        };
        if let Some(same) = shared.same {
            self.shared.add_key(same, id);
        }
        if record.key != key.1 {
            self.shared.add_key(record.key, id);
        }
        let held = self.shared.sayings.entry(id.to_owned()).or_default();
        let held = held.entry(feed.clone()).or_insert_with(|| Held::new(id, feed));
        let is_late = held.last().is_after(&said);
        if is_late && record.update == Update::Whole {
            return true;
        }
        let words = held.words.get_or_insert_default();
        match record.update {
            Update::Whole => words.tell_whole(&record.draft, &said),
            Update::Patch => words.tell_patch(&record.draft, &said),
        }
        words.has_own |= shared.has_own;
        held.row.has_own = words.has_own;
        held.is_dirty = true;
        if !is_late {
            held.row.key_hash = record.key.as_bytes().to_vec();
            held.row.same_hash = shared.same.map(|hash| hash.as_bytes().to_vec());
            held.row.like_hash = shared.like.filter(|_| shared.has_own).map(|hash| hash.as_bytes().to_vec());
            held.row.hash = record.hash.as_bytes().to_vec();
            held.row.source_time = said.source;
            held.row.arrived_at = said.arrived;
            held.row.unit = said.unit;
            held.row.batch_id.clone_from(&batch.id);
        }
        false
    }

    /// Makes what feeds say of a record ready to be written.
    pub(super) fn settle(
        &mut self,
        people: &People<'_>,
        record: &RecordRead,
        id: &str,
    ) -> Result<(), GatewayError> {
        let work = self.work;
        let key = data_key(work, people, record)?;
        for held in self.shared.sayings.entry(id.to_owned()).or_default().values_mut() {
            let Some(words) = held.words.as_ref().filter(|_| held.is_dirty) else { continue };
            let (body, identity) = words.draft().part();
            let label = format!("{}/{}", held.row.record_id, held.row.feed);
            held.row.body = body;
            held.row.identity =
                identity.map(|identity| key.seal(&work.gateway.edge, &label, &identity).as_bytes().to_vec());
            // Texts and numbers always become JSON.
            held.row.times = serde_json::to_string(&words.times()).unwrap_or_default();
        }
        Ok(())
    }

    /// Records that turn out to be this one, told by feeds that tell it by nothing of their own. They
    /// are no longer there, and what was said of them is said of this one. True if there were any.
    pub(super) fn join_others(
        &mut self,
        people: &People<'_>,
        record: &RecordRead,
        shared: &SharedRead,
        id: &str,
    ) -> Result<bool, GatewayError> {
        let others = self.told_alike(people, record, shared);
        let others: BTreeSet<String> =
            others.into_iter().filter(|other| other != id && !self.shared.is_claimed(other)).collect();
        for other in &others {
            self.open(people, record, shared, other)?;
            for (feed, mut theirs) in self.shared.sayings.remove(other).unwrap_or_default() {
                theirs.is_dirty = true;
                theirs.row.record_id.replace_range(.., id);
                match self.shared.sayings.entry(id.to_owned()).or_default().entry(feed) {
                    Entry::Vacant(entry) => {
                        entry.insert(theirs);
                    }
                    Entry::Occupied(mut entry) => {
                        let own = entry.get_mut();
                        let words = theirs.words.take().unwrap_or_default();
                        own.words.get_or_insert_default().join(words);
                        own.is_dirty = true;
                    }
                }
            }
            for told in self.shared.keys.values_mut() {
                if told.remove(other) {
                    told.insert(id.to_owned());
                }
            }
            let Some(key) = self.shared.heads.get(other).copied() else { continue };
            if let Some(head) = self.by_key.get_mut(&key) {
                head.row.absent_since = Some(self.work.batch.id.clone());
                self.run_id.clone_into(&mut head.row.last_run);
                head.is_dirty = true;
            }
            self.shared.add_key(key.1, id);
            self.shared.joined.insert(other.clone(), id.to_owned());
        }
        Ok(!others.is_empty())
    }
}

/// What seals the half of a record that identifies.
fn data_key<'k>(
    work: &'k Work<'_>,
    people: &'k People<'_>,
    record: &RecordRead,
) -> Result<&'k DataKey, GatewayError> {
    let key = match &record.subject {
        Some(subject) => people.data_key(subject),
        None => Some(&work.own_key),
    };
    key.ok_or(GatewayError::Stopped)
}
