//! One pass over a workbook: finds each sheet's header and puts its rows aside.
//!
//! A sheet's cells can only be read while the workbook is borrowed, so rows go through a private
//! file. What is gained: every fault of the file as a whole is known before its first unit.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use calamine::{Cell as RawCell, DataRef, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};

use super::look::{Looks, SheetLook};
use super::row::SheetRow;
use crate::base::day::Day;
use crate::base::finding::{Code, Finding, Findings, Severity};
use crate::base::limit::{COLUMNS_MAX, HEADER_SEARCH_ROWS_MAX};
use crate::base::origin::Origin;
use crate::format::csv::{find_row, hits};
use crate::format::packed::is_of_data;
use crate::format::settings::{SheetSettings, XlsxSettings};
use crate::format::source::{Source, Spooled};
use crate::format::{Cell, FormatError, Header, Refused};

/// What a pass found.
pub(super) struct Scanned {
    pub(super) headers: Vec<Header>,
    pub(super) findings: Findings,
}

type Workbook = Xlsx<Box<dyn Source>>;

/// One row as it goes into the private file.
pub(super) struct Kept {
    pub(super) sheet: usize,
    pub(super) line: u64,
    /// A column, from 0, that is used and holds no value that can be.
    pub(super) wrong: Option<(usize, Wrong)>,
    pub(super) row: SheetRow,
}

/// Why a cell has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It holds an Excel error.
    Error,
    /// It holds a formula that was never calculated.
    Uncalculated,
}

/// Scans the wanted sheets of a workbook.
pub(super) fn scan(
    workbook: &mut Workbook,
    looks: &Looks,
    settings: &XlsxSettings,
    file: &Origin,
    target: &mut dyn Spooled,
) -> Result<Scanned, Refused> {
    let mut scanned = Scanned { headers: Vec::new(), findings: Findings::default() };
    let wanted = wanted_sheets(workbook, settings, file, &mut scanned.findings)?;
    if looks.has_pivot {
        let text = "this workbook holds a pivot table with its own copy of the rows it was made from";
        scanned.findings.push(Finding::new(Code::XlsxPivot, file.clone(), text));
    }
    let coloured = looks.coloured();
    let mut target = BufWriter::with_capacity(64 * 1024, target);
    for (name, sheet) in &wanted {
        let mut scan = SheetScan {
            origin: file.clone().on_sheet(name),
            name: Arc::from(name.as_str()),
            settings: sheet,
            index: scanned.headers.len(),
            look: looks.sheet(name),
            header: None,
            above: Vec::new(),
            findings: &mut scanned.findings,
            target: &mut target,
            is_stray_noted: false,
        };
        scan.run(workbook)?;
        scan.tell(&coloured);
        if let Some(header) = scan.header.take() {
            scanned.headers.push(header);
        }
    }
    target.flush().map_err(|error| Refused::Machine(FormatError::Spool(error)))?;
    if scanned.headers.is_empty() {
        let text = "expected a sheet with column names and rows, found none";
        return Err(Finding::new(Code::FileEmpty, file.clone(), text).into());
    }
    Ok(scanned)
}

/// The sheets to read, by the names they have in the workbook.
fn wanted_sheets(
    workbook: &Workbook,
    settings: &XlsxSettings,
    file: &Origin,
    findings: &mut Findings,
) -> Result<Vec<(String, SheetSettings)>, Refused> {
    let all = workbook.sheets_metadata();
    let same = |left: &str, right: &str| left.trim().to_lowercase() == right.trim().to_lowercase();
    for sheet in all.iter().filter(|sheet| sheet.visible != SheetVisible::Visible) {
        let is_declared = settings.sheets.iter().any(|wanted| same(&wanted.name, &sheet.name));
        let text = if is_declared {
            "this sheet is hidden; it was read"
        } else {
            "this sheet is hidden; it was not read"
        };
        findings.push(Finding::new(Code::XlsxHidden, file.clone().on_sheet(&sheet.name), text));
    }
    if settings.sheets.is_empty() {
        let is_read = |sheet: &&calamine::Sheet| {
            sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet
        };
        let optional = SheetSettings { optional: true, ..SheetSettings::default() };
        return Ok(all.iter().filter(is_read).map(|sheet| (sheet.name.clone(), optional.clone())).collect());
    }
    let mut wanted = Vec::new();
    for declared in &settings.sheets {
        if let Some(sheet) = all.iter().find(|sheet| same(&declared.name, &sheet.name)) {
            wanted.push((sheet.name.clone(), declared.clone()));
            continue;
        }
        let there: Vec<String> = all.iter().map(|sheet| format!("`{}`", sheet.name)).collect();
        let text = format!("expected a sheet named `{}`, found {}", declared.name, there.join(", "));
        let finding = Finding::new(Code::XlsxSheetMissing, file.clone(), text);
        if !declared.optional {
            return Err(finding.into());
        }
        findings.push(finding.severity(Severity::Note));
    }
    Ok(wanted)
}

struct SheetScan<'s, W: Write> {
    origin: Origin,
    name: Arc<str>,
    settings: &'s SheetSettings,
    index: usize,
    look: Option<&'s SheetLook>,
    header: Option<Header>,
    /// Rows read while the header is looked for.
    above: Vec<(u64, Option<(usize, Wrong)>, SheetRow)>,
    findings: &'s mut Findings,
    target: &'s mut W,
    is_stray_noted: bool,
}

impl<W: Write> SheetScan<'_, W> {
    fn run(&mut self, workbook: &mut Workbook) -> Result<(), Refused> {
        let mut cells =
            workbook.worksheet_cells_reader(&self.name).map_err(|error| fault(error, &self.origin))?;
        let mut row = SheetRow::default();
        let mut line = 0;
        let mut wrong = None;
        while let Some(cell) = cells.next_cell().map_err(|error| fault(error, &self.origin))? {
            let (row_index, column) = cell.get_position();
            let at = u64::from(row_index) + 1;
            if at != line && !row.is_empty() {
                self.row(line, wrong.take(), std::mem::take(&mut row))?;
            }
            line = at;
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            if matches!(cell.get_value(), DataRef::Empty) || column >= COLUMNS_MAX || column < row.len() {
                continue;
            }
            while row.len() < column {
                row.push(Cell::Absent);
            }
            if matches!(cell.get_value(), DataRef::Error(_)) {
                wrong = wrong.or(Some((column, Wrong::Error)));
            }
            push(&mut row, &cell);
        }
        if !row.is_empty() {
            self.row(line, wrong, row)?;
        }
        if self.header.is_none() {
            self.settle()?;
        }
        Ok(())
    }

    fn row(&mut self, line: u64, wrong: Option<(usize, Wrong)>, row: SheetRow) -> Result<(), Refused> {
        if self.header.is_some() {
            return self.keep(line, wrong, row);
        }
        if let Some(declared) = self.settings.header_row {
            if line >= declared {
                self.above.clear();
                self.above.push((line, wrong, row));
                return self.settle();
            }
            return Ok(());
        }
        self.above.push((line, wrong, row));
        if self.above.len() >= HEADER_SEARCH_ROWS_MAX {
            return self.settle();
        }
        Ok(())
    }

    /// Decides which of the first rows is the header.
    fn settle(&mut self) -> Result<(), Refused> {
        let above = std::mem::take(&mut self.above);
        let texts: Vec<Vec<String>> = above.iter().map(|(_, _, row)| names_of(row)).collect();
        let found = match (self.settings.header_row, self.settings.expected.is_empty()) {
            (Some(declared), _) => above.iter().position(|(line, _, _)| *line == declared),
            (None, false) => {
                find_row(texts.iter().map(|row| row.iter().map(String::as_str)), &self.settings.expected)
            }
            (None, true) => widest(&texts),
        };
        let Some(at) = found else { return self.no_header(above.is_empty()) };
        let mut names = texts.into_iter().nth(at).unwrap_or_default();
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        let line = above.get(at).map_or(0, |(line, _, _)| *line);
        let is_mistaken = !self.settings.expected.is_empty()
            && hits(names.iter().map(String::as_str), &self.settings.expected) == 0;
        if is_mistaken {
            return self.no_header(false);
        }
        let columns = names.iter().map(|name| Arc::from(name.as_str())).collect();
        let header = Header { sheet: Some(self.name.clone()), columns, line };
        self.check_twice(&header)?;
        self.header = Some(header);
        for (line, wrong, row) in above.into_iter().skip(at + 1) {
            self.keep(line, wrong, row)?;
        }
        Ok(())
    }

    fn no_header(&mut self, is_blank: bool) -> Result<(), Refused> {
        let text = match (is_blank, self.settings.header_row) {
            (true, _) => String::from("expected column names and rows, found an empty sheet"),
            (false, Some(declared)) => {
                format!("expected the column names on row {declared}, found other text there")
            }
            (false, None) => format!(
                "expected the column names on one of the first {HEADER_SEARCH_ROWS_MAX} rows, found none that has half of them"
            ),
        };
        let finding = Finding::new(Code::HeaderMissing, self.origin.clone(), text);
        if !self.settings.optional {
            return Err(finding.into());
        }
        self.findings.push(finding.severity(Severity::Note));
        Ok(())
    }

    fn check_twice(&mut self, header: &Header) -> Result<(), Refused> {
        let mut seen = std::collections::BTreeSet::new();
        for name in header.columns.iter().filter(|name| !name.is_empty()) {
            if seen.insert(name) {
                continue;
            }
            let origin = self.origin.clone().at_line(header.line).in_column(name);
            let text = "this column name stands more than once in the header";
            let finding = Finding::new(Code::HeaderDuplicate, origin, text);
            let expected = &self.settings.expected;
            if expected.is_empty() || expected.iter().any(|wanted| wanted.trim() == name.as_ref()) {
                return Err(finding.into());
            }
            self.findings.push(finding.severity(Severity::Warning));
        }
        Ok(())
    }

    fn keep(&mut self, line: u64, wrong: Option<(usize, Wrong)>, row: SheetRow) -> Result<(), Refused> {
        let columns = self.header.as_ref().map_or(0, |header| header.columns.len());
        let is_blank = (0..row.len().min(columns))
            .all(|column| row.cell(column) == Cell::Absent || self.is_aside(column));
        let is_stray = (columns..row.len()).any(|column| row.cell(column) != Cell::Absent);
        if is_stray && !self.is_stray_noted {
            self.is_stray_noted = true;
            let text = "a cell stands here to the right of the last column name; such cells are not read";
            self.findings.push(Finding::new(Code::XlsxStray, self.origin.clone().at_line(line), text));
        }
        if is_blank {
            return Ok(());
        }
        let blank = self.look.and_then(|look| {
            let row = u32::try_from(line.checked_sub(1)?).ok()?;
            let mut cells = look.uncalculated.range((row, 0)..=(row, u32::MAX));
            cells.find_map(|(_, column)| usize::try_from(*column).ok().filter(|column| self.is_used(*column)))
        });
        let wrong = wrong
            .filter(|(column, _)| self.is_used(*column))
            .or(blank.map(|column| (column, Wrong::Uncalculated)));
        let kept = Kept { sheet: self.index, line, wrong, row };
        kept.write(self.target).map_err(|error| Refused::Machine(FormatError::Spool(error)))
    }

    fn is_aside(&self, column: usize) -> bool {
        let name = self.header.as_ref().and_then(|header| header.columns.get(column));
        name.is_some_and(|name| self.settings.aside.iter().any(|aside| aside.trim() == name.as_ref()))
    }

    /// What was seen of the sheet besides its values.
    fn tell(&mut self, coloured: &BTreeSet<u32>) {
        let (Some(look), Some(header)) = (self.look, &self.header) else { return };
        let top = u32::try_from(header.line).unwrap_or(u32::MAX);
        let mut found = Vec::new();
        if look.merged > 0 {
            let text = format!(
                "cells are merged here, {} times, first `{}`; all but the first cell of each are read as blank",
                look.merged, look.merged_first
            );
            // A title that spans the columns above the header takes nothing from any row.
            let severity = if look.merged_to < top { Severity::Note } else { Severity::Warning };
            found.push(Finding::new(Code::XlsxMerged, self.origin.clone(), text).severity(severity));
        }
        if let Some((row, column)) = look.uncalculated.first() {
            let text = format!(
                "formulas were never calculated, {} of them, first in row {}; they hold no value",
                look.uncalculated_count,
                row + 1
            );
            let named = usize::try_from(*column).ok().and_then(|column| header.columns.get(column));
            let mut origin = self.origin.clone().at_line(u64::from(*row) + 1);
            origin.column = named.cloned();
            found.push(Finding::new(Code::XlsxUncalculated, origin, text).severity(Severity::Warning));
        }
        if let Some((cells, row, column)) = look.coloured(coloured, top, header.columns.len()) {
            let text = format!(
                "{cells} cells are coloured here and others of their column are not; what a colour means is not read"
            );
            let mut origin = self.origin.clone().at_line(u64::from(row) + 1);
            origin.column = header.columns.get(column).cloned();
            found.push(Finding::new(Code::XlsxColour, origin, text));
        }
        found.into_iter().for_each(|finding| self.findings.push(finding));
    }

    fn is_used(&self, column: usize) -> bool {
        let name = self.header.as_ref().and_then(|header| header.columns.get(column));
        let expected = &self.settings.expected;
        name.is_some_and(|name| {
            expected.is_empty() || expected.iter().any(|wanted| wanted.trim() == name.as_ref())
        })
    }
}

/// The row that has most cells of text, the first of them where several do, from two up.
fn widest(rows: &[Vec<String>]) -> Option<usize> {
    let mut best = (0, None);
    for (index, row) in rows.iter().enumerate() {
        let width = row.iter().filter(|cell| !cell.is_empty()).count();
        if width > best.0 {
            best = (width, Some(index));
        }
    }
    best.1
}

/// A row's cells as column names.
fn names_of(row: &SheetRow) -> Vec<String> {
    let name = |column| match row.cell(column) {
        Cell::Text(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Cell::Number(number) => number.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Bool(truth) => truth.to_string(),
        Cell::Absent | Cell::Delete => String::new(),
    };
    (0..row.len()).map(name).collect()
}

fn push(row: &mut SheetRow, cell: &RawCell<DataRef<'_>>) {
    match cell.get_value() {
        DataRef::String(text) => row.push(Cell::Text(text)),
        DataRef::SharedString(text) => row.push(Cell::Text(text)),
        DataRef::Float(number) => row.push(Cell::Number(*number)),
        // Excel holds 15 digits, so nothing is lost.
        DataRef::Int(number) => row.push(number.to_string().parse().map_or(Cell::Absent, Cell::Number)),
        DataRef::Bool(truth) => row.push(Cell::Bool(*truth)),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            match text.trim_end_matches("T00:00:00").parse::<Day>() {
                Ok(day) => row.push(Cell::Day(day)),
                Err(_) => row.push(Cell::Text(text)),
            }
        }
        DataRef::DateTime(moment) => push_moment(row, *moment),
        DataRef::Error(_) | DataRef::Empty => row.push(Cell::Absent),
    }
}

/// A date as a day; with a time of day, as ISO text; a time alone as `hh:mm:ss`.
fn push_moment(row: &mut SheetRow, moment: calamine::ExcelDateTime) {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    if moment.is_duration() {
        return row.push(Cell::Number(moment.as_f64()));
    }
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    if moment.as_f64() < 1.0 {
        return row.push(Cell::Text(&time));
    }
    let parts = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    let day = match parts {
        (Ok(year), Ok(month), Ok(day)) => Day::new(year, month, day),
        _ => None,
    };
    match day {
        None => row.push(Cell::Number(moment.as_f64())),
        Some(day) if time == "00:00:00" => row.push(Cell::Day(day)),
        Some(day) => row.push(Cell::Text(&format!("{day}T{time}"))),
    }
}

/// What reading the workbook calls a fault, in the sender's words.
pub(super) fn fault(error: XlsxError, origin: &Origin) -> Refused {
    match error {
        XlsxError::Io(error) if !is_of_data(&error) => error.into(),
        XlsxError::Password => locked(origin),
        _ => damaged(origin),
    }
}

pub(super) fn locked(origin: &Origin) -> Refused {
    let text = "expected a workbook that can be opened, found one that needs a password";
    Finding::new(Code::XlsxLocked, origin.clone(), text).into()
}

fn damaged(origin: &Origin) -> Refused {
    let text = "expected an Excel workbook, found a file that is damaged or was cut off";
    Finding::new(Code::FileTruncated, origin.clone(), text).into()
}
