//! RabbitMQ stops and comes back in the middle of a release and of a collect: the work goes on by
//! itself, nothing is lost, and nothing takes effect twice.

use std::path::PathBuf;
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use wayleave::base::limit::BROKER_WAIT_S;
use wayleave::queue::{Outcome, QueueName};
use wayleave::release::door::DoorMessage;

use crate::contract_door::{ids, ids_of, message, open, take, unsent};
use crate::dump::{self, Eye};
use crate::same::{AFTER_RELEASE, Rows};
use crate::support::{self, Broker};
use crate::zone::{STUDY, Servers, Zone};

/// A RabbitMQ of this test's own, which it may stop.
struct Own {
    folder: TempDir,
    base: String,
}

impl Own {
    /// None where there is no RabbitMQ, said aloud.
    fn start() -> Option<Self> {
        support::rabbitmq()?;
        let mut own = Self { folder: folder(), base: String::new() };
        own.script("start-broker");
        let env = std::fs::read_to_string(own.dir().join("env")).unwrap();
        let (_, rest) = env.split_once("WAYLEAVE_TEST_RABBITMQ='").unwrap();
        rest.split('\'').next().unwrap().clone_into(&mut own.base);
        Some(own)
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("servers")
    }

    fn script(&self, word: &str) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers");
        let output: Output = Command::new(script).arg(word).arg(self.dir()).output().unwrap();
        assert!(output.status.success(), "{word}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn broker(&self, name: &str) -> Broker {
        Broker::at(&format!("{}/%2f?prefix={name}", self.base))
    }

    /// Sends a signal to the broker itself.
    fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.dir().join("rabbitmq.pid")).unwrap();
        kill(signal, pid.trim());
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers");
        let _stopped = Command::new(script).arg("stop").arg(self.dir()).output();
    }
}

/// Without a blank in its name: Erlang's own scripts do not take one.
fn folder() -> TempDir {
    tempfile::Builder::new().prefix("wayleave-broker-").tempdir().unwrap()
}

fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([&format!("-{signal}"), pid]).status().unwrap().success());
}

/// Starts a step, halts it once some of its work is done, restarts the broker meanwhile, and lets
/// the step go on to its end.
fn across_a_restart(own: &Own, zone: &Zone, words: &[&str], database: &str, done: &str) {
    let mut eye = Eye::on(database);
    let before = eye.number(done);
    let mut child = zone.start(words);
    while eye.number(done) == before {
        assert!(child.try_wait().unwrap().is_none(), "{words:?} is done before it was halted");
        std::thread::sleep(Duration::from_millis(1));
    }
    halt(&child);
    let halfway = eye.number(done) - before;
    own.script("stop-broker");
    go_on(&child);
    // It meets a broker that is gone, and then one that is back.
    std::thread::sleep(Duration::from_secs(1));
    own.script("start-broker");
    let status = child.wait().unwrap();
    assert!(matches!(status.code(), Some(0 | 1)), "{words:?} goes on by itself: {status}");
    let whole = eye.number(done) - before;
    assert!(0 < halfway && halfway < whole, "{words:?} was halted at {halfway} of {whole}");
    println!("{words:?}: the broker was away from {halfway} of {whole}");
}

fn halt(child: &Child) {
    kill("STOP", &child.id().to_string());
}

fn go_on(child: &Child) {
    kill("CONT", &child.id().to_string());
}

#[test]
fn work_goes_on_when_the_broker_is_restarted_or_hangs() {
    let Some(own) = Own::start() else { return };
    goes_on(&own);
    hangs(&own);
}

fn goes_on(own: &Own) {
    let servers = Servers { is_postgres: false, is_rabbitmq: true };
    let before = Zone::new(servers, 60).unwrap();
    before.must(&["sync"]);
    let first = before.twin_at(own.broker("undisturbed"));
    first.must(&["study", "release", STUDY]);
    before.take_keys_of(&first);
    first.must(&["collect"]);
    let expected = Rows::of(&dump::dump(&first.evaluation.url), &AFTER_RELEASE);

    let zone = before.twin_at(own.broker("restarted"));
    let sent = "(SELECT COUNT(*) FROM intent WHERE state = 'sent') + (SELECT COUNT(*) FROM release WHERE closed_at IS NOT NULL)";
    across_a_restart(own, &zone, &["study", "release", STUDY], &zone.operational.url, sent);
    let taken = "(SELECT COUNT(*) FROM inbox)";
    across_a_restart(own, &zone, &["collect"], &zone.evaluation.url, taken);
    let found = Rows::of(&dump::dump(&zone.evaluation.url), &AFTER_RELEASE);
    if let Some(difference) = expected.difference(&found) {
        panic!("the evaluation databases differ\n{difference}");
    }
    zone.must(&["collect"]);
    let again = Rows::of(&dump::dump(&zone.evaluation.url), &AFTER_RELEASE);
    assert_eq!(found.difference(&again), None, "nothing was left over");
}

/// A broker that hangs for longer than any answer is waited for: nothing counts as sent meanwhile,
/// and once it goes on everything arrives. What had arrived all the same comes twice, under one id.
fn hangs(own: &Own) {
    let broker = own.broker("hanging");
    let (edge, _clock) = support::edge();
    let queue = open(&broker, &edge);
    queue.declare(&QueueName::study(STUDY)).unwrap();
    let sent: Vec<DoorMessage> = (0..20).map(|n| message(STUDY, n, 1)).collect();
    assert_eq!(queue.publish(&sent[..1]).unwrap(), [Outcome::Sent]);
    own.signal("STOP");
    let is_over = AtomicBool::new(false);
    let mut left = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(BROKER_WAIT_S + 3));
            is_over.store(true, Ordering::SeqCst);
            own.signal("CONT");
        });
        let outcomes = queue.publish(&sent).expect("the broker is back within the time it is waited for");
        assert!(is_over.load(Ordering::SeqCst), "a broker that hung was said to have taken messages");
        unsent(sent.clone(), outcomes)
    });
    for _try in 0..5 {
        let outcomes = queue.publish(&left).unwrap();
        left = unsent(left, outcomes);
    }
    assert!(left.is_empty(), "{} could not be sent", left.len());
    let mut came = take(&queue, STUDY, sent.len() + 1);
    loop {
        let more = queue.claim(&QueueName::study(STUDY), 50).unwrap();
        if more.is_empty() {
            break;
        }
        queue.acknowledge(&more).unwrap();
        came.extend(more);
    }
    assert_eq!(ids_of(&came), ids(&sent));
}
