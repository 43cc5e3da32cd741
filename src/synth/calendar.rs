//! Days, drawn and written the way each system writes them.

use jiff::ToSpan;

use crate::base::day::Day;
use crate::synth::seed::Seed;

/// The day the demo speaks of (cohort, `as_of`).
#[must_use]
pub fn as_of() -> Day {
    day(2025, 3, 31)
}

/// A day that is known to be on the calendar; the first of the month where it is not.
#[must_use]
pub fn day(year: i16, month: i8, number: i8) -> Day {
    Day::new(year, month, number).or_else(|| Day::new(year, month, 1)).unwrap_or_else(epoch)
}

/// So many days later, or earlier.
#[must_use]
pub fn plus(from: Day, days: i64) -> Day {
    from.date().checked_add(days.days()).map_or(from, Day::from)
}

/// So many months later.
#[must_use]
pub fn plus_months(from: Day, months: i64) -> Day {
    from.date().checked_add(months.months()).map_or(from, Day::from)
}

/// A day from one to another, both counted.
#[must_use]
pub fn between(seed: &mut Seed, from: Day, to: Day) -> Day {
    plus(from, seed.between(0, i64::from(from.days_to(to)).max(0)))
}

/// `31/03/2024`, as councils write it.
#[must_use]
pub fn slashed(day: Day) -> String {
    let (year, month, number) = day.parts();
    format!("{number:02}/{month:02}/{year:04}")
}

/// `20240331`, as HL7 v2 writes it.
#[must_use]
pub fn packed(day: Day) -> String {
    let (year, month, number) = day.parts();
    format!("{year:04}{month:02}{number:02}")
}

/// Seconds since 1970 at midnight UTC of that day.
#[must_use]
pub fn unix(day: Day) -> i64 {
    i64::from(epoch().days_to(day)).saturating_mul(86_400)
}

/// The day with its day and month changed over, where that is a day too and another one.
#[must_use]
pub fn swapped(from: Day) -> Option<Day> {
    let (year, month, number) = from.parts();
    Day::new(year, number, month).filter(|other| *other != from)
}

fn epoch() -> Day {
    jiff::civil::Date::constant(1970, 1, 1).into()
}

#[cfg(test)]
mod tests {
    use super::{day, packed, plus, plus_months, slashed, swapped, unix};

    #[test]
    fn writes_and_moves_days() {
        let leap = day(2024, 2, 29);
        assert_eq!(slashed(leap), "29/02/2024");
        assert_eq!(packed(leap), "20240229");
        assert_eq!(plus(leap, 1), day(2024, 3, 1));
        assert_eq!(plus_months(day(2024, 1, 31), 1), leap);
        assert_eq!(swapped(day(2024, 3, 4)), Some(day(2024, 4, 3)));
        assert_eq!(swapped(leap), None);
        assert_eq!(unix(day(2024, 1, 1)), 1_704_067_200);
    }
}
