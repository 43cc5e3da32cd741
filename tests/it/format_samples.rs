//! The published samples, where they stand beside the project.

use std::collections::BTreeMap;
use std::path::PathBuf;

use wayleave::base::origin::Origin;
use wayleave::format::Unit;
use wayleave::format::settings::{FhirForm, FormatKind, Hl7v2Settings};
use wayleave::mapping::coverage::Coverage;
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

/// Every file is read whole through the mapping that ships, and what is known to be wrong with it is
/// said: number 9000000015 fails its check digit, the service names the system of a status wrongly,
/// and the messages have a way of admission and an assigning authority of their own.
#[test]
fn every_sample_is_read_with_its_known_defects_and_nothing_else_is_lost() {
    let Some(folder) = samples() else { return };
    let fhir = Library::shipped().mapping("trust/pds").unwrap();
    let hl7 = Library::shipped().mapping("trust/adt").unwrap();
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
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for finding in &found {
            *counts.entry(format!("{} {}", finding.code.as_str(), finding.severity.as_str())).or_default() +=
                1;
        }
        let name = path.file_name().unwrap().to_string_lossy();
        said.push(format!("{name}: {outcomes:?} {counts:?}"));
        if is_json {
            assert_eq!(whole(&bytes), resources(&bytes), "{name}");
        }
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    Minimal_Patient.json: {"accepted": 1} {"fhir/code-system note": 1}
    Patient.json: {"accepted": 1} {"fhir/code-system note": 1}
    PatientCompoundName.json: {"rejected": 1} {"fhir/code-system note": 1, "map/nhs-check-digit error": 1}
    PatientSearch.json: {"accepted": 1} {"fhir/code-system note": 1}
    Sensitive_Patient.json: {"accepted": 1} {"fhir/code-system note": 1}
    simhospital_adt_24.hl7: {"accepted": 24} {"charset/decided note": 1, "map/shape warning": 24, "map/unknown-code warning": 24}
    "#);
}

/// What of the samples is in no record is in no address of the mapping either: each such place is named
/// here, so that one that is dropped by mistake is seen.
#[test]
fn what_no_record_takes_of_a_sample_is_known() {
    let Some(folder) = samples() else { return };
    let mut told = String::new();
    for (file, name) in
        [("hl7v2/simhospital_adt_24.hl7", "trust/adt"), ("fhir-pds/Patient.json", "trust/pds")]
    {
        let mapping = Library::shipped().mapping(name).unwrap();
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let mut units = open_bytes(&bytes, mapping.settings.format.clone());
        let origin = Origin::default();
        let bound = mapping.bind(None, &origin).unwrap_or_else(|_| panic!("{name} needs no header"));
        let mut coverage = Coverage::of(&mapping);
        while let Some(arrival) = units.next().unwrap() {
            coverage.take(&bound, &arrival, &origin);
        }
        let report = coverage.report();
        let places: Vec<&str> = report.unread.iter().map(|at| at.name.as_str()).collect();
        told.push_str(&format!(
            "{name}, {} of {} units: {}\n",
            report.accepted,
            report.units,
            places.join(" ")
        ));
    }
    insta::assert_snapshot!(told);
}

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
