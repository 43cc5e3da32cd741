//! `{ strip = ".." }`: takes away a beginning that every value has.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// Takes a beginning away; adds it again when written. A value without it is refused.
#[derive(Debug, Clone)]
pub struct Strip(String);

impl Operation for Strip {
    const DOC: Doc = Doc {
        name: "strip",
        about: "takes away a beginning that every value has",
        argument: "the beginning",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("\"Patient/\"", &["Patient/p1"], "p1", "Patient/p1"),
            Example::bad("\"Patient/\"", &["Group/g1"], Code::MapShape),
            Example::bad("\"Patient/\"", &["Patient/"], Code::MapShape),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.text("the beginning to take away").map(|text| Self(text.to_owned()))
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        without(&self.0, &value.text()?).ok_or_else(|| {
            Refusal::new(Code::MapShape, format!("expected a text that begins with `{}` and goes on", self.0))
        })
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Ok(Value::owned(format!("{}{}", self.0, value.text()?)))
    }
}

/// What follows the beginning; `None` without it, or where nothing follows.
pub(super) fn without(beginning: &str, text: &str) -> Option<Value<'static>> {
    let rest = text.strip_prefix(beginning)?.trim();
    (!rest.is_empty()).then(|| Value::owned(rest.to_owned()))
}
