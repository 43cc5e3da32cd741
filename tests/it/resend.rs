//! A queue that an administrator deletes loses what was sent and not collected. What nobody
//! acknowledged is sent again, by itself after the declared time or by command, and has its effect once.

use std::path::Path;

use wayleave::base::limit::RESEND_HOURS;
use wayleave::config::Config;
use wayleave::gateway::health::{self, Shape};
use wayleave::gateway::release::job::Job;
use wayleave::gateway::release::resend::Resend;
use wayleave::queue::{BackMessage, Outcome, QueueName};
use wayleave::record::kind::Kind;

use crate::contract_queue::settle;
use crate::dump;
use crate::rabbit;
use crate::same::{AFTER_RELEASE, Rows};
use crate::story::{self, Story, signer};
use crate::support::grid;
use crate::zone::{STUDY, Servers, Zone};

/// Deletes the study's queue with all that lies in it; of the embedded queue, its files.
fn delete_queue(zone: &Zone) {
    if zone.broker.is_rabbitmq() {
        assert!(rabbit::delete_queue(&zone.broker, STUDY) > 0, "something lay in it");
        return;
    }
    let file = zone.broker.url.strip_prefix("sqlite://").unwrap();
    for end in ["", "-wal", "-shm"] {
        let file = format!("{file}{end}");
        if Path::new(&file).exists() {
            std::fs::remove_file(file).unwrap();
        }
    }
}

fn rows(zone: &Zone) -> Rows {
    Rows::of(&dump::dump(&zone.evaluation.url), &AFTER_RELEASE)
}

fn unacknowledged(zone: &Zone) -> i64 {
    let status = zone.must(&["study", "status", STUDY, "--json"]);
    serde_json::from_str::<serde_json::Value>(&status).unwrap()["unacknowledged"].as_i64().unwrap()
}

fn check(servers: Servers) {
    let Some(before) = Zone::new(servers, 30) else { return };
    before.must(&["sync"]);
    let undisturbed = before.twin();
    undisturbed.must(&["study", "release", STUDY]);
    before.take_keys_of(&undisturbed);
    undisturbed.must(&["collect"]);
    let expected = rows(&undisturbed);
    assert!(unacknowledged(&undisturbed) > 0, "the answers were not read yet");
    undisturbed.must(&["study", "release", STUDY]);
    assert_eq!(unacknowledged(&undisturbed), 0, "all that was collected is acknowledged");

    let zone = before.twin();
    zone.must(&["study", "release", STUDY]);
    delete_queue(&zone);
    zone.must(&["collect"]);
    let sent = unacknowledged(&zone);
    assert!(sent > 100, "{sent}");
    // Not before its time, and not while nobody asks.
    let told = zone.must(&["study", "release", STUDY]);
    assert!(!told.contains("resent"), "{told}");
    let told = zone.must(&["study", "release", STUDY, "--resend"]);
    assert!(told.contains(&format!("resent    {sent} messages")), "{told}");
    // Sent twice before anybody collects: once in effect.
    zone.must(&["study", "release", STUDY, "--resend"]);
    zone.must(&["collect"]);
    if let Some(difference) = expected.difference(&rows(&zone)) {
        panic!("{servers:?}: the evaluation databases differ\n{difference}");
    }
    let told = zone.must(&["study", "release", STUDY, "--resend"]);
    assert!(!told.contains("resent"), "all of it is acknowledged: {told}");
    assert_eq!(unacknowledged(&zone), 0);
    for zone in [before, undisturbed, zone] {
        zone.remove();
    }
}

#[test]
fn what_a_deleted_queue_lost_is_sent_again_on_sqlite_and_the_embedded_queue() {
    check(Servers::ALL[0]);
}

#[test]
fn what_a_deleted_queue_lost_is_sent_again_on_sqlite_and_rabbitmq() {
    check(Servers::ALL[1]);
}

#[test]
fn what_a_deleted_queue_lost_is_sent_again_on_postgres_and_the_embedded_queue() {
    check(Servers::ALL[2]);
}

#[test]
fn what_a_deleted_queue_lost_is_sent_again_on_postgres_and_rabbitmq() {
    check(Servers::ALL[3]);
}

/// The ids of messages that are out; they are taken off the queue, and nobody acknowledges them.
fn lost(story: &Story) -> Vec<String> {
    let ids = |message: &serde_json::Value| message["id"].as_str().unwrap().to_owned();
    story.out().iter().map(ids).collect()
}

fn tell_taken(story: &Story, ids: &[String]) {
    let (message_id, body) = signer().taken(ids);
    let back = BackMessage { message_id: &message_id, subject: &message_id, body: &body };
    story.queue.declare(&QueueName::back(STUDY)).unwrap();
    assert_eq!(story.queue.send_back(STUDY, &[back]).unwrap(), [Outcome::Sent]);
    let waits = || story.queue.counts(&QueueName::back(STUDY)).unwrap().waiting > 0;
    settle(waits);
}

fn collector(story: &Story) -> Option<String> {
    let mut config = Config::default();
    config.study.insert(STUDY.to_owned(), wayleave::config::Study::default());
    let health = health::look(&story.gateway, &config);
    let check = health.checks.into_iter().find(|check| check.name == "collector")?;
    assert_eq!(check.shape, Shape::Warning);
    Some(check.told)
}

#[test]
fn what_nobody_acknowledged_is_sent_again_after_the_declared_time() {
    for (database, broker) in grid() {
        let story = Story::new(&database, &broker);
        let ann = story.subject(
            "housing",
            "nhs_number=9995899604 family_name=Ann given_name=Ann birth_date=1963-02-05 tracker_ref=T1",
        );
        story.consent(&ann, "given", "2024-05-01");
        story.record("housing", &ann, Kind::Star, "1", "edition=RS3 completed_on=2021-01-01 work=5");
        let bea = story.subject(
            "housing",
            "nhs_number=9990000018 family_name=Bea given_name=Bea birth_date=1971-03-06 tracker_ref=T2",
        );
        story.consent(&bea, "given", "2024-05-01");
        story.record("housing", &bea, Kind::Star, "1", "edition=RS3 completed_on=2021-01-02 work=6");
        story.release();
        let first = lost(&story);
        assert!(first.len() > 4, "{first:?}");
        assert_eq!(collector(&story), None);

        // Within the time it may be that nobody has collected yet.
        story.clock.advance_s(RESEND_HOURS * 3_600 - 60);
        assert_eq!((story.release().resent, lost(&story)), (0, Vec::new()));
        story.clock.advance_s(120);
        let told = collector(&story).unwrap();
        assert!(told.contains("--resend") && told.contains("collect"), "{told}");
        // One of them came through after all.
        tell_taken(&story, &first[..1]);
        let never = Job { resend: Resend::After { hours: 0 }, ..story.job() };
        assert_eq!(never.run(&|_| {}).unwrap().resent, 0);
        let report = story.release();
        let again = lost(&story);
        let without_end = |ids: &[String]| {
            let mut ids = ids.to_vec();
            ids.sort();
            ids
        };
        assert_eq!(
            usize::try_from(report.resent).unwrap() + 1,
            again.len(),
            "and that the release is closed"
        );
        assert_eq!(again.len(), first.len() - 1);
        let (mut same, mut before) = (without_end(&again), without_end(&first[1..]));
        // The message that closes the release proves its place in a log that has grown.
        same.retain(|id| first.contains(id));
        before.retain(|id| again.contains(id));
        assert_eq!(same, before);
        assert!(same.len() + 1 >= again.len(), "the same messages, under the same ids");
        assert_eq!(collector(&story), None, "their time begins anew");

        // Of whom nothing may be told any more nothing is sent again, and the notice is.
        story.consent(&bea, "withdrawn", "2024-06-01");
        story.clock.advance_s(RESEND_HOURS * 3_600 + 60);
        let report = story.release();
        let out = story.out();
        let of = |kind: &str| -> Vec<&serde_json::Value> {
            out.iter().filter(|message| story::kind(message).starts_with(kind)).collect()
        };
        assert_eq!(of("withdrawn").len(), 1, "{out:?}");
        let whose = of("withdrawn")[0]["subject"].clone();
        assert!(!of("record").is_empty(), "{out:?}");
        assert!(of("record").iter().all(|record| record["subject"] != whose), "{out:?}");
        assert!(report.resent > 0);
        if broker.is_rabbitmq() {
            rabbit::remove(&broker, STUDY);
        }
    }
}
