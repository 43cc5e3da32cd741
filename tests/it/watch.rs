//! What is worth telling is told once: promises, files that are refused or held, what is set aside,
//! what does not go out, a door that does not answer. And `status` is ten lines, whatever happened.

use std::path::Path;

use wayleave::base::edge::Instant;
use wayleave::base::limit::WAITING_TOLD_S;
use wayleave::config::{Alert, Config, Missed, Scope};
use wayleave::gateway::alert::{self, AlertShown};
use wayleave::schedule::planned::Planned;
use wayleave::schedule::tell::letter;
use wayleave::schedule::timetable::Timetable;
use wayleave::schedule::watch;
use wayleave::schedule::watcher::Watcher;
use wayleave::store::intent::{self, Intent};
use wayleave::store::release::{self, NoticeRow};
use wayleave::store::sent::{self, Doubt, Sent};

use crate::cohort::table;
use crate::leak::Forbidden;
use crate::night::{Night, goal, mapping, on_every_database};
use crate::service::Site;
use crate::support::{databases, sqlite};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn open(night: &Night) -> Vec<AlertShown> {
    alert::list_open(&night.gateway).unwrap()
}

fn kinds(night: &Night) -> Vec<String> {
    open(night).into_iter().map(|alert| alert.kind).collect()
}

fn look(night: &Night, planned: &[Planned], studies: &[&str]) {
    let studies: Vec<String> = studies.iter().map(|study| (*study).to_owned()).collect();
    let settings = Alert { quarantine_max: 3, ..Alert::default() };
    watch::look(&night.gateway, planned, &studies, &settings).unwrap();
}

#[test]
fn a_broken_promise_is_one_alert_and_yesterdays_file_does_not_keep_it() {
    on_every_database(|night| {
        let feed = night.feed("council/cld", Scope::Everyone, &mapping("council/cld", "full", "whole", ""));
        let planned = [Planned {
            feed: feed.clone(),
            slots: None,
            missed: Missed::CatchUp,
            promise: Some(Timetable::parse("Tue 12:00", "Europe/London").unwrap()),
        }];
        let look_at = |moment: &str| {
            night.clock.set(at(moment));
            look(&night, &planned, &[]);
            open(&night)
        };
        let rows = [goal("A1", "G1", "in-progress", "")];
        night.clock.set(at("2025-03-17T08:00:00Z"));
        night.take(&feed, "1.csv", &rows);
        // A promise that is new asks for nothing that was due before it was made.
        assert!(look_at("2025-03-18T13:00:00Z").is_empty());
        // The same file again: no news, and the promise is broken at noon in London, which is 11:00 here
        // once the clock has gone forward.
        night.clock.set(at("2025-03-24T08:00:00Z"));
        night.sync(std::slice::from_ref(&feed));
        assert!(look_at("2025-03-25T11:59:59Z").is_empty());
        let late = look_at("2025-03-25T12:00:00Z");
        assert_eq!((late.len(), late[0].kind.as_str()), (1, "file-late"));
        insta::allow_duplicates!(
            insta::assert_snapshot!(late[0].text, @"council/cld: no new file came by Tue 25 March 12:00, as was promised")
        );
        // One alert, not one a minute.
        for minute in 1..60 {
            assert_eq!(look_at(&format!("2025-03-25T12:{minute:02}:00Z")), late);
        }
        // A new file ends it.
        night.take(&feed, "2.csv", &[goal("A1", "G1", "completed", "")]);
        look(&night, &planned, &[]);
        assert!(open(&night).is_empty());
        assert!(
            look_at("2025-04-01T10:59:59Z").is_empty(),
            "it came after the last deadline, so it keeps this one"
        );
        assert!(look_at("2025-04-01T11:00:00Z").is_empty());
        // A file that is refused keeps no promise; after a month's sleep there is one alert.
        night.clock.set(at("2025-04-07T08:00:00Z"));
        night.put_bytes(&feed, "3.csv", b"Nothing,Like,It\n1,2,3\n");
        night.sync(std::slice::from_ref(&feed));
        look_at("2025-05-07T12:00:00Z");
        let mut told = kinds(&night);
        told.sort();
        assert_eq!(told, ["file-late", "run-failed"]);
    });
}

#[test]
fn a_file_that_is_refused_night_after_night_is_one_alert() {
    on_every_database(|night| {
        let feed = night.feed("council/cld", Scope::Everyone, &mapping("council/cld", "full", "whole", ""));
        night.put_bytes(&feed, "1.csv", b"Nothing,Like,It\n1,2,3\n");
        for _night in 0..3 {
            night.sync(std::slice::from_ref(&feed));
            look(&night, &[], &[]);
        }
        assert_eq!(kinds(&night), ["run-failed"]);
        std::fs::remove_file(feed.place.join("1.csv")).unwrap();
        night.take(&feed, "2.csv", &[goal("A1", "G1", "overdue", "")]);
        look(&night, &[], &[]);
        assert!(open(&night).is_empty());
    });
}

#[test]
fn what_is_set_aside_is_told_when_it_is_too_much_and_again_when_it_has_doubled() {
    on_every_database(|night| {
        let text = mapping("council/cld", "incremental", "whole", "");
        let feed = night.feed("council/cld", Scope::Everyone, &text);
        let wrong = |from: usize, to: usize| -> Vec<String> {
            (from..to)
                .map(|n| crate::night::person(&format!("A{n}"), "9990000019", "Gray", "1960-02-03"))
                .collect()
        };
        let mut counts = Vec::new();
        for (n, (from, to)) in [(0, 3), (3, 5), (5, 8), (8, 12)].into_iter().enumerate() {
            night.take(&feed, &format!("{n}.csv"), &wrong(from, to));
            look(&night, &[], &[]);
            counts.push(open(&night).first().map(|alert| alert.count));
        }
        assert_eq!(counts, [None, Some(5), Some(5), Some(12)]);
        assert_eq!(alert::list_last(&night.gateway, 10).unwrap().len(), 2);
    });
}

fn an_intent(id: &str, created_at: &str, notice: Option<&str>) -> Intent {
    Intent {
        id: id.to_owned(),
        study: "study".to_owned(),
        person_id: None,
        record_id: Some(id.to_owned()),
        record_kind: None,
        number: 1,
        kind: if notice.is_some() { "withdrawn" } else { "record" }.to_owned(),
        reason: String::new(),
        basis: String::new(),
        notice_id: notice.map(str::to_owned),
        state: "waiting".to_owned(),
        lease_until: None,
        claimed_by: None,
        message_id: None,
        sequence: 1,
        created_at: created_at.to_owned(),
        sent_at: None,
        release_id: None,
    }
}

#[test]
fn what_does_not_go_out_is_told_notices_of_withdrawal_the_sooner() {
    on_every_database(|night| {
        let lay = |intent: Intent| {
            night.gateway.store.write(|tx| intent::lay(tx, std::slice::from_ref(&intent))).unwrap();
        };
        night.clock.set(at("2025-03-01T09:00:00Z"));
        lay(an_intent("int_1", "2025-03-01T09:00:00.000Z", None));
        lay(an_intent("int_2", "2025-03-01T09:00:00.000Z", Some("ntc_1")));
        let told = |moment: &str| {
            night.clock.set(at(moment));
            look(&night, &[], &["study"]);
            open(&night).into_iter().map(|alert| alert.about).collect::<Vec<_>>()
        };
        assert!(told("2025-03-02T09:00:00Z").is_empty());
        assert_eq!(told("2025-03-02T09:00:01Z"), ["notices"]);
        assert_eq!(told("2025-04-05T09:00:01Z"), ["notices", "messages"]);
        let ids = ["int_1".to_owned(), "int_2".to_owned()];
        night.gateway.store.write(|tx| intent::delete(tx, &ids)).unwrap();
        assert!(told("2025-04-05T09:00:02Z").is_empty());
    });
}

fn a_notice(id: &str, scope: &str) -> NoticeRow {
    NoticeRow {
        id: id.to_owned(),
        study: "study".to_owned(),
        person_id: format!("person-{id}"),
        scope: scope.to_owned(),
        decided_on: "2025-03-01".to_owned(),
        laid_at: "2025-03-01T09:00:00.000Z".to_owned(),
        sent_at: None,
        acknowledged_at: None,
        removed_at: None,
    }
}

#[test]
fn a_withdrawal_that_is_not_answered_in_time_is_told() {
    on_every_database(|night| {
        let store = &night.gateway.store;
        let notices = [
            a_notice("ntc_1", "no-further-use"),
            a_notice("ntc_2", "no-new-data"),
            a_notice("ntc_3", "no-further-use"),
        ];
        for notice in &notices {
            store.write(|tx| release::lay_notice(tx, notice)).unwrap();
        }
        let answer = |id: &str, is_removed: bool| {
            let at = "2025-03-02T09:00:00.000Z";
            store.write(|tx| release::mark_notice_answered(tx, id, is_removed, at)).unwrap();
        };
        let told = |moment: &str| {
            night.clock.set(at(moment));
            look(&night, &[], &["study"]);
            let told = open(&night)
                .into_iter()
                .map(|alert| format!("{} {} {}", alert.kind, alert.about, alert.count));
            told.collect::<Vec<_>>()
        };
        assert!(told("2025-03-11T09:00:00Z").is_empty(), "ten days are not over");
        assert_eq!(told("2025-03-11T09:00:01Z"), ["withdrawal-overdue acknowledgement 3"]);
        answer("ntc_1", true);
        answer("ntc_2", false);
        answer("ntc_3", false);
        assert!(told("2025-03-31T09:00:00Z").is_empty(), "and of removal thirty");
        // What was released may be kept under the second, and the first is gone.
        assert_eq!(told("2025-03-31T09:00:01Z"), ["withdrawal-overdue removal 1"]);
        assert!(open(&night)[0].text.contains("more than 30 days old"), "{:?}", open(&night));
        answer("ntc_3", true);
        assert!(told("2025-03-31T09:00:02Z").is_empty());
    });
}

#[test]
fn what_does_not_reach_others_is_told_until_somebody_has_looked() {
    on_every_database(|night| {
        let now = "2025-03-01T09:00:00.000Z".to_owned();
        let told = |moment: &str| {
            night.clock.set(at(moment));
            look(&night, &[], &[]);
            open(&night).into_iter().map(|alert| (alert.about, alert.count)).collect::<Vec<_>>()
        };
        let come_back = |id: &str| {
            let row = Sent {
                id: id.to_owned(),
                transport: "mesh".to_owned(),
                recipient: "X26ABC2".to_owned(),
                workflow: "WAYLEAVE_TEST".to_owned(),
                subject: String::new(),
                file_name: String::new(),
                in_order_of: None,
                key_hash: id.as_bytes().to_vec(),
                size_bytes: 1,
                sealed: None,
                state: "undelivered".to_owned(),
                message_id: None,
                code: Some("14".to_owned()),
                tries: 1,
                next_try_at: now.clone(),
                queued_at: now.clone(),
                changed_at: now.clone(),
                dispatch_id: None,
            };
            assert!(night.gateway.store.write(|tx| sent::put(tx, &row)).unwrap());
        };
        let unrouted = Doubt {
            message_id: "M1".to_owned(),
            reason: "unrouted".to_owned(),
            workflow: "WAYLEAVE_OTHER".to_owned(),
            sender: "X26ABC2".to_owned(),
            code: String::new(),
            first_seen_at: now.clone(),
            last_seen_at: now.clone(),
        };
        assert!(told("2025-03-01T09:00:00Z").is_empty());
        night.gateway.store.write(|tx| sent::doubt(tx, &unrouted)).unwrap();
        come_back("snt_1");
        assert_eq!(told("2025-03-01T09:01:00Z"), [("mailbox".to_owned(), 1), ("post/mesh".to_owned(), 1)]);
        night.gateway.store.write(|tx| sent::settle(tx, "M1")).unwrap();
        come_back("snt_2");
        assert_eq!(told("2025-03-01T09:02:00Z"), [("post/mesh".to_owned(), 2)]);
        assert!(told("2025-03-09T09:00:00Z").is_empty());
        assert_eq!(alert::list_last(&night.gateway, 10).unwrap().len(), 3);
    });
}

#[test]
fn a_door_that_does_not_answer_is_told_and_so_is_what_nobody_reads() {
    on_every_database(|night| {
        let config = |queue: &str| {
            let text = format!("[gateway]\nqueue = \"{queue}\"\n");
            toml::from_str::<Config>(&text).unwrap()
        };
        // Nobody listens at port 1.
        Watcher::open(&config("amqp://127.0.0.1:1/%2f")).unwrap().round(&night.gateway, &[]).unwrap();
        assert_eq!(kinds(&night), ["queue-unreachable"]);
        let file = night.folder.path().join("queue.db");
        let (edge, _) = crate::support::edge();
        let settings = wayleave::queue::Settings {
            url: format!("sqlite:{}", file.display()),
            authority: None,
            lease_s: 10,
        };
        drop(wayleave::queue::Queue::open(&settings, &edge).unwrap());
        Watcher::open(&config(&settings.url)).unwrap().round(&night.gateway, &[]).unwrap();
        assert!(open(&night).is_empty());
    });
    for database in databases() {
        let site = Site::new(database, "");
        let service = site.serve(&["web"]);
        let body = crate::service::goal("1", "H-1", "G-1", "in-progress");
        assert_eq!(
            service.connect().post_signed("/v1/sources/housing/events", "evt_1", body.as_bytes()).status,
            202
        );
        service.kill();
        let (edge, clock) = crate::support::edge();
        let gateway = wayleave::gateway::Gateway {
            store: wayleave::store::Store::open_existing(&site.database.url).unwrap(),
            keys: wayleave::gateway::keys::load(&Config {
                folder: site.path().to_owned(),
                ..Config::default()
            })
            .unwrap(),
            edge,
            actor: "test".to_owned(),
        };
        let waits = |past_s: i64| {
            clock.set(Instant::from_unix_ms(crate::service::now_s() * 1_000).plus_s(past_s));
            watch::look(&gateway, &[], &[], &Alert::default()).unwrap();
            alert::list_open(&gateway)
                .unwrap()
                .into_iter()
                .map(|alert| (alert.kind, alert.count))
                .collect::<Vec<_>>()
        };
        assert!(waits(WAITING_TOLD_S / 2).is_empty());
        assert_eq!(waits(WAITING_TOLD_S + 60), [("worker-failing".to_owned(), 1)]);
    }
}

/// Everybody of the cohort.
fn cohort() -> Forbidden {
    let mut forbidden = Forbidden::default();
    for client in table("clients") {
        forbidden.name(&client["given_name"]);
        forbidden.name(&client["family_name"]);
        forbidden.nhs_number(&client["nhs_number"]);
        forbidden.birth_date(&client["birth_date"]);
        forbidden.id(&client["client"]);
    }
    assert!(forbidden.count() > 1_000, "there is plenty to look for");
    forbidden
}

/// A row of each of the cohort, whose NHS number is wrong, or whose goal has no area.
fn rows(is_set_aside: bool) -> Vec<String> {
    let row = |client: &crate::cohort::Row| {
        let (id, family, given) = (&client["client"], &client["family_name"], &client["given_name"]);
        let mut nhs = client["nhs_number"].clone();
        if is_set_aside {
            let last = nhs.pop().unwrap().to_digit(10).unwrap();
            nhs.push(char::from_digit((last + 1) % 10, 10).unwrap());
            return format!("{id},{nhs},{family},{given},{},LE1 3AB,,,,,", client["birth_date"]);
        }
        format!(
            "{id},{nhs},{family},{given},{},LE1 3AB,{family},,overdue,{given} {family},",
            client["birth_date"]
        )
    };
    table("clients").iter().map(row).collect()
}

#[test]
fn no_alert_holds_anything_of_anybody() {
    on_every_database(|night| {
        let somebody = table("clients")[0].clone();
        let named =
            format!("{} {} {}", somebody["given_name"], somebody["family_name"], somebody["nhs_number"]);
        let text = mapping("council/cld", "incremental", "whole", "");
        let feed = |name: &str| night.feed(name, Scope::Everyone, &text);
        let promise = Some(Timetable::parse("Tue 12:00", "Europe/London").unwrap());
        let late = Planned { feed: feed("council/late"), slots: None, missed: Missed::CatchUp, promise };
        night.clock.set(at("2025-03-24T08:00:00Z"));
        look(&night, std::slice::from_ref(&late), &[]);
        // Set aside, held, refused: by rows of everybody, in files named after somebody.
        let aside = feed("council/aside");
        night.put(&aside, &format!("{named}.csv"), &rows(true));
        let held =
            wayleave::gateway::feed::Feed { stop: wayleave::config::Stop::default(), ..feed("council/held") };
        night.put(&held, &format!("{named}.csv"), &rows(false));
        let refused = feed("council/refused");
        let header = format!("{named},Like,It\n{}\n", rows(false).join("\n"));
        night.put_bytes(&refused, &format!("{named}.csv"), header.as_bytes());
        night.sync(&[aside, held, refused]);
        // A sync that could not be run, for a file of somebody's name.
        let path = Path::new("/in").join(format!("{named}.csv"));
        let error =
            wayleave::gateway::GatewayError::File { path, source: std::io::ErrorKind::NotFound.into() };
        watch::slot_failed(&night.gateway, "council/late", at("2025-03-24T02:30:00Z"), &error).unwrap();
        night.clock.set(at("2025-03-25T12:00:00Z"));
        look(&night, std::slice::from_ref(&late), &[]);
        let mut told = kinds(&night);
        told.sort();
        assert_eq!(told, ["file-late", "held", "quarantine-growing", "run-failed", "run-failed"]);
        let mut all = String::new();
        for alert in open(&night) {
            let (subject, text) = letter(&alert, "the gateway");
            all.push_str(&format!("{subject}\n{text}\n{}\n", serde_json::to_string(&alert).unwrap()));
        }
        all.push_str(&crate::dump::dump(&night.url())["alert"].join("\n"));
        let forbidden = cohort();
        assert_eq!(forbidden.find(&all), Vec::<String>::new());
        assert!(!forbidden.find(&named).is_empty(), "the search finds what is there");
    });
}

#[test]
fn status_is_ten_lines_whatever_happened() {
    let at = Site::new(sqlite(), "");
    let mut config = "[gateway]\nmappings = \"mappings\"\n[source.council]\nscope = \"everyone\"\nschedule = { sync = \"02:30\" }\n".to_owned();
    std::fs::create_dir_all(at.path().join("mappings/council")).unwrap();
    for n in 0..12 {
        let name = format!("feed{n:02}");
        let text = mapping(&format!("council/{name}"), "incremental", "whole", "");
        std::fs::write(at.path().join(format!("mappings/council/{name}.toml")), text).unwrap();
        let place = at.path().join("in").join(&name);
        std::fs::create_dir_all(&place).unwrap();
        config.push_str(&format!("[source.council.feed.{name}]\nfolder = \"in/{name}\"\n"));
        let rows: Vec<String> = match n {
            0..4 => vec!["Nothing,Like,It".to_owned(), "1,2,3".to_owned()],
            4 => (0..20).map(|n| format!("A{n},,,,,,G{n},,overdue,,")).collect(),
            _ => vec![
                goal(&format!("A{n}"), &format!("G{n}"), "overdue", ""),
                crate::night::person("B", "9990000019", "Gray", "1960-02-03"),
            ],
        };
        let header = if n < 4 { String::new() } else { format!("{}\n", crate::night::HEADER) };
        std::fs::write(place.join("1.csv"), format!("{header}{}\n", rows.join("\n"))).unwrap();
    }
    at.configure(&config);
    let mut told = String::new();
    let mut status = |exit: i32| {
        let output = at.command(&["status"]).output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.lines().count() <= 10, "{said}");
        told.push_str(&said);
        told.push('\n');
    };
    at.must(&["sync"]);
    status(1);
    for n in 0..5 {
        std::fs::remove_file(at.path().join(format!("in/feed{n:02}/1.csv"))).unwrap();
        let row = goal(&format!("A{n}"), &format!("G{n}"), "overdue", "");
        std::fs::write(
            at.path().join(format!("in/feed{n:02}/2.csv")),
            format!("{}\n{row}\n", crate::night::HEADER),
        )
        .unwrap();
    }
    let runs: serde_json::Value =
        serde_json::from_str(&at.must(&["--json", "run", "list", "--last", "100"])).unwrap();
    let held = runs.as_array().unwrap().iter().find(|run| run["state"] == "held").unwrap();
    let id = &held["id"].as_str().unwrap()[28..];
    let shown = at.must(&["run", "show", id]);
    let thrown = at.must(&["run", "throw-away", id]);
    at.must(&["sync"]);
    status(0);
    insta::with_settings!({filters => vec![
        (r"alt_[0-9a-f]{32}", "alt_ID"),
        (r"run_[0-9a-f]{32}", "run_ID"),
        (r"(show|through|away) [0-9a-f]{8}", "$1 RUN"),
        (r"\([0-9a-f]{8}\)", "(RUN)"),
        (r"cli:[a-z]+", "cli:NAME"),
        (r"by cli;", "by cli:NAME;"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD hh:mm"),
        (r"on [A-Z][a-z]{2} \d+ [A-Z][a-z]+ 02:30", "on DAY 02:30"),
    ]}, {
        insta::assert_snapshot!("ten_lines", told);
        insta::assert_snapshot!("held", format!("{shown}\n{thrown}"));
    });
}

#[cfg(unix)]
#[test]
fn the_schedule_is_a_role_of_its_own_and_stops_when_it_is_told_to() {
    for database in databases() {
        let site = Site::new(database, "");
        let service = site.serve(&["schedule"]);
        service.stop();
        let service = site.serve(&[]);
        let figures = service.connect().send("GET", "/metrics", &[], b"");
        let figures = String::from_utf8(figures.body).unwrap();
        for name in ["wayleave_schedule_failures_total 0", "wayleave_schedule_alerts 0"] {
            assert!(figures.contains(name), "{name}: {figures}");
        }
        service.stop();
    }
}
