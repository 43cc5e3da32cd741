//! What the program says of itself when it fails, and when it is asked to say more: never a value.

use std::path::Path;
use std::process::Command;

use crate::service::{Site, fresh_id, goal};
use crate::support::sqlite;

/// The words of a panic may quote what was being read: `byte index 3 is not a char boundary of` somebody.
#[test]
fn a_fault_of_the_program_is_said_by_its_place_alone() {
    const ASKED: &str = "WAYLEAVE_TEST_FAULT";
    if std::env::var_os(ASKED).is_some() {
        wayleave::cli::run(["wayleave", "guide", "council"].map(Into::into));
        panic!("Canary");
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "quiet::a_fault_of_the_program_is_said_by_its_place_alone", "--nocapture"])
        .env(ASKED, "1")
        .output()
        .unwrap();
    let said =
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("stopped unexpectedly, at tests/it/quiet.rs:"), "{said}");
    assert!(!said.contains("Canary"), "{said}");
}

/// However much of the log is asked for, the libraries below do not tell what was sent.
#[test]
fn a_log_of_everything_names_nobody() {
    let site = Site::new(sqlite(), "bearer = true");
    let service = site.serve_with(&[], &[("WAYLEAVE_LOG", Path::new("trace"))]);
    let mut client = service.connect();
    let body = goal("Canary-1", "Canary-2", "Canary-3", "in-progress");
    let kept = client.post_signed("/v1/sources/housing/events", &fresh_id(), body.as_bytes()).json();
    client.processed(kept["receipt"].as_str().unwrap());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    client.send("POST", "/v1/sign-in", &form, b"Canary=Canary");
    client.send("POST", "/v1/sign-in", &form, b"key=wlk_Canary&next=/Canary");
    client.send("GET", "/v1/sign-in?Canary=Canary&next=a&next=Canary", &[], b"");
    client.send("GET", "/v1/Canary/%ff?Canary=Canary", &[("x-canary", "Canary")], b"");
    client.send("GET", "/v1/receipts/Canary%ff", &[("authorization", "Bearer Canary")], b"");
    let json = [("content-type", "application/json"), ("authorization", "Bearer wlk_Canary")];
    client.send("POST", "/v1/quarantine/replay", &json, b"{\"Canary\": 1}");
    let mut broken = service.connect();
    let _sent = broken.send_raw(b"GET /Canary HTTP/9.9\r\nCanary\r\n\r\n");
    let _answered = broken.answer();
    let log = service.stop();
    assert!(log.len() > 5, "{log:#?}");
    for line in &log {
        assert!(!line.to_lowercase().contains("canary"), "{line}");
    }
}
