//! A file of which too much fails or is gone is held before anything of it has effect, until somebody
//! lets it through or throws it away.

use wayleave::base::id::RunId;
use wayleave::config::{Scope, Share, Stop};
use wayleave::gateway::feed::Feed;
use wayleave::gateway::{GatewayError, hold, show};
use wayleave::store::audit;
use wayleave::store::run::Run;

use crate::dump::{Dump, dump};
use crate::night::{Night, balanced, goal, mapping, on_every_database, outcomes};

fn a_feed(night: &Night, snapshot: &str, failed: f64, vanished: f64) -> Feed {
    let share = |number| Share::try_from(number).unwrap();
    let text = mapping("council/cld", snapshot, "whole", "");
    let stop = Stop { failed_share: share(failed), vanished_share: share(vanished) };
    Feed { stop, ..night.feed("council/cld", Scope::Everyone, &text) }
}

/// Goals from one number up to another, of which the first so many have no area.
fn goals(from: usize, to: usize, failing: usize) -> Vec<String> {
    (from..to)
        .map(|n| {
            if n - from < failing {
                return format!("A{n},,,,,,G{n},,overdue,,");
            }
            goal(&format!("A{n}"), &format!("G{n}"), "overdue", "")
        })
        .collect()
}

/// What a file may have had effect on: everything but that it came, and how it was judged.
fn effects(night: &Night) -> Dump {
    let mut all = dump(&night.url());
    for table in ["run", "run_finding", "run_finding_count", "batch", "kept_piece", "hold", "mapping_version"]
    {
        all.remove(table);
    }
    all
}

fn held(night: &Night, feed: &Feed, file: &str, rows: &[String]) -> Run {
    let before = effects(night);
    night.put(feed, file, rows);
    let synced = night.sync(std::slice::from_ref(feed));
    assert_eq!(synced.runs.len(), 1, "{:?}", synced.runs);
    let run = synced.runs[0].clone();
    assert_eq!((run.state.as_str(), run.received, run.records_new), ("held", 0, 0), "{run:?}");
    assert_eq!(effects(night), before, "a file that is held has no effect");
    run
}

#[test]
fn a_file_of_which_too_much_fails_is_held_and_can_be_let_through() {
    on_every_database(|night| {
        let feed = a_feed(&night, "full", 0.25, 1.0);
        let run = night.take(&feed, "1.csv", &goals(0, 100, 25));
        assert_eq!(outcomes(&run), [25, 0, 0, 0, 75, 0], "a quarter is allowed");
        let run = held(&night, &feed, "2.csv", &goals(0, 100, 26));
        insta::allow_duplicates!(
            insta::assert_snapshot!(run.note, @"held: 26 of its 100 units cannot be read, more than the 25% allowed")
        );
        // `run show` says what is wrong with it, as of every file.
        let detail = show::show_run(&night.gateway, Some(&run.id)).unwrap();
        assert_eq!((detail.counts[0].code.as_str(), detail.counts[0].count), ("map/blank", 26));
        assert!(detail.hold.unwrap().to_do.unwrap().contains("wayleave run let-through"));
        // It stays held, and is not taken anew, however often it is found.
        let synced = night.sync(std::slice::from_ref(&feed));
        assert!(synced.runs.is_empty(), "{:?}", synced.runs);
        let through = hold::let_through(&night.gateway, &feed, &run.id[28..]).unwrap();
        assert_eq!(through.state, "processing");
        // Whoever dies now is followed by the next sync, which does not hold it again.
        let synced = night.sync(std::slice::from_ref(&feed));
        let taken = synced.runs.iter().find(|run| run.id == through.id).unwrap();
        balanced(taken);
        assert_eq!(outcomes(taken), [26, 0, 0, 0, 0, 74]);
        assert_eq!(taken.note, "let through by test");
        let twice = hold::let_through(&night.gateway, &feed, &run.id).unwrap_err();
        assert!(matches!(twice, GatewayError::NotHeld { .. }), "{twice}");
        let log = night.gateway.store.read(|tx| audit::list_after(tx, 0, 1_000)).unwrap();
        let acts: Vec<_> = log.iter().filter(|entry| entry.object == run.id).collect();
        assert_eq!(acts.len(), 1);
        assert_eq!(
            (acts[0].action.as_str(), acts[0].actor.as_str(), acts[0].count),
            ("let-through", "test", 26)
        );
    });
}

#[test]
fn a_file_from_which_too_much_is_gone_is_held_and_can_be_thrown_away() {
    on_every_database(|night| {
        let feed = a_feed(&night, "full", 1.0, 0.3);
        night.take(&feed, "1.csv", &goals(0, 100, 0));
        let run = night.take(&feed, "2.csv", &goals(30, 100, 0));
        // A goal and its person each are a record.
        assert_eq!(run.records_absent, 60, "three in ten may go");
        let run = held(&night, &feed, "3.csv", &goals(70, 100, 0));
        insta::allow_duplicates!(
            insta::assert_snapshot!(run.note, @"held: 80 of the 140 records of the last file are not in it, more than the 30% allowed")
        );
        let thrown = hold::throw_away(&night.gateway, &run.id).unwrap();
        assert_eq!(thrown.state, "failed");
        assert!(show::RunShown::from(&thrown).is_thrown_away());
        // Nothing of it is kept, and the same file again is no news.
        let kept = dump(&night.url())["kept_piece"].iter().filter(|row| row.contains(&run.batch_id)).count();
        assert_eq!(kept, 0);
        let synced = night.sync(std::slice::from_ref(&feed));
        assert!(synced.runs.iter().all(|run| run.received == 0), "{:?}", synced.runs);
        let log = night.gateway.store.read(|tx| audit::list_after(tx, 0, 1_000)).unwrap();
        assert!(log.iter().any(|entry| entry.object == run.id && entry.action == "thrown-away"));
        // The next file is judged by what there was before.
        let run = night.take(&feed, "4.csv", &goals(40, 100, 0));
        assert_eq!((run.state.as_str(), run.records_absent), ("finished", 20));
    });
}

#[test]
fn what_is_missing_from_an_incremental_file_or_a_small_one_holds_nothing() {
    on_every_database(|night| {
        let feed = a_feed(&night, "incremental", 0.1, 0.1);
        night.take(&feed, "1.csv", &goals(0, 100, 0));
        let run = night.take(&feed, "2.csv", &goals(100, 125, 0));
        assert_eq!(run.state, "finished");
        // Nineteen of nineteen fail, and twenty of twenty are held.
        let run = night.take(&feed, "3.csv", &goals(200, 219, 19));
        assert_eq!((run.state.as_str(), run.rejected), ("finished", 19));
        held(&night, &feed, "4.csv", &goals(300, 320, 20));
    });
}

#[test]
fn a_file_that_is_refused_as_a_whole_is_refused_and_not_held() {
    on_every_database(|night| {
        let feed = a_feed(&night, "full", 0.1, 0.1);
        night.take(&feed, "1.csv", &goals(0, 100, 0));
        night.put_bytes(&feed, "2.csv", b"Nothing,Like,It\n1,2,3\n");
        let synced = night.sync(std::slice::from_ref(&feed));
        assert_eq!(synced.runs[0].state, "failed");
        let none = hold::throw_away(&night.gateway, &synced.runs[0].id).unwrap_err();
        assert!(matches!(none, GatewayError::NotHeld { .. }), "{none}");
        let nobody = RunId::from_bits(7).to_string();
        assert!(matches!(hold::feed_of(&night.gateway, &nobody), Err(GatewayError::NoRun { .. })));
    });
}
