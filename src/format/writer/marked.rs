//! Writes what a sender sent as a workbook in which the cells that are wrong are marked, each with
//! a note that says what was expected and what to do.

use rust_xlsxwriter::{Color, ExcelDateTime, Format, Note, Workbook, XlsxError};

use crate::base::limit::{SHEET_ROWS_MAX, SHEET_TEXT_MAX};
use crate::format::{Cell, FormatError, Header, Place, Unit};

/// What is wrong in a row.
#[derive(Debug, Clone)]
pub struct Mark {
    /// In which column, by its name; the row as a whole where there is none.
    pub column: Option<String>,
    /// What is said of it.
    pub text: String,
}

/// A workbook that is being written. It is held in memory until it ends.
pub struct MarkedBook {
    workbook: Workbook,
    sheets: Vec<Header>,
    next_row: Vec<u32>,
    day: Format,
}

impl MarkedBook {
    /// A workbook with the sender's own sheets and column names.
    ///
    /// # Errors
    /// Where a sheet's name cannot be written.
    pub fn new(headers: &[Header]) -> Result<Self, FormatError> {
        let mut workbook = Workbook::new();
        let bold = Format::new().set_bold();
        let mut next_row = Vec::new();
        for header in headers {
            let sheet = workbook.add_worksheet();
            if let Some(name) = &header.sheet {
                sheet.set_name(name.as_ref()).map_err(failed)?;
            }
            let row = row_of(header.line.max(1));
            for (column, name) in (0_u16..).zip(&header.columns) {
                sheet.write_string_with_format(row, column, name.as_ref(), &bold).map_err(failed)?;
            }
            sheet.set_freeze_panes(row + 1, 0).map_err(failed)?;
            next_row.push(row + 1);
        }
        let day = Format::new().set_num_format("dd/mm/yyyy");
        Ok(Self { workbook, sheets: headers.to_vec(), next_row, day })
    }

    /// Writes a row as it was sent, with its marks. A row of a sheet stands where it stood.
    ///
    /// # Errors
    /// Where the row cannot be written.
    pub fn put(&mut self, place: &Place, unit: &Unit<'_>, marks: &[Mark]) -> Result<(), FormatError> {
        let index = self.sheets.iter().position(|header| header.sheet == place.sheet).unwrap_or_default();
        let (Some(header), Some(next)) = (self.sheets.get(index), self.next_row.get_mut(index)) else {
            return Ok(());
        };
        let row = if place.sheet.is_some() { row_of(place.line) } else { *next };
        if row >= SHEET_ROWS_MAX {
            return Ok(());
        }
        *next = row + 1;
        let sheet = self.workbook.worksheet_from_index(index).map_err(failed)?;
        let wrong = Format::new().set_background_color(Color::RGB(0x00FF_E699));
        let wrong_day = wrong.clone().set_num_format("dd/mm/yyyy");
        for (number, (column, name)) in (0_u16..).zip(&header.columns).enumerate() {
            let of_cell = |mark: &&Mark| mark.column.as_deref() == Some(name.as_ref());
            let texts: Vec<&str> = marks.iter().filter(of_cell).map(|mark| mark.text.as_str()).collect();
            let (plain, day) = if texts.is_empty() { (None, &self.day) } else { (Some(&wrong), &wrong_day) };
            match cell(unit, number) {
                Cell::Text(text) if text.encode_utf16().count() <= SHEET_TEXT_MAX => match plain {
                    Some(format) => sheet.write_string_with_format(row, column, text, format),
                    None => sheet.write_string(row, column, text),
                },
                Cell::Number(value) => match plain {
                    Some(format) => sheet.write_number_with_format(row, column, value, format),
                    None => sheet.write_number(row, column, value),
                },
                Cell::Bool(value) => match plain {
                    Some(format) => sheet.write_boolean_with_format(row, column, value, format),
                    None => sheet.write_boolean(row, column, value),
                },
                Cell::Day(value) => {
                    let (year, month, of_month) = value.parts();
                    let parts = (
                        u16::try_from(year).unwrap_or_default(),
                        u8::try_from(month).unwrap_or_default(),
                        u8::try_from(of_month).unwrap_or_default(),
                    );
                    let date = ExcelDateTime::from_ymd(parts.0, parts.1, parts.2).map_err(failed)?;
                    sheet.write_datetime_with_format(row, column, &date, day)
                }
                Cell::Absent | Cell::Delete | Cell::Text(_) => match plain {
                    Some(format) => sheet.write_blank(row, column, format),
                    None => continue,
                },
            }
            .map_err(failed)?;
            if !texts.is_empty() {
                sheet.insert_note(row, column, &Note::new(texts.join("\n"))).map_err(failed)?;
            }
        }
        let is_of_row = |mark: &&Mark| {
            let named = mark.column.as_deref();
            named.is_none_or(|named| header.columns.iter().all(|column| column.as_ref() != named))
        };
        let texts: Vec<&str> = marks.iter().filter(is_of_row).map(|mark| mark.text.as_str()).collect();
        if !texts.is_empty() {
            let beside = u16::try_from(header.columns.len()).unwrap_or(u16::MAX);
            sheet.write_string_with_format(row, beside, texts.join("; "), &wrong).map_err(failed)?;
        }
        Ok(())
    }

    /// The workbook's bytes.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn end(mut self) -> Result<Vec<u8>, FormatError> {
        self.workbook.save_to_buffer().map_err(failed)
    }
}

fn cell<'u>(unit: &Unit<'u>, column: usize) -> Cell<'u> {
    unit.cell(&crate::format::At::Column(column))
}

fn row_of(line: u64) -> u32 {
    u32::try_from(line.saturating_sub(1)).unwrap_or(SHEET_ROWS_MAX)
}

fn failed(error: XlsxError) -> FormatError {
    FormatError::Workbook(Box::new(error))
}
