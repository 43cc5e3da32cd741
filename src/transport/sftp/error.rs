//! Why a server cannot be used, and what to do.

use std::io;
use std::path::PathBuf;

/// Why a server cannot be used. Names hosts, accounts and paths of the configuration's, and
/// fingerprints of public keys; never a secret.
#[derive(Debug, thiserror::Error)]
pub enum SftpError {
    /// A setting is missing.
    #[error("`sftp.{setting}` of the feed is not set; `wayleave init --print` explains it")]
    Setting {
        /// Which.
        setting: &'static str,
    },
    /// A file of ours cannot be read.
    #[error("cannot read the {what} {}: {source}", file.display())]
    File {
        /// What it is.
        what: &'static str,
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read a secret.
    #[error("the {what} {} can be read by others; run `chmod 600` on it", file.display())]
    Open {
        /// What it is.
        what: &'static str,
        /// Which.
        file: PathBuf,
    },
    /// The key is RSA.
    #[error(
        "the key {} is an RSA key, which is not used here: the library for it has an open advisory; make another with `ssh-keygen -t ed25519`, and ask the server's people to add its public half to the account", file.display()
    )]
    RsaKey {
        /// Which.
        file: PathBuf,
    },
    /// The key needs a passphrase.
    #[error(
        "the key {} does not open: it has another passphrase than the one that was given; name a file that holds it as `sftp.passphrase`, or set the variable that `wayleave init --print` explains", file.display()
    )]
    Passphrase {
        /// Which.
        file: PathBuf,
    },
    /// The file holds no key.
    #[error("{} holds no private key that is known here; expected one as `ssh-keygen -t ed25519` writes it", file.display())]
    Key {
        /// Which.
        file: PathBuf,
    },
    /// Nobody knows the server.
    #[error(
        "the server {host} is not known: it showed the {algorithm} key {fingerprint}. Ask its people whether that is theirs, by telephone or letter; if it is, add the line that `ssh-keyscan -t {scan} -p {port} {name}` prints to {}", file.display()
    )]
    UnknownHost {
        /// With its port.
        host: String,
        /// Without.
        name: String,
        /// The port.
        port: u16,
        /// Of its key.
        algorithm: String,
        /// As `ssh-keyscan` calls it.
        scan: &'static str,
        /// SHA-256.
        fingerprint: String,
        /// The file of known hosts.
        file: PathBuf,
    },
    /// The server shows another key than it had.
    #[error(
        "the server {host} showed another {algorithm} key than line {line} of {} holds: {fingerprint}. Either it was given a new key, or somebody stands between; nothing was sent. Ask its people; if the key is theirs, replace that line", file.display()
    )]
    ChangedHost {
        /// With its port.
        host: String,
        /// Of its key.
        algorithm: String,
        /// SHA-256.
        fingerprint: String,
        /// The line that holds the one expected, from 1.
        line: usize,
        /// The file of known hosts.
        file: PathBuf,
    },
    /// The server's key was called back.
    #[error("the server {host} showed the key {fingerprint}, which {} calls revoked; nothing was sent, ask its people", file.display())]
    RevokedHost {
        /// With its port.
        host: String,
        /// SHA-256.
        fingerprint: String,
        /// The file of known hosts.
        file: PathBuf,
    },
    /// Only an RSA key is known of the server, or it has no other.
    #[error(
        "the server {host} is known by, or has, an RSA key alone, which is not used here: the library for it has an open advisory; ask its people for its Ed25519 or ECDSA key (`ssh-keyscan -t ed25519,ecdsa`), and add that to {}", file.display()
    )]
    RsaHost {
        /// With its port.
        host: String,
        /// The file of known hosts.
        file: PathBuf,
    },
    /// The account is not let in.
    #[error("the server {host} does not let `{user}` in with the key {}; ask its people to add the public half to that account", key.display())]
    Refused {
        /// With its port.
        host: String,
        /// The account.
        user: String,
        /// The key.
        key: PathBuf,
    },
    /// The server has no SFTP for the account.
    #[error("the server {host} lets `{user}` in but gives no files over SFTP; ask its people")]
    NoFiles {
        /// With its port.
        host: String,
        /// The account.
        user: String,
    },
    /// The server and this program speak no common language.
    #[error(
        "the server {host} and this program agree on no way to speak: {reason}; it is too old, ask its people"
    )]
    Language {
        /// With its port.
        host: String,
        /// Why.
        reason: String,
    },
    /// Nobody answers.
    #[error(
        "the server {host} does not answer: {reason}; check that it runs, and that a firewall lets this machine through"
    )]
    NoAnswer {
        /// With its port.
        host: String,
        /// Why.
        reason: String,
    },
    /// It hung up before the account was shown.
    #[error(
        "the server {host} hung up while keys were agreed on: it is being restarted, or is too old, or has an RSA key alone, which is not used here (the library for it has an open advisory); ask its people for an Ed25519 or ECDSA key, which `ssh-keyscan -t ed25519,ecdsa` prints"
    )]
    HungUp {
        /// With its port.
        host: String,
    },
    /// The connection broke.
    #[error(
        "the connection to {host} broke: {reason}; what it brought was let go of, and the next sync takes it whole"
    )]
    Broken {
        /// With its port.
        host: String,
        /// Why.
        reason: String,
    },
    /// There is no such folder.
    #[error("the server {host} has no folder `{folder}` for this account; check `sftp.folder`")]
    NoFolder {
        /// With its port.
        host: String,
        /// Which.
        folder: String,
    },
    /// The account may not read it.
    #[error("the server {host} does not let this account read {}; ask its people", path.display())]
    Forbidden {
        /// With its port.
        host: String,
        /// Which.
        path: PathBuf,
    },
    /// The file is gone.
    #[error("{} is not on the server {host} any more", path.display())]
    Gone {
        /// With its port.
        host: String,
        /// Which.
        path: PathBuf,
    },
    /// The server failed.
    #[error("the server {host} could not do it with {}: {reason}", path.display())]
    Failed {
        /// With its port.
        host: String,
        /// With which file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl SftpError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::NoAnswer { .. } | Self::HungUp { .. } | Self::Broken { .. } | Self::Failed { .. } => true,
            Self::Setting { .. }
            | Self::File { .. }
            | Self::Open { .. }
            | Self::RsaKey { .. }
            | Self::Passphrase { .. }
            | Self::Key { .. }
            | Self::UnknownHost { .. }
            | Self::ChangedHost { .. }
            | Self::RevokedHost { .. }
            | Self::RsaHost { .. }
            | Self::Refused { .. }
            | Self::NoFiles { .. }
            | Self::Language { .. }
            | Self::NoFolder { .. }
            | Self::Forbidden { .. }
            | Self::Gone { .. } => false,
        }
    }

    /// True where no other file of the server could be read either.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        matches!(self, Self::NoAnswer { .. } | Self::HungUp { .. } | Self::Broken { .. })
    }

    /// True where the file was there and is not any more.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Gone { .. })
    }
}
