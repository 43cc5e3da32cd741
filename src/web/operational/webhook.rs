//! Events in: `POST /v1/sources/{source}/events`.

use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::web::{Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse, post};
use serde::{Deserialize, Serialize};

use super::sender::{Credential, check_bearer};
use super::{Operational, Source, State, blocking};
use crate::base::limit::{FINDINGS_KEPT_MAX, POST_EVENTS_MAX};
use crate::gateway::deliver::{Acknowledged, Event, Found, Inlet, Kept, Looked, Misfit, Sender};
use crate::telemetry::SourceLabels;
use crate::web::body::Body;
use crate::web::problem::{Kind, Problem};

/// How a post of events is taken.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Taking {
    /// Say what would become of the events, and keep nothing.
    #[serde(default)]
    pub validate: bool,
}

/// The answer to events that were kept: the same for a retry.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AcknowledgedShown {
    /// The receipt's id.
    pub receipt: String,
    /// Where the receipt is shown; takes the same credential.
    pub url: String,
    /// When the events arrived first.
    pub received_at: String,
    /// How many they are.
    pub received: i64,
}

/// What would become of events.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ValidatedShown {
    /// How many they are.
    pub received: usize,
    /// Always false: nothing was kept.
    pub is_kept: bool,
    /// Each event, in order.
    pub units: Vec<ValidatedUnit>,
}

/// What would become of one event.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ValidatedUnit {
    /// Where it stands in what was sent, as a JSON Pointer.
    pub pointer: String,
    /// `readable`, `filtered` (no record takes it), `quarantined` or `rejected`. Whether the person
    /// is in scope, and whether anything in it is new, is known when it is processed.
    pub outcome: String,
    /// What was found in it.
    pub findings: Vec<Found>,
}

/// Keep events
///
/// One event as a JSON object, or a list of them. `202` means that they are committed. A retry with
/// the same `webhook-id` (or, with a key, the same ids of the events) gets the same answer.
#[utoipa::path(
    tag = "sending",
    params(("source" = String, Path, description = "The source's name"), Taking),
    request_body(content = serde_json::Value, description = "One event, or a list of events"),
    responses(
        (status = 200, description = "Validated; nothing was kept", body = ValidatedShown),
        (status = 202, description = "Kept", body = AcknowledgedShown),
        (status = "default", description = "A problem", body = crate::web::problem::ProblemShown,
            content_type = "application/problem+json"),
    ),
)]
#[post("/v1/sources/{source}/events")]
pub(super) async fn create_events(
    request: HttpRequest,
    source: Path<String>,
    taking: Result<Query<Taking>, actix_web::Error>,
    mut payload: Payload,
    state: State,
) -> Result<HttpResponse, Problem> {
    let taking = taking.map_err(|_query| Kind::Malformed.told("the only parameter is `validate`"))?;
    let sender = state.source(&source)?;
    if state.lookout.is_time() {
        // Where this fails events go on through the mapping they had.
        let _looked = blocking(&state, Operational::look_at_mappings).await;
    }
    let inlet = sender.inlet();
    let credential = Credential::of(&request)?;
    is_json(&request)?;
    let body =
        Body::take(&mut payload, request.headers(), sender.settings.body_bytes_max, &state.held).await?;
    let key;
    let by = match credential {
        Credential::Signature(signed) => {
            inlet.check(&signed, body.bytes())?;
            Sender::Signed(signed)
        }
        Credential::Bearer(sent) => {
            key = check_bearer(&state, (&source, sender), sent).await?;
            Sender::Bearer(&key.id)
        }
    };
    sender.check_rate()?;
    let looked = look(sender, &inlet, body.bytes())?;
    if matches!(by, Sender::Bearer(_)) {
        let lacking = inlet.lacking_id(&looked);
        if !lacking.is_empty() {
            return Err(Problem { findings: lacking, ..Kind::Schema.problem() });
        }
    }
    if taking.validate {
        return Ok(HttpResponse::Ok().json(validated(&looked)));
    }
    if looked.events.iter().all(Event::is_rejected) {
        let findings = looked.events.into_iter().flat_map(|event| event.findings);
        let findings = findings.filter(Found::is_error).take(FINDINGS_KEPT_MAX).collect();
        return Err(Problem { findings, ..Kind::Schema.problem() });
    }
    let delivery = inlet.seal(by, &looked, body.bytes());
    drop(looked);
    match state.journal.keep(delivery).await? {
        Kept::Yes(kept) => Ok(acknowledge(&state, &source, kept)),
        Kept::Other => Err(Kind::IdReused.problem()),
    }
}

fn acknowledge(state: &State, source: &str, kept: Acknowledged) -> HttpResponse {
    let labels = SourceLabels { source: source.to_owned() };
    if kept.is_again {
        state.figures.requests_again.get_or_create(&labels).inc();
    } else {
        state.figures.events_kept.get_or_create(&labels).inc_by(kept.units.unsigned_abs());
    }
    let url = state.receipt_url(&kept.receipt);
    HttpResponse::Accepted().insert_header((LOCATION, url.clone())).json(AcknowledgedShown {
        url,
        receipt: kept.receipt,
        received_at: kept.received_at,
        received: kept.units,
    })
}

/// A body's type is JSON, or is not said.
fn is_json(request: &HttpRequest) -> Result<(), Problem> {
    let named = request.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or("?").to_lowercase());
    let essence = named.as_deref().map(|kind| kind.split(';').next().unwrap_or_default().trim());
    match essence {
        None => Ok(()),
        Some(kind) if kind == "application/json" || kind.ends_with("+json") => Ok(()),
        Some(_) => Err(Kind::MediaType.problem()),
    }
}

fn look<'b>(sender: &Source, inlet: &Inlet, body: &'b [u8]) -> Result<Looked<'b>, Problem> {
    let events_max = sender.settings.events_max.min(POST_EVENTS_MAX);
    inlet.look(body, events_max).map_err(|misfit| match misfit {
        Misfit::Malformed(found) => Problem { findings: vec![found], ..Kind::Malformed.problem() },
        Misfit::TooMany => Kind::TooLarge.told(format!("one request may hold {events_max} events")),
        Misfit::Empty => Kind::Malformed.told("the list holds no event"),
    })
}

fn validated(looked: &Looked<'_>) -> ValidatedShown {
    let unit = |(index, event): (usize, &Event<'_>)| ValidatedUnit {
        pointer: if looked.is_list { format!("/{index}") } else { String::new() },
        outcome: event.outcome().to_owned(),
        findings: event.findings.clone(),
    };
    ValidatedShown {
        received: looked.events.len(),
        is_kept: false,
        units: looked.events.iter().enumerate().map(unit).collect(),
    }
}
