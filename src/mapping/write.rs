//! From records to a source's layout: the same file, the other way.
//!
//! The driving record makes the row, and the subject's other records are joined to it. `is`
//! writes its constant. What the layout has no place for is said, never dropped in silence.

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
use crate::mapping::op::Refusal;
use crate::mapping::op::value::Value;
use crate::mapping::read::is_of;
use crate::mapping::{KEY_SEPARATOR, Made, Mapping};

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
}

/// What a set of records is written as.
#[derive(Default)]
pub struct Written {
    /// The rows or trees, in order.
    pub rows: Vec<Row>,
    /// What could not be written.
    pub findings: Vec<Finding>,
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

impl Target {
    /// Writes the records of one subject, or of one unit. Opens them, for the grant's purpose.
    #[must_use]
    pub fn write<P: Purpose>(&self, records: &[Made], keys: Keys, grant: &Grant<P>) -> Written {
        let mut written = Written::default();
        let mut parts = Vec::with_capacity(records.len());
        for made in records {
            parts.extend(self.part(made, keys, grant, &mut written.findings));
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
        written.rows = rows.into_iter().map(|(_, row)| row).collect();
        written
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

    /// One record as the cells of the block that holds most of it; of equal ones, the first.
    fn part<P: Purpose>(
        &self,
        made: &Made,
        keys: Keys,
        grant: &Grant<P>,
        findings: &mut Vec<Finding>,
    ) -> Option<Placed<'_>> {
        let subject = made.subject.as_ref().map(|subject| subject.open(grant).clone()).unwrap_or_default();
        let mut refused: Option<(String, Refusal)> = None;
        let mut best: Option<(Vec<&'static str>, &Block, BTreeMap<String, Out>)> = None;
        for block in self.blocks.iter().filter(|block| block.kind == made.kind && !block.one_way) {
            if !block.holds_constants(&made.draft) {
                continue;
            }
            let missing = block.missing(&made.draft);
            if best.as_ref().is_some_and(|(fewest, ..)| fewest.len() <= missing.len()) {
                continue;
            }
            let mut cells = match self.cells(block, made, grant) {
                Ok(cells) => cells,
                Err(why) => {
                    refused.get_or_insert(why);
                    continue;
                }
            };
            if keys == Keys::Own {
                self.key_cells(&block.subject, &subject, &mut cells);
                self.key_cells(&block.key, made.key.open(grant), &mut cells);
            }
            if take_constants(block, &mut cells) && block.is_filled(&cells) {
                best = Some((missing, block, cells));
            }
        }
        if let Some((missing, block, cells)) = best {
            findings.extend(missing.into_iter().map(|name| {
                let expected = format!("`{}.{name}` has no place in this layout", made.kind);
                Finding::new(Code::MapNotWritten, Origin::default(), expected)
            }));
            return Some(Placed { block, subject, row: Row { sheet: block.sheet.clone(), cells } });
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
        None
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
