//! Writes units in a format. What the reader of the same format then reads is what was written.

pub mod form;
pub mod marked;
mod sheet;
mod table;
mod tree;

use std::io::Write;

use crate::base::finding::Finding;
use crate::format::charset::Charset;
use crate::format::hl7v2;
use crate::format::settings::FhirForm;
use crate::format::source::Spool;
use crate::format::xml::XmlWriter;
use crate::format::{At, Cell, FormatError, Header};

/// What a writer writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// A text table.
    Csv(CsvLayout),
    /// A workbook: one header a sheet, each naming its sheet, written on row `header.line` (0 is
    /// row 1).
    Xlsx(Vec<Header>),
    /// Trees: one a line (NDJSON), or in one list.
    Json {
        /// True for NDJSON.
        lines: bool,
        /// The member of a wrapping object that holds each tree as a text, as in kept webhooks.
        body: Option<String>,
    },
    /// A Bundle (collection) of the resources that are put.
    Fhir(FhirForm),
    /// An XML document.
    Xml(XmlLayout),
    /// Messages, each segment ended with a carriage return.
    Hl7v2,
}

/// How a text table is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvLayout {
    /// Its columns.
    pub header: Header,
    /// False leaves the row of column names out.
    pub with_header: bool,
    /// Its encoding.
    pub encoding: Charset,
    /// True for a UTF-8 file that Excel is to read rightly. UTF-16 always has its mark.
    pub with_mark: bool,
    /// Between cells.
    pub separator: u8,
    /// True for a line feed alone at the end of a row, without a carriage return before it.
    pub is_lf: bool,
}

impl CsvLayout {
    /// These columns in UTF-8 with commas.
    #[must_use]
    pub fn of(header: Header) -> Self {
        Self {
            header,
            with_header: true,
            encoding: Charset::Utf8,
            with_mark: false,
            separator: b',',
            is_lf: false,
        }
    }
}

/// How an XML document is written: in UTF-8, each unit on a line of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XmlLayout {
    /// Names from the outermost element to the one that is a unit.
    pub units: Vec<String>,
    /// The namespace of every element without a prefix.
    pub namespace: Option<String>,
    /// Further namespaces, by prefix.
    pub namespaces: Vec<(String, String)>,
    /// Addresses in the order in which their elements stand; others follow.
    pub order: Vec<String>,
    /// True to write an empty element for each ordered address that has no value.
    pub with_blanks: bool,
}

/// Writes units in one format.
pub struct Writer {
    inner: Inner,
}

enum Inner {
    Csv(table::TableWriter),
    Xlsx(Box<sheet::SheetWriter>),
    Tree(tree::TreeWriter),
    Xml(Box<XmlWriter>),
    Hl7v2 { out: Box<dyn Write + Send>, ordinal: u64 },
}

impl Writer {
    /// Begins a file. A workbook is held in memory until it ends.
    pub fn new(out: Box<dyn Write + Send>, layout: &Layout) -> Result<Self, FormatError> {
        Self::begin(out, layout, None)
    }

    /// Begins a file of any size: what cannot be written as it comes is put into private files.
    pub fn spooled(
        out: Box<dyn Write + Send>,
        layout: &Layout,
        spool: &dyn Spool,
    ) -> Result<Self, FormatError> {
        Self::begin(out, layout, Some(spool))
    }

    fn begin(
        out: Box<dyn Write + Send>,
        layout: &Layout,
        spool: Option<&dyn Spool>,
    ) -> Result<Self, FormatError> {
        let inner = match layout {
            Layout::Csv(layout) => Inner::Csv(table::TableWriter::new(out, layout)?),
            Layout::Xlsx(sheets) => Inner::Xlsx(Box::new(sheet::SheetWriter::new(out, sheets, spool)?)),
            Layout::Json { lines: true, body } => Inner::Tree(tree::TreeWriter::lines(out, body.clone())),
            Layout::Json { lines: false, body } => Inner::Tree(tree::TreeWriter::list(out, body.clone())),
            Layout::Fhir(form) => Inner::Tree(tree::TreeWriter::bundle(out, *form)?),
            Layout::Xml(layout) => Inner::Xml(Box::new(XmlWriter::new(out, layout)?)),
            Layout::Hl7v2 => Inner::Hl7v2 { out, ordinal: 0 },
        };
        Ok(Self { inner })
    }

    /// Writes one unit; on the sheet of that name in a workbook (the first where none is named).
    /// A finding says why it cannot be written, and then nothing of it is.
    ///
    /// Later cells win over earlier ones at the same address. [`Cell::Absent`] writes nothing.
    pub fn put(
        &mut self,
        sheet: Option<&str>,
        unit: &[(&At, Cell<'_>)],
    ) -> Result<Option<Finding>, FormatError> {
        match &mut self.inner {
            Inner::Csv(writer) => writer.put(unit),
            Inner::Xlsx(writer) => writer.put(sheet, unit),
            Inner::Tree(writer) => writer.put(unit),
            Inner::Xml(writer) => writer.put(unit),
            Inner::Hl7v2 { out, ordinal } => {
                let mut leaves = Vec::with_capacity(unit.len());
                for (at, cell) in unit {
                    let At::Message(path) = at else { return Err(FormatError::WrongAddress("hl7v2")) };
                    match cell {
                        Cell::Absent => {}
                        Cell::Delete => leaves.push((path, None)),
                        cell => leaves.push((path, Some(text_of(*cell)))),
                    }
                }
                *ordinal += 1;
                let message = hl7v2::compose(leaves.into_iter(), *ordinal);
                out.write_all(message.as_bytes()).map_err(FormatError::Write)?;
                Ok(None)
            }
        }
    }

    /// Ends the file: without this it is not whole.
    pub fn finish(self) -> Result<(), FormatError> {
        match self.inner {
            Inner::Csv(writer) => writer.finish(),
            Inner::Xlsx(writer) => writer.finish(),
            Inner::Tree(writer) => writer.finish(),
            Inner::Xml(writer) => writer.finish(),
            Inner::Hl7v2 { mut out, .. } => out.flush().map_err(FormatError::Write),
        }
    }
}

/// A cell as text, where the format has nothing but text.
pub(crate) fn text_of(cell: Cell<'_>) -> String {
    match cell {
        Cell::Absent | Cell::Delete => String::new(),
        Cell::Text(text) => text.to_owned(),
        Cell::Number(number) => number.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Bool(truth) => truth.to_string(),
    }
}
