//! FHIR in its two forms: JSON and XML hold the same units, and what is written keeps to the
//! published schema.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wayleave::format::settings::{FhirForm, FormatKind};
use wayleave::format::writer::{Layout, Writer};
use wayleave::format::{At, Cell, Unit};

use crate::format_support::{Target, leaves, notes, open_bytes, refused};
use crate::support;

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/fhir").join(name)
}

fn schema() -> Value {
    serde_json::from_str(&std::fs::read_to_string(data("r4.schema.json")).unwrap()).unwrap()
}

/// Every unit of a file, whole.
fn trees(bytes: &[u8]) -> Vec<Value> {
    let mut reader = open_bytes(bytes, FormatKind::Fhir(FhirForm::Json));
    let mut found = Vec::new();
    while let Some(arrival) = reader.next().unwrap() {
        match arrival.unit {
            Ok(Unit::Tree(tree)) => found.push(tree.clone()),
            Ok(_) => panic!("a unit of another format"),
            Err(finding) => found.push(json!(finding.code.as_str())),
        }
    }
    found
}

/// The leaves of a resource by addresses that select by number.
fn leaves_of(value: &Value, at: &str, into: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let dot = if at.is_empty() { "" } else { "." };
                leaves_of(member, &format!("{at}{dot}{name}"), into);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves_of(item, &format!("{at}[{index}]"), into);
            }
        }
        leaf => into.push((at.to_owned(), leaf.clone())),
    }
}

/// A Bundle of resources as the writer writes them.
fn bundle(resources: &[Value], form: FhirForm) -> Vec<u8> {
    let target = Target::default();
    let mut writer = Writer::new(Box::new(target.clone()), &Layout::Fhir(form)).unwrap();
    for resource in resources {
        let mut leaves = Vec::new();
        leaves_of(resource, "", &mut leaves);
        let at: Vec<At> = leaves.iter().map(|(at, _)| At::compile(at, None).unwrap()).collect();
        let cells: Vec<(&At, Cell<'_>)> = at
            .iter()
            .zip(&leaves)
            .map(|(at, (_, leaf))| {
                let cell = match leaf {
                    Value::String(text) => Cell::Text(text),
                    Value::Bool(truth) => Cell::Bool(*truth),
                    Value::Number(number) => Cell::Number(number.as_f64().unwrap()),
                    _ => Cell::Absent,
                };
                (at, cell)
            })
            .collect();
        assert_eq!(writer.put(None, &cells).unwrap(), None, "{resource}");
    }
    writer.finish().unwrap();
    target.bytes()
}

const PATIENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Patient xmlns="http://hl7.org/fhir">
  <id value="p1"/>
  <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">Ada &amp; <b>co</b></div></text>
  <contained><Organization><id value="o1"/><name value="Trust"/></Organization></contained>
  <extension url="https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory">
    <valueCodeableConcept><coding><system value="https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland"/><code value="C"/></coding></valueCodeableConcept>
  </extension>
  <identifier><system value="https://fhir.nhs.uk/Id/nhs-number"/><value value="9990000018"/></identifier>
  <active value="true"/>
  <name id="n1"><use value="official"/><family value="Fell"/>
    <given value="Ada"/><given><extension url="urn:x"><valueInteger value="2"/></extension></given></name>
  <birthDate value="1961-07-04"><extension url="urn:time"><valueDateTime value="1961-07-04T01:00:00+01:00"/></extension></birthDate>
  <multipleBirthInteger value="2"/>
  <!-- a comment -->
</Patient>"#;

#[test]
fn a_resource_in_xml_is_the_unit_it_is_in_json() {
    let expected = json!({
        "resourceType": "Patient",
        "id": "p1",
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Ada &amp; <b>co</b></div>"},
        "contained": [{"resourceType": "Organization", "id": "o1", "name": "Trust"}],
        "extension": [{
            "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory",
            "valueCodeableConcept": {"coding": [{"system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland", "code": "C"}]}
        }],
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}],
        "active": true,
        "name": [{
            "id": "n1", "use": "official", "family": "Fell", "given": ["Ada", null],
            "_given": [null, {"extension": [{"url": "urn:x", "valueInteger": 2}]}]
        }],
        "birthDate": "1961-07-04",
        "_birthDate": {"extension": [{"url": "urn:time", "valueDateTime": "1961-07-04T01:00:00+01:00"}]},
        "multipleBirthInteger": 2
    });
    assert_eq!(trees(PATIENT.as_bytes()), [expected.clone()]);
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let faults: Vec<String> = validator.iter_errors(&expected).map(|fault| fault.to_string()).collect();
    // The schema's own types know no null in a list, which the specification asks for (section 2.6.2).
    assert!(faults.len() <= 1, "{faults:?}");
}

#[test]
fn a_bundle_in_xml() {
    let text = format!(
        "<Bundle xmlns=\"http://hl7.org/fhir\"><type value=\"collection\"/><entry><fullUrl value=\"urn:x\"/><resource>{}</resource></entry><entry/><entry><resource><Location xmlns=\"http://hl7.org/fhir\"><id value=\"l\"/></Location></resource></entry><entry><resource><Basic><id value=\"b\"/><code><text value=\"x\"/></code></Basic></resource></entry></Bundle>",
        PATIENT.split_once("?>").unwrap().1
    );
    let mut reader = open_bytes(text.as_bytes(), FormatKind::Fhir(FhirForm::Json));
    let addresses =
        ["resourceType", "id", "identifier[system=https://fhir.nhs.uk/Id/nhs-number].value", "code.text"];
    assert_snapshot!(leaves(&mut reader, &addresses).join("\n"), @r"
    1 /Bundle/entry[1]: Patient|p1|9990000018|-
    16 /Bundle/entry[2]: [fhir/no-resource]
    16 /Bundle/entry[3]: Location|l|-|-
    16 /Bundle/entry[4]: Basic|b|-|x
    ");
    assert_snapshot!(notes(&mut reader).join("\n"), @"t, line 16, at /Bundle/entry[4]: a resource or element here is not among those known of FHIR R4; it was read by what it looks like [fhir/unknown]");
}

#[test]
fn what_is_no_fhir_xml_is_refused() {
    let refusal = |text: &str| refused(text.as_bytes(), FormatKind::Fhir(FhirForm::Json)).join("\n");
    assert_snapshot!(refusal("<Patient/>"), @"t, line 1: expected a document in the namespace `http://hl7.org/fhir`, found another or none [xml/shape]");
    assert_snapshot!(refusal("<html xmlns='http://www.w3.org/1999/xhtml'/>"), @"t, line 1: expected a document in the namespace `http://hl7.org/fhir`, found another or none [xml/shape]");
    let cut = PATIENT.split_once("<birthDate").unwrap().0;
    assert_eq!(trees(cut.as_bytes()), [json!("file/truncated")]);
    let with =
        |inner: &str| trees(format!("<Patient xmlns='http://hl7.org/fhir'>{inner}</Patient>").as_bytes());
    assert_eq!(with("<id value='&x;'/>"), [json!("xml/entity")]);
    assert_eq!(with("<id value='1' value='2'/>"), [json!("xml/syntax")]);
    assert_eq!(with("<contained><Patient/><Patient/></contained>"), [json!("xml/syntax")]);
    assert_eq!(with(&format!("{}{}", "<name>".repeat(70), "</name>".repeat(70))), [json!("xml/too-deep")]);
    assert_eq!(with(&"<name/>".repeat(60_000)), [json!("xml/too-many")]);
}

#[test]
fn a_bundle_is_written_in_either_form() {
    let patient = json!({
        "resourceType": "Patient", "birthDate": "1961-07-04", "id": "p1", "active": true,
        "name": [{"family": "<Fell>", "given": ["Ada"]}]
    });
    let printed = |form| String::from_utf8(bundle(&[patient.clone()], form)).unwrap();
    assert_snapshot!(printed(FhirForm::Json), @r#"
    {"resourceType":"Bundle","type":"collection","entry":[
    {"resource":{"resourceType":"Patient","birthDate":"1961-07-04","id":"p1","active":true,"name":[{"family":"<Fell>","given":["Ada"]}]}}
    ]}
    "#);
    assert_snapshot!(printed(FhirForm::Xml), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Bundle xmlns="http://hl7.org/fhir"><type value="collection"/>
    <entry><resource><Patient><id value="p1"/><active value="true"/><name><family value="&lt;Fell&gt;"/><given value="Ada"/></name><birthDate value="1961-07-04"/></Patient></resource></entry>
    </Bundle>
    "#);
    assert_eq!(trees(&bundle(&[], FhirForm::Xml)), Vec::<Value>::new());
}

#[test]
fn a_gap_in_a_list_of_values_is_explained_and_a_list_of_nothing_is_not_written() {
    let at = |address: &str| At::compile(address, None).unwrap();
    let unit = [
        (at("resourceType"), Cell::Text("Patient")),
        (at("address[0].line[1]"), Cell::Text("Sheffield")),
        (at("name[1].family"), Cell::Text("Fell")),
        (at("gender"), Cell::Delete),
    ];
    let unit: Vec<(&At, Cell<'_>)> = unit.iter().map(|(at, cell)| (at, *cell)).collect();
    for form in [FhirForm::Json, FhirForm::Xml] {
        let target = Target::default();
        let mut writer = Writer::new(Box::new(target.clone()), &Layout::Fhir(form)).unwrap();
        assert_eq!(writer.put(None, &unit).unwrap(), None);
        writer.finish().unwrap();
        let line = json!({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]});
        let expected = json!({
            "resourceType": "Patient",
            "name": [{"family": "Fell"}],
            "address": [{"line": [null, "Sheffield"], "_line": [line, null]}]
        });
        assert_eq!(trees(&target.bytes()), [expected]);
    }
}

/// The table of elements as the published schema gives it.
#[test]
fn the_table_is_that_of_the_published_schema() {
    let schema = schema();
    let definitions = schema["definitions"].as_object().unwrap();
    let is_primitive = |name: &str| {
        definitions[name].get("properties").is_none() && definitions[name].get("oneOf").is_none()
    };
    let holds = |member: &Value, definition: Option<&str>| -> String {
        let named =
            definition.map_or_else(|| member["type"].as_str(), |name| definitions[name]["type"].as_str());
        match (definition, named) {
            (Some("ResourceList"), _) => ":&".into(),
            (Some("xhtml"), _) => ":~".into(),
            (Some(name), _) if !is_primitive(name) => format!(":{name}"),
            (_, Some("boolean")) => ":?".into(),
            (_, Some("number")) => ":#".into(),
            _ => String::new(),
        }
    };
    let words = |name: &str| -> Vec<String> {
        let members = definitions[name]["properties"].as_object().unwrap();
        let members = members.iter().filter(|(name, _)| !name.starts_with('_') && *name != "resourceType");
        members
            .map(|(member, of)| {
                let one = of.get("items").unwrap_or(of);
                let definition = one["$ref"].as_str().map(|at| at.rsplit('/').next().unwrap());
                let is_attribute = (member == "id" && definition == Some("string"))
                    || (name == "Extension" && member == "url");
                let (at, star) =
                    (if is_attribute { "@" } else { "" }, if of["type"] == "array" { "*" } else { "" });
                format!("{at}{member}{star}{}", holds(one, definition))
            })
            .collect()
    };
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for (name, of) in definitions.iter().filter(|(name, _)| !is_primitive(name) && *name != "ResourceList") {
        let mark = if of["properties"].get("resourceType").is_some() { "!" } else { "" };
        lines.insert(name.clone(), format!("{mark}{name} {}", words(name).join(" ")));
    }
    // What all resources that may hold text have in common.
    let common: Vec<String> = words("Patient").into_iter().take(8).collect();
    lines.insert("DomainResource".into(), format!("!DomainResource {}", common.join(" ")));
    let table = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/format/fhir/r4.txt");
    let written = std::fs::read_to_string(table).unwrap();
    let written: Vec<&str> = written.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(written, lines.values().collect::<Vec<_>>());
}

/// Resources of a type as the published schema describes it, to a depth.
fn resources(definitions: &'static Map<String, Value>, name: &'static str) -> BoxedStrategy<Value> {
    object(definitions, name, 3)
        .prop_map(move |mut members| {
            let mut resource = Map::new();
            resource.insert("resourceType".into(), json!(name));
            members.remove("resourceType");
            members.remove("contained");
            resource.extend(members);
            Value::Object(resource)
        })
        .boxed()
}

fn object(
    definitions: &'static Map<String, Value>,
    name: &str,
    depth: u32,
) -> BoxedStrategy<Map<String, Value>> {
    let members = definitions[name]["properties"].as_object().unwrap();
    let usable = |member: &(&String, &Value)| {
        let one = member.1.get("items").unwrap_or(member.1);
        let definition = one["$ref"].as_str().map_or("", |at| at.rsplit('/').next().unwrap());
        let is_leaf = definition.is_empty() || definitions[definition].get("properties").is_none();
        // Of a choice one at most may be there; here none of the many of an extension but one.
        let is_choice = member.0.starts_with("value")
            && !["value", "valueString", "valueCode"].contains(&member.0.as_str());
        !member.0.starts_with('_')
            && !is_choice
            && !["ResourceList", "xhtml"].contains(&definition)
            && (is_leaf || depth > 0)
    };
    let names: Vec<(String, Value)> =
        members.iter().filter(usable).map(|(name, of)| (name.clone(), of.clone())).collect();
    prop::sample::subsequence(names.clone(), 0..=names.len().min(5))
        .prop_flat_map(move |chosen| {
            let members: Vec<_> = chosen
                .into_iter()
                .map(|(name, of)| {
                    let one = of.get("items").unwrap_or(&of).clone();
                    let value = value(definitions, &one, depth);
                    let given = if of["type"] == "array" {
                        prop::collection::vec(value, 1..3).prop_map(Value::Array).boxed()
                    } else {
                        value
                    };
                    given.prop_map(move |given| (name.clone(), given))
                })
                .collect();
            members.prop_map(|members| members.into_iter().collect())
        })
        .boxed()
}

fn value(definitions: &'static Map<String, Value>, of: &Value, depth: u32) -> BoxedStrategy<Value> {
    if let Some(words) = of["enum"].as_array() {
        return prop::sample::select(words.clone()).boxed();
    }
    let definition = of["$ref"].as_str().map(|at| at.rsplit('/').next().unwrap());
    let kind = definition.map_or_else(|| of["type"].as_str(), |name| definitions[name]["type"].as_str());
    match (definition, kind) {
        (Some(name), None) => {
            // What has no member at all is no element.
            let name = name.to_owned();
            object(definitions, &name, depth - 1)
                .prop_map(
                    |members| if members.is_empty() { json!({"id": "x"}) } else { Value::Object(members) },
                )
                .boxed()
        }
        (_, Some("boolean")) => any::<bool>().prop_map(Value::from).boxed(),
        (Some("positiveInt"), _) => (1..1_000_i64).prop_map(Value::from).boxed(),
        (_, Some("number")) => (0..1_000_i64).prop_map(Value::from).boxed(),
        (Some("date"), _) => Just(json!("2024-02-29")).boxed(),
        (Some("dateTime"), _) => Just(json!("2024-02-29T12:00:00+00:00")).boxed(),
        (Some("instant"), _) => Just(json!("2024-02-29T12:00:00.000Z")).boxed(),
        (Some("time"), _) => Just(json!("12:00:00")).boxed(),
        (Some("base64Binary"), _) => Just(json!("YWJj")).boxed(),
        (Some("oid"), _) => Just(json!("urn:oid:1.2.3")).boxed(),
        (Some("uuid"), _) => Just(json!("urn:uuid:c757873d-ec9a-4326-a141-556f43239520")).boxed(),
        (Some("string" | "markdown"), _) => "[ -~é]{0,8}[a-z<>&'\"]".prop_map(Value::from).boxed(),
        _ => "[A-Za-z0-9]{1,9}".prop_map(Value::from).boxed(),
    }
}

fn any_resource() -> impl Strategy<Value = Value> {
    let schema: &'static Value = Box::leak(Box::new(schema()));
    let definitions = schema["definitions"].as_object().unwrap();
    let names: Vec<&'static str> = [
        "Patient",
        "EpisodeOfCare",
        "Encounter",
        "Observation",
        "QuestionnaireResponse",
        "CarePlan",
        "Consent",
        "Organization",
        "Practitioner",
        "Task",
    ]
    .into();
    prop::sample::select(names).prop_flat_map(|name| resources(definitions, name))
}

/// As members in no order.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut named: Vec<_> = members.iter().collect();
            named.sort_by_key(|(name, _)| *name);
            named.iter().fold(String::from("{"), |mut text, (name, member)| {
                let _ = write!(text, "{name}:{},", sorted(member));
                text
            }) + "}"
        }
        Value::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        leaf => leaf.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// JSON to XML and back is the same resource, and so is JSON to JSON.
    #[test]
    fn both_forms_hold_the_same(resources in prop::collection::vec(any_resource(), 1..3)) {
        let expected: Vec<String> = resources.iter().map(sorted).collect();
        for form in [FhirForm::Json, FhirForm::Xml] {
            let read: Vec<String> = trees(&bundle(&resources, form)).iter().map(sorted).collect();
            prop_assert_eq!(&read, &expected);
        }
    }
}

/// What is written is what another implementation reads, in both forms.
#[test]
fn another_implementation_reads_what_is_written() {
    let Some(python) = support::python() else { return };
    let resources: Vec<Value> = trees(PATIENT.as_bytes())
        .into_iter()
        .map(|mut patient| {
            let members = patient.as_object_mut().unwrap();
            members.retain(|name, _| !["contained"].contains(&name.as_str()));
            members["name"] = json!([{"use": "official", "family": "Fell", "given": ["Ada"]}]);
            patient
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let (as_json, as_xml) = (folder.path().join("bundle.json"), folder.path().join("bundle.xml"));
    std::fs::write(&as_json, bundle(&resources, FhirForm::Json)).unwrap();
    std::fs::write(&as_xml, bundle(&resources, FhirForm::Xml)).unwrap();
    let output =
        std::process::Command::new(python).arg(data("read")).args([&as_json, &as_xml]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_snapshot!(said, @r"
    json collection: Patient
    xml collection: Patient
    same
    ");
}
