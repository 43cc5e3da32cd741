//! `number`: a number, exactly.

use rust_decimal::Decimal;

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// A number, from a number cell or from digits with a point. No thousands separators: a comma is
/// a point to half of Europe.
#[derive(Debug, Clone)]
pub struct Number;

impl Operation for Number {
    const DOC: Doc = Doc {
        name: "number",
        about: "a number, from a number cell or from digits with a point",
        argument: "",
        takes: Type::Cell,
        gives: Type::Number,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["1.50"], "1.5", "1.5"),
            Example::good("", &["-3"], "-3", "-3"),
            Example::bad("", &["1,5"], Code::MapNumber),
            Example::bad("", &["1e3"], Code::MapNumber),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let number = match value {
            Value::Number(number) => Some(number),
            Value::Text(text) => parse(&text),
            _ => None,
        };
        number
            .map(|number| Value::Number(number.normalize()))
            .ok_or_else(|| Refusal::new(Code::MapNumber, "expected a number such as `12.5`"))
    }
}

/// Digits, at most one point within them, and a sign before them.
pub(super) fn parse(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_digit = |letter: char| letter.is_ascii_digit();
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.starts_with(is_digit)
        && digits.ends_with(is_digit);
    if is_number { Decimal::from_str_exact(text).ok() } else { None }
}
