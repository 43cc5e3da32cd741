//! Where a SQLite file may stand, for whoever keeps one: the databases of both zones and the embedded
//! queue.
//!
//! SQLite's locks do not hold on network file systems, and its write-ahead log needs memory that all
//! its users share. Such a file is damaged sooner or later, without a word; so a path on another
//! machine is refused, by its form where it names a share as Windows does, and by the mount table
//! where the system has one to read (Linux).

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// File systems that lie on another machine, as the mount table names them.
const NETWORK_KINDS: &[&str] = &[
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "fuse.ceph",
    "fuse.davfs",
    "fuse.davfs2",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.smbnetfs",
    "fuse.sshfs",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];

/// What SQLite calls a database that stands nowhere. Tests of the evaluation side use it.
const IN_MEMORY: &str = "file::memory:";

/// The mount table of Linux (proc(5)).
const MOUNTS: &str = "/proc/self/mounts";

/// Why a file may not stand where it is to stand. Whoever asked says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Misplaced {
    /// Its folder cannot be used.
    #[error("its folder cannot be used")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
    /// It lies on another machine.
    #[error("it lies on a network file system ({kind})")]
    Network {
        /// The folder.
        folder: PathBuf,
        /// The kind of file system.
        kind: String,
    },
}

impl Misplaced {
    /// Whether trying again could help: never, until somebody has moved something.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Folder { .. } | Self::Network { .. } => false,
        }
    }
}

/// Refuses a file whose folder is missing or lies on another machine.
///
/// # Errors
/// Which of the two, and where.
pub fn check(file: &Path) -> Result<(), Misplaced> {
    let folder = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let network = |kind: &str| Misplaced::Network { folder: folder.to_owned(), kind: kind.to_owned() };
    if is_share(file) {
        return Err(network("a share"));
    }
    let whole =
        folder.canonicalize().map_err(|source| Misplaced::Folder { folder: folder.to_owned(), source })?;
    if is_share(&whole) {
        return Err(network("a share"));
    }
    match std::fs::read_to_string(MOUNTS) {
        Ok(mounts) => network_kind(&mounts, &whole).map_or(Ok(()), |kind| Err(network(kind))),
        // No such table on this system.
        Err(_absent) => Ok(()),
    }
}

/// Makes a file that is not there yet, for its owner alone: by itself SQLite makes one that everybody
/// may read. What comes to stand beside it (`-wal`, `-shm`) takes its rights from it. One that
/// cannot be made is told of by whoever opens it.
pub fn make_private(file: &Path) {
    if file.as_os_str() == IN_MEMORY {
        return;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _made_or_there = options.open(file);
}

/// True if a path names a share as Windows does. Told by the text, so that it is seen on every system:
/// on another it is a name in the folder of the configuration.
fn is_share(path: &Path) -> bool {
    path.to_str().is_some_and(|path| {
        let named = path.rsplit_once('/').map_or(path, |(_, name)| name);
        (named.starts_with(r"\\") && !named.starts_with(r"\\?\")) || named.starts_with(r"\\?\UNC\")
    })
}

/// The kind of network file system that a whole path lies on, by a mount table.
fn network_kind<'m>(mounts: &'m str, path: &Path) -> Option<&'m str> {
    let mut found: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut words = line.split(' ').skip(1);
        let (Some(point), Some(kind)) = (words.next(), words.next()) else { continue };
        let point = unescape(point);
        let depth = point.components().count();
        // The deepest mount counts, and of two at one place the later.
        if path.starts_with(&point) && found.is_none_or(|(deepest, _)| depth >= deepest) {
            found = Some((depth, kind));
        }
    }
    found.map(|(_, kind)| kind).filter(|kind| NETWORK_KINDS.contains(kind))
}

/// A mount point, with its octal escapes (`\040` is a space) undone.
fn unescape(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let octal = after
            .first_chunk::<3>()
            .filter(|_| first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        let (byte, after) = octal.map_or((first, after), |byte| (byte, after.get(3..).unwrap_or_default()));
        bytes.push(byte);
        rest = after;
    }
    PathBuf::from(OsStr::new(String::from_utf8_lossy(&bytes).as_ref()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{is_share, network_kind};

    const TABLE: &str = "\
/dev/sda1 / ext4 rw,relatime 0 0
server:/export /srv nfs4 rw,vers=4.2 0 0
/dev/sdb1 /srv/local ext4 rw 0 0
//files/team /mnt/team\\040share cifs rw 0 0
me@far:/ /home/me/far fuse.sshfs rw 0 0
";

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        assert_eq!(network_kind(TABLE, Path::new(path)), expected, "{path}");
    }

    #[test]
    fn the_deepest_mount_decides() {
        check("/var/lib/wayleave", None);
        check("/srv/wayleave", Some("nfs4"));
        check("/srv/local/wayleave", None);
        check("/srvice", None);
        check("/mnt/team share/a", Some("cifs"));
        check("/home/me/far", Some("fuse.sshfs"));
    }

    #[test]
    fn a_share_named_in_the_windows_way_is_of_another_machine() {
        assert!(is_share(Path::new(r"\\server\share\a.db")));
        assert!(is_share(Path::new(r"\\?\UNC\server\share\a.db")));
        assert!(is_share(Path::new(r"/srv/wayleave/\\server\share\a.db")));
        assert!(!is_share(Path::new(r"C:\data\a.db")));
        assert!(!is_share(Path::new(r"\\?\C:\data\a.db")));
    }
}
