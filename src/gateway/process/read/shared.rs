//! By what else than its key a record is told that several feeds of a source tell.

use std::sync::Arc;

use crate::base::private::Private;
use crate::base::seal::{Hasher, IndexKey, KeyedHash};
use crate::mapping::Same;
use crate::mapping::compile::SameAs;
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::record::schema::{self, Holds};

/// By what a record is told that several feeds of a source tell.
pub(in crate::gateway::process) struct SharedRead {
    /// What tells it apart for each of them.
    pub(in crate::gateway::process) of: Arc<SameAs>,
    /// What it says of that.
    pub(in crate::gateway::process) same: Option<KeyedHash>,
    /// The key that it would have without its row's own id.
    pub(in crate::gateway::process) plain_key: Option<KeyedHash>,
    /// What its row says but for its days, where rows may have ids.
    pub(in crate::gateway::process) like: Option<KeyedHash>,
    /// It has something of its own that tells it apart further.
    pub(in crate::gateway::process) has_own: bool,
}

impl SharedRead {
    /// True if it may be asked which record it speaks of: where its key is the whole of it, it is not.
    pub(super) const fn may_be_asked(&self) -> bool {
        self.same.is_some() || self.like.is_some()
    }

    /// It is a row that could have an id and has none.
    pub(in crate::gateway::process) fn lacks_row_id(&self) -> bool {
        self.of.row_id.is_some() && self.plain_key.is_none()
    }
}

/// What they are hashed with.
pub(super) struct Hashers {
    same: Vec<(Kind, Hasher)>,
    like: Hasher,
}

impl Hashers {
    pub(super) fn new(index: &IndexKey, source: &str) -> Self {
        let of = |kind: &Kind| (*kind, index.hasher(&format!("record-same/{source}/{kind}")));
        Self {
            same: Kind::ALL.iter().map(of).collect(),
            like: index.hasher(&format!("record-like/{source}")),
        }
    }

    pub(super) fn read(
        &self,
        kind: Kind,
        subject: KeyedHash,
        told: &Same,
        plain_key: Option<KeyedHash>,
        draft: &Draft,
    ) -> SharedRead {
        let hash = |text: &Private<String>| {
            let hasher =
                self.same.iter().find(|(of, _)| *of == kind).map_or(&self.like, |(_, hasher)| hasher);
            let text = hasher.private([text]);
            hasher.hash([subject.as_bytes().as_slice(), text.as_bytes()])
        };
        let is_timeless = |(name, _): &&(&'static str, Draft)| {
            schema::of(kind).field(name).is_none_or(|field| !matches!(field.holds, Holds::Day))
        };
        SharedRead {
            of: Arc::clone(&told.of),
            same: told.text.as_ref().map(hash),
            plain_key,
            like: told.of.row_id.as_ref().map(|_| {
                let words = draft.fields().iter().filter(is_timeless).cloned().collect();
                let words = Draft::Fields(words).keyed_hash(&self.like);
                self.like.hash([kind.as_str().as_bytes(), subject.as_bytes().as_slice(), words.as_bytes()])
            }),
            has_own: told.has_own,
        }
    }
}
