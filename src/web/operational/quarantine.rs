//! What is set aside, over the API: seen by its own source, marked and replayed by operators.

use actix_web::web::{Json, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::{Deserialize, Serialize};

use super::guard::{Guard, SeeSource, SetRight};
use crate::base::limit::NAMED_UNITS_MAX;
use crate::gateway::quarantine::{self, Asked, CauseShown, QuarantinedShown};
use crate::gateway::replay::{self, Replayed};
use crate::gateway::{Gateway, GatewayError, feed};
use crate::web::problem::{Kind, Problem, ProblemShown};

/// Which units are wanted, and how many.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Of this feed, as `council/cld`, or of this source.
    feed: Option<String>,
    /// With this code.
    code: Option<String>,
    /// Of this batch.
    batch: Option<String>,
    /// That arrived more than so many days ago.
    #[param(minimum = 0, maximum = 36500)]
    older_than_days: Option<u16>,
    /// `open` (the default), `fixed`, `replayed` or `all`.
    state: Option<String>,
    /// How many at most, 1 to 10000.
    #[param(minimum = 1, maximum = 10000)]
    #[serde(default = "usual")]
    last: u16,
}

const fn usual() -> u16 {
    1_000
}

impl Wanted {
    fn of(request: &HttpRequest) -> Result<(Asked, i64), Problem> {
        let wrong = || {
            Kind::Malformed.told(
                "the parameters are `feed`, `code`, `batch`, `older_than_days`, `state` and `last`, a number from 1 to 10000",
            )
        };
        let wanted = Query::<Self>::from_query(request.query_string()).map_err(|_query| wrong())?;
        let Self { feed, code, batch, older_than_days, state, last } = wanted.into_inner();
        if !(1..=10_000).contains(&last) {
            return Err(wrong());
        }
        Ok((Asked { feed, code, batch, older_than_days, state, units: Vec::new() }, i64::from(last)))
    }
}

/// What of it a key may see: of its own source where it has one.
fn within(asked: Asked, source: Option<&str>) -> Option<Asked> {
    let Some(own) = source else { return Some(asked) };
    match asked.feed.as_deref() {
        None => Some(Asked { feed: Some(own.to_owned()), ..asked }),
        Some(feed) if feed.split('/').next() == Some(own) => Some(asked),
        Some(_) => None,
    }
}

fn listed(
    gateway: &Gateway,
    source: Option<&str>,
    (asked, last): (Asked, i64),
) -> Result<Vec<QuarantinedShown>, GatewayError> {
    within(asked, source).map_or(Ok(Vec::new()), |asked| quarantine::list(gateway, &asked, last))
}

/// List the units that are set aside, oldest first
#[utoipa::path(
    tag = "seeing",
    params(Wanted),
    responses(
        (status = 200, body = Vec<QuarantinedShown>, description = "Units of the key's source, or of all"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[get("/v1/quarantine")]
pub(super) async fn list_quarantine(
    guard: Guard<SeeSource>,
    request: HttpRequest,
) -> Result<Json<Vec<QuarantinedShown>>, Problem> {
    let wanted = Wanted::of(&request)?;
    guard.work(move |gateway, sight| listed(gateway, sight.source(), wanted)).await.map(Json)
}

/// List why units are set aside, the most frequent cause of a feed first
#[utoipa::path(
    tag = "seeing",
    params(Wanted),
    responses(
        (status = 200, body = Vec<CauseShown>, description = "Causes, with how many units and where"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[get("/v1/quarantine/causes")]
pub(super) async fn list_causes(
    guard: Guard<SeeSource>,
    request: HttpRequest,
) -> Result<Json<Vec<CauseShown>>, Problem> {
    let wanted = Wanted::of(&request)?;
    let found = guard.work(move |gateway, sight| listed(gateway, sight.source(), wanted)).await?;
    Ok(Json(quarantine::by_cause(&found)))
}

/// Export the units that are set aside as a table, without what they say
#[utoipa::path(
    tag = "seeing",
    params(Wanted),
    responses(
        (status = 200, body = String, content_type = "text/csv; charset=utf-8", description = "Places and causes"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[get("/v1/quarantine.csv")]
pub(super) async fn export_quarantine(
    guard: Guard<SeeSource>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::of(&request)?;
    let found = guard.work(move |gateway, sight| listed(gateway, sight.source(), wanted)).await?;
    let mut table = Vec::new();
    quarantine::write_table(&found, &mut table).map_err(|_csv| Kind::Internal.problem())?;
    Ok(HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(table))
}

/// How many units were marked.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MarkedShown {
    /// How many were open, and are closed now.
    pub marked: usize,
}

/// Which units are to be replayed, and whether in earnest.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayAsked {
    /// Which.
    pub which: Asked,
    /// Only say what would become of each.
    #[serde(default)]
    pub dry_run: bool,
}

fn named(asked: &Asked) -> Result<(), Problem> {
    if asked.is_everything() || asked.state.as_deref().is_some_and(|state| state != "open") {
        return Err(Kind::Malformed.told(
            "name `units`, `feed`, `code`, `batch` or `older_than_days`; only what is open can be marked or replayed",
        ));
    }
    if asked.units.len() > NAMED_UNITS_MAX {
        return Err(Kind::TooLarge.told(format!("one request may name {NAMED_UNITS_MAX} units")));
    }
    Ok(())
}

fn body<T>(sent: Result<Json<T>, actix_web::Error>) -> Result<T, Problem> {
    sent.map(Json::into_inner)
        .map_err(|_json| Kind::Malformed.told("expected a JSON object, as the document describes it"))
}

fn nothing<T>(done: Result<T, GatewayError>) -> Result<Result<T, Problem>, GatewayError> {
    match done {
        Err(GatewayError::NothingSetAside) => Ok(Err(Kind::NotFound.told("nothing that is set aside fits"))),
        Err(error @ GatewayError::TooManyUnits { .. }) => Ok(Err(Kind::TooLarge.told(error.to_string()))),
        done => done.map(Ok),
    }
}

/// Say that units were put right at the source
///
/// The source sends them again; here they are closed.
#[utoipa::path(
    tag = "setting right",
    request_body = Asked,
    responses(
        (status = 200, body = MarkedShown, description = "How many were open"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[post("/v1/quarantine/mark")]
pub(super) async fn mark_quarantine(
    guard: Guard<SetRight>,
    asked: Result<Json<Asked>, actix_web::Error>,
) -> Result<Json<MarkedShown>, Problem> {
    let asked = body(asked)?;
    named(&asked)?;
    let marked = guard.work(move |gateway, _all| nothing(quarantine::mark_fixed(gateway, &asked))).await??;
    Ok(Json(MarkedShown { marked }))
}

/// Replay units that are set aside
///
/// Each is read again through the mapping as it is now. What is taken is closed; a worker, or the
/// next sync, does what follows from it.
#[utoipa::path(
    tag = "setting right",
    request_body = ReplayAsked,
    responses(
        (status = 200, body = Replayed, description = "What became of each, or would"),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[post("/v1/quarantine/replay")]
pub(super) async fn replay_quarantine(
    guard: Guard<SetRight>,
    asked: Result<Json<ReplayAsked>, actix_web::Error>,
) -> Result<Json<Replayed>, Problem> {
    let ReplayAsked { which, dry_run } = body(asked)?;
    named(&which)?;
    let config = guard.config();
    let done = guard.work(move |gateway, _all| {
        let feeds = feed::feeds(&config, None)?;
        nothing(replay::replay(gateway, &feeds, &which, dry_run))
    });
    done.await?.map(Json)
}
