//! Step two, *process*: units become records, up to a thousand in one transaction.
//!
//! One thread reads and maps, another writes. Everything about a unit is committed at once: its
//! records, its outcome in the ledger, its findings, the people it touched, and the run's
//! position. So a run that is killed goes on at its position, and counts nothing twice.
//!
//! What a run that goes on must know of the units before its position (which keys this file has
//! had) is worked out again by reading the kept file from its beginning, without writing.

mod absent;
mod event;
mod heads;
mod ledger;
mod look;
mod people;
mod read;
pub(super) mod replay;
mod seen;
mod shadow;
mod write;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;

use crate::base::seal::DataKey;
use crate::config::Scope;
use crate::gateway::feed::Feed;
use crate::gateway::process::ledger::Tally;
use crate::gateway::process::read::{Chunk, Depth, Mapper};
use crate::gateway::process::seen::Seen;
pub use crate::gateway::process::shadow::Example;
use crate::gateway::process::shadow::Shadow;
use crate::gateway::{Gateway, GatewayError, kept, live_mapping};
use crate::person::block::Blocker;
use crate::store::batch::{self, Batch};
use crate::store::run::{Run, State};
use crate::store::{delivery, finding, quarantine, run};

/// Chunks that may wait between the two threads: enough that neither idles, few enough that
/// memory stays flat.
const CHUNKS_WAITING_MAX: usize = 2;

/// What one run works with.
pub(super) struct Work<'g> {
    gateway: &'g Gateway,
    feed: &'g Feed,
    batch: Batch,
    /// Whether it holds events that were posted, whose signatures were checked when they came.
    is_posted: bool,
    batch_key: DataKey,
    /// Seals what is of no person.
    own_key: DataKey,
    blocker: Blocker,
    /// Whether some of its units alone are taken, again.
    is_replay: bool,
    /// Its units that an earlier reading set aside and that are still open.
    open: BTreeSet<i64>,
    /// The mapping that is tried beside the live one.
    shadow: Option<Shadow>,
}

impl<'g> Work<'g> {
    fn of(gateway: &'g Gateway, feed: &'g Feed, begun: &Run) -> Result<Self, GatewayError> {
        let (batch, is_posted, open) = gateway.store.read(|tx| {
            let is_posted = delivery::is_gathered(tx, &begun.batch_id)?;
            let open = quarantine::list_open_of_batch(tx, &begun.batch_id)?;
            Ok::<_, GatewayError>((batch::find(tx, &begun.batch_id)?, is_posted, open))
        })?;
        Ok(Self {
            gateway,
            feed,
            is_posted,
            batch_key: kept::data_key(gateway, &batch)?,
            batch,
            own_key: gateway.own_key()?,
            blocker: Blocker::new(&gateway.keys.index),
            is_replay: begun.is_replay(),
            open: open.into_iter().collect(),
            shadow: Shadow::find(gateway, feed)?,
        })
    }

    /// Reads the file on a thread of its own, and hands over what it gives, in order.
    fn read(
        &self,
        depth: Depth,
        take: &mut dyn FnMut(Chunk) -> Result<(), GatewayError>,
    ) -> Result<(), GatewayError> {
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(CHUNKS_WAITING_MAX);
            let mapper = Mapper::new(self, depth);
            let span = tracing::Span::current();
            let reading = scope.spawn(move || span.in_scope(|| mapper.run(&sender)));
            let mut taken = Ok(());
            for chunk in receiver {
                taken = take(chunk);
                if taken.is_err() {
                    break;
                }
            }
            // The mapper ends by itself when nobody listens any more.
            let read = reading.join().map_err(|_panic| GatewayError::Stopped)?;
            taken.and(read)
        })
    }
}

/// How a run ended its second step, or that it is held before it.
pub struct Processed {
    /// The run, with its ledger.
    pub run: Run,
    /// True if somebody whose rows were passed over became known by a later row of the same file.
    pub is_again: bool,
}

/// Processes a run to the end of its file, from where it stands. `told` hears how many units are
/// done, and may say that it is time to stop: then the transaction under way ends, and no other
/// begins.
///
/// # Errors
/// Where the store or the machine fails; the run then stands where it was, and goes on when it is
/// run again.
pub fn process(
    gateway: &Gateway,
    feed: &Feed,
    begun: Run,
    told: &dyn Fn(u64) -> ControlFlow<()>,
) -> Result<Processed, GatewayError> {
    // Every line of the log that comes of it carries its id.
    let span = tracing::info_span!("run", run.id = begun.id, run.feed = feed.full_name());
    let _entered = span.enter();
    if begun.is_replay() {
        let run = replay::go_on(gateway, feed, begun)?.0;
        return Ok(Processed { run, is_again: false });
    }
    let begun = through(gateway, feed, begun)?;
    let work = Work::of(gateway, feed, &begun)?;
    if let Some(held) = look::look(&work, &begun)? {
        return Ok(Processed { run: held, is_again: false });
    }
    let mut state = Progress { tally: Tally::load(gateway, &begun)?, run: begun, seen: Seen::default() };
    work.read(Depth::Whole, &mut |chunk| {
        state.take(&work, chunk)?;
        match told(u64::try_from(state.run.position).unwrap_or_default()) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(GatewayError::Stopping),
        }
    })?;
    if state.run.state == State::Processing.as_str() {
        state.end(&work)?;
    }
    // Somebody who was taken off the list is known, and their rows are passed over all the same.
    let may_again = state.run.state != State::Failed.as_str() && feed.scope != Scope::Requested;
    let is_again = may_again && state.seen.became_known(&work)?;
    Ok(Processed { run: state.run, is_again })
}

/// A run that has read nothing yet is one through the mapping that is live now, whichever was when it
/// was taken in.
fn through(gateway: &Gateway, feed: &Feed, mut begun: Run) -> Result<Run, GatewayError> {
    if begun.position > 0 || begun.mapping_hash == feed.mapping.hash {
        return Ok(begun);
    }
    begun.mapping_hash = feed.mapping.hash.to_vec();
    gateway.store.write(|tx| {
        live_mapping::keep(tx, &feed.mapping, &feed.mapping_text)?;
        run::save(tx, &begun)?;
        Ok::<_, GatewayError>(())
    })?;
    Ok(begun)
}

/// How far a run is, in memory: moved on only after each commit.
struct Progress {
    run: Run,
    tally: Tally,
    seen: Seen,
}

impl Progress {
    fn take(&mut self, work: &Work<'_>, chunk: Chunk) -> Result<(), GatewayError> {
        match chunk {
            Chunk::Units(units) => {
                let done = units.partition_point(|unit| unit.ordinal <= self.run.position);
                let (before, fresh) = units.split_at(done);
                for unit in before {
                    self.seen.replay(unit, work.open.contains(&unit.ordinal));
                }
                if fresh.is_empty() {
                    return Ok(());
                }
                let gateway = work.gateway;
                let written = gateway.store.write(|tx| write::write(tx, work, self, fresh))?;
                self.note(written);
            }
            Chunk::Findings(findings) => {
                self.seen.is_whole &= findings.worst() < Some(crate::base::finding::Severity::Error);
                if self.run.position == 0 || !self.tally.has_file_findings {
                    self.tally.add_file_findings(&findings);
                }
            }
            Chunk::Refused(findings) => {
                self.tally.add_file_findings(&findings);
                self.fail(work)?;
            }
        }
        Ok(())
    }

    /// Moves on, after a commit.
    fn note(&mut self, written: write::Written) {
        self.run = written.run;
        self.tally = written.tally;
        self.seen.extend(written.seen);
    }

    /// Ends a run whose file was refused: nothing of it is taken.
    fn fail(&mut self, work: &Work<'_>) -> Result<(), GatewayError> {
        let mut failed = self.run.clone();
        State::Failed.as_str().clone_into(&mut failed.state);
        failed.finished_at = Some(work.gateway.edge.now().to_string());
        "the file was refused".clone_into(&mut failed.note);
        let mut tally = self.tally.clone();
        (self.run, self.tally) = work.gateway.store.write(|tx| {
            let mut failed = failed.clone();
            let mut tally = tally.clone();
            tally.write(tx, &mut failed)?;
            run::save(tx, &failed)?;
            Ok::<_, GatewayError>((failed, tally))
        })?;
        tally.clear();
        Ok(())
    }

    /// Ends the step: what a full file no longer holds is absent since, and linking may begin.
    fn end(&mut self, work: &Work<'_>) -> Result<(), GatewayError> {
        (self.run, self.tally) = work.gateway.store.write(|tx| {
            let (mut ended, mut tally) = (self.run.clone(), self.tally.clone());
            if !work.is_replay {
                absent::mark(tx, work, &self.seen, &mut ended, &mut tally)?;
            }
            tally.write(tx, &mut ended)?;
            State::Linking.as_str().clone_into(&mut ended.state);
            run::save(tx, &ended)?;
            if work.feed.scope == Scope::Requested && ended.filtered > 0 {
                // What was not asked for is not kept, and so neither is the file that holds it.
                batch::drop_pieces(tx, &work.batch.id)?;
            }
            Ok::<_, GatewayError>((ended, tally))
        })?;
        Ok(())
    }
}

/// The findings of a run that are kept whole, for listing.
///
/// # Errors
/// Where the store fails.
pub fn findings(gateway: &Gateway, run_id: &str) -> Result<Vec<finding::RunFinding>, GatewayError> {
    gateway.store.read(|tx| Ok(finding::list(tx, run_id)?))
}
