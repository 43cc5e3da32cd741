//! Text tables: separator, header, rows, what programs put round them.

use insta::assert_snapshot;
use wayleave::format::settings::{CsvSettings, FormatKind, HeaderRule};

use crate::format_support::{cells, notes, open_bytes, refused};

fn expecting(header: HeaderRule, names: &[&str]) -> CsvSettings {
    CsvSettings {
        header,
        expected: names.iter().map(ToString::to_string).collect(),
        ..CsvSettings::default()
    }
}

/// The rows of a file: `line: cell|cell` or `line: [code]`.
fn read(bytes: &[u8], settings: CsvSettings) -> Vec<String> {
    cells(&mut open_bytes(bytes, FormatKind::Csv(settings)))
}

/// The rows, and then what was found about the file.
fn read_all(bytes: &[u8], settings: CsvSettings) -> String {
    let mut reader = open_bytes(bytes, FormatKind::Csv(settings));
    let mut all = notes(&mut reader);
    all.extend(cells(&mut reader));
    all.extend(notes(&mut reader));
    all.join("\n")
}

fn refusal(bytes: &[u8], settings: CsvSettings) -> String {
    refused(bytes, FormatKind::Csv(settings)).join("\n")
}

#[test]
fn lines_are_physical_whatever_ends_them() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["a,b", "1,2", "", "\"x", "y\",3", "4,5"].join(end);
        let rows = read(text.as_bytes(), CsvSettings::default());
        assert_eq!(rows, ["2: 1|2", &format!("4: x{end}y|3"), "6: 4|5"], "{end:?}");
    }
}

#[test]
fn a_byte_offset_is_where_the_row_begins() {
    let text = b"a,b\r\n1,2\r\n\"x\r\ny\",3\r\n";
    let mut reader = open_bytes(text, FormatKind::Csv(CsvSettings::default()));
    let mut bytes = Vec::new();
    while let Some(arrival) = reader.next().unwrap() {
        bytes.push(arrival.place.byte);
    }
    assert_eq!(bytes, [5, 10]);
}

#[test]
fn a_ragged_row_is_a_finding_and_shifts_nothing() {
    let rows = read(b"a,b,c\n1,2\n1,2,3\n1,2,3,4\n", CsvSettings::default());
    assert_eq!(rows, ["2: [csv/field-count]", "3: 1|2|3", "4: [csv/field-count]"]);
}

#[test]
fn any_separator_is_detected_and_reported() {
    for (separator, said) in [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")] {
        let text = ["Name", "Cost (GBP)"].join(separator) + "\n" + &["x y", "1.50"].join(separator) + "\n";
        let mut reader = open_bytes(text.as_bytes(), FormatKind::Csv(CsvSettings::default()));
        assert!(
            notes(&mut reader).iter().any(|note| note.contains(&format!("separated by a {said}"))),
            "{said}"
        );
        assert_eq!(cells(&mut reader), ["2: x y|1.50"]);
    }
    let asked = read(b"sep=;\na,b;c\n1;2\n", CsvSettings::default());
    assert_eq!(asked, ["3: 1|2"]);
}

#[test]
fn a_wrong_separator_says_so() {
    let settings =
        CsvSettings { separator: Some(b','), ..expecting(HeaderRule::Exact, &["LAS ID", "Surname"]) };
    assert_snapshot!(
        refusal(b"LAS ID;Surname;Cost\nLL1;x;1,5\n", settings),
        @"t, line 1: expected cells separated by a comma, found the header as one single column: it seems to use a semicolon [csv/wrong-separator]"
    );
    let settings =
        CsvSettings { separator: Some(b','), ..expecting(HeaderRule::Find, &["LAS ID", "Surname"]) };
    assert!(refusal(b"Costs, 2025\nLAS ID\tSurname\n1\tx\n", settings).contains("seems to use a tab"));
    let settings = CsvSettings { separator: Some(b';'), ..CsvSettings::default() };
    assert_eq!(read(b"a;b\n1,5;2,5\n", settings), ["2: 1,5|2,5"]);
}

#[test]
fn a_header_is_found_below_titles_or_said_to_be_missing() {
    let text = b"Cost report\n\nprinted,31/03/2025\nLAS ID,Surname,Cost\nLL1,x,2\n";
    let names = ["LAS ID", "Surname", "Forename"];
    let mut reader = open_bytes(text, FormatKind::Csv(expecting(HeaderRule::Find, &names)));
    assert_eq!(reader.header().unwrap().line, 4);
    assert_eq!(cells(&mut reader), ["5: LL1|x|2"]);
    assert_snapshot!(
        refusal(b"a,b\n1,2\n", expecting(HeaderRule::Find, &names)),
        @"t, line 1: expected the column names on one of the first 30 rows, found none that has half of them [header/missing]"
    );
    assert_snapshot!(
        refusal(b"LL1,x,2\nLL2,y,2\n", expecting(HeaderRule::Exact, &names)),
        @"t, line 1: expected the column names here, found a row that has none of them [header/missing]"
    );
}

#[test]
fn a_mapping_can_name_the_columns() {
    let named = HeaderRule::Named(vec!["a".into(), "b".into()]);
    let rows = read(b"1,2\n3,4\n", expecting(named, &["a"]));
    assert_eq!(rows, ["1: 1|2", "2: 3|4"]);
}

#[test]
fn a_name_that_stands_twice_refuses_the_file_only_where_it_is_used() {
    let text = b"id,note,note\n1,x,y\n";
    assert_snapshot!(
        refusal(text, CsvSettings::default()),
        @"t, line 1, column `note`: this column name stands more than once in the header [header/duplicate]"
    );
    let mut reader = open_bytes(text, FormatKind::Csv(expecting(HeaderRule::Exact, &["id"])));
    assert!(notes(&mut reader).iter().any(|note| note.ends_with("[header/duplicate]")));
    assert_eq!(cells(&mut reader), ["2: 1|x|y"]);
}

#[test]
fn what_sqlcmd_adds_is_left_out_and_noted() {
    let text = b"id,name\n--,----\n1,NULL\n2,x\n\n(35 rows affected)\n";
    assert_snapshot!(read_all(text, CsvSettings::default()), @r"
    t: read as UTF-8: it holds plain letters only [charset/decided]
    t: cells are separated by a comma [csv/separator]
    3: 1|-
    4: 2|x
    t: left out the dashed line that sqlcmd puts under the column names [csv/extra-line]
    t, line 3, column `name`: the word NULL stands here in place of a value; read as blank, here and below [csv/null-word]
    t: left out the count of rows that sqlcmd puts at the end [csv/extra-line]
    ");
}

#[test]
fn blank_rows_are_no_units() {
    assert_snapshot!(read_all(b"a,b\n,\n1,2\n  \n", CsvSettings::default()), @r"
    t: read as UTF-8: it holds plain letters only [charset/decided]
    t: cells are separated by a comma [csv/separator]
    3: 1|2
    t: passed over 2 blank rows [file/blank-rows]
    ");
}

#[test]
fn a_quote_that_is_never_closed_is_a_file_cut_off() {
    let rows = read(b"a,b\n1,2\n3,\"x\n4,5\n", CsvSettings::default());
    assert_eq!(rows, ["2: 1|2", "3: [file/truncated]"]);
}

#[test]
fn a_last_row_that_is_short_and_has_no_end_is_a_file_cut_off() {
    assert_eq!(read(b"a,b\n1,2\n3", CsvSettings::default()), ["2: 1|2", "3: [file/truncated]"]);
    assert_eq!(read(b"a,b\n1,2\n3\n", CsvSettings::default()), ["2: 1|2", "3: [csv/field-count]"]);
    let find = || expecting(HeaderRule::Find, &["a", "b"]);
    assert_eq!(read(b"a,b\n1,2\n3", find()), ["2: 1|2", "3: [file/truncated]"]);
    assert_eq!(read(b"a,b\n1,2\n3\n", find()), ["2: 1|2", "3: [csv/field-count]"]);
    assert_eq!(read(b"a,b\n1,2\n3,4", find()), ["2: 1|2", "3: 3|4"]);
}

#[test]
fn a_row_that_is_too_large_is_passed_over_and_reading_goes_on() {
    let mut text = b"a,b\n1,2\n3,\"".to_vec();
    text.extend(std::iter::repeat_n(b'x', 5 * 1024 * 1024));
    text.extend_from_slice(b"\"\n4,5\n6,");
    text.extend(std::iter::repeat_n(b'y', 70 * 1024));
    text.extend_from_slice(b"\n8,9\n");
    text.extend(std::iter::repeat_n(b',', 2_000));
    text.extend_from_slice(b"\n10,11\n");
    let rows = read(&text, CsvSettings::default());
    assert_eq!(
        rows,
        [
            "2: 1|2",
            "3: [file/unit-too-large]",
            "4: 4|5",
            "5: [file/unit-too-large]",
            "6: 8|9",
            "7: [file/unit-too-large]",
            "8: 10|11"
        ]
    );
}

#[test]
fn quotes_within_quotes_and_a_last_row_without_an_end() {
    let rows = read(b"a,b\n\"say \"\"x\"\", y\",2\n3,\"\"", CsvSettings::default());
    assert_eq!(rows, ["2: say \"x\", y|2", "3: 3|-"]);
}

#[test]
fn an_empty_file_says_so() {
    for text in [b"".as_slice(), b"\xEF\xBB\xBF", b"\n\n\r\n"] {
        assert!(refusal(text, CsvSettings::default()).ends_with("[file/empty]"), "{text:?}");
    }
    let named = HeaderRule::Named(vec!["a".into()]);
    assert!(refusal(b"\n", expecting(named, &[])).ends_with("[file/empty]"));
    assert_eq!(read(b"a,b\n", CsvSettings::default()), Vec::<String>::new());
}
