//! A record's fields as cells.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Lost, Out, Target};
use crate::base::finding::{Code, Finding, Severity};
use crate::base::origin::Origin;
use crate::base::private::{Grant, Purpose};
use crate::mapping::Made;
use crate::mapping::compile::{Blank, Block, Other, Rule};
use crate::mapping::op::Refusal;
use crate::mapping::op::value::Value;
use crate::record::draft::Draft;
use crate::record::schema::Holds;

impl Block {
    /// The fields of a record that this block has no place for.
    pub(super) fn missing(&self, draft: &Draft) -> Vec<&'static str> {
        let names = draft.fields().iter().map(|(name, _)| *name);
        names.filter(|name| !self.rules.iter().any(|rule| rule.field.name == *name)).collect()
    }

    /// Whether what has to be filled is, so that the row would be taken back.
    pub(super) fn is_filled(&self, cells: &BTreeMap<String, Out>) -> bool {
        let needed = self.rules.iter().filter(|rule| {
            matches!(rule.blank, Blank::Reject | Blank::Quarantine) && rule.default.is_none() && !rule.one_way
        });
        needed.filter_map(|rule| rule.from.first()).all(|address| cells.contains_key(address))
    }

    /// Whether a record has the constants of this block, as far as it says anything of them. One
    /// that is only read, such as the release a file was in, does not say where a record belongs.
    pub(super) fn holds_constants(&self, draft: &Draft) -> bool {
        self.rules.iter().filter(|rule| !rule.one_way).all(|rule| {
            match (&rule.value, draft.find(rule.field.name)) {
                (Some(constant), Some(found)) => constant.to_shown() == found.to_shown(),
                _ => true,
            }
        })
    }
}

impl Target {
    pub(super) fn cells<P: Purpose>(
        &self,
        block: &Block,
        made: &Made,
        grant: &Grant<P>,
    ) -> Result<Cells, (String, Refusal)> {
        let (mut cells, mut findings, mut lost) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut note = |code: Code, address: &str, said: String| {
            let finding = Finding::new(code, Origin::default().in_column(address), said);
            findings.push(finding.severity(code.severity().min(Severity::Warning)));
        };
        for rule in &block.rules {
            let (Some(address), false) = (rule.from.first(), rule.one_way) else { continue };
            let Some(leaf) = made.draft.find(rule.field.name) else { continue };
            if matches!(leaf, Draft::Null) {
                cells.insert(address.clone(), Out::Delete);
                continue;
            }
            let value = value_of(leaf, rule, grant);
            if let (Some(op), Ok(value)) = (rule.steps.first(), &value)
                && rule.from.len() > 1
                && let Some(pieces) = op.scatter(value)
            {
                let pieces = rule.from.iter().cloned().zip(pieces);
                cells.extend(pieces.map(|(address, piece)| (address, self.out(piece))));
                continue;
            }
            if let (Some(codes), Ok(value)) = (&rule.codes, &value)
                && codes.is_widened(&value.clone().plain())
            {
                let said = format!("`{}.{}` is written as a wider code", block.kind, rule.field.name);
                note(Code::MapWiderCode, address, said);
            }
            match value.and_then(|value| back(rule, value)) {
                Ok(Value::Absent) => {}
                Ok(value) => {
                    cells.insert(address.clone(), self.out(value));
                }
                // What stands for a blank is written as one, where the source has no word for it.
                Err(_refusal) if is_default(rule, leaf) => {}
                // What the target has no code for, or has another form for, is left out, and said; the rest
                // is written.
                Err(refusal) if rule.is_spared(&refusal) => {
                    if let (Some(codes), Some(word)) = (&rule.codes, leaf.text()) {
                        let (list, word) = (codes.name.clone(), word.to_owned());
                        lost.push(Lost { kind: block.kind, field: rule.field.name, list, word });
                    }
                    note(refusal.code, address, refusal.expected);
                }
                Err(refusal) => return Err((address.clone(), refusal)),
            }
        }
        if let (Some((address, op)), Some(instant)) = (&block.source_time, made.source_time)
            && let Some(text) = op.print_instant(instant)
        {
            cells.entry(address.clone()).or_insert(Out::Text(text));
        }
        Ok((cells, findings, lost))
    }
}

impl Target {
    /// The source's own time where a field holds its day alone: what the layout's own records were read
    /// from is written as the instant that it was.
    pub(super) fn own_time(block: &Block, made: &Made, cells: &mut BTreeMap<String, Out>) {
        let (Some((address, op)), Some(instant)) = (&block.source_time, made.source_time) else { return };
        let day = instant.london_day().to_string();
        let mut rules = block.rules.iter().filter(|rule| !rule.one_way && rule.from.first() == Some(address));
        let holds = |rule: &Rule| made.draft.find(rule.field.name).and_then(Draft::text) == Some(&day);
        if let (true, Some(text)) = (rules.any(holds), op.print_instant(instant)) {
            cells.insert(address.clone(), Out::Text(text));
        }
    }
}

/// The cells of a record by address, what had to be said of them, and words that were left out.
pub(super) type Cells = (BTreeMap<String, Out>, Vec<Finding>, Vec<Lost>);

impl Rule {
    /// Whether the record can be written without a value that the target's list has no code for, or that
    /// has not the form that it asks.
    fn is_spared(&self, refusal: &Refusal) -> bool {
        matches!(refusal.code, Code::MapUnknownCode | Code::MapLossyCode | Code::MapShape)
            && matches!(self.blank, Blank::Absent | Blank::Warn)
            && !self.is_keyed
    }
}

fn is_default(rule: &Rule, leaf: &Draft) -> bool {
    rule.default.as_ref().is_some_and(|default| default.to_shown() == leaf.to_shown())
}

pub(super) fn value_of<'d, P: Purpose>(
    leaf: &'d Draft,
    rule: &Rule,
    grant: &Grant<P>,
) -> Result<Value<'d>, Refusal> {
    let text = |text: &'d str| match rule.field.holds {
        Holds::Day => text
            .parse()
            .map(Value::Day)
            .map_err(|_day| Refusal::new(Code::MapDate, format!("expected a day in `{}`", rule.field.name))),
        _ => Ok(Value::Text(Cow::Borrowed(text))),
    };
    match leaf {
        Draft::Text(shown) => text(shown),
        Draft::Private(hidden) => text(hidden.open(grant)),
        Draft::Number(number) => Ok(Value::Number(*number)),
        Draft::Bool(truth) => Ok(Value::Truth(*truth)),
        Draft::List(items) => {
            Ok(Value::List(items.iter().filter_map(Draft::text).map(str::to_owned).collect()))
        }
        Draft::Null | Draft::Fields(_) => Ok(Value::Absent),
    }
}

/// Through the code list and the operations, last to first.
pub(super) fn back<'v>(rule: &Rule, value: Value<'v>) -> Result<Value<'v>, Refusal> {
    let value = match (&rule.codes, value) {
        (None, value) => value,
        (Some(codes), Value::List(items)) => {
            let items = items
                .into_iter()
                .map(|item| codes.write(Value::owned(item)).map(|value| value.plain().into_owned()));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        (Some(codes), value) => match codes.write(value.clone()) {
            Err(refusal) if rule.other == Other::KeepAsText && refusal.code == Code::MapUnknownCode => value,
            written => written?,
        },
    };
    rule.steps.iter().rev().try_fold(value, |value, op| op.write(value))
}
