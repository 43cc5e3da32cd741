//! Pages are for people, whose browsers send no key. A person types theirs into a small form, once;
//! it goes in the body, so it stands in no address and no log; and a cookie that this site alone is
//! sent, that no script reads and that is good for an hour, stands for it from then on.

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, COOKIE, LOCATION, SET_COOKIE};
use actix_web::web::{Form, Query};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, post};
use askama::Template;
use serde::Deserialize;

use super::sender::bearer;
use super::{State, blocking, guard};
use crate::base::limit::PASS_S;
use crate::gateway::api_key::ApiKey;
use crate::gateway::pass;
use crate::web::problem::{Kind, Problem};

/// The cookie. A browser takes one of this prefix only from this very host, and over TLS (or from
/// this machine).
const COOKIE_NAME: &str = "__Host-wayleave";

/// The key that a request shows: itself, or by a pass.
///
/// # Errors
/// Where it shows none, or the store fails.
pub(super) async fn find_reader(state: &State, request: &HttpRequest) -> Result<ApiKey, Problem> {
    if let Some(sent) = bearer(request) {
        return guard::find_key(state, sent).await;
    }
    let sent = cookie(request).ok_or_else(|| Kind::Unauthorised.problem())?.to_owned();
    let found = blocking(state, move |state| pass::find(&state.gateway, &sent)).await?;
    found.ok_or_else(|| Kind::Unauthorised.told("the hour is over, or the key was taken back; sign in again"))
}

fn cookie(request: &HttpRequest) -> Option<&str> {
    let headers = request.headers().get_all(COOKIE).filter_map(|header| header.to_str().ok());
    let mut pairs = headers.flat_map(|header| header.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
}

/// Sends a browser that shows nothing to the form, and from there back; anybody else is refused.
pub(super) fn or_sign_in(
    request: &HttpRequest,
    answer: Result<HttpResponse, Problem>,
) -> Result<HttpResponse, Problem> {
    let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    match answer {
        Err(problem) if problem.kind == Kind::Unauthorised && accepts.contains("text/html") => {
            let place = format!("/v1/sign-in?next={}", request.path());
            Ok(HttpResponse::SeeOther().insert_header((LOCATION, place)).finish())
        }
        answer => answer,
    }
}

/// The beginning of an answer that holds a page: kept nowhere, and able to call nothing.
pub(super) fn page() -> HttpResponseBuilder {
    let mut page = HttpResponse::Ok();
    page.content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("referrer-policy", "no-referrer"))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header((
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ));
    page
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><title>Sign in</title>
<style>body{font:16px/1.5 sans-serif;max-width:32rem;margin:2rem auto;padding:0 1rem;color:#0b0c0c}
input{font:inherit;width:100%;padding:.4rem;margin:.4rem 0 1rem;box-sizing:border-box}</style></head><body>
<h1>Sign in</h1>
{% if is_wrong %}<p><strong>That key is not known, has expired or was taken back. Whoever runs the gateway makes you another.</strong></p>{% endif %}
<form method="post" action="/v1/sign-in"><label for="key">Your key; it begins with wlk_</label>
<input id="key" name="key" type="password" autocomplete="off" required>
<input name="next" type="hidden" value="{{ next }}">
<button>Sign in for an hour</button></form>
</body></html>
"#
)]
struct SignInPage<'p> {
    next: &'p str,
    is_wrong: bool,
}

/// Where to go on to.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct SignIn {
    key: String,
    #[serde(default)]
    next: String,
}

/// True for a page of this site that takes a pass: nobody is led elsewhere from here.
fn is_ours(next: &str) -> bool {
    let of_receipt = next.strip_prefix("/v1/receipts/").and_then(|rest| rest.split_once('/'));
    of_receipt.is_some_and(|(receipt, page)| {
        receipt.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && ["fixes", "fixes.csv", "fixes.xlsx"].contains(&page)
    })
}

fn form(next: &str, is_wrong: bool) -> Result<HttpResponse, Problem> {
    let next = if is_ours(next) { next } else { "" };
    let text = SignInPage { next, is_wrong }.render().map_err(|_template| Kind::Internal.problem())?;
    Ok(page().body(text))
}

/// The form.
#[get("/v1/sign-in")]
pub(super) async fn show_sign_in(
    next: Result<Query<Next>, actix_web::Error>,
) -> Result<HttpResponse, Problem> {
    // Whatever else stands there, a person is shown the form.
    form(next.as_ref().map_or("", |next| &next.next), false)
}

/// Takes the form.
#[post("/v1/sign-in")]
pub(super) async fn create_pass(
    sent: Result<Form<SignIn>, actix_web::Error>,
    state: State,
) -> Result<HttpResponse, Problem> {
    let sent = sent.map_err(|_form| Kind::Malformed.told("expected the form of this page"))?.into_inner();
    let typed = zeroize::Zeroizing::new(sent.key);
    let key = match guard::find_key(&state, typed.trim()).await {
        Ok(key) => key,
        Err(problem) if problem.kind == Kind::Unauthorised => return form(&sent.next, true),
        Err(problem) => return Err(problem),
    };
    let made = blocking(&state, move |state| pass::make(&state.gateway, &key)).await?;
    let cookie = format!("{COOKIE_NAME}={made}; Path=/; Max-Age={PASS_S}; Secure; HttpOnly; SameSite=Strict");
    let next = if is_ours(&sent.next) { sent.next.as_str() } else { "/v1/docs" };
    Ok(HttpResponse::SeeOther()
        .insert_header((SET_COOKIE, cookie))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((LOCATION, next))
        .finish())
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn nobody_is_led_elsewhere() {
        for (next, expected) in [
            ("/v1/receipts/rct_0f/fixes", true),
            ("/v1/receipts/rct_0f/fixes.xlsx", true),
            ("//evil.example/v1/receipts/rct_0f/fixes", false),
            ("https://evil.example/", false),
            ("/v1/receipts/../fixes", false),
            ("/v1/receipts/a/b/fixes", false),
            ("", false),
        ] {
            assert_eq!(is_ours(next), expected, "{next}");
        }
    }
}
