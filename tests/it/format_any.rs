//! Whatever is sent, reading ends, with findings and without a panic.

use proptest::prelude::*;
use wayleave::format::Refused;
use wayleave::format::settings::{
    CsvSettings, FhirForm, FormatKind, HeaderRule, Hl7v2Settings, JsonSettings, SheetSettings, XlsxSettings,
    XmlSettings,
};
use wayleave::format::writer::{Layout, Writer};
use wayleave::format::{At, Cell, Header};

use crate::format_support::{Target, try_open};

/// Every format, with little and with much declared.
fn formats() -> Vec<FormatKind> {
    let expected = vec![String::from("a"), String::from("b")];
    let csv = |header| {
        FormatKind::Csv(CsvSettings { header, expected: expected.clone(), ..CsvSettings::default() })
    };
    let sheet = SheetSettings { name: "S".into(), expected: expected.clone(), ..SheetSettings::default() };
    let json = |lines, units: &[&str]| {
        let units = units.iter().map(ToString::to_string).collect();
        FormatKind::Json(JsonSettings { lines, units, body: None })
    };
    let xml = |units: &[&str]| {
        let units = units.iter().map(ToString::to_string).collect();
        FormatKind::Xml(XmlSettings { units, expected: expected.clone(), ..XmlSettings::default() })
    };
    vec![
        xml(&["a"]),
        xml(&["a", "b"]),
        FormatKind::Csv(CsvSettings::default()),
        csv(HeaderRule::Find),
        csv(HeaderRule::Exact),
        csv(HeaderRule::Named(expected.clone())),
        FormatKind::Xlsx(XlsxSettings::default()),
        FormatKind::Xlsx(XlsxSettings { sheets: vec![sheet] }),
        json(false, &[]),
        json(true, &[]),
        json(false, &["a", "b"]),
        FormatKind::Fhir(FhirForm::Json),
        FormatKind::Hl7v2(Hl7v2Settings::default()),
    ]
}

/// Reads to the end; there are never more units than bytes.
fn check(bytes: &[u8]) {
    for format in formats() {
        let mut reader = match try_open(bytes, format) {
            Ok(reader) => reader,
            Err(Refused::File(findings)) => {
                assert!(!findings.is_empty());
                continue;
            }
            Err(Refused::Machine(error)) => panic!("{error:?}"),
        };
        let mut units = 0;
        while reader.next().unwrap().is_some() {
            units += 1;
            assert!(units <= bytes.len() + 1);
        }
        assert!(reader.next().unwrap().is_none());
    }
}

/// Text of the characters that the formats are made of.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("MSH|^~\\&|"),
        Just("PID|1||7"),
        Just("\r"),
        Just("\n"),
        Just("\""),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\"a\""),
        Just("\"b\""),
        Just("a"),
        Just("b"),
        Just(";"),
        Just("1"),
        Just("\\"),
        Just("null"),
        Just("\"resourceType\":\"Bundle\""),
        Just("\"entry\":["),
        Just("é"),
        Just(" "),
        Just("\0"),
        Just("\u{feff}"),
        Just("sep="),
        Just("--"),
        Just("NULL"),
        Just("(1 rows affected)"),
        Just("<a>"),
        Just("</a>"),
        Just("<b"),
        Just(" x='1'"),
        Just(">"),
        Just("/>"),
        Just("<b>"),
        Just("</b>"),
        Just("<!--"),
        Just("-->"),
        Just("<![CDATA["),
        Just("]]>"),
        Just("<?xml version='1.0' encoding='utf-8'?>"),
        Just("<!DOCTYPE a ["),
        Just("&amp;"),
        Just("&x;"),
        Just("<Patient xmlns='http://hl7.org/fhir'>"),
        Just("<Bundle xmlns='http://hl7.org/fhir'>"),
        Just("</Bundle>"),
        Just("<entry>"),
        Just("</entry>"),
        Just("<resource>"),
        Just("<id value='1'/>"),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

/// A workbook with some of its bytes changed.
fn workbooks() -> impl Strategy<Value = Vec<u8>> {
    let target = Target::default();
    let header = Header { sheet: Some("S".into()), ..Header::of(["a", "b"]) };
    let mut writer = Writer::new(Box::new(target.clone()), &Layout::Xlsx(vec![header])).unwrap();
    writer.put(None, &[(&At::Column(0), Cell::Text("x")), (&At::Column(1), Cell::Number(1.0))]).unwrap();
    writer.finish().unwrap();
    let bytes = target.bytes();
    prop::collection::vec((0..bytes.len(), any::<u8>()), 1..4).prop_map(move |changes| {
        let mut bytes = bytes.clone();
        for (at, to) in changes {
            bytes[at] = to;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }

    #[test]
    fn pieces_of_every_format(bytes in texts()) {
        check(&bytes);
    }

    #[test]
    fn changed_workbooks(bytes in workbooks()) {
        check(&bytes);
    }
}
