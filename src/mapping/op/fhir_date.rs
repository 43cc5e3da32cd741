//! `fhir-date`: a FHIR `date` or `dateTime`.

use super::date_time::DateTime;

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::edge::Instant;
use crate::base::finding::Code;

/// A FHIR `date` or `dateTime` as a day; an instant as its day in London. A partial date (`2024`,
/// `2024-03`), which FHIR allows, is refused.
#[derive(Debug, Clone)]
pub struct FhirDate;

impl Operation for FhirDate {
    const DOC: Doc = Doc {
        name: "fhir-date",
        about: "a FHIR date or dateTime as a day; a partial date is refused",
        argument: "",
        takes: Type::Cell,
        gives: Type::Day,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["1950-03-31"], "1950-03-31", "1950-03-31"),
            Example::good("", &["2024-03-31T23:30:00Z"], "2024-04-01", "2024-04-01"),
            Example::bad("", &["1950-03"], Code::MapDatePartial),
            Example::bad("", &["1950-02-31"], Code::MapDate),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        if text.contains('T') {
            return DATE_TIME.read(Value::Text(text));
        }
        text.parse().map(Value::Day).map_err(|_day| super::date::refusal(&text, "YYYY-MM-DD"))
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Ok(Value::owned(super::value::day_text(value.day()?)))
    }

    fn print_instant(&self, instant: Instant) -> Option<String> {
        Some(instant.to_string())
    }

    fn instant(&self, value: Value<'_>) -> Result<Instant, Refusal> {
        match value {
            Value::Text(text) if text.contains('T') => DATE_TIME.instant(Value::Text(text)),
            value => self.read(value)?.day().and_then(super::date_time::midnight),
        }
    }
}

const DATE_TIME: DateTime = DateTime::rfc3339();
