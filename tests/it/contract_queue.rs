//! One contract, two brokers: every test here runs against the embedded queue and RabbitMQ.
//!
//! Messages go over the queue back, which takes plain bytes; the queue of a study is the same
//! queue under another name, and takes only what the gate makes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wayleave::base::edge::Edge;
use wayleave::base::limit::{DELIVERIES_MAX, LEASE_S, MESSAGE_BYTES_MAX};
use wayleave::queue::{
    BackMessage, Counts, DeadLetter, Delivery, Outcome, Queue, QueueError, QueueName, Settings,
};

use crate::support::{self, Broker, TestClock};

const STUDY: &str = "promoting-independence";

/// One broker, with a clock that the test moves.
struct Door {
    broker: Broker,
    edge: Edge,
    clock: Arc<TestClock>,
}

impl Door {
    fn open(&self) -> Queue {
        open(&self.broker.url, &self.edge).expect("the queue opens")
    }
}

fn open(url: &str, edge: &Edge) -> Result<Queue, QueueError> {
    Queue::open(&Settings { url: url.to_owned(), authority: None, lease_s: LEASE_S }, edge)
}

/// Runs a test against each broker, over a queue that was declared.
fn on_each(test: impl Fn(&Door, &Queue)) {
    for broker in support::brokers() {
        println!("on {}", broker.url.split(':').next().unwrap());
        let (edge, clock) = support::edge();
        let door = Door { broker, edge, clock };
        let queue = door.open();
        queue.declare(&back()).expect("declared");
        queue.declare(&back()).expect("declared twice");
        test(&door, &queue);
    }
}

fn back() -> QueueName {
    QueueName::back(STUDY)
}

/// Sends `(message id, subject)` pairs, each with its own id as the body.
fn send(queue: &Queue, messages: &[(&str, &str)]) -> Vec<Outcome> {
    let messages: Vec<BackMessage<'_>> = messages
        .iter()
        .map(|(message_id, subject)| BackMessage { message_id, subject, body: message_id.as_bytes() })
        .collect();
    queue.send_back(STUDY, &messages).expect("the broker answers")
}

fn claim(queue: &Queue) -> Vec<Delivery> {
    queue.claim(&back(), 10).expect("the broker answers")
}

/// Claims until this many are held: a broker that is busy hands them out in parts.
#[track_caller]
fn claim_all(queue: &Queue, name: &QueueName, count: usize) -> Vec<Delivery> {
    let mut claimed = Vec::new();
    // A busy machine's broker takes its time, and hands out in parts.
    for _wait in 0..240 {
        claimed.extend(queue.claim(name, count - claimed.len()).expect("the broker answers"));
        if claimed.len() == count {
            return claimed;
        }
        pause(&claimed);
    }
    panic!("{} of {count} could be claimed", claimed.len());
}

/// Between two claims: while some of a queue is held, the next claim does not wait for more to come.
pub(crate) fn pause(held: &[Delivery]) {
    if !held.is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(250));
    }
}

fn ids(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.message_id.as_str()).collect()
}

#[test]
fn what_is_sent_is_delivered_once_it_is_acknowledged_no_more() {
    on_each(|_door, queue| {
        assert!(claim(queue).is_empty());
        assert_eq!(send(queue, &[("m1", "a"), ("m2", "b")]), [Outcome::Sent, Outcome::Sent]);
        settle(|| queue.counts(&back()).unwrap().waiting == 2);
        let claimed = claim_all(queue, &back(), 2);
        assert_eq!(ids(&claimed), ["m1", "m2"]);
        assert_eq!((claimed[0].subject.as_str(), claimed[0].deliveries), ("a", 1));
        assert_eq!(claimed[1].body, b"m2");
        assert!(claim(queue).is_empty(), "claimed messages are held");
        assert_eq!(queue.acknowledge(&claimed).unwrap(), 2);
        assert_eq!(queue.acknowledge(&claimed).unwrap(), 0, "acknowledged once");
        assert!(claim(queue).is_empty());
        settle(|| queue.counts(&back()).unwrap() == Counts::default());
    });
}

#[test]
fn order_is_kept_for_each_subject() {
    on_each(|_door, queue| {
        send(queue, &[("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a"), ("b2", "b")]);
        let first = claim_all(queue, &back(), 2);
        assert_eq!(ids(&first), ["a1", "b1"], "one of each subject");
        assert!(claim(queue).is_empty(), "a2 waits for a1");
        queue.acknowledge(&first[..1]).unwrap();
        let second = claim_all(queue, &back(), 1);
        assert_eq!(ids(&second), ["a2"], "b2 still waits for b1");
        queue.give_back(&second).unwrap();
        let again = claim_all(queue, &back(), 1);
        assert_eq!(ids(&again), ["a2"], "a3 does not overtake what was given back");
        assert_eq!(again[0].deliveries, 2);
        queue.acknowledge(&again).unwrap();
        queue.acknowledge(&first[1..]).unwrap();
        assert_eq!(ids(&claim_all(queue, &back(), 2)), ["a3", "b2"], "in the order they were sent");
    });
}

#[test]
fn a_lease_that_runs_out_lets_the_message_go() {
    on_each(|door, queue| {
        send(queue, &[("m1", "a")]);
        let first = claim_all(queue, &back(), 1);
        door.clock.advance_s(LEASE_S - 1);
        assert!(claim(queue).is_empty());
        door.clock.advance_s(1);
        let second = claim_all(queue, &back(), 1);
        assert_eq!((ids(&second), second[0].deliveries), (vec!["m1"], 2));
        assert_eq!(queue.acknowledge(&first).unwrap(), 0, "the first claim is over");
        assert_eq!(queue.give_back(&first).unwrap(), 0);
        assert_eq!(queue.acknowledge(&second).unwrap(), 1);
    });
}

#[test]
fn delivered_too_often_is_a_dead_letter_and_can_be_revived() {
    on_each(|door, queue| {
        send(queue, &[("m1", "a"), ("m2", "a")]);
        for delivery in 1..=DELIVERIES_MAX {
            let claimed = claim_all(queue, &back(), 1);
            assert_eq!((ids(&claimed), claimed[0].deliveries), (vec!["m1"], delivery));
            // Half of them are given back, the others forgotten.
            if delivery % 2 == 0 {
                queue.give_back(&claimed).unwrap();
            } else {
                door.clock.advance_s(LEASE_S);
            }
        }
        let next = claim_all(queue, &back(), 1);
        assert_eq!(ids(&next), ["m2"], "the subject goes on without its dead letter");
        queue.acknowledge(&next).unwrap();
        for _look in 0..3 {
            let dead = list_dead(queue);
            assert_eq!(
                (dead[0].message_id.as_str(), dead[0].subject.as_str(), dead[0].bytes),
                ("m1", "a", 2)
            );
        }
        assert_eq!(queue.revive(&back()).unwrap(), 1);
        let revived = claim_all(queue, &back(), 1);
        assert_eq!((ids(&revived), revived[0].deliveries), (vec!["m1"], 1));
        queue.acknowledge(&revived).unwrap();
        assert_eq!(queue.list_dead(&back(), 10).unwrap(), []);
    });
}

/// The one dead letter, once the broker has moved it.
#[track_caller]
fn list_dead(queue: &Queue) -> Vec<DeadLetter> {
    settle(|| !queue.list_dead(&back(), 10).unwrap().is_empty());
    let dead = queue.list_dead(&back(), 10).unwrap();
    assert_eq!(dead.len(), 1);
    dead
}

/// Waits for what a broker does on its own, such as moving a dead letter or counting.
#[track_caller]
pub(crate) fn settle(is_so: impl Fn() -> bool) {
    for _tick in 0..1_200 {
        if is_so() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("not so after two minutes");
}

#[test]
fn given_back_to_the_end_is_dead_at_once() {
    on_each(|_door, queue| {
        send(queue, &[("m1", "a")]);
        for _delivery in 0..DELIVERIES_MAX {
            assert_eq!(queue.give_back(&claim_all(queue, &back(), 1)).unwrap(), 1);
        }
        assert_eq!(list_dead(queue)[0].message_id, "m1");
        settle(|| queue.counts(&back()).unwrap().dead == 1);
        assert!(claim(queue).is_empty());
    });
}

#[test]
fn sent_twice_is_sent_both_times_and_takes_effect_by_its_id() {
    on_each(|door, queue| {
        assert_eq!(send(queue, &[("m1", "a")]), [Outcome::Sent]);
        assert_eq!(send(queue, &[("m1", "a")]), [Outcome::Sent], "known, and so sent");
        // RabbitMQ keeps no ids and delivers both; the inbox of the far side tells them apart.
        let expected = if door.broker.url.starts_with("sqlite") { 1 } else { 2 };
        for _delivery in 0..expected {
            let claimed = claim_all(queue, &back(), 1);
            assert_eq!(ids(&claimed), ["m1"]);
            queue.acknowledge(&claimed).unwrap();
        }
        assert!(claim(queue).is_empty());
    });
}

#[test]
fn two_claimers_share_the_work_and_never_a_message() {
    on_each(|door, queue| {
        let wanted: Vec<(String, String)> =
            (0..200).map(|n| (format!("m{n:03}"), format!("s{:02}", n % 20))).collect();
        let messages: Vec<(&str, &str)> =
            wanted.iter().map(|(id, subject)| (id.as_str(), subject.as_str())).collect();
        assert!(send(queue, &messages).iter().all(|outcome| *outcome == Outcome::Sent));
        let taken_by_all = AtomicUsize::new(0);
        let takes: Vec<Vec<(String, String)>> = std::thread::scope(|scope| {
            let claimers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let queue = door.open();
                        let mut taken = Vec::new();
                        while taken_by_all.load(Ordering::Relaxed) < wanted.len() {
                            let claimed = queue.claim(&back(), 7).unwrap();
                            taken_by_all.fetch_add(claimed.len(), Ordering::Relaxed);
                            taken.extend(
                                claimed.iter().map(|one| (one.subject.clone(), one.message_id.clone())),
                            );
                            queue.acknowledge(&claimed).unwrap();
                        }
                        taken
                    })
                })
                .collect();
            claimers.into_iter().map(|claimer| claimer.join().unwrap()).collect()
        });
        let mut all: Vec<&String> = takes.iter().flatten().map(|(_, id)| id).collect();
        all.sort();
        let mut expected: Vec<&String> = wanted.iter().map(|(id, _)| id).collect();
        expected.sort();
        assert_eq!(all, expected, "each message went to one of the two, once");
        for taken in &takes {
            let mut by_subject: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (subject, id) in taken {
                by_subject.entry(subject).or_default().push(id);
            }
            assert!(by_subject.values().all(|ids| ids.is_sorted()), "in order for each subject");
        }
    });
}

#[test]
fn a_queue_that_was_never_declared_takes_nothing() {
    on_each(|_door, queue| {
        let message = BackMessage { message_id: "m1", subject: "a", body: b"x" };
        assert_eq!(queue.send_back("nobody", &[message]).unwrap(), [Outcome::Unroutable]);
        queue.declare(&QueueName::back("nobody")).unwrap();
        assert!(queue.claim(&QueueName::back("nobody"), 9).unwrap().is_empty(), "nothing was kept");
        assert_eq!(queue.send_back("nobody", &[message]).unwrap(), [Outcome::Sent]);
        assert_eq!(claim_all(queue, &QueueName::back("nobody"), 1).len(), 1);
    });
}

#[test]
fn a_big_message_crosses_and_a_bigger_one_is_refused() {
    on_each(|_door, queue| {
        let body: Vec<u8> = (0..MESSAGE_BYTES_MAX).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let big = BackMessage { message_id: "big", subject: "a", body: &body };
        assert_eq!(queue.send_back(STUDY, &[big]).unwrap(), [Outcome::Sent]);
        let claimed = claim_all(queue, &back(), 1);
        assert!(claimed[0].body == body, "the bytes that were sent");
        queue.acknowledge(&claimed).unwrap();

        let body = vec![0; MESSAGE_BYTES_MAX + 1];
        let bigger = BackMessage { message_id: "bigger", subject: "a", body: &body };
        let error = queue.send_back(STUDY, &[bigger]).unwrap_err();
        assert_eq!(error.to_string(), "message `bigger` has 8388609 bytes; at most 8388608 may cross");
        assert!(!error.retryable());
    });
}

#[test]
fn messages_outlive_the_process_that_sent_or_claimed_them() {
    on_each(|door, queue| {
        let sender = door.open();
        send(&sender, &[("m1", "a"), ("m2", "a")]);
        drop(sender);
        let claimer = door.open();
        let claimed = claim_all(&claimer, &back(), 1);
        assert_eq!(ids(&claimed), ["m1"]);
        drop(claimer);
        door.clock.advance_s(LEASE_S);
        let claimed = claim_all(queue, &back(), 1);
        assert_eq!((ids(&claimed), claimed[0].deliveries), (vec!["m1"], 2));
        assert_eq!(queue.acknowledge(&claimed).unwrap(), 1);
        assert_eq!(ids(&claim_all(queue, &back(), 1)), ["m2"]);
    });
}

#[test]
fn more_than_one_window_is_sent_in_order() {
    on_each(|_door, queue| {
        let wanted: Vec<String> = (0..1_200).map(|n| format!("m{n:04}")).collect();
        let messages: Vec<(&str, &str)> = wanted.iter().map(|id| (id.as_str(), "a")).collect();
        assert!(send(queue, &messages).iter().all(|outcome| *outcome == Outcome::Sent));
        let mut seen = Vec::new();
        for _message in 0..50 {
            let claimed = claim_all(queue, &back(), 1);
            seen.extend(ids(&claimed).iter().map(ToString::to_string));
            queue.acknowledge(&claimed).unwrap();
        }
        assert_eq!(seen, wanted[..50]);
    });
}

#[track_caller]
fn refused(url: &str) -> QueueError {
    let (edge, _clock) = support::edge();
    open(url, &edge).err().expect("this does not open")
}

#[test]
fn a_broker_that_is_down_says_so_and_may_be_tried_again() {
    let error = refused("amqp://someone:sesame@127.0.0.1:1/%2f");
    assert!(error.retryable(), "{error:?}");
    let text = format!("{error} {error:?}");
    assert!(text.starts_with("RabbitMQ at `127.0.0.1:1` does not answer: check that it runs"), "{text}");
    assert!(!text.contains("sesame"), "{text}");
}

#[test]
fn an_account_that_is_refused_is_not_tried_again() {
    let Some(broker) = support::rabbitmq() else { return };
    let error = refused(&broker.url.replace("guest:guest", "guest:sesame"));
    assert!(matches!(error, QueueError::Refused { .. }), "{error:?}");
    assert!(!error.retryable() && !format!("{error} {error:?}").contains("sesame"), "{error:?}");
    let error = refused(&broker.url.replace("%2f", "nowhere"));
    assert!(matches!(error, QueueError::Refused { .. } | QueueError::Missing { .. }), "{error:?}");
}

#[test]
fn an_authority_of_the_site_is_trusted_where_it_is_named_and_only_there() {
    let Some((broker, authority)) = support::rabbitmq_over_tls() else { return };
    let (edge, _clock) = support::edge();
    let settings = Settings { url: broker.url.clone(), authority: Some(authority.clone()), lease_s: LEASE_S };
    let queue = Queue::open(&settings, &edge).expect("the named authority vouches for the broker");
    queue.declare(&back()).unwrap();
    assert_eq!(send(&queue, &[("m1", "a")]), [Outcome::Sent]);
    assert_eq!(ids(&claim_all(&queue, &back(), 1)), ["m1"]);

    let error = refused(&broker.url);
    assert!(matches!(error, QueueError::Unreachable { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("guest"), "{error:?}");

    let missing = authority.with_file_name("missing.pem");
    let settings = Settings { url: broker.url.clone(), authority: Some(missing.clone()), lease_s: LEASE_S };
    let error = Queue::open(&settings, &edge).err().expect("there is no such file");
    assert!(error.to_string().contains(&missing.display().to_string()), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = support::folder();
    let missing = folder.path().join("missing");
    let error = refused(&format!("sqlite:{}", missing.join("queue.db").display()));
    assert!(error.to_string().contains(&missing.display().to_string()), "{error}");
    assert!(!error.retryable());
    std::fs::write(folder.path().join("queue.db"), "this is no database, and is longer than a header is")
        .unwrap();
    let error = refused(&format!("sqlite:{}", folder.path().join("queue.db").display()));
    assert!(matches!(error, QueueError::Open { .. }), "{error:?}");
    for url in ["", "queue.db", "sqlite:", "http://127.0.0.1/", "amqp//x"] {
        assert!(matches!(refused(url), QueueError::Url), "{url}");
    }
}

#[test]
fn many_may_create_the_embedded_queue_at_once() {
    let broker = support::embedded();
    std::thread::scope(|scope| {
        let openers: Vec<_> = (0..8)
            .map(|n| {
                let url = &broker.url;
                scope.spawn(move || {
                    let (edge, _clock) = support::edge();
                    let queue = open(url, &edge).expect("opens");
                    queue.declare(&back()).expect("declares");
                    send(&queue, &[(&format!("m{n}"), "a")])
                })
            })
            .collect();
        for opener in openers {
            assert_eq!(opener.join().unwrap(), [Outcome::Sent]);
        }
    });
}

#[test]
fn an_acknowledged_body_is_gone_from_the_file() {
    let folder = support::folder();
    let file = folder.path().join("queue.db");
    let (edge, _clock) = support::edge();
    let queue = open(&format!("sqlite:{}", file.display()), &edge).unwrap();
    queue.declare(&back()).unwrap();
    let marker = "a body that nobody else has, long enough to stand out";
    queue
        .send_back(STUDY, &[BackMessage { message_id: "m", subject: "a", body: marker.as_bytes() }])
        .unwrap();
    let holds = |file: &PathBuf| {
        std::fs::read(file).unwrap().windows(marker.len()).any(|window| window == marker.as_bytes())
    };
    let wal = folder.path().join("queue.db-wal");
    assert!(holds(&file) || holds(&wal), "the search finds what is there");
    queue.acknowledge(&claim_all(&queue, &back(), 1)).unwrap();
    drop(queue);
    assert!(!holds(&file));
    assert!(!wal.exists(), "the last to leave folds the log into the file");
}
