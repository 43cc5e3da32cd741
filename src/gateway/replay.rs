//! Replaying units that were set aside: through the mapping as it is now, in the order in which they
//! arrived, so in order for each person. Each batch is a run of its own, which balances as every run
//! does. What is taken is closed; what is still wrong stays open, with its present cause. Replaying
//! again changes nothing, and sends nobody anything twice: a record that says what it said is
//! unchanged, and a message that was made has the id that it had.

use serde::Serialize;

use crate::base::limit::REPLAY_UNITS_MAX;
use crate::gateway::deliver::Found;
use crate::gateway::feed::Feed;
use crate::gateway::process::replay::{begin, go_on, rehearse};
use crate::gateway::quarantine::{Asked, QuarantinedShown};
use crate::gateway::show::RunShown;
use crate::gateway::turn::Turn;
use crate::gateway::{Gateway, GatewayError, live_mapping};
use crate::store::quarantine::{self, Filter, Listed, OPEN};
use crate::store::run::REPLAY;
use crate::store::unit_outcome::UnitOutcome;
use crate::store::{StoreError, audit};

/// What a replay did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Replayed {
    /// True if nothing was done.
    pub is_dry_run: bool,
    /// The runs, one a batch, at the end of their second step.
    pub runs: Vec<RunShown>,
    /// What became of each unit, in order.
    pub units: Vec<ReplayedUnit>,
}

/// What became of a unit, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReplayedUnit {
    /// Its id.
    pub id: String,
    /// The feed, as `council/cld`.
    pub feed: String,
    /// Where it stands in its file.
    pub place: String,
    /// Why it was set aside.
    pub code: String,
    /// The outcome: accepted, unchanged, filtered, duplicate, quarantined, rejected; or `not-read`
    /// where the mapping finds no such unit in the file, or refuses the file.
    pub outcome: String,
    /// What is found in it now.
    pub findings: Vec<Found>,
}

impl ReplayedUnit {
    /// True if it is set aside no longer.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !["quarantined", "rejected", NOT_READ].contains(&self.outcome.as_str())
    }
}

/// The outcome of a unit that was not found again.
const NOT_READ: &str = "not-read";

/// Replays the open units that are asked for, through the first two steps; whoever calls does the
/// last two, or leaves them to a worker.
///
/// # Errors
/// Where none fits, more fit than may, somebody is working on a feed, or the store fails.
pub fn replay(
    gateway: &Gateway,
    feeds: &[Feed],
    asked: &Asked,
    is_dry_run: bool,
) -> Result<Replayed, GatewayError> {
    gateway.check_keys()?;
    let filter = Filter { state: Some(OPEN.to_owned()), ..asked.filter(gateway) };
    let n_max = i64::try_from(REPLAY_UNITS_MAX + 1).unwrap_or(i64::MAX);
    let wanted = gateway.store.read(|tx| quarantine::list(tx, &filter, n_max))?;
    if wanted.is_empty() {
        return Err(GatewayError::NothingSetAside);
    }
    if wanted.len() > REPLAY_UNITS_MAX {
        return Err(GatewayError::TooManyUnits { units_max: REPLAY_UNITS_MAX });
    }
    let mut replayed = Replayed { is_dry_run, ..Replayed::default() };
    // They are in order of arrival, so that those of a batch stand together.
    for of_batch in wanted.chunk_by(|a, b| a.batch_id == b.batch_id) {
        let Some(first) = of_batch.first() else { continue };
        let configured = feeds.iter().find(|feed| feed.source == first.source && feed.name == first.feed);
        let configured = configured
            .ok_or_else(|| GatewayError::NoFeed { name: format!("{}/{}", first.source, first.feed) })?;
        let feed = live_mapping::one(gateway, configured)?;
        let note = format!("{REPLAY} of units that were set aside");
        if is_dry_run {
            let outcomes = rehearse(gateway, &feed, of_batch, &note)?;
            replayed.units.extend(units(of_batch, &outcomes)?);
            continue;
        }
        // A sync that reads the feed's files is not disturbed, and neither is a worker.
        let _turn = Turn::at_once(gateway, &feed)?;
        let Some(_of_worker) = Turn::of_worker(gateway, &feed)? else {
            return Err(GatewayError::Elsewhere { what: feed.full_name() });
        };
        let (run, outcomes) = of_one_batch(gateway, &feed, of_batch, &note)?;
        replayed.units.extend(units(of_batch, &outcomes)?);
        replayed.runs.extend(run);
    }
    Ok(replayed)
}

fn of_one_batch(
    gateway: &Gateway,
    feed: &Feed,
    wanted: &[Listed],
    note: &str,
) -> Result<(Option<RunShown>, Vec<UnitOutcome>), GatewayError> {
    let Some(begun) = begin(gateway, feed, wanted, note)? else { return Ok((None, Vec::new())) };
    let (ended, outcomes) = go_on(gateway, feed, begun)?;
    let count = i64::try_from(outcomes.len()).unwrap_or(i64::MAX);
    let now = gateway.edge.now();
    gateway
        .store
        .write(|tx| audit::append_act(tx, &gateway.actor, "replayed", "quarantine", &ended.id, count, now))?;
    Ok((Some(RunShown::from(&ended)), outcomes))
}

fn units(wanted: &[Listed], outcomes: &[UnitOutcome]) -> Result<Vec<ReplayedUnit>, StoreError> {
    let unit = |row: &Listed| {
        let became = outcomes.iter().find(|one| one.unit == row.unit && one.batch_id == row.batch_id);
        let findings = match became {
            Some(one) => serde_json::from_str(&one.findings)
                .map_err(|_json| StoreError::Unreadable { what: "unit outcome" })?,
            None => Vec::new(),
        };
        let QuarantinedShown { id, feed, place, code, .. } = row.clone().into();
        let outcome = became.map_or(NOT_READ, |one| one.outcome.as_str()).to_owned();
        Ok(ReplayedUnit { id, feed, place, code, outcome, findings })
    };
    wanted.iter().map(unit).collect()
}
