//! What the blocks that one `[[record]]` stands for made use of together: a word that was met on one
//! of its sheets is met.

use std::collections::BTreeMap;

use super::{Coverage, RuleUse};
use crate::mapping::compile::{Block, Rule};

/// Which rule of the file: the record's place, the field and its cells.
type Key<'c> = (usize, &'c str, &'c [String]);

/// The use of each rule of the file.
pub(super) struct Together<'c>(BTreeMap<Key<'c>, RuleUse>);

impl<'c> Together<'c> {
    pub(super) fn of(coverage: &'c Coverage) -> Self {
        let mut of_file: BTreeMap<Key<'c>, RuleUse> = BTreeMap::new();
        for (block, uses) in coverage.mapping.blocks.iter().zip(&coverage.blocks) {
            for (rule, uses) in block.rules.iter().zip(&uses.rules) {
                let all = of_file.entry(key(block, rule)).or_default();
                all.words.extend(uses.words.iter().cloned());
                all.is_blank_hit |= uses.is_blank_hit;
                all.is_other_hit |= uses.is_other_hit;
                all.is_wrong_hit |= uses.is_wrong_hit;
            }
        }
        Self(of_file)
    }

    /// The use of a rule, the first time that it is asked for.
    pub(super) fn take(&mut self, block: &'c Block, rule: &'c Rule) -> Option<RuleUse> {
        self.0.remove(&key(block, rule))
    }
}

fn key<'c>(block: &'c Block, rule: &'c Rule) -> Key<'c> {
    (block.number, rule.field.name, &rule.from)
}
