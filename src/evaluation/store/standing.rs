//! What stands, as an extract reads it: all as of one moment.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use serde::Serialize;

use crate::base::limit::REPLACEMENTS_MAX;
use crate::evaluation::collect::ground::{Edge, Ground};
use crate::evaluation::door::{Aggregate, Position, ReleaseClosed, Scope};
use crate::evaluation::store::row::ExtractRow;
use crate::evaluation::store::table::{
    aggregate, closed_release, extract, record, setting, subject, withdrawal,
};
use crate::evaluation::store::{Either, Store, StoreError, on_both};

/// A record or setting that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Pseudonym of the person; empty for a setting.
    pub pseudonym: String,
    /// Pseudonym of the record or setting.
    pub name: String,
    /// Fields as JSON.
    pub fields: String,
    /// Why fields have no value, as JSON.
    pub missing: Option<String>,
}

/// Everything of one study as an extract of one release needs it.
pub struct Snapshot {
    /// The release.
    pub release: ReleaseClosed,
    /// Standing records by kind, sorted by pseudonym and record.
    pub records: BTreeMap<String, Vec<Standing>>,
    /// Standing settings, sorted.
    pub settings: Vec<Standing>,
    /// Tables of the release, sorted by name.
    pub aggregates: Vec<Aggregate>,
}

/// A release that has been closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Queryable)]
pub struct Closed {
    /// Study.
    pub study: String,
    /// The release.
    pub release: String,
    /// Instant up to which records were taken.
    pub cut_off: String,
}

impl Store {
    /// Closed releases of a study, or of all, oldest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn list_releases(&mut self, study: Option<&str>) -> Result<Vec<Closed>, StoreError> {
        self.read(|either| {
            let query = closed_release::table
                .select((closed_release::study, closed_release::release, closed_release::cut_off))
                .order((closed_release::study, closed_release::cut_off, closed_release::release));
            let all: Vec<Closed> = query.load(either)?;
            Ok(all.into_iter().filter(|closed| study.is_none_or(|study| closed.study == study)).collect())
        })
    }

    /// Everything that an extract of a release needs; `None` where no such release is closed.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn snapshot(&mut self, study: &str, release: &str) -> Result<Option<Snapshot>, StoreError> {
        self.read(|either| {
            let body: Option<String> = closed_release::table
                .find((study, release))
                .select(closed_release::body)
                .first(either)
                .optional()?;
            let Some(body) = body else {
                return Ok(None);
            };
            // The error could quote the document, so it is dropped.
            let release_closed: ReleaseClosed = serde_json::from_str(&body)
                .map_err(|_quoting| StoreError::Document { what: "closed release" })?;
            Ok(Some(Snapshot {
                release: release_closed,
                records: records(either, study)?,
                settings: settings(either, study)?,
                aggregates: aggregates(either, study, release)?,
            }))
        })
    }

    /// Notes that an extract has been built.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn note_extract(&mut self, row: &ExtractRow) -> Result<(), StoreError> {
        self.write(|either| {
            let place = extract::table.find((&row.extract_id, &row.folder));
            diesel::delete(place).execute(either)?;
            diesel::insert_into(extract::table).values(row).execute(either)?;
            Ok(())
        })
    }

    /// Pseudonyms whose people withdrew from further use, and of whom nothing stands.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn list_withdrawn(&mut self, study: &str) -> Result<BTreeSet<String>, StoreError> {
        self.read(|either| {
            let query = withdrawal::table
                .filter(withdrawal::study.eq(study))
                .filter(withdrawal::scope.eq(Scope::NoFurtherUse.as_str()))
                .select(withdrawal::pseudonym);
            let mut withdrawn: BTreeSet<String> = query.load(either)?.into_iter().collect();
            for row in records(either, study)?.values().flatten() {
                withdrawn.remove(&row.pseudonym);
            }
            Ok(withdrawn)
        })
    }

    /// Extracts that were built, by study and release.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn list_extracts(&mut self) -> Result<Vec<ExtractRow>, StoreError> {
        self.read(|either| {
            let rows = extract::table
                .order((extract::study, extract::release, extract::extract_id, extract::folder))
                .load(either)?;
            Ok(rows)
        })
    }
}

type Row = (String, String, String, String, Option<String>, Option<String>);

fn records(either: &mut Either, study: &str) -> Result<BTreeMap<String, Vec<Standing>>, StoreError> {
    let ground = replacements(either, study)?;
    let query = record::table.filter(record::study.eq(study)).select((
        record::kind,
        record::owner,
        record::record_pseudonym,
        record::pseudonym,
        record::fields,
        record::missing,
    ));
    let rows: Vec<Row> = query.load(either)?;
    let mut sent: BTreeMap<Which, Vec<Sent>> = BTreeMap::new();
    for (kind, owner, name, sent_under, fields, missing) in rows {
        // A record sent under the pseudonym that stands hides one that moved here; of two that
        // moved, the one with the shorter way does.
        let distance =
            if sent_under == owner { 0 } else { ground.path(&sent_under).len().min(REPLACEMENTS_MAX) };
        let standing =
            fields.map(|fields| Standing { pseudonym: owner.clone(), name: name.clone(), fields, missing });
        // Somebody has one person record, also after two proved to be one.
        let is_person = kind == "person";
        let which = Which { kind, owner, name: if is_person { String::new() } else { name } };
        sent.entry(which).or_default().push(Sent { distance, under: sent_under, standing });
    }
    let mut kinds: BTreeMap<String, Vec<Standing>> = BTreeMap::new();
    for (which, mut rows) in sent {
        rows.sort_by(|one, other| (one.distance, &one.under).cmp(&(other.distance, &other.under)));
        let nearest = rows.first().map(|row| (row.distance, row.under.clone()));
        let near = rows.into_iter().filter(|row| nearest == Some((row.distance, row.under.clone())));
        kinds.entry(which.kind).or_default().extend(near.filter_map(|row| row.standing));
    }
    kinds.retain(|_kind, rows| !rows.is_empty());
    Ok(kinds)
}

/// A record of somebody, whichever pseudonym it was sent under.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Which {
    kind: String,
    owner: String,
    name: String,
}

/// A record as it was sent under one pseudonym.
struct Sent {
    distance: usize,
    under: String,
    standing: Option<Standing>,
}

fn replacements(either: &mut Either, study: &str) -> Result<Ground, StoreError> {
    let query = subject::table
        .filter(subject::study.eq(study))
        .filter(subject::superseded_by.is_not_null())
        .select((
            subject::pseudonym,
            subject::superseded_by.assume_not_null(),
            subject::superseded_incarnation.assume_not_null(),
            subject::superseded_sequence.assume_not_null(),
        ));
    let rows: Vec<(String, String, i64, i64)> = on_both!(either, connection => query.load(connection))?;
    let mut ground = Ground::default();
    for (pseudonym, to, incarnation, sequence) in rows {
        ground.replace(pseudonym, Edge { to, at: Position { incarnation, sequence } });
    }
    Ok(ground)
}

fn settings(either: &mut Either, study: &str) -> Result<Vec<Standing>, StoreError> {
    let query = setting::table.filter(setting::study.eq(study)).select((
        setting::setting_pseudonym,
        setting::fields,
        setting::missing,
    ));
    let rows: Vec<(String, String, Option<String>)> = query.load(either)?;
    let mut settings: Vec<Standing> = rows
        .into_iter()
        .map(|(name, fields, missing)| Standing { pseudonym: String::new(), name, fields, missing })
        .collect();
    // Here and not in the query: databases differ in how they order text.
    settings.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(settings)
}

fn aggregates(either: &mut Either, study: &str, release: &str) -> Result<Vec<Aggregate>, StoreError> {
    let query = aggregate::table
        .filter(aggregate::study.eq(study))
        .filter(aggregate::release.eq(release))
        .select(aggregate::body);
    let bodies: Vec<String> = query.load(either)?;
    let mut aggregates: Vec<Aggregate> = bodies
        .iter()
        .map(|body| serde_json::from_str(body))
        .collect::<Result<_, _>>()
        .map_err(|_quoting| StoreError::Document { what: "aggregate" })?;
    aggregates.sort_by(|one, other| one.table.cmp(&other.table));
    Ok(aggregates)
}
