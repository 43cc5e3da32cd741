//! One person's participation in the programme. The twin of `schemas/record/episode.json`.

use serde::Deserialize;

use crate::base::day::Day;

/// One person's participation in the programme.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Episode {
    /// The programme.
    pub programme: Option<String>,
    /// Who referred.
    pub referral_source: Option<String>,
    /// Day of referral.
    pub referred_on: Option<Day>,
    /// Day of acceptance.
    pub accepted_on: Option<Day>,
    /// First day in the programme.
    pub started_on: Option<Day>,
    /// Phase of the programme.
    pub stage: Option<String>,
    /// Day of the move to the person's own tenancy.
    pub moved_on: Option<Day>,
    /// Last day in the programme.
    pub ended_on: Option<Day>,
    /// How participation ended. Leaving the programme is not withdrawal of consent.
    pub ending: Option<String>,
    /// Why it ended.
    pub ending_reason: Option<String>,
    /// Where to.
    pub destination: Option<String>,
    /// Care home at entry, by the source's own name.
    pub care_home: Option<String>,
}
