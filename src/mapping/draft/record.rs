//! The record blocks of a draft.

use std::collections::BTreeMap;

use super::concept::Model;
use super::line::{comment, line, operation};
use super::{Layout, Table, percent};
use crate::mapping::diagnostic::Source;
use crate::mapping::file::node::{Placed, quoted};
use crate::mapping::file::{RawCondition, RawKey, RawPart, RawRecord};
use crate::mapping::profile::{Column, Shape};
use crate::record::kind::Kind;

/// At or above this, in percent, a proposal is said without a question mark.
const SURE: u8 = 75;

/// Where a record says whom it is about, if that is not what the mapping says.
pub(super) const SUBJECT_LINE: &str = "# subject\n";

/// Writes the records of one table.
pub(super) struct Writer<'t> {
    table: &'t Table<'t>,
    layout: &'t Layout,
    /// The columns of the model, and what they are called here.
    names: BTreeMap<&'t str, (&'t Column, u8)>,
    pub(super) subject: Vec<String>,
    pub(super) left: Vec<String>,
}

impl<'t> Writer<'t> {
    pub(super) fn of(table: &'t Table<'t>, layout: &'t Layout) -> Self {
        let mut names = BTreeMap::new();
        for (index, found) in &table.matches {
            let is_of_model = table.model.is_some_and(|model| {
                model.concepts.iter().any(|concept| std::ptr::eq(concept, found.concept))
            });
            if let (true, Some(column)) = (is_of_model, table.columns.get(*index)) {
                names.insert(found.concept.name.as_str(), (*column, percent(found.likeness)));
            }
        }
        Self { table, layout, names, subject: Vec::new(), left: Vec::new() }
    }

    /// The record blocks.
    pub(super) fn records(&mut self) -> String {
        self.find_subject();
        let mut text = String::new();
        let mut extra = self.extra();
        if let Some(model) = self.table.model {
            let records = model
                .mapping
                .records
                .iter()
                .filter(|record| record.sheet.as_ref().map(|sheet| &sheet.value) == model.sheet.as_ref());
            for record in records.filter(|record| !record.written_only) {
                let is_person = record.kind.value == "person" && record.when.is_none();
                let lines = if is_person { std::mem::take(&mut extra) } else { Vec::new() };
                text.push_str(&self.record(record, model, lines));
            }
        }
        if !extra.is_empty() || text.is_empty() {
            text.push_str(&self.person(&extra));
        }
        self.leave();
        text
    }

    /// Whom a row is about: as in the model, or the column that looks most like an id.
    fn find_subject(&mut self) {
        let key = self.table.model.and_then(|model| model.mapping.subject.as_ref());
        let mapped: Option<Vec<String>> = key.map(|key| {
            key.parts
                .iter()
                .filter_map(|part| match part {
                    RawPart::Cell(cell, _) => {
                        self.names.get(cell.value.as_str()).map(|(column, _)| column.name.clone())
                    }
                    RawPart::Field(_) => None,
                })
                .collect()
        });
        if let Some(mapped) = mapped.filter(|mapped| !mapped.is_empty()) {
            self.subject = mapped;
            return;
        }
        // Of equal ones the first.
        let columns = self.table.columns.iter().rev();
        let best = columns.max_by_key(|column| {
            let ids = column.per_mille(|shape| matches!(shape, Shape::Id | Shape::NhsNumber));
            let numbers = column.per_mille(|shape| shape == Shape::Whole);
            (2 * ids + numbers, column.filled)
        });
        if let Some(column) = best {
            self.subject = vec![column.name.clone()];
            self.left.push(format!("whom a row is about: `{}` looks most like an id", comment(&column.name)));
        }
    }

    /// Fields of a person that were found in other layouts.
    fn extra(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (index, found) in &self.table.matches {
            let is_of_model = self.names.contains_key(found.concept.name.as_str())
                && self.names.get(found.concept.name.as_str()).is_some_and(|(column, _)| {
                    self.table.columns.get(*index).is_some_and(|other| std::ptr::eq(*other, *column))
                });
            if is_of_model {
                continue;
            }
            let Some(column) = self.table.columns.get(*index) else { continue };
            let of_person = found.concept.uses.iter().filter(|(kind, _)| *kind == Kind::Person);
            for (_, field) in of_person.filter(|(_, field)| field.from.len() == 1) {
                let source = found.concept.source();
                lines.push(line(field, &[column], source, percent(found.likeness)));
            }
        }
        lines
    }

    fn person(&self, lines: &[String]) -> String {
        let sheet = self.sheet_line();
        format!(
            "\n[[record]]\nkind = \"person\"\n{sheet}{SUBJECT_LINE}drives = true\nfield = [\n{}]\n",
            lines.concat()
        )
    }

    fn sheet_line(&self) -> String {
        match (self.layout, self.table.sheet) {
            (Layout::Workbook, Some(sheet)) => format!("sheet = {}\n", quoted(sheet)),
            _ => String::new(),
        }
    }

    fn record(&mut self, record: &RawRecord, model: &Model, extra: Vec<String>) -> String {
        let source = &model.mapping.source;
        let kind = &record.kind.value;
        let when = match &record.when {
            None => String::new(),
            Some(when) => match self.condition(&when.value, source) {
                Some(when) => format!("when = {when}\n"),
                None => {
                    let line = format!(
                        "which rows are of the kind `{kind}`: {} tells them by a column that was not found here",
                        model.mapping.name.value
                    );
                    if !self.left.contains(&line) {
                        self.left.push(line);
                    }
                    return String::new();
                }
            },
        };
        let mut lines = Vec::new();
        let mut fields: Vec<&str> = Vec::new();
        let mut is_read = false;
        for field in &record.fields {
            let found: Option<Vec<(&Column, u8)>> =
                field.from.iter().map(|from| self.names.get(from.value.as_str()).copied()).collect();
            let Some(found) = found else { continue };
            let columns: Vec<&Column> = found.iter().map(|(column, _)| *column).collect();
            let sure = found.iter().map(|(_, sure)| *sure).min().unwrap_or(100);
            is_read |= !columns.is_empty();
            lines.push(line(field, &columns, source, sure));
            fields.push(&field.to.value);
        }
        lines.extend(extra);
        let (key, is_whole) = self.key(record, source, &fields);
        if !is_read || (kind == "setting" && key.is_none()) {
            return String::new();
        }
        if !is_whole {
            self.left.push(format!("what tells one {kind} from another: a column of the key was not found"));
        }
        let key = key.map(|key| format!("key = {key}\n")).unwrap_or_default();
        let drives = if record.drives { "drives = true\n" } else { "" };
        let update = if record.is_patch { "update = \"patch\"\n" } else { "" };
        let one_way = if record.one_way { "one_way = true\n" } else { "" };
        let subject = if kind == "setting" { "" } else { SUBJECT_LINE };
        let writes = if record.drives { self.marks() } else { String::new() };
        format!(
            "\n[[record]]\nkind = \"{kind}\"\n{}{subject}{drives}{when}{key}{update}{one_way}{writes}field = [\n{}]\n",
            self.sheet_line(),
            lines.concat()
        )
    }

    /// Truth values by which an item of a list is told from the others: they are written with it.
    fn marks(&self) -> String {
        let mut marks: Vec<String> = Vec::new();
        for (column, _) in self.names.values() {
            let Some((list, rest)) = column.name.split_once('[') else { continue };
            let Some(member) = rest.split_once("=true]").map(|(member, _)| member) else { continue };
            let mark = format!("{} = true", quoted(&format!("{list}[{member}=true].{member}")));
            if !marks.contains(&mark) {
                marks.push(mark);
            }
        }
        if marks.is_empty() { String::new() } else { format!("writes = {{ {} }}\n", marks.join(", ")) }
    }

    /// The parts of a key that were found, and whether that is all of them.
    fn key(&self, record: &RawRecord, source: &Source, fields: &[&str]) -> (Option<String>, bool) {
        let Some(RawKey { parts, .. }) = &record.key else { return (None, true) };
        let found: Vec<String> = parts
            .iter()
            .filter_map(|part| match part {
                RawPart::Field(name) => fields
                    .contains(&name.value.as_str())
                    .then(|| format!("{{ field = {} }}", quoted(&name.value))),
                RawPart::Cell(cell, ops) => {
                    let (column, _) = self.names.get(cell.value.as_str())?;
                    let name = quoted(&column.name);
                    Some(if ops.is_empty() {
                        name
                    } else {
                        let ops: Vec<String> = ops.iter().map(|op| operation(&op.written(source))).collect();
                        format!("{{ from = {name}, as = [{}] }}", ops.join(", "))
                    })
                }
            })
            .collect();
        let is_whole = found.len() == parts.len();
        ((!found.is_empty()).then(|| format!("[{}]", found.join(", "))), is_whole)
    }

    fn condition(&self, condition: &RawCondition, source: &Source) -> Option<String> {
        let several = |conditions: &[Placed<RawCondition>]| {
            let written: Option<Vec<String>> =
                conditions.iter().map(|one| self.condition(&one.value, source)).collect();
            written.map(|written| written.join(", "))
        };
        Some(match condition {
            RawCondition::All(conditions) => format!("{{ all = [{}] }}", several(conditions)?),
            RawCondition::Any(conditions) => format!("{{ any = [{}] }}", several(conditions)?),
            RawCondition::Not(one) => format!("{{ not = {} }}", self.condition(&one.value, source)?),
            RawCondition::Test { address, test, against, pipeline } => {
                let (column, _) = self.names.get(address.value.as_str())?;
                let texts: Vec<String> = against.iter().map(|text| quoted(&text.value)).collect();
                let value = match test.value.as_str() {
                    "blank" | "not-blank" => "true".to_owned(),
                    "in" => format!("[{}]", texts.join(", ")),
                    _ => texts.concat(),
                };
                let ops: Vec<String> = pipeline.iter().map(|op| operation(&op.written(source))).collect();
                let ops = if ops.is_empty() { String::new() } else { format!(", as = [{}]", ops.join(", ")) };
                let place = if self.layout.is_tree() { "path" } else { "column" };
                format!("{{ {place} = {}, {} = {value}{ops} }}", quoted(&column.name), test.value)
            }
        })
    }

    /// What is left to decide of the columns.
    fn leave(&mut self) {
        for (index, column) in self.table.columns.iter().enumerate() {
            let sheet = self.table.sheet.map(|sheet| format!("{} ", comment(sheet))).unwrap_or_default();
            let name = format!("{sheet}`{}`", comment(&column.name));
            let holds = column.usual().map_or_else(|| "nothing".to_owned(), Shape::said);
            match self.table.matches.get(&index) {
                None => self.left.push(format!("{name} ({holds}): no field was found for it")),
                Some(found) if !found.concept.is_read() => self.left.push(format!(
                    "{name} ({holds}): taken for `{}`, which is not read from that layout either",
                    found.concept.name
                )),
                Some(found) if percent(found.likeness) < SURE => self.left.push(format!(
                    "{name} ({holds}): is it `{}`? {} %",
                    found.concept.name,
                    percent(found.likeness)
                )),
                Some(_) => {}
            }
        }
    }
}
