//! Files through the second step: kept sealed, gone on with after an interruption, signed events
//! believed only when their signature holds.

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use wayleave::base::limit::PROCESS_UNITS_MAX;
use wayleave::base::seal::{IndexKey, MasterKey};
use wayleave::config::Scope;
use wayleave::gateway::kept::KeptFile;
use wayleave::gateway::show;
use wayleave::store::keys::Keys;
use wayleave::store::run::State;
use wayleave::store::{batch, run};
use wayleave::transport::webhook::Secrets;

use crate::night::{Night, balanced, goal, mapping, on_every_database, outcomes};
use crate::support::{databases, sqlite};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Makes every write of a run beyond a position fail, as a server that goes away would.
fn fail_beyond(url: &str, position: Option<i64>) {
    if let Some(file) = url.strip_prefix("sqlite:") {
        let mut connection = diesel::SqliteConnection::establish(file.trim_start_matches("//")).unwrap();
        connection.batch_execute("DROP TRIGGER IF EXISTS stop").unwrap();
        if let Some(position) = position {
            let trigger = format!(
                "CREATE TRIGGER stop BEFORE UPDATE ON run WHEN NEW.position > {position} \
                 BEGIN SELECT RAISE(ABORT, 'stopped'); END"
            );
            connection.batch_execute(&trigger).unwrap();
        }
    } else {
        let mut connection = diesel::PgConnection::establish(url).unwrap();
        connection.batch_execute("ALTER TABLE run DROP CONSTRAINT IF EXISTS stop").unwrap();
        if let Some(position) = position {
            let check = format!("ALTER TABLE run ADD CONSTRAINT stop CHECK (position <= {position})");
            connection.batch_execute(&check).unwrap();
        }
    }
}

#[test]
fn a_run_goes_on_where_it_stopped_and_counts_nothing_twice() {
    for database in databases() {
        let url = database.url.clone();
        let night = Night::new(database);
        let feed = night.feed("council/cld", Scope::Everyone, &mapping("council/cld", "full", "whole", ""));
        // One transaction and a part of another.
        let whole = i64::try_from(PROCESS_UNITS_MAX).unwrap();
        let mut rows: Vec<_> =
            (0..whole + 200).map(|n| goal(&format!("A{n}"), &format!("G{n}"), "overdue", "")).collect();
        rows.push(rows[3].clone());
        rows.push("A5,,,,,,G5,work,completed,,".to_owned());
        rows.push("A9,,,,,,G9,,completed,,".to_owned());
        night.put(&feed, "a.csv", &rows);
        fail_beyond(&url, Some(whole));
        assert!(night.try_sync(std::slice::from_ref(&feed)).is_err());
        let open = night.gateway.store.read(run::list_open).unwrap();
        assert_eq!((open.len(), open[0].position, open[0].received), (1, whole, whole));
        fail_beyond(&url, None);
        let synced = night.sync(std::slice::from_ref(&feed));
        let ended = &synced.runs[0];
        balanced(ended);
        assert_eq!(ended.id, open[0].id);
        // The duplicate and the conflict are with rows of before the interruption.
        assert_eq!(outcomes(ended), [1, 0, 1, 0, whole + 200, 1], "{ended:?}");
        assert_eq!((ended.records_absent, ended.findings_warning), (0, 1), "{ended:?}");
        assert_eq!(night.records("goal").len(), PROCESS_UNITS_MAX + 200);
    }
}

#[test]
fn a_kept_file_reads_back_as_it_was_and_names_nobody_at_rest() {
    let database = sqlite();
    let url = database.url.clone();
    let night = Night::new(database);
    let feed =
        night.feed("housing/tracker", Scope::Defines, &mapping("housing/tracker", "full", "whole", ""));
    // More than one piece of a megabyte.
    let words = "Canary".repeat(350);
    let rows: Vec<_> = (0..600)
        .map(|n| format!("Canary{n},,Canaryname{n},,1960-02-03,,G{n},work,overdue,{words},"))
        .collect();
    let path = night.put(&feed, "Canary file.csv", &rows[..]);
    night.sync(std::slice::from_ref(&feed));
    let kept = night.gateway.store.read(|tx| batch::find_last(tx, "housing", "tracker")).unwrap().unwrap();
    let key = wayleave::gateway::kept::data_key(&night.gateway, &kept).unwrap();
    let mut read = Vec::new();
    std::io::copy(&mut KeptFile::new(&night.gateway.store, &key, &kept), &mut read).unwrap();
    assert_eq!(read, std::fs::read(path).unwrap());
    let file = url.strip_prefix("sqlite:").unwrap().trim_start_matches("//").to_owned();
    for file in [file.clone(), format!("{file}-wal")] {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(6).any(|window| window.eq_ignore_ascii_case(b"canary")), "{file}");
        assert!(!bytes.windows(10).any(|window| window == b"1960-02-03"), "{file}");
    }
}

#[test]
fn other_keys_are_refused_before_anything_is_looked_up() {
    on_every_database(|mut night| {
        let feed =
            night.feed("housing/tracker", Scope::Defines, &mapping("housing/tracker", "full", "whole", ""));
        night.take(&feed, "a.csv", &[goal("A1", "G1", "overdue", "")]);
        let right = night.gateway.keys.clone();
        for (keys, name) in [
            (Keys { index: IndexKey::from_bytes([9; 32]), ..right.clone() }, "index"),
            (Keys { master: MasterKey::from_bytes([9; 32]), ..right.clone() }, "master"),
        ] {
            night.gateway.keys = keys;
            let error = night.try_sync(std::slice::from_ref(&feed)).unwrap_err();
            assert!(error.to_string().starts_with(&format!("the {name} key does not belong")), "{error}");
        }
    });
}

#[test]
fn a_refused_file_leaves_everything_as_it_was_and_is_tried_again() {
    on_every_database(|night| {
        let feed =
            night.feed("housing/tracker", Scope::Defines, &mapping("housing/tracker", "full", "whole", ""));
        night.take(&feed, "1.csv", &[goal("A1", "G1", "overdue", "")]);
        let before = night.records("goal");
        night.put_bytes(&feed, "2.csv", b"Id,Wrong\nA1,x\n");
        for _ in 0..2 {
            let synced = night.sync(std::slice::from_ref(&feed));
            let refused = &synced.runs[0];
            assert_eq!((refused.state.as_str(), refused.received), (State::Failed.as_str(), 0));
            assert!(refused.findings_error > 0);
            assert_eq!(night.records("goal"), before);
        }
        // The mended file stands beside it.
        std::fs::remove_file(feed.place.join("2.csv")).unwrap();
        assert_eq!(night.take(&feed, "3.csv", &[goal("A1", "G1", "completed", "")]).accepted, 1);
    });
}

/// A line of signed events, as housing/events keeps them.
fn event(id: &str, body: &str, secret: &str) -> String {
    let signature =
        standardwebhooks::Webhook::new(secret).unwrap().sign(id, 1_743_411_600, body.as_bytes()).unwrap();
    serde_json::json!({
        "webhook-id": id, "webhook-timestamp": "1743411600", "webhook-signature": signature, "body": body,
    })
    .to_string()
}

fn goal_event(id: &str, status: &str, at: &str) -> String {
    serde_json::json!({
        "type": "goal_updated", "id": id, "occurred_at": at, "client_ref": "PI001",
        "goal_ref": "G1", "area": "work", "status": status, "set_on": "2024-01-02",
    })
    .to_string()
}

#[test]
fn an_event_is_believed_only_when_signed_and_only_once() {
    on_every_database(|night| {
        let text =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/mappings/housing/events.toml"));
        let mut feed = night.feed("housing/events", Scope::Defines, &text.unwrap());
        feed.secrets = Some(Secrets::parse(SECRET).unwrap());
        let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let first = goal_event("1", "in-progress", "2025-03-01T09:00:00Z");
        let lines = [
            event("evt_1", &first, SECRET),
            event("evt_1", &first, SECRET),
            event("evt_2", &goal_event("2", "completed", "2025-03-02T09:00:00Z"), other),
            r#"{"body":"{}"}"#.to_owned(),
        ];
        night.put_bytes(&feed, "1.ndjson", format!("{}\n", lines.join("\n")).as_bytes());
        let synced = night.sync(std::slice::from_ref(&feed));
        assert_eq!(outcomes(&synced.runs[0]), [2, 0, 1, 0, 1, 0], "{:?}", synced.runs);
        assert_eq!(night.status(), "in-progress");
        let detail = show::show_run(&night.gateway, None).unwrap();
        let codes: Vec<_> = detail.first.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, ["webhook/signature", "webhook/envelope"]);
        // The same event in a later file is known, whatever else is in it.
        let later = [
            event("evt_1", &first, SECRET),
            event("evt_3", &goal_event("3", "completed", "2025-03-03T09:00:00Z"), SECRET),
        ];
        night.put_bytes(&feed, "2.ndjson", later.join("\n").as_bytes());
        let synced = night.sync(std::slice::from_ref(&feed));
        let run = synced.runs.iter().find(|run| run.received == 2).unwrap();
        assert_eq!(outcomes(run), [0, 0, 1, 0, 1, 0], "{run:?}");
        assert_eq!(night.status(), "completed");
    });
}

#[test]
fn another_version_of_the_mapping_reads_the_kept_file_again() {
    on_every_database(|night| {
        let text = mapping("housing/tracker", "full", "whole", "");
        let feed = night.feed("housing/tracker", Scope::Defines, &text);
        night.take(&feed, "1.csv", &["A1,,,,,,G1,work,overdue,in words,".to_owned()]);
        let newer = text
            .replace("version = 1", "version = 2")
            .replace("  { to = \"wording\", from = \"Wording\" },\n", "");
        let feed = night.feed("housing/tracker", Scope::Defines, &newer);
        let synced = night.sync(std::slice::from_ref(&feed));
        let again = synced.runs.iter().find(|run| run.received == 1).unwrap();
        assert_eq!((again.note.as_str(), again.records_changed), ("read again: the mapping has changed", 1));
    });
}

#[test]
fn two_syncs_at_once_count_nothing_twice() {
    on_every_database(|night| {
        let feed = night.feed("council/cld", Scope::Everyone, &mapping("council/cld", "full", "whole", ""));
        let rows: Vec<_> =
            (0..2_500).map(|n| goal(&format!("A{}", n % 50), &format!("G{n}"), "overdue", "")).collect();
        night.put(&feed, "a.csv", &rows);
        let feeds = std::slice::from_ref(&feed);
        std::thread::scope(|scope| {
            let both: Vec<_> = (0..2).map(|_| scope.spawn(|| night.try_sync(feeds).err())).collect();
            for thread in both {
                // One may find that the other is at work, and say so.
                if let Some(error) = thread.join().unwrap() {
                    assert!(error.retryable(), "{error}");
                }
            }
        });
        night.sync(feeds);
        let runs = show::list_runs(&night.gateway, 100).unwrap();
        let took: Vec<_> = runs.iter().filter(|run| run.units.received > 0).collect();
        assert_eq!(took.len(), 1, "{took:?}");
        assert_eq!((took[0].units.accepted, took[0].records.new), (2_500, 2_550), "{took:?}");
        assert_eq!(night.records("goal").len(), 2_500);
    });
}
