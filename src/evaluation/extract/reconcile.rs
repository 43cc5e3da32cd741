//! What stands against what the release says must stand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::evaluation::door::protocol::Field;
use crate::evaluation::extract::ExtractError;
use crate::evaluation::store::standing::{Snapshot, Standing};

/// One kind of which another number stands than must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `people`, a kind, or what is wrong with one.
    pub what: String,
    /// How many must stand.
    pub expected: i64,
    /// How many do.
    pub found: i64,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.what, self.expected, self.found)
    }
}

/// Checks that exactly what the release says stands. Returns how many people do.
///
/// # Errors
/// Every kind that differs.
pub fn reconcile(snapshot: &Snapshot) -> Result<u64, ExtractError> {
    let mut stand: BTreeMap<&str, i64> = BTreeMap::new();
    for (kind, rows) in &snapshot.records {
        stand.insert(kind, count(rows.len()));
    }
    if !snapshot.settings.is_empty() {
        stand.insert("setting", count(snapshot.settings.len()));
    }
    let people = people(snapshot).len();
    stand.insert("people", count(people));

    let totals = &snapshot.release.totals;
    let names: BTreeSet<&str> = stand.keys().copied().chain(totals.keys().map(String::as_str)).collect();
    let mut differences: Vec<Difference> = names
        .into_iter()
        .filter_map(|name| {
            let expected = totals.get(name).copied().unwrap_or_default();
            let found = stand.get(name).copied().unwrap_or_default();
            (expected != found).then(|| Difference { what: name.to_owned(), expected, found })
        })
        .collect();
    differences.extend(within(snapshot));
    if differences.is_empty() {
        return Ok(u64::try_from(people).unwrap_or(u64::MAX));
    }
    Err(ExtractError::Unreconciled(differences))
}

/// The pseudonyms of everybody of whom something stands.
pub(crate) fn people(snapshot: &Snapshot) -> BTreeSet<&str> {
    snapshot.records.values().flatten().map(|row| row.pseudonym.as_str()).collect()
}

/// What the tables need of each other.
fn within(snapshot: &Snapshot) -> Vec<Difference> {
    let mut differences = Vec::new();
    let protocol = &snapshot.release.protocol;
    for (kind, rows) in &snapshot.records {
        if !protocol.kinds.iter().any(|released| released.kind == *kind) {
            let what = format!("{kind}, which the protocol does not release");
            differences.push(Difference { what, expected: 0, found: count(rows.len()) });
        }
    }
    let persons = snapshot.records.get("person").map(Vec::as_slice).unwrap_or_default();
    let distinct: BTreeSet<&str> = persons.iter().map(|row| row.pseudonym.as_str()).collect();
    if distinct.len() != persons.len() {
        let what = "person records, at most one for each pseudonym".to_owned();
        differences.push(Difference { what, expected: count(distinct.len()), found: count(persons.len()) });
    }
    let settings: BTreeSet<&str> = snapshot.settings.iter().map(|row| row.name.as_str()).collect();
    let mut unknown = BTreeSet::new();
    for released in &protocol.kinds {
        let refers: Vec<&Field> =
            released.fields.iter().filter(|field| field.refers_to.as_deref() == Some("setting")).collect();
        if refers.is_empty() {
            continue;
        }
        for row in snapshot.records.get(&released.kind).into_iter().flatten() {
            unknown
                .extend(referred(row, &refers).into_iter().filter(|name| !settings.contains(name.as_str())));
        }
    }
    if !unknown.is_empty() {
        let what = "settings that are referred to and do not stand".to_owned();
        differences.push(Difference { what, expected: 0, found: count(unknown.len()) });
    }
    differences
}

fn referred(row: &Standing, refers: &[&Field]) -> Vec<String> {
    let Ok(fields) = serde_json::from_str::<serde_json::Value>(&row.fields) else {
        return Vec::new();
    };
    let refer = |field: &&Field| fields.get(&field.name)?.as_str().map(str::to_owned);
    refers.iter().filter_map(refer).collect()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
