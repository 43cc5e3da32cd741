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
mod people;
mod read;
mod seen;
mod write;

use std::sync::mpsc::sync_channel;

use crate::base::seal::DataKey;
use crate::gateway::feed::Feed;
use crate::gateway::process::ledger::Tally;
use crate::gateway::process::read::{Chunk, Mapper};
use crate::gateway::process::seen::Seen;
use crate::gateway::{Gateway, GatewayError, kept};
use crate::person::block::Blocker;
use crate::store::batch::{self, Batch};
use crate::store::run::{Run, State};
use crate::store::{delivery, finding, run};

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
}

/// How a run ended its second step.
pub struct Processed {
    /// The run, with its ledger.
    pub run: Run,
    /// True if somebody whose rows were passed over became known by a later row of the same file.
    pub is_again: bool,
}

/// Processes a run to the end of its file, from where it stands. `told` hears how many units are
/// done.
///
/// # Errors
/// Where the store or the machine fails; the run then stands where it was, and goes on when it is
/// run again.
pub fn process(
    gateway: &Gateway,
    feed: &Feed,
    begun: Run,
    told: &dyn Fn(u64),
) -> Result<Processed, GatewayError> {
    let (batch, is_posted) = gateway.store.read(|tx| {
        let is_posted = delivery::is_gathered(tx, &begun.batch_id)?;
        Ok::<_, GatewayError>((batch::find(tx, &begun.batch_id)?, is_posted))
    })?;
    let batch_key = kept::data_key(gateway, &batch)?;
    let own_key = gateway.own_key()?;
    let work = Work {
        gateway,
        feed,
        batch,
        is_posted,
        batch_key,
        own_key,
        blocker: Blocker::new(&gateway.keys.index),
    };
    let mut state = Progress { tally: Tally::load(gateway, &begun)?, run: begun, seen: Seen::default() };
    let ended = std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(CHUNKS_WAITING_MAX);
        let mapper = Mapper::new(&work);
        let reading = scope.spawn(move || mapper.run(&sender));
        let mut written = Ok(());
        for chunk in receiver {
            written = state.take(&work, chunk);
            if written.is_err() {
                break;
            }
            told(u64::try_from(state.run.position).unwrap_or_default());
        }
        // The mapper ends by itself when nobody listens any more.
        let read = reading.join().map_err(|_panic| GatewayError::Stopped)?;
        written.and(read)
    });
    ended?;
    if state.run.state == State::Processing.as_str() {
        state.end(&work)?;
    }
    let is_again = state.run.state != State::Failed.as_str() && state.seen.became_known(&work)?;
    Ok(Processed { run: state.run, is_again })
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
                    self.seen.replay(unit);
                }
                if fresh.is_empty() {
                    return Ok(());
                }
                let gateway = work.gateway;
                let written = gateway.store.write(|tx| write::write(tx, work, self, fresh))?;
                self.run = written.run;
                self.tally = written.tally;
                self.seen.extend(written.seen);
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
            absent::mark(tx, work, &self.seen, &mut ended, &mut tally)?;
            tally.write(tx, &mut ended)?;
            State::Linking.as_str().clone_into(&mut ended.state);
            run::save(tx, &ended)?;
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
