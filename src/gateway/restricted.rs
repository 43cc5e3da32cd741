//! Who is restricted: asked by whoever shows that something of a person is there, or what it says.
//! Only a named role is shown that, one whose key may see it or who asks for it by name at the command
//! line, and each look is on record.

use std::collections::BTreeSet;

use crate::gateway::release::file::{File, Wishes};
use crate::gateway::{Gateway, GatewayError};
use crate::store::{StoreError, Tx, audit, record, restriction, subject};

/// Everybody who is restricted.
#[derive(Debug, Default)]
pub struct Restricted {
    people: BTreeSet<String>,
    sources: BTreeSet<String>,
}

impl Restricted {
    /// Reads who is, by what any source or an officer says.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn read(tx: &mut Tx) -> Result<Self, StoreError> {
        let flagged = restriction::list_flagged(tx)?;
        let subjects = subject::find(tx, &flagged)?;
        let mut restricted = Self::default();
        let mut people: BTreeSet<String> = BTreeSet::new();
        for row in subjects {
            match row.person_id {
                Some(person) => {
                    people.insert(person);
                }
                // Whose it is will be known when it is linked; until then it is as it says.
                None => {
                    restricted.sources.insert(row.source);
                }
            }
        }
        let people: Vec<String> = people.into_iter().collect();
        let wishes = Wishes::list(tx, &people)?;
        for file in File::list(tx, wishes)?.iter().filter(|file| file.is_restricted()) {
            restricted.people.insert(file.wishes.person.to_string());
            restricted.sources.extend(file.wishes.subjects.iter().map(|row| row.source.clone()));
        }
        Ok(restricted)
    }

    /// Whether a person is.
    #[must_use]
    pub fn is(&self, person: &str) -> bool {
        self.people.contains(person)
    }

    /// Whether a source knows anybody who is, so that what it sent may be about them as long as nobody
    /// has read whose it is.
    #[must_use]
    pub fn is_any_of(&self, source: &str) -> bool {
        self.sources.contains(source)
    }
}

/// Whether a source knows anybody who is restricted.
///
/// # Errors
/// Where the store fails.
pub fn is_any_of(gateway: &Gateway, source: &str) -> Result<bool, GatewayError> {
    Ok(gateway.store.read(Restricted::read)?.is_any_of(source))
}

/// Whether a record is of a restricted person.
///
/// # Errors
/// Where the store fails.
pub fn is_record(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    let current = record::find_current(tx, &[id.to_owned()])?.into_iter().next();
    let Some(subject) = current.and_then(|found| found.subject_id) else { return Ok(false) };
    let row = subject::find(tx, std::slice::from_ref(&subject))?.pop();
    match row.and_then(|row| row.person_id) {
        Some(person) => {
            let wishes = Wishes::list(tx, &[person])?;
            Ok(File::list(tx, wishes)?.iter().any(File::is_restricted))
        }
        None => Ok(restriction::list_flagged(tx)?.contains(&subject)),
    }
}

/// Writes down that somebody was shown what is of restricted people.
///
/// # Errors
/// Where the store fails.
pub fn note_seen(gateway: &Gateway, by: &str, what: &str, count: usize) -> Result<(), GatewayError> {
    let (at, count) = (gateway.edge.now(), i64::try_from(count).unwrap_or(i64::MAX));
    gateway.store.write(|tx| audit::append_act(tx, by, "restricted-seen", "show", what, count, at))?;
    Ok(())
}
