//! Where the value of a field comes from: the lineage of one rule, and the same rule run on one
//! unit again.

use crate::format::Unit;
use crate::mapping::Mapping;
use crate::mapping::compile::{Block, Rule};
use crate::mapping::read::Bound;
use crate::record::kind::Kind;

/// How one field of a record is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// The kind of record.
    pub kind: Kind,
    /// Its field.
    pub field: &'static str,
    /// The sheet, in a workbook.
    pub sheet: Option<String>,
    /// The columns or paths it is read from; none for a constant.
    pub from: Vec<String>,
    /// The operations, in order: name and what each does.
    pub steps: Vec<(&'static str, &'static str)>,
    /// The code list after them.
    pub codes: Option<String>,
    /// True for a constant of the mapping.
    pub is_constant: bool,
}

impl Lineage {
    fn of(block: &Block, rule: &Rule) -> Self {
        Self {
            kind: block.kind,
            field: rule.field.name,
            sheet: block.sheet.clone(),
            from: rule.from.clone(),
            steps: rule.steps.iter().map(|op| (op.doc().name, op.doc().about)).collect(),
            codes: rule.codes.as_ref().map(|codes| codes.name.clone()),
            is_constant: rule.value.is_some(),
        }
    }
}

impl Mapping {
    /// Every way in which the mapping fills a field, in the order of its blocks.
    #[must_use]
    pub fn explain(&self, kind: Kind, field: &str) -> Vec<Lineage> {
        lineages(self.blocks.iter().map(|block| &**block), kind, field)
    }
}

impl Bound {
    /// How a field was filled from one unit: the blocks that take it.
    #[must_use]
    pub fn explain(&self, unit: &Unit<'_>, kind: Kind, field: &str) -> Vec<Lineage> {
        lineages(self.blocks_of(unit), kind, field)
    }
}

fn lineages<'b>(blocks: impl Iterator<Item = &'b Block>, kind: Kind, field: &str) -> Vec<Lineage> {
    blocks
        .filter(|block| block.kind == kind)
        .flat_map(|block| block.rules.iter().map(move |rule| (block, rule)))
        .filter(|(_, rule)| rule.field.name == field)
        .map(|(block, rule)| Lineage::of(block, rule))
        .collect()
}
