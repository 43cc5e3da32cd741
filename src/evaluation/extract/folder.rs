//! The folder while it is being written: beside its place, for its owner alone, then renamed.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::evaluation::collect::answer::hex;
use crate::evaluation::extract::ExtractError;

/// One file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// Path within the folder, with forward slashes.
    pub(crate) path: String,
    /// Size.
    pub(crate) bytes: u64,
    /// SHA-256, in hexadecimal.
    pub(crate) sha256: String,
}

/// A folder that is being written. Removed unless it is put in its place.
pub(crate) struct Part {
    folder: TempDir,
    written: Vec<Written>,
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> ExtractError + '_ {
    move |source| ExtractError::File { path: path.to_owned(), source }
}

/// What the names of half-written folders begin with.
fn prefix(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!(".{name}.part-")
}

impl Part {
    /// A new folder beside `folder`. What a killed build left there is removed.
    pub(crate) fn beside(folder: &Path) -> Result<Self, ExtractError> {
        let parent = match folder.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(failed(parent))?;
        let prefix = prefix(folder);
        for entry in fs::read_dir(parent).map_err(failed(parent))? {
            let entry = entry.map_err(failed(parent))?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_dir_all(entry.path()).map_err(failed(&entry.path()))?;
            }
        }
        let made = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent).map_err(failed(parent))?;
        let data = made.path().join("data");
        fs::create_dir(&data).map_err(failed(&data))?;
        Ok(Self { folder: made, written: Vec::new() })
    }

    /// What has been written so far, in order.
    pub(crate) fn written(&self) -> &[Written] {
        &self.written
    }

    /// Writes a file through `fill`, which is given a writer; returns its SHA-256 and size.
    pub(crate) fn stream(
        &mut self,
        path: &str,
        fill: impl FnOnce(&mut dyn Write) -> Result<(), ExtractError>,
    ) -> Result<Written, ExtractError> {
        let place = self.folder.path().join(path);
        let file = File::create_new(&place).map_err(failed(&place))?;
        let mut hashing = Hashing { file: BufWriter::new(file), hash: Sha256::new(), bytes: 0 };
        fill(&mut hashing)?;
        let Hashing { file, hash, bytes } = hashing;
        let file = file.into_inner().map_err(|error| failed(&place)(error.into_error()))?;
        file.sync_all().map_err(failed(&place))?;
        let written = Written { path: path.to_owned(), bytes, sha256: hex(&hash.finalize()) };
        self.written.push(written.clone());
        Ok(written)
    }

    /// Writes a file; returns its SHA-256.
    pub(crate) fn file(&mut self, path: &str, bytes: &[u8]) -> Result<String, ExtractError> {
        let place = self.folder.path().join(path);
        let written = self.stream(path, |writer| writer.write_all(bytes).map_err(failed(&place)))?;
        Ok(written.sha256)
    }

    /// Writes a JSON document; returns its SHA-256.
    pub(crate) fn json(&mut self, path: &str, document: &impl Serialize) -> Result<String, ExtractError> {
        let place = self.folder.path().join(path);
        let mut text =
            serde_json::to_string_pretty(document).map_err(|error| failed(&place)(error.into()))?;
        text.push('\n');
        self.file(path, text.as_bytes())
    }

    /// Writes the sums of everything so far, as `sha256sum -c` reads them.
    pub(crate) fn sums(&mut self) -> Result<(), ExtractError> {
        let text = sums(self.written.iter().map(|file| (file.sha256.as_str(), file.path.as_str())));
        self.file("SHA256SUMS", text.as_bytes()).map(drop)
    }

    /// Puts the folder in its place. True if the very same stood there already.
    pub(crate) fn put(self, folder: &Path) -> Result<bool, ExtractError> {
        if fs::symlink_metadata(folder).is_ok() {
            if is_same(self.folder.path(), folder, &self.written).map_err(failed(folder))? {
                return Ok(true);
            }
            // An empty folder gives way; anything else stays as it is.
            if fs::remove_dir(folder).is_err() {
                return Err(ExtractError::Occupied { folder: folder.to_owned() });
            }
        }
        let part = self.folder.keep();
        fs::rename(&part, folder).map_err(|source| {
            let _removed = fs::remove_dir_all(&part);
            failed(folder)(source)
        })?;
        Ok(false)
    }
}

fn is_same(part: &Path, folder: &Path, written: &[Written]) -> std::io::Result<bool> {
    let found = files(folder)?;
    if found.len() != written.len() {
        return Ok(false);
    }
    for file in written {
        let place = folder.join(&file.path);
        if !place.is_file() || !is_same_file(&part.join(&file.path), &place)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_same_file(one: &Path, other: &Path) -> std::io::Result<bool> {
    if fs::metadata(one)?.len() != fs::metadata(other)?.len() {
        return Ok(false);
    }
    Ok(sha256(one)? == sha256(other)?)
}

/// Hashes and paths as `sha256sum` writes them.
pub(crate) fn sums<'f>(files: impl Iterator<Item = (&'f str, &'f str)>) -> String {
    let lines: Vec<String> = files.map(|(sha256, path)| format!("{sha256}  {path}\n")).collect();
    lines.concat()
}

/// The SHA-256 of a file, in hexadecimal.
pub(crate) fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
    }
}

/// Every file under a folder, as paths within it with forward slashes, sorted.
pub(crate) fn files(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut ask = vec![PathBuf::new()];
    while let Some(inner) = ask.pop() {
        for entry in fs::read_dir(folder.join(&inner))? {
            let entry = entry?;
            let path = inner.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                ask.push(path);
                continue;
            }
            let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            found.push(parts.join("/"));
        }
    }
    found.sort();
    Ok(found)
}

struct Hashing {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += u64::try_from(bytes.len()).unwrap_or_default();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
