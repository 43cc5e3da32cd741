//! How a source writes a day or time, compiled once.

use super::argument::Misuse;
use crate::base::day::Day;

/// One piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Year,
    Month,
    MonthName,
    Day,
    Hour,
    Minute,
    Second,
    Literal(char),
}

/// A compiled pattern, such as `%d/%m/%Y`.
#[derive(Debug, Clone)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

/// A day and a time of day as a text states them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    year: i16,
    month: i8,
    day: i8,
    /// Hour, 0 to 23.
    pub hour: i8,
    /// Minute.
    pub minute: i8,
    /// Second.
    pub second: i8,
}

/// Short English month names, as `%b` reads and writes them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Parts {
    /// The day; `None` if it is not on the calendar.
    #[must_use]
    pub fn day(&self) -> Option<Day> {
        Day::new(self.year, self.month, self.day)
    }
}

impl Pattern {
    /// Compiles a pattern. `%y` is refused: a year of two digits is a guess.
    ///
    /// # Errors
    /// Where it is none, or does not state a whole day.
    pub fn compile(written: &str) -> Result<Self, Misuse> {
        let mut pieces = Vec::new();
        let mut letters = written.chars();
        while let Some(letter) = letters.next() {
            let piece = match (letter, letter == '%') {
                (letter, false) => Piece::Literal(letter),
                _ => match letters.next() {
                    Some('Y') => Piece::Year,
                    Some('m') => Piece::Month,
                    Some('b') => Piece::MonthName,
                    Some('d') => Piece::Day,
                    Some('H') => Piece::Hour,
                    Some('M') => Piece::Minute,
                    Some('S') => Piece::Second,
                    _ => {
                        return Err(Misuse::new(
                            "expected only %d, %m, %b, %Y, %H, %M and %S in the pattern",
                        ));
                    }
                },
            };
            pieces.push(piece);
        }
        let has = |piece: Piece| pieces.contains(&piece);
        if !has(Piece::Year) || !has(Piece::Day) || !(has(Piece::Month) || has(Piece::MonthName)) {
            return Err(Misuse::new("expected a whole day in the pattern: %d, %m or %b, and %Y"));
        }
        Ok(Self { pieces })
    }

    /// The pattern as a person would say it: `dd/mm/yyyy`.
    #[must_use]
    pub fn shown(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Year => "yyyy".to_owned(),
            Piece::Month => "mm".to_owned(),
            Piece::MonthName => "mmm".to_owned(),
            Piece::Day => "dd".to_owned(),
            Piece::Hour => "HH".to_owned(),
            Piece::Minute => "MM".to_owned(),
            Piece::Second => "SS".to_owned(),
            Piece::Literal(letter) => letter.to_string(),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// True if it states a time of day.
    #[must_use]
    pub fn has_time(&self) -> bool {
        self.pieces.contains(&Piece::Hour)
    }

    /// The parts of a text that keeps to the pattern, whole.
    ///
    /// Days, months and hours may be of one digit where something other than a digit follows.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<Parts> {
        let mut rest = text;
        let mut parts = Parts::default();
        for (index, piece) in self.pieces.iter().enumerate() {
            let next = self.pieces.get(index + 1);
            let is_parted = !matches!(next, Some(piece) if !matches!(piece, Piece::Literal(_)));
            let width_min = if is_parted { 1 } else { 2 };
            let mut number = || {
                let (number, after) = digits(rest, width_min, 2)?;
                rest = after;
                i8::try_from(number).ok()
            };
            match piece {
                Piece::Literal(letter) => rest = rest.strip_prefix(*letter)?,
                Piece::Month => parts.month = number()?,
                Piece::Day => parts.day = number()?,
                Piece::Hour => parts.hour = number()?,
                Piece::Minute => parts.minute = number()?,
                Piece::Second => parts.second = number()?,
                Piece::Year => (parts.year, rest) = digits(rest, 4, 4)?,
                Piece::MonthName => (parts.month, rest) = month_name(rest)?,
            }
        }
        let is_time = (0..24).contains(&parts.hour)
            && (0..60).contains(&parts.minute)
            && (0..60).contains(&parts.second);
        (rest.is_empty() && is_time).then_some(parts)
    }

    /// A day in this pattern; a time of day is midnight.
    #[must_use]
    pub fn print(&self, day: Day) -> String {
        self.print_time(day, (0, 0, 0))
    }

    /// A day and a time of day in this pattern.
    #[must_use]
    pub fn print_time(&self, day: Day, (hour, minute, second): (i8, i8, i8)) -> String {
        use std::fmt::Write as _;
        let (year, month, day) = day.parts();
        let mut out = String::with_capacity(self.pieces.len() * 4);
        for piece in &self.pieces {
            // Writing to memory does not fail.
            let _written = match piece {
                Piece::Year => write!(out, "{year:04}"),
                Piece::Month => write!(out, "{month:02}"),
                Piece::Day => write!(out, "{day:02}"),
                Piece::Hour => write!(out, "{hour:02}"),
                Piece::Minute => write!(out, "{minute:02}"),
                Piece::Second => write!(out, "{second:02}"),
                Piece::Literal(letter) => write!(out, "{letter}"),
                Piece::MonthName => {
                    let index = usize::try_from(month).unwrap_or_default().saturating_sub(1);
                    write!(out, "{}", MONTHS.get(index).copied().unwrap_or_default())
                }
            };
        }
        out
    }
}

/// A number of so many digits at the start of a text, and what follows.
fn digits(text: &str, width_min: usize, width_max: usize) -> Option<(i16, &str)> {
    let width = text.bytes().take(width_max).take_while(u8::is_ascii_digit).count();
    if width < width_min {
        return None;
    }
    let (number, rest) = text.split_at_checked(width)?;
    let number = number.bytes().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0'));
    Some((number, rest))
}

fn month_name(text: &str) -> Option<(i8, &str)> {
    let (name, rest) = text.split_at_checked(3)?;
    let index = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    Some((i8::try_from(index + 1).ok()?, rest))
}
