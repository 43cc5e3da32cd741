//! Text tables.

mod header;
pub(crate) mod parse;
mod reader;

pub(crate) use header::{find_row, hits};
pub(crate) use reader::CsvReader;

/// One row of a text table: its cells in one piece of text, kept from row to row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    text: String,
    ends: Vec<usize>,
    cells: usize,
}

impl Row {
    /// A row of these cells.
    #[must_use]
    pub fn of<'c>(cells: impl IntoIterator<Item = &'c str>) -> Self {
        let mut row = Self::default();
        for cell in cells {
            row.text.push_str(cell);
            row.ends.push(row.text.len());
        }
        row.cells = row.ends.len();
        row
    }

    /// How many cells it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells
    }

    /// True if it has no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells == 0
    }

    /// The text of a cell as it was sent, from 0.
    #[must_use]
    pub fn text(&self, column: usize) -> Option<&str> {
        if column >= self.cells {
            return None;
        }
        let end = *self.ends.get(column)?;
        let start = match column.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..end)
    }

    /// The cells, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.cells).map_while(|column| self.text(column))
    }

    /// All cells' text, one after another.
    pub(crate) fn whole(&self) -> &str {
        &self.text
    }
}
