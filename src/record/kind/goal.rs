//! One goal. The twin of `schemas/record/goal.json`.

use serde::Deserialize;

use crate::base::day::Day;
use crate::base::private::Private;

/// One goal.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// Area of the goal.
    pub area: Option<String>,
    /// Day it was set.
    pub set_on: Option<Day>,
    /// Day it was due.
    pub due_on: Option<Day>,
    /// Status as the source recorded it; never worked out from the due date.
    pub status: Option<String>,
    /// Day it was closed.
    pub closed_on: Option<Day>,
    /// The goal in the person's words.
    pub wording: Option<Private<String>>,
}
