//! The web of the operational zone: what sources send, and what operators and partners may see.

pub mod api;
pub mod document;
pub mod guard;
pub mod health;
pub mod quarantine;
pub mod receipt;
pub mod sender;
pub mod sign_in;
pub mod upload;
pub mod webhook;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use governor::clock::{Clock as _, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::config::{self, Config, SourceWeb};
use crate::gateway::deliver::Inlet;
use crate::gateway::feed::Feed;
use crate::gateway::keys::{self, KeyError};
use crate::gateway::live_mapping::Lookout;
use crate::gateway::{Gateway, GatewayError, feed, live_mapping};
use crate::telemetry::Figures;
use crate::web::body::Held;
use crate::web::journal::Journal;
use crate::web::problem::{Kind, Problem};

/// What the handlers work with.
pub struct Operational {
    /// The gateway, with the web as its actor.
    pub gateway: Gateway,
    /// The sources that may send, by name.
    pub sources: BTreeMap<String, Source>,
    /// The feeds that take files, as `housing/tracker`.
    pub uploads: BTreeMap<String, Uploads>,
    /// Keeps what they send.
    pub journal: Journal,
    /// Counts what is held meanwhile.
    pub held: Held,
    /// Counts.
    pub figures: Arc<Figures>,
    /// How the web is reached from outside; empty where links are relative.
    pub public_url: String,
    /// The configuration.
    pub config: Arc<Config>,
    /// When to look which mappings are live.
    pub(super) lookout: Lookout,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<std::time::Instant>>;

/// A feed that takes files.
pub struct Uploads {
    /// The feed.
    pub feed: Feed,
    /// Bytes of one file.
    pub bytes_max: u64,
    limiter: Limiter,
}

/// A source that may send.
pub struct Source {
    /// What it may send.
    pub settings: SourceWeb,
    /// The feed its events belong to, as configured.
    feed: Feed,
    /// Where they go; made anew when another mapping is promoted.
    inlet: RwLock<Arc<Inlet>>,
    limiter: Limiter,
}

impl Operational {
    /// What the handlers work with, by a configuration.
    ///
    /// # Errors
    /// Where a feed cannot take events, or the store or a key fails.
    pub fn open(
        gateway: &Gateway,
        config: &Config,
        journal: Journal,
        figures: Arc<Figures>,
    ) -> Result<Self, GatewayError> {
        let (mut sources, mut uploads) = (BTreeMap::new(), BTreeMap::new());
        for (name, source) in &config.source {
            for feed in &source.web.uploads {
                let full_name = format!("{name}/{feed}");
                for feed in feed::feeds(config, Some(&full_name))? {
                    let limiter = Limiter::direct_with_clock(quota(&source.web), MonotonicClock);
                    let bytes_max = source.web.upload_bytes_max;
                    uploads.insert(full_name.clone(), Uploads { feed, bytes_max, limiter });
                }
            }
            if source.web.events.is_empty() {
                continue;
            }
            let full_name = format!("{name}/{}", source.web.events);
            check_secrets(config, source)?;
            for feed in feed::feeds(config, Some(&full_name))? {
                let live = live_mapping::one(gateway, &feed)?;
                let inlet = RwLock::new(Arc::new(Inlet::open(gateway, &live, &source.web.event_id)?));
                let limiter = Limiter::direct_with_clock(quota(&source.web), MonotonicClock);
                sources.insert(name.clone(), Source { settings: source.web.clone(), feed, inlet, limiter });
            }
        }
        Ok(Self {
            gateway: gateway.clone(),
            sources,
            uploads,
            journal,
            held: Held::default(),
            config: Arc::new(config.clone()),
            figures,
            public_url: config.web.public_url.trim_end_matches('/').to_owned(),
            lookout: Lookout::new(gateway),
        })
    }

    /// Reads events through the mappings that are live now.
    ///
    /// # Errors
    /// Where the store fails; events then go on as before.
    pub(super) fn look_at_mappings(&self) -> Result<(), GatewayError> {
        for source in self.sources.values() {
            let live = live_mapping::one(&self.gateway, &source.feed)?;
            if !source.inlet().is_through(&live) {
                let inlet = Arc::new(Inlet::open(&self.gateway, &live, &source.settings.event_id)?);
                *source.inlet.write().unwrap_or_else(PoisonError::into_inner) = inlet;
            }
        }
        Ok(())
    }

    /// The source of that name.
    ///
    /// # Errors
    /// Where there is none that sends events.
    pub fn source(&self, name: &str) -> Result<&Source, Problem> {
        self.sources.get(name).ok_or_else(|| Kind::UnknownSource.problem())
    }

    /// Where a receipt is shown.
    #[must_use]
    pub fn receipt_url(&self, receipt: &str) -> String {
        format!("{}/v1/receipts/{receipt}", self.public_url)
    }
}

/// A secret that others may read is none.
fn check_secrets(config: &Config, source: &config::Source) -> Result<(), GatewayError> {
    let secrets = source.feed.get(&source.web.events).map(|feed| feed.secrets.as_str());
    match secrets.filter(|file| !file.is_empty()).map(|file| config.path(file)) {
        Some(file) if keys::is_open_to_others(&file) => Err(KeyError::Open { what: "webhook", file }.into()),
        _ => Ok(()),
    }
}

fn quota(settings: &SourceWeb) -> Quota {
    let number = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(number(settings.requests_per_s)).allow_burst(number(settings.requests_burst))
}

impl Source {
    /// Where its events go now.
    #[must_use]
    pub fn inlet(&self) -> Arc<Inlet> {
        self.inlet.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a request against the source's rate.
    ///
    /// # Errors
    /// Where it has sent more than its rate allows.
    pub fn check_rate(&self) -> Result<(), Problem> {
        check_rate(&self.limiter)
    }
}

impl Uploads {
    /// Counts a request against the feed's rate.
    ///
    /// # Errors
    /// Where more was sent than its rate allows.
    pub fn check_rate(&self) -> Result<(), Problem> {
        check_rate(&self.limiter)
    }
}

fn check_rate(limiter: &Limiter) -> Result<(), Problem> {
    limiter.check().map_err(|until| {
        let wait = until.wait_time_from(MonotonicClock.now());
        Problem { retry_after_s: Some(wait.as_secs() + 1), ..Kind::TooFast.problem() }
    })
}

/// Every address of this web.
pub fn routes(services: &mut ServiceConfig) {
    services
        .service(health::show_live)
        .service(health::show_ready)
        .service(health::show_figures)
        .service(health::show_health)
        .service(webhook::create_events)
        .service(receipt::show_receipt)
        .service(upload::create_file)
        .service(upload::show_fixes)
        .service(upload::show_fix_page)
        .service(upload::show_fix_table)
        .service(upload::show_fix_book)
        .service(sign_in::show_sign_in)
        .service(sign_in::create_pass)
        .service(api::list_runs)
        .service(api::show_run)
        .service(api::list_receipts)
        .service(quarantine::list_quarantine)
        .service(quarantine::list_causes)
        .service(quarantine::export_quarantine)
        .service(quarantine::mark_quarantine)
        .service(quarantine::replay_quarantine)
        .service(api::show_record)
        .service(api::list_consents)
        .service(api::list_studies)
        .service(api::list_releases)
        .service(document::show_document)
        .service(document::show_page)
        .service(document::show_example)
        .service(document::show_problem)
        .default_service(web::to(nothing_here));
}

async fn nothing_here(request: HttpRequest) -> HttpResponse {
    let known = request.resource_map().match_pattern(request.path()).is_some();
    if known { Kind::Method.problem() } else { Kind::NotFound.problem() }.error_response()
}

/// What the handlers are given.
pub(super) type State = Data<Operational>;

/// Runs what waits for the database on a thread that may wait.
///
/// # Errors
/// What it ends with, as a problem.
pub(super) async fn blocking<T: Send + 'static>(
    state: &State,
    work: impl FnOnce(&Operational) -> Result<T, GatewayError> + Send + 'static,
) -> Result<T, Problem> {
    let (state, span) = (state.clone(), tracing::Span::current());
    let done = web::block(move || span.in_scope(|| work(&state)))
        .await
        .map_err(|_stopping| Kind::NotReady.problem())?;
    done.map_err(|error| {
        tracing::error!(error = %error, "a request could not be answered: {error}");
        if error.retryable() { Kind::NotReady.problem() } else { Kind::Internal.problem() }
    })
}
