//! A request, assessment or review. The twin of `schemas/record/event.json`.

use serde::Deserialize;

use crate::base::day::Day;
use crate::base::money::Money;
use crate::base::private::Private;

/// A request, assessment or review.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Type of event.
    pub r#type: Option<String>,
    /// Assessment type, route of access or review reason.
    pub subtype: Option<String>,
    /// First day.
    pub started_on: Option<Day>,
    /// Day it was completed.
    pub ended_on: Option<Day>,
    /// Event outcome (Client Level Data, Release 2).
    pub outcome: Option<String>,
    /// How far a review found the outcomes reached.
    pub outcomes_achieved: Option<String>,
    /// How it was held.
    pub method: Option<String>,
    /// Cost of the event, pounds, where the source gives one.
    pub unit_cost: Option<Money>,
    /// Worker.
    pub worker: Option<Private<String>>,
    /// The source's own words.
    pub description: Option<Private<String>>,
}
