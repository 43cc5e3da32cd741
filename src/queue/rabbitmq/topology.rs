//! Exchanges, queues and how they hang together.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};

use crate::base::limit::{DEAD_LOOKS_MAX, DELIVERIES_MAX};
use crate::queue::rabbitmq::connect::{Live, Site};
use crate::queue::{Counts, QueueError};

impl Site {
    pub(super) fn door(&self) -> String {
        format!("{}.door", self.prefix)
    }

    /// Exchange and queue.
    pub(super) fn unroutable(&self) -> String {
        format!("{}.unroutable", self.prefix)
    }

    fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }
}

/// The queue of the dead letters of a queue.
pub(super) fn dead_of(name: &str) -> String {
    format!("{name}.dead")
}

impl Live {
    /// Makes the exchanges, where they are not there.
    pub(super) async fn declare_exchanges(&self, site: &Site) -> Result<(), QueueError> {
        self.try_declare_exchanges(site).await.map_err(|error| site.failed(error))
    }

    async fn try_declare_exchanges(&self, site: &Site) -> Result<(), lapin::Error> {
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let channel = &self.channel;
        let unroutable = site.unroutable();
        channel
            .exchange_declare(
                unroutable.as_str().into(),
                ExchangeKind::Fanout,
                durable,
                FieldTable::default(),
            )
            .await?;
        declare_quorum(channel, &unroutable, looks()).await?;
        bind(channel, &unroutable, &unroutable, "").await?;
        channel
            .exchange_declare(site.dead().into(), ExchangeKind::Direct, durable, FieldTable::default())
            .await?;
        let mut arguments = FieldTable::default();
        arguments.insert("alternate-exchange".into(), text(&unroutable));
        channel.exchange_declare(site.door().into(), ExchangeKind::Topic, durable, arguments).await
    }

    /// Makes a queue with its dead letters, where they are not there.
    pub(super) async fn declare(&self, site: &Site, name: &str) -> Result<(), QueueError> {
        self.declare_exchanges(site).await?;
        self.try_declare(site, name).await.map_err(|error| site.failed(error))
    }

    async fn try_declare(&self, site: &Site, name: &str) -> Result<(), lapin::Error> {
        let channel = &self.channel;
        let dead = dead_of(name);
        declare_quorum(channel, &dead, looks()).await?;
        bind(channel, &dead, &site.dead(), name).await?;

        let mut arguments = FieldTable::default();
        // The limit counts returns: one less than deliveries.
        arguments.insert("x-delivery-limit".into(), number(DELIVERIES_MAX.saturating_sub(1)));
        arguments.insert("x-dead-letter-exchange".into(), text(&site.dead()));
        arguments.insert("x-dead-letter-routing-key".into(), text(name));
        // A dead letter leaves its queue only when the other has it.
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        arguments.insert("x-overflow".into(), text("reject-publish"));
        arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
        declare_quorum(channel, name, arguments).await?;
        bind(channel, name, &site.door(), name).await
    }

    pub(super) async fn counts(&mut self, site: &Site, name: &str) -> Result<Counts, QueueError> {
        let held = self.count_held(name).map_err(|error| site.failed(error))?;
        let ready = self.ready(site, name).await?;
        Ok(Counts { waiting: ready.saturating_add(held), dead: self.ready(site, &dead_of(name)).await? })
    }

    /// How many messages of a queue nobody holds. Zero for one that is not there.
    async fn ready(&self, site: &Site, name: &str) -> Result<u64, QueueError> {
        // On a channel of its own, because asking after a missing queue closes the channel.
        let result = async {
            let channel = self.new_channel().await?;
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let queue = channel.queue_declare(name.into(), options, FieldTable::default()).await?;
            channel.close(200, "done".into()).await?;
            Ok(u64::from(queue.message_count()))
        };
        match result.await.map_err(|error: lapin::Error| site.failed(error)) {
            Err(QueueError::Missing { .. }) => Ok(0),
            other => other,
        }
    }
}

async fn declare_quorum(
    channel: &Channel,
    name: &str,
    mut arguments: FieldTable,
) -> Result<(), lapin::Error> {
    arguments.insert("x-queue-type".into(), text("quorum"));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), durable, arguments).await.map(|_queue| ())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), lapin::Error> {
    channel
        .queue_bind(
            queue.into(),
            exchange.into(),
            key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
}

/// Arguments of a queue that is looked at and left as it is.
fn looks() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-delivery-limit".into(), number(DEAD_LOOKS_MAX));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

fn number(value: u32) -> AMQPValue {
    AMQPValue::LongLongInt(value.into())
}
