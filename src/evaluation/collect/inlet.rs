//! The queue as a door.

use crate::base::edge::Edge;
use crate::base::limit::UNSENT_TRIES_MAX;
use crate::evaluation::collect::{Claimed, Door, DoorError};
use crate::queue::{BackMessage, Delivery, Outcome, Queue, QueueError, QueueName, Settings};

/// One study's queue, and the queue back from it.
pub struct Inlet {
    queue: Queue,
    study: String,
    name: QueueName,
    is_embedded: bool,
}

/// The broker did not take an answer.
#[derive(Debug, thiserror::Error)]
#[error("the queue back did not confirm an answer; it will be sent again")]
struct Unconfirmed;

fn failed(source: QueueError) -> DoorError {
    let is_passing = source.retryable();
    DoorError { source: Box::new(source), is_passing }
}

impl Inlet {
    /// Opens a queue for one study, and makes both ways where they are not there yet.
    ///
    /// # Errors
    /// Where the queue cannot be opened.
    pub fn open(settings: &Settings, study: &str, edge: &Edge) -> Result<Self, DoorError> {
        let is_embedded = settings.url.starts_with("sqlite:");
        let queue = Queue::open(settings, edge).map_err(failed)?;
        let name = QueueName::study(study);
        queue.declare(&name).map_err(failed)?;
        queue.declare(&QueueName::back(study)).map_err(failed)?;
        Ok(Self { queue, study: study.to_owned(), name, is_embedded })
    }

    /// How many messages another collector holds, or one that was stopped until its lease ends.
    /// RabbitMQ frees what a stopped one held at once, so there it is 0.
    ///
    /// # Errors
    /// Where the queue cannot be read.
    pub fn held(&self) -> Result<u64, DoorError> {
        if !self.is_embedded {
            return Ok(0);
        }
        Ok(self.queue.counts(&self.name).map_err(failed)?.waiting)
    }
}

impl Door for Inlet {
    type Token = Delivery;

    fn claim(&mut self, max: usize) -> Result<Vec<Claimed<Delivery>>, DoorError> {
        let deliveries = self.queue.claim(&self.name, max).map_err(failed)?;
        let claimed = |mut delivery: Delivery| Claimed {
            message_id: delivery.message_id.clone(),
            body: std::mem::take(&mut delivery.body),
            token: delivery,
        };
        Ok(deliveries.into_iter().map(claimed).collect())
    }

    fn acknowledge(&mut self, tokens: Vec<Delivery>) -> Result<(), DoorError> {
        // One that is no longer held is delivered once more, and the inbox knows it.
        self.queue.acknowledge(&tokens).map(drop).map_err(failed)
    }

    fn refuse(&mut self, token: Delivery) -> Result<(), DoorError> {
        // The broker buries it after the last delivery allowed.
        self.queue.give_back(&[token]).map(drop).map_err(failed)
    }

    fn tell_taken(&mut self, message_id: &str, body: &[u8]) -> Result<(), DoorError> {
        // Each is a subject of its own: they may be read in any order.
        self.answer(message_id, message_id, body)
    }

    fn answer(&mut self, message_id: &str, notice: &str, body: &[u8]) -> Result<(), DoorError> {
        // A broker that is restarted just then has not said so; and the queue may have been deleted.
        for _try in 0..UNSENT_TRIES_MAX {
            let message = BackMessage { message_id, subject: notice, body };
            match self.queue.send_back(&self.study, &[message]).map_err(failed)?.as_slice() {
                [Outcome::Sent] => return Ok(()),
                [Outcome::Unroutable] => {
                    self.queue.declare(&QueueName::back(&self.study)).map_err(failed)?;
                }
                _ => {}
            }
        }
        Err(DoorError { source: Box::new(Unconfirmed), is_passing: true })
    }
}
