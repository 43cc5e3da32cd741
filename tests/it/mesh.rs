//! MESH against the health service's own sandbox: mailboxes, reports, chunks, certificates, and an
//! exchange that is not able to.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::dump;
use crate::mesh_sandbox::{How, Sandbox, Spoiler, hex};
use crate::mllp::{certificates, message};
use crate::service::{Site, secret_file};
use crate::support::{Database, databases, python, sqlite};

/// Seconds that anything here is waited for.
const WAIT_S: u64 = 240;

/// A site with a mailbox; `more` stands in its section.
fn site(database: Database, url: &str, mailbox: &str, more: &str) -> Site {
    let site = Site::new(database, "");
    configure(&site, url, mailbox, more);
    secret_file(&site.path().join("keys/mesh.password"), "password\n");
    secret_file(&site.path().join("keys/mesh.shared"), "TestKey\n");
    site
}

fn configure(site: &Site, url: &str, mailbox: &str, more: &str) {
    site.configure(&format!(
        r#"
[web]
listen = "127.0.0.1:0"
stop_wait_s = 5

[mesh]
url = "{url}"
mailbox = "{mailbox}"
every_s = 1
track_every_s = 0
{more}

[source.trust]
scope = "everyone"

[source.trust.feed.adt]
"#
    ));
}

const ROUTES: &str = "routes = { TRUST_ADT = \"trust/adt\" }";

/// What a command printed as JSON; it may have found something.
fn json_of(site: &Site, words: &[&str]) -> Value {
    let mut all = vec!["--json"];
    all.extend(words);
    let printed = site.must(&all);
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

fn number(site: &Site, sql: &str) -> i64 {
    dump::number(&site.database.url, sql)
}

/// Units that were accepted, in runs that balance.
fn accepted(site: &Site) -> i64 {
    let sums = "SELECT COUNT(*) FROM run WHERE note = '' AND (state <> 'finished' OR received <> accepted + unchanged + filtered + duplicate + quarantined + rejected)";
    assert_eq!(number(site, sums), 0);
    number(site, "SELECT COALESCE(SUM(accepted), 0) FROM run WHERE note = ''")
}

#[test]
fn what_lies_in_the_mailbox_is_kept_and_then_acknowledged() {
    for database in databases() {
        let Some(sandbox) = Sandbox::start(None) else { return };
        let site = site(database, &sandbox.url, "X26ABC1", ROUTES);
        assert!(site.must(&["post", "check"]).contains("mailbox X26ABC1: the exchange knows it"));
        let adt = |n: usize| message(&format!("M{n}"), &format!("T10000{n}"), "Fell", "");
        sandbox.put("X26ABC1", "TRUST_ADT", &adt(1));
        // In chunks that end in the middle of a message.
        let both = [adt(2), adt(3)].concat();
        let (a, b, c) = (&both[..50], &both[50..180], &both[180..]);
        sandbox.put_chunks("X26ABC1", "TRUST_ADT", &[a, b, c]);
        let unknown = sandbox.put("X26ABC1", "SOMETHING_ELSE", &adt(4));
        sandbox.report("X26ABC1", "NOT_OURS", "14");
        let round = json_of(&site, &["post", "collect"]);
        assert_eq!(
            (&round["collected"], &round["reports"], &round["left"]),
            (&json!(2), &json!(1), &json!(1))
        );
        assert_eq!(sandbox.inbox("X26ABC1"), [unknown.clone()], "what no route takes stays there");
        let told = site.must(&["post", "list"]);
        assert!(
            told.contains("a message of workflow SOMETHING_ELSE from X26ABC2, which no route takes"),
            "{told}"
        );
        assert!(told.contains("a report (14) of a message that was not sent from here"), "{told}");
        site.must(&["sync"]);
        assert_eq!(accepted(&site), 3);
        assert_eq!(number(&site, "SELECT COUNT(*) FROM delivery WHERE credential = 'mesh/X26ABC2'"), 2);
        // With a route it is taken like the others, and nobody has to look at it any more.
        let more = "routes = { TRUST_ADT = \"trust/adt\", SOMETHING_ELSE = \"trust/adt\" }";
        configure(&site, &sandbox.url, "X26ABC1", more);
        assert_eq!(json_of(&site, &["post", "collect"])["collected"], 1);
        assert_eq!(sandbox.inbox("X26ABC1"), Vec::<String>::new());
        assert!(!site.must(&["post", "list"]).contains("SOMETHING_ELSE"));
        site.must(&["sync"]);
        assert_eq!(accepted(&site), 4);
        let nothing = json_of(&site, &["post", "collect"]);
        assert_eq!((&nothing["collected"], &nothing["left"]), (&json!(0), &json!(0)));
    }
}

#[test]
fn a_long_inbox_is_read_page_by_page() {
    let Some(sandbox) = Sandbox::start(None) else { return };
    let site = site(sqlite(), &sandbox.url, "X26ABC1", ROUTES);
    let asked: Vec<Value> = (0..120)
        .map(|n| {
            json!({"mailbox": "X26ABC2", "method": "POST", "path": "/messageexchange/X26ABC2/outbox",
                "headers": {"mex-to": "X26ABC1", "mex-workflowid": "TRUST_ADT"},
                "body": hex(&message(&format!("M{n}"), &format!("T{n}"), "Fell", ""))})
        })
        .collect();
    assert!(sandbox.ask(&asked).iter().all(|(status, _)| *status == 202));
    assert_eq!(json_of(&site, &["post", "collect"])["collected"], 120);
    assert_eq!(sandbox.inbox("X26ABC1").len(), 0);
    assert_eq!(number(&site, "SELECT COUNT(*) FROM batch"), 120);
}

#[test]
fn who_is_not_believed_is_told_what_to_check() {
    let Some(sandbox) = Sandbox::start(None) else { return };
    let site = site(sqlite(), &sandbox.url, "X26ABC1", ROUTES);
    let refused = |words: &[&str]| {
        let output = site.command(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    secret_file(&site.path().join("keys/mesh.password"), "wrong-secret");
    let told = refused(&["post", "check"]);
    assert!(told.contains("refuses mailbox X26ABC1 (403)") && !told.contains("wrong-secret"), "{told}");
    secret_file(&site.path().join("keys/mesh.password"), "password");
    secret_file(&site.path().join("keys/mesh.shared"), "OtherKey");
    assert!(refused(&["post", "collect"]).contains("(403)"));
    let listed = site.must(&["post", "list"]);
    assert!(listed.contains("could not be looked into") && listed.contains("403"), "{listed}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = site.path().join("keys/mesh.password");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(refused(&["post", "check"]).contains("can be read by others"));
    }
}

#[test]
fn what_is_sent_arrives_and_what_is_not_delivered_is_known() {
    for database in databases() {
        let Some(sandbox) = Sandbox::start(None) else { return };
        let here = site(database, &sandbox.url, "X26ABC1", &format!("chunk_bytes = 20000\n{ROUTES}"));
        let there = site(sqlite(), &sandbox.url, "X26ABC2", ROUTES);
        let messages: Vec<Vec<u8>> =
            (0..500).map(|n| message(&format!("M{n}"), &format!("T{n}"), "Fell", "")).collect();
        let file = here.path().join("messages.hl7");
        std::fs::write(&file, messages.concat()).unwrap();
        let send = |to: &str| {
            let words = ["post", "send", "--mesh", to, "--workflow", "TRUST_ADT", file.to_str().unwrap()];
            let output = here.command(&words).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        assert!(send("X26ABC2").contains("1 sent"));
        assert_eq!(
            number(&here, "SELECT COUNT(*) FROM sent WHERE state = 'accepted' AND sealed IS NOT NULL"),
            1
        );
        // The other side takes it, whole.
        assert_eq!(json_of(&there, &["post", "collect"])["collected"], 1);
        there.must(&["sync"]);
        assert_eq!(accepted(&there), 500);
        assert_eq!(json_of(&here, &["post", "collect"])["acknowledged"], 1);
        assert_eq!(
            number(&here, "SELECT COUNT(*) FROM sent WHERE state = 'acknowledged' AND sealed IS NULL"),
            1
        );
        // Nobody of that name.
        assert!(send("NOBODY").contains("1 not delivered"));
        // One that is not collected: the exchange reports it.
        assert!(send("X26ABC3").contains("1 sent"));
        let sent = json_of(&here, &["post", "list"])["sent"].clone();
        let waits =
            sent.as_array().unwrap().iter().find(|one| one["recipient"] == "X26ABC3").unwrap().clone();
        assert_eq!(waits["state"], "accepted");
        sandbox.report("X26ABC1", waits["message_id"].as_str().unwrap(), "14");
        let round = json_of(&here, &["post", "collect"]);
        assert_eq!((&round["reports"], &round["left"]), (&json!(1), &json!(0)));
        let told = here.must(&["post", "list"]);
        let line = told.lines().find(|line| line.contains("X26ABC3")).unwrap();
        assert!(line.contains("undelivered") && line.contains("(14)"), "{told}");
        assert!(told.lines().any(|line| line.contains("NOBODY") && line.contains("undelivered")), "{told}");
        assert_eq!(sandbox.inbox("X26ABC1"), Vec::<String>::new());
        // Each step is in the audit, by our own id.
        let entries = "SELECT COUNT(*) FROM audit WHERE action IN ('queue', 'accepted', 'acknowledged', 'undelivered') AND object LIKE 'out_%'";
        assert_eq!(
            number(&here, entries),
            8,
            "three queued, two accepted, one acknowledged, two undelivered"
        );
    }
}

#[test]
fn an_exchange_that_is_not_able_to_loses_nothing() {
    for database in databases() {
        let Some(sandbox) = Sandbox::start(None) else { return };
        let spoiler = Spoiler::before(&sandbox);
        let site = site(database, &spoiler.url, "X26ABC1", ROUTES);
        // Kept, and then the acknowledgement fails: it stays there, and is not taken twice.
        sandbox.put("X26ABC1", "TRUST_ADT", &message("M1", "T1", "Fell", ""));
        spoiler.set(How::Acknowledgements);
        let failed = site.command(&["post", "collect"]).output().unwrap();
        assert_eq!(failed.status.code(), Some(2), "{failed:?}");
        assert!(String::from_utf8(failed.stderr).unwrap().contains("is not able to just now (503)"));
        assert_eq!(number(&site, "SELECT COUNT(*) FROM batch"), 1);
        assert_eq!(sandbox.inbox("X26ABC1").len(), 1);
        spoiler.set(How::Not);
        assert_eq!(json_of(&site, &["post", "collect"])["collected"], 1);
        assert_eq!(number(&site, "SELECT COUNT(*) FROM batch"), 1, "once");
        // Sent, and the answer is lost: it is asked for, and not sent twice.
        let file = site.path().join("one.hl7");
        std::fs::write(&file, message("M2", "T2", "Fell", "")).unwrap();
        spoiler.set(How::AnswersToSending);
        let words = ["post", "send", "--mesh", "X26ABC2", "--workflow", "W", file.to_str().unwrap()];
        assert_eq!(site.command(&words).output().unwrap().status.code(), Some(2));
        assert_eq!(number(&site, "SELECT COUNT(*) FROM sent WHERE state = 'sending'"), 1);
        spoiler.set(How::Not);
        // The service goes on through errors of every kind, and says so.
        let service = site.serve(&["web", "worker", "post"]);
        for status in [500, 403, 429, 503] {
            spoiler.set(How::Status(status));
            spoiler.spoilt(1);
        }
        let health = || {
            let told = service.connect().send("GET", "/health/ready", &[], b"").json();
            told["checks"]
                .as_array()
                .unwrap()
                .iter()
                .find(|check| check["name"] == "mailbox")
                .cloned()
                .unwrap()
        };
        let until = Instant::now() + Duration::from_secs(WAIT_S);
        while health()["shape"] != "failing" {
            assert!(Instant::now() < until, "{}", health());
            std::thread::sleep(Duration::from_millis(100));
        }
        sandbox.put("X26ABC1", "TRUST_ADT", &message("M3", "T3", "Fell", ""));
        spoiler.set(How::Not);
        while !sandbox.inbox("X26ABC1").is_empty() || health()["shape"] != "well" {
            assert!(Instant::now() < until, "{}", health());
            std::thread::sleep(Duration::from_millis(200));
        }
        while number(&site, "SELECT COUNT(*) FROM sent WHERE state = 'accepted'") < 1
            || number(&site, "SELECT COUNT(*) FROM run WHERE state = 'finished'") < 2
        {
            assert!(Instant::now() < until, "everything is caught up with");
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(sandbox.inbox("X26ABC2").len(), 1, "sent once");
        assert_eq!(accepted(&site), 2);
        let figures = service.connect().send("GET", "/metrics", &[], b"");
        let figures = String::from_utf8(figures.body).unwrap();
        assert!(
            figures.contains(r#"wayleave_post_total{transport="mesh",what="round-failed"}"#),
            "{figures}"
        );
        assert!(figures.contains(r#"wayleave_post_total{transport="mesh",what="collected"} 1"#), "{figures}");
    }
}

#[test]
fn the_exchange_is_shown_the_certificate() {
    let keys = crate::support::folder();
    if python().is_none() {
        return;
    }
    if certificates(keys.path()).is_none() {
        println!("SKIP: no openssl here; tests/all brings one");
        return;
    }
    let Some(sandbox) = Sandbox::start(Some(keys.path())) else { return };
    let site = site(sqlite(), &sandbox.url, "X26ABC1", ROUTES);
    let check = |identity: &str, authority: &str| {
        configure(&site, &sandbox.url, "X26ABC1", identity);
        let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
        site.configure(&format!("{config}\n[outbound]\nauthority = \"{authority}\"\n"));
        let output = site.command(&["post", "check"]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let file = |name: &str| keys.path().join(name).to_str().unwrap().to_owned();
    let identity =
        format!("certificate = '{}'\ncertificate_key = '{}'", file("client.pem"), file("client.key"));
    let (code, told) = check(&identity, &file("ca.pem"));
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = check("", &file("ca.pem"));
    assert_eq!(code, Some(2));
    assert!(told.contains("cannot be reached"), "without a certificate: {told}");
    let (code, told) = check(&identity, "");
    assert_eq!(code, Some(2));
    assert!(told.contains("cannot be reached"), "of an unknown authority: {told}");
}
