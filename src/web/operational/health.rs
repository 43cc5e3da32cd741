//! Whether the service lives, whether it can work, and its figures.

use actix_web::{HttpResponse, get};
use serde::Serialize;

use super::{State, blocking};
use crate::gateway::show;
use crate::web::problem::{Kind, Problem};

/// How the service is.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct HealthShown {
    /// `live` or `ready`.
    pub status: String,
    /// Requests that wait to be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliveries_waiting: Option<i64>,
}

/// Say whether the process lives
#[utoipa::path(tag = "health", responses((status = 200, description = "It does", body = HealthShown)))]
#[get("/health/live")]
pub(super) async fn show_live() -> HttpResponse {
    HttpResponse::Ok().json(HealthShown { status: "live".to_owned(), deliveries_waiting: None })
}

/// Say whether the service can work
#[utoipa::path(
    tag = "health",
    responses(
        (status = 200, description = "It can", body = HealthShown),
        (status = 503, description = "It cannot, and why", body = crate::web::problem::ProblemShown,
            content_type = "application/problem+json"),
    ),
)]
#[get("/health/ready")]
pub(super) async fn show_ready(state: State) -> Result<HttpResponse, Problem> {
    let waiting = blocking(&state, |state| show::waiting(&state.gateway)).await;
    match waiting {
        Ok(waiting) => Ok(HttpResponse::Ok()
            .json(HealthShown { status: "ready".to_owned(), deliveries_waiting: Some(waiting.requests) })),
        Err(_told) => Err(Kind::NotReady.told("the operational database does not answer")),
    }
}

/// Show the figures, as Prometheus reads them
#[utoipa::path(
    tag = "health",
    responses((status = 200, description = "The figures", body = String, content_type = FIGURES)),
)]
#[get("/metrics")]
pub(super) async fn show_figures(state: State) -> HttpResponse {
    if let Ok(waiting) = blocking(&state, |state| show::waiting(&state.gateway)).await {
        state.figures.deliveries_waiting.set(waiting.requests);
        let now = state.gateway.edge.now();
        let oldest = waiting.oldest.and_then(|oldest| oldest.parse().ok()).unwrap_or(now);
        let ms = now.unix_ms().saturating_sub(oldest.unix_ms()).max(0);
        state.figures.waiting_seconds.set(std::time::Duration::from_millis(ms.unsigned_abs()).as_secs_f64());
    }
    HttpResponse::Ok().content_type(FIGURES).body(state.figures.text())
}

/// The media type of the figures (OpenMetrics 1.0).
const FIGURES: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
