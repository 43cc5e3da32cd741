//! The watch that goes with the schedule: looks, raises and tells, round after round.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::base::limit::QUEUE_LOOK_S;
use crate::config::{Alert, Config};
use crate::gateway::alert::{self, Kind, Trouble};
use crate::gateway::{Gateway, GatewayError};
use crate::queue::{self, Queue};
use crate::schedule::planned::Planned;
use crate::schedule::tell::{Ways, WaysError};
use crate::schedule::watch;

/// What the watch works with.
#[derive(Default)]
pub struct Watcher {
    /// How it tells.
    pub ways: Ways,
    settings: Alert,
    studies: Vec<String>,
    /// The door; none where nothing was ever sent through it.
    queue: Option<queue::Settings>,
    /// When the door was looked at last.
    looked_ms: AtomicI64,
}

impl Watcher {
    /// The watch of a configuration.
    ///
    /// # Errors
    /// Where a way of telling cannot be used.
    pub fn open(config: &Config) -> Result<Self, WaysError> {
        let authority = Some(&config.gateway.queue_authority).filter(|file| !file.is_empty());
        Ok(Self {
            ways: Ways::open(config)?,
            settings: config.alert.clone(),
            studies: config.study.keys().cloned().collect(),
            queue: Some(queue::Settings {
                url: config.url(&config.gateway.queue),
                authority: authority.map(|file| config.path(file)),
                lease_s: config.limits.lease_s,
            }),
            looked_ms: AtomicI64::new(0),
        })
    }

    /// Looks at everything, and tells what is to be told, the log too.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn round(&self, gateway: &Gateway, planned: &[Planned]) -> Result<(), GatewayError> {
        self.door(gateway)?;
        self.look(gateway, planned)?;
        Ways::tell_log(gateway)
    }

    /// Looks at what the store holds, and tells those who are to be told. Whoever sits at the command
    /// line reads it there, and not in a log.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn look(&self, gateway: &Gateway, planned: &[Planned]) -> Result<(), GatewayError> {
        watch::look(gateway, planned, &self.studies, &self.settings)?;
        self.ways.tell(gateway)
    }

    /// Asks now and then whether the door answers. An embedded one that nobody made yet is no fault.
    fn door(&self, gateway: &Gateway) -> Result<(), GatewayError> {
        let Some(settings) = &self.queue else { return Ok(()) };
        let now = gateway.edge.now();
        let is_recent = now.unix_ms() - self.looked_ms.load(Ordering::Relaxed) < QUEUE_LOOK_S * 1_000;
        let file = settings.url.strip_prefix("sqlite:").map(|file| file.strip_prefix("//").unwrap_or(file));
        if is_recent || file.is_some_and(|file| !std::path::Path::new(file).exists()) {
            return Ok(());
        }
        self.looked_ms.store(now.unix_ms(), Ordering::Relaxed);
        match Queue::open(settings, &gateway.edge) {
            Ok(_answers) => {
                alert::end(gateway, Kind::QueueUnreachable, &|_open| true)?;
            }
            Err(error) => {
                tracing::warn!(error = %error, "the queue does not answer: {error}");
                alert::raise(
                    gateway,
                    &Trouble {
                        kind: Kind::QueueUnreachable,
                        feed: String::new(),
                        about: String::new(),
                        count: 1,
                        text: "the queue to the evaluation side does not answer".to_owned(),
                        to_do: "see whether it runs; `wayleave check` says what is wrong. Nothing is lost: what is to go out waits".to_owned(),
                    },
                )?;
            }
        }
        Ok(())
    }
}
