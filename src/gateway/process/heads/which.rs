//! Which record a unit speaks of, where several feeds of a source tell it.
//!
//! A key that was seen before says it. Else it is one that is told alike, by the fields that tell it
//! apart for every feed, unless both have something of their own that differs, such as two rows' own
//! ids: then the sender says that they are two. Where several come into question, or the only one has
//! been corrected and says something else, nobody but the sender can know: that is asked, not guessed.

use std::collections::BTreeSet;

use super::Heads;
use super::shared::Shared;
use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::base::seal::KeyedHash;
use crate::gateway::GatewayError;
use crate::gateway::process::people::People;
use crate::gateway::process::read::{RecordRead, SharedRead, UnitRead};
use crate::mapping::Update;
use crate::record::kind::Kind;
use crate::record::saying::contradiction;

/// Which record it is.
pub(super) enum Which {
    /// One that nobody has told.
    New,
    /// Another than one that is told alike.
    Twin,
    /// This one.
    Known(String),
}

/// What is to be asked of the sender.
enum Question {
    /// Another row of the file speaks of the same.
    Again,
    /// Several records come into question.
    Several,
    /// The one that was told so was corrected, and says something else in this field.
    Corrected,
    /// It differs from a row with an id only in its days.
    NoId,
}

impl Shared {
    /// True if a feed tells it by something of its own.
    pub(super) fn is_claimed(&self, id: &str) -> bool {
        self.sayings.get(id).is_some_and(|sayings| sayings.values().any(|held| held.row.has_own))
    }

    /// True if it is told so now: by those who have something of their own, where there are any.
    fn is_told_now(&self, id: &str, same: KeyedHash) -> bool {
        let is_claimed = self.is_claimed(id);
        let sayings = self.sayings.get(id).into_iter().flatten().map(|(_, held)| &held.row);
        sayings
            .filter(|row| row.has_own || !is_claimed)
            .any(|row| row.same_hash.as_deref() == Some(same.as_bytes().as_slice()))
    }
}

impl Heads<'_, '_> {
    /// Finds out which records a unit speaks of, before any of them is touched. `is_held` says whether
    /// the file has brought a key already. Gives what is worth a remark.
    ///
    /// # Errors
    /// Where the store or the machine fails. Inside, what is to be asked of the sender.
    pub(in crate::gateway::process) fn ask(
        &mut self,
        people: &People<'_>,
        unit: &UnitRead,
        records: &[&RecordRead],
        is_held: &dyn Fn(KeyedHash) -> bool,
    ) -> Result<Result<Vec<Finding>, Finding>, GatewayError> {
        let mut remarks = Vec::new();
        for record in records {
            let Some(shared) = record.shared.as_deref().filter(|_| !self.same.contains(&record.key)) else {
                continue;
            };
            match self.which(people, record, shared, is_held)? {
                Err(question) => return Ok(Err(asked(unit, record, shared, &question))),
                Ok(which) => {
                    if matches!(which, Which::Twin) {
                        remarks.push(twin(unit, record, shared));
                    }
                    self.shared.which.insert((record.kind, record.key), which);
                }
            }
        }
        Ok(Ok(remarks))
    }

    fn which(
        &mut self,
        people: &People<'_>,
        record: &RecordRead,
        shared: &SharedRead,
        is_held: &dyn Fn(KeyedHash) -> bool,
    ) -> Result<Result<Which, Question>, GatewayError> {
        if let Some(id) = self.told_by_key(record.kind, record.key) {
            return Ok(self.known(id, record, is_held));
        }
        let alike = self.told_alike(people, record, shared);
        let (claimed, free): (Vec<String>, Vec<String>) =
            alike.into_iter().partition(|id| self.shared.is_claimed(id));
        if let Some(id) = free.first() {
            return Ok(self.known(id, record, is_held));
        }
        let is_now = |id: &&String| shared.same.is_some_and(|same| self.shared.is_told_now(id, same));
        let now: Vec<String> = claimed.iter().filter(is_now).cloned().collect();
        if shared.has_own {
            return Ok(Ok(if now.is_empty() { Which::New } else { Which::Twin }));
        }
        match (now.as_slice(), claimed.as_slice()) {
            ([id], _) => Ok(self.known(id, record, is_held)),
            ([], [id]) if self.contradicts(people, record, shared, id)? => Ok(Err(Question::Corrected)),
            ([], [id]) => Ok(self.known(id, record, is_held)),
            ([], []) => {
                let is_like = shared.like.is_some_and(|like| self.shared.likes.contains(&like));
                Ok(if shared.lacks_row_id() && is_like { Err(Question::NoId) } else { Ok(Which::New) })
            }
            _ => Ok(Err(Question::Several)),
        }
    }

    /// It is this one, unless the same file has spoken of it by another key.
    fn known(
        &self,
        id: &str,
        record: &RecordRead,
        is_held: &dyn Fn(KeyedHash) -> bool,
    ) -> Result<Which, Question> {
        let held = self.shared.sayings.get(id).and_then(|sayings| sayings.get(&self.work.feed.name));
        let last = held.and_then(|held| KeyedHash::from_slice(&held.row.key_hash));
        match last {
            Some(last) if record.update == Update::Whole && last != record.key && is_held(last) => {
                Err(Question::Again)
            }
            _ => Ok(Which::Known(id.to_owned())),
        }
    }

    fn contradicts(
        &mut self,
        people: &People<'_>,
        record: &RecordRead,
        shared: &SharedRead,
        id: &str,
    ) -> Result<bool, GatewayError> {
        self.open(people, record, shared, id)?;
        let current = self.shared.together(record.kind, &shared.of.fields, id);
        Ok(contradiction(&record.draft, &current, &shared.of.fields).is_some())
    }

    /// The record that is told by this key.
    pub(super) fn told_by_key(&self, kind: Kind, key: KeyedHash) -> Option<&str> {
        let other = self.shared.keys.get(&key).and_then(BTreeSet::first);
        let first = || self.by_key.get(&(kind, key)).map(|head| &head.row.id);
        other.or_else(first).map(String::as_str)
    }

    /// The records of the same person that are told alike.
    pub(super) fn told_alike(
        &self,
        people: &People<'_>,
        record: &RecordRead,
        shared: &SharedRead,
    ) -> BTreeSet<String> {
        let subject = record.subject.as_ref().and_then(|subject| people.id(subject));
        let alike = shared.same.and_then(|same| self.shared.keys.get(&same)).into_iter().flatten();
        let plain = shared.plain_key.and_then(|key| self.told_by_key(record.kind, key));
        let all = alike.map(String::as_str).chain(plain);
        let is_of_them = |id: &&str| {
            self.head(id).is_some_and(|head| head.row.subject_id.as_deref() == subject && subject.is_some())
        };
        all.filter(is_of_them).map(str::to_owned).collect()
    }

    /// Every record that it may come to speak of.
    pub(super) fn told_by_any(&self, record: &RecordRead, shared: &SharedRead) -> Vec<String> {
        let alike = shared.same.and_then(|same| self.shared.keys.get(&same)).into_iter().flatten();
        let keys = [Some(record.key), shared.plain_key].into_iter().flatten();
        let by_key = keys.filter_map(|key| self.told_by_key(record.kind, key));
        alike.map(String::as_str).chain(by_key).map(str::to_owned).collect()
    }
}

/// The question in the sender's words.
fn asked(unit: &UnitRead, record: &RecordRead, shared: &SharedRead, question: &Question) -> Finding {
    let (kind, columns) = (record.kind, columns(shared));
    let (code, expected) = match question {
        Question::Again => (
            Code::RecordInDoubt,
            format!("expected one row for this {kind}: another row of this file says the same in {columns}"),
        ),
        Question::Several => (
            Code::RecordInDoubt,
            format!("expected to know which {kind} this is: several say the same in {columns}"),
        ),
        Question::Corrected => (
            Code::RecordInDoubt,
            format!(
                "expected to know which {kind} this is: the only one that said so in {columns} has been corrected since, and says something else"
            ),
        ),
        Question::NoId => {
            let expected = format!(
                "expected the row's own id: without it the row differs only in its days from a {kind} that an earlier row with an id told"
            );
            let column = shared.of.row_id.as_deref().unwrap_or_default();
            return Finding::new(Code::MapRowWithoutId, origin(unit, column), expected);
        }
    };
    let column = shared.of.columns.first().map_or("", String::as_str);
    Finding::new(code, origin(unit, column), expected)
}

fn twin(unit: &UnitRead, record: &RecordRead, shared: &SharedRead) -> Finding {
    let expected = format!(
        "expected one row for this {}: another with an id of its own says the same in {}",
        record.kind,
        columns(shared)
    );
    let column = shared.of.columns.first().map_or("", String::as_str);
    Finding::new(Code::RecordTwin, origin(unit, column), expected)
}

fn columns(shared: &SharedRead) -> String {
    let named: Vec<String> = shared.of.columns.iter().map(|column| format!("`{column}`")).collect();
    match named.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => "its key".to_owned(),
    }
}

fn origin(unit: &UnitRead, column: &str) -> Origin {
    let origin = unit.place.origin(&Origin::default());
    match &unit.place.path {
        Some(path) => origin.at_path(&format!("{path}/{column}")),
        None => origin.in_column(column),
    }
}
