//! A care home, landlord or provider. No person. The twin of `schemas/record/setting.json`.

use serde::Deserialize;

/// A care home, landlord or provider. No person.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its name as the sources write it.
    pub name: Option<String>,
    /// CQC location id.
    pub cqc_id: Option<String>,
    /// What it is.
    pub kind: Option<String>,
    /// Size of its owner.
    pub owner_size: Option<String>,
    /// Beds.
    pub beds: Option<i64>,
    /// Gives nursing.
    pub nursing: Option<bool>,
    /// Kitchen open to residents.
    pub kitchen_open: Option<bool>,
    /// Laundry open to residents.
    pub laundry_open: Option<bool>,
    /// ODS code.
    pub ods_code: Option<String>,
    /// Service or team type.
    pub team_type: Option<String>,
    /// Age group a team is for, as coded.
    pub age_group: Option<String>,
}
