//! Sending, and being sure of it.
//!
//! A message is sent once the broker has confirmed it and it was neither returned nor taken by
//! the alternate exchange. The library hands a returned message to whichever confirm completes
//! next, so a return is matched by its own `message_id`. Where the alternate exchange took a
//! message the broker confirms it and returns nothing, so the queue behind that exchange is
//! looked through for our own, which are taken back: the sender still has them.

use std::collections::BTreeSet;
use std::time::Duration;

use lapin::options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Confirmation, PublisherConfirm};

use crate::base::limit::{CONFIRM_WAIT_S, CONFIRM_WINDOW_MAX, UNROUTABLE_LOOKS_MAX};
use crate::queue::rabbitmq::connect::{Live, Site};
use crate::queue::rabbitmq::consume::{self, SUBJECT};
use crate::queue::rabbitmq::topology::dead_of;
use crate::queue::rabbitmq::{BROKER_PATIENCE, bounded};
use crate::queue::{DeadLetter, Outcome, Outgoing, QueueError};

/// `delivery-mode` of a message that outlives a restart of the broker (AMQP 0-9-1, basic class).
const PERSISTENT: u8 = 2;

impl Live {
    pub(super) async fn send(
        &self,
        site: &Site,
        messages: &[Outgoing<'_>],
    ) -> Result<Vec<Outcome>, QueueError> {
        bounded(site, BROKER_PATIENCE, self.declare_exchanges(site)).await?;
        let mut outcomes = Vec::with_capacity(messages.len());
        // Subjects of which a message was not sent: a later one would overtake it.
        let mut stopped = BTreeSet::new();
        let mut returned = BTreeSet::new();
        for window in messages.chunks(CONFIRM_WINDOW_MAX) {
            let confirmed = self.send_window(site, window, &stopped, &mut returned).await;
            for (message, outcome) in window.iter().zip(confirmed) {
                if outcome != Outcome::Sent {
                    stopped.insert(message.subject);
                }
                outcomes.push(outcome);
            }
        }
        let ours: BTreeSet<&str> = messages.iter().map(|message| message.message_id).collect();
        if self.channel.status().connected() {
            let taken = async { self.take_back(site, &ours).await.map_err(|error| site.failed(error)) };
            returned.extend(bounded(site, BROKER_PATIENCE, taken).await?);
        }
        for (message, outcome) in messages.iter().zip(&mut outcomes) {
            if returned.contains(message.message_id) {
                *outcome = Outcome::Unroutable;
            }
        }
        Ok(outcomes)
    }

    /// Sends one window of messages at once, then waits for what the broker says of each.
    async fn send_window(
        &self,
        site: &Site,
        window: &[Outgoing<'_>],
        stopped: &BTreeSet<&str>,
        returned: &mut BTreeSet<String>,
    ) -> Vec<Outcome> {
        let mut confirms: Vec<Option<PublisherConfirm>> = Vec::with_capacity(window.len());
        let deadline = tokio::time::Instant::now() + Duration::from_secs(CONFIRM_WAIT_S);
        for message in window {
            let confirm = if stopped.contains(message.subject) || !self.channel.status().connected() {
                None
            } else {
                // A broker that hangs takes nothing in, and leaves the sender waiting.
                tokio::time::timeout_at(deadline, self.send_one(site, message))
                    .await
                    .ok()
                    .and_then(Result::ok)
            };
            confirms.push(confirm);
        }
        let mut outcomes = Vec::with_capacity(window.len());
        for confirm in confirms {
            outcomes.push(match confirm {
                None => Outcome::Unconfirmed,
                Some(confirm) => settle(tokio::time::timeout_at(deadline, confirm).await, returned),
            });
        }
        outcomes
    }

    async fn send_one(&self, site: &Site, message: &Outgoing<'_>) -> Result<PublisherConfirm, lapin::Error> {
        let mut headers = FieldTable::default();
        headers.insert(SUBJECT.into(), AMQPValue::LongString(message.subject.into()));
        let properties = BasicProperties::default()
            .with_message_id(message.message_id.into())
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/cloudevents+json".into())
            .with_headers(headers);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let key = message.queue.as_str().into();
        self.channel.basic_publish(site.door().into(), key, options, &message.body, properties).await
    }

    /// Takes our own messages back from the queue of the unroutable. Their ids.
    async fn take_back(&self, site: &Site, ours: &BTreeSet<&str>) -> Result<Vec<String>, lapin::Error> {
        let channel = self.new_channel().await?;
        let mut taken = Vec::new();
        for _ in 0..UNROUTABLE_LOOKS_MAX {
            let next = channel.basic_get(site.unroutable().into(), BasicGetOptions::default()).await?;
            let Some(message) = next else { break };
            let id = consume::message_id(&message.delivery.properties);
            if ours.contains(id.as_str()) {
                message.delivery.acker.ack(BasicAckOptions::default()).await?;
                taken.push(id);
            }
        }
        // What belongs to another sender goes back when the channel closes.
        channel.close(200, "done".into()).await?;
        Ok(taken)
    }

    /// Looks at dead letters, and leaves them there.
    pub(super) async fn list_dead(
        &self,
        site: &Site,
        name: &str,
        count_max: usize,
    ) -> Result<Vec<DeadLetter>, QueueError> {
        match self.try_list_dead(name, count_max).await.map_err(|error| site.failed(error)) {
            Err(QueueError::Missing { .. }) => Ok(Vec::new()),
            other => other,
        }
    }

    async fn try_list_dead(&self, name: &str, count_max: usize) -> Result<Vec<DeadLetter>, lapin::Error> {
        let channel = self.new_channel().await?;
        let mut dead = Vec::new();
        while dead.len() < count_max {
            let next = channel.basic_get(dead_of(name).into(), BasicGetOptions::default()).await?;
            let Some(message) = next else { break };
            dead.push(DeadLetter {
                message_id: consume::message_id(&message.delivery.properties),
                subject: consume::subject(&message.delivery.properties),
                bytes: message.delivery.data.len(),
            });
        }
        channel.close(200, "done".into()).await?;
        Ok(dead)
    }

    /// Sends dead letters anew; each leaves its place only when the queue has it again.
    pub(super) async fn revive(&self, site: &Site, name: &str) -> Result<u64, QueueError> {
        self.declare(site, name).await?;
        let channel = self.new_channel().await.map_err(|error| site.failed(error))?;
        let mut revived = 0;
        loop {
            let dead = dead_of(name);
            let next = async {
                let next = channel.basic_get(dead.as_str().into(), BasicGetOptions::default()).await;
                next.map_err(|error| site.failed(error))
            };
            let Some(message) = bounded(site, BROKER_PATIENCE, next).await? else { break };
            let delivery = message.delivery;
            let message_id = consume::message_id(&delivery.properties);
            let subject = consume::subject(&delivery.properties);
            let outgoing = Outgoing {
                queue: name.to_owned(),
                message_id: &message_id,
                subject: &subject,
                body: delivery.data.as_slice().into(),
            };
            if self.send(site, &[outgoing]).await? != [Outcome::Sent] {
                break;
            }
            delivery.acker.ack(BasicAckOptions::default()).await.map_err(|error| site.failed(error))?;
            revived += 1;
        }
        channel.close(200, "done".into()).await.map_err(|error| site.failed(error))?;
        Ok(revived)
    }
}

/// What a confirm says, and which message came back with it, whosever it was.
fn settle(
    confirm: Result<Result<Confirmation, lapin::Error>, tokio::time::error::Elapsed>,
    returned: &mut BTreeSet<String>,
) -> Outcome {
    let Ok(Ok(confirmation)) = confirm else { return Outcome::Unconfirmed };
    let is_ack = confirmation.is_ack();
    if let Some(message) = confirmation.take_message() {
        returned.insert(consume::message_id(&message.delivery.properties));
    }
    if is_ack { Outcome::Sent } else { Outcome::Unconfirmed }
}
