//! The published samples, where they stand beside the project.

use std::path::PathBuf;

use wayleave::format::Unit;
use wayleave::format::settings::{FhirForm, FormatKind, Hl7v2Settings};
use wayleave::mapping::diagnostic::Source;
use wayleave::mapping::library::Library;

use crate::format_support::{leaves, open_bytes};
use crate::torture;

/// The folder of samples; says so where there is none.
fn samples() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIP: there is no folder {}", folder.display());
    None
}

#[test]
fn published_messages_are_read() {
    let Some(folder) = samples() else { return };
    let bytes = std::fs::read(folder.join("hl7v2/simhospital_adt_24.hl7")).unwrap();
    let format = FormatKind::Hl7v2(Hl7v2Settings::default());
    let read =
        leaves(&mut open_bytes(&bytes, format), &["MSH-9.1", "PID-3[4=NHSNBR].1", "PID-7", "PV1-19.1"]);
    assert_eq!(read.len(), 24);
    assert_eq!(read[0], "1: ADT|2478684691|19890118000000|6145914547062969032");
    assert!(read.iter().all(|unit| unit.contains(": ADT|") && !unit.contains("|-|1")), "{read:?}");
}

/// Every leaf is where another parser finds it.
#[test]
fn published_messages_are_cut_as_another_parser_cuts_them() {
    let Some(folder) = samples() else { return };
    let text = std::fs::read_to_string(folder.join("hl7v2/simhospital_adt_24.hl7")).unwrap();
    let mut addresses = Vec::new();
    for segment in ["MSH", "EVN", "PID", "PV1", "AL1[2]"] {
        for field in 1..=48 {
            for repetition in 1..=2 {
                addresses.extend((1..=8).map(|component| (segment, field, repetition, component)));
            }
        }
    }
    let ours: Vec<String> = addresses
        .iter()
        .map(|(segment, field, repetition, component)| format!("{segment}-{field}[{repetition}].{component}"))
        .collect();
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    let read = leaves(&mut open_bytes(text.as_bytes(), FormatKind::Hl7v2(Hl7v2Settings::default())), &ours);
    let mut compared = 0;
    for (message, unit) in text.split("\n\n").filter(|message| message.starts_with("MSH")).zip(&read) {
        let oracle = hl7_parser::Message::parse_with_lenient_newlines(message, true).unwrap();
        // The first field holds what everything else is cut by.
        let leaves = unit.split_once(": ").unwrap().1.strip_prefix("||").unwrap().split('|');
        for ((segment, field, repetition, component), leaf) in addresses.iter().skip(1).zip(leaves) {
            if *segment == "MSH" && *field <= 2 {
                continue;
            }
            let query = format!("{segment}.{field}[{repetition}].{component}");
            let expected = oracle.query(query.as_str()).map_or("", |found| found.raw_value());
            assert_eq!(leaf, if expected.is_empty() { "-" } else { expected }, "{query}");
            compared += usize::from(!expected.is_empty());
        }
    }
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn published_resources_are_read() {
    let Some(folder) = samples() else { return };
    let number = "identifier[system=https://fhir.nhs.uk/Id/nhs-number].value";
    for (name, expected) in [
        ("Patient.json", vec!["1: Patient|9000000009|Smith"]),
        ("Minimal_Patient.json", vec!["1: Patient|9000000033|-"]),
        ("Sensitive_Patient.json", vec!["1: Patient|9000000025|Smythe"]),
        ("PatientCompoundName.json", vec![]),
        ("PatientSearch.json", vec!["1 /entry/0/resource: Patient|9000000009|Smith"]),
    ] {
        let bytes = std::fs::read(folder.join("fhir-pds").join(name)).unwrap();
        let mut reader = open_bytes(&bytes, FormatKind::Fhir(FhirForm::Json));
        let read = leaves(&mut reader, &["resourceType", number, "name[use=usual].family"]);
        assert!(!read.is_empty(), "{name}");
        if !expected.is_empty() {
            assert_eq!(read, expected, "{name}");
        }
    }
}

/// Every file is read whole, and what is known to be wrong with it is said.
#[test]
fn every_sample_is_read_with_its_known_defects_and_nothing_else_is_lost() {
    let Some(folder) = samples() else { return };
    let text = MAPPING.replace("NUMBER", "identifier[system=https://fhir.nhs.uk/Id/nhs-number].value");
    let fhir = Library::shipped().compile(&Source::new("test/pds.toml", &text)).unwrap();
    let hl7 = MAPPING.replace("test/pds", "test/adt").replace("[format.fhir]", "[format.hl7v2]");
    let hl7 = hl7
        .replace("NUMBER", "PID-3[4=NHSNBR].1")
        .replace("birthDate", "PID-7")
        .replace("fhir-date", "hl7-date");
    let hl7 = Library::shipped().compile(&Source::new("test/adt.toml", &hl7)).unwrap();
    let mut said = Vec::new();
    let mut paths = Vec::new();
    for group in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        if group.is_dir() {
            paths.extend(std::fs::read_dir(group).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    paths.sort();
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let is_json = path.extension().is_some_and(|end| end == "json");
        let (outcomes, found) = torture::read(&bytes, if is_json { &fhir } else { &hl7 });
        let found: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
        let name = path.file_name().unwrap().to_string_lossy();
        said.push(format!("{name}: {outcomes:?} {}", found.join(" ")));
        if is_json {
            assert_eq!(whole(&bytes), resources(&bytes), "{name}");
        }
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    Minimal_Patient.json: {"accepted": 1} fhir/code-system
    Patient.json: {"accepted": 1} fhir/code-system
    PatientCompoundName.json: {"rejected": 1} map/nhs-check-digit fhir/code-system
    PatientSearch.json: {"accepted": 1} fhir/code-system
    Sensitive_Patient.json: {"accepted": 1} fhir/code-system
    simhospital_adt_24.hl7: {"accepted": 24} charset/decided
    "#);
}

const MAPPING: &str = r#"
name = "test/pds"
version = 1
scope = "all"
[format.fhir]
[subject]
key = ["NUMBER"]
[[record]]
kind = "person"
field = [
  { to = "nhs_number", from = "NUMBER", as = "nhs-number" },
  { to = "birth_date", from = "birthDate", as = "fhir-date" },
]
"#;

/// The units of a file, as the reader gives them.
fn whole(bytes: &[u8]) -> Vec<serde_json::Value> {
    let mut reader = open_bytes(bytes, FormatKind::Fhir(FhirForm::Json));
    let mut units = Vec::new();
    while let Some(arrival) = reader.next().unwrap() {
        if let Ok(Unit::Tree(tree)) = arrival.unit {
            units.push(tree.clone());
        }
    }
    units
}

/// The resources of a file, as JSON itself has them.
fn resources(bytes: &[u8]) -> Vec<serde_json::Value> {
    let document: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    match document["entry"].as_array() {
        Some(entries) => entries.iter().map(|entry| entry["resource"].clone()).collect(),
        None => vec![document],
    }
}
