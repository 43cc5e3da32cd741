//! JSON, NDJSON and FHIR.

use insta::assert_snapshot;
use wayleave::format::settings::{FhirForm, FormatKind, JsonSettings};

use crate::format_support::{leaves, notes, open_bytes, refused};

fn json(units: &[&str]) -> FormatKind {
    let units = units.iter().map(ToString::to_string).collect();
    FormatKind::Json(JsonSettings { units, ..JsonSettings::default() })
}

fn lines() -> FormatKind {
    FormatKind::Json(JsonSettings { lines: true, ..JsonSettings::default() })
}

fn read(text: &str, format: FormatKind, addresses: &[&str]) -> Vec<String> {
    leaves(&mut open_bytes(text.as_bytes(), format), addresses)
}

#[test]
fn a_document_a_list_and_a_list_within() {
    assert_eq!(read("{\"a\": 1}", json(&[]), &["a"]), ["1: #1"]);
    assert_eq!(
        read("\u{feff} [ {\"a\": \"x\"} , {\"a\": null},{} ]\n", json(&[]), &["a"]),
        ["1 /0: x", "2 /1: (delete)", "3 /2: -"]
    );
    let text = r#"{"n": [1, {"items": 2}], "data": {"x": "}]", "items": [{"a": true}, {"a": " "}], "y": 1}, "z": []}"#;
    assert_eq!(
        read(text, json(&["data", "items"]), &["a"]),
        ["1 /data/items/0: ?true", "2 /data/items/1: -"]
    );
    assert_eq!(read("[]", json(&[]), &["a"]), Vec::<String>::new());
}

#[test]
fn ndjson_is_one_unit_a_line_and_a_broken_line_breaks_no_other() {
    let text = "{\"a\":1}\n\n{\"a\":\n{\"a\":3}\r\n[1]\n{\"a\":\"é\"}";
    assert_eq!(
        read(text, lines(), &["a"]),
        ["1: #1", "3: [json/syntax]", "4: #3", "5: [json/shape]", "6: é"]
    );
}

#[test]
fn the_unit_may_be_text_within_a_member() {
    let format = || {
        FormatKind::Json(JsonSettings { lines: true, body: Some("body".into()), ..JsonSettings::default() })
    };
    let text = "{\"webhook-id\":\"evt_1\",\"body\":\"{\\\"client_ref\\\":\\\"PI001\\\"}\"}\n{\"body\":3}\n{\"body\":\"{\"}\n";
    assert_eq!(read(text, format(), &["client_ref"]), ["1: PI001", "2: [json/shape]", "3: [json/syntax]"]);
}

#[test]
fn a_cut_off_file_gives_what_is_whole_and_says_where_it_ends() {
    let cut = |text: &str, units: &[&str]| read(text, json(units), &["a"]);
    assert_eq!(cut("[{\"a\":1},{\"a\":2", &[]), ["1 /0: #1", "2 /1: [file/truncated]"]);
    assert_eq!(cut("[{\"a\":1},", &[]), ["1 /0: #1", "2 /1: [file/truncated]"]);
    assert_eq!(cut("[{\"a\":1}", &[]), ["1 /0: #1", "1: [file/truncated]"]);
    assert_eq!(cut("{\"d\":[{\"a\":1}],\"e\"", &["d"]), ["1 /d/0: #1", "1: [file/truncated]"]);
    assert_eq!(cut("{\"a\":1}{\"a\":2}", &[]), ["1: #1", "1: [json/syntax]"]);
    assert_eq!(cut("[{\"a\":1}{\"a\":2}]", &[]), ["1 /0: #1", "1: [json/syntax]"]);
    assert_eq!(cut("[{\"a\" 1},{\"a\":2}]", &[]), ["1 /0: [json/syntax]", "2 /1: #2"]);
}

#[test]
fn bounds_hold_before_anything_is_built() {
    let deep = format!("[{}1{},{{\"a\":2}}]", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    assert_eq!(read(&deep, json(&[]), &["a"]), ["1 /0: [json/too-deep]", "2 /1: #2"]);
    let large = format!("[{{\"a\":\"{}\"}},{{\"a\":2}}]", "x".repeat(5 * 1024 * 1024));
    assert_eq!(read(&large, json(&[]), &["a"]), ["1 /0: [file/unit-too-large]", "2 /1: #2"]);
    let line = format!("{}\n{{\"a\":2}}\n", "[".repeat(5_000));
    assert_eq!(read(&line, lines(), &["a"]), ["1: [json/too-deep]", "2: #2"]);
}

#[test]
fn what_is_no_json_is_refused() {
    let refusal = |text: &[u8], format| refused(text, format).join("\n");
    assert_snapshot!(refusal(b"", json(&[])), @"t: expected rows or messages, found an empty file [file/empty]");
    assert_snapshot!(refusal(b" \n", json(&[])), @"t: expected JSON, found an empty file [file/empty]");
    assert_snapshot!(refusal(b"a,b\n", json(&[])), @"t, line 1: expected JSON, found text that is not [json/syntax]");
    assert_snapshot!(
        refusal(b"{\"a\":{}}", json(&["a", "items"])),
        @"t: expected a list of units at `a.items`, found none [json/shape]"
    );
    assert_snapshot!(
        refusal(b"{\"a\":\"\xEB\"}", json(&[])),
        @"t: expected UTF-8, as JSON always is, found characters that are not [charset/mismatch]"
    );
}

const NHS_NUMBER: &str = "identifier[system=https://fhir.nhs.uk/Id/nhs-number].value";

fn patient(number: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","identifier":[{{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"{number}"}}],"name":[{{"use":"usual","family":"x"}},{{"use":"official","given":["Ada"]}}]}}"#
    )
}

#[test]
fn a_bundle_is_one_unit_a_resource() {
    let text = format!(
        r#"{{"entry":[{{"fullUrl":"urn:x","resource":{}}},{{"fullUrl":"urn:y"}},{{"resource":{{"resourceType":"Encounter","id":"7"}}}}],"type":"collection","resourceType":"Bundle"}}"#,
        patient("9990000018")
    );
    assert_eq!(
        read(
            &text,
            FormatKind::Fhir(FhirForm::Json),
            &["resourceType", NHS_NUMBER, "name[use=official].given[0]"]
        ),
        [
            "1 /entry/0/resource: Patient|9990000018|Ada",
            "2 /entry/1/resource: [fhir/no-resource]",
            "3 /entry/2/resource: Encounter|-|-",
        ]
    );
}

#[test]
fn a_lone_resource_and_a_line_a_resource() {
    assert_eq!(read(&patient("1"), FormatKind::Fhir(FhirForm::Json), &[NHS_NUMBER]), ["1: 1"]);
    let text = format!("{}\n{}\n{{\"x\":1}}\n", patient("1"), patient("2"));
    assert_eq!(
        read(&text, FormatKind::Fhir(FhirForm::Json), &[NHS_NUMBER]),
        ["1: 1", "2: 2", "3: [fhir/no-resource]"]
    );
    let empty = r#"{"resourceType":"Bundle","type":"searchset","total":0}"#;
    assert_eq!(read(empty, FormatKind::Fhir(FhirForm::Json), &["id"]), Vec::<String>::new());
}

#[test]
fn what_is_no_fhir_is_refused() {
    assert_snapshot!(
        refused(b"{\"a\":1}", FormatKind::Fhir(FhirForm::Json)).join("\n"),
        @"t: expected a FHIR Bundle or resource, found JSON without `resourceType` [fhir/no-resource]"
    );
    let cut =
        format!(r#"{{"resourceType":"Bundle","entry":[{{"resource":{}}},{{"resource":{{"#, patient("1"));
    assert_eq!(
        read(&cut, FormatKind::Fhir(FhirForm::Json), &[NHS_NUMBER]),
        ["1 /entry/0/resource: 1", "2 /entry/1/resource: [file/truncated]"]
    );
}

#[test]
fn json_in_utf16_is_read_and_noted() {
    let text: Vec<u8> = "\u{feff}{\"a\":\"é\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut reader = open_bytes(&text, json(&[]));
    assert!(notes(&mut reader).join("").ends_with("[charset/decided]"));
    assert_eq!(leaves(&mut reader, &["a"]), ["1: é"]);
}

#[test]
fn a_code_of_another_system_than_the_one_it_names_is_noted() {
    let patient = |system: &str| {
        format!(
            r#"{{"resourceType":"Patient","identifier":[{{"value":"1","extension":[{{"url":"u","valueCodeableConcept":{{"coding":[{{"system":"https://fhir.hl7.org.uk/CodeSystem/{system}","code":"01"}}]}}}}]}}]}}"#
        )
    };
    let noted = |system: &str| {
        let mut reader = open_bytes(patient(system).as_bytes(), FormatKind::Fhir(FhirForm::Json));
        assert_eq!(leaves(&mut reader, &["identifier[0].value"]), ["1: 1"]);
        notes(&mut reader).join("")
    };
    assert!(noted("UKCore-NHSNumberVerificationStatus").ends_with("[fhir/code-system]"));
    assert_eq!(noted("UKCore-NHSNumberVerificationStatusEngland"), "");
}
