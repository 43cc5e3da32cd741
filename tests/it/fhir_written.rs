//! What is written as FHIR, over the whole cohort and every case: valid against the published
//! schema in both forms, read by another implementation, and with what UK Core must support.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::{Value, json};
use wayleave::format::Unit;
use wayleave::format::settings::{FhirForm, FormatKind};
use wayleave::mapping::case::Input;
use wayleave::mapping::library::Library;
use wayleave::synth::demo;

use crate::format_support::open_bytes;
use crate::support;

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/fhir").join(name)
}

fn convert(folder: &Path, mapping: &str, form: &str, file: &str, out: &str) {
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let words = ["convert", "--mapping", mapping, "--to", "trust/fhir", "--form", form, file, out];
    let output = command.current_dir(folder).args(words).output().unwrap();
    assert!(output.status.code().unwrap() < 2, "{}", String::from_utf8_lossy(&output.stderr));
}

/// Files of every system, and the cases of the FHIR mapping, which have each type of resource.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let plan = demo::render(folder).unwrap();
    let mut sources: Vec<(String, String)> = plan
        .feeds
        .iter()
        .filter(|feed| feed.feed != "costs")
        .map(|feed| (format!("{}/{}", feed.source, feed.feed), feed.file.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(sources.len(), 5, "{sources:?}");
    let cases = Library::shipped().cases("trust/fhir").unwrap().unwrap();
    for (number, case) in cases.cases.iter().enumerate() {
        let name = format!("case-{number}.json");
        let Input::Text(text) = &case.input else { panic!("a case of resources is a text") };
        std::fs::write(folder.join(&name), text.trim()).unwrap();
        sources.push(("trust/fhir".to_owned(), name));
    }
    sources
}

/// The resources of a file in either form, as JSON has them.
fn resources(file: &Path) -> Vec<Value> {
    let bytes = std::fs::read(file).unwrap();
    let mut reader = open_bytes(&bytes, FormatKind::Fhir(FhirForm::Json));
    let mut found = Vec::new();
    while let Some(arrival) = reader.next().unwrap() {
        match arrival.unit {
            Ok(Unit::Tree(tree)) => found.push(tree.clone()),
            Ok(_) => panic!("a unit of another format"),
            Err(finding) => panic!("{finding}"),
        }
    }
    found
}

/// What each profile must support, with where it stands in what is written. An element without a
/// place is in no record, and why stands beside it.
const MUST_SUPPORT: &[(&str, &[&str], &[(&str, &str)])] = &[
    (
        "Patient",
        &[
            "identifier.system",
            "identifier.value",
            "active",
            "name.family",
            "name.given",
            "telecom.system",
            "telecom.value",
            "gender",
            "birthDate",
            "address.line",
            "address.postalCode",
            "managingOrganization.identifier.value",
            "generalPractitioner.identifier.value",
            "extension.valueCodeableConcept.coding.code",
            "identifier.extension.valueCodeableConcept.coding.code",
        ],
        &[],
    ),
    (
        "EpisodeOfCare",
        &["status", "patient.reference", "period.start", "careManager.display", "identifier.value"],
        &[],
    ),
    (
        "Encounter",
        &["identifier.value", "status", "class.code", "subject.reference"],
        &[
            ("participant", "who saw somebody is in no record of a contact"),
            ("reasonCode", "a reason is known of referrals alone"),
            ("reasonReference", "a reason is known of referrals alone"),
        ],
    ),
    (
        "Observation",
        &[
            "status",
            "category.coding.code",
            "code.coding.code",
            "subject.reference",
            "effectiveDateTime",
            "valueQuantity.value|valueInteger",
        ],
        &[("performer", "who scored is not kept"), ("component", "a score is one value")],
    ),
    (
        "QuestionnaireResponse",
        &[
            "questionnaire",
            "status",
            "subject.reference",
            "authored",
            "item.linkId",
            "item.answer.valueInteger",
        ],
        &[
            ("identifier", "a star has no number of its own"),
            ("author", "who sat together is kept, and not who they were: an item says it"),
        ],
    ),
    ("CarePlan", &["status", "intent", "category.coding.code", "subject.reference"], &[]),
    (
        "Consent",
        &[
            "status",
            "scope.coding.code",
            "category.coding.code",
            "patient.reference",
            "dateTime",
            "performer.display",
            "sourceReference.reference",
        ],
        &[("organization", "who keeps the form is in no record")],
    ),
    (
        "Organization",
        &["identifier.system", "identifier.value", "active", "type.coding.code", "name"],
        &[("telecom", "not kept of a setting"), ("address", "a setting's would tell where somebody lives")],
    ),
    (
        "Practitioner",
        &["id", "name.text"],
        &[("identifier", "the trust's own id of a worker is the resource's id, and no other is known")],
    ),
    (
        "Task",
        &["status", "intent", "code.coding.code", "for.reference", "restriction.period.end"],
        &[
            ("focus", "a milestone stands for itself"),
            ("authoredOn", "when a milestone was entered is not kept"),
            ("requester", "nobody asks for a milestone"),
            ("owner", "the role that leads is kept, and not who: `performerType` says it"),
            ("reasonCode", "why a milestone is late is kept: `statusReason` says it"),
            ("input", "a milestone takes none"),
        ],
    ),
];

/// The places of a resource that hold something.
fn places(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                places(member, &if at.is_empty() { name.clone() } else { format!("{at}.{name}") }, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| places(item, at, into)),
        _ => {
            into.insert(at.to_owned());
        }
    }
}

#[test]
fn what_is_written_is_valid_and_has_what_uk_core_must_support() {
    let folder = tempfile::tempdir().unwrap();
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(data("r4.schema.json")).unwrap()).unwrap();
    let validators: BTreeMap<&str, jsonschema::Validator> = MUST_SUPPORT
        .iter()
        .map(|(kind, ..)| {
            let mut of = schema.clone();
            of.as_object_mut().unwrap().remove("oneOf");
            of["allOf"] = json!([{"$ref": format!("#/definitions/{kind}")}]);
            (*kind, jsonschema::validator_for(&of).unwrap())
        })
        .collect();
    let mut faults = Vec::new();
    let mut written: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
    for (mapping, file) in sources(folder.path()) {
        convert(folder.path(), &mapping, "json", &file, "out.json");
        convert(folder.path(), &mapping, "xml", &file, "out.xml");
        let of_json = resources(&folder.path().join("out.json"));
        assert_eq!(of_json, resources(&folder.path().join("out.xml")), "{mapping} {file}");
        let bundle: Value =
            serde_json::from_slice(&std::fs::read(folder.path().join("out.json")).unwrap()).unwrap();
        assert_eq!(bundle["entry"].as_array().map_or(0, Vec::len), of_json.len());
        for resource in &of_json {
            let kind = resource["resourceType"].as_str().unwrap();
            let entry = written.entry(kind.to_owned()).or_default();
            entry.0 += 1;
            places(resource, "", &mut entry.1);
            let found =
                validators.get(kind).unwrap_or_else(|| panic!("{kind} is written")).iter_errors(resource);
            faults.extend(
                found.map(|fault| format!("{mapping} {kind}{}: {}", fault.instance_path(), fault.masked())),
            );
        }
    }
    faults.sort_unstable();
    faults.dedup();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    supports(&written);
}

fn supports(written: &BTreeMap<String, (usize, BTreeSet<String>)>) {
    let known: Vec<&str> = MUST_SUPPORT.iter().map(|(kind, ..)| *kind).collect();
    let types: Vec<&str> = written.keys().map(String::as_str).collect();
    let mut sorted = known.clone();
    sorted.sort_unstable();
    assert_eq!(types, sorted, "each type that is written, and no other, is held to its profile");
    let mut faults = Vec::new();
    for (kind, elements, without) in MUST_SUPPORT {
        let (count, places) = &written[*kind];
        assert!(*count > 0, "{kind}");
        for element in *elements {
            if !element.split('|').any(|one| places.contains(one)) {
                faults.push(format!("{kind}.{element} is never written"));
            }
        }
        for (element, why) in *without {
            if places.iter().any(|place| place.split('.').next() == Some(element)) {
                faults.push(format!("{kind}.{element} is written, and is said not to be: {why}"));
            }
        }
        let profile = format!("https://fhir.hl7.org.uk/StructureDefinition/UKCore-{kind}");
        if !places.contains("meta.profile") {
            faults.push(format!("{kind} names no profile `{profile}`"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The second opinion, on everything that the cohort becomes.
#[test]
fn another_implementation_reads_the_whole_cohort_in_both_forms() {
    let Some(python) = support::python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut said = String::new();
    for (mapping, file) in sources(folder.path()) {
        convert(folder.path(), &mapping, "json", &file, "out.json");
        convert(folder.path(), &mapping, "xml", &file, "out.xml");
        if resources(&folder.path().join("out.json")).is_empty() {
            continue;
        }
        let files = [folder.path().join("out.json"), folder.path().join("out.xml")];
        let output = std::process::Command::new(&python).arg(data("read")).args(files).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{file}: {text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.ends_with("same\n"), "{file}: {text}");
        said.push_str(&text);
    }
    for kind in MUST_SUPPORT.iter().map(|(kind, ..)| *kind) {
        assert!(said.contains(kind), "{kind}");
    }
}

/// The records of a bundle, in order.
fn records(folder: &Path, file: &str) -> Vec<Value> {
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let output =
        command.current_dir(folder).args(["convert", "--mapping", "trust/fhir", file]).output().unwrap();
    assert!(output.status.code().unwrap() < 2, "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let units = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    units.flat_map(|unit| unit["records"].as_array().unwrap().clone()).collect()
}

#[test]
fn a_worker_is_a_resource_once_to_which_their_episodes_refer() {
    let folder = tempfile::tempdir().unwrap();
    let episode = |id: &str, patient: &str, manager: Value| {
        json!({"resource": {
            "resourceType": "EpisodeOfCare", "id": id, "status": "active",
            "patient": {"reference": format!("Patient/{patient}")},
            "period": {"start": "2023-01-09"}, "careManager": manager,
        }})
    };
    let quillfeather = json!({"reference": "Practitioner/P1", "display": "Thomasina Quillfeather"});
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        episode("E1", "T100001", quillfeather.clone()),
        episode("E2", "T100002", quillfeather),
        episode("E3", "T100002", json!({"reference": "Practitioner/P2", "display": "Barnaby Thistlewood"})),
        episode("E4", "T100003", json!({"display": "Somebody Else"})),
    ]});
    std::fs::write(folder.path().join("in.json"), bundle.to_string()).unwrap();
    let expected = records(folder.path(), "in.json");
    for form in ["json", "xml"] {
        let out = format!("out.{form}");
        convert(folder.path(), "trust/fhir", form, "in.json", &out);
        let written = resources(&folder.path().join(&out));
        let workers: Vec<(&str, &str)> = written
            .iter()
            .filter(|resource| resource["resourceType"] == "Practitioner")
            .map(|worker| (worker["id"].as_str().unwrap(), worker["name"][0]["text"].as_str().unwrap()))
            .collect();
        assert_eq!(workers, [("P1", "Thomasina Quillfeather"), ("P2", "Barnaby Thistlewood")], "{form}");
        let referred: Vec<&str> =
            written.iter().filter_map(|resource| resource["careManager"]["reference"].as_str()).collect();
        assert_eq!(referred, ["Practitioner/P1", "Practitioner/P1", "Practitioner/P2"], "{form}");
        assert_eq!(records(folder.path(), &out), expected, "{form}");
    }
}
