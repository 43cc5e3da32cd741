//! The two brokers under one contract.
//!
//! [`Queue`] is the only door between the zones: `wayleave.study.<study>` carries what the gate
//! let through, and `wayleave.back.<study>` takes acknowledgements back. The embedded queue is
//! one SQLite file; the other is RabbitMQ. Both promise the same:
//!
//! - A message is *sent* once the broker has it on disk and says so, and not before.
//! - It is delivered at least once. A claim is a lease: what is not acknowledged by its end is
//!   delivered again, [`DELIVERIES_MAX`](crate::base::limit::DELIVERIES_MAX) times in all; then
//!   it is a dead letter.
//! - Order is kept for each subject: a later message is not claimed while an earlier one of the
//!   same subject waits or is claimed.
//!
//! The calls block. Code that is async calls them from a blocking thread.

mod embedded;
pub mod error;
mod rabbitmq;

use std::fmt;
use std::path::PathBuf;

use crate::base::edge::Edge;
use crate::base::limit::{MESSAGE_BYTES_MAX, QUEUE_NAME_CHARS_MAX};
use crate::release::door::DoorMessage;
use embedded::Embedded;
pub use error::QueueError;
use rabbitmq::RabbitMq;

/// Where the queue is. Not printable, because the URL may hold a password.
#[derive(Clone)]
pub struct Settings {
    /// `sqlite:FILE`, or `amqp[s]://USER:PASSWORD@HOST:PORT/VHOST`, which may end in
    /// `?prefix=NAME`: what the names of all its exchanges and queues begin with, `wayleave`
    /// where it is not given.
    pub url: String,
    /// PEM file of the certificate authority that vouches for the broker, besides the public
    /// ones.
    pub authority: Option<PathBuf>,
    /// Seconds that a claim lasts.
    pub lease_s: i64,
}

/// One queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueName {
    /// From the gate to the evaluation side of a study.
    Study(String),
    /// From the evaluation side back to the gateway: acknowledgements and certificates.
    Back(String),
}

impl QueueName {
    /// The queue of a study.
    #[must_use]
    pub fn study(study: &str) -> Self {
        Self::Study(study.to_owned())
    }

    /// The queue back from a study.
    #[must_use]
    pub fn back(study: &str) -> Self {
        Self::Back(study.to_owned())
    }

    /// Its name at the broker.
    fn at(&self, prefix: &str) -> Result<String, QueueError> {
        let (way, study) = match self {
            Self::Study(study) => ("study", study),
            Self::Back(study) => ("back", study),
        };
        let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if study.is_empty() || study.len() > QUEUE_NAME_CHARS_MAX || !study.chars().all(is_good) {
            return Err(QueueError::Name { name: study.clone() });
        }
        Ok(format!("{prefix}.{way}.{study}"))
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Study(study) => write!(f, "{PREFIX}.study.{study}"),
            Self::Back(study) => write!(f, "{PREFIX}.back.{study}"),
        }
    }
}

/// What the names of exchanges and queues begin with, unless the URL says otherwise.
const PREFIX: &str = "wayleave";

/// A message for the queue back: an acknowledgement or a certificate, which names a notice and
/// nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackMessage<'a> {
    /// The same each time it is sent.
    pub message_id: &'a str,
    /// What its order is kept by: the notice.
    pub subject: &'a str,
    /// The document.
    pub body: &'a [u8],
}

/// What became of one message that was to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The broker has it on disk, in its queue.
    Sent,
    /// No queue takes it: the study's queue was never declared, or was removed. Not sent.
    Unroutable,
    /// The broker refused it, or did not say in time. Not sent, as far as is known.
    Unconfirmed,
}

/// A message as it is delivered, held until it is acknowledged, given back or its lease ends.
pub struct Delivery {
    /// The same at every delivery.
    pub message_id: String,
    /// What its order is kept by.
    pub subject: String,
    /// The document.
    pub body: Vec<u8>,
    /// How often it was delivered, this time included.
    pub deliveries: u32,
    token: Token,
}

/// Which claim of which message.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Embedded { position: i64, fence: i64 },
    RabbitMq { queue: String, connection: u64, tag: u64, offer: u32 },
}

/// A message that was delivered too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message.
    pub message_id: String,
    /// What its order is kept by.
    pub subject: String,
    /// Its size.
    pub bytes: usize,
}

/// About how many messages a queue holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting or claimed: neither acknowledged nor dead.
    pub waiting: u64,
    /// Dead letters.
    pub dead: u64,
}

/// A message on its way out.
struct Outgoing<'a> {
    queue: String,
    message_id: &'a str,
    subject: &'a str,
    body: std::borrow::Cow<'a, [u8]>,
}

/// Knocks at the door of a URL: whether there is anything that answers, without an account and without
/// opening it. Says nothing of whether messages are taken.
///
/// # Errors
/// Where nothing answers, or the URL is none.
pub fn knock(url: &str) -> Result<(), QueueError> {
    match url.split_once(':') {
        Some(("sqlite", file)) => Embedded::knock(file),
        Some(("amqp" | "amqps", _)) => rabbitmq::knock(url),
        _ => Err(QueueError::Url),
    }
}

/// An open queue.
pub struct Queue(Broker);

enum Broker {
    Embedded(Embedded),
    RabbitMq(Box<RabbitMq>),
}

impl Queue {
    /// Opens the queue of a URL; the embedded one is created where it is not there.
    pub fn open(settings: &Settings, edge: &Edge) -> Result<Self, QueueError> {
        let broker = match settings.url.split_once(':') {
            Some(("sqlite", file)) => Broker::Embedded(Embedded::open(file, settings.lease_s, edge)?),
            Some(("amqp" | "amqps", _)) => Broker::RabbitMq(Box::new(RabbitMq::open(settings, edge)?)),
            _ => return Err(QueueError::Url),
        };
        Ok(Self(broker))
    }

    /// Makes a queue and all that belongs to it, where it is not there yet.
    pub fn declare(&self, queue: &QueueName) -> Result<(), QueueError> {
        let name = self.name(queue)?;
        match &self.0 {
            Broker::Embedded(embedded) => embedded.declare(&name),
            Broker::RabbitMq(rabbitmq) => rabbitmq.declare(&name),
        }
    }

    /// Sends what the gate let through, each to its study's queue. One outcome for each message,
    /// in order.
    pub fn publish(&self, messages: &[DoorMessage]) -> Result<Vec<Outcome>, QueueError> {
        let outgoing = messages
            .iter()
            .map(|message| {
                Ok(Outgoing {
                    queue: self.name(&QueueName::study(message.study()))?,
                    message_id: message.message_id(),
                    subject: message.subject(),
                    body: message.to_bytes().into(),
                })
            })
            .collect::<Result<Vec<_>, QueueError>>()?;
        self.send(&outgoing)
    }

    /// Sends acknowledgements back to the gateway. One outcome for each message, in order.
    pub fn send_back(&self, study: &str, messages: &[BackMessage<'_>]) -> Result<Vec<Outcome>, QueueError> {
        let queue = self.name(&QueueName::back(study))?;
        let outgoing: Vec<Outgoing<'_>> = messages
            .iter()
            .map(|message| Outgoing {
                queue: queue.clone(),
                message_id: message.message_id,
                subject: message.subject,
                body: message.body.into(),
            })
            .collect();
        self.send(&outgoing)
    }

    /// Claims up to `count_max` messages, in order, at most one of each subject, for
    /// [`Settings::lease_s`] seconds. None means that nothing can be claimed
    /// now: the queue is empty, or another claimer is at work on the rest.
    pub fn claim(&self, queue: &QueueName, count_max: usize) -> Result<Vec<Delivery>, QueueError> {
        let name = self.name(queue)?;
        match &self.0 {
            Broker::Embedded(embedded) => embedded.claim(&name, count_max),
            Broker::RabbitMq(rabbitmq) => rabbitmq.claim(&name, count_max),
        }
    }

    /// Says that messages were dealt with, for good. The number that were still held: one whose
    /// lease ran out and that was claimed again is not, and will be delivered once more.
    pub fn acknowledge(&self, deliveries: &[Delivery]) -> Result<usize, QueueError> {
        match &self.0 {
            Broker::Embedded(embedded) => embedded.acknowledge(deliveries),
            Broker::RabbitMq(rabbitmq) => rabbitmq.acknowledge(deliveries),
        }
    }

    /// Says that messages could not be dealt with: they can be claimed again at once, or, after
    /// the last delivery allowed, are dead letters. The number that were still held.
    pub fn give_back(&self, deliveries: &[Delivery]) -> Result<usize, QueueError> {
        match &self.0 {
            Broker::Embedded(embedded) => embedded.give_back(deliveries),
            Broker::RabbitMq(rabbitmq) => rabbitmq.give_back(deliveries),
        }
    }

    /// How many messages a queue holds, to show to people: RabbitMQ's own count lags by some
    /// seconds, and leaves out what another process has claimed. Zero for a queue that is not there.
    pub fn counts(&self, queue: &QueueName) -> Result<Counts, QueueError> {
        let name = self.name(queue)?;
        match &self.0 {
            Broker::Embedded(embedded) => embedded.counts(&name),
            Broker::RabbitMq(rabbitmq) => rabbitmq.counts(&name),
        }
    }

    /// Up to `count_max` dead letters of a queue, oldest first. They stay where they are.
    pub fn list_dead(&self, queue: &QueueName, count_max: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let name = self.name(queue)?;
        match &self.0 {
            Broker::Embedded(embedded) => embedded.list_dead(&name, count_max),
            Broker::RabbitMq(rabbitmq) => rabbitmq.list_dead(&name, count_max),
        }
    }

    /// Puts the dead letters of a queue back into it, as if new. How many.
    pub fn revive(&self, queue: &QueueName) -> Result<u64, QueueError> {
        let name = self.name(queue)?;
        match &self.0 {
            Broker::Embedded(embedded) => embedded.revive(&name),
            Broker::RabbitMq(rabbitmq) => rabbitmq.revive(&name),
        }
    }

    fn name(&self, queue: &QueueName) -> Result<String, QueueError> {
        queue.at(match &self.0 {
            Broker::Embedded(_) => PREFIX,
            Broker::RabbitMq(rabbitmq) => rabbitmq.prefix(),
        })
    }

    fn send(&self, messages: &[Outgoing<'_>]) -> Result<Vec<Outcome>, QueueError> {
        for message in messages {
            let bytes = message.body.len();
            if bytes > MESSAGE_BYTES_MAX {
                return Err(QueueError::TooLarge { message_id: message.message_id.to_owned(), bytes });
            }
        }
        match &self.0 {
            Broker::Embedded(embedded) => embedded.send(messages),
            Broker::RabbitMq(rabbitmq) => rabbitmq.send(messages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::QueueName;

    #[test]
    fn a_name_holds_the_way_and_the_study() {
        let queue = QueueName::study("promoting-independence");
        assert_eq!(queue.to_string(), "wayleave.study.promoting-independence");
        assert_eq!(queue.at("t").unwrap(), "t.study.promoting-independence");
        assert_eq!(QueueName::back("a").to_string(), "wayleave.back.a");
        for wrong in ["", "A", "a.b", "a#", &"x".repeat(101)] {
            assert!(QueueName::study(wrong).at("t").is_err(), "{wrong}");
        }
    }
}
