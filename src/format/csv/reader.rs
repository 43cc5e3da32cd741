//! A text table, row by row.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::Arc;

use super::Row;
use super::header;
use super::parse::{Began, Parsed, Parser};
use crate::base::finding::{Code, Finding, Findings};
use crate::base::limit::{CELL_BYTES_MAX, HEADER_SEARCH_ROWS_MAX};
use crate::base::origin::Origin;
use crate::format::charset::{self, Text};
use crate::format::settings::{CsvSettings, HeaderRule, Limits};
use crate::format::source::Source;
use crate::format::{Arrival, FormatError, Header, Place, Refused, Unit};

/// Reads a text table.
pub(crate) struct CsvReader {
    parser: Parser,
    header: Header,
    file: Origin,
    row: Row,
    /// Rows read while the header was looked for, and the one that ended the search.
    ahead: VecDeque<(Parsed, Row)>,
    is_first: bool,
    is_done: bool,
    null_word: Option<memchr::memmem::Finder<'static>>,
    blank_rows: u64,
    separator: u8,
    pub(crate) findings: Findings,
}

impl CsvReader {
    pub(crate) fn open(
        mut source: Box<dyn Source>,
        settings: &CsvSettings,
        limits: &Limits,
        file: &Origin,
    ) -> Result<Self, Refused> {
        let (decided, note) = charset::decide(source.as_mut(), settings.encoding, file)??;
        let mut text = Text::new(source, decided)?;
        let mut findings: Findings = note.into_iter().collect();
        let separator = separator_of(text.fill_buf()?, settings, file, &mut findings)?;
        let mut reader = Self {
            parser: Parser::new(text, separator, decided.lines_end_with_cr, limits.unit_bytes_max),
            header: Header::default(),
            file: file.clone(),
            row: Row::default(),
            ahead: VecDeque::new(),
            is_first: true,
            is_done: false,
            null_word: Some(memchr::memmem::Finder::new("NULL")),
            blank_rows: 0,
            separator,
            findings,
        };
        reader.find_header(settings)?;
        reader.check_header(settings)?;
        Ok(reader)
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn next(&mut self) -> Result<Option<Arrival<'_>>, FormatError> {
        loop {
            let parsed = self.step()?;
            let (began, problem) = match parsed {
                Parsed::End => {
                    self.finish();
                    return Ok(None);
                }
                Parsed::Row(_) if self.is_to_drop() => continue,
                Parsed::Row(began) => (began, self.problem(began)),
                Parsed::TooLarge(began) => (began, Some(Problem::TooLarge)),
                Parsed::Unclosed(began) => {
                    self.is_done = true;
                    (began, Some(Problem::Unclosed))
                }
            };
            let place = Place { sheet: None, line: began.line, byte: began.byte, path: None };
            if let Some(problem) = problem {
                let finding = self.finding(problem, &place);
                return Ok(Some(Arrival { place, unit: Err(finding) }));
            }
            self.note_null(&place);
            return Ok(Some(Arrival { place, unit: Ok(Unit::Row(&self.row)) }));
        }
    }

    fn step(&mut self) -> Result<Parsed, FormatError> {
        if let Some((parsed, row)) = self.ahead.pop_front() {
            self.row = row;
            return Ok(parsed);
        }
        if self.is_done {
            return Ok(Parsed::End);
        }
        self.parser.read(&mut self.row).map_err(FormatError::Read)
    }

    /// True for a row that is no unit: blank, or put there by the program that made the file.
    fn is_to_drop(&mut self) -> bool {
        let is_first = std::mem::take(&mut self.is_first);
        let whole = self.row.whole();
        if whole.len() > CELL_BYTES_MAX {
            return false;
        }
        if whole.trim_ascii().is_empty() {
            self.blank_rows += 1;
            return true;
        }
        if is_first && self.row.iter().all(|cell| !cell.is_empty() && cell.bytes().all(|byte| byte == b'-')) {
            self.drop_note("the dashed line that sqlcmd puts under the column names");
            return true;
        }
        if self.row.len() == 1 && is_row_count(whole.trim()) {
            self.drop_note("the count of rows that sqlcmd puts at the end");
            return true;
        }
        false
    }

    fn drop_note(&mut self, what: &str) {
        let finding = Finding::new(Code::CsvExtraLine, self.file.clone(), format!("left out {what}"));
        self.findings.push(finding);
    }

    fn problem(&self, began: Began) -> Option<Problem> {
        if began.is_unended && self.row.len() < self.header.columns.len() {
            return Some(Problem::CutOff);
        }
        if self.row.len() != self.header.columns.len() {
            return Some(Problem::Ragged);
        }
        if self.row.whole().len() > CELL_BYTES_MAX && self.row.iter().any(|cell| cell.len() > CELL_BYTES_MAX)
        {
            return Some(Problem::LongCell);
        }
        None
    }

    fn note_null(&mut self, place: &Place) {
        let Some(finder) = &self.null_word else { return };
        if finder.find(self.row.whole().as_bytes()).is_none() {
            return;
        }
        let Some(column) = self.row.iter().position(|cell| cell == "NULL") else { return };
        self.null_word = None;
        let mut origin = place.origin(&self.file);
        origin.column = self.header.columns.get(column).cloned();
        self.findings.push(Finding::new(
            Code::CsvNullWord,
            origin,
            "the word NULL stands here in place of a value; read as blank, here and below",
        ));
    }

    fn finding(&self, problem: Problem, place: &Place) -> Finding {
        let origin = place.origin(&self.file);
        match problem {
            Problem::Ragged => {
                let (expected, found) = (self.header.columns.len(), self.row.len());
                let separator = header::said(self.separator);
                Finding::new(
                    Code::CsvFieldCount,
                    origin,
                    format!("expected {expected} cells, as many as there are column names, found {found}"),
                )
                .hint(format!(
                    "look in this row for a {separator} or a line break that belongs inside a cell: such a cell needs double quotes round it"
                ))
            }
            Problem::CutOff => Finding::new(
                Code::FileTruncated,
                origin,
                format!(
                    "expected the file to end after a whole row of {} cells, found the end after {}",
                    self.header.columns.len(),
                    self.row.len()
                ),
            ),
            Problem::LongCell => Finding::new(
                Code::UnitTooLarge,
                origin,
                format!("expected cells of at most {} KB, found a longer one", CELL_BYTES_MAX / 1024),
            ),
            Problem::TooLarge => Finding::new(
                Code::UnitTooLarge,
                origin,
                "expected a row, found one longer or wider than any row can be",
            )
            .hint("look on this line for a double quote that is opened and never closed"),
            Problem::Unclosed => Finding::new(
                Code::FileTruncated,
                origin,
                "expected the file to end after a whole row, found the end inside double quotes that open in this row",
            ),
        }
    }

    fn finish(&mut self) {
        let blank = std::mem::take(&mut self.blank_rows);
        if blank > 0 {
            let text = format!("passed over {blank} blank rows");
            self.findings.push(Finding::new(Code::BlankRows, self.file.clone(), text));
        }
        self.is_done = true;
    }

    fn find_header(&mut self, settings: &CsvSettings) -> Result<(), Refused> {
        let (found, began) = match &settings.header {
            HeaderRule::Named(names) => {
                self.header = Header::of(names.iter().map(String::as_str));
                return self.look_past_empty();
            }
            HeaderRule::Numbered(names) => return self.find_numbers(names),
            HeaderRule::Exact => self.first_row()?,
            HeaderRule::Find => self.best_row(&settings.expected)?,
        };
        self.header = Header {
            sheet: None,
            columns: found.iter().map(|name| Arc::from(name.trim())).collect(),
            line: began.line,
        };
        Ok(())
    }

    /// The row that numbers the columns, or the order of the columns where there is none.
    fn find_numbers(&mut self, names: &[String]) -> Result<(), Refused> {
        let mut rows: Vec<(Parsed, Row)> = Vec::new();
        while rows.len() < HEADER_SEARCH_ROWS_MAX {
            let mut row = Row::default();
            let parsed = self.parser.read(&mut row)?;
            if parsed == Parsed::End {
                break;
            }
            let is_numbering = matches!(parsed, Parsed::Row(_)) && header::is_numbering(&row);
            rows.push((parsed, row));
            if is_numbering {
                break;
            }
        }
        let Some((Parsed::Row(began), row)) = rows.pop_if(|(_, row)| header::is_numbering(row)) else {
            if rows.is_empty() {
                return Err(self.empty());
            }
            self.header = Header::of(names.iter().map(String::as_str));
            self.ahead.extend(rows);
            return Ok(());
        };
        let columns = header::numbered(&row, names).map_err(|most| {
            let count = names.len();
            let text = format!(
                "expected field numbers from 1 to {count}, found {most}: the template is of another year"
            );
            Refused::from(Finding::new(Code::HeaderNumbers, self.file.clone().at_line(began.line), text))
        })?;
        self.header = Header { sheet: None, columns, line: began.line };
        Ok(())
    }

    /// A file whose columns the mapping names must still hold something.
    fn look_past_empty(&mut self) -> Result<(), Refused> {
        let mut row = Row::default();
        let parsed = self.parser.read(&mut row)?;
        if parsed == Parsed::End {
            return Err(self.empty());
        }
        self.ahead.push_back((parsed, row));
        Ok(())
    }

    fn first_row(&mut self) -> Result<(Row, Began), Refused> {
        loop {
            let mut row = Row::default();
            match self.parser.read(&mut row)? {
                Parsed::Row(_) if is_separator_line(&row) || row.whole().trim().is_empty() => {}
                Parsed::Row(began) => return Ok((row, began)),
                Parsed::End => return Err(self.empty()),
                Parsed::TooLarge(began) | Parsed::Unclosed(began) => return Err(self.no_header(began.line)),
            }
        }
    }

    fn best_row(&mut self, expected: &[String]) -> Result<(Row, Began), Refused> {
        let mut rows = Vec::new();
        while rows.len() < HEADER_SEARCH_ROWS_MAX {
            let mut row = Row::default();
            let parsed = self.parser.read(&mut row)?;
            if parsed == Parsed::End {
                break;
            }
            rows.push((parsed, row));
        }
        if rows.is_empty() {
            return Err(self.empty());
        }
        let Some(at) = header::find_row(rows.iter().map(|(_, row)| row.iter()), expected) else {
            return Err(self.no_header(1));
        };
        self.ahead.extend(rows.drain(at + 1..));
        match rows.pop() {
            Some((Parsed::Row(began), row)) => Ok((row, began)),
            _ => Err(self.no_header(1)),
        }
    }

    fn empty(&self) -> Refused {
        let text = "expected column names and rows, found an empty file";
        Refused::from(Finding::new(Code::FileEmpty, self.file.clone(), text))
    }

    fn no_header(&self, line: u64) -> Refused {
        let text = format!(
            "expected the column names on one of the first {HEADER_SEARCH_ROWS_MAX} rows, found none that has half of them"
        );
        Refused::from(Finding::new(Code::HeaderMissing, self.file.clone().at_line(line), text))
    }

    fn check_header(&mut self, settings: &CsvSettings) -> Result<(), Refused> {
        let names = || self.header.columns.iter().map(AsRef::as_ref);
        let origin = self.file.clone().at_line(self.header.line);
        let is_named = matches!(settings.header, HeaderRule::Named(_) | HeaderRule::Numbered(_));
        if !is_named && !settings.expected.is_empty() && header::hits(names(), &settings.expected) == 0 {
            let text = "expected the column names here, found a row that has none of them";
            return Err(Finding::new(Code::HeaderMissing, origin, text).into());
        }
        let mut seen = std::collections::BTreeSet::new();
        for name in names().filter(|name| !name.is_empty()) {
            if seen.insert(name) {
                continue;
            }
            let text = "this column name stands more than once in the header";
            let finding = Finding::new(Code::HeaderDuplicate, origin.clone().in_column(name), text);
            let is_used =
                settings.expected.is_empty() || settings.expected.iter().any(|wanted| wanted.trim() == name);
            if is_used {
                return Err(finding.into());
            }
            self.findings.push(finding.severity(crate::base::finding::Severity::Warning));
        }
        Ok(())
    }
}

/// What is wrong with a row.
#[derive(Clone, Copy)]
enum Problem {
    Ragged,
    CutOff,
    LongCell,
    TooLarge,
    Unclosed,
}

/// The declared or detected separator; says so, and says where a declared one is wrong.
fn separator_of(
    sample: &[u8],
    settings: &CsvSettings,
    file: &Origin,
    findings: &mut Findings,
) -> Result<u8, Refused> {
    let asked = match sample {
        [b's', b'e', b'p', b'=', asked, b'\r' | b'\n', ..] => Some(*asked),
        _ => None,
    };
    let detected = asked.or_else(|| header::detect(sample, &settings.expected));
    let Some(declared) = settings.separator else {
        let (separator, text) = match detected {
            Some(separator) => (separator, format!("cells are separated by a {}", header::said(separator))),
            None => (b',', String::from("no separator found: read as a single column")),
        };
        findings.push(Finding::new(Code::CsvSeparator, file.clone(), text));
        return Ok(separator);
    };
    let as_declared = header::fit(sample, declared, &settings.expected);
    let is_wrong = |other: u8| as_declared.is_refuted_by(header::fit(sample, other, &settings.expected));
    match detected.filter(|other| *other != declared && is_wrong(*other)) {
        None => Ok(declared),
        Some(other) => Err(Finding::new(
            Code::CsvWrongSeparator,
            file.clone().at_line(1),
            format!(
                "expected cells separated by a {}, found the header as one single column: it seems to use a {}",
                header::said(declared),
                header::said(other)
            ),
        )
        .into()),
    }
}

/// True for the line `sep=;` that Excel is told the separator by.
fn is_separator_line(row: &Row) -> bool {
    row.text(0).is_some_and(|cell| cell.starts_with("sep=")) && row.len() <= 2
}

/// True for `(35 rows affected)`.
fn is_row_count(text: &str) -> bool {
    let inner = text.strip_prefix('(').and_then(|rest| {
        rest.strip_suffix(" rows affected)").or_else(|| rest.strip_suffix(" row affected)"))
    });
    inner.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
