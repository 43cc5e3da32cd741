//! The door itself, over both brokers: messages that the gate made, on the queue of their study.

use std::collections::BTreeSet;
use std::process::Command;

use wayleave::base::edge::Edge;
use wayleave::base::id::{PersonId, RecordId, ReleaseId};
use wayleave::base::limit::{DELIVERIES_MAX, LEASE_S};
use wayleave::base::seal::StudyKey;
use wayleave::queue::{Delivery, Outcome, Queue, QueueName, Settings};
use wayleave::record::kind::Kind;
use wayleave::release::door::DoorMessage;
use wayleave::release::gate::{Gate, Gone, Standing};
use wayleave::release::protocol::Protocol;

use crate::support::{self, Broker};

const STUDY: &str = "promoting-independence";

/// A study of the same shape under another name.
fn protocol(study: &str) -> Protocol {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/release/protocols/promoting-independence.toml");
    let text = std::fs::read_to_string(path).unwrap();
    Protocol::parse(&text.replacen(STUDY, study, 1), study).unwrap_or_else(|error| panic!("{error}"))
}

/// A message of a study: that a record of a person no longer stands.
pub(crate) fn message(study: &str, person: u128, sequence: u64) -> DoorMessage {
    // Each study has a key of its own.
    let key = StudyKey::from_bytes([u8::try_from(study.len()).unwrap(); 32]);
    let protocol = protocol(study);
    let gate = Gate::new(&protocol, &key, "test", ReleaseId::from_bits(1), 1);
    let record = Standing::Record(RecordId::from_bits(1_000 * person + u128::from(sequence)));
    gate.retracted(PersonId::from_bits(person), Kind::Star, &record, Gone::Corrected, sequence)
}

pub(crate) fn open(broker: &Broker, edge: &Edge) -> Queue {
    let settings = Settings { url: broker.url.clone(), authority: None, lease_s: LEASE_S };
    Queue::open(&settings, edge).unwrap_or_else(|error| panic!("{error}"))
}

fn on_each(test: impl Fn(&Broker, &Queue)) {
    for broker in support::brokers() {
        println!("on {}", broker.url.split(':').next().unwrap());
        let (edge, _clock) = support::edge();
        let queue = open(&broker, &edge);
        queue.declare(&QueueName::study(STUDY)).unwrap();
        test(&broker, &queue);
    }
}

/// Claims and acknowledges until this many have come.
#[track_caller]
pub(crate) fn take(queue: &Queue, study: &str, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    for _wait in 0..240 {
        let claimed = queue.claim(&QueueName::study(study), count - taken.len()).unwrap();
        queue.acknowledge(&claimed).unwrap();
        taken.extend(claimed);
        if taken.len() == count {
            return taken;
        }
    }
    panic!("{} of {count} came", taken.len());
}

pub(crate) fn ids(messages: &[DoorMessage]) -> BTreeSet<String> {
    messages.iter().map(|message| message.message_id().to_owned()).collect()
}

pub(crate) fn ids_of(deliveries: &[Delivery]) -> BTreeSet<String> {
    deliveries.iter().map(|delivery| delivery.message_id.clone()).collect()
}

/// Those that were not sent.
pub(crate) fn unsent(all: Vec<DoorMessage>, outcomes: Vec<Outcome>) -> Vec<DoorMessage> {
    let unsent = all.into_iter().zip(outcomes).filter(|(_, outcome)| *outcome != Outcome::Sent);
    unsent.map(|(one, _)| one).collect()
}

#[test]
fn what_the_gate_made_arrives_byte_for_byte_and_in_order() {
    on_each(|_broker, queue| {
        let sent: Vec<DoorMessage> = (0..60).map(|n| message(STUDY, u128::from(n % 4), n / 4 + 1)).collect();
        assert!(queue.publish(&sent).unwrap().iter().all(|outcome| *outcome == Outcome::Sent));
        let taken = take(queue, STUDY, sent.len());
        assert_eq!(ids_of(&taken), ids(&sent));
        for subject in sent[..4].iter().map(DoorMessage::subject) {
            let came: Vec<&[u8]> =
                taken.iter().filter(|one| one.subject == subject).map(|one| one.body.as_slice()).collect();
            let went: Vec<Vec<u8>> =
                sent.iter().filter(|one| one.subject() == subject).map(DoorMessage::to_bytes).collect();
            assert_eq!(came, went, "each person's in the order they were sent");
        }
        assert!(queue.claim(&QueueName::study(STUDY), 9).unwrap().is_empty());
    });
}

#[test]
fn a_study_without_a_queue_takes_nothing_and_the_others_are_not_kept_waiting() {
    on_each(|_broker, queue| {
        let all = [
            message(STUDY, 1, 1),
            message("another", 1, 1),
            message(STUDY, 2, 1),
            message("another", 2, 1),
            message("another", 1, 2),
            message(STUDY, 1, 2),
        ];
        let outcomes = queue.publish(&all).unwrap();
        let (sent, not) = (Outcome::Sent, Outcome::Unroutable);
        // Which of them came back is told by its id, however many are on their way at once.
        assert_eq!(outcomes, [sent, not, sent, not, not, sent]);
        assert_eq!(take(queue, STUDY, 3).len(), 3);

        queue.declare(&QueueName::study("another")).unwrap();
        let again = [all[1].clone(), all[3].clone(), all[4].clone()];
        assert_eq!(queue.publish(&again).unwrap(), [sent; 3]);
        assert_eq!(ids_of(&take(queue, "another", 3)), ids(&again), "once each: nothing was kept aside");
        assert!(queue.claim(&QueueName::study("another"), 9).unwrap().is_empty());
    });
}

#[test]
fn delivered_too_often_is_a_dead_letter_of_the_study() {
    on_each(|_broker, queue| {
        let name = QueueName::study(STUDY);
        let sent = [message(STUDY, 1, 1), message(STUDY, 1, 2)];
        queue.publish(&sent).unwrap();
        for delivery in 1..=DELIVERIES_MAX {
            let mut claimed = Vec::new();
            while claimed.is_empty() {
                claimed = queue.claim(&name, 9).unwrap();
            }
            assert_eq!((claimed.len(), claimed[0].deliveries), (1, delivery));
            assert_eq!(claimed[0].message_id, sent[0].message_id());
            queue.give_back(&claimed).unwrap();
        }
        assert_eq!(ids_of(&take(queue, STUDY, 1)), ids(&sent[1..]), "the next is not held up");
        let mut dead = Vec::new();
        while dead.is_empty() {
            dead = queue.list_dead(&name, 9).unwrap();
        }
        assert_eq!((dead.len(), dead[0].message_id.as_str()), (1, sent[0].message_id()));
        assert_eq!(dead[0].bytes, sent[0].to_bytes().len());
        assert_eq!(queue.revive(&name).unwrap(), 1);
        assert_eq!(take(queue, STUDY, 1)[0].body, sent[0].to_bytes());
    });
}

/// A queue that is full refuses: the broker says no to each, and each counts as not sent.
#[test]
fn what_rabbitmq_refuses_is_not_sent_and_goes_through_once_there_is_room() {
    let Some(broker) = support::rabbitmq() else { return };
    let (edge, _clock) = support::edge();
    let queue = open(&broker, &edge);
    queue.declare(&QueueName::study(STUDY)).unwrap();
    let prefix = broker.url.rsplit_once("prefix=").unwrap().1.to_owned();
    let pattern = format!("^{prefix}\\.study\\.{STUDY}$");
    ctl(&["set_policy", "--apply-to", "queues", &prefix, &pattern, r#"{"max-length": 20}"#]);

    // The queue comes to its new policy a little later; what is sent until then goes in.
    let (mut sent, mut left) = (Vec::new(), Vec::new());
    for round in 0..300 {
        let some: Vec<DoorMessage> =
            (0..160).map(|n| message(STUDY, u128::from(n % 80), 2 * round + n / 80 + 1)).collect();
        let outcomes = queue.publish(&some).unwrap();
        assert!(outcomes.iter().all(|outcome| [Outcome::Sent, Outcome::Unconfirmed].contains(outcome)));
        sent.extend(some.clone());
        left = unsent(some, outcomes);
        if !left.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(!left.is_empty(), "a full queue refused nothing");
    // As the far side makes room, the rest goes through.
    let mut taken = Vec::new();
    for _round in 0..1_000 {
        let claimed = queue.claim(&QueueName::study(STUDY), 50).unwrap();
        queue.acknowledge(&claimed).unwrap();
        let is_empty = claimed.is_empty();
        taken.extend(claimed);
        if left.is_empty() && is_empty {
            break;
        }
        if !left.is_empty() {
            let outcomes = queue.publish(&left).unwrap();
            left = unsent(left, outcomes);
        }
    }
    assert!(left.is_empty(), "{} are still refused", left.len());
    assert_eq!(ids_of(&taken), ids(&sent), "each is there");
    ctl(&["clear_policy", &prefix]);
    crate::rabbit::remove(&broker, STUDY);
}

/// `rabbitmqctl` of the servers that `tests/all` started.
fn ctl(words: &[&str]) {
    let logs = std::env::var("WAYLEAVE_TEST_SERVER_LOGS").unwrap();
    let dir = std::path::Path::new(&logs).parent().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers");
    let output = Command::new(script).arg("ctl").arg(dir).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}
