//! The ledger of a run: one outcome a unit, and its findings.

use std::collections::BTreeMap;

use crate::base::finding::{Code, Finding, Findings, Severity};
use crate::base::limit::FINDINGS_KEPT_MAX;
use crate::base::seal::KeyedHash;
use crate::gateway::{Gateway, GatewayError};
use crate::store::finding::{self, RunFinding};
use crate::store::run::Run;
use crate::store::{StoreError, Tx};

/// What became of a unit: exactly one of these, the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It cannot be read, or is wrong.
    Rejected,
    /// It is set aside.
    Quarantined,
    /// It is the same again.
    Duplicate,
    /// No record takes it, or it is of somebody out of scope.
    Filtered,
    /// A record is new or changed by it.
    Accepted,
    /// It says what was known.
    Unchanged,
}

impl Outcome {
    /// The word for it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Quarantined => "quarantined",
            Self::Duplicate => "duplicate",
            Self::Filtered => "filtered",
            Self::Accepted => "accepted",
            Self::Unchanged => "unchanged",
        }
    }

    /// Counts a unit.
    pub(super) fn count(self, run: &mut Run) {
        run.received += 1;
        *match self {
            Self::Rejected => &mut run.rejected,
            Self::Quarantined => &mut run.quarantined,
            Self::Duplicate => &mut run.duplicate,
            Self::Filtered => &mut run.filtered,
            Self::Accepted => &mut run.accepted,
            Self::Unchanged => &mut run.unchanged,
        } += 1;
    }
}

/// The findings of a run: how many of each code, and those not written yet.
#[derive(Clone, Default)]
pub(super) struct Tally {
    counts: BTreeMap<(&'static str, &'static str), i64>,
    changed: BTreeMap<(&'static str, &'static str), i64>,
    /// Each with what its unit is about, where that is known.
    waiting: Vec<(Finding, Option<KeyedHash>)>,
    kept: usize,
    /// Whether what was found about the file as a whole is counted already.
    pub(super) has_file_findings: bool,
}

impl Tally {
    /// The tally of a run so far, which another process may have begun.
    pub(super) fn load(gateway: &Gateway, run: &Run) -> Result<Self, GatewayError> {
        if run.position == 0 {
            return Ok(Self::default());
        }
        let (kept, counts) = gateway.store.read(|tx| {
            Ok::<_, GatewayError>((finding::list(tx, &run.id)?.len(), finding::list_counts(tx, &run.id)?))
        })?;
        let mut tally = Self { kept, has_file_findings: true, ..Self::default() };
        for row in counts {
            let severity = [Severity::Note, Severity::Warning, Severity::Error]
                .into_iter()
                .find(|s| s.as_str() == row.severity);
            if let (Some(code), Some(severity)) = (Code::find(&row.code), severity) {
                tally.counts.insert((code.as_str(), severity.as_str()), row.count);
            }
        }
        Ok(tally)
    }

    /// Counts a finding, and keeps it whole while there is room.
    pub(super) fn add(&mut self, finding: Finding) {
        self.add_about(finding, None);
    }

    /// The same, of a unit that is about something.
    pub(super) fn add_about(&mut self, finding: Finding, about: Option<KeyedHash>) {
        self.count(finding.code, finding.severity, 1);
        if self.kept + self.waiting.len() < FINDINGS_KEPT_MAX {
            self.waiting.push((finding, about));
        }
    }

    /// Counts what was found about the file as a whole.
    pub(super) fn add_file_findings(&mut self, findings: &Findings) {
        let mut whole = BTreeMap::new();
        for finding in findings.kept() {
            *whole.entry((finding.code, finding.severity)).or_insert(0) += 1;
            self.add(finding.clone());
        }
        for (code, severity, count) in findings.counts() {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let rest = count - whole.get(&(code, severity)).copied().unwrap_or_default();
            if rest > 0 {
                self.count(code, severity, rest);
            }
        }
    }

    fn count(&mut self, code: Code, severity: Severity, n: i64) {
        let key = (code.as_str(), severity.as_str());
        let count = self.counts.entry(key).or_insert(0);
        *count += n;
        self.changed.insert(key, *count);
    }

    /// Writes what waits, and the run's own counts of it.
    pub(super) fn write(&mut self, tx: &mut Tx, run: &mut Run) -> Result<(), StoreError> {
        let rows: Vec<RunFinding> = (self.kept..)
            .zip(&self.waiting)
            .map(|(position, (finding, about))| {
                RunFinding::new(&run.id, i64::try_from(position).unwrap_or(i64::MAX), finding, *about)
            })
            .collect();
        finding::append(tx, &rows)?;
        finding::set_counts(tx, &run.id, &self.changed)?;
        self.kept += rows.len();
        self.clear();
        self.has_file_findings = true;
        let of = |severity: Severity| {
            self.counts
                .iter()
                .filter(|((_, word), _)| *word == severity.as_str())
                .map(|(_, count)| count)
                .sum()
        };
        run.findings_note = of(Severity::Note);
        run.findings_warning = of(Severity::Warning);
        run.findings_error = of(Severity::Error);
        Ok(())
    }

    /// Forgets what waits.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.changed.clear();
    }
}
