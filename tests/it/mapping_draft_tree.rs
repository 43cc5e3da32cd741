//! `wayleave mapping draft` for XML and JSON whose elements some other system has named.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};
use wayleave::mapping::Mapping;
use wayleave::mapping::compile::Rule;
use wayleave::mapping::diagnostic::Source;
use wayleave::mapping::library::Library;

use crate::mapping_draft::made_of;

fn wayleave(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let output = command.current_dir(folder).args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What another case system calls the elements of a pathway.
const PATHWAY: &[(&str, &str)] = &[
    ("lasID", "clientRef"),
    ("nhsNumber", "nhsNo"),
    ("firstName", "forename"),
    ("lastName", "surname"),
    ("birthDate", "dob"),
    ("deathDate", "dateOfDeath"),
    ("postCode", "homePostcode"),
    ("requestEvent", "requestRef"),
    ("requestStart", "requestFrom"),
    ("requestEnd", "requestTo"),
    ("requestOutcome", "resultOfRequest"),
    ("assessmentEvent", "assmtRef"),
    ("assessmentStart", "assmtStartDate"),
    ("assessmentEnd", "assmtEndDate"),
    ("assessmentOutcome", "assmtResult"),
    ("assessmentType", "typeOfAssessment"),
    ("eligibility", "eligibleNeeds"),
    ("serviceEvent", "svcRef"),
    ("serviceStart", "svcStartDate"),
    ("serviceEnd", "svcEndDate"),
    ("serviceProvider", "providerName"),
    ("serviceType", "typeOfService"),
    ("serviceComponent", "svcComponent"),
    ("deliveryMechanism", "delMechanism"),
    ("costFrequency", "costFreq"),
    ("unitCost", "pricePerUnit"),
    ("weeklyUnits", "unitsPerWeek"),
    ("weeklyCost", "costPerWeek"),
    ("weeklyVisits", "visitsPerWeek"),
    ("weeklyMins", "minutesPerWeek"),
    ("ethnicity", "ethnicOrigin"),
    ("gender", "sex"),
    ("primarySupportReason", "mainSupportReason"),
    ("accommodationStatus", "accomStatus"),
    ("employment", "employmentStatus"),
    ("informalCarer", "unpaidCarer"),
    ("routeOfAccess", "accessRoute"),
];

/// NHS numbers of the range kept for tests, whose check digits are right.
const NUMBERS: [&str; 4] = ["9990000018", "9990000026", "9990000034", "9990000042"];

/// A value such as the column holds, by what its mapping does to it.
fn value_of(mapping: &Mapping, column: &str, at: usize) -> String {
    let rules = mapping.blocks.iter().flat_map(|block| &block.rules);
    let rule: &Rule = rules.into_iter().find(|rule| rule.from.iter().any(|from| from == column)).unwrap();
    if let Some(codes) = &rule.codes {
        let choices = codes.choices();
        return choices[at % choices.len()].clone();
    }
    let day = format!("{:02}/{:02}/{}", 1 + at % 28, 1 + at % 12, 2020 + at % 5);
    match (column, rule.steps.first().map(|op| op.doc().name)) {
        ("lasID", _) => format!("LL{at:07}"),
        ("firstName", _) => ["Ada", "Bo", "Cy"][at % 3].to_owned(),
        ("lastName", _) => ["Fell", "Quillfeather", "Tarn"][at % 3].to_owned(),
        ("birthDate", _) => format!("{:02}/{:02}/{}", 1 + at % 28, 1 + at % 12, 1950 + at % 40),
        ("serviceProvider", _) => ["Steel Thread Support", "Tarn Homes"][at % 2].to_owned(),
        (name, _) if name.ends_with("Event") => format!("{}-{at}", &name[..1].to_uppercase()),
        (_, Some("nhs-number")) => NUMBERS[at % NUMBERS.len()].to_owned(),
        (_, Some("postcode" | "postcode-district")) => format!("S9{} 1AA", at % 10),
        (_, Some("money")) => format!("{}.50", 20 + at),
        (_, Some("number")) => (1 + at % 14).to_string(),
        (_, Some("date")) => day,
        _ => ["Yes", "No"][at % 2].to_owned(),
    }
}

/// Drafts a mapping of a file, compiles it, and holds it against the shipped one, address by address.
fn drafted(folder: &Path, file: &str, shipped: &str, names: &BTreeMap<String, String>) -> Mapping {
    let library = Library::shipped();
    let known = library.mapping(shipped).unwrap_or_else(|error| panic!("{error}"));
    let out = format!("{file}.toml");
    let (code, _, err) = wayleave(folder, &["mapping", "draft", file, &out]);
    assert_eq!(code, 0, "{err}");
    let text = std::fs::read_to_string(folder.join(&out)).unwrap();
    assert!(text.contains("# Left to decide") && text.contains(" %"), "{text}");
    let draft = library.compile(&Source::new("draft", &text)).unwrap_or_else(|error| panic!("{error}"));
    let wrong: Vec<String> = names
        .iter()
        .filter(|(name, of)| made_of(&draft, name) != made_of(&known, of))
        .map(|(name, of)| format!("{name} ({of}): {:?}", made_of(&draft, name)))
        .collect();
    let right = names.len() - wrong.len();
    println!("{file}: {right} of {} addresses rightly", names.len());
    assert!(right * 5 >= names.len() * 4, "{right} of {}\n{}\n{text}", names.len(), wrong.join("\n"));
    draft
}

/// How many units of a file its draft accepts.
fn accepted(folder: &Path, file: &str) -> u64 {
    let mapping = format!("{file}.toml");
    let (code, _, err) = wayleave(folder, &["convert", "--json", "--mapping", &mapping, file, "out.ndjson"]);
    assert!(code < 2, "{err}");
    let told: Value = serde_json::from_str(err.trim()).unwrap_or_else(|error| panic!("{error}: {err}"));
    told["accepted"].as_u64().unwrap()
}

#[test]
fn a_document_of_renamed_elements_is_mapped_rightly() {
    let folder = tempfile::tempdir().unwrap();
    let shipped =
        Library::shipped().mapping("council/las-pathways-xml").unwrap_or_else(|error| panic!("{error}"));
    let mut text = String::from("<?xml version=\"1.0\"?>\n<extract><madeOn>2025-03-31</madeOn>\n");
    for at in 0..40 {
        text.push_str("<case>");
        for (known, name) in PATHWAY {
            let value = value_of(&shipped, known, at).replace('&', "&amp;").replace('<', "&lt;");
            let is_blank = at % 4 == 3 && known.ends_with("End") || *known == "deathDate" && at % 8 != 0;
            let value = if is_blank { String::new() } else { value };
            write!(text, "<{name}>{value}</{name}>").unwrap();
        }
        text.push_str("</case>\n");
    }
    text.push_str("</extract>\n");
    std::fs::write(folder.path().join("cases.xml"), text).unwrap();
    let names = PATHWAY.iter().map(|(known, name)| ((*name).to_owned(), (*known).to_owned())).collect();
    let draft = drafted(folder.path(), "cases.xml", "council/las-pathways-xml", &names);
    let wayleave::format::settings::FormatKind::Xml(xml) = &draft.settings.format else { panic!("no XML") };
    assert_eq!(xml.units, ["extract", "case"]);
    assert_eq!(accepted(folder.path(), "cases.xml"), 40);
}

fn tenancy(at: usize) -> Value {
    let member = |number: usize, leads: bool| {
        json!({
            "personId": format!("aa000000-0000-4000-8000-{:012}", at * 10 + number),
            "type": "person",
            "name": (["Ada Fell", "Bo Tarn"][(at + number) % 2]),
            "isLead": leads,
            "dob": format!("{}-{:02}-{:02}T00:00:00", 1950 + at, 1 + at % 12, 1 + at % 28),
        })
    };
    json!({
        "tenancyId": format!("5d0e1f8a-0000-4000-8000-{at:012}"),
        "paymentRef": format!("99990{at:05}"),
        // The one who leads stands now here, now there.
        "occupants": if at.is_multiple_of(2) { json!([member(1, true), member(2, false)]) } else { json!([member(1, false), member(2, true)]) },
        "asset": {"type": "Dwelling", "address": format!("{at} Yew Lane, S99 1AA"), "uprn": format!("1000999{at:05}"), "propertyRef": format!("P-{at}")},
        "tenureStart": format!("2022-{:02}-{:02}T00:00:00", 1 + at % 12, 1 + at % 28),
        "tenureEnd": if at.is_multiple_of(3) { json!("2024-03-30T00:00:00") } else { Value::Null },
        "typeOfTenure": {"code": (["SEC", "INT", "ASY", "NON"][at % 4]), "description": (["Secure", "Introductory", "Assured shorthold", "Non secure"][at % 4])},
    })
}

const TENURE: &[(&str, &str)] = &[
    ("tenancyId", "id"),
    ("paymentRef", "paymentReference"),
    ("occupants[isLead=true].personId", "householdMembers[isResponsible=true].id"),
    ("occupants[isLead=true].name", "householdMembers[isResponsible=true].fullName"),
    ("occupants[isLead=true].dob", "householdMembers[isResponsible=true].dateOfBirth"),
    ("asset.propertyRef", "tenuredAsset.propertyReference"),
    ("asset.uprn", "tenuredAsset.uprn"),
    ("asset.address", "tenuredAsset.fullAddress"),
    ("tenureStart", "startOfTenureDate"),
    ("tenureEnd", "endOfTenureDate"),
    ("typeOfTenure.code", "tenureType.code"),
];

/// As a list in an answer, as the list itself, and one object after another.
#[test]
fn json_of_renamed_members_is_mapped_rightly() {
    let folder = tempfile::tempdir().unwrap();
    let units: Vec<Value> = (0..40).map(tenancy).collect();
    let lines: String = units.iter().map(|unit| format!("{unit}\n")).collect();
    let names: BTreeMap<String, String> =
        TENURE.iter().map(|(name, known)| ((*name).to_owned(), (*known).to_owned())).collect();
    for (file, text, format) in [
        (
            "answer.json",
            json!({"total": 40, "data": {"tenancies": units}}).to_string(),
            "units = \"data.tenancies\"",
        ),
        ("list.json", json!(units).to_string(), "[format.json]\n"),
        ("lines.ndjson", lines, "[format.ndjson]\n"),
    ] {
        std::fs::write(folder.path().join(file), text).unwrap();
        drafted(folder.path(), file, "housing/tenures", &names);
        let draft = std::fs::read_to_string(folder.path().join(format!("{file}.toml"))).unwrap();
        assert!(draft.contains(format), "{draft}");
        assert_eq!(accepted(folder.path(), file), 40, "{draft}");
        // It writes what it reads: the mark of the one who leads with it.
        let mapping = format!("{file}.toml");
        let words = ["convert", "--json", "--mapping", &mapping, "--to", &mapping, file, "back.json"];
        let (code, _, err) = wayleave(folder.path(), &words);
        assert!(code < 2, "{err}");
        std::fs::write(
            folder.path().join(format!("back-{file}")),
            std::fs::read(folder.path().join("back.json")).unwrap(),
        )
        .unwrap();
        let back = format!("back-{file}");
        if !format.contains("units") {
            let (code, _, err) =
                wayleave(folder.path(), &["convert", "--json", "--mapping", &mapping, &back, "again.ndjson"]);
            assert!(code < 2, "{err}");
            let told: Value = serde_json::from_str(err.trim()).unwrap();
            assert_eq!(told["accepted"], 40, "{told}");
        }
    }
}

#[test]
fn a_draft_of_a_document_says_what_is_left_to_decide() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"<people><person id="P1"><surname>Quillfeather</surname><note kind="a">x</note><note kind="b">y</note><alias>A</alias><alias>B</alias></person><person id="P2"><surname>Fell</surname><alias>C</alias><wobble>7</wobble></person></people>"#;
    std::fs::write(folder.path().join("people.xml"), text).unwrap();
    let (code, out, err) = wayleave(folder.path(), &["mapping", "draft", "people.xml"]);
    assert_eq!(code, 0, "{err}");
    assert!(!out.contains("Quillfeather"), "{out}");
    insta::assert_snapshot!(out);
    // A standard says where everything stands.
    std::fs::write(folder.path().join("p.json"), r#"{"resourceType": "Patient", "id": "1"}"#).unwrap();
    std::fs::write(
        folder.path().join("p.xml"),
        r#"<Patient xmlns="http://hl7.org/fhir"><id value="1"/></Patient>"#,
    )
    .unwrap();
    std::fs::write(folder.path().join("p.hl7"), "MSH|^~\\&|RIO|TAH\r").unwrap();
    for (file, mapping) in [("p.json", "trust/fhir"), ("p.xml", "trust/fhir"), ("p.hl7", "trust/adt")] {
        let (code, _, err) = wayleave(folder.path(), &["mapping", "draft", file]);
        assert_eq!(code, 2);
        assert!(err.contains(mapping) && err.contains("mapping coverage"), "{err}");
    }
    std::fs::write(folder.path().join("broken.xml"), "<a><b></a>").unwrap();
    let (code, _, err) = wayleave(folder.path(), &["mapping", "draft", "broken.xml"]);
    assert_eq!(code, 2, "{err}");
}
