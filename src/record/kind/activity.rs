//! Education, training, work or leisure. The twin of `schemas/record/activity.json`.

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::base::day::Day;
use crate::base::private::Private;

/// Education, training, work or leisure.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Type of activity.
    pub r#type: Option<String>,
    /// First day.
    pub started_on: Option<Day>,
    /// Last day.
    pub ended_on: Option<Day>,
    /// Completed.
    pub completed: Option<bool>,
    /// Hours a week.
    pub hours_a_week: Option<Decimal>,
    /// Detail.
    pub detail: Option<Private<String>>,
}
