//! `date`: a day.

use super::pattern::Pattern;

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::base::finding::Code;

/// A day: a date cell, or a text in the given pattern, or without one as `YYYY-MM-DD`.
///
/// A day that is not on the calendar is refused, and so is a year of two digits. An instant with its
/// offset is its day in London, and that is reported.
#[derive(Debug, Clone)]
pub struct Date(Option<Pattern>);

impl Operation for Date {
    const DOC: Doc = Doc {
        name: "date",
        about: "a day: a date cell, or text in the given pattern (without one, `YYYY-MM-DD`)",
        argument: "nothing, or the pattern, such as \"%d/%m/%Y\"",
        takes: Type::Cell,
        gives: Type::Day,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("\"%d/%m/%Y\"", &["31/03/1950"], "1950-03-31", "31/03/1950"),
            Example::good("\"%d/%m/%Y\"", &["1/4/1950"], "1950-04-01", "01/04/1950"),
            Example::good("\"%d-%b-%Y\"", &["01-apr-1950"], "1950-04-01", "01-Apr-1950"),
            Example::good("", &["1950-03-31"], "1950-03-31", "1950-03-31"),
            Example::good("", &["2024-06-30T23:30:00Z"], "2024-07-01", "2024-07-01"),
            Example::bad("\"%d/%m/%Y\"", &["31/02/1950"], Code::MapDate),
            Example::bad("\"%d/%m/%Y\"", &["03/1950"], Code::MapDatePartial),
            Example::bad("\"%d/%m/%Y\"", &["TBC"], Code::MapDate),
            Example::bad("\"%d/%m/%Y\"", &["Sept 23"], Code::MapDatePartial),
            Example::bad("\"%d/%m/%Y\"", &["31/03/50"], Code::MapDate),
            Example::bad("\"%d/%m/%Y\"", &["31/03/1950 10:00"], Code::MapDate),
            Example::bad("", &["1950-03"], Code::MapDatePartial),
            Example::bad("\"%d/%m/%Y\"", &["#18353"], Code::MapDate),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        let pattern = argument.optional_text("the pattern")?.map(Pattern::compile).transpose()?;
        match &pattern {
            Some(pattern) if pattern.has_time() => {
                Err(Misuse::new("expected a day without a time; `date-time` takes a time"))
            }
            _ => Ok(Self(pattern)),
        }
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        match value {
            Value::Day(day) => Ok(Value::Day(day)),
            Value::Text(text) if instant(&text).is_some() => {
                instant(&text).map(Value::Day).ok_or_else(|| refusal(&text, "YYYY-MM-DD"))
            }
            Value::Text(text) => match &self.0 {
                None => text.parse().map(Value::Day).map_err(|_day| refusal(&text, "YYYY-MM-DD")),
                Some(pattern) => pattern
                    .parse(&text)
                    .and_then(|parts| parts.day())
                    .map(Value::Day)
                    .ok_or_else(|| refusal(&text, &pattern.shown())),
            },
            other => {
                Err(Refusal::new(Code::MapDate, format!("expected a date, found {} cell", other.what())))
            }
        }
    }

    fn remark(&self, value: &Value<'_>) -> Option<Refusal> {
        let Value::Text(text) = value else { return None };
        instant(text)?;
        let expected = "expected a day, found an instant; its day in London was taken";
        Some(Refusal::new(Code::MapDateInstant, expected))
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let day = value.day()?;
        Ok(match &self.0 {
            None => Value::Day(day),
            Some(pattern) => Value::owned(pattern.print(day)),
        })
    }
}

/// The day in London of an instant that stands where a day belongs, as low-code tools send it: cut
/// off after its date, one of a summer night would be the day before.
fn instant(text: &str) -> Option<Day> {
    let is_like_one = text.as_bytes().get(10) == Some(&b'T');
    is_like_one.then(|| text.parse::<Instant>().ok()).flatten().map(Instant::london_day)
}

/// What is said of a text that is no day: whether it is one in part, or not one at all.
pub(super) fn refusal(text: &str, pattern: &str) -> Refusal {
    let numbers = text.split(|letter: char| !letter.is_ascii_digit()).filter(|part| !part.is_empty());
    let is_partial = text.bytes().all(|byte| byte.is_ascii_digit() || b"-/.".contains(&byte))
        && match numbers.map(str::len).collect::<Vec<_>>().as_slice() {
            [4] => true,
            [first, second] => (*first == 4 && *second <= 2) || (*first <= 2 && *second == 4),
            _ => false,
        };
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    if !has_digit {
        let text = format!(
            "expected a day as `{pattern}`, found words or marks in place of one; leave it blank until the day is known"
        );
        return Refusal::new(Code::MapDate, text);
    }
    if is_month_and_number(text) {
        let text = format!(
            "expected a whole day as `{pattern}`, found a month and one number, which may be a day or a year"
        );
        return Refusal::new(Code::MapDatePartial, text);
    }
    if is_partial {
        Refusal::new(Code::MapDatePartial, format!("expected a whole day as `{pattern}`, found part of one"))
    } else {
        Refusal::new(Code::MapDate, format!("expected a day that exists, as `{pattern}`"))
    }
}

/// True for a month in letters with one number beside it.
fn is_month_and_number(text: &str) -> bool {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let parts = text.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty());
    let (mut months, mut numbers, mut others) = (0, 0, 0);
    for part in parts {
        let lower = part.to_ascii_lowercase();
        match () {
            () if part.bytes().all(|byte| byte.is_ascii_digit()) => numbers += 1,
            () if MONTHS.iter().any(|month| lower.starts_with(month)) => months += 1,
            () => others += 1,
        }
    }
    (months, numbers, others) == (1, 1, 0)
}
