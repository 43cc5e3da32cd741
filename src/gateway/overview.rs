//! How the studies stand: what is on the far side, what waits, who decided what. People appear as
//! their random ids and no more.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::Config;
use crate::gateway::release::census::{self, Decided};
use crate::gateway::{Gateway, GatewayError, study};
use crate::store::release::{self, ReleaseRow};
use crate::store::{intent, standing};

/// How a study stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct StudyShown {
    /// Its name.
    pub study: String,
    /// The last release, if there was one.
    pub last_release: Option<String>,
    /// What stands on the far side, by kind.
    pub standing: BTreeMap<String, i64>,
    /// What waits to be told.
    pub unsent: i64,
    /// Notices of withdrawal.
    pub notices: usize,
    /// Those of them that are not answered yet.
    pub notices_unanswered: usize,
}

/// A release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReleaseShown {
    /// Its id.
    pub id: String,
    /// The study.
    pub study: String,
    /// The protocol's version.
    pub protocol_version: i64,
    /// Up to when consent and records were taken.
    pub cut_off: String,
    /// open, closing or closed.
    pub state: String,
    /// When it was closed.
    pub closed_at: Option<String>,
}

/// The studies of the configuration.
///
/// # Errors
/// Where the store fails.
pub fn list_studies(gateway: &Gateway, config: &Config) -> Result<Vec<StudyShown>, GatewayError> {
    gateway.store.read(|tx| {
        let mut shown = Vec::new();
        for study in config.study.keys() {
            let notices = release::list_notices(tx, study)?;
            shown.push(StudyShown {
                study: study.clone(),
                last_release: release::find_last(tx, study)?.map(|row| row.id),
                standing: standing::totals(tx, study)?,
                unsent: intent::count_unsent(tx, study)?,
                notices_unanswered: notices.iter().filter(|one| one.acknowledged_at.is_none()).count(),
                notices: notices.len(),
            });
        }
        Ok(shown)
    })
}

/// The last releases of every study, newest first.
///
/// # Errors
/// Where the store fails.
pub fn list_releases(gateway: &Gateway, n_max: i64) -> Result<Vec<ReleaseShown>, GatewayError> {
    let rows: Vec<ReleaseRow> = gateway.store.read(|tx| release::list(tx, n_max))?;
    let shown = rows.into_iter().map(|row| ReleaseShown {
        id: row.id,
        study: row.study,
        protocol_version: row.protocol_version,
        cut_off: row.cut_off,
        state: row.state,
        closed_at: row.closed_at,
    });
    Ok(shown.collect())
}

/// The decisions on a study that are on record, and what comes of each, those of restricted people
/// only for whoever may see them; none where the configuration has no such study.
///
/// # Errors
/// Where the store fails, or the protocol cannot be used.
pub fn list_consents(
    gateway: &Gateway,
    config: &Config,
    study: &str,
    restricted_by: Option<&str>,
) -> Result<Option<Vec<Decided>>, GatewayError> {
    if !config.study.contains_key(study) {
        return Ok(None);
    }
    let protocol = study::protocol_of(config, study)?;
    let (_, decided) = census::look(gateway, &protocol)?;
    Ok(Some(census::seen_by(gateway, decided, study, restricted_by)?.0))
}
