//! What is wrong with the data: a value, returned with the result, never an error.
//!
//! The codes stand in one table, [`table`]. A finding says where, what was expected and what to
//! do, and never contains the offending value.

pub mod table;

use std::collections::BTreeMap;
use std::fmt;

use crate::base::limit::FINDINGS_KEPT_MAX;
use crate::base::origin::Origin;
pub use table::Code;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing was lost.
    Note,
    /// Accepted, but somebody should look.
    Warning,
    /// The unit was refused or set aside.
    Error,
}

impl Severity {
    /// The word used in tables, JSON and on the page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One fault of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which fault, from the one table.
    pub code: Code,
    /// How much it matters here; the table gives the usual one.
    pub severity: Severity,
    /// Where it stands.
    pub origin: Origin,
    /// What was expected, and, where it tells nothing about a person, what was found.
    pub expected: String,
    /// What to do about it. Empty where the table's own advice says enough.
    pub hint: String,
}

impl Finding {
    /// A finding of the code's usual severity.
    #[must_use]
    pub fn new(code: Code, origin: Origin, expected: impl Into<String>) -> Self {
        Self { code, severity: code.severity(), origin, expected: expected.into(), hint: String::new() }
    }

    /// The same finding with advice of its own.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The same finding with another severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The advice: its own, or the table's.
    #[must_use]
    pub fn advice(&self) -> &str {
        if self.hint.is_empty() { self.code.advice() } else { &self.hint }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.origin, self.expected, self.code.as_str())
    }
}

/// Findings collected all at once, bounded: the first are kept whole, the rest counted by code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    kept: Vec<Finding>,
    counts: BTreeMap<(Code, Severity), u64>,
}

impl Findings {
    /// Adds one; keeps it whole while there is room.
    pub fn push(&mut self, finding: Finding) {
        *self.counts.entry((finding.code, finding.severity)).or_default() += 1;
        if self.kept.len() < FINDINGS_KEPT_MAX {
            self.kept.push(finding);
        }
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: Self) {
        for (key, count) in other.counts {
            *self.counts.entry(key).or_default() += count;
        }
        let room = FINDINGS_KEPT_MAX.saturating_sub(self.kept.len());
        self.kept.extend(other.kept.into_iter().take(room));
    }

    /// Those kept whole, in the order they were found.
    #[must_use]
    pub fn kept(&self) -> &[Finding] {
        &self.kept
    }

    /// How many of each code and severity, kept or not.
    pub fn counts(&self) -> impl Iterator<Item = (Code, Severity, u64)> + '_ {
        self.counts.iter().map(|((code, severity), count)| (*code, *severity, *count))
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// True if none was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The worst severity found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.counts.keys().map(|(_, severity)| *severity).max()
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(iter: I) -> Self {
        let mut findings = Self::default();
        for finding in iter {
            findings.push(finding);
        }
        findings
    }
}
