//! What the services tell about themselves: logs a line each, and figures for Prometheus. Neither
//! holds a value of anybody: only ids of ours, codes, names of sources, and counts.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// One request, for counting.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The route, as it is written in the code; never a path as it was sent.
    pub route: String,
    /// The method.
    pub method: String,
    /// The status.
    pub status: u16,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SourceLabels {
    /// Its name.
    pub source: String,
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

/// The figures of one process.
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
            group_requests,
            deliveries_waiting: Gauge::default(),
            waiting_seconds: Gauge::default(),
            units: Family::default(),
            worker_failures: Counter::default(),
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
        registry.register("events_kept", "Events kept", self.events_kept.clone());
        registry.register(
            "requests_again",
            "Requests that had been kept before",
            self.requests_again.clone(),
        );
        registry.register("problems", "Problems told to clients", self.problems.clone());
        registry.register("group_requests", "Requests kept by one transaction", self.group_requests.clone());
        registry.register(
            "deliveries_waiting",
            "Requests that wait to be read",
            self.deliveries_waiting.clone(),
        );
        registry.register_with_unit(
            "deliveries_waiting_oldest",
            "How long the oldest waiting request has waited",
            Unit::Seconds,
            self.waiting_seconds.clone(),
        );
        registry.register("units", "Units processed, by outcome", self.units.clone());
        registry.register(
            "worker_failures",
            "Rounds of the worker that failed",
            self.worker_failures.clone(),
        );
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

/// Starts the log of a service on standard error, a JSON object a line. `WAYLEAVE_LOG` sets how
/// much, as `info` (the default) or `wayleave=debug`.
pub fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("WAYLEAVE_LOG")
        .unwrap_or_else(|_unset| tracing_subscriber::EnvFilter::new("info"));
    // These would log whole messages, and the broker's password, whatever level is asked for.
    let filter = ["lapin=off", "amq_protocol=off", "amq_protocol_types=off", "actix_http=info", "mio=info"]
        .iter()
        .filter_map(|quiet| quiet.parse().ok())
        .fold(filter, tracing_subscriber::EnvFilter::add_directive);
    let log = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start, in a test, keeps the first.
    let _started = log.try_init();
}
