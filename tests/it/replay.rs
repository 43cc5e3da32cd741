//! Units that were set aside: why, in the sender's words; replayed through a mapping that was put
//! right, in order, once; written out; marked.

use serde_json::Value;
use wayleave::config::Scope;
use wayleave::gateway::GatewayError;
use wayleave::gateway::quarantine::{self, Asked};
use wayleave::gateway::replay::{Replayed, replay};
use wayleave::gateway::shadow;
use wayleave::gateway::{live_mapping, show};
use wayleave::mapping::diagnostic::Source;
use wayleave::mapping::library::Library;
use wayleave::store::quarantine::Filter;
use wayleave::store::run;
use wayleave::store::{audit, version};

use crate::bad_input::{Site, rows};
use crate::night::{HEADER, Night, balanced, goal, mapping, on_every_database, outcomes, person};

/// The mapping of the night that sets wrong NHS numbers aside, and one that does not read them.
fn strict() -> String {
    mapping("council/cld", "incremental", "whole", "")
}

pub(crate) fn lenient() -> String {
    let nhs = "  { to = \"nhs_number\", from = \"NHS\", as = \"nhs-number\", wrong = \"quarantine\" },\n";
    let text = strict().replace("version = 1", "version = 2");
    assert!(text.contains(nhs));
    text.replace(nhs, "")
}

fn everything() -> Asked {
    Asked { feed: Some("council".to_owned()), ..Asked::default() }
}

fn count(night: &Night, table: &str) -> i64 {
    let dump = crate::dump::dump(&night.url());
    i64::try_from(dump[table].len()).unwrap()
}

fn outcomes_of(replayed: &Replayed) -> Vec<&str> {
    replayed.units.iter().map(|unit| unit.outcome.as_str()).collect()
}

#[test]
fn what_was_set_aside_is_replayed_in_order_and_once() {
    on_every_database(|night| {
        let old = night.feed("council/cld", Scope::Everyone, &strict());
        let new = night.feed("council/cld", Scope::Everyone, &lenient());
        let first = [
            person("A1", "9990000018", "Gray", "1960-02-03"),
            person("A2", "9990000019", "Jones", "1961-02-03"),
            // Still wrong with the new mapping: a day that does not exist.
            person("A3", "9990000019", "Brown", "1961-02-31"),
            goal("A1", "G1", "in-progress", ""),
        ];
        assert_eq!(outcomes(&night.take(&old, "a.csv", &first)), [0, 2, 0, 0, 2, 0]);
        let second = [person("A2", "9990000019", "Smith", "1961-02-03")];
        assert_eq!(outcomes(&night.take(&old, "b.csv", &second)), [0, 1, 0, 0, 0, 0]);
        let listed = quarantine::list(&night.gateway, &everything(), 10).unwrap();
        let causes = quarantine::by_cause(&listed);
        assert_eq!(causes.len(), 1, "{causes:#?}");
        assert_eq!((causes[0].column.as_deref(), causes[0].units), (Some("NHS"), 3));
        assert_eq!(causes[0].places, ["line 3", "line 4", "line 2"]);
        // A dry run says what would become of each, and does nothing.
        let runs = count(&night, "run");
        let feeds = std::slice::from_ref(&new);
        let rehearsed = replay(&night.gateway, feeds, &everything(), true).unwrap();
        assert_eq!(outcomes_of(&rehearsed), ["accepted", "quarantined", "accepted"]);
        assert!(rehearsed.units[1].findings.iter().any(|found| found.code == "map/date"), "{rehearsed:#?}");
        assert_eq!((count(&night, "run"), rehearsed.runs.len()), (runs, 0));
        assert_eq!(quarantine::list(&night.gateway, &everything(), 10).unwrap(), listed);
        // In earnest: a run a batch, each of which balances, and counts these units alone.
        let replayed = replay(&night.gateway, feeds, &everything(), false).unwrap();
        assert_eq!(outcomes_of(&replayed), outcomes_of(&rehearsed));
        let received: Vec<i64> = replayed.runs.iter().map(|run| run.units.received).collect();
        assert_eq!(received, [2, 1]);
        let open = quarantine::list(&night.gateway, &everything(), 10).unwrap();
        assert_eq!(open.iter().map(|unit| unit.place.as_str()).collect::<Vec<_>>(), ["line 4"]);
        assert_eq!((open[0].code.as_str(), open[0].column.as_deref()), ("map/date", Some("Born")));
        // The later row stands, though both were replayed together.
        let people = night.records("person");
        let versions: Vec<i64> = people.iter().map(|person| person.number).collect();
        assert_eq!(versions.iter().max(), Some(&2), "A2 has two versions: {versions:?}");
        // Once more: nothing new of what was taken.
        let before = count(&night, "version");
        let again = replay(&night.gateway, feeds, &everything(), false).unwrap();
        assert_eq!(outcomes_of(&again), ["quarantined"]);
        let closed = Asked { state: Some("replayed".to_owned()), ..everything() };
        assert_eq!(quarantine::list(&night.gateway, &closed, 10).unwrap().len(), 2);
        // The next night finishes the runs, and reads everything again for the new mapping: all is
        // known, and a replay is not taken for a reading of the whole batch.
        let synced = night.sync(feeds);
        for ended in &synced.runs {
            balanced(ended);
        }
        let whole: Vec<_> = synced.runs.iter().filter(|run| run.note.starts_with("read again")).collect();
        assert_eq!(whole.len(), 2, "{:#?}", synced.runs);
        assert!(whole.iter().all(|run| run.records_new == 0), "{whole:#?}");
        assert_eq!(count(&night, "version"), before + 1, "of A1, without the NHS number");
        let listed = show::list_runs(&night.gateway, 20).unwrap();
        assert!(listed.iter().all(|run| run.state == "finished"), "{listed:#?}");
    });
}

#[test]
fn a_replay_that_was_interrupted_is_finished_by_the_next_night() {
    on_every_database(|night| {
        let old = night.feed("council/cld", Scope::Everyone, &strict());
        night.take(&old, "a.csv", &[person("A2", "9990000019", "Jones", "1961-02-03")]);
        let of = |tx: &mut wayleave::store::Tx| {
            let listed = wayleave::store::quarantine::list(tx, &Filter::default(), 10)?;
            let mut begun = run::find(tx, &listed[0].run_id)?;
            begun = run::Run {
                id: begun.id.replace("run_", "run_f"),
                state: "processing".to_owned(),
                note: "replay of units that were set aside".to_owned(),
                finished_at: None,
                batch_id: begun.batch_id,
                source: begun.source,
                feed: begun.feed,
                started_at: begun.started_at,
                mapping_hash: begun.mapping_hash,
                ..run::Run::default()
            };
            begun.id.truncate(36);
            run::create(tx, &begun)?;
            wayleave::store::quarantine::set_replay(tx, &[listed[0].id.clone()], &begun.id)?;
            Ok::<_, GatewayError>(begun.id)
        };
        let id = night.gateway.store.write(of).unwrap();
        let new = night.feed("council/cld", Scope::Everyone, &lenient());
        night.sync(std::slice::from_ref(&new));
        let ended = night.gateway.store.read(|tx| run::find(tx, &id)).unwrap();
        balanced(&ended);
        assert_eq!(outcomes(&ended), [0, 0, 0, 0, 1, 0]);
        assert!(quarantine::list(&night.gateway, &everything(), 10).unwrap().is_empty());
    });
}

#[test]
fn a_whole_reading_closes_what_it_takes() {
    on_every_database(|night| {
        let old = night.feed("council/cld", Scope::Everyone, &strict());
        night.take(&old, "a.csv", &[person("A2", "9990000019", "Jones", "1961-02-03")]);
        let new = night.feed("council/cld", Scope::Everyone, &lenient());
        night.sync(std::slice::from_ref(&new));
        assert!(quarantine::list(&night.gateway, &everything(), 10).unwrap().is_empty());
        let nothing = replay(&night.gateway, std::slice::from_ref(&new), &everything(), false);
        assert!(matches!(nothing, Err(GatewayError::NothingSetAside)));
    });
}

#[test]
fn a_new_mapping_is_tried_promoted_and_rolled_back() {
    on_every_database(|night| {
        let feed = night.feed("council/cld", Scope::Everyone, &strict());
        let text = lenient().replace("from = \"Wording\"", "from = \"Status\", one_way = true");
        let new = Library::shipped().compile(&Source::new("new", &text)).unwrap_or_else(|e| panic!("{e}"));
        shadow::start(&night.gateway, &feed, &new, &text).unwrap();
        let first = [
            person("A1", "9990000018", "Gray", "1960-02-03"),
            person("A2", "9990000019", "Jones", "1961-02-03"),
            goal("A1", "G1", "in-progress", ""),
            // In both alike.
            "A5,,Canary,Ann,1960-02-03,LE1 3AB,,,,,".to_owned(),
        ];
        assert_eq!(outcomes(&night.take(&feed, "a.csv", &first)), [0, 1, 0, 0, 3, 0]);
        let report = shadow::report(&night.gateway, &feed).unwrap();
        assert_eq!((report.units, report.differing), (4, 3));
        let ways: Vec<(&str, &str, i64)> =
            report.differences.iter().map(|way| (way.what.as_str(), way.about.as_str(), way.count)).collect();
        assert_eq!(
            ways,
            [
                ("finding-gone", "map/nhs-check-digit", 1),
                ("only-live", "person.nhs_number", 1),
                ("only-shadow", "goal.wording", 1),
                ("outcome", "quarantined -> read", 1),
            ]
        );
        assert_eq!(report.differences[3].examples[0].line, Some(3));
        let dump = crate::dump::dump(&night.url());
        let held = [&dump["shadow"], &dump["shadow_difference"]].map(|rows| rows.join("\n")).join("\n");
        for value in ["Gray", "Jones", "Canary", "9990000018", "in-progress"] {
            assert!(!held.contains(value), "{value}: {held}");
        }
        // Nothing of it was published: the records are those of the live mapping.
        assert_eq!(night.records("person").len(), 2);
        assert!(matches!(
            live_mapping::roll_back(&night.gateway, &feed),
            Err(GatewayError::NotPromoted { .. })
        ));
        let chosen = live_mapping::promote(&night.gateway, &feed, None).unwrap();
        assert_eq!((chosen.before, chosen.now, chosen.is_configured), (1, 2, false));
        assert!(shadow::report(&night.gateway, &feed).unwrap().ended_at.is_some());
        // The feed as configured is handed in as ever, and is read through the promoted one.
        let synced = night.sync(std::slice::from_ref(&feed));
        assert_eq!(outcomes(&synced.runs[0]), [0, 0, 0, 0, 3, 1], "{:#?}", synced.runs);
        assert_eq!(synced.runs[0].mapping_hash, new.hash);
        assert!(quarantine::list(&night.gateway, &everything(), 10).unwrap().is_empty());
        let chosen = live_mapping::roll_back(&night.gateway, &feed).unwrap();
        assert_eq!((chosen.before, chosen.now, chosen.is_configured), (2, 1, true));
        let synced = night.sync(std::slice::from_ref(&feed));
        assert_eq!(synced.runs[0].mapping_hash, feed.mapping.hash, "{:#?}", synced.runs);
        assert!(matches!(
            live_mapping::roll_back(&night.gateway, &feed),
            Err(GatewayError::NotPromoted { .. })
        ));
        let entries = night.gateway.store.read(|tx| audit::list_after(tx, 0, 1_000)).unwrap();
        let acts: Vec<&str> = entries
            .iter()
            .filter(|entry| entry.purpose == "mapping")
            .map(|entry| entry.action.as_str())
            .collect();
        assert_eq!(acts, ["mapping shadowed", "mapping promoted", "mapping rolled back"]);
        let first = night.records("person").first().unwrap().id.clone();
        assert!(!night.gateway.store.read(|tx| version::list(tx, &first)).unwrap().is_empty());
    });
}

#[test]
fn the_command_line_lists_exports_marks_and_replays() {
    let site = Site::new();
    site.put(
        "2.csv",
        &rows(&[
            "A2,9990000019,Jones,Ann,1960-02-03,LE1 3AB,,,,,",
            "A3,9990000020,Brown,Bob,1961-02-03,LE1 3AB,,,,,",
            "A4,,Canary,Bob,31/02/1961,LE1 3AB,,,,,",
        ]),
    );
    site.run(&["sync"]);
    let mut told = String::new();
    let mut show = |words: &[&str]| {
        let output = site.run(words);
        told.push_str(&format!("$ wayleave {} [{}]\n", words.join(" "), output.status.code().unwrap()));
        told.push_str(&site.said(&output));
    };
    show(&["quarantine", "list"]);
    show(&["quarantine", "list", "--code", "map/date"]);
    show(&["quarantine", "replay"]);
    show(&["quarantine", "export", "--feed", "council/cld"]);
    let out = site.path("set aside.ndjson");
    show(&["quarantine", "export", "--with-units", "--out", out.to_str().unwrap()]);
    show(&["quarantine", "export", "--with-units", "--out", out.to_str().unwrap()]);
    show(&["mapping", "rollback", "council/cld"]);
    std::fs::create_dir_all(site.path("new")).unwrap();
    let new = site.path("new/cld.toml");
    std::fs::write(&new, lenient()).unwrap();
    show(&["mapping", "shadow", "council/cld", new.to_str().unwrap()]);
    show(&["mapping", "promote", "council/cld"]);
    let checked = site.said(&site.run(&["check"]));
    let line = checked.lines().find(|line| line.contains("feed council/cld")).unwrap();
    assert!(line.contains("version 2, which was promoted and stands in for version 1"), "{line}");
    show(&["quarantine", "replay", "--feed", "council/cld", "--dry-run"]);
    show(&["quarantine", "replay", "--feed", "council/cld"]);
    show(&["quarantine", "mark", "--fixed", "--code", "map/date"]);
    show(&["quarantine", "list"]);
    show(&["mapping", "shadow", "council/cld"]);
    show(&["mapping", "rollback", "council/cld"]);
    insta::with_settings!({filters => vec![
        (r"bat_[0-9a-f]{32}", "bat_ID"),
        (r"--out \S+ \S+ \S+ aside.ndjson", "--out FILE"),
        (r"council/cld /\S+ test \S+", "council/cld FILE"),
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "INSTANT"),
    ]}, { insta::assert_snapshot!(told) });
    let opened = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<Value> = opened.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["unit"][2]), (3, &"Jones".into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(!HEADER.is_empty());
}
