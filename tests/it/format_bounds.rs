//! What is too much of anything is a finding with a code, in every format, and the unit after it is
//! read: size, depth, number, entities, and packed files that come to far more than they look.

use std::io::{Cursor, Write};

use wayleave::base::origin::Origin;
use wayleave::format::settings::{
    CsvSettings, FhirForm, FormatKind, Hl7v2Settings, JsonSettings, Settings, SheetSettings, XlsxSettings,
    XmlSettings,
};
use wayleave::format::source::MemorySpool;
use wayleave::format::{Refused, reader};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Codes of the file's findings, and of each unit its code or `ok`.
fn said(bytes: Vec<u8>, settings: &Settings) -> String {
    let source = Box::new(Cursor::new(bytes));
    let mut reader = match reader::open(source, settings, &Origin::default(), &MemorySpool) {
        Ok(reader) => reader,
        Err(Refused::File(findings)) => {
            let codes: Vec<&str> = findings.kept().iter().map(|finding| finding.code.as_str()).collect();
            return format!("refused: {}", codes.join(" "));
        }
        Err(Refused::Machine(error)) => panic!("{error:?}"),
    };
    let mut units = Vec::new();
    while let Some(arrival) = reader.next().unwrap() {
        units.push(arrival.unit.map_or_else(|finding| finding.code.as_str(), |_| "ok"));
    }
    units.join(" ")
}

fn check(name: &str, bytes: impl Into<Vec<u8>>, format: FormatKind, expected: &str) {
    assert_eq!(said(bytes.into(), &Settings::new(format)), expected, "{name}");
}

fn csv() -> FormatKind {
    FormatKind::Csv(CsvSettings::default())
}

fn json(lines: bool) -> FormatKind {
    FormatKind::Json(JsonSettings { lines, ..JsonSettings::default() })
}

fn xml() -> FormatKind {
    let units = vec![String::from("people"), String::from("person")];
    FormatKind::Xml(XmlSettings { units, ..XmlSettings::default() })
}

const MEGABYTE: usize = 1024 * 1024;

#[test]
fn rows_of_a_table() {
    let row = |cell: &str, cells: usize| vec![cell; cells].join(",");
    check("cell", format!("a,b\n{},1\n2,3\n", "x".repeat(65 * 1024)), csv(), "file/unit-too-large ok");
    check("row", format!("a,b\n{},1\n2,3\n", "x".repeat(5 * MEGABYTE)), csv(), "file/unit-too-large ok");
    check("columns", format!("a,b\n{}\n2,3\n", row("1", 1_025)), csv(), "file/unit-too-large ok");
    check("columns of the header", format!("{}\n", row("a", 1_025)), csv(), "refused: header/missing");
}

#[test]
fn units_of_json() {
    let units = |middle: &str| format!("[{{\"a\":1}},{middle},{{\"a\":2}}]");
    let lines = |middle: &str| format!("{{\"a\":1}}\n{middle}\n{{\"a\":2}}\n");
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(5 * MEGABYTE));
    let many = format!("{{\"a\":[{}]}}", vec!["0"; 60_000].join(","));
    let nested = format!("{{\"a\":[{}]}}", vec!["{}"; 30_000].join(","));
    for (name, unit, code) in [
        ("depth", &deep, "json/too-deep"),
        ("size", &long, "file/unit-too-large"),
        ("values", &many, "json/too-many"),
        ("values of values", &nested, "json/too-many"),
    ] {
        check(name, units(unit), json(false), &format!("ok {code} ok"));
        check(name, lines(unit), json(true), &format!("ok {code} ok"));
    }
    let body = serde_json::json!({ "body": many }).to_string();
    let settings = JsonSettings { body: Some(String::from("body")), lines: true, ..JsonSettings::default() };
    check("values of a body", body, FormatKind::Json(settings), "json/too-many");
    let name = format!("{{\"{}\":[]}}", "x".repeat(5_000));
    let settings = JsonSettings { units: vec![String::from("units")], ..JsonSettings::default() };
    check("name", name, FormatKind::Json(settings), "refused: file/unit-too-large");
}

#[test]
fn resources() {
    let json = |middle: &str| {
        let patient = r#"{"resource":{"resourceType":"Patient","id":"1"}}"#;
        format!(r#"{{"resourceType":"Bundle","entry":[{patient},{middle},{patient}]}}"#)
    };
    let patient = |more: &str| format!(r#"{{"resource":{{"resourceType":"Patient","extension":{more}}}}}"#);
    let fhir = || FormatKind::Fhir(FhirForm::Json);
    let deep = format!("{}{}", "[{\"extension\":".repeat(50) + "[]", "}]".repeat(50));
    check("depth", json(&patient(&deep)), fhir(), "ok json/too-deep ok");
    let many = format!("[{}]", vec!["{}"; 30_000].join(","));
    check("values", json(&patient(&many)), fhir(), "ok json/too-many ok");
    let long = format!("\"{}\"", "x".repeat(5 * MEGABYTE));
    check("size", json(&patient(&long)), fhir(), "ok file/unit-too-large ok");

    let xml = |inner: &str| {
        let entry = |inner: &str| format!("<entry><resource><Patient>{inner}</Patient></resource></entry>");
        let (one, middle) = (entry("<id value=\"1\"/>"), entry(inner));
        format!("<Bundle xmlns=\"http://hl7.org/fhir\">{one}{middle}{one}</Bundle>")
    };
    let nested = |name: &str, times: usize| {
        format!("{}{}", format!("<{name}>").repeat(times), format!("</{name}>").repeat(times))
    };
    check("depth", xml(&nested("extension", 100)), fhir(), "ok xml/too-deep ok");
    check("elements", xml(&"<name/>".repeat(60_000)), fhir(), "ok xml/too-many ok");
    check(
        "size",
        xml(&format!("<id value=\"{}\"/>", "x".repeat(5 * MEGABYTE))),
        fhir(),
        "ok file/unit-too-large ok",
    );
    check("entity", xml("<id value=\"&boom;\"/>"), fhir(), "ok xml/entity ok");
}

#[test]
fn elements() {
    let people = |inner: &str| {
        let person = |inner: &str| format!("<person>{inner}</person>");
        format!("<people>{}{}{}</people>", person("<a>1</a>"), person(inner), person("<a>2</a>"))
    };
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    check("depth", people(&deep), xml(), "ok xml/too-deep ok");
    check("elements", people(&"<a/>".repeat(60_000)), xml(), "ok xml/too-many ok");
    check("text", people(&"x".repeat(5 * MEGABYTE)), xml(), "ok file/unit-too-large ok");
    check(
        "comment",
        people(&format!("<!--{}-->", "x".repeat(5 * MEGABYTE))),
        xml(),
        "ok file/unit-too-large ok",
    );
    let attributes: String = (0..300).map(|at| format!(" a{at}=''")).collect();
    check("attributes", people(&format!("<a{attributes}/>")), xml(), "ok xml/too-many ok");
    check(
        "attribute",
        people(&format!("<a b='{}'/>", "x".repeat(5 * MEGABYTE))),
        xml(),
        "ok file/unit-too-large ok",
    );
    let bomb = "<!DOCTYPE people [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>";
    check("entities", format!("{bomb}{}", people("<a>&b;</a>")), xml(), "ok xml/entity ok");
    let doctype = format!("<!DOCTYPE people [{}]>", "<!ENTITY a 'a'>".repeat(10_000));
    check("document type", format!("{doctype}{}", people("")), xml(), "refused: file/unit-too-large");
}

#[test]
fn messages() {
    let file = |middle: &str| {
        let message = |more: &str| format!("MSH|^~\\&|A|B|||20250101||ADT^A28|1|P|2.4\rPID|{more}\r");
        format!("{}{}{}", message("1"), message(middle), message("2"))
    };
    let hl7v2 = || FormatKind::Hl7v2(Hl7v2Settings::default());
    check("fields", file(&"|1".repeat(60_000)), hl7v2(), "ok hl7v2/too-many ok");
    check("repetitions", file(&"~1^2&3".repeat(60_000)), hl7v2(), "ok hl7v2/too-many ok");
    check("segments", file(&"\rNTE".repeat(60_000)), hl7v2(), "ok hl7v2/too-many ok");
    check("field", file(&"x".repeat(5 * MEGABYTE)), hl7v2(), "ok file/unit-too-large ok");
    check(
        "message",
        file(&format!("\rNTE|{}", "x".repeat(1_000)).repeat(5_000)),
        hl7v2(),
        "ok file/unit-too-large ok",
    );
}

const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A workbook of these rows, with these shared texts, and what else is to be in it.
fn workbook(rows: &str, shared: Option<&str>, more: &[(&str, String)]) -> Vec<u8> {
    let related = |id: u8, kind: &str, target: &str| {
        format!("<Relationship Id=\"r{id}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>")
    };
    let mut parts = vec![
        ("[Content_Types].xml", String::from("<Types/>")),
        (
            "_rels/.rels",
            format!("<Relationships>{}</Relationships>", related(1, "officeDocument", "/xl/workbook.xml")),
        ),
        (
            "xl/workbook.xml",
            String::from(
                "<workbook><sheets><sheet name=\"A\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>",
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships>{}{}</Relationships>",
                related(1, "worksheet", "worksheets/sheet1.xml"),
                related(2, "sharedStrings", "sharedStrings.xml")
            ),
        ),
        ("xl/worksheets/sheet1.xml", format!("<worksheet><sheetData>{HEAD}{rows}</sheetData></worksheet>")),
    ];
    if let Some(shared) = shared {
        parts.push(("xl/sharedStrings.xml", shared.to_owned()));
    }
    for (name, text) in more {
        parts.retain(|(known, _)| known != name);
        parts.push((name, text.clone()));
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const HEAD: &str = "<row r='1'><c t='str'><v>ref</v></c><c t='str'><v>note</v></c></row>";

/// A row of one cell of text.
fn row(text: &str) -> String {
    format!("<row><c t='str'><v>{text}</v></c></row>")
}

fn xlsx() -> FormatKind {
    let sheet = SheetSettings { name: String::from("A"), header_row: Some(1), ..SheetSettings::default() };
    FormatKind::Xlsx(XlsxSettings { sheets: vec![sheet] })
}

#[test]
fn workbooks() {
    let around = |middle: &str| workbook(&format!("{}{middle}{}", row("1"), row("2")), None, &[]);
    check("cell", around(&row(&"x".repeat(70_000))), xlsx(), "ok file/unit-too-large ok");
    check("escaped cell", around(&row(&"&amp;".repeat(70_000))), xlsx(), "ok file/unit-too-large ok");
    let wide = format!("<row>{}</row>", format!("<c t='str'><v>{}</v></c>", "x".repeat(60_000)).repeat(100));
    check("row", around(&wide), xlsx(), "ok file/unit-too-large ok");
    let tag = format!("<row a='{}'/>", "x".repeat(70_000));
    check("tag", around(&tag), xlsx(), "refused: file/too-large");
    check("nothing but depth", around(&"<x>".repeat(100_000)), xlsx(), "ok ok");
    let doctype = "<!DOCTYPE sst [<!ENTITY a 'aaaaaaaaaa'>]><sst><si><t>&a;</t></si></sst>";
    check("document type", workbook(&row("1"), Some(doctype), &[]), xlsx(), "refused: file/binary");
    check("entity", around(&row("&boom;")), xlsx(), "refused: file/truncated");
    let formats: String = (0..70_000).map(|id| format!("<numFmt numFmtId='{id}' formatCode='0'/>")).collect();
    let styles = format!("<styleSheet><numFmts>{formats}</numFmts></styleSheet>");
    let more = [("xl/styles.xml", styles)];
    check("styles", workbook(&row("1"), None, &more), xlsx(), "refused: file/too-large");
    let sheets = format!("<workbook>{}</workbook>", "<sheet/>".repeat(600_000));
    check("sheets", workbook("", None, &[("xl/workbook.xml", sheets)]), xlsx(), "refused: file/too-large");
}

/// A file says itself how many texts there are, and how large each part is. Neither is believed.
#[test]
fn what_a_workbook_says_of_itself() {
    let cells = "<row><c t='s'><v>0</v></c></row><row><c t='s'><v>1</v></c></row>";
    for count in ["1", "18446744073709551615", "4000000000"] {
        let shared =
            format!("<sst count='{count}' uniqueCount='{count}'><si><t>a</t></si><si><t>b</t></si></sst>");
        check("shared texts", workbook(cells, Some(&shared), &[]), xlsx(), "ok ok");
    }
    let missing = "<row><c t='s'><v>7</v></c></row>";
    check(
        "a text that is not there",
        workbook(missing, Some("<sst/>"), &[]),
        xlsx(),
        "refused: file/truncated",
    );

    // A sheet of blanks packs a thousandfold.
    let bomb = workbook(&format!("{}{}", row("1"), " ".repeat(64 * MEGABYTE)), None, &[]);
    assert!(bomb.len() < MEGABYTE);
    check("a bomb", bomb.clone(), xlsx(), "refused: file/too-large");
    let mut lying = bomb.clone();
    let size = u32::try_from(64 * MEGABYTE).unwrap().to_le_bytes()[3];
    let mut changed = 0;
    // The size stands in two places, and both say that it is small.
    for at in 0..lying.len() - 30 {
        let is_local = lying[at..].starts_with(b"PK\x03\x04") && lying[at + 25] == size;
        let is_central = lying[at..].starts_with(b"PK\x01\x02") && lying[at + 27] == size;
        if is_local || is_central {
            lying[at + if is_local { 25 } else { 27 }] = 0;
            changed += 1;
        }
    }
    assert!(changed > 0, "the bomb says how large it is");
    assert!(said(lying, &Settings::new(xlsx())).starts_with("refused: file/t"), "a bomb that lies");
    let shared = format!("<sst><si><t>{}</t></si></sst>", " ".repeat(64 * MEGABYTE));
    check("a bomb of text", workbook(cells, Some(&shared), &[]), xlsx(), "refused: file/too-large");
}

#[test]
fn packed_files() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b'a'; 64 * MEGABYTE]).unwrap();
    check("a gzip bomb", gzip.finish().unwrap(), csv(), "refused: file/too-large");
    // The record of a file of the larger form, which names more files than there is memory for.
    let mut many = b"PK\x03\x04".to_vec();
    many.extend(vec![0; 60]);
    let at = many.len() as u64;
    many.extend(b"PK\x06\x06");
    many.extend(44_u64.to_le_bytes());
    many.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [1_u64 << 40, 1 << 40, 46, 0] {
        many.extend(number.to_le_bytes());
    }
    many.extend(b"PK\x06\x07");
    many.extend(0_u32.to_le_bytes());
    many.extend(at.to_le_bytes());
    many.extend(1_u32.to_le_bytes());
    many.extend(b"PK\x05\x06");
    many.extend([0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    many.extend([0xFF; 8]);
    many.extend([0, 0]);
    check("more files than any", many.clone(), csv(), "refused: file/too-large");
    check("more parts than any", many, xlsx(), "refused: file/too-large");
}
