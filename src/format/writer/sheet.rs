//! Writes a workbook, which is a ZIP file whose sheets cannot be written side by side. Given a spool,
//! each sheet goes row by row into a private file and then, one after the other, into the workbook, so
//! that no more than a row is held; without one, all of it is held in memory until it ends.

use std::io::{self, Seek as _, Write};

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, XlsxError};

use crate::base::finding::{Code, Finding};
use crate::base::limit::{SHEET_ROWS_MAX, SHEET_TEXT_MAX};
use crate::base::origin::Origin;
use crate::format::source::{Spool, Spooled};
use crate::format::{At, Cell, FormatError, Header};

pub(super) struct SheetWriter {
    out: Box<dyn Write + Send>,
    workbook: Workbook,
    sheets: Vec<(Header, u32)>,
    day: Format,
    /// Where the workbook is put together before it goes out.
    spooled: Option<Box<dyn Spooled>>,
}

impl SheetWriter {
    pub(super) fn new(
        out: Box<dyn Write + Send>,
        headers: &[Header],
        spool: Option<&dyn Spool>,
    ) -> Result<Self, FormatError> {
        let spooled = spool.map(Spool::new_file).transpose().map_err(FormatError::Write)?;
        let mut workbook = Workbook::new();
        let mut sheets = Vec::new();
        let bold = Format::new().set_bold();
        for header in headers {
            let sheet = match spooled {
                Some(_) => workbook.add_worksheet_with_constant_memory().map_err(failed)?,
                None => workbook.add_worksheet(),
            };
            if let Some(name) = &header.sheet {
                sheet.set_name(name.as_ref()).map_err(failed)?;
            }
            let row =
                u32::try_from(header.line.max(1) - 1).map_err(|_large| FormatError::WrongAddress("xlsx"))?;
            for (column, name) in (0_u16..).zip(&header.columns) {
                sheet.write_string_with_format(row, column, name.as_ref(), &bold).map_err(failed)?;
            }
            sheet.set_freeze_panes(row + 1, 0).map_err(failed)?;
            sheets.push((header.clone(), row + 1));
        }
        // The British way, whatever the machine that opens it is set to.
        let day = Format::new().set_num_format("dd/mm/yyyy");
        Ok(Self { out, workbook, sheets, day, spooled })
    }

    pub(super) fn put(
        &mut self,
        name: Option<&str>,
        unit: &[(&At, Cell<'_>)],
    ) -> Result<Option<Finding>, FormatError> {
        let index = match name {
            None => Some(0),
            Some(name) => self.sheets.iter().position(|(header, _)| header.sheet.as_deref() == Some(name)),
        };
        let wrong = FormatError::WrongAddress("xlsx");
        let Some((header, row)) = index.and_then(|index| self.sheets.get_mut(index)) else {
            return Err(wrong);
        };
        if let Some(finding) = too_long(header, *row, unit) {
            return Ok(Some(finding));
        }
        let sheet = self.workbook.worksheet_from_index(index.unwrap_or_default()).map_err(failed)?;
        for (at, cell) in unit {
            let At::Column(column) = at else { return Err(wrong) };
            let Ok(column) = u16::try_from(*column) else { return Err(wrong) };
            match cell {
                Cell::Absent | Cell::Delete => {}
                Cell::Text(text) => drop(sheet.write_string(*row, column, *text).map_err(failed)?),
                Cell::Number(number) => drop(sheet.write_number(*row, column, *number).map_err(failed)?),
                Cell::Bool(truth) => drop(sheet.write_boolean(*row, column, *truth).map_err(failed)?),
                Cell::Day(day) => {
                    let (year, month, day) = day.parts();
                    let parts = (u16::try_from(year), u8::try_from(month), u8::try_from(day));
                    let (Ok(year), Ok(month), Ok(day)) = parts else { return Err(wrong) };
                    // Excel has no day before 1900: such a one is written as text.
                    let written = if let Ok(moment) = ExcelDateTime::from_ymd(year, month, day) {
                        sheet.write_datetime_with_format(*row, column, &moment, &self.day)
                    } else {
                        sheet.write_string(*row, column, format!("{year:04}-{month:02}-{day:02}"))
                    };
                    written.map_err(failed)?;
                }
            }
        }
        *row += 1;
        Ok(None)
    }

    pub(super) fn finish(mut self) -> Result<(), FormatError> {
        let Some(mut file) = self.spooled else {
            let bytes = self.workbook.save_to_buffer().map_err(failed)?;
            return self.out.write_all(&bytes).and_then(|()| self.out.flush()).map_err(FormatError::Write);
        };
        self.workbook.save_to_writer(&mut file).map_err(failed)?;
        let copied = file.rewind().and_then(|()| io::copy(&mut file, &mut self.out));
        copied.and_then(|_bytes| self.out.flush()).map_err(FormatError::Write)
    }
}

fn too_long(header: &Header, row: u32, unit: &[(&At, Cell<'_>)]) -> Option<Finding> {
    let mut origin = Origin { sheet: header.sheet.clone(), ..Origin::default() }.at_line(u64::from(row) + 1);
    if row >= SHEET_ROWS_MAX {
        let text =
            format!("expected at most {SHEET_ROWS_MAX} rows on a sheet, which is all that Excel can hold");
        return Some(Finding::new(Code::XlsxTooLong, origin, text));
    }
    let is_long =
        |cell: &Cell<'_>| matches!(cell, Cell::Text(text) if text.encode_utf16().count() > SHEET_TEXT_MAX);
    let (at, _) = unit.iter().find(|(_, cell)| is_long(cell))?;
    if let At::Column(column) = at {
        origin.column = header.columns.get(*column).cloned();
    }
    let text =
        format!("expected at most {SHEET_TEXT_MAX} letters in a cell, which is all that Excel can hold");
    Some(Finding::new(Code::XlsxTooLong, origin, text))
}

fn failed(error: XlsxError) -> FormatError {
    FormatError::Workbook(Box::new(error))
}
