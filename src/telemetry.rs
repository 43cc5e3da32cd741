//! What the services tell about themselves: logs a line each, and figures for Prometheus. Neither
//! holds a value of anybody: only ids of ours, codes, names of sources, and counts.

mod mllp;
mod post;

use std::io::Write as _;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tracing::Level;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

pub use mllp::{AnswerLabels, FeedLabels, GivenUpLabels, MllpFigures};
pub use post::PostFigures;

/// One request, for counting.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The route, as it is written in the code; never a path as it was sent.
    pub route: String,
    /// The method by name; `other` for one that HTTP does not know.
    pub method: &'static str,
    /// The status.
    pub status: u16,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SourceLabels {
    /// Its name.
    pub source: String,
}

/// A role of the service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RoleLabels {
    /// Its name.
    pub role: &'static str,
}

/// A kind of problem that a client was told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ProblemLabels {
    /// Its name.
    pub kind: String,
}

/// Units of a feed by what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct UnitLabels {
    /// The feed, as `housing/events`.
    pub feed: String,
    /// The outcome.
    pub outcome: String,
}

/// A slot of the schedule by what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SlotLabels {
    /// The feed, as `council/cld`.
    pub feed: String,
    /// done, failed, tried-again, passed-over.
    pub outcome: String,
}

/// A check of the health page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CheckLabels {
    /// Its name.
    pub check: String,
}

/// The figures of one process. Each is named `wayleave_<thing>_<unit>`, with `_total` behind it where
/// it only rises; a test holds all of them to that.
pub struct Figures {
    registry: Registry,
    /// Requests answered.
    pub requests: Family<RequestLabels, Counter>,
    /// How long they took, in seconds.
    pub request_seconds: Histogram,
    /// Events kept.
    pub events_kept: Family<SourceLabels, Counter>,
    /// Requests that had been kept before.
    pub requests_again: Family<SourceLabels, Counter>,
    /// Problems told.
    pub problems: Family<ProblemLabels, Counter>,
    /// Requests kept by one transaction.
    pub group_requests: Histogram,
    /// Requests that wait to be read.
    pub deliveries_waiting: Gauge,
    /// For how long the oldest of them has waited.
    pub waiting_seconds: Gauge<f64, AtomicU64>,
    /// Units processed.
    pub units: Family<UnitLabels, Counter>,
    /// Rounds of the worker that failed.
    pub worker_failures: Counter,
    /// Times that a fault of the program stopped a role.
    pub role_failures: Family<RoleLabels, Counter>,
    /// Slots by what became of them.
    pub schedule_slots: Family<SlotLabels, Counter>,
    /// Rounds of the schedule that failed.
    pub schedule_failures: Counter,
    /// Units that are set aside.
    pub quarantined: Gauge,
    /// Runs whose last step is not done.
    pub open_runs: Gauge,
    /// Messages that wait to be released.
    pub unsent: Gauge,
    /// How long ago a worker last ended a round.
    pub round_age_seconds: Gauge<f64, AtomicU64>,
    /// Room left where the database lies.
    pub disk_free_bytes: Gauge,
    /// Checks of the health page that do not say all is well.
    pub failing_checks: Family<CheckLabels, Gauge>,
    /// Of the listeners for HL7 v2 messages.
    pub mllp: MllpFigures,
    /// Of what goes and comes by MESH, and goes by MLLP.
    pub post: PostFigures,
    /// Alerts that are open.
    pub schedule_alerts: Gauge,
}

impl Default for Figures {
    fn default() -> Self {
        Self::new()
    }
}

impl Figures {
    /// Figures that all stand at nought.
    #[must_use]
    pub fn new() -> Self {
        // From half a millisecond to sixteen seconds.
        let request_seconds = Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let group_requests = Histogram::new(exponential_buckets(1.0, 2.0, 10));
        let mut figures = Self {
            registry: Registry::with_prefix("wayleave"),
            requests: Family::default(),
            request_seconds,
            events_kept: Family::default(),
            requests_again: Family::default(),
            problems: Family::default(),
            role_failures: Family::default(),
            group_requests,
            deliveries_waiting: Gauge::default(),
            waiting_seconds: Gauge::default(),
            units: Family::default(),
            worker_failures: Counter::default(),
            schedule_slots: Family::default(),
            schedule_failures: Counter::default(),
            quarantined: Gauge::default(),
            open_runs: Gauge::default(),
            unsent: Gauge::default(),
            round_age_seconds: Gauge::default(),
            disk_free_bytes: Gauge::default(),
            failing_checks: Family::default(),
            mllp: MllpFigures::default(),
            post: PostFigures::default(),
            schedule_alerts: Gauge::default(),
        };
        figures.register();
        figures
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register_with_unit(
            "http_request",
            "How long requests took",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        registry.register("kept_events", "Events kept", self.events_kept.clone());
        registry.register(
            "repeated_requests",
            "Requests that had been kept before",
            self.requests_again.clone(),
        );
        registry.register("http_problems", "Problems told to clients", self.problems.clone());
        registry.register(
            "role_failures",
            "Times that a fault of the program stopped a role",
            self.role_failures.clone(),
        );
        registry.register("group_requests", "Requests kept by one transaction", self.group_requests.clone());
        registry.register(
            "waiting_deliveries",
            "Requests that wait to be read",
            self.deliveries_waiting.clone(),
        );
        registry.register_with_unit(
            "waiting_oldest",
            "How long the oldest waiting request has waited",
            Unit::Seconds,
            self.waiting_seconds.clone(),
        );
        registry.register("processed_units", "Units processed, by outcome", self.units.clone());
        registry.register("quarantined_units", "Units set aside and open", self.quarantined.clone());
        registry.register("open_runs", "Runs whose last step is not done", self.open_runs.clone());
        registry.register("unsent_messages", "Messages for evaluators that wait", self.unsent.clone());
        registry.register_with_unit(
            "worker_round_age",
            "How long ago a worker last ended a round",
            Unit::Seconds,
            self.round_age_seconds.clone(),
        );
        registry.register_with_unit(
            "disk_free",
            "Room left where the operational database lies",
            Unit::Bytes,
            self.disk_free_bytes.clone(),
        );
        registry.register(
            "failing_checks",
            "Checks of the health page that fail, by name",
            self.failing_checks.clone(),
        );
        registry.register(
            "worker_failures",
            "Rounds of the worker that failed",
            self.worker_failures.clone(),
        );
        registry.register("schedule_slots", "Slots of the schedule, by outcome", self.schedule_slots.clone());
        registry.register(
            "schedule_failures",
            "Rounds of the schedule that failed",
            self.schedule_failures.clone(),
        );
        self.mllp.register(registry);
        self.post.register(registry);
        registry.register("schedule_alerts", "Alerts that are open", self.schedule_alerts.clone());
    }

    /// The figures as Prometheus reads them.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text does not fail.
        let _written = encode(&mut text, &self.registry);
        text
    }
}

/// Libraries whose log is never let out: they would log whole messages, and the broker's password, even
/// in a warning.
const NEVER_LOGGED: [&str; 2] = ["lapin", "amq_protocol"];

/// What of the log is let out: as `WAYLEAVE_LOG` says, or as is usual. Of libraries no more than their
/// warnings, whatever is asked for: below those they log what is sent, and paths as they were asked for.
pub(crate) fn log_filter(usual: &str) -> impl Filter<tracing_subscriber::Registry> + use<> {
    only_ours(EnvFilter::try_from_env("WAYLEAVE_LOG").unwrap_or_else(|_unset| EnvFilter::new(usual)))
}

fn only_ours(asked: EnvFilter) -> impl Filter<tracing_subscriber::Registry> + use<> {
    asked.and(filter_fn(|of| {
        let is_ours = of.target().split("::").next() == Some("wayleave");
        let is_never = NEVER_LOGGED.iter().any(|never| of.target().starts_with(never));
        is_ours || (*of.level() <= Level::WARN && !is_never)
    }))
}

/// Starts the log of a service on standard error, a JSON object a line. `WAYLEAVE_LOG` sets how
/// much, as `info` (the default) or `wayleave=debug`.
pub fn start_log() {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(std::io::stderr);
    // A second start, in a test, keeps the first.
    let _started = tracing_subscriber::registry().with(lines.with_filter(log_filter("info"))).try_init();
}

/// Has a fault of the program said by its place alone: the words of a panic may quote what was being read.
pub(crate) fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place =
            panic.location().map_or_else(|| "a place that is not known".to_owned(), ToString::to_string);
        // Where nobody can be told there is nothing more to do.
        let _told = writeln!(
            std::io::stderr(),
            "error: a part of the program stopped unexpectedly, at {place}\nhint: run it again; if it happens again, report this place"
        );
    }));
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::{EnvFilter, Layer as _};

    use super::only_ours;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn of_libraries_no_more_than_warnings_is_let_out() {
        let lines = Lines::default();
        let told = lines.clone();
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || told.clone());
        let log = tracing_subscriber::registry().with(layer.with_filter(only_ours(EnvFilter::new("trace"))));
        tracing::subscriber::with_default(log, || {
            tracing::trace!(target: "wayleave::queue", "ours");
            tracing::warn!(target: "hyper::proto", "a warning");
            tracing::info!(target: "hyper::proto", "Canary");
            tracing::debug!(target: "russh::client", "Canary");
            tracing::error!(target: "lapin::channel", "Canary");
            tracing::info!(target: "wayleaves::other", "Canary");
        });
        let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(told.contains("ours") && told.contains("a warning"), "{told}");
        assert!(!told.contains("Canary"), "{told}");
    }
}
