//! Other people's programs against the service: the Standard Webhooks library, and a tester of APIs
//! that believes the document and nothing else.

use std::process::Command;

use crate::service::{SECRET, Site, goal};
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
