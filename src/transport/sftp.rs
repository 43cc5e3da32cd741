//! A folder on a server, over SFTP.
//!
//! The server's key must be known, the account shows its own key, and a read-only account
//! suffices. Inside it is asynchronous, with a runtime of its own for each session; outside it
//! blocks. A server that breaks off is reached anew a bounded number of times, and what was being
//! read is read again from its beginning.

mod connect;
mod error;
mod key;
mod known_hosts;
mod read;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use russh_sftp::client::error::Error as Fault;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use tokio::runtime::Runtime;

use crate::base::limit::{FEED_FILES_MAX, PLACE_ENTRIES_MAX, SFTP_PAUSE_MS, SFTP_TRIES_MAX};
use crate::transport::place::{Entry, FetchError, Moved, archive_names};
use connect::Live;
pub use error::SftpError;
pub use key::Passphrase;
use read::Reading;

/// Which server, and how it is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The account.
    pub user: String,
    /// File of the account's private key.
    pub key: PathBuf,
    /// The key's passphrase.
    pub passphrase: Passphrase,
    /// File of the keys of known hosts.
    pub known_hosts: PathBuf,
    /// The folder on the server.
    pub folder: String,
}

impl Settings {
    /// The server as people name it.
    fn at(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// A server that was entered.
pub struct Session {
    settings: Settings,
    runtime: Runtime,
    live: Option<Live>,
}

impl Session {
    /// Enters a server.
    ///
    /// # Errors
    /// Where a file of ours is wrong, the server is not the one that is known, does not let the
    /// account in, or does not answer.
    pub fn open(settings: &Settings) -> Result<Self, SftpError> {
        for (setting, value) in [("host", &settings.host), ("user", &settings.user)] {
            if value.is_empty() {
                return Err(SftpError::Setting { setting });
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .map_err(|error| SftpError::NoAnswer { host: settings.at(), reason: error.to_string() })?;
        let mut session = Self { settings: settings.clone(), runtime, live: None };
        session.again(|_runtime, _live| Ok(()))?;
        Ok(session)
    }

    /// Does something over the connection, which is made anew where it broke.
    fn again<T>(
        &mut self,
        mut work: impl FnMut(&Runtime, &Live) -> Result<T, SftpError>,
    ) -> Result<T, SftpError> {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(SFTP_PAUSE_MS))
            .with_max_times(SFTP_TRIES_MAX)
            .build();
        loop {
            let live = match self.live.take().filter(Live::is_open) {
                Some(live) => Ok(live),
                None => self.runtime.block_on(Live::open(&self.settings)),
            };
            let result = live.and_then(|live| {
                let result = work(&self.runtime, &live);
                if !result.as_ref().is_err_and(SftpError::is_unreachable) {
                    self.live = Some(live);
                }
                result
            });
            match result {
                Err(error) if error.is_unreachable() => match pauses.next() {
                    Some(pause) => {
                        tracing::debug!(sftp.host = %self.settings.host, "the server broke off, trying again");
                        std::thread::sleep(pause);
                    }
                    None => return Err(error),
                },
                result => return result,
            }
        }
    }

    pub(super) fn list(&mut self, is_wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Entry>, FetchError> {
        let settings = self.settings.clone();
        let listed = self.again(|runtime, live| {
            runtime.block_on(list(live, &settings, is_wanted)).map_err(|fault| match fault {
                Listed::Fault(fault) => about_folder(&settings, &settings.folder, &fault),
                Listed::TooMany => SftpError::Failed {
                    host: settings.at(),
                    path: PathBuf::from(&settings.folder),
                    reason: TOO_MANY.to_owned(),
                },
            })
        });
        match listed {
            Err(SftpError::Failed { path, reason, .. }) if reason == TOO_MANY => {
                Err(FetchError::TooMany { path })
            }
            listed => Ok(listed?),
        }
    }

    pub(super) fn read<T, E: From<FetchError>>(
        &mut self,
        entry: &Entry,
        mut work: impl FnMut(&mut dyn Read) -> Result<T, E>,
    ) -> Result<T, E> {
        let settings = self.settings.clone();
        let path = remote(&entry.path);
        // What `work` made of it goes past the tries, which are about the connection alone.
        let worked = self.again(|runtime, live| {
            let opened = runtime.block_on(live.files.open(&path, OpenFlags::READ, FileAttributes::empty()));
            let handle = opened.map_err(|fault| about_file(&settings, &entry.path, &fault))?.handle;
            let mut reading = Reading::new(runtime, &live.files, &handle);
            let worked = work(&mut reading);
            let fault = reading.fault.take();
            // A handle that is not given back is closed with the connection.
            let _closed = runtime.block_on(live.files.close(&handle));
            match fault {
                Some(fault) => Err(about_file(&settings, &entry.path, &fault)),
                None => Ok(worked),
            }
        });
        worked.map_err(|error| E::from(error.into()))?
    }

    pub(super) fn look(&mut self, entry: &Entry) -> Result<Option<Entry>, FetchError> {
        let settings = self.settings.clone();
        let path = remote(&entry.path);
        let looked = self.again(|runtime, live| match runtime.block_on(live.files.lstat(&path)) {
            Ok(found) => Ok(Some(self::entry(entry.path.clone(), entry.name.clone(), &found.attrs))),
            Err(Fault::Status(status)) if status.status_code == StatusCode::NoSuchFile => Ok(None),
            Err(fault) => Err(about_file(&settings, &entry.path, &fault)),
        });
        Ok(looked?)
    }

    pub(super) fn archive(&mut self, entry: &Entry, folder: &str) -> Result<Moved, FetchError> {
        let settings = self.settings.clone();
        let moved = self.again(|runtime, live| {
            runtime
                .block_on(shift(live, &remote(&entry.path), &entry.name, folder))
                .map_err(|fault| about_file(&settings, &entry.path, &fault))
        });
        Ok(moved?)
    }
}

/// The reason by which a folder with too many files is known again.
const TOO_MANY: &str = "it holds too many files";

enum Listed {
    Fault(Fault),
    TooMany,
}

impl From<Fault> for Listed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

async fn list(
    live: &Live,
    settings: &Settings,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Entry>, Listed> {
    let handle = live.files.opendir(&settings.folder).await?.handle;
    let (mut entries, mut seen) = (Vec::new(), 0);
    loop {
        let files = match live.files.readdir(&handle).await {
            Ok(name) => name.files,
            Err(Fault::Status(status)) if status.status_code == StatusCode::Eof => break,
            Err(fault) => return Err(fault.into()),
        };
        // A server that sends nothing for ever sends no end either.
        seen += files.len().max(1);
        for file in files {
            // The server's word for a name is no leave to leave the folder.
            let is_name = !file.filename.contains(['/', '\0']);
            if is_name && is_wanted(&file.filename) && is_plain(&file.attrs) {
                let path = Path::new(&settings.folder).join(&file.filename);
                entries.push(entry(path, file.filename, &file.attrs));
            }
        }
        if seen > PLACE_ENTRIES_MAX || entries.len() > FEED_FILES_MAX {
            return Err(Listed::TooMany);
        }
    }
    live.files.close(&handle).await?;
    Ok(entries)
}

/// Moves a file within the server, under the first name that is free.
async fn shift(live: &Live, from: &str, name: &str, folder: &str) -> Result<Moved, Fault> {
    let is = |fault: &Fault, code| matches!(fault, Fault::Status(status) if status.status_code == code);
    let mut is_made = false;
    for name in archive_names(name) {
        let to = format!("{}/{name}", folder.trim_end_matches('/'));
        loop {
            // The protocol's renaming puts nothing in the place of a file that is there, but not
            // every server keeps to it.
            match live.files.lstat(&to).await {
                Ok(_taken) => break,
                Err(fault) if is(&fault, StatusCode::NoSuchFile) => {}
                Err(fault) if is(&fault, StatusCode::PermissionDenied) => return Ok(Moved::Forbidden),
                Err(fault) => return Err(fault),
            }
            match live.files.rename(from, &to).await {
                Ok(_renamed) => return Ok(Moved::Away),
                Err(fault) if is(&fault, StatusCode::PermissionDenied) => return Ok(Moved::Forbidden),
                Err(fault) if is(&fault, StatusCode::NoSuchFile) && !is_made => {
                    is_made = true;
                    if live.files.lstat(from).await.is_err_and(|fault| is(&fault, StatusCode::NoSuchFile)) {
                        return Ok(Moved::Gone);
                    }
                    match live.files.mkdir(folder, FileAttributes::empty()).await {
                        Err(fault) if is(&fault, StatusCode::PermissionDenied) => {
                            return Ok(Moved::Forbidden);
                        }
                        // Another may have made it: the renaming shows.
                        _ => {}
                    }
                }
                // Somebody took the name in between.
                Err(fault) if is(&fault, StatusCode::Failure) && live.files.lstat(&to).await.is_ok() => break,
                Err(fault) => return Err(fault),
            }
        }
    }
    Err(Fault::UnexpectedBehavior("the archive has too many files of that name".to_owned()))
}

/// A file as such: no folder, no link. A server that does not say is believed.
fn is_plain(attributes: &FileAttributes) -> bool {
    attributes.permissions.is_none_or(|mode| mode & 0o170_000 == 0o100_000)
}

fn entry(path: PathBuf, name: String, attributes: &FileAttributes) -> Entry {
    Entry {
        name,
        path,
        size_bytes: attributes.size.unwrap_or_default(),
        modified_ms: i64::from(attributes.mtime.unwrap_or_default()) * 1_000,
    }
}

/// A path on the server, with the strokes that it has there.
fn remote(path: &Path) -> String {
    let path = path.to_string_lossy();
    if cfg!(windows) { path.replace('\\', "/") } else { path.into_owned() }
}

fn about_folder(settings: &Settings, folder: &str, fault: &Fault) -> SftpError {
    match about_file(settings, Path::new(folder), fault) {
        SftpError::Gone { host, .. } => SftpError::NoFolder { host, folder: folder.to_owned() },
        other => other,
    }
}

fn about_file(settings: &Settings, path: &Path, fault: &Fault) -> SftpError {
    let (host, path) = (settings.at(), path.to_owned());
    match fault {
        Fault::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => SftpError::Gone { host, path },
            StatusCode::PermissionDenied => SftpError::Forbidden { host, path },
            StatusCode::NoConnection | StatusCode::ConnectionLost => {
                SftpError::Broken { host, reason: status.status_code.to_string() }
            }
            code => SftpError::Failed { host, path, reason: code.to_string().to_lowercase() },
        },
        Fault::Limited(_) | Fault::UnexpectedPacket => {
            SftpError::Failed { host, path, reason: "it does not keep to the protocol".to_owned() }
        }
        Fault::Timeout => SftpError::Broken { host, reason: "it took too long to answer".to_owned() },
        Fault::IO(_) | Fault::UnexpectedBehavior(_) => {
            SftpError::Broken { host, reason: "it was cut".to_owned() }
        }
    }
}
