//! `upper`: the text in capitals.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};

/// The text in capitals.
#[derive(Debug, Clone)]
pub struct Upper;

impl Operation for Upper {
    const DOC: Doc = Doc {
        name: "upper",
        about: "the text in capitals",
        argument: "",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[Example::good("", &["ab1"], "AB1", "AB1")],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Ok(Value::owned(value.text()?.to_uppercase()))
    }
}
