//! Where a SQLite file may stand: on a disk of this machine.
//!
//! Write-ahead logging needs memory that all users of the file share, and locks that hold. A
//! network file system gives neither, and fails by silent damage, so it is refused.

use std::path::{Path, PathBuf};

use crate::store::error::StoreError;

/// File systems of other machines, as Linux names them.
const NETWORK_TYPES: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "fuse.sshfs",
    "fuse.rclone",
    "afs",
    "ceph",
    "glusterfs",
    "ncpfs",
];

/// Refuses a file that stands on another machine.
pub(in crate::store) fn check(file: &Path) -> Result<(), StoreError> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if file.to_str().is_some_and(is_unc) {
        return Err(StoreError::NetworkFile { file: file.to_owned() });
    }
    let Ok(folder) = folder.canonicalize() else {
        return Err(StoreError::NoFolder { file: file.to_owned() });
    };
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    match type_of(&mounts, &folder) {
        Some(kind) if NETWORK_TYPES.contains(&kind) => Err(StoreError::NetworkFile { file: file.to_owned() }),
        _ => Ok(()),
    }
}

fn is_unc(path: &str) -> bool {
    path.starts_with(r"\\") && !path.starts_with(r"\\?\") || path.starts_with(r"\\?\UNC\")
}

/// The type of the file system that a folder is on, read from `/proc/self/mountinfo` (proc(5)).
fn type_of<'m>(mounts: &'m str, folder: &Path) -> Option<&'m str> {
    let mounted = mounts.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let at = PathBuf::from(left.split(' ').nth(4)?.replace(r"\040", " "));
        Some((at, right.split(' ').next()?))
    });
    // The last of equally long ones is mounted over the others.
    mounted
        .filter(|(at, _)| folder.starts_with(at))
        .max_by_key(|(at, _)| at.components().count())
        .map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{is_unc, type_of};

    #[test]
    fn the_nearest_mount_decides() {
        let mounts = "27 1 254:0 / / rw - ext4 /dev/vda rw\n30 27 0:9 / /srv/our\\040share rw shared:1 - nfs4 host:/x rw\n";
        assert_eq!(type_of(mounts, Path::new("/srv/our share/a")), Some("nfs4"));
        assert_eq!(type_of(mounts, Path::new("/srv/our")), Some("ext4"));
    }

    #[test]
    fn a_share_named_in_the_windows_way_is_of_another_machine() {
        assert!(is_unc(r"\\server\share\a.db"));
        assert!(is_unc(r"\\?\UNC\server\share\a.db"));
        assert!(!is_unc(r"C:\data\a.db"));
        assert!(!is_unc(r"\\?\C:\data\a.db"));
    }
}
