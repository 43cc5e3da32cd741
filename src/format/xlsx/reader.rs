//! A workbook, row by row, sheet after sheet.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use calamine::{Reader as _, Xlsx};

use super::look::Looks;
use super::row::SheetRow;
use super::scan::{self, Kept, Wrong};
use crate::base::finding::{Code, Finding, Findings};
use crate::base::limit::CELL_BYTES_MAX;
use crate::base::origin::Origin;
use crate::format::charset::count;
use crate::format::packed;
use crate::format::settings::{Limits, XlsxSettings};
use crate::format::source::{Source, Spool, Spooled};
use crate::format::{Arrival, Cell, FormatError, Header, Place, Refused, Unit};

/// Reads a workbook.
pub(crate) struct SheetReader {
    kept: BufReader<Box<dyn Spooled>>,
    headers: Vec<Header>,
    file: Origin,
    row: SheetRow,
    text: Vec<u8>,
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
        let mut looks = Looks::default();
        packed::check_zip(source.as_mut(), limits, file, &mut |part, piece| looks.piece(part, piece))?;
        let mut workbook: Xlsx<Box<dyn Source>> =
            Xlsx::new(source).map_err(|error| scan::fault(error, file))?;
        let spool_fault = |error| Refused::Machine(FormatError::Spool(error));
        let mut target = spool.new_file().map_err(spool_fault)?;
        let scanned = scan::scan(&mut workbook, &looks, settings, file, target.as_mut())?;
        target.seek(SeekFrom::Start(0)).map_err(spool_fault)?;
        Ok(Self {
            kept: BufReader::with_capacity(64 * 1024, target),
            headers: scanned.headers,
            file: file.clone(),
            row: SheetRow::default(),
            text: Vec::new(),
            findings: scanned.findings,
        })
    }

    pub(crate) fn headers(&self) -> &[Header] {
        &self.headers
    }

    pub(crate) fn next(&mut self) -> Result<Option<Arrival<'_>>, FormatError> {
        let read = Kept::read(&mut self.kept, &mut self.row, &mut self.text);
        let Some((sheet, line, wrong)) = read.map_err(FormatError::Spool)? else { return Ok(None) };
        let header = self.headers.get(sheet);
        let name = header.and_then(|header| header.sheet.clone());
        let place = Place { sheet: name, line, byte: 0, path: None };
        let mut fault = None;
        if let Some((column, wrong)) = wrong {
            let mut origin = place.origin(&self.file);
            origin.column = header.and_then(|header| header.columns.get(column).cloned());
            let (code, text) = match wrong {
                Wrong::Error => {
                    (Code::XlsxCellError, "expected a value, found an Excel error such as #REF! or #N/A")
                }
                Wrong::Uncalculated => {
                    (Code::XlsxUncalculated, "expected a value, found a formula that was never calculated")
                }
            };
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
        [0xD0, 0xCF, 0x11, 0xE0, ..] if is_encrypted(source)? => return Err(scan::locked(file)),
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

/// Added to the column of a formula that was never calculated: no sheet has so many.
const UNCALCULATED: u64 = 1 << 32;

impl Kept {
    /// Into the private file: sheet, line, column from 1 of what is wrong or 0, count of cells, cells.
    pub(super) fn write(&self, target: &mut dyn Write) -> io::Result<()> {
        let error_column = match self.wrong {
            None => 0,
            Some((column, Wrong::Error)) => count(column) + 1,
            Some((column, Wrong::Uncalculated)) => count(column) + 1 + UNCALCULATED,
        };
        for number in [count(self.sheet), self.line, error_column, count(self.row.len())] {
            target.write_all(&number.to_le_bytes())?;
        }
        for column in 0..self.row.len() {
            match self.row.cell(column) {
                Cell::Absent | Cell::Delete => target.write_all(&[0])?,
                Cell::Text(text) => {
                    target.write_all(&[1])?;
                    target.write_all(&count(text.len()).to_le_bytes())?;
                    target.write_all(text.as_bytes())?;
                }
                Cell::Number(number) => {
                    target.write_all(&[2])?;
                    target.write_all(&number.to_le_bytes())?;
                }
                Cell::Day(day) => {
                    let (year, month, day) = day.parts();
                    target.write_all(&[3])?;
                    target.write_all(&year.to_le_bytes())?;
                    target.write_all(&month.to_le_bytes())?;
                    target.write_all(&day.to_le_bytes())?;
                }
                Cell::Bool(truth) => target.write_all(&[4, u8::from(truth)])?,
            }
        }
        Ok(())
    }

    /// Back out of the private file; `None` at its end.
    fn read(
        kept: &mut impl Read,
        row: &mut SheetRow,
        text: &mut Vec<u8>,
    ) -> io::Result<Option<(usize, u64, Option<(usize, Wrong)>)>> {
        row.clear();
        let mut first = Vec::new();
        kept.by_ref().take(8).read_to_end(&mut first)?;
        let Ok(sheet) = first.try_into().map(u64::from_le_bytes) else { return Ok(None) };
        let line = u64::from_le_bytes(bytes(kept)?);
        let error_column = u64::from_le_bytes(bytes(kept)?);
        let cells = u64::from_le_bytes(bytes(kept)?);
        for _ in 0..cells {
            let [kind] = bytes(kept)?;
            match kind {
                1 => {
                    let length = u64::from_le_bytes(bytes(kept)?);
                    text.clear();
                    kept.by_ref().take(length).read_to_end(text)?;
                    let text = std::str::from_utf8(text).map_err(|_utf8| damaged())?;
                    row.push(Cell::Text(text));
                }
                2 => row.push(Cell::Number(f64::from_le_bytes(bytes(kept)?))),
                3 => {
                    let year = i16::from_le_bytes(bytes(kept)?);
                    let [month] = bytes(kept)?;
                    let [day] = bytes(kept)?;
                    let day = crate::base::day::Day::new(
                        year,
                        i8::from_le_bytes([month]),
                        i8::from_le_bytes([day]),
                    );
                    row.push(Cell::Day(day.ok_or_else(damaged)?));
                }
                4 => {
                    let [truth] = bytes(kept)?;
                    row.push(Cell::Bool(truth == 1));
                }
                _ => row.push(Cell::Absent),
            }
        }
        let as_index = |number: u64| usize::try_from(number).map_err(|_large| damaged());
        let error_column = match error_column {
            0 => None,
            column if column > UNCALCULATED => {
                Some((as_index(column - 1 - UNCALCULATED)?, Wrong::Uncalculated))
            }
            column => Some((as_index(column - 1)?, Wrong::Error)),
        };
        Ok(Some((as_index(sheet)?, line, error_column)))
    }
}

fn bytes<const N: usize>(kept: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    kept.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the temporary file was changed")
}
