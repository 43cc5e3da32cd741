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
    /// Edition of the sender's layout and code lists that this was read in.
    pub release: Option<String>,
    /// Council that reports it (CASSR code).
    pub authority_code: Option<String>,
    /// First day of the reporting period of the submission.
    pub period_start: Option<Day>,
    /// Last day of the reporting period of the submission.
    pub period_end: Option<Day>,
    /// As whom the person had it: client type (Client Level Data, Release 2).
    pub client_type: Option<String>,
    /// The sender's own reference. It does not tell one from another.
    pub reference: Option<Private<String>>,
    /// Eligible needs identified, in the source's own words (Client Level Data).
    pub eligible_needs: Option<String>,
    /// Day it is due.
    pub due_on: Option<Day>,
    /// Team it is allocated to.
    pub team: Option<String>,
    /// Method of an assessment, in the source's own words (Client Level Data).
    pub assessment_method: Option<String>,
}
