//! Whether the service lives, whether it can work and what is wrong, and its figures.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get};
use askama::Template;
use serde::Serialize;

use super::{State, blocking, sign_in};
use crate::gateway::health::{self, CheckShown, Health, Shape};
use crate::telemetry::CheckLabels;
use crate::web::problem::{Kind, Problem};

/// How the service is.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct HealthShown {
    /// `live`; or `ready`, and `degraded` where it takes things in but something does not work.
    pub status: String,
    /// Requests that wait to be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliveries_waiting: Option<i64>,
    /// What was looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckShown>,
    /// The feeds whose messages this process listens for, each `listening` or `stopped`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub listeners: BTreeMap<String, String>,
}

/// Say whether the process lives
#[utoipa::path(tag = "health", responses((status = 200, description = "It does", body = HealthShown)))]
#[get("/health/live")]
pub(super) async fn show_live() -> HttpResponse {
    HttpResponse::Ok().json(HealthShown {
        status: "live".to_owned(),
        deliveries_waiting: None,
        checks: Vec::new(),
        listeners: BTreeMap::new(),
    })
}

async fn look(state: &State) -> Result<Health, Problem> {
    blocking(state, |state| Ok(health::look(&state.gateway, &state.config))).await
}

/// Say whether the service can take things in, and what is wrong
#[utoipa::path(
    tag = "health",
    responses(
        (status = 200, description = "It can; what does not work is said", body = HealthShown),
        (status = 503, description = "It cannot, and why", body = crate::web::problem::ProblemShown,
            content_type = "application/problem+json"),
    ),
)]
#[get("/health/ready")]
pub(super) async fn show_ready(state: State) -> Result<HttpResponse, Problem> {
    let health = look(&state).await?;
    let status = match health.shape() {
        Shape::Stopped => {
            let stopped = health.checks.iter().filter(|check| check.shape == Shape::Stopped);
            let told: Vec<String> = stopped.map(|check| format!("{}: {}", check.name, check.told)).collect();
            return Err(Kind::NotReady.told(told.join("; ")));
        }
        Shape::Failing => "degraded",
        Shape::Well | Shape::Warning => "ready",
    };
    Ok(HttpResponse::Ok().json(HealthShown {
        status: status.to_owned(),
        deliveries_waiting: Some(health.waiting),
        checks: health.checks,
        listeners: state.figures.mllp.listeners(),
    }))
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><title>Wayleave: {{ shape }}</title>
<style>body{font:16px/1.5 sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;color:#0b0c0c}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem;border-bottom:1px solid #b1b4b6}</style></head><body>
<h1>{{ shape }}</h1>
<table><thead><tr><th>What</th><th>How it is</th><th></th></tr></thead><tbody>
{% for check in health.checks %}<tr><td>{{ check.name }}</td><td>{{ check.shape.as_str() }}</td><td>{{ check.told }}</td></tr>
{% endfor %}</tbody></table>
<p>{{ health.waiting }} requests wait to be read, {{ health.quarantined }} units are set aside, {{ health.open_runs }} runs are not done, {{ health.unsent }} messages wait to be released.</p>
</body></html>
"#
)]
struct HealthPage<'h> {
    shape: &'static str,
    health: &'h Health,
}

/// The same as a page, for people.
#[get("/health")]
pub(super) async fn show_health(state: State) -> Result<HttpResponse, Problem> {
    let health = look(&state).await?;
    let page = HealthPage { shape: health.shape().as_str(), health: &health };
    let text = page.render().map_err(|_template| Kind::Internal.problem())?;
    Ok(sign_in::page().body(text))
}

/// Show the figures, as Prometheus reads them
#[utoipa::path(
    tag = "health",
    responses((status = 200, description = "The figures", body = String, content_type = FIGURES)),
)]
#[get("/metrics")]
pub(super) async fn show_figures(state: State) -> HttpResponse {
    if let Ok(health) = look(&state).await {
        note(&state, &health);
    }
    if let Ok(waiting) = blocking(&state, |state| crate::gateway::show::waiting(&state.gateway)).await {
        let now = state.gateway.edge.now();
        let oldest = waiting.oldest.and_then(|oldest| oldest.parse().ok()).unwrap_or(now);
        let ms = now.unix_ms().saturating_sub(oldest.unix_ms()).max(0);
        state.figures.waiting_seconds.set(std::time::Duration::from_millis(ms.unsigned_abs()).as_secs_f64());
    }
    HttpResponse::Ok().content_type(FIGURES).body(state.figures.text())
}

fn note(state: &State, health: &Health) {
    let figures = &state.figures;
    figures.deliveries_waiting.set(health.waiting);
    figures.quarantined.set(health.quarantined);
    figures.open_runs.set(i64::try_from(health.open_runs).unwrap_or(i64::MAX));
    figures.unsent.set(health.unsent);
    if let Some(age) = health.round_age_s {
        figures.round_age_seconds.set(std::time::Duration::from_secs(age.unsigned_abs()).as_secs_f64());
    }
    if let Some(free) = health.disk_free_bytes {
        figures.disk_free_bytes.set(i64::try_from(free).unwrap_or(i64::MAX));
    }
    for check in &health.checks {
        let labels = CheckLabels { check: check.name.clone() };
        figures.failing_checks.get_or_create(&labels).set(i64::from(check.shape >= Shape::Failing));
    }
}

/// The media type of the figures (OpenMetrics 1.0).
const FIGURES: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
