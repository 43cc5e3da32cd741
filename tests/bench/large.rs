//! Files of any number of units in each format that is read, written a unit at a time: each with a
//! key, a birth date, and a note of its own that nobody reads.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// What a file is made in. Of a workbook, texts stand in the cells or are shared by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Csv,
    Gzip,
    Xlsx,
    XlsxShared,
    Xml,
    Json,
    Ndjson,
    FhirJson,
    FhirXml,
    Hl7v2,
}

/// All of them.
pub(crate) const KINDS: [Kind; 10] = [
    Kind::Csv,
    Kind::Gzip,
    Kind::Xlsx,
    Kind::XlsxShared,
    Kind::Xml,
    Kind::Json,
    Kind::Ndjson,
    Kind::FhirJson,
    Kind::FhirXml,
    Kind::Hl7v2,
];

/// Whose number a patient's own id is.
const LOCAL_ID: &str = "https://trust.example/Id/local-patient-id";

const MAPPING: &str = r#"
name = "large/file"
version = 1
format = FORMAT
[subject]
key = ["ref"]
[[record]]
kind = "person"
SHEET
field = [
  { to = "council_id", from = "ref", blank = "reject" },
  { to = "birth_date", from = "born", as = { date = "%d/%m/%Y" } },
]
"#;

impl Kind {
    /// The mapping that reads it: one that is shipped, or a file that is written into this folder.
    pub(crate) fn mapping(self, folder: &Path) -> String {
        let format = match self {
            Self::FhirJson | Self::FhirXml => return String::from("trust/fhir"),
            Self::Hl7v2 => return String::from("trust/adt"),
            Self::Csv | Self::Gzip => "{ csv = {} }",
            Self::Xlsx | Self::XlsxShared => "{ xlsx = {} }",
            Self::Xml => r#"{ xml = { units = "people.person" } }"#,
            Self::Json => "{ json = {} }",
            Self::Ndjson => "{ ndjson = {} }",
        };
        let is_workbook = matches!(self, Self::Xlsx | Self::XlsxShared);
        let sheet = if is_workbook { "sheet = \"Rows\"" } else { "" };
        let path = folder.join(format!("{self:?}.toml"));
        std::fs::write(&path, MAPPING.replace("FORMAT", format).replace("SHEET", sheet)).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// Writes a file of so many units, each with a note of so many letters.
    pub(crate) fn write(self, path: &Path, units: usize, note: usize) {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
        match self {
            Self::Gzip => {
                let mut packed = flate2::write::GzEncoder::new(&mut out, flate2::Compression::fast());
                body(Self::Csv, &mut packed, units, note);
                packed.finish().unwrap();
            }
            Self::Xlsx | Self::XlsxShared => workbook(&mut out, self == Self::XlsxShared, units, note),
            text => body(text, &mut out, units, note),
        }
        out.flush().unwrap();
    }
}

/// A note of the length that is wanted, which no other unit has and no packing makes small.
fn note_of(unit: usize, length: usize) -> String {
    let mut state = unit as u64 + 1;
    let letter = |_| {
        // Knuth's generator; its upper bits are the better ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + (state >> 59) as u8 % 26)
    };
    (0..length).map(letter).collect()
}

fn body(kind: Kind, out: &mut impl Write, units: usize, length: usize) {
    let (head, between, end) = match kind {
        Kind::Csv => ("ref,born,note\r\n", "", ""),
        Kind::Xml => ("<?xml version=\"1.0\"?>\n<people>\n", "", "</people>\n"),
        Kind::Json => ("[\n", ",\n", "\n]\n"),
        Kind::FhirJson => {
            ("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[\n", ",\n", "\n]}\n")
        }
        Kind::FhirXml => {
            ("<Bundle xmlns=\"http://hl7.org/fhir\"><type value=\"collection\"/>\n", "", "</Bundle>\n")
        }
        _ => ("", "", ""),
    };
    out.write_all(head.as_bytes()).unwrap();
    for unit in 0..units {
        let lead = if unit == 0 { "" } else { between };
        let (day, month, year) = (1 + unit % 28, 1 + unit % 12, 1940 + unit % 60);
        let born = format!("{year}-{month:02}-{day:02}");
        let slashed = format!("{day:02}/{month:02}/{year}");
        let note = note_of(unit, length);
        let written = match kind {
            Kind::Csv => write!(out, "P{unit},{slashed},{note}\r\n"),
            Kind::Xml => {
                writeln!(out, "<person><ref>P{unit}</ref><born>{slashed}</born><note>{note}</note></person>")
            }
            Kind::Json => write!(out, r#"{lead}{{"ref":"P{unit}","born":"{slashed}","note":"{note}"}}"#),
            Kind::Ndjson => writeln!(out, r#"{{"ref":"P{unit}","born":"{slashed}","note":"{note}"}}"#),
            Kind::FhirJson => write!(
                out,
                r#"{lead}{{"resource":{{"resourceType":"Patient","id":"P{unit}","identifier":[{{"system":"{LOCAL_ID}","value":"P{unit}"}}],"birthDate":"{born}","extension":[{{"url":"https://example.org/note","valueString":"{note}"}}]}}}}"#
            ),
            Kind::FhirXml => writeln!(
                out,
                r#"<entry><resource><Patient><id value="P{unit}"/><extension url="https://example.org/note"><valueString value="{note}"/></extension><identifier><system value="{LOCAL_ID}"/><value value="P{unit}"/></identifier><birthDate value="{born}"/></Patient></resource></entry>"#
            ),
            _ => write!(
                out,
                "MSH|^~\\&|RIO|TAH|||20250114093000||ADT^A28|{unit}|P|2.4\rEVN|A28|20250114093000\rPID|1||P{unit}^^^TAH^MR||||{}\rNTE|1||{note}\r",
                born.replace('-', "")
            ),
        };
        written.unwrap();
    }
    out.write_all(end.as_bytes()).unwrap();
}

/// A workbook as a ZIP file, its sheet written a row at a time.
fn workbook(out: &mut (impl Write + Seek), is_shared: bool, units: usize, length: usize) {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .large_file(true);
    let mut zip = ZipWriter::new(out);
    for (name, text) in small_parts() {
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    let rows = |zip: &mut ZipWriter<_>, row: &dyn Fn(usize, [String; 3]) -> String| {
        for unit in 0..=units {
            let cells = match unit.checked_sub(1) {
                None => ["ref", "born", "note"].map(str::to_owned),
                Some(at) => [
                    format!("P{at}"),
                    format!("{:02}/{:02}/{}", 1 + at % 28, 1 + at % 12, 1940 + at % 60),
                    note_of(at, length),
                ],
            };
            zip.write_all(row(unit, cells).as_bytes()).unwrap();
        }
    };
    if is_shared {
        zip.start_file("xl/sharedStrings.xml", options).unwrap();
        zip.write_all(b"<sst>").unwrap();
        rows(&mut zip, &|_, cells| cells.map(|cell| format!("<si><t>{cell}</t></si>")).concat());
        zip.write_all(b"</sst>").unwrap();
    }
    zip.start_file("xl/worksheets/sheet1.xml", options).unwrap();
    zip.write_all(b"<worksheet><sheetData>").unwrap();
    rows(&mut zip, &|unit, cells| {
        let line = unit + 1;
        let cell = |(column, text): (usize, String)| {
            let place = format!("{}{line}", ["A", "B", "C"][column]);
            if is_shared {
                format!("<c r=\"{place}\" t=\"s\"><v>{}</v></c>", unit * 3 + column)
            } else {
                format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
            }
        };
        let cells: String = cells.into_iter().enumerate().map(cell).collect();
        format!("<row r=\"{line}\">{cells}</row>")
    });
    zip.write_all(b"</sheetData></worksheet>").unwrap();
    zip.finish().unwrap();
}

/// The parts that say where the others are.
fn small_parts() -> [(&'static str, String); 4] {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let related = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{office}/{kind}\" Target=\"{target}\"/>")
    };
    let sheets = "<sheets><sheet name=\"Rows\" sheetId=\"1\" r:id=\"rId1\"/></sheets>";
    [
        ("[Content_Types].xml", String::from("<Types/>")),
        (
            "_rels/.rels",
            format!(
                "<Relationships>{}</Relationships>",
                related("rId1", "officeDocument", "xl/workbook.xml")
            ),
        ),
        ("xl/workbook.xml", format!("<workbook xmlns:r=\"{office}\">{sheets}</workbook>")),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships>{}{}</Relationships>",
                related("rId1", "worksheet", "worksheets/sheet1.xml"),
                related("rId2", "sharedStrings", "sharedStrings.xml")
            ),
        ),
    ]
}
