//! A directive: what one person decided about one study on one day.

use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::base::id::RecordId;
use crate::record::kind::consent::Consent;

/// What consent may be given to, each apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Statement {
    /// Case data may be evaluated. Nothing is released without it.
    UseCaseData,
    /// Housing records may be linked.
    LinkHousing,
    /// NHS records may be linked.
    LinkNhs,
    /// Written notes may be used.
    FreeText,
}

impl Statement {
    /// Every statement.
    pub const ALL: &'static [Self] = &[Self::UseCaseData, Self::LinkHousing, Self::LinkNhs, Self::FreeText];

    /// The name of its field in a consent record, which is its word everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UseCaseData => "use_case_data",
            Self::LinkHousing => "link_housing",
            Self::LinkNhs => "link_nhs",
            Self::FreeText => "free_text",
        }
    }

    /// The statement of that word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|statement| statement.as_str() == word)
    }
}

/// The answer to one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// The form did not ask, or nothing was ticked.
    NotAsked,
}

/// How far a withdrawal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// No more contact; the data may still be used.
    NoContact,
    /// Nothing new; what was released may be kept.
    NoNewData,
    /// Nothing from now on, and what was released is removed.
    NoFurtherUse,
}

impl Scope {
    /// The word in records and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoContact => "no-contact",
            Self::NoNewData => "no-new-data",
            Self::NoFurtherUse => "no-further-use",
        }
    }

    /// The scope of that word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        [Self::NoContact, Self::NoNewData, Self::NoFurtherUse].into_iter().find(|s| s.as_str() == word)
    }
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// Consent was given.
    Given,
    /// It was refused.
    Refused,
    /// It was withdrawn.
    Withdrawn(Scope),
}

/// What one person decided about one study on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The consent record it stands in.
    pub record: RecordId,
    /// The version of that record.
    pub version: u64,
    /// The study.
    pub study: String,
    /// The form.
    pub form: Option<String>,
    /// Its version.
    pub form_version: Option<String>,
    /// What was decided.
    pub decided: Decided,
    /// The day it was signed or said.
    pub decided_on: Day,
    /// The last day it holds.
    pub valid_to: Option<Day>,
    /// The answers, in the order of [`Statement::ALL`].
    pub answers: [Answer; 4],
    /// A second person has checked the form.
    pub is_checked: bool,
    /// When the gateway learnt of it.
    pub entered_at: Instant,
    /// The source's latest file no longer has it.
    pub is_absent: bool,
}

impl Directive {
    /// The directive that a consent record holds. `None` where it lacks what every directive has,
    /// so that it permits nothing.
    #[must_use]
    pub fn of(
        consent: &Consent,
        record: RecordId,
        version: u64,
        entered_at: Instant,
        is_absent: bool,
    ) -> Option<Self> {
        let answer = |value: &Option<String>| match value.as_deref() {
            Some("yes") => Answer::Yes,
            Some("no") => Answer::No,
            _ => Answer::NotAsked,
        };
        let decided = match consent.decision.as_deref()? {
            "given" => Decided::Given,
            "refused" => Decided::Refused,
            // A withdrawal that does not say how far it goes goes all the way.
            _ => Decided::Withdrawn(
                consent.withdrawal_scope.as_deref().and_then(Scope::find).unwrap_or(Scope::NoFurtherUse),
            ),
        };
        Some(Self {
            record,
            version,
            study: consent.study.clone()?,
            form: consent.form_code.clone(),
            form_version: consent.form_version.clone(),
            decided,
            decided_on: consent.decided_on?,
            valid_to: consent.valid_to,
            answers: [
                answer(&consent.use_case_data),
                answer(&consent.link_housing),
                answer(&consent.link_nhs),
                answer(&consent.free_text),
            ],
            is_checked: consent.checked == Some(true),
            entered_at,
            is_absent,
        })
    }

    /// The answer to a statement.
    #[must_use]
    pub fn answer(&self, statement: Statement) -> Answer {
        let [use_case_data, link_housing, link_nhs, free_text] = self.answers;
        match statement {
            Statement::UseCaseData => use_case_data,
            Statement::LinkHousing => link_housing,
            Statement::LinkNhs => link_nhs,
            Statement::FreeText => free_text,
        }
    }
}
