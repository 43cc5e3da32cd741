//! Writes an empty workbook for people to fill in: what may stand in each column is checked as it
//! is typed, names stay in sight, and what is not to be touched is locked.

use std::io::Write;

use rust_xlsxwriter::{
    DataValidation, DataValidationErrorStyle, DataValidationRule, ExcelDateTime, Format, FormatAlign,
    FormatBorder, Formula, Note, ProtectionOptions, Url, Workbook, Worksheet, XlsxError,
};

use crate::format::FormatError;

/// Letters of an input message that Excel takes.
const MESSAGE_LETTERS_MAX: usize = 250;

/// The sheet that holds the words of all drop-downs.
const LISTS: &str = "Lists";

/// A workbook to be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// What it is, on each sheet.
    pub title: String,
    /// How it is filled in, a line each, on a sheet of their own.
    pub notes: Vec<String>,
    /// Its sheets.
    pub sheets: Vec<FormSheet>,
}

/// One sheet of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormSheet {
    /// Its name.
    pub name: String,
    /// What one row is.
    pub about: String,
    /// The row of the column names, from 1.
    pub header_row: u32,
    /// Its columns.
    pub columns: Vec<FormColumn>,
    /// Rows that are made ready.
    pub rows: u32,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormColumn {
    /// Its name.
    pub name: String,
    /// What belongs there, in plain words.
    pub note: String,
    /// What may stand there.
    pub takes: Takes,
}

/// What may stand in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takes {
    /// Any text.
    Text,
    /// Text of so many letters.
    Letters(u32, u32),
    /// A day.
    Day,
    /// A whole number from and to.
    Whole(i32, i32),
    /// A number that is not negative.
    Number,
    /// One of these words.
    OneOf(Vec<String>),
    /// What stands in a column of another sheet: its name, and the place of the column from 0.
    Of(String, u16),
    /// Ids, one a row, hidden and locked.
    RowIds(Vec<String>),
}

/// Writes the workbook.
///
/// # Errors
/// Where it cannot be made or written.
pub fn write(form: &Form, out: &mut dyn Write) -> Result<(), FormatError> {
    let failed = |error: XlsxError| FormatError::Workbook(Box::new(error));
    let bytes = workbook(form).and_then(|mut workbook| workbook.save_to_buffer()).map_err(failed)?;
    out.write_all(&bytes).and_then(|()| out.flush()).map_err(FormatError::Write)
}

fn workbook(form: &Form) -> Result<Workbook, XlsxError> {
    let mut workbook = Workbook::new();
    let mut lists: Vec<Vec<String>> = Vec::new();
    notes(workbook.add_worksheet(), form)?;
    for sheet in &form.sheets {
        let worksheet = workbook.add_worksheet();
        fill(worksheet, form, sheet, &mut lists)?;
    }
    if !lists.is_empty() {
        list_sheet(workbook.add_worksheet(), &lists)?;
    }
    Ok(workbook)
}

/// Everything may be looked at and columns made wider; what is locked stays.
fn protection() -> ProtectionOptions {
    ProtectionOptions { format_columns: true, format_rows: true, ..ProtectionOptions::new() }
}

fn notes(sheet: &mut Worksheet, form: &Form) -> Result<(), XlsxError> {
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    sheet.set_name("Read me")?.set_column_width(0, 110)?;
    sheet.write_string_with_format(0, 0, &form.title, &title_format())?;
    for (row, note) in (2..).zip(&form.notes) {
        sheet.write_string_with_format(row, 0, note, &wrapped)?;
    }
    // A workbook of many sheets is found one's way in from here.
    let first = 3 + u32::try_from(form.notes.len()).unwrap_or_default();
    sheet.write_string_with_format(first, 0, "The sheets", &title_format())?;
    for (row, of) in (first + 1..).zip(&form.sheets) {
        let place = Url::new(format!("internal:'{}'!A1", of.name.replace('\'', "''")));
        let text = format!("{}: {}", of.name, of.about);
        sheet.write_url(row, 0, place.set_text(text))?;
    }
    sheet.protect_with_options(&protection());
    Ok(())
}

fn title_format() -> Format {
    Format::new().set_bold().set_font_size(14)
}

fn list_sheet(sheet: &mut Worksheet, lists: &[Vec<String>]) -> Result<(), XlsxError> {
    sheet.set_name(LISTS)?;
    sheet.write_string_with_format(
        0,
        0,
        "The words of the drop-downs. Nothing is entered here.",
        &title_format(),
    )?;
    for (column, words) in (0..).zip(lists) {
        sheet.set_column_width(column, 32)?;
        for (row, word) in (1..).zip(words) {
            sheet.write_string(row, column, word)?;
        }
    }
    sheet.protect_with_options(&protection());
    Ok(())
}

fn fill(
    sheet: &mut Worksheet,
    form: &Form,
    of: &FormSheet,
    lists: &mut Vec<Vec<String>>,
) -> Result<(), XlsxError> {
    let head = Format::new()
        .set_bold()
        .set_text_wrap()
        .set_align(FormatAlign::Top)
        .set_background_color("D9E2EC")
        .set_border(FormatBorder::Thin);
    sheet.set_name(&of.name)?;
    sheet.write_string_with_format(0, 0, format!("{}: {}", form.title, of.name), &title_format())?;
    let header = of.header_row.max(2) - 1;
    sheet.write_string_with_format(header - 1, 0, &of.about, &Format::new().set_italic())?;
    let (first, last) = (header + 1, header + of.rows.max(1));
    for (at, column) in (0_u16..).zip(&of.columns) {
        sheet.write_string_with_format(header, at, &column.name, &head)?;
        let note = Note::new(&column.note).add_author_prefix(false).set_width(260);
        sheet.insert_note(header, at, &note)?;
        sheet.set_column_width(at, width(column))?;
        if let Takes::RowIds(ids) = &column.takes {
            for (row, id) in (first..=last).zip(ids) {
                sheet.write_string(row, at, id)?;
            }
            sheet.set_column_hidden(at)?;
            continue;
        }
        sheet.set_column_format(at, &cell_format(&column.takes))?;
        if let Some(check) = check(column, lists)? {
            sheet.add_data_validation(first, at, last, at, &check)?;
        }
    }
    sheet.set_row_height(header, 32)?;
    // The name of whom a row is about stays in sight as well.
    sheet.set_freeze_panes(header + 1, 1)?;
    sheet.set_selection(first, 0, first, 0)?;
    sheet.set_landscape();
    sheet.protect_with_options(&protection());
    Ok(())
}

fn width(column: &FormColumn) -> f64 {
    let longest = match &column.takes {
        Takes::OneOf(words) => words.iter().map(|word| word.chars().count()).max().unwrap_or_default(),
        Takes::Day => 11,
        _ => 12,
    };
    let letters = longest.max(column.name.chars().count() / 2).clamp(10, 38);
    f64::from(u32::try_from(letters).unwrap_or(12)) + 2.0
}

fn cell_format(takes: &Takes) -> Format {
    let open = Format::new().set_unlocked();
    match takes {
        Takes::Day => open.set_num_format("dd/mm/yyyy"),
        Takes::Whole(..) => open.set_num_format("0"),
        Takes::Number => open.set_num_format("0.00"),
        // As text, so that a spreadsheet eats no leading noughts.
        Takes::Text | Takes::Letters(..) | Takes::OneOf(_) | Takes::Of(..) | Takes::RowIds(_) => {
            open.set_num_format("@")
        }
    }
}

fn check(column: &FormColumn, lists: &mut Vec<Vec<String>>) -> Result<Option<DataValidation>, XlsxError> {
    let plain = DataValidation::new();
    let (check, wrong) = match &column.takes {
        Takes::Text | Takes::RowIds(_) => return Ok(None),
        Takes::Letters(from, to) => (
            plain.allow_text_length(DataValidationRule::Between(*from, *to)),
            format!("Between {from} and {to} letters or digits belong here."),
        ),
        Takes::Day => (
            plain.allow_date(DataValidationRule::Between(
                ExcelDateTime::from_ymd(1900, 1, 1)?,
                ExcelDateTime::from_ymd(2100, 12, 31)?,
            )),
            "A date belongs here, as dd/mm/yyyy. Leave the cell empty where the day is not known yet."
                .to_owned(),
        ),
        Takes::Whole(from, to) => (
            plain.allow_whole_number(DataValidationRule::Between(*from, *to)),
            format!("A whole number from {from} to {to} belongs here."),
        ),
        Takes::Number => (
            plain.allow_decimal_number(DataValidationRule::GreaterThanOrEqualTo(0.0)),
            "A number belongs here.".to_owned(),
        ),
        Takes::OneOf(words) => {
            let place = lists.iter().position(|known| known == words).unwrap_or_else(|| {
                lists.push(words.clone());
                lists.len() - 1
            });
            let range =
                format!("={LISTS}!{}", range(u16::try_from(place).unwrap_or(u16::MAX), 2, words.len() + 1));
            (
                plain.allow_list_formula(Formula::new(range)),
                "Choose one of the words of the list. If none fits, ask before anything else is entered."
                    .to_owned(),
            )
        }
        Takes::Of(other, at) => {
            let range = format!("='{}'!{}", other.replace('\'', "''"), range(*at, 4, 10_000));
            let check = plain
                .allow_list_formula(Formula::new(range))
                .set_error_style(DataValidationErrorStyle::Warning);
            (check, format!("This stands on no row of the sheet {other}. Is it entered there?"))
        }
    };
    let message: String = column.note.chars().take(MESSAGE_LETTERS_MAX).collect();
    let check = check
        .ignore_blank(true)
        .set_error_title("Please check")?
        .set_error_message(wrong)?
        .set_input_message(message)?;
    Ok(Some(check))
}

/// `$C$2:$C$9`.
fn range(column: u16, first: usize, last: usize) -> String {
    let mut letters = String::new();
    let mut rest = u32::from(column) + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or_default();
        letters.insert(0, char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    format!("${letters}${first}:${letters}${last}")
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges_are_written_as_a_spreadsheet_does() {
        assert_eq!(range(0, 2, 9), "$A$2:$A$9");
        assert_eq!(range(27, 2, 2), "$AB$2:$AB$2");
    }
}
