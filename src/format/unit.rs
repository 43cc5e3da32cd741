//! Reading a cell or leaf of a unit, and keeping the unit.

use crate::base::private::Private;
use crate::format::{At, Cell, Unit};

impl<'u> Unit<'u> {
    /// The cell or leaf at an address. Absent where the address is of another format.
    #[inline]
    #[must_use]
    pub fn cell(&self, at: &At) -> Cell<'u> {
        match (self, at) {
            (Self::Row(row), At::Column(column)) => row.text(*column).map_or(Cell::Absent, text_of_row),
            (Self::Sheet(row), At::Column(column)) => row.cell(*column),
            (Self::Tree(tree), At::Tree(path)) => path.cell(tree),
            (Self::Message(message), At::Message(path)) => path.cell(message),
            (Self::Row(_) | Self::Sheet(_) | Self::Tree(_) | Self::Message(_), _) => Cell::Absent,
        }
    }

    /// The unit as bytes, to be sealed.
    #[must_use]
    pub fn raw(&self) -> Private<Vec<u8>> {
        let bytes = match self {
            Self::Row(row) => json_of(&row.iter().collect::<Vec<_>>()),
            Self::Sheet(row) => json_of(&row.to_json()),
            Self::Tree(tree) => json_of(tree),
            Self::Message(message) => message.raw().as_bytes().to_vec(),
        };
        Private::new(bytes)
    }
}

/// A cell of a text table: blank and the word NULL are no value.
#[inline]
fn text_of_row(text: &str) -> Cell<'_> {
    match text.as_bytes() {
        [] | b"NULL" => Cell::Absent,
        [first, ..] if *first > b' ' => Cell::Text(text),
        _ if text.trim().is_empty() => Cell::Absent,
        _ => Cell::Text(text),
    }
}

fn json_of<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Texts, numbers and lists of them always serialise.
    serde_json::to_vec(value).unwrap_or_default()
}
