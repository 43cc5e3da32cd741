//! `dd-timestamp`: a timestamp of the NHS Data Dictionary.

use super::argument::{Argument, Misuse};
use super::date_time::{DateTime, london};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::edge::Instant;
use crate::base::finding::Code;
use jiff::Timestamp;

/// A timestamp of the NHS Data Dictionary, as its day in London. Read like `date-time`. Written as the
/// time in London with its offset and no fraction, which is at most 25 characters (NHS Data Dictionary,
/// ASSESSMENT TOOL COMPLETION TIMESTAMP, `max an25`, change request 1939 of 12 May 2025); so its first
/// ten are the day in London, as which others read them.
#[derive(Debug, Clone)]
pub struct DdTimestamp;

impl Operation for DdTimestamp {
    const DOC: Doc = Doc {
        name: "dd-timestamp",
        about: "a timestamp of the NHS Data Dictionary as its day in London; written with London's offset",
        argument: "",
        takes: Type::Cell,
        gives: Type::Day,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["2020-08-21T10:15:20+01:00"], "2020-08-21", "2020-08-21T00:00:00+01:00"),
            Example::good("", &["2024-07-03T23:30:00Z"], "2024-07-04", "2024-07-04T00:00:00+01:00"),
            Example::good("", &["2024-01-15T09:00:00"], "2024-01-15", "2024-01-15T00:00:00+00:00"),
            Example::bad("", &["2024-03-31"], Code::MapDateTime),
            Example::bad("", &["2025-02-30T10:00:00"], Code::MapDateTime),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        DateTime::rfc3339().read(value)
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        DateTime::rfc3339().write(value)
    }

    fn print_instant(&self, instant: Instant) -> Option<String> {
        let utc = Timestamp::from_millisecond(instant.unix_ms()).ok()?;
        Some(utc.to_zoned(london().ok()?).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
    }

    fn instant(&self, value: Value<'_>) -> Result<Instant, Refusal> {
        DateTime::rfc3339().instant(value)
    }
}
