//! Is this folder the extract that was built? Needs neither network nor database.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::finding::{Code, Finding, Findings};
use crate::base::origin::Origin;
use crate::evaluation::door::protocol::Holds;
use crate::evaluation::extract::cell::is_text_of;
use crate::evaluation::extract::folder::{files, sha256, sums};
use crate::evaluation::extract::manifest::{Listed, Manifest};
use crate::evaluation::extract::package::{Column, Package, Resource};
use crate::evaluation::extract::proof;

/// What was verified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Id of the extract.
    pub extract: String,
    /// Study.
    pub study: String,
    /// Release it holds.
    pub release: String,
    /// Files whose size and hash were checked.
    pub files: u64,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// The key, in hexadecimal, that signed the head of the log in which the release stands.
    pub signed_by: Option<String>,
}

/// Why a folder could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", path.display())]
pub struct VerifyError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

impl VerifyError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        false
    }
}

/// The first columns of each table that has a key, by table.
type Keys = BTreeMap<String, BTreeSet<String>>;

/// Checks a folder: each file against the manifest, each table against the data package, and the
/// release against the signed head of its gateway's log. `trusted` is the public key that signs
/// that log, in hexadecimal, where it is known.
///
/// # Errors
/// Where the folder is not there or cannot be read.
pub fn verify(folder: &Path, trusted: Option<&str>) -> Result<(Verified, Findings), VerifyError> {
    let mut findings = Findings::default();
    let found = files(folder).map_err(failed(folder))?;
    let Some(manifest) = document::<Manifest>(folder, "manifest.json", &mut findings)? else {
        return Ok((Verified::default(), findings));
    };
    let mut verified = Verified {
        extract: manifest.extract.clone(),
        study: manifest.study.clone(),
        release: manifest.release.clone(),
        ..Verified::default()
    };
    match proof::check(&manifest, trusted) {
        Ok(key) => verified.signed_by = Some(key),
        Err(expected) => findings.push(finding(Code::ExtractProof, "manifest.json", expected)),
    }
    check_names(&manifest, &found, &mut findings);
    for listed in &manifest.files {
        verified.files += check_file(folder, listed, &found, &mut findings)?;
    }
    check_sums(folder, &manifest, &mut findings)?;
    if let Some(package) = document::<Package>(folder, "datapackage.json", &mut findings)? {
        if package.id != manifest.extract {
            let expected = "the id of the extract that the manifest names";
            findings.push(finding(Code::ExtractShape, "datapackage.json", expected));
        }
        check_tables(folder, &package, &manifest, &mut verified, &mut findings)?;
    }
    Ok((verified, findings))
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> VerifyError + '_ {
    move |source| VerifyError { path: path.to_owned(), source }
}

fn finding(code: Code, file: &str, expected: &str) -> Finding {
    Finding::new(code, Origin::file(file), expected)
}

fn document<D: DeserializeOwned>(
    folder: &Path,
    name: &str,
    findings: &mut Findings,
) -> Result<Option<D>, VerifyError> {
    let path = folder.join(name);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            findings.push(finding(Code::ExtractFile, name, "the file to be there"));
            return Ok(None);
        }
        Err(error) => return Err(failed(&path)(error)),
    };
    let read = serde_json::from_slice(&bytes).ok();
    if read.is_none() {
        findings.push(finding(Code::ExtractChanged, name, "the document that was built"));
    }
    Ok(read)
}

fn check_names(manifest: &Manifest, found: &[String], findings: &mut Findings) {
    let own = ["manifest.json", "SHA256SUMS"];
    for name in found {
        let is_listed = manifest.files.iter().any(|listed| listed.path == *name);
        if !is_listed && !own.contains(&name.as_str()) {
            findings.push(finding(Code::ExtractFile, name, "no file that the manifest does not name"));
        }
    }
}

/// 1 if the file was there to be checked.
fn check_file(
    folder: &Path,
    listed: &Listed,
    found: &[String],
    findings: &mut Findings,
) -> Result<u64, VerifyError> {
    if !found.contains(&listed.path) {
        findings.push(finding(Code::ExtractFile, &listed.path, "the file to be there"));
        return Ok(0);
    }
    let path = folder.join(&listed.path);
    let bytes = std::fs::metadata(&path).map_err(failed(&path))?.len();
    if bytes != listed.bytes {
        let expected = format!("{} bytes, found {bytes}", listed.bytes);
        findings.push(finding(Code::ExtractChanged, &listed.path, &expected));
    } else if sha256(&path).map_err(failed(&path))? != listed.sha256 {
        findings.push(finding(Code::ExtractChanged, &listed.path, "the SHA-256 that the manifest names"));
    }
    Ok(1)
}

fn check_sums(folder: &Path, manifest: &Manifest, findings: &mut Findings) -> Result<(), VerifyError> {
    let path = folder.join("SHA256SUMS");
    let Ok(found) = std::fs::read_to_string(&path) else {
        findings.push(finding(Code::ExtractFile, "SHA256SUMS", "the file to be there"));
        return Ok(());
    };
    let own = folder.join("manifest.json");
    let own = sha256(&own).map_err(failed(&own))?;
    let files = manifest.files.iter().map(|listed| (listed.sha256.as_str(), listed.path.as_str()));
    if found != sums(files.chain([(own.as_str(), "manifest.json")])) {
        findings.push(finding(Code::ExtractChanged, "SHA256SUMS", "the sums of the manifest and its files"));
    }
    Ok(())
}

fn check_tables(
    folder: &Path,
    package: &Package,
    manifest: &Manifest,
    verified: &mut Verified,
    findings: &mut Findings,
) -> Result<(), VerifyError> {
    let mut keys = Keys::new();
    let mut referring = Vec::new();
    for resource in &package.resources {
        let listed = manifest.files.iter().find(|listed| listed.path == resource.path);
        let is_same = listed.is_some_and(|listed| {
            listed.bytes == resource.bytes && format!("sha256:{}", listed.sha256) == resource.hash
        });
        if !is_same {
            findings.push(finding(
                Code::ExtractShape,
                "datapackage.json",
                &format!("for `{}` the size and hash that the manifest names", resource.name),
            ));
        }
        let path = folder.join(&resource.path);
        if !path.is_file() {
            continue;
        }
        let mut sheet = Sheet { resource, findings, referred: Vec::new(), keys: BTreeSet::new() };
        let rows = sheet.check(&path)?;
        let Sheet { referred, keys: found, .. } = sheet;
        if listed.and_then(|listed| listed.rows) != Some(rows) {
            findings.push(finding(Code::ExtractShape, &resource.path, "as many rows as the manifest names"));
        }
        verified.rows.insert(resource.name.clone(), rows);
        keys.insert(resource.name.clone(), found);
        referring.extend(referred.into_iter().map(|reference| (resource, reference)));
    }
    for (resource, (table, column, value, line)) in referring {
        if !keys.get(&table).is_some_and(|known| known.contains(&value)) {
            let origin = Origin::file(&resource.path).at_line(line).in_column(&column);
            let expected = format!("a row of `{table}` that it refers to");
            findings.push(Finding::new(Code::ExtractShape, origin, expected));
        }
    }
    Ok(())
}

/// A table while it is checked.
struct Sheet<'c> {
    resource: &'c Resource,
    findings: &'c mut Findings,
    /// Table, column, value and line of each reference.
    referred: Vec<(String, String, String, u64)>,
    /// First key column.
    keys: BTreeSet<String>,
}

impl Sheet<'_> {
    fn check(&mut self, path: &Path) -> Result<u64, VerifyError> {
        let unreadable = |error: csv::Error| VerifyError { path: path.to_owned(), source: error.into() };
        let mut reader =
            csv::ReaderBuilder::new().has_headers(true).flexible(true).from_path(path).map_err(unreadable)?;
        let columns = &self.resource.schema.fields;
        let header = reader.byte_headers().map_err(unreadable)?;
        if header.len() != columns.len()
            || !header.iter().eq(columns.iter().map(|column| column.name.as_bytes()))
        {
            self.fault(1, None, "the columns of the data package, in their order");
        }
        let mut last: Vec<String> = Vec::new();
        let mut rows = 0;
        let mut record = csv::StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => rows += 1,
                Ok(false) => return Ok(rows),
                Err(error) => {
                    let line = error.position().map_or(rows + 2, csv::Position::line);
                    self.fault(line, None, "text in UTF-8");
                    return Ok(rows);
                }
            }
            let line = record.position().map_or(rows + 1, csv::Position::line);
            self.check_row(line, &record, &mut last);
        }
    }

    fn check_row(&mut self, line: u64, record: &csv::StringRecord, last: &mut Vec<String>) {
        let resource = self.resource;
        if record.len() != resource.schema.fields.len() {
            self.fault(line, None, "one cell for each column");
            return;
        }
        for (column, cell) in resource.schema.fields.iter().zip(record) {
            if let Some(expected) = unfit(column, cell, is_missing(resource, cell)) {
                self.fault(line, Some(&column.name), &expected);
            }
        }
        let cell = |name: &String| {
            let index = resource.schema.fields.iter().position(|column| column.name == *name)?;
            record.get(index).map(str::to_owned)
        };
        let key: Vec<String> = resource.schema.primary_key.iter().filter_map(cell).collect();
        if !key.is_empty() {
            if !last.is_empty() && key <= *last {
                self.fault(line, None, "rows sorted by their key, each key once");
            }
            self.keys.extend(key.first().cloned());
            *last = key;
        }
        for foreign in &resource.schema.foreign_keys {
            for column in &foreign.fields {
                let value = cell(column).filter(|value| !is_missing(resource, value));
                let to = foreign.reference.resource.clone();
                self.referred.extend(value.map(|value| (to, column.clone(), value, line)));
            }
        }
    }

    fn fault(&mut self, line: u64, column: Option<&str>, expected: &str) {
        let mut origin = Origin::file(&self.resource.path).at_line(line);
        if let Some(column) = column {
            origin = origin.in_column(column);
        }
        self.findings.push(Finding::new(Code::ExtractShape, origin, expected));
    }
}

fn is_missing(resource: &Resource, cell: &str) -> bool {
    resource.schema.missing_values.iter().any(|missing| missing.value == cell)
}

fn unfit(column: &Column, cell: &str, is_missing: bool) -> Option<String> {
    if is_missing {
        let is_required = column.constraints.as_ref().is_some_and(|constraints| constraints.required);
        return is_required.then(|| "a value".to_owned());
    }
    let is_coded = column.categories.iter().any(|category| match &category.value {
        serde_json::Value::String(text) => text == cell,
        other => {
            let text = other.to_string();
            text == cell
        }
    });
    if !column.categories.is_empty() && !is_coded {
        return Some("one of its categories".to_owned());
    }
    let holds: Option<Holds> = serde_json::from_value(column.holds.clone().into()).ok();
    match holds {
        Some(holds) if is_text_of(cell, holds) => None,
        _ => Some(format!("a value of type `{}`", column.holds)),
    }
}
