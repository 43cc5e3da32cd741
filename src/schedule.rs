//! What runs by itself: each feed at its slots, in one process or several.
//!
//! What is due is worked out by [`timetable`], which knows no clock. A slot is claimed in the store, so
//! that of several replicas exactly one runs it, and one that was killed is followed after its lease.

pub mod planned;
pub mod tell;
pub mod timetable;
pub mod watch;
pub mod watcher;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::base::edge::Instant;
use crate::base::limit::{SCHEDULE_PAUSE_S, SLOT_GRACE_S, SLOT_RENEW_S};
use crate::gateway::alert;
use crate::gateway::slot::{self, Asked, Claim, Claimed, Left};
use crate::gateway::sync::{Synced, sync_until};
use crate::gateway::{Gateway, GatewayError};
use crate::release::protocol::Protocol;
use crate::schedule::planned::Planned;
use crate::schedule::timetable::{Due, Slot, Timetable, Wall};
use crate::schedule::watcher::Watcher;
use crate::telemetry::{Figures, SlotLabels};
use crate::worker::Stop;

/// What a schedule works with.
pub struct Scheduler {
    /// The gateway, with the schedule as its actor.
    pub gateway: Gateway,
    /// The feeds that have slots.
    pub planned: Vec<Planned>,
    /// The studies for which what may go out is laid ready.
    pub protocols: Vec<Protocol>,
    /// Looks at what came of it, and tells.
    pub watcher: Watcher,
    /// Where it counts what it does.
    pub figures: Arc<Figures>,
}

/// A slot that was run.
#[derive(Debug)]
pub struct Ran {
    /// The feed, as `council/cld`.
    pub feed: String,
    /// The slot.
    pub slot: Instant,
    /// What came of it.
    pub ended: Result<Synced, GatewayError>,
}

impl Scheduler {
    /// Runs slots as they come, until told to stop. A round that fails is told to the log, and the
    /// next one tries again: the database may be away, and comes back.
    pub fn run(&self, stop: &Stop) {
        let holder = self.holder();
        while !stop.is_asked() {
            if let Err(error) = self.round(&holder, stop) {
                self.figures.schedule_failures.inc();
                let why = watch::cause(&error);
                tracing::error!("a round of the schedule failed, and is tried again: {why}");
            }
            stop.wait(self.pause());
        }
    }

    /// Runs every slot that is due now and that nobody else has, one after the other; then looks at
    /// how things stand, and tells what is to be told.
    ///
    /// # Errors
    /// Where the store fails. A sync that fails is no error of the round.
    pub fn round(&self, holder: &str, stop: &Stop) -> Result<Vec<Ran>, GatewayError> {
        let mut ran = Vec::new();
        for planned in &self.planned {
            let Some(slots) = &planned.slots else { continue };
            if stop.is_asked() {
                break;
            }
            let feed = planned.feed.full_name();
            let due = |last| self.asked(planned, slots, last);
            match slot::claim(&self.gateway, &name(&feed), holder, &due)? {
                Claimed::Nothing => {}
                Claimed::PassedOver(slot) => self.passed_over(&feed, slot),
                Claimed::Run(claim) => ran.push(self.run_slot(planned, &claim, holder, stop)?),
            }
        }
        if !stop.is_asked() {
            self.watcher.round(&self.gateway, &self.planned)?;
            let open = alert::list_open(&self.gateway)?.len();
            self.figures.schedule_alerts.set(i64::try_from(open).unwrap_or(i64::MAX));
        }
        Ok(ran)
    }

    /// A name that no other replica has.
    #[must_use]
    pub fn holder(&self) -> String {
        let random: [u8; 8] = self.gateway.edge.bytes();
        format!("schedule-{:016x}", u64::from_be_bytes(random))
    }

    fn asked(&self, planned: &Planned, slots: &Timetable, last: Instant) -> Asked {
        match slots.due(last, self.gateway.edge.now(), planned.missed, SLOT_GRACE_S) {
            Due::Nothing => Asked::Nothing,
            Due::Run(slot) => Asked::Run(slot.at),
            Due::PassOver(slot) => Asked::PassOver(slot.at),
        }
    }

    fn passed_over(&self, feed: &str, slot: Instant) {
        self.count(feed, "passed-over");
        tracing::warn!(run.feed = feed, slot = %slot, "a slot of {feed} was missed and is passed over, as declared");
    }

    fn run_slot(
        &self,
        planned: &Planned,
        claim: &Claim,
        holder: &str,
        stop: &Stop,
    ) -> Result<Ran, GatewayError> {
        let feed = planned.feed.full_name();
        tracing::info!(
            run.feed = feed,
            slot = %claim.slot,
            tries = claim.tries,
            is_followed = claim.is_followed,
            "the slot of {feed} begins"
        );
        if let Some(wall) = said(planned.slots.as_ref().and_then(|slots| slots.last_by(claim.slot))) {
            tracing::info!(run.feed = feed, slot = %claim.slot, "the slot of {feed}: {wall}");
        }
        let ended = self.keeping(claim, holder, || {
            let feeds = std::slice::from_ref(&planned.feed);
            sync_until(&self.gateway, feeds, &self.protocols, None, &mut |_told| {}, &|| stop.is_asked())
        });
        let ended = ended.and_then(Synced::whole);
        match &ended {
            Ok(synced) => {
                slot::done(&self.gateway, claim, holder)?;
                watch::slot_done(&self.gateway, &feed)?;
                self.count(&feed, "done");
                tracing::info!(run.feed = feed, runs = synced.runs.len(), "the slot of {feed} is done");
            }
            Err(GatewayError::Stopping) => {
                slot::let_go(&self.gateway, claim, holder)?;
            }
            Err(error) => match slot::failed(&self.gateway, claim, holder, error.retryable())? {
                Left::Again(at) => {
                    self.count(&feed, "tried-again");
                    let why = watch::cause(error);
                    tracing::warn!(run.feed = feed, again_at = %at, "the slot of {feed} failed, and is tried again: {why}");
                }
                Left::Over => {
                    self.count(&feed, "failed");
                    tracing::error!(run.feed = feed, "the slot of {feed} failed: {}", watch::cause(error));
                    watch::slot_failed(&self.gateway, &feed, claim.slot, error)?;
                }
            },
        }
        Ok(Ran { feed, slot: claim.slot, ended })
    }

    /// Does something while another thread renews the claim. Without the lease the run's own position
    /// still keeps two replicas apart.
    fn keeping<T: Send>(&self, claim: &Claim, holder: &str, work: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            let (ended, is_over) = channel::<()>();
            scope.spawn(move || {
                let pause = Duration::from_secs(SLOT_RENEW_S);
                while is_over.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                    let _renewed = slot::renew(&self.gateway, claim, holder);
                }
            });
            let done = work();
            drop(ended);
            done
        })
    }

    fn count(&self, feed: &str, outcome: &str) {
        let labels = SlotLabels { feed: feed.to_owned(), outcome: outcome.to_owned() };
        self.figures.schedule_slots.get_or_create(&labels).inc();
    }

    /// Until the next slot, and no longer than a round may be waited for.
    fn pause(&self) -> Duration {
        let now = self.gateway.edge.now();
        let next = self
            .planned
            .iter()
            .filter_map(|planned| planned.slots.as_ref()?.next_after(now))
            .min_by_key(|slot| slot.at);
        let longest = Duration::from_secs(SCHEDULE_PAUSE_S);
        next.map_or(longest, |slot| {
            let ms = u64::try_from(slot.at.unix_ms() - now.unix_ms()).unwrap_or_default();
            Duration::from_millis(ms).min(longest)
        })
    }
}

/// What is said of a slot for which the clock did not stand as on any day.
#[must_use]
pub fn said(slot: Option<Slot>) -> Option<&'static str> {
    match slot?.wall {
        Wall::Plain => None,
        Wall::Skipped => Some("the clock goes forward past it, so it is at the next time that is there"),
        Wall::Twice => Some("the clock goes back over it, so it is at the first of two"),
    }
}

/// The name under which the slots of a feed stand in the store.
fn name(feed: &str) -> String {
    format!("sync/{feed}")
}
