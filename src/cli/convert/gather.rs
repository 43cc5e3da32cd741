//! What is known of one person, gathered from all units of a file, so that a layout with a row a
//! person gets one row.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::base::private::{Convert, Grant};
use crate::mapping::{Made, Update};

/// A digest of whom or what a record is about, so that no id is held in the clear.
type Mark = [u8; 32];

/// Records by subject, in the order in which the subjects were first met.
#[derive(Default)]
pub(super) struct Gather {
    groups: Vec<Vec<Made>>,
    subjects: HashMap<Mark, usize>,
    records: HashMap<Mark, (usize, usize)>,
    held: usize,
}

impl Gather {
    /// Takes one record. One that was met before is replaced by the later state of the two, and a
    /// patch is laid over it.
    pub(super) fn take(&mut self, made: Made, grant: &Grant<Convert>) {
        let key = made.key.open(grant);
        let kind = made.kind.as_str();
        let subject = match &made.subject {
            Some(subject) => mark(&["subject", subject.open(grant)]),
            None => mark(&["none", kind, key]),
        };
        let record = mark(&[kind, key, made.subject.as_ref().map_or("", |subject| subject.open(grant))]);
        if let Some((group, index)) = self.records.get(&record)
            && let Some(known) = self.groups.get_mut(*group).and_then(|group| group.get_mut(*index))
        {
            return meet(known, made);
        }
        let group = *self.subjects.entry(subject).or_insert_with(|| {
            self.groups.push(Vec::new());
            self.groups.len() - 1
        });
        if let Some(records) = self.groups.get_mut(group) {
            self.records.insert(record, (group, records.len()));
            records.push(made);
            self.held += 1;
        }
    }

    /// True where no more may be held.
    pub(super) const fn is_full(&self, held_max: usize) -> bool {
        self.held >= held_max
    }

    /// Everything so far, a group a subject; nothing is held afterwards.
    pub(super) fn drain(&mut self) -> Vec<Vec<Made>> {
        let groups = std::mem::take(&mut self.groups);
        *self = Self::default();
        groups
    }
}

fn meet(known: &mut Made, made: Made) {
    let is_older = made.source_time < known.source_time;
    match (made.update, is_older) {
        (Update::Patch, false) => {
            known.draft.merge(&made.draft);
            known.source_time = made.source_time;
        }
        (Update::Patch, true) => {
            let mut under = made.draft;
            under.merge(&known.draft);
            known.draft = under;
        }
        (Update::Whole, false) => *known = made,
        (Update::Whole, true) => {}
    }
}

fn mark(parts: &[&str]) -> Mark {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().into()
}
