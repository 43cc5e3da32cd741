//! `wayleave convert` and `wayleave mapping`, as they are run.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

fn wayleave(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("wayleave").unwrap();
    command.current_dir(folder);
    command
}

fn costs(rows: &str) -> String {
    format!(
        "LAS ID;NHS Number;Surname;Forename;Date of Birth;Service Description;Weekly Cost (GBP);Start Date;End Date;Provider\r\n{rows}"
    )
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn convert(folder: &Path, words: &[&str], input: Option<&str>) -> Ran {
    let mut command = wayleave(folder);
    command.arg("convert").args(words);
    if let Some(input) = input {
        command.write_stdin(input);
    }
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

const ROW: &str =
    "LL0000001;9990000018;Quillfeather;Thomasina;04/07/1961;Residential care;1501.79;14/02/2012;;Home A\r\n";

#[test]
fn records_come_out_a_line_a_unit() {
    let folder = tempfile::tempdir().unwrap();
    let ran = convert(folder.path(), &["--mapping", "council/costs", "-"], Some(&costs(ROW)));
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.out, @r#"{"line":2,"records":[{"kind":"person","subject":"LL0000001","key":"LL0000001","fields":{"council_id":"LL0000001","nhs_number":"9990000018","given_name":"Thomasina","family_name":"Quillfeather","birth_date":"1961-07-04"}},{"kind":"service","subject":"LL0000001","key":"LL0000001|long-term-residential-care|2012-02-14","fields":{"component":"long-term-residential-care","weekly_cost":1501.79,"started_on":"2012-02-14","provider":"Home A"}}]}"#);
    assert!(!ran.err.contains("Quillfeather"), "{}", ran.err);
    assert!(ran.err.contains("received 1: accepted 1, filtered 0, quarantined 0, rejected 0"), "{}", ran.err);
}

#[test]
fn what_is_wrong_goes_to_the_rejects_and_ends_in_1() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = ROW.replace("14/02/2012", "31/02/2012");
    file(folder.path(), "in put.csv", &costs(&format!("{ROW}{wrong}")));
    let words = ["--mapping", "council/costs", "--rejects", "rejects.ndjson", "in put.csv", "out.ndjson"];
    let ran = convert(folder.path(), &words, None);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}", ran.err);
    let out = std::fs::read_to_string(folder.path().join("out.ndjson")).unwrap();
    assert_eq!(out.lines().count(), 1);
    let rejects = std::fs::read_to_string(folder.path().join("rejects.ndjson")).unwrap();
    insta::assert_snapshot!(rejects, @r#"{"line":3,"column":"Start Date","outcome":"rejected","severity":"error","code":"map/date","expected":"expected a day that exists, as `dd/mm/yyyy`","hint":"correct the date in the sender's system"}"#);
}

#[test]
fn there_and_back_is_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "in.csv", &costs(ROW));
    let words = ["--mapping", "council/costs", "--to", "council/costs", "in.csv", "out.csv"];
    let ran = convert(folder.path(), &words, None);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let out = std::fs::read_to_string(folder.path().join("out.csv")).unwrap();
    assert_eq!(out.trim_start_matches('\u{feff}'), costs(ROW));
}

#[test]
fn a_cost_with_a_minus_is_read_and_written_without_it_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let costs = include_bytes!("../torture/council/cld--costs.csv");
    let costs = String::from_utf8_lossy(costs);
    let rows: Vec<&str> =
        costs.lines().enumerate().filter(|(at, _)| [0, 5].contains(at)).map(|(_, row)| row).collect();
    file(folder.path(), "in.csv", &rows.join("\r\n"));
    let words = ["--mapping", "council/cld", "--to", "council/cld", "in.csv", "out.csv"];
    let ran = convert(folder.path(), &words, None);
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.err, @r"
    identifying values opened: 7, for `convert`
    warning: in.csv, line 2, column `Unit Cost`: expected a cost of nothing or more, read it without its minus [map/cost-minus]
      hint: take the minus away in the sender's system, or take the row out if it is a refund
    received 1: accepted 1, filtered 0, quarantined 0, rejected 0
    records: person 1, service 1
    written: 1
    ");
    let out = std::fs::read_to_string(folder.path().join("out.csv")).unwrap();
    assert!(rows[1].contains(",-5.00,") && out.contains(",5.00,"), "{out}");
    // What was written is as it should be, and nothing is said of it.
    let words = ["--mapping", "council/cld", "--to", "council/cld", "out.csv", "again.csv"];
    let again = convert(folder.path(), &words, None);
    assert!(again.code == 0 && !again.err.contains("minus"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(folder.path().join("again.csv")).unwrap(), out);
}

#[test]
fn joint_tenants_are_written_with_the_tenancy_each_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let joint = r#"{"id": "t5", "householdMembers": [{"id": "m1", "fullName": "Ada Fell", "isResponsible": true}, {"id": "m2", "fullName": "Bo Fell", "isResponsible": true}], "startOfTenureDate": "2022-07-02T00:00:00", "tenureType": {"code": "SEC"}}"#;
    file(folder.path(), "in.json", joint);
    let read = |name: &str| {
        let ran = convert(folder.path(), &["--mapping", "housing/tenures", name], None);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let lines = ran.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let mut records: Vec<String> = lines
            .flat_map(|line| line["records"].as_array().unwrap().clone())
            .map(|one| one.to_string())
            .collect();
        records.sort_unstable();
        records
    };
    let words = ["--mapping", "housing/tenures", "--to", "housing/tenures", "in.json", "back.json"];
    let ran = convert(folder.path(), &words, None);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("records: person 2, accommodation 2\nwritten: 2"), "{}", ran.err);
    assert_eq!(read("back.json"), read("in.json"));
}

/// Words that one code list reads as one.
const LOSSY: &str = r#"
name = "t/x"
version = 1
format = { csv = { header = "exact" } }
[subject]
key = ["Id"]
[[record]]
kind = "accommodation"
field = [
  { to = "started_on", from = "Since" },
  { to = "previous_type", from = "Before", codes = "core/previous-tenure" },
  { to = "type", from = "Now", codes = "tracker/accommodation", blank = "reject" },
  { to = "settled", from = "Now", codes = "tracker/settled", one_way = true },
]
"#;

#[test]
fn what_a_code_list_loses_on_the_way_in_is_counted_by_field_and_list() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "x.toml", LOSSY);
    // Five codes stand for one sort of tenancy; 19 is alone with its word; the last row is rejected.
    let rows = "A1,2024-02-01,30,Refuge\r\nA2,2024-02-02,32,Refuge\r\nA3,2024-02-03,19,Refuge\r\nA4,2024-02-04,30,\r\n";
    file(folder.path(), "in.csv", &format!("Id,Since,Before,Now\r\n{rows}"));
    let ran = convert(folder.path(), &["--mapping", "x.toml", "in.csv", "out.ndjson"], None);
    insta::assert_snapshot!(ran.err, @r"
    identifying values opened: 6, for `convert`
    error: in.csv, line 5, column `Now`: expected a value for `type` [map/blank]
      hint: fill the cell in the sender's system
    note: in.csv: read as UTF-8: it holds plain letters only [charset/decided]
      hint: declare the encoding in the mapping so that it is checked
    note: in.csv: cells are separated by a comma [csv/separator]
      hint: declare `separator` in the mapping so that it is checked
    received 4: accepted 3, filtered 0, quarantined 0, rejected 1
    records: accommodation 3
    lossy: `accommodation.previous_type` was read through `core/previous-tenure` from words that do not come back (2 times)
    ");
    let ran = convert(folder.path(), &["--json", "--mapping", "x.toml", "in.csv", "out.ndjson"], None);
    let told: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    insta::assert_snapshot!(told["lossy"], @r#"[{"field":"accommodation.previous_type","list":"core/previous-tenure","count":2}]"#);
}

#[test]
fn a_file_that_cannot_be_read_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "out.ndjson", "old");
    file(folder.path(), "empty.csv", "");
    file(folder.path(), "other.csv", "a;b\r\n1;2\r\n");
    for (name, code, told) in
        [("missing.csv", 2, "missing.csv"), ("empty.csv", 1, "file/empty"), ("other.csv", 1, "refused")]
    {
        let ran = convert(folder.path(), &["--mapping", "council/costs", name, "out.ndjson"], None);
        assert_eq!(ran.code, code, "{name}: {}", ran.err);
        assert!(ran.err.contains(told), "{name}: {}", ran.err);
        assert_eq!(std::fs::read_to_string(folder.path().join("out.ndjson")).unwrap(), "old");
    }
}

#[test]
fn a_mapping_that_is_not_there_or_wrong_cannot_be_run() {
    let folder = tempfile::tempdir().unwrap();
    let ran = convert(folder.path(), &["--mapping", "council/cost", "-"], Some(""));
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.err, @r"
    error: there is no mapping `council/cost`
    hint: did you mean `council/costs`?
    ");
    file(folder.path(), "x.toml", "name = \"t/x\"\nversion = 1\nformat = \"csv\"\nrecrd = 1\n");
    let ran = convert(folder.path(), &["--mapping", "x.toml", "-"], Some(""));
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.err, @r#"
    error: the mapping has faults
    x.toml:4:1: unknown key `recrd` in a mapping
      |
    4 | recrd = 1
      | ^^^^^
    hint: did you mean `record`?

    x.toml:1:1: a mapping has no `record`
      |
    1 | name = "t/x"
      | ^
    "#);
    assert_eq!(convert(folder.path(), &["-"], Some("")).code, 64);
}

#[test]
fn cases_are_run_and_a_difference_ends_in_1() {
    let folder = tempfile::tempdir().unwrap();
    wayleave(folder.path()).args(["mapping", "test"]).assert().code(0);
    let mapping = "name = \"t/x\"\nversion = 1\nformat = \"csv\"\n[subject]\nkey = [\"Id\"]\n[[record]]\nkind = \"person\"\nfield = [{ to = \"given_name\", from = \"Name\" }]\n";
    file(folder.path(), "x.toml", mapping);
    let cases = "[[case]]\nname = \"a name\"\nrows = [{ Id = \"1\", Name = \"Ada\" }]\noutcome = \"accepted\"\n[[case.record]]\nkind = \"person\"\nfields = { given_name = \"Bo\" }\n";
    file(folder.path(), "x.cases.toml", cases);
    let output = wayleave(folder.path()).args(["mapping", "test", "x.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r#"
    x.cases.toml:2: a name
      - person.given_name = "Bo"
      + person.given_name = "Ada"
    x.toml: 1 of 1 cases do not hold
    "#);
    let output = wayleave(folder.path()).args(["--json", "mapping", "test", "x.toml"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json[0]["failed"][0]["differences"][0], "- person.given_name = \"Bo\"");
    // A mapping without cases has shown nothing.
    file(folder.path(), "y.toml", &mapping.replace("t/x", "t/y"));
    wayleave(folder.path()).args(["mapping", "test", "y.toml"]).assert().code(1);
}
