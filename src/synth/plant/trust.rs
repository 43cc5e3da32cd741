//! Faults of the trust's bundle and messages.

use serde_json::{Value, json};

use crate::synth::fault::{Kind, Planted};
use crate::synth::render::adt::Message;
use crate::synth::render::fhir::{Entry, LOCAL_ID, NHS_NUMBER};
use crate::synth::seed::Seed;

/// A number of nobody, with a wrong check digit.
const WRONG_NUMBER: &str = "9990000019";

fn entry(resource: Value, kind: Kind, column: Option<&'static str>) -> Entry {
    Entry { resource, planted: Some(Planted { kind, column }) }
}

fn patient(id: &str, number: &str, born: &str) -> Value {
    let mut identifiers = vec![json!({ "system": NHS_NUMBER, "value": number })];
    if !id.is_empty() {
        identifiers.push(json!({ "system": LOCAL_ID, "value": id }));
    }
    json!({
        "resourceType": "Patient",
        "id": if id.is_empty() { "T9900100" } else { id },
        "meta": { "lastUpdated": "2025-03-31T02:00:00Z" },
        "identifier": identifiers,
        "name": [{ "use": "official", "family": "Nonesuch", "given": ["Quillon"] }],
        "birthDate": born,
    })
}

fn encounter(id: &str, patient: &str, class: &str, start: &str) -> Value {
    let mut resource = json!({
        "resourceType": "Encounter",
        "id": id,
        "meta": { "lastUpdated": "2025-03-31T02:00:00Z" },
        "status": "finished",
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": class },
    });
    if let Some(fields) = resource.as_object_mut() {
        if !patient.is_empty() {
            fields.insert("subject".to_owned(), json!({ "reference": format!("Patient/{patient}") }));
        }
        if !start.is_empty() {
            fields.insert("period".to_owned(), json!({ "start": start, "end": start }));
        }
    }
    resource
}

/// Plants in the bundle. `known` is a patient's number of somebody in the programme.
pub fn fhir(entries: &mut Vec<Entry>, known: &str, seed: &mut Seed) {
    let good = seed.nhs_number();
    let mut team = encounter("E9900005", known, "AMB", "2024-05-02");
    if let Some(fields) = team.as_object_mut() {
        fields.insert("serviceType".to_owned(), json!({ "coding": [{ "code": "Q99" }] }));
    }
    let faults = [
        entry(patient("T9900001", WRONG_NUMBER, "1961-04-05"), Kind::WrongCheckDigit, None),
        entry(patient("T9900002", &good, "1950-02-31"), Kind::ImpossibleDay, Some("birthDate")),
        entry(patient("", &good, "1961-04-05"), Kind::MissingPerson, None),
        entry(encounter("E9900001", known, "AMB", "2024-02-30"), Kind::ImpossibleDay, Some("period.start")),
        entry(encounter("E9900002", known, "SPACE", "2024-03-01"), Kind::UnknownCode, Some("class.code")),
        entry(encounter("E9900003", known, "AMB", ""), Kind::Missing, Some("period.start")),
        entry(encounter("E9900004", "", "AMB", "2024-03-04"), Kind::MissingPerson, None),
        entry(team, Kind::UnknownCode, Some("serviceType.coding.code")),
    ];
    for fault in faults {
        let at = seed.place(entries.len());
        entries.insert(at, fault);
    }
    // The same encounter twice in one bundle.
    let twice = entries.iter().rev().find(|entry| {
        entry.planted.is_none()
            && entry.resource.get("resourceType").and_then(Value::as_str) == Some("Encounter")
    });
    if let Some(twice) = twice.cloned() {
        entries.push(entry(twice.resource, Kind::DuplicateRow, None));
    }
}

/// Plants among the messages. `known` is a patient's number of somebody in the programme.
pub fn adt(messages: &mut Vec<Message>, known: &str, seed: &mut Seed) {
    let on = crate::synth::calendar::day(2025, 3, 14);
    let mut number = 900_000;
    let mut send = |trigger: &str, rest: &[String], kind, column| {
        number += 1;
        let head = format!(
            "MSH|^~\\&|RIO|TAH|WAYLEAVE|SYN|20250314093000||ADT^{trigger}|MSG{number}|P|2.4|||AL|NE|GBR|UNICODE UTF-8"
        );
        let mut segments = vec![head, format!("EVN|{trigger}|20250314093000")];
        segments.extend_from_slice(rest);
        let message = Message { on, segments, planted: Some(Planted { kind, column }) };
        let at = seed.place(messages.len());
        messages.insert(at, message);
    };
    let person = format!("PID|1||{known}^^^TAH^MR");
    let visit = |method: &str, id: &str, day: &str| {
        format!("PV1|1|I|Rowan Ward^^^TAH|{method}|||||||||||||||{id}|||||||||||||||||||||||||{day}")
    };
    send("A01", &[visit("21", "V9900001", "20250314")], Kind::MessageWithoutPatient, None);
    send("A31", &[], Kind::MessageWithoutPatient, None);
    send("A01", &[person.clone(), visit("21", "V9900002", "20250230")], Kind::ImpossibleDay, Some("PV1-44"));
    let sex = format!("{person}|||||Q");
    send("A01", &[sex, visit("21", "V9900003", "20250314")], Kind::UnknownCode, Some("PID-8"));
    send("A01", &[person.clone(), visit("21", "", "20250314")], Kind::MissingKey, None);
    send("A01", &[person, visit("21", "V9900004", "")], Kind::Missing, Some("PV1-44"));
    let nobody = format!("PID|1||{WRONG_NUMBER}^^^NHS^NH~T9900003^^^TAH^MR||Nonesuch^Quillon||19610405");
    send("A31", &[nobody], Kind::WrongCheckDigit, Some("PID-3[5=NH].1"));
}
