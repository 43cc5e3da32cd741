//! Reading a cell or leaf of a unit, and keeping the unit.

use serde_json::Value;

use crate::base::private::Private;
use crate::format::csv::Row;
use crate::format::hl7v2::Message;
use crate::format::settings::FormatKind;
use crate::format::xlsx::SheetRow;
use crate::format::{At, Cell, Unit};

/// A unit that was kept and is read again, as when a quarantined row is replayed.
pub enum Kept {
    /// A row of a text table.
    Row(Row),
    /// A row of a sheet.
    Sheet(SheetRow),
    /// A JSON object, or one FHIR resource.
    Tree(Value),
    /// One element of an XML document.
    Xml(Value),
    /// One HL7 v2 message.
    Message(Message),
}

impl Kept {
    /// Reads back what [`Unit::raw`] gave for a unit of that format; `None` if it is not that.
    #[must_use]
    pub fn read(raw: &[u8], format: &FormatKind) -> Option<Self> {
        match format {
            FormatKind::Csv(_) => {
                let cells: Vec<String> = serde_json::from_slice(raw).ok()?;
                Some(Self::Row(Row::of(cells.iter().map(String::as_str))))
            }
            FormatKind::Xlsx(_) => {
                let cells: Vec<Value> = serde_json::from_slice(raw).ok()?;
                SheetRow::of_json(&cells).map(Self::Sheet)
            }
            FormatKind::Json(_) | FormatKind::Fhir(_) => serde_json::from_slice(raw).ok().map(Self::Tree),
            FormatKind::Xml(_) => serde_json::from_slice(raw).ok().map(Self::Xml),
            FormatKind::Hl7v2(_) => Message::parse(std::str::from_utf8(raw).ok()?).ok().map(Self::Message),
        }
    }

    /// The unit, as a reader gave it.
    #[must_use]
    pub fn unit(&self) -> Unit<'_> {
        match self {
            Self::Row(row) => Unit::Row(row),
            Self::Sheet(row) => Unit::Sheet(row),
            Self::Tree(tree) => Unit::Tree(tree),
            Self::Xml(tree) => Unit::Xml(tree),
            Self::Message(message) => Unit::Message(message),
        }
    }
}

impl<'u> Unit<'u> {
    /// The cell or leaf at an address. Absent where the address is of another format.
    #[inline]
    #[must_use]
    pub fn cell(&self, at: &At) -> Cell<'u> {
        match (self, at) {
            (Self::Row(row), At::Column(column)) => row.text(*column).map_or(Cell::Absent, text_of_row),
            (Self::Sheet(row), At::Column(column)) => row.cell(*column),
            (Self::Tree(tree), At::Tree(path)) => path.cell(tree),
            (Self::Xml(tree), At::Tree(path)) => path.cell_of_element(tree),
            (Self::Message(message), At::Message(path)) => path.cell(message),
            (Self::Row(_) | Self::Sheet(_) | Self::Tree(_) | Self::Xml(_) | Self::Message(_), _) => {
                Cell::Absent
            }
        }
    }

    /// True if what is selected there by value stands there several times, and differs.
    #[must_use]
    pub fn meets_different(&self, at: &At) -> bool {
        match (self, at) {
            (Self::Tree(tree), At::Tree(path)) => path.meets_different(tree),
            (Self::Message(message), At::Message(path)) => message.meets_different(path),
            _ => false,
        }
    }

    /// The unit as bytes, to be sealed; [`Kept::read`] reads them back.
    #[must_use]
    pub fn raw(&self) -> Private<Vec<u8>> {
        let bytes = match self {
            Self::Row(row) => json_of(&row.iter().collect::<Vec<_>>()),
            Self::Sheet(row) => json_of(&row.to_json()),
            Self::Tree(tree) | Self::Xml(tree) => json_of(tree),
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
