//! Settings of a feed: where its files are, when they are complete, and how they are read.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::{Mllp, SecretFile, Stop, Timing};

/// One feed of a source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Feed {
    /// Name of the mapping, such as `council/cld`.
    pub mapping: String,
    /// Folder that files are taken from.
    pub folder: String,
    /// Which files of the folder: a name with `*` for any characters.
    pub pattern: String,
    /// When a file is complete.
    pub complete: Complete,
    /// Seconds between two looks at a file that is the same in both, for `complete = "stable"`.
    pub stable_s: i64,
    /// Which files are manifests, for `complete = "manifest"`.
    pub manifest: String,
    /// The folder that files are moved into once they are taken; empty leaves them.
    pub archive: String,
    /// The server that files are taken from, in place of a folder.
    pub sftp: Option<Sftp>,
    /// For files of signed events: the file of `whsec_` secrets, one a line.
    pub secrets: SecretFile,
    /// When it is synced.
    pub schedule: Timing,
    /// When a file of it is held.
    pub stop: Stop,
    /// Where its HL7 v2 messages are listened for.
    pub mllp: Mllp,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            mapping: String::new(),
            folder: String::new(),
            pattern: String::new(),
            complete: Complete::AtOnce,
            stable_s: 60,
            manifest: "*manifest*".to_owned(),
            archive: String::new(),
            sftp: None,
            secrets: SecretFile::default(),
            schedule: Timing::default(),
            stop: Stop::default(),
            mllp: Mllp::default(),
        }
    }
}

/// When a file is complete, so that it may be taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Complete {
    /// As soon as it is there: its sender puts it there whole.
    #[default]
    AtOnce,
    /// When two looks find it the same.
    Stable,
    /// When a file of its name ending in `.done` stands beside it.
    Done,
    /// When a manifest names it, with its control totals.
    Manifest,
}

/// A server from which files are taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sftp {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The account.
    pub user: String,
    /// File of the account's private key.
    pub key: SecretFile,
    /// File of the key's passphrase; empty for none, or for the one of the environment.
    pub passphrase: SecretFile,
    /// The passphrase of the environment.
    #[serde(skip)]
    pub passphrase_given: Withheld,
    /// File of the keys of hosts that are known.
    pub known_hosts: String,
    /// The folder on the server.
    pub folder: String,
}

impl Default for Sftp {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 22,
            user: String::new(),
            key: "keys/sftp.key".into(),
            passphrase: SecretFile::default(),
            passphrase_given: Withheld::default(),
            known_hosts: "keys/known_hosts".to_owned(),
            folder: ".".to_owned(),
        }
    }
}

/// A secret of the environment, which is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Withheld(pub Option<String>);

impl fmt::Debug for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "(withheld)" } else { "(none)" })
    }
}

impl Feed {
    /// Lays the environment over what may be secret: `WAYLEAVE_COUNCIL_CLD_PASSPHRASE` for the feed
    /// `council/cld`.
    pub(super) fn overlay(&mut self, source: &str, feed: &str, environment: &dyn Fn(&str) -> Option<String>) {
        if let Some(sftp) = &mut self.sftp {
            sftp.passphrase_given = Withheld(environment(&passphrase_variable(source, feed)));
        }
    }
}

fn passphrase_variable(source: &str, feed: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("WAYLEAVE_{source}_{feed}_PASSPHRASE").chars().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::passphrase_variable;

    #[test]
    fn a_feed_has_a_variable_of_its_own() {
        assert_eq!(
            passphrase_variable("council", "local-report"),
            "WAYLEAVE_COUNCIL_LOCAL_REPORT_PASSPHRASE"
        );
    }
}
