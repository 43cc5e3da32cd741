//! What was never made use of, in the order of the mapping.

use serde::Serialize;

use super::together::Together;
use super::{Coverage, RuleUse};
use crate::mapping::compile::{Blank, Block, Other, Rule, Wrong};
use crate::mapping::condition::Test;
use crate::mapping::op::Op;

/// What a mapping's cases, or a file, never make use of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Units that were read.
    pub units: u64,
    /// Units that gave records.
    pub accepted: u64,
    /// Columns, or places in a tree or message, that the mapping never reads.
    pub unread: Vec<ColumnAt>,
    /// Columns that the mapping reads and that never held anything.
    pub blank: Vec<ColumnAt>,
    /// Fields that no accepted unit set.
    pub unset: Vec<FieldAt>,
    /// Code lists with words that were never met.
    pub codes: Vec<CodesAt>,
    /// Conditions and rules that never came to bear.
    pub branches: Vec<BranchAt>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ColumnAt {
    /// Its sheet, in a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Its name.
    pub name: String,
}

/// A field of one record block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldAt {
    /// The block, from 1, as they stand in the mapping.
    pub record: usize,
    /// The sheet, where the block is for several and this is of one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The kind it makes.
    pub kind: &'static str,
    /// The field.
    pub field: &'static str,
}

/// Words of a code list that one field never met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodesAt {
    /// The field.
    #[serde(flatten)]
    pub at: FieldAt,
    /// The list; `words` for one that stands in the mapping.
    pub list: String,
    /// How many words it has.
    pub words: usize,
    /// Those never met.
    pub unmet: Vec<String>,
}

/// A branch that was never taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BranchAt {
    /// The block, from 1.
    pub record: usize,
    /// The sheet, where the block is for several and this is of one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The kind it makes.
    pub kind: &'static str,
    /// The field, where it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// What it is, as the mapping says it: `blank = "reject"`.
    pub branch: String,
}

impl Coverage {
    /// What was never made use of.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut report = Report {
            units: self.units,
            accepted: self.accepted,
            unread: self.unread(),
            blank: Vec::new(),
            unset: Vec::new(),
            codes: Vec::new(),
            branches: Vec::new(),
        };
        let mut filled: Vec<ColumnAt> = Vec::new();
        let mut read: Vec<ColumnAt> = Vec::new();
        let mut together = Together::of(self);
        for (block, uses) in self.mapping.blocks.iter().zip(&self.blocks) {
            let record = block.number;
            let is_of_several = self.mapping.blocks.iter().filter(|other| other.number == record).count() > 1;
            let sheet = block.sheet.clone().filter(|_| is_of_several);
            // It is never read.
            if block.is_written_only {
                continue;
            }
            if uses.taken == 0 {
                let branch = "the record itself".to_owned();
                let kind = block.kind.as_str();
                report.branches.push(BranchAt { record, sheet: sheet.clone(), kind, field: None, branch });
            }
            report.branches.extend(tests(sheet.as_ref(), block, &uses.tests));
            for (rule, uses) in block.rules.iter().zip(&uses.rules) {
                let (kind, field) = (block.kind.as_str(), rule.field.name);
                let at = FieldAt { record, sheet: sheet.clone(), kind, field };
                for (index, name) in rule.from.iter().enumerate() {
                    let column = ColumnAt { sheet: block.sheet.clone(), name: name.clone() };
                    if uses.filled.contains(&index) {
                        filled.push(column.clone());
                    }
                    read.push(column);
                }
                if !uses.is_set && !rule.is_check {
                    report.unset.push(at.clone());
                }
                if let Some(uses) = together.take(block, rule) {
                    let at = FieldAt { sheet: None, ..at };
                    report.codes.extend(codes(&at, rule, &uses));
                    report.branches.extend(branches(&at, rule, &uses));
                }
            }
        }
        for column in read {
            if !filled.contains(&column) && !report.blank.contains(&column) {
                report.blank.push(column);
            }
        }
        report
    }

    /// Columns of the files that were read, or of the layout where none was.
    fn unread(&self) -> Vec<ColumnAt> {
        let listed = self.mapping.columns.iter().flat_map(|(sheet, names)| {
            let sheet = Some(sheet.clone()).filter(|sheet| !sheet.is_empty());
            names.iter().map(move |name| ColumnAt { sheet: sheet.clone(), name: name.clone() })
        });
        let columns: Vec<ColumnAt> =
            if self.columns.is_empty() { listed.collect() } else { self.columns.clone() };
        let is_read = |column: &ColumnAt| {
            let addresses = self.mapping.addresses(column.sheet.as_deref());
            addresses.iter().any(|address| address.trim() == column.name.trim())
        };
        let columns = columns.into_iter().filter(|column| !is_read(column));
        let paths = self.paths.without(&self.mapping.addresses(None));
        columns.chain(paths.into_iter().map(|name| ColumnAt { sheet: None, name })).collect()
    }
}

fn tests<'c>(
    sheet: Option<&'c String>,
    block: &'c Block,
    held: &'c [std::collections::BTreeSet<usize>],
) -> impl Iterator<Item = BranchAt> + 'c {
    let mut tests = Vec::new();
    if let Some(when) = &block.when {
        when.cells(&mut tests);
    }
    let (record, kind) = (block.number, block.kind.as_str());
    tests.into_iter().zip(held).flat_map(move |((address, test), held)| {
        let alternatives: Vec<String> = match test {
            Test::In(texts) => texts.iter().map(|text| format!("`{address}` is `{text}`")).collect(),
            Test::Is(text) => vec![format!("`{address}` is `{text}`")],
            Test::Blank => vec![format!("`{address}` is blank")],
            Test::NotBlank => vec![format!("`{address}` is not blank")],
            Test::Before(day, _) => vec![format!("`{address}` before {day}")],
            Test::After(day, _) => vec![format!("`{address}` after {day}")],
            Test::Matches(pattern) => vec![format!("`{address}` matches `{pattern}`")],
        };
        let never = alternatives.into_iter().enumerate().filter(|(index, _)| !held.contains(index));
        never
            .map(|(_, branch)| BranchAt {
                record,
                sheet: sheet.cloned(),
                kind,
                field: None,
                branch: format!("when {branch}"),
            })
            .collect::<Vec<_>>()
    })
}

fn codes(at: &FieldAt, rule: &Rule, uses: &RuleUse) -> Option<CodesAt> {
    let in_place = rule.steps.iter().find_map(|op| match op {
        Op::Words(words) => Some(&words.0),
        _ => None,
    });
    let list = rule.codes.as_deref().or(in_place)?;
    let words = list.sources();
    let unmet: Vec<String> =
        words.iter().filter(|word| !uses.words.contains(**word)).map(|word| (*word).to_owned()).collect();
    let found = CodesAt { at: at.clone(), list: list.name.clone(), words: words.len(), unmet };
    (!found.unmet.is_empty()).then_some(found)
}

fn branches(at: &FieldAt, rule: &Rule, uses: &RuleUse) -> Vec<BranchAt> {
    let mut out = Vec::new();
    let mut note = |branch: &str| {
        out.push(BranchAt {
            record: at.record,
            sheet: at.sheet.clone(),
            kind: at.kind,
            field: Some(at.field),
            branch: branch.to_owned(),
        });
    };
    if !uses.is_blank_hit && rule.value.is_none() {
        match (&rule.default, rule.blank) {
            (Some(_), _) => note("default"),
            (None, Blank::Reject) => note("blank = \"reject\""),
            (None, Blank::Quarantine) => note("blank = \"quarantine\""),
            (None, Blank::Delete) => note("blank = \"delete\""),
            (None, Blank::Warn) => note("blank = \"warn\""),
            (None, Blank::Absent) => {}
        }
    }
    let has_list = rule.codes.is_some() || rule.steps.iter().any(|op| matches!(op, Op::Words(_)));
    if has_list && !uses.is_other_hit {
        match rule.other {
            Other::Reject => note("other = \"reject\""),
            Other::Quarantine => note("other = \"quarantine\""),
            Other::KeepAsText => note("other = \"keep-as-text\""),
            Other::Warn => note("other = \"warn\""),
        }
    }
    match rule.wrong {
        Wrong::Quarantine if !uses.is_wrong_hit => note("wrong = \"quarantine\""),
        Wrong::Warn if !uses.is_wrong_hit => note("wrong = \"warn\""),
        Wrong::Quarantine | Wrong::Warn | Wrong::Reject => {}
    }
    out
}
