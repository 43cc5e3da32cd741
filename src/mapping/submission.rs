//! A submission: the tables of a data set that were sent together, and the rules that look at
//! several of their rows, elements or tables.
//!
//! A row is *valid* until its own mapping or a rule refuses it; a rule that asks for a row of
//! another table asks for a valid one, so what hangs on a refused row is refused after it. Of each
//! cell that a rule looks at, a mark and its day are held and never the text.
//!
//! Rules that look at one row alone are said by the mapping that reads it, if it names them, wherever
//! it reads; then they are not said here a second time.

pub mod concept;
pub mod row;
pub mod rule;

use std::collections::{HashMap, HashSet};

use crate::base::day::Day;
use crate::base::finding::{Code, Finding, Findings, Severity};
use crate::base::limit::{AGE_YEARS_MAX, SUBMISSION_ROWS_MAX};
use crate::base::origin::Origin;
use crate::format::{Arrival, At, Header};
use crate::mapping::Mapping;
use row::{Row, Seen};
use rule::{Place, Rule, Rules, Test, Than};

/// The tables of one submission, as they are read.
pub struct Submission<'r> {
    rules: &'r Rules,
    tables: Vec<Option<Table>>,
    held: usize,
}

/// Rows of one table.
struct Table {
    file: Origin,
    rows: Vec<Row>,
    /// True if the mapping that reads it says the rules that look at one row alone.
    is_said: bool,
}

/// What became of a submission.
pub struct Judged {
    /// What is wrong, under the owner's codes.
    pub findings: Findings,
    /// Of each table that was there: its name, its rows, and how many of them are valid.
    pub tables: Vec<(String, usize, usize)>,
    /// Tables that rules ask for and that were not there, with the codes that could not be judged.
    pub missing: Vec<(String, Vec<String>)>,
}

/// There are more rows than are held.
#[derive(Debug, thiserror::Error)]
#[error("a submission has more than {SUBMISSION_ROWS_MAX} rows")]
pub struct TooLarge;

impl TooLarge {
    /// True if trying again may help. It does not: the submission has to be split.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        false
    }
}

impl<'r> Submission<'r> {
    /// An empty one.
    #[must_use]
    pub fn new(rules: &'r Rules) -> Self {
        Self { rules, tables: rules.tables.iter().map(|_| None).collect(), held: 0 }
    }

    /// Says that a table is there, in this file, read through this mapping. Several files of one
    /// table are one table.
    pub fn open(&mut self, table: usize, mapping: &Mapping, file: &Origin) {
        if let Some(slot @ None) = self.tables.get_mut(table) {
            let is_said = mapping.rules.is_some();
            *slot = Some(Table { file: file.clone(), rows: Vec::new(), is_said });
        }
    }

    /// Where the columns that rules look at stand in a file.
    #[must_use]
    pub fn columns(&self, table: usize, header: &Header) -> Vec<Option<At>> {
        let columns = self.rules.tables.get(table).map(|of| of.columns.as_slice()).unwrap_or_default();
        columns.iter().map(|name| At::compile(name, Some(header)).ok()).collect()
    }

    /// Takes a row, and whether its mapping takes it.
    ///
    /// # Errors
    /// Where there are more rows than are held.
    pub fn take(
        &mut self,
        table: usize,
        columns: &[Option<At>],
        arrival: &Arrival<'_>,
        is_valid: bool,
    ) -> Result<(), TooLarge> {
        let (Ok(unit), Some(Some(of))) = (&arrival.unit, self.tables.get_mut(table)) else { return Ok(()) };
        if self.held >= SUBMISSION_ROWS_MAX {
            return Err(TooLarge);
        }
        self.held += 1;
        of.rows.push(Row { line: arrival.place.line, cells: Seen::of(unit, columns), is_valid });
        Ok(())
    }

    /// Judges it: round after round, until no row is refused any more; then the warnings.
    #[must_use]
    pub fn judge(mut self) -> Judged {
        let mut findings = Findings::default();
        let (judged, missing) = self.sort();
        loop {
            let refused = self.round(&judged, Severity::Error);
            for (table, row, finding) in &refused {
                findings.push(finding.clone());
                let of = self.tables.get_mut(*table).and_then(Option::as_mut);
                if let Some(row) = of.and_then(|of| of.rows.get_mut(*row)) {
                    row.is_valid = false;
                }
            }
            if refused.is_empty() {
                break;
            }
        }
        for (_, _, finding) in self.round(&judged, Severity::Warning) {
            findings.push(finding);
        }
        let tables = self.rules.tables.iter().zip(&self.tables).filter_map(|(of, table)| {
            let rows = &table.as_ref()?.rows;
            Some((of.name.clone(), rows.len(), rows.iter().filter(|row| row.is_valid).count()))
        });
        Judged { findings, tables: tables.collect(), missing }
    }

    /// Rules whose tables are there, and what is missing for the others.
    fn sort(&self) -> (Vec<&'r Rule>, Vec<(String, Vec<String>)>) {
        let mut judged = Vec::new();
        let mut missing: Vec<(String, Vec<String>)> = Vec::new();
        for rule in &self.rules.rules {
            let table = self.tables.get(rule.table).and_then(Option::as_ref);
            if table.is_none_or(|table| table.is_said && rule.is_alone()) {
                continue;
            }
            let other = match &rule.test {
                Test::In(place) | Test::Same(place) | Test::Age(place) => Some(place.0),
                Test::NotBefore(than) | Test::NotAfter(than) => match than {
                    Than::Own(_) => None,
                    Than::One(place, _) | Than::Of(_, _, place) => Some(place.0),
                },
                _ => None,
            };
            match other.filter(|other| !self.is_there(*other)) {
                None => judged.push(rule),
                Some(other) => {
                    let name = self.rules.tables.get(other).map(|of| of.name.clone()).unwrap_or_default();
                    match missing.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, codes)) => codes.push(rule.code.clone()),
                        None => missing.push((name, vec![rule.code.clone()])),
                    }
                }
            }
        }
        (judged, missing)
    }

    fn is_there(&self, table: usize) -> bool {
        self.tables.get(table).is_some_and(Option::is_some)
    }

    /// Every rule of a severity that a valid row breaks now.
    fn round(&self, rules: &[&Rule], severity: Severity) -> Vec<(usize, usize, Finding)> {
        let mut broken = Vec::new();
        for rule in rules.iter().filter(|rule| rule.severity == severity) {
            let Some(Some(table)) = self.tables.get(rule.table) else { continue };
            let beside = Beside::of(self, rule, table);
            for (number, row) in table.rows.iter().enumerate().filter(|(_, row)| row.is_valid) {
                if row.is_meant(rule) && beside.breaks(self, rule, row) {
                    broken.push((rule.table, number, self.finding(rule, table, row)));
                }
            }
        }
        broken
    }

    fn finding(&self, rule: &Rule, table: &Table, row: &Row) -> Finding {
        let origin = table.file.clone().at_line(row.line);
        let column = self.rules.names(rule).next();
        let origin = column.map_or(origin.clone(), |name| origin.in_column(name));
        Finding::new(Code::MapSubmission, origin, self.rules.expected(rule)).severity(rule.severity)
    }

    /// The day that the one row of a table has in a column.
    fn one(&self, (table, column): Place) -> Option<Seen> {
        match self.tables.get(table)?.as_ref()?.rows.as_slice() {
            [row] => row.cells.get(column).copied(),
            _ => None,
        }
    }
}

/// What a rule has to know beside the row it looks at.
enum Beside {
    Nothing,
    /// How often each combination stands in the table.
    Counts(HashMap<Vec<Option<u64>>, usize>),
    /// What the other table has.
    Has(HashSet<u64>),
    /// The days of the other table, by key.
    Days(HashMap<u64, Option<Day>>),
    /// Of each key and day on which rows of the table begin, what may not be the same in one of them, and
    /// whether another has something else.
    Starts(HashMap<(u64, Day), (Option<u64>, bool)>),
}

impl Beside {
    fn of(submission: &Submission<'_>, rule: &Rule, table: &Table) -> Self {
        let valid = |table: usize| {
            let rows = submission.tables.get(table).and_then(Option::as_ref).map(|of| of.rows.as_slice());
            rows.unwrap_or_default().iter().filter(|row| row.is_valid)
        };
        match &rule.test {
            Test::Once => {
                let mut counts = HashMap::new();
                for row in table.rows.iter().filter(|row| row.is_valid && row.is_meant(rule)) {
                    *counts.entry(combination(rule, row)).or_default() += 1;
                }
                Self::Counts(counts)
            }
            Test::In((other, column)) => {
                Self::Has(valid(*other).filter_map(|row| row.cells.get(*column)?.mark).collect())
            }
            Test::NotBefore(Than::Of(_, key, (other, column)))
            | Test::NotAfter(Than::Of(_, key, (other, column))) => Self::Days(
                valid(*other)
                    .filter_map(|row| Some((row.cells.get(*key)?.mark?, row.cells.get(*column)?.day)))
                    .collect(),
            ),
            Test::Followed { start, key, other } => {
                let mut starts = HashMap::new();
                for row in table.rows.iter().filter(|row| row.is_valid) {
                    let cell = |column: &usize| row.cells.get(*column);
                    let begins = cell(start).and_then(|cell| cell.day);
                    if let (Some(day), Some(key)) = (begins, cell(key).and_then(|cell| cell.mark)) {
                        let what = cell(other).and_then(|cell| cell.mark);
                        let (one, is_mixed) = starts.entry((key, day)).or_insert((what, false));
                        *is_mixed |= *one != what;
                    }
                }
                Self::Starts(starts)
            }
            _ => Self::Nothing,
        }
    }

    fn breaks(&self, submission: &Submission<'_>, rule: &Rule, row: &Row) -> bool {
        if let Self::Counts(counts) = self {
            return counts.get(&combination(rule, row)).is_some_and(|count| *count > 1);
        }
        if rule.is_alone() {
            return row.breaks(rule, submission.rules);
        }
        let Some(column) = rule.columns.first() else { return false };
        let Some(cell) = row.cells.get(*column) else { return false };
        let other = |than: &Than| match than {
            Than::Own(_) => None,
            Than::One(place, days) => later(submission.one(*place)?.day?, *days),
            Than::Of(key, ..) => match self {
                Self::Days(days) => *days.get(&row.cells.get(*key)?.mark?)?,
                _ => None,
            },
        };
        match (&rule.test, self) {
            (Test::In(_), Self::Has(has)) => cell.mark.is_some_and(|mark| !has.contains(&mark)),
            (Test::Same(place), _) => {
                submission.one(*place).is_some_and(|there| cell.mark.is_some() && there.mark != cell.mark)
            }
            (Test::NotBefore(than), _) => cell.day.zip(other(than)).is_some_and(|(here, there)| here < there),
            (Test::NotAfter(than), _) => cell.day.zip(other(than)).is_some_and(|(here, there)| here > there),
            (Test::Age(place), _) => {
                let now = submission.one(*place).and_then(|there| there.day);
                cell.day.zip(now).is_some_and(|(born, now)| born.whole_years_to(now) > AGE_YEARS_MAX)
            }
            (Test::Followed { key, other, .. }, Self::Starts(starts)) => {
                let own = |column: &usize| row.cells.get(*column).and_then(|cell| cell.mark);
                let is_other = |day: Day| {
                    let there = own(key).and_then(|key| starts.get(&(key, day)));
                    there.is_some_and(|(what, is_mixed)| *is_mixed || *what != own(other))
                };
                cell.day.is_some_and(|end| !is_other(end) && !later(end, 1).is_some_and(is_other))
            }
            _ => false,
        }
    }
}

/// The day so many days later.
fn later(day: Day, days: i32) -> Option<Day> {
    let span = jiff::Span::new().try_days(days).ok()?;
    day.date().checked_add(span).ok().map(Day::from)
}

fn combination(rule: &Rule, row: &Row) -> Vec<Option<u64>> {
    rule.columns.iter().map(|column| row.cells.get(*column).and_then(|cell| cell.mark)).collect()
}
