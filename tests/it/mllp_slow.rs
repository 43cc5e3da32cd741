//! Senders who begin a message and never end it, at a real listener: they hold nobody up, and are let
//! go after a bound.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use wayleave::base::limit::MLLP_FRAME_WAIT_S;

use crate::mllp::{Line, drained, message, msa, port, site};
use crate::support::databases;

/// Senders that are slow, and one connection more that may be open.
const SLOW: usize = 7;

#[test]
fn who_sends_half_a_message_holds_nobody_up_and_is_let_go() {
    std::thread::scope(|scope| {
        for database in databases() {
            scope.spawn(|| {
                let site = site(database, &format!("connections_max = {}", SLOW + 1));
                let service = site.serve(&["mllp", "worker"]);
                let address = port(&service);
                let (begun, let_go) = (AtomicUsize::new(0), AtomicUsize::new(0));
                let is_over = AtomicBool::new(false);
                std::thread::scope(|scope| {
                    for n in 0..SLOW {
                        let (begun, let_go, is_over) = (&begun, &let_go, &is_over);
                        scope.spawn(move || {
                            let mut line = Line::to(address);
                            let whole = message(&format!("S{n}"), "T0", "Slow", "");
                            line.put(b"\x0b").unwrap();
                            begun.fetch_add(1, Ordering::SeqCst);
                            // Byte after byte, so that the connection never rests, and never the end.
                            for byte in whole.iter().cycle() {
                                if is_over.load(Ordering::SeqCst) || line.put(&[*byte]).is_err() {
                                    break;
                                }
                                std::thread::sleep(Duration::from_millis(250));
                            }
                            // Nothing was taken of it, so nothing is answered.
                            assert!(line.answer().is_err());
                            let_go.fetch_add(1, Ordering::SeqCst);
                        });
                    }
                    let until = Instant::now() + Duration::from_secs(10 * MLLP_FRAME_WAIT_S);
                    while begun.load(Ordering::SeqCst) < SLOW {
                        assert!(Instant::now() < until, "the slow ones connect");
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    // On the connection that is left, others are answered all the while.
                    let mut line = Line::to(address);
                    let mut sent = 0;
                    while let_go.load(Ordering::SeqCst) < SLOW {
                        let id = format!("Q{sent}");
                        let answer = line.send(&message(&id, &format!("T{sent}"), "Quick", ""));
                        assert_eq!(msa(&answer), ("AA".to_owned(), id));
                        sent += 1;
                        std::thread::sleep(Duration::from_millis(100));
                        is_over.store(Instant::now() > until, Ordering::SeqCst);
                    }
                    assert!(!is_over.load(Ordering::SeqCst), "the slow ones were never let go");
                    // Their places are free again.
                    let mut others: Vec<Line> = (0..SLOW).map(|_| Line::to(address)).collect();
                    for (n, other) in others.iter_mut().enumerate() {
                        let id = format!("L{n}");
                        let answer = other.send(&message(&id, &format!("U{n}"), "Late", ""));
                        assert_eq!(msa(&answer), ("AA".to_owned(), id));
                    }
                    let (received, accepted, _) = drained(&site);
                    let whole = sent + i64::try_from(SLOW).unwrap();
                    assert_eq!((received, accepted), (whole, whole), "and nothing of the halves");
                });
                drop(service);
            });
        }
    });
}
