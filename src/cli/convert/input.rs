//! The file to read, or standard input.

use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;

use crate::cli::print::Failure;
use crate::format::source::Source;

/// What is read, and its name.
pub(super) struct Input {
    pub(super) name: String,
    pub(super) source: Box<dyn Source>,
}

impl Input {
    /// Opens a file. Standard input is put into a private file first: an encoding is decided over
    /// the whole of it.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            let mut file = tempfile::tempfile().map_err(|error| {
                Failure::told(format!("standard input cannot be put aside: {error}"))
                    .hint("is the temporary folder full?")
            })?;
            io::copy(&mut io::stdin().lock(), &mut file)?;
            file.rewind()?;
            return Ok(Self { name: "standard input".to_owned(), source: Box::new(file) });
        }
        let told = |why: String| {
            Failure::told(format!("{}: {why}", path.display())).hint("check the name of the file to read")
        };
        if path.is_dir() {
            return Err(told("is a folder".to_owned()));
        }
        let file = File::open(path).map_err(|error| told(error.to_string()))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { name, source: Box::new(file) })
    }
}
