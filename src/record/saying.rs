//! What one feed says of a record that several feeds of a source tell, and what they say together.
//!
//! Of each field it is kept when that feed last said something else of it. Together they say of a
//! field what was said of it last, whichever feed that was: so what one adds is not lost when another
//! speaks, a word that is taken back is gone, and a feed that only says again what it said takes
//! nothing back. What they say together follows from what each says and not from the order in which
//! it was read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::record::schema::Schema;

/// When something was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The source's own time.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it arrived.
    #[serde(rename = "a")]
    pub arrived: String,
    /// The ordinal of its unit in what arrived.
    #[serde(rename = "u")]
    pub unit: i64,
}

impl Said {
    /// True if it was said later: by the source's own time where both have one, else by arrival, and
    /// within one file by order.
    #[must_use]
    pub fn is_after(&self, other: &Self) -> bool {
        match (&self.source, &other.source) {
            (Some(own), Some(theirs)) if own != theirs => own > theirs,
            _ => (&self.arrived, self.unit) > (&other.arrived, other.unit),
        }
    }
}

/// What one feed says of a record.
#[derive(Clone, Default)]
pub struct Saying {
    /// It tells the record by something of its own, such as a row's own id, so that it may correct
    /// what others tell it by.
    pub has_own: bool,
    /// What it last said of each field, and when it said something else; `Draft::Null` for what it
    /// took back.
    words: BTreeMap<&'static str, (Draft, Said)>,
}

impl Saying {
    /// A whole record: what it said of other fields before is taken back.
    pub fn tell_whole(&mut self, draft: &Draft, said: &Said) {
        for (name, leaf) in draft.fields() {
            let is_known = self.words.get(name).is_some_and(|(word, _)| word.is_same(leaf));
            if !is_known {
                self.words.insert(*name, (leaf.clone(), said.clone()));
            }
        }
        for (name, (word, when)) in &mut self.words {
            if draft.find(name).is_none() && !matches!(word, Draft::Null) {
                (*word, *when) = (Draft::Null, said.clone());
            }
        }
    }

    /// A patch: what it does not name stays. The same word counts anew only where the source itself
    /// says that it was said later.
    pub fn tell_patch(&mut self, patch: &Draft, said: &Said) {
        for (name, leaf) in patch.fields() {
            self.word(name, leaf.clone(), said.clone());
        }
    }

    fn word(&mut self, name: &'static str, leaf: Draft, said: Said) {
        let is_older = self.words.get(name).is_some_and(|(word, when)| {
            when.is_after(&said)
                || (word.is_same(&leaf) && (said.source.is_none() || said.source == when.source))
        });
        if !is_older {
            self.words.insert(name, (leaf, said));
        }
    }

    /// Takes in what the same feed said of a record that was found to be this one.
    pub fn join(&mut self, other: Self) {
        self.has_own |= other.has_own;
        for (name, (leaf, said)) in other.words {
            self.word(name, leaf, said);
        }
    }

    /// Takes in what is known by another way than by what feeds were heard to say.
    pub fn overlay(&mut self, known: &Draft, together: &Draft, said: &Said) {
        for (name, leaf) in known.fields() {
            if !together.find(name).is_some_and(|word| word.is_same(leaf)) {
                self.words.insert(*name, (leaf.clone(), said.clone()));
            }
        }
        for (name, _) in together.fields().iter().filter(|(name, _)| known.find(name).is_none()) {
            self.words.insert(*name, (Draft::Null, said.clone()));
        }
    }

    /// What it says now, without what it took back.
    #[must_use]
    pub fn draft(&self) -> Draft {
        let words = self.words.iter().filter(|(_, (word, _))| !matches!(word, Draft::Null));
        Draft::Fields(words.map(|(name, (word, _))| (*name, word.clone())).collect())
    }

    /// When it last said something else of each field: all that is kept of it beside the draft.
    #[must_use]
    pub fn times(&self) -> BTreeMap<String, Said> {
        self.words.iter().map(|(name, (_, said))| ((*name).to_owned(), said.clone())).collect()
    }

    /// It again, as it was kept.
    #[must_use]
    pub fn kept(schema: &Schema, has_own: bool, draft: &Draft, times: BTreeMap<String, Said>) -> Self {
        let words = times.into_iter().filter_map(|(name, said)| {
            let name = schema.field(&name)?.name;
            Some((name, (draft.find(name).cloned().unwrap_or(Draft::Null), said)))
        });
        Self { has_own, words: words.collect() }
    }

    fn says(&self, name: &str) -> Option<&(Draft, Said)> {
        self.words.get(name)
    }
}

/// What the feeds of a source say together of one record. In the fields by which they tell it, whoever
/// tells it by something of its own comes before the others: these name it by what stood there once.
#[must_use]
pub fn together(kind: Kind, told_by: &[&'static str], sayings: &BTreeMap<&str, &Saying>) -> Draft {
    let edition = edition(kind, told_by, sayings);
    let mut names: Vec<&'static str> =
        sayings.values().flat_map(|saying| saying.words.keys().copied()).collect();
    names.sort_unstable();
    names.dedup();
    let word = |name: &'static str| {
        let said = |own: bool| {
            let heard = sayings.values().filter(|saying| !own || saying.has_own);
            last(
                heard
                    .filter(|saying| is_of(saying, edition.as_deref()))
                    .filter_map(|saying| saying.says(name)),
            )
        };
        let own = told_by.contains(&name).then(|| said(true)).flatten();
        own.filter(|word| !matches!(word, Draft::Null)).or_else(|| said(false))
    };
    let words = names.into_iter().filter_map(|name| Some((name, word(name)?.clone())));
    Draft::Fields(words.filter(|(_, word)| !matches!(word, Draft::Null)).collect())
}

fn last<'s>(words: impl Iterator<Item = &'s (Draft, Said)>) -> Option<&'s Draft> {
    let mut newest: Option<&(Draft, Said)> = None;
    for word in words {
        if newest.is_none_or(|newest| word.1.is_after(&newest.1)) {
            newest = Some(word);
        }
    }
    newest.map(|(word, _)| word)
}

const EDITION: &str = "edition";

/// The edition of a Recovery Star: editions never mix, so what was said of another is left out.
fn edition(kind: Kind, told_by: &[&'static str], sayings: &BTreeMap<&str, &Saying>) -> Option<String> {
    if kind != Kind::Star || !told_by.contains(&EDITION) {
        return None;
    }
    let of = |own: bool| last(sayings.values().filter(|s| !own || s.has_own).filter_map(|s| s.says(EDITION)));
    of(true).or_else(|| of(false)).and_then(Draft::text).map(str::to_owned)
}

fn is_of(saying: &Saying, edition: Option<&str>) -> bool {
    let Some(edition) = edition else { return true };
    saying.says(EDITION).and_then(|(word, _)| word.text()).is_none_or(|other| other == edition)
}

/// The first field in which two records say different things, but for some of them.
#[must_use]
pub fn contradiction(one: &Draft, other: &Draft, but: &[&'static str]) -> Option<&'static str> {
    let differs = |(name, leaf): &&(&'static str, Draft)| {
        !but.contains(name)
            && !matches!(leaf, Draft::Null)
            && other.find(name).is_some_and(|also| !leaf.is_same(also))
    };
    one.fields().iter().find(differs).map(|(name, _)| *name)
}
