//! One worker's role for a person. The twin of `schemas/record/involvement.json`.

use serde::Deserialize;

use crate::base::day::Day;
use crate::base::private::Private;

/// One worker's role for a person.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Involvement {
    /// Role.
    pub role: Option<String>,
    /// Worker.
    pub worker: Option<Private<String>>,
    /// Team.
    pub team: Option<String>,
    /// First day.
    pub started_on: Option<Day>,
    /// Last day.
    pub ended_on: Option<Day>,
    /// Worker, by the sender's identifier.
    pub worker_code: Option<Private<String>>,
}
