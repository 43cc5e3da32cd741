//! A real `wayleave serve` is killed in the middle of a slot: whoever comes next runs that slot to its
//! end, once, and nothing is there twice.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::dump::{self, Eye};
use crate::night::{HEADER, goal, mapping};
use crate::service::{Site, now_s};
use crate::support::databases;

/// Seconds that anything here is waited for.
const WAIT_S: u64 = 240;

/// Rows of a file that takes several transactions.
const ROWS: usize = 14_000;

/// Times that a slot is killed until it is killed half-way.
const TRIES_MAX: usize = 5;

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(WAIT_S);
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// False where the slot was at its end before it could be killed: the machine was busy with something
/// else at the wrong moment.
fn check(site: &Site) -> bool {
    let url = &site.database.url;
    let folder = site.path().join("mappings/council");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("cld.toml"), mapping("council/cld", "full", "whole", "")).unwrap();
    std::fs::create_dir_all(site.path().join("in")).unwrap();
    // At a time of the day that is some hours off, so that only the slot that was missed is due.
    let hour = (now_s() / 3_600 % 24 + 12) % 24;
    site.configure(&format!(
        "[gateway]\nmappings = \"mappings\"\n[source.council]\nscope = \"everyone\"\n\
         [source.council.feed.cld]\nfolder = \"in\"\nschedule = {{ sync = \"{hour:02}:30\" }}\n"
    ));
    let mut text = format!("{HEADER}\n");
    for n in 0..ROWS {
        writeln!(text, "{}", goal(&format!("A{}", n % 900), &format!("G{n}"), "overdue", "")).unwrap();
    }
    std::fs::write(site.path().join("in/a.csv"), text).unwrap();
    // The schedule is known, and then the service was off for some days.
    let first = site.serve(&["schedule"]);
    wait("the schedule begins", || {
        dump::number(url, "SELECT COUNT(*) FROM slot WHERE name = 'sync/council/cld'") == 1
    });
    first.kill();
    assert_eq!(dump::number(url, "SELECT COUNT(*) FROM run"), 0, "nothing was due");
    dump::change(url, "UPDATE slot SET last = '2025-01-06T12:00:00.000Z' WHERE name = 'sync/council/cld'");

    let mut eye = Eye::on(url);
    let second = site.serve(&["schedule"]);
    let read = "(SELECT COALESCE(SUM(received), 0) FROM run)";
    wait("the slot begins", || eye.number(read) > 0);
    second.kill();
    let halfway = eye.number(read);
    let whole = i64::try_from(ROWS).unwrap();
    if halfway >= whole {
        return false;
    }
    assert_eq!(eye.number("(SELECT COUNT(*) FROM slot WHERE claimed IS NOT NULL AND holder IS NOT NULL)"), 1);
    println!("killed at {halfway} of {whole}");

    // Two replicas come, and one of them follows once the lease has run out.
    let replicas = [site.serve(&["schedule"]), site.serve(&["schedule"])];
    wait("the slot is run to its end", || {
        eye.number("(SELECT COUNT(*) FROM slot WHERE name = 'sync/council/cld' AND claimed IS NULL)") == 1
            && eye.number("(SELECT COUNT(*) FROM run WHERE state = 'finished')") > 0
    });
    // Another look of each finds nothing more.
    std::thread::sleep(Duration::from_secs(wayleave::base::limit::SCHEDULE_PAUSE_S + 2));
    let said: Vec<String> = replicas.into_iter().flat_map(crate::service::Service::stop).collect();
    let begun = said.iter().filter(|line| line.contains("the slot of council/cld begins")).count();
    assert_eq!(begun, 1, "{said:#?}");
    let runs = "SELECT COUNT(*) FROM run";
    assert_eq!(dump::number(url, runs), 1);
    let balance = "SELECT COUNT(*) FROM run WHERE state = 'finished' AND note = '' AND received = accepted AND received =";
    assert_eq!(dump::number(url, &format!("{balance} {ROWS}")), 1);
    assert_eq!(dump::number(url, "SELECT COUNT(*) FROM record WHERE kind = 'goal'"), whole);
    let versions = "SELECT COUNT(*) FROM version v JOIN record r ON r.id = v.record_id WHERE r.kind = 'goal'";
    assert_eq!(dump::number(url, versions), whole, "none twice");
    assert_eq!(dump::number(url, "SELECT COUNT(*) FROM batch"), 1);
    true
}

#[test]
fn a_service_killed_in_mid_slot_is_followed_and_the_slot_is_run_once() {
    std::thread::scope(|scope| {
        for database in databases() {
            scope.spawn(move || {
                let is_shown = (0..TRIES_MAX).any(|_try| check(&Site::new(database.beside(), "")));
                assert!(is_shown, "the slot was never killed half-way");
            });
        }
    });
}
