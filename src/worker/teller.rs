//! The exchange role: tells partners what is due, round after round, until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use crate::base::limit::{EXCHANGE_LEASE_S, EXCHANGE_PAUSE_MS, WORKER_PAUSE_S_MAX};
use crate::gateway::exchange::lay::lay;
use crate::gateway::exchange::plan::LivePlan;
use crate::gateway::exchange::send::{Sent, send};
use crate::gateway::turn::Turn;
use crate::gateway::{Gateway, GatewayError};
use crate::telemetry::Figures;
use crate::worker::Stop;

/// The duty of which one replica at a time has the turn.
const DUTY: &str = "exchange";

/// What tells partners.
pub struct Teller {
    /// The gateway, with the exchange as its actor.
    pub gateway: Gateway,
    /// Who is told, and when.
    pub plan: LivePlan,
    /// Where it counts what fails.
    pub figures: Arc<Figures>,
}

impl Teller {
    /// Works until told to stop. A round that fails is told to the log and tried again after a pause
    /// that grows.
    pub fn run(&mut self, stop: &Stop) {
        let usual = Duration::from_millis(EXCHANGE_PAUSE_MS);
        let (mut pause, mut turn) = (usual, None);
        while !stop.is_asked() {
            match self.round(&mut turn, stop) {
                Ok(()) => pause = usual,
                Err(error) => {
                    self.figures.worker_failures.inc();
                    pause = (pause * 2).min(Duration::from_secs(WORKER_PAUSE_S_MAX));
                    tracing::error!(
                        error = %error,
                        pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                        "a round of telling partners failed, and is tried again: {error}"
                    );
                }
            }
            stop.wait(pause);
        }
    }

    /// One round, if it is this replica's turn: it stays its turn until it ends, and the others leave
    /// it to that one. Under an agreement that has been ended or changed nothing goes as it was: while
    /// a file cannot be read, nothing goes at all.
    fn round(&mut self, turn: &mut Option<Turn>, stop: &Stop) -> Result<(), GatewayError> {
        if turn.as_ref().is_none_or(|turn| !turn.is_mine()) {
            *turn = None;
            *turn = Turn::take(&self.gateway, DUTY, EXCHANGE_LEASE_S)?;
        }
        if turn.is_none() {
            return Ok(());
        }
        let plan = self.plan.now()?;
        lay(&self.gateway, plan)?;
        let sent = send(&self.gateway, plan, &|| stop.is_asked())?;
        if sent != Sent::default() {
            tracing::info!(
                sent = sent.sent,
                unchanged = sent.unchanged,
                refused = sent.refused,
                later = sent.later,
                undelivered = sent.undelivered,
                "told partners"
            );
        }
        Ok(())
    }
}
