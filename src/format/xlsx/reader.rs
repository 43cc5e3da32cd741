//! A workbook, row by row, sheet after sheet.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::book::Book;
use super::kept::{Shelf, Wrong};
use super::row::SheetRow;
use super::scan;
use crate::base::finding::{Code, Finding, Findings};
use crate::base::limit::CELL_BYTES_MAX;
use crate::base::origin::Origin;
use crate::format::settings::{Limits, XlsxSettings};
use crate::format::source::{Source, Spool, Spooled};
use crate::format::{Arrival, FormatError, Header, Place, Refused, Unit};

/// Reads a workbook.
pub(crate) struct SheetReader {
    kept: BufReader<Box<dyn Spooled>>,
    headers: Vec<Header>,
    file: Origin,
    row: SheetRow,
    shelf: Shelf,
    pub(crate) findings: Findings,
}

impl SheetReader {
    pub(crate) fn open(
        mut source: Box<dyn Source>,
        settings: &XlsxSettings,
        limits: &Limits,
        file: &Origin,
        spool: &dyn Spool,
    ) -> Result<Self, Refused> {
        check_magic(source.as_mut(), file)?;
        let mut book = Book::open(source, limits, file)?;
        let spool_fault = |error| Refused::Machine(FormatError::Spool(error));
        let mut target = spool.new_file().map_err(spool_fault)?;
        let to = scan::To { spool, target: target.as_mut(), row_bytes_max: limits.unit_bytes_max };
        let scanned = scan::scan(&mut book, settings, file, to)?;
        target.seek(SeekFrom::Start(0)).map_err(spool_fault)?;
        Ok(Self {
            kept: BufReader::with_capacity(64 * 1024, target),
            headers: scanned.headers,
            file: file.clone(),
            row: SheetRow::default(),
            shelf: Shelf::default(),
            findings: scanned.findings,
        })
    }

    pub(crate) fn headers(&self) -> &[Header] {
        &self.headers
    }

    pub(crate) fn next(&mut self) -> Result<Option<Arrival<'_>>, FormatError> {
        let read = self.shelf.read(&mut self.kept, &mut self.row).map_err(FormatError::Spool)?;
        let Some(kept) = read else { return Ok(None) };
        let header = self.headers.get(kept.sheet);
        let name = header.and_then(|header| header.sheet.clone());
        let place = Place { sheet: name, line: kept.line, byte: 0, path: None };
        let mut fault = None;
        if let Some(wrong) = kept.wrong {
            let mut origin = place.origin(&self.file);
            let (code, text, column) = match wrong {
                Wrong::Error(column) => (
                    Code::XlsxCellError,
                    "expected a value, found an Excel error such as #REF! or #N/A",
                    Some(column),
                ),
                Wrong::Uncalculated(column) => (
                    Code::XlsxUncalculated,
                    "expected a value, found a formula that was never calculated",
                    Some(column),
                ),
                Wrong::TooLarge => {
                    (Code::UnitTooLarge, "expected a row, found one longer than any can be", None)
                }
            };
            let named = column.zip(header).and_then(|(column, header)| header.columns.get(column));
            origin.column = named.cloned();
            fault = Some(Finding::new(code, origin, text));
        }
        if self.row.longest() > CELL_BYTES_MAX {
            let text = format!("expected cells of at most {} KB, found a longer one", CELL_BYTES_MAX / 1024);
            fault = Some(Finding::new(Code::UnitTooLarge, place.origin(&self.file), text));
        }
        let unit = match fault {
            Some(finding) => Err(finding),
            None => Ok(Unit::Sheet(&self.row)),
        };
        Ok(Some(Arrival { place, unit }))
    }
}

/// Tells a workbook from what people send in place of one.
fn check_magic(source: &mut dyn Source, file: &Origin) -> Result<(), Refused> {
    let mut start = Vec::new();
    source.seek(SeekFrom::Start(0))?;
    source.take(8).read_to_end(&mut start)?;
    let binary = |text: &str| Finding::new(Code::FileBinary, file.clone(), text);
    let finding = match start.as_slice() {
        [b'P', b'K', 3, 4, ..] => None,
        [] => Some(Finding::new(Code::FileEmpty, file.clone(), "expected a workbook, found an empty file")),
        [0xD0, 0xCF, 0x11, 0xE0, ..] if is_encrypted(source)? => return Err(locked(file)),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Some(
            Finding::new(
                Code::XlsxOld,
                file.clone(),
                "expected an Excel workbook (.xlsx), found one in the old .xls format",
            )
            .hint("open it in Excel and save it as Excel Workbook (.xlsx)"),
        ),
        [b'<', ..] | [0xEF, 0xBB, 0xBF, b'<', ..] => Some(binary(
            "expected an Excel workbook (.xlsx), found a web page or XML file that only carries its name",
        )),
        _ => Some(binary("expected an Excel workbook (.xlsx), found another kind of file")),
    };
    source.seek(SeekFrom::Start(0))?;
    finding.map_or(Ok(()), |finding| Err(finding.into()))
}

fn locked(file: &Origin) -> Refused {
    let text = "expected a workbook that can be opened, found one that needs a password";
    Finding::new(Code::XlsxLocked, file.clone(), text).into()
}

/// True for an Office container whose content is encrypted: its directory names it in UTF-16.
fn is_encrypted(source: &mut dyn Source) -> io::Result<bool> {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let finder = memchr::memmem::Finder::new(&name);
    let mut window = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = source.read(&mut piece)?;
        if read == 0 {
            return Ok(false);
        }
        window.extend_from_slice(piece.get(..read).unwrap_or_default());
        if finder.find(&window).is_some() {
            return Ok(true);
        }
        let keep_from = window.len().saturating_sub(name.len());
        window.drain(..keep_from);
    }
}
