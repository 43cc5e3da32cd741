//! Receipts: `GET /v1/receipts/{receipt}`.

use actix_web::http::header::{CONTENT_LOCATION, RETRY_AFTER};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, get};

use super::sender::Credential;
use super::{State, blocking, guard};
use crate::gateway::api_key::Role;
use crate::gateway::receipt::{self, ReceiptShown};
use crate::web::problem::{Kind, Problem};

/// Show a receipt
///
/// What became of each event that was sent. `202` while they wait to be processed, then `200`. Takes
/// the credential of the source: its key, or a signature over the empty body whose `webhook-id` is
/// the receipt's id.
#[utoipa::path(
    tag = "sending",
    params(("receipt" = String, Path, description = "The receipt's id")),
    responses(
        (status = 200, description = "Processed", body = ReceiptShown),
        (status = 202, description = "Waiting", body = ReceiptShown),
        (status = "default", description = "A problem", body = crate::web::problem::ProblemShown,
            content_type = "application/problem+json"),
    ),
)]
#[get("/v1/receipts/{receipt}")]
pub(super) async fn show_receipt(
    request: HttpRequest,
    id: Path<String>,
    state: State,
) -> Result<HttpResponse, Problem> {
    let credential = Credential::of(&request)?;
    let wanted = id.clone();
    let found = blocking(&state, move |state| receipt::find(&state.gateway, &wanted)).await?;
    let receipt = found.ok_or_else(|| Kind::NotFound.problem())?;
    match credential {
        Credential::Signature(signed) if signed.id == receipt.receipt => {
            let sender = state.source(&receipt.source)?;
            sender.inlet().check(&signed, b"")?;
            sender.check_rate()?;
        }
        Credential::Signature(_) => {
            return Err(Kind::BadSignature.told("to see a receipt, sign with its id as `webhook-id`"));
        }
        Credential::Bearer(key) => {
            let key = guard::find_key(&state, key).await?;
            // A receipt of another source is as if there were none.
            if key.role < Role::Send || !key.is_for(&receipt.source) {
                return Err(Kind::NotFound.problem());
            }
        }
    }
    let mut answer = if receipt.is_processed() {
        HttpResponse::Ok()
    } else {
        let mut waiting = HttpResponse::Accepted();
        waiting.insert_header((RETRY_AFTER, "1"));
        waiting
    };
    Ok(answer.insert_header((CONTENT_LOCATION, state.receipt_url(&receipt.receipt))).json(receipt))
}
