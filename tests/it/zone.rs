//! Both zones as a site has them: a configuration, a folder of files, databases and a broker,
//! driven through the command line.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::{self, Broker, Database};

/// The study.
pub(crate) const STUDY: &str = "promoting-independence";

/// A gateway and an evaluation side with the files of sixty invented people, none of them read
/// yet.
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
    /// A fresh zone; `None`, said aloud, where a server is missing.
    pub(crate) fn new(servers: Servers) -> Option<Self> {
        let operational = if servers.is_postgres { support::postgres()? } else { support::sqlite() };
        let broker = if servers.is_rabbitmq { support::rabbitmq()? } else { support::embedded() };
        let evaluation = operational.beside();
        let zone = Self { folder: support::folder(), operational, evaluation, broker };
        let folder = zone.folder();
        let folder = folder.to_str().unwrap();
        zone.must(&["init", folder]);
        zone.must(&["synth", "--seed", "7", "--people", "60", "--dir", folder]);
        Some(zone)
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
