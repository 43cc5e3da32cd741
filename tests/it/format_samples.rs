//! The published samples, where they stand beside the project.

use std::path::PathBuf;

use wayleave::format::settings::{FormatKind, Hl7v2Settings};

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
        let mut reader = open_bytes(&bytes, FormatKind::Fhir);
        let read = leaves(&mut reader, &["resourceType", number, "name[use=usual].family"]);
        assert!(!read.is_empty(), "{name}");
        if !expected.is_empty() {
            assert_eq!(read, expected, "{name}");
        }
    }
}
