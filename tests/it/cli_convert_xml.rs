//! `wayleave convert` from and to XML, as it is run.

use std::path::Path;

use assert_cmd::Command;

const MAPPING: &str = r#"
name = "council/report"
version = 1

[format.xml]
units = "report.person"
columns = ["@id", "nhs_number", "born", "name.last", "name.first", "phone"]

[subject]
key = ["@id"]

[[record]]
kind = "person"
drives = true
field = [
  { to = "council_id", from = "@id", as = "id", blank = "reject" },
  { to = "nhs_number", from = "nhs_number", as = "nhs-number" },
  { to = "birth_date", from = "born", as = { date = "%d/%m/%Y" } },
  { to = "family_name", from = "name.last" },
  { to = "given_name", from = "name.first" },
]
"#;

fn convert(folder: &Path, words: &[&str], input: &str) -> (String, String) {
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let output = command.current_dir(folder).arg("convert").args(words).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("report.toml"), MAPPING).unwrap();
    let document = "<report><person id=\"LL0000001\"><nhs_number>9990000018</nhs_number><born>04/07/1961</born><name><last>Fell &amp; Co</last><first>Ada</first></name></person></report>";
    let (records, _) = convert(folder.path(), &["--mapping", "report.toml", "-"], document);
    insta::assert_snapshot!(records, @r#"{"line":1,"path":"/report/person[1]","records":[{"kind":"person","subject":"LL0000001","key":"LL0000001","fields":{"council_id":"LL0000001","nhs_number":"9990000018","birth_date":"1961-07-04","family_name":"Fell & Co","given_name":"Ada"}}]}"#);
    let (written, told) =
        convert(folder.path(), &["--mapping", "report.toml", "--to", "report.toml", "-"], document);
    insta::assert_snapshot!(written, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <report xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <person id="LL0000001"><nhs_number>9990000018</nhs_number><born>04/07/1961</born><name><last>Fell &amp; Co</last><first>Ada</first></name><phone/></person>
    </report>
    "#);
    assert!(told.contains("received 1: accepted 1"), "{told}");
    let (again, _) = convert(folder.path(), &["--mapping", "report.toml", "-"], &written);
    assert_eq!(again.split_once("\"records\"").unwrap().1, records.split_once("\"records\"").unwrap().1);
}

#[test]
fn fhir_is_written_in_the_form_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let patient = r#"{"resourceType":"Patient","id":"T1","identifier":[{"system":"https://trust.example/Id/local-patient-id","value":"T1"}],"birthDate":"1961-07-04","name":[{"use":"official","family":"Fell","given":["Ada"]}]}"#;
    let words = ["--mapping", "trust/fhir", "--to", "trust/fhir", "--form", "xml", "-"];
    let (written, _) = convert(folder.path(), &words, patient);
    insta::assert_snapshot!(written, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Bundle xmlns="http://hl7.org/fhir"><type value="collection"/>
    <entry><resource><Patient><meta><profile value="https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient"/></meta><identifier><system value="https://trust.example/Id/local-patient-id"/><value value="T1"/></identifier><active value="true"/><name><use value="official"/><family value="Fell"/><given value="Ada"/></name><birthDate value="1961-07-04"/></Patient></resource></entry>
    </Bundle>
    "#);
    let back = ["--mapping", "trust/fhir", "--to", "trust/fhir", "-"];
    assert_eq!(convert(folder.path(), &back, &written).0, convert(folder.path(), &back, patient).0);
    let (_, told) = convert(
        folder.path(),
        &["--mapping", "trust/fhir", "--to", "trust/adt", "--form", "xml", "-"],
        patient,
    );
    insta::assert_snapshot!(told, @r"
    error: the mapping `trust/adt` does not write FHIR
    hint: leave `--form` out: only FHIR has two forms
    ");
}

#[test]
fn a_mapping_says_what_it_needs_of_xml() {
    let folder = tempfile::tempdir().unwrap();
    let broken = MAPPING
        .replace("units = \"report.person\"\n", "namespaces = { \"a:b\" = \"urn:x\" }\n")
        .replace("\"born\",", "\"c:born\",")
        .replace("from = \"born\"", "from = \"a b\"");
    std::fs::write(folder.path().join("report.toml"), broken).unwrap();
    let (_, told) = convert(folder.path(), &["--mapping", "report.toml", "-"], "<report/>");
    insta::assert_snapshot!(told, @r#"
    error: the mapping has faults
    report.toml:5:9: `xml` needs the names that lead to the element that is a unit
      |
    5 | [format.xml]
      |         ^^^
    hint: add `units = "forms.form"`, beginning with the outermost

    report.toml:6:16: expected a prefix of letters, such as `core`
      |
    6 | namespaces = { "a:b" = "urn:x" }
      |                ^^^^^

    report.toml:5:9: `c:born` is no address in XML: the prefix `c` stands in no `namespaces`
      |
    5 | [format.xml]
      |         ^^^
    "#);
}
