//! Keys and what they open: sending without a signature, seeing what became of a source's data, and
//! the document that says so.

use serde_json::{Value, json};
use wayleave::store::{Store, audit};

use crate::service::{Client, Site, goal, on_every_database};
use crate::support::sqlite;

const EVENTS: &str = "/v1/sources/housing/events";

/// A new key: its id and itself.
fn key(site: &Site, words: &[&str]) -> (String, String) {
    let made: Value =
        serde_json::from_str(&site.must(&[&["--json", "key", "create"], words].concat())).unwrap();
    (made["id"].as_str().unwrap().to_owned(), format!("Bearer {}", made["key"].as_str().unwrap()))
}

fn get(client: &mut Client, path: &str, key: &str) -> (u16, Value) {
    let answer = client.send("GET", path, &[("authorization", key)], b"");
    (answer.status, answer.json())
}

#[test]
fn a_key_stands_for_a_signature_where_the_source_is_allowed_one() {
    on_every_database(|site| {
        let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
        let (id, sender) = key(site, &["--role", "send", "--source", "housing", "--label", "flow"]);
        let (_, other) = key(site, &["--role", "send"]);
        let body = goal("hev_1", "H-1", "G-1", "in-progress");
        let service = site.serve(&["web"]);
        let mut client = service.connect();
        let answer = client.send("POST", EVENTS, &[("authorization", &sender)], body.as_bytes());
        assert_eq!(answer.problem(), "forbidden", "the source signs");
        service.stop();
        site.configure(&config.replace("events = \"events\"", "events = \"events\"\nbearer = true"));
        let service = site.serve(&[]);
        let mut client = service.connect();
        let mut post = |key: &str, body: &str| {
            client.send(
                "POST",
                EVENTS,
                &[("authorization", key), ("content-type", "application/json")],
                body.as_bytes(),
            )
        };
        let kept = post(&sender, &body);
        assert_eq!(kept.status, 202, "{kept:?}");
        assert_eq!(post(&other, &body).body, kept.body, "a retry with another key is a retry");
        assert_eq!(post(&sender, &body.replace("G-1", "G-2")).problem(), "id-reused");
        assert_eq!(post("Bearer wlk_nobody", &body).problem(), "unauthorised");
        let nameless = post(&sender, r#"[{"id": 7, "type": "x"}, {"type": "x"}]"#);
        assert_eq!(nameless.problem(), "schema");
        assert_eq!(nameless.json()["findings"][0]["pointer"], "/1/id");
        // A list is known by all its ids, and each event by its own.
        let list = format!("[{body}, {}]", goal("hev_2", "H-1", "G-2", "completed"));
        let list = post(&sender, &list);
        assert_eq!(list.status, 202);
        let receipt = |answer: &crate::service::Answer| answer.json()["url"].as_str().unwrap().to_owned();
        let (first, second) = (receipt(&kept), receipt(&list));
        let mut shown = Value::Null;
        for _ in 0..1_800 {
            let (status, now) = get(&mut client, &second, &sender);
            shown = now;
            if status == 200 {
                break;
            }
            assert_eq!(status, 202);
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let outcomes: Vec<_> = shown["units"].as_array().unwrap().iter().map(|u| &u["outcome"]).collect();
        assert_eq!(outcomes, ["duplicate", "accepted"], "{shown:#}");
        assert_eq!(shown["credential"], "not signed");
        assert_eq!(get(&mut client, &first, &sender).1["sent_again"], 1);
        site.must(&["key", "revoke", &id]);
        assert_eq!(get(&mut client, &first, &sender).0, 401);
        let store = Store::open_existing(&site.database.url).unwrap();
        let entries = store.read(|tx| audit::list_after(tx, 0, 1_000)).unwrap();
        let unsigned = entries.iter().filter(|entry| entry.purpose == "not signed");
        assert_eq!(unsigned.map(|entry| entry.count).collect::<Vec<_>>(), [1, 2]);
    });
}

#[test]
fn a_key_is_replaced_with_an_overlap_and_kept_as_a_hash() {
    let site = Site::new(sqlite(), "");
    let (id, old) = key(&site, &["--role", "operate"]);
    let service = site.serve(&["web"]);
    let mut client = service.connect();
    assert_eq!(get(&mut client, "/v1/runs", &old).0, 200);
    let rotated: Value = serde_json::from_str(&site.must(&["--json", "key", "rotate", &id])).unwrap();
    let new = format!("Bearer {}", rotated["key"].as_str().unwrap());
    assert_eq!(get(&mut client, "/v1/runs", &old).0, 200, "the old one stays good for a while");
    assert_eq!(get(&mut client, "/v1/runs", &new).0, 200);
    let newer: Value = serde_json::from_str(&site.must(&[
        "--json",
        "key",
        "rotate",
        "--overlap-days",
        "0",
        rotated["id"].as_str().unwrap(),
    ]))
    .unwrap();
    assert_eq!(get(&mut client, "/v1/runs", &new).0, 401);
    let listed = site.must(&["key", "list"]);
    assert_eq!(listed.matches(" live ").count(), 2, "{listed}");
    assert_eq!(listed.matches(" expired ").count(), 1, "{listed}");
    let file = site.database.url.strip_prefix("sqlite:").unwrap().trim_start_matches("//").to_owned();
    let secret = newer["key"].as_str().unwrap().as_bytes();
    for file in [file.clone(), format!("{file}-wal")] {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{file}");
    }
}

#[test]
fn a_key_sees_its_own_source_and_what_its_role_may() {
    let site = Site::new(sqlite(), "");
    let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
    let study = "[study.promoting-independence]\nprotocol = \"promoting-independence\"\n";
    site.configure(&format!("{config}\n[source.council]\n[source.council.feed.cld]\n{study}"));
    let service = site.serve(&[]);
    let mut client = service.connect();
    let kept = client.post_signed(EVENTS, "evt_1", goal("1", "H-1", "G-1", "in-progress").as_bytes()).json();
    let receipt = kept["receipt"].as_str().unwrap();
    let shown = client.processed(receipt);
    let run = shown["run"].as_str().unwrap();
    let (_, sender) = key(&site, &["--role", "send", "--source", "housing"]);
    let (_, housing) = key(&site, &["--role", "read", "--source", "housing"]);
    let (_, council) = key(&site, &["--role", "read", "--source", "council"]);
    let (_, half) = key(&site, &["--role", "operate", "--source", "housing"]);
    let (_, operator) = key(&site, &["--role", "operate"]);
    let store = Store::open_existing(&site.database.url).unwrap();
    let record =
        store.read(|tx| wayleave::store::record::list_present(tx, "housing", "events", "", 1)).unwrap();
    let record = &record[0].0;
    let of_source = [
        "/v1/runs".to_owned(),
        "/v1/receipts".to_owned(),
        "/v1/quarantine".to_owned(),
        "/v1/runs?last=1".to_owned(),
    ];
    for path in &of_source {
        assert_eq!(client.send("GET", path, &[], b"").problem(), "unauthorised");
        assert_eq!(get(&mut client, path, &sender).0, 403, "{path}");
        assert_eq!(get(&mut client, path, &council).1, json!([]), "{path}");
        assert_eq!(get(&mut client, path, &housing), get(&mut client, path, &operator), "{path}");
    }
    for path in [format!("/v1/runs/{run}"), format!("/v1/records/{record}/provenance")] {
        assert_eq!(get(&mut client, &path, &council).0, 404, "{path}");
        assert_eq!(get(&mut client, &path, &housing).0, 200, "{path}");
        assert_eq!(get(&mut client, &path, &operator).0, 200, "{path}");
    }
    for path in ["/v1/studies", "/v1/releases", "/v1/studies/promoting-independence/consents"] {
        assert_eq!(get(&mut client, path, &housing).0, 403, "{path}");
        assert_eq!(get(&mut client, path, &half).0, 403, "{path}");
        assert_eq!(get(&mut client, path, &operator).0, 200, "{path}");
    }
    let (_, runs) = get(&mut client, "/v1/runs?last=1", &operator);
    assert_eq!((&runs[0]["id"], &runs[0]["units"]["accepted"]), (&json!(run), &json!(1)));
    let (_, came) = get(&mut client, &format!("/v1/records/{record}/provenance"), &operator);
    assert_eq!((&came["kind"], &came["versions"][0]["mapping"]), (&json!("goal"), &json!("housing/events")));
    for wrong in ["/v1/runs?last=0", "/v1/runs?last=1001", "/v1/runs?lst=1", "/v1/runs?last=x"] {
        assert_eq!(get(&mut client, wrong, &operator).0, 400, "{wrong}");
    }
    for nothing in ["/v1/runs/x", "/v1/records/x/provenance", "/v1/studies/x/consents", "/v1/examples/x"] {
        assert_eq!(get(&mut client, nothing, &operator).0, 404, "{nothing}");
    }
    // An officer marks the client as restricted: only a key of a named role sees the record, and that is
    // on record.
    site.must(&["exchange", "restrict", "--source", "housing", "--ref", "H-1", "--decided-on", "2025-01-01"]);
    let (named_id, named) = key(&site, &["--role", "operate", "--restricted"]);
    let path = format!("/v1/records/{record}/provenance");
    for (who, status) in [(&operator, 404), (&housing, 404), (&named, 200)] {
        assert_eq!(get(&mut client, &path, who).0, status);
    }
    let audited = store.read(|tx| wayleave::store::audit::list_after(tx, 0, 1_000)).unwrap();
    let seen = audited.iter().filter(|entry| entry.action == "restricted-seen").map(|entry| &entry.actor);
    assert_eq!(seen.collect::<Vec<_>>(), [&named_id]);
}

#[test]
fn the_document_names_every_address_and_each_problem_is_explained_at_its_own() {
    let site = Site::new(sqlite(), "");
    let service = site.serve(&["web"]);
    let mut client = service.connect();
    let document = client.send("GET", "/v1/openapi.json", &[], b"").json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut listed = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            listed.push(format!(
                "{} {path}: {}",
                method.to_uppercase(),
                operation["operationId"].as_str().unwrap()
            ));
        }
    }
    insta::assert_snapshot!("addresses", listed.join("\n"));
    let page = client.send("GET", "/v1/docs", &[], b"");
    let page = String::from_utf8(page.body).unwrap();
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(page.contains(path.as_str()), "{path}");
    }
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing from outside");
    for kind in wayleave::web::problem::Kind::ALL {
        let shown = client.send("GET", &format!("/v1/problems/{}", kind.as_str()), &[], b"").json();
        assert_eq!(shown["status"], kind.status());
        assert!(page.contains(kind.as_str()));
    }
    for example in ["power-automate", "salesforce", "signing"] {
        assert_eq!(client.send("GET", &format!("/v1/examples/{example}"), &[], b"").status, 200);
    }
}
