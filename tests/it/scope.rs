//! Promise 6: only whom it is for. A council export holds the whole caseload; of those nobody in a
//! programme knows, nothing stays but a count.

use wayleave::config::Scope;
use wayleave::store::{quarantine, subject};

use crate::night::{Night, goal, mapping, on_every_database, outcomes, person};

fn feeds(night: &Night) -> (wayleave::gateway::feed::Feed, wayleave::gateway::feed::Feed) {
    let tracker =
        night.feed("housing/tracker", Scope::Defines, &mapping("housing/tracker", "full", "whole", ""));
    let council = night.feed("council/cld", Scope::Known, &mapping("council/cld", "full", "whole", ""));
    (tracker, council)
}

#[test]
fn only_people_known_to_a_programme_are_taken() {
    on_every_database(|night| {
        let (tracker, council) = feeds(&night);
        night.take(&tracker, "t.csv", &[person("PI1", "9990000018", "Gray", "1960-02-03")]);
        let rows = [
            // By NHS number.
            person("LL1", "9990000018", "Grey", "1960-03-02"),
            // Somebody else.
            person("LL2", "9990000026", "Jones", "1971-01-01"),
            // A row that names only the subject, known by now.
            goal("LL1", "G1", "overdue", ""),
            goal("LL2", "G2", "overdue", ""),
        ];
        let run = night.take(&council, "c.csv", &rows);
        assert_eq!(outcomes(&run), [0, 0, 0, 2, 2, 0], "{run:?}");
        assert_eq!(night.gateway.store.read(subject::count).unwrap(), (2, 2));
        assert_eq!(night.records("goal").len(), 1);
    });
}

#[test]
fn a_name_and_birth_date_are_enough_whatever_the_spelling() {
    on_every_database(|night| {
        let (tracker, council) = feeds(&night);
        night.take(&tracker, "t.csv", &[person("PI1", "", "O'Brien", "1960-02-03")]);
        let row = "LL1,,OBRIEN,Ann,1960-02-03,,,,,,".to_owned();
        assert_eq!(outcomes(&night.take(&council, "c.csv", &[row])), [0, 0, 0, 0, 1, 0]);
    });
}

#[test]
fn nothing_is_kept_of_a_faulty_row_of_somebody_else() {
    on_every_database(|night| {
        let (tracker, council) = feeds(&night);
        night.take(&tracker, "t.csv", &[person("PI1", "9990000018", "Gray", "1960-02-03")]);
        let rows = [
            // Set aside if it were about somebody known.
            person("LL2", "9990000027", "Jones", "1971-01-01"),
            person("LL1", "9990000018", "Gray", "1960-02-03"),
            "LL1,9990000018,Gray,Ann,1960-02-31,,,,,,".to_owned(),
        ];
        let run = night.take(&council, "c.csv", &rows);
        assert_eq!((run.rejected, run.accepted), (2, 1), "{run:?}");
        assert_eq!(night.gateway.store.read(quarantine::count_open).unwrap(), 0);
    });
}

#[test]
fn somebody_referred_later_is_found_in_the_kept_file() {
    on_every_database(|night| {
        let (tracker, council) = feeds(&night);
        let both = [tracker.clone(), council.clone()];
        night.put(&tracker, "t1.csv", &[person("PI1", "9990000018", "Gray", "1960-02-03")]);
        night.put(
            &council,
            "c.csv",
            &[
                person("LL1", "9990000018", "Gray", "1960-02-03"),
                person("LL2", "9990000026", "Jones", "1971-01-01"),
            ],
        );
        night.sync(&both);
        assert_eq!(night.gateway.store.read(subject::count).unwrap(), (2, 2));
        let two = [
            person("PI1", "9990000018", "Gray", "1960-02-03"),
            person("PI2", "9990000026", "Jones", "1971-01-01"),
        ];
        night.put(&tracker, "t2.csv", &two);
        let synced = night.sync(&both);
        let again = synced.runs.iter().find(|run| run.feed == "cld").unwrap();
        assert!(again.note.starts_with("read again"), "{again:?}");
        assert_eq!(outcomes(again), [0, 0, 0, 0, 1, 1]);
        // And a third time there is nothing more to find.
        let synced = night.sync(&both);
        assert!(synced.runs.is_empty(), "{:?}", synced.runs);
    });
}

/// A council's file is read again for what the trust tells only where somebody in it may have come
/// into scope by that.
#[test]
fn a_kept_file_is_read_again_only_for_what_nobody_known_had() {
    on_every_database(|night| {
        let (tracker, council) = feeds(&night);
        let trust = night.feed("trust/adt", Scope::Known, &mapping("trust/adt", "incremental", "whole", ""));
        let all = [tracker.clone(), council.clone(), trust.clone()];
        let row = |id: &str, nhs: &str, family: &str, born: &str, postcode: &str| {
            format!("{id},{nhs},{family},Ann,{born},{postcode},,,,,")
        };
        night.put(&tracker, "t.csv", &[row("X1", "9990000018", "Gray", "1960-02-03", "LE1 3AB")]);
        let council_rows = [
            row("X1", "9990000018", "Gray", "1960-02-03", "LE1 3AB"),
            row("LL2", "9990000026", "Jones", "1971-01-01", "LE1 3AB"),
            row("LL3", "", "Green", "1960-02-03", "LE2 4CD"),
        ];
        night.put(&council, "c.csv", &council_rows);
        night.sync(&all);
        let read_again = |synced: &wayleave::gateway::sync::Synced| {
            synced
                .runs
                .iter()
                .filter(|run| run.source == "council" && run.note.starts_with("read again"))
                .count()
        };
        // The same person, by a key and blocks that are known: nobody can come into scope by it.
        night.put(&trust, "a1.csv", &[row("X1", "9990000018", "Gray", "1960-02-03", "LE1 3AB")]);
        assert_eq!(read_again(&night.sync(&all)), 0);
        // Somebody out of scope changes nothing either.
        night.put(&trust, "a2.csv", &[row("T9", "9990000042", "Black", "1980-01-01", "LE9 9ZZ")]);
        assert_eq!(read_again(&night.sync(&all)), 0);
        // They have moved to where somebody of the same birth date is found.
        night.put(&trust, "a3.csv", &[row("X1", "9990000018", "Gray", "1960-02-03", "LE2 4CD")]);
        let synced = night.sync(&all);
        assert_eq!(read_again(&synced), 1);
        let again = synced.runs.iter().find(|run| run.source == "council").unwrap();
        assert_eq!(outcomes(again), [0, 0, 0, 1, 1, 1]);
        assert_eq!(read_again(&night.sync(&all)), 0);
    });
}

/// A file that names people by their key alone, and came before the one that says who they are.
#[test]
fn a_file_of_keys_alone_is_read_again_for_keys_that_have_become_known() {
    on_every_database(|night| {
        let (tracker, council) = feeds(&night);
        let text = mapping("council/aims", "full", "whole", "");
        let (head, rest) = text.split_once("[[record]]\nkind = \"person\"").unwrap();
        let (_, goals) = rest.split_once("[[record]]").unwrap();
        let aims = night.feed("council/aims", Scope::Known, &format!("{head}[[record]]{goals}"));
        let all = [aims.clone(), council.clone(), tracker.clone()];
        night.put(&tracker, "t.csv", &[person("PI1", "9990000018", "Gray", "1960-02-03")]);
        night.put(&aims, "a.csv", &[goal("LL1", "G1", "overdue", ""), goal("LL2", "G2", "overdue", "")]);
        let first = night.sync(&all);
        let run = first.runs.iter().find(|run| run.feed == "aims").unwrap();
        assert_eq!(outcomes(run), [0, 0, 0, 2, 0, 0]);
        // Another source's people are nothing to a file of keys.
        night.put(
            &tracker,
            "t2.csv",
            &[
                person("PI1", "9990000018", "Gray", "1960-02-03"),
                person("PI2", "9990000034", "White", "1950-02-03"),
            ],
        );
        assert!(night.sync(&all).runs.iter().all(|run| run.feed != "aims" || run.received == 0));
        night.put(&council, "c.csv", &[person("LL1", "9990000018", "Gray", "1960-02-03")]);
        let synced = night.sync(&all);
        let again = synced.runs.iter().find(|run| run.feed == "aims" && run.received > 0).unwrap();
        assert_eq!(outcomes(again), [0, 0, 0, 1, 1, 0]);
        assert_eq!(night.records("goal").len(), 1);
    });
}

#[test]
fn a_row_before_the_one_that_says_who_it_is_is_found_too() {
    on_every_database(|night| {
        let (tracker, council) = feeds(&night);
        night.take(&tracker, "t.csv", &[person("PI1", "9990000018", "Gray", "1960-02-03")]);
        night.put(
            &council,
            "c.csv",
            &[goal("LL1", "G1", "overdue", ""), person("LL1", "9990000018", "Gray", "1960-02-03")],
        );
        let synced = night.sync(std::slice::from_ref(&council));
        assert_eq!(synced.runs.len(), 2, "{:?}", synced.runs);
        assert_eq!(night.records("goal").len(), 1);
    });
}
