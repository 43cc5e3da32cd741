//! From records to a source's layout: the same file, the other way.
//!
//! The driving record makes the row, and the subject's other records are joined to it. `is`
//! writes its constant. What the layout has no place for is said, never dropped in silence.

mod beside;
mod carry;
mod cell;
mod layout;

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::prelude::ToPrimitive;

use crate::base::day::Day;
use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::base::private::{Grant, Purpose};
use crate::format::settings::FormatKind;
use crate::format::{At, Cell, FormatError, Header, writer};
use crate::mapping::compile::{Block, Part};
use crate::mapping::condition::Condition;
use crate::mapping::op::Refusal;
use crate::mapping::op::value::Value;
use crate::mapping::read::is_of;
use crate::mapping::{KEY_SEPARATOR, Made, Mapping, ROW_ID_MARK, Update};
use crate::record::kind::Kind;
pub use beside::{Beside, Named};

/// A mapping ready to write.
pub struct Target {
    blocks: Vec<Arc<Block>>,
    /// Where each address of each sheet is.
    places: BTreeMap<(Option<String>, String), At>,
    /// True where the format itself holds numbers.
    holds_numbers: bool,
}

/// Whose keys the records carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Those of this layout: they are written back into their columns.
    Own,
    /// Another source's, which mean nothing here: only fields are written.
    Foreign,
    /// Those of another layout of the same source: what names somebody there names them here.
    Shared,
    /// Another source's, written for want of better where this layout has to name somebody or
    /// something. It is said.
    Carried,
}

/// A value that the layout has no word for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lost {
    /// The kind of record.
    pub kind: Kind,
    /// Its field.
    pub field: &'static str,
    /// The code list.
    pub list: String,
    /// The word of the record.
    pub word: String,
}

/// What a set of records is written as.
#[derive(Default)]
pub struct Written {
    /// The rows or trees, in order.
    pub rows: Vec<Row>,
    /// Rows or trees of what those name, such as a worker. Each is written once into a file, however
    /// often it is named ([`Named`]).
    pub beside: Vec<Beside>,
    /// What could not be written.
    pub findings: Vec<Finding>,
    /// Words that the layout's code lists do not have.
    pub lost: Vec<Lost>,
}

/// One row, message or resource.
#[derive(Clone)]
pub struct Row {
    /// Its sheet, in a workbook.
    pub sheet: Option<String>,
    /// Its cells by address.
    pub cells: BTreeMap<String, Out>,
}

/// One cell as it will be written.
#[derive(Clone, PartialEq)]
pub enum Out {
    /// Says that the old value goes.
    Delete,
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// A day.
    Day(Day),
    /// A truth value.
    Bool(bool),
}

impl Out {
    /// The cell, to be handed to a writer.
    #[must_use]
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Self::Delete => Cell::Delete,
            Self::Text(text) => Cell::Text(text),
            Self::Number(number) => Cell::Number(*number),
            Self::Day(day) => Cell::Day(*day),
            Self::Bool(truth) => Cell::Bool(*truth),
        }
    }

    fn plain(&self) -> String {
        Value::of_cell(self.cell()).map(|value| value.plain().into_owned()).unwrap_or_default()
    }
}

/// A record on its way into a row.
struct Placed<'t> {
    block: &'t Block,
    subject: String,
    row: Row,
}

/// One block's way of writing a record.
struct Choice<'t> {
    /// The fields it has no place for.
    missing: Vec<&'static str>,
    block: &'t Block,
    cells: BTreeMap<String, Out>,
    /// What had to be said of the cells.
    said: Vec<Finding>,
    /// Words that were left out.
    lost: Vec<Lost>,
}

/// Whose ids are written, and the layout's own id of the person where one of the records knows it.
#[derive(Clone, Copy)]
struct Naming<'n> {
    keys: Keys,
    own: Option<&'n str>,
}

impl Target {
    /// Writes the records of one subject, or of one unit. Opens them, for the grant's purpose.
    #[must_use]
    pub fn write<P: Purpose>(&self, records: &[Made], keys: Keys, grant: &Grant<P>) -> Written {
        let mut written = Written::default();
        let mut parts = Vec::with_capacity(records.len());
        let own = match keys {
            Keys::Carried => self.own_subject(records, grant),
            Keys::Own | Keys::Foreign | Keys::Shared => None,
        };
        let naming = Naming { keys, own: own.as_deref() };
        for made in records {
            let placed = self.parts(made, naming, grant, &mut written);
            if !placed.is_empty() {
                self.beside(made, grant, &mut written.beside);
            }
            parts.extend(placed);
        }
        if keys == Keys::Carried && own.is_none() && parts.iter().any(|part| !part.subject.is_empty()) {
            let expected = "the other system's id of this person stands where this layout wants its own";
            written.findings.push(Finding::new(Code::MapIdCarried, Origin::default(), expected));
        }
        let (driving, joined): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.block.drives);
        let mut rows: Vec<(String, Row)> = driving.into_iter().map(|part| (part.subject, part.row)).collect();
        for part in joined {
            let mut is_joined = false;
            for (subject, row) in &mut rows {
                if *subject == part.subject && fits(row, &part.row) {
                    row.cells.extend(part.row.cells.clone());
                    is_joined = true;
                }
            }
            if !is_joined {
                rows.push((part.subject, part.row));
            }
        }
        for made in records {
            for (subject, cells, block) in self.owners(made, grant) {
                let part = Row { sheet: block.sheet.clone(), cells };
                for (_, row) in rows.iter_mut().filter(|(of, _)| *of == subject) {
                    if block.when.as_ref().is_none_or(|when| holds(when, &row.cells)) && fits(row, &part) {
                        row.cells.extend(part.cells.clone());
                    }
                }
            }
        }
        written.rows = rows.into_iter().map(|(_, row)| row).collect();
        written
    }

    /// What a record says in rows about something else: whose they are.
    fn owners<P: Purpose>(
        &self,
        made: &Made,
        grant: &Grant<P>,
    ) -> Vec<(String, BTreeMap<String, Out>, &Block)> {
        let blocks = self.blocks.iter().filter(|block| block.is_written_only && !block.drives);
        blocks
            .filter(|block| block.kind == made.kind)
            .filter_map(|block| {
                let subject = made.subject.as_ref()?.open(grant).clone();
                let (cells, ..) = self.cells(block, made, grant).ok()?;
                Some((subject, cells, &**block))
            })
            .collect()
    }

    /// Hands a row to a writer of the mapping's format.
    ///
    /// # Errors
    /// Where the machine fails.
    pub fn put(&self, row: &Row, out: &mut writer::Writer) -> Result<Option<Finding>, FormatError> {
        let cells: Vec<(&At, Cell<'_>)> = row
            .cells
            .iter()
            .filter_map(|(address, cell)| {
                let at = self.places.get(&(row.sheet.clone(), address.clone()))?;
                Some((at, cell.cell()))
            })
            .collect();
        out.put(row.sheet.as_deref(), &cells)
    }

    /// One record as the cells of the block that holds most of it; of equal ones, the first. What a
    /// patch leaves over goes into further units of the layout, each the block that holds most of
    /// the rest: an event names what has changed, and several may have.
    fn parts<P: Purpose>(
        &self,
        made: &Made,
        naming: Naming<'_>,
        grant: &Grant<P>,
        written: &mut Written,
    ) -> Vec<Placed<'_>> {
        let findings = &mut written.findings;
        let subject = made.subject.as_ref().map(|subject| subject.open(grant).clone()).unwrap_or_default();
        let mut refused: Option<(String, Refusal)> = None;
        let mut choices: Vec<Choice<'_>> = Vec::new();
        let blocks = self.blocks.iter().filter(|block| block.kind == made.kind && !block.one_way);
        for block in blocks.filter(|block| !block.is_written_only) {
            match self.choice(block, made, &subject, naming, grant) {
                Ok(choice) => choices.extend(choice),
                Err(why) => {
                    refused.get_or_insert(why);
                }
            }
        }
        let mut missing: Option<Vec<&'static str>> = None;
        let mut parts = Vec::new();
        loop {
            let left = |choice: &Choice<'_>| match &missing {
                None => choice.missing.len(),
                Some(names) => names.iter().filter(|name| choice.missing.contains(name)).count(),
            };
            let Some(index) = (0..choices.len()).min_by_key(|index| choices.get(*index).map(&left)) else {
                break;
            };
            let still = choices.get(index).map_or(0, left);
            if missing.as_ref().is_some_and(|names| names.len() <= still) {
                break;
            }
            let choice = choices.remove(index);
            let rest = match &missing {
                None => choice.missing.clone(),
                Some(names) => names.iter().copied().filter(|name| choice.missing.contains(name)).collect(),
            };
            let is_done = rest.is_empty() || choice.block.update != Update::Patch || !choice.block.drives;
            missing = Some(rest);
            findings.extend(choice.said);
            written.lost.extend(choice.lost);
            let row = Row { sheet: choice.block.sheet.clone(), cells: choice.cells };
            parts.push(Placed { block: choice.block, subject: subject.clone(), row });
            choices.retain(|other| other.block.update == Update::Patch && other.block.drives);
            if is_done {
                break;
            }
        }
        if let Some(missing) = missing {
            findings.extend(missing.into_iter().map(|name| {
                let expected = format!("`{}.{name}` has no place in this layout", made.kind);
                Finding::new(Code::MapNotWritten, Origin::default(), expected)
            }));
            return parts;
        }
        if self.blocks.iter().any(|block| block.is_written_only && !block.drives && block.kind == made.kind) {
            let expected = format!("of this {} the layout holds no more than whose a row is", made.kind);
            findings.push(Finding::new(Code::MapNotWritten, Origin::default(), expected));
            return parts;
        }
        findings.push(match refused {
            Some((address, refusal)) => {
                Finding::new(refusal.code, Origin::default().in_column(&address), refusal.expected)
            }
            None => {
                let expected = format!("this {} has no place in this layout", made.kind);
                Finding::new(Code::MapNotWritten, Origin::default(), expected)
            }
        });
        parts
    }

    /// A record in a block's cells; `None` where the block would not take them back.
    fn choice<'t, P: Purpose>(
        &'t self,
        block: &'t Block,
        made: &Made,
        subject: &str,
        naming: Naming<'_>,
        grant: &Grant<P>,
    ) -> Result<Option<Choice<'t>>, (String, Refusal)> {
        if !block.holds_constants(&made.draft) {
            return Ok(None);
        }
        let (mut cells, said, lost) = self.cells(block, made, grant)?;
        if matches!(naming.keys, Keys::Own | Keys::Shared) {
            if naming.keys == Keys::Own {
                self.key_cells(&block.subject, subject, &mut cells);
                Self::own_time(block, made, &mut cells);
            }
            let key = made.key.open(grant);
            match (&block.row_id, key.strip_prefix(ROW_ID_MARK)) {
                (Some(address), Some(id)) => drop(cells.insert(address.clone(), Out::Text(id.to_owned()))),
                _ if naming.keys == Keys::Own => self.key_cells(&block.key, key, &mut cells),
                // What the record itself says stands before what another layout called it.
                _ => {
                    let mut named = BTreeMap::new();
                    self.key_cells(&block.key, key, &mut named);
                    named.retain(|address, out| carry::takes(block, address, &out.plain()));
                    for (address, out) in named {
                        cells.entry(address).or_insert(out);
                    }
                }
            }
        }
        if matches!(naming.keys, Keys::Shared | Keys::Carried) {
            self.carry(block, naming.own.unwrap_or(subject), made, grant, &mut cells);
        }
        for write in &block.writes {
            if write.with.as_ref().is_none_or(|with| cells.contains_key(with)) {
                cells.entry(write.address.clone()).or_insert_with(|| self.out(write.value.clone()));
            }
        }
        if !take_constants(block, &mut cells) || !block.is_filled(&cells) {
            return Ok(None);
        }
        Ok(Some(Choice { missing: block.missing(&made.draft), block, cells, said, lost }))
    }

    /// The parts of a key back into their cells. A field's own text stands where the two agree.
    fn key_cells(&self, parts: &[Part], key: &str, cells: &mut BTreeMap<String, Out>) {
        let texts: Vec<&str> = key.split(KEY_SEPARATOR).collect();
        if texts.len() != parts.len() {
            return;
        }
        for (part, text) in parts.iter().zip(texts) {
            let Part::Cell(address, ops) = part else { continue };
            if text.is_empty() {
                continue;
            }
            let value = ops
                .iter()
                .rev()
                .try_fold(Value::owned(text.to_owned()), |value, op| op.write(value))
                .map(|value| self.out(value));
            let Ok(out) = value else { continue };
            if cells.get(address).is_none_or(|there| there.plain() != out.plain()) {
                cells.insert(address.clone(), out);
            }
        }
    }

    /// A value as this format writes it.
    fn out(&self, value: Value<'_>) -> Out {
        match value {
            Value::Number(number) if self.holds_numbers => match number.to_f64() {
                Some(double) => Out::Number(double),
                None => Out::Text(number.normalize().to_string()),
            },
            Value::Day(day) => Out::Day(day),
            Value::Truth(truth) => Out::Bool(truth),
            Value::Delete => Out::Delete,
            other => Out::Text(other.plain().into_owned()),
        }
    }
}

/// Writes the constants of `when`, and says whether the block would take the row back.
fn take_constants(block: &Block, cells: &mut BTreeMap<String, Out>) -> bool {
    let Some(when) = &block.when else { return true };
    let mut constants = Vec::new();
    when.constants(&mut constants);
    for (address, text) in constants {
        cells.entry(address.clone()).or_insert_with(|| Out::Text(text.to_owned()));
    }
    holds(when, cells)
}

/// Whether a condition holds for cells as they will be written.
fn holds(when: &Condition<String>, cells: &BTreeMap<String, Out>) -> bool {
    when.holds(&|address: &String| {
        let out = cells.get(address);
        out.map_or(Value::Absent, |out| Value::of_cell(out.cell()).unwrap_or(Value::Absent))
    })
}

/// Whether a record's cells can be joined to a row: they say nothing else about the same cells.
fn fits(row: &Row, other: &Row) -> bool {
    row.sheet == other.sheet
        && other
            .cells
            .iter()
            .all(|(address, cell)| row.cells.get(address).is_none_or(|there| there.plain() == cell.plain()))
}

impl Mapping {
    /// The mapping ready to write; `None` where it is only ever read.
    #[must_use]
    pub fn target(&self) -> Option<Target> {
        if self.one_way {
            return None;
        }
        let mut places = BTreeMap::new();
        let is_table = matches!(self.settings.format, FormatKind::Csv(_) | FormatKind::Xlsx(_));
        for block in &self.blocks {
            let header = is_table.then(|| self.header(block.sheet.as_deref()));
            for address in block.addresses() {
                if let Ok(at) = At::compile(address, header.as_ref()) {
                    places.insert((block.sheet.clone(), address.to_owned()), at);
                }
            }
        }
        let is_text =
            matches!(self.settings.format, FormatKind::Csv(_) | FormatKind::Xml(_) | FormatKind::Hl7v2(_));
        Some(Target { blocks: self.blocks.clone(), places, holds_numbers: !is_text })
    }

    /// The header of its table, or of one sheet: the listed columns, or all it names.
    #[must_use]
    pub fn header(&self, sheet: Option<&str>) -> Header {
        let listed = self.columns.iter().find(|(of, _)| match sheet {
            Some(_) => is_of(Some(of), sheet),
            None => of.is_empty(),
        });
        let columns = listed.map_or_else(|| self.addresses(sheet), |(_, columns)| columns.clone());
        let mut header = Header::of(columns.iter().map(String::as_str));
        header.sheet = sheet.map(Arc::from);
        header
    }
}
