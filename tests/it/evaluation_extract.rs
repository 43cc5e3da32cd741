//! Extracts: equal byte for byte, reconciled, verified, and readable by others' programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use wayleave::base::finding::Code;
use wayleave::evaluation::collect::answer::Signer;
use wayleave::evaluation::collect::collect;
use wayleave::evaluation::extract::verify::verify;
use wayleave::evaluation::extract::{Built, ExtractError, build};
use wayleave::evaluation::store::Store;

use crate::evaluation_messages::{
    ListDoor, Log, STUDY, aggregate, pseudonym, record, record_name, release_closed, release_id, setting,
    withdrawn,
};
use crate::support::databases;

/// Two people with something recorded, a care home, and a person known only by a goal.
fn messages() -> Vec<Value> {
    let home = record_name(90);
    let given = "2023-05-01";
    let mut unasked =
        record(&pseudonym(2), &record_name(4), "star", (0, 2), given, json!({"completed_on": "2024-02-01"}));
    unasked["data"]["missing"] = json!({"work": "not-asked", "care_home": "no-consent"});
    vec![
        record(
            &pseudonym(2),
            &record_name(1),
            "person",
            (0, 1),
            given,
            json!({"sex": "male", "age_band": "=1+1"}),
        ),
        record(
            &pseudonym(1),
            &record_name(3),
            "star",
            (0, 2),
            given,
            json!({"completed_on": "2024-01-01", "work": 7, "care_home": home}),
        ),
        record(&pseudonym(1), &record_name(2), "person", (0, 1), given, json!({"sex": "female"})),
        unasked,
        record(&pseudonym(3), &record_name(5), "goal", (0, 1), given, json!({"area": "a, \"quoted\" area"})),
        setting(&home, (0, 1), json!({"beds": 12})),
        aggregate(),
        release_closed(json!({"people": 3, "person": 2, "star": 2, "goal": 1, "setting": 1})),
    ]
}

fn take(store: &mut Store, messages: Vec<Value>) {
    let signer = Signer::from_seed(&[7; 32]);
    collect(store, &mut ListDoor::of(messages), &signer, STUDY, &mut |_| true).unwrap();
}

fn collected(messages: Vec<Value>) -> Store {
    let mut store = Store::open("sqlite:file::memory:").unwrap();
    take(&mut store, messages);
    store
}

fn built(store: &mut Store, folder: &Path) -> Result<Built, ExtractError> {
    build(store, STUDY, None, Path::new("nowhere"), Some(folder))
}

/// Every file of a folder with its content.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for inner in [folder.to_owned(), folder.join("data")] {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn text(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap()
}

#[test]
fn one_table_a_kind_sorted_with_everybody_in_person() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("the extract");
    let built = built(&mut collected(messages()), &place).unwrap();
    assert_eq!((built.people, built.is_repeat), (3, false));
    let tables: String = ["person", "star", "goal", "setting", "aggregate-savings"]
        .map(|table| format!("{table}\n{}", text(&place, &format!("data/{table}.csv")).replace("\r\n", "\n")))
        .concat();
    insta::assert_snapshot!(tables, @r#"
    person
    pseudonym,sex,age_band
    S01-0000-0000-0000-0001-0,female,
    S01-0000-0000-0000-0002-0,male,'=1+1
    S01-0000-0000-0000-0003-0,,
    star
    pseudonym,record,completed_on,work,care_home
    S01-0000-0000-0000-0001-0,00000000000000000000000003,2024-01-01,7,00000000000000000000000090
    S01-0000-0000-0000-0002-0,00000000000000000000000004,2024-02-01,-98,-96
    goal
    pseudonym,record,area
    S01-0000-0000-0000-0003-0,00000000000000000000000005,"a, ""quoted"" area"
    setting
    setting,beds
    00000000000000000000000090,12
    aggregate-savings
    group,weekly
    all,1501.79
    moved,
    "#);
    insta::assert_snapshot!("extract_readme", text(&place, "README.md"));
    insta::assert_snapshot!("extract_codebook", text(&place, "codebook.csv").replace("\r\n", "\n"));
    insta::assert_snapshot!("extract_datapackage", text(&place, "datapackage.json"));
}

#[test]
fn two_builds_are_equal_on_every_database_and_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("first");
    built(&mut collected(messages()), &first).unwrap();
    for (index, database) in databases().iter().enumerate() {
        let mut store = Store::open(&database.url).unwrap();
        let mut backwards = messages();
        backwards.reverse();
        take(&mut store, backwards);
        let other = folder.path().join(format!("other {index}"));
        assert!(!built(&mut store, &other).unwrap().is_repeat);
        assert_eq!(content(&first), content(&other));
        assert!(built(&mut store, &other).unwrap().is_repeat);
        assert_eq!(store.list_extracts().unwrap().len(), 1);
    }
    // Nothing half-written is left beside them.
    assert!(
        std::fs::read_dir(folder.path())
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_string_lossy().starts_with('.') })
    );
}

#[test]
fn what_a_killed_build_left_is_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join(".e.part-abc");
    std::fs::create_dir(&left).unwrap();
    built(&mut collected(messages()), &folder.path().join("e")).unwrap();
    assert!(!left.exists());
}

#[test]
fn something_else_in_its_place_is_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("e");
    std::fs::create_dir(&place).unwrap();
    built(&mut collected(messages()), &place).unwrap();
    std::fs::write(place.join("notes.txt"), "mine").unwrap();
    let before = content(&place);
    let error = built(&mut collected(messages()), &place).unwrap_err();
    assert!(matches!(error, ExtractError::Occupied { .. }), "{error}");
    assert_eq!(content(&place), before);
}

#[test]
fn a_count_that_differs_is_named_and_nothing_is_written() {
    fn check(change: impl FnOnce(&mut Vec<Value>), told: &str) {
        let mut messages = messages();
        change(&mut messages);
        let folder = tempfile::tempdir().unwrap();
        let error = built(&mut collected(messages), &folder.path().join("e")).unwrap_err();
        assert!(matches!(error, ExtractError::Unreconciled(_)), "{error}");
        let (_, differences) =
            error.to_string().split_once("release: ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert_eq!(differences, told);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    check(|all| drop(all.remove(1)), "star: expected 2, found 1");
    check(
        |all| all.push(withdrawn(&pseudonym(1), 1, "no-further-use", "2025-04-01", (0, 9))),
        "people: expected 3, found 2; person: expected 2, found 1; star: expected 2, found 1",
    );
    check(
        |all| drop(all.remove(5)),
        "setting: expected 1, found 0; settings that are referred to and do not stand: expected 0, found 1",
    );
    check(
        |all| {
            let second = record(
                &pseudonym(1),
                &record_name(8),
                "person",
                (0, 7),
                "2023-05-01",
                json!({"sex": "male"}),
            );
            all.push(second);
        },
        "person: expected 2, found 3; person records, at most one for each pseudonym: expected 2, found 3",
    );
    check(
        |all| all.push(record(&pseudonym(1), &record_name(8), "contact", (0, 7), "2023-05-01", json!({}))),
        "contact: expected 0, found 1; contact, which the protocol does not release: expected 0, found 1",
    );
}

#[test]
fn a_value_that_breaks_the_protocol_is_refused_and_not_quoted() {
    fn check(fields: Value, told: &str) {
        let mut messages = messages();
        messages[1] = record(&pseudonym(1), &record_name(3), "star", (0, 2), "2023-05-01", fields);
        let folder = tempfile::tempdir().unwrap();
        let error = built(&mut collected(messages), &folder.path().join("e")).unwrap_err();
        assert_eq!(error.to_string(), told);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    check(
        json!({"completed_on": "2024-02-31"}),
        "`star.completed_on`: expected a value of type `date`, in 1 rows",
    );
    check(json!({"work": 1}), "`star.completed_on`: expected a value, in 1 rows");
    check(
        json!({"completed_on": "2024-01-01", "surname": "Canary"}),
        "`star.surname`: expected a field that the protocol names, in 1 rows",
    );
}

#[test]
fn an_unknown_release_is_said_to_be_unknown() {
    let mut store = collected(Vec::new());
    let error = built(&mut store, Path::new("nowhere")).unwrap_err();
    assert!(error.to_string().contains("no closed release at all"), "{error}");
    let known = release_id(9);
    let error = build(&mut store, STUDY, Some(&known), Path::new("x"), None).unwrap_err();
    assert!(error.to_string().contains(&known), "{error}");
}

#[test]
fn verify_finds_a_release_that_does_not_stand_in_the_signed_log() {
    let log = Log::new();
    let found = |from: &str, to: &str, trusted: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("e");
        built(&mut collected(messages()), &place).unwrap();
        let file = place.join("manifest.json");
        let manifest = std::fs::read_to_string(&file).unwrap();
        assert!(manifest.contains(from), "{from} stands in the manifest");
        std::fs::write(&file, manifest.replace(from, to)).unwrap();
        let (verified, findings) = verify(&place, trusted).unwrap();
        let told = findings.kept().iter().find(|finding| finding.code == Code::ExtractProof);
        (verified.signed_by, told.map(|finding| finding.expected.clone()))
    };
    let right = (Some(log.key.clone()), None);
    assert_eq!(found("", "", None), right);
    assert_eq!(found("", "", Some(&log.key)), right);
    let wrong = |expected: &str| (None, Some(expected.to_owned()));
    let other = "0".repeat(64);
    assert_eq!(found("", "", Some(&other)), wrong("a head that is signed with the key that was given"));
    for (from, to) in [("wayleave/test\"", "wayleave/else\""), (log.root.as_str(), other.as_str())] {
        assert_eq!(found(from, to, None), wrong("a head that the key beside it has signed"));
    }
    for (from, to) in [(log.leaf.as_str(), other.as_str()), ("\"index\": 8", "\"index\": 7")] {
        assert_eq!(
            found(from, to, None),
            wrong("a proof that leads from the release's entry to the signed head")
        );
    }
    assert_eq!(found(&log.signature, "none", None), wrong("a signature of 128 hexadecimal digits"));
    assert_eq!(found("\"origin\"", "\"from\"", None), wrong("a signed head of the gateway's log"));
}

#[test]
fn verify_finds_what_was_changed() {
    fn check(change: impl FnOnce(&Path), expected: &[(Code, &str)]) {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("e");
        built(&mut collected(messages()), &place).unwrap();
        change(&place);
        let (_, findings) = verify(&place, None).unwrap();
        let found: Vec<(Code, String)> =
            findings.kept().iter().map(|finding| (finding.code, finding.to_string())).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((code, told), (expected_code, part)) in found.iter().zip(expected) {
            assert_eq!(code, expected_code, "{told}");
            assert!(told.contains(part), "{told}");
        }
    }
    let replace = |file: &'static str, from: &'static str, to: &'static str| {
        move |place: &Path| {
            let path = place.join(file);
            let changed = std::fs::read_to_string(&path).unwrap().replace(from, to);
            std::fs::write(path, changed).unwrap();
        }
    };
    check(|_| {}, &[]);
    check(
        |place| std::fs::remove_file(place.join("data/goal.csv")).unwrap(),
        &[(Code::ExtractFile, "data/goal.csv")],
    );
    check(
        |place| std::fs::write(place.join("notes.txt"), "mine").unwrap(),
        &[(Code::ExtractFile, "notes.txt")],
    );
    check(
        |place| std::fs::remove_file(place.join("manifest.json")).unwrap(),
        &[(Code::ExtractFile, "manifest.json")],
    );
    check(
        |place| std::fs::remove_file(place.join("SHA256SUMS")).unwrap(),
        &[(Code::ExtractFile, "SHA256SUMS")],
    );
    check(replace("SHA256SUMS", "README", "READYOU"), &[(Code::ExtractChanged, "SHA256SUMS")]);
    check(replace("README.md", "people", "poeple"), &[(Code::ExtractChanged, "README.md")]);
    check(replace("README.md", "people", "folk"), &[(Code::ExtractChanged, "bytes")]);
    check(
        replace("data/star.csv", "2024-01-01,7", "2024-01-32,x"),
        &[
            (Code::ExtractChanged, "star.csv"),
            (Code::ExtractShape, "column `completed_on`: a value of type `date`"),
            (Code::ExtractShape, "column `work`: a value of type `integer`"),
        ],
    );
    check(
        replace("data/person.csv", "0001-0,female", "0009-0,hidden"),
        &[
            (Code::ExtractChanged, "person.csv"),
            (Code::ExtractShape, "column `sex`: one of its categories"),
            (Code::ExtractShape, "rows sorted by their key"),
            (Code::ExtractShape, "a row of `person` that it refers to"),
        ],
    );
    check(
        replace("data/goal.csv", "pseudonym,record,area", "pseudonym,record,aera"),
        &[
            (Code::ExtractChanged, "goal.csv"),
            (Code::ExtractShape, "line 1: the columns of the data package"),
        ],
    );
}

#[test]
fn others_programs_read_it() {
    let Some(python) = crate::support::python() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("e");
    built(&mut collected(messages()), &place).unwrap();
    let output = Command::new(python)
        .args(["-m", "frictionless", "validate", "--json", "datapackage.json"])
        .current_dir(&place)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["valid"], true, "{report:#}");
    assert_eq!(report["stats"]["tasks"], 5);
    let sums = Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(&place).output();
    assert!(sums.is_ok_and(|sums| sums.status.success()));
}
