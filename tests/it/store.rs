//! The store core, over SQLite and, where `WAYLEAVE_TEST_POSTGRES` names a server, PostgreSQL.

use wayleave::store::run::{self, Run};
use wayleave::store::work::{self, Step};
use wayleave::store::{Migrated, Store, StoreError, audit, batch, meta, record, subject, version};

use crate::support::{Database, databases};

fn on_every_database(test: impl Fn(&Database)) {
    databases().iter().for_each(test);
}

fn a_batch(id: &str) -> batch::Batch {
    batch::Batch {
        id: id.to_owned(),
        source: "council".to_owned(),
        feed: "cld".to_owned(),
        content_hash: vec![1; 32],
        name_sealed: vec![2; 40],
        size_bytes: 5,
        wrapped_key: Some(vec![3; 40]),
        received_at: "2025-03-31T09:00:00.000Z".to_owned(),
        rows_expected: None,
    }
}

fn a_run(id: &str, batch_id: &str) -> Run {
    Run {
        id: id.to_owned(),
        batch_id: batch_id.to_owned(),
        source: "council".to_owned(),
        feed: "cld".to_owned(),
        mapping_hash: vec![4; 32],
        state: "processing".to_owned(),
        started_at: "2025-03-31T09:00:00.000Z".to_owned(),
        finished_at: None,
        position: 0,
        received: 0,
        rejected: 0,
        quarantined: 0,
        duplicate: 0,
        filtered: 0,
        accepted: 0,
        unchanged: 0,
        records_new: 0,
        records_changed: 0,
        records_absent: 0,
        findings_note: 0,
        findings_warning: 0,
        findings_error: 0,
        linked: 0,
        released: 0,
        known_mark: 0,
        note: String::new(),
    }
}

#[test]
fn a_database_is_made_once_and_stays() {
    on_every_database(|database| {
        let store = Store::open(&database.url).unwrap();
        assert_eq!(store.migrated().unwrap(), Migrated::Empty);
        store.migrate().unwrap();
        assert_eq!(store.migrated().unwrap(), Migrated::Current);
        store.migrate().unwrap();
        store.write(|tx| meta::set(tx, "a", "1")).unwrap();
        store.write(|tx| meta::set(tx, "a", "2")).unwrap();
        let again = Store::open_existing(&database.url).unwrap();
        assert_eq!(again.read(|tx| meta::number(tx, "a")).unwrap(), 2);
    });
}

#[test]
fn a_run_that_does_not_balance_is_not_done() {
    on_every_database(|database| {
        let store = Store::open_or_create(&database.url).unwrap();
        let unbalanced = Run { position: 3, received: 3, accepted: 2, ..a_run("run_1", "bat_1") };
        store
            .write(|tx| {
                batch::create(tx, &a_batch("bat_1"))?;
                run::create(tx, &unbalanced)
            })
            .unwrap();
        let finished = store.write(|tx| run::finish(tx, "run_1", "2025-03-31T10:00:00.000Z"));
        assert!(matches!(finished, Err(StoreError::Unbalanced { received: 3, accounted: 2, .. })));
        let still = store.read(|tx| run::find(tx, "run_1")).unwrap();
        assert_eq!(still.state, "processing");
        assert_eq!(store.read(run::list_open).unwrap().len(), 1);
    });
}

#[test]
fn rows_are_written_many_at_a_time_and_read_back() {
    on_every_database(|database| {
        let store = Store::open_or_create(&database.url).unwrap();
        let n = 2_500_u32;
        let key = |n: u32| {
            let mut key = vec![0; 28];
            key.extend(n.to_be_bytes());
            key
        };
        let subjects: Vec<_> = (0..n)
            .map(|n| subject::SubjectRow {
                id: format!("sub_{n}"),
                source: "council".to_owned(),
                key_hash: key(n),
                wrapped_key: None,
                person_id: None,
                is_known: n % 2 == 0,
                created_at: "2025-03-31T09:00:00.000Z".to_owned(),
            })
            .collect();
        let heads: Vec<_> = (0..n)
            .map(|n| record::RecordRow {
                id: format!("rec_{n}"),
                subject_id: Some(format!("sub_{n}")),
                source: "council".to_owned(),
                feed: "cld".to_owned(),
                kind: "person".to_owned(),
                key_hash: key(n),
                current_number: 1,
                last_number: 1,
                current_hash: key(n),
                current_source_time: None,
                current_arrived_at: "2025-03-31T09:00:00.000Z".to_owned(),
                current_unit: 1,
                current_feed: "cld".to_owned(),
                absent_since: None,
                last_run: "run_1".to_owned(),
            })
            .collect();
        let versions: Vec<_> = (0..n)
            .map(|n| version::VersionRow {
                record_id: format!("rec_{n}"),
                number: 1,
                hash: key(n),
                source_time: None,
                arrived_at: "2025-03-31T09:00:00.000Z".to_owned(),
                batch_id: "bat_1".to_owned(),
                feed: "cld".to_owned(),
                unit: 1,
                sheet: None,
                line: Some(2),
                path: None,
                mapping_hash: vec![4; 32],
                body: "{}".to_owned(),
                identity: Some(vec![1, 2]),
            })
            .collect();
        let keys: Vec<_> =
            (0..n).filter_map(|n| wayleave::base::seal::KeyedHash::from_slice(&key(n))).collect();
        store
            .write(|tx| {
                batch::create(tx, &a_batch("bat_1"))?;
                subject::create(tx, &subjects)?;
                record::put(tx, &heads)?;
                version::append(tx, &versions)
            })
            .unwrap();
        store
            .write(|tx| {
                assert_eq!(subject::find_by_keys(tx, "council", &keys)?.len(), 2_500);
                assert_eq!(record::find_by_keys(tx, "council", "person", &keys)?.len(), 2_500);
                assert_eq!(record::list_current(tx, &["sub_7".to_owned()])?.len(), 1);
                let moved = record::RecordRow { current_number: 2, ..heads[7].clone() };
                record::put(tx, std::slice::from_ref(&moved))?;
                assert_eq!(record::find_by_keys(tx, "council", "person", &keys[7..8])?, [moved]);
                let some = ["sub_1".to_owned(), "sub_2".to_owned()];
                work::push(tx, Step::Link, &some, "run_1", "2025-03-31T09:00:00.000Z")?;
                work::push(tx, Step::Link, &some, "run_2", "2025-03-31T09:00:00.000Z")?;
                assert_eq!(work::claim(tx, Step::Link, 10)?.len(), 2);
                work::done(tx, Step::Link, &some)?;
                assert_eq!(work::count(tx, Step::Link)?, 0);
                assert_eq!(subject::count(tx)?, (2_500, 1_250));
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}

#[test]
fn two_writers_at_once_lose_nothing() {
    on_every_database(|database| {
        let store = Store::open_or_create(&database.url).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        store
                            .write(|tx| {
                                let n = meta::number(tx, "n")?;
                                meta::set(tx, "n", &(n + 1).to_string())
                            })
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(store.read(|tx| meta::number(tx, "n")).unwrap(), 100);
    });
}

#[test]
fn the_audit_is_a_chain() {
    on_every_database(|database| {
        let store = Store::open_or_create(&database.url).unwrap();
        let at = wayleave::base::edge::Instant::from_unix_ms(0);
        for n in 0..3 {
            store.write(|tx| audit::append_act(tx, "cli:test", "test", "none", "x", n, at)).unwrap();
        }
        let entries = store.read(|tx| audit::list_after(tx, 0, 10)).unwrap();
        assert_eq!(entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2, 3]);
        for pair in entries.windows(2) {
            assert_eq!(pair[1].previous_hash, pair[0].hash);
            assert_eq!(pair[1].hash, pair[1].expected_hash());
        }
    });
}
