//! What lies in the mailbox: kept, and then acknowledged.

use crate::base::limit::{MESH_PAGE_MESSAGES, MESH_PAGES_MAX};
use crate::gateway::feed::Feed;
use crate::gateway::mesh::{GoesOn, MeshPost, Round};
use crate::gateway::outgoing::{How, Outbox};
use crate::gateway::upload::{Filling, upload};
use crate::gateway::{Gateway, GatewayError};
use crate::store::sent::{self, Doubt};
use crate::transport::mesh::{Entry, MeshError};

impl MeshPost {
    /// Takes what lies in the mailbox. A message that is strange does not keep others back.
    pub(super) fn collect(
        &self,
        gateway: &Gateway,
        goes_on: &GoesOn<'_>,
        round: &mut Round,
    ) -> Result<(), GatewayError> {
        for id in self.list()? {
            if !goes_on()? {
                return Ok(());
            }
            match self.take(gateway, &id, round) {
                Ok(()) => {}
                // Somebody else took it, or it expired.
                Err(GatewayError::Mesh(MeshError::Gone { .. })) => {}
                Err(error) if is_of_one(&error) => {
                    round.failed += 1;
                    tracing::warn!(error = %error, "a message of the mailbox could not be taken, and stays there: {error}");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The ids of all messages, listed before any is taken: taking them changes the list.
    fn list(&self) -> Result<Vec<String>, GatewayError> {
        let (mut ids, mut next) = (Vec::new(), None);
        for _page in 0..MESH_PAGES_MAX {
            let page = self.mailbox.list(next.as_deref(), MESH_PAGE_MESSAGES)?;
            ids.extend(page.ids);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        Ok(ids)
    }

    fn take(&self, gateway: &Gateway, id: &str, round: &mut Round) -> Result<(), GatewayError> {
        let entry = self.mailbox.look(id)?;
        if entry.is_report {
            self.take_report(gateway, &entry)?;
            round.reports += 1;
            return Ok(());
        }
        let Some(feed) = self.routes.get(&entry.workflow) else {
            round.left += 1;
            return doubt(gateway, &entry, "unrouted");
        };
        match self.keep(gateway, feed, &entry) {
            Err(GatewayError::Mesh(MeshError::TooLarge { .. }) | GatewayError::TooLarge { .. }) => {
                round.left += 1;
                return doubt(gateway, &entry, "too-large");
            }
            kept => kept?,
        }
        // Not before it is committed.
        self.mailbox.acknowledge(id)?;
        round.collected += 1;
        gateway.store.write(|tx| Ok(sent::settle(tx, id)?))
    }

    /// Keeps a message as an uploaded file is kept. What is kept already is known by its content.
    fn keep(&self, gateway: &Gateway, feed: &Feed, entry: &Entry) -> Result<(), GatewayError> {
        let mut file = Filling::begin(gateway)?;
        self.mailbox.download(entry, self.file_bytes_max.min(feed.file_bytes_max), &mut file)?;
        upload(gateway, feed, file, &format!("mesh/{}", entry.from)).map(|_receipt| ())
    }

    /// Takes a report that a message was not delivered: it is noted with the message, or, where it is
    /// none of ours, by itself.
    fn take_report(&self, gateway: &Gateway, report: &Entry) -> Result<(), GatewayError> {
        let about = gateway.store.read(|tx| sent::find_reported(tx, &report.linked, &report.local_id))?;
        match about {
            Some(row) => {
                let code = if report.code.is_empty() { "unknown" } else { &report.code };
                Outbox::open(gateway)?.change(&row, &How::Undelivered(code))?;
                tracing::warn!(
                    sent.id = row.id,
                    code,
                    "message {} to {} was not delivered ({code})",
                    row.id,
                    row.recipient
                );
            }
            None => doubt(gateway, report, "report")?,
        }
        Ok(self.mailbox.acknowledge(&report.id)?)
    }
}

/// Notes a message that somebody has to look at. It is said in the log once.
fn doubt(gateway: &Gateway, entry: &Entry, reason: &str) -> Result<(), GatewayError> {
    let now = gateway.edge.now().to_string();
    let row = Doubt {
        message_id: entry.id.clone(),
        reason: reason.to_owned(),
        workflow: entry.workflow.clone(),
        sender: entry.from.clone(),
        code: entry.code.clone(),
        first_seen_at: now.clone(),
        last_seen_at: now,
    };
    if gateway.store.write(|tx| Ok::<_, GatewayError>(sent::doubt(tx, &row)?))? {
        tracing::warn!(
            mesh.workflow = entry.workflow,
            reason,
            "a message of workflow {} in the mailbox needs somebody ({reason}): `wayleave post list` shows it",
            entry.workflow
        );
    }
    Ok(())
}

/// Whether an error is of one message, and the next may fare better.
fn is_of_one(error: &GatewayError) -> bool {
    matches!(
        error,
        GatewayError::Mesh(MeshError::Strange { .. } | MeshError::Rejected { .. })
            | GatewayError::Elsewhere { .. }
            | GatewayError::Changing { .. }
    )
}
