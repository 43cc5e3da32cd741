//! What the tests say to whoever runs them with less than they need: nothing is left out in
//! silence.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use crate::support::folder;

/// A machine with these programs and no others, whose user is not root.
fn bare(programs: &[&str], words: &[&str]) -> Output {
    let folder = folder();
    for program in programs {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
        let place = String::from_utf8(found.stdout).unwrap();
        symlink(place.trim(), folder.path().join(program)).unwrap();
    }
    let script = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    };
    script("id", "#!/bin/sh\necho 1000\n");
    // Nothing of it may run before what is missing is told.
    script("cargo", "#!/bin/sh\necho 'cargo was begun' >&2\nexit 9\n");
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/all"))
        .args(words)
        .env("PATH", folder.path())
        .env("CARGO_TARGET_DIR", folder.path().join("target"))
        .output()
        .unwrap()
}

#[test]
fn without_root_it_says_exactly_what_is_missing_and_fails() {
    let output = bare(&["bash", "dirname", "mkdir", "flock", "tr", "setsid"], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let missing = said.strip_prefix("tests/all: missing: ").unwrap_or_else(|| panic!("{said}"));
    let (missing, to_do) = missing.split_once("- install them").unwrap();
    let missing: Vec<&str> = missing.split_whitespace().collect();
    for package in ["python3", "python3-venv", "gcc", "libc6-dev", "openssl"] {
        assert!(missing.contains(&package), "{package} is not named: {said}");
    }
    assert!(!missing.contains(&"util-linux"), "setsid is there: {said}");
    assert!(to_do.contains(&format!("apt-get install {}", missing.join(" "))), "{said}");
    assert!(to_do.contains("as root"), "{said}");
}

#[test]
fn what_is_left_out_without_servers_is_said_aloud() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "support::servers_give_fresh_databases"])
        .envs(["POSTGRES", "RABBITMQ"].map(|server| (format!("WAYLEAVE_TEST_{server}"), "")))
        .env_remove("WAYLEAVE_REQUIRE_SERVERS")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    for server in ["PostgreSQL", "RabbitMQ"] {
        assert_eq!(said.matches(&format!("SKIP: no {server}, because")).count(), 1, "{said}");
    }
}

#[test]
fn a_server_that_must_be_there_and_is_not_fails_the_test() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "support::servers_give_fresh_databases"])
        .env("WAYLEAVE_TEST_POSTGRES", "")
        .env("WAYLEAVE_REQUIRE_SERVERS", "1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("run tests/all"), "{said}");
}

/// Runs the program at a terminal of its own, and gives what it shows there.
#[cfg(target_os = "linux")]
fn at_a_terminal(words: &str) -> String {
    let command = format!("'{}' {words}", env!("CARGO_BIN_EXE_wayleave"));
    let output = Command::new("script").args(["-qec", &command, "/dev/null"]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn long_work_shows_how_far_it_is_at_a_terminal_and_nowhere_else() {
    let folder = folder();
    let mut input = Vec::new();
    wayleave::synth::load::figures(&mut input, 20_000).unwrap();
    fs::write(folder.path().join("in.csv"), input).unwrap();
    fs::write(folder.path().join("m.toml"), include_str!("../bench/convert.toml")).unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let words = format!("convert --mapping '{}' '{}' '{}'", place("m.toml"), place("in.csv"), place("out"));
    let shown = at_a_terminal(&words);
    assert!(shown.contains(" units "), "{shown}");
    let piped = Command::new("sh")
        .args(["-c", &format!("'{}' {words}", env!("CARGO_BIN_EXE_wayleave"))])
        .output()
        .unwrap();
    let said = String::from_utf8(piped.stderr).unwrap();
    assert!(!said.contains('\r') && !said.contains('\u{1b}'), "{said}");
}
