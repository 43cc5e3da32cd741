//! One funded service. The twin of `schemas/record/service.json`.

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::base::day::Day;
use crate::base::money::Money;
use crate::base::private::Private;

/// One funded service.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Service type (Client Level Data, Release 2).
    pub r#type: Option<String>,
    /// Service component (Client Level Data, Release 2).
    pub component: Option<String>,
    /// Delivery mechanism (Client Level Data, Release 2).
    pub delivery: Option<String>,
    /// Cost of one unit, pounds.
    pub unit_cost: Option<Money>,
    /// What one unit is.
    pub cost_frequency: Option<String>,
    /// Planned units a week.
    pub planned_units: Option<Decimal>,
    /// Cost a week, pounds.
    pub weekly_cost: Option<Money>,
    /// Provider, by the source's own name.
    pub provider: Option<String>,
    /// CQC location id of the provider.
    pub provider_cqc_id: Option<String>,
    /// First day.
    pub started_on: Option<Day>,
    /// Last day; absent while it lasts.
    pub ended_on: Option<Day>,
    /// Event outcome (Client Level Data, Release 2).
    pub outcome: Option<String>,
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
    /// Planned visits a week.
    pub weekly_visits: Option<Decimal>,
    /// Planned minutes a week.
    pub weekly_minutes: Option<Decimal>,
}
