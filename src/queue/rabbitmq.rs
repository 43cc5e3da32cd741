//! RabbitMQ under the contract of [`queue`](crate::queue).
//!
//! Layout, where `P` is the prefix of the URL:
//!
//! - `P.door`, a durable topic exchange. What it cannot route goes to `P.unroutable`, its
//!   alternate exchange, and waits in the queue of that name.
//! - `P.study.S` and `P.back.S`, a quorum queue each, with a delivery limit and one active
//!   consumer, so that order holds for each subject however many collectors run.
//! - `P.dead`, the dead-letter exchange, and a quorum queue `….dead` for each of the above.
//!
//! The library's own recovery is off. After a break the connection is opened anew, a broker that
//! is being restarted is waited for, and what was not confirmed counts as not sent.

mod connect;
mod consume;
mod publish;
mod topology;

use std::future::Future;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::base::edge::Edge;
use crate::base::limit::{BREAKS_MAX, BROKER_WAIT_S, KNOCK_WAIT_S, RETURN_WAIT_S};
use crate::queue::{Counts, DeadLetter, Delivery, Outcome, Outgoing, QueueError, Settings};
use connect::{Live, Site};
use consume::Lease;

pub(super) struct RabbitMq {
    site: Site,
    edge: Edge,
    lease_s: i64,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
    state: Mutex<State>,
}

/// What stands while a connection does.
#[derive(Default)]
struct State {
    live: Option<Live>,
    /// How many connections there were: a delivery of an earlier one can no longer be answered.
    connections: u64,
    /// Whether the broker ever answered.
    has_answered: bool,
}

impl RabbitMq {
    pub(super) fn open(settings: &Settings, edge: &Edge) -> Result<Self, QueueError> {
        let site = Site::read(settings)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("rabbitmq")
            .enable_all()
            .build()
            .map_err(|source| site.unreachable(source))?;
        let rabbitmq = Self {
            site,
            edge: edge.clone(),
            lease_s: settings.lease_s,
            runtime: Some(runtime),
            state: Mutex::new(State::default()),
        };
        rabbitmq.with(async |_site, _live| Ok(()))?;
        Ok(rabbitmq)
    }

    pub(super) fn prefix(&self) -> &str {
        &self.site.prefix
    }

    pub(super) fn declare(&self, name: &str) -> Result<(), QueueError> {
        self.with(async |site, live| live.declare(site, name).await)
    }

    pub(super) fn send(&self, messages: &[Outgoing<'_>]) -> Result<Vec<Outcome>, QueueError> {
        // Its own time limit stands in the window.
        self.with_patience(None, async |site, live| live.send(site, messages).await)
    }

    pub(super) fn claim(&self, name: &str, count_max: usize) -> Result<Vec<Delivery>, QueueError> {
        let now = || Lease { now: self.edge.now(), seconds: self.lease_s };
        self.with(async |site, live| live.claim(site, name, count_max, &now).await)
    }

    pub(super) fn acknowledge(&self, deliveries: &[Delivery]) -> Result<usize, QueueError> {
        self.with(async |site, live| live.acknowledge(site, deliveries).await)
    }

    pub(super) fn give_back(&self, deliveries: &[Delivery]) -> Result<usize, QueueError> {
        self.with(async |site, live| live.give_back(site, deliveries).await)
    }

    pub(super) fn counts(&self, name: &str) -> Result<Counts, QueueError> {
        self.with(async |site, live| live.counts(site, name).await)
    }

    pub(super) fn list_dead(&self, name: &str, count_max: usize) -> Result<Vec<DeadLetter>, QueueError> {
        self.with(async |site, live| live.list_dead(site, name, count_max).await)
    }

    pub(super) fn revive(&self, name: &str) -> Result<u64, QueueError> {
        self.with_patience(None, async |site, live| live.revive(site, name).await)
    }

    fn with<T>(
        &self,
        work: impl AsyncFn(&Site, &mut Live) -> Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        self.with_patience(Some(BROKER_PATIENCE), work)
    }

    /// Works over the connection, which is opened where there is none. After an error it is given
    /// up; where it broke, the same is tried again over a new one. All that is done here may be
    /// done twice: what was claimed before the break is delivered again by the broker.
    fn with_patience<T>(
        &self,
        patience: Option<Duration>,
        work: impl AsyncFn(&Site, &mut Live) -> Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        let Some(runtime) = &self.runtime else { return Err(QueueError::Poisoned) };
        let mut state = self.lock()?;
        runtime.block_on(async {
            let mut breaks = 0;
            loop {
                let mut live = self.live(&mut state).await?;
                let result = match patience {
                    Some(patience) => bounded(&self.site, patience, work(&self.site, &mut live)).await,
                    None => work(&self.site, &mut live).await,
                };
                if result.is_ok() && live.is_open() {
                    state.live = Some(live);
                }
                match result {
                    Err(error) if error.retryable() && breaks < BREAKS_MAX => {
                        breaks += 1;
                        tracing::debug!(
                            queue.host = self.site.host(),
                            "the connection broke, opening another"
                        );
                    }
                    done => return done,
                }
            }
        })
    }

    /// The open connection, or a new one. One that was there before is waited for longer: the
    /// broker is perhaps being restarted.
    async fn live(&self, state: &mut State) -> Result<Live, QueueError> {
        match state.live.take() {
            Some(live) if live.is_open() => Ok(live),
            _ => {
                state.connections = state.connections.saturating_add(1);
                let opening = Live::open(&self.site, state.connections, state.has_answered);
                let live = bounded(&self.site, Duration::from_secs(RETURN_WAIT_S), opening).await?;
                state.has_answered = true;
                Ok(live)
            }
        }
    }

    fn lock(&self) -> Result<MutexGuard<'_, State>, QueueError> {
        self.state.lock().map_err(|_poisoned| QueueError::Poisoned)
    }
}

/// Whether anything answers at the broker's address.
pub(super) fn knock(url: &str) -> Result<(), QueueError> {
    let settings = Settings { url: url.to_owned(), authority: None, lease_s: 1 };
    let site = Site::read(&settings)?;
    let addresses = site.host().to_socket_addrs().map_err(|source| site.unreachable(source))?;
    let mut last = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, Duration::from_secs(KNOCK_WAIT_S)) {
            Ok(_open) => return Ok(()),
            Err(error) => last = Some(error),
        }
    }
    let nobody = || std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    Err(site.unreachable(last.unwrap_or_else(nobody)))
}

/// How long one answer of the broker is waited for.
const BROKER_PATIENCE: Duration = Duration::from_secs(BROKER_WAIT_S);

async fn bounded<T>(
    site: &Site,
    patience: Duration,
    work: impl Future<Output = Result<T, QueueError>>,
) -> Result<T, QueueError> {
    match tokio::time::timeout(patience, work).await {
        Ok(result) => result,
        Err(elapsed) => Err(site.unreachable(elapsed)),
    }
}

impl Drop for RabbitMq {
    /// Closes in good order, so that acknowledgements still on their way arrive.
    fn drop(&mut self) {
        let live = self.state.get_mut().ok().and_then(|state| state.live.take());
        if let Some(runtime) = self.runtime.take() {
            if let Some(live) = live {
                let closing = live.close();
                // On a thread of its own, since the caller's may belong to another runtime.
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        runtime.block_on(async {
                            let _closed = tokio::time::timeout(BROKER_PATIENCE, closing).await;
                        });
                    });
                });
            }
            runtime.shutdown_background();
        }
    }
}
