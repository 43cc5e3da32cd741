//! The machine's clock and randomness: the one place where either is read.

use std::sync::Arc;

use crate::base::edge::{Clock, Edge, Entropy, Instant};

struct MachineClock;

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the clock")]
    fn now(&self) -> Instant {
        Instant::from_unix_ms(jiff::Timestamp::now().as_millisecond())
    }
}

struct MachineEntropy;

impl Entropy for MachineEntropy {
    #[expect(clippy::expect_used, reason = "a machine without randomness must not make keys")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives randomness");
    }
}

/// The machine's own time and randomness.
#[must_use]
pub fn machine() -> Edge {
    Edge { clock: Arc::new(MachineClock), entropy: Arc::new(MachineEntropy) }
}
