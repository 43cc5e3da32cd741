//! `integer`: a whole number.

use rust_decimal::Decimal;

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// A whole number, from a number cell or from digits.
#[derive(Debug, Clone)]
pub struct Integer;

impl Operation for Integer {
    const DOC: Doc = Doc {
        name: "integer",
        about: "a whole number, from a number cell or from digits",
        argument: "",
        takes: Type::Cell,
        gives: Type::Number,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["7"], "7", "7"),
            Example::good("", &["#7"], "7", "7"),
            Example::bad("", &["7.5"], Code::MapInteger),
            Example::bad("", &["seven"], Code::MapInteger),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let number = match value {
            Value::Number(number) => Some(number),
            Value::Text(text) => super::number::parse(&text),
            _ => None,
        };
        number
            .filter(Decimal::is_integer)
            .map(|number| Value::Number(number.normalize()))
            .ok_or_else(|| Refusal::new(Code::MapInteger, "expected a whole number"))
    }
}
