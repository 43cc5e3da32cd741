//! Settings: one embedded, commented file is both the defaults and the reference.
//!
//! [`Config::read`] takes the site's file and lays the environment over it. An unknown key is an
//! error with its place, because a misspelt setting that is passed over is worse than none.

mod web;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::base::limit::{LEASE_S, LEASE_S_MAX, LEASE_S_MIN};
pub use web::{SourceWeb, Web};

/// The embedded file: every setting with its default and what it does.
pub const DEFAULT_TOML: &str = include_str!("config/default.toml");

/// The file looked for where none is named.
pub const FILE_NAME: &str = "wayleave.toml";

/// Everything that can be set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
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
    /// The sources, by name.
    pub source: BTreeMap<String, Source>,
    /// The studies, by name.
    pub study: BTreeMap<String, Study>,
    /// The folder that relative paths are taken from.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// Settings of the operational zone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gateway {
    /// The name that messages carry as their source.
    pub name: String,
    /// URL of the operational database.
    pub database: String,
    /// URL of the door.
    pub queue: String,
    /// File of the key that wraps data keys.
    pub master_key: String,
    /// File of the key of look-up hashes.
    pub index_key: String,
    /// File of the release role's own key, which seals study keys.
    pub release_key: String,
    /// File of the key that signs the log at each release.
    pub signing_key: String,
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
            master_key: "keys/master.key".to_owned(),
            index_key: "keys/index.key".to_owned(),
            release_key: "keys/release.key".to_owned(),
            signing_key: "keys/signing.key".to_owned(),
            mappings: String::new(),
            queue_authority: String::new(),
            live: false,
        }
    }
}

/// Settings of the evaluation zone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evaluation {
    /// URL of the evaluation database.
    pub database: String,
    /// URL of the door, as seen from this side.
    pub queue: String,
    /// File of the key that signs acknowledgements.
    pub key: String,
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
            key: "keys/evaluation.key".to_owned(),
            extracts: "extracts".to_owned(),
            queue_authority: String::new(),
        }
    }
}

/// Bounds that a site may move.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// Whose rows are taken.
    pub scope: Scope,
    /// Its feeds, by name.
    pub feed: BTreeMap<String, Feed>,
    /// What it may send over HTTP.
    pub web: SourceWeb,
}

/// Whose rows of a source are taken (design, promise 6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// People known to a programme.
    #[default]
    Known,
    /// Whoever this source names is known to the programme.
    Defines,
    /// Everybody.
    Everyone,
}

/// One feed of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Feed {
    /// Name of the mapping, such as `council/cld`.
    pub mapping: String,
    /// Folder that files are taken from.
    pub folder: String,
    /// Which files of the folder: a name with `*` for any characters.
    pub pattern: String,
    /// For files of signed events: the file of `whsec_` secrets, one a line.
    pub secrets: String,
}

/// One study.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Study {
    /// The protocol: a file, or the name of a shipped one.
    pub protocol: String,
    /// File of the study key.
    pub key: String,
    /// File of the evaluation side's public key, which checks its answers; `keys/evaluation.pub`
    /// where empty.
    pub evaluation_key: String,
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
}

impl ConfigError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Unreadable { .. } | Self::Wrong { .. } => false,
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
        let mut config: Self = toml::from_str(&text).map_err(|error| wrong(file, &text, &error))?;
        config.folder = file.parent().map(Path::to_owned).unwrap_or_default();
        config.overlay(environment);
        Ok(config)
    }

    /// Lays the environment over the settings that may hold a secret.
    pub fn overlay(&mut self, environment: &dyn Fn(&str) -> Option<String>) {
        let overlaid: [(&str, &mut String); 4] = [
            ("WAYLEAVE_GATEWAY_DATABASE", &mut self.gateway.database),
            ("WAYLEAVE_GATEWAY_QUEUE", &mut self.gateway.queue),
            ("WAYLEAVE_EVALUATION_DATABASE", &mut self.evaluation.database),
            ("WAYLEAVE_EVALUATION_QUEUE", &mut self.evaluation.queue),
        ];
        for (name, setting) in overlaid {
            if let Some(value) = environment(name) {
                *setting = value;
            }
        }
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
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    ConfigError::Wrong {
        file: file.to_owned(),
        line,
        column,
        text: text.lines().nth(line - 1).unwrap_or_default().to_owned(),
        caret: format!("{}^", " ".repeat(column - 1)),
        message: error.message().to_owned(),
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
