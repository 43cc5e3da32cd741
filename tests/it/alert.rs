//! Alerts by mail and by webhook: to real peers, over TLS that is checked, through a proxy, once each,
//! tried again where they could not be told, and never naming anybody.

use std::path::PathBuf;

use wayleave::base::limit::ALERT_TRIES_MAX;
use wayleave::gateway::alert::{self, Kind, Told, Trouble};
use wayleave::transport::smtp::{Mail, Relay, Safety, Settings, SmtpError};
use zeroize::Zeroizing;

use crate::alert_peer::{Proxy, certificates, receiver, relay};
use crate::night::{HEADER, mapping, on_every_database};
use crate::service::{NEXT_SECRET, SECRET, Site, secret_file};
use crate::support::{databases, folder, python, sqlite};

fn settings(port: u16, safety: Safety, authority: Option<PathBuf>) -> Settings {
    Settings {
        host: "localhost".to_owned(),
        port,
        safety,
        authority,
        account: None,
        from: "Wayleave <wayleave@gateway.example.org>".to_owned(),
        to: vec!["data@council.example.org".to_owned(), "night@council.example.org".to_owned()],
    }
}

fn mail() -> Mail<'static> {
    let at = "2025-03-31T09:00:00Z".parse().unwrap();
    Mail {
        id: "alt_1",
        at,
        subject: "Wayleave: council/cld: held",
        text: "A file is held.\n\nTo do: look.\n",
    }
}

#[test]
fn mail_goes_over_tls_to_the_relay_that_was_named_and_to_no_other() {
    let Some(python) = python() else { return };
    let folder = folder();
    if !certificates(folder.path()) {
        println!("SKIP: no openssl here; tests/all brings one");
        return;
    }
    for (how, safety) in [("starttls", Safety::StartTls), ("tls", Safety::Tls)] {
        let peer = relay(&python, how, folder.path(), false);
        let send = |authority: Option<&str>| {
            let authority = authority.map(|name| folder.path().join(name));
            Relay::open(&settings(peer.port, safety, authority)).unwrap().send(&mail())
        };
        send(Some("right.pem")).unwrap();
        let got = peer.next();
        assert_eq!((got["tls"].as_bool(), got["to"].as_array().unwrap().len()), (Some(true), 2));
        assert_eq!(got["from"], "wayleave@gateway.example.org");
        assert_eq!(
            (got["id"].as_str(), got["subject"].as_str()),
            (Some("<alt_1@gateway.example.org>"), Some(mail().subject))
        );
        assert_eq!(got["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(), mail().text.trim_end());
        assert!(got["date"].as_str().unwrap().starts_with("Mon, 31 Mar 2025 09:00:00"), "{got}");
        for authority in [Some("wrong.pem"), None] {
            let refused = send(authority).unwrap_err();
            assert!(matches!(refused, SmtpError::NotSafe { .. }), "{how} {authority:?}: {refused}");
            assert!(refused.retryable());
        }
        assert!(peer.all().is_empty(), "nothing more was said to it");
    }
    // A relay that offers no STARTTLS is not spoken to.
    let peer = relay(&python, "plain", folder.path(), false);
    let authority = Some(folder.path().join("right.pem"));
    let refused = Relay::open(&settings(peer.port, Safety::StartTls, authority)).unwrap().send(&mail());
    assert!(matches!(refused, Err(SmtpError::NotSafe { .. })), "{refused:?}");
    Relay::open(&settings(peer.port, Safety::Plain, None)).unwrap().send(&mail()).unwrap();
    assert_eq!(peer.all().len(), 1);
}

#[test]
fn the_relay_is_shown_the_account() {
    let Some(python) = python() else { return };
    let folder = folder();
    if !certificates(folder.path()) {
        return;
    }
    let peer = relay(&python, "starttls", folder.path(), true);
    let send = |secret: Option<&str>| {
        let account = secret.map(|secret| ("wayleave".to_owned(), Zeroizing::new(secret.to_owned())));
        let authority = Some(folder.path().join("right.pem"));
        let settings = Settings { account, ..settings(peer.port, Safety::StartTls, authority) };
        Relay::open(&settings).unwrap().send(&mail())
    };
    send(Some("s3cret")).unwrap();
    assert_eq!(peer.next()["account"], "wayleave");
    for secret in [Some("other"), None] {
        let refused = send(secret).unwrap_err();
        assert!(refused.to_string().contains("status 53"), "{refused}");
        assert!(!refused.to_string().contains("other"));
    }
    assert!(peer.all().is_empty());
}

/// A site of one feed whose mapping is its own, and what more stands in its configuration.
fn site(site: &Site, alert: &str, more: &str) {
    let folder = site.path().join("mappings/council");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("cld.toml"), mapping("council/cld", "full", "whole", "")).unwrap();
    std::fs::create_dir_all(site.path().join("in")).unwrap();
    site.configure(&format!(
        "[gateway]\nmappings = \"mappings\"\n[alert]\n{alert}\n{more}\n\
         [source.council]\nscope = \"everyone\"\n[source.council.feed.cld]\nfolder = \"in\"\n"
    ));
}

#[test]
fn one_trouble_is_told_once_by_every_way_and_ends() {
    let Some(python) = python() else { return };
    for database in databases() {
        let at = Site::new(database, "");
        let mails = relay(&python, "plain", at.path(), false);
        let posts = receiver(&python, NEXT_SECRET, "", None);
        secret_file(&at.path().join("keys/alert.whsec"), &format!("{SECRET}\n{NEXT_SECRET}\n"));
        let alert = format!(
            "relay = \"localhost:{}\"\nrelay_tls = \"none\"\nfrom = \"wayleave@example.org\"\nto = [\"data@example.org\"]\n\
             webhook = \"http://127.0.0.1:{}/alerts\"\nwebhook_secrets = \"keys/alert.whsec\"\nwebhook_private = true",
            mails.port, posts.port
        );
        site(&at, &alert, "");
        let file = |name: &str, text: &str| std::fs::write(at.path().join("in").join(name), text).unwrap();
        file("1.csv", &format!("{HEADER}\nA1,,,,,,G1,work,overdue,,\n"));
        at.must(&["sync"]);
        file("2.csv", "Nothing,Like,It\n1,2,3\n");
        for _night in 0..3 {
            assert_eq!(at.command(&["sync"]).output().unwrap().status.code(), Some(1));
        }
        assert_eq!(at.command(&["status"]).output().unwrap().status.code(), Some(1));
        let status: serde_json::Value = serde_json::from_str(&at.must(&["--json", "status"])).unwrap();
        assert_eq!(status["alerts"][0]["kind"], "run-failed");
        assert_eq!(status["alerts"][0]["told"], serde_json::json!(["mail", "webhook"]));
        // What comes mended ends it.
        file("2.csv", &format!("{HEADER}\nA1,,,,,,G1,work,completed,,\n"));
        at.must(&["sync"]);
        assert_eq!(at.command(&["status"]).output().unwrap().status.code(), Some(0));
        let (mails, posts) = (mails.all(), posts.all());
        // Once that it is, and once that it is over.
        assert_eq!((mails.len(), posts.len()), (2, 2), "{mails:?} {posts:?}");
        assert_eq!(posts[0]["event"]["type"], "alert.raised");
        assert_eq!(posts[0]["id"], posts[0]["event"]["data"]["id"]);
        assert_eq!(posts[0]["event"]["data"]["feed"], "council/cld");
        let id = posts[0]["id"].as_str().unwrap();
        assert_eq!(mails[0]["id"].as_str().unwrap(), format!("<{id}@example.org>"));
        insta::with_settings!({filters => vec![
            (r"alt_[0-9a-f]{32}", "alt_ID"),
            (r"show [0-9a-f]{8}", "show RUN"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD hh:mm"),
        ]}, {
            let letter = format!("{}\n\n{}", mails[0]["subject"].as_str().unwrap(), mails[0]["text"].as_str().unwrap().replace("\r\n", "\n"));
            insta::allow_duplicates!(insta::assert_snapshot!("letter", letter));
            let letter = format!("{}\n\n{}", mails[1]["subject"].as_str().unwrap(), mails[1]["text"].as_str().unwrap().replace("\r\n", "\n"));
            insta::allow_duplicates!(insta::assert_snapshot!("letter_of_end", letter));
        });
        assert_eq!(mails[1]["id"].as_str().unwrap(), format!("<{id}-over@example.org>"));
        assert_eq!(
            (&posts[1]["event"]["type"], &posts[1]["event"]["data"]["id"]),
            (&"alert.ended".into(), &id.into())
        );
        assert!(posts[1]["event"]["data"]["ended_at"].is_string());
        assert_ne!(posts[1]["id"], posts[0]["id"], "two messages");
    }
}

#[test]
fn a_webhook_goes_through_the_proxy_and_only_to_whom_the_authority_vouches_for() {
    let Some(python) = python() else { return };
    let at = Site::new(sqlite(), "");
    if !certificates(at.path()) {
        println!("SKIP: no openssl here; tests/all brings one");
        return;
    }
    secret_file(&at.path().join("keys/alert.whsec"), SECRET);
    std::fs::create_dir_all(at.path().join("in")).unwrap();
    let mut untold = Vec::new();
    // Straight out in the clear to this machine; over TLS through the proxy.
    for (n, (authority, is_told)) in [("right.pem", true), ("wrong.pem", false)].into_iter().enumerate() {
        let proxy = Proxy::start();
        let posts = receiver(&python, SECRET, "", Some(at.path()));
        let alert = format!(
            "webhook = \"https://localhost:{}/alerts\"\nwebhook_secrets = \"keys/alert.whsec\"\nwebhook_private = true",
            posts.port
        );
        let outbound =
            format!("[outbound]\nproxy = \"http://127.0.0.1:{}\"\nauthority = \"{authority}\"", proxy.port);
        site(&at, &alert, &outbound);
        std::fs::write(at.path().join("in/1.csv"), format!("Nothing,Like,It\n{n},2,3\n")).unwrap();
        at.command(&["sync"]).output().unwrap();
        let asked = proxy.asked();
        assert!(asked.contains(&format!("CONNECT localhost:{}", posts.port)), "{asked:?}");
        let got = posts.all();
        assert_eq!(got.len(), usize::from(is_told), "{authority}: {got:?}");
        if is_told {
            assert_eq!(got[0]["event"]["data"]["kind"], "run-failed", "verified: {got:?}");
        } else {
            let status: serde_json::Value = serde_json::from_str(&at.must(&["--json", "status"])).unwrap();
            untold = status["alerts"].as_array().unwrap().clone();
        }
    }
    assert_eq!(untold.last().unwrap()["told"], serde_json::json!([]));
}

#[test]
fn what_is_not_safe_is_refused_with_what_to_do() {
    let at = Site::new(sqlite(), "");
    secret_file(&at.path().join("keys/alert.whsec"), SECRET);
    std::fs::write(at.path().join("keys/open.whsec"), SECRET).unwrap();
    let mut told = String::new();
    for alert in [
        "relay = \"relay.example.org\"",
        "relay = \"relay.example.org:25\"\nrelay_tls = \"none\"\nfrom = \"a@example.org\"\nto = [\"b@example.org\"]",
        "relay = \"relay.example.org:587\"\nfrom = \"a@example.org\"",
        "webhook = \"http://alerts.example.org/\"\nwebhook_secrets = \"keys/alert.whsec\"",
        "webhook = \"https://alerts.example.org/\"",
        "webhook = \"https://alerts.example.org/\"\nwebhook_secrets = \"keys/open.whsec\"",
    ] {
        site(&at, alert, "");
        let output = at.command(&["sync"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{alert}");
        let said = String::from_utf8(output.stderr).unwrap();
        told.push_str(&said.replace(&at.path().display().to_string(), "SITE"));
    }
    insta::assert_snapshot!(told);
}

fn a_trouble(about: &str) -> Trouble {
    Trouble {
        kind: Kind::Held,
        feed: "council/cld".to_owned(),
        about: about.to_owned(),
        count: 26,
        text: "council/cld: a file is held".to_owned(),
        to_do: "look".to_owned(),
    }
}

#[test]
fn a_way_that_fails_is_tried_again_after_pauses_that_grow_and_then_given_up() {
    on_every_database(|night| {
        let gateway = &night.gateway;
        assert!(alert::raise(gateway, &a_trouble("run_1")).unwrap());
        assert!(!alert::raise(gateway, &a_trouble("run_1")).unwrap(), "it is raised already");
        let start = gateway.edge.now();
        let mut tries = Vec::new();
        // A look a minute, for two days.
        for minute in 0..2 * 24 * 60 {
            alert::tell(gateway, "mail", &mut |_alert| {
                tries.push(minute);
                Told::NotYet
            })
            .unwrap();
            night.clock.advance_s(60);
        }
        assert_eq!(i64::try_from(tries.len()).unwrap(), ALERT_TRIES_MAX);
        assert_eq!(tries, [0, 1, 5, 21, 85, 341, 701, 1_061]);
        let open = alert::list_open(gateway).unwrap();
        assert_eq!((open.len(), open[0].given_up.as_slice()), (1, &["mail".to_owned()][..]));
        assert_eq!(open[0].raised_at, start.to_string());
        // By another way it is told, and once; so is what is over before it could be.
        assert!(alert::raise(gateway, &a_trouble("run_2")).unwrap());
        let mut told = Vec::new();
        let mut tell = || {
            alert::tell(gateway, "webhook", &mut |alert| {
                told.push(alert.about.clone());
                Told::Yes
            })
            .unwrap();
        };
        tell();
        tell();
        assert_eq!(told, ["run_1", "run_2"]);
        assert_eq!(alert::end(gateway, Kind::Held, &|open| open.about == "run_2").unwrap(), 1);
        assert!(alert::raise(gateway, &a_trouble("run_2")).unwrap(), "raised anew after it was over");
        // That it is over is told by the way by which it was told, and not while the same is open again.
        let mut over = Vec::new();
        let mut tell_ends = |way: &str, told: Told| {
            alert::tell_ends(gateway, way, &mut |alert| {
                over.push(format!("{way} {} {}", alert.kind, alert.about));
                told
            })
            .unwrap();
        };
        tell_ends("webhook", Told::Yes);
        tell_ends("mail", Told::Yes);
        night.clock.advance_s(600);
        alert::end(gateway, Kind::Held, &|_open| true).unwrap();
        tell_ends("mail", Told::Yes);
        tell_ends("webhook", Told::NotYet);
        tell_ends("webhook", Told::Yes);
        night.clock.advance_s(61);
        tell_ends("webhook", Told::Yes);
        night.clock.advance_s(86_400);
        tell_ends("webhook", Told::Yes);
        // Two alerts of one feed that are over together are told together; the third was never told.
        assert_eq!(over, ["webhook held run_2", "webhook held run_2"], "tried again once, and told once");
        // What has become worse is raised anew, and nobody hears that it is well.
        alert::raise(gateway, &a_trouble("run_3")).unwrap();
        alert::tell(gateway, "webhook", &mut |_alert| Told::Yes).unwrap();
        alert::end_for_worse(gateway, Kind::Held, &|_open| true).unwrap();
        alert::tell_ends(gateway, "webhook", &mut |_alert| panic!("it is not well")).unwrap();
        for about in ["run_4", "run_5"] {
            alert::raise(gateway, &a_trouble(about)).unwrap();
        }
        let mut gone = 0;
        alert::tell(gateway, "other", &mut |_alert| {
            gone += 1;
            Told::Never
        })
        .unwrap();
        alert::tell(gateway, "other", &mut |_alert| panic!("trying again helps nothing")).unwrap();
        assert_eq!(gone, 2);
    });
}

#[test]
fn of_two_replicas_one_tells() {
    on_every_database(|night| {
        alert::raise(&night.gateway, &a_trouble("run_1")).unwrap();
        let replicas = [night.replica(), night.replica()];
        let count = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for replica in &replicas {
                scope.spawn(|| {
                    alert::tell(replica, "mail", &mut |_alert| {
                        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        Told::Yes
                    })
                    .unwrap();
                });
            }
        });
        assert_eq!(count.into_inner(), 1);
    });
}
