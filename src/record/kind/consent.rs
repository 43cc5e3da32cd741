//! What one person said to being part of one study, on one form. The twin of `schemas/record/consent.json`.

use serde::Deserialize;

use crate::base::day::Day;
use crate::base::private::Private;

/// What one person said to being part of one study, on one form.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The study asked about.
    pub study: Option<String>,
    /// Consent form.
    pub form_code: Option<String>,
    /// Version of the consent form.
    pub form_version: Option<String>,
    /// Version of the information sheet.
    pub sheet_version: Option<String>,
    /// Date of the information sheet.
    pub sheet_date: Option<Day>,
    /// What was decided.
    pub decision: Option<String>,
    /// Day it was signed or said.
    pub decided_on: Option<Day>,
    /// Last day it holds, where the form sets one.
    pub valid_to: Option<Day>,
    /// May case data be evaluated?
    pub use_case_data: Option<String>,
    /// May housing records be linked?
    pub link_housing: Option<String>,
    /// May NHS records be linked?
    pub link_nhs: Option<String>,
    /// May written notes be used?
    pub free_text: Option<String>,
    /// May the researchers make contact?
    pub recontact: Option<String>,
    /// May data be kept after withdrawal?
    pub keep_after_withdrawal: Option<String>,
    /// Who decided.
    pub given_by: Option<String>,
    /// Day capacity was reviewed.
    pub capacity_reviewed_on: Option<Day>,
    /// A second person has checked the form.
    pub checked: Option<bool>,
    /// How far a withdrawal reaches.
    pub withdrawal_scope: Option<String>,
    /// Who took the consent.
    pub taken_by: Option<Private<String>>,
    /// Where the signed form is kept.
    pub evidence_ref: Option<Private<String>>,
}
