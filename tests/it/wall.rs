//! The walls that the compiler holds: each case under `tests/wall` stands inside the crate, and
//! must not compile, for the reason its first line gives.
//!
//! They stand inside because a test that compiles from outside proves nothing about walls
//! between modules.

use std::path::Path;
use std::process::Command;

#[test]
fn every_case_fails_to_compile_for_its_own_reason() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases: Vec<_> =
        std::fs::read_dir(top.join("tests/wall")).unwrap().map(|case| case.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 15, "the cases are there");
    // First an empty case: else every case would fail, and prove nothing.
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty_wall_case.rs");
    std::fs::write(&empty, "// expect: nothing\n").unwrap();
    assert_eq!(errors_of(top, &empty), Vec::<String>::new(), "the crate itself compiles");
    for case in cases {
        let name = case.file_stem().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&case).unwrap();
        let expected = text.lines().next().and_then(|line| line.strip_prefix("// expect: ")).unwrap();
        assert_eq!(errors_of(top, &case), [expected], "{name}");
    }
}

/// The codes of the errors, all of which must be in the case's own file.
fn errors_of(top: &Path, case: &Path) -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(top).env("WAYLEAVE_WALL_CASE", case).args([
        "rustc",
        "--offline",
        "--lib",
        "--profile",
        "check",
        "--message-format",
        "json",
        "--quiet",
        "--",
        "--cfg",
        "wall_case",
    ]);
    let output = cargo.output().unwrap();
    let messages = String::from_utf8(output.stdout).unwrap();
    let mut codes = Vec::new();
    for line in messages.lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        let message = &message["message"];
        if message["level"] != "error" || message["spans"].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let file = message["spans"][0]["file_name"].as_str().unwrap();
        assert!(file.contains("wall"), "an error outside the case, in {file}: {}", message["message"]);
        codes.push(message["code"]["code"].as_str().unwrap_or_default().to_owned());
    }
    codes.sort();
    codes.dedup();
    assert_eq!(output.status.success(), codes.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    codes
}
