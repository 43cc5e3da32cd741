//! The law of slots: each time on the wall is at most one slot, whatever the clock does; and what is
//! due follows from the last slot, the present instant, the expression and the zone alone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use wayleave::base::edge::Instant;
use wayleave::config::Missed;
use wayleave::schedule::timetable::{Due, Timetable, TimetableError, Wall};

const LONDON: &str = "Europe/London";

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn table(text: &str) -> Timetable {
    Timetable::parse(text, LONDON).unwrap()
}

/// The slots from one instant up to another.
fn slots(table: &Timetable, from: &str, to: &str) -> Vec<String> {
    let (mut slots, mut after) = (Vec::new(), at(from));
    while let Some(slot) = table.next_after(after).filter(|slot| slot.at <= at(to)) {
        after = slot.at;
        let wall = match slot.wall {
            Wall::Plain => "",
            Wall::Skipped => " skipped",
            Wall::Twice => " twice",
        };
        slots.push(format!("{}{wall}", &slot.at.to_string()[..16]));
    }
    slots
}

#[test]
fn where_the_clock_goes_forward_a_slot_that_is_not_there_runs_once_at_the_next_instant() {
    // On 30 March 2025 London has no time from 01:00 to 02:00.
    let forward = |text| slots(&table(text), "2025-03-29T12:00:00Z", "2025-03-31T12:00:00Z");
    assert_eq!(forward("01:30"), ["2025-03-30T01:00 skipped", "2025-03-31T00:30"]);
    // Four slots of one hour that is not there are one slot, and so is the one at its end.
    assert_eq!(
        forward("*/20 1,2 30 * *"),
        ["2025-03-30T01:00 skipped", "2025-03-30T01:20", "2025-03-30T01:40"]
    );
    assert_eq!(forward("02:00"), ["2025-03-30T01:00", "2025-03-31T01:00"]);
}

#[test]
fn where_the_clock_goes_back_an_hour_that_is_there_twice_runs_once() {
    // On 26 October 2025 London has the time from 01:00 to 02:00 twice.
    let back = |text| slots(&table(text), "2025-10-25T12:00:00Z", "2025-10-27T12:00:00Z");
    assert_eq!(back("01:30"), ["2025-10-26T00:30 twice", "2025-10-27T01:30"]);
    assert_eq!(
        back("*/30 0-2 26 * *"),
        [
            "2025-10-25T23:00",
            "2025-10-25T23:30",
            "2025-10-26T00:00 twice",
            "2025-10-26T00:30 twice",
            "2025-10-26T02:00",
            "2025-10-26T02:30"
        ]
    );
    // In the second of the two hours nothing is due any more.
    let table = table("01:30");
    let due = table.due(at("2025-10-26T00:30:00Z"), at("2025-10-26T01:45:00Z"), Missed::CatchUp, 300);
    assert_eq!(due, Due::Nothing);
}

#[test]
fn leap_days_and_ends_of_months_are_where_the_calendar_has_them() {
    let of = |text, from, to| slots(&table(text), from, to);
    assert_eq!(
        of("0 3 29 2 *", "2024-03-01T00:00:00Z", "2032-12-31T00:00:00Z"),
        ["2028-02-29T03:00", "2032-02-29T03:00"]
    );
    assert_eq!(
        of("0 3 31 * *", "2025-01-01T00:00:00Z", "2025-06-30T00:00:00Z"),
        ["2025-01-31T03:00", "2025-03-31T02:00", "2025-05-31T02:00"]
    );
    assert_eq!(of("0 3 L * *", "2025-01-31T12:00:00Z", "2025-03-01T00:00:00Z"), ["2025-02-28T03:00"]);
    assert_eq!(
        of("Tue 12:00", "2025-03-25T00:00:00Z", "2025-04-02T00:00:00Z"),
        ["2025-03-25T12:00", "2025-04-01T11:00"]
    );
}

#[test]
fn after_a_long_sleep_the_last_slot_runs_once_or_is_passed_over() {
    let table = table("02:30");
    let (last, now) = (at("2025-01-06T02:30:00Z"), at("2025-01-20T09:00:00Z"));
    let Due::Run(slot) = table.due(last, now, Missed::CatchUp, 300) else { panic!("nothing is due") };
    assert_eq!(slot.at, at("2025-01-20T02:30:00Z"));
    assert_eq!(table.due(slot.at, now, Missed::CatchUp, 300), Due::Nothing);
    let Due::PassOver(slot) = table.due(last, now, Missed::Skip, 300) else {
        panic!("it is not passed over")
    };
    assert_eq!(slot.at, at("2025-01-20T02:30:00Z"));
    // A service that is restarted within its grace has missed nothing.
    let now = at("2025-01-20T02:34:00Z");
    assert!(matches!(table.due(last, now, Missed::Skip, 300), Due::Run(_)));
}

#[test]
fn what_is_no_schedule_is_said_with_what_would_be() {
    for text in [
        "",
        "noon",
        "25:00",
        "2:30",
        "Tuesday 12:00",
        "Mon 12:60",
        "* * *",
        "61 2 * * *",
        "@daily",
        "0 0 2 * * *",
    ] {
        let refused = Timetable::parse(text, LONDON).unwrap_err();
        assert_eq!(refused, TimetableError::Expression { text: text.to_owned() }, "{text}");
    }
    insta::assert_snapshot!(Timetable::parse("noon", LONDON).unwrap_err().to_string());
    insta::assert_snapshot!(Timetable::parse("02:30", "Europe/Leicester").unwrap_err().to_string());
    insta::assert_snapshot!(Timetable::parse("0 3 30 2 *", LONDON).unwrap_err().to_string());
}

/// Fields of minutes and hours: the expression, and what it means.
fn a_daily() -> impl Strategy<Value = (String, BTreeSet<i8>, BTreeSet<i8>)> {
    let minutes = prop::collection::btree_set(0..60_i8, 1..5);
    let hours = prop::collection::btree_set(0..6_i8, 1..5);
    (minutes, hours).prop_map(|(minutes, hours)| {
        let list = |of: &BTreeSet<i8>| of.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        (format!("{} {} * * *", list(&minutes), list(&hours)), minutes, hours)
    })
}

/// A zone, and an instant some hours before its clock changes.
fn a_change() -> impl Strategy<Value = (&'static str, i64)> {
    prop_oneof![
        Just((LONDON, at("2025-03-29T21:00:00Z").unix_ms())),
        Just((LONDON, at("2025-10-25T20:00:00Z").unix_ms())),
        Just(("America/New_York", at("2025-03-09T01:00:00Z").unix_ms())),
        Just(("America/New_York", at("2025-11-02T01:00:00Z").unix_ms())),
        // Half an hour, and a change at midnight.
        Just(("Australia/Lord_Howe", at("2025-04-05T10:00:00Z").unix_ms())),
        Just(("Australia/Lord_Howe", at("2025-10-04T10:00:00Z").unix_ms())),
        Just(("Africa/Cairo", at("2025-04-24T18:00:00Z").unix_ms())),
        Just((LONDON, at("2024-02-28T20:00:00Z").unix_ms())),
    ]
}

/// What the law says, minute by minute: the first time that the wall shows a time, or the first minute
/// at which it shows a later one.
fn by_the_minute(zone: &str, from_ms: i64, hours_and_minutes: &dyn Fn(DateTime) -> bool) -> Vec<i64> {
    let zone = TimeZone::get(zone).unwrap();
    let wall = |ms| zone.to_datetime(Timestamp::from_millisecond(ms).unwrap());
    let mut highest = wall(from_ms);
    let mut found = Vec::new();
    for minute in 1..24 * 60 {
        let ms = from_ms + minute * 60_000;
        let shown = wall(ms);
        let mut is_slot = false;
        while highest < shown {
            highest = highest.checked_add(jiff::Span::new().minutes(1)).unwrap();
            is_slot |= hours_and_minutes(highest);
        }
        if is_slot {
            found.push(ms);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn slots_are_what_the_wall_shows((text, minutes, hours) in a_daily(), (zone, from_ms) in a_change()) {
        let table = Timetable::parse(&text, zone).unwrap();
        let expected =
            by_the_minute(zone, from_ms, &|wall| minutes.contains(&wall.minute()) && hours.contains(&wall.hour()));
        let (mut found, mut after) = (Vec::new(), Instant::from_unix_ms(from_ms));
        while let Some(slot) = table.next_after(after).filter(|slot| slot.at.unix_ms() < from_ms + 24 * 3_600_000) {
            found.push(slot.at.unix_ms());
            after = slot.at;
        }
        prop_assert_eq!(&found, &expected);
        // Looking back finds the same ones.
        let end = Instant::from_unix_ms(from_ms + 24 * 3_600_000 - 1);
        let (mut back, mut by) = (Vec::new(), end);
        while let Some(slot) = table.last_by(by).filter(|slot| slot.at.unix_ms() > from_ms) {
            back.push(slot.at.unix_ms());
            by = Instant::from_unix_ms(slot.at.unix_ms() - 1);
        }
        back.reverse();
        prop_assert_eq!(back, expected);
    }

    /// However long whoever runs them sleeps in between: no slot twice, none from before, and once
    /// everything is caught up nothing is due until the next.
    #[test]
    fn every_slot_is_run_once_at_most(
        (text, ..) in a_daily(),
        (zone, from_ms) in a_change(),
        sleeps in prop::collection::vec(1..400_i64, 1..60),
        is_skipping in any::<bool>(),
    ) {
        let table = Timetable::parse(&text, zone).unwrap();
        let missed = if is_skipping { Missed::Skip } else { Missed::CatchUp };
        let (mut last, mut now) = (Instant::from_unix_ms(from_ms), Instant::from_unix_ms(from_ms));
        let mut run = BTreeSet::new();
        for sleep in sleeps {
            now = now.plus_s(sleep * 60);
            match table.due(last, now, missed, 300) {
                Due::Nothing => prop_assert_eq!(table.last_by(now).filter(|slot| slot.at > last), None),
                Due::Run(slot) => {
                    prop_assert!(slot.at <= now && run.insert(slot.at.unix_ms()));
                    prop_assert!(!is_skipping || now.unix_ms() - slot.at.unix_ms() <= 300_000);
                    last = slot.at;
                }
                Due::PassOver(slot) => {
                    prop_assert!(is_skipping && now.unix_ms() - slot.at.unix_ms() > 300_000);
                    last = slot.at;
                }
            }
            prop_assert_eq!(table.due(last, now, missed, 300), Due::Nothing);
        }
    }
}
