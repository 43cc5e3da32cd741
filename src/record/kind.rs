//! The kinds of record, and the struct that is the twin of each kind's schema.

pub mod accommodation;
pub mod activity;
pub mod consent;
pub mod contact;
pub mod episode;
pub mod event;
pub mod goal;
pub mod involvement;
pub mod measurement;
pub mod milestone;
pub mod person;
pub mod service;
pub mod setting;
pub mod star;
pub mod support;

use std::fmt;
use std::str::FromStr;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident, $word:literal;)*) => {
        /// A kind of record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind, in the order of the design.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word used in mappings, tables and file names.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Its JSON Schema, as published.
            #[must_use]
            pub const fn schema(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!("../../schemas/record/", $word, ".json")),)*
                }
            }
        }
    };
}

kinds! {
    /// Who somebody is.
    Person, "person";
    /// What they said to being part of a study.
    Consent, "consent";
    /// Programme participation.
    Episode, "episode";
    /// A spell of living in one place.
    Accommodation, "accommodation";
    /// A funded service.
    Service, "service";
    /// A request, assessment or review.
    Event, "event";
    /// A Recovery Star reading.
    Star, "star";
    /// A score of another instrument.
    Measurement, "measurement";
    /// A goal.
    Goal, "goal";
    /// An activity of the programme.
    Milestone, "milestone";
    /// An NHS contact or stay.
    Contact, "contact";
    /// Education, training, work or leisure.
    Activity, "activity";
    /// A worker's role for a person.
    Involvement, "involvement";
    /// Support given in a period.
    Support, "support";
    /// A care home, landlord or provider; no person.
    Setting, "setting";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a word names no kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of record")]
pub struct NotAKind;

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(word: &str) -> Result<Self, NotAKind> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word).ok_or(NotAKind)
    }
}
