//! What the rows of a layout name, as rows of its own: the worker of an episode of care is a resource
//! to which it refers.

use std::collections::{BTreeMap, HashSet};

use super::{Out, Row, Target, take_constants};
use crate::base::limit::NAMED_MAX;
use crate::base::private::{Grant, Purpose};
use crate::mapping::Made;
use crate::mapping::compile::{Block, Part};

/// Something that a row names, as a row of its own.
pub struct Beside {
    /// The row.
    pub row: Row,
    /// What tells it from another.
    name: Vec<String>,
}

/// What has been written into a file of what its rows name. Held in memory, and nowhere else.
#[derive(Default)]
pub struct Named(HashSet<Vec<String>>);

impl Named {
    /// Those of the rows that the file does not hold yet. One that is written after a great many is
    /// written again: the file says twice what is so.
    pub fn fresh<'r>(&mut self, named: &'r [Beside]) -> Vec<&'r Row> {
        let is_fresh = |beside: &&Beside| {
            let is_full = self.0.len() >= NAMED_MAX;
            !self.0.contains(&beside.name) && (is_full || self.0.insert(beside.name.clone()))
        };
        named.iter().filter(is_fresh).map(|beside| &beside.row).collect()
    }
}

impl Target {
    /// What a record that is written names, in rows of its own.
    pub(super) fn beside<P: Purpose>(&self, made: &Made, grant: &Grant<P>, named: &mut Vec<Beside>) {
        let blocks = self.blocks.iter().filter(|block| block.is_written_only && block.drives);
        for block in blocks.filter(|block| block.kind == made.kind) {
            let Ok((mut cells, ..)) = self.cells(block, made, grant) else { continue };
            let Some(name) = name(block, &cells) else { continue };
            for write in block.writes.iter().filter(|write| write.with.is_none()) {
                cells.entry(write.address.clone()).or_insert_with(|| self.out(write.value.clone()));
            }
            if take_constants(block, &mut cells) && block.is_filled(&cells) {
                named.push(Beside { row: Row { sheet: block.sheet.clone(), cells }, name });
            }
        }
    }
}

/// What tells it from another: the cells of its key, all of them.
fn name(block: &Block, cells: &BTreeMap<String, Out>) -> Option<Vec<String>> {
    let part = |part: &Part| match part {
        Part::Cell(address, _) => cells.get(address).map(Out::plain),
        Part::Field(index) => {
            let from = block.rules.get(*index)?.from.first()?;
            cells.get(from).map(Out::plain)
        }
    };
    block.key.iter().map(part).collect()
}
