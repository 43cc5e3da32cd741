//! What became of the units, counted.

use std::collections::BTreeMap;

use serde_json::json;

use super::lossy::Pair;
use crate::base::finding::{Finding, Findings, Severity};
use crate::cli::Context;
use crate::cli::print::Failure;
use crate::mapping::write::Lost;
use crate::mapping::{Outcome, Reading};
use crate::record::kind::Kind;

/// Findings that are told one by one; the rest are told by code.
const TOLD_MAX: usize = 10;

/// Units by outcome, records by kind, findings by code.
#[derive(Default)]
pub(super) struct Tally {
    received: u64,
    accepted: u64,
    filtered: u64,
    quarantined: u64,
    rejected: u64,
    records: BTreeMap<Kind, u64>,
    findings: Findings,
    /// Words that the target's lists do not have, and how often each was left out.
    lost: BTreeMap<Lost, u64>,
    /// Fields whose code list reads several words as one, and how often it did.
    lossy: BTreeMap<Pair, u64>,
    /// Rows of another layout that were written.
    written: u64,
    is_refused: bool,
}

/// The word for an outcome.
pub(super) const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Rejected => "rejected",
        Outcome::Quarantined => "quarantined",
        Outcome::Filtered => "filtered",
        Outcome::Records => "accepted",
    }
}

impl Tally {
    pub(super) fn take(&mut self, reading: &Reading) {
        self.received += 1;
        match reading.outcome {
            Outcome::Rejected => self.rejected += 1,
            Outcome::Quarantined => self.quarantined += 1,
            Outcome::Filtered => self.filtered += 1,
            Outcome::Records => self.accepted += 1,
        }
        for made in &reading.records {
            *self.records.entry(made.kind).or_default() += 1;
        }
        self.found(reading.findings.iter().cloned());
    }

    pub(super) fn found(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            self.findings.push(finding);
        }
    }

    pub(super) fn lost(&mut self, lost: Vec<Lost>) {
        for lost in lost {
            *self.lost.entry(lost).or_default() += 1;
        }
    }

    pub(super) fn lossy(&mut self, lossy: BTreeMap<Pair, u64>) {
        self.lossy = lossy;
    }

    /// One row went to the writer, which may have found that it cannot be written.
    pub(super) fn wrote(&mut self, finding: Option<Finding>) {
        self.written += u64::from(finding.is_none());
        self.found(finding);
    }

    pub(super) fn refused(&mut self, findings: Findings) {
        self.is_refused = true;
        self.findings.extend(findings);
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.is_refused || self.findings.worst() == Some(Severity::Error)
    }

    pub(super) fn tell(&self, context: &Context, opened: u64) -> Result<(), Failure> {
        if context.print.is_json {
            context.print.note(self.as_json(opened));
            return Ok(());
        }
        for finding in self.findings.kept().iter().take(TOLD_MAX) {
            context.print.note(format_args!("{}: {finding}", finding.severity.as_str()));
            if !finding.advice().is_empty() {
                context.print.note(format_args!("  hint: {}", finding.advice()));
            }
        }
        if self.findings.total() > u64::try_from(TOLD_MAX)? {
            context.print.note("all findings, by code:");
            for (code, severity, count) in self.findings.counts() {
                context.print.note(format_args!("  {count:>9}  {} ({})", code.as_str(), severity.as_str()));
            }
        }
        if self.is_refused {
            context.print.note("the file was refused; nothing was written");
            return Ok(());
        }
        context.print.note(format_args!(
            "received {}: accepted {}, filtered {}, quarantined {}, rejected {}",
            self.received, self.accepted, self.filtered, self.quarantined, self.rejected
        ));
        let records: Vec<String> =
            self.records.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        if !records.is_empty() {
            context.print.note(format_args!("records: {}", records.join(", ")));
        }
        if self.written > 0 {
            context.print.note(format_args!("written: {}", self.written));
        }
        for (lost, count) in &self.lost {
            context.print.note(format_args!(
                "lost: `{}.{}` has no word in `{}` for `{}` ({count} times)",
                lost.kind, lost.field, lost.list, lost.word
            ));
        }
        for (pair, count) in &self.lossy {
            context.print.note(format_args!(
                "lossy: `{}.{}` was read through `{}` from words that do not come back ({count} times)",
                pair.kind, pair.field, pair.list
            ));
        }
        Ok(())
    }

    fn as_json(&self, opened: u64) -> serde_json::Value {
        let codes: BTreeMap<&str, u64> =
            self.findings.counts().map(|(code, _, count)| (code.as_str(), count)).collect();
        let records: BTreeMap<&str, u64> =
            self.records.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
        let lost: Vec<_> = self
            .lost
            .iter()
            .map(|(lost, count)| {
                json!({
                    "field": format!("{}.{}", lost.kind, lost.field), "list": lost.list,
                    "word": lost.word, "count": count,
                })
            })
            .collect();
        let lossy: Vec<_> = self
            .lossy
            .iter()
            .map(|(pair, count)| {
                json!({"field": format!("{}.{}", pair.kind, pair.field), "list": pair.list, "count": count})
            })
            .collect();
        json!({
            "refused": self.is_refused, "received": self.received, "accepted": self.accepted,
            "filtered": self.filtered, "quarantined": self.quarantined, "rejected": self.rejected,
            "records": records, "findings": codes, "lost": lost, "lossy": lossy,
            "written": self.written, "opened": opened,
        })
    }
}
