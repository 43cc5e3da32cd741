//! What is set aside, over the API: seen by its source, replayed and marked by operators, while the
//! service runs.

use serde_json::{Value, json};

use crate::http_upload::{council, upload_rows};
use crate::replay::lenient;
use crate::service::{Service, Site, on_every_database};

fn key(site: &Site, words: &[&str]) -> String {
    let made: Value =
        serde_json::from_str(&site.must(&[&["--json", "key", "create"], words].concat())).unwrap();
    format!("Bearer {}", made["key"].as_str().unwrap())
}

fn ask(service: &Service, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
    let headers = [("authorization", key), ("content-type", "application/json")];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let answer = service.connect().send(method, path, &headers, &body);
    (answer.status, answer.json())
}

#[test]
fn an_operator_replays_what_its_source_can_only_see() {
    on_every_database(|site| {
        let sender = format!("Bearer {}", council(site));
        let operator = key(site, &["--role", "operate"]);
        let reader = key(site, &["--role", "read", "--source", "council"]);
        let other = key(site, &["--role", "read", "--source", "housing"]);
        let service = site.serve(&[]);
        upload_rows(
            &service,
            &sender,
            &[
                "A2,9990000019,Canary,Ann,1960-02-03,LE1 3AB,,,,,",
                "A3,9990000020,Canary,Bob,1961-02-31,LE1 3AB,,,,,",
                "A5,,,,,,G5,work,overdue,,",
            ],
        );
        let get = |path: &str, key: &str| ask(&service, "GET", path, key, &Value::Null);
        let (status, causes) = get("/v1/quarantine/causes", &reader);
        assert_eq!((status, causes.as_array().unwrap().len()), (200, 1), "{causes:#}");
        assert_eq!((&causes[0]["column"], &causes[0]["units"]), (&"NHS".into(), &2.into()));
        assert_eq!(get("/v1/quarantine?feed=council/cld&older_than_days=0", &reader).1[1]["place"], "line 3");
        assert_eq!(get("/v1/quarantine", &other), (200, json!([])));
        assert_eq!(get("/v1/quarantine?feed=council", &other), (200, json!([])));
        assert_eq!(get("/v1/quarantine?feed=council&last=0", &reader).0, 400);
        let table = service.connect().send("GET", "/v1/quarantine.csv", &[("authorization", &reader)], b"");
        let table = String::from_utf8(table.body).unwrap();
        assert!(table.lines().count() == 3 && !table.contains("Canary"), "{table}");
        let replay = |key: &str, is_dry_run: bool| {
            let body = json!({ "which": { "feed": "council/cld" }, "dry_run": is_dry_run });
            ask(&service, "POST", "/v1/quarantine/replay", key, &body)
        };
        assert_eq!(replay(&reader, true).0, 403);
        let (status, done) = replay(&operator, true);
        assert_eq!((status, &done["units"][0]["outcome"]), (200, &"quarantined".into()), "{done:#}");
        let everything = ask(&service, "POST", "/v1/quarantine/replay", &operator, &json!({ "which": {} }));
        assert_eq!(everything.0, 400, "not everything by accident");
        // A new version is promoted under the running service.
        let new = site.path().join("cld.toml");
        std::fs::write(&new, lenient().replace("\"incremental\"", "\"full\"")).unwrap();
        site.must(&["mapping", "promote", "council/cld", new.to_str().unwrap()]);
        let (status, done) = replay(&operator, false);
        assert_eq!(status, 200, "{done:#}");
        let outcomes: Vec<&str> =
            done["units"].as_array().unwrap().iter().map(|unit| unit["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["accepted", "quarantined"], "{done:#}");
        let run = done["runs"][0]["id"].as_str().unwrap().to_owned();
        // The worker does the rest of it.
        let mut state = String::new();
        for _ in 0..1_800 {
            state = get(&format!("/v1/runs/{run}"), &operator).1["state"].as_str().unwrap().to_owned();
            if state == "finished" {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert_eq!(state, "finished");
        let mark = json!({ "code": "map/date" });
        let marked = ask(&service, "POST", "/v1/quarantine/mark", &operator, &mark);
        assert_eq!(marked, (200, json!({ "marked": 1 })));
        assert_eq!(ask(&service, "POST", "/v1/quarantine/mark", &operator, &mark).0, 404);
        // As many as may be named, and more than a statement takes on one of the databases.
        for (n, status) in [(10_000, 404), (40_000, 413)] {
            let named: Vec<String> = (0..n).map(|n| n.to_string()).collect();
            let mark = json!({ "units": named });
            assert_eq!(ask(&service, "POST", "/v1/quarantine/mark", &operator, &mark).0, status);
            let replay = json!({ "which": { "units": named } });
            assert_eq!(ask(&service, "POST", "/v1/quarantine/replay", &operator, &replay).0, status);
        }
        let all = get("/v1/quarantine?state=all", &reader).1;
        let states: Vec<&str> =
            all.as_array().unwrap().iter().map(|u| u["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["replayed", "fixed"]);
        let log = service.stop();
        assert!(!log.iter().any(|line| line.contains("Canary")), "{log:#?}");
    });
}
