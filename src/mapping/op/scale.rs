//! `{ scale = "0.01" }`: a number in another unit.

use rust_decimal::Decimal;

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// A number times a constant; divided by it when written.
#[derive(Debug, Clone)]
pub struct Scale(Decimal);

impl Operation for Scale {
    const DOC: Doc = Doc {
        name: "scale",
        about: "a number times a constant, such as pence into pounds",
        argument: "the constant",
        takes: Type::Cell,
        gives: Type::Number,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("\"0.01\"", &["150179"], "1501.79", "150179"),
            Example::bad("\"0.01\"", &["x"], Code::MapNumber),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        let factor = argument.number("a constant")?;
        if factor.is_zero() {
            return Err(Misuse::new("expected a constant that is not nought"));
        }
        Ok(Self(factor))
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let number = super::number::Number.read(value)?.number()?;
        let scaled = number.checked_mul(self.0).map(|scaled| Value::Number(scaled.normalize()));
        scaled.ok_or_else(|| Refusal::new(Code::MapNumber, "expected a smaller number"))
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let number = value.number()?.checked_div(self.0).map(|number| Value::Number(number.normalize()));
        number.ok_or_else(|| Refusal::new(Code::MapNumber, "expected a smaller number"))
    }
}
