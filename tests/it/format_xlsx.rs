//! Workbooks.

use insta::assert_snapshot;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use wayleave::format::settings::{FormatKind, SheetSettings, XlsxSettings};

use crate::format_support::{cells, notes, open_bytes, refused};

fn tracker() -> Workbook {
    let mut workbook = Workbook::new();
    let day = Format::new().set_num_format("dd/mm/yyyy");
    let moment = Format::new().set_num_format("dd/mm/yyyy hh:mm");
    let sheet = workbook.add_worksheet().set_name("Clients").unwrap();
    sheet.write_string(0, 0, "Housing tracker").unwrap();
    for (column, name) in (0..).zip(["Client Ref", "NHS Number", "Date of  Birth", "Accepted", "Left"]) {
        sheet.write_string(2, column, name).unwrap();
    }
    sheet.write_string(3, 0, "PI001").unwrap();
    sheet.write_string(3, 1, "0990000018").unwrap();
    let born = ExcelDateTime::from_ymd(1970, 2, 1).unwrap();
    sheet.write_datetime_with_format(3, 2, &born, &day).unwrap();
    let accepted = ExcelDateTime::from_ymd(2024, 3, 31).unwrap().and_hms(9, 30, 0).unwrap();
    sheet.write_datetime_with_format(3, 3, &accepted, &moment).unwrap();
    sheet.write_boolean(3, 4, true).unwrap();
    sheet.write_string(5, 0, "PI002").unwrap();
    sheet.write_number(5, 1, 9_990_000_018.0).unwrap();
    sheet.write_string(5, 6, "ask Jo").unwrap();
    sheet.write_string(6, 0, "PI003").unwrap();
    sheet.write_formula(6, 2, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    let stars = workbook.add_worksheet().set_name("Stars").unwrap();
    stars.write_string(0, 0, "Client Ref").unwrap();
    stars.write_string(0, 1, "Work").unwrap();
    stars.write_string(1, 0, "PI001").unwrap();
    stars.write_number(1, 1, 7).unwrap();
    let hidden = workbook.add_worksheet().set_name("Lists").unwrap();
    hidden.write_string(0, 0, "x").unwrap();
    hidden.set_hidden(true);
    workbook
}

fn sheet(name: &str, expected: &[&str]) -> SheetSettings {
    let expected = expected.iter().map(ToString::to_string).collect();
    SheetSettings { name: name.into(), expected, ..SheetSettings::default() }
}

fn xlsx(sheets: Vec<SheetSettings>) -> FormatKind {
    FormatKind::Xlsx(XlsxSettings { sheets })
}

#[test]
fn sheets_are_read_with_what_each_cell_is() {
    let bytes = tracker().save_to_buffer().unwrap();
    let clients = sheet(" clients", &["Client Ref", "NHS Number", "Surname"]);
    let mut reader = open_bytes(&bytes, xlsx(vec![sheet("Stars", &["Work"]), clients]));
    assert_eq!(reader.header_of("Clients").unwrap().line, 3);
    assert_eq!(reader.header_of("Clients").unwrap().columns.get(2).unwrap().as_ref(), "Date of Birth");
    assert_snapshot!(notes(&mut reader).join("\n"), @r"
    t: sheet 3 of the workbook is hidden; it was not read [xlsx/hidden-sheet]
    t, sheet `Clients`, line 6: a cell stands here to the right of the last column name; such cells are not read [xlsx/stray-cell]
    ");
    assert_snapshot!(cells(&mut reader).join("\n"), @r"
    Stars 2: PI001|#7
    Clients 4: PI001|0990000018|@1970-02-01|2024-03-31T09:30:00|?true
    Clients 6: PI002|#9990000018|-|-|-|-|ask Jo
    Clients 7: PI003|-|-
    ");
}

#[test]
fn every_visible_sheet_is_read_where_none_is_declared() {
    let bytes = tracker().save_to_buffer().unwrap();
    let rows = cells(&mut open_bytes(&bytes, xlsx(Vec::new())));
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[2], "Clients 7: [xlsx/cell-error]");
}

#[test]
fn a_declared_header_row() {
    let bytes = tracker().save_to_buffer().unwrap();
    let mut clients = sheet("Clients", &["Client Ref"]);
    clients.header_row = Some(3);
    let mut reader = open_bytes(&bytes, xlsx(vec![clients.clone()]));
    assert_eq!(cells(&mut reader).len(), 3);
    clients.header_row = Some(2);
    assert_snapshot!(
        refused(&bytes, xlsx(vec![clients])).join("\n"),
        @"t, sheet `Clients`: expected the column names on row 2, found other text there [header/missing]"
    );
}

#[test]
fn a_sheet_or_header_that_is_not_there() {
    let bytes = tracker().save_to_buffer().unwrap();
    assert_snapshot!(
        refused(&bytes, xlsx(vec![sheet("Goals", &[])])).join("\n"),
        @"t: expected a sheet named `Goals`, found other names on the sheets 1, 2, 3 [xlsx/sheet-missing]"
    );
    let all = ["Clients", "Stars", "Lists", "Goals", "Settings"].map(|name| sheet(name, &[]));
    assert_snapshot!(
        refused(&bytes, xlsx(all.to_vec())).join("\n"),
        @"t: expected sheets named `Goals`, `Settings`, found the others and no more [xlsx/sheet-missing]"
    );
    assert_snapshot!(
        refused(&bytes, xlsx(vec![sheet("Stars", &["Goal Ref", "Area"])])).join("\n"),
        @"t, sheet `Stars`: expected the column names on one of the first 30 rows, found none that has half of them [header/missing]"
    );
    let goals = SheetSettings { optional: true, ..sheet("Goals", &[]) };
    let mut reader = open_bytes(&bytes, xlsx(vec![goals, sheet("Stars", &["Work"])]));
    assert!(notes(&mut reader).join("\n").contains("[xlsx/sheet-missing]"));
    assert_eq!(cells(&mut reader), ["Stars 2: PI001|#7"]);
}

#[test]
fn a_name_that_stands_twice() {
    let mut workbook = Workbook::new();
    let sheet_of = workbook.add_worksheet().set_name("A").unwrap();
    for (column, name) in (0..).zip(["id", "note", "note"]) {
        sheet_of.write_string(0, column, name).unwrap();
    }
    sheet_of.write_string(1, 0, "1").unwrap();
    let bytes = workbook.save_to_buffer().unwrap();
    assert_snapshot!(
        refused(&bytes, xlsx(vec![sheet("A", &["id", "note"])])).join("\n"),
        @"t, sheet `A`, line 1, column `note`: this column name stands more than once in the header [header/duplicate]"
    );
    let mut reader = open_bytes(&bytes, xlsx(vec![sheet("A", &["id"])]));
    assert!(notes(&mut reader).join("").ends_with("[header/duplicate]"));
    assert_eq!(cells(&mut reader), ["A 2: 1"]);
}

#[test]
fn what_is_sent_in_place_of_a_workbook() {
    let refusal = |bytes: &[u8]| refused(bytes, xlsx(Vec::new())).join("\n");
    let container = |name: &str| {
        let mut bytes = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
        bytes.extend(vec![0; 70_000]);
        bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    };
    assert_snapshot!(refusal(b""), @"t: expected a workbook, found an empty file [file/empty]");
    assert_snapshot!(
        refusal(&container("Workbook")),
        @"t: expected an Excel workbook (.xlsx), found one in the old .xls format [xlsx/old-format]"
    );
    assert_snapshot!(
        refusal(&container("EncryptedPackage")),
        @"t: expected a workbook that can be opened, found one that needs a password [xlsx/locked]"
    );
    assert_snapshot!(
        refusal(b"<html><table>"),
        @"t: expected an Excel workbook (.xlsx), found a web page or XML file that only carries its name [file/binary]"
    );
    assert_snapshot!(refusal(b"a,b\n1,2\n"), @"t: expected an Excel workbook (.xlsx), found another kind of file [file/binary]");
    let mut cut = tracker().save_to_buffer().unwrap();
    cut.truncate(cut.len() / 2);
    assert_snapshot!(refusal(&cut), @"t: expected a whole packed file, found one that is damaged or cut off [file/truncated]");
    let blank = Workbook::new().save_to_buffer().unwrap();
    assert_snapshot!(refusal(&blank), @"t: expected a sheet with column names and rows, found none [file/empty]");
}
