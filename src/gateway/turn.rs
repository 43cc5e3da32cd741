//! Whose turn something is: one process at a time, while it lives. A lease is taken, and another thread
//! renews it as long as the work goes on; whoever dies is followed once it has run out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::base::limit::{TURN_LOOK_MS, TURN_RENEWALS};
use crate::gateway::feed::Feed;
use crate::gateway::{Gateway, GatewayError, gather};
use crate::store::lease;

/// That it is this process's turn, until this is dropped.
pub struct Turn {
    gateway: Gateway,
    name: String,
    holder: String,
    /// Dropped first, which ends the thread.
    over: Option<Sender<()>>,
    renewing: Option<JoinHandle<()>>,
    is_lost: Arc<AtomicBool>,
}

impl Turn {
    /// Takes the turn at something; none where another process has it.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn take(gateway: &Gateway, name: &str, lease_s: i64) -> Result<Option<Self>, GatewayError> {
        let holder = format!("turn-{:016x}", u64::from_be_bytes(gateway.edge.bytes()));
        if !renew(gateway, name, &holder, lease_s)? {
            return Ok(None);
        }
        let (over, is_over) = channel::<()>();
        let pause = Duration::from_millis(lease_s.unsigned_abs() * 1_000 / TURN_RENEWALS);
        let (theirs, what, by) = (gateway.clone(), name.to_owned(), holder.clone());
        let is_lost = Arc::new(AtomicBool::new(false));
        let lost = is_lost.clone();
        let renewing = std::thread::spawn(move || {
            while is_over.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                // A store that does not answer now is asked again, and the work itself meets it too.
                if renew(&theirs, &what, &by, lease_s).is_ok_and(|is_renewed| !is_renewed) {
                    lost.store(true, Ordering::Release);
                }
            }
        });
        let (gateway, name) = (gateway.clone(), name.to_owned());
        Ok(Some(Self { gateway, name, holder, over: Some(over), renewing: Some(renewing), is_lost }))
    }

    /// Whether it still is: a machine that slept for longer than the lease has lost it.
    #[must_use]
    pub fn is_mine(&self) -> bool {
        !self.is_lost.load(Ordering::Acquire)
    }

    /// Takes the turn at reading a feed's files. A sync waits for it, for twice a lease: so long it may
    /// take until one that was killed is followed.
    ///
    /// # Errors
    /// Where another process has it all the time, or the store fails.
    pub fn wait_for(
        gateway: &Gateway,
        feed: &Feed,
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<Self, GatewayError> {
        let turn = Self::wait(gateway, &reading(feed), feed.lease_s, is_stopping)?;
        turn.ok_or_else(|| GatewayError::Elsewhere { what: feed.full_name() })
    }

    /// Takes the turn at going on with a replay that was begun, which is a worker's too; none where
    /// another process is at it all the while.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn wait_for_worker(
        gateway: &Gateway,
        feed: &Feed,
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, GatewayError> {
        Self::wait(gateway, &gather::lease_name(&feed.source, &feed.name), feed.lease_s, is_stopping)
    }

    /// Takes the turn at replaying units of a feed, which no worker goes on with meanwhile; none where a
    /// worker is at the feed.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn of_worker(gateway: &Gateway, feed: &Feed) -> Result<Option<Self>, GatewayError> {
        Self::take(gateway, &gather::lease_name(&feed.source, &feed.name), feed.lease_s)
    }

    fn wait(
        gateway: &Gateway,
        name: &str,
        lease_s: i64,
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, GatewayError> {
        let looks = lease_s.unsigned_abs() * 2_000 / TURN_LOOK_MS;
        for _look in 0..=looks {
            if is_stopping() {
                return Err(GatewayError::Stopping);
            }
            if let Some(turn) = Self::take(gateway, name, lease_s)? {
                return Ok(Some(turn));
            }
            std::thread::sleep(Duration::from_millis(TURN_LOOK_MS));
        }
        Ok(None)
    }

    /// Takes the turn at reading a feed's files, at once.
    ///
    /// # Errors
    /// Where another process has it, or the store fails.
    pub fn at_once(gateway: &Gateway, feed: &Feed) -> Result<Self, GatewayError> {
        let turn = Self::take(gateway, &reading(feed), feed.lease_s)?;
        turn.ok_or_else(|| GatewayError::Elsewhere { what: feed.full_name() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.over = None;
        if let Some(renewing) = self.renewing.take() {
            let _ended = renewing.join();
        }
        // Where the store does not answer, the lease runs out by itself.
        let _given_back = self
            .gateway
            .store
            .write(|tx| Ok::<_, GatewayError>(lease::give_back(tx, &self.name, &self.holder)?));
    }
}

fn reading(feed: &Feed) -> String {
    format!("reading/{}", feed.full_name())
}

fn renew(gateway: &Gateway, name: &str, holder: &str, lease_s: i64) -> Result<bool, GatewayError> {
    gateway.store.write(|tx| Ok(lease::take(tx, name, holder, gateway.edge.now(), lease_s)?))
}
