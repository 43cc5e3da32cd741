//! Time and randomness, as they come in from the edges.

use std::sync::Arc;

/// What tells the time. One type reads the machine's clock, in `cli`; tests bring their own.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Instant;
}

/// What gives unpredictable bytes. One type asks the machine, in `cli`; tests bring their own.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// An instant in UTC, to the millisecond. Stored and written at fixed width, so that text order
/// is time order: `2024-03-31T09:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// Why a text is not an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an instant as `YYYY-MM-DDThh:mm:ssZ`")]
pub struct NotAnInstant;

impl Instant {
    /// Milliseconds since 1970 in UTC.
    #[must_use]
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970 in UTC.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// This instant, later by some seconds.
    #[must_use]
    pub const fn plus_s(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000)))
    }

    /// The day in London, where the programme's working day is kept.
    #[must_use]
    pub fn london_day(self) -> crate::base::day::Day {
        let utc = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let zone = jiff::tz::TimeZone::get("Europe/London").unwrap_or(jiff::tz::TimeZone::UTC);
        utc.to_zoned(zone).date().into()
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let utc = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{utc:.3}")
    }
}

impl std::str::FromStr for Instant {
    type Err = NotAnInstant;

    fn from_str(text: &str) -> Result<Self, NotAnInstant> {
        let utc: jiff::Timestamp = text.parse().map_err(|_parse| NotAnInstant)?;
        Ok(Self(utc.as_millisecond()))
    }
}

/// The edges a service works with.
#[derive(Clone)]
pub struct Edge {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub entropy: Arc<dyn Entropy>,
}

impl Edge {
    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// `N` unpredictable bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Instant;

    #[test]
    fn fixed_width_and_back() {
        for ms in [0, 1, 999, 1_711_875_600_000] {
            let text = Instant::from_unix_ms(ms).to_string();
            assert_eq!(text.len(), "2024-03-31T09:00:00.000Z".len(), "{text}");
            assert_eq!(text.parse::<Instant>().unwrap().unix_ms(), ms);
        }
    }
}
