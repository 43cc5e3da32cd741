//! What is written beside the fields, and whether a row that is written would be taken back.

use super::{Block, Compiler, Part};
use crate::mapping::condition::Test;
use crate::mapping::file::RawRecord;
use crate::mapping::file::node::Node;
use crate::mapping::op::value::Value;

/// Something that is written into a row and never read.
#[derive(Clone)]
pub struct Write {
    /// Where.
    pub address: String,
    /// What.
    pub value: Value<'static>,
    /// Only where something is written here too.
    pub with: Option<String>,
}

impl Compiler<'_> {
    pub(super) fn writes(&mut self, raw: &RawRecord, sheet: Option<&str>) -> Vec<Write> {
        let mut writes = Vec::with_capacity(raw.writes.len());
        for write in &raw.writes {
            self.check_address(&write.address, sheet);
            if let Some(with) = &write.with {
                self.check_address(with, sheet);
            }
            let value = match &write.value.value {
                Node::Text(text) => Value::owned(text.clone()),
                Node::Truth(truth) => Value::Truth(*truth),
                Node::Number(number) => number.parse().map_or(Value::Absent, Value::Number),
                _ => Value::Absent,
            };
            let with = write.with.as_ref().map(|with| with.value.clone());
            writes.push(Write { address: write.address.value.clone(), value, with });
        }
        writes
    }

    /// A condition other than `is` has to be made true by what is written.
    pub(super) fn check_way_back(&mut self, raw: &RawRecord, block: &Block) {
        let is_asked = !block.one_way && !block.is_written_only;
        let (Some(when), Some(raw_when), true) = (&block.when, &raw.when, is_asked) else { return };
        let (mut cells, mut constants) = (Vec::new(), Vec::new());
        when.cells(&mut cells);
        when.constants(&mut constants);
        let is_set = |address: &str| {
            let by_field = block
                .rules
                .iter()
                .any(|rule| !rule.one_way && rule.from.first().is_some_and(|from| from == address));
            let is_part = |part: &Part| matches!(part, Part::Cell(cell, _) if cell == address);
            let is_written = block.writes.iter().any(|write| write.address == address);
            by_field || is_written || block.key.iter().chain(&block.subject).any(is_part)
        };
        for (address, test) in cells {
            // A cell that has to be blank is, if nothing is written into it.
            if matches!(test, Test::Blank) {
                continue;
            }
            if !constants.iter().any(|(constant, _)| *constant == address) && !is_set(address) {
                self.advise(
                    &raw_when.span,
                    format!("nothing would set `{address}` when this record is written"),
                    "add a field that is read from it, or say `one_way = true` on the record",
                );
            }
        }
    }
}
