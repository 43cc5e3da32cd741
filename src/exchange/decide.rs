//! May this go to that partner, and what of it? Only what a live agreement lists, of a source it
//! lists, of somebody it is certain who they are and who has not objected; and never what is
//! withheld of a restricted person.

use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::exchange::agreement::Agreement;
use crate::exchange::objection::{self, Objection};
use crate::exchange::restricted::is_withheld;
use crate::record::draft::Draft;
use crate::record::kind::Kind;

/// Why nothing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// There is no agreement.
    NoAgreement,
    /// The agreement starts later.
    NotYet,
    /// The agreement has ended.
    Ended,
    /// The agreement does not list the source.
    SourceNotListed,
    /// The agreement does not list the kind.
    KindNotListed,
    /// It does not list a field by which the flow tells its occasion.
    OccasionNotListed,
    /// Of what the agreement lists, the record holds nothing.
    NothingListed,
    /// The person objected.
    Objected,
    /// It is in doubt who this is.
    IdentityInDoubt,
    /// The person is not known to a programme.
    NotKnown,
    /// Nothing is known of the person by which the partner would know them.
    NotNamed,
    /// The partner's layout has no place for it.
    NoPlace,
    /// The record is no longer as it was, or no longer in its source's file.
    Superseded,
}

impl Refusal {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::NoAgreement,
        Self::NotYet,
        Self::Ended,
        Self::SourceNotListed,
        Self::KindNotListed,
        Self::OccasionNotListed,
        Self::NothingListed,
        Self::Objected,
        Self::IdentityInDoubt,
        Self::NotKnown,
        Self::NotNamed,
        Self::NoPlace,
        Self::Superseded,
    ];

    /// The word on record and in counts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAgreement => "no-agreement",
            Self::NotYet => "not-yet",
            Self::Ended => "ended",
            Self::SourceNotListed => "source-not-listed",
            Self::KindNotListed => "kind-not-listed",
            Self::OccasionNotListed => "occasion-not-listed",
            Self::NothingListed => "nothing-listed",
            Self::Objected => "objected",
            Self::IdentityInDoubt => "identity-in-doubt",
            Self::NotKnown => "not-known",
            Self::NotNamed => "not-named",
            Self::NoPlace => "no-place",
            Self::Superseded => "superseded",
        }
    }

    /// What it means, for a person.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NoAgreement => "there is no agreement of that name",
            Self::NotYet => "the agreement has not started yet",
            Self::Ended => "the agreement has ended",
            Self::SourceNotListed => "the agreement does not list the source",
            Self::KindNotListed => "the agreement does not list this kind of record",
            Self::OccasionNotListed => "the agreement does not list a field that the flow goes by",
            Self::NothingListed => "of what the agreement lists, the record holds nothing",
            Self::Objected => "the person objected",
            Self::IdentityInDoubt => "it is in doubt who this is",
            Self::NotKnown => "the person is not known to a programme",
            Self::NotNamed => "nothing listed would tell the partner whom it is about",
            Self::NoPlace => "the partner's layout has no place for it",
            Self::Superseded => "the record has changed since, or is gone from its source",
        }
    }
}

/// How things stand with a person.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// A programme knows them.
    pub is_known: bool,
    /// It is in doubt who they are.
    pub is_in_doubt: bool,
    /// Some source has marked them as restricted.
    pub is_restricted: bool,
    /// What they said about agreements.
    pub objections: Vec<Objection>,
}

/// A record of a person, with its source.
pub struct Record<'r> {
    /// Its kind.
    pub kind: Kind,
    /// The source.
    pub source: &'r str,
    /// The source's own time of it.
    pub source_time: Option<Instant>,
    /// Its fields.
    pub draft: &'r Draft,
}

/// A record with nothing but what may go. Made here alone.
pub(super) struct ClearedRecord {
    pub(super) kind: Kind,
    pub(super) source_time: Option<Instant>,
    pub(super) draft: Draft,
}

/// What may go to one partner about one record: nothing else is ever written for a partner.
#[must_use]
pub struct Cleared {
    pub(super) partner: String,
    pub(super) records: Vec<ClearedRecord>,
    is_restricted: bool,
}

impl Cleared {
    /// Whether anything was looked for that is withheld of a restricted person.
    #[must_use]
    pub const fn is_restricted(&self) -> bool {
        self.is_restricted
    }

    /// The fields that go, by kind.
    pub fn fields(&self) -> impl Iterator<Item = (Kind, &'static str)> {
        self.records
            .iter()
            .flat_map(|record| record.draft.fields().iter().map(|(name, _)| (record.kind, *name)))
    }
}

/// Whether anything may go under an agreement on a day, whatever the record.
///
/// # Errors
/// Why not.
pub fn is_live(agreement: &Agreement, at: Day) -> Result<(), Refusal> {
    if at < agreement.starts {
        return Err(Refusal::NotYet);
    }
    if at > agreement.ends {
        return Err(Refusal::Ended);
    }
    Ok(())
}

/// Whether anything of a person may go under an agreement on a day.
///
/// # Errors
/// Why not.
pub fn may_go(agreement: &Agreement, standing: &Standing, at: Day) -> Result<(), Refusal> {
    is_live(agreement, at)?;
    if objection::stands(&standing.objections, &agreement.name, at) {
        return Err(Refusal::Objected);
    }
    if standing.is_in_doubt {
        return Err(Refusal::IdentityInDoubt);
    }
    if !standing.is_known {
        return Err(Refusal::NotKnown);
    }
    Ok(())
}

/// Decides about one record of a person. `people` are the person records of every source;
/// `occasion` are the fields by which the flow tells that there is anything to tell.
///
/// # Errors
/// Why nothing goes.
pub fn decide<'f>(
    agreement: Option<&Agreement>,
    standing: &Standing,
    record: &Record<'_>,
    people: &[Record<'_>],
    occasion: impl IntoIterator<Item = &'f str>,
    at: Day,
) -> Result<Cleared, Refusal> {
    let agreement = agreement.ok_or(Refusal::NoAgreement)?;
    may_go(agreement, standing, at)?;
    if !agreement.sources.iter().any(|source| source == record.source) {
        return Err(Refusal::SourceNotListed);
    }
    if agreement.kind(record.kind).is_none() {
        return Err(Refusal::KindNotListed);
    }
    if occasion.into_iter().any(|field| !agreement.lists(record.kind, field)) {
        return Err(Refusal::OccasionNotListed);
    }
    let person = merged(agreement, standing, people);
    if person.fields().is_empty() {
        return Err(Refusal::NotNamed);
    }
    let mut records = vec![ClearedRecord { kind: Kind::Person, source_time: None, draft: person }];
    if record.kind == Kind::Person {
        if let Some(first) = records.first_mut() {
            first.source_time = record.source_time;
        }
    } else {
        let draft = listed(agreement, standing, record.kind, record.draft);
        if draft.fields().is_empty() {
            return Err(Refusal::NothingListed);
        }
        records.push(ClearedRecord { kind: record.kind, source_time: record.source_time, draft });
    }
    Ok(Cleared { partner: agreement.partner.clone(), records, is_restricted: standing.is_restricted })
}

/// The listed fields of one record.
fn listed(agreement: &Agreement, standing: &Standing, kind: Kind, draft: &Draft) -> Draft {
    let mut kept = Draft::empty();
    for field in agreement.kind(kind).into_iter().flat_map(|shared| &shared.fields) {
        let value = draft.find(field.name).filter(|value| !matches!(value, Draft::Null));
        if let Some(value) = value.filter(|_| !(standing.is_restricted && is_withheld(field.name))) {
            kept.set(field.name, value.clone());
        }
    }
    kept
}

/// One person out of what the listed sources say: of each field, what the most trusted has.
fn merged(agreement: &Agreement, standing: &Standing, people: &[Record<'_>]) -> Draft {
    let mut ranked: Vec<(usize, &Record<'_>)> =
        people.iter().filter_map(|said| Some((agreement.rank(said.source)?, said))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut person = Draft::empty();
    for (_, said) in ranked {
        for (name, value) in listed(agreement, standing, Kind::Person, said.draft).fields() {
            if person.find(name).is_none() {
                person.set(name, value.clone());
            }
        }
    }
    person
}
