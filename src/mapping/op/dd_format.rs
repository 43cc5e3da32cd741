//! `{ dd-format = "min an3 max an6" }`: the form of a value, as the NHS Data Dictionary writes it.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// A text of the form that the NHS Data Dictionary gives: `n10` is ten digits, `an3` three letters or
/// digits, `max an20` at most twenty, `min an3 max an6` three to six. Letters and digits are taken
/// with the marks that identifiers hold, as the data sets do. `an8 HH:MM:SS` is a time of day,
/// `max n2.max n2` the number of a version, and `max an8 POSTCODE` may hold blanks.
#[derive(Debug, Clone)]
pub struct DdFormat {
    is_digits: bool,
    least: usize,
    most: usize,
    kind: Kind,
}

/// What the dictionary says beside letters and their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// A time of day.
    Time,
    /// Two numbers, a point between them.
    Version,
    /// Blanks count as letters.
    Postcode,
}

impl Operation for DdFormat {
    const DOC: Doc = Doc {
        name: "dd-format",
        about: "a text of the form that the NHS Data Dictionary gives, such as `an3` or `max an20`",
        argument: "the form, such as \"min an3 max an6\"",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("\"an3\"", &["A09"], "A09", "A09"),
            Example::good("\"min an3 max an6\"", &["TAHXX"], "TAHXX", "TAHXX"),
            Example::good("\"max n4\"", &["60"], "60", "60"),
            Example::good("\"an8 HH:MM:SS\"", &["09:30:00"], "09:30:00", "09:30:00"),
            Example::good("\"max n2.max n2\"", &["6.0"], "6.0", "6.0"),
            Example::good("\"max an8 POSTCODE\"", &["S99 1AA"], "S99 1AA", "S99 1AA"),
            Example::bad("\"an3\"", &["A9"], Code::MapShape),
            Example::bad("\"max an5\"", &["123456"], Code::MapShape),
            Example::bad("\"n10\"", &["99900000x8"], Code::MapShape),
            Example::bad("\"an8 HH:MM:SS\"", &["24:10:00"], Code::MapShape),
            Example::bad("\"max n2.max n2\"", &["6"], Code::MapShape),
            Example::bad("\"max an8 POSTCODE\"", &["Sheffield"], Code::MapShape),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        let text = argument.text("the form")?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let kind = match words.as_slice() {
            ["an8", TIME] => Kind::Time,
            VERSION => Kind::Version,
            [.., POSTCODE] => Kind::Postcode,
            _ => Kind::Plain,
        };
        let form = match words.as_slice() {
            ["an8", TIME] => Some((false, 8, 8)),
            VERSION => Some((false, 3, 5)),
            [exact] => size(exact).map(|(is_digits, size)| (is_digits, size, size)),
            ["max", most] | ["max", most, POSTCODE] => {
                size(most).map(|(is_digits, size)| (is_digits, 1, size))
            }
            ["min", least, "max", most] => match (size(least), size(most)) {
                (Some((is_digits, least)), Some((same, most))) if is_digits == same && least <= most => {
                    Some((is_digits, least, most))
                }
                _ => None,
            },
            _ => None,
        };
        form.map(|(is_digits, least, most)| Self { is_digits, least, most, kind }).ok_or_else(|| {
            Misuse::new(
                "expected a form such as `n10`, `an3`, `max an20`, `min an3 max an6`, `an8 HH:MM:SS`, `max n2.max n2` or `max an8 POSTCODE`",
            )
        })
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        if self.kind == Kind::Time && !is_time_of_day(&text) {
            return Err(Refusal::new(Code::MapShape, "expected a time of day as HH:MM:SS"));
        }
        if self.kind == Kind::Version && !is_version(&text) {
            return Err(Refusal::new(Code::MapShape, "expected the number of a version, such as 6.0"));
        }
        let length = text.chars().count();
        let is_kind = |letter: u8| match (self.is_digits, self.kind) {
            (true, _) => letter.is_ascii_digit(),
            (false, Kind::Postcode) => letter.is_ascii_graphic() || letter == b' ',
            (false, _) => letter.is_ascii_graphic(),
        };
        if (self.least..=self.most).contains(&length) && text.bytes().all(is_kind) {
            return Ok(Value::Text(text));
        }
        let what = if self.is_digits { "digits" } else { "letters and digits" };
        let count = if self.least == self.most {
            self.most.to_string()
        } else {
            format!("{} to {}", self.least, self.most)
        };
        Err(Refusal::new(Code::MapShape, format!("expected {count} {what}")))
    }

    /// Nothing is written that would not be read back: what comes from another system may be longer.
    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        match value {
            Value::Text(_) => self.read(value),
            other => Ok(other),
        }
    }
}

/// How the dictionary writes a time of day.
const TIME: &str = "HH:MM:SS";

/// How it writes the number of a version.
const VERSION: &[&str] = &["max", "n2.max", "n2"];

/// The name of the form of postcodes.
const POSTCODE: &str = "POSTCODE";

fn is_version(text: &str) -> bool {
    let is_number =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
    text.split_once('.').is_some_and(|(whole, part)| is_number(whole) && is_number(part))
}

fn is_time_of_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let is_below = |part: &str, most: u8| {
        part.len() == 2
            && part.bytes().all(|digit| digit.is_ascii_digit())
            && part.parse::<u8>().is_ok_and(|count| count < most)
    };
    matches!(parts.as_slice(), [hour, minute, second]
        if is_below(hour, 24) && is_below(minute, 60) && is_below(second, 60))
}

/// `an6` as (false, 6), `n10` as (true, 10).
fn size(word: &str) -> Option<(bool, usize)> {
    let (is_digits, size) = match word.strip_prefix("an") {
        Some(size) => (false, size),
        None => (true, word.strip_prefix('n')?),
    };
    size.parse().ok().filter(|size| *size > 0).map(|size| (is_digits, size))
}
