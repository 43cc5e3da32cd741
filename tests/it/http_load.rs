//! Many senders at once, honest and otherwise; kills in mid-load; requests that mean harm.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use wayleave::store::Store;
use wayleave::store::{run, unit_outcome};

use crate::service::{
    Answer, Client, NEXT_SECRET, SECRET, Service, Site, goal, now_s, on_every_database, signed,
};

const EVENTS: &str = "/v1/sources/housing/events";

/// How many send at once.
const SENDERS: u64 = 20;

fn is_thorough() -> bool {
    std::env::var("WAYLEAVE_THOROUGH").is_ok_and(|value| value == "1")
}

/// A draw that is the same in every run.
fn draw(seed: &mut u64) -> u64 {
    // Steele, Lea and Flood's SplitMix64.
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn post(client: &mut Client, secret: &str, id: &str, at_s: i64, body: &[u8]) -> std::io::Result<Answer> {
    let headers = signed(secret, id, at_s, body);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    client.try_send("POST", EVENTS, &headers, body)
}

fn receipt(answer: &Answer) -> String {
    answer.json()["receipt"].as_str().unwrap().to_owned()
}

/// Waits until nothing waits any more.
fn drained(service: &Service) {
    let until = Instant::now() + Duration::from_mins(5);
    loop {
        let waiting = service.connect().send("GET", "/health/ready", &[], b"").json();
        if waiting["deliveries_waiting"] == 0 {
            return;
        }
        assert!(Instant::now() < until, "{waiting}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Outcomes of every unit that was posted, and that every run balances.
fn outcomes(site: &Site) -> BTreeMap<String, usize> {
    let store = Store::open_existing(&site.database.url).unwrap();
    let runs = store.read(|tx| run::list_last(tx, 100_000)).unwrap();
    let mut outcomes = BTreeMap::new();
    for run in runs.iter().filter(|run| run.note.is_empty()) {
        assert_eq!((run.state.as_str(), run.received), ("finished", run.accounted()), "{run:?}");
        let units = store.read(|tx| unit_outcome::list(tx, &run.batch_id, 1..i64::MAX)).unwrap();
        assert_eq!(i64::try_from(units.len()).unwrap(), run.received);
        for unit in units {
            *outcomes.entry(unit.outcome).or_insert(0) += 1;
        }
    }
    outcomes
}

#[test]
fn of_many_senders_the_right_events_come_in_once() {
    on_every_database(|site| {
        let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
        let rate = "events = \"events\"\nrequests_per_s = 100000\nrequests_burst = 100000";
        site.configure(&config.replace("events = \"events\"", rate));
        let service = site.serve(&[]);
        let events: u64 = if is_thorough() { 100_000 } else { 5_000 };
        let refused = Mutex::new(BTreeMap::<String, u64>::new());
        let receipts = Mutex::new(BTreeSet::new());
        std::thread::scope(|scope| {
            for sender in 0..SENDERS {
                let (address, refused, receipts) = (service.address, &refused, &receipts);
                scope.spawn(move || {
                    let mut seed = 0x5eed + sender;
                    let mut client = Client::to(address);
                    // In an order of its own, and each sent once, twice or three times.
                    let mut mine: Vec<u64> = (0..events / SENDERS).collect();
                    for at in (1..mine.len()).rev() {
                        let other = usize::try_from(draw(&mut seed) % (at as u64 + 1)).unwrap();
                        mine.swap(at, other);
                    }
                    let count = |answer: &Answer, problem: &str| {
                        assert_eq!(answer.problem(), problem, "{answer:?}");
                        *refused.lock().unwrap().entry(problem.to_owned()).or_insert(0) += 1;
                    };
                    for n in mine {
                        let id = format!("evt-{sender}-{n}");
                        let body = goal(&id, &format!("H-{sender}-{}", n % 50), &id, "in-progress");
                        let body = body.as_bytes();
                        let kind = draw(&mut seed) % 20;
                        if kind == 0 {
                            let wrong = post(&mut client, NEXT_SECRET, &id, now_s(), body).unwrap();
                            count(&wrong, "bad-signature");
                        }
                        if kind == 1 {
                            let late = post(&mut client, SECRET, &id, now_s() - 400, body).unwrap();
                            count(&late, "stale-timestamp");
                            let early = post(&mut client, SECRET, &id, now_s() + 400, body).unwrap();
                            count(&early, "stale-timestamp");
                        }
                        if kind == 2 {
                            let broken = post(&mut client, SECRET, &format!("{id}x"), now_s(), b"{").unwrap();
                            count(&broken, "malformed");
                        }
                        let skew = i64::try_from(draw(&mut seed) % 400).unwrap() - 200;
                        let kept = post(&mut client, SECRET, &id, now_s() + skew, body).unwrap();
                        assert_eq!(kept.status, 202, "{kept:?}");
                        let first = receipt(&kept);
                        for _ in 0..(kind % 3) {
                            let again = post(&mut client, SECRET, &id, now_s(), body).unwrap();
                            assert_eq!((again.status, receipt(&again)), (202, first.clone()));
                        }
                        if kind == 3 {
                            let other = post(&mut client, SECRET, &id, now_s(), b"{}").unwrap();
                            count(&other, "id-reused");
                        }
                        assert!(receipts.lock().unwrap().insert(first), "a receipt of its own");
                    }
                });
            }
        });
        assert_eq!(receipts.lock().unwrap().len() as u64, events);
        let refused = refused.into_inner().unwrap();
        assert_eq!(refused.len(), 4, "{refused:?}");
        drained(&service);
        service.stop();
        assert_eq!(
            outcomes(site),
            BTreeMap::from([("accepted".to_owned(), usize::try_from(events).unwrap())])
        );
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_is_there_once() {
    on_every_database(|site| {
        let kills = if is_thorough() { 20 } else { 4 };
        let acknowledged = Mutex::new(BTreeMap::new());
        let mut sent = 0;
        for round in 0..kills {
            let service = site.serve(&[]);
            let address = service.address;
            std::thread::scope(|scope| {
                for sender in 0..8 {
                    let acknowledged = &acknowledged;
                    scope.spawn(move || {
                        let mut client = Client::to(address);
                        for n in 0..100_000_u64 {
                            let id = format!("evt-{round}-{sender}-{n}");
                            let body = goal(&id, &format!("H-{sender}"), &id, "completed");
                            match post(&mut client, SECRET, &id, now_s(), body.as_bytes()) {
                                Ok(kept) if kept.status == 202 => {
                                    acknowledged.lock().unwrap().insert(id, (receipt(&kept), body));
                                }
                                Ok(slow) if slow.status == 429 || slow.status == 503 => {}
                                Ok(other) => panic!("{other:?}"),
                                Err(_gone) => return,
                            }
                        }
                    });
                }
                let until = Instant::now() + Duration::from_mins(5);
                while acknowledged.lock().unwrap().len() < sent + 100 {
                    assert!(Instant::now() < until, "events are taken");
                    std::thread::sleep(Duration::from_millis(10));
                }
                // Killed while they send, each time at another moment of the worker's round.
                std::thread::sleep(Duration::from_millis(170 * round));
                service.kill();
            });
            sent = acknowledged.lock().unwrap().len();
        }
        let service = site.serve(&[]);
        let mut client = service.connect();
        let acknowledged = acknowledged.into_inner().unwrap();
        // Sent again, each has the receipt it had.
        for (id, (first, body)) in acknowledged.iter().step_by(37) {
            let again = post(&mut client, SECRET, id, now_s(), body.as_bytes()).unwrap();
            assert_eq!(&receipt(&again), first);
        }
        drained(&service);
        for (first, _) in acknowledged.values().step_by(11) {
            assert_eq!(client.processed(first)["units"][0]["outcome"], "accepted");
        }
        service.stop();
        let outcomes = outcomes(site);
        // A few more may have been committed that nobody was told of; none came in twice.
        assert_eq!(outcomes.keys().collect::<Vec<_>>(), ["accepted"], "{outcomes:?}");
        assert!(outcomes["accepted"] >= acknowledged.len(), "{outcomes:?} of {}", acknowledged.len());
        let store = Store::open_existing(&site.database.url).unwrap();
        let goals: i64 =
            store.read(wayleave::store::record::count_by_kind).unwrap().iter().map(|(_, n)| n).sum();
        assert_eq!(usize::try_from(goals).unwrap(), outcomes["accepted"]);
    });
}

#[test]
fn slow_and_broken_requests_leave_the_service_answering_others() {
    let site = Site::new(crate::support::sqlite(), "");
    let service = site.serve(&["web"]);
    // Heads that never end, bodies that never come, and words that are no HTTP.
    let mut held = Vec::new();
    for n in 0..200 {
        let mut client = service.connect();
        let sent: &[u8] = match n % 4 {
            0 => b"POST /v1/sources/housing/events HTTP/1.1\r\nhost: x\r\nx-slow: ",
            1 => b"POST /v1/sources/housing/events HTTP/1.1\r\nhost: x\r\nwebhook-id: a\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,x\r\ncontent-length: 1000\r\n\r\n{",
            2 => b"POST /v1/sources/housing/events HTTP/1.1\r\nhost: x\r\nwebhook-id: a\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
            _ => b"\x16\x03\x01 what is this\r\n\r\n",
        };
        let _sent = client.send_raw(sent);
        held.push(client);
    }
    let body = goal("1", "H-1", "G-1", "in-progress");
    for n in 0..50 {
        let answer = service.connect().post_signed(EVENTS, &format!("evt-{n}"), body.as_bytes());
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    // A head that does not end is given up; a body that does not come is answered, and given up.
    let mut given_up = 0;
    for (n, client) in held.iter_mut().enumerate() {
        match client.answer() {
            Ok(answer) if n % 4 == 0 || n % 4 == 1 || n % 4 == 2 => {
                assert_eq!(answer.status, 408, "{n}: {answer:?}");
                given_up += 1;
            }
            Ok(answer) => assert_eq!(answer.status, 400, "{n}: {answer:?}"),
            Err(_closed) => given_up += 1,
        }
    }
    assert!(given_up >= 150, "{given_up}");
    // More than a body may have, by its length or bit by bit; a lie about it; headers without end.
    let headers = "POST /v1/sources/housing/events HTTP/1.1\r\nhost: x\r\nwebhook-id: a\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,x\r\n";
    let mut client = service.connect();
    client.send_raw(format!("{headers}content-length: 99999999999\r\n\r\n").as_bytes()).unwrap();
    assert_eq!(client.answer().unwrap().status, 413);
    let mut client = service.connect();
    client.send_raw(format!("{headers}transfer-encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..40 {
        if client.send_raw(chunk.as_bytes()).is_err() {
            break;
        }
    }
    assert!(client.answer().is_ok_and(|answer| answer.status == 413) || client.answer().is_err());
    let mut client = service.connect();
    let many = format!("{headers}{}\r\n", "x: y\r\n".repeat(5_000));
    let _sent = client.send_raw(many.as_bytes());
    assert!(client.answer().map_or(true, |answer| answer.status >= 400));
    assert_eq!(service.connect().post_signed(EVENTS, "evt-last", body.as_bytes()).status, 202);
    assert_eq!(service.connect().send("GET", "/health/ready", &[], b"").json()["deliveries_waiting"], 51);
}
