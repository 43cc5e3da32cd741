//! Units that were set aside, read again through the mapping as it is now, and those alone.
//!
//! The whole file is read, since what its other rows say decides too: a row that stands there twice,
//! two rows of one thing that differ. But only the units asked for are taken, in their order, by a
//! run of their own whose ledger counts them and nothing else. A unit is found by its place; where
//! the mapping now reads the file otherwise, so that another unit stands there, it is left as it is.

use std::collections::BTreeMap;

use crate::base::finding::Findings;
use crate::base::limit::PROCESS_UNITS_MAX;
use crate::format::Place;
use crate::gateway::feed::Feed;
use crate::gateway::process::ledger::Tally;
use crate::gateway::process::read::{Chunk, Depth, UnitRead};
use crate::gateway::process::seen::Seen;
use crate::gateway::process::{Progress, Work, write};
use crate::gateway::{Gateway, GatewayError, receive};
use crate::store::quarantine::{self, Listed};
use crate::store::run::{self, Run, State};
use crate::store::unit_outcome::UnitOutcome;
use crate::store::{StoreError, batch};

/// The units that a run is to replay, as they are read now.
struct Held {
    units: Vec<UnitRead>,
    /// What the rest of the file says.
    seen: Seen,
    /// Why the file as a whole is refused.
    refused: Option<Findings>,
}

fn hold(work: &Work<'_>, wanted: &[Listed]) -> Result<Held, GatewayError> {
    let places: BTreeMap<i64, &Listed> = wanted.iter().map(|one| (one.unit, one)).collect();
    let mut held = Held { units: Vec::new(), seen: Seen::default(), refused: None };
    work.read(Depth::Whole, &mut |chunk| {
        match chunk {
            Chunk::Units(units) => {
                for unit in units {
                    match places.get(&unit.ordinal) {
                        Some(one) if is_at(&unit.place, one) => held.units.push(unit),
                        _ => held.seen.replay(&unit, work.open.contains(&unit.ordinal)),
                    }
                }
            }
            Chunk::Findings(_) => {}
            Chunk::Refused(findings) => held.refused = Some(findings),
        }
        Ok(())
    })?;
    Ok(held)
}

fn is_at(place: &Place, one: &Listed) -> bool {
    place.sheet.as_deref() == one.sheet.as_deref()
        && i64::try_from(place.line).ok() == one.line
        && place.path.as_deref() == one.path.as_deref()
}

/// Does what is left of the second step of a run that replays units, and says what became of each.
///
/// # Errors
/// Where the store or the machine fails; the run then stands where it was.
pub(in crate::gateway) fn go_on(
    gateway: &Gateway,
    feed: &Feed,
    begun: Run,
) -> Result<(Run, Vec<UnitOutcome>), GatewayError> {
    let work = Work::of(gateway, feed, &begun)?;
    let wanted = gateway.store.read(|tx| quarantine::list_of_replay(tx, &begun.id))?;
    let Held { units, seen, refused } = hold(&work, &wanted)?;
    let mut state = Progress { tally: Tally::load(gateway, &begun)?, run: begun, seen };
    if let Some(findings) = refused {
        state.tally.add_file_findings(&findings);
        state.fail(&work)?;
        return Ok((state.run, Vec::new()));
    }
    let done = usize::try_from(state.run.position).unwrap_or(usize::MAX).min(units.len());
    let (before, fresh) = units.split_at(done);
    before.iter().for_each(|unit| state.seen.replay(unit, work.open.contains(&unit.ordinal)));
    let mut outcomes = Vec::with_capacity(fresh.len());
    for units in fresh.chunks(PROCESS_UNITS_MAX) {
        let mut written = gateway.store.write(|tx| write::write(tx, &work, &state, units))?;
        outcomes.append(&mut written.outcomes);
        state.note(written);
    }
    state.end(&work)?;
    Ok((state.run, outcomes))
}

/// Why a rehearsal was undone.
enum Undone {
    Failed(GatewayError),
    Rehearsed(Vec<UnitOutcome>),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<GatewayError> for Undone {
    fn from(error: GatewayError) -> Self {
        Self::Failed(error)
    }
}

/// What would become of units of one batch: everything is done in one transaction, which is undone.
///
/// # Errors
/// Where the store or the machine fails.
pub(in crate::gateway) fn rehearse(
    gateway: &Gateway,
    feed: &Feed,
    wanted: &[Listed],
    note: &str,
) -> Result<Vec<UnitOutcome>, GatewayError> {
    let Some(first) = wanted.first() else { return Ok(Vec::new()) };
    let draft = Run { batch_id: first.batch_id.clone(), note: note.to_owned(), ..Run::default() };
    let work = Work::of(gateway, feed, &draft)?;
    let Held { units, seen, refused } = hold(&work, wanted)?;
    if refused.is_some() || units.is_empty() {
        return Ok(Vec::new());
    }
    let mut state = Progress { tally: Tally::default(), run: draft, seen };
    let undone = gateway.store.write(|tx| {
        state.run = receive::new_run(tx, gateway, feed, &first.batch_id, note)?;
        run::create(tx, &state.run)?;
        let written = write::write(tx, &work, &state, &units)?;
        Err::<std::convert::Infallible, Undone>(Undone::Rehearsed(written.outcomes))
    });
    match undone {
        Err(Undone::Rehearsed(outcomes)) => Ok(outcomes),
        Err(Undone::Failed(error)) => Err(error),
    }
}

/// A run that is to replay units of one batch.
///
/// # Errors
/// Where the store fails.
pub(in crate::gateway) fn begin(
    gateway: &Gateway,
    feed: &Feed,
    wanted: &[Listed],
    note: &str,
) -> Result<Option<Run>, GatewayError> {
    let Some(first) = wanted.first() else { return Ok(None) };
    let ids: Vec<String> = wanted.iter().map(|one| one.id.clone()).collect();
    gateway.store.write(|tx| {
        let kept = batch::find(tx, &first.batch_id)?;
        let begun = receive::new_run(tx, gateway, feed, &kept.id, note)?;
        run::create(tx, &begun)?;
        quarantine::set_replay(tx, &ids, &begun.id)?;
        debug_assert_eq!(begun.state, State::Processing.as_str(), "a new run is at its second step");
        Ok(Some(begun))
    })
}
