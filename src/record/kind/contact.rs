//! One NHS contact or stay. The twin of `schemas/record/contact.json`.

use serde::Deserialize;

use crate::base::day::Day;

/// One NHS contact or stay.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Type of contact.
    pub r#type: Option<String>,
    /// Day of the contact, or first day of the stay.
    pub started_on: Option<Day>,
    /// Last day of the stay.
    pub ended_on: Option<Day>,
    /// Planned or not.
    pub planned: Option<String>,
    /// Who referred.
    pub referred_by: Option<String>,
    /// Service or team type.
    pub team: Option<String>,
    /// Ward or clinic.
    pub location: Option<String>,
    /// Admission method.
    pub admission_method: Option<String>,
    /// Discharge method.
    pub discharge_method: Option<String>,
    /// Discharge destination.
    pub discharge_destination: Option<String>,
    /// Provider, ODS code.
    pub provider_code: Option<String>,
    /// Attended or not.
    pub attended: Option<String>,
}
