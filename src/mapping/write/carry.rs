//! Ids of one system written into the layout of another.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::cell::{back, value_of};
use super::{Out, Target};
use crate::base::private::{Grant, Purpose};
use crate::mapping::Made;
use crate::mapping::compile::{Block, Part};
use crate::mapping::op::value::Value;
use crate::record::kind::Kind;

/// Letters of an id that is made for want of one.
const MADE_LETTERS: usize = 16;

impl Target {
    /// This layout's own id of the person whom the records are about, where one of them knows it:
    /// a tracker that has the council's id, for instance.
    pub(super) fn own_subject<P: Purpose>(&self, records: &[Made], grant: &Grant<P>) -> Option<String> {
        let person = records.iter().find(|made| made.kind == Kind::Person)?;
        let blocks = self.blocks.iter().filter(|block| block.kind == Kind::Person);
        blocks.into_iter().find_map(|block| {
            let [Part::Cell(address, _)] = block.subject.as_slice() else { return None };
            let rule = block.rules.iter().find(|rule| !rule.one_way && rule.from.first() == Some(address))?;
            let leaf = person.draft.find(rule.field.name)?;
            let value = value_of(leaf, rule, grant).and_then(|value| back(rule, value)).ok()?;
            Some(value.plain().into_owned()).filter(|id| !id.is_empty())
        })
    }

    /// Names the subject, and the record where nothing else tells it from another.
    pub(super) fn carry<P: Purpose>(
        &self,
        block: &Block,
        subject: &str,
        made: &Made,
        grant: &Grant<P>,
        cells: &mut BTreeMap<String, Out>,
    ) {
        if let ([Part::Cell(address, ops)], false) = (block.subject.as_slice(), subject.is_empty()) {
            let text = subject.replace(crate::mapping::KEY_SEPARATOR, "-");
            let is_taken = takes(block, address, &text);
            let value = ops.iter().rev().try_fold(Value::owned(text), |value, op| op.write(value));
            if let (Ok(value), false, true) = (value, cells.contains_key(address), is_taken) {
                cells.insert(address.clone(), self.out(value));
            }
        }
        let is_subject = |address: &String| {
            block.subject.iter().any(|part| matches!(part, Part::Cell(cell, _) if cell == address))
        };
        let tells_apart = block.key.iter().any(|part| match part {
            Part::Cell(address, _) => cells.contains_key(address) && !is_subject(address),
            Part::Field(index) => {
                block.rules.get(*index).is_some_and(|rule| made.draft.find(rule.field.name).is_some())
            }
        });
        let free = block.key.iter().find_map(|part| match part {
            Part::Cell(address, _) if !is_subject(address) && !cells.contains_key(address) => Some(address),
            _ => None,
        });
        if let (false, Some(address)) = (tells_apart, free) {
            let mut hash = Sha256::new();
            hash.update(made.kind.as_str().as_bytes());
            hash.update([0]);
            hash.update(subject.as_bytes());
            hash.update([0]);
            hash.update(made.key.open(grant).as_bytes());
            let id: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            cells.insert(address.clone(), Out::Text(id.chars().take(MADE_LETTERS).collect()));
        }
    }
}

/// Whether an id would be read in a subject's column. A column of NHS numbers takes nobody's number
/// of another system.
pub(super) fn takes(block: &Block, address: &String, id: &str) -> bool {
    let mut rules = block.rules.iter().filter(|rule| !rule.one_way && rule.from.first() == Some(address));
    rules.all(|rule| {
        let read = rule.steps.iter().try_fold(Value::owned(id.to_owned()), |value, op| op.read(value));
        rule.from.len() > 1 || read.is_ok()
    })
}
