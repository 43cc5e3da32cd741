//! What is written is what is then read.

use proptest::prelude::*;
use wayleave::base::private::{Cases, Grant};
use wayleave::format::charset::Charset;
use wayleave::format::settings::{
    CsvSettings, FhirForm, FormatKind, HeaderRule, Hl7v2Settings, JsonSettings, XlsxSettings,
};
use wayleave::format::unit::Kept;
use wayleave::format::writer::{CsvLayout, Layout, Writer};
use wayleave::format::{At, Cell, Header};

use crate::format_support::{Target, cells, leaves, open_bytes, said_cell};

/// Writes units of these cells at these addresses.
fn write(layout: &Layout, at: &[At], units: &[Vec<Cell<'_>>]) -> Vec<u8> {
    let target = Target::default();
    let mut writer = Writer::new(Box::new(target.clone()), layout).unwrap();
    for unit in units {
        let unit: Vec<(&At, Cell<'_>)> = at.iter().zip(unit.iter().copied()).collect();
        assert!(writer.put(None, &unit).unwrap().is_none());
    }
    writer.finish().unwrap();
    target.bytes()
}

fn paths(addresses: &[&str]) -> Vec<At> {
    addresses.iter().map(|address| At::compile(address, None).unwrap()).collect()
}

fn texts(units: &[Vec<String>]) -> Vec<Vec<Cell<'_>>> {
    units.iter().map(|unit| unit.iter().map(|text| Cell::Text(text)).collect()).collect()
}

/// What a reader makes of a text: one that is blank is none.
fn seen(text: &str) -> String {
    if text.trim().is_empty() { String::from("-") } else { text.to_owned() }
}

/// Texts with whatever a format has to escape.
fn text() -> impl Strategy<Value = String> {
    "[ -~éß€\n\r\t]{0,12}".prop_filter("the word is read as blank", |text| text != "NULL")
}

fn units() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec(text(), 3), 1..6)
}

proptest! {
    #[test]
    fn a_text_table(units in units(), charset in 0..4_usize, separator in 0..4_usize) {
        let header = Header::of(["a", "b", "c"]);
        let encoding = [Charset::Utf8, Charset::Utf16Le, Charset::Utf16Be, Charset::Windows1252][charset];
        let separator = b",;\t|"[separator];
        let layout = CsvLayout { encoding, separator, with_mark: true, ..CsvLayout::of(header) };
        // A blank row is no unit.
        let units: Vec<_> = units.into_iter().filter(|unit| !unit.concat().trim().is_empty()).collect();
        let at = [At::Column(0), At::Column(1), At::Column(2)];
        let bytes = write(&Layout::Csv(layout), &at, &texts(&units));
        let settings = CsvSettings {
            encoding: Some(encoding),
            separator: Some(separator),
            ..CsvSettings::default()
        };
        // A few letters of Windows-1252 may look like one of UTF-8; then the file is refused.
        prop_assume!(encoding != Charset::Windows1252 || bytes.is_ascii() || std::str::from_utf8(&bytes).is_err());
        let rows = cells(&mut open_bytes(&bytes, FormatKind::Csv(settings)));
        let rows: Vec<&str> = rows.iter().map(|row| row.split_once(": ").unwrap().1).collect();
        let expected: Vec<String> =
            units.iter().map(|unit| unit.iter().map(|text| seen(text)).collect::<Vec<_>>().join("|")).collect();
        prop_assert_eq!(rows, expected);
    }

    #[test]
    fn trees(units in units(), lines in any::<bool>()) {
        let addresses = ["a.b[1].c", "id[system=https://x.example/Id].value", "id[system=y][use=z].value"];
        let bytes = write(&Layout::Json { lines, body: None }, &paths(&addresses), &texts(&units));
        let settings = JsonSettings { lines, ..JsonSettings::default() };
        let read = leaves(&mut open_bytes(&bytes, FormatKind::Json(settings)), &addresses);
        let read: Vec<&str> = read.iter().map(|unit| unit.split_once(": ").unwrap().1).collect();
        let expected: Vec<String> =
            units.iter().map(|unit| unit.iter().map(|text| seen(text)).collect::<Vec<_>>().join("|")).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn messages(units in units()) {
        let addresses = ["PID-3[4=NHS,5=NH].1", "PID-5[2].2.3", "OBX[2]-5"];
        // The text `""` means "take it away" in this format, and can mean nothing else.
        prop_assume!(units.iter().flatten().all(|text| text != "\"\""));
        let bytes = write(&Layout::Hl7v2, &paths(&addresses), &texts(&units));
        let format = FormatKind::Hl7v2(Hl7v2Settings { encoding: Some(Charset::Utf8) });
        let read = leaves(&mut open_bytes(&bytes, format), &addresses);
        let read: Vec<&str> = read.iter().map(|unit| unit.split_once(": ").unwrap().1).collect();
        let expected: Vec<String> =
            units.iter().map(|unit| unit.iter().map(|text| seen(text)).collect::<Vec<_>>().join("|")).collect();
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn a_workbook_keeps_what_each_cell_is() {
    let mut clients = Header::of(["Client Ref", "NHS Number", "Born", "Done", "Cost"]);
    (clients.sheet, clients.line) = (Some("Clients".into()), 3);
    let mut stars = Header::of(["Client Ref", "Work"]);
    stars.sheet = Some("Stars".into());
    let target = Target::default();
    let mut writer = Writer::new(Box::new(target.clone()), &Layout::Xlsx(vec![clients, stars])).unwrap();
    let at: Vec<At> = (0..5).map(At::Column).collect();
    let row = [
        Cell::Text("PI001"),
        Cell::Text("0990000018"),
        Cell::Day("1970-02-01".parse().unwrap()),
        Cell::Bool(false),
        Cell::Number(12.5),
    ];
    let row: Vec<_> = at.iter().zip(row).collect();
    assert!(writer.put(Some("Clients"), &row).unwrap().is_none());
    assert!(
        writer
            .put(Some("Stars"), &[(&at[0], Cell::Text("PI001")), (&at[1], Cell::Number(7.0))])
            .unwrap()
            .is_none()
    );
    assert!(writer.put(Some("Clients"), &[(&at[0], Cell::Text("PI002"))]).unwrap().is_none());
    let long = "x".repeat(40_000);
    let finding = writer.put(Some("Clients"), &[(&at[1], Cell::Text(&long))]).unwrap().unwrap();
    assert_eq!(finding.code.as_str(), "xlsx/too-long");
    assert!(writer.put(Some("Goals"), &row).is_err());
    writer.finish().unwrap();
    let rows = cells(&mut open_bytes(&target.bytes(), FormatKind::Xlsx(XlsxSettings::default())));
    assert_eq!(
        rows,
        ["Clients 4: PI001|0990000018|@1970-02-01|?false|#12.5", "Clients 5: PI002", "Stars 2: PI001|#7"]
    );
}

#[test]
fn a_bundle_holds_resources() {
    let addresses = ["resourceType", "name[use=official].family", "birthDate", "active"];
    let at = paths(&addresses);
    let patient = vec![
        Cell::Text("Patient"),
        Cell::Text("Ada"),
        Cell::Day("1970-02-01".parse().unwrap()),
        Cell::Bool(true),
    ];
    for count in [0, 1, 3] {
        let bytes = write(&Layout::Fhir(FhirForm::Json), &at, &vec![patient.clone(); count]);
        let read = leaves(&mut open_bytes(&bytes, FormatKind::Fhir(FhirForm::Json)), &addresses);
        assert_eq!(read.len(), count);
        assert!(
            read.iter().all(|unit| unit.ends_with("/resource: Patient|Ada|1970-02-01|?true")),
            "{read:?}"
        );
    }
    let mut writer = Writer::new(Box::new(Target::default()), &Layout::Fhir(FhirForm::Json)).unwrap();
    let finding = writer.put(None, &[(&at[2], Cell::Text("x"))]).unwrap().unwrap();
    assert_eq!(finding.code.as_str(), "fhir/no-resource");
}

#[test]
fn a_letter_the_encoding_has_not_is_a_finding_and_the_row_is_left_out() {
    let target = Target::default();
    let layout = CsvLayout { encoding: Charset::Windows1252, ..CsvLayout::of(Header::of(["a", "b"])) };
    let mut writer = Writer::new(Box::new(target.clone()), &Layout::Csv(layout)).unwrap();
    let (a, b) = (At::Column(0), At::Column(1));
    let finding = writer.put(None, &[(&a, Cell::Text("é")), (&b, Cell::Text("ł"))]).unwrap().unwrap();
    assert_eq!(
        finding.to_string(),
        "line 2, column `b`: expected letters that Windows-1252 (what Windows calls ANSI) has, found one it has not [charset/unwritable]"
    );
    assert!(writer.put(None, &[(&a, Cell::Text("é"))]).unwrap().is_none());
    writer.finish().unwrap();
    assert_eq!(target.bytes(), b"a,b\r\n\xE9,\r\n");
}

#[test]
fn what_deletes_is_written_as_such() {
    let bytes = write(
        &Layout::Hl7v2,
        &paths(&["PID-8", "PID-7", "MSH-9.1"]),
        &[vec![Cell::Delete, Cell::Absent, Cell::Text("ADT")]],
    );
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "MSH|^~\\&|||||||ADT^A31^ADT_A05|1|P|2.4||||||UNICODE UTF-8\rEVN|A31\rPID||||||||\"\"\rPV1||N\r"
    );
    let bytes = write(
        &Layout::Json { lines: true, body: None },
        &paths(&["a", "b"]),
        &[vec![Cell::Delete, Cell::Absent]],
    );
    assert_eq!(bytes, b"{\"a\":null}\n");
}

#[test]
fn a_kept_unit_is_read_back_as_it_was() {
    let named = HeaderRule::Named(vec!["a".into(), "b".into()]);
    let csv = FormatKind::Csv(CsvSettings { header: named, ..CsvSettings::default() });
    let json = FormatKind::Json(JsonSettings::default());
    let hl7v2 = FormatKind::Hl7v2(Hl7v2Settings::default());
    let header = Header { sheet: Some("S".into()), ..Header::of(["a", "b"]) };
    let day = Cell::Day("1970-02-01".parse().unwrap());
    let book =
        write(&Layout::Xlsx(vec![header]), &[At::Column(0), At::Column(1)], &[vec![Cell::Text("x"), day]]);
    let cases: [(&[u8], FormatKind, &[At]); 4] = [
        (b"\"x\ny\",2\n", csv, &[At::Column(0), At::Column(1)]),
        (&book, FormatKind::Xlsx(XlsxSettings::default()), &[At::Column(0), At::Column(1)]),
        (b"{\"a\":[1,null]}", json, &paths(&["a[0]", "a[1]"])),
        (b"MSH|^~\\&|x\rPID|1||7\\T\\8\r", hl7v2, &paths(&["MSH-3", "PID-3"])),
    ];
    for (bytes, format, at) in cases {
        let mut reader = open_bytes(bytes, format.clone());
        let arrival = reader.next().unwrap().unwrap();
        let Ok(unit) = arrival.unit else { panic!("not read") };
        let grant = Grant::<Cases>::begin("test");
        let kept = Kept::read(unit.raw().open(&grant), &format).unwrap();
        let _ = grant.close();
        for at in at {
            assert_eq!(said_cell(kept.unit().cell(at)), said_cell(unit.cell(at)));
        }
    }
}
