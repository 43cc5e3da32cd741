//! Folders: of this machine, or mounted from another.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::base::limit::{FEED_FILES_MAX, FOLDER_ANSWER_WAIT_S, FOLDER_MOVE_WAIT_S, PLACE_ENTRIES_MAX};
use crate::transport::patience::{PatientFile, Silent, within};
use crate::transport::place::{Entry, FetchError, Moved, archive_names};

/// A folder, or one file of it.
pub struct Folder {
    path: PathBuf,
    /// The only file that is looked at.
    only: Option<PathBuf>,
}

impl Folder {
    /// Opens a folder, or the folder of one file.
    ///
    /// # Errors
    /// Where it is not there.
    pub fn open(path: &Path) -> Result<Self, FetchError> {
        if cfg!(not(windows)) && is_of_windows(path) {
            return Err(FetchError::Foreign { path: path.to_owned() });
        }
        let asked = path.to_owned();
        match answered(path, move || asked.metadata())? {
            Ok(data) if data.is_dir() => Ok(Self { path: path.to_owned(), only: None }),
            Ok(_) => Ok(Self { path: path.to_owned(), only: Some(path.to_owned()) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(FetchError::NotThere { path: path.to_owned() })
            }
            Err(source) => Err(FetchError::Unreadable { path: path.to_owned(), source }),
        }
    }

    pub(super) fn list(&self, is_wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Entry>, FetchError> {
        if let Some(only) = &self.only {
            // Named outright, so it is taken whatever it is called, and a link is followed.
            let asked = only.clone();
            let data = answered(only, move || asked.metadata())?.map_err(|error| unreadable(only, error))?;
            return Ok(vec![entry(only, &data)]);
        }
        let asked = self.path.clone();
        let mut paths = answered(&self.path, move || names(&asked))??;
        paths.retain(|path| path.file_name().is_some_and(|name| is_wanted(&name.to_string_lossy())));
        let entries = answered(&self.path, move || files(&paths))??;
        if entries.len() > FEED_FILES_MAX {
            return Err(FetchError::TooMany { path: self.path.clone() });
        }
        Ok(entries)
    }

    pub(super) fn read(&self, entry: &Entry) -> Result<PatientFile, FetchError> {
        let failed = |error| unreadable(&entry.path, error);
        let (asked, may_be_link) = (entry.path.clone(), self.only.is_some());
        let open = move || {
            let open = File::open(&asked)?;
            let is_link = !may_be_link && asked.symlink_metadata().is_ok_and(|data| data.is_symlink());
            if is_link {
                return Err(io::Error::other("it was replaced by a link, and links are not followed"));
            }
            Ok(open)
        };
        let open = answered(&entry.path, open)?.map_err(failed)?;
        PatientFile::new(open).map_err(|silent| is_silent(&entry.path, silent))
    }

    pub(super) fn look(named: &Entry) -> Result<Option<Entry>, FetchError> {
        let asked = named.path.clone();
        match answered(&named.path, move || asked.metadata())? {
            Ok(data) => Ok(Some(entry(&named.path, &data))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&named.path, error)),
        }
    }

    /// Moves a file. A name is claimed by making an empty file of it, so that two who move at once
    /// never take the same; the file then takes that one's place, or is copied into it where the
    /// archive is on another file system.
    pub(super) fn archive(moving: &Entry, folder: &Path) -> Result<Moved, FetchError> {
        let (one, to) = (moving.clone(), folder.to_owned());
        within(FOLDER_MOVE_WAIT_S, move || Self::archive_now(&one, &to))
            .map_err(|silent| is_silent(folder, silent))?
    }

    fn archive_now(moving: &Entry, folder: &Path) -> Result<Moved, FetchError> {
        let failed =
            |source| FetchError::Unmovable { path: moving.path.clone(), folder: folder.to_owned(), source };
        match std::fs::create_dir_all(folder).and_then(|()| claim(folder, &moving.name)) {
            Ok(target) => match shift(&moving.path, &target) {
                Ok(()) => Ok(Moved::Away),
                Err(error) => {
                    // Only the empty file that was made above, or a copy that was not completed.
                    let _unclaimed = std::fs::remove_file(&target);
                    match error.kind() {
                        io::ErrorKind::NotFound => Ok(Moved::Gone),
                        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                            Ok(Moved::Forbidden)
                        }
                        _ => Err(failed(error)),
                    }
                }
            },
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Moved::Forbidden),
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(Moved::Forbidden),
            Err(error) => Err(failed(error)),
        }
    }
}

/// Asks the file system, and waits for its answer as long as one may.
fn answered<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, FetchError> {
    within(FOLDER_ANSWER_WAIT_S, work).map_err(|silent| is_silent(path, silent))
}

fn is_silent(path: &Path, Silent { wait_s }: Silent) -> FetchError {
    FetchError::Silent { path: path.to_owned(), wait_s }
}

/// Everything that a folder holds.
fn names(folder: &Path) -> Result<Vec<PathBuf>, FetchError> {
    let mut paths = Vec::new();
    for found in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        if paths.len() >= PLACE_ENTRIES_MAX {
            return Err(FetchError::TooMany { path: folder.to_owned() });
        }
        paths.push(found.map_err(|error| unreadable(folder, error))?.path());
    }
    Ok(paths)
}

/// Those of these that are files. Of the entry itself: whoever may write into the folder must not be
/// able to have the gateway read another file of this machine by a link to it.
fn files(paths: &[PathBuf]) -> Result<Vec<Entry>, FetchError> {
    let mut entries = Vec::new();
    for path in paths {
        match path.symlink_metadata() {
            Ok(data) if data.is_file() => entries.push(entry(path, &data)),
            Ok(_) => {}
            // Another took it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(path, error)),
        }
    }
    Ok(entries)
}

/// Makes an empty file under the first name that is free.
fn claim(folder: &Path, name: &str) -> io::Result<PathBuf> {
    for name in archive_names(name) {
        let target = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&target) {
            Ok(_claimed) => return Ok(target),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("the archive has too many files of that name"))
}

fn shift(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            copy(from, to)?;
            match std::fs::remove_file(from) {
                // It lies in the archive; that it lies here too is found to be no news.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed,
            }
        }
        renamed => renamed,
    }
}

/// Copies into a file that is there, to the disk itself, before the first may be deleted.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut target = OpenOptions::new().write(true).truncate(true).open(to)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()?;
    if source.metadata()?.len() != target.metadata()?.len() {
        return Err(io::Error::other("it is still being written"));
    }
    // A folder can be opened as a file on Unix only; elsewhere its entry is written with the file.
    match to.parent().map(File::open) {
        Some(Ok(folder)) => folder.sync_all(),
        _ => Ok(()),
    }
}

fn unreadable(path: &Path, source: io::Error) -> FetchError {
    FetchError::Unreadable { path: path.to_owned(), source }
}

fn entry(path: &Path, data: &std::fs::Metadata) -> Entry {
    let modified = data.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Entry {
        name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        path: path.to_owned(),
        size_bytes: data.len(),
        modified_ms: modified.and_then(|at| i64::try_from(at.as_millis()).ok()).unwrap_or_default(),
    }
}

/// A drive letter, or a share by its UNC name.
fn is_of_windows(path: &Path) -> bool {
    let text = path.to_string_lossy();
    // What a configuration names is joined to its own folder where it is not absolute here.
    let last = text.rsplit('/').next().unwrap_or_default();
    let drive = last.as_bytes();
    last.starts_with(r"\\")
        || (drive.first().is_some_and(u8::is_ascii_alphabetic) && drive.get(1..3) == Some(br":\"))
        || text.split('/').any(|part| part.len() == 2 && part.ends_with(':'))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{copy, is_of_windows};

    #[test]
    fn a_path_of_windows_is_known() {
        for path in [r"C:\Wayleave\in", r"\\server\share\in", "/etc/wayleave/C:/in", r"/etc/\\server\share"] {
            assert!(is_of_windows(Path::new(path)), "{path}");
        }
        for path in ["/srv/in", "in/council", "/srv/our data/a:b"] {
            assert!(!is_of_windows(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_copy_holds_everything() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&from, vec![7; 100_000]).unwrap();
        std::fs::write(&to, "").unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(std::fs::read(&from).unwrap(), std::fs::read(&to).unwrap());
    }
}
