//! One NHS contact or stay. The twin of `schemas/record/contact.json`.

use serde::Deserialize;

use crate::base::day::Day;
use crate::base::private::Private;

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
    /// Edition of the sender's layout and code lists that this was read in.
    pub release: Option<String>,
    /// Source of admission.
    pub source_of_admission: Option<String>,
    /// Planned destination of discharge.
    pub planned_destination: Option<String>,
    /// Source of referral for mental health services.
    pub referral_source: Option<String>,
    /// Primary reason for referral.
    pub referral_reason: Option<String>,
    /// Why the referral was closed.
    pub closure_reason: Option<String>,
    /// How the contact was held.
    pub medium: Option<String>,
    /// Minutes of clinical contact.
    pub minutes: Option<i64>,
    /// Why discharge waits.
    pub delay_reason: Option<String>,
    /// To whom the delay is attributed.
    pub delay_due_to: Option<String>,
    /// Team, by the sender's code.
    pub team_id: Option<String>,
    /// Primary diagnosis, as coded.
    pub diagnosis: Option<String>,
    /// Scheme of the diagnosis.
    pub diagnosis_scheme: Option<String>,
    /// The sender's identifier of the referral it belongs to.
    pub referral_ref: Option<Private<String>>,
    /// The sender's identifier of the hospital stay it belongs to.
    pub stay_ref: Option<Private<String>>,
    /// The sender's own identifier of the contact.
    pub reference: Option<Private<String>>,
    /// Commissioner, ODS code.
    pub commissioner_code: Option<String>,
}
