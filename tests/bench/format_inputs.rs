//! What the readers and writers are measured on: rows of a council's file in each table and tree,
//! patients in FHIR, and admissions in HL7 v2. Made by the project's own generators and writers.

use wayleave::format::settings::{
    CsvSettings, FhirForm, FormatKind, Hl7v2Settings, JsonSettings, XlsxSettings, XmlSettings,
};
use wayleave::format::writer::{CsvLayout, Layout, XmlLayout};
use wayleave::format::{At, Header};
use wayleave::mapping::library::Library;
use wayleave::synth::load;

use crate::{Read, format_bare as bare};

/// One format, and what it is measured beside.
pub(crate) struct Case {
    /// The format.
    pub(crate) name: &'static str,
    pub(crate) format: FormatKind,
    pub(crate) layout: Layout,
    /// The columns, as the file names them.
    pub(crate) names: Vec<String>,
    pub(crate) addresses: Vec<At>,
    /// Of each unit, which addresses have which text.
    pub(crate) rows: Vec<Vec<(usize, String)>>,
    pub(crate) beside_read: &'static str,
    pub(crate) bare_read: fn(&Case, &[u8]) -> Read,
    pub(crate) beside_write: &'static str,
    pub(crate) bare_write: fn(&Case) -> Vec<u8>,
    /// How many times the bare reader's time ours may take.
    pub(crate) read_max: Option<f64>,
}

/// Every format, with so many units.
pub(crate) fn cases(rows: usize) -> Vec<Case> {
    let council = council(rows);
    vec![
        csv(&council),
        mhsds(rows),
        xlsx(&council),
        xml(&council),
        json(&council, true),
        json(&council, false),
    ]
    .into_iter()
    .chain([fhir(rows, FhirForm::Json), fhir(rows, FhirForm::Xml), hl7v2(rows)])
    .collect()
}

/// A table's column names and rows, blanks left out.
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<(usize, String)>>,
}

fn council(rows: usize) -> Table {
    let mut bytes = Vec::new();
    let load =
        load::Load { rows: u64::try_from(rows).unwrap(), rows_of_person: 3, shuffled: false, changed: None };
    load::cld(&mut bytes, load).unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let names = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let filled = |row: csv::StringRecord| {
        let cells = row.iter().enumerate().filter(|(_, cell)| !cell.is_empty());
        cells.map(|(column, cell)| (column, cell.to_owned())).collect()
    };
    Table { names, rows: reader.records().map(|row| filled(row.unwrap())).collect() }
}

fn columns(count: usize) -> Vec<At> {
    (0..count).map(At::Column).collect()
}

fn csv_of(name: &'static str, table: Table) -> Case {
    Case {
        name,
        format: FormatKind::Csv(CsvSettings::default()),
        layout: Layout::Csv(CsvLayout::of(Header::of(table.names.iter().map(String::as_str)))),
        addresses: columns(table.names.len()),
        names: table.names,
        rows: table.rows,
        beside_read: "csv",
        bare_read: bare::read_csv,
        beside_write: "csv",
        bare_write: bare::write_csv,
        read_max: Some(3.0),
    }
}

fn csv(table: &Table) -> Case {
    csv_of("csv", Table { names: table.names.clone(), rows: table.rows.clone() })
}

/// The table of referrals, each column filled with a word as long as most of its codes and dates.
fn mhsds(rows: usize) -> Case {
    let mapping = Library::shipped().mapping("trust/mhs101-referral").unwrap();
    let Layout::Csv(layout) = mapping.layout() else { panic!("the table is a CSV file") };
    let names: Vec<String> = layout.header.columns.iter().map(ToString::to_string).collect();
    let row = |index: usize| {
        (0..names.len()).map(|column| (column, format!("{:010}", index * 31 + column))).collect::<Vec<_>>()
    };
    let rows = (0..rows).map(row).collect();
    csv_of("mhsds", Table { names, rows })
}

fn xlsx(table: &Table) -> Case {
    let mut header = Header::of(table.names.iter().map(String::as_str));
    header.sheet = Some("Rows".into());
    Case {
        name: "xlsx",
        format: FormatKind::Xlsx(XlsxSettings::default()),
        layout: Layout::Xlsx(vec![header]),
        names: table.names.clone(),
        addresses: columns(table.names.len()),
        rows: table.rows.clone(),
        beside_read: "calamine",
        bare_read: bare::read_xlsx,
        beside_write: "rust_xlsxwriter, constant memory",
        bare_write: bare::write_xlsx,
        read_max: Some(1.5),
    }
}

/// Column names as names of members and elements.
fn members(names: &[String]) -> Vec<String> {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    names.iter().map(|name| name.chars().map(letter).collect()).collect()
}

fn paths<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<At> {
    names.into_iter().map(|name| At::compile(name, None).unwrap()).collect()
}

fn xml(table: &Table) -> Case {
    let names = members(&table.names);
    let units = vec![String::from("rows"), String::from("row")];
    Case {
        name: "xml",
        format: FormatKind::Xml(XmlSettings { units: units.clone(), ..XmlSettings::default() }),
        layout: Layout::Xml(XmlLayout { units, order: names.clone(), ..XmlLayout::default() }),
        addresses: paths(names.iter().map(String::as_str)),
        names,
        rows: table.rows.clone(),
        beside_read: "quick-xml",
        bare_read: bare::read_xml,
        beside_write: "quick-xml",
        bare_write: bare::write_xml,
        read_max: Some(3.0),
    }
}

fn json(table: &Table, lines: bool) -> Case {
    let names = members(&table.names);
    Case {
        name: if lines { "ndjson" } else { "json" },
        format: FormatKind::Json(JsonSettings { lines, ..JsonSettings::default() }),
        layout: Layout::Json { lines, body: None },
        addresses: paths(names.iter().map(String::as_str)),
        names,
        rows: table.rows.clone(),
        beside_read: "serde_json values",
        bare_read: if lines { bare::read_ndjson } else { bare::read_json },
        beside_write: "serde_json",
        bare_write: bare::write_ndjson,
        read_max: None,
    }
}

/// What a patient has, and an example of it.
const PATIENT: &[(&str, &str)] = &[
    ("resourceType", "Patient"),
    ("id", "{n}"),
    ("meta.versionId", "3"),
    ("identifier[system=https://fhir.nhs.uk/Id/nhs-number].value", "9990000018"),
    ("identifier[system=https://tah.example/Id/patient].value", "T{n}"),
    ("name[use=official].family", "Fothergill"),
    ("name[use=official].given[0]", "Cecily"),
    ("telecom[system=phone].value", "01632960001"),
    ("gender", "female"),
    ("birthDate", "1961-07-12"),
    ("address[use=home].line[0]", "14 Bridge Row"),
    ("address[use=home].city", "Sheffield"),
    ("address[use=home].postalCode", "XS4 7AB"),
    ("generalPractitioner[type=Organization].identifier.value", "Y99001"),
];

fn fhir(rows: usize, form: FhirForm) -> Case {
    let json = form == FhirForm::Json;
    Case {
        name: if json { "fhir-json" } else { "fhir-xml" },
        format: FormatKind::Fhir(form),
        layout: Layout::Fhir(form),
        names: PATIENT.iter().map(|(address, _)| (*address).to_owned()).collect(),
        addresses: paths(PATIENT.iter().map(|(address, _)| *address)),
        rows: filled(rows, PATIENT),
        beside_read: if json { "serde_json, the Bundle at once" } else { "quick-xml and its attributes" },
        bare_read: if json { bare::read_json } else { bare::read_fhir_xml },
        beside_write: if json { "serde_json, flat" } else { "quick-xml, flat" },
        bare_write: if json { bare::write_ndjson } else { bare::write_fhir_xml },
        read_max: (!json).then_some(3.0),
    }
}

/// What an admission has, and an example of it.
const ADMISSION: &[(&str, &str)] = &[
    ("MSH-3", "RIO"),
    ("MSH-4", "TAH"),
    ("MSH-7", "20250114093000"),
    ("MSH-9.1", "ADT"),
    ("MSH-9.2", "A01"),
    ("MSH-10", "MSG{n}"),
    ("MSH-11", "P"),
    ("MSH-12", "2.4"),
    ("EVN-1", "A01"),
    ("EVN-2", "20250114093000"),
    ("PID-3.1", "9990000018"),
    ("PID-3.4", "NHS"),
    ("PID-5.1", "Fothergill"),
    ("PID-5.2", "Cecily"),
    ("PID-7", "19610712"),
    ("PID-8", "F"),
    ("PID-11.1", "14 Bridge Row"),
    ("PID-11.3", "Sheffield"),
    ("PID-11.5", "XS4 7AB"),
    ("PV1-2", "I"),
    ("PV1-3.1", "Ward 3"),
    ("PV1-19", "T{n}"),
    ("PV1-44", "20250114"),
];

fn hl7v2(rows: usize) -> Case {
    Case {
        name: "hl7v2",
        format: FormatKind::Hl7v2(Hl7v2Settings::default()),
        layout: Layout::Hl7v2,
        names: ADMISSION.iter().map(|(address, _)| (*address).to_owned()).collect(),
        addresses: paths(ADMISSION.iter().map(|(address, _)| *address)),
        rows: filled(rows, ADMISSION),
        beside_read: "hl7-parser",
        bare_read: bare::read_hl7v2,
        beside_write: "text alone",
        bare_write: bare::write_hl7v2,
        read_max: None,
    }
}

fn filled(rows: usize, examples: &[(&str, &str)]) -> Vec<Vec<(usize, String)>> {
    let row = |index: usize| {
        let number = format!("{index:07}");
        examples.iter().map(|(_, example)| example.replace("{n}", &number)).enumerate().collect()
    };
    (0..rows).map(row).collect()
}
