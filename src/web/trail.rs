//! The trail of each request: an id, a line in the log, a count. Nothing of what was sent is in it:
//! the path stands as the code writes it, and a method that HTTP does not know is `other`.

use std::sync::Arc;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _};
use tracing::Instrument as _;

use crate::base::edge::Edge;
use crate::telemetry::{Figures, ProblemLabels, RequestLabels};
use crate::web::problem::Problem;

/// The header by which an answer names its request.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Gives each request its id, and notes how it was answered.
///
/// # Errors
/// What the request itself ends with.
pub async fn note(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let id = request
        .app_data::<Data<Edge>>()
        .map_or_else(String::new, |edge| format!("req_{:032x}", u128::from_be_bytes(edge.bytes())));
    request.extensions_mut().insert(RequestId(id.clone()));
    let figures = request.app_data::<Data<Arc<Figures>>>().cloned();
    let method = named(request.method());
    let span = tracing::info_span!("request", request.id = id);
    let mut response = next.call(request).instrument(span.clone()).await?;
    let status = response.status().as_u16();
    let route = response.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    let problem = problem.map(|problem| problem.kind.as_str());
    let seconds = began.elapsed().as_secs_f64();
    span.in_scope(|| {
        tracing::info!(
            http.method = method,
            http.route = route,
            http.status = status,
            problem,
            duration_ms = seconds * 1_000.0,
            "{method} {route}: {status}"
        );
    });
    if let Some(figures) = figures {
        figures.request_seconds.observe(seconds);
        figures.requests.get_or_create(&RequestLabels { route, method, status }).inc();
        if let Some(kind) = problem {
            figures.problems.get_or_create(&ProblemLabels { kind: kind.to_owned() }).inc();
        }
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    Ok(response)
}

/// The methods of RFC 9110 (section 9) and RFC 5789, by name; every other word is the sender's own.
fn named(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::CONNECT => "CONNECT",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
