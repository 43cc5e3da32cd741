//! `day-month-year`: a day in three cells.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::day::Day;
use crate::base::finding::Code;

/// A day in three cells: day, month, year. All three or none. A year of two digits is one of this
/// century, and nothing in a collection that began in 2004 is older (CORE lettings log: years are
/// entered as YY or YYYY). Written with two digits.
#[derive(Debug, Clone)]
pub struct DayMonthYear;

/// The first year of the century that a year of two digits belongs to.
const CENTURY: i16 = 2000;

impl Operation for DayMonthYear {
    const DOC: Doc = Doc {
        name: "day-month-year",
        about: "a day in three cells (day, month, year of two or four digits); written back into the three",
        argument: "",
        takes: Type::Cell,
        gives: Type::Day,
        inputs: Inputs::Exactly(3),
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["1", "4", "26"], "2026-04-01", "1/4/26"),
            Example::good("", &["01", "04", "2026"], "2026-04-01", "1/4/26"),
            Example::bad("", &["31", "2", "26"], Code::MapDate),
            Example::bad("", &["", "4", "26"], Code::MapDatePartial),
            Example::bad("", &["1", "4", "126"], Code::MapDate),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        self.gather(text.split('/').map(|part| Value::owned(part.to_owned())).collect())
    }

    fn gather<'u>(&self, values: Vec<Value<'u>>) -> Outcome<'u> {
        if values.iter().any(Value::is_blank) {
            let expected = "expected day, month and year in their three cells, found one blank";
            return Err(Refusal::new(Code::MapDatePartial, expected));
        }
        let wrong = || Refusal::new(Code::MapDate, "expected a day that exists, in three cells");
        let numbers: Vec<i16> = values
            .into_iter()
            .map(|value| value.plain().parse().map_err(|_number| wrong()))
            .collect::<Result<_, _>>()?;
        let [day, month, year] = numbers.as_slice() else { return Err(wrong()) };
        let year = match year {
            0..=99 => CENTURY + year,
            1900..=9999 => *year,
            _ => return Err(wrong()),
        };
        let part = |number: &i16| i8::try_from(*number).map_err(|_range| wrong());
        Day::new(year, part(month)?, part(day)?).map(Value::Day).ok_or_else(wrong)
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let parts = parts(value.day()?);
        Ok(Value::owned(parts.join("/")))
    }

    fn scatter<'u>(&self, value: &Value<'u>) -> Option<Vec<Value<'u>>> {
        match value {
            Value::Day(day) => Some(parts(*day).into_iter().map(Value::owned).collect()),
            _ => None,
        }
    }
}

fn parts(day: Day) -> [String; 3] {
    let (year, month, day) = day.parts();
    let year = match year.checked_sub(CENTURY) {
        Some(short @ 0..=99) => format!("{short:02}"),
        _ => year.to_string(),
    };
    [day.to_string(), month.to_string(), year]
}
