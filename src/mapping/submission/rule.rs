//! The rules of a data set, as a file of rows.
//!
//! `code,level,table,column,rule,than,where`, with comment lines that begin `#`: `# source: ..`,
//! `# version: ..`, `# date: ..`, a line `# table: <table> <mapping>` for each table, and lines
//! `# range: <least>-<most> <word> ..` that say which numbers a word goes with.
//!
//! | rule | holds if |
//! |---|---|
//! | `once` | no other row of the table has the same cells in `column` (several are joined by `+`) |
//! | `in` | a valid row of the other table has the cell in its column |
//! | `same` | the cell is that of the one row of the other table |
//! | `not-before`, `not-after` | the cell's day keeps that side of another: `Column` of the row, `Table.Column` of a table that has one row (`+ 1` for days later), or `Table.Column of Key` of the row with the same key |
//! | `is`, `is-not` | the cell is, or is not, one of the words (joined by a bar) |
//! | `blank`, `filled` | the cell is blank, or is not |
//! | `age` | by the day of the other table the person is at most 130 |
//! | `concept` | the cell, if filled, begins with the id of a SNOMED CT concept |
//! | `within` | the cell's number lies in the range (`# range:`) of the word in another column; a word without one asks for nothing |
//! | `followed` | where the cell has a day, a valid row of the table begins on it or on the next: `Start of Key not Other`, the same in `Key` and another in `Other` |
//!
//! `where` narrows a rule to rows in which another column is `blank`, `filled` or `is` one of some
//! words. Days, words and cells that are blank break no rule but `filled` and `once`.
//!
//! A rule that looks at one row alone is said wherever a mapping reads that row, if the mapping names
//! the file (`rules = "trust/mhsds-6"`); the others only where the tables are judged together.

use std::collections::HashMap;

use crate::base::finding::Severity;
use crate::base::limit::AGE_YEARS_MAX;
use crate::mapping::diagnostic::{Diagnostics, Source};
use crate::mapping::submission::row::mark;

/// All rules of a data set.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Where they come from.
    pub source: String,
    /// Of which version of the data set.
    pub version: String,
    /// Their tables.
    pub tables: Vec<TableOf>,
    /// The least and the most that goes with a word, by the word's mark.
    pub ranges: HashMap<u64, (f32, f32)>,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// A table that rules look at.
#[derive(Debug, Clone)]
pub struct TableOf {
    /// Its name in the data set.
    pub name: String,
    /// The mapping that reads it.
    pub mapping: String,
    /// The columns that rules look at.
    pub columns: Vec<String>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The owner's code.
    pub code: String,
    /// What breaking it means.
    pub severity: Severity,
    /// Its table, by number.
    pub table: usize,
    /// The columns, by number.
    pub columns: Vec<usize>,
    /// What has to hold.
    pub test: Test,
    /// Of which rows.
    pub only: Option<(usize, Test)>,
}

impl Rule {
    /// True if it looks at one row and at nothing else.
    #[must_use]
    pub const fn is_alone(&self) -> bool {
        match &self.test {
            Test::Once | Test::In(_) | Test::Same(_) | Test::Age(_) | Test::Followed { .. } => false,
            Test::NotBefore(than) | Test::NotAfter(than) => matches!(than, Than::Own(_)),
            Test::Is(_) | Test::IsNot(_) | Test::Blank | Test::Filled | Test::Concept | Test::Within(_) => {
                true
            }
        }
    }
}

/// A column of a table, both by number.
pub type Place = (usize, usize);

/// What has to hold.
#[derive(Debug, Clone)]
pub enum Test {
    /// No other row has the same.
    Once,
    /// Another table has it.
    In(Place),
    /// It is what the one row of another table has.
    Same(Place),
    /// Its day is not before another.
    NotBefore(Than),
    /// Its day is not after another.
    NotAfter(Than),
    /// It is one of some words.
    Is(Vec<String>),
    /// It is none of some words.
    IsNot(Vec<String>),
    /// It is blank.
    Blank,
    /// It is not blank.
    Filled,
    /// Nobody is older than people get.
    Age(Place),
    /// It is the id of a concept.
    Concept,
    /// Its number lies in the range of the word in another column.
    Within(usize),
    /// Another row begins where this one ends.
    Followed {
        /// The column of the day on which a row begins.
        start: usize,
        /// The column that is the same in both rows.
        key: usize,
        /// The column that is not.
        other: usize,
    },
}

/// The other day.
#[derive(Debug, Clone, Copy)]
pub enum Than {
    /// Of the row itself.
    Own(usize),
    /// Of the one row of a table, and so many days later.
    One(Place, i32),
    /// Of the row of another table with the same key: the key's column here, the key's column
    /// there, and the day's.
    Of(usize, usize, Place),
}

const HEADER: [&str; 7] = ["code", "level", "table", "column", "rule", "than", "where"];

impl Rules {
    /// Reads a file of rules.
    ///
    /// # Errors
    /// With every fault it has.
    pub fn parse(source: &Source) -> Result<Self, Diagnostics> {
        let said = |what: &str| {
            let mut lines =
                source.text.lines().filter_map(|line| line.strip_prefix("# ")?.strip_prefix(what));
            lines.next().unwrap_or_default().trim().to_owned()
        };
        let mut rules = Self {
            source: said("source:"),
            version: said("version:"),
            tables: Vec::new(),
            ranges: HashMap::new(),
            rules: Vec::new(),
        };
        let mut faults = Vec::new();
        let mut at = 0;
        let mut is_header = true;
        for line in source.text.split_inclusive('\n') {
            let span = at..at + line.trim_end().len();
            at += line.len();
            let line = line.trim_end();
            let taken = if let Some(table) = line.strip_prefix("# table: ") {
                rules.take_table(table)
            } else if let Some(range) = line.strip_prefix("# range: ") {
                rules.take_range(range)
            } else if line.starts_with('#') || line.is_empty() {
                Ok(())
            } else {
                let cells: Vec<&str> = line.split(',').map(str::trim).collect();
                match (std::mem::take(&mut is_header), cells.as_slice()) {
                    (true, cells) if cells == HEADER => Ok(()),
                    (true, _) => Err(format!("expected the header `{}`", HEADER.join(","))),
                    (false, [code, level, table, column, rule, than, only]) => {
                        rules.take([code, level, table, column, rule, than, only])
                    }
                    (false, cells) => Err(format!("expected {} cells, found {}", HEADER.len(), cells.len())),
                }
            };
            if let Err(message) = taken {
                faults.push(source.fault(&span, message));
            }
        }
        if faults.is_empty() { Ok(rules) } else { Err(Diagnostics(faults)) }
    }

    /// The table of a name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.name == name)
    }

    /// The columns that a rule looks at.
    pub fn names<'r>(&'r self, rule: &'r Rule) -> impl Iterator<Item = &'r str> {
        rule.columns.iter().map(move |column| self.name((rule.table, *column)).1)
    }

    /// What a rule asks for, in words that hold nothing of the row.
    #[must_use]
    pub fn expected(&self, rule: &Rule) -> String {
        let than = |than: &Than| match than {
            Than::Own(column) => format!("`{}`", self.name((rule.table, *column)).1),
            Than::One(other, 0) => format!("`{}` of {}", self.name(*other).1, self.name(*other).0),
            Than::One(other, days) => {
                format!("`{}` of {} and {days} days", self.name(*other).1, self.name(*other).0)
            }
            Than::Of(_, key, other) => {
                let key = self.name((other.0, *key)).1;
                format!("`{}` of the row of {} with this `{key}`", self.name(*other).1, self.name(*other).0)
            }
        };
        let names: Vec<&str> = self.names(rule).collect();
        let expected = match &rule.test {
            Test::Once if names.is_empty() => "expected one row".to_owned(),
            Test::Once => format!("expected one row alone with this {}", names.join(" + ")),
            Test::In(other) => {
                format!("expected a valid row of {} with this `{}`", self.name(*other).0, self.name(*other).1)
            }
            Test::Same(other) => format!("expected the `{}` of {}", self.name(*other).1, self.name(*other).0),
            Test::NotBefore(day) => format!("expected a day not before {}", than(day)),
            Test::NotAfter(day) => format!("expected a day not after {}", than(day)),
            Test::Is(words) => format!("expected {}", words.join(" or ")),
            Test::IsNot(words) => format!("expected anything but {}", words.join(" or ")),
            Test::Blank => "expected nothing here, given what else the row says".to_owned(),
            Test::Filled => "expected something here, given what else the row says".to_owned(),
            Test::Age(_) => format!("expected a day at most {AGE_YEARS_MAX} years ago"),
            Test::Concept => "expected the id of a SNOMED CT concept, with its check digit".to_owned(),
            Test::Within(column) => {
                format!("expected a number that goes with `{}`", self.name((rule.table, *column)).1)
            }
            Test::Followed { start, other, .. } => {
                let name = |column: &usize| self.name((rule.table, *column)).1;
                format!(
                    "expected a row about the same that has this day or the next as `{}`, and another `{}`",
                    name(start),
                    name(other)
                )
            }
        };
        format!("{}: {expected}", rule.code)
    }

    /// The names of a table and of a column of it.
    fn name(&self, (table, column): Place) -> (&str, &str) {
        let of = self.tables.get(table);
        let column = of.and_then(|of| of.columns.get(column)).map(String::as_str).unwrap_or_default();
        (of.map(|of| of.name.as_str()).unwrap_or_default(), column)
    }

    fn take_table(&mut self, words: &str) -> Result<(), String> {
        let (name, mapping) = words.split_once(' ').ok_or("expected a table and its mapping")?;
        self.tables.push(TableOf {
            name: name.to_owned(),
            mapping: mapping.trim().to_owned(),
            columns: Vec::new(),
        });
        Ok(())
    }

    fn take_range(&mut self, words: &str) -> Result<(), String> {
        let wrong = || "expected a range such as `0-4`, and the words that it goes with".to_owned();
        let (range, words) = words.split_once(' ').ok_or_else(wrong)?;
        let (least, most) = range.split_once('-').ok_or_else(wrong)?;
        let (Ok(least), Ok(most)) = (least.parse(), most.parse()) else { return Err(wrong()) };
        for word in words.split_whitespace() {
            let twice = mark(word).and_then(|mark| self.ranges.insert(mark, (least, most)));
            if twice.is_some() {
                return Err(format!("`{word}` has two ranges"));
            }
        }
        Ok(())
    }

    fn take(&mut self, cells: [&str; 7]) -> Result<(), String> {
        let [code, level, table, column, rule, than, only] = cells;
        let severity = match level {
            "rejected" => Severity::Error,
            "warning" => Severity::Warning,
            _ => return Err("expected `level` as `rejected` or `warning`".to_owned()),
        };
        let table = self.table(table).ok_or_else(|| format!("there is no table `{table}`"))?;
        let names = column.split('+').filter(|name| !name.is_empty());
        let columns: Vec<usize> = names.map(|name| self.column(table, name)).collect();
        let test = self.test(table, rule, than)?;
        let is_single = columns.len() == 1 || matches!(test, Test::Once);
        if !is_single {
            return Err(format!("`{rule}` looks at one column"));
        }
        let only = match only.split_once(' ') {
            None if only.is_empty() => None,
            None => return Err("expected `where` as a column and what holds of it".to_owned()),
            Some((column, holds)) => {
                let (rule, words) = holds.split_once(' ').unwrap_or((holds, ""));
                let test = match rule {
                    "blank" | "filled" | "is" => self.test(table, rule, words)?,
                    _ => return Err("expected `where` with `blank`, `filled` or `is`".to_owned()),
                };
                Some((self.column(table, column), test))
            }
        };
        self.rules.push(Rule { code: code.to_owned(), severity, table, columns, test, only });
        Ok(())
    }

    fn test(&mut self, table: usize, rule: &str, than: &str) -> Result<Test, String> {
        let words = || than.split('|').map(|word| word.trim().to_owned()).collect();
        Ok(match rule {
            "once" => Test::Once,
            "in" => Test::In(self.place(than)?),
            "same" => Test::Same(self.place(than)?),
            "age" => Test::Age(self.place(than)?),
            "not-before" => Test::NotBefore(self.than(table, than)?),
            "not-after" => Test::NotAfter(self.than(table, than)?),
            "is" => Test::Is(words()),
            "is-not" => Test::IsNot(words()),
            "blank" => Test::Blank,
            "filled" => Test::Filled,
            "concept" => Test::Concept,
            "within" => Test::Within(self.column(table, than)),
            "followed" => self.followed(table, than)?,
            _ => return Err(format!("there is no rule `{rule}`")),
        })
    }

    fn followed(&mut self, table: usize, than: &str) -> Result<Test, String> {
        let names =
            than.split_once(" of ").and_then(|(start, rest)| Some((start, rest.split_once(" not ")?)));
        let (start, (key, other)) = names.ok_or("expected `Start of Key not Other`")?;
        let mut column = |name| self.column(table, name);
        Ok(Test::Followed { start: column(start), key: column(key), other: column(other) })
    }

    fn than(&mut self, table: usize, than: &str) -> Result<Than, String> {
        if let Some((place, key)) = than.split_once(" of ") {
            let place = self.place(place)?;
            return Ok(Than::Of(self.column(table, key), self.column(place.0, key), place));
        }
        if !than.contains('.') {
            return Ok(Than::Own(self.column(table, than)));
        }
        let (place, days) = than.split_once(" + ").unwrap_or((than, "0"));
        let days = days.trim().parse().map_err(|_not| "expected days as a whole number".to_owned())?;
        Ok(Than::One(self.place(place)?, days))
    }

    fn place(&mut self, named: &str) -> Result<Place, String> {
        let (table, column) = named.split_once('.').ok_or("expected `Table.Column`")?;
        let table = self.table(table).ok_or_else(|| format!("there is no table `{table}`"))?;
        Ok((table, self.column(table, column)))
    }

    /// The number of a column, which is looked at from now on.
    fn column(&mut self, table: usize, name: &str) -> usize {
        let Some(of) = self.tables.get_mut(table) else { return 0 };
        of.columns.iter().position(|known| known == name).unwrap_or_else(|| {
            of.columns.push(name.to_owned());
            of.columns.len() - 1
        })
    }
}
