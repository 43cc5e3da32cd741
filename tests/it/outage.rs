//! What the gateway stands on gives way: the broker raises an alarm, loses a queue, or is cut off in the
//! middle of a confirm; PostgreSQL is restarted. Work goes on, catches up and loses nothing, and the
//! health page says what is wrong.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use wayleave::base::limit::CONFIRM_WAIT_S;
use wayleave::base::seal::{IndexKey, MasterKey};
use wayleave::config::Config;
use wayleave::gateway::Gateway;
use wayleave::gateway::health::{self, CheckShown, Shape};
use wayleave::queue::{Outcome, Queue, QueueName};
use wayleave::release::door::DoorMessage;
use wayleave::store::keys::Keys;

use crate::contract_door::{ids, ids_of, message, open, take, unsent};
use crate::night::Night;
use crate::restart::{Own, run_script};
use crate::service::{Client, Site, goal};
use crate::support::{self, Broker, Database, edge, sqlite};
use crate::zone::{STUDY, Zone};

fn declared(broker: &Broker) -> Queue {
    let (edge, _clock) = edge();
    let queue = open(broker, &edge);
    queue.declare(&QueueName::study(STUDY)).unwrap();
    queue
}

fn messages(n: u32) -> Vec<DoorMessage> {
    (0..n).map(|n| message(STUDY, u128::from(n), 1)).collect()
}

/// While the broker has no room it takes nothing, and nothing counts as sent; once there is room,
/// what waited goes through.
pub(crate) fn alarm(own: &Own) {
    let queue = declared(&own.broker("alarmed"));
    let sent = messages(20);
    assert_eq!(queue.publish(&sent[..1]).unwrap(), [Outcome::Sent]);
    own.ctl(&["set_disk_free_limit", "100000GB"]);
    let is_over = AtomicBool::new(false);
    let left = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(CONFIRM_WAIT_S / 6));
            is_over.store(true, Ordering::SeqCst);
            own.ctl(&["set_disk_free_limit", "50MB"]);
        });
        let outcomes = queue.publish(&sent).unwrap();
        assert!(is_over.load(Ordering::SeqCst), "a broker without room was said to have taken messages");
        unsent(sent.clone(), outcomes)
    });
    send_rest(&queue, left);
    assert_eq!(distinct(&queue, sent.len() + 1), ids(&sent));
}

/// Sends what could not be sent before.
pub(crate) fn send_rest(queue: &Queue, mut left: Vec<DoorMessage>) {
    for _try in 0..5 {
        let outcomes = queue.publish(&left).unwrap();
        left = unsent(left, outcomes);
    }
    assert!(left.is_empty(), "{} could not be sent", left.len());
}

/// Everything that is there, each id once.
pub(crate) fn distinct(queue: &Queue, at_least: usize) -> BTreeSet<String> {
    let mut came = take(queue, STUDY, at_least);
    loop {
        let more = queue.claim(&QueueName::study(STUDY), 50).unwrap();
        if more.is_empty() {
            break;
        }
        queue.acknowledge(&more).unwrap();
        came.extend(more);
    }
    ids_of(&came)
}

/// A queue that somebody deleted takes nothing, and nothing counts as sent; once it is declared again,
/// as each release does, what waited goes through.
pub(crate) fn deleted(own: &Own) {
    let queue = declared(&own.broker("deleted"));
    let sent = messages(20);
    own.ctl(&["delete_queue", &format!("deleted.study.{STUDY}")]);
    let outcomes = queue.publish(&sent).unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome != Outcome::Sent), "{outcomes:?}");
    queue.declare(&QueueName::study(STUDY)).unwrap();
    let left = unsent(sent.clone(), outcomes);
    assert_eq!(left.len(), 20);
    assert!(queue.publish(&left).unwrap().iter().all(|outcome| *outcome == Outcome::Sent));
    assert_eq!(distinct(&queue, 20), ids(&sent));
}

/// A way to the broker that can be cut: once armed, what the client sends still arrives, and in place of
/// the broker's confirm the connection breaks.
struct Cuttable {
    address: SocketAddr,
    is_armed: Arc<AtomicBool>,
    cuts: Arc<AtomicUsize>,
}

impl Cuttable {
    fn to(broker: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (is_armed, cuts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (armed, counted) = (is_armed.clone(), cuts.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let there = TcpStream::connect(broker).unwrap();
                let (mut up, mut to_broker) = (client.try_clone().unwrap(), there.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut up, &mut to_broker));
                let (armed, counted) = (armed.clone(), counted.clone());
                std::thread::spawn(move || answers(there, client, &armed, &counted));
            }
        });
        Self { address, is_armed, cuts }
    }
}

/// The broker's confirm, class `basic` and method `ack` (AMQP 0-9-1, section 1.8.3.13).
const CONFIRM: [u8; 4] = [0, 60, 0, 80];

/// Hands the broker's answers on, until it confirms something while the way is armed.
fn answers(mut from: TcpStream, mut to: TcpStream, is_armed: &AtomicBool, cuts: &AtomicUsize) {
    let mut piece = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut piece) {
        let is_confirm = piece[..n].windows(CONFIRM.len()).any(|window| window == CONFIRM);
        if is_confirm && is_armed.swap(false, Ordering::SeqCst) {
            cuts.fetch_add(1, Ordering::SeqCst);
            let _cut = to.shutdown(std::net::Shutdown::Both);
            let _cut = from.shutdown(std::net::Shutdown::Both);
            return;
        }
        if to.write_all(&piece[..n]).is_err() {
            return;
        }
    }
}

/// The connection breaks after the broker took messages and before it could say so: they do not count
/// as sent, are sent again over a new connection, and come twice under one id.
pub(crate) fn cut(own: &Own) {
    let (account, place) = own.base.split_once('@').unwrap();
    let way = Cuttable::to(place.parse().unwrap());
    let queue = declared(&Broker::at(&format!("{account}@{}/%2f?prefix=cut", way.address)));
    let sent = messages(50);
    let mut left = sent.clone();
    let mut tries = 0;
    while !left.is_empty() {
        tries += 1;
        assert!(tries < 10, "{} could not be sent", left.len());
        if tries == 1 {
            // Undisturbed, one goes through.
            assert_eq!(queue.publish(&left[..1]).unwrap(), [Outcome::Sent]);
            left.remove(0);
        }
        if tries < 4 {
            way.is_armed.store(true, Ordering::SeqCst);
        }
        match queue.publish(&left) {
            Ok(outcomes) => left = unsent(left, outcomes),
            Err(error) => assert!(error.retryable(), "{error}"),
        }
    }
    assert!(way.cuts.load(Ordering::SeqCst) >= 1, "it was cut in place of a confirm");
    assert_eq!(distinct(&queue, sent.len()), ids(&sent));
}

/// How one thing of a zone's gateway is, as its health page says it.
pub(crate) fn check(zone: &Zone, name: &str) -> CheckShown {
    let checks = look(&zone.operational.url, &zone.broker.url);
    checks.into_iter().find(|check| check.name == name).unwrap()
}

/// How everything is, as the health page of a gateway over these says it.
pub(crate) fn look(database: &str, queue: &str) -> Vec<CheckShown> {
    let store = wayleave::store::Store::open_existing(database).unwrap();
    let keys = Keys { master: MasterKey::from_bytes([1; 32]), index: IndexKey::from_bytes([2; 32]) };
    let gateway = Gateway { store, keys, edge: edge().0, actor: "test".to_owned() };
    let mut config = Config::default();
    queue.clone_into(&mut config.gateway.queue);
    health::look(&gateway, &config).checks
}

/// The health page says that the broker is away, and that it is back.
pub(crate) fn said(own: &Own) {
    let night = Night::new(sqlite());
    let mut config = Config::default();
    config.gateway.queue.clone_from(&own.base);
    let door = || {
        let health = health::look(&night.gateway, &config);
        health.checks.into_iter().find(|check| check.name == "door").unwrap()
    };
    assert_eq!(door().shape, Shape::Well);
    own.script("stop-broker");
    let away = door();
    assert_eq!(away.shape, Shape::Failing);
    assert!(away.told.contains("does not answer") && !away.told.contains("127.0.0.1"), "{away:?}");
    own.script("start-broker");
    assert_eq!(door().shape, Shape::Well);
}

/// A PostgreSQL of this test's own, which it may stop.
struct OwnPostgres {
    folder: TempDir,
    url: String,
}

impl OwnPostgres {
    /// None where there is no PostgreSQL, said aloud.
    fn start() -> Option<Self> {
        support::postgres()?;
        let folder = tempfile::Builder::new().prefix("wayleave-postgres-").tempdir().unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // The server runs as a user of its own, who must get to its folder.
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        }
        let mut own = Self { folder, url: String::new() };
        own.script("start-postgres");
        let env = std::fs::read_to_string(own.dir().join("env")).unwrap();
        let (_, rest) = env.split_once("WAYLEAVE_TEST_POSTGRES='").unwrap();
        own.url = format!("{}/postgres", rest.split('\'').next().unwrap());
        Some(own)
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("servers")
    }

    fn script(&self, word: &str) {
        run_script(&[std::ffi::OsStr::new(word), self.dir().as_os_str()]);
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers");
        let _stopped = std::process::Command::new(script).arg("stop").arg(self.dir()).output();
    }
}

#[test]
fn postgres_is_restarted_in_the_middle_of_the_work() {
    let Some(own) = OwnPostgres::start() else { return };
    let site = Site::new(Database::at(&own.url), "");
    let service = site.serve(&[]);
    let is_back = AtomicBool::new(false);
    // Senders go on all the while; each tries what was not kept again, as the specification asks.
    let kept: Vec<String> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let (address, is_back) = (service.address, &is_back);
                scope.spawn(move || {
                    let (mut receipts, mut refused, mut n) = (Vec::new(), 0, 0);
                    while n < 200 || !is_back.load(Ordering::SeqCst) {
                        let id = format!("evt-{sender}-{n}");
                        let body =
                            goal(&id, &format!("H-{sender}"), &format!("G-{sender}-{n}"), "in-progress");
                        let answer = Client::to(address).post_signed(
                            "/v1/sources/housing/events",
                            &id,
                            body.as_bytes(),
                        );
                        match answer.status {
                            202 => {
                                receipts.push(answer.json()["receipt"].as_str().unwrap().to_owned());
                                n += 1;
                            }
                            _ => {
                                assert_eq!(answer.problem(), "not-ready", "{answer:?}");
                                refused += 1;
                                std::thread::sleep(Duration::from_millis(50));
                            }
                        }
                    }
                    (receipts, refused)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(1));
        own.script("stop-postgres");
        let ready = service.connect().send("GET", "/health/ready", &[], b"");
        assert_eq!(ready.problem(), "not-ready");
        assert!(ready.json()["detail"].as_str().unwrap().starts_with("database: "), "{ready:?}");
        let page = service.connect().send("GET", "/health", &[], b"");
        assert!(String::from_utf8(page.body).unwrap().contains("<h1>stopped</h1>"));
        assert_eq!(service.connect().send("GET", "/health/live", &[], b"").status, 200);
        std::thread::sleep(Duration::from_secs(1));
        own.script("start-postgres");
        is_back.store(true, Ordering::SeqCst);
        let ended = senders.into_iter().map(|sender| sender.join().unwrap());
        let (receipts, refused): (Vec<Vec<String>>, Vec<u32>) = ended.unzip();
        assert!(refused.iter().sum::<u32>() > 0, "nobody met a database that was away");
        receipts.concat()
    });
    let mut client = service.connect();
    for receipt in &kept {
        assert_eq!(client.processed(receipt)["units"][0]["outcome"], "accepted", "{receipt}");
    }
    assert_eq!(client.send("GET", "/health/ready", &[], b"").status, 200);
    service.stop();
    // Each once, and none that nobody was told of more than once.
    let store = wayleave::store::Store::open_existing(&own.url).unwrap();
    let goals = store.read(wayleave::store::record::count_by_kind).unwrap();
    let goals = goals.iter().find(|(kind, _)| kind == "goal").unwrap().1;
    assert_eq!(usize::try_from(goals).unwrap(), kept.len());
    for run in store.read(|tx| wayleave::store::run::list_last(tx, 10_000)).unwrap() {
        assert_eq!((run.state.as_str(), run.received), ("finished", run.accounted()), "{run:?}");
    }
}
