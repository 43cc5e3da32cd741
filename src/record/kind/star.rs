//! One Recovery Star reading. The twin of `schemas/record/star.json`.

use serde::Deserialize;

use crate::base::day::Day;
use crate::base::private::Private;

/// One Recovery Star reading.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Star {
    /// Edition of the Recovery Star. Never averaged across editions.
    pub edition: Option<String>,
    /// Day of the reading.
    pub completed_on: Option<Day>,
    /// Occasion of the reading.
    pub occasion: Option<String>,
    /// Who completed it.
    pub completed_with: Option<String>,
    /// Score, 1 to 10.
    pub mental_health: Option<i64>,
    /// Score, 1 to 10.
    pub living_skills: Option<i64>,
    /// Score, 1 to 10.
    pub relationships: Option<i64>,
    /// Score, 1 to 10.
    pub social_networks: Option<i64>,
    /// Score, 1 to 10.
    pub self_care: Option<i64>,
    /// Score, 1 to 10.
    pub work: Option<i64>,
    /// Score, 1 to 10.
    pub identity_self_esteem: Option<i64>,
    /// Score, 1 to 10.
    pub trust_hope: Option<i64>,
    /// Score, 1 to 10.
    pub addictive_behaviour: Option<i64>,
    /// Score, 1 to 10.
    pub responsibilities: Option<i64>,
    /// Score, 1 to 10.
    pub physical_health: Option<i64>,
    /// Score, 1 to 10.
    pub friends_community: Option<i64>,
    /// Score, 1 to 10.
    pub use_of_time: Option<i64>,
    /// Score, 1 to 10.
    pub home: Option<i64>,
    /// Notes.
    pub notes: Option<Private<String>>,
}
