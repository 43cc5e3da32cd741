//! `lower`: the text in small letters.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};

/// The text in small letters.
#[derive(Debug, Clone)]
pub struct Lower;

impl Operation for Lower {
    const DOC: Doc = Doc {
        name: "lower",
        about: "the text in small letters",
        argument: "",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[Example::good("", &["Ab1"], "ab1", "ab1")],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Ok(Value::owned(value.text()?.to_lowercase()))
    }
}
