//! `unix-time`: seconds since 1970.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::edge::Instant;
use crate::base::finding::Code;

/// Seconds since 1970 in UTC, as the day in London. Written as midnight in London.
#[derive(Debug, Clone)]
pub struct UnixTime;

impl Operation for UnixTime {
    const DOC: Doc = Doc {
        name: "unix-time",
        about: "seconds since 1970 in UTC, as the day in London",
        argument: "",
        takes: Type::Cell,
        gives: Type::Day,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["1711927800"], "2024-04-01", "1711926000"),
            Example::good("", &["#1711875600"], "2024-03-31", "1711843200"),
            Example::bad("", &["soon"], Code::MapDateTime),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        self.instant(value).map(|instant| Value::Day(instant.london_day()))
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let midnight = super::date_time::midnight(value.day()?)?;
        Ok(Value::Number(Decimal::from(midnight.unix_ms().div_euclid(1000))))
    }

    fn print_instant(&self, instant: Instant) -> Option<String> {
        Some(instant.unix_ms().div_euclid(1000).to_string())
    }

    fn instant(&self, value: Value<'_>) -> Result<Instant, Refusal> {
        let expected = || Refusal::new(Code::MapDateTime, "expected whole seconds since 1970");
        let number = super::integer::Integer.read(value).map_err(|_number| expected())?.number()?;
        let seconds = number.to_i64().filter(|seconds| seconds.abs() < SECONDS_MAX).ok_or_else(expected)?;
        Ok(Instant::from_unix_ms(seconds * 1000))
    }
}

/// Seconds that are still within the year 9999; larger numbers are milliseconds, or nonsense.
const SECONDS_MAX: i64 = 253_402_300_800;
