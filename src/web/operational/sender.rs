//! Who sends: by the headers of a signature, or by a key where the source is allowed one.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

use super::{Source, State, guard};
use crate::gateway::api_key::{ApiKey, Role};
use crate::gateway::deliver::{Signed, Unsigned};
use crate::web::problem::{Kind, Problem};

/// What a request brings to show who sends it.
pub(super) enum Credential<'r> {
    /// The three headers of Standard Webhooks.
    Signature(Signed<'r>),
    /// A key, as it was sent.
    Bearer(&'r str),
}

impl<'r> Credential<'r> {
    /// What a request brings.
    ///
    /// # Errors
    /// Where it brings nothing, or half of it.
    pub(super) fn of(request: &'r HttpRequest) -> Result<Self, Problem> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let parts = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
        if let (Some(id), Some(timestamp), Some(signature)) = parts {
            let is_id = (1..=ID_BYTES_MAX).contains(&id.len());
            return if is_id {
                Ok(Self::Signature(Signed { id, timestamp, signature }))
            } else {
                Err(Kind::BadSignature.told("`webhook-id` has 1 to 256 characters"))
            };
        }
        if parts.2.is_some() || parts.1.is_some() {
            return Err(Kind::BadSignature
                .told("a signed request has `webhook-id`, `webhook-timestamp` and `webhook-signature`"));
        }
        bearer(request).map(Self::Bearer).ok_or_else(|| Kind::Unauthorised.problem())
    }
}

/// The key that a request brings.
pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    let sent = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = sent.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// The key, if a source may send with it instead of a signature.
///
/// # Errors
/// Where there is no such key, it is for something else, or the source must sign.
pub(super) async fn check_bearer(
    state: &State,
    (name, source): (&str, &Source),
    key: &str,
) -> Result<ApiKey, Problem> {
    let key = guard::find_key(state, key).await?;
    if !source.settings.bearer {
        return Err(Kind::Forbidden.told("this source signs what it sends; a key does not stand for that"));
    }
    if key.role < Role::Send || !key.is_for(name) {
        return Err(Kind::Forbidden.problem());
    }
    Ok(key)
}

/// Characters of a `webhook-id`: the specification leaves it open, and senders use about thirty.
const ID_BYTES_MAX: usize = 256;

impl From<Unsigned> for Problem {
    fn from(why: Unsigned) -> Self {
        match why {
            Unsigned::Wrong => Kind::BadSignature.problem(),
            Unsigned::Stale => Kind::StaleTimestamp.problem(),
        }
    }
}
