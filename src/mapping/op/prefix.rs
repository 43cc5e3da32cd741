//! `{ prefix = ".." }`: adds what the source leaves out.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// Adds a beginning; takes it away again when written.
#[derive(Debug, Clone)]
pub struct Prefix(String);

impl Operation for Prefix {
    const DOC: Doc = Doc {
        name: "prefix",
        about: "adds a beginning that the source leaves out",
        argument: "the beginning",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[Example::good("\"LL\"", &["0000001"], "LL0000001", "0000001")],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.text("the beginning to add").map(|text| Self(text.to_owned()))
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Ok(Value::owned(format!("{}{}", self.0, value.text()?)))
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        super::strip::without(&self.0, &value.text()?).ok_or_else(|| {
            Refusal::new(Code::MapShape, format!("expected a text that begins with `{}`", self.0))
        })
    }
}
