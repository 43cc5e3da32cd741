//! `hl7-date`: an HL7 v2 date or time stamp.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::base::finding::Code;

/// An HL7 v2 date or time stamp (`YYYYMMDD[HHMM[SS]][+ZZZZ]`) as its day in London. Without an offset
/// it is London time. A partial date is refused. Written as `YYYYMMDD`.
#[derive(Debug, Clone)]
pub struct Hl7Date;

impl Operation for Hl7Date {
    const DOC: Doc = Doc {
        name: "hl7-date",
        about: "an HL7 v2 date or time stamp as its day in London; a partial date is refused",
        argument: "",
        takes: Type::Cell,
        gives: Type::Day,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["19500331"], "1950-03-31", "19500331"),
            Example::good("", &["20240331093000"], "2024-03-31", "20240331"),
            Example::good("", &["202403312330+0000"], "2024-04-01", "20240401"),
            Example::bad("", &["195003"], Code::MapDatePartial),
            Example::bad("", &["19500231"], Code::MapDate),
            Example::bad("", &["202403310130"], Code::MapDateTime),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        let stamp = Stamp::parse(&text)?;
        match stamp.time {
            None => Ok(Value::Day(stamp.day)),
            Some(_) => stamp.instant().map(|instant| Value::Day(instant.london_day())),
        }
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Ok(Value::owned(super::value::day_text(value.day()?).replace('-', "")))
    }

    fn print_instant(&self, instant: Instant) -> Option<String> {
        let utc = Timestamp::from_millisecond(instant.unix_ms()).ok()?;
        Some(utc.strftime("%Y%m%d%H%M%S+0000").to_string())
    }

    fn instant(&self, value: Value<'_>) -> Result<Instant, Refusal> {
        Stamp::parse(&value.text()?)?.instant()
    }
}

/// A time stamp, taken apart.
struct Stamp {
    day: Day,
    time: Option<(i8, i8, i8)>,
    offset_minutes: Option<i64>,
}

impl Stamp {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let wrong = || Refusal::new(Code::MapDate, "expected a day that exists, as `YYYYMMDD[HHMM[SS]]`");
        let (stamp, offset) = match text.split_once(['+', '-']) {
            Some((stamp, offset)) => (stamp, Some((offset, text.contains('-')))),
            None => (text, None),
        };
        // Fractions of a second say nothing about the day.
        let stamp = stamp.split('.').next().unwrap_or_default();
        if !stamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        if matches!(stamp.len(), 4 | 6) {
            let expected = "expected a whole day as `YYYYMMDD`, found part of one";
            return Err(Refusal::new(Code::MapDatePartial, expected));
        }
        let number =
            |from: usize, to: usize| stamp.get(from..to).and_then(|digits| digits.parse::<i16>().ok());
        let small = |from: usize| number(from, from + 2).and_then(|number| i8::try_from(number).ok());
        let part = |from: usize| small(from).ok_or_else(wrong);
        let year = number(0, 4).ok_or_else(wrong)?;
        let day = Day::new(year, part(4)?, part(6)?).ok_or_else(wrong)?;
        let time = match stamp.len() {
            8 => None,
            10 => Some((part(8)?, 0, 0)),
            12 => Some((part(8)?, part(10)?, 0)),
            14 => Some((part(8)?, part(10)?, part(12)?)),
            _ => return Err(wrong()),
        };
        let offset_minutes = match offset {
            None => None,
            Some((offset, is_west)) => Some(minutes(offset, is_west).ok_or_else(wrong)?),
        };
        Ok(Self { day, time, offset_minutes })
    }

    fn instant(&self) -> Result<Instant, Refusal> {
        let (hour, minute, second) = self.time.unwrap_or_default();
        let time = Time::new(hour, minute, second, 0).map_err(|_range| super::date_time::refusal())?;
        let civil = self.day.date().to_datetime(time);
        let Some(offset) = self.offset_minutes else { return super::date_time::local(civil) };
        let utc = civil.to_zoned(TimeZone::UTC).map_err(|_range| super::date_time::refusal())?;
        Ok(Instant::from_unix_ms(utc.timestamp().as_millisecond()).plus_s(-offset * 60))
    }
}

/// An offset of four digits in minutes.
fn minutes(offset: &str, is_west: bool) -> Option<i64> {
    let (hours, minutes) = offset.split_at_checked(2)?;
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    let total = i64::from(hours) * 60 + i64::from(minutes);
    (offset.len() == 4).then_some(if is_west { -total } else { total })
}
