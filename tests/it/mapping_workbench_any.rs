//! The workbench on a file of each format, as somebody tries it who names no mapping, and with what is
//! no such file.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use wayleave::synth::demo;

struct Desk {
    folder: tempfile::TempDir,
    plan: demo::DemoPlan,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = demo::render(folder.path()).unwrap();
        Self { folder, plan }
    }

    fn file(&self, feed: &str) -> PathBuf {
        let of = |one: &&demo::FeedFile| format!("{}/{}", one.source, one.feed) == feed;
        self.plan.feeds.iter().find(of).unwrap().file.clone()
    }

    fn run(&self, words: &[&str]) -> (i32, String, String) {
        let mut command = Command::cargo_bin("wayleave").unwrap();
        command.current_dir(self.folder.path()).env("WAYLEAVE_CONFIG", "nowhere.toml");
        let output = command.args(["mapping"]).args(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A feed of each format, a field, and the mapping that its rows are of.
const FEEDS: [(&str, &str, &str); 6] = [
    ("council/cld", "person.gender", "council/cld"),
    ("council/costs", "service.weekly_cost", "council/costs"),
    ("housing/tracker", "star.edition", "housing/tracker"),
    ("housing/events", "goal.status", "housing/events"),
    ("trust/fhir", "contact.type", "trust/fhir"),
    ("trust/adt", "person.sex", "trust/adt"),
];

/// The number of the first unit of a feed's file that has the field.
fn row_of(feed: &str, file: &Path) -> usize {
    let read = || std::fs::read_to_string(file).unwrap();
    match feed {
        "housing/events" => 1 + read().lines().position(|line| line.contains("goal_updated")).unwrap(),
        "trust/fhir" => {
            let bundle: Value = serde_json::from_str(&read()).unwrap();
            let entries = bundle["entry"].as_array().unwrap();
            1 + entries.iter().position(|entry| entry["resource"]["resourceType"] == "Encounter").unwrap()
        }
        "trust/adt" => 1,
        "housing/tracker" => 4,
        _ => 2,
    }
}

#[test]
fn a_value_of_any_format_is_explained_without_naming_the_mapping() {
    let desk = Desk::new();
    for (feed, field, mapping) in FEEDS {
        let file = desk.file(feed);
        let row = row_of(feed, &file).to_string();
        let (code, out, err) = desk.run(&["explain", text(&file), "--row", &row, "--field", field, "--json"]);
        assert_eq!(code, 0, "{feed}: {err}");
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["mapping"], mapping);
        assert!(json["version"].as_u64().is_some_and(|version| version > 0), "{json}");
        let told = &json["rows"][0]["fields"][0];
        assert!(told["cells"][0]["from"].as_str().is_some_and(|from| !from.is_empty()), "{told}");
        assert_eq!(told["how"], "read", "{told}");
        assert!(!told["gives"].is_null(), "{told}");
    }
}

#[test]
fn drift_of_any_format_is_told_without_naming_the_mapping() {
    let desk = Desk::new();
    for (feed, _, mapping) in FEEDS {
        let file = desk.file(feed);
        let (code, out, err) = desk.run(&["drift", text(&file), text(&file)]);
        assert_eq!((code, out), (0, format!("{mapping}: nothing has changed\n")), "{err}");
    }
    // A code that is new, a field that is gone, and one that has come, in trees and messages too.
    let changed = |feed: &str, change: &dyn Fn(&str) -> String| -> (i32, String) {
        let file = desk.file(feed);
        let other = desk.folder.path().join(file.file_name().unwrap());
        std::fs::write(&other, change(&std::fs::read_to_string(&file).unwrap())).unwrap();
        let (code, out, _) = desk.run(&["drift", text(&file), text(&other)]);
        (code, out)
    };
    let (code, out) = changed("trust/adt", &|messages| {
        let segments = messages.split('\r').map(|segment| {
            let mut fields: Vec<&str> = segment.split('|').collect();
            if fields[0] == "PID" {
                fields.resize(fields.len().max(15), "");
                fields[7] = "";
                fields[8] = "W";
                fields[14] = "01140000000";
            }
            fields.join("|")
        });
        segments.collect::<Vec<_>>().join("\r")
    });
    assert_eq!(code, 1, "{out}");
    for told in ["! column-gone  `PID-7`", "! code-new     `PID-8`: `W`", "column-new   `PID-14`"] {
        assert!(out.contains(told), "{told}\n{out}");
    }
    // Numbers of fields are no names: nothing says that one is the other's now.
    assert!(!out.contains("write `PID-14`"), "{out}");
    let (code, out) = changed("trust/fhir", &|bundle| {
        bundle
            .replace("\"gender\": \"female\"", "\"gender\": \"woman\"")
            .replace("\"birthDate\"", "\"bornOn\"")
    });
    assert_eq!(code, 1, "{out}");
    for told in ["! column-gone  `birthDate`", "! code-new     `gender`: `woman`", "column-new   `bornOn`"] {
        assert!(out.contains(told), "{told}\n{out}");
    }
    let (code, out) = changed("housing/events", &|events| events.replace("living_skills", "cooking"));
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("! column-gone  `living_skills`"), "{out}");
}

#[test]
fn what_is_lost_when_a_value_is_written_elsewhere_is_explained() {
    let desk = Desk::new();
    let mapping = r#"
name = "t/x"
version = 1
format = { csv = { header = "exact" } }
[subject]
key = ["Id"]
[[record]]
kind = "person"
field = [
  { to = "council_id", from = "Id", as = "id" },
  { to = "trust_id", from = "Id", as = "id", one_way = true },
  { to = "ethnicity", from = "Ethnicity", codes = "cld/ethnicity" },
  { to = "employment", from = "Employment", codes = "core/employment" },
  { to = "funding_status", from = "Funding", codes = "cld/funding-status" },
]
"#;
    std::fs::write(desk.folder.path().join("x.toml"), mapping).unwrap();
    let rows =
        "Id,Ethnicity,Employment,Funding\r\nA1,White: Roma,0,Fully client funded\r\nA2,White: Irish,2,\r\n";
    std::fs::write(desk.folder.path().join("x.csv"), rows).unwrap();
    let explain = |row: &str, field: &str, to: &str| {
        let words = ["explain", "x.csv", "--mapping", "x.toml", "--row", row, "--field", field, "--to", to];
        let (code, out, err) = desk.run(&words);
        assert_eq!((code, err.as_str()), (0, ""), "{field}");
        out
    };
    let wider = explain("2", "ethnicity", "trust/fhir");
    assert!(wider.contains("codes nhs/ethnic-category, version 2001 categories, 16+1: `C`"), "{wider}");
    assert!(wider.contains("lossy  `C` stands for more than this, and is not read back as it"), "{wider}");
    let whole = explain("3", "ethnicity", "trust/fhir");
    assert!(whole.contains(": `B`") && !whole.contains("lossy"), "{whole}");
    let none = explain("2", "employment", "council/cld");
    assert!(none.contains("lossy  the list has no word for it"), "{none}");
    let no_place = explain("2", "funding_status", "trust/adt");
    assert!(no_place.contains("has no place for it: it is not written"), "{no_place}");
    // And the conversion says the same.
    let convert = |to: &str| -> Value {
        let mut command = Command::cargo_bin("wayleave").unwrap();
        command.current_dir(desk.folder.path()).env("WAYLEAVE_CONFIG", "nowhere.toml");
        let words = ["convert", "--json", "--mapping", "x.toml", "--to", to, "x.csv", "out"];
        let output = command.args(words).output().unwrap();
        serde_json::from_slice(&output.stderr).unwrap()
    };
    let told = convert("trust/fhir");
    assert_eq!(told["findings"]["map/wider-code"], 1, "{told}");
    let told = convert("council/cld");
    assert_eq!(told["lost"][0]["word"], "other", "{told}");
    assert_eq!(told["lost"][0]["list"], "cld/employment", "{told}");
}

/// Each verb, used wrongly: what is said, and 2 (it could not be done) or 64 (it was not asked rightly).
#[test]
fn what_is_used_wrongly_says_what_to_do() {
    let desk = Desk::new();
    let (cld, adt, tracker) =
        (desk.file("council/cld"), desk.file("trust/adt"), desk.file("housing/tracker"));
    std::fs::write(desk.folder.path().join("empty.csv"), "").unwrap();
    std::fs::write(desk.folder.path().join("broken.toml"), "name = \n").unwrap();
    for (words, code, told) in [
        (&["test", "council/cdl"][..], 2, "did you mean `council/cld`?"),
        (&["test", "nowhere.toml"], 2, "name a shipped mapping"),
        (&["test", "broken.toml"], 2, "broken.toml:1:"),
        (&["coverage", "council/cld", "nowhere.csv"], 2, "nowhere.csv"),
        (&["coverage", "council/cld", text(&adt)], 2, "[charset/mismatch]"),
        (&["coverage", "council/cld", text(&tracker)], 2, "[file/binary]"),
        (&["coverage", "council/cld", "empty.csv"], 2, "[file/empty]"),
        (&["explain", text(&cld), "--field", "gender"], 64, "--row <N>"),
        (&["explain", text(&cld), "--row", "2"], 64, "--field <FIELD>"),
        (&["explain", "nowhere.csv", "--row", "2", "--field", "gender"], 2, "nowhere.csv"),
        (&["explain", text(&cld), "--row", "99999", "--field", "gender"], 2, "row 99999"),
        (&["explain", text(&cld), "--row", "2", "--field", "gender", "--to", "trust/adr"], 2, "trust/adt"),
        (&["draft", "nowhere.csv"], 2, "nowhere.csv"),
        (&["draft", "empty.csv"], 2, "[file/empty]"),
        (&["draft", text(&adt)], 2, "trust/adt reads"),
        (&["drift", "nowhere.csv", text(&cld)], 2, "there is no file nowhere.csv"),
        (&["drift", text(&cld), "nowhere.csv"], 2, "nowhere.csv"),
        (&["drift", "empty.csv", "empty.csv"], 2, "no mapping at hand makes records of empty.csv"),
        (&["drift", text(&cld), text(&adt)], 2, "[charset/mismatch]"),
        (&["drift", "--mapping", "council/cld", text(&cld), "empty.csv"], 2, "[file/empty]"),
    ] {
        let (ended, out, err) = desk.run(words);
        assert_eq!((ended, out.as_str()), (code, ""), "{words:?}: {err}");
        assert!(err.contains(told), "{words:?}: {err}");
    }
}

/// A mapping whose golden records differ says which field of which record, and ends in 1.
#[test]
fn a_golden_difference_is_shown_field_by_field() {
    let desk = Desk::new();
    let mapping = "name = \"t/y\"\nversion = 1\nformat = { csv = { header = \"exact\", columns = [\"Id\", \"Born\"] } }\n[subject]\nkey = [\"Id\"]\n[[record]]\nkind = \"person\"\nfield = [{ to = \"council_id\", from = \"Id\" }, { to = \"birth_date\", from = \"Born\" }]\n";
    std::fs::write(desk.folder.path().join("y.toml"), mapping).unwrap();
    let cases = |date: &str| {
        let text = format!(
            "[[case]]\nname = \"one\"\nrows = [{{ Id = \"A1\", Born = \"1961-07-04\" }}]\noutcome = \"accepted\"\n[[case.record]]\nkind = \"person\"\nfields = {{ council_id = \"A1\", birth_date = \"{date}\" }}\n"
        );
        std::fs::write(desk.folder.path().join("y.cases.toml"), text).unwrap();
        desk.run(&["test", "y.toml"])
    };
    let (code, out, _) = cases("1961-07-04");
    assert_eq!((code, out.as_str()), (0, "y.toml: 1 cases hold\n"));
    let (code, out, _) = cases("1961-04-07");
    assert_eq!(code, 1, "{out}");
    for told in ["y.cases.toml:2: one", "birth_date", "1961-04-07", "1961-07-04", "1 of 1 cases do not hold"]
    {
        assert!(out.contains(told), "{told}\n{out}");
    }
}
