//! May this be released? Only a consent that was given, is in date, was checked, names its form
//! and says yes, and that nothing later or of the same day speaks against, is a yes.
//!
//! What counts is the day of the decision, not the day it was entered: a withdrawal is never
//! overridden by a consent that was signed earlier and entered later. No setting changes that.

use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::base::id::{PersonId, RecordId};
use crate::consent::directive::{Answer, Decided, Directive, Scope, Statement};

/// The instant and day for which a verdict is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The day on which something would be released.
    pub at: Day,
    /// What the gateway knew by then.
    pub known_at: Instant,
}

/// What a yes rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The form.
    pub form: String,
    /// Its version.
    pub form_version: String,
    /// The day it was signed.
    pub decided_on: Day,
    /// The consent record, and its version.
    pub record: (RecordId, u64),
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Denied {
    /// Nobody asked, or nothing is known of an answer.
    NoConsent,
    /// The person refused.
    Refused,
    /// The person withdrew consent.
    Withdrawn,
    /// Two decisions of one day disagree.
    Disagreeing,
    /// The form says no to this.
    SaidNo,
    /// The form did not ask this.
    NotAsked,
    /// Nobody has checked the form yet.
    NotChecked,
    /// The consent is dated in the future.
    NotYet,
    /// The consent has run out.
    Expired,
    /// The record does not say which form was signed.
    FormNotNamed,
    /// The source no longer has the consent.
    Gone,
    /// It is in doubt whose consent this is.
    IdentityInDoubt,
}

impl Denied {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::NoConsent,
        Self::Refused,
        Self::Withdrawn,
        Self::Disagreeing,
        Self::SaidNo,
        Self::NotAsked,
        Self::NotChecked,
        Self::NotYet,
        Self::Expired,
        Self::FormNotNamed,
        Self::Gone,
        Self::IdentityInDoubt,
    ];

    /// The word in counts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoConsent => "no-consent",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Disagreeing => "disagreeing",
            Self::SaidNo => "said-no",
            Self::NotAsked => "not-asked",
            Self::NotChecked => "not-checked",
            Self::NotYet => "not-yet",
            Self::Expired => "expired",
            Self::FormNotNamed => "form-not-named",
            Self::Gone => "gone",
            Self::IdentityInDoubt => "identity-in-doubt",
        }
    }

    /// What it means, for a person.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NoConsent => "nobody asked, or no answer is on record",
            Self::Refused => "the person refused",
            Self::Withdrawn => "the person withdrew consent",
            Self::Disagreeing => "two decisions of one day disagree",
            Self::SaidNo => "the form says no",
            Self::NotAsked => "the form did not ask",
            Self::NotChecked => "nobody has checked the form yet",
            Self::NotYet => "the consent is dated in the future",
            Self::Expired => "the consent has run out",
            Self::FormNotNamed => "the record does not say which form was signed",
            Self::Gone => "the source no longer has the consent",
            Self::IdentityInDoubt => "it is in doubt who this is",
        }
    }
}

/// Yes or no, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Permit(Evidence),
    /// No.
    Deny(Denied),
}

impl Verdict {
    /// True for a yes.
    #[must_use]
    pub const fn is_permit(&self) -> bool {
        matches!(self, Self::Permit(_))
    }
}

/// Decides for one statement.
#[must_use]
pub fn decide(directives: &[Directive], study: &str, statement: Statement, when: When) -> Verdict {
    match newest(directives, study, when) {
        Ok(newest) => judge(&newest, statement, when.at),
        Err(denied) => Verdict::Deny(denied),
    }
}

/// How far the withdrawal that stands reaches, and its day; `None` where none stands.
#[must_use]
pub fn withdrawal(directives: &[Directive], study: &str, when: When) -> Option<(Scope, Day)> {
    let last = known(directives, study, when).map(|directive| directive.decided_on).max()?;
    known(directives, study, when)
        .filter(|directive| directive.decided_on == last)
        .filter_map(|directive| match directive.decided {
            Decided::Withdrawn(scope) => Some((scope, directive.decided_on)),
            Decided::Given | Decided::Refused => None,
        })
        .max()
}

/// What the gateway knew of this study then. A withdrawal of contact alone says nothing of data.
fn known<'d>(directives: &'d [Directive], study: &'d str, when: When) -> impl Iterator<Item = &'d Directive> {
    directives.iter().filter(move |directive| {
        directive.study == study
            && directive.entered_at <= when.known_at
            && directive.decided != Decided::Withdrawn(Scope::NoContact)
    })
}

/// The consents of the last day on which anything was decided, if all of that day were given.
fn newest<'d>(directives: &'d [Directive], study: &'d str, when: When) -> Result<Vec<&'d Directive>, Denied> {
    let last = known(directives, study, when)
        .map(|directive| directive.decided_on)
        .max()
        .ok_or(Denied::NoConsent)?;
    let newest: Vec<&Directive> =
        known(directives, study, when).filter(|directive| directive.decided_on == last).collect();
    let is_given = |directive: &&Directive| directive.decided == Decided::Given;
    let against = newest.iter().find(|directive| !is_given(directive));
    match against.map(|directive| directive.decided) {
        None => Ok(newest),
        Some(_) if newest.iter().any(is_given) => Err(Denied::Disagreeing),
        Some(Decided::Refused) => Err(Denied::Refused),
        Some(_) => Err(Denied::Withdrawn),
    }
}

/// All of them must permit.
fn judge(newest: &[&Directive], statement: Statement, at: Day) -> Verdict {
    let mut permitted = None;
    for directive in newest {
        match judge_one(directive, statement, at) {
            Ok(evidence) => permitted = permitted.or(Some(evidence)),
            Err(denied) => return Verdict::Deny(denied),
        }
    }
    permitted.map_or(Verdict::Deny(Denied::NoConsent), Verdict::Permit)
}

fn judge_one(directive: &Directive, statement: Statement, at: Day) -> Result<Evidence, Denied> {
    if directive.is_absent {
        return Err(Denied::Gone);
    }
    if directive.decided_on > at {
        return Err(Denied::NotYet);
    }
    if directive.valid_to.is_some_and(|last| last < at) {
        return Err(Denied::Expired);
    }
    if !directive.is_checked {
        return Err(Denied::NotChecked);
    }
    match directive.answer(statement) {
        Answer::Yes => {}
        Answer::No => return Err(Denied::SaidNo),
        Answer::NotAsked => return Err(Denied::NotAsked),
    }
    let (Some(form), Some(form_version)) = (&directive.form, &directive.form_version) else {
        return Err(Denied::FormNotNamed);
    };
    Ok(Evidence {
        form: form.clone(),
        form_version: form_version.clone(),
        decided_on: directive.decided_on,
        record: (directive.record, directive.version),
    })
}

/// Leave to release something of one person to one study. Made only by [`Proof::take`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    person: PersonId,
    study: String,
    evidence: Evidence,
    verdicts: [Verdict; 4],
}

impl Proof {
    /// Decides for every statement. A person in doubt has no consent of their own; without leave
    /// to use case data there is no proof.
    ///
    /// # Errors
    /// Why nothing may be released.
    pub fn take(
        person: PersonId,
        is_in_doubt: bool,
        directives: &[Directive],
        study: &str,
        when: When,
    ) -> Result<Self, Denied> {
        if is_in_doubt {
            return Err(Denied::IdentityInDoubt);
        }
        let ask = |statement| decide(directives, study, statement, when);
        match ask(Statement::UseCaseData) {
            Verdict::Deny(denied) => Err(denied),
            Verdict::Permit(evidence) => {
                let verdicts = [
                    Verdict::Permit(evidence.clone()),
                    ask(Statement::LinkHousing),
                    ask(Statement::LinkNhs),
                    ask(Statement::FreeText),
                ];
                Ok(Self { person, study: study.to_owned(), evidence, verdicts })
            }
        }
    }

    /// Whose consent it is.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        self.person
    }

    /// The study it is for.
    #[must_use]
    pub fn study(&self) -> &str {
        &self.study
    }

    /// What it rests on.
    #[must_use]
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The verdict on one statement.
    #[must_use]
    pub const fn verdict(&self, statement: Statement) -> &Verdict {
        let [use_case_data, link_housing, link_nhs, free_text] = &self.verdicts;
        match statement {
            Statement::UseCaseData => use_case_data,
            Statement::LinkHousing => link_housing,
            Statement::LinkNhs => link_nhs,
            Statement::FreeText => free_text,
        }
    }
}
