//! One pass over a workbook: finds each sheet's header and puts its rows aside.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use super::book::{Book, Sheet};
use super::cells::{Cells, Spot};
use super::kept::{Kept, Shelf, Wrong};
use super::look::SheetLook;
use super::markup::Broken;
use super::row::SheetRow;
use super::style::Styles;
use super::texts::Texts;
use crate::base::finding::{Code, Finding, Findings, Severity};
use crate::base::limit::{COLUMNS_MAX, HEADER_SEARCH_ROWS_MAX};
use crate::base::origin::Origin;
use crate::format::csv::{find_row, hits};
use crate::format::settings::{SheetSettings, XlsxSettings};
use crate::format::source::{Spool, Spooled};
use crate::format::{Cell, FormatError, Header, Refused};

/// What a pass found.
pub(super) struct Scanned {
    pub(super) headers: Vec<Header>,
    pub(super) findings: Findings,
}

/// Where what is read goes.
pub(super) struct To<'t> {
    /// Makes a private file for shared texts.
    pub(super) spool: &'t dyn Spool,
    /// The private file of rows.
    pub(super) target: &'t mut dyn Spooled,
    /// Bytes that a row may have.
    pub(super) row_bytes_max: usize,
}

/// What all sheets of a workbook share.
struct Shared<'s> {
    texts: Texts<'s>,
    styles: Styles,
}

/// Scans the wanted sheets of a workbook.
pub(super) fn scan(
    book: &mut Book,
    settings: &XlsxSettings,
    file: &Origin,
    to: To<'_>,
) -> Result<Scanned, Refused> {
    let mut scanned = Scanned { headers: Vec::new(), findings: Findings::default() };
    let wanted = wanted_sheets(book, settings, file, &mut scanned.findings)?;
    if book.has_pivot {
        let text = "this workbook holds a pivot table with its own copy of the rows it was made from";
        scanned.findings.push(Finding::new(Code::XlsxPivot, file.clone(), text));
    }
    let styles = book.styles().map_err(|broken| book.fault(broken, file))?;
    let texts = book.texts(to.spool).map_err(|broken| book.fault(broken, file))?;
    let mut shared = Shared { texts, styles };
    let mut target = BufWriter::with_capacity(64 * 1024, to.target);
    for (sheet, settings) in &wanted {
        let mut scan = SheetScan {
            origin: file.clone().on_sheet(&sheet.name),
            name: Arc::from(sheet.name.as_str()),
            settings,
            index: scanned.headers.len(),
            look: SheetLook::default(),
            columns: Columns::default(),
            header: None,
            above: Vec::new(),
            findings: &mut scanned.findings,
            shelf: Shelf::default(),
            target: &mut target,
            row_bytes_max: to.row_bytes_max,
            is_stray_noted: false,
        };
        scan.run(book, sheet, &mut shared)?;
        scan.tell(&shared.styles.coloured);
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
    book: &Book,
    settings: &XlsxSettings,
    file: &Origin,
    findings: &mut Findings,
) -> Result<Vec<(Sheet, SheetSettings)>, Refused> {
    let all = &book.sheets;
    let same = |left: &str, right: &str| left.trim().to_lowercase() == right.trim().to_lowercase();
    let is_declared = |sheet: &Sheet| settings.sheets.iter().any(|wanted| same(&wanted.name, &sheet.name));
    // Where it was not asked for, a sheet is told by its number: it may be named after somebody.
    let told = |sheet: &Sheet| settings.sheets.is_empty() || is_declared(sheet);
    for (number, sheet) in (1..).zip(all).filter(|(_, sheet)| sheet.is_hidden) {
        let read = if is_declared(sheet) { "it was read" } else { "it was not read" };
        let finding = if told(sheet) {
            let origin = file.clone().on_sheet(&sheet.name);
            Finding::new(Code::XlsxHidden, origin, format!("this sheet is hidden; {read}"))
        } else {
            let text = format!("sheet {number} of the workbook is hidden; {read}");
            Finding::new(Code::XlsxHidden, file.clone(), text)
        };
        findings.push(finding);
    }
    if settings.sheets.is_empty() {
        let is_read = |sheet: &&Sheet| !sheet.is_hidden && sheet.is_table;
        let optional = SheetSettings { optional: true, ..SheetSettings::default() };
        return Ok(all.iter().filter(is_read).map(|sheet| (sheet.clone(), optional.clone())).collect());
    }
    let (mut wanted, mut missing) = (Vec::new(), Vec::new());
    for declared in &settings.sheets {
        match all.iter().find(|sheet| same(&declared.name, &sheet.name)) {
            Some(sheet) => wanted.push((sheet.clone(), declared.clone())),
            None => missing.push(declared),
        }
    }
    // Among those that nobody asks for may be the one, under another name.
    let others: Vec<usize> =
        (1..).zip(all).filter(|(_, sheet)| !is_declared(sheet)).map(|(at, _)| at).collect();
    let (missing, optional): (Vec<_>, Vec<_>) = missing.into_iter().partition(|of| !of.optional);
    let said = |of: &[&SheetSettings]| {
        let names: Vec<&str> = of.iter().map(|of| of.name.as_str()).collect();
        let what = if names.len() == 1 { "a sheet named" } else { "sheets named" };
        let found = match others.as_slice() {
            [] => "found the others and no more".to_owned(),
            [one] => format!("found another name on sheet {one}"),
            several => format!("found other names on the sheets {}", listed(several)),
        };
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let text = format!("expected {what} {}, {found}", listed(&names));
        Finding::new(Code::XlsxSheetMissing, file.clone(), text)
    };
    if !missing.is_empty() {
        return Err(said(&missing).into());
    }
    for of in optional {
        findings.push(said(&[of]).severity(Severity::Note));
    }
    Ok(wanted)
}

/// As many as one finding tells.
fn listed(of: &[impl ToString]) -> String {
    let shown: Vec<String> = of.iter().take(SHEETS_SHOWN_MAX).map(ToString::to_string).collect();
    match of.len().saturating_sub(SHEETS_SHOWN_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Sheets that one finding tells.
const SHEETS_SHOWN_MAX: usize = 12;

struct SheetScan<'s, W: Write> {
    origin: Origin,
    name: Arc<str>,
    settings: &'s SheetSettings,
    index: usize,
    look: SheetLook,
    header: Option<Header>,
    columns: Columns,
    /// Rows read while the header is looked for.
    above: Vec<Row>,
    findings: &'s mut Findings,
    shelf: Shelf,
    target: &'s mut W,
    row_bytes_max: usize,
    is_stray_noted: bool,
}

/// Of each column that has a name: whether it is used, and whether it is filled in beforehand.
#[derive(Default)]
struct Columns {
    used: Vec<bool>,
    aside: Vec<bool>,
}

/// A row as it is gathered.
#[derive(Clone, Default)]
struct Row {
    line: u64,
    cells: SheetRow,
    errors: Vec<usize>,
    uncalculated: Vec<usize>,
    is_too_large: bool,
}

impl Row {
    fn begin(&mut self, line: u64) {
        self.line = line;
        self.cells.clear();
        self.errors.clear();
        self.uncalculated.clear();
        self.is_too_large = false;
    }
}

impl<W: Write> SheetScan<'_, W> {
    fn run(&mut self, book: &mut Book, sheet: &Sheet, shared: &mut Shared<'_>) -> Result<(), Refused> {
        let scanned = self.scan(book, sheet, shared);
        scanned.map_err(|stop| match stop {
            Stop::Broken(broken) => book.fault(broken, &self.origin),
            Stop::Refused(refused) => refused,
        })
    }

    fn scan(&mut self, book: &mut Book, sheet: &Sheet, shared: &mut Shared<'_>) -> Result<(), Stop> {
        let is_1904 = book.is_1904;
        let part = book.sheet(sheet)?.ok_or(Broken::Damaged)?;
        let mut cells = Cells::new(part, &mut shared.texts, &shared.styles, is_1904);
        let mut row = Row::default();
        while let Some(seen) = cells.next()? {
            self.look.style(seen.place, seen.style);
            if seen.is_uncalculated {
                self.look.uncalculated(seen.place);
            }
            let line = u64::from(seen.place.row) + 1;
            if line != row.line {
                self.row(&row)?;
                row.begin(line);
            }
            let column = usize::try_from(seen.place.column).unwrap_or(usize::MAX);
            let is_told = seen.is_error || seen.is_uncalculated;
            let is_blank = seen.cell == Cell::Absent && !is_told;
            if is_blank || column >= COLUMNS_MAX || column < row.cells.len() {
                continue;
            }
            match seen.cell {
                Cell::Text(text) if row.cells.bytes() + text.len() > self.row_bytes_max => {
                    row.is_too_large = true;
                    continue;
                }
                _ => {}
            }
            row.cells.pad(column);
            row.cells.push(seen.cell);
            if seen.is_error {
                row.errors.push(column);
            }
            if seen.is_uncalculated {
                row.uncalculated.push(column);
            }
        }
        self.row(&row)?;
        if self.header.is_none() {
            self.settle()?;
        }
        cells.merged(|area| self.look.merge(area))?;
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), Refused> {
        if row.cells.is_empty() && !row.is_too_large {
            return Ok(());
        }
        if self.header.is_some() {
            return self.keep(row);
        }
        if let Some(declared) = self.settings.header_row {
            if row.line >= declared {
                self.above = vec![row.clone()];
                return self.settle();
            }
            return Ok(());
        }
        self.above.push(row.clone());
        if self.above.len() >= HEADER_SEARCH_ROWS_MAX {
            return self.settle();
        }
        Ok(())
    }

    /// Decides which of the first rows is the header.
    fn settle(&mut self) -> Result<(), Refused> {
        let above = std::mem::take(&mut self.above);
        let texts: Vec<Vec<String>> = above.iter().map(|row| names_of(&row.cells)).collect();
        let found = match (self.settings.header_row, self.settings.expected.is_empty()) {
            (Some(declared), _) => above.iter().position(|row| row.line == declared),
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
        let line = above.get(at).map_or(0, |row| row.line);
        let is_mistaken = !self.settings.expected.is_empty()
            && hits(names.iter().map(String::as_str), &self.settings.expected) == 0;
        if is_mistaken {
            return self.no_header(false);
        }
        let columns = names.iter().map(|name| Arc::from(name.as_str())).collect();
        let header = Header { sheet: Some(self.name.clone()), columns, line };
        self.check_twice(&header)?;
        self.columns = Columns::of(&header, self.settings);
        self.header = Some(header);
        for row in above.iter().skip(at + 1) {
            self.keep(row)?;
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

    fn keep(&mut self, row: &Row) -> Result<(), Refused> {
        let Row { line, cells, .. } = row;
        let columns = self.columns.aside.len();
        let is_blank = cells.is_empty()
            || self
                .columns
                .aside
                .iter()
                .take(cells.len())
                .enumerate()
                .all(|(column, is_aside)| *is_aside || cells.cell(column) == Cell::Absent);
        let is_stray = (columns..cells.len()).any(|column| cells.cell(column) != Cell::Absent);
        if is_stray && !self.is_stray_noted {
            self.is_stray_noted = true;
            let text = "a cell stands here to the right of the last column name; such cells are not read";
            self.findings.push(Finding::new(Code::XlsxStray, self.origin.clone().at_line(*line), text));
        }
        if is_blank && !row.is_too_large {
            return Ok(());
        }
        let first_used =
            |columns: &[usize]| columns.iter().copied().find(|column| self.columns.is_used(*column));
        let wrong = if row.is_too_large {
            Some(Wrong::TooLarge)
        } else {
            let error = first_used(&row.errors).map(Wrong::Error);
            error.or_else(|| first_used(&row.uncalculated).map(Wrong::Uncalculated))
        };
        let kept = Kept { sheet: self.index, line: *line, wrong };
        let written = self.shelf.write(kept, cells, self.target);
        written.map_err(|error| Refused::Machine(FormatError::Spool(error)))
    }

    /// What was seen of the sheet besides its values.
    fn tell(&mut self, coloured: &BTreeSet<u32>) {
        let (look, Some(header)) = (&self.look, &self.header) else { return };
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
        if let Some(Spot { row, column }) = look.uncalculated_first {
            let text = format!(
                "formulas were never calculated, {} of them, first in row {}; they hold no value",
                look.uncalculated,
                row + 1
            );
            let named = usize::try_from(column).ok().and_then(|column| header.columns.get(column));
            let mut origin = self.origin.clone().at_line(u64::from(row) + 1);
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
}

impl Columns {
    fn of(header: &Header, settings: &SheetSettings) -> Self {
        let among = |names: &[String], name: &str| names.iter().any(|known| known.trim() == name);
        let names = || header.columns.iter().map(AsRef::as_ref);
        let is_used = |name: &str| settings.expected.is_empty() || among(&settings.expected, name);
        Self {
            used: names().map(is_used).collect(),
            aside: names().map(|name| among(&settings.aside, name)).collect(),
        }
    }

    fn is_used(&self, column: usize) -> bool {
        self.used.get(column).copied().unwrap_or_default()
    }
}

/// Why a sheet is read no further.
enum Stop {
    Broken(Broken),
    Refused(Refused),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
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
