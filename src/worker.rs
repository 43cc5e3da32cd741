//! The worker role: reads what came in over HTTP, round after round, until it is told to stop.

pub mod keep_up;
pub mod teller;

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::base::limit::{WORKER_FAILURES_TOLD, WORKER_PAUSE_MS, WORKER_PAUSE_S_MAX};
use crate::gateway::alert::{self, Kind, Trouble};
use crate::gateway::feed::Feed;
use crate::gateway::tend::{Tended, tend};
use crate::gateway::{Gateway, GatewayError, health};
use crate::release::protocol::Protocol;
use crate::telemetry::{Figures, UnitLabels};

/// Tells those who run that they are to stop.
#[derive(Clone, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Says that it is time.
    pub fn now(&self) {
        let (is_asked, asked) = &*self.0;
        if let Ok(mut is_asked) = is_asked.lock() {
            *is_asked = true;
        }
        asked.notify_all();
    }

    /// True once it is time.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.0.lock().map_or(true, |is_asked| *is_asked)
    }

    /// Waits for so long, or until it is time.
    pub fn wait(&self, pause: Duration) {
        let (is_asked, asked) = &*self.0;
        if let Ok(guard) = is_asked.lock() {
            let _woken = asked.wait_timeout_while(guard, pause, |is_asked| !*is_asked);
        }
    }
}

/// What the alert about failing rounds is about.
const ROUNDS: &str = "rounds";

/// What a worker works with.
pub struct Worker {
    /// The gateway, with the worker as its actor.
    pub gateway: Gateway,
    /// The feeds it reads.
    pub feeds: Vec<Feed>,
    /// The studies for which what may go out is laid ready.
    pub protocols: Vec<Protocol>,
    /// Where it counts what it does.
    pub figures: Arc<Figures>,
}

impl Worker {
    /// Works until told to stop. A round that fails is told to the log and tried again after a
    /// pause that grows: the database may be away, and comes back.
    pub fn run(&self, stop: &Stop) {
        let holder = self.holder();
        let usual = Duration::from_millis(WORKER_PAUSE_MS);
        let mut pause = usual;
        let mut noted = None;
        // One that ran before may have told of rounds that failed.
        let (mut failures, mut may_be_told) = (0, true);
        while !stop.is_asked() {
            let ended = self.round(&holder, stop);
            // Where the store is away this fails too, and the health page says so by itself.
            noted = health::note_round(&self.gateway, ended.as_ref().err(), noted).unwrap_or(noted);
            match ended {
                Ok(tended) => {
                    failures = 0;
                    may_be_told = may_be_told && self.works_again().is_err();
                    pause = usual;
                    self.count(&tended);
                }
                Err(error) => {
                    self.figures.worker_failures.inc();
                    failures += 1;
                    may_be_told |= self.tell(failures);
                    pause = (pause * 2).min(Duration::from_secs(WORKER_PAUSE_S_MAX));
                    tracing::error!(
                        error = %error,
                        pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                        "a round of the worker failed, and is tried again: {error}"
                    );
                }
            }
            stop.wait(pause);
        }
    }

    /// Raises an alert, once, where rounds go on failing. Where the store itself is away the log has
    /// told it, and there is nowhere to raise it.
    fn tell(&self, failures: u32) -> bool {
        if failures != WORKER_FAILURES_TOLD {
            return false;
        }
        let raised = alert::raise(
            &self.gateway,
            &Trouble {
                kind: Kind::WorkerFailing,
                feed: String::new(),
                about: ROUNDS.to_owned(),
                count: i64::from(failures),
                text: format!("{failures} rounds of the worker failed one after the other"),
                to_do:
                    "see the log of `wayleave serve`; what came in is kept, and is read once it works again"
                        .to_owned(),
            },
        );
        raised.is_ok()
    }

    /// Ends the alert once a round works.
    fn works_again(&self) -> Result<usize, GatewayError> {
        alert::end(&self.gateway, Kind::WorkerFailing, &|open| open.about == ROUNDS)
    }

    fn round(&self, holder: &str, stop: &Stop) -> Result<Tended, GatewayError> {
        tend(&self.gateway, &self.feeds, &self.protocols, holder, &|| stop.is_asked())
    }

    /// A name that no other worker has.
    fn holder(&self) -> String {
        let random: [u8; 8] = self.gateway.edge.bytes();
        format!("worker-{:016x}", u64::from_be_bytes(random))
    }

    fn count(&self, tended: &Tended) {
        for run in &tended.runs {
            let feed = format!("{}/{}", run.source, run.feed);
            let span = tracing::info_span!("run", run.id = run.id);
            let _entered = span.enter();
            tracing::info!(
                run.feed = feed,
                units = run.received,
                accepted = run.accepted,
                rejected = run.rejected,
                "processed {} units of {feed}",
                run.received
            );
            for (outcome, count) in [
                ("accepted", run.accepted),
                ("unchanged", run.unchanged),
                ("filtered", run.filtered),
                ("duplicate", run.duplicate),
                ("quarantined", run.quarantined),
                ("rejected", run.rejected),
            ] {
                let labels = UnitLabels { feed: feed.clone(), outcome: outcome.to_owned() };
                self.figures.units.get_or_create(&labels).inc_by(count.unsigned_abs());
            }
        }
    }
}
