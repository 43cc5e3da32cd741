//! Entering a server: its key is held against those that are known before ours is shown.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{self, Handle, Handler};
use russh::keys::{Algorithm, HashAlg, PublicKeyBase64 as _, PublicKeyOrCertificate};
use russh::{Preferred, SshId};
use russh_sftp::client::RawSftpSession;

use crate::base::limit::{SFTP_ANSWER_WAIT_S, SFTP_CONNECT_WAIT_S, SFTP_KEEPALIVE_S};
use crate::transport::sftp::known_hosts::{OfHost, Standing};
use crate::transport::sftp::{Settings, SftpError, key};

/// A connection, and the files behind it.
pub(super) struct Live {
    handle: Handle<Host>,
    pub(super) files: RawSftpSession,
}

/// Looks at the server's key.
struct Host {
    settings: Settings,
    known: OfHost,
    /// Why it was refused.
    refused: Arc<Mutex<Option<SftpError>>>,
}

impl Handler for Host {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        // Certificates were not asked for, so that one is as good as nothing.
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else { return Ok(false) };
        let algorithm = key.algorithm().as_str().to_owned();
        let host = self.settings.at();
        let file = self.settings.known_hosts.clone();
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let refused = match self.known.standing(&algorithm, &key.public_key_bytes()) {
            Standing::Known => return Ok(true),
            Standing::Revoked => SftpError::RevokedHost { host, fingerprint, file },
            Standing::Changed(line) => SftpError::ChangedHost { host, algorithm, fingerprint, line, file },
            Standing::Unknown => SftpError::UnknownHost {
                host,
                name: self.settings.host.clone(),
                port: self.settings.port,
                scan: if algorithm.starts_with("ecdsa") { "ecdsa" } else { "ed25519" },
                algorithm,
                fingerprint,
                file,
            },
        };
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
        Ok(false)
    }
}

impl Live {
    pub(super) fn is_open(&self) -> bool {
        !self.handle.is_closed()
    }

    /// Enters the server.
    pub(super) async fn open(settings: &Settings) -> Result<Self, SftpError> {
        let patience = Duration::from_secs(SFTP_CONNECT_WAIT_S);
        let entered = tokio::time::timeout(patience, Self::enter(settings)).await;
        entered.unwrap_or_else(|_elapsed| {
            Err(SftpError::NoAnswer { host: settings.at(), reason: "it took too long".to_owned() })
        })
    }

    async fn enter(settings: &Settings) -> Result<Self, SftpError> {
        let host = settings.at();
        let secret = key::read(&settings.key, &settings.passphrase)?;
        let text = key::text("file of known hosts", &settings.known_hosts, false)?;
        let known = OfHost::read(&text, &settings.host, settings.port);
        let preferred = preferred(&known)
            .ok_or_else(|| SftpError::RsaHost { host: host.clone(), file: settings.known_hosts.clone() })?;
        let config = client::Config {
            client_id: SshId::Standard(Cow::Borrowed("SSH-2.0-wayleave")),
            keepalive_interval: Some(Duration::from_secs(SFTP_KEEPALIVE_S)),
            nodelay: true,
            preferred,
            ..client::Config::default()
        };
        let refused = Arc::new(Mutex::new(None));
        let handler = Host { settings: settings.clone(), known, refused: refused.clone() };
        let address = (settings.host.as_str(), settings.port);
        let mut handle = match client::connect(Arc::new(config), address, handler).await {
            Ok(handle) => handle,
            Err(error) => {
                let refused = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
                return Err(refused.unwrap_or_else(|| no_entry(settings, &error)));
            }
        };
        let entered = handle.authenticate_publickey(settings.user.clone(), secret).await;
        if !entered.map_err(|error| no_entry(settings, &error))?.success() {
            let (user, key) = (settings.user.clone(), settings.key.clone());
            return Err(SftpError::Refused { host, user, key });
        }
        let files = Self::files(&handle).await.map_err(|error| match error {
            NoFiles::Ssh(russh::Error::Disconnect | russh::Error::SendError | russh::Error::IO(_)) => {
                SftpError::Broken { host: host.clone(), reason: "it was cut".to_owned() }
            }
            _ => SftpError::NoFiles { host: host.clone(), user: settings.user.clone() },
        })?;
        Ok(Self { handle, files })
    }

    async fn files(handle: &Handle<Host>) -> Result<RawSftpSession, NoFiles> {
        let channel = handle.channel_open_session().await.map_err(NoFiles::Ssh)?;
        channel.request_subsystem(true, "sftp").await.map_err(NoFiles::Ssh)?;
        let files = RawSftpSession::new(channel.into_stream());
        files.set_timeout(SFTP_ANSWER_WAIT_S);
        files.init().await.map_err(|_fault| NoFiles::Sftp)?;
        Ok(files)
    }
}

enum NoFiles {
    Ssh(russh::Error),
    Sftp,
}

/// The kinds of key that are asked for: those that are known of the host, so that it shows one that
/// can be compared. None where it is known by nothing but RSA.
fn preferred(known: &OfHost) -> Option<Preferred> {
    let usual = Preferred::DEFAULT;
    let names: Vec<&str> = known.algorithms().collect();
    let asked: Vec<_> = usual
        .key
        .iter()
        .filter(|algorithm| !matches!(algorithm, Algorithm::Rsa { .. }))
        .filter(|algorithm| names.is_empty() || names.contains(&algorithm.as_str()))
        .cloned()
        .collect();
    if asked.is_empty() { None } else { Some(Preferred { key: Cow::Owned(asked), ..usual }) }
}

fn no_entry(settings: &Settings, error: &russh::Error) -> SftpError {
    let host = settings.at();
    match error {
        russh::Error::NoCommonAlgo { kind: russh::AlgorithmKind::Key, theirs, .. }
            if theirs.iter().all(|name| name.contains("rsa")) =>
        {
            SftpError::RsaHost { host, file: settings.known_hosts.clone() }
        }
        russh::Error::NoCommonAlgo { kind, .. } => {
            SftpError::Language { host, reason: format!("{kind:?}").to_lowercase() }
        }
        russh::Error::IO(error) => SftpError::NoAnswer { host, reason: error.to_string() },
        russh::Error::ConnectionTimeout => {
            SftpError::NoAnswer { host, reason: "it took too long".to_owned() }
        }
        _ => SftpError::HungUp { host },
    }
}
