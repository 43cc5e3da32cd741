//! Exchange as a user sees it: the program itself, over the demo's people and over a few.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wayleave::synth::demo;

use crate::leak::Forbidden;
use crate::partners::{ANN, BOB, KINDS, SECRETS, agreement, on_every_database};
use crate::receiver::Receiver;
use crate::service::secret_file;
use crate::support::{databases, folder};

#[test]
fn what_would_go_is_said_and_a_resend_tells_only_what_is_new() {
    on_every_database(|partners| {
        partners.tenant(ANN);
        partners.tenant(BOB);
        assert_eq!(partners.round().sent, 2);
        partners.receiver.take();
        let (code, page, told) = partners.run(&["agreement", "check", "tenancies"]);
        assert_eq!(code, Some(0), "{told}");
        let (_, same, _) = partners.run(&["exchange", "preview"]);
        partners.write(
            "tenancies.toml",
            &agreement("tenancies", "council", "2099-12-31", &KINDS.replace("\"landlord\", ", "")),
        );
        let (_, different, _) = partners.run(&["exchange", "preview", "--flow", "tenancy-starts"]);
        assert!(partners.receiver.take().is_empty(), "a preview sends nothing");
        let (_, laid, _) = partners.run(&["exchange", "resend"]);
        let (_, sent, _) = partners.run(&["exchange", "send"]);
        let posts = partners.receiver.take();
        assert_eq!(posts.len(), 2);
        assert!(posts.iter().all(|post| post.json().get("landlord").is_none()));
        let (_, nothing, _) = partners.run(&["exchange", "resend"]);
        let (_, list, told) = partners.run(&["exchange", "list"]);
        assert!(!told.contains("Canary"), "officers are not logged");
        insta::assert_snapshot!(
            "what_would_go",
            [page, same, different, laid, sent, nothing, list].join("----\n")
        );
        partners.write(
            "tenancies.toml",
            &agreement("tenancies", "council", "2020-12-31", &KINDS.replace("\"type\", ", "")),
        );
        let (code, page, _) = partners.run(&["agreement", "check", "tenancies"]);
        assert_eq!(code, Some(1));
        assert!(page.contains("nothing goes: the agreement has ended"), "{page}");
        assert!(page.contains("flow.tenancy-starts goes by type of accommodation"), "{page}");
        let (_, refused, _) = partners.run(&["exchange", "preview"]);
        assert!(refused.contains("2 not: the agreement has ended"), "{refused}");
        // A file with a fault is said by its place, and names nobody who signed.
        partners.write("tenancies.toml", "[[signatory]]\nname = \"Signatory Canary\n");
        for words in [["agreement", "check"].as_slice(), &["exchange", "send"], &["exchange", "preview"]] {
            let (code, page, told) = partners.run(words);
            assert_eq!(code, Some(2), "{words:?}: {page}{told}");
            assert!(told.contains("tenancies.toml:2:") && told.contains("hint: "), "{words:?}: {told}");
            assert!(!page.contains("Canary") && !told.contains("Canary"), "{words:?}: {page}{told}");
        }
    });
}

/// Waits for something that has to come.
fn until(what: &str, is_there: impl Fn() -> bool) {
    let last = Instant::now() + Duration::from_mins(3);
    while !is_there() {
        assert!(Instant::now() < last, "{what} never comes");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The running role holds what it sends against the agreements as they are: one that is ended stops it
/// without a restart, and while a file cannot be read nothing goes.
#[test]
fn an_agreement_that_is_ended_stops_the_running_role() {
    on_every_database(|partners| {
        let log = partners.folder.path().join("serve.log");
        let told = |words: &str| {
            until(words, || std::fs::read_to_string(&log).unwrap_or_default().contains(words));
        };
        let mut serve = partners.command(&["serve", "--role", "exchange"]);
        serve.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap());
        let mut serve = serve.spawn().unwrap();
        partners.tenant(ANN);
        partners.story.steps();
        partners.receiver.wait();
        assert_eq!(partners.receiver.take().len(), 1);

        partners.write("tenancies.toml", "[[signatory]]\nname = \"Signatory Canary\n");
        told("tenancies.toml:2:");
        partners.tenant(BOB);
        partners.story.steps();
        partners.write("tenancies.toml", &agreement("tenancies", "council", "2020-12-31", KINDS));
        told("agreements have changed");
        until("refused", || partners.run(&["exchange", "list"]).1.contains("ended"));
        serve.kill().unwrap();
        serve.wait().unwrap();
        assert!(partners.receiver.take().is_empty(), "{:?}", partners.stands());
        let log = std::fs::read_to_string(&log).unwrap();
        assert!(log.contains("a round of telling partners failed"), "{log}");
        assert!(!log.contains("Canary"), "officers are not logged: {log}");
    });
}

const AGREEMENT: &str = r#"
name = "tenancies"
version = 1
partner = "council"
purpose = "Care follows the person."
legal_basis = "Care Act 2014, section 6"
sources = ["housing"]
starts = "2015-01-01"
ends = "2099-12-31"
[[signatory]]
name = "A"
office = "Director"
[[signatory]]
name = "B"
office = "Director"
[[kind]]
kind = "person"
fields = ["tracker_ref"]
[[kind]]
kind = "accommodation"
fields = ["type", "started_on", "tenancy_type"]
"#;

/// The demo's people: their tenancies go to the council, once each, with what is listed; nobody is
/// named in any log; and who objects is told of no more.
#[test]
fn the_demo_s_tenancies_go_to_the_council() {
    for database in databases() {
        let folder = folder();
        let plan = demo::render(folder.path()).unwrap();
        let receiver = Receiver::start();
        let top = plan.config_file.parent().unwrap();
        std::fs::create_dir_all(top.join("keys")).unwrap();
        for (name, byte) in [("master", "01"), ("index", "02")] {
            secret_file(&top.join(format!("keys/{name}.key")), &byte.repeat(32));
        }
        secret_file(&top.join("council.whsec"), SECRETS[0]);
        std::fs::write(top.join("tenancies.toml"), AGREEMENT).unwrap();
        let more = format!(
            r#"
[partner.council]
webhook = "http://{}/hook"
secrets = "council.whsec"
private_addresses = true
[agreement.tenancies]
file = "tenancies.toml"
[flow.tenancy-starts]
when = {{ kind = "accommodation", event = "started", field = {{ type = ["tenant-social", "tenant-private"] }} }}
tell = [{{ agreement = "tenancies", mapping = "housing/events" }}]
"#,
            receiver.address
        );
        let text = std::fs::read_to_string(&plan.config_file).unwrap();
        std::fs::write(&plan.config_file, format!("{text}\n{more}")).unwrap();
        let mut logs = String::new();
        let mut run = |words: &[&str]| {
            let output = Command::new(env!("CARGO_BIN_EXE_wayleave"))
                .args(words)
                .arg("--config")
                .arg(&plan.config_file)
                .env("WAYLEAVE_GATEWAY_DATABASE", &database.url)
                .env("WAYLEAVE_LOG", "wayleave=trace")
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert!(matches!(output.status.code(), Some(0 | 1)), "{words:?} {output:?}");
            logs.push_str(&String::from_utf8_lossy(&output.stderr));
            let shown = String::from_utf8(output.stdout).unwrap();
            logs.push_str(&shown);
            shown
        };
        run(&["sync"]);
        run(&["exchange", "send"]);
        let posts = receiver.take();
        assert!(posts.len() > 20, "{}", posts.len());
        let mut told = BTreeSet::new();
        for post in &posts {
            assert!(post.is_signed_by(SECRETS[0]));
            let event = post.json();
            assert_eq!(event["type"], "tenancy_started");
            let names: BTreeSet<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
            let listed =
                ["accommodation_type", "client_ref", "occurred_at", "started_on", "tenancy_type", "type"];
            assert!(names.iter().all(|name| listed.contains(name)), "{names:?}");
            assert!(told.insert(post.id().to_owned()), "each once");
        }
        // Somebody objects, and everything is sent again under another version: all but theirs.
        let reference = posts[0].json()["client_ref"].as_str().unwrap().to_owned();
        let of_theirs = posts.iter().filter(|post| post.json()["client_ref"] == *reference).count();
        let words = ["agreement", "object", "tenancies", "--source", "housing", "--ref", &reference];
        run(&[words.as_slice(), &["--decided-on", "2025-03-01"]].concat());
        let without = AGREEMENT.replace(", \"tenancy_type\"", "").replace("version = 1", "version = 2");
        std::fs::write(top.join("tenancies.toml"), without).unwrap();
        run(&["exchange", "resend"]);
        run(&["exchange", "send"]);
        let again = receiver.take();
        assert!(again.iter().all(|post| post.json()["client_ref"] != *reference));
        assert!(again.len() + of_theirs <= posts.len());
        // Somebody else is restricted by hand: nothing but that it started goes on.
        let other = again[0].json()["client_ref"].as_str().unwrap().to_owned();
        let words = ["exchange", "restrict", "--source", "housing", "--ref", &other];
        run(&[words.as_slice(), &["--decided-on", "2025-03-01"]].concat());
        std::fs::write(
            top.join("tenancies.toml"),
            AGREEMENT.replace("\"type\", ", "\"type\", \"landlord\", "),
        )
        .unwrap();
        run(&["exchange", "resend"]);
        run(&["exchange", "send"]);
        let last = receiver.take();
        assert!(last.iter().any(|post| post.json().get("landlord").is_some()));
        for post in last.iter().filter(|post| post.json()["client_ref"] == *other) {
            assert!(post.json().get("landlord").is_none());
        }
        run(&["exchange", "list"]);
        let mut forbidden = Forbidden::default();
        for token in demo::identifying_tokens().unwrap() {
            forbidden.token(&token.text);
        }
        // The command line that named the person is the user's own.
        assert_eq!(forbidden.find(&logs), Vec::<String>::new());
    }
}
