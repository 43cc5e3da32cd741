//! RabbitMQ as whoever runs it sees it, past the program: what lies in a queue, and putting it
//! into another.

use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

use crate::support::Broker;

/// A message as it lies in a queue.
#[derive(Clone)]
pub(crate) struct Letter {
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
}

/// The prefix of everything that belongs to a broker of these tests, and its URL without it.
fn parts(broker: &Broker) -> (&str, &str) {
    broker.url.split_once("?prefix=").expect("a prefix of its own")
}

fn on<T>(broker: &Broker, work: impl AsyncFnOnce(&Channel, &str) -> Result<T, lapin::Error>) -> T {
    let (url, prefix) = parts(broker);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let done = work(&channel, prefix).await.unwrap();
        connection.close(200, "done".into()).await.unwrap();
        done
    })
}

/// Puts a tap on the door of a broker that was declared: a queue that gets a copy of every message
/// from now on. The queue of a study itself lets nobody look into it beside its one consumer.
pub(crate) fn tap(broker: &Broker) {
    on(broker, async |channel, prefix| {
        let (tap, door) = (format!("{prefix}.{TAP}"), format!("{prefix}.door"));
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(tap.as_str().into(), durable, FieldTable::default()).await?;
        let (tap, door) = (tap.as_str().into(), door.as_str().into());
        channel.queue_bind(tap, door, "#".into(), QueueBindOptions::default(), FieldTable::default()).await
    });
}

/// What went through the door since the tap was put on it, or since it was last looked at.
pub(crate) fn tapped(broker: &Broker) -> Vec<Letter> {
    take_all(broker, TAP)
}

const TAP: &str = "tap";

/// Takes every message out of a queue, named without its prefix.
fn take_all(broker: &Broker, queue: &str) -> Vec<Letter> {
    on(broker, async |channel, prefix| {
        let mut letters = Vec::new();
        let name = format!("{prefix}.{queue}");
        while let Some(message) = channel.basic_get(name.as_str().into(), BasicGetOptions::default()).await? {
            message.delivery.acker.ack(BasicAckOptions::default()).await?;
            letters.push(Letter { properties: message.delivery.properties, body: message.delivery.data });
        }
        Ok(letters)
    })
}

/// Puts messages into a queue that was declared.
pub(crate) fn put_all(broker: &Broker, queue: &str, letters: &[Letter]) {
    on(broker, async |channel, prefix| {
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let mut confirms = Vec::new();
        for letter in letters {
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let (door, key) = (format!("{prefix}.door"), format!("{prefix}.{queue}"));
            let (door, key) = (door.as_str().into(), key.as_str().into());
            confirms.push(
                channel.basic_publish(door, key, options, &letter.body, letter.properties.clone()).await?,
            );
        }
        for confirm in confirms {
            let confirmed = confirm.await?;
            assert!(confirmed.is_ack() && confirmed.take_message().is_none(), "the queue takes it");
        }
        Ok(())
    });
}

/// Deletes the queue of a study, as an administrator may. How many messages were lost with it.
pub(crate) fn delete_queue(broker: &Broker, study: &str) -> u32 {
    on(broker, async |channel, prefix| {
        let name = format!("{prefix}.study.{study}");
        channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await
    })
}

/// Removes the queues of a broker, so that many tests do not leave hundreds behind.
pub(crate) fn remove(broker: &Broker, study: &str) {
    on(broker, async |channel, prefix| {
        let mut names = vec![format!("{prefix}.unroutable"), format!("{prefix}.{TAP}")];
        for way in ["study", "back"] {
            names.extend([format!("{prefix}.{way}.{study}"), format!("{prefix}.{way}.{study}.dead")]);
        }
        for name in names {
            channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await?;
        }
        Ok(())
    });
}
