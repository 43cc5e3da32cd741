//! One spell of living in one place. The twin of `schemas/record/accommodation.json`.

use serde::Deserialize;

use crate::base::day::Day;
use crate::base::private::Private;

/// One spell of living in one place.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accommodation {
    /// Type of accommodation.
    pub r#type: Option<String>,
    /// Settled accommodation indicator.
    pub settled: Option<String>,
    /// Care home, landlord or provider, by the source's own name.
    pub provider: Option<String>,
    /// CQC location id of the provider.
    pub provider_cqc_id: Option<String>,
    /// First day.
    pub started_on: Option<Day>,
    /// Last day; absent while it lasts.
    pub ended_on: Option<Day>,
    /// Type of tenancy.
    pub tenancy_type: Option<String>,
    /// Landlord, by the source's own name.
    pub landlord: Option<String>,
    /// This spell is the move that the programme is for.
    pub is_move: Option<bool>,
    /// Sustained six months after the move.
    pub sustained_6_months: Option<String>,
    /// Sustained twelve months after the move.
    pub sustained_12_months: Option<String>,
    /// Sustained twenty-four months after the move.
    pub sustained_24_months: Option<String>,
    /// First line of the address.
    pub address_line_1: Option<Private<String>>,
    /// Full postcode.
    pub postcode: Option<Private<String>>,
}
