//! Collecting: at least once in, once in effect, whatever the order.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use proptest::prelude::*;
use serde_json::{Value, json};
use wayleave::base::finding::Code;
use wayleave::evaluation::collect::answer::Signer;
use wayleave::evaluation::collect::{Collected, collect};
use wayleave::evaluation::store::Store;

use crate::evaluation_messages::{
    ListDoor, STUDY, pseudonym, record, record_name, release_closed, release_id, retracted, setting,
    superseded, withdrawn,
};

fn memory() -> Store {
    Store::open("sqlite:file::memory:").unwrap()
}

fn signer() -> Signer {
    Signer::from_seed(&[7; 32])
}

fn run(store: &mut Store, door: &mut ListDoor) -> Collected {
    collect(store, door, &signer(), STUDY, &mut |_| true).unwrap()
}

/// What stands, as text: people with their records, then settings.
fn standing(store: &mut Store) -> Vec<String> {
    let mut door = ListDoor::of([release_closed(json!({"people": 0}))]);
    run(store, &mut door);
    let snapshot = store.snapshot(STUDY, &release_id(1)).unwrap().unwrap();
    let records = snapshot.records.iter().flat_map(|(kind, rows)| {
        rows.iter().map(move |row| format!("{} {kind} {} {}", row.pseudonym, row.name, row.fields))
    });
    let settings = snapshot.settings.iter().map(|row| format!("setting {} {}", row.name, row.fields));
    records.chain(settings).collect()
}

fn star(who: u32, name: u32, at: (i64, i64), work: i64) -> Value {
    let fields = json!({"completed_on": "2024-01-01", "work": work});
    record(&pseudonym(who), &record_name(name), "star", at, "2024-01-01", fields)
}

#[test]
fn the_later_message_stands_in_whatever_order_they_come() {
    let messages = [star(1, 1, (0, 1), 3), star(1, 2, (0, 2), 4), star(1, 1, (0, 3), 5)];
    let mut store = memory();
    let mut door = ListDoor::of(messages.iter().rev().cloned());
    let collected = run(&mut store, &mut door);
    assert_eq!((collected.received, collected.fresh["record"], collected.repeated), (3, 3, 0));
    assert_eq!(standing(&mut store).len(), 2);
    assert!(standing(&mut store)[0].contains("\"work\":5"), "{:?}", standing(&mut store));
    let collected = run(&mut store, &mut ListDoor::of(messages));
    assert_eq!((collected.fresh.len(), collected.repeated), (0, 3));
}

#[test]
fn a_restored_gateway_ranks_above_its_earlier_life() {
    let mut store = memory();
    run(&mut store, &mut ListDoor::of([star(1, 1, (1, 1), 9), star(1, 1, (0, 50), 2)]));
    assert!(standing(&mut store)[0].contains("\"work\":9"));
}

#[test]
fn a_withdrawal_removes_answers_and_is_never_undone_by_what_comes_late() {
    let mut store = memory();
    let (who, late) = (pseudonym(1), star(1, 9, (0, 2), 4));
    run(&mut store, &mut ListDoor::of([star(1, 1, (0, 1), 3), star(2, 2, (0, 1), 3)]));
    let withdrawal = withdrawn(&who, 5, "no-further-use", "2024-06-01", (0, 3));
    let mut door = ListDoor::of([withdrawal]);
    let collected = run(&mut store, &mut door);
    assert_eq!((collected.removed, collected.answered), (1, 1));
    // An older message that comes late, and one of a restored gateway that has forgotten.
    run(&mut store, &mut ListDoor::of([late, star(1, 1, (1, 1), 3)]));
    assert_eq!(standing(&mut store).len(), 1);
    // A new consent after the withdrawal counts.
    let anew = record(&who, &record_name(3), "goal", (0, 4), "2024-06-02", json!({"area": "work"}));
    run(&mut store, &mut ListDoor::of([anew]));
    assert_eq!(standing(&mut store).len(), 2);

    let key: Vec<u8> =
        (0..32).map(|n| u8::from_str_radix(&signer().public_key()[2 * n..2 * n + 2], 16).unwrap()).collect();
    let key = VerifyingKey::from_bytes(key.as_slice().try_into().unwrap()).unwrap();
    let schema: Value =
        serde_json::from_str(include_str!("../../schemas/door/acknowledgement.json")).unwrap();
    let kinds: Vec<String> = door
        .answers
        .iter()
        .map(|(_, body)| {
            assert!(jsonschema::is_valid(&schema, &Value::Object(body.clone())));
            let (notice, kind) = (body["notice"].as_str().unwrap(), body["kind"].as_str().unwrap());
            let hex = body["signature"].as_str().unwrap();
            let bytes: Vec<u8> =
                (0..64).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect();
            let signed = format!("wayleave/acknowledgement/v1\n{notice}\n{kind}");
            key.verify(signed.as_bytes(), &Signature::from_slice(&bytes).unwrap()).unwrap();
            kind.to_owned()
        })
        .collect();
    assert_eq!(kinds, ["acknowledged", "removed"]);
    // What was taken is told too, what came before included, by the gateway's own ids.
    let mut named = Vec::new();
    for (_, body) in &door.taken {
        assert!(jsonschema::is_valid(&schema, &Value::Object(body.clone())));
        let ids: Vec<&str> =
            body["messages"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        let hex = body["signature"].as_str().unwrap();
        let bytes: Vec<u8> =
            (0..64).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect();
        let signed = format!("wayleave/acknowledgement/v1\n{}\ntaken", ids.join(","));
        key.verify(signed.as_bytes(), &Signature::from_slice(&bytes).unwrap()).unwrap();
        named.extend(ids.into_iter().map(str::to_owned));
    }
    assert!(!named.is_empty());
    let mut mixed = door.taken[0].1.clone();
    mixed.insert("notice".to_owned(), door.answers[0].1["notice"].clone());
    assert!(!jsonschema::is_valid(&schema, &Value::Object(mixed)), "one or the other");
}

#[test]
fn a_softer_withdrawal_is_acknowledged_and_removes_nothing() {
    let mut store = memory();
    let withdrawal = withdrawn(&pseudonym(1), 5, "no-new-data", "2024-06-01", (0, 2));
    let mut door = ListDoor::of([star(1, 1, (0, 1), 3), withdrawal]);
    assert_eq!(run(&mut store, &mut door).removed, 0);
    assert_eq!(door.answers.len(), 1);
    assert_eq!(standing(&mut store).len(), 1);
}

#[test]
fn a_replaced_pseudonym_gives_up_its_records() {
    let mut store = memory();
    let moved = superseded(&pseudonym(1), &pseudonym(2), (0, 5));
    // The same record under both: the one sent under the standing pseudonym counts.
    let messages = [moved, star(1, 1, (0, 1), 3), star(1, 2, (0, 2), 4), star(2, 2, (0, 1), 8)];
    run(&mut store, &mut ListDoor::of(messages));
    let stands = standing(&mut store);
    assert_eq!(stands.len(), 2, "{stands:?}");
    assert!(stands.iter().all(|line| line.starts_with(&pseudonym(2))));
    assert!(stands[1].contains("\"work\":8"));
    // Its person withdraws: what moved goes as well.
    let withdrawal = withdrawn(&pseudonym(2), 6, "no-further-use", "2024-06-01", (0, 9));
    assert_eq!(run(&mut store, &mut ListDoor::of([withdrawal])).removed, 3);
    assert_eq!(standing(&mut store).len(), 0);
}

#[test]
fn two_who_prove_to_be_one_have_one_person_record() {
    let mut store = memory();
    let who = |n: u32, name: u32, sex: &str| {
        record(&pseudonym(n), &record_name(name), "person", (0, 1), "2024-01-01", json!({"sex": sex}))
    };
    let moved = superseded(&pseudonym(1), &pseudonym(2), (0, 5));
    run(&mut store, &mut ListDoor::of([who(1, 1, "male"), moved]));
    assert_eq!(standing(&mut store).len(), 1);
    run(&mut store, &mut ListDoor::of([who(2, 2, "female")]));
    let stands = standing(&mut store);
    assert_eq!(stands.len(), 1, "{stands:?}");
    assert!(stands[0].contains("\"female\""));
}

#[test]
fn a_killed_collector_is_given_the_same_messages_again() {
    let mut store = memory();
    let withdrawal = withdrawn(&pseudonym(2), 6, "no-further-use", "2024-06-01", (0, 9));
    let mut door = ListDoor::of([star(1, 1, (0, 1), 3), star(2, 1, (0, 1), 3), withdrawal]);
    door.failures = 1;
    let error = collect(&mut store, &mut door, &signer(), STUDY, &mut |_| true).unwrap_err();
    assert!(error.retryable());
    assert!(door.answers.is_empty());
    door.redeliver();
    let collected = run(&mut store, &mut door);
    assert_eq!((collected.repeated, collected.fresh.len(), collected.answered), (3, 0, 1));
    assert_eq!(standing(&mut store).len(), 1);
}

#[test]
fn what_does_not_fit_becomes_a_dead_letter_and_nothing_of_it_is_told() {
    fn check(body: Vec<u8>, code: Code, place: &str) {
        let mut store = memory();
        let mut door = ListDoor::default();
        door.raw.push_back(body);
        door.waiting.push_back(star(1, 1, (0, 1), 3));
        let collected = run(&mut store, &mut door);
        assert_eq!((collected.refused, collected.fresh["record"]), (1, 1));
        let finding = &collected.findings.kept()[0];
        assert_eq!(finding.code, code);
        assert!(finding.expected.contains(place), "{}", finding.expected);
        let refused = store.list_refused(STUDY).unwrap();
        for told in [&finding.to_string(), &refused[0].expected] {
            assert!(!told.to_lowercase().contains("canary"), "{told}");
        }
        assert_eq!(door.dead.len(), 1);
        assert_eq!(refused[0].message_id.len(), 32);
        assert!(door.claimed.is_empty());
    }
    let bytes = |message: &Value| serde_json::to_vec(message).unwrap();
    check(b"canary".to_vec(), Code::DoorInvalid, "JSON");
    check(br#"{"type":"canary"}"#.to_vec(), Code::DoorUnknown, "type");
    let mut extra = star(1, 2, (0, 1), 3);
    extra["data"]["canary"] = json!("Canary");
    check(bytes(&extra), Code::DoorInvalid, "schemas/door/record.json");
    let mut sequence = star(1, 2, (0, 1), 3);
    sequence["data"]["sequence"] = json!("Canary");
    check(bytes(&sequence), Code::DoorInvalid, "/properties/data/properties/sequence/type");
    let mut day = star(1, 2, (0, 1), 3);
    day["data"]["consent"]["decided_on"] = json!("2024-02-31");
    check(bytes(&day), Code::DoorInvalid, "calendar");
    let mut subject = setting(&record_name(1), (0, 1), json!({}));
    subject["subject"] = json!(record_name(2));
    check(bytes(&subject), Code::DoorInvalid, "subject");
    let mut other = star(1, 2, (0, 1), 3);
    other["data"]["study"] = json!("canary");
    check(bytes(&other), Code::DoorMisdirected, "study");
}

#[test]
fn nothing_of_a_withdrawn_person_is_left_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evaluation side.db");
    let mut store = Store::open(&format!("sqlite:{}", file.display())).unwrap();
    let who = pseudonym(1);
    let canary = record(&who, &record_name(1), "goal", (0, 1), "2024-01-01", json!({"area": "canaryvalue"}));
    run(&mut store, &mut ListDoor::of([canary]));
    let holds = || {
        std::fs::read_dir(folder.path()).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(11).any(|window| window == b"canaryvalue")
        })
    };
    assert!(holds());
    run(&mut store, &mut ListDoor::of([withdrawn(&who, 1, "no-further-use", "2024-06-01", (0, 2))]));
    assert!(!holds());
}

/// What may happen to one person.
fn event() -> impl Strategy<Value = (u32, i64, u32, u8, i64)> {
    // Who, incarnation, which record, what, and a value or month.
    (0..4_u32, 0..2_i64, 0..3_u32, 0..10_u8, 1..9_i64)
}

fn stream(events: &[(u32, i64, u32, u8, i64)]) -> Vec<Value> {
    let mut messages = Vec::new();
    let mut replaced = [false; 4];
    for (index, (who, incarnation, which, what, value)) in events.iter().enumerate() {
        let at = (*incarnation, i64::try_from(index).unwrap() + 1);
        let (from, name) = (pseudonym(*who), record_name(*which));
        let day = format!("2024-0{value}-01");
        messages.push(match what {
            0..=4 => record(&from, &name, "star", at, &day, json!({"work": value})),
            5..=6 => retracted(&from, &name, "star", at),
            7 => {
                let scope = if value % 2 == 0 { "no-further-use" } else { "no-new-data" };
                withdrawn(&from, u32::try_from(index).unwrap(), scope, &day, at)
            }
            8 if !replaced[usize::try_from(*who).unwrap()] => {
                replaced[usize::try_from(*who).unwrap()] = true;
                superseded(&from, &pseudonym((who + 1 + which) % 4), at)
            }
            _ => setting(&name, at, json!({"beds": value})),
        });
    }
    messages
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_order_and_any_repetition_end_in_the_same_state(
        events in proptest::collection::vec(event(), 1..24),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
        parts in 1..6_usize,
    ) {
        let messages = stream(&events);
        let mut straight = memory();
        run(&mut straight, &mut ListDoor::of(messages.clone()));

        let mut shuffled = messages.clone();
        for index in &order {
            let message = index.get(&messages).clone();
            let place = index.index(shuffled.len());
            shuffled.insert(place, message);
            let other = shuffled.len() - 1 - place;
            shuffled.swap(place, other);
        }
        let mut crooked = memory();
        for part in shuffled.chunks(shuffled.len().div_ceil(parts)) {
            run(&mut crooked, &mut ListDoor::of(part.iter().cloned()));
        }
        prop_assert_eq!(standing(&mut straight), standing(&mut crooked));
    }
}
