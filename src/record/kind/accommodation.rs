//! One spell of living in one place. The twin of `schemas/record/accommodation.json`.

use serde::Deserialize;

use crate::base::day::Day;
use crate::base::money::Money;
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
    /// Edition of the sender's layout and code lists that this was read in.
    pub release: Option<String>,
    /// Day it was recorded.
    pub recorded_on: Option<Day>,
    /// Why it ended.
    pub ending_reason: Option<String>,
    /// The landlord's reference of the tenancy.
    pub tenancy_ref: Option<Private<String>>,
    /// The landlord's reference of the property.
    pub property_ref: Option<Private<String>>,
    /// Unique property reference number.
    pub uprn: Option<Private<String>>,
    /// Years of a fixed-term tenancy.
    pub tenancy_years: Option<i64>,
    /// A starter or introductory period applies.
    pub starter_tenancy: Option<bool>,
    /// A joint tenancy.
    pub joint_tenancy: Option<bool>,
    /// General needs or supported housing (CORE).
    pub needs_type: Option<String>,
    /// Type of rent (CORE).
    pub rent_type: Option<String>,
    /// Type of dwelling (CORE).
    pub unit_type: Option<String>,
    /// Bedrooms.
    pub bedrooms: Option<i64>,
    /// Rent for one period, pounds.
    pub rent: Option<Money>,
    /// Service charge for one period, pounds.
    pub service_charge: Option<Money>,
    /// Support charge for one period, pounds.
    pub support_charge: Option<Money>,
    /// The period that rent and charges are for.
    pub rent_period: Option<String>,
    /// Type of accommodation immediately before.
    pub previous_type: Option<String>,
    /// Homeless immediately before.
    pub homeless_before: Option<String>,
    /// Main reason for leaving the last settled home (CORE).
    pub move_reason: Option<String>,
    /// Source of referral for the letting (CORE).
    pub referral_source: Option<String>,
    /// Day the property became empty.
    pub void_on: Option<Day>,
}
