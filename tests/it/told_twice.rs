//! One fact is one record: what an event told and a row of the workbook tells too, in whatever order,
//! again, and with a date that was corrected.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wayleave::config::Scope;
use wayleave::gateway::provenance;
use wayleave::mapping::library::Library;
use wayleave::store::quarantine;

use crate::night::{Night, on_every_database, outcomes};
use crate::programme::{CONSENTS, GOALS, MILESTONES, Programme, SPELLS, STARS, star, star_event};
use crate::support::sqlite;

#[test]
fn a_star_told_by_an_event_and_by_a_row_is_one_that_says_what_both_say() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        let event =
            star_event("2024-03-01", &json!({"completed_with": "worker", "mental_health": 4, "work": 7}));
        let run = programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
        assert_eq!(run.records_new, 1, "{:?}", programme.findings(&run));
        let row = star("01/03/2024", "Review", ["4", "5", ""], "r1");
        let run = programme.sheet(&programme.stars, STARS, &[&row]);
        assert_eq!((run.records_new, run.records_changed), (0, 1), "{:?}", programme.findings(&run));
        let both = json!({
            "completed_on": "2024-03-01", "edition": "RS3", "occasion": "review",
            "completed_with": "worker", "mental_health": 4, "living_skills": 5, "work": 7,
        });
        assert_eq!(programme.only("star"), both);
        // Who said what can be told, without what was said.
        let id = programme.there("star")[0].0.id.clone();
        let told = provenance::find(&programme.night.gateway, &id, None, None).unwrap().unwrap().told_by;
        let by: Vec<(&str, bool, bool)> = told
            .iter()
            .map(|by| (by.feed.as_str(), by.fields.contains_key("occasion"), by.fields.contains_key("work")))
            .collect();
        assert_eq!(by, [("events", false, true), ("sheet-stars", true, false)]);
        // Both again: nothing is new.
        let run = programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
        assert_eq!(outcomes(&run), [0, 0, 0, 0, 0, 1]);
        let other = star("01/03/2023", "Baseline", ["3", "3", "3"], "r2");
        let run = programme.sheet(&programme.stars, STARS, &[&row, &other]);
        assert_eq!(outcomes(&run), [0, 0, 0, 0, 1, 1]);
        assert_eq!(programme.there("star").len(), 2);
    });
}

#[test]
fn a_date_that_is_corrected_by_the_rows_id_corrects_the_one_record() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        let event = star_event("2024-03-01", &json!({"completed_with": "worker"}));
        programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
        programme.sheet(&programme.stars, STARS, &[&star("01/03/2024", "Review", ["4", "5", "6"], "r1")]);
        let run =
            programme.sheet(&programme.stars, STARS, &[&star("02/03/2024", "Review", ["4", "5", "6"], "r1")]);
        assert_eq!((run.records_new, run.records_changed), (0, 1));
        let corrected = programme.only("star");
        assert_eq!(
            (&corrected["completed_on"], &corrected["completed_with"]),
            (&json!("2024-03-02"), &json!("worker"))
        );
        // An event that has not heard of it speaks of the same star and does not undo it.
        let event = star_event("2024-03-01", &json!({"work": 7}));
        programme.event("star_completed", "2024-03-04T10:00:00Z", &event);
        let known = programme.only("star");
        assert_eq!((&known["completed_on"], &known["work"]), (&json!("2024-03-02"), &json!(7)));
        // One that has heard of it speaks of the same.
        let event = star_event("2024-03-02", &json!({"responsibilities": 8}));
        programme.event("star_completed", "2024-03-05T10:00:00Z", &event);
        assert_eq!(programme.only("star")["responsibilities"], json!(8));
        // What the row takes back is gone, whoever else had said it.
        programme.sheet(&programme.stars, STARS, &[&star("02/03/2024", "Review", ["4", "", "6"], "r1")]);
        assert_eq!(programme.only("star").get("living_skills"), None);
    });
}

#[test]
fn two_that_a_correction_makes_one_are_joined_and_the_other_is_taken_back() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        programme.sheet(&programme.stars, STARS, &[&star("02/03/2024", "Review", ["4", "5", "6"], "r1")]);
        let event = star_event("2024-03-01", &json!({"completed_with": "worker"}));
        programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
        assert_eq!(programme.there("star").len(), 2);
        let run =
            programme.sheet(&programme.stars, STARS, &[&star("01/03/2024", "Review", ["4", "5", "6"], "r1")]);
        assert_eq!((run.records_new, run.records_changed, run.linked), (0, 1, 1));
        let one = programme.only("star");
        assert_eq!((&one["completed_on"], &one["completed_with"]), (&json!("2024-03-01"), &json!("worker")));
        let run = programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
        assert_eq!(outcomes(&run), [0, 0, 0, 0, 0, 1]);
        assert_eq!(programme.there("star").len(), 1);
        assert_eq!(programme.night.records("star").len(), 2);
    });
}

#[test]
fn a_row_that_is_deleted_takes_back_what_the_event_told_too() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        let first = star("01/03/2023", "Baseline", ["3", "3", "3"], "r1");
        let event = star_event("2024-03-01", &json!({"completed_with": "worker"}));
        programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
        let second = star("01/03/2024", "Review", ["4", "5", "6"], "r2");
        programme.sheet(&programme.stars, STARS, &[&first, &second]);
        assert_eq!(programme.there("star").len(), 2);
        let run = programme.sheet(&programme.stars, STARS, &[&first]);
        assert_eq!(run.records_absent, 1);
        assert_eq!(programme.only("star")["occasion"], json!("baseline"));
    });
}

#[test]
fn two_rows_with_ids_of_their_own_are_two_and_an_event_of_either_is_a_question() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        let rows = [
            star("01/03/2024", "Review", ["4", "5", "6"], "r1"),
            star("01/03/2024", "Final", ["4", "5", "6"], "r2"),
        ];
        let run = programme.sheet(&programme.stars, STARS, &[&rows[0], &rows[1]]);
        assert_eq!(outcomes(&run), [0, 0, 0, 0, 2, 0]);
        assert_eq!(
            programme.findings(&run),
            [
                "record/twin: expected one row for this star: another with an id of its own says the same in `Date Completed` and `Edition`"
            ]
        );
        let event = star_event("2024-03-01", &json!({"completed_with": "worker"}));
        let run = programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
        assert_eq!(outcomes(&run), [0, 1, 0, 0, 0, 0]);
        assert_eq!(
            programme.findings(&run),
            [
                "record/in-doubt: expected to know which star this is: several say the same in `completed_on` and `edition`"
            ]
        );
        let set_aside =
            programme.night.gateway.store.read(|tx| quarantine::list_open_of_batch(tx, &run.batch_id));
        assert_eq!(set_aside.unwrap(), [1]);
        assert_eq!(programme.there("star").len(), 2);
    });
}

#[test]
fn an_event_of_a_day_that_was_corrected_is_a_question_where_it_says_something_else() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        programme.sheet(&programme.stars, STARS, &[&star("01/03/2024", "Review", ["4", "5", "6"], "r1")]);
        programme.sheet(&programme.stars, STARS, &[&star("01/06/2024", "Review", ["4", "5", "6"], "r1")]);
        let event = star_event("2024-03-01", &json!({"mental_health": 9}));
        let run = programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
        assert_eq!(outcomes(&run), [0, 1, 0, 0, 0, 0]);
        assert!(
            programme.findings(&run)[0].contains("has been corrected since"),
            "{:?}",
            programme.findings(&run)
        );
        assert_eq!(programme.only("star")["mental_health"], json!(4));
    });
}

#[test]
fn editions_never_mix_even_where_a_row_corrects_one() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        let event = star_event("2024-03-01", &json!({"completed_with": "worker", "work": 7}));
        programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
        let third = star("01/03/2024", "Review", ["4", "5", "6"], "r1");
        programme.sheet(&programme.stars, STARS, &[&third]);
        assert_eq!(programme.only("star")["work"], json!(7));
        let second = third.replace("RS3", "RS2");
        programme.sheet(&programme.stars, STARS, &[&second]);
        let one = programme.only("star");
        assert_eq!((&one["edition"], one.get("work")), (&json!("RS2"), None), "{one}");
    });
}

#[test]
fn an_event_and_a_row_of_one_day_that_differ_in_edition_are_two_readings() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        let mut event = star_event("2024-03-01", &json!({"home": 6, "mental_health": 9}));
        event["edition"] = json!("RS4");
        programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
        let third = star("01/03/2024", "Review", ["4", "5", "6"], "r1");
        let run = programme.sheet(&programme.stars, STARS, &[&third]);
        assert_eq!((run.records_new, run.records_changed), (1, 0));
        let mut there: Vec<Value> = programme.there("star").into_iter().map(|(_, body)| body).collect();
        there.sort_by_key(|body| body["edition"].to_string());
        let told: Vec<_> =
            there.iter().map(|body| (&body["edition"], &body["mental_health"], body.get("home"))).collect();
        assert_eq!(told, [(&json!("RS3"), &json!(4), None), (&json!("RS4"), &json!(9), Some(&json!(6)))]);
        // Where the row says that it was of the fourth edition after all, the two are one; an area that
        // the fourth has not goes back to the sender.
        let fourth = third.replace("RS3", "RS4");
        programme.sheet(&programme.stars, STARS, &[&fourth]);
        let one = programme.only("star");
        assert_eq!(
            (&one["edition"], &one["mental_health"], &one["home"]),
            (&json!("RS4"), &json!(4), &json!(6))
        );
        let mixed = "PI901,01/04/2024,RS4,Review,,4,5,6,,,7,,,,,,,,,r2";
        let run = programme.sheet(&programme.stars, STARS, &[&fourth, mixed]);
        assert_eq!(outcomes(&run), [1, 0, 0, 0, 0, 1]);
        assert_eq!(
            programme.findings(&run),
            [
                "schema/invalid: expected no `star.work`: it is an area of an earlier edition, in a reading of the fourth"
            ]
        );
    });
}

#[test]
fn rows_of_an_older_workbook_are_the_same_once_they_have_ids() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        let bare: String = STARS.replace(",Row Id", "");
        let row = star("01/03/2024", "Review", ["4", "5", "6"], "");
        programme.sheet(&programme.stars, &bare, &[row.strip_suffix(',').unwrap()]);
        let before: Vec<String> =
            programme.there("star").iter().map(|(record, _)| record.id.clone()).collect();
        let row = star("01/03/2024", "Review", ["4", "5", "6"], "r1");
        let run = programme.sheet(&programme.stars, STARS, &[&row]);
        assert_eq!((outcomes(&run), run.records_absent), ([0, 0, 0, 0, 0, 1], 0));
        let run = programme.sheet(&programme.stars, STARS, &[&row.replace("01/03", "05/03")]);
        assert_eq!((outcomes(&run), run.records_absent), ([0, 0, 0, 0, 1, 0], 0));
        let after: Vec<String> =
            programme.there("star").iter().map(|(record, _)| record.id.clone()).collect();
        assert_eq!(before, after);
        assert_eq!(programme.only("star")["completed_on"], json!("2024-03-05"));
    });
}

#[test]
fn a_row_without_its_id_that_differs_only_in_its_date_is_asked_of_earlier_files_too() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        let known = star("01/03/2024", "Review", ["4", "5", "6"], "r1");
        programme.sheet(&programme.stars, STARS, &[&known]);
        let before = programme.only("star");
        // The row was typed again, with another date and without its id; the one with it is gone.
        let again = star("02/03/2024", "Review", ["4", "5", "6"], "");
        let run = programme.sheet(&programme.stars, STARS, &[&again]);
        assert_eq!(outcomes(&run), [0, 1, 0, 0, 0, 0]);
        assert_eq!(
            programme.findings(&run),
            [
                "map/row-without-id: expected the row's own id: without it the row differs only in its days from a star that an earlier row with an id told"
            ]
        );
        // Nothing is new, and nothing is gone: it is a question.
        assert_eq!(run.records_absent, 0);
        assert_eq!(programme.only("star"), before);
        // Before the row with the id, in one file: asked of what the store knows.
        let run = programme.sheet(&programme.stars, STARS, &[&again, &known]);
        assert_eq!(outcomes(&run), [0, 1, 0, 0, 0, 1]);
        // One that differs in more is another.
        let other = star("02/03/2024", "Review", ["4", "5", "7"], "");
        let run = programme.sheet(&programme.stars, STARS, &[&known, &other]);
        assert_eq!(outcomes(&run), [0, 0, 0, 0, 1, 1]);
        // A sheet from which somebody deleted the column is asked as well.
        let bare: String = STARS.replace(",Row Id", "");
        let moved = star("03/03/2024", "Review", ["4", "5", "6"], "");
        let run = programme.sheet(&programme.stars, &bare, &[moved.strip_suffix(',').unwrap()]);
        assert_eq!(run.quarantined, 1);
        // And one that says the day as it was known is that star.
        let same = star("01/03/2024", "Review", ["4", "5", "6"], "");
        let run = programme.sheet(&programme.stars, &bare, &[same.strip_suffix(',').unwrap()]);
        assert_eq!((outcomes(&run), run.records_absent), ([0, 0, 0, 0, 0, 1], 1));
    });
}

#[test]
fn two_rows_of_one_file_that_speak_of_one_thing_are_a_question() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        let event = star_event("2024-03-01", &json!({}));
        programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
        let bare = star("01/03/2024", "Review", ["4", "5", "6"], "");
        let own = star("01/03/2024", "Final", ["7", "8", "9"], "r1");
        let run = programme.sheet(&programme.stars, STARS, &[&bare, &own]);
        assert_eq!(outcomes(&run), [0, 1, 0, 0, 1, 0]);
        assert_eq!(
            programme.findings(&run),
            [
                "record/in-doubt: expected one row for this star: another row of this file says the same in `Date Completed` and `Edition`"
            ]
        );
        assert_eq!(programme.only("star")["occasion"], json!("review"));
    });
}

#[test]
fn a_spell_a_goal_a_consent_and_an_episode_are_told_together() {
    on_every_database(|night| {
        let programme = Programme::new(night);
        let spell = json!({"accommodation_type": "tenant-social", "started_on": "2022-07-02", "tenancy_ref": "T-1", "is_move": true});
        programme.event("tenancy_started", "2022-07-02T10:00:00Z", &spell);
        let row =
            "PI901,Council or housing association tenancy,,Five Weirs,Assured,S99 1AA,02/07/2022,,Yes,,,,r1";
        programme.sheet(&programme.spells, SPELLS, &[row]);
        let sustained = json!({"accommodation_type": "tenant-social", "started_on": "2022-07-02", "sustained_6_months": "yes"});
        programme.event("tenancy_sustained", "2023-01-02T10:00:00Z", &sustained);
        // The row is corrected in something else, which takes nothing from what the events told.
        programme.sheet(&programme.spells, SPELLS, &[&row.replace("Assured", "Starter")]);
        let one = programme.only("accommodation");
        assert_eq!(
            (&one["settled"], &one["sustained_6_months"], &one["tenancy_type"]),
            (&json!("yes"), &json!("yes"), &json!("starter")),
            "{one}"
        );

        let goal =
            json!({"goal_ref": "G1", "area": "work", "status": "completed", "closed_on": "2022-09-01"});
        programme.sheet(&programme.goals, GOALS, &["G1,PI901,Work,Cook,01/05/2021,01/08/2021,In progress,"]);
        programme.event("goal_updated", "2022-09-01T10:00:00Z", &goal);
        programme.sheet(
            &programme.goals,
            GOALS,
            &["G1,PI901,Work,Cook twice,01/05/2021,01/08/2021,In progress,"],
        );
        let one = programme.only("goal");
        assert_eq!((&one["status"], &one["closed_on"]), (&json!("completed"), &json!("2022-09-01")), "{one}");

        // The event does not know the version of the form.
        let consent =
            json!({"study": "promoting-independence", "decided_on": "2021-03-18", "recontact": "yes"});
        programme.event("consent_given", "2021-03-18T10:00:00Z", &consent);
        let row = "PI901,Promoting Independence,PI-CF,2.0,3.1,01/09/2020,Given,18/03/2021,Yes,Yes,No,Not asked,,Self,Yes,Thomasina Quillfeather,Box 4/17";
        programme.sheet(&programme.consents, CONSENTS, &[row]);
        let one = programme.only("consent");
        assert_eq!((&one["form_version"], &one["recontact"]), (&json!("2.0"), &json!("yes")), "{one}");
        // Another form of the same day is another consent; an event that says neither is a question.
        let other = row.replace(",2.0,", ",2.1,");
        programme.sheet(&programme.consents, CONSENTS, &[row, &other]);
        assert_eq!(programme.there("consent").len(), 2);

        programme.event(
            "moved_on",
            "2022-07-02T10:00:00Z",
            &json!({"moved_on": "2022-07-02", "destination": "tenancy"}),
        );
        programme.client(",Home A,01/03/2021,,01/04/2021,Transition");
        let one = programme.only("episode");
        assert_eq!((&one["moved_on"], &one["stage"]), (&json!("2022-07-02"), &json!("transition")), "{one}");

        programme.sheet(
            &programme.milestones,
            MILESTONES,
            &["PI901,Action plan,Preparation,Coach,01/05/2021,,,,,,,,,,m1"],
        );
        programme.sheet(
            &programme.milestones,
            MILESTONES,
            &["PI901,Action plan,Preparation,Coach,08/05/2021,,,,,,,,,,m1"],
        );
        assert_eq!(programme.only("milestone")["planned_on"], json!("2021-05-08"));
    });
}

#[test]
fn another_source_that_tells_the_same_is_another_record() {
    on_every_database(|night| {
        let text = Library::shipped().text("housing/sheet-stars").unwrap().replace("housing/", "other/");
        let other = night.feed("other/sheet-stars", Scope::Everyone, &text);
        let programme = Programme::new(night);
        let row = star("01/03/2024", "Review", ["4", "5", "6"], "r1");
        programme.sheet(&programme.stars, STARS, &[&row]);
        programme.sheet(&other, STARS, &[&row]);
        assert_eq!(programme.there("star").len(), 2);
    });
}

const AREAS: [&str; 4] = ["social_networks", "work", "trust_hope", "responsibilities"];

/// What arrives in the course of a history. Rows of the workbook come in their order.
#[derive(Debug, Clone)]
enum Step {
    /// An event that tells of some areas.
    Event(BTreeSet<usize>),
    /// The next file of the workbook.
    File,
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop::collection::btree_set(0..AREAS.len(), 0..AREAS.len()).prop_map(Step::Event),
        Just(Step::File),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever comes first and however often it comes: there is one star, it says what anybody said
    /// of it, the correction stands, and whatever comes again changes nothing.
    #[test]
    fn any_order_gives_one_star_that_says_everything(
        mut steps in prop::collection::vec(a_step(), 1..6),
        is_corrected in any::<bool>(),
    ) {
        let programme = Programme::new(Night::new(sqlite()));
        let days = ["01/03/2024", if is_corrected { "02/03/2024" } else { "01/03/2024" }];
        let rows = days.map(|day| star(day, "Review", ["4", "5", "6"], "r1"));
        // Both files come at some time.
        steps.extend([Step::File, Step::File]);
        let mut expected = json!({
            "completed_on": if is_corrected { "2024-03-02" } else { "2024-03-01" }, "edition": "RS3",
            "occasion": "review", "mental_health": 4, "living_skills": 5, "relationships": 6,
        });
        let (mut files, mut told) = (rows.iter(), Vec::new());
        for step in &steps {
            match step {
                Step::Event(areas) => {
                    let more: Map<String, Value> =
                        areas.iter().map(|area| (AREAS[*area].to_owned(), json!(area + 1))).collect();
                    expected.as_object_mut().unwrap().extend(more.clone());
                    let event = star_event("2024-03-01", &Value::Object(more));
                    programme.event("star_completed", "2024-03-01T10:00:00Z", &event);
                    told.push(event);
                }
                Step::File => if let Some(row) = files.next() {
                    let more = star("01/01/2020", "Baseline", ["1", "1", "1"], &format!("x{}", files.len()));
                    programme.sheet(&programme.stars, STARS, &[row, &more]);
                }
            }
        }
        let stars = || {
            let all = programme.there("star").into_iter().map(|(_, body)| body);
            all.filter(|body| body["occasion"] != json!("baseline")).collect::<Vec<_>>()
        };
        prop_assert_eq!(stars(), vec![expected]);
        let before = programme.night.records("star");
        for event in &told {
            let run = programme.event("star_completed", "2024-03-01T10:00:00Z", event);
            prop_assert_eq!(outcomes(&run), [0, 0, 0, 0, 0, 1]);
        }
        prop_assert_eq!(before, programme.night.records("star"));
    }
}
