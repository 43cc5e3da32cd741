//! Who may read a file of this machine, and files that only their owner may.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// True where it can be known who may read a file.
pub const IS_KNOWN: bool = cfg!(unix);

/// True if anybody but its owner may read a file; false where that is not known.
#[must_use]
pub fn is_open_to_others(file: &Path) -> bool {
    mode(file) & 0o077 != 0
}

/// True if anybody at all may read a file, beyond its owner and the owner's group; false where that
/// is not known.
#[must_use]
pub fn is_open_to_all(file: &Path) -> bool {
    mode(file) & 0o007 != 0
}

#[cfg(unix)]
fn mode(file: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).map(|data| data.permissions().mode()).unwrap_or_default()
}

#[cfg(not(unix))]
fn mode(_file: &Path) -> u32 {
    0
}

/// Makes a file that is not there yet, for its owner alone.
///
/// # Errors
/// Where it is there, or cannot be made.
pub fn create_private(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}
