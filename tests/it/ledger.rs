//! Promise 1: every unit has exactly one outcome, the first that applies, and received is their
//! sum, whatever comes in whatever order.

use proptest::prelude::*;
use wayleave::base::limit::PROCESS_UNITS_MAX;
use wayleave::config::Scope;
use wayleave::gateway::{quarantine, show};

use crate::night::{Night, balanced, goal, mapping, on_every_database, outcomes, person};
use crate::support::sqlite;

#[test]
fn each_outcome_is_counted_once() {
    on_every_database(|night| {
        let feed = night.feed("council/cld", Scope::Everyone, &mapping("council/cld", "full", "whole", ""));
        let rows = [
            person("A1", "9990000018", "Gray", "1960-02-03"),
            // The same row again.
            person("A1", "9990000018", "Gray", "1960-02-03"),
            // A wrong check digit is set aside.
            person("A2", "9990000019", "Jones", "1961-02-03"),
            // A goal without an area is rejected.
            "A3,,,,,,G3,,completed,,".to_owned(),
            goal("A1", "G1", "in-progress", ""),
            // The same goal in other words of the person: nothing new.
            format!("{},,", goal("A1", "G1", "in-progress", "").trim_end_matches(',')),
            goal("A4", "G4", "overdue", ""),
        ];
        let run = night.take(&feed, "a.csv", &rows);
        assert_eq!(outcomes(&run), [1, 1, 2, 0, 3, 0], "{run:?}");
        assert_eq!((run.records_new, run.records_changed, run.findings_error), (4, 0, 2));
        let detail = show::show_run(&night.gateway, None).unwrap();
        let codes: Vec<_> = detail.first.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, ["map/nhs-check-digit", "map/blank", "record/conflict"]);
        let set_aside = quarantine::list(&night.gateway, &quarantine::Asked::default(), 10).unwrap();
        assert_eq!(set_aside.len(), 1);
        assert_eq!(set_aside[0].place, "line 4");
    });
}

#[test]
fn two_rows_of_one_thing_that_differ_are_a_finding() {
    on_every_database(|night| {
        let feed = night.feed("council/cld", Scope::Everyone, &mapping("council/cld", "full", "whole", ""));
        let goal = |status| format!("A1,,,,,,G1,work,{status},,");
        let with_id = |row: String| row;
        let rows = [with_id(goal("in-progress")), with_id(goal("completed"))];
        let run = night.take(&feed, "a.csv", &rows);
        // The person is the same in both; the goal differs, so the first stands.
        assert_eq!(outcomes(&run), [0, 0, 0, 0, 1, 1], "{run:?}");
        assert_eq!(run.findings_warning, 1);
        let detail = show::show_run(&night.gateway, None).unwrap();
        assert_eq!(detail.first[0].code, "record/conflict");
        assert_eq!(night.status(), "in-progress");
    });
}

#[test]
fn a_file_that_is_the_same_is_no_news() {
    on_every_database(|night| {
        let feed = night.feed("council/cld", Scope::Everyone, &mapping("council/cld", "full", "whole", ""));
        let rows = [goal("A1", "G1", "in-progress", ""), goal("A2", "G2", "overdue", "")];
        night.take(&feed, "a.csv", &rows);
        let synced = night.sync(std::slice::from_ref(&feed));
        assert_eq!((synced.runs.len(), synced.no_news.len()), (0, 1));
        let runs = show::list_runs(&night.gateway, 10).unwrap();
        assert_eq!(runs.len(), 2);
        assert_eq!(runs[0].note, "no news: the same file as before");
        // Shuffled, with one changed, it is another file, and only the change is news.
        let run = night.take(
            &feed,
            "b.csv",
            &[goal("A2", "G2", "completed", ""), goal("A1", "G1", "in-progress", "")],
        );
        assert_eq!(outcomes(&run), [0, 0, 0, 0, 1, 1]);
        assert_eq!((run.records_new, run.records_changed), (0, 1));
    });
}

#[test]
fn a_long_file_goes_through_in_many_transactions() {
    on_every_database(|night| {
        let feed = night.feed("council/cld", Scope::Everyone, &mapping("council/cld", "full", "whole", ""));
        // Two transactions and a part of another.
        let count = i64::try_from(2 * PROCESS_UNITS_MAX).unwrap() + 500;
        let mut rows: Vec<_> =
            (0..count).map(|n| goal(&format!("A{}", n % 700), &format!("G{n}"), "overdue", "")).collect();
        let run = night.take(&feed, "a.csv", &rows);
        assert_eq!((run.received, run.accepted, run.linked), (count, count, 700));
        rows.reverse();
        rows[5] = goal("A0", "G0", "completed", "");
        let run = night.take(&feed, "b.csv", &rows);
        assert_eq!(run.accepted, 1, "{run:?}");
    });
}

fn a_row() -> impl Strategy<Value = String> {
    let status = prop_oneof![Just("in-progress"), Just("completed"), Just("overdue")];
    let changed =
        prop_oneof![Just(String::new()), (1..9_u8).prop_map(|day| format!("2025-03-0{day}T09:00:00Z"))];
    prop_oneof![
        (0..4_u8, 0..6_u8, status, changed).prop_map(|(id, n, status, at)| goal(
            &format!("A{id}"),
            &format!("G{n}"),
            status,
            &at
        )),
        (0..4_u8).prop_map(|id| person(&format!("A{id}"), "9990000018", "Gray", "1960-02-03")),
        Just("A9,,,,,,G9,,completed,,".to_owned()),
        Just(person("A8", "9990000019", "Jones", "1961-02-03")),
        Just(",,,,,,,,,,x".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever files come in whatever order, some of them twice: each run balances, and a night
    /// on which nothing comes changes nothing.
    #[test]
    fn any_order_of_files_balances(
        files in prop::collection::vec(prop::collection::vec(a_row(), 0..12), 1..5),
        is_full in any::<bool>(),
        is_patch in any::<bool>(),
    ) {
        let night = Night::new(sqlite());
        let (snapshot, update) = (if is_full { "full" } else { "incremental" }, if is_patch { "patch" } else { "whole" });
        let feed = night.feed("council/cld", Scope::Everyone, &mapping("council/cld", snapshot, update, ""));
        for (n, rows) in files.iter().enumerate() {
            night.put(&feed, &format!("{n}.csv"), rows);
            let synced = night.sync(std::slice::from_ref(&feed));
            synced.runs.iter().for_each(balanced);
        }
        let before: Vec<_> = night.records("goal");
        let synced = night.sync(std::slice::from_ref(&feed));
        prop_assert!(synced.runs.iter().all(|run| run.accepted == 0), "{:?}", synced.runs);
        prop_assert_eq!(before, night.records("goal"));
    }
}
