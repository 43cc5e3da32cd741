//! What linkage knows of a subject, and the batch in which subjects are compared.

use std::sync::Arc;

use zeroize::Zeroize;

use crate::base::day::Day;
use crate::base::id::SubjectId;
use crate::base::private::{Grant, Link, Private};
use crate::person::normalise;
use crate::record::kind::person::Person;
use crate::record::nhs_number;

/// What linkage knows of a subject, in normal form. Empty text and `None` are *not known*.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// A good NHS number.
    pub nhs_number: Option<String>,
    /// Identifier in the council's case system.
    pub council_id: Option<String>,
    /// Reference in the housing tracker.
    pub tracker_ref: Option<String>,
    /// Identifier at the trust.
    pub trust_id: Option<String>,
    /// Family name.
    pub family: String,
    /// An earlier family name.
    pub previous_family: String,
    /// First given name.
    pub given: String,
    /// Birth date; never a placeholder.
    pub birth: Option<Day>,
    /// Full postcode; never a pseudo postcode.
    pub postcode: String,
}

impl Features {
    /// The features of a person as one source describes them.
    #[must_use]
    pub fn of(person: &Person, grant: &Grant<Link>) -> Self {
        let name = |value| text(value, grant).map(normalise::name).unwrap_or_default();
        let id = |value| text(value, grant).map(|id| id.trim().to_uppercase());
        Self {
            nhs_number: text(person.nhs_number.as_ref(), grant)
                .filter(|digits| nhs_number::judge(digits) == nhs_number::Verdict::Good)
                .map(str::to_owned),
            council_id: id(person.council_id.as_ref()),
            tracker_ref: id(person.tracker_ref.as_ref()),
            trust_id: id(person.trust_id.as_ref()),
            family: name(person.family_name.as_ref()),
            previous_family: name(person.previous_family_name.as_ref()),
            given: name(person.given_name.as_ref()),
            birth: person
                .birth_date
                .as_ref()
                .map(|birth| *birth.open(grant))
                .filter(|birth| !normalise::is_placeholder(*birth)),
            postcode: text(person.postcode.as_ref(), grant).map(normalise::postcode).unwrap_or_default(),
        }
    }

    /// True if there is enough to tell who this is: a good NHS number, or a name and a birth date.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.nhs_number.is_some()
            || (self.birth.is_some() && !(self.family.is_empty() && self.given.is_empty()))
    }
}

fn text<'p>(value: Option<&'p Private<String>>, grant: &Grant<Link>) -> Option<&'p str> {
    value.map(|value| value.open(grant).as_str())
}

impl Zeroize for Features {
    fn zeroize(&mut self) {
        self.nhs_number.zeroize();
        self.council_id.zeroize();
        self.tracker_ref.zeroize();
        self.trust_id.zeroize();
        self.family.zeroize();
        self.previous_family.zeroize();
        self.given.zeroize();
        self.birth = None;
        self.postcode.zeroize();
    }
}

/// Subjects to be compared: one private column, opened once for the whole batch.
pub struct Subjects {
    heads: Vec<Head>,
    features: Private<Vec<Features>>,
}

/// What may be known of a subject without a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The subject.
    pub id: SubjectId,
    /// The source that knows them.
    pub source: Arc<str>,
}

impl Subjects {
    /// A batch of subjects.
    #[must_use]
    pub fn new(subjects: Vec<(Head, Features)>) -> Self {
        let (heads, features) = subjects.into_iter().unzip();
        Self { heads, features: Private::new(features) }
    }

    /// Heads and features, side by side.
    pub(in crate::person) fn open<'s>(
        &'s self,
        grant: &Grant<Link>,
    ) -> impl Iterator<Item = (&'s Head, &'s Features)> {
        self.heads.iter().zip(self.features.open(grant))
    }
}
