//! `money`: pounds and pence.

use rust_decimal::Decimal;
use std::borrow::Cow;

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;
use crate::base::money::Money as Pounds;

/// An amount in pounds: a pound sign and thousands commas are allowed, more than two decimals are
/// not. Written with two decimals.
#[derive(Debug, Clone)]
pub struct Money;

impl Operation for Money {
    const DOC: Doc = Doc {
        name: "money",
        about: "an amount in pounds; a pound sign and thousands commas are allowed, fractions of a penny are not",
        argument: "",
        takes: Type::Cell,
        gives: Type::Number,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["1501.79"], "1501.79", "1501.79"),
            Example::good("", &["£1,501.70"], "1501.7", "1501.70"),
            Example::good("", &["#12"], "12", "12.00"),
            Example::bad("", &["1,50"], Code::MapMoney),
            Example::bad("", &["1.505"], Code::MapMoney),
            Example::bad("", &["free"], Code::MapMoney),
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
            .and_then(Pounds::from_pounds)
            .map(|pounds| Value::Number(pounds.pounds().normalize()))
            .ok_or_else(|| Refusal::new(Code::MapMoney, "expected pounds with at most two decimals"))
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let pounds = Pounds::from_pounds(value.number()?)
            .ok_or_else(|| Refusal::new(Code::MapMoney, "expected pounds with at most two decimals"))?;
        Ok(Value::owned(format!("{:.2}", pounds.pounds())))
    }
}

fn parse(text: &str) -> Option<Decimal> {
    let (sign, amount) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let amount = amount.strip_prefix('£').unwrap_or(amount).trim_start();
    let plain =
        if amount.contains(',') { Cow::Owned(without_commas(amount)?) } else { Cow::Borrowed(amount) };
    if sign.is_empty() { super::number::parse(&plain) } else { super::number::parse(&format!("-{plain}")) }
}

/// Thousands commas taken out; `None` where they do not part thousands.
fn without_commas(amount: &str) -> Option<String> {
    let whole = amount.split('.').next().unwrap_or_default();
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let is_parted = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    is_parted.then(|| amount.replace(',', ""))
}
