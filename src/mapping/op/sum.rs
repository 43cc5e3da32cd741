//! `sum`: several numbers added up.

use rust_decimal::Decimal;

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// Several numbers added up. Blanks count nothing; all blank is blank.
#[derive(Debug, Clone)]
pub struct Sum;

impl Operation for Sum {
    const DOC: Doc = Doc {
        name: "sum",
        about: "several numbers added up; blanks count nothing, and all blank is blank",
        argument: "",
        takes: Type::Cell,
        gives: Type::Number,
        inputs: Inputs::Several,
        way_back: WayBack::Lost,
        examples: &[
            Example::good("", &["1.5", "", "2"], "3.5", ""),
            Example::bad("", &["1.5", "x"], Code::MapNumber),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        super::number::Number.read(value)
    }

    fn gather<'u>(&self, values: Vec<Value<'u>>) -> Outcome<'u> {
        let mut total: Option<Decimal> = None;
        for value in values.into_iter().filter(|value| !value.is_blank()) {
            let number = super::number::Number.read(value)?.number()?;
            let sum = total.unwrap_or_default().checked_add(number);
            total = Some(sum.ok_or_else(|| Refusal::new(Code::MapNumber, "expected smaller numbers"))?);
        }
        Ok(total.map_or(Value::Absent, |total| Value::Number(total.normalize())))
    }
}
