//! The trust's FHIR R4 bundle: patients as UK Core has them, episodes of care, encounters.

use serde_json::{Value, json};

use crate::synth::SynthError;
use crate::synth::fault::{Fault, Planted};
use crate::synth::life::{Contact, ContactKind, Life, View};
use crate::synth::world::World;

/// Name of the file.
pub const FILE: &str = "bundle.json";

/// The system of the trust's own patient numbers.
pub const LOCAL_ID: &str = "https://trust.example/Id/local-patient-id";

/// The system of NHS numbers.
pub const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";

/// When the trust's system made the bundle.
const UPDATED: &str = "2025-03-31T02:00:00Z";

/// One resource, and what is wrong with it on purpose.
#[derive(Clone)]
pub struct Entry {
    /// The resource.
    pub resource: Value,
    /// The fault, where there is one.
    pub planted: Option<Planted>,
}

/// Everybody the trust knows: the patients first, then what was done for them.
#[must_use]
pub fn entries(world: &World) -> Vec<Entry> {
    let (mut patients, mut done) = (Vec::new(), Vec::new());
    for life in world.lives.iter().chain(&world.others) {
        let Some(view) = &life.trust else { continue };
        patients.push(patient(life, view));
        done.extend(life.contacts.iter().filter_map(|contact| {
            let within = |other: &&Contact| other.kind == ContactKind::Referral && other.from <= contact.from;
            let episode = life.contacts.iter().rfind(within).map(|episode| episode.id.as_str());
            of_contact(contact, episode, &view.id)
        }));
    }
    patients.into_iter().chain(done).map(|resource| Entry { resource, planted: None }).collect()
}

/// The code of an ethnic label of the tracker in the NHS's list, which has no Arab.
#[must_use]
pub fn ethnicity(label: &str) -> &'static str {
    match label {
        "White - British" => "A",
        "White - any other White background" => "C",
        "Asian or Asian British - Pakistani" => "J",
        "Asian or Asian British - Indian" => "H",
        "Black or Black British - Caribbean" => "M",
        "Black or Black British - African" => "N",
        "Other ethnic group" => "S",
        "Not known" => "99",
        _ => "",
    }
}

/// A patient.
#[must_use]
pub fn patient(life: &Life, view: &View) -> Value {
    let mut identifiers = vec![json!({ "system": LOCAL_ID, "value": view.id })];
    if let Some(number) = &view.number {
        identifiers.insert(
            0,
            json!({
                "extension": [{
                    "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus",
                    "valueCodeableConcept": { "coding": [{
                        "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland",
                        "code": "01",
                        "display": "Number present and verified",
                    }] },
                }],
                "system": NHS_NUMBER,
                "value": number,
            }),
        );
    }
    let mut resource = json!({
        "resourceType": "Patient",
        "id": view.id,
        "meta": { "lastUpdated": UPDATED },
        "identifier": identifiers,
        "name": [{ "use": "official", "family": view.family, "given": [view.given] }],
        "birthDate": view.born,
        "address": [{ "use": "home", "line": [view.home.line], "city": "Sheffield", "postalCode": view.home.post }],
        "generalPractitioner": [{ "identifier": {
            "system": "https://fhir.nhs.uk/Id/ods-organization-code",
            "value": life.who.practice.0,
        } }],
        "managingOrganization": { "identifier": {
            "system": "https://fhir.nhs.uk/Id/ods-organization-code",
            "value": "TAH",
        } },
    });
    if let Some(fields) = resource.as_object_mut() {
        if !life.who.sex.is_empty() {
            fields.insert("gender".to_owned(), json!(life.who.sex));
        }
        let code = ethnicity(&life.who.ethnicity);
        if !code.is_empty() {
            fields.insert(
                "extension".to_owned(),
                json!([{
                    "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory",
                    "valueCodeableConcept": { "coding": [{
                        "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland",
                        "code": code,
                    }] },
                }]),
            );
        }
    }
    resource
}

fn of_contact(contact: &Contact, episode: Option<&str>, patient: &str) -> Option<Value> {
    let about = json!({ "reference": format!("Patient/{patient}"), "identifier": { "system": LOCAL_ID, "value": patient } });
    let mut period = json!({ "start": contact.from });
    if let (Some(to), Some(fields)) = (contact.to, period.as_object_mut()) {
        fields.insert("end".to_owned(), json!(to));
    }
    let team = json!([{ "code": contact.team.0, "display": contact.team.1 }]);
    let trust =
        json!({ "identifier": { "system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "TAH" } });
    let class = match contact.kind {
        ContactKind::Referral => {
            return Some(json!({
                "resourceType": "EpisodeOfCare",
                "id": contact.id,
                "meta": { "lastUpdated": UPDATED },
                "identifier": [{ "system": "https://trust.example/Id/episode", "value": contact.id }],
                "status": "active",
                "type": [{ "coding": team }],
                "patient": about,
                "managingOrganization": trust,
                "period": period,
            }));
        }
        ContactKind::Community => "AMB",
        ContactKind::Emergency => "EMER",
        ContactKind::Stay => "IMP",
        ContactKind::StayByMessage => return None,
    };
    let mut resource = json!({
        "resourceType": "Encounter",
        "id": contact.id,
        "meta": { "lastUpdated": UPDATED },
        "identifier": [{ "system": "https://trust.example/Id/encounter", "value": contact.id }],
        "status": if contact.to.is_some() { "finished" } else { "in-progress" },
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": class },
        "priority": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActPriority",
            "code": if class == "AMB" || contact.method == "11" { "R" } else { "EM" },
        }] },
        "subject": about,
        "period": period,
        "serviceProvider": trust,
    });
    let fields = resource.as_object_mut()?;
    if let Some(episode) = episode {
        let reference = format!("EpisodeOfCare/{episode}");
        fields.insert("episodeOfCare".to_owned(), json!([{ "reference": reference }]));
    }
    if contact.kind == ContactKind::Stay {
        stay(fields, contact);
    } else {
        fields.insert("serviceType".to_owned(), json!({ "coding": team }));
    }
    Some(resource)
}

/// What a stay has and a contact has not.
fn stay(fields: &mut serde_json::Map<String, Value>, contact: &Contact) {
    if let Some(identifiers) = fields.get_mut("identifier").and_then(Value::as_array_mut) {
        identifiers.push(
            json!({ "system": "https://trust.example/Id/hospital-provider-spell", "value": contact.id }),
        );
    }
    fields.insert(
        "extension".to_owned(),
        json!([{
            "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-AdmissionMethod",
            "valueCodeableConcept": { "coding": [{
                "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-AdmissionMethodEngland",
                "code": contact.method,
            }] },
        }]),
    );
    fields.insert("location".to_owned(), json!([{ "location": { "display": contact.ward } }]));
    if contact.to.is_some() {
        let to = json!({ "dischargeDisposition": { "coding": [{
                "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-DischargeDestinationEngland",
                "code": "19",
            }] } });
        fields.insert("hospitalization".to_owned(), to);
    }
}

/// The bundle.
pub fn bundle(entries: &[Entry]) -> Result<Vec<u8>, SynthError> {
    let url = |resource: &Value| {
        let part = |name| resource.get(name).and_then(Value::as_str).unwrap_or("none").to_owned();
        format!("https://trust.example/fhir/{}/{}", part("resourceType"), part("id"))
    };
    let entry: Vec<Value> = entries
        .iter()
        .map(|entry| json!({ "fullUrl": url(&entry.resource), "resource": entry.resource }))
        .collect();
    let bundle = json!({
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": UPDATED,
        "entry": entry,
    });
    let mut bytes = serde_json::to_vec_pretty(&bundle)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The faults at their places: the ordinal of the resource, from 1.
#[must_use]
pub fn faults(entries: &[Entry]) -> Vec<Fault> {
    let placed = (1..).zip(entries);
    placed
        .filter_map(|(at, entry)| entry.planted.map(|fault| fault.at("trust/fhir", FILE, None, at)))
        .collect()
}
