//! Other people's programs against the service: the Standard Webhooks library, and a tester of APIs
//! that believes the document and nothing else.

use std::path::PathBuf;
use std::process::Command;

use crate::service::{NEXT_SECRET, SECRET, Site, goal, now_s};
use crate::support::{python, sqlite};

#[test]
fn the_standard_webhooks_library_is_understood() {
    let Some(python) = python() else { return };
    let site = Site::new(sqlite(), "");
    let service = site.serve(&["web"]);
    let body = goal("1", "H-Émile", "G-1", "in-progress");
    let program = r#"
import sys, datetime, urllib.request
from standardwebhooks.webhooks import Webhook
url, secret, body = sys.argv[1:]
at = datetime.datetime.now(tz=datetime.timezone.utc)
signature = Webhook(secret).sign("msg_python", at, body)
request = urllib.request.Request(url, data=body.encode(), headers={
    "content-type": "application/json", "webhook-id": "msg_python",
    "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature})
print(urllib.request.urlopen(request).status)
"#;
    let url = format!("http://{}/v1/sources/housing/events", service.address);
    let output = Command::new(python).args(["-c", program, &url, SECRET, &body]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "202", "{told}");
}

/// The library of npm, both ways: what it signs is taken, and what is signed here it believes.
#[test]
fn the_standard_webhooks_library_of_npm_is_understood_and_understands() {
    let Some(modules) = npm() else { return };
    let site = Site::new(sqlite(), "");
    let service = site.serve(&["web"]);
    let body = goal("1", "H-Émile", "G-1", "in-progress");
    let secrets = wayleave::transport::webhook::Secrets::parse(&format!("{NEXT_SECRET}\n{SECRET}")).unwrap();
    let at = now_s().to_string();
    let ours = secrets.sign("evt_ours", &at, body.as_bytes());
    let program = r#"
const { Webhook } = require("standardwebhooks");
const [url, secret, body, at, ours] = process.argv.slice(1);
const library = new Webhook(secret);
library.verify(body, { "webhook-id": "evt_ours", "webhook-timestamp": at, "webhook-signature": ours });
try {
    library.verify(body + " ", { "webhook-id": "evt_ours", "webhook-timestamp": at, "webhook-signature": ours });
    console.log("believed another body");
} catch (error) {}
const now = new Date();
fetch(url, { method: "POST", body, headers: {
    "content-type": "application/json", "webhook-id": "msg_npm",
    "webhook-timestamp": String(Math.floor(now / 1000)),
    "webhook-signature": library.sign("msg_npm", now, body) } }).then((answer) => console.log(answer.status));
"#;
    let url = format!("http://{}/v1/sources/housing/events", service.address);
    let output = Command::new("node")
        .args(["-e", program, &url, SECRET, &body, &at, &ours])
        .current_dir(&modules)
        .env("NODE_PATH", modules.join("node_modules"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "202", "{told}");
}

/// Where `tests/all` put what tests/package.json pins; none where this machine has no npm.
fn npm() -> Option<PathBuf> {
    let place = std::env::var("WAYLEAVE_TEST_NPM").ok().filter(|place| !place.is_empty());
    if place.is_none() {
        println!(
            "SKIP: no npm packages, because WAYLEAVE_TEST_NPM is not set; tests/all brings them where there is npm"
        );
    }
    place.map(PathBuf::from)
}

#[test]
fn a_tester_of_the_document_finds_no_fault() {
    let Some(python) = python() else { return };
    let site = Site::new(sqlite(), "bearer = true");
    let made: serde_json::Value =
        serde_json::from_str(&site.must(&["--json", "key", "create", "--role", "operate"])).unwrap();
    let service = site.serve(&[]);
    let url = format!("http://{}/v1/openapi.json", service.address);
    let key = format!("Authorization: Bearer {}", made["key"].as_str().unwrap());
    let checks =
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
    let output = Command::new(&python)
        .args(["-m", "schemathesis.cli", "run", &url, "--header", &key, "--checks", checks])
        .args(["--max-examples", "15", "--seed", "1", "--generation-deterministic", "--no-color"])
        .current_dir(site.path())
        .output()
        .unwrap();
    let told =
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
}
