//! What of a mapping is made use of by its cases, or by a file: columns that are never read, fields
//! that are never set, codes and branches that are never hit.
//!
//! Counts and names alone: no value of a cell is kept, but for words that stand in a code list.

mod paths;
mod report;
mod together;

pub use report::{BranchAt, CodesAt, ColumnAt, FieldAt, Report};

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::finding::Code;
use crate::base::origin::Origin;
use crate::format::{Arrival, At, Header, Unit};
use crate::mapping::case::Case;
use crate::mapping::compile::Block;
use crate::mapping::condition::{Condition, Test};
use crate::mapping::op::value::Value;
use crate::mapping::op::{Op, Refusal};
use crate::mapping::read::Bound;
use crate::mapping::read::watch::{Seen, Watch};
use crate::mapping::{Mapping, Outcome, Reading};
use crate::record::draft::Draft;
use paths::Paths;

/// What was made use of, so far.
pub struct Coverage {
    mapping: Mapping,
    units: u64,
    accepted: u64,
    /// Columns of the files that were read.
    columns: Vec<ColumnAt>,
    /// Where the format has paths: those that held something.
    paths: Paths,
    blocks: Vec<BlockUse>,
    /// The rule that is being run: its block, itself, and how many operations have been.
    at: (usize, usize, usize),
    /// What the unit at hand has set.
    pending: Vec<(usize, usize)>,
}

/// What was made use of in one block.
#[derive(Default)]
struct BlockUse {
    taken: u64,
    /// For each test of its condition, the alternatives that held.
    tests: Vec<BTreeSet<usize>>,
    rules: Vec<RuleUse>,
}

/// What was made use of in one rule.
#[expect(clippy::struct_excessive_bools, reason = "each is one branch of a rule, and any may be taken")]
#[derive(Default)]
struct RuleUse {
    is_set: bool,
    /// For each of its cells, whether it ever held something.
    filled: BTreeSet<usize>,
    /// Words of its code list that were met.
    words: BTreeSet<String>,
    is_blank_hit: bool,
    is_other_hit: bool,
    is_wrong_hit: bool,
}

impl Coverage {
    /// Nothing yet of a mapping.
    #[must_use]
    pub fn of(mapping: &Mapping) -> Self {
        let uses = |block: &Arc<Block>| {
            let mut tests = Vec::new();
            if let Some(when) = &block.when {
                when.cells(&mut tests);
            }
            BlockUse {
                taken: 0,
                tests: tests.iter().map(|_| BTreeSet::new()).collect(),
                rules: block.rules.iter().map(|_| RuleUse::default()).collect(),
            }
        };
        Self {
            blocks: mapping.blocks.iter().map(uses).collect(),
            mapping: mapping.clone(),
            units: 0,
            accepted: 0,
            columns: Vec::new(),
            paths: Paths::default(),
            at: (0, 0, 0),
            pending: Vec::new(),
        }
    }

    /// Takes a case.
    pub fn take_case(&mut self, case: &Case) {
        let mapping = self.mapping.clone();
        case.watch(&mapping, self);
    }

    /// Takes the columns of a file.
    pub fn take_header(&mut self, header: &Header) {
        let sheet = header.sheet.as_deref().map(str::to_owned);
        self.columns.extend(
            header.columns.iter().map(|name| ColumnAt { sheet: sheet.clone(), name: name.to_string() }),
        );
    }

    /// Takes one unit of a file, and gives what was read from it.
    pub fn take(&mut self, bound: &Bound, arrival: &Arrival<'_>, file: &Origin) -> Reading {
        if let Ok(unit) = &arrival.unit {
            self.paths.take(unit);
        }
        bound.read_watched(arrival, file, self)
    }

    fn rule(&mut self) -> Option<(&mut RuleUse, Arc<Block>)> {
        let (block, rule, _) = self.at;
        let uses = self.blocks.get_mut(block)?.rules.get_mut(rule)?;
        self.mapping.blocks.get(block).map(|block| (uses, Arc::clone(block)))
    }

    fn block(&mut self, number: usize, when: Option<&Condition<At>>, unit: &Unit<'_>, is_taken: bool) {
        let Some(uses) = self.blocks.get_mut(number) else { return };
        uses.taken += u64::from(is_taken);
        let mut tests = Vec::new();
        if let Some(when) = when {
            when.cells(&mut tests);
        }
        for ((at, test), held) in tests.into_iter().zip(&mut uses.tests) {
            let value = Value::of_cell(unit.cell(at)).unwrap_or(Value::Absent);
            match test {
                Test::In(texts) => {
                    let text = value.plain();
                    held.extend(texts.iter().position(|one| text == one.as_str()));
                }
                test if test.holds(value) => drop(held.insert(0)),
                _ => {}
            }
        }
    }

    fn cells(&mut self, values: &[Value<'_>]) {
        let Some((uses, _)) = self.rule() else { return };
        let filled = values.iter().enumerate().filter(|(_, value)| !value.is_blank());
        uses.filled.extend(filled.map(|(index, _)| index));
        // A small list in place is asked for the cell itself where it is the first operation.
        if let [value] = values {
            self.asked(value);
        }
    }

    /// The next operation, or the code list, is asked for a value.
    fn asked(&mut self, value: &Value<'_>) {
        let (_, rule, step) = self.at;
        let Some((uses, block)) = self.rule() else { return };
        let Some(rule) = block.rules.get(rule) else { return };
        let list = match rule.steps.get(step) {
            Some(Op::Words(words)) => Some(&words.0),
            Some(_) => None,
            None => rule.codes.as_deref(),
        };
        let Some(list) = list else { return };
        let words: Vec<String> = match value {
            Value::List(items) => items.clone(),
            one => vec![one.clone().plain().into_owned()],
        };
        for word in words.into_iter().filter(|word| !word.is_empty()) {
            if list.holds(&word) {
                uses.words.insert(word);
            } else {
                uses.is_other_hit = true;
            }
        }
    }

    fn given(&mut self, leaf: &Draft, is_read: bool) {
        let (number, index, _) = self.at;
        self.pending.push((number, index));
        let Some((uses, block)) = self.rule() else { return };
        let is_constant = block.rules.get(index).is_some_and(|rule| rule.value.is_some());
        uses.is_blank_hit |= matches!(leaf, Draft::Null) || (!is_read && !is_constant);
    }

    fn refused(&mut self, refusal: &Refusal) {
        let Some((uses, _)) = self.rule() else { return };
        match refusal.code {
            Code::MapBlank => uses.is_blank_hit = true,
            Code::MapUnknownCode => uses.is_other_hit = true,
            _ => uses.is_wrong_hit = true,
        }
    }

    fn ended(&mut self, outcome: Outcome) {
        self.units += 1;
        let pending = std::mem::take(&mut self.pending);
        if outcome != Outcome::Records {
            return;
        }
        self.accepted += 1;
        for (block, rule) in pending {
            if let Some(uses) = self.blocks.get_mut(block).and_then(|block| block.rules.get_mut(rule)) {
                uses.is_set = true;
            }
        }
    }
}

impl Watch for Coverage {
    fn seen(&mut self, seen: Seen<'_, '_>) {
        match seen {
            Seen::Block { number, when, unit, is_taken } => self.block(number, when, unit, is_taken),
            Seen::Rule { block, rule } => self.at = (block, rule, 0),
            Seen::Cells(values) => self.cells(values),
            Seen::Step(value) => {
                self.at.2 += 1;
                self.asked(value);
            }
            Seen::Coded { .. } | Seen::Nothing | Seen::Made(_) => {}
            Seen::Given { leaf, is_read } => self.given(leaf, is_read),
            Seen::Refused(refusal) => self.refused(refusal),
            Seen::Outcome(outcome) => self.ended(outcome),
        }
    }
}
