//! A record's fields as cells.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Out, Target};
use crate::base::finding::Code;
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

    /// Whether a record has the constants of this block, as far as it says anything of them.
    pub(super) fn holds_constants(&self, draft: &Draft) -> bool {
        self.rules.iter().all(|rule| match (&rule.value, draft.find(rule.field.name)) {
            (Some(constant), Some(found)) => constant.to_shown() == found.to_shown(),
            _ => true,
        })
    }
}

impl Target {
    pub(super) fn cells<P: Purpose>(
        &self,
        block: &Block,
        made: &Made,
        grant: &Grant<P>,
    ) -> Result<BTreeMap<String, Out>, (String, Refusal)> {
        let mut cells = BTreeMap::new();
        for rule in &block.rules {
            let (Some(address), false) = (rule.from.first(), rule.one_way) else { continue };
            let Some(leaf) = made.draft.find(rule.field.name) else { continue };
            if matches!(leaf, Draft::Null) {
                cells.insert(address.clone(), Out::Delete);
                continue;
            }
            let value = value_of(leaf, rule, grant).and_then(|value| back(rule, value));
            match value {
                Ok(Value::Absent) => {}
                Ok(value) => {
                    cells.insert(address.clone(), self.out(value));
                }
                // What stands for a blank is written as one, where the source has no word for it.
                Err(_refusal) if is_default(rule, leaf) => {}
                Err(refusal) => return Err((address.clone(), refusal)),
            }
        }
        if let (Some((address, op)), Some(instant)) = (&block.source_time, made.source_time)
            && let Some(text) = op.print_instant(instant)
        {
            cells.entry(address.clone()).or_insert(Out::Text(text));
        }
        Ok(cells)
    }
}

fn is_default(rule: &Rule, leaf: &Draft) -> bool {
    rule.default.as_ref().is_some_and(|default| default.to_shown() == leaf.to_shown())
}

fn value_of<'d, P: Purpose>(leaf: &'d Draft, rule: &Rule, grant: &Grant<P>) -> Result<Value<'d>, Refusal> {
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
fn back<'v>(rule: &Rule, value: Value<'v>) -> Result<Value<'v>, Refusal> {
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
