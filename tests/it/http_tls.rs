//! TLS on the listener: spoken where a certificate is named, and nothing without it.

use std::path::Path;
use std::process::Command;

use crate::service::Site;
use crate::support::{python, sqlite};

/// A certificate for this machine, and its key.
fn certificate(folder: &Path, name: &str) -> bool {
    let made = Command::new("openssl")
        .current_dir(folder)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
        .output();
    made.is_ok_and(|output| output.status.success())
}

#[cfg(unix)]
#[test]
fn tls_is_spoken_with_the_certificate_that_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(python) = python() else { return };
    let site = Site::new(sqlite(), "");
    let keys = site.path().join("keys");
    if !certificate(&keys, "right") || !certificate(&keys, "other") {
        println!("SKIP: no openssl here; tests/all brings one");
        return;
    }
    let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
    // With TLS it may listen where others can reach it.
    let tls = "0.0.0.0:0\"\ncertificate = \"keys/right.pem\"\ncertificate_key = \"keys/right.key";
    site.configure(&config.replace("127.0.0.1:0", tls));
    let mode = |mode: u32| {
        std::fs::set_permissions(keys.join("right.key"), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o644);
    let refused = site.command(&["serve"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("can be read by others"));
    mode(0o600);
    let service = site.serve(&["web"]);
    let program = r#"
import sys, ssl, urllib.request, urllib.error
port, authority = sys.argv[1:]
trust = ssl.create_default_context(cafile=authority)
try:
    print(urllib.request.urlopen(f"https://127.0.0.1:{port}/health/live", context=trust).status)
except urllib.error.URLError as error:
    print(type(error.reason).__name__)
"#;
    let ask = |authority: &str| {
        let (port, file) = (service.address.port().to_string(), keys.join(authority));
        let output = Command::new(&python).args(["-c", program, &port]).arg(file).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(ask("right.pem"), "200");
    assert_eq!(ask("other.pem"), "SSLCertVerificationError");
    let mut plain = crate::service::Client::to(([127, 0, 0, 1], service.address.port()).into());
    assert!(plain.try_send("GET", "/health/live", &[], b"").is_err(), "nothing is told in the clear");
}
