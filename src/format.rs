//! Bytes ⇄ rows and trees, one format a file.
//!
//! A [`Reader`](reader::Reader) gives one [`Arrival`] a unit, in order and in bounded memory: the unit is what
//! the sender counts, a row, a message, a resource. A unit that cannot be read arrives as a
//! finding, and the next one is read. Nothing here knows what a column means.
//!
//! An address in a mapping (`Date of Birth`, `identifier[system=…].value`, `PID-3[5=NHS].1`) is
//! compiled once into an [`At`], so that reading a cell is an index or a short walk, never a
//! look-up by name.

pub mod address;
pub mod charset;
pub mod csv;
pub mod fhir;
pub mod hl7v2;
pub mod json;
pub mod outline;
pub mod packed;
pub mod reader;
pub mod settings;
pub mod source;
pub mod unit;
pub mod writer;
pub mod xlsx;
pub mod xml;

use std::io;
use std::sync::Arc;

use crate::base::day::Day;
use crate::base::finding::{Finding, Findings};
use crate::base::origin::Origin;

/// One cell or leaf, borrowed from the unit.
#[derive(Clone, Copy, PartialEq)]
pub enum Cell<'u> {
    /// Not there, or blank.
    Absent,
    /// There, and saying "take the old value away": HL7 v2 `""`, JSON `null`.
    Delete,
    /// Text, trimmed of nothing.
    Text(&'u str),
    /// A number that the format itself holds as a number (XLSX, JSON).
    Number(f64),
    /// A day that the format itself holds as a date (XLSX).
    Day(Day),
    /// A truth value that the format itself holds as one.
    Bool(bool),
}

/// Where a unit stands, kept small: the file's own [`Origin`] is added when it is reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The sheet, in a workbook.
    pub sheet: Option<Arc<str>>,
    /// Line of a text file, row of a sheet, ordinal of a message or resource; from 1.
    pub line: u64,
    /// Byte offset in the decoded file; 0 where the format has none.
    pub byte: u64,
    /// Path within a tree, such as `/entry/4/resource`.
    pub path: Option<Arc<str>>,
}

impl Place {
    /// This place in a file.
    #[must_use]
    pub fn origin(&self, file: &Origin) -> Origin {
        let mut origin = file.clone().at_line(self.line).at_byte(self.byte);
        origin.sheet.clone_from(&self.sheet);
        origin.path.clone_from(&self.path);
        origin
    }
}

/// One unit that arrived.
pub struct Arrival<'u> {
    /// Where it stands.
    pub place: Place,
    /// What it holds, or why it cannot be read.
    pub unit: Result<Unit<'u>, Finding>,
}

/// What a unit holds.
#[derive(Clone, Copy)]
pub enum Unit<'u> {
    /// A row of a text table.
    Row(&'u csv::Row),
    /// A row of a sheet.
    Sheet(&'u xlsx::SheetRow),
    /// A JSON object, or one FHIR resource.
    Tree(&'u serde_json::Value),
    /// One element of an XML document.
    Xml(&'u serde_json::Value),
    /// One HL7 v2 message.
    Message(&'u hl7v2::Message),
}

/// A compiled address of a cell or leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// A column of a row, from 0.
    Column(usize),
    /// A path into a tree.
    Tree(json::TreePath),
    /// A path into a message.
    Message(hl7v2::MessagePath),
}

/// The names of a table's columns, in order, and where they stood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The sheet they are of, in a workbook.
    pub sheet: Option<Arc<str>>,
    /// The names, as the sender wrote them but for outer blanks.
    pub columns: Vec<Arc<str>>,
    /// The line or row they stood on; 0 where the mapping named them.
    pub line: u64,
}

/// The machine failed while a file was read or written.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The source could not be read.
    #[error("the file could not be read")]
    Read(#[source] io::Error),
    /// The target could not be written.
    #[error("the file could not be written")]
    Write(#[source] io::Error),
    /// A private file could not be made or used.
    #[error("a temporary file could not be made or used")]
    Spool(#[source] io::Error),
    /// A workbook could not be written.
    #[error("the workbook could not be written")]
    Workbook(#[source] Box<rust_xlsxwriter::XlsxError>),
    /// The caller handed a writer an address of another format.
    #[error("an address of another format was written to a {0} file")]
    WrongAddress(&'static str),
}

impl FormatError {
    /// True if trying again may help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Read(_) | Self::Write(_) | Self::Spool(_) => true,
            Self::Workbook(_) | Self::WrongAddress(_) => false,
        }
    }
}

/// Why a file was not opened.
pub enum Refused {
    /// The file is at fault: nothing of it can be read.
    File(Findings),
    /// The machine failed.
    Machine(FormatError),
}

impl From<Finding> for Refused {
    fn from(finding: Finding) -> Self {
        Self::File(Findings::from_iter([finding]))
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Machine(FormatError::Read(error))
    }
}
