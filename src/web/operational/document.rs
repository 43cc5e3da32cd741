//! The document of the API (OpenAPI 3.1), a page that shows it without anything from outside, and
//! worked examples.

use actix_web::web::Path;
use actix_web::{HttpResponse, get};
use askama::Template;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::{api, health, quarantine, receipt, upload, webhook};
use crate::web::problem::{Kind, Problem};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Wayleave",
        description = "What sources send to the gateway, and what operators and partners may see. A problem is told as RFC 9457 has it; its `type` is stable and is explained at that address.",
        license(name = "MIT OR Apache-2.0"),
    ),
    paths(
        health::show_live,
        health::show_ready,
        health::show_figures,
        webhook::create_events,
        receipt::show_receipt,
        upload::create_file,
        upload::show_fixes,
        api::list_runs,
        api::show_run,
        api::list_receipts,
        quarantine::list_quarantine,
        quarantine::list_causes,
        quarantine::export_quarantine,
        quarantine::mark_quarantine,
        quarantine::replay_quarantine,
        api::show_record,
        api::list_consents,
        api::list_studies,
        api::list_releases,
    ),
    modifiers(&Keys),
)]
struct Document;

/// How clients show who they are.
struct Keys;

impl utoipa::Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A key made by `wayleave key create`"))
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", SecurityScheme::Http(key));
    }
}

/// One operation, as the page shows it.
struct Operation {
    method: String,
    path: String,
    title: String,
    about: String,
    answers: Vec<(String, String)>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><title>Wayleave: the API</title>
<style>body{font:16px/1.5 sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#0b0c0c}
code{background:#f3f2f1;padding:.1rem .3rem}section{border-top:1px solid #b1b4b6;padding:1rem 0}
h2{font-size:1.1rem;margin:0}dt{font-weight:bold;float:left;clear:left;width:5rem}</style></head><body>
<h1>Wayleave: the API</h1>
<p>The document itself: <a href="/v1/openapi.json">/v1/openapi.json</a> (OpenAPI 3.1).
Worked examples: {% for name in examples %}<a href="/v1/examples/{{ name }}">{{ name }}</a> {% endfor %}</p>
{% for one in operations %}<section><h2><code>{{ one.method }} {{ one.path }}</code> {{ one.title }}</h2>
<p>{{ one.about }}</p><dl>{% for (status, about) in one.answers %}<dt>{{ status }}</dt><dd>{{ about }}</dd>{% endfor %}</dl></section>
{% endfor %}<h1>Problems</h1>
{% for kind in problems %}<section><h2><code>{{ kind.status() }} {{ kind.as_str() }}</code> {{ kind.title() }}</h2>
<p>{{ kind.advice() }}</p></section>
{% endfor %}</body></html>
"#
)]
struct Page {
    operations: Vec<Operation>,
    problems: &'static [Kind],
    examples: Vec<&'static str>,
}

/// Worked examples, by name.
const EXAMPLES: [(&str, &str); 3] = [
    ("power-automate", include_str!("document/power-automate.md")),
    ("salesforce", include_str!("document/salesforce.md")),
    ("signing", include_str!("document/signing.md")),
];

/// The document, in JSON.
#[get("/v1/openapi.json")]
pub(super) async fn show_document() -> HttpResponse {
    HttpResponse::Ok().json(Document::openapi())
}

/// The page that shows the document.
#[get("/v1/docs")]
pub(super) async fn show_page() -> Result<HttpResponse, Problem> {
    let document = serde_json::to_value(Document::openapi()).map_err(|_json| Kind::Internal.problem())?;
    let page = Page {
        operations: operations(&document),
        problems: Kind::ALL,
        examples: EXAMPLES.map(|one| one.0).to_vec(),
    };
    let text = page.render().map_err(|_template| Kind::Internal.problem())?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(text))
}

/// A worked example.
#[get("/v1/examples/{name}")]
pub(super) async fn show_example(name: Path<String>) -> Result<HttpResponse, Problem> {
    let found = EXAMPLES.iter().find(|(known, _)| known == name.as_ref());
    let (_, text) = found.ok_or_else(|| Kind::NotFound.problem())?;
    Ok(HttpResponse::Ok().content_type("text/markdown; charset=utf-8").body(*text))
}

/// What a type of problem means: its address is the `type` itself.
#[get("/v1/problems/{name}")]
pub(super) async fn show_problem(name: Path<String>) -> Result<HttpResponse, Problem> {
    let found = Kind::ALL.iter().find(|kind| kind.as_str() == name.as_str());
    let kind = found.ok_or_else(|| Kind::NotFound.problem())?;
    Ok(HttpResponse::Ok().json(kind.problem().shown()))
}

fn operations(document: &serde_json::Value) -> Vec<Operation> {
    let text = |value: Option<&serde_json::Value>| {
        value.and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    let paths = document.get("paths").and_then(serde_json::Value::as_object);
    let mut found = Vec::new();
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let answers = operation.get("responses").and_then(serde_json::Value::as_object);
            found.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                title: text(operation.get("summary")),
                about: text(operation.get("description")),
                answers: answers
                    .into_iter()
                    .flatten()
                    .map(|(status, answer)| (status.clone(), text(answer.get("description"))))
                    .collect(),
            });
        }
    }
    found
}
