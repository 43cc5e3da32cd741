//! Encodings: declared or decided over the whole file, and always reported.

use insta::assert_snapshot;
use wayleave::format::charset::Charset;
use wayleave::format::settings::{CsvSettings, FormatKind};

use crate::format_support::{cells, notes, open_bytes, refused};

fn csv(encoding: Option<Charset>) -> FormatKind {
    FormatKind::Csv(CsvSettings { encoding, separator: Some(b','), ..CsvSettings::default() })
}

/// What was found about the file, then its rows.
fn check(bytes: &[u8], encoding: Option<Charset>, note: &str) {
    let mut reader = open_bytes(bytes, csv(encoding));
    assert_eq!(notes(&mut reader).join("\n"), note);
    assert_eq!(cells(&mut reader), ["2: Zoë|£5"]);
}

fn refusal(bytes: &[u8], encoding: Option<Charset>) -> String {
    refused(bytes, csv(encoding)).join("\n")
}

fn utf16(text: &str, to: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to).collect()
}

const TEXT: &str = "name,cost\r\nZoë,£5\r\n";

fn windows_1252() -> Vec<u8> {
    b"name,cost\r\nZo\xEB,\xA35\r\n".to_vec()
}

#[test]
fn each_encoding_is_decided() {
    let marked = |text: &str| format!("\u{feff}{text}");
    check(TEXT.as_bytes(), None, "t: read as UTF-8: every character of it is [charset/decided]");
    check(marked(TEXT).as_bytes(), None, "t: read as UTF-8: the file marks itself so [charset/decided]");
    check(
        &windows_1252(),
        None,
        "t: read as Windows-1252 (what Windows calls ANSI): line 2 has a character that is not UTF-8 [charset/decided]",
    );
    let said = "UTF-16 (what Excel calls Unicode Text)";
    let note = format!("t: read as {said}: the file marks itself so [charset/decided]");
    check(&utf16(&marked(TEXT), u16::to_le_bytes), None, &note);
    check(&utf16(&marked(TEXT), u16::to_be_bytes), None, &note);
    let note = format!("t: read as {said}: every character of it is [charset/decided]");
    check(&utf16(TEXT, u16::to_le_bytes), None, &note);
    check(&utf16(TEXT, u16::to_be_bytes), None, &note);
}

#[test]
fn a_declared_encoding_that_fits_needs_no_word() {
    check(TEXT.as_bytes(), Some(Charset::Utf8), "");
    check(&windows_1252(), Some(Charset::Windows1252), "");
    check(&utf16(TEXT, u16::to_le_bytes), Some(Charset::Utf16Le), "");
    check(&utf16(&format!("\u{feff}{TEXT}"), u16::to_be_bytes), Some(Charset::Utf16Le), "");
}

#[test]
fn a_declared_encoding_that_does_not_fit_is_refused() {
    assert_snapshot!(
        refusal(&windows_1252(), Some(Charset::Utf8)),
        @"t, line 2: expected UTF-8 throughout, found a character that is not [charset/mismatch]"
    );
    assert_snapshot!(
        refusal(TEXT.as_bytes(), Some(Charset::Windows1252)),
        @"t: expected Windows-1252 (what Windows calls ANSI), found a file whose accented letters are all written as UTF-8 [charset/mismatch]"
    );
    assert_snapshot!(
        refusal(b"a,b\n1,\x81\xEB\n", Some(Charset::Windows1252)),
        @"t, line 2: expected Windows-1252 (what Windows calls ANSI) throughout, found a byte that has no meaning in it [charset/mismatch]"
    );
    assert_snapshot!(
        refusal(b"\xFF\xFEa\0,\0", Some(Charset::Utf8)),
        @"t: expected UTF-8, found a file that marks itself as UTF-16 (what Excel calls Unicode Text) [charset/mismatch]"
    );
    assert_snapshot!(
        refusal(b"\xFF\xFEa\0,\0b", None),
        @"t: expected UTF-16 throughout, found bytes that are not, or half a character at the end [charset/mismatch]"
    );
}

#[test]
fn bytes_that_fit_nothing_are_refused() {
    assert_snapshot!(
        refusal(b"a,b\n1,\x81\xEB\n", None),
        @"t, line 2: expected UTF-8, UTF-16 or Windows-1252, found bytes that are none of them throughout [charset/undecided]"
    );
    assert_snapshot!(
        refusal(b"a,b\n1,\0\x02\x05\x90\n", None),
        @"t, byte 6: expected a text file, found null bytes, which no text has [file/binary]"
    );
    assert_snapshot!(
        refusal(b"%PDF-1.7\n", None),
        @"t: expected a text file, found a PDF [file/binary]"
    );
    assert!(refusal(b"\x02\x05\x06,\x0e\x10\n", None).ends_with("[file/binary]"));
}

#[test]
fn an_encoding_is_decided_by_the_last_byte_if_need_be() {
    // Long enough for several pieces, with a character cut by each edge.
    let mut text = String::from("name,cost\n");
    while text.len() < 200_000 {
        text.push_str("Zoë,£5\n");
    }
    let mut bytes = text.clone().into_bytes();
    let mut reader = open_bytes(&bytes, csv(None));
    assert!(notes(&mut reader).join("").contains("read as UTF-8"));
    let rows = cells(&mut reader).len();
    bytes.extend_from_slice(b"Zo\xEB,\xA35\n");
    let mut reader = open_bytes(&bytes, csv(None));
    let last = text.lines().count() + 1;
    assert!(notes(&mut reader).join("").contains(&format!("line {last} has a character that is not UTF-8")));
    assert_eq!(cells(&mut reader).len(), rows + 1);
    let wide = utf16(&text, u16::to_le_bytes);
    assert_eq!(cells(&mut open_bytes(&wide, csv(None))).len(), rows);
    assert_eq!(cells(&mut open_bytes(&wide, csv(None))).last(), Some(&format!("{}: Zoë|£5", last - 1)));
}
