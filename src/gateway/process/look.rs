//! A look at the whole file before anything of it has effect: what it would do, without doing it.
//!
//! A file that is cut in half, or exported under another code list, is right row by row and wrong as
//! a whole. Where more of it fails or is gone than its feed allows, it is held, and somebody decides.

use crate::config::Stop;
use crate::gateway::GatewayError;
use crate::gateway::hold::{self, Reason};
use crate::gateway::process::ledger::Tally;
use crate::gateway::process::read::{Chunk, Content, Depth, UnitRead};
use crate::gateway::process::seen::Seen;
use crate::gateway::process::{Work, absent};
use crate::mapping::Snapshot;
use crate::store::batch;
use crate::store::hold::HoldRow;
use crate::store::run::{self, Run, State};

/// Fewer than this are no sign of anything: half of a small file may well be wrong in a night.
const STOP_UNITS_MIN: i64 = 20;

/// What a look found.
#[derive(Default)]
struct Look {
    units: i64,
    failed: i64,
    seen: Seen,
    tally: Tally,
    is_refused: bool,
}

/// The run, held, where its file may not be taken as it is; `None` where it may.
pub(super) fn look(work: &Work<'_>, begun: &Run) -> Result<Option<Run>, GatewayError> {
    if !is_asked(work, begun)? {
        return Ok(None);
    }
    let mut look = Look::default();
    work.read(Depth::Look, &mut |chunk| {
        look.take(work, chunk);
        Ok(())
    })?;
    // What is refused as a whole has no effect anyway.
    match (look.is_refused, look.reason(work)?) {
        (false, Some((reason, part, whole))) => hold(work, begun, look.tally, reason, part, whole).map(Some),
        _ => Ok(None),
    }
}

/// Whether there is anything to ask of this file: not of events, which are few and signed, nor of what
/// somebody let through, nor of what went through once under the same mapping.
fn is_asked(work: &Work<'_>, begun: &Run) -> Result<bool, GatewayError> {
    if begun.position > 0 || work.is_posted || work.feed.stop == Stop::NEVER {
        return Ok(false);
    }
    work.gateway.store.read(|tx| {
        if hold::is_let_through(tx, &work.batch.id)? {
            return Ok(false);
        }
        let before = run::find_last_of_batch(tx, &work.batch.id)?;
        Ok(before.is_none_or(|run| run.received == 0 || run.mapping_hash != begun.mapping_hash))
    })
}

impl Look {
    fn take(&mut self, work: &Work<'_>, chunk: Chunk) {
        match chunk {
            Chunk::Units(units) => {
                units.iter().for_each(|unit| self.unit(unit, work.open.contains(&unit.ordinal)));
            }
            Chunk::Findings(findings) => {
                self.seen.is_whole &= findings.worst() < Some(crate::base::finding::Severity::Error);
            }
            Chunk::Refused(_) => self.is_refused = true,
        }
    }

    fn unit(&mut self, unit: &UnitRead, is_open: bool) {
        self.units += 1;
        if matches!(unit.content, Content::Refused(_) | Content::SetAside { .. }) {
            self.failed += 1;
            unit.findings.iter().for_each(|finding| self.tally.add(finding.clone()));
        }
        if !matches!(unit.content, Content::Nothing) {
            self.seen.replay(unit, is_open);
        }
    }

    /// Why the file is held, if it is: so many of so many.
    fn reason(&self, work: &Work<'_>) -> Result<Option<(Reason, i64, i64)>, GatewayError> {
        let stop = work.feed.stop;
        if self.failed >= STOP_UNITS_MIN && stop.failed_share.is_passed(self.failed, self.units) {
            return Ok(Some((Reason::Failed, self.failed, self.units)));
        }
        if work.feed.mapping.snapshot != Snapshot::Full || !self.seen.is_whole || self.units == 0 {
            return Ok(None);
        }
        let (present, gone) = work.gateway.store.read(|tx| {
            let last = batch::find_last(tx, &work.feed.source, &work.feed.name)?;
            if last.is_some_and(|last| last.id != work.batch.id) {
                return Ok::<_, GatewayError>((0, 0));
            }
            let (present, missing) = absent::missing(tx, work, &self.seen)?;
            Ok((present, absent::certain(tx, &self.seen, missing)?.len()))
        })?;
        let gone = i64::try_from(gone).unwrap_or(i64::MAX);
        let is_held = gone >= STOP_UNITS_MIN && stop.vanished_share.is_passed(gone, present);
        Ok(is_held.then_some((Reason::Vanished, gone, present)))
    }
}

/// Ends the run where it stands: nothing of its file is taken.
fn hold(
    work: &Work<'_>,
    begun: &Run,
    tally: Tally,
    reason: Reason,
    part: i64,
    whole: i64,
) -> Result<Run, GatewayError> {
    let gateway = work.gateway;
    let share = match reason {
        Reason::Failed => work.feed.stop.failed_share,
        Reason::Vanished => work.feed.stop.vanished_share,
    };
    let row = HoldRow {
        run_id: begun.id.clone(),
        batch_id: begun.batch_id.clone(),
        reason: reason.as_str().to_owned(),
        part,
        whole,
        share_max: share.thousandths(),
        held_at: gateway.edge.now().to_string(),
        decided: None,
        decided_by: None,
        decided_at: None,
    };
    gateway.store.write(|tx| {
        let mut held = Run {
            state: State::Held.as_str().to_owned(),
            finished_at: Some(row.held_at.clone()),
            note: hold::why(&row),
            ..begun.clone()
        };
        tally.clone().write(tx, &mut held)?;
        run::save(tx, &held)?;
        crate::store::hold::create(tx, &row)?;
        Ok(held)
    })
}
