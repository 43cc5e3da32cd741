//! What was sent and never acknowledged is sent again: a queue may be deleted with all that lay in it.
//!
//! The evaluation side says on the queue back which messages it has, before it takes them off the
//! queue. What it has not spoken of for a declared time, while nothing waits in the queue, did not
//! reach it. It is made anew of the same intent, with the same place in the order and in the same
//! release, so it is the same message, and where it had arrived after all it changes nothing. Consent
//! is asked again as for any message: of what may no longer be told nothing is sent.

use crate::base::edge::Instant;
use crate::base::limit::INTENTS_CLAIMED_MAX;
use crate::gateway::GatewayError;
use crate::gateway::release::job::{Job, MadeSome, Report};
use crate::queue::QueueName;
use crate::store::release::{self, ReleaseRow};
use crate::store::{StoreError, intent};

/// When what nobody acknowledged is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resend {
    /// After so many hours, where nothing waits in the queue; never where it is 0.
    After {
        /// Hours.
        hours: i64,
    },
    /// In this run, whatever waits.
    Now,
}

impl Job<'_> {
    /// Sends again what is due to be.
    pub(super) fn resend(&self, report: &mut Report, told: &dyn Fn(u64)) -> Result<(), GatewayError> {
        let study = &self.protocol.study;
        let Some(by) = self.resend_by()? else { return Ok(()) };
        let rows = self.gateway.store.read(|tx| release::list_unsettled(tx, study, &by.to_string()))?;
        for row in rows {
            self.resend_intents(&row, by, report, told)?;
            self.resend_end(&row)?;
        }
        Ok(())
    }

    /// Until when something must have been sent to be sent again now.
    fn resend_by(&self) -> Result<Option<Instant>, GatewayError> {
        let now = self.gateway.edge.now();
        let hours = match self.resend {
            Resend::Now => return Ok(Some(now)),
            Resend::After { hours } => hours,
        };
        // Without the evaluation side's key nobody knows what it has said. And what still lies in the
        // queue is not lost: it was not collected.
        if hours <= 0 || self.keys.evaluation.is_none() {
            return Ok(None);
        }
        let waiting = self.queue.counts(&QueueName::study(&self.protocol.study))?.waiting;
        Ok((waiting == 0).then(|| now.plus_s(hours.saturating_mul(-3_600))))
    }

    fn resend_intents(
        &self,
        row: &ReleaseRow,
        by: Instant,
        report: &mut Report,
        told: &dyn Fn(u64),
    ) -> Result<(), GatewayError> {
        let mut after = String::new();
        let mut unsent = 0;
        loop {
            let now = self.gateway.edge.now();
            let (made, last) = self.gateway.store.write(|tx| {
                let mut intents =
                    intent::list_unsettled(tx, &row.id, &by.to_string(), &after, INTENTS_CLAIMED_MAX)?;
                let Some(last) = intents.last().map(|intent| intent.id.clone()) else {
                    return Ok((MadeSome::default(), None));
                };
                intents.sort_by(|a, b| (a.sequence, &a.id).cmp(&(b.sequence, &b.id)));
                let made = self.make_of(tx, row, intents, now)?;
                // It stays on record that something was out: a withdrawal is told of for that.
                intent::settle_untold(tx, &made.nothing, &now.to_string())?;
                Ok::<_, GatewayError>((made, Some(last)))
            })?;
            let Some(last) = last else { break };
            after = last;
            let sent = self.publish(&made.ready)?;
            let at = self.gateway.edge.now().to_string();
            self.gateway.store.write(|tx| {
                for ready in &sent {
                    intent::mark_resent(tx, &ready.intent.id, ready.message.message_id(), &at)?;
                }
                Ok::<_, GatewayError>(())
            })?;
            unsent += made.ready.len() - sent.len();
            report.resent += u64::try_from(sent.len()).unwrap_or_default();
            told(report.resent);
        }
        // What the broker did not confirm is still unsettled, and the next run takes it up.
        if unsent > 0 { Err(GatewayError::Unsent) } else { Ok(()) }
    }

    /// Says again that a release is closed, where nobody has said that they know. One under an earlier version of the protocol is closed
    /// by the first under this one, which tells all that stands.
    fn resend_end(&self, row: &ReleaseRow) -> Result<(), GatewayError> {
        if row.settled_at.is_some() || row.protocol_version != i64::from(self.protocol.version) {
            return Ok(());
        }
        let kept =
            serde_json::from_str(&row.counts).map_err(|_json| StoreError::Unreadable { what: "release" })?;
        let message_id = self.publish_end(row, &kept)?;
        let at = self.gateway.edge.now().to_string();
        Ok(self.gateway.store.write(|tx| release::note_told(tx, &row.id, &message_id, &at))?)
    }
}
