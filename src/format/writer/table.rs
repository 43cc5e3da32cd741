//! Writes a text table.

use std::io::Write;

use encoding_rs::EncoderResult;

use super::{CsvLayout, text_of};
use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::format::charset::Charset;
use crate::format::{At, Cell, FormatError, Header};

pub(super) struct TableWriter {
    out: Box<dyn Write + Send>,
    header: Header,
    encoding: Charset,
    separator: u8,
    end: &'static str,
    /// The cells of one row, kept from row to row.
    cells: Vec<String>,
    line: String,
    encoded: Vec<u8>,
    row: u64,
}

impl TableWriter {
    pub(super) fn new(out: Box<dyn Write + Send>, layout: &CsvLayout) -> Result<Self, FormatError> {
        let mut writer = Self {
            out,
            header: layout.header.clone(),
            encoding: layout.encoding,
            separator: layout.separator,
            end: if layout.is_lf { "\n" } else { "\r\n" },
            cells: vec![String::new(); layout.header.columns.len()],
            line: String::new(),
            encoded: Vec::new(),
            row: 0,
        };
        let mark: &[u8] = match (layout.encoding, layout.with_mark) {
            (Charset::Utf8, true) => &[0xEF, 0xBB, 0xBF],
            (Charset::Utf16Le, _) => &[0xFF, 0xFE],
            (Charset::Utf16Be, _) => &[0xFE, 0xFF],
            (Charset::Utf8, false) | (Charset::Windows1252, _) => &[],
        };
        writer.out.write_all(mark).map_err(FormatError::Write)?;
        if layout.with_header {
            for (cell, name) in writer.cells.iter_mut().zip(&layout.header.columns) {
                cell.push_str(name);
            }
            // The names come from a mapping, which is checked before anything is written.
            writer.write_row()?;
        }
        Ok(writer)
    }

    pub(super) fn put(&mut self, unit: &[(&At, Cell<'_>)]) -> Result<Option<Finding>, FormatError> {
        for cell in &mut self.cells {
            cell.clear();
        }
        for (at, cell) in unit {
            let At::Column(column) = at else { return Err(FormatError::WrongAddress("csv")) };
            let Some(target) = self.cells.get_mut(*column) else {
                return Err(FormatError::WrongAddress("csv"));
            };
            target.clear();
            match cell {
                Cell::Text(text) => target.push_str(text),
                other => target.push_str(&text_of(*other)),
            }
        }
        self.write_row()
    }

    fn write_row(&mut self) -> Result<Option<Finding>, FormatError> {
        self.row += 1;
        self.line.clear();
        let is_single = self.cells.len() == 1;
        for (index, cell) in self.cells.iter().enumerate() {
            if index > 0 {
                self.line.push(char::from(self.separator));
            }
            let needs_quotes =
                cell.bytes().any(|byte| matches!(byte, b'"' | b'\r' | b'\n') || byte == self.separator);
            // A line with nothing on it would be passed over.
            if needs_quotes || (is_single && cell.is_empty()) {
                self.line.push('"');
                self.line.push_str(&cell.replace('"', "\"\""));
                self.line.push('"');
            } else {
                self.line.push_str(cell);
            }
        }
        self.line.push_str(self.end);
        if !self.encode() {
            return Ok(Some(self.unwritable()));
        }
        self.out.write_all(&self.encoded).map_err(FormatError::Write)?;
        Ok(None)
    }

    /// False where a letter is not in the encoding.
    fn encode(&mut self) -> bool {
        self.encoded.clear();
        match self.encoding {
            Charset::Utf8 => self.encoded.extend_from_slice(self.line.as_bytes()),
            Charset::Utf16Le => self.encoded.extend(self.line.encode_utf16().flat_map(u16::to_le_bytes)),
            Charset::Utf16Be => self.encoded.extend(self.line.encode_utf16().flat_map(u16::to_be_bytes)),
            Charset::Windows1252 => return encode_1252(&self.line, &mut self.encoded),
        }
        true
    }

    fn unwritable(&self) -> Finding {
        let mut scratch = Vec::new();
        let at = self.cells.iter().position(|cell| {
            scratch.clear();
            !encode_1252(cell, &mut scratch)
        });
        let mut origin = Origin::default().at_line(self.row);
        origin.column = at.and_then(|column| self.header.columns.get(column).cloned());
        let text = format!("expected letters that {} has, found one it has not", self.encoding.said());
        Finding::new(Code::CharsetUnwritable, origin, text)
    }

    pub(super) fn finish(mut self) -> Result<(), FormatError> {
        self.out.flush().map_err(FormatError::Write)
    }
}

fn encode_1252(text: &str, into: &mut Vec<u8>) -> bool {
    into.resize(text.len(), 0);
    let mut encoder = encoding_rs::WINDOWS_1252.new_encoder();
    let (result, _, written) = encoder.encode_from_utf8_without_replacement(text, into, true);
    into.truncate(written);
    result == EncoderResult::InputEmpty
}
