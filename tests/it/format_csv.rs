//! Text tables: encoding, separator, header, rows.

use crate::format_support::{cells, notes, open_bytes, refused};
use wayleave::format::charset::Charset;
use wayleave::format::settings::{CsvSettings, FormatKind, HeaderRule};

fn settings() -> CsvSettings {
    CsvSettings::default()
}

/// The rows of a file: `line: cell|cell` or `line: [code]`.
fn read(bytes: &[u8], settings: CsvSettings) -> Vec<String> {
    let mut reader = open_bytes(bytes, FormatKind::Csv(settings));
    cells(&mut reader)
}

#[test]
fn lines_are_physical_whatever_ends_them() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["a,b", "1,2", "", "\"x", "y\",3", "4,5"].join(end);
        let rows = read(text.as_bytes(), settings());
        assert_eq!(rows, ["2: 1|2", &format!("4: x{end}y|3"), "6: 4|5"], "{end:?}");
    }
}

#[test]
fn a_ragged_row_is_a_finding_and_shifts_nothing() {
    let rows = read(b"a,b,c\n1,2\n1,2,3\n1,2,3,4\n", settings());
    assert_eq!(rows, ["2: [csv/field-count]", "3: 1|2|3", "4: [csv/field-count]"]);
}
