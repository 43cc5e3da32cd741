//! What is queued for mailboxes: sent, and asked after.

use crate::base::limit::MESH_LOST_AFTER_S;
use crate::gateway::mesh::{GoesOn, MeshPost, Round};
use crate::gateway::outgoing::{How, Outbox, Transport, Turn};
use crate::gateway::{Gateway, GatewayError};
use crate::store::sent::{self, Sent, State};
use crate::transport::mesh::{MeshError, Outgoing};

impl MeshPost {
    /// Sends what is queued. Where the exchange is not able to, the rest waits too.
    pub(super) fn send_waiting(
        &self,
        gateway: &Gateway,
        goes_on: &GoesOn<'_>,
        round: &mut Round,
    ) -> Result<(), GatewayError> {
        let waiting = gateway.store.read(|tx| sent::list_waiting(tx, Transport::Mesh, None))?;
        if waiting.is_empty() {
            return Ok(());
        }
        self.last_look.borrow_mut().begin();
        let (outbox, mut turn) = (Outbox::open(gateway)?, Turn::at(gateway.edge.now()));
        for row in waiting {
            if !turn.has(&row) {
                continue;
            }
            if !goes_on()? {
                return Ok(());
            }
            match self.send_one(gateway, &outbox, &row) {
                Ok(true) => round.sent += 1,
                Ok(false) => round.withheld += 1,
                Err(GatewayError::Mesh(MeshError::Rejected { code, .. })) => {
                    round.undelivered += 1;
                    outbox.change(&row, &How::Undelivered(&code))?;
                    tracing::warn!(
                        sent.id = row.id,
                        code,
                        "message {} is not taken by the exchange ({code})",
                        row.id
                    );
                }
                Err(GatewayError::Mesh(error)) => {
                    turn.hold(&row);
                    // As it is stored now: it was being sent.
                    let tried =
                        Sent { state: State::Sending.as_str().to_owned(), tries: row.tries + 1, ..row };
                    outbox.change(&tried, &How::NotYet("no-answer"))?;
                    if error.retryable() {
                        return Err(error.into());
                    }
                    round.failed += 1;
                    tracing::warn!(error = %error, "a message could not be sent, and is tried again: {error}");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends one; false where it may no longer go.
    fn send_one(&self, gateway: &Gateway, outbox: &Outbox, row: &Sent) -> Result<bool, GatewayError> {
        if row.state == State::Sending.as_str() {
            // It may have arrived, and the answer been lost.
            let found = self.mailbox.find_sent(&row.id)?;
            if let Some(found) =
                found.filter(|found| ["accepted", "acknowledged"].contains(&found.status.as_str()))
            {
                outbox.change(row, &How::Accepted(&found.id, self.track_every_s))?;
                return Ok(true);
            }
        }
        if !self.last_look.borrow_mut().may_go(gateway, outbox, row)? {
            return Ok(false);
        }
        outbox.change(row, &How::Sending)?;
        let message = Outgoing {
            to: row.recipient.clone(),
            workflow: row.workflow.clone(),
            local_id: row.id.clone(),
            subject: row.subject.clone(),
            file_name: row.file_name.clone(),
        };
        let content = outbox.content(row)?;
        // The bytes go to the mailbox that they were queued for, and nowhere else.
        let id = self.mailbox.send(&message, content.inspect())?;
        let tried = Sent { tries: row.tries + 1, ..row.clone() };
        outbox.change(&tried, &How::Accepted(&id, self.track_every_s))?;
        Ok(true)
    }

    /// Asks what became of what was sent.
    pub(super) fn track(
        &self,
        gateway: &Gateway,
        goes_on: &GoesOn<'_>,
        round: &mut Round,
    ) -> Result<(), GatewayError> {
        let now = gateway.edge.now().to_string();
        let accepted = gateway.store.read(|tx| sent::list_to_track(tx, &now))?;
        if accepted.is_empty() {
            return Ok(());
        }
        let outbox = Outbox::open(gateway)?;
        for row in accepted {
            if !goes_on()? {
                return Ok(());
            }
            let Some(id) = &row.message_id else { continue };
            match self.mailbox.track(id) {
                Ok(tracked) => match tracked.status.as_str() {
                    "acknowledged" => {
                        round.acknowledged += 1;
                        outbox.change(&row, &How::Acknowledged)?;
                    }
                    "undeliverable" | "error" => {
                        round.undelivered += 1;
                        outbox.change(&row, &How::Undelivered(&tracked.status))?;
                    }
                    _ => outbox.change(&row, &How::Accepted(id, self.track_every_s))?,
                },
                // The exchange forgets after some weeks; a report will have come by then.
                Err(MeshError::Gone { .. }) => outbox.change(&row, &How::Accepted(id, MESH_LOST_AFTER_S))?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
