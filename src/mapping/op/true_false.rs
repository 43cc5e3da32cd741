//! `true-false`: a truth value as the format writes it.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// A truth cell, or the word `true` or `false`, any case.
#[derive(Debug, Clone)]
pub struct TrueFalse;

impl Operation for TrueFalse {
    const DOC: Doc = Doc {
        name: "true-false",
        about: "a truth cell, or the word `true` or `false`, any case",
        argument: "",
        takes: Type::Cell,
        gives: Type::Truth,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["TRUE"], "true", "true"),
            Example::good("", &["false"], "false", "false"),
            Example::bad("", &["Yes"], Code::MapYesNo),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        match value {
            Value::Truth(truth) => Ok(Value::Truth(truth)),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Value::Truth(true)),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Ok(Value::Truth(false)),
            _ => Err(Refusal::new(Code::MapYesNo, "expected `true` or `false`")),
        }
    }
}
