//! kill -9 of each step, on each database and broker, at moments drawn over the measured length
//! of its work. After every kill the work is run to its end; the ledger balances, and the
//! evaluation database holds what an undisturbed run's holds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::dump::{self, Dump};
use crate::zone::{STUDY, Servers, Zone};

/// One step, and how its work is seen from outside: numbers that rise from 0 as it commits.
struct Step {
    words: &'static [&'static str],
    /// How much of the step is committed.
    done: fn(&Zone) -> i64,
}

const SYNC: Step = Step {
    words: &["sync"],
    done: |zone| {
        dump::number(
            &zone.operational.url,
            "SELECT (SELECT COUNT(*) FROM version) + (SELECT COALESCE(SUM(linked), 0) FROM run) + (SELECT COUNT(*) FROM run WHERE state = 'finished')",
        )
    },
};
const RELEASE: Step = Step {
    words: &["study", "release", STUDY],
    done: |zone| {
        dump::number(
            &zone.operational.url,
            "SELECT (SELECT COUNT(*) FROM intent WHERE state = 'sent') + (SELECT COUNT(*) FROM release WHERE closed_at IS NOT NULL)",
        )
    },
};
const COLLECT: Step = Step {
    words: &["collect"],
    done: |zone| dump::number(&zone.evaluation.url, "SELECT COUNT(*) FROM inbox"),
};

fn kills() -> usize {
    if is_thorough() { 50 } else { 10 }
}

fn is_thorough() -> bool {
    std::env::var("WAYLEAVE_THOROUGH").is_ok_and(|value| value == "1")
}

/// Kills the step at `steps[victim]` many times on one pair of servers.
fn check(servers: Servers, victim: usize) {
    let steps = [SYNC, RELEASE, COLLECT];
    // Each kill of these runs the whole chain anew: `tests/all --thorough` has the time.
    if victim < 2 && !is_thorough() {
        println!("SKIP: kills of {:?} belong to tests/all --thorough", steps[victim].words);
        return;
    }
    let Some(undisturbed) = Zone::new(servers) else { return };
    let mut window = None;
    for (index, step) in steps.iter().enumerate() {
        if index == victim {
            window = Some(measure(&undisturbed, step));
        } else {
            undisturbed.must(step.words);
        }
    }
    let (first, last, whole) = window.unwrap();
    let expected = people(&dump::dump(&undisturbed.evaluation.url));
    assert!(expected.len() > 20, "the undisturbed run released people");
    let kills = kills();
    let (mut between, mut tried) = (0, 0);
    // The machine is shared: where it has become faster than it was measured, moments are drawn
    // over less, and a few more kills may make up for those that came too late.
    let mut length = last.saturating_sub(first);
    while tried < kills || (between * 5 < tried * 4 && tried < 2 * kills) {
        let zone = Zone::new(servers).unwrap();
        for step in &steps[..victim] {
            zone.must(step.words);
        }
        let before = (steps[victim].done)(&zone);
        let share = ((tried % kills) as f64 + 0.5) / kills as f64;
        let mut child = zone.start(steps[victim].words);
        // From the first commit on, which comes when it comes.
        while (steps[victim].done)(&zone) == before && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(length.mul_f64(share));
        child.kill().unwrap();
        child.wait().unwrap();
        let after = (steps[victim].done)(&zone);
        tried += 1;
        if before < after && after < before + whole {
            between += 1;
        } else {
            length = length.mul_f64(0.8);
        }
        for step in &steps[victim..] {
            zone.must(step.words);
        }
        let balance = "SELECT COUNT(*) FROM run WHERE state <> 'finished' OR received <> rejected + quarantined + duplicate + filtered + accepted + unchanged";
        assert_eq!(
            dump::number(&zone.operational.url, balance),
            0,
            "{servers:?}: every run is finished and balances"
        );
        assert_same(&expected, &people(&dump::dump(&zone.evaluation.url)), servers, tried);
    }
    assert!(
        between * 5 >= tried * 4,
        "{servers:?}: {between} of {tried} kills fell between the first commit and the last"
    );
    println!(
        "{servers:?} {:?}: {between} of {tried} kills between {first:?} and {last:?}",
        steps[victim].words
    );
}

/// When the first and the last commit of the step are seen, and how much it commits.
fn measure(zone: &Zone, step: &Step) -> (Duration, Duration, i64) {
    let begun = Instant::now();
    let start = (step.done)(zone);
    let mut child = zone.start(step.words);
    let (mut first, mut last, mut seen) = (None, Duration::ZERO, start);
    loop {
        let ended = child.try_wait().unwrap();
        let now = (step.done)(zone);
        if now != seen {
            first.get_or_insert(begun.elapsed());
            last = begun.elapsed();
            seen = now;
        }
        if let Some(status) = ended {
            assert!(matches!(status.code(), Some(0 | 1)), "{:?}: {status}", step.words);
            return (first.expect("the step commits something"), last, seen - start);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What the evaluation side holds of each person, with what may differ between two runs taken
/// out: pseudonyms come from random person ids, and each release and notice has an id of its own.
fn people(dump: &Dump) -> Vec<String> {
    let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, rows) in dump {
        for row in rows {
            let whose = words(row).find(|word| is_pseudonym(word)).unwrap_or_default();
            of.entry(whose.to_owned())
                .or_default()
                .push(format!("{table} {}", without_ids(&without_order(row))));
        }
    }
    let mut people: Vec<String> = of
        .into_values()
        .map(|mut rows| {
            rows.sort();
            rows.join("\n")
        })
        .collect();
    people.sort();
    people
}

fn words(row: &str) -> impl Iterator<Item = &str> {
    row.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == ':' || c == '.'))
}

/// `S01-XXXX-XXXX-XXXX-XXXX-C` (privacy rules, 4.3).
fn is_pseudonym(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    parts.len() == 6 && parts[0].starts_with('S') && parts[1..5].iter().all(|part| part.len() == 4)
}

/// A row without what differs between two gateways with the same data: the order in which a
/// person's records were numbered, and the log that a release is proven in.
fn without_order(row: &str) -> String {
    let mut row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(row).unwrap();
    row.retain(|name, _| !name.contains("sequence"));
    for cell in row.values_mut() {
        let body = cell.as_str().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
        if let Some(serde_json::Value::Object(mut body)) = body {
            body.retain(|name, _| !["checkpoint", "entry", "proof", "sequence"].contains(&name.as_str()));
            *cell = serde_json::Value::Object(body);
        }
    }
    let cells = row.into_iter().map(|(name, cell)| match cell {
        serde_json::Value::Object(body) => {
            body.into_iter().map(|(part, value)| format!("\n    {name}.{part}: {value}")).collect::<String>()
        }
        cell => format!("\n    {name}: {cell}"),
    });
    cells.collect()
}

fn without_ids(row: &str) -> String {
    let is_id = |word: &&str| {
        is_pseudonym(word)
            || (word.len() == 26
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
            || (word.len() >= 32
                && word.rsplit('_').next().unwrap().bytes().all(|byte| byte.is_ascii_hexdigit()))
            || (word.len() == 24 && word.ends_with('Z') && word.contains('T'))
    };
    let mut shown = row.to_owned();
    for id in words(row).filter(is_id) {
        shown = shown.replace(id, "#");
    }
    shown
}

fn assert_same(expected: &[String], found: &[String], servers: Servers, kill: usize) {
    if expected == found {
        return;
    }
    let missing = expected.iter().find(|person| !found.contains(person)).map_or("", String::as_str);
    let extra = found.iter().find(|person| !expected.contains(person)).map_or("", String::as_str);
    let lines = |one: &str, other: &str| -> String {
        let other: Vec<&str> = other.lines().collect();
        one.lines().filter(|line| !other.contains(line)).take(3).collect::<Vec<_>>().join("\n  ")
    };
    panic!(
        "{servers:?}, kill {kill}: the evaluation databases differ\n- {}\n+ {}",
        lines(missing, extra),
        lines(extra, missing)
    );
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
