//! Claiming, and answering for it.
//!
//! The broker hands messages to one active consumer a queue. Here they are held in the broker's
//! order and given out as the contract says: the first of each subject, on a lease. One that is
//! given back, or whose lease ran out, is offered again from here, in its place; the broker hears
//! of it when it is acknowledged, or when it becomes a dead letter. Where the process or its
//! connection dies, the broker counts a return for all it held, and the next consumer begins.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Consumer};

use crate::base::edge::Instant;
use crate::base::limit::{CLAIM_WAIT_MS, DELIVERIES_MAX, PREFETCH_MAX};
use crate::queue::rabbitmq::connect::{Live, Site};
use crate::queue::{Delivery, QueueError, Token};

/// The header that holds the subject.
pub(super) const SUBJECT: &str = "subject";

/// The header in which a quorum queue counts returns.
const RETURNS: &str = "x-delivery-count";

/// A claim made now.
#[derive(Clone, Copy)]
pub(super) struct Lease {
    pub(super) now: Instant,
    pub(super) seconds: i64,
}

/// A queue that is consumed.
pub(super) struct Consuming {
    channel: Channel,
    consumer: Consumer,
    held: VecDeque<Held>,
}

/// A message that the broker handed out and that is not answered for yet.
struct Held {
    tag: u64,
    message_id: String,
    subject: String,
    body: Vec<u8>,
    /// Deliveries before the broker handed it to us.
    earlier: u32,
    /// Deliveries since.
    offers: u32,
    claimed_until: Option<Instant>,
}

impl Held {
    fn new(delivery: lapin::message::Delivery) -> Self {
        Self {
            tag: delivery.delivery_tag,
            message_id: message_id(&delivery.properties),
            subject: subject(&delivery.properties),
            body: delivery.data,
            earlier: returns(&delivery.properties),
            offers: 0,
            claimed_until: None,
        }
    }

    fn deliveries(&self) -> u32 {
        self.earlier.saturating_add(self.offers)
    }

    fn offer(&mut self, queue: &str, connection: u64, lease: Lease) -> Delivery {
        self.offers = self.offers.saturating_add(1);
        self.claimed_until = Some(lease.now.plus_s(lease.seconds));
        Delivery {
            message_id: self.message_id.clone(),
            subject: self.subject.clone(),
            body: self.body.clone(),
            deliveries: self.deliveries(),
            token: Token::RabbitMq { queue: queue.to_owned(), connection, tag: self.tag, offer: self.offers },
        }
    }
}

impl Consuming {
    pub(super) fn is_open(&self) -> bool {
        self.channel.status().connected()
    }

    pub(super) async fn close(self) -> Result<(), lapin::Error> {
        self.channel.basic_cancel(self.consumer.tag(), BasicCancelOptions::default()).await?;
        self.channel.close(200, "done".into()).await
    }

    /// Takes what has arrived, without waiting.
    fn take_arrived(&mut self) -> Result<(), lapin::Error> {
        while let Some(Some(arrived)) = self.consumer.next().now_or_never() {
            self.held.push_back(Held::new(arrived?));
        }
        Ok(())
    }

    /// Waits for one to arrive. False if none did.
    async fn wait(&mut self) -> Result<bool, lapin::Error> {
        let patience = Duration::from_millis(CLAIM_WAIT_MS);
        match tokio::time::timeout(patience, self.consumer.next()).await {
            Ok(Some(arrived)) => {
                self.held.push_back(Held::new(arrived?));
                Ok(true)
            }
            Ok(None) | Err(_) => Ok(false),
        }
    }

    /// Ends leases that ran out; a message whose last one did is a dead letter.
    async fn expire(&mut self, now: Instant) -> Result<(), lapin::Error> {
        let mut index = 0;
        while let Some(held) = self.held.get_mut(index) {
            if held.claimed_until.is_some_and(|until| until <= now) {
                held.claimed_until = None;
            }
            if held.claimed_until.is_none() && held.deliveries() >= DELIVERIES_MAX {
                let tag = held.tag;
                self.held.remove(index);
                self.channel.basic_reject(tag, BasicRejectOptions { requeue: false }).await?;
            } else {
                index += 1;
            }
        }
        Ok(())
    }

    /// The first of each subject, where nobody holds it.
    fn offer(&mut self, queue: &str, connection: u64, count_max: usize, lease: Lease) -> Vec<Delivery> {
        let mut seen = BTreeSet::new();
        let mut offered = Vec::new();
        for held in &mut self.held {
            if offered.len() == count_max {
                break;
            }
            if seen.insert(held.subject.clone()) && held.claimed_until.is_none() {
                offered.push(held.offer(queue, connection, lease));
            }
        }
        offered
    }

    /// Where the message of a claim stands, if it is still that claim's.
    fn find(&self, tag: u64, offer: u32) -> Option<usize> {
        self.held
            .iter()
            .position(|held| held.tag == tag && held.offers == offer && held.claimed_until.is_some())
    }
}

impl Live {
    pub(super) async fn claim(
        &mut self,
        site: &Site,
        name: &str,
        count_max: usize,
        lease: &impl Fn() -> Lease,
    ) -> Result<Vec<Delivery>, QueueError> {
        if !self.consuming.contains_key(name) {
            self.declare(site, name).await?;
            let consuming = self.consume(name).await.map_err(|error| site.failed(error))?;
            self.consuming.insert(name.to_owned(), consuming);
        }
        let claimed = self.try_claim(name, count_max, lease).await.map_err(|error| site.failed(error))?;
        if !claimed.is_empty() || self.holds(name) {
            return Ok(claimed);
        }
        // The broker's own count of a quorum queue lags by seconds, so emptiness shows only in
        // that nothing comes.
        let Some(consuming) = self.consuming.get_mut(name) else { return Ok(Vec::new()) };
        if !consuming.wait().await.map_err(|error| site.failed(error))? {
            return Ok(Vec::new());
        }
        self.try_claim(name, count_max, lease).await.map_err(|error| site.failed(error))
    }

    /// How many messages of a queue are held here.
    pub(super) fn count_held(&mut self, name: &str) -> Result<u64, lapin::Error> {
        let Some(consuming) = self.consuming.get_mut(name) else { return Ok(0) };
        consuming.take_arrived()?;
        Ok(u64::try_from(consuming.held.len()).unwrap_or(u64::MAX))
    }

    fn holds(&self, name: &str) -> bool {
        self.consuming.get(name).is_some_and(|consuming| !consuming.held.is_empty())
    }

    async fn try_claim(
        &mut self,
        name: &str,
        count_max: usize,
        lease: &impl Fn() -> Lease,
    ) -> Result<Vec<Delivery>, lapin::Error> {
        let connection = self.number;
        let Some(consuming) = self.consuming.get_mut(name) else { return Ok(Vec::new()) };
        consuming.take_arrived()?;
        let lease = lease();
        consuming.expire(lease.now).await?;
        Ok(consuming.offer(name, connection, count_max, lease))
    }

    async fn consume(&self, name: &str) -> Result<Consuming, lapin::Error> {
        let channel = self.new_channel().await?;
        channel.basic_qos(PREFETCH_MAX, BasicQosOptions::default()).await?;
        let consumer = channel
            .basic_consume(name.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
            .await?;
        Ok(Consuming { channel, consumer, held: VecDeque::new() })
    }

    pub(super) async fn acknowledge(
        &mut self,
        site: &Site,
        deliveries: &[Delivery],
    ) -> Result<usize, QueueError> {
        let mut count = 0;
        for delivery in deliveries {
            let Some((consuming, index)) = self.find(delivery) else { continue };
            let Some(held) = consuming.held.remove(index) else { continue };
            let acked = consuming.channel.basic_ack(held.tag, BasicAckOptions::default()).await;
            acked.map_err(|error| site.failed(error))?;
            count += 1;
        }
        Ok(count)
    }

    pub(super) async fn give_back(
        &mut self,
        site: &Site,
        deliveries: &[Delivery],
    ) -> Result<usize, QueueError> {
        let mut count = 0;
        for delivery in deliveries {
            let Some((consuming, index)) = self.find(delivery) else { continue };
            let Some(held) = consuming.held.get_mut(index) else { continue };
            held.claimed_until = None;
            count += 1;
            if held.deliveries() >= DELIVERIES_MAX {
                let tag = held.tag;
                consuming.held.remove(index);
                let rejected =
                    consuming.channel.basic_reject(tag, BasicRejectOptions { requeue: false }).await;
                rejected.map_err(|error| site.failed(error))?;
            }
        }
        Ok(count)
    }

    fn find(&mut self, delivery: &Delivery) -> Option<(&mut Consuming, usize)> {
        let Token::RabbitMq { queue, connection, tag, offer } = &delivery.token else { return None };
        if *connection != self.number {
            return None;
        }
        let consuming = self.consuming.get_mut(queue)?;
        let index = consuming.find(*tag, *offer)?;
        Some((consuming, index))
    }
}

pub(super) fn message_id(properties: &BasicProperties) -> String {
    properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default()
}

pub(super) fn subject(properties: &BasicProperties) -> String {
    match header(properties, SUBJECT) {
        Some(AMQPValue::LongString(subject)) => subject.to_string(),
        _ => String::new(),
    }
}

fn returns(properties: &BasicProperties) -> u32 {
    match header(properties, RETURNS) {
        Some(AMQPValue::LongLongInt(count)) => u32::try_from(*count).unwrap_or_default(),
        Some(AMQPValue::LongInt(count)) => u32::try_from(*count).unwrap_or_default(),
        Some(AMQPValue::ShortShortInt(count)) => u32::try_from(*count).unwrap_or_default(),
        Some(AMQPValue::ShortShortUInt(count)) => (*count).into(),
        Some(AMQPValue::ShortInt(count)) => u32::try_from(*count).unwrap_or_default(),
        Some(AMQPValue::ShortUInt(count)) => (*count).into(),
        Some(AMQPValue::LongUInt(count)) => *count,
        _ => 0,
    }
}

fn header<'p>(properties: &'p BasicProperties, name: &str) -> Option<&'p AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}
