//! RabbitMQ stops and comes back in the middle of a release and of a collect: the work goes on by
//! itself, nothing is lost, and nothing takes effect twice.

use std::path::PathBuf;
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wayleave::base::limit::{BROKER_WAIT_S, RETURN_WAIT_S};
use wayleave::gateway::health::Shape;
use wayleave::queue::{Outcome, QueueName};
use wayleave::release::door::DoorMessage;

use crate::contract_door::{ids, message, open, unsent};
use crate::dump::{self, Eye};
use crate::outage;
use crate::same::{AFTER_RELEASE, Rows};
use crate::support::{self, Broker};
use crate::zone::{STUDY, Servers, Zone};

/// A RabbitMQ of this test's own, which it may stop.
pub(crate) struct Own {
    folder: TempDir,
    pub(crate) base: String,
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

    pub(crate) fn script(&self, word: &str) {
        run_script(&[std::ffi::OsStr::new(word), self.dir().as_os_str()]);
    }

    /// Has the broker's own tool do something.
    pub(crate) fn ctl(&self, words: &[&str]) {
        let mut all = vec![std::ffi::OsString::from("ctl"), self.dir().into_os_string()];
        all.extend(words.iter().map(std::ffi::OsString::from));
        run_script(&all);
    }

    pub(crate) fn broker(&self, name: &str) -> Broker {
        Broker::at(&format!("{}/%2f?prefix={name}", self.base))
    }

    /// Sends a signal to the broker itself.
    fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.dir().join("rabbitmq.pid")).unwrap();
        kill(signal, pid.trim());
    }
}

/// Runs `tests/servers`, which must end well.
pub(crate) fn run_script(words: &[impl AsRef<std::ffi::OsStr>]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers");
    let output: Output = Command::new(script).args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
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

/// Times that a step is halted until it is halted half-way.
const TRIES_MAX: usize = 5;

/// Starts a step, halts it once some of its work is done, restarts the broker meanwhile, and lets
/// the step go on to its end. False where it was at its end before it was halted: the machine was busy
/// with something else at the wrong moment.
fn across_a_restart(own: &Own, zone: &Zone, words: &[&str], database: &str, done: &str) -> bool {
    let mut eye = Eye::on(database);
    let before = eye.number(done);
    let mut child = zone.start(words);
    while eye.number(done) == before {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    halt(&child);
    let halfway = eye.number(done) - before;
    own.script("stop-broker");
    let away = Instant::now();
    go_on(&child);
    // It meets a broker that is gone, and then one that is back.
    std::thread::sleep(Duration::from_secs(1));
    own.script("start-broker");
    let away = away.elapsed();
    let status = child.wait().unwrap();
    if away > Duration::from_secs(RETURN_WAIT_S / 2) && status.code() == Some(2) {
        // It is waited for about a minute, and on a busy machine it may start for longer.
        println!("{words:?}: the broker was away for {away:.0?}, and the step is run again");
        zone.must(words);
    } else {
        assert!(matches!(status.code(), Some(0 | 1)), "{words:?} goes on by itself: {status}");
    }
    let whole = eye.number(done) - before;
    println!("{words:?}: the broker was away from {halfway} of {whole}");
    halfway < whole
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
    outage::alarm(&own);
    outage::deleted(&own);
    outage::cut(&own);
    outage::said(&own);
}

/// The broker raises its disk alarm while `study release` sends, and then an administrator deletes the queue
/// with all that lay in it; another time the queue goes in the middle of a release. The health page says
/// what is wrong meanwhile, the release goes on by itself, and nothing is lost.
fn gives_way(own: &Own, before: &Zone, expected: &Rows) {
    let equals = |zone: &Zone| {
        let found = Rows::of(&dump::dump(&zone.evaluation.url), &AFTER_RELEASE);
        if let Some(difference) = expected.difference(&found) {
            panic!("the evaluation databases differ\n{difference}");
        }
    };
    let release = ["study", "release", STUDY];
    let again = ["study", "release", STUDY, "--resend"];

    let zone = before.twin_at(own.broker("given"));
    own.ctl(&["set_disk_free_limit", "100000GB"]);
    let mut child = zone.start(&release);
    while outage::check(&zone, "release").shape == Shape::Well {
        assert!(child.try_wait().unwrap().is_none(), "a broker without room took everything");
        std::thread::sleep(Duration::from_millis(200));
    }
    let said = outage::check(&zone, "release");
    assert!(said.shape == Shape::Failing && said.told.contains("alarm of its disk"), "{said:?}");
    own.ctl(&["set_disk_free_limit", "50MB"]);
    // It waits for a while, and where that was not enough says that it could not send everything: the
    // next one catches up.
    let status = child.wait().unwrap();
    assert!(matches!(status.code(), Some(0..=2)), "{status}");
    zone.must(&release);
    assert_eq!(outage::check(&zone, "release").shape, Shape::Well);
    own.ctl(&["delete_queue", &format!("given.study.{STUDY}")]);
    zone.must(&["collect"]);
    zone.must(&again);
    zone.must(&["collect"]);
    equals(&zone);

    let halfway = (0..TRIES_MAX).find_map(|round| {
        let name = format!("gone{round}");
        let zone = before.twin_at(own.broker(&name));
        loses_its_queue(own, &zone, &format!("{name}.study.{STUDY}")).then_some(zone)
    });
    let zone = halfway.expect("a release is halted half-way");
    zone.must(&["collect"]);
    zone.must(&again);
    zone.must(&["collect"]);
    equals(&zone);
}

/// The queue of a release is deleted in the middle of it. False where it was at its end by then.
fn loses_its_queue(own: &Own, zone: &Zone, queue: &str) -> bool {
    let mut eye = Eye::on(&zone.operational.url);
    let sent = "(SELECT COUNT(*) FROM intent WHERE state = 'sent')";
    let mut child = zone.start(&["study", "release", STUDY]);
    while eye.number(sent) == 0 {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    halt(&child);
    let halfway = eye.number(sent);
    own.ctl(&["delete_queue", queue]);
    go_on(&child);
    let status = child.wait().unwrap();
    assert!(matches!(status.code(), Some(0 | 1)), "the release goes on by itself: {status}");
    let whole = eye.number(sent);
    println!("the queue went when {halfway} of {whole} were sent");
    halfway < whole
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

    let sent = "(SELECT COUNT(*) FROM intent WHERE state = 'sent') + (SELECT COUNT(*) FROM release WHERE closed_at IS NOT NULL)";
    let taken = "(SELECT COUNT(*) FROM inbox)";
    let halfway = (0..TRIES_MAX).find_map(|round| {
        let zone = before.twin_at(own.broker(&format!("restarted{round}")));
        let is_shown =
            across_a_restart(own, &zone, &["study", "release", STUDY], &zone.operational.url, sent)
                && across_a_restart(own, &zone, &["collect"], &zone.evaluation.url, taken);
        is_shown.then_some(zone)
    });
    let zone = halfway.expect("both steps are halted half-way");
    let found = Rows::of(&dump::dump(&zone.evaluation.url), &AFTER_RELEASE);
    if let Some(difference) = expected.difference(&found) {
        panic!("the evaluation databases differ\n{difference}");
    }
    zone.must(&["collect"]);
    let again = Rows::of(&dump::dump(&zone.evaluation.url), &AFTER_RELEASE);
    assert_eq!(found.difference(&again), None, "nothing was left over");
    gives_way(own, &before, &expected);
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
    let left = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(BROKER_WAIT_S + 3));
            is_over.store(true, Ordering::SeqCst);
            own.signal("CONT");
        });
        let outcomes = queue.publish(&sent).expect("the broker is back within the time it is waited for");
        assert!(is_over.load(Ordering::SeqCst), "a broker that hung was said to have taken messages");
        unsent(sent.clone(), outcomes)
    });
    outage::send_rest(&queue, left);
    assert_eq!(outage::distinct(&queue, sent.len() + 1), ids(&sent));
}
