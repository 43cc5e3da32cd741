//! What is wrong with a unit, and what becomes of it.

use super::key::address_of;
use super::{Given, Reader, Watch};
use crate::base::finding::{Code, Finding, Severity};
use crate::mapping::Update;
use crate::mapping::compile::{Blank, Block, Other, Rule, Wrong};
use crate::mapping::op::Refusal;
use crate::mapping::op::value::Value;
use crate::mapping::submission::row::BoundRules;

/// What is said of a unit that names nobody.
pub(super) const SUBJECT_EXPECTED: &str = "expected the sender's own id of the person";

/// No published code.
const NONE: String = String::new();

impl<W: Watch> Reader<'_, '_, W> {
    /// Notes why a value was refused. True if the record stands all the same, without it.
    pub(super) fn refuse(&mut self, refusal: Refusal, rule: &Rule, block: &Block) -> bool {
        let address = rule.from.first().map(String::as_str);
        let is_subject = block.subject.iter().any(|part| address_of(Some(part)) == address);
        let (is_set_aside, is_warned, published) = match refusal.code {
            Code::MapBlank => {
                (rule.blank == Blank::Quarantine, rule.blank == Blank::Warn, &rule.published.blank)
            }
            Code::MapUnknownCode => {
                (rule.other == Other::Quarantine, rule.other == Other::Warn, &rule.published.code)
            }
            // A postcode has no list of codes: the rule of its code is that it has the form of one.
            Code::MapPostcode if !rule.published.code.is_empty() => {
                (rule.wrong == Wrong::Quarantine, rule.wrong == Wrong::Warn, &rule.published.code)
            }
            // The published rule is one of form; that of the check digit is our own.
            Code::MapNhsCheckDigit | Code::MapNhsImplausible => {
                (rule.wrong == Wrong::Quarantine, rule.wrong == Wrong::Warn, &NONE)
            }
            _ => (rule.wrong == Wrong::Quarantine, rule.wrong == Wrong::Warn, &rule.published.format),
        };
        let said = |expected: &str| match published.as_str() {
            "" => expected.to_owned(),
            code => format!("{code}: {expected}"),
        };
        if refusal.code == Code::MapBlank && address.is_some() && is_subject {
            self.reject(Code::MapSubjectMissing, address, &said(SUBJECT_EXPECTED));
            return false;
        }
        let severity = if is_warned { Severity::Warning } else { Severity::Error };
        self.faults.is_quarantined |= is_set_aside;
        self.faults.is_rejected |= !is_set_aside && !is_warned;
        let finding =
            Finding::new(refusal.code, self.origin(address), said(&refusal.expected)).severity(severity);
        self.note(finding);
        is_warned
    }

    /// One cell may feed several fields: what is wrong with it is said once.
    pub(super) fn note(&mut self, finding: Finding) {
        if !self.faults.findings.contains(&finding) {
            self.faults.findings.push(finding);
        }
    }

    pub(super) fn reject(&mut self, code: Code, address: Option<&str>, expected: &str) {
        self.faults.is_rejected = true;
        let finding = Finding::new(code, self.origin(address), expected);
        self.note(finding);
    }

    /// Holds the unit to the rules of its data set that look at it alone.
    pub(super) fn hold_to(&mut self, rules: &BoundRules) {
        let unit = self.unit;
        for (rule, column, expected) in rules.broken(&unit) {
            self.faults.is_rejected |= rule.severity == Severity::Error;
            let finding = Finding::new(Code::MapSubmission, self.origin(column), expected);
            self.note(finding.severity(rule.severity));
        }
    }
}

/// What a blank gives.
pub(super) fn blank<'u>(rule: &Rule, value: &Value<'u>, update: Update) -> Result<Given<'u>, Refusal> {
    if let Some(default) = &rule.default {
        return Ok(Given::Fixed(default.clone()));
    }
    match (rule.blank, update) {
        (Blank::Reject | Blank::Quarantine | Blank::Warn, _) => {
            let expected = if rule.is_check {
                "expected a value here".to_owned()
            } else {
                format!("expected a value for `{}`", rule.field.name)
            };
            Err(Refusal::new(Code::MapBlank, expected))
        }
        (Blank::Delete, Update::Patch) => Ok(Given::Deleted),
        (_, Update::Patch) if matches!(value, Value::Delete) => Ok(Given::Deleted),
        _ => Ok(Given::Nothing),
    }
}
