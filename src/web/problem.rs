//! What a client is told when a request cannot be served: RFC 9457 problems, from one table.
//!
//! `type` is stable: a client may hold on to it. `detail` is for people and may change. Nothing of
//! what was sent is ever in it.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::gateway::deliver::Found;

macro_rules! problems {
    ($($variant:ident, $status:literal, $name:literal, $title:literal, $advice:literal;)*) => {
        /// A kind of problem. The doc of each is its title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = $title] $variant,)* }

        impl Kind {
            /// Every kind, in table order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The last part of its `type`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What it is, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What to do about it.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

problems! {
    BadSignature, 401, "bad-signature", "the signature does not hold", "sign `id.timestamp.body` over the bytes as sent, with the secret this source was given (Standard Webhooks)";
    StaleTimestamp, 401, "stale-timestamp", "the signature is older or newer than five minutes", "set the sender's clock, and sign again with the present time for each attempt";
    Unauthorised, 401, "unauthorised", "the request does not show who sends it", "sign it, or send a key as `Authorization: Bearer …` where the source is allowed one";
    Forbidden, 403, "forbidden", "the key is not for this", "use a key of this source and role; `wayleave key create` makes one";
    UnknownSource, 404, "unknown-source", "no source of that name takes events", "check the address; the operator names sources in wayleave.toml";
    NotFound, 404, "not-found", "there is nothing at this address", "check the address; a receipt is shown to its own source only";
    Method, 405, "method", "this address does not take that method", "the document at /v1/openapi.json lists what each address takes";
    MediaType, 415, "media-type", "the body is not of a type that is read here", "send events as `application/json`, files as `multipart/form-data`";
    Malformed, 400, "malformed", "the request cannot be read", "send one JSON object, or a list of them, in UTF-8";
    Schema, 422, "schema", "none of what was sent can be taken", "correct what is listed under `findings`, and send it again with a new id";
    IdReused, 409, "id-reused", "another body was kept under the same id", "give each event an id of its own; a retry sends the same bytes again";
    TooLarge, 413, "too-large", "the request is larger than this source may send", "send fewer events in one request";
    TooFast, 429, "too-fast", "this source sends more than its rate allows", "wait as `Retry-After` says, then send the same request again";
    NotReady, 503, "not-ready", "the service cannot keep anything now", "send the same request again as `Retry-After` says; nothing was kept";
    TooSlow, 408, "too-slow", "the request took too long to arrive", "send it again";
    Internal, 500, "internal", "a part of the program failed", "send the same request again later; the operator finds the reason in the log by the request's id";
}

/// Where the types of problems are explained.
pub const TYPES: &str = "/v1/problems/";

/// Seconds after which a client may try again, where nothing better is known.
const RETRY_AFTER_S: u64 = 1;

/// A problem, as it is told.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Which.
    pub kind: Kind,
    /// More exactly; never a value of what was sent.
    pub detail: Option<String>,
    /// What was found in the data.
    pub findings: Vec<Found>,
    /// Seconds until trying again makes sense.
    pub retry_after_s: Option<u64>,
}

/// The document of a problem (RFC 9457, section 3.1).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ProblemShown {
    /// Stable; names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// More exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do.
    pub hint: String,
    /// What was found in the data, each with a JSON Pointer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Found>,
}

impl Kind {
    /// A problem of this kind, with nothing more to say.
    #[must_use]
    pub const fn problem(self) -> Problem {
        Problem { kind: self, detail: None, findings: Vec::new(), retry_after_s: None }
    }

    /// A problem of this kind, told more exactly.
    #[must_use]
    pub fn told(self, detail: impl Into<String>) -> Problem {
        Problem { detail: Some(detail.into()), ..self.problem() }
    }
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        kind.problem()
    }
}

impl Problem {
    /// The document.
    #[must_use]
    pub fn shown(&self) -> ProblemShown {
        ProblemShown {
            kind: format!("{TYPES}{}", self.kind.as_str()),
            title: self.kind.title().to_owned(),
            status: self.kind.status(),
            detail: self.detail.clone(),
            hint: self.kind.advice().to_owned(),
            findings: self.findings.clone(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.as_str())
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        let waits = matches!(self.kind, Kind::NotReady | Kind::TooFast);
        if let Some(seconds) = self.retry_after_s.or(waits.then_some(RETRY_AFTER_S)) {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if self.kind.status() == 401 {
            // RFC 9110, section 15.5.2: a 401 names a way in.
            response.insert_header(("www-authenticate", "Bearer"));
        }
        // Texts and numbers always become JSON.
        response.body(serde_json::to_string(&self.shown()).unwrap_or_default())
    }
}
