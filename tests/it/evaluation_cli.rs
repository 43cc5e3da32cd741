//! `collect` and `extract` as they are typed.

use std::path::Path;
use std::process::{Command, Output};

use wayleave::evaluation::collect::answer::Signer;
use wayleave::evaluation::collect::collect;
use wayleave::evaluation::store::Store;

use crate::evaluation_messages::{
    ListDoor, STUDY, pseudonym, record, record_name, release_closed, withdrawn,
};

/// A folder with a configuration and keys, as `init` writes them.
fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = wayleave(folder.path(), &["init", "."]);
    assert!(output.status.success(), "{}", told(&output));
    folder
}

fn wayleave(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wayleave")).args(words).current_dir(folder).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Puts one star into the evaluation database of a site.
fn fill(folder: &Path) {
    let mut store = Store::open(&format!("sqlite:{}", folder.join("evaluation.db").display())).unwrap();
    let fields = serde_json::json!({"completed_on": "2024-01-01", "work": 5});
    let star = record(&pseudonym(1), &record_name(1), "star", (0, 1), "2023-05-01", fields);
    let closed = release_closed(serde_json::json!({"people": 1, "star": 1}));
    let signer = Signer::from_seed(&[7; 32]);
    collect(&mut store, &mut ListDoor::of([star, closed]), &signer, STUDY, &mut |_| true).unwrap();
}

/// The one person withdraws.
fn withdraw(folder: &Path) {
    let mut store = Store::open(&format!("sqlite:{}", folder.join("evaluation.db").display())).unwrap();
    let withdrawal = withdrawn(&pseudonym(1), 1, "no-further-use", "2025-04-01", (0, 2));
    let signer = Signer::from_seed(&[7; 32]);
    collect(&mut store, &mut ListDoor::of([withdrawal]), &signer, STUDY, &mut |_| true).unwrap();
}

fn check(folder: &Path, words: &[&str], code: i32, parts: &[&str]) -> Output {
    let output = wayleave(folder, words);
    let all = format!("{}{}", said(&output), told(&output));
    assert_eq!(output.status.code(), Some(code), "{words:?}\n{all}");
    for part in parts {
        assert!(all.contains(part), "{words:?}: no `{part}` in\n{all}");
    }
    output
}

#[test]
fn an_extract_is_built_listed_and_verified() {
    let site = site();
    let folder = site.path();
    check(folder, &["extract", "list"], 0, &["no closed release has been collected"]);
    check(folder, &["extract", "build"], 2, &["no closed release", "hint: run `wayleave collect`"]);
    fill(folder);
    let built = check(folder, &["extract", "build", "--out", "my extract"], 0, &[]);
    insta::assert_snapshot!(said(&built), @r"
    built: my extract
    extract ext_0daee9132242698f1d32536503093962 of rel_00000000000000000000000000000001
    people: 1
    rows:
      person                          1
      star                            1
      goal                            0
      setting                         0
    ");
    check(folder, &["extract", "build", "--out", "my extract"], 0, &["already built, identical: my extract"]);
    std::fs::create_dir(folder.join("taken")).unwrap();
    std::fs::write(folder.join("taken/notes.txt"), "mine").unwrap();
    check(folder, &["extract", "build", "--out", "taken"], 2, &["left untouched", "hint: "]);
    assert_eq!(std::fs::read_to_string(folder.join("taken/notes.txt")).unwrap(), "mine");
    check(folder, &["extract", "build"], 0, &["extracts/promoting-independence_2025-03-31_rel_0000"]);
    check(folder, &["extract", "list"], 0, &[STUDY, "2025-03-31T12:00:00.000Z", "ext_"]);
    let json = said(&check(folder, &["--json", "extract", "list"], 0, &[]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["releases"][0]["study"], STUDY);
    check(folder, &["extract", "verify", "my extract"], 0, &["verified: ext_", "4 tables, 2 rows"]);

    withdraw(folder);
    check(
        folder,
        &["collect"],
        0,
        &["my extract: 1 people in it have withdrawn since", "extracts/promoting"],
    );
    check(folder, &["extract", "build"], 2, &["people: expected 1, found 0", "build the newest release"]);

    std::fs::write(folder.join("my extract/README.md"), "mine").unwrap();
    let parts = ["error: README.md", "[extract/changed]", "hint: ", "not verified: 1 findings"];
    check(folder, &["extract", "verify", "my extract"], 1, &parts);
    check(folder, &["extract", "verify", "nowhere"], 2, &["cannot read nowhere", "hint: "]);
}

#[test]
fn collect_says_what_came_and_what_is_wrong() {
    let site = site();
    let folder = site.path();
    check(folder, &["collect"], 2, &["no study is known here", "hint: name one with --study"]);
    check(folder, &["collect", "--study", STUDY], 0, &["promoting-independence: nothing new"]);
    let json = said(&check(folder, &["--json", "collect", "--study", STUDY], 0, &[]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json[0]["received"], &json[0]["study"]), (&0.into(), &STUDY.into()));
    check(folder, &["collect", "--study", "No Queue"], 2, &["cannot name a queue"]);
    check(folder, &["collect", "--stdy", STUDY], 64, &["--study"]);

    let config = std::fs::read_to_string(folder.join("wayleave.toml")).unwrap();
    let with = |from: &str, to: &str| {
        std::fs::write(folder.join("wayleave.toml"), config.replace(from, to)).unwrap();
    };
    with("sqlite:evaluation.db", "sqlite:nowhere/evaluation.db");
    check(folder, &["collect", "--study", STUDY], 2, &["no folder", "make it first"]);
    with("sqlite:evaluation.db", "postgres://w@127.0.0.1:1/way?passfile=canary");
    let output = check(folder, &["collect", "--study", STUDY], 2, &["postgres://w@127.0.0.1:1/way"]);
    assert!(!told(&output).contains("canary"));
    with("keys/evaluation.key", "keys/none.key");
    check(
        folder,
        &["collect", "--study", STUDY],
        2,
        &["cannot read the evaluation key", "hint: run `wayleave init`"],
    );
    crate::sshd::secret(&folder.join("keys/none.key"), "canary");
    check(folder, &["collect", "--study", STUDY], 2, &["expected 64 hexadecimal digits"]);
}
