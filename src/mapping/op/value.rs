//! A value on its way between a cell and a record.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::Refusal;
use crate::base::day::Day;
use crate::base::finding::Code;
use crate::format::Cell;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// A number.
    Number,
    /// A day.
    Day,
    /// A truth value.
    Truth,
    /// A list of texts.
    List,
    /// Whatever a cell may hold.
    Cell,
}

impl Type {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Day => "a day",
            Self::Truth => "a truth value",
            Self::List => "a list",
            Self::Cell => "a cell",
        }
    }
}

/// A value. Text is borrowed from the cell as long as it stands unchanged, and is trimmed.
#[derive(Clone, PartialEq)]
pub enum Value<'u> {
    /// Blank.
    Absent,
    /// The sender says: take the old value away.
    Delete,
    /// Text.
    Text(Cow<'u, str>),
    /// A number.
    Number(Decimal),
    /// A day.
    Day(Day),
    /// A truth value.
    Truth(bool),
    /// A list of texts.
    List(Vec<String>),
}

impl<'u> Value<'u> {
    /// What a cell holds, trimmed.
    ///
    /// # Errors
    /// Where a number is too large or small to be kept exactly.
    pub fn of_cell(cell: Cell<'u>) -> Result<Self, Refusal> {
        Ok(match cell {
            Cell::Absent => Self::Absent,
            Cell::Delete => Self::Delete,
            Cell::Text(text) => match text.trim() {
                "" => Self::Absent,
                text => Self::Text(Cow::Borrowed(text)),
            },
            Cell::Number(number) => Self::Number(exactly(number)?),
            Cell::Day(day) => Self::Day(day),
            Cell::Bool(truth) => Self::Truth(truth),
        })
    }

    /// Text from an owned text.
    #[must_use]
    pub const fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    /// True if there is nothing.
    #[must_use]
    pub const fn is_blank(&self) -> bool {
        matches!(self, Self::Absent | Self::Delete)
    }

    /// The text.
    ///
    /// # Errors
    /// Where it is something else: an id kept as a number has lost its leading noughts.
    pub fn text(self) -> Result<Cow<'u, str>, Refusal> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Number(_) => {
                Err(Refusal::new(Code::MapNumberForText, "expected text, found a number cell"))
            }
            other => Err(Refusal::new(Code::MapType, format!("expected text, found {}", other.what()))),
        }
    }

    /// The number.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn number(self) -> Result<Decimal, Refusal> {
        match self {
            Self::Number(number) => Ok(number),
            other => Err(Refusal::new(Code::MapType, format!("expected a number, found {}", other.what()))),
        }
    }

    /// The day.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn day(self) -> Result<Day, Refusal> {
        match self {
            Self::Day(day) => Ok(day),
            other => Err(Refusal::new(Code::MapType, format!("expected a day, found {}", other.what()))),
        }
    }

    /// What it is, for a message.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Absent => "a blank",
            Self::Delete => "a deletion",
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Day(_) => "a date",
            Self::Truth(_) => "a truth value",
            Self::List(_) => "a list",
        }
    }

    /// The value in plain text, as it stands in a key and as a condition compares it.
    #[must_use]
    pub fn plain(self) -> Cow<'u, str> {
        match self {
            Self::Absent | Self::Delete => Cow::Borrowed(""),
            Self::Text(text) => text,
            Self::Number(number) => Cow::Owned(number.normalize().to_string()),
            Self::Day(day) => Cow::Owned(day_text(day)),
            Self::Truth(true) => Cow::Borrowed("true"),
            Self::Truth(false) => Cow::Borrowed("false"),
            Self::List(items) => Cow::Owned(items.join(";")),
        }
    }
}

/// The day as `YYYY-MM-DD`, without the machinery of formatting: it is done for every date cell.
#[must_use]
pub fn day_text(day: Day) -> String {
    let (year, month, day) = day.parts();
    let mut text = String::with_capacity(10);
    let digit = |number: i16| char::from(b'0' + u8::try_from(number % 10).unwrap_or_default());
    for number in [year / 1000, year / 100, year / 10, year] {
        text.push(digit(number));
    }
    for number in [month, day] {
        text.push('-');
        text.push(digit(i16::from(number) / 10));
        text.push(digit(i16::from(number)));
    }
    text
}

/// A double as the decimal it prints as: 1501.79, not 1501.789999….
fn exactly(number: f64) -> Result<Decimal, Refusal> {
    number
        .to_string()
        .parse()
        .map_err(|_range| Refusal::new(Code::MapNumber, "expected a number that can be kept exactly"))
}
