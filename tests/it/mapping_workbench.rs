//! `wayleave mapping coverage` and `explain`: as they are run, and over every shipped mapping.

use std::path::Path;

use assert_cmd::Command;
use wayleave::mapping::coverage::Coverage;
use wayleave::mapping::library::Library;

fn wayleave(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let output = command.current_dir(folder).args(words).output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Somebody who changes a mapping extends its cases: a field that no case sets may be wrong for
/// years.
#[test]
fn every_field_of_a_shipped_mapping_is_set_by_a_case() {
    let library = Library::shipped();
    let mut faults = Vec::new();
    for name in library.names() {
        let mapping = library.mapping(name).unwrap_or_else(|error| panic!("{error}"));
        let cases = library.cases(name).unwrap_or_else(|error| panic!("{error}")).unwrap();
        let mut coverage = Coverage::of(&mapping);
        for case in &cases.cases {
            coverage.take_case(case);
        }
        let unset = coverage.report().unset;
        faults
            .extend(unset.iter().map(|at| format!("{name}: record {} {}.{}", at.record, at.kind, at.field)));
        let is_dirty = |outcome: &String| ["rejected", "quarantined"].contains(&outcome.as_str());
        let dirty = cases.cases.iter().filter(|case| case.outcome.iter().any(is_dirty)).count();
        if cases.cases.len() < 3 || dirty == 0 {
            faults.push(format!("{name}: {} cases, {dirty} of them dirty", cases.cases.len()));
        }
    }
    assert!(faults.is_empty(), "no case sets these:\n{}", faults.join("\n"));
}

const MAPPING: &str = r#"
name = "t/x"
version = 3
one_way = true
format = { csv = { header = "exact", columns = ["Id", "Kind", "Name", "Born", "Sex", "Post", "Remark", "Was"] } }
[subject]
key = ["Id"]
[[record]]
kind = "person"
drives = true
when = { column = "Kind", in = ["new", "old"] }
field = [
  { to = "council_id", from = "Id", as = "id", blank = "reject" },
  { to = "given_name", from = "Name" },
  { to = "birth_date", from = "Born", as = { date = "%d/%m/%Y" }, wrong = "quarantine" },
  { to = "sex", from = "Sex", codes = "tracker/sex", other = "quarantine" },
  { to = "postcode_district", from = "Post", as = "postcode-district", one_way = true },
  { to = "section_117", from = "Was", as = { words = { Y = "true", N = "false" } }, default = false },
]
[[record]]
kind = "goal"
when = { column = "Kind", is = "goal" }
one_way = true
key = ["Id"]
field = [{ to = "area", value = "work" }, { to = "status", value = "overdue" }, { to = "wording", from = "Name" }]
"#;

const CASES: &str = r#"
[[case]]
name = "somebody"
rows = [{ Id = "LL1", Kind = "new", Name = "Ada", Sex = "F" }]
outcome = "accepted"
[[case.record]]
kind = "person"
fields = { council_id = "LL1", given_name = "Ada", sex = "female", section_117 = false }
"#;

fn desk() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.toml"), MAPPING).unwrap();
    std::fs::write(folder.path().join("x.cases.toml"), CASES).unwrap();
    let rows = "Id,Kind,Name,Born,Sex,Post,Remark,Was,Extra\r\n\
        LL1,new,Quillfeather,04/07/1961,F,S99 1AA,r,N,e\r\n\
        LL2,old,Quillfeather,31/02/1961,Q,S99 1AA,,,\r\n";
    std::fs::write(folder.path().join("file.csv"), rows).unwrap();
    folder
}

#[test]
fn what_cases_and_a_file_leave_out_is_listed() {
    let desk = desk();
    let (code, out, err) = wayleave(desk.path(), &["mapping", "coverage", "x.toml", "file.csv"]);
    assert_eq!(code, 0, "{err}");
    assert!(!out.contains("Quillfeather"), "{out}");
    insta::assert_snapshot!(out);
    let (code, ..) = wayleave(desk.path(), &["mapping", "coverage", "x.toml", "--strict"]);
    assert_eq!(code, 1);
    let (code, out, _) = wayleave(desk.path(), &["--json", "mapping", "coverage", "x.toml"]);
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json[0]["by_cases"]["unset"][0]["field"], "birth_date");
    // The shipped ones, all of them.
    let (code, out, err) = wayleave(desk.path(), &["mapping", "coverage", "--strict"]);
    assert_eq!(code, 0, "{out}{err}");
}

/// A record for several sheets is one in the file: what is met on one of them is met, and what is of one
/// alone says of which.
#[test]
fn a_record_for_several_sheets_is_told_as_one() {
    let desk = desk();
    let mapping = "name = \"t/x\"\nversion = 1\n[format.xlsx]\nheader_row = 1\n[subject]\nkey = [\"Id\"]\n\
        [[record]]\nkind = \"milestone\"\ndrives = true\nkey = [\"Id\", { field = \"activity\" }]\nfield = [\n\
        { to = \"outcome\", from = \"A\", as = { words = { X = \"x\", Y = \"y\", Z = \"z\" } } },\n]\n\
        [record.sheets]\nOne = { activity = \"action-plan\" }\nTwo = { activity = \"utilities\" }\n\
        Three = { activity = \"star\" }\n\
        [[record]]\nkind = \"setting\"\nsheet = \"Homes\"\ndrives = true\nkey = [\"Id\"]\nfield = [\n\
        { to = \"name\", from = \"Id\" },\n{ to = \"kind\", value = \"care-home\" },\n]\n";
    let case = |sheet: &str, word: &str| {
        format!(
            "[[case]]\nname = \"{sheet}\"\nsheet = \"{sheet}\"\nrows = [{{ Id = \"1\", A = \"{word}\" }}]\n\
             outcome = [\"accepted\"]\n"
        )
    };
    std::fs::write(desk.path().join("s.toml"), mapping).unwrap();
    std::fs::write(desk.path().join("s.cases.toml"), case("One", "X") + &case("Two", "Y")).unwrap();
    let (_, out, err) = wayleave(desk.path(), &["mapping", "coverage", "s.toml"]);
    insta::assert_snapshot!(format!("{out}{err}"));
}

#[test]
fn places_of_a_message_that_nothing_reads_are_listed() {
    let desk = desk();
    let message = "MSH|^~\\&|TRUST|TAH|WAYLEAVE|WL|20250301090000||ADT^A31|M3|P|2.4\rEVN|A31|20250301090000\r\
        PID|1||T100002^^^TAH^MR||Marsh^Bo||19700101000000|1||||||01140000000\r";
    std::fs::write(desk.path().join("a.hl7"), message).unwrap();
    let (code, out, err) = wayleave(desk.path(), &["--json", "mapping", "coverage", "trust/adt", "a.hl7"]);
    assert_eq!(code, 0, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let unread: Vec<&str> = json[0]["by_file"]["unread"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|at| at["name"].as_str())
        .collect();
    assert!(unread.contains(&"PID-14") && !unread.contains(&"PID-3"), "{unread:?}");
}

#[test]
fn a_value_is_explained_and_withheld_unless_it_is_asked_for() {
    let desk = desk();
    let explain = |words: &[&str]| {
        let words = [&["mapping", "explain", "file.csv", "--mapping", "x.toml"], words].concat();
        wayleave(desk.path(), &words)
    };
    let mut told = String::new();
    for (row, field) in
        [("2", "birth_date"), ("2", "person.sex"), ("2", "postcode_district"), ("3", "section_117")]
    {
        let (code, out, err) = explain(&["--row", row, "--field", field]);
        assert_eq!((code, err.as_str()), (0, ""), "{field}");
        assert!(!out.contains("Quillfeather") && !out.contains("1961") && !out.contains("1AA"), "{out}");
        told.push_str(&out);
        told.push('\n');
    }
    insta::assert_snapshot!(told.replace(&hash(&told), "HASH"));
    let (code, out, err) = explain(&["--row", "2", "--field", "birth_date", "--show"]);
    assert_eq!((code, err.as_str()), (0, "identifying values opened: 3, for `show`\n"));
    assert!(out.contains("04/07/1961") && out.contains("1961-07-04"), "{out}");
    let (_, out, _) = explain(&["--row", "3", "--field", "birth_date", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["rows"][0]["fields"][0]["finding"], "map/date");
    assert_eq!(json["rows"][0]["outcome"], "quarantined");
    assert_eq!(json["hash"].as_str().unwrap().len(), 64);
}

/// The letters of the hash, which change with every word of a code list.
fn hash(told: &str) -> String {
    told.split_once("version 3 (").unwrap().1.split_once(')').unwrap().0.to_owned()
}

#[test]
fn what_cannot_be_explained_says_why() {
    let desk = desk();
    let explain = |words: &[&str]| {
        let words = [&["mapping", "explain", "file.csv"], words].concat();
        wayleave(desk.path(), &words)
    };
    for (words, told) in [
        (&["--mapping", "x.toml", "--row", "9", "--field", "sex"][..], "file.csv has no row 9"),
        (&["--mapping", "x.toml", "--row", "2", "--field", "shoe"], "`t/x` sets no field `shoe`"),
        (
            &["--mapping", "x.toml", "--row", "2", "--field", "persn.sex"],
            "there is no kind of record `persn`",
        ),
        (&["--row", "2", "--field", "sex"], "no mapping at hand reads `sex`"),
    ] {
        let (code, out, err) = explain(words);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(told), "{err}");
    }
}

/// What an explanation ends in is what the mapping reads: they are one run.
#[test]
fn the_mapping_of_a_file_is_found() {
    let desk = desk();
    let costs = "LAS ID;NHS Number;Surname;Forename;Date of Birth;Service Description;Weekly Cost (GBP);Start Date;End Date;Provider\r\n\
        LL0000001;;Fell;Ada;;Residential care;1501.79;14/02/2012;;Home A\r\n";
    std::fs::write(desk.path().join("costs.csv"), costs).unwrap();
    let words = ["mapping", "explain", "costs.csv", "--row", "2", "--field", "service.component", "--json"];
    let (code, out, err) = wayleave(desk.path(), &words);
    assert_eq!(code, 0, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["mapping"], "council/costs");
    let field = &json["rows"][0]["fields"][0];
    assert_eq!(field["cells"][0]["holds"], "Residential care");
    assert_eq!(field["gives"], "long-term-residential-care");
    assert_eq!(field["codes"]["list"], "costs/service");
}
