//! What the gate makes, this side reads: through each queue, into each database, to an extract.

use std::collections::BTreeMap;

use wayleave::base::edge::Instant;
use wayleave::base::id::{NoticeId, PersonId, RecordId, ReleaseId};
use wayleave::base::limit::LEASE_S;
use wayleave::base::private::{Grant, Release};
use wayleave::base::seal::StudyKey;
use wayleave::consent::decide::{Proof, When};
use wayleave::consent::directive::{Answer, Decided, Directive, Scope};
use wayleave::evaluation::collect::answer::Signer;
use wayleave::evaluation::collect::{Inlet, collect};
use wayleave::evaluation::door;
use wayleave::evaluation::extract::build;
use wayleave::evaluation::extract::verify::verify;
use wayleave::evaluation::store::Store;
use wayleave::queue::{Outcome, Queue, QueueName, Settings};
use wayleave::record::draft::Draft;
use wayleave::record::kind::Kind;
use wayleave::release::door::{CheckpointText, Closing, Column, DoorMessage, EntryText, MappingUsed, Table};
use wayleave::release::gate::{About, Asking, Gate, Gone, Standing};
use wayleave::release::protocol::Protocol;
use wayleave::release::scan::Own;
use wayleave::release::treat::Around;

use crate::contract_queue;
use crate::evaluation_messages::{Log, STUDY};
use crate::support;

fn person(n: u128) -> PersonId {
    PersonId::from_bits(n)
}

fn proof(of: PersonId) -> Proof {
    let directive = Directive {
        record: RecordId::from_bits(1),
        version: 1,
        study: STUDY.to_owned(),
        form: Some("PI-CF".to_owned()),
        form_version: Some("2".to_owned()),
        decided: Decided::Given,
        decided_on: "2020-01-01".parse().unwrap(),
        valid_to: None,
        answers: [Answer::Yes; 4],
        is_checked: true,
        entered_at: Instant::from_unix_ms(0),
        is_absent: false,
    };
    let when = When { at: "2025-03-31".parse().unwrap(), known_at: Instant::from_unix_ms(1) };
    Proof::take(of, false, &[directive], STUDY, when).unwrap()
}

fn star(gate: &Gate<'_>, of: u128, record: u128, work: i64, sequence: u64) -> DoorMessage {
    let mut draft = Draft::empty();
    draft.set("edition", Draft::Text("RS3".to_owned()));
    draft.set("completed_on", Draft::Text("2021-02-03".to_owned()));
    draft.set("work", Draft::Number(work.into()));
    let grant = Grant::<Release>::begin("test");
    let own = Own::of([], &grant);
    let around = Around { start: "2020-01-01".parse().ok(), setting: &|_name| None };
    let about = About { own: &own, is_restricted: false, around };
    let asking = Asking {
        person: person(of),
        record: RecordId::from_bits(record),
        version: 1,
        kind: Kind::Star,
        source: "housing",
        draft: &draft,
    };
    let made = gate.record(&proof(person(of)), &asking, &about, sequence, &grant);
    let _receipt = grant.close();
    made.unwrap_or_else(|withheld| panic!("{withheld:?}")).message
}

fn closing() -> Closing {
    let log = Log::new();
    let cut_off: Instant = "2025-03-31T12:00:00.000Z".parse().unwrap();
    Closing {
        cut_off,
        cut_off_day: cut_off.london_day(),
        mappings: vec![MappingUsed { name: "housing/tracker".to_owned(), version: 1, hash: "0".repeat(64) }],
        counts: [("record".to_owned(), 3)].into(),
        totals: [("people".to_owned(), 1), ("star".to_owned(), 2), ("setting".to_owned(), 1)].into(),
        withheld: BTreeMap::new(),
        linkage: [("subjects".to_owned(), 3)].into(),
        checkpoint: CheckpointText {
            origin: log.origin,
            size: log.size,
            root: log.root,
            signature: log.signature,
            key: log.key,
        },
        entry: EntryText { index: log.index, leaf: log.leaf },
        proof: log.proof,
    }
}

/// One of everything: person 1 keeps two stars, one of them from person 3, who is the same
/// person; person 2 withdraws.
fn messages(gate: &Gate<'_>) -> Vec<DoorMessage> {
    let mut home = Draft::empty();
    home.set("name", Draft::Text("Canary House".to_owned()));
    home.set("kind", Draft::Text("care-home".to_owned()));
    let grant = Grant::<Release>::begin("test");
    let setting = gate.setting(RecordId::from_bits(9), 1, &home, 1, &grant);
    let _receipt = grant.close();
    let withdrawn_on = "2024-05-01".parse().unwrap();
    let notice = NoticeId::from_bits(5);
    let table = Table {
        name: "savings".to_owned(),
        title: "Savings".to_owned(),
        description: "All 35 people.".to_owned(),
        columns: vec![Column { name: "weekly".to_owned(), holds: "number", label: "A week".to_owned() }],
        rows: vec![serde_json::json!({"weekly": 12.5}).as_object().unwrap().clone()],
    };
    let gone = Standing::Record(RecordId::from_bits(24));
    vec![
        star(gate, 1, 21, 5, 1),
        star(gate, 1, 24, 6, 2),
        star(gate, 2, 22, 6, 1),
        star(gate, 3, 23, 7, 1),
        setting.unwrap_or_else(|withheld| panic!("{withheld:?}")).message,
        gate.retracted(person(1), Kind::Star, &gone, Gone::Corrected, 3),
        gate.superseded(person(3), person(1), 2),
        gate.withdrawn(person(2), notice, Scope::NoFurtherUse, withdrawn_on, 2),
        gate.aggregate(table, 1),
        gate.closed(closing()),
    ]
}

#[test]
fn what_the_gate_makes_this_side_reads() {
    let protocol = Protocol::shipped(STUDY).unwrap();
    let key = StudyKey::from_bytes([3; 32]);
    let gate = Gate::new(&protocol, &key, "test", ReleaseId::from_bits(1), 1);
    for message in messages(&gate) {
        let read = door::read(&message.to_bytes()).unwrap_or_else(|finding| panic!("{finding}"));
        assert_eq!(
            (read.message_id.as_str(), read.subject.as_str()),
            (message.message_id(), message.subject())
        );
        assert_eq!(read.message.kind().as_str(), message.kind().as_str());
    }
    let kinds = |all: &[door::DoorKind]| all.iter().map(|kind| kind.as_str()).collect::<Vec<_>>();
    let made: Vec<&str> = wayleave::release::door::DoorKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(kinds(door::DoorKind::ALL), made);
}

#[test]
fn through_each_queue_into_each_database_to_the_same_extract() {
    let protocol = Protocol::shipped(STUDY).unwrap();
    let key = StudyKey::from_bytes([3; 32]);
    let gate = Gate::new(&protocol, &key, "test", ReleaseId::from_bits(1), 1);
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::from_seed(&[7; 32]);
    let mut sums = Vec::new();
    for (database, broker) in support::grid() {
        let (edge, _clock) = support::edge();
        let settings = Settings { url: broker.url.clone(), authority: None, lease_s: LEASE_S };
        let sender = Queue::open(&settings, &edge).unwrap();
        // The evaluation side may come first: it makes both ways.
        let mut inlet = Inlet::open(&settings, STUDY, &edge).unwrap();
        let outcomes = sender.publish(&messages(&gate)).unwrap();
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Sent), "{outcomes:?}");
        let mut store = Store::open(&database.url).unwrap();
        let collected = collect(&mut store, &mut inlet, &signer, STUDY, &mut |_| true).unwrap();
        assert_eq!((collected.received, collected.refused, collected.answered), (10, 0, 1));
        assert_eq!(inlet.held().unwrap(), 0);

        let mut back = Vec::new();
        for _look in 0..240 {
            back.extend(sender.claim(&QueueName::back(STUDY), 10).unwrap());
            if back.iter().any(|one: &wayleave::queue::Delivery| one.subject.starts_with("ntc_")) {
                break;
            }
            contract_queue::pause(&back);
        }
        // What was taken may be told in any order; of the notice, one answer at a time.
        let text = |one: &wayleave::queue::Delivery| String::from_utf8_lossy(&one.body).into_owned();
        let (taken, of_notice): (Vec<_>, Vec<_>) =
            back.iter().partition(|one| text(one).contains("\"taken\""));
        assert!(!taken.is_empty());
        assert!(!of_notice.is_empty(), "{} answers that name messages", taken.len());
        let of_notice = of_notice[0];
        assert_eq!(of_notice.subject, NoticeId::from_bits(5).to_string());
        assert!(text(of_notice).contains("\"acknowledged\""));

        let place = folder.path().join(format!("extract {}", sums.len()));
        let built = build(&mut store, STUDY, None, folder.path(), Some(&place)).unwrap();
        assert_eq!(built.people, 1);
        let (_, findings) = verify(&place, None).unwrap();
        assert!(findings.is_empty(), "{:?}", findings.kept());
        sums.push(std::fs::read_to_string(place.join("SHA256SUMS")).unwrap());
    }
    assert!(sums.iter().all(|sum| *sum == sums[0]));
}
