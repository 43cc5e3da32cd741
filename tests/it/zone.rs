//! Both zones as a site has them: a configuration, a folder of files, databases and a broker,
//! driven through the command line.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use wayleave::queue::{Queue, QueueName, Settings};

use crate::rabbit;
use crate::support::{self, Broker, Database};

/// The study.
pub(crate) const STUDY: &str = "promoting-independence";

/// Seconds of a lease here: long enough for a batch on a busy machine, and short enough that what
/// a killed collector held is free again soon.
const LEASE_S: i64 = 2;

/// A gateway and an evaluation side with the files of invented people, none of them read yet.
pub(crate) struct Zone {
    folder: TempDir,
    pub(crate) operational: Database,
    pub(crate) evaluation: Database,
    pub(crate) broker: Broker,
}

/// Which servers a zone stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Servers {
    pub(crate) is_postgres: bool,
    pub(crate) is_rabbitmq: bool,
}

impl Servers {
    /// Every pair.
    pub(crate) const ALL: [Self; 4] = [
        Self { is_postgres: false, is_rabbitmq: false },
        Self { is_postgres: false, is_rabbitmq: true },
        Self { is_postgres: true, is_rabbitmq: false },
        Self { is_postgres: true, is_rabbitmq: true },
    ];
}

impl Zone {
    /// A fresh zone of so many invented people; `None`, said aloud, where a server is missing.
    pub(crate) fn new(servers: Servers, people: u32) -> Option<Self> {
        let operational = if servers.is_postgres { support::postgres()? } else { support::sqlite() };
        let broker = if servers.is_rabbitmq { support::rabbitmq()? } else { support::embedded() };
        let evaluation = operational.beside();
        let zone = Self { folder: support::folder(), operational, evaluation, broker };
        let folder = zone.folder();
        let folder = folder.to_str().unwrap();
        zone.must(&["synth", "--seed", "7", "--people", &people.to_string(), "--dir", folder]);
        let config = zone.folder().join("wayleave.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(config, format!("{text}\n[limits]\nlease_s = {LEASE_S}\n")).unwrap();
        Some(zone)
    }

    /// Another zone that stands as this one does: files, keys and databases. So does its queue
    /// where it is embedded; RabbitMQ's is empty. Nobody may be at work in this one.
    pub(crate) fn twin(&self) -> Self {
        self.twin_at(self.broker.twin())
    }

    /// The same, at another broker.
    pub(crate) fn twin_at(&self, broker: Broker) -> Self {
        let folder = support::folder();
        support::copy_folder(self.folder.path(), folder.path());
        Self { folder, operational: self.operational.twin(), evaluation: self.evaluation.twin(), broker }
    }

    /// Takes over the keys of another zone.
    pub(crate) fn take_keys_of(&self, other: &Self) {
        support::copy_folder(&other.folder().join("keys"), &self.folder().join("keys"));
    }

    /// Makes the queues of the study.
    pub(crate) fn declare(&self) {
        let settings = Settings { url: self.broker.url.clone(), authority: None, lease_s: LEASE_S };
        let queue = Queue::open(&settings, &support::edge().0).unwrap();
        queue.declare(&QueueName::study(STUDY)).unwrap();
        queue.declare(&QueueName::back(STUDY)).unwrap();
    }

    /// Removes what would stay behind on a server.
    pub(crate) fn remove(self) {
        if self.broker.is_rabbitmq() {
            rabbit::remove(&self.broker, STUDY);
        }
    }

    /// The folder of files, with `wayleave.toml` in it.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// A command line of this zone.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.command_of(PathBuf::from(env!("CARGO_BIN_EXE_wayleave")), words)
    }

    /// A command line of this zone, for another binary.
    pub(crate) fn command_of(&self, binary: PathBuf, words: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command
            .args(words)
            .arg("--config")
            .arg(self.folder.path().join("wayleave.toml"))
            .env("WAYLEAVE_GATEWAY_DATABASE", &self.operational.url)
            .env("WAYLEAVE_GATEWAY_QUEUE", &self.broker.url)
            .env("WAYLEAVE_EVALUATION_DATABASE", &self.evaluation.url)
            .env("WAYLEAVE_EVALUATION_QUEUE", &self.broker.url)
            .env("WAYLEAVE_LOG", "trace")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command line to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs a command line that must not fail to run: findings are no failure.
    pub(crate) fn must(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{words:?}: {:?}\n{told}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a command line, its output thrown away.
    pub(crate) fn start(&self, words: &[&str]) -> Child {
        self.command(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}
