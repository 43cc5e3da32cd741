//! Where a feed's files are fetched from. One way to look, to read and to move away, whatever the
//! place is: a folder of this machine, one that is mounted, or a server's over SFTP.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::base::limit::FOLDER_ANSWER_WAIT_S;
use crate::transport::folder::Folder;
use crate::transport::sftp::{self, Session, SftpError};

/// Where files are.
#[derive(Debug, Clone, Default)]
pub enum Place {
    /// Nowhere: files are only handed in.
    #[default]
    Nowhere,
    /// A folder, or one file.
    Folder(PathBuf),
    /// A folder on a server.
    Sftp(Box<sftp::Settings>),
}

/// A file as it stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name within the place.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its length.
    pub size_bytes: u64,
    /// When it was last changed, by the clock of where it lies: milliseconds since 1970.
    pub modified_ms: i64,
}

impl Entry {
    /// True if nobody has written to it between two looks, as far as length and time tell.
    #[must_use]
    pub const fn is_as(&self, other: &Self) -> bool {
        self.size_bytes == other.size_bytes && self.modified_ms == other.modified_ms
    }
}

/// What became of a file that was to be moved away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It lies in the archive.
    Away,
    /// It is not there any more: somebody else was first.
    Gone,
    /// It was changed since it was read, and stays to be read again.
    Changed,
    /// The account may not move it, and it stays.
    Forbidden,
}

/// Why a place cannot be used. Names places and files of the configuration's, never what is in them.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There is no such folder.
    #[error("there is no folder {}; check `folder` of the feed, and whether the share is mounted", path.display())]
    NotThere {
        /// Which.
        path: PathBuf,
    },
    /// A Windows path on another system.
    #[error(
        "{} is a path of Windows, and this machine is none; mount the share, and name the folder it is mounted at", path.display()
    )]
    Foreign {
        /// As configured.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It does not answer.
    #[error("{} does not answer within {wait_s} seconds; see whether the share is still mounted and its server answers, and mount it anew where it hangs", path.display())]
    Silent {
        /// Which.
        path: PathBuf,
        /// Seconds that were waited.
        wait_s: u64,
    },
    /// It cannot be moved.
    #[error("cannot move {} to {}: {source}; nothing is lost, and the next sync tries again", path.display(), folder.display())]
    Unmovable {
        /// Which.
        path: PathBuf,
        /// Where to.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Too many files.
    #[error("{} holds too many files; move away those that are done, or name fewer by `pattern`", path.display())]
    TooMany {
        /// Which.
        path: PathBuf,
    },
    /// The server cannot be used.
    #[error(transparent)]
    Sftp(#[from] SftpError),
}

impl FetchError {
    /// Why the reading of a file broke off.
    #[must_use]
    pub fn of_reading(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::TimedOut => Self::Silent { path, wait_s: FOLDER_ANSWER_WAIT_S },
            _ => Self::Unreadable { path, source },
        }
    }

    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            // A share comes back, and a file that is locked is let go.
            Self::NotThere { .. }
            | Self::Unreadable { .. }
            | Self::Silent { .. }
            | Self::Unmovable { .. } => true,
            Self::Foreign { .. } | Self::TooMany { .. } => false,
            Self::Sftp(error) => error.retryable(),
        }
    }

    /// True where the place itself does not answer, so that none of its files can be read.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        match self {
            Self::Silent { .. } => true,
            Self::Sftp(error) => error.is_unreachable(),
            _ => false,
        }
    }

    /// True where the file was gone when it was to be read: another took it.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Unreadable { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::Sftp(error) => error.is_gone(),
            _ => false,
        }
    }
}

/// A place that is open.
pub enum Visit {
    /// Nowhere.
    Nowhere,
    /// A folder.
    Folder(Folder),
    /// A server.
    Sftp(Box<Session>),
}

impl Place {
    /// Goes there.
    ///
    /// # Errors
    /// Where it is not there or does not answer.
    pub fn visit(&self) -> Result<Visit, FetchError> {
        Ok(match self {
            Self::Nowhere => Visit::Nowhere,
            Self::Folder(path) => Visit::Folder(Folder::open(path)?),
            Self::Sftp(settings) => Visit::Sftp(Box::new(Session::open(settings)?)),
        })
    }
}

impl Visit {
    /// The files that are there now, in the order of their names. Folders within, links, and names
    /// of what is still being written are passed over.
    ///
    /// # Errors
    /// Where the place cannot be read, or holds too many.
    pub fn list(&mut self, is_wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Entry>, FetchError> {
        let is_wanted = |name: &str| !is_passing(name) && is_wanted(name);
        let mut entries = match self {
            Self::Nowhere => Vec::new(),
            Self::Folder(folder) => folder.list(&is_wanted)?,
            Self::Sftp(session) => session.list(&is_wanted)?,
        };
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// Reads a file. Where the connection breaks, `work` begins anew: it must not do what cannot be
    /// done twice.
    ///
    /// # Errors
    /// What `work` returns, and where the file cannot be opened.
    pub fn read<T, E: From<FetchError>>(
        &mut self,
        entry: &Entry,
        mut work: impl FnMut(&mut dyn Read) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Nowhere => Err(E::from(gone(entry))),
            Self::Folder(folder) => work(&mut folder.read(entry)?),
            Self::Sftp(session) => session.read(entry, work),
        }
    }

    /// A file as it stands now; none where it is gone.
    ///
    /// # Errors
    /// Where the place cannot be read.
    pub fn look(&mut self, entry: &Entry) -> Result<Option<Entry>, FetchError> {
        match self {
            Self::Nowhere => Ok(None),
            Self::Folder(_) => Folder::look(entry),
            Self::Sftp(session) => session.look(entry),
        }
    }

    /// Moves a file that was read into a folder, under its own name or one like it where that is
    /// taken. It is in one of the two places at every moment.
    ///
    /// # Errors
    /// Where it cannot be moved for another reason than that the account may not.
    pub fn archive(&mut self, entry: &Entry, folder: &str) -> Result<Moved, FetchError> {
        match self.look(entry)? {
            None => Ok(Moved::Gone),
            Some(now) if !now.is_as(entry) => Ok(Moved::Changed),
            Some(_) => match self {
                Self::Nowhere => Ok(Moved::Gone),
                Self::Folder(_) => Folder::archive(entry, std::path::Path::new(folder)),
                Self::Sftp(session) => session.archive(entry, folder),
            },
        }
    }
}

/// The names that an archive may give a file, in order: its own, then with a number before its
/// ending.
pub(in crate::transport) fn archive_names(name: &str) -> impl Iterator<Item = String> {
    let (stem, end) = match name.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() => (stem.to_owned(), format!(".{end}")),
        _ => (name.to_owned(), String::new()),
    };
    let own = name.to_owned();
    std::iter::once(own)
        .chain((2..=crate::base::limit::ARCHIVE_NAMES_MAX).map(move |n| format!("{stem}-{n}{end}")))
}

fn gone(entry: &Entry) -> FetchError {
    let source = io::Error::from(io::ErrorKind::NotFound);
    FetchError::Unreadable { path: entry.path.clone(), source }
}

/// True for the name of a file that is being written, or held open: what begins with a dot or `~$`
/// (Excel), and what ends as transfers in progress do.
fn is_passing(name: &str) -> bool {
    const ENDINGS: &[&str] = &[".part", ".partial", ".filepart", ".crdownload", ".tmp", ".temp", ".writing"];
    let name = name.to_lowercase();
    name.starts_with(['.', '~']) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether a name fits a pattern in which `*` stands for any characters. Without regard to case,
/// as file names are on Windows. No pattern takes every file.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    if pattern.is_empty() {
        return true;
    }
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    let mut rest = rest;
    for part in parts {
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{archive_names, fits, is_passing};

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, is_fit) in [
            ("", "a.csv", true),
            ("*.csv", "a.CSV", true),
            ("tracker*.xlsx", "Tracker 2025.xlsx", true),
            ("tracker*.xlsx", "tracker.xls", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("cld.csv", "cld.csv", true),
            ("cld.csv", "cld.csv.tmp", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, name), is_fit, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_being_written_is_passed_over() {
        for name in
            ["~$tracker.xlsx", ".export.csv.swp", "export.csv.part", "Export.CSV.FilePart", "~wrl0003.tmp"]
        {
            assert!(is_passing(name), "{name}");
        }
        assert!(!is_passing("party.csv") && !is_passing("temp.csv"));
    }

    #[test]
    fn a_name_that_is_taken_is_numbered() {
        let first: Vec<_> = archive_names("a b.csv").take(3).collect();
        assert_eq!(first, ["a b.csv", "a b-2.csv", "a b-3.csv"]);
        assert_eq!(archive_names("export").nth(1).unwrap(), "export-2");
    }
}
