//! One activity of the programme. The twin of `schemas/record/milestone.json`.

use serde::Deserialize;

use crate::base::day::Day;
use crate::base::money::Money;
use crate::base::private::Private;

/// One activity of the programme.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// Activity (design, section 9).
    pub activity: Option<String>,
    /// Phase.
    pub phase: Option<String>,
    /// Who leads it.
    pub role: Option<String>,
    /// Day planned.
    pub planned_on: Option<Day>,
    /// Day done.
    pub done_on: Option<Day>,
    /// Outcome.
    pub outcome: Option<String>,
    /// Difficulty met.
    pub difficulty: Option<String>,
    /// Cause of delay.
    pub delay_cause: Option<String>,
    /// Barrier.
    pub barrier: Option<String>,
    /// Action taken.
    pub action_taken: Option<String>,
    /// Amount granted, pounds.
    pub amount: Option<Money>,
    /// Topics covered.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Version of the plan.
    pub plan_version: Option<String>,
    /// Notes.
    pub notes: Option<Private<String>>,
    /// The sender's own identifier.
    pub reference: Option<Private<String>>,
    /// First day it covers.
    pub started_on: Option<Day>,
}
