//! Where the embedded queue may lie: on a disk of this machine.
//!
//! SQLite's locks do not hold on network file systems, and its write-ahead log needs memory that
//! all its users share. So a path on one is refused: by its form where it is a UNC path, and by
//! the mount table where the system has one to read (Linux).

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf, Prefix};

use crate::queue::QueueError;

/// Kinds of file system that lie on another machine, as the mount table names them.
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

/// Refuses a file whose folder is missing or lies on another machine.
pub(super) fn check(file: &Path) -> Result<(), QueueError> {
    let folder = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let whole =
        folder.canonicalize().map_err(|source| QueueError::Folder { folder: folder.to_owned(), source })?;
    if is_unc(file) || is_unc(&whole) {
        return Err(QueueError::NetworkFolder { folder: folder.to_owned(), kind: "UNC path".to_owned() });
    }
    match std::fs::read_to_string("/proc/self/mounts") {
        Ok(mounts) => match network_kind(&mounts, &whole) {
            Some(kind) => Err(QueueError::NetworkFolder { folder: folder.to_owned(), kind: kind.to_owned() }),
            None => Ok(()),
        },
        // No such table on this system.
        Err(_absent) => Ok(()),
    }
}

fn is_unc(path: &Path) -> bool {
    match path.components().next() {
        Some(Component::Prefix(prefix)) => {
            matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..))
        }
        _ => false,
    }
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

    use super::network_kind;

    const MOUNTS: &str = "\
/dev/sda1 / ext4 rw,relatime 0 0
server:/export /srv nfs4 rw,vers=4.2 0 0
/dev/sdb1 /srv/local ext4 rw 0 0
//files/team /mnt/team\\040share cifs rw 0 0
me@far:/ /home/me/far fuse.sshfs rw 0 0
";

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        assert_eq!(network_kind(MOUNTS, Path::new(path)), expected, "{path}");
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
    fn a_network_folder_is_named_in_the_error() {
        let error = crate::queue::QueueError::NetworkFolder { folder: "/srv".into(), kind: "nfs4".into() };
        assert_eq!(
            error.to_string(),
            "the embedded queue cannot lie in `/srv`, which is a network file system (nfs4): put it on a disk \
             of this machine, or use RabbitMQ"
        );
        assert!(!error.retryable());
    }
}
