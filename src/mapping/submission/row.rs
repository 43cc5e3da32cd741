//! One row, and the rules that look at nothing else.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::base::day::Day;
use crate::format::{At, Cell, Header, Unit};
use crate::mapping::op::value::Value;
use crate::mapping::submission::concept::is_concept;
use crate::mapping::submission::rule::{Rule, Rules, Test, Than};

/// The rules of a table that look at one row alone: whatever reads the table through a mapping that
/// names them says them, row by row.
#[derive(Clone)]
pub struct RowRules {
    rules: Arc<Rules>,
    table: usize,
}

impl RowRules {
    /// Those of the table that a mapping reads; none where the rules know no such table.
    #[must_use]
    pub fn of(rules: Rules, mapping: &str) -> Option<Self> {
        let table = rules.tables.iter().position(|table| table.mapping == mapping)?;
        Some(Self { rules: Arc::new(rules), table })
    }

    /// The rules.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.rules.iter().filter(|rule| rule.table == self.table && rule.is_alone())
    }

    /// The columns that they look at.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let mut columns: Vec<usize> = Vec::new();
        for rule in self.iter() {
            let than = match &rule.test {
                Test::NotBefore(Than::Own(column)) | Test::NotAfter(Than::Own(column)) => Some(*column),
                Test::Within(column) => Some(*column),
                _ => None,
            };
            columns.extend(&rule.columns);
            columns.extend(than.into_iter().chain(rule.only.as_ref().map(|(column, _)| *column)));
        }
        columns.sort_unstable();
        columns.dedup();
        let names = self.rules.tables.get(self.table).map(|table| table.columns.as_slice());
        columns.into_iter().filter_map(move |column| names?.get(column).map(String::as_str))
    }

    /// Where they look in a file with this header.
    pub(crate) fn bind(&self, header: Option<&Header>) -> BoundRules {
        let columns = self.rules.tables.get(self.table).map(|table| table.columns.as_slice());
        let columns = columns.unwrap_or_default();
        let cells = columns.iter().map(|name| At::compile(name, header).ok()).collect();
        BoundRules { rules: self.clone(), cells }
    }
}

/// Row rules, and where their columns stand.
pub(crate) struct BoundRules {
    rules: RowRules,
    cells: Vec<Option<At>>,
}

impl BoundRules {
    /// Every rule that a unit breaks: the rule, the column where it is to be put right, and what was
    /// expected there.
    pub(crate) fn broken(&self, unit: &Unit<'_>) -> impl Iterator<Item = (&Rule, Option<&str>, String)> {
        let row = Row { line: 0, cells: Seen::of(unit, &self.cells), is_valid: true };
        let rules = &self.rules.rules;
        self.rules
            .iter()
            .filter(move |rule| row.is_meant(rule) && row.breaks(rule, rules))
            .map(move |rule| (rule, rules.names(rule).next(), rules.expected(rule)))
    }
}

/// A row, as far as rules look at it.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) cells: Vec<Seen>,
    pub(super) is_valid: bool,
}

/// What is held of a cell.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// Tells its text from others; none for a blank.
    pub(super) mark: Option<u64>,
    pub(super) day: Option<Day>,
    number: Option<f32>,
    is_concept: bool,
}

impl Seen {
    /// The cells of a unit in these columns; a column that is not there is blank.
    pub(super) fn of(unit: &Unit<'_>, columns: &[Option<At>]) -> Vec<Self> {
        let seen = |at: &Option<At>| {
            let cell = at.as_ref().map_or(Cell::Absent, |at| unit.cell(at));
            Self::new(&Value::of_cell(cell).map(Value::plain).unwrap_or_default())
        };
        columns.iter().map(seen).collect()
    }

    fn new(text: &str) -> Self {
        let text = text.trim();
        // An instant counts by its day.
        let day = text.get(..10).and_then(|day| day.parse().ok());
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let number = text.parse().ok().filter(|number: &f32| number.is_finite());
        Self { mark: mark(text), day, number, is_concept: text.get(..digits).is_some_and(is_concept) }
    }
}

/// A text as its mark.
pub(super) fn mark(text: &str) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    Some(hasher.finish())
}

impl Row {
    /// Whether a rule is about this row.
    pub(super) fn is_meant(&self, rule: &Rule) -> bool {
        rule.only.as_ref().is_none_or(|(column, test)| self.says(test, *column))
    }

    /// Whether a rule that looks at one row alone is broken here.
    pub(super) fn breaks(&self, rule: &Rule, rules: &Rules) -> bool {
        let cell = |column: usize| self.cells.get(column);
        let Some((column, here)) = rule.columns.first().and_then(|column| Some((*column, cell(*column)?)))
        else {
            return false;
        };
        let days = |own: usize| here.day.zip(cell(own).and_then(|there| there.day));
        match &rule.test {
            Test::NotBefore(Than::Own(own)) => days(*own).is_some_and(|(here, there)| here < there),
            Test::NotAfter(Than::Own(own)) => days(*own).is_some_and(|(here, there)| here > there),
            Test::Within(word) => {
                let range = cell(*word).and_then(|word| rules.ranges.get(&word.mark?));
                here.number
                    .zip(range)
                    .is_some_and(|(number, (least, most))| number < *least || number > *most)
            }
            Test::Is(_) if here.mark.is_none() => false,
            test => !self.says(test, column),
        }
    }

    /// What a test says of a cell by itself.
    fn says(&self, test: &Test, column: usize) -> bool {
        let Some(cell) = self.cells.get(column) else { return true };
        let is_of = |words: &[String]| words.iter().any(|word| mark(word) == cell.mark);
        match test {
            Test::Is(words) => is_of(words),
            Test::IsNot(words) => !is_of(words),
            Test::Blank => cell.mark.is_none(),
            Test::Filled => cell.mark.is_some(),
            Test::Concept => cell.mark.is_none() || cell.is_concept,
            Test::Once
            | Test::In(_)
            | Test::Same(_)
            | Test::NotBefore(_)
            | Test::NotAfter(_)
            | Test::Age(_)
            | Test::Within(_)
            | Test::Followed { .. } => true,
        }
    }
}
