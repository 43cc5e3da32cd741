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
    /// Edition of the sender's layout and code lists that this was read in.
    pub release: Option<String>,
    /// Form of address.
    pub title: Option<String>,
    /// Marital status (NHS Data Dictionary, PERSON MARITAL STATUS).
    pub marital_status: Option<String>,
    /// Nationality, in the source's own words.
    pub nationality: Option<String>,
    /// The person's identifier in the system before this one.
    pub previous_id: Option<Private<String>>,
    /// Organisation that gave the local identifier, ODS code.
    pub managing_provider_code: Option<String>,
    /// Has an unpaid carer, in the source's own words (Client Level Data).
    pub has_unpaid_carer: Option<String>,
    /// Autism spectrum disorder, in the source's own words (Client Level Data).
    pub autism: Option<String>,
    /// Visual impairment (Client Level Data, Release 2).
    pub visual_impairment: Option<String>,
    /// Hearing impairment (Client Level Data, Release 2).
    pub hearing_impairment: Option<String>,
    /// Dementia, in the source's own words (Client Level Data).
    pub dementia: Option<String>,
    /// Hours of unpaid caring a week, in the source's own words (Client Level Data).
    pub caring_hours: Option<String>,
    /// How many adults the person cares for.
    pub adults_cared_for: Option<i64>,
    /// First adult cared for, by the council's identifier.
    pub linked_person_1: Option<Private<String>>,
    /// Second adult cared for, by the council's identifier.
    pub linked_person_2: Option<Private<String>>,
    /// Third adult cared for, by the council's identifier.
    pub linked_person_3: Option<Private<String>>,
    /// The person's reference with their landlord.
    pub tenant_code: Option<Private<String>>,
    /// Sex registered at birth (CORE); neither stated gender nor gender identity.
    pub sex_at_birth: Option<String>,
    /// Whole name, where the source does not part it.
    pub full_name: Option<Private<String>>,
}
