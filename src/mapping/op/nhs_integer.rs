//! `nhs-integer`: an NHS number that a system keeps as a whole number.

use std::borrow::Cow;

use super::argument::{Argument, Misuse};
use super::nhs_number::NhsNumber;
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// An NHS number that a system keeps as a whole number, and that has lost its leading noughts
/// thereby. They are put back, which is always said, and the number is checked like any other.
///
/// Nothing else may be missing: a number in the form `9.91E+09`, or with decimal places, is refused.
#[derive(Debug, Clone)]
pub struct NhsInteger;

/// The digits of an NHS number (NHS Data Dictionary, NHS NUMBER: n10).
const DIGITS: usize = 10;

impl Operation for NhsInteger {
    const DOC: Doc = Doc {
        name: "nhs-integer",
        about: "an NHS number kept as a whole number: leading noughts put back, and said so; checked",
        argument: "",
        takes: Type::Cell,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["9990000018"], "9990000018", "9990000018"),
            Example::good("", &["#9990000018"], "9990000018", "9990000018"),
            Example::good("", &["990000028"], "0990000028", "990000028"),
            Example::bad("", &["990000029"], Code::MapNhsCheckDigit),
            Example::bad("", &["9.91E+09"], Code::MapNhsShape),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let digits = digits_of(&value)?;
        let padded = format!("{}{digits}", "0".repeat(DIGITS.saturating_sub(digits.len())));
        NhsNumber.read(Value::owned(padded))
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        Ok(Value::owned(text.trim_start_matches('0').to_owned()))
    }

    fn remark(&self, value: &Value<'_>) -> Option<Refusal> {
        let digits = digits_of(value).ok()?;
        let missing = DIGITS.checked_sub(digits.len()).filter(|missing| *missing > 0)?;
        let said = format!("expected an NHS number of ten digits, put {missing} noughts back before it");
        Some(Refusal::new(Code::MapNhsPadded, said))
    }
}

/// The digits of a number cell or of a text.
fn digits_of<'v>(value: &'v Value<'_>) -> Result<Cow<'v, str>, Refusal> {
    let digits = match value {
        Value::Text(text) => Cow::Borrowed(text.as_ref()),
        Value::Number(number) if number.is_integer() => Cow::Owned(number.normalize().to_string()),
        _ => Cow::Borrowed(""),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let expected = "expected an NHS number as a whole number, every digit of it there";
        return Err(Refusal::new(Code::MapNhsShape, expected));
    }
    Ok(digits)
}
