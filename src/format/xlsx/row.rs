//! One row of a sheet.

use serde_json::Value;

use crate::base::day::Day;
use crate::format::Cell;

/// One row of a sheet: its cells in one piece of text, kept from row to row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SheetRow {
    text: String,
    cells: Vec<Held>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Held {
    Absent,
    Text { start: usize, end: usize },
    Number(f64),
    Day(Day),
    Bool(bool),
}

impl SheetRow {
    /// A row of these cells.
    #[must_use]
    pub fn of<'c>(cells: impl IntoIterator<Item = Cell<'c>>) -> Self {
        let mut row = Self::default();
        for cell in cells {
            row.push(cell);
        }
        row
    }

    /// The cell of a column, from 0.
    #[must_use]
    pub fn cell(&self, column: usize) -> Cell<'_> {
        match self.cells.get(column) {
            None | Some(Held::Absent) => Cell::Absent,
            Some(Held::Text { start, end }) => match self.text.get(*start..*end) {
                Some(text) if !text.trim().is_empty() => Cell::Text(text),
                _ => Cell::Absent,
            },
            Some(Held::Number(number)) => Cell::Number(*number),
            Some(Held::Day(day)) => Cell::Day(*day),
            Some(Held::Bool(truth)) => Cell::Bool(*truth),
        }
    }

    /// How many cells it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// True if it has no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Bytes of the longest text.
    pub(crate) fn longest(&self) -> usize {
        let length = |held: &Held| match held {
            Held::Text { start, end } => end - start,
            Held::Absent | Held::Number(_) | Held::Day(_) | Held::Bool(_) => 0,
        };
        self.cells.iter().map(length).max().unwrap_or_default()
    }

    /// Bytes of all its text.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Blank cells up to a column.
    pub(super) fn pad(&mut self, column: usize) {
        if column > self.cells.len() {
            self.cells.resize(column, Held::Absent);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.cells.clear();
    }

    pub(crate) fn push(&mut self, cell: Cell<'_>) {
        let held = match cell {
            Cell::Absent | Cell::Delete => Held::Absent,
            Cell::Text(text) => {
                let start = self.text.len();
                self.text.push_str(text);
                Held::Text { start, end: self.text.len() }
            }
            Cell::Number(number) => Held::Number(number),
            Cell::Day(day) => Held::Day(day),
            Cell::Bool(truth) => Held::Bool(truth),
        };
        self.cells.push(held);
    }

    /// The row as a list that keeps what each cell is: a date as `{"day": …}`.
    pub(crate) fn to_json(&self) -> Vec<Value> {
        let as_json = |column| match self.cell(column) {
            Cell::Absent | Cell::Delete => Value::Null,
            Cell::Text(text) => Value::from(text),
            Cell::Number(number) => Value::from(number),
            Cell::Day(day) => serde_json::json!({ "day": day.to_string() }),
            Cell::Bool(truth) => Value::from(truth),
        };
        (0..self.cells.len()).map(as_json).collect()
    }

    /// The row out of such a list.
    pub(crate) fn of_json(cells: &[Value]) -> Option<Self> {
        let mut row = Self::default();
        for cell in cells {
            row.push(match cell {
                Value::Null => Cell::Absent,
                Value::Bool(truth) => Cell::Bool(*truth),
                Value::Number(number) => Cell::Number(number.as_f64()?),
                Value::String(text) => Cell::Text(text),
                Value::Object(day) => Cell::Day(day.get("day")?.as_str()?.parse().ok()?),
                Value::Array(_) => return None,
            });
        }
        Some(row)
    }
}
