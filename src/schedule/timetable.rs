//! Slots: which instants an expression names, and which of them is due.
//!
//! A slot is a time on the wall. Where the clock goes forward, a slot whose time does not exist is at
//! the next instant that does; where it goes back, a slot whose time is there twice is at the first.
//! So each time on the wall is at most one slot, whatever the clock does, and slots that fall on one
//! instant are one.
//!
//! Nothing here knows what time it is: what is due follows from the last slot that is done, the
//! present instant, the expression and the zone.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::base::edge::Instant;
use crate::base::limit::SLOTS_LOOKED_AT_MAX;
use crate::config::Missed;

/// The slots of one feed, or the deadlines of one promise.
#[derive(Debug, Clone)]
pub struct Timetable {
    cron: Cron,
    zone: TimeZone,
    text: String,
}

/// Why a text is no timetable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimetableError {
    /// The expression cannot be read.
    #[error(
        "`{text}` is no schedule: expected a time as `02:30`, days and a time as `Mon-Fri 02:30`, or a cron expression of five fields as `30 2 * * 1-5`"
    )]
    Expression {
        /// As written.
        text: String,
    },
    /// No such zone.
    #[error("`{zone}` is no time zone: expected a name such as `Europe/London`")]
    Zone {
        /// As written.
        zone: String,
    },
    /// It names no time that ever comes.
    #[error("`{text}` never comes: no day has that date")]
    Never {
        /// As written.
        text: String,
    },
}

impl TimetableError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Expression { .. } | Self::Zone { .. } | Self::Never { .. } => false,
        }
    }
}

/// How the wall clock stood at a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wall {
    /// As on any day.
    Plain,
    /// The time of the slot was passed over when the clock went forward.
    Skipped,
    /// The time of the slot was there twice, and this is the first.
    Twice,
}

/// One slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// When it is.
    pub at: Instant,
    /// How the clock stood.
    pub wall: Wall,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing, until the next slot.
    Nothing,
    /// This slot is to be run. Slots before it are passed over by it.
    Run(Slot),
    /// Slots up to this one were missed, and are passed over.
    PassOver(Slot),
}

impl Timetable {
    /// Reads an expression in a zone.
    ///
    /// # Errors
    /// Where the expression or the zone is none, or no time ever comes of it.
    pub fn parse(text: &str, zone: &str) -> Result<Self, TimetableError> {
        let wrong = || TimetableError::Expression { text: text.to_owned() };
        let expression = expression(text).ok_or_else(wrong)?;
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(&expression).map_err(|_cron| wrong())?;
        let zone = TimeZone::get(zone).map_err(|_unknown| TimetableError::Zone { zone: zone.to_owned() })?;
        let timetable = Self { cron, zone, text: text.to_owned() };
        match timetable.next_after(Instant::from_unix_ms(0)) {
            Some(_) => Ok(timetable),
            None => Err(TimetableError::Never { text: text.to_owned() }),
        }
    }

    /// The first slot after an instant. None past the end of the calendar.
    #[must_use]
    pub fn next_after(&self, instant: Instant) -> Option<Slot> {
        // What stood on the wall a shift of the clock ago: no earlier slot can be after it.
        let mut wall = self.wall(instant)?.checked_sub(LARGEST_SHIFT).ok()?;
        for _ in 0..SLOTS_LOOKED_AT_MAX {
            wall = self.cron.find_next_occurrence(&wall, false).ok()?;
            let slot = self.slot(wall)?;
            if slot.at > instant {
                return Some(slot);
            }
        }
        None
    }

    /// The last slot at an instant or before it.
    #[must_use]
    pub fn last_by(&self, instant: Instant) -> Option<Slot> {
        let mut wall = self.wall(instant)?.checked_add(LARGEST_SHIFT).ok()?;
        for _ in 0..SLOTS_LOOKED_AT_MAX {
            wall = self.cron.find_previous_occurrence(&wall, false).ok()?;
            let slot = self.slot(wall)?;
            if slot.at <= instant {
                return Some(slot);
            }
        }
        None
    }

    /// What is due, where everything up to `last` is done or passed over.
    ///
    /// A slot is missed when another has come since, or when more than `grace_s` seconds have gone
    /// by: then catching up runs the last of them, once, and skipping passes them over.
    #[must_use]
    pub fn due(&self, last: Instant, now: Instant, missed: Missed, grace_s: i64) -> Due {
        match self.last_by(now).filter(|slot| slot.at > last) {
            None => Due::Nothing,
            Some(slot) if missed == Missed::Skip && slot.at.plus_s(grace_s) < now => Due::PassOver(slot),
            Some(slot) => Due::Run(slot),
        }
    }

    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// An instant as the wall clock of the zone shows it: `Tue 1 April 12:00`.
    #[must_use]
    pub fn shown(&self, instant: Instant) -> String {
        let Some(wall) = self.wall(instant) else { return instant.to_string() };
        wall.strftime("%a %-d %B %H:%M").to_string()
    }

    fn wall(&self, instant: Instant) -> Option<DateTime> {
        let at = Timestamp::from_millisecond(instant.unix_ms()).ok()?;
        Some(self.zone.to_datetime(at))
    }

    /// The slot of a time on the wall.
    fn slot(&self, wall: DateTime) -> Option<Slot> {
        let of = |at: Timestamp, wall| Slot { at: Instant::from_unix_ms(at.as_millisecond()), wall };
        let meant = self.zone.to_ambiguous_timestamp(wall);
        match meant.offset() {
            AmbiguousOffset::Unambiguous { offset } => Some(of(offset.to_timestamp(wall).ok()?, Wall::Plain)),
            AmbiguousOffset::Fold { before, .. } => Some(of(before.to_timestamp(wall).ok()?, Wall::Twice)),
            AmbiguousOffset::Gap { after, .. } => {
                // By the clock as it goes afterwards, that time was before the change.
                let before_change = after.to_timestamp(wall).ok()?;
                let change = self.zone.following(before_change).next()?;
                Some(of(change.timestamp(), Wall::Skipped))
            }
        }
    }
}

/// More than any clock was ever moved by at once for the sake of daylight.
const LARGEST_SHIFT: SignedDuration = SignedDuration::from_hours(3);

/// The cron expression of a text: of five fields as it stands, or of days and a time.
fn expression(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (days, time) = match words.as_slice() {
        [time] => ("*".to_owned(), *time),
        [days, time] => (days_of(days)?, *time),
        [_, _, _, _, _] => return Some(words.join(" ")),
        _ => return None,
    };
    let (hour, minute) = time.split_once(':')?;
    let number = |text: &str, below: u8| text.parse::<u8>().ok().filter(|n| *n < below && text.len() == 2);
    Some(format!("{} {} * * {days}", number(minute, 60)?, number(hour, 24)?))
}

/// Days of the week as cron writes them: `Mon-Fri`, `Tue,Thu`.
fn days_of(text: &str) -> Option<String> {
    const DAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
    let upper = text.to_uppercase();
    let is_day = upper.split([',', '-']).all(|day| DAYS.contains(&day));
    is_day.then_some(upper)
}
