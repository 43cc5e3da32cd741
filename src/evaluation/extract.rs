//! One folder for one release: a CSV a kind, a data package, a codebook and a README.
//!
//! Everything in it follows from the release and from what stands in the store: no clock, no
//! randomness, and every table sorted, so that two builds of one release are equal byte for
//! byte. The folder is written beside its place and renamed, and what stands there already is
//! never changed.

pub mod package;
mod proof;
pub mod reconcile;
pub mod table;
pub mod verify;

mod cell;
mod codebook;
mod folder;
mod manifest;
mod readme;

use std::path::{Path, PathBuf};

use crate::evaluation::collect::answer::digest;
use crate::evaluation::extract::folder::Part;
use crate::evaluation::extract::manifest::Manifest;
use crate::evaluation::extract::reconcile::{Difference, reconcile};
use crate::evaluation::extract::table::Table;
use crate::evaluation::store::row::ExtractRow;
use crate::evaluation::store::standing::Snapshot;
use crate::evaluation::store::{Store, StoreError};

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Built {
    /// Its id: the same for the same content.
    pub extract: String,
    /// Study.
    pub study: String,
    /// Release it holds.
    pub release: String,
    /// Where it stands.
    pub folder: PathBuf,
    /// Whether the very same stood there already.
    pub is_repeat: bool,
    /// People.
    pub people: u64,
    /// Rows of each table, by name.
    pub rows: Vec<(String, u64)>,
    /// SHA-256 of its manifest.
    pub manifest_sha256: String,
}

/// Why no extract was built.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// No such release has been collected.
    #[error("no closed release {release} of `{study}` has been collected")]
    Unknown {
        /// Study.
        study: String,
        /// The release that was asked for, or `at all`.
        release: String,
    },
    /// What stands is not what the release says must stand.
    #[error("what stands does not reconcile with the release: {}", list(.0))]
    Unreconciled(Vec<Difference>),
    /// A value is not what the protocol says of its field.
    #[error("`{table}.{field}`: expected {expected}, in {rows} rows")]
    Unfit {
        /// Table.
        table: String,
        /// Field.
        field: String,
        /// What the protocol says.
        expected: String,
        /// In how many rows.
        rows: u64,
    },
    /// Something else stands at that place.
    #[error("{} is there already and is not this extract; it was left untouched", folder.display())]
    Occupied {
        /// The place.
        folder: PathBuf,
    },
    /// A file could not be written or read.
    #[error("cannot write or read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ExtractError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::Unfit { .. } | Self::Occupied { .. } => false,
            // Messages may still be in the queue.
            Self::Unreconciled(_) | Self::File { .. } => true,
            Self::Store(error) => error.retryable(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "run `wayleave collect`, and `wayleave extract list` for what there is",
            Self::Unreconciled(_) => {
                "run `wayleave collect` until the queue is empty; after a withdrawal or a later release, build the newest release"
            }
            Self::Unfit { .. } => {
                "the sender broke its own protocol: tell the gateway's office, which must release again"
            }
            Self::Occupied { .. } => "name another folder with --out, or move that one away",
            Self::File { .. } => "check that the disk has room and that the folder can be written to",
            Self::Store(_) => "check `evaluation.database` in the configuration",
        }
    }
}

fn list(differences: &[Difference]) -> String {
    let told: Vec<String> = differences.iter().map(Difference::to_string).collect();
    told.join("; ")
}

/// Builds the extract of a release, or of the newest one, in `target`, or in its own folder
/// under `extracts`.
///
/// # Errors
/// Where the release is unknown, what stands does not reconcile with it, a value does not keep to
/// the protocol, or the folder cannot be written. Nothing is left behind then.
pub fn build(
    store: &mut Store,
    study: &str,
    release: Option<&str>,
    extracts: &Path,
    target: Option<&Path>,
) -> Result<Built, ExtractError> {
    let unknown =
        || ExtractError::Unknown { study: study.to_owned(), release: release.unwrap_or("at all").to_owned() };
    let newest = store.list_releases(Some(study))?.pop();
    let release_id =
        release.map(str::to_owned).or(newest.map(|closed| closed.release)).ok_or_else(unknown)?;
    let snapshot = store.snapshot(study, &release_id)?.ok_or_else(unknown)?;
    let folder = match target {
        Some(target) => target.to_owned(),
        None => extracts.join(format!("{study}_{}_{release_id}", snapshot.release.cut_off_day)),
    };
    let built = write(&snapshot, &folder)?;
    store.note_extract(&ExtractRow {
        extract_id: built.extract.clone(),
        study: built.study.clone(),
        release: built.release.clone(),
        folder: std::path::absolute(&built.folder).unwrap_or(built.folder.clone()).display().to_string(),
        manifest_sha256: built.manifest_sha256.clone(),
    })?;
    Ok(built)
}

/// An extract on this machine that holds people who have withdrawn since.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Outdated {
    /// Where it stands.
    pub folder: PathBuf,
    /// How many people in it have withdrawn.
    pub withdrawn: u64,
}

/// The extracts of a study that must be destroyed, because people in them have withdrawn since.
/// Only those that this store built and that still stand where they were built are known.
///
/// # Errors
/// Where the store or an extract cannot be read.
pub fn list_outdated(store: &mut Store, study: &str) -> Result<Vec<Outdated>, ExtractError> {
    let withdrawn = store.list_withdrawn(study)?;
    let mut outdated = Vec::new();
    if withdrawn.is_empty() {
        return Ok(outdated);
    }
    for row in store.list_extracts()?.into_iter().filter(|row| row.study == study) {
        let folder = PathBuf::from(row.folder);
        let persons = folder.join("data").join("person.csv");
        if !persons.is_file() {
            continue;
        }
        let unreadable =
            |error: csv::Error| ExtractError::File { path: persons.clone(), source: error.into() };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(&persons).map_err(unreadable)?;
        let mut count = 0;
        for record in reader.byte_records() {
            let record = record.map_err(unreadable)?;
            let pseudonym = record.get(0).and_then(|cell| std::str::from_utf8(cell).ok());
            count += u64::from(pseudonym.is_some_and(|pseudonym| withdrawn.contains(pseudonym)));
        }
        if count > 0 {
            outdated.push(Outdated { folder, withdrawn: count });
        }
    }
    Ok(outdated)
}

fn write(snapshot: &Snapshot, folder: &Path) -> Result<Built, ExtractError> {
    let people = reconcile(snapshot)?;
    let mut part = Part::beside(folder)?;
    let tables = table::write_all(snapshot, &mut part)?;
    let extract = identity(snapshot, &tables);
    let package = package::describe(snapshot, &extract, &tables);
    part.json("datapackage.json", &package)?;
    part.file("codebook.csv", &codebook::write(&tables))?;
    part.file("README.md", readme::write(snapshot, &extract, &tables, people).as_bytes())?;
    let manifest = Manifest::of(snapshot, &extract, &tables, part.written());
    let manifest_sha256 = part.json("manifest.json", &manifest)?;
    part.sums()?;
    let is_repeat = part.put(folder)?;
    let rows = tables.iter().map(|table| (table.name.clone(), table.rows)).collect();
    Ok(Built {
        extract,
        study: snapshot.release.study.clone(),
        release: snapshot.release.release.to_string(),
        folder: folder.to_owned(),
        is_repeat,
        people,
        rows,
        manifest_sha256,
    })
}

/// The id of an extract follows from what it holds.
fn identity(snapshot: &Snapshot, tables: &[Table]) -> String {
    let release = snapshot.release.release.to_string();
    let mut parts = vec![snapshot.release.study.as_bytes(), release.as_bytes()];
    for table in tables {
        parts.extend([table.path.as_bytes(), table.sha256.as_bytes()]);
    }
    format!("ext_{}", digest(&parts))
}
