//! A table before it is bytes: columns, rows, and what is planted in them.

use std::io::Write;

use crate::base::day::Day;
use crate::synth::SynthError;
use crate::synth::calendar::{between, day, slashed};
use crate::synth::dirt::RowRates;
use crate::synth::fault::{Fault, Kind, Planted};
use crate::synth::seed::Seed;

/// One cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Blank,
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// A day.
    Day(Day),
    /// A spreadsheet error such as `#N/A`.
    Error,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        if text.is_empty() { Self::Blank } else { Self::Text(text.to_owned()) }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        if text.is_empty() { Self::Blank } else { Self::Text(text) }
    }
}

impl From<Option<Day>> for Cell {
    fn from(day: Option<Day>) -> Self {
        day.map_or(Self::Blank, Self::Day)
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// Its cells, in the order of the columns.
    pub cells: Vec<Cell>,
    /// What is wrong with it, on purpose.
    pub planted: Option<Planted>,
}

/// One table: a text file, or a sheet.
#[derive(Debug, Clone)]
pub struct Table {
    /// Feed it belongs to.
    pub feed: &'static str,
    /// File name.
    pub file: &'static str,
    /// Sheet, in a workbook.
    pub sheet: Option<&'static str>,
    /// Names of the columns.
    pub columns: &'static [&'static str],
    /// Line of the first row.
    pub first_line: u64,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// Adds a row of named cells; columns not named stay blank.
    pub fn push(&mut self, named: &[(&str, Cell)]) {
        let cell = |column: &&str| {
            let found = named.iter().find(|(name, _)| name == column);
            found.map(|(_, cell)| cell.clone()).unwrap_or_default()
        };
        self.rows.push(Row { cells: self.columns.iter().map(cell).collect(), planted: None });
    }

    /// Where a column stands.
    #[must_use]
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| *name == column)
    }

    /// The cell of a row in a column.
    #[must_use]
    pub fn cell<'t>(&'t self, row: &'t Row, column: &str) -> &'t Cell {
        const BLANK: &Cell = &Cell::Blank;
        self.position(column).and_then(|at| row.cells.get(at)).unwrap_or(BLANK)
    }

    /// A copy of some row, planted in, at a place chosen by the seed.
    ///
    /// The copy is spoiled by `set`, pairs of column and cell, of which the last names the fault's
    /// column. Rows that already hold a fault are not copied.
    pub fn plant(
        &mut self,
        kind: Kind,
        column: Option<&'static str>,
        set: &[(&str, Cell)],
        which: impl Fn(&Self, &Row) -> bool,
        seed: &mut Seed,
    ) {
        let fit: Vec<usize> = (0..self.rows.len())
            .filter(|at| self.rows.get(*at).is_some_and(|row| row.planted.is_none() && which(self, row)))
            .collect();
        let Some(mut row) = self.rows.get(seed.pick(&fit)).filter(|_| !fit.is_empty()).cloned() else {
            return;
        };
        for (name, value) in set {
            if let Some(cell) = self.position(name).and_then(|at| row.cells.get_mut(at)) {
                *cell = value.clone();
            }
        }
        row.planted = Some(Planted { kind, column });
        let at = seed.place(self.rows.len());
        self.rows.insert(at, row);
    }

    /// The last row of a given key column value, repeated further down: the same row twice.
    pub fn repeat(&mut self, kind: Kind, which: impl Fn(&Self, &Row) -> bool, seed: &mut Seed) {
        let fit: Vec<usize> = (0..self.rows.len())
            .filter(|at| self.rows.get(*at).is_some_and(|row| row.planted.is_none() && which(self, row)))
            .collect();
        let Some(mut row) = self.rows.get(seed.pick(&fit)).filter(|_| !fit.is_empty()).cloned() else {
            return;
        };
        row.planted = Some(Planted { kind, column: None });
        self.rows.push(row);
    }

    /// Goes through all rows once: some are sent again at the end, and some have a copy beside
    /// them with a word of no list in `code`, told apart from the row by another day in `key`.
    pub fn sprinkle(&mut self, rates: RowRates, (code, key): (&'static str, &'static str), seed: &mut Seed) {
        let (code_at, key_at) = (self.position(code), self.position(key));
        let mut again = Vec::new();
        let mut out = Vec::with_capacity(self.rows.len());
        for row in std::mem::take(&mut self.rows) {
            let sound = row.planted.is_none();
            if sound && seed.chance(rates.re_sent) {
                let planted = Some(Planted { kind: Kind::DuplicateRow, column: None });
                again.push(Row { planted, ..row.clone() });
            }
            if sound && seed.chance(rates.wrong_code) {
                let mut wrong = row.clone();
                set(&mut wrong, code_at, Cell::Text(seed.pick(&["see notes", "n/a", "as above"]).to_owned()));
                let day = between(seed, day(2020, 1, 1), day(2024, 12, 31));
                let is_day = key_at
                    .and_then(|at| wrong.cells.get(at))
                    .is_some_and(|cell| matches!(cell, Cell::Day(_)));
                set(&mut wrong, key_at, if is_day { Cell::Day(day) } else { Cell::Text(slashed(day)) });
                wrong.planted = Some(Planted { kind: Kind::UnknownCode, column: Some(code) });
                out.push(wrong);
            }
            out.push(row);
        }
        out.extend(again);
        self.rows = out;
    }

    /// The faults at their places.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let placed = (self.first_line..).zip(&self.rows);
        placed
            .filter_map(|(line, row)| {
                row.planted.map(|fault| fault.at(self.feed, self.file, self.sheet, line))
            })
            .collect()
    }

    /// The table as separated text, in UTF-8.
    pub fn csv(&self, separator: u8) -> Result<Vec<u8>, SynthError> {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(separator)
            .terminator(csv::Terminator::CRLF)
            .flexible(true)
            .from_writer(Vec::new());
        writer.write_record(self.columns)?;
        for row in &self.rows {
            writer.write_record(row.cells.iter().map(text))?;
        }
        writer.flush().map_err(SynthError::Write)?;
        writer.into_inner().map_err(|error| SynthError::Write(error.into_error()))
    }
}

fn set(row: &mut Row, at: Option<usize>, cell: Cell) {
    if let Some(there) = at.and_then(|at| row.cells.get_mut(at)) {
        *there = cell;
    }
}

/// A cell as text.
#[must_use]
pub fn text(cell: &Cell) -> String {
    match cell {
        Cell::Blank => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Day(day) => slashed(*day),
        Cell::Error => "#N/A".to_owned(),
    }
}

/// Writes text in Windows-1252; a letter that it lacks loses its marks.
pub fn windows_1252(utf8: &[u8], mut out: impl Write) -> Result<(), SynthError> {
    let text = String::from_utf8_lossy(utf8);
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
    out.write_all(&bytes).map_err(SynthError::Write)
}
