//! Pounds and pence, exactly.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of money in whole pence. Stored as pence, written in pounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

impl Money {
    /// An amount in pence.
    #[must_use]
    pub const fn from_pence(pence: i64) -> Self {
        Self(pence)
    }

    /// The amount in pence.
    #[must_use]
    pub const fn pence(self) -> i64 {
        self.0
    }

    /// The amount in pounds, exactly; `None` for more than two decimals or out of range.
    #[must_use]
    pub fn from_pounds(pounds: Decimal) -> Option<Self> {
        let pence = pounds.checked_mul(Decimal::ONE_HUNDRED)?.normalize();
        if pence.scale() != 0 {
            return None;
        }
        i64::try_from(pence.mantissa()).ok().map(Self)
    }

    /// The amount in pounds.
    #[must_use]
    pub fn pounds(self) -> Decimal {
        Decimal::new(self.0, 2)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.pounds())
    }
}

/// Writes a JSON number in pounds.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        rust_decimal::serde::float::serialize(&self.pounds(), serializer)
    }
}

/// Reads a JSON number in pounds.
impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pounds = rust_decimal::serde::float::deserialize(deserializer)?;
        Self::from_pounds(pounds)
            .ok_or_else(|| serde::de::Error::custom("expected pounds with at most two decimals"))
    }
}

#[cfg(test)]
mod tests {
    use super::Money;

    #[test]
    fn json_keeps_every_penny() {
        for pence in [0, 1, 99, 150_179, 99_999_999_999] {
            let text = serde_json::to_string(&Money::from_pence(pence)).unwrap();
            assert_eq!(serde_json::from_str::<Money>(&text).unwrap().pence(), pence);
        }
    }
}
