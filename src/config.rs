//! Settings: one embedded, commented file is both the defaults and the reference.
//!
//! [`Config::read`] takes the site's file and lays the environment over it. An unknown key is an
//! error with its place, because a misspelt setting that is passed over is worse than none.

mod alert;
mod escape;
mod exchange;
mod fetch;
mod mllp;
mod outbound;
mod post;
mod schedule;
mod secret;
mod secret_file;
mod web;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::limit::{LEASE_S, LEASE_S_MAX, LEASE_S_MIN, RESEND_HOURS};
pub use alert::{Alert, RelayTls};
pub use exchange::{Agreement, Flow, FlowWhen, Partner, Request, RequestForm, Tell, Words};
pub use fetch::{Complete, Feed, Sftp};
pub use mllp::Mllp;
pub use outbound::Outbound;
pub use post::{Mesh, Receiver};
pub use schedule::{Missed, NotAShare, Schedule, Share, Stop, Timing};
pub use secret_file::SecretFile;
pub use web::{SourceWeb, Web};

/// The embedded file: every setting with its default and what it does.
pub const DEFAULT_TOML: &str = include_str!("config/default.toml");

/// The file looked for where none is named.
pub const FILE_NAME: &str = "wayleave.toml";

/// Everything that can be set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The operational zone.
    pub gateway: Gateway,
    /// The evaluation zone.
    pub evaluation: Evaluation,
    /// Bounds that a site may move.
    pub limits: Limits,
    /// The web.
    pub web: Web,
    /// How others are reached.
    pub outbound: Outbound,
    /// What runs by itself.
    pub schedule: Schedule,
    /// A mailbox of the message exchange MESH.
    pub mesh: Mesh,
    /// Who takes HL7 v2 messages over MLLP, by name.
    pub mllp: BTreeMap<String, Receiver>,
    /// Who is told of trouble.
    pub alert: Alert,
    /// The sources, by name.
    pub source: BTreeMap<String, Source>,
    /// The studies, by name.
    pub study: BTreeMap<String, Study>,
    /// The partners to whom records may go, by name.
    pub partner: BTreeMap<String, Partner>,
    /// The agreements under which they may, by name.
    pub agreement: BTreeMap<String, Agreement>,
    /// When partners are told, by name.
    pub flow: BTreeMap<String, Flow>,
    /// Whom partners are asked about, by name.
    pub request: BTreeMap<String, Request>,
    /// The folder that relative paths are taken from.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The files that the environment named for settings that hold secrets.
    #[serde(skip)]
    pub named_files: Vec<PathBuf>,
}

/// Settings of the operational zone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gateway {
    /// The name that messages carry as their source.
    pub name: String,
    /// URL of the operational database.
    #[serde(skip_serializing)]
    pub database: String,
    /// URL of the door.
    #[serde(skip_serializing)]
    pub queue: String,
    /// File of the key that wraps data keys.
    pub master_key: SecretFile,
    /// File of the key of look-up hashes.
    pub index_key: SecretFile,
    /// File of the release role's own key, which seals study keys.
    pub release_key: SecretFile,
    /// File of the key that signs the log at each release.
    pub signing_key: SecretFile,
    /// Folder of mappings that stand before the shipped ones; empty for none.
    pub mappings: String,
    /// PEM file of the broker's certificate authority; empty for the public ones.
    pub queue_authority: String,
    /// In service with real people's data: test messages and test NHS numbers are refused.
    pub live: bool,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            name: "gateway".to_owned(),
            database: "sqlite:operational.db".to_owned(),
            queue: "sqlite:queue.db".to_owned(),
            master_key: "keys/master.key".into(),
            index_key: "keys/index.key".into(),
            release_key: "keys/release.key".into(),
            signing_key: "keys/signing.key".into(),
            mappings: String::new(),
            queue_authority: String::new(),
            live: false,
        }
    }
}

/// Settings of the evaluation zone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evaluation {
    /// URL of the evaluation database.
    #[serde(skip_serializing)]
    pub database: String,
    /// URL of the door, as seen from this side.
    #[serde(skip_serializing)]
    pub queue: String,
    /// File of the key that signs acknowledgements.
    pub key: SecretFile,
    /// Folder in which extracts are built.
    pub extracts: String,
    /// PEM file of the broker's certificate authority; empty for the public ones.
    pub queue_authority: String,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self {
            database: "sqlite:evaluation.db".to_owned(),
            queue: "sqlite:queue.db".to_owned(),
            key: "keys/evaluation.key".into(),
            extracts: "extracts".to_owned(),
            queue_authority: String::new(),
        }
    }
}

/// Bounds that a site may move.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one file as it arrives.
    pub file_bytes_max: u64,
    /// Bytes that one compressed file may unpack to.
    pub unpacked_bytes_max: u64,
    /// Seconds that a claimed message or intent stays with its claimer: from
    /// [`LEASE_S_MIN`] to [`LEASE_S_MAX`].
    #[serde(deserialize_with = "lease_s")]
    pub lease_s: i64,
}

impl Default for Limits {
    fn default() -> Self {
        let four_gib = crate::base::limit::UNPACKED_BYTES_MAX;
        Self { file_bytes_max: four_gib, unpacked_bytes_max: four_gib, lease_s: LEASE_S }
    }
}

fn lease_s<'d, D: serde::Deserializer<'d>>(from: D) -> Result<i64, D::Error> {
    let seconds = i64::deserialize(from)?;
    if (LEASE_S_MIN..=LEASE_S_MAX).contains(&seconds) {
        return Ok(seconds);
    }
    Err(serde::de::Error::custom(format_args!("expected {LEASE_S_MIN} to {LEASE_S_MAX} seconds")))
}

/// One source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// Whose rows are taken.
    pub scope: Scope,
    /// Its feeds, by name.
    pub feed: BTreeMap<String, Feed>,
    /// What it may send over HTTP.
    pub web: SourceWeb,
    /// When it is synced.
    pub schedule: Timing,
}

/// Whose rows of a source are taken (design, promise 6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// People known to a programme.
    #[default]
    Known,
    /// Whoever this source names is known to the programme.
    Defines,
    /// Everybody.
    Everyone,
    /// Only people that this source was asked about by a cohort request.
    Requested,
}

/// One study.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Study {
    /// The protocol: a file, or the name of a shipped one.
    pub protocol: String,
    /// File of the study key; `keys/STUDY.key` where empty.
    pub key: SecretFile,
    /// File of the evaluation side's public key, which checks its answers; `keys/evaluation.pub`
    /// where empty.
    pub evaluation_key: String,
    /// Hours after which what was not acknowledged is sent again; 0 for never by itself.
    pub resend_hours: i64,
}

impl Default for Study {
    fn default() -> Self {
        Self {
            protocol: String::new(),
            key: SecretFile::default(),
            evaluation_key: String::new(),
            resend_hours: RESEND_HOURS,
        }
    }
}

/// Why a configuration cannot be used. Says where.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {file}: {source}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not right.
    #[error("{message}\n  at {}:{line}:{column}\n   | {text}\n   | {caret}", file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The line itself.
        text: String,
        /// A caret under the column.
        caret: String,
        /// What is wrong, and what was expected.
        message: String,
    },
    /// The file holds a secret.
    #[error("`{setting}` holds {what}, which must not stand in the configuration: {remedy}\n  at {}:{line}", file.display())]
    Secret {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The setting.
        setting: String,
        /// What it holds.
        what: &'static str,
        /// What to do.
        remedy: String,
    },
}

impl ConfigError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Unreadable { .. } | Self::Wrong { .. } | Self::Secret { .. } => false,
        }
    }
}

impl Config {
    /// The settings in a file, with the environment laid over them.
    ///
    /// # Errors
    /// Where the file cannot be read, or holds an unknown key or a wrong value.
    pub fn read(file: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
        secret::check(file, &text)?;
        escape::check(file, &text)?;
        let mut config: Self = toml::from_str(&text).map_err(|error| wrong(file, &text, &error))?;
        config.folder = file.parent().map(Path::to_owned).unwrap_or_default();
        config.overlay(environment)?;
        Ok(config)
    }

    /// Lays the environment over the settings that may hold a secret: a variable, or a file that one
    /// ending in `_FILE` names.
    ///
    /// # Errors
    /// Where such a file cannot be read.
    fn overlay(&mut self, environment: &dyn Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        for (source, of_source) in &mut self.source {
            for (feed, of_feed) in &mut of_source.feed {
                of_feed.overlay(source, feed, environment);
            }
        }
        let settings = [
            &mut self.gateway.database,
            &mut self.gateway.queue,
            &mut self.evaluation.database,
            &mut self.evaluation.queue,
            &mut self.outbound.proxy,
        ];
        for ((_, variable), setting) in secret::VARIABLES.iter().zip(settings) {
            if let Some(value) = environment(variable) {
                *setting = value;
            } else if let Some(file) = environment(&format!("{variable}_FILE")) {
                let file = PathBuf::from(file);
                let text = std::fs::read_to_string(&file)
                    .map_err(|source| ConfigError::Unreadable { file: file.clone(), source })?;
                text.trim_end().clone_into(setting);
                self.named_files.push(file);
            }
        }
        Ok(())
    }

    /// A path of the configuration, taken from the folder its file stands in.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// A database or queue URL, with a SQLite file taken from the folder the configuration
    /// stands in.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        match url.strip_prefix("sqlite:") {
            Some(file) => format!("sqlite:{}", self.path(file).display()),
            None => url.to_owned(),
        }
    }
}

fn wrong(file: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    at(file, text, start, escape::explained(error.message(), before))
}

/// A fault at a place of the file, in bytes from its beginning.
fn at(file: &Path, text: &str, start: usize, message: String) -> ConfigError {
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    let shown = match text.lines().nth(line - 1).unwrap_or_default() {
        secret if secret::is_in(secret) => "(withheld: the line holds a secret)".to_owned(),
        line => line.to_owned(),
    };
    ConfigError::Wrong {
        file: file.to_owned(),
        line,
        column,
        text: shown,
        caret: format!("{}^", " ".repeat(column - 1)),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, DEFAULT_TOML};

    #[test]
    fn the_embedded_file_is_the_defaults() {
        let config: Config = toml::from_str(DEFAULT_TOML).unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn a_lease_has_its_bounds() {
        let of = |text: &str| toml::from_str::<Config>(text);
        assert_eq!(of("[limits]\nlease_s = 600").unwrap().limits.lease_s, 600);
        for seconds in ["0", "601", "-1"] {
            let error = of(&format!("[limits]\nlease_s = {seconds}")).unwrap_err().to_string();
            assert!(error.contains("expected 1 to 600 seconds"), "{error}");
        }
    }

    #[test]
    fn every_line_of_an_example_is_a_setting() {
        let example: String = DEFAULT_TOML
            .lines()
            .filter(|line| *line != "[source]" && *line != "[study]")
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.starts_with('[') || rest.contains(" = \"") => format!("{rest}\n"),
                Some(_) => "\n".to_owned(),
                None => format!("{line}\n"),
            })
            .collect();
        let config: Config = toml::from_str(&example).unwrap();
        assert_eq!(config.source["housing"].feed["tracker"].mapping, "housing/tracker");
        assert!(config.study.contains_key("promoting-independence"));
    }
}
