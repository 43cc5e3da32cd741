//! What is lossy on the way in: words that a code list reads as one with others, so that another is
//! written back, or none.

use std::collections::BTreeMap;

use crate::mapping::compile::{Block, Rule};
use crate::mapping::read::watch::{Seen, Watch};
use crate::mapping::{Mapping, Outcome};
use crate::record::kind::Kind;

/// A field and the code list that it is read through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    /// The kind of record.
    pub(super) kind: Kind,
    /// Its field.
    pub(super) field: &'static str,
    /// The code list.
    pub(super) list: String,
}

/// Looks on while units are read, and counts. Holds no value.
pub(super) struct Lossy<'m> {
    mapping: &'m Mapping,
    /// Whether anything of a rule can be lossy, by its block and its place there.
    can_lose: Vec<Vec<bool>>,
    /// The rule at hand.
    at: (usize, usize),
    /// It can lose something.
    is_asked: bool,
    /// Its list has read a word that does not come back.
    is_met: bool,
    /// The rules of this unit that did so.
    met: Vec<(usize, usize)>,
    counts: BTreeMap<(usize, usize), u64>,
}

impl<'m> Lossy<'m> {
    pub(super) fn of(mapping: &'m Mapping) -> Self {
        let of_block = |block: &Block| block.rules.iter().map(|rule| can_lose(block, rule)).collect();
        Self {
            mapping,
            can_lose: mapping.blocks.iter().map(|block| of_block(block)).collect(),
            at: (0, 0),
            is_asked: false,
            is_met: false,
            met: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    /// How often each field was read so, in units that gave records.
    pub(super) fn counted(&self) -> BTreeMap<Pair, u64> {
        let mut counted = BTreeMap::new();
        for ((block, rule), count) in &self.counts {
            let Some(block) = self.mapping.blocks.get(*block) else { continue };
            let Some(rule) = block.rules.get(*rule) else { continue };
            let Some(codes) = &rule.codes else { continue };
            let pair = Pair { kind: block.kind, field: rule.field.name, list: codes.name.clone() };
            *counted.entry(pair).or_default() += count;
        }
        counted
    }
}

/// Whether a word of the rule's list does not come back. What another field holds of the same cells is
/// not lost: a field that is only derived from them loses nothing.
fn can_lose(block: &Block, rule: &Rule) -> bool {
    let holds = |other: &Rule| other.from == rule.from && !other.one_way && !other.is_check;
    let is_derived = rule.one_way && block.rules.iter().any(holds);
    let does_lose = |word: &str| rule.codes.as_ref().is_some_and(|codes| codes.comes_back(word).is_some());
    !is_derived && rule.codes.iter().flat_map(|codes| codes.sources()).any(does_lose)
}

impl Watch for Lossy<'_> {
    fn seen(&mut self, seen: Seen<'_, '_>) {
        match seen {
            Seen::Rule { block, rule } => {
                self.at = (block, rule);
                self.is_asked =
                    self.can_lose.get(block).and_then(|rules| rules.get(rule)).is_some_and(|can| *can);
                self.is_met = false;
            }
            Seen::Coded { codes, word } if self.is_asked => {
                self.is_met |= codes.comes_back(&word.clone().plain()).is_some();
            }
            Seen::Given { is_read: true, .. } if self.is_met => self.met.push(self.at),
            Seen::Outcome(outcome) => {
                for rule in self.met.drain(..).filter(|_| outcome == Outcome::Records) {
                    *self.counts.entry(rule).or_default() += 1;
                }
            }
            _ => {}
        }
    }
}
