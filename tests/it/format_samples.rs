//! The published samples, where they stand beside the project.

use std::path::PathBuf;

use wayleave::format::settings::{FhirForm, FormatKind, Hl7v2Settings};

use crate::format_support::{leaves, open_bytes};

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
