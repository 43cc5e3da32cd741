//! What operators and partners may see: plain data, with no value of anybody.

use actix_web::web::{Json, Path, Query};
use actix_web::{HttpRequest, get};
use serde::Deserialize;

use super::guard::{Guard, SeeAll, SeeSource};
use crate::gateway::GatewayError;
use crate::gateway::overview::{self, ReleaseShown, StudyShown};
use crate::gateway::provenance::{self, Provenance};
use crate::gateway::receipt::{self, ReceiptLine};
use crate::gateway::release::census::Decided;
use crate::gateway::show::{self, RunDetail, RunShown};
use crate::web::problem::{Kind, Problem, ProblemShown};

/// How much of a list is wanted.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// How many at most, 1 to 1000.
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default = "usual")]
    last: u16,
}

const fn usual() -> u16 {
    20
}

impl Page {
    fn of(request: &HttpRequest) -> Result<i64, Problem> {
        let page = Query::<Self>::from_query(request.query_string());
        let page = page.ok().filter(|page| (1..=1_000).contains(&page.last));
        let wrong = || Kind::Malformed.told("the only parameter is `last`, a number from 1 to 1000");
        page.map(|page| i64::from(page.last)).ok_or_else(wrong)
    }
}

/// List the last runs, newest first
#[utoipa::path(
    tag = "seeing",
    params(Page),
    responses(
        (status = 200, body = Vec<RunShown>, description = "Runs of the key's source, or of all"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[get("/v1/runs")]
pub(super) async fn list_runs(
    guard: Guard<SeeSource>,
    request: HttpRequest,
) -> Result<Json<Vec<RunShown>>, Problem> {
    let last = Page::of(&request)?;
    guard.work(move |gateway, sight| show::list_runs_of(gateway, sight.source(), last)).await.map(Json)
}

/// Show a run with its ledger and findings
#[utoipa::path(
    tag = "seeing",
    params(("run" = String, Path, description = "The run's id")),
    responses(
        (status = 200, body = RunDetail, description = "The run"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[get("/v1/runs/{run}")]
pub(super) async fn show_run(guard: Guard<SeeSource>, run: Path<String>) -> Result<Json<RunDetail>, Problem> {
    let found = guard.work(move |gateway, sight| {
        let found = match show::show_run(gateway, Some(&run)) {
            Err(GatewayError::NoRun { .. }) => return Ok(None),
            found => found?,
        };
        let is_seen = sight.source().is_none_or(|own| found.run.feed.split('/').next() == Some(own));
        Ok(Some(found).filter(|found| is_seen && found.run.id == *run))
    });
    found.await?.map(Json).ok_or_else(|| Kind::NotFound.problem())
}

/// List the last receipts, newest first
#[utoipa::path(
    tag = "seeing",
    params(Page),
    responses(
        (status = 200, body = Vec<ReceiptLine>, description = "Receipts of the key's source, or of all"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[get("/v1/receipts")]
pub(super) async fn list_receipts(
    guard: Guard<SeeSource>,
    request: HttpRequest,
) -> Result<Json<Vec<ReceiptLine>>, Problem> {
    let last = Page::of(&request)?;
    guard.work(move |gateway, sight| receipt::list(gateway, sight.source(), last)).await.map(Json)
}

/// Show where each version of a record came from
#[utoipa::path(
    tag = "seeing",
    params(("record" = String, Path, description = "The record's id")),
    responses(
        (status = 200, body = Provenance, description = "Its versions, without what they say"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[get("/v1/records/{record}/provenance")]
pub(super) async fn show_record(
    guard: Guard<SeeSource>,
    record: Path<String>,
) -> Result<Json<Provenance>, Problem> {
    let found = guard
        .work(move |gateway, sight| provenance::find(gateway, &record, sight.source(), sight.restricted()));
    found.await?.map(Json).ok_or_else(|| Kind::NotFound.problem())
}

/// List the decisions on a study, and what comes of each, without whose they are
#[utoipa::path(
    tag = "seeing",
    params(("study" = String, Path, description = "The study's name")),
    responses(
        (status = 200, body = Vec<Decided>, description = "Every decision on record; those of restricted people for a key that may see them"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[get("/v1/studies/{study}/consents")]
pub(super) async fn list_consents(
    guard: Guard<SeeAll>,
    study: Path<String>,
) -> Result<Json<Vec<Decided>>, Problem> {
    let config = guard.config();
    let found =
        guard.work(move |gateway, all| overview::list_consents(gateway, &config, &study, all.restricted()));
    found.await?.map(Json).ok_or_else(|| Kind::NotFound.problem())
}

/// List the studies, with what stands on the far side
#[utoipa::path(
    tag = "seeing",
    responses(
        (status = 200, body = Vec<StudyShown>, description = "The studies of the configuration"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[get("/v1/studies")]
pub(super) async fn list_studies(guard: Guard<SeeAll>) -> Result<Json<Vec<StudyShown>>, Problem> {
    let config = guard.config();
    guard.work(move |gateway, _all| overview::list_studies(gateway, &config)).await.map(Json)
}

/// List the last releases, newest first
#[utoipa::path(
    tag = "seeing",
    params(Page),
    responses(
        (status = 200, body = Vec<ReleaseShown>, description = "Releases of every study"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[get("/v1/releases")]
pub(super) async fn list_releases(
    guard: Guard<SeeAll>,
    request: HttpRequest,
) -> Result<Json<Vec<ReleaseShown>>, Problem> {
    let last = Page::of(&request)?;
    guard.work(move |gateway, _all| overview::list_releases(gateway, last)).await.map(Json)
}
