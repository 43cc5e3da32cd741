//! The file to read, or standard input, and a mapping bound to all of it.

use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;
use std::sync::Arc;

use crate::base::finding::Findings;
use crate::base::origin::Origin;
use crate::cli::print::Failure;
use crate::format::source::Source;
use crate::format::{Header, Place};
use crate::mapping::Mapping;
use crate::mapping::read::Bound;

/// What is read, and its name.
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) source: Box<dyn Source>,
}

impl Input {
    /// Opens a file. Standard input is put into a private file first: an encoding is decided over
    /// the whole of it.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
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

/// The mapping, bound to each sheet or to the one table.
pub(crate) struct Bounds {
    bounds: Vec<(Option<Arc<str>>, Bound)>,
}

impl Bounds {
    /// Binds it to every sheet of a file, or to its one table.
    pub(crate) fn of(mapping: &Mapping, headers: &[Header], file: &Origin) -> Result<Self, Findings> {
        let mut findings = Findings::default();
        let mut bounds = Vec::with_capacity(headers.len().max(1));
        let mut bind = |header: Option<&Header>| match mapping.bind(header, file) {
            Ok(bound) => bounds.push((header.and_then(|header| header.sheet.clone()), bound)),
            Err(found) => findings.extend(found),
        };
        if headers.is_empty() {
            bind(None);
        } else {
            for header in headers {
                bind(Some(header));
            }
        }
        if findings.is_empty() { Ok(Self { bounds }) } else { Err(findings) }
    }

    /// What reads the unit at a place.
    pub(crate) fn of_place(&self, place: &Place) -> Option<&Bound> {
        match self.bounds.as_slice() {
            [(_, bound)] => Some(bound),
            several => several.iter().find(|(sheet, _)| *sheet == place.sheet).map(|(_, bound)| bound),
        }
    }
}
