//! Days and times, which a sheet holds as numbers (ECMA-376 part 1, section 18.17.4.1).

use jiff::ToSpan as _;

use crate::base::day::Day;
use crate::format::Cell;

const MILLISECONDS_A_DAY: f64 = 86_400_000.0;

/// The last day that Excel knows, 31/12/9999, and some more for the later beginning.
const DAYS_MAX: f64 = 2_958_466.0;

/// A date as a day; with a time of day, as ISO text; a time alone as `hh:mm:ss`; what is no moment as
/// the number it is. The text goes into the room that is handed in.
pub(super) fn cell_of(number: f64, is_1904: bool, room: &mut String) -> Cell<'_> {
    if !(0.0..DAYS_MAX).contains(&number) {
        return Cell::Number(number);
    }
    let (mut days, mut of_day) = (number.trunc(), (number.fract() * MILLISECONDS_A_DAY).round());
    if of_day >= MILLISECONDS_A_DAY {
        (days, of_day) = (days + 1.0, 0.0);
    }
    let (days, seconds) = (whole(days), whole(of_day) / 1_000);
    let time = || format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    room.clear();
    if number < 1.0 {
        room.push_str(&time());
        return Cell::Text(room);
    }
    match day_of(days, is_1904) {
        None => Cell::Number(number),
        Some(day) if seconds == 0 => Cell::Day(day),
        Some(day) => {
            room.push_str(&format!("{day}T{}", time()));
            Cell::Text(room)
        }
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "both are whole, and far below the largest"
)]
fn whole(number: f64) -> i32 {
    number as i32
}

/// The day of a number of days. Of those counted from 1900, day 60 is 29 February 1900, which never
/// was.
fn day_of(days: i32, is_1904: bool) -> Option<Day> {
    let first = match (is_1904, days) {
        (true, _) => Day::new(1904, 1, 1)?,
        (false, 60) => return None,
        (false, ..60) => Day::new(1899, 12, 31)?,
        (false, _) => Day::new(1899, 12, 30)?,
    };
    let (year, month, day) = {
        let date = first.date().checked_add(days.days()).ok()?;
        (date.year(), date.month(), date.day())
    };
    Day::new(year, month, day)
}

#[cfg(test)]
mod tests {
    use super::cell_of;
    use crate::format::Cell;

    fn check(number: f64, is_1904: bool, expected: &str) {
        let mut room = String::new();
        let said = match cell_of(number, is_1904, &mut room) {
            Cell::Day(day) => day.to_string(),
            Cell::Text(text) => text.to_owned(),
            Cell::Number(number) => format!("#{number}"),
            _ => String::new(),
        };
        assert_eq!(said, expected, "{number}");
    }

    #[test]
    fn numbers_are_moments() {
        check(1.0, false, "1900-01-01");
        check(59.0, false, "1900-02-28");
        check(60.0, false, "#60");
        check(61.0, false, "1900-03-01");
        check(25_600.0, false, "1970-02-01");
        check(24_138.0, true, "1970-02-01");
        check(45_382.395_833_333_336, false, "2024-03-31T09:30:00");
        check(45_382.999_999_999_9, false, "2024-04-01");
        check(0.5, false, "12:00:00");
        check(0.0, false, "00:00:00");
        check(2_958_465.0, false, "9999-12-31");
        check(-1.0, false, "#-1");
        check(3e9, false, "#3000000000");
        check(f64::INFINITY, false, "#inf");
    }
}
