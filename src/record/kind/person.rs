//! One person as one source describes them. The twin of `schemas/record/person.json`.

use serde::Deserialize;

use crate::base::day::Day;
use crate::base::private::Private;

/// One person as one source describes them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// NHS number, ten digits, check digit right (NHS Data Dictionary, NHS NUMBER).
    pub nhs_number: Option<Private<String>>,
    /// NHS NUMBER STATUS INDICATOR CODE (NHS Data Dictionary).
    pub nhs_number_status: Option<String>,
    /// The person's identifier in the council's case system.
    pub council_id: Option<Private<String>>,
    /// The person's reference in the housing association's tracker.
    pub tracker_ref: Option<Private<String>>,
    /// The person's local patient identifier at the trust.
    pub trust_id: Option<Private<String>>,
    /// Family name.
    pub family_name: Option<Private<String>>,
    /// First given name.
    pub given_name: Option<Private<String>>,
    /// Other given names.
    pub other_names: Option<Private<String>>,
    /// An earlier family name.
    pub previous_family_name: Option<Private<String>>,
    /// Day of birth, never estimated.
    pub birth_date: Option<Private<Day>>,
    /// Day of death.
    pub death_date: Option<Day>,
    /// Person stated gender as the NHS records it (1, 2, 9, X).
    pub sex: Option<String>,
    /// Gender as the council or the person records it; not the same thing as sex.
    pub gender: Option<String>,
    /// Ethnic group, Census 2021 categories.
    pub ethnicity: Option<String>,
    /// Day the ethnic group was stated.
    pub ethnicity_recorded_on: Option<Day>,
    /// Whether the person stated it.
    pub ethnicity_stated_by: Option<String>,
    /// First line of the address.
    pub address_line_1: Option<Private<String>>,
    /// Second line of the address.
    pub address_line_2: Option<Private<String>>,
    /// Town.
    pub town: Option<Private<String>>,
    /// Full postcode, one blank in the middle.
    pub postcode: Option<Private<String>>,
    /// The part of the postcode before the blank.
    pub postcode_district: Option<String>,
    /// Telephone number.
    pub phone: Option<Private<String>>,
    /// E-mail address.
    pub email: Option<Private<String>>,
    /// General practice, ODS code.
    pub gp_practice_code: Option<String>,
    /// General practice, name.
    pub gp_practice_name: Option<String>,
    /// Entitled to aftercare under section 117 of the Mental Health Act 1983.
    pub section_117: Option<bool>,
    /// Marked as restricted by the source: address, landlord and worker go to nobody.
    pub restricted: Option<bool>,
    /// Primary support reason (Client Level Data, Release 2).
    pub primary_support_reason: Option<String>,
    /// Employment status.
    pub employment: Option<String>,
    /// Client type (Client Level Data, Release 2).
    pub client_type: Option<String>,
    /// Who pays for the person's care (Client Level Data, Release 2).
    pub funding_status: Option<String>,
    /// Where the person lives, by type.
    pub accommodation_status: Option<String>,
}
