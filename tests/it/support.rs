//! What tests share: throwaway databases and brokers, a clock that is told the time, counted
//! randomness.
//!
//! Servers come from the environment, where `tests/servers` and `tests/all` put them. Where one
//! is missing a test says so and goes on without it; with `WAYLEAVE_REQUIRE_SERVERS=1` it fails.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use tempfile::TempDir;
use wayleave::base::edge::{Clock, Edge, Entropy, Instant};

/// A database that nobody else uses. It is gone when this is dropped.
pub(crate) struct Database {
    /// Where it is: `sqlite://…` or `postgres://…`.
    pub(crate) url: String,
    keeps: Keeps,
}

enum Keeps {
    Folder { folder: TempDir },
    Server { admin: String, name: String },
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Keeps::Server { admin, name } = &self.keeps
            && let Ok(mut connection) = PgConnection::establish(admin)
        {
            let _gone = connection.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

/// A broker, or a part of one, that nobody else uses.
pub(crate) struct Broker {
    /// Where it is: `sqlite://…` or `amqp://…`.
    pub(crate) url: String,
    folder: Option<TempDir>,
}

/// A new SQLite database in a folder of its own, whose name has a space.
pub(crate) fn sqlite() -> Database {
    let folder = folder();
    let url = format!("sqlite://{}", folder.path().join("wayleave.db").display());
    Database { url, keeps: Keeps::Folder { folder } }
}

/// A new, empty PostgreSQL database on the server of `WAYLEAVE_TEST_POSTGRES`.
pub(crate) fn postgres() -> Option<Database> {
    let base = server("WAYLEAVE_TEST_POSTGRES", "PostgreSQL")?;
    let base = base.trim_end_matches('/').to_owned();
    let admin = format!("{base}/postgres");
    let name = fresh("wl");
    let mut connection = PgConnection::establish(&admin).expect("WAYLEAVE_TEST_POSTGRES answers");
    connection.batch_execute(&format!("CREATE DATABASE {name}")).expect("a database can be created");
    Some(Database { url: format!("{base}/{name}"), keeps: Keeps::Server { admin, name } })
}

/// Each database that is there: SQLite always, PostgreSQL where a server is.
pub(crate) fn databases() -> Vec<Database> {
    [Some(sqlite()), postgres()].into_iter().flatten().collect()
}

/// A new embedded queue in a folder of its own.
pub(crate) fn embedded() -> Broker {
    let folder = folder();
    let url = format!("sqlite://{}", folder.path().join("queue.db").display());
    Broker { url, folder: Some(folder) }
}

/// A part of the RabbitMQ of `WAYLEAVE_TEST_RABBITMQ` under names of its own: every exchange and
/// queue made through this URL begins with its `prefix`.
pub(crate) fn rabbitmq() -> Option<Broker> {
    let base = server("WAYLEAVE_TEST_RABBITMQ", "RabbitMQ")?;
    let url = format!("{}/%2f?prefix={}", base.trim_end_matches('/'), fresh("wl-"));
    Some(Broker { url, folder: None })
}

/// The same broker over TLS, and the file of the certificate authority that vouches for it.
pub(crate) fn rabbitmq_over_tls() -> Option<(Broker, std::path::PathBuf)> {
    let base = server("WAYLEAVE_TEST_RABBITMQ_TLS", "RabbitMQ over TLS")?;
    let authority = server("WAYLEAVE_TEST_AUTHORITY", "certificate authority")?;
    let url = format!("{}/%2f?prefix={}", base.trim_end_matches('/'), fresh("wl-"));
    Some((Broker { url, folder: None }, authority.into()))
}

/// Each broker that is there: the embedded queue always, RabbitMQ where a server is.
pub(crate) fn brokers() -> Vec<Broker> {
    [Some(embedded()), rabbitmq()].into_iter().flatten().collect()
}

/// Every pair of a database and a broker that are there, all fresh. Use two databases of a pair's
/// kind where a test needs both zones: [`Database::beside`].
pub(crate) fn grid() -> Vec<(Database, Broker)> {
    let mut pairs = vec![(sqlite(), embedded())];
    pairs.extend(rabbitmq().map(|broker| (sqlite(), broker)));
    pairs.extend(postgres().map(|database| (database, embedded())));
    pairs.extend(postgres().zip(rabbitmq()));
    pairs
}

impl Database {
    /// The one of a server that somebody else started, and stops.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), keeps: Keeps::Folder { folder: folder() } }
    }

    /// Another fresh database of the same kind, for the other zone.
    pub(crate) fn beside(&self) -> Self {
        match self.keeps {
            Keeps::Folder { .. } => sqlite(),
            Keeps::Server { .. } => postgres().expect("the server that made the first makes another"),
        }
    }

    /// Lets the server log every statement with its values, from the next connection on.
    pub(crate) fn log_everything(&self) {
        if let Keeps::Server { admin, name } = &self.keeps {
            let mut connection = PgConnection::establish(admin).expect("the server answers");
            let settings =
                ["log_statement = 'all'", "log_parameter_max_length = -1", "log_min_messages = debug1"];
            for setting in settings {
                connection
                    .batch_execute(&format!("ALTER DATABASE {name} SET {setting}"))
                    .expect("may be set");
            }
        }
    }

    /// Its name on its server; none of a file.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.keeps {
            Keeps::Folder { .. } => None,
            Keeps::Server { name, .. } => Some(name),
        }
    }

    /// Another database that holds what this one holds. Nobody may be using this one.
    pub(crate) fn twin(&self) -> Self {
        match &self.keeps {
            Keeps::Folder { folder } => {
                let twin = sqlite();
                if let Keeps::Folder { folder: other } = &twin.keeps {
                    copy_folder(folder.path(), other.path());
                }
                twin
            }
            Keeps::Server { admin, name } => {
                let twin = fresh("wl");
                let mut connection = PgConnection::establish(admin).expect("the server answers");
                let sql = format!("CREATE DATABASE {twin} TEMPLATE {name}");
                // The server takes a moment to see that whoever used it has gone.
                let mut tries = 0;
                while let Err(error) = connection.batch_execute(&sql) {
                    tries += 1;
                    assert!(tries < 6_000, "{error}");
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                let url = format!("{}/{twin}", admin.trim_end_matches("/postgres"));
                Self { url, keeps: Keeps::Server { admin: admin.clone(), name: twin } }
            }
        }
    }
}

impl Broker {
    /// A broker that somebody else brought.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), folder: None }
    }

    /// Another broker of the same kind: an embedded queue that holds what this one holds, or names
    /// of its own on the same RabbitMQ, where nothing is yet. Nobody may be using this one.
    pub(crate) fn twin(&self) -> Self {
        match &self.folder {
            Some(folder) => {
                let twin = embedded();
                if let Some(other) = &twin.folder {
                    copy_folder(folder.path(), other.path());
                }
                twin
            }
            None => rabbitmq().expect("the server of the first is there"),
        }
    }

    pub(crate) fn is_rabbitmq(&self) -> bool {
        self.folder.is_none()
    }
}

/// Copies what is in a folder into another.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

/// A folder that is gone when it is dropped. Its name holds a space, as people's folders do.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new().prefix("wayleave test ").tempdir().expect("a temporary folder")
}

/// A Python with what `tests/requirements.txt` pins, where `WAYLEAVE_TEST_PYTHON` names one.
pub(crate) fn python() -> Option<String> {
    server("WAYLEAVE_TEST_PYTHON", "Python with tests/requirements.txt")
}

/// The server that a variable names; where it names none, that is said.
pub(crate) fn server(variable: &str, name: &str) -> Option<String> {
    match std::env::var(variable) {
        Ok(url) if !url.is_empty() => Some(url),
        _ if std::env::var("WAYLEAVE_REQUIRE_SERVERS").is_ok_and(|value| value == "1") => {
            panic!("WAYLEAVE_REQUIRE_SERVERS=1, but {variable} names no {name}: run tests/all")
        }
        _ => {
            say_once(&format!("SKIP: no {name}, because {variable} is not set; tests/all brings one\n"));
            None
        }
    }
}

/// Says something past the harness, which keeps to itself what a test that passes prints: whoever
/// runs `cargo test` alone is to see what it left out, once.
fn say_once(line: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SAID.lock().expect("no test panics while it says something").insert(line.to_owned()) {
        std::io::stderr().write_all(line.as_bytes()).expect("standard error is there");
    }
}

/// A name used by no other test, of this process or another.
fn fresh(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let random: u64 = getrandom::u64().expect("the machine gives random bytes");
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}{random:016x}{count}")
}

/// A clock that shows what it was last told.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    /// Sets the clock.
    pub(crate) fn set(&self, at: Instant) {
        self.0.store(at.unix_ms(), Ordering::Relaxed);
    }

    /// Moves the clock on.
    pub(crate) fn advance_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::from_unix_ms(self.0.load(Ordering::Relaxed))
    }
}

/// Bytes that differ at every call and are the same in every run.
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        let call = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, of_call) in bytes.iter_mut().rev().zip(call.iter().rev().chain(std::iter::repeat(&0))) {
            *byte = *of_call;
        }
    }
}

/// The edges of a test: a clock at 31 March 2025, 09:00 UTC, that the test moves, and counted
/// randomness.
pub(crate) fn edge() -> (Edge, Arc<TestClock>) {
    let start: Instant = "2025-03-31T09:00:00Z".parse().expect("an instant");
    let clock = Arc::new(TestClock(AtomicI64::new(start.unix_ms())));
    (Edge { clock: clock.clone(), entropy: Arc::new(Counted(AtomicU64::new(0))) }, clock)
}

/// That every server asked for is really there, and new.
#[test]
fn servers_give_fresh_databases() {
    let [first, second] = [postgres(), postgres()];
    if let (Some(first), Some(second)) = (&first, &second) {
        assert_ne!(first.url, second.url);
        PgConnection::establish(&first.url).expect("the new database answers");
    }
    let pairs = grid();
    let others: Vec<Database> = pairs.iter().map(|(database, _)| database.beside()).collect();
    for ((database, _), other) in pairs.iter().zip(&others) {
        assert_ne!(database.url, other.url);
    }
    let (edge, clock) = edge();
    let before = edge.now();
    clock.advance_s(1);
    assert_eq!(edge.now(), before.plus_s(1));
    assert_ne!(edge.bytes::<16>(), edge.bytes::<16>());
}

/// A port of this machine on which nothing listens, for a server that has to be told one and may
/// come back on it. Below those that the system gives to outgoing connections (from 32768 on Linux):
/// one of those could hold it in the meantime. And none of those that `tests/servers` gives.
pub(crate) fn free_port() -> u16 {
    const PORTS: std::ops::Range<u16> = 10_240..20_240;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let start = std::process::id() as usize * 97;
    (0..PORTS.len())
        .filter_map(|_| PORTS.clone().nth((start + NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS.len()))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port is free")
}
