//! Everything known of one person at one moment, from every source, with its identity still
//! sealed: what both laying and making look at.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::base::id::{PersonId, RecordId};
use crate::base::private::Private;
use crate::base::seal::DataKey;
use crate::consent::decide::{Denied, Proof, When};
use crate::consent::directive::Directive;
use crate::exchange::objection::last_word;
use crate::gateway::{Gateway, GatewayError};
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::record::kind::consent::Consent;
use crate::record::schema;
use crate::record::typed;
use crate::release::gate::may_leave;
use crate::release::protocol::Protocol;
use crate::store::link;
use crate::store::record::{self, CurrentRecord};
use crate::store::restriction::{self, RestrictionRow};
use crate::store::subject::{self, SubjectRow};
use crate::store::{StoreError, Tx};

/// What one person decided, and whether it is certain who they are: as much as shows whether
/// anything may be told of them.
pub struct Wishes {
    /// The person.
    pub person: PersonId,
    /// Their subjects.
    pub subjects: Vec<SubjectRow>,
    /// Whether it is in doubt who they are.
    pub is_in_doubt: bool,
    /// Whether an officer has marked them as restricted.
    pub is_marked: bool,
    /// Their consent records.
    pub consents: Vec<CurrentRecord>,
    /// What those come to.
    pub directives: Vec<Directive>,
}

impl Wishes {
    /// Reads those of some people, in a few queries for all of them.
    ///
    /// # Errors
    /// Where the database fails, or something stored does not read back.
    pub fn list(tx: &mut Tx, people: &[String]) -> Result<Vec<Self>, StoreError> {
        let mut subjects: BTreeMap<String, Vec<SubjectRow>> = BTreeMap::new();
        for row in subject::list_of_people(tx, people)? {
            subjects.entry(row.person_id.clone().unwrap_or_default()).or_default().push(row);
        }
        let ids: Vec<String> = subjects.values().flatten().map(|row| row.id.clone()).collect();
        let doubts = link::list_doubts(tx, &ids)?;
        let in_doubt: BTreeSet<&String> =
            doubts.iter().flat_map(|doubt| [&doubt.subject_a, &doubt.subject_b]).collect();
        let mut marks: BTreeMap<String, Vec<RestrictionRow>> = BTreeMap::new();
        for mark in restriction::list(tx, &ids)? {
            marks.entry(mark.subject_id.clone()).or_default().push(mark);
        }
        let mut consents = by_subject(record::list_current_of_kind(tx, Kind::Consent.as_str(), &ids)?);
        let mut wishes = Vec::with_capacity(people.len());
        for person in people {
            let id =
                PersonId::from_str(person).map_err(|_id| StoreError::Unreadable { what: "person id" })?;
            let subjects = subjects.remove(person).unwrap_or_default();
            let is_in_doubt = subjects.is_empty() || subjects.iter().any(|row| in_doubt.contains(&row.id));
            let consents = of_subjects(&subjects, &mut consents);
            let directives =
                consents.iter().map(directive).filter_map(Result::transpose).collect::<Result<_, _>>()?;
            let is_marked = is_marked(subjects.iter().filter_map(|row| marks.get(&row.id)).flatten())?;
            wishes.push(Self { person: id, subjects, is_in_doubt, is_marked, consents, directives });
        }
        Ok(wishes)
    }

    /// Leave to release, for one study.
    ///
    /// # Errors
    /// Why there is none.
    pub fn proof(&self, study: &str, when: When) -> Result<Proof, Denied> {
        Proof::take(self.person, self.is_in_doubt, &self.directives, study, when)
    }

    /// The data keys of the subjects, by id.
    ///
    /// # Errors
    /// Where one does not open.
    pub fn data_keys(&self, gateway: &Gateway) -> Result<BTreeMap<String, DataKey>, GatewayError> {
        let mut keys = BTreeMap::new();
        for row in self.subjects.iter().filter(|row| row.wrapped_key.is_some()) {
            keys.insert(row.id.clone(), subject::data_key(&gateway.keys, row)?);
        }
        Ok(keys)
    }
}

/// Everything known of one person.
pub struct File {
    /// Who they are, and what they decided.
    pub wishes: Wishes,
    /// Their records, each with its current version, in order of kind and id.
    pub records: Vec<CurrentRecord>,
}

impl File {
    /// Reads the rest of what is known of some people, in one query for all of them.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn list(tx: &mut Tx, wishes: Vec<Wishes>) -> Result<Vec<Self>, StoreError> {
        let ids: Vec<String> =
            wishes.iter().flat_map(|wishes| &wishes.subjects).map(|row| row.id.clone()).collect();
        let mut records = by_subject(record::list_current(tx, &ids)?);
        let files = wishes.into_iter().map(|wishes| {
            let records = of_subjects(&wishes.subjects, &mut records);
            Self { wishes, records }
        });
        Ok(files.collect())
    }

    /// Records of a kind that stand: those no longer in their source's file are left out.
    pub fn standing(&self, kind: Kind) -> impl Iterator<Item = &CurrentRecord> {
        self.records.iter().filter(move |record| !record.is_absent && record.kind == kind.as_str())
    }

    /// The first day in the programme, among the episodes that may be used.
    #[must_use]
    pub fn start(&self, protocol: &Protocol, proof: &Proof) -> Option<Day> {
        self.standing(Kind::Episode)
            .filter(|episode| may_leave(protocol, proof, &episode.source).is_ok())
            .filter_map(|episode| body(episode)?.get("started_on")?.as_str()?.parse().ok())
            .min()
    }

    /// Whether any source, or an officer by hand, has marked them as restricted.
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        self.wishes.is_marked
            || self.records.iter().filter(|record| record.kind == Kind::Person.as_str()).any(|record| {
                body(record)
                    .is_some_and(|body| body.get("restricted") == Some(&serde_json::Value::Bool(true)))
            })
    }
}

/// Whether what officers said by hand comes to a restriction. A lifting that is dated later is not
/// entered in the first place.
fn is_marked<'r>(rows: impl Iterator<Item = &'r RestrictionRow>) -> Result<bool, StoreError> {
    let mut said = Vec::new();
    for row in rows {
        let day: Day =
            row.decided_on.parse().map_err(|_day| StoreError::Unreadable { what: "restriction" })?;
        said.push((day, row.decision == "lifted"));
    }
    let last = said.iter().map(|(day, _)| *day).max();
    Ok(last.is_some_and(|last| last_word(said, last)))
}

type BySubject = BTreeMap<String, Vec<CurrentRecord>>;

fn by_subject(records: Vec<CurrentRecord>) -> BySubject {
    let mut by_subject = BySubject::new();
    for record in records {
        by_subject.entry(record.subject_id.clone().unwrap_or_default()).or_default().push(record);
    }
    by_subject
}

/// Takes out the records of these subjects, in order of kind and id.
fn of_subjects(subjects: &[SubjectRow], records: &mut BySubject) -> Vec<CurrentRecord> {
    let mut taken: Vec<CurrentRecord> =
        subjects.iter().filter_map(|row| records.remove(&row.id)).flatten().collect();
    taken.sort_unstable_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
    taken
}

/// A record as a draft, its identity unsealed and still private.
///
/// # Errors
/// Where it does not open, or does not read back.
pub fn draft(record: &CurrentRecord, keys: &BTreeMap<String, DataKey>) -> Result<Draft, GatewayError> {
    let unreadable = || StoreError::Unreadable { what: "record" };
    let kind: Kind = record.kind.parse().map_err(|_kind| unreadable())?;
    let label = format!("{}/{}", record.id, record.number);
    let identity: Option<Private<Vec<u8>>> = match (&record.identity, &record.subject_id) {
        (Some(sealed), Some(subject)) => {
            let key = keys.get(subject).ok_or(StoreError::Unreadable { what: "key: it was shredded" })?;
            Some(key.unseal(&label, sealed)?)
        }
        _ => None,
    };
    Ok(typed::draft(schema::of(kind), &record.body, identity.as_ref()).map_err(|_misfit| unreadable())?)
}

/// The open half of a record.
fn body(record: &CurrentRecord) -> Option<serde_json::Value> {
    serde_json::from_str(&record.body).ok()
}

/// The directive of a consent record. What it needs stands in the open half.
fn directive(record: &CurrentRecord) -> Result<Option<Directive>, StoreError> {
    let unreadable = || StoreError::Unreadable { what: "consent record" };
    let consent: Consent = typed::read(&record.body, None).map_err(|_misfit| unreadable())?;
    let id = RecordId::from_str(&record.id).map_err(|_id| unreadable())?;
    let entered_at: Instant = record.arrived_at.parse().map_err(|_at| unreadable())?;
    let version = u64::try_from(record.number).unwrap_or_default();
    Ok(Directive::of(&consent, id, version, entered_at, record.is_absent))
}
