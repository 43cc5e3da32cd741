//! kill -9 of each step, on each database and broker, at moments drawn over the measured length
//! of its work. After every kill the work is run to its end; the ledger balances, and the
//! evaluation database holds what an undisturbed run's holds, row for row.
//!
//! The steps before the one that is killed are done once; each kill works on a copy of how they
//! left everything.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::dump::{self, Dump, Eye};
use crate::rabbit::{self, Letter};
use crate::same;
use crate::zone::{STUDY, Servers, Zone};

/// People in the programme: few, so that a kill takes seconds, and enough for many commits.
const PEOPLE: u32 = 30;

/// One step, and how its work is seen from outside.
pub(crate) struct Step {
    pub(crate) words: &'static [&'static str],
    /// Which of the zone's databases shows it.
    database: fn(&Zone) -> &str,
    /// A number there that rises with each commit of the step.
    done: &'static str,
    /// What two runs of the chain may differ in, where this step is the first that ran twice.
    free: &'static [same::Free],
}

pub(crate) const SYNC: Step = Step {
    words: &["sync"],
    database: |zone| &zone.operational.url,
    done: "(SELECT COUNT(*) FROM batch) + (SELECT COUNT(*) FROM version) + (SELECT COUNT(*) FROM audit)
        + (SELECT COUNT(*) FROM subject WHERE person_id IS NOT NULL) + (SELECT COUNT(*) FROM intent)
        + (SELECT COUNT(*) FROM run) + (SELECT COUNT(*) FROM run WHERE state = 'finished')",
    free: &same::AFTER_SYNC,
};
const RELEASE: Step = Step {
    words: &["study", "release", STUDY],
    database: |zone| &zone.operational.url,
    done: "(SELECT COUNT(*) FROM release) + (SELECT COUNT(*) FROM intent WHERE state = 'claimed')
        + (SELECT 2 * COUNT(*) FROM intent WHERE state = 'sent') + (SELECT COUNT(*) FROM audit)
        + (SELECT COUNT(*) FROM release WHERE closed_at IS NOT NULL)",
    free: &same::AFTER_RELEASE,
};
const COLLECT: Step = Step {
    words: &["collect"],
    database: |zone| &zone.evaluation.url,
    done: "(SELECT COUNT(*) FROM inbox)",
    free: &[],
};

/// Rows of the large tables that name what is not there: those tables have no foreign keys.
pub(crate) const ORPHANS: &str =
    "(SELECT COUNT(*) FROM version WHERE record_id NOT IN (SELECT id FROM record))
    + (SELECT COUNT(*) FROM version WHERE batch_id NOT IN (SELECT id FROM batch))
    + (SELECT COUNT(*) FROM record WHERE id NOT IN (SELECT record_id FROM version))
    + (SELECT COUNT(*) FROM record WHERE subject_id NOT IN (SELECT id FROM subject))
    + (SELECT COUNT(*) FROM subject_block WHERE subject_id NOT IN (SELECT id FROM subject))
    + (SELECT COUNT(*) FROM subject WHERE person_id NOT IN (SELECT id FROM person))
    + (SELECT COUNT(*) FROM work)";

pub(crate) fn kills() -> usize {
    let is_thorough = std::env::var("WAYLEAVE_THOROUGH").is_ok_and(|value| value == "1");
    if is_thorough { 50 } else { 10 }
}

/// How everything stands before the step that is killed.
struct Before {
    zone: Zone,
    /// What lies in RabbitMQ's queue, which has no files to copy.
    letters: Vec<Letter>,
}

impl Before {
    fn new(servers: Servers, steps: &[Step]) -> Option<Self> {
        let zone = Zone::new(servers, PEOPLE)?;
        let is_in_rabbitmq = steps.len() == 2 && servers.is_rabbitmq;
        if is_in_rabbitmq {
            zone.declare();
            rabbit::tap(&zone.broker);
        }
        for step in steps {
            zone.must(step.words);
        }
        // The first release makes the study key. Every copy has the same, made here.
        if steps.len() == 1 {
            let twin = zone.twin();
            twin.must(RELEASE.words);
            zone.take_keys_of(&twin);
            twin.remove();
        }
        let letters = if is_in_rabbitmq { rabbit::tapped(&zone.broker) } else { Vec::new() };
        Some(Self { zone, letters })
    }

    fn copy(&self) -> Zone {
        let twin = self.zone.twin();
        if !self.letters.is_empty() {
            twin.declare();
            rabbit::put_all(&twin.broker, QUEUE, &self.letters);
        }
        twin
    }
}

/// The queue of the study, without the prefix of the broker.
const QUEUE: &str = "study.promoting-independence";

/// Kills the step at `steps[victim]` many times on one pair of servers.
fn check(servers: Servers, victim: usize) {
    let steps = [SYNC, RELEASE, COLLECT];
    let begun = Instant::now();
    let Some(before) = Before::new(servers, &steps[..victim]) else { return };
    let (step, later) = (&steps[victim], &steps[victim + 1..]);

    let undisturbed = before.copy();
    let (length, whole) = measure(&undisturbed, step);
    for step in later {
        undisturbed.must(step.words);
    }
    let expected = same::Rows::of(&dump::dump(&undisturbed.evaluation.url), step.free);
    assert!(people(&dump::dump(&undisturbed.evaluation.url)) > PEOPLE as usize / 4, "people were released");
    undisturbed.remove();

    let kills = kills();
    let (mut between, mut tried) = (0, 0);
    // The machine is shared: where it has become faster than it was measured, moments are drawn
    // over less, and a few more kills may make up for those that came too late.
    let mut window = length.mul_f64(0.9);
    while tried < kills || (between * 5 < tried * 4 && tried < 2 * kills) {
        let zone = before.copy();
        let share = ((tried % kills) as f64 + 0.5) / kills as f64;
        if kill(&zone, step, window.mul_f64(share), whole) {
            between += 1;
        } else {
            window = window.mul_f64(0.7);
        }
        tried += 1;
        for step in &steps[victim..] {
            zone.must(step.words);
        }
        let balance = "SELECT COUNT(*) FROM run WHERE state <> 'finished' OR received <> rejected + quarantined + duplicate + filtered + accepted + unchanged";
        let unbalanced = dump::number(&zone.operational.url, balance);
        assert_eq!(unbalanced, 0, "{servers:?}: every run is finished and balances");
        // A query that fails gives 0.
        let one_and_orphans = dump::number(&zone.operational.url, &format!("1 + {ORPHANS}"));
        assert_eq!(one_and_orphans, 1, "{servers:?}: nothing hangs in the air, and nothing waits");
        let found = same::Rows::of(&dump::dump(&zone.evaluation.url), step.free);
        if let Some(difference) = expected.difference(&found) {
            panic!(
                "{servers:?}, {:?}, kill {tried}: the evaluation databases differ\n{difference}",
                step.words
            );
        }
        zone.remove();
    }
    println!(
        "{servers:?} {:?}: {between} of {tried} kills fell between the first commit and the last, {length:?} apart; {:.0?} in all",
        step.words,
        begun.elapsed()
    );
    assert!(
        between * 5 >= tried * 4,
        "{servers:?}: {between} of {tried} kills fell between the first commit and the last"
    );
}

/// Kills a step, so long after its first commit. True if that was before its last.
pub(crate) fn kill(zone: &Zone, step: &Step, after: Duration, whole: i64) -> bool {
    let mut eye = Eye::on((step.database)(zone));
    let before = eye.number(step.done);
    let mut child = zone.start(step.words);
    // From the first commit on, which comes when it comes.
    while eye.number(step.done) == before && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    let done = eye.number(step.done) - before;
    0 < done && done < whole
}

/// How long it takes from the first commit of a step to the last, and how much it commits.
pub(crate) fn measure(zone: &Zone, step: &Step) -> (Duration, i64) {
    let mut eye = Eye::on((step.database)(zone));
    let start = eye.number(step.done);
    let mut child = zone.start(step.words);
    let (mut first, mut last, mut seen) = (None, Instant::now(), start);
    loop {
        let ended = child.try_wait().unwrap();
        let now = eye.number(step.done);
        if now != seen {
            last = Instant::now();
            first.get_or_insert(last);
            seen = now;
        }
        if let Some(status) = ended {
            assert!(matches!(status.code(), Some(0 | 1)), "{:?}: {status}", step.words);
            return (last - first.expect("the step commits something"), seen - start);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Pseudonyms of whom anything is held.
fn people(dump: &Dump) -> usize {
    let of = |row: &String| serde_json::from_str::<serde_json::Value>(row).unwrap()["pseudonym"].to_string();
    dump["subject"].iter().map(of).collect::<BTreeSet<_>>().len()
}

macro_rules! kills {
    ($($name:ident, $servers:literal, $victim:literal;)*) => {$(
        #[test]
        fn $name() {
            check(Servers::ALL[$servers], $victim);
        }
    )*};
}

kills! {
    sync_on_sqlite_and_the_embedded_queue, 0, 0;
    release_on_sqlite_and_the_embedded_queue, 0, 1;
    collect_on_sqlite_and_the_embedded_queue, 0, 2;
    sync_on_sqlite_and_rabbitmq, 1, 0;
    release_on_sqlite_and_rabbitmq, 1, 1;
    collect_on_sqlite_and_rabbitmq, 1, 2;
    sync_on_postgres_and_the_embedded_queue, 2, 0;
    release_on_postgres_and_the_embedded_queue, 2, 1;
    collect_on_postgres_and_the_embedded_queue, 2, 2;
    sync_on_postgres_and_rabbitmq, 3, 0;
    release_on_postgres_and_rabbitmq, 3, 1;
    collect_on_postgres_and_rabbitmq, 3, 2;
}
