//! Trying a mapping beside the live one of a feed: beginning, ending, and what came of it.

use serde::Serialize;

use crate::base::id::ShadowId;
use crate::gateway::feed::Feed;
pub use crate::gateway::process::Example;
use crate::gateway::{Gateway, GatewayError, live_mapping};
use crate::mapping::Mapping;
use crate::store::shadow::{self, Difference, Shadow};
use crate::store::{StoreError, audit, mapping_version};

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The feed, as `council/cld`.
    pub feed: String,
    /// The version beside which it is or was tried.
    pub live_version: i64,
    /// The version that is or was tried.
    pub shadow_version: i64,
    /// True where that is the live one since.
    pub is_live: bool,
    /// Since when.
    pub started_at: String,
    /// Until when; none while it is tried.
    pub ended_at: Option<String>,
    /// Units that both read.
    pub units: i64,
    /// Those of which they made different things.
    pub differing: i64,
    /// The ways in which they differ, the most frequent first.
    pub differences: Vec<Way>,
}

/// One way in which two mappings differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// `only-live`, `only-shadow`, `differs`, `outcome`, `finding-new` or `finding-gone`.
    pub what: String,
    /// A field as `kind.field`, a kind of record, two outcomes, or the code of a finding.
    pub about: String,
    /// In how many units.
    pub count: i64,
    /// Where the first of them stand.
    pub examples: Vec<Example>,
}

/// A mapping can stand in for a feed's only under its name.
pub(super) fn check_name(live: &Feed, mapping: &Mapping) -> Result<(), GatewayError> {
    if mapping.name == live.mapping.name {
        return Ok(());
    }
    Err(GatewayError::OtherMapping { feed: live.full_name(), expected: live.mapping.name.clone() })
}

/// Tries a mapping beside the live one from now on, instead of any that was tried before.
///
/// # Errors
/// Where it is the live one, has another name or cuts a file otherwise, or the store fails.
pub fn start(gateway: &Gateway, feed: &Feed, mapping: &Mapping, text: &str) -> Result<Report, GatewayError> {
    let live = live_mapping::one(gateway, feed)?;
    check_name(&live, mapping)?;
    if mapping.hash == live.mapping.hash {
        return Err(GatewayError::SameMapping { feed: feed.full_name() });
    }
    if !mapping.settings.cuts_as(&live.mapping.settings) {
        return Err(GatewayError::OtherFormat { feed: feed.full_name() });
    }
    gateway.store.write(|tx| {
        let at = gateway.edge.now();
        if let Some(tried) = shadow::find(tx, &feed.source, &feed.name)? {
            shadow::end(tx, &tried.id, &at.to_string())?;
        }
        live_mapping::keep(tx, mapping, text)?;
        // So that the report can say beside which version it was, whichever is live by then.
        live_mapping::keep(tx, &live.mapping, &live.mapping_text)?;
        let new = Shadow {
            id: ShadowId::mint(&gateway.edge).to_string(),
            source: feed.source.clone(),
            feed: feed.name.clone(),
            mapping_hash: mapping.hash.to_vec(),
            started_at: at.to_string(),
            ended_at: None,
            actor: gateway.actor.clone(),
            units: 0,
            differing: 0,
            live_hash: Some(live.mapping.hash.to_vec()),
        };
        shadow::create(tx, &new)?;
        let told = format!("{} version {}", feed.full_name(), mapping.version);
        audit::append_act(tx, &gateway.actor, "mapping shadowed", "mapping", &told, 0, at)?;
        Ok::<_, GatewayError>(())
    })?;
    report(gateway, feed)
}

/// Ends the trial; what was counted stays.
///
/// # Errors
/// Where none is tried, or the store fails.
pub fn stop(gateway: &Gateway, feed: &Feed) -> Result<Report, GatewayError> {
    gateway.store.write(|tx| {
        let tried = shadow::find(tx, &feed.source, &feed.name)?;
        let tried = tried.ok_or_else(|| GatewayError::NoShadow { feed: feed.full_name() })?;
        let at = gateway.edge.now();
        shadow::end(tx, &tried.id, &at.to_string())?;
        audit::append_act(tx, &gateway.actor, "shadow ended", "mapping", &feed.full_name(), 0, at)?;
        Ok::<_, GatewayError>(())
    })?;
    report(gateway, feed)
}

/// What came of the last trial, or has come of the one that goes on.
///
/// # Errors
/// Where none was ever tried, or the store fails.
pub fn report(gateway: &Gateway, feed: &Feed) -> Result<Report, GatewayError> {
    let live = live_mapping::one(gateway, feed)?;
    gateway.store.read(|tx| {
        let tried = shadow::find_last(tx, &feed.source, &feed.name)?;
        let tried = tried.ok_or_else(|| GatewayError::NoShadow { feed: feed.full_name() })?;
        let kept = mapping_version::find(tx, &tried.mapping_hash)?;
        let differences = shadow::list_differences(tx, &tried.id)?.into_iter().map(way);
        Ok(Report {
            feed: feed.full_name(),
            live_version: match &tried.live_hash {
                Some(hash) => mapping_version::find(tx, hash)?.version,
                None => i64::from(live.mapping.version),
            },
            shadow_version: kept.version,
            is_live: tried.mapping_hash == live.mapping.hash,
            started_at: tried.started_at,
            ended_at: tried.ended_at,
            units: tried.units,
            differing: tried.differing,
            differences: differences.collect::<Result<_, StoreError>>()?,
        })
    })
}

fn way(row: Difference) -> Result<Way, StoreError> {
    let examples =
        serde_json::from_str(&row.examples).map_err(|_json| StoreError::Unreadable { what: "difference" })?;
    Ok(Way { what: row.what, about: row.about, count: row.count, examples })
}
