//! Settings of what runs by itself: when each feed is synced, by when its file is promised, and
//! when a file is too strange to be taken.

use serde::{Deserialize, Serialize};

/// What holds for every feed that says nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// The zone whose wall clock the slots and promises are of, as `Europe/London`.
    pub time_zone: String,
    /// What becomes of a slot at which nobody was there to run it.
    pub missed: Missed,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { time_zone: "Europe/London".to_owned(), missed: Missed::default() }
    }
}

/// What becomes of a slot at which nobody was there to run it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missed {
    /// It is run as soon as somebody is there: once, however many were missed.
    #[default]
    CatchUp,
    /// It is passed over, and the next one is waited for.
    Skip,
}

/// When a source or one of its feeds is synced. What a feed leaves empty its source says, and what
/// that leaves empty `[schedule]` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// The slots: `02:30`, `Mon-Fri 02:30`, or a cron expression of five fields. Empty for none.
    pub sync: String,
    /// The zone.
    pub time_zone: String,
    /// What becomes of a slot that was missed.
    pub missed: Option<Missed>,
    /// By when a new file is promised, written as `sync` is. Empty for no promise.
    pub expected: String,
}

/// When a file of a feed is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stop {
    /// More than this share of its units cannot be read or would be set aside.
    pub failed_share: Share,
    /// More than this share of the records that the feed's last file held are not in it.
    pub vanished_share: Share,
}

impl Default for Stop {
    fn default() -> Self {
        Self { failed_share: Share(250), vanished_share: Share(500) }
    }
}

impl Stop {
    /// No file is held, whatever it holds.
    pub const NEVER: Self = Self { failed_share: Share(1_000), vanished_share: Share(1_000) };
}

/// A share from nothing to all, to the thousandth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "f64")]
pub struct Share(i64);

/// Why a number is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a share from 0.0 to 1.0, such as 0.25 for a quarter; 1.0 never stops")]
pub struct NotAShare;

impl Share {
    /// Thousandths of the whole.
    #[must_use]
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// True if `part` of `whole` is more than this share.
    #[must_use]
    pub fn is_passed(self, part: i64, whole: i64) -> bool {
        i128::from(part) * 1_000 > i128::from(whole) * i128::from(self.0)
    }
}

impl TryFrom<f64> for Share {
    type Error = NotAShare;

    fn try_from(number: f64) -> Result<Self, NotAShare> {
        // To the thousandth, by its digits: no number here is a float any longer.
        let text = format!("{number:.3}");
        let thousandths: i64 = text.replace('.', "").parse().map_err(|_not_a_number| NotAShare)?;
        if (0..=1_000).contains(&thousandths) { Ok(Self(thousandths)) } else { Err(NotAShare) }
    }
}

#[cfg(test)]
mod tests {
    use super::{NotAShare, Share};

    #[test]
    fn a_share_is_passed_by_more_than_it() {
        let quarter = Share::try_from(0.25).unwrap();
        for (part, whole, is_passed) in [(0, 0, false), (5, 20, false), (6, 20, true), (1, 1, true)] {
            assert_eq!(quarter.is_passed(part, whole), is_passed, "{part} of {whole}");
        }
        let all = Share::try_from(1.0).unwrap();
        assert!(!all.is_passed(20, 20));
        assert!(Share::try_from(0.0).unwrap().is_passed(1, 1_000_000));
        for none in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Share::try_from(none), Err(NotAShare));
        }
    }
}
