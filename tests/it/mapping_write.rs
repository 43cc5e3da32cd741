//! What a layout is told when it is written: wider codes, events of one record, whose a row is, and
//! the published shape of what comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use wayleave::base::origin::Origin;
use wayleave::base::private::{Cases, Grant, Private};
use wayleave::format::settings::FormatKind;
use wayleave::format::source::MemorySpool;
use wayleave::format::{Refused, reader};
use wayleave::mapping::case::Input;
use wayleave::mapping::library::Library;
use wayleave::mapping::write::{Keys, Row, Written};
use wayleave::mapping::{Made, Update};
use wayleave::record::draft::Draft;
use wayleave::record::kind::Kind;
use wayleave::record::schema;

/// A record of one person with these fields, as JSON.
fn record(kind: Kind, fields: &Value) -> Made {
    let schema = schema::of(kind);
    let mut draft = Draft::empty();
    for (name, value) in fields.as_object().unwrap() {
        let field = schema.field(name).unwrap_or_else(|| panic!("{name} is no field of {kind}"));
        let text = value.as_str().map(str::to_owned);
        let leaf = match (text, value.as_bool()) {
            (Some(text), _) if field.privacy.is_sealed() => Draft::Private(Private::new(text)),
            (Some(text), _) => Draft::Text(text),
            (None, Some(truth)) => Draft::Bool(truth),
            (None, None) => Draft::Number(value.to_string().parse().unwrap()),
        };
        draft.set(field.name, leaf);
    }
    Made {
        kind,
        subject: Some(Private::new("1".to_owned())),
        key: Private::new("1".to_owned()),
        draft,
        update: Update::Whole,
        source_time: None,
        same: None,
    }
}

fn written(mapping: &str, records: &[Made]) -> Written {
    let mapping = Library::shipped().mapping(mapping).unwrap();
    let grant = Grant::<Cases>::begin("test");
    let written = mapping.target().unwrap().write(records, Keys::Foreign, &grant);
    let _receipt = grant.close();
    written
}

fn cells(row: &Row) -> BTreeMap<&str, String> {
    let text = |out: &wayleave::mapping::write::Out| match out.cell() {
        wayleave::format::Cell::Text(text) => text.to_owned(),
        wayleave::format::Cell::Day(day) => day.to_string(),
        wayleave::format::Cell::Number(number) => number.to_string(),
        wayleave::format::Cell::Bool(truth) => truth.to_string(),
        _ => String::new(),
    };
    row.cells.iter().map(|(at, out)| (at.as_str(), text(out))).collect()
}

#[test]
fn a_wider_code_is_written_and_said() {
    let person = record(
        Kind::Person,
        &serde_json::json!({ "trust_id": "T1", "managing_provider_code": "TAH", "ethnicity": "white-roma" }),
    );
    let written = written("trust/mhs001-mpi", &[person]);
    let codes: Vec<&str> = written.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["map/wider-code"]);
    assert_eq!(cells(&written.rows[0])["EthnicCategory"], "C");
}

#[test]
fn a_word_the_target_has_no_code_for_is_left_out_and_the_rest_is_written() {
    let person = record(Kind::Person, &serde_json::json!({ "council_id": "LL1", "employment": "astronaut" }));
    let written = written("council/las-pathways", &[person]);
    let codes: Vec<&str> = written.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["map/unknown-code"]);
    assert_eq!(cells(&written.rows[0]), BTreeMap::from([("lasID", "LL1".to_owned())]));
}

#[test]
fn one_episode_is_as_many_events_as_it_takes() {
    let person = record(Kind::Person, &serde_json::json!({ "tracker_ref": "PI901" }));
    let episode = serde_json::json!({
        "programme": "promoting-independence", "accepted_on": "2021-03-20", "started_on": "2021-04-01",
        "stage": "transition", "moved_on": "2022-07-02", "ended_on": "2023-01-31", "ending": "withdrew",
    });
    let written = written("housing/events", &[person, record(Kind::Episode, &episode)]);
    let rows: Vec<_> = written.rows.iter().map(cells).collect();
    assert!(rows.iter().all(|row| row["client_ref"] == "PI901"), "{rows:?}");
    let types: BTreeSet<&str> = rows.iter().map(|row| row["type"].as_str()).collect();
    assert_eq!(types, BTreeSet::from(["accepted", "started", "moved_on", "withdrew"]));
    let said: BTreeSet<&str> = rows.iter().flat_map(|row| row.keys().copied()).collect();
    for name in ["accepted_on", "started_on", "stage", "moved_on", "ended_on"] {
        assert!(said.contains(name), "{name} is lost");
    }
}

#[test]
fn a_resource_says_whose_it_is_and_what_uk_core_requires() {
    let person = record(
        Kind::Person,
        &serde_json::json!({ "trust_id": "T1", "nhs_number": "9990000018", "nhs_number_status": "01" }),
    );
    let stay = record(
        Kind::Contact,
        &serde_json::json!({ "type": "admission", "started_on": "2024-03-01", "ended_on": "2024-03-20", "admission_method": "emergency-crisis-team" }),
    );
    let written = written("trust/fhir", &[person, stay]);
    let rows: Vec<_> = written.rows.iter().map(cells).collect();
    let of = |kind: &str| rows.iter().find(|row| row["resourceType"] == kind).unwrap();
    assert_eq!(of("Encounter")["subject.reference"], "Patient/T1");
    assert_eq!(of("Encounter")["status"], "finished");
    assert_eq!(of("Patient")["active"], "true");
    assert!(!of("Patient").contains_key("subject.reference"));
    let system = |row: &BTreeMap<&str, String>, end: &str| row.values().any(|value| value.ends_with(end));
    assert!(system(of("Encounter"), "UKCore-AdmissionMethodEngland"));
    assert!(!system(of("Encounter"), "UKCore-DischargeMethodEngland"));
    assert!(system(of("Patient"), "UKCore-NHSNumberVerificationStatusEngland"));
}

/// The bodies of the events in the cases with which nothing is wrong.
fn bodies() -> Vec<Value> {
    let cases = Library::shipped().cases("housing/events").unwrap().unwrap();
    let good = cases
        .cases
        .iter()
        .filter(|case| case.findings.is_empty() && case.outcome.iter().all(|word| word == "accepted"));
    let texts = good.filter_map(|case| match &case.input {
        Input::Text(text) => Some(text.as_str()),
        Input::Rows { .. } => None,
    });
    let lines = texts.flat_map(|text| text.lines().filter(|line| !line.trim().is_empty()));
    lines
        .map(|line| {
            let envelope: Value = serde_json::from_str(line).unwrap();
            serde_json::from_str(envelope["body"].as_str().unwrap()).unwrap()
        })
        .collect()
}

#[test]
fn each_event_keeps_to_its_schema_and_each_schema_has_its_event() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/event");
    let mut checks = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let schema: Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let name = schema["title"].as_str().unwrap().to_owned();
        checks.insert(name, jsonschema::validator_for(&schema).unwrap());
    }
    let mut seen = BTreeSet::new();
    for body in bodies() {
        let name = body["type"].as_str().unwrap().to_owned();
        let check = checks.get(&name).unwrap_or_else(|| panic!("{name} has no schema"));
        let faults: Vec<String> = check.iter_errors(&body).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{name}: {faults:?}");
        seen.insert(name);
    }
    assert_eq!(seen, checks.keys().cloned().collect(), "every event has a case");
}

#[test]
fn a_template_of_another_year_is_refused() {
    let mapping = Library::shipped().mapping("housing/core-2026").unwrap();
    assert!(matches!(mapping.settings.format, FormatKind::Csv(_)));
    let numbers: Vec<String> = (1..=130).map(|number| number.to_string()).collect();
    let text =
        format!("\"Question\nof the year\",{}\nField number,{}\n", numbers.join(","), numbers.join(","));
    let source = Box::new(std::io::Cursor::new(text.into_bytes()));
    let refused =
        reader::open(source, &mapping.settings, &Origin::file("x.csv"), &MemorySpool).err().unwrap();
    let Refused::File(findings) = refused else { panic!("it is a fault of the file") };
    assert_eq!(findings.kept()[0].code.as_str(), "header/numbers");
}
