//! Which version of a record is current, and what becomes of one that is late, patched, said
//! again by another feed, or no longer there.

use wayleave::config::Scope;
use wayleave::store::version;

use crate::night::{goal, mapping, on_every_database, outcomes, person};

#[test]
fn the_greatest_source_time_is_current_and_a_late_one_is_history() {
    on_every_database(|night| {
        let feed = night.feed(
            "housing/events",
            Scope::Defines,
            &mapping("housing/events", "incremental", "whole", ""),
        );
        night.take(&feed, "1.csv", &[goal("A1", "G1", "overdue", "2025-03-02T09:00:00Z")]);
        night.take(&feed, "2.csv", &[goal("A1", "G1", "in-progress", "2025-03-01T09:00:00Z")]);
        assert_eq!(night.status(), "overdue");
        night.take(&feed, "3.csv", &[goal("A1", "G1", "completed", "2025-03-03T09:00:00Z")]);
        assert_eq!(night.status(), "completed");
        let goal_id = night.records("goal")[0].id.clone();
        let versions = night.gateway.store.read(|tx| version::list(tx, &goal_id)).unwrap();
        let times: Vec<_> = versions.iter().map(|version| version.source_time.clone().unwrap()).collect();
        assert_eq!(
            times,
            ["2025-03-02T09:00:00.000Z", "2025-03-01T09:00:00.000Z", "2025-03-03T09:00:00.000Z"]
        );
        assert_eq!(night.records("goal")[0].number, 3);
        // The late one again is no news.
        let run = night.take(
            &feed,
            "4.csv",
            &[goal("A1", "G1", "in-progress", "2025-03-01T09:00:00Z"), goal("A2", "G2", "overdue", "")],
        );
        assert_eq!(outcomes(&run), [0, 0, 0, 0, 1, 1]);
    });
}

#[test]
fn without_a_source_time_the_last_to_arrive_is_current() {
    on_every_database(|night| {
        let feed =
            night.feed("housing/tracker", Scope::Defines, &mapping("housing/tracker", "full", "whole", ""));
        night.take(&feed, "1.csv", &[goal("A1", "G1", "overdue", "")]);
        night.take(&feed, "2.csv", &[goal("A1", "G1", "completed", "")]);
        assert_eq!(night.status(), "completed");
        night.take(&feed, "3.csv", &[goal("A1", "G1", "overdue", "")]);
        assert_eq!((night.status().as_str(), night.records("goal")[0].number), ("overdue", 3));
    });
}

#[test]
fn a_full_file_that_goes_back_is_news() {
    on_every_database(|night| {
        let feed =
            night.feed("housing/tracker", Scope::Defines, &mapping("housing/tracker", "full", "whole", ""));
        night.take(&feed, "1.csv", &[goal("A1", "G1", "overdue", "")]);
        night.take(&feed, "2.csv", &[goal("A1", "G1", "completed", "")]);
        // The same bytes as the first, delivered again: the last word.
        std::fs::remove_file(feed.place.join("1.csv")).unwrap();
        night.take(&feed, "3.csv", &[goal("A1", "G1", "overdue", "")]);
        assert_eq!(night.status(), "overdue");
    });
}

#[test]
fn a_patch_leaves_what_it_does_not_name() {
    on_every_database(|night| {
        let text = mapping("trust/adt", "incremental", "patch", "");
        let feed = night.feed("trust/adt", Scope::Defines, &text);
        night.take(&feed, "1.csv", &[person("A1", "9990000018", "Gray", "1960-02-03")]);
        let run = night.take(&feed, "2.csv", &["A1,,Gray-Jones,,,,,,,,".to_owned()]);
        assert_eq!((run.records_new, run.records_changed), (0, 1));
        let people = night.records("person");
        assert_eq!(people.len(), 1);
        assert_eq!(people[0].number, 2);
        // Both patches say nothing new now.
        let run = night.take(
            &feed,
            "3.csv",
            &["A1,,Gray-Jones,,,,,,,,".to_owned(), "A1,9990000018,,,1960-02-03,,,,,,".to_owned()],
        );
        assert_eq!(outcomes(&run), [0, 0, 0, 0, 0, 2], "{run:?}");
    });
}

#[test]
fn patches_of_one_file_are_merged_one_after_another() {
    on_every_database(|night| {
        let feed = night.feed("trust/adt", Scope::Defines, &mapping("trust/adt", "incremental", "patch", ""));
        let rows = [
            "A1,9990000018,,,,,,,,,".to_owned(),
            "A1,,Gray,,,,,,,,".to_owned(),
            "A1,,,Ann,,,,,,,".to_owned(),
        ];
        let run = night.take(&feed, "1.csv", &rows);
        assert_eq!(outcomes(&run), [0, 0, 0, 0, 3, 0]);
        assert_eq!(night.records("person")[0].number, 3);
    });
}

#[test]
fn a_record_no_longer_in_a_full_file_is_absent_and_comes_back() {
    on_every_database(|night| {
        let feed =
            night.feed("housing/tracker", Scope::Defines, &mapping("housing/tracker", "full", "whole", ""));
        let two = [goal("A1", "G1", "overdue", ""), goal("A1", "G2", "completed", "")];
        night.take(&feed, "1.csv", &two);
        let run = night.take(&feed, "2.csv", &two[..1]);
        assert_eq!(run.records_absent, 1);
        assert_eq!(night.records("goal").iter().filter(|goal| goal.is_absent).count(), 1);
        std::fs::remove_file(feed.place.join("1.csv")).unwrap();
        let run = night.take(&feed, "3.csv", &[two[1].clone(), two[0].clone()]);
        assert_eq!(outcomes(&run), [0, 0, 0, 0, 0, 2]);
        assert_eq!(night.records("goal").iter().filter(|goal| goal.is_absent).count(), 0);
        // Back, with no end and no new version.
        assert!(night.records("goal").iter().all(|goal| goal.number == 1));
    });
}

#[test]
fn nothing_is_absent_whose_row_could_not_be_read() {
    on_every_database(|night| {
        let feed =
            night.feed("housing/tracker", Scope::Defines, &mapping("housing/tracker", "full", "whole", ""));
        night.take(&feed, "1.csv", &[goal("A1", "G1", "overdue", ""), goal("A2", "G2", "completed", "")]);
        // A1's row is there, with a birth date that is none; A2's is gone.
        let run = night.take(
            &feed,
            "2.csv",
            &["A1,,,,1950-02-31,,G1,work,overdue,,".to_owned(), goal("A3", "G3", "overdue", "")],
        );
        assert_eq!((run.quarantined, run.accepted), (1, 1), "{run:?}");
        let absent: Vec<_> = night.records("goal").into_iter().filter(|goal| goal.is_absent).collect();
        assert_eq!(absent.len(), 1, "{absent:?}");
        assert!(absent[0].body.contains("completed"));
    });
}

#[test]
fn a_row_outside_the_snapshot_is_untouched() {
    on_every_database(|night| {
        let tracker =
            night.feed("housing/tracker", Scope::Defines, &mapping("housing/tracker", "full", "whole", ""));
        let events = night.feed(
            "housing/events",
            Scope::Defines,
            &mapping("housing/events", "incremental", "whole", ""),
        );
        night.take(&tracker, "1.csv", &[goal("A1", "G1", "overdue", "")]);
        night.take(&events, "1.csv", &[goal("A1", "G2", "completed", "2025-03-02T09:00:00Z")]);
        let run = night.take(&tracker, "2.csv", &[goal("A1", "G1", "in-progress", "")]);
        assert_eq!(run.records_absent, 0);
    });
}

#[test]
fn a_feed_that_says_again_what_it_said_takes_nothing_back() {
    on_every_database(|night| {
        let tracker =
            night.feed("housing/tracker", Scope::Defines, &mapping("housing/tracker", "full", "whole", ""));
        let events = night.feed(
            "housing/events",
            Scope::Defines,
            &mapping("housing/events", "incremental", "whole", ""),
        );
        night.take(&tracker, "1.csv", &[goal("A1", "G1", "overdue", "")]);
        night.take(&events, "1.csv", &[goal("A1", "G1", "completed", "2025-03-02T09:00:00Z")]);
        assert_eq!(night.status(), "completed");
        // The tracker has not heard of it yet.
        night.take(&tracker, "2.csv", &[goal("A1", "G1", "overdue", ""), goal("A2", "G2", "overdue", "")]);
        let statuses: Vec<_> = night.records("goal").into_iter().map(|goal| goal.body).collect();
        assert!(statuses.iter().any(|body| body.contains("completed")), "{statuses:?}");
    });
}

#[test]
fn half_a_file_is_told() {
    on_every_database(|night| {
        let feed =
            night.feed("housing/tracker", Scope::Defines, &mapping("housing/tracker", "full", "whole", ""));
        let rows: Vec<_> = (0..30).map(|n| goal(&format!("A{n}"), &format!("G{n}"), "overdue", "")).collect();
        night.take(&feed, "1.csv", &rows);
        let mut few = rows[..5].to_vec();
        few.push(",,,,,,G9,work,overdue,,".to_owned());
        let run = night.take(&feed, "2.csv", &few);
        assert!(run.records_absent >= 25);
        let detail = wayleave::gateway::show::show_run(&night.gateway, None).unwrap();
        let codes: Vec<_> = detail.counts.iter().map(|count| count.code.as_str()).collect();
        assert_eq!(codes, ["map/subject-missing", "snapshot/doubt", "snapshot/shrunk"]);
    });
}
