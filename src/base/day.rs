//! A calendar day, with no time and no zone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A day of the Gregorian calendar. Written `2024-03-31` (ISO 8601) everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(jiff::civil::Date);

/// Why a text is not a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a day as `YYYY-MM-DD`")]
pub struct NotADay;

impl Day {
    /// A day from its parts; `None` for one that is not on the calendar, such as 31 February.
    #[must_use]
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        jiff::civil::Date::new(year, month, day).ok().map(Self)
    }

    /// The year, the month from 1, the day from 1.
    #[must_use]
    pub fn parts(self) -> (i16, i8, i8) {
        (self.0.year(), self.0.month(), self.0.day())
    }

    /// The civil date, for arithmetic.
    #[must_use]
    pub fn date(self) -> jiff::civil::Date {
        self.0
    }

    /// Whole calendar months from here to `later`: 15 January to 14 February is 0, to 15 February
    /// is 1. Negative where `later` is earlier.
    #[must_use]
    pub fn whole_months_to(self, later: Self) -> i32 {
        if later < self {
            return -later.whole_months_to(self);
        }
        let (from, to) = (self.0, later.0);
        let months = (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month())
            - i32::from(from.month());
        if to.day() < from.day() { months - 1 } else { months }
    }

    /// Whole years from here to `later`, as an age is counted.
    #[must_use]
    pub fn whole_years_to(self, later: Self) -> i32 {
        self.whole_months_to(later).div_euclid(12)
    }

    /// Days from here to `later`.
    #[must_use]
    pub fn days_to(self, later: Self) -> i32 {
        (later.0 - self.0).get_days()
    }
}

impl From<jiff::civil::Date> for Day {
    fn from(date: jiff::civil::Date) -> Self {
        Self(date)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else {
            return Err(NotADay);
        };
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0_i16, |sum, digit| {
                digit.is_ascii_digit().then(|| sum * 10 + i16::from(digit - b'0'))
            })
        };
        let year = number(&[y1, y2, y3, y4]).ok_or(NotADay)?;
        let month = number(&[m1, m2]).and_then(|n| i8::try_from(n).ok()).ok_or(NotADay)?;
        let day = number(&[d1, d2]).and_then(|n| i8::try_from(n).ok()).ok_or(NotADay)?;
        Self::new(year, month, day).ok_or(NotADay)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Day;

    fn check(from: &str, to: &str, months: i32) {
        let (from, to): (Day, Day) = (from.parse().unwrap(), to.parse().unwrap());
        assert_eq!(from.whole_months_to(to), months);
    }

    #[test]
    fn months_are_whole_calendar_months() {
        check("2024-01-15", "2024-02-14", 0);
        check("2024-01-15", "2024-02-15", 1);
        check("2019-10-31", "2020-02-29", 3);
        check("2024-02-15", "2024-01-15", -1);
    }

    #[test]
    fn a_day_off_the_calendar_is_no_day() {
        for text in ["1950-02-31", "2023-02-29", "2023-13-01", "2023-1-01", "x", ""] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }
}
