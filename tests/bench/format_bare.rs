//! The same work by the libraries alone: every event, cell or value, and nothing kept of it.

use std::io::Cursor;

use calamine::DataRef;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use rust_xlsxwriter::Workbook;
use serde::ser::{SerializeMap as _, Serializer as _};
use serde_json::Value;

use crate::Read;
use crate::format_inputs::Case;

fn counted(units: usize, text: usize) -> Read {
    Read { units, text, ..Read::default() }
}

pub(crate) fn read_csv(_: &Case, bytes: &[u8]) -> Read {
    let bytes = bytes.to_vec();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let mut record = csv::ByteRecord::new();
    let (mut units, mut text) = (0, 0);
    while reader.read_byte_record(&mut record).unwrap() {
        units += 1;
        text += record.iter().map(<[u8]>::len).sum::<usize>();
    }
    counted(units, text)
}

pub(crate) fn read_xlsx(case: &Case, bytes: &[u8]) -> Read {
    let mut workbook: calamine::Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(bytes.to_vec())).unwrap();
    let mut cells = workbook.worksheet_cells_reader("Rows").unwrap();
    let (mut units, mut text) = (0, 0);
    while let Some(cell) = cells.next_cell().unwrap() {
        let (row, _) = cell.get_position();
        units = usize::try_from(row).unwrap();
        if row > 0 {
            text += match cell.get_value() {
                DataRef::SharedString(text) => text.len(),
                DataRef::String(text) => text.len(),
                _ => 0,
            };
        }
    }
    assert_eq!(units, case.rows.len());
    counted(units, text)
}

pub(crate) fn read_xml(_: &Case, bytes: &[u8]) -> Read {
    let bytes = bytes.to_vec();
    let mut reader = quick_xml::Reader::from_reader(bytes.as_slice());
    let mut buffer = Vec::new();
    let mut units = 0;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).unwrap() {
            Event::Eof => return counted(units, 0),
            Event::Start(_) => units += 1,
            _ => {}
        }
    }
}

/// As FHIR has its values in attributes, they are looked at, as cells are in a table.
pub(crate) fn read_fhir_xml(_: &Case, bytes: &[u8]) -> Read {
    let bytes = bytes.to_vec();
    let mut reader = quick_xml::Reader::from_reader(bytes.as_slice());
    let mut buffer = Vec::new();
    let (mut units, mut values) = (0, 0);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).unwrap() {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) => {
                units += 1;
                values += tag.attributes().map(|attribute| attribute.unwrap().value.len()).sum::<usize>();
            }
            _ => {}
        }
    }
    std::hint::black_box(values);
    counted(units, 0)
}

pub(crate) fn read_ndjson(_: &Case, bytes: &[u8]) -> Read {
    let values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    counted(values.map(Result::unwrap).count(), 0)
}

pub(crate) fn read_json(_: &Case, bytes: &[u8]) -> Read {
    let whole: Value = serde_json::from_slice(bytes).unwrap();
    counted(whole.as_array().or(whole["entry"].as_array()).unwrap().len(), 0)
}

pub(crate) fn read_hl7v2(_: &Case, bytes: &[u8]) -> Read {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut units = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.get(1..).and_then(|after| after.find("\rMSH")).map_or(rest.len(), |at| at + 2);
        let (message, after) = rest.split_at(end);
        assert!(hl7_parser::parse_message(message.trim_end()).unwrap().segment("PID").is_some());
        units += 1;
        rest = after;
    }
    counted(units, 0)
}

pub(crate) fn write_csv(case: &Case) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(&case.names).unwrap();
    for row in &case.rows {
        let mut cells = row.iter().peekable();
        for column in 0..case.names.len() {
            let cell = cells.next_if(|(at, _)| *at == column).map_or("", |(_, text)| text.as_str());
            writer.write_field(cell).unwrap();
        }
        writer.write_record(None::<&[u8]>).unwrap();
    }
    writer.into_inner().unwrap()
}

pub(crate) fn write_xlsx(case: &Case) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory().unwrap();
    for (column, name) in (0..).zip(&case.names) {
        sheet.write_string(0, column, name).unwrap();
    }
    for (line, row) in (1..).zip(&case.rows) {
        for (column, text) in row {
            sheet.write_string(line, u16::try_from(*column).unwrap(), text).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

pub(crate) fn write_xml(case: &Case) -> Vec<u8> {
    let mut writer = quick_xml::Writer::new(Vec::new());
    let mut put = |event: Event<'_>| writer.write_event(event).unwrap();
    put(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    put(Event::Start(BytesStart::new("rows")));
    for row in &case.rows {
        put(Event::Start(BytesStart::new("row")));
        for (column, text) in row {
            put(Event::Start(BytesStart::new(case.names[*column].as_str())));
            put(Event::Text(BytesText::new(text)));
            put(Event::End(BytesEnd::new(case.names[*column].as_str())));
        }
        put(Event::End(BytesEnd::new("row")));
    }
    put(Event::End(BytesEnd::new("rows")));
    writer.into_inner()
}

/// An element a value, in no tree.
pub(crate) fn write_fhir_xml(case: &Case) -> Vec<u8> {
    let mut writer = quick_xml::Writer::new(Vec::new());
    let mut put = |event: Event<'_>| writer.write_event(event).unwrap();
    put(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    put(Event::Start(BytesStart::new("Bundle")));
    for row in &case.rows {
        put(Event::Start(BytesStart::new("entry")));
        for (column, text) in row {
            let name = case.names[*column].split(['.', '[']).next().unwrap();
            put(Event::Empty(BytesStart::new(name).with_attributes([("value", text.as_str())])));
        }
        put(Event::End(BytesEnd::new("entry")));
    }
    put(Event::End(BytesEnd::new("Bundle")));
    writer.into_inner()
}

pub(crate) fn write_ndjson(case: &Case) -> Vec<u8> {
    let mut out = Vec::new();
    for row in &case.rows {
        let mut serializer = serde_json::Serializer::new(&mut out);
        let mut map = serializer.serialize_map(None).unwrap();
        for (column, text) in row {
            map.serialize_entry(&case.names[*column], text).unwrap();
        }
        map.end().unwrap();
        out.push(b'\n');
    }
    out
}

pub(crate) fn write_hl7v2(case: &Case) -> Vec<u8> {
    let mut out = Vec::new();
    for row in &case.rows {
        for (at, text) in row {
            out.extend_from_slice(case.names[*at].as_bytes());
            out.push(b'|');
            out.extend_from_slice(text.as_bytes());
        }
        out.push(b'\r');
    }
    out
}
