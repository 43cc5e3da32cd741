//! Events over HTTP: verified, kept before they are acknowledged, processed, and explained to whoever
//! sent them.

use serde_json::json;
use wayleave::store::Store;
use wayleave::store::run;

use crate::service::{NEXT_SECRET, SECRET, Site, fresh_id, goal, now_s, on_every_database, signed};

const EVENTS: &str = "/v1/sources/housing/events";

fn headers<'h>(headers: &'h [(&'static str, String)]) -> Vec<(&'static str, &'h str)> {
    headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[test]
fn an_event_is_kept_processed_and_explained() {
    on_every_database(|site| {
        let service = site.serve(&[]);
        let mut client = service.connect();
        let body = goal("hev_1", "H-1001", "G-1", "in-progress");
        let answer = client.post_signed(EVENTS, "evt_a", body.as_bytes());
        assert_eq!(answer.status, 202, "{answer:?}");
        let kept = answer.json();
        let receipt = kept["receipt"].as_str().unwrap();
        assert_eq!(answer.headers["location"], format!("/v1/receipts/{receipt}"));
        assert_eq!(kept["url"], answer.headers["location"].as_str());
        assert_eq!(kept["received"], 1);
        // A retry, signed anew, gets the same answer; another body under the same id does not.
        let again = client.post_signed(EVENTS, "evt_a", body.as_bytes());
        assert_eq!((again.status, again.body), (202, answer.body));
        let other = client.post_signed(EVENTS, "evt_a", b"{}");
        assert_eq!((other.status, other.problem()), (409, "id-reused".to_owned()));
        let shown = client.processed(receipt);
        assert_eq!(shown["units"], json!([{ "pointer": "", "outcome": "accepted", "findings": [] }]));
        assert_eq!((&shown["credential"], &shown["sent_again"]), (&json!("signed"), &json!(1)));
        // The same event under another id says nothing new; after processing too, a retry is known.
        let same = client.post_signed(EVENTS, "evt_b", body.as_bytes()).json();
        let same = client.processed(same["receipt"].as_str().unwrap());
        assert_eq!(same["units"][0]["outcome"], "unchanged");
        let late = client.post_signed(EVENTS, "evt_a", body.as_bytes()).json();
        assert_eq!(late["receipt"], receipt);
        service.stop();
        balanced(site, 2);
    });
}

/// Every run is finished and balances; so many units were received.
fn balanced(site: &Site, received: i64) {
    let store = Store::open_existing(&site.database.url).unwrap();
    let runs = store.read(|tx| run::list_last(tx, 1_000)).unwrap();
    assert!(runs.iter().all(|run| run.received == run.accounted()), "{runs:?}");
    let first: Vec<_> = runs.iter().filter(|run| run.note.is_empty()).collect();
    assert_eq!(first.iter().map(|run| run.received).sum::<i64>(), received);
}

/// An instant where a date belongs is its day in London, which near midnight in summer is the next; that
/// is reported, and never cut to the day of UTC.
#[test]
fn an_instant_where_a_date_belongs_is_its_day_in_london() {
    on_every_database(|site| {
        let service = site.serve(&[]);
        let mut client = service.connect();
        let body = goal("1", "H-1", "G-1", "in-progress").replace("2025-03-01", "2025-06-30T23:30:00Z");
        let kept = client.post_signed(EVENTS, &fresh_id(), body.as_bytes());
        let shown = client.processed(kept.json()["receipt"].as_str().unwrap());
        let unit = &shown["units"][0];
        assert_eq!(unit["outcome"], "accepted", "{shown:#}");
        let found = unit["findings"].as_array().unwrap();
        assert!(
            found.iter().any(|one| one["pointer"] == "/set_on" && one["severity"] != "error"),
            "it is reported: {shown:#}"
        );
        let on = |day: &str| {
            let sql = format!("SELECT COUNT(*) FROM version WHERE body LIKE '%\"set_on\":\"{day}\"%'");
            crate::dump::number(&site.database.url, &sql)
        };
        assert_eq!((on("2025-07-01"), on("2025-06-30")), (1, 0));
    });
}

#[test]
fn each_of_a_list_is_explained_by_itself() {
    on_every_database(|site| {
        let service = site.serve(&[]);
        let mut client = service.connect();
        let list = format!(
            "[{}, {}, {{\"type\": \"weather\"}}, {}]",
            goal("1", "H-1", "G-1", "in-progress"),
            goal("2", "H-1", "G-2", "nearly"),
            goal("1", "H-1", "G-1", "in-progress"),
        );
        let kept = client.post_signed(EVENTS, "evt_list", list.as_bytes());
        assert_eq!(kept.status, 202, "{kept:?}");
        let shown = client.processed(kept.json()["receipt"].as_str().unwrap());
        let outcomes: Vec<_> =
            shown["units"].as_array().unwrap().iter().map(|unit| unit["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["accepted", "rejected", "filtered", "unchanged"], "{shown:#}");
        let found = &shown["units"][1]["findings"][0];
        assert_eq!(found["pointer"], "/1/status", "{found:#}");
        assert_eq!(found["code"], "schema/enum", "{found:#}");
    });
}

#[test]
fn what_cannot_be_taken_is_refused_with_its_own_problem() {
    on_every_database(|site| {
        let service = site.serve(&["web"]);
        let mut client = service.connect();
        let good = goal("1", "H-1", "G-1", "in-progress");
        let good = good.as_bytes();
        let check = |path: &str, sent: &[(&str, &str)], body: &[u8], status: u16, problem: &str| {
            let answer = service.connect().send("POST", path, sent, body);
            assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{answer:?}");
            answer.json()
        };
        let right = signed(SECRET, &fresh_id(), now_s(), good);
        let wrong = signed(NEXT_SECRET, &fresh_id(), now_s(), good);
        check(EVENTS, &headers(&wrong), good, 401, "bad-signature");
        check(EVENTS, &headers(&right), b"{}", 401, "bad-signature");
        check(EVENTS, &headers(&right[1..]), good, 401, "bad-signature");
        // What is of the future comes nearer while a busy machine sends it.
        for skew in [-302, 400, -86_400] {
            let stale = signed(SECRET, &fresh_id(), now_s() + skew, good);
            check(EVENTS, &headers(&stale), good, 401, "stale-timestamp");
        }
        check(EVENTS, &[], good, 401, "unauthorised");
        check(EVENTS, &[("authorization", "Bearer x")], good, 401, "unauthorised");
        check("/v1/sources/nobody/events", &headers(&right), good, 404, "unknown-source");
        check("/v1/elsewhere", &[], b"", 404, "not-found");
        let posted = |body: &[u8], status: u16, problem: &str| {
            check(EVENTS, &headers(&signed(SECRET, &fresh_id(), now_s(), body)), body, status, problem)
        };
        for malformed in ["", "x", "{", "[]", "1", "[1]", "{\"a\": 1", "\u{feff}\u{feff}{}"] {
            posted(malformed.as_bytes(), 400, "malformed");
        }
        posted(b"{\"a\": \"\xff\"}", 400, "malformed");
        let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        posted(deep.as_bytes(), 400, "malformed");
        let faulty = goal("1", "", "G-1", "nearly");
        let told = posted(faulty.as_bytes(), 422, "schema");
        insta::assert_json_snapshot!("schema_faults", told);
        let large = format!("{{\"a\": \"{}\"}}", "x".repeat(1024 * 1024));
        posted(large.as_bytes(), 413, "too-large");
        let many = format!("[{}]", vec!["{}"; 1_001].join(","));
        posted(many.as_bytes(), 413, "too-large");
        let mut typed = signed(SECRET, &fresh_id(), now_s(), good);
        typed[3].1 = "text/xml".to_owned();
        check(EVENTS, &headers(&typed), good, 415, "media-type");
        let answer = client.send("GET", EVENTS, &[], b"");
        assert_eq!((answer.status, answer.problem().as_str()), (405, "method"));
        let receipt = client.receipt("rct_00000000000000000000000000000000");
        assert_eq!((receipt.status, receipt.problem().as_str()), (404, "not-found"));
        // Nothing of all this was kept, and the service answers others.
        assert_eq!(client.send("GET", "/health/ready", &[], b"").json()["deliveries_waiting"], 0);
        assert_eq!(client.post_signed(EVENTS, "evt_after", good).status, 202);
        assert_eq!(client.send("GET", "/health/ready", &[], b"").json()["deliveries_waiting"], 1);
    });
}

#[test]
fn a_secret_is_replaced_without_a_gap_and_a_receipt_is_for_its_sender() {
    on_every_database(|site| {
        site.secrets(&[SECRET, NEXT_SECRET]);
        let service = site.serve(&["web"]);
        let mut client = service.connect();
        let body = goal("1", "H-1", "G-1", "in-progress");
        for secret in [SECRET, NEXT_SECRET] {
            let sent = signed(secret, &fresh_id(), now_s(), body.as_bytes());
            let answer = client.send("POST", EVENTS, &headers(&sent), body.as_bytes());
            assert_eq!(answer.status, 202, "{answer:?}");
        }
        let kept = client.post_signed(EVENTS, "evt_1", body.as_bytes()).json();
        let receipt = kept["receipt"].as_str().unwrap();
        assert_eq!(client.receipt(receipt).status, 202);
        let path = format!("/v1/receipts/{receipt}");
        assert_eq!(client.send("GET", &path, &[], b"").problem(), "unauthorised");
        // A signature over something else is none over this.
        let sent = signed(SECRET, "rct_other", now_s(), b"");
        assert_eq!(client.send("GET", &path, &headers(&sent), b"").problem(), "bad-signature");
        service.stop();
        site.secrets(&[NEXT_SECRET]);
        let service = site.serve(&["web"]);
        let answer = service.connect().post_signed(EVENTS, &fresh_id(), body.as_bytes());
        assert_eq!(answer.problem(), "bad-signature");
    });
}

#[test]
fn validating_keeps_nothing() {
    on_every_database(|site| {
        let service = site.serve(&["web"]);
        let mut client = service.connect();
        let list =
            format!("[{}, {}]", goal("1", "H-1", "G-1", "in-progress"), goal("2", "H-1", "G-2", "nearly"));
        let answer = client.post_signed(&format!("{EVENTS}?validate=true"), "evt_v", list.as_bytes());
        assert_eq!(answer.status, 200);
        insta::assert_json_snapshot!("validated", answer.json());
        assert_eq!(client.send("GET", "/health/ready", &[], b"").json()["deliveries_waiting"], 0);
        // The id is still free.
        assert_eq!(client.post_signed(EVENTS, "evt_v", list.as_bytes()).status, 202);
        let other = client.post_signed(&format!("{EVENTS}?validte=true"), &fresh_id(), list.as_bytes());
        assert_eq!(other.problem(), "malformed");
    });
}

#[test]
fn a_source_that_sends_too_fast_is_told_to_wait() {
    let more = "requests_per_s = 1\nrequests_burst = 3";
    let site = Site::new(crate::support::sqlite(), more);
    let service = site.serve(&["web"]);
    let mut client = service.connect();
    let body = goal("1", "H-1", "G-1", "in-progress");
    let mut send = || client.post_signed(EVENTS, &fresh_id(), body.as_bytes());
    assert!((0..3).all(|_| send().status == 202));
    // On a busy machine the rate may allow a few more meanwhile.
    let slowed = (0..500).map(|_| send()).find(|answer| answer.status != 202).unwrap();
    assert_eq!(slowed.status, 429);
    assert_eq!(slowed.problem(), "too-fast");
    assert!(slowed.headers["retry-after"].parse::<u64>().unwrap() >= 1);
}

#[test]
fn a_service_that_would_be_unsafe_does_not_start() {
    let site = Site::new(crate::support::sqlite(), "");
    let refused = |told: &str| {
        let output = site.command(&["serve"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(told), "{text}");
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = site.path().join("keys/housing.whsec");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        refused("can be read by others");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
    site.configure(&config.replace("127.0.0.1:0", "0.0.0.0:0"));
    refused("there is no TLS");
    site.configure(&config.replace("events = \"events\"", "events = \"tracker\""));
    refused("cannot take events that are posted");
}

/// Units of figures. One convention: wayleave, a thing, a unit, and `_total` where it only rises.
const UNITS: [&str; 14] = [
    "requests",
    "seconds",
    "events",
    "problems",
    "deliveries",
    "units",
    "runs",
    "messages",
    "bytes",
    "checks",
    "failures",
    "files",
    "alerts",
    "slots",
];

#[test]
fn the_log_and_the_figures_name_nobody() {
    let site = Site::new(crate::support::sqlite(), "");
    let service = site.serve(&[]);
    let mut client = service.connect();
    let body = goal("Canary-1", "Canary-2", "Canary-3", "in-progress");
    let kept = client.post_signed(EVENTS, "Canary-4", body.as_bytes()).json();
    client.processed(kept["receipt"].as_str().unwrap());
    client.post_signed(EVENTS, "Canary-5", b"{\"Canary\": ");
    client.send("GET", "/v1/Canary?Canary=Canary", &[], b"");
    client.send("CANARY", "/v1/runs", &[], b"");
    let figures = client.send("GET", "/metrics", &[], b"");
    let figures = String::from_utf8(figures.body).unwrap();
    assert!(figures.contains("wayleave_kept_events_total{source=\"housing\"} 1"), "{figures}");
    assert!(figures.contains("wayleave_http_problems_total{kind=\"malformed\"} 1"), "{figures}");
    assert!(figures.contains("method=\"other\""), "{figures}");
    let kinds = figures.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let kinds: Vec<(&str, &str)> = kinds.collect();
    assert!(kinds.len() > 10, "{figures}");
    for (name, kind) in kinds {
        let words: Vec<&str> = name.split('_').collect();
        assert!(words.len() >= 3 && words[0] == "wayleave", "{name}");
        assert!(UNITS.contains(words.last().unwrap()), "{name} names no unit");
        if kind == "counter" {
            assert!(
                figures.contains(&format!("\n{name}_total")) || !figures.contains(&format!("\n{name}{{"))
            );
        }
    }
    assert!(figures.contains("\nwayleave_quarantined_units 0\n"), "{figures}");
    let free = figures.lines().find_map(|line| line.strip_prefix("wayleave_disk_free_bytes ")).unwrap();
    assert!(free.parse::<u64>().unwrap() > 0, "{free}");
    let log = service.stop();
    assert!(log.iter().any(|line| line.contains("\"http.status\":202")), "{log:#?}");
    // A line about a run carries its id, one about a request that one's.
    let of_run = log.iter().find(|line| line.contains("units of housing/events")).unwrap();
    assert!(of_run.contains("\"run.id\":\"run_"), "{of_run}");
    let of_request = log.iter().find(|line| line.contains("\"http.status\"")).unwrap();
    assert!(of_request.contains("\"request.id\":\"req_"), "{of_request}");
    for line in log.iter().map(String::as_str).chain(figures.lines()) {
        assert!(!line.to_lowercase().contains("canary"), "{line}");
    }
    let file = site.database.url.strip_prefix("sqlite:").unwrap().trim_start_matches("//").to_owned();
    for file in [file.clone(), format!("{file}-wal")] {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(6).any(|window| window.eq_ignore_ascii_case(b"canary")), "{file}");
    }
}
