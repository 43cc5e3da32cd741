//! `date-time`: an instant, as its day in London.

use super::pattern::Pattern;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, civil};

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::base::finding::Code;

/// An instant, as its day in London: RFC 3339, or in a pattern. A time without an offset is taken as
/// Europe/London; a time that the clocks skip is refused, one that comes twice is the first. Written as
/// midnight.
#[derive(Debug, Clone)]
pub struct DateTime(Option<Pattern>);

impl DateTime {
    /// The operation without a pattern.
    pub(super) const fn rfc3339() -> Self {
        Self(None)
    }
}

impl Operation for DateTime {
    const DOC: Doc = Doc {
        name: "date-time",
        about: "an instant as its day in London: RFC 3339, or in a pattern; without an offset it is London time",
        argument: "nothing, or the pattern, such as \"%d/%m/%Y %H:%M\"",
        takes: Type::Cell,
        gives: Type::Day,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["2024-03-31T23:30:00Z"], "2024-04-01", "2024-04-01T00:00:00+01:00"),
            Example::good("", &["2024-01-15T09:00:00"], "2024-01-15", "2024-01-15T00:00:00+00:00"),
            Example::good("\"%d/%m/%Y %H:%M\"", &["31/03/2024 09:05"], "2024-03-31", "31/03/2024 00:00"),
            Example::bad("", &["2024-03-31"], Code::MapDateTime),
            Example::bad("", &["2024-03-31T01:30:00"], Code::MapDateTime),
            Example::bad("\"%d/%m/%Y %H:%M\"", &["31/02/2024 09:05"], Code::MapDateTime),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        let pattern = argument.optional_text("the pattern")?.map(Pattern::compile).transpose()?;
        match &pattern {
            Some(pattern) if !pattern.has_time() => {
                Err(Misuse::new("expected a time in the pattern: %H and %M"))
            }
            _ => Ok(Self(pattern)),
        }
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        match value {
            Value::Day(day) => Ok(Value::Day(day)),
            value => self.instant(value).map(|instant| Value::Day(instant.london_day())),
        }
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let day = value.day()?;
        Ok(match &self.0 {
            Some(pattern) => Value::owned(pattern.print(day)),
            None => {
                let zoned = london()?.to_ambiguous_zoned(day.date().at(0, 0, 0, 0)).compatible();
                let zoned = zoned.map_err(|_range| refusal())?;
                Value::owned(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
            }
        })
    }

    fn print_instant(&self, instant: Instant) -> Option<String> {
        let Some(pattern) = &self.0 else { return Some(instant.to_string()) };
        let utc = Timestamp::from_millisecond(instant.unix_ms()).ok()?;
        let local = utc.to_zoned(london().ok()?);
        Some(pattern.print_time(local.date().into(), (local.hour(), local.minute(), local.second())))
    }

    fn instant(&self, value: Value<'_>) -> Result<Instant, Refusal> {
        if let Value::Day(day) = value {
            return midnight(day);
        }
        let text = value.text()?;
        let Some(pattern) = &self.0 else {
            return match text.parse::<Timestamp>() {
                Ok(instant) => Ok(Instant::from_unix_ms(instant.as_millisecond())),
                Err(_offset) if text.contains('T') => {
                    text.parse().map_err(|_shape| refusal()).and_then(local)
                }
                Err(_shape) => Err(refusal()),
            };
        };
        let parts = pattern.parse(&text).ok_or_else(refusal)?;
        let day = parts.day().ok_or_else(refusal)?;
        local(day.date().at(parts.hour, parts.minute, parts.second, 0))
    }
}

/// The first moment of a day in London.
///
/// # Errors
/// Where the day is out of range.
pub fn midnight(day: Day) -> Result<Instant, Refusal> {
    local(day.date().at(0, 0, 0, 0))
}

/// A time of London's clocks as an instant.
///
/// # Errors
/// Where the clocks skip it.
pub(super) fn local(time: civil::DateTime) -> Result<Instant, Refusal> {
    let ambiguous = london()?.to_ambiguous_timestamp(time);
    if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
        return Err(refusal());
    }
    let instant = ambiguous.compatible().map_err(|_range| refusal())?;
    Ok(Instant::from_unix_ms(instant.as_millisecond()))
}

/// The zone of London's clocks.
pub(super) fn london() -> Result<TimeZone, Refusal> {
    TimeZone::get("Europe/London").map_err(|_zone| {
        Refusal::new(Code::MapDateTime, "expected the time zone Europe/London to be known on this machine")
    })
}

/// What is said of a time that is none.
pub(super) fn refusal() -> Refusal {
    Refusal::new(Code::MapDateTime, "expected a day and time that exist, such as `2024-03-31T09:00:00Z`")
}
