//! One record block for several sheets of a workbook: each sheet says something by being itself,
//! and has columns that others lack.
//!
//! ```toml
//! [record.sheets]
//! "Action Plan" = { activity = "action-plan", phase = "preparation" }
//! "Utilities" = { activity = "utilities", phase = "preparation" }
//! ```
//!
//! The block stands for one block a sheet, so that nothing that reads or writes knows of it.

use super::node::{Node, Placed, Walk};
use super::{RawField, RawRecord};

/// A sheet of a block, and the fields that it sets.
#[derive(Debug, Clone)]
pub struct RawSheet {
    /// Its name.
    pub name: Placed<String>,
    /// Fields and their constants.
    pub says: Vec<(Placed<String>, Placed<Node>)>,
}

pub(super) fn sheets(walk: &mut Walk, node: &Placed<Node>) -> Vec<RawSheet> {
    let hint = "`sheets = { \"Utilities\" = { activity = \"utilities\" } }`";
    let Node::Table(entries) = &node.value else {
        walk.advise(&node.span, "expected sheets by name and the fields that each sets", hint);
        return Vec::new();
    };
    if entries.is_empty() {
        walk.advise(&node.span, "expected at least one sheet", hint);
    }
    let mut sheets = Vec::with_capacity(entries.len());
    for (name, node) in entries {
        match &node.value {
            Node::Table(says) => sheets.push(RawSheet { name: name.clone(), says: says.clone() }),
            _ => walk.advise(&node.span, "expected the fields that this sheet sets", hint),
        }
    }
    sheets
}

impl RawRecord {
    /// The block for each of its sheets; itself where it names no more than one. A field whose
    /// columns another of its sheets has and this one lacks is left out of this one.
    pub(super) fn spread(self, walk: &mut Walk, columns: &[(String, Vec<String>)]) -> Vec<Self> {
        if self.sheets.is_empty() {
            return vec![self];
        }
        if let Some(sheet) = &self.sheet {
            walk.advise(&sheet.span, "`sheet` and `sheets` stand in one record", "leave one of them out");
        }
        let on = |sheet: &str, field: &RawField| {
            let listed = columns.iter().find(|(of, _)| of == sheet);
            listed.is_none_or(|(_, names)| field.from.iter().all(|from| names.contains(&from.value)))
        };
        let is_somewhere = |field: &RawField| self.sheets.iter().any(|sheet| on(&sheet.name.value, field));
        let of_sheet = |fields: &[RawField], sheet: &str| -> Vec<RawField> {
            fields.iter().filter(|field| on(sheet, field) || !is_somewhere(field)).cloned().collect()
        };
        let spread = self.sheets.iter().map(|sheet| {
            let says = sheet.says.iter().map(|(field, value)| RawField::constant(field, value));
            Self {
                sheet: Some(sheet.name.clone()),
                sheets: Vec::new(),
                fields: says.chain(of_sheet(&self.fields, &sheet.name.value)).collect(),
                checks: of_sheet(&self.checks, &sheet.name.value),
                ..self.clone()
            }
        });
        spread.collect()
    }
}
