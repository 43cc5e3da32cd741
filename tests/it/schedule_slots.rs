//! Slots in the store: of several replicas exactly one runs each, through changes of the clock and a
//! crash in the middle.

use std::collections::BTreeMap;
use std::sync::Arc;

use wayleave::base::edge::Instant;
use wayleave::base::limit::{PROCESS_UNITS_MAX, SLOT_LEASE_S};
use wayleave::config::{Missed, Scope};
use wayleave::gateway::feed::Feed;
use wayleave::gateway::slot::{self, Asked, Claimed};
use wayleave::gateway::sync::{Told, sync_until};
use wayleave::gateway::{Gateway, GatewayError, show};
use wayleave::schedule::Scheduler;
use wayleave::schedule::planned::Planned;
use wayleave::schedule::timetable::Timetable;
use wayleave::schedule::watcher::Watcher;
use wayleave::telemetry::Figures;
use wayleave::worker::Stop;

use crate::night::{Night, goal, mapping, on_every_database};

/// Rows of a file that takes two transactions.
const ROWS: usize = PROCESS_UNITS_MAX + 100;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

pub(crate) fn planned(feed: &Feed, slots: &str) -> Planned {
    Planned {
        feed: feed.clone(),
        slots: Some(Timetable::parse(slots, "Europe/London").unwrap()),
        missed: Missed::CatchUp,
        promise: None,
    }
}

pub(crate) fn scheduler(gateway: Gateway, planned: Vec<Planned>) -> Scheduler {
    Scheduler {
        gateway,
        planned,
        protocols: Vec::new(),
        watcher: Watcher::default(),
        figures: Arc::new(Figures::new()),
    }
}

fn a_feed(night: &Night) -> Feed {
    night.feed("council/cld", Scope::Everyone, &mapping("council/cld", "full", "whole", ""))
}

/// Two replicas that look at the same moments at the same database: how often each slot was run.
fn two_replicas(night: &Night, slots: &str, moments: &[&str]) -> BTreeMap<String, usize> {
    let feed = a_feed(night);
    let replicas: Vec<Scheduler> =
        (0..2).map(|_| scheduler(night.replica(), vec![planned(&feed, slots)])).collect();
    let mut counts = BTreeMap::new();
    for (n, moment) in moments.iter().enumerate() {
        night.clock.set(at(moment));
        night.put(
            &feed,
            &format!("{n:03}.csv"),
            &[goal("A1", "G1", "in-progress", ""), goal("A2", &format!("G{n}"), "overdue", "")],
        );
        let ran = std::thread::scope(|scope| {
            let threads: Vec<_> = replicas
                .iter()
                .enumerate()
                .map(|(n, replica)| {
                    scope.spawn(move || replica.round(&format!("replica-{n}"), &Stop::default()).unwrap())
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        for one in ran {
            one.ended.unwrap();
            *counts.entry(one.slot.to_string()[..16].to_owned()).or_default() += 1;
        }
    }
    counts
}

fn once(slots: &[&str]) -> BTreeMap<String, usize> {
    slots.iter().map(|slot| ((*slot).to_owned(), 1)).collect()
}

#[test]
fn of_two_replicas_one_runs_each_slot_where_the_clock_goes_forward() {
    on_every_database(|night| {
        let moments = [
            "2025-03-28T12:00:00Z",
            "2025-03-29T01:29:59Z",
            "2025-03-29T01:30:00Z",
            "2025-03-29T01:31:00Z",
            "2025-03-30T00:59:59Z",
            "2025-03-30T01:00:00Z",
            "2025-03-30T01:30:00Z",
            "2025-03-31T00:30:00Z",
            "2025-03-31T01:30:00Z",
        ];
        let counts = two_replicas(&night, "01:30", &moments);
        assert_eq!(counts, once(&["2025-03-29T01:30", "2025-03-30T01:00", "2025-03-31T00:30"]));
    });
}

#[test]
fn of_two_replicas_one_runs_each_slot_where_the_clock_goes_back_and_on_a_leap_day() {
    on_every_database(|night| {
        let moments = [
            "2025-10-25T12:00:00Z",
            "2025-10-26T00:30:00Z",
            "2025-10-26T00:45:00Z",
            "2025-10-26T01:30:00Z",
            "2025-10-26T01:45:00Z",
            "2025-10-27T01:30:00Z",
        ];
        assert_eq!(two_replicas(&night, "01:30", &moments), once(&["2025-10-26T00:30", "2025-10-27T01:30"]));
    });
    on_every_database(|night| {
        let moments =
            ["2027-02-28T12:00:00Z", "2027-03-01T12:00:00Z", "2028-02-29T03:00:00Z", "2028-03-01T03:00:00Z"];
        assert_eq!(two_replicas(&night, "0 3 29 2 *", &moments), once(&["2028-02-29T03:00"]));
    });
}

#[test]
fn after_a_fortnights_sleep_one_slot_is_caught_up() {
    on_every_database(|night| {
        let moments = ["2025-01-06T12:00:00Z", "2025-01-20T12:00:00Z", "2025-01-20T12:01:00Z"];
        assert_eq!(two_replicas(&night, "02:30", &moments), once(&["2025-01-20T02:30"]));
    });
}

#[test]
fn whoever_dies_in_mid_slot_is_followed_once_its_lease_has_ended() {
    on_every_database(|night| {
        let feed = a_feed(&night);
        let slots = Timetable::parse("02:30", "Europe/London").unwrap();
        let second = scheduler(night.replica(), vec![planned(&feed, "02:30")]);
        night.clock.set(at("2025-01-06T12:00:00Z"));
        assert!(second.round("second", &Stop::default()).unwrap().is_empty(), "a new schedule waits");
        let rows: Vec<_> =
            (0..ROWS).map(|n| goal(&format!("A{}", n % 500), &format!("G{n}"), "overdue", "")).collect();
        night.put(&feed, "a.csv", &rows);
        night.clock.set(at("2025-01-07T02:30:00Z"));
        // The first takes the slot and is killed after its first transaction.
        let due = |last| match slots.due(last, night.gateway.edge.now(), Missed::CatchUp, 300) {
            wayleave::schedule::timetable::Due::Run(slot) => Asked::Run(slot.at),
            _ => Asked::Nothing,
        };
        let Claimed::Run(claim) = slot::claim(&night.gateway, "sync/council/cld", "first", &due).unwrap()
        else {
            panic!("the slot is due")
        };
        let is_killed = std::cell::Cell::new(false);
        let mut told = |said: Told<'_>| {
            if let Told::Units(done) = said {
                is_killed.set(done > 0);
            }
        };
        let feeds = std::slice::from_ref(&feed);
        let stopped = sync_until(&night.gateway, feeds, &[], None, &mut told, &|| is_killed.get());
        assert!(matches!(stopped, Err(GatewayError::Stopping)), "{stopped:?}");
        let runs = show::list_runs(&night.gateway, 10).unwrap();
        assert_eq!((runs.len(), runs[0].state.as_str()), (1, "processing"));
        assert_eq!(usize::try_from(runs[0].units.received).unwrap(), PROCESS_UNITS_MAX);
        // Nobody else has it while the lease runs.
        night.clock.advance_s(SLOT_LEASE_S - 1);
        assert!(second.round("second", &Stop::default()).unwrap().is_empty());
        night.clock.advance_s(2);
        let ran = second.round("second", &Stop::default()).unwrap();
        assert_eq!((ran.len(), ran[0].slot), (1, at("2025-01-07T02:30:00Z")));
        let runs = show::list_runs(&night.gateway, 10).unwrap();
        let finished: Vec<_> = runs.iter().filter(|run| run.units.received > 0).collect();
        assert_eq!(
            (finished.len(), finished[0].state.as_str(), finished[0].units.received),
            (1, "finished", i64::try_from(ROWS).unwrap())
        );
        assert_eq!(night.records("goal").len(), ROWS);
        // The dead one comes to itself, and has it no longer.
        assert!(!slot::renew(&night.gateway, &claim, "first").unwrap());
        assert!(!slot::done(&night.gateway, &claim, "first").unwrap());
        assert!(second.round("second", &Stop::default()).unwrap().is_empty(), "the slot is over");
    });
}

#[test]
fn a_slot_that_fails_is_tried_again_and_then_given_up() {
    on_every_database(|night| {
        let feed = a_feed(&night);
        let one = scheduler(night.replica(), vec![planned(&feed, "02:30")]);
        night.clock.set(at("2025-01-06T12:00:00Z"));
        one.round("one", &Stop::default()).unwrap();
        night.clock.set(at("2025-01-07T02:30:00Z"));
        // A folder that is away, as a share is that is not mounted: it is there again a minute later.
        std::fs::remove_dir_all(&feed.place).unwrap();
        let ran = one.round("one", &Stop::default()).unwrap();
        assert!(matches!(ran[0].ended, Err(GatewayError::Fetch(_))), "{ran:?}");
        assert!(one.round("one", &Stop::default()).unwrap().is_empty());
        std::fs::create_dir_all(&feed.place).unwrap();
        night.clock.advance_s(60);
        let ran = one.round("one", &Stop::default()).unwrap();
        assert!(ran[0].ended.is_ok(), "{ran:?}");
        // What goes on failing is tried again after pauses that grow, and then given up.
        let due = |_last| Asked::Run(at("2025-01-08T02:30:00Z"));
        let mut pauses = Vec::new();
        loop {
            let Claimed::Run(claim) = slot::claim(&night.gateway, "sync/council/cld", "one", &due).unwrap()
            else {
                panic!("it is tried again")
            };
            let before = night.gateway.edge.now();
            match slot::failed(&night.gateway, &claim, "one", true).unwrap() {
                slot::Left::Over => break,
                slot::Left::Again(then) => {
                    let pause = (then.unix_ms() - before.unix_ms()) / 1_000;
                    night.clock.advance_s(pause - 1);
                    assert_eq!(
                        slot::claim(&night.gateway, "sync/council/cld", "other", &due).unwrap(),
                        Claimed::Nothing
                    );
                    night.clock.advance_s(1);
                    pauses.push(pause);
                }
            }
        }
        assert_eq!(pauses, [60, 120, 240, 480, 900]);
        assert_eq!(slot::last(&night.gateway, "sync/council/cld").unwrap(), Some(at("2025-01-08T02:30:00Z")));
    });
}

#[test]
fn a_stop_leaves_the_slot_to_whoever_comes_next() {
    on_every_database(|night| {
        let feed = a_feed(&night);
        let one = scheduler(night.replica(), vec![planned(&feed, "02:30")]);
        night.clock.set(at("2025-01-06T12:00:00Z"));
        one.round("one", &Stop::default()).unwrap();
        night.clock.set(at("2025-01-07T02:30:00Z"));
        let due = |_last| Asked::Run(at("2025-01-07T02:30:00Z"));
        let Claimed::Run(claim) = slot::claim(&night.gateway, "sync/council/cld", "one", &due).unwrap()
        else {
            panic!("the slot is due")
        };
        assert!(slot::let_go(&night.gateway, &claim, "one").unwrap());
        let other = scheduler(night.replica(), vec![planned(&feed, "02:30")]);
        assert_eq!(
            other.round("other", &Stop::default()).unwrap().len(),
            1,
            "at once, without waiting for a lease"
        );
    });
}
