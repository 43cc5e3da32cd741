//! What a mapping makes of values of some shape.

use std::borrow::Cow;

use super::list_of;
use crate::base::day::Day;
use crate::mapping::Mapping;
use crate::mapping::compile::{Blank, Part, Rule};
use crate::mapping::op::pattern::Pattern;
use crate::mapping::op::value::Value;
use crate::mapping::profile::{Shape, bare};
use crate::mapping::read::{is_of, leaf};

impl Mapping {
    /// Whether every field that reads a column takes values of a shape; `None` where none reads it
    /// by itself, so that it cannot be told.
    pub(super) fn takes(&self, sheet: Option<&str>, name: &str, shape: Shape) -> Option<bool> {
        let alone: Vec<&Rule> = self.rules_of(sheet, name).filter(|rule| rule.from.len() == 1).collect();
        let value = sample(shape)?;
        (!alone.is_empty()).then(|| alone.iter().all(|rule| is_taken(rule, value.clone())))
    }

    /// Whether a unit goes back, or waits, where a column is blank.
    pub(super) fn refuses_blank(&self, sheet: Option<&str>, name: &str) -> bool {
        let refuses = |rule: &Rule| matches!(rule.blank, Blank::Reject | Blank::Quarantine);
        self.rules_of(sheet, name).any(|rule| rule.default.is_none() && refuses(rule))
            || self.blocks.iter().filter(|block| is_of(block.sheet.as_deref(), sheet)).any(|block| {
                block.subject.iter().any(|part| matches!(part, Part::Cell(cell, _) if bare(cell) == name))
            })
    }
}

fn is_taken(rule: &Rule, value: Value<'static>) -> bool {
    // The words of a list are looked at one by one.
    if list_of(rule).is_some() {
        return true;
    }
    let read = rule.steps.iter().try_fold(value, |value, op| op.read(value));
    read.is_ok_and(|value| value.is_blank() || leaf(value, rule.field).is_ok())
}

/// A value of a shape, about nobody.
fn sample(shape: Shape) -> Option<Value<'static>> {
    let text = match shape {
        Shape::DayCell => return Day::new(2001, 2, 13).map(Value::Day),
        Shape::Day(pattern) => {
            return Some(Value::owned(Pattern::compile(pattern).ok()?.print(Day::new(2001, 2, 13)?)));
        }
        Shape::Time => "2001-02-13T09:30:00Z",
        Shape::NhsNumber => "9990000018",
        Shape::Postcode => "S99 1AA",
        Shape::Money => "320.65",
        Shape::Whole => "12",
        Shape::Number => "0.125",
        Shape::YesNo => "Yes",
        Shape::Id => "AB12",
        Shape::Words => "some words",
        Shape::Text => "some words and more of them, 12",
    };
    Some(Value::Text(Cow::Borrowed(text)))
}
