//! Files in, and what is to be put right in them.

use std::io::Write as _;
use std::time::Duration;

use actix_multipart::Multipart;
use actix_web::http::header::{CONTENT_DISPOSITION, LOCATION};
use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use futures_util::StreamExt as _;
use serde::Serialize;

use super::sender::bearer;
use super::{State, blocking, guard, sign_in};
use crate::base::limit::UPLOAD_WAIT_S;
use crate::gateway::api_key::{ApiKey, Role};
use crate::gateway::fix_list::{self, FixListShown};
use crate::gateway::upload::{Filling, upload};
use crate::web::problem::{Kind, Problem, ProblemShown};

/// The answer to a file that was kept: the same for a retry.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct UploadedShown {
    /// The receipt's id.
    pub receipt: String,
    /// Where the receipt is shown; takes the same key.
    pub url: String,
    /// Where the list of what is to be put right is shown.
    pub fixes: String,
    /// When the file arrived first.
    pub received_at: String,
}

/// Keep a file
///
/// A tracker workbook, CSV or whatever the feed's mapping reads, as the part `file` of a form. Takes
/// a key. The same file again has the receipt it had.
#[utoipa::path(
    tag = "sending",
    params(
        ("source" = String, Path, description = "The source's name"),
        ("feed" = String, Path, description = "The feed's name"),
    ),
    request_body(content = Vec<u8>, content_type = "multipart/form-data", description = "The part `file`"),
    responses(
        (status = 202, description = "Kept", body = UploadedShown),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[post("/v1/sources/{source}/feeds/{feed}/files")]
pub(super) async fn create_file(
    request: HttpRequest,
    names: Path<(String, String)>,
    form: Result<Multipart, actix_web::Error>,
    state: State,
) -> Result<HttpResponse, Problem> {
    let (source, feed) = names.into_inner();
    let Some(taking) = state.uploads.get(&format!("{source}/{feed}")) else {
        return Err(Kind::UnknownSource.told("no feed of that name takes files"));
    };
    let key = sending_key(&state, &request, &source).await?;
    taking.check_rate()?;
    let form = form.map_err(|_form| Kind::MediaType.problem())?;
    let wait = Duration::from_secs(UPLOAD_WAIT_S);
    let put =
        tokio::time::timeout(wait, put_aside(form, &state, taking.bytes_max.min(taking.feed.file_bytes_max)))
            .await;
    let file = put.unwrap_or_else(|_elapsed| Err(Kind::TooSlow.problem()))?;
    let feed = taking.feed.clone();
    let kept = blocking(&state, move |state| upload(&state.gateway, &feed, file, &format!("key/{}", key.id)))
        .await?;
    let url = state.receipt_url(&kept.receipt);
    Ok(HttpResponse::Accepted().insert_header((LOCATION, url.clone())).json(UploadedShown {
        fixes: format!("{url}/fixes"),
        url,
        receipt: kept.receipt,
        received_at: kept.received_at,
    }))
}

/// A key with which files of a source may be sent.
async fn sending_key(state: &State, request: &HttpRequest, source: &str) -> Result<ApiKey, Problem> {
    let sent = bearer(request).ok_or_else(|| Kind::Unauthorised.problem())?;
    let key = guard::find_key(state, sent).await?;
    if key.role >= Role::Send && key.is_for(source) { Ok(key) } else { Err(Kind::Forbidden.problem()) }
}

/// Puts the part `file` of a form aside, whole, and sealed as it comes.
async fn put_aside(mut form: Multipart, state: &State, bytes_max: u64) -> Result<Filling, Problem> {
    let broken = || Kind::Malformed.told("expected a form with one part named `file`");
    while let Some(part) = form.next().await {
        let mut part = part.map_err(|_broken| broken())?;
        if part.name() != Some("file") {
            continue;
        }
        let full = || Kind::NotReady.told("the file cannot be put aside");
        let mut file = Filling::begin(&state.gateway).map_err(|_disk| full())?;
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(|_broken| broken())?;
            if file.size_bytes() + u64::try_from(chunk.len()).unwrap_or(u64::MAX) > bytes_max {
                return Err(Kind::TooLarge.told(format!("one file may have {bytes_max} bytes")));
            }
            file.write_all(&chunk).map_err(|_disk| full())?;
        }
        if file.size_bytes() == 0 {
            return Err(Kind::Malformed.told("the file is empty"));
        }
        return Ok(file);
    }
    Err(broken())
}

/// Show what is to be put right in a file
#[utoipa::path(
    tag = "sending",
    params(("receipt" = String, Path, description = "The receipt of the file")),
    responses(
        (status = 200, description = "The list", body = FixListShown),
        (status = "default", description = "A problem", body = ProblemShown,
            content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
#[get("/v1/receipts/{receipt}/fixes.json")]
pub(super) async fn show_fixes(
    request: HttpRequest,
    receipt: Path<String>,
    state: State,
) -> Result<Json<FixListShown>, Problem> {
    list(&state, &request, &receipt).await.map(Json)
}

async fn list(state: &State, request: &HttpRequest, receipt: &str) -> Result<FixListShown, Problem> {
    // Whoever has no key learns nothing, not even whether there is such a receipt.
    let key = sign_in::find_reader(state, request).await?;
    let wanted = receipt.to_owned();
    let found = blocking(state, move |state| fix_list::find(&state.gateway, &wanted)).await?;
    let found = found.ok_or_else(|| Kind::NotFound.problem())?;
    let source = found.feed.split('/').next().unwrap_or_default();
    let is_seen = key.role >= Role::Send && key.is_for(source);
    if is_seen { Ok(found) } else { Err(Kind::NotFound.problem()) }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><title>What to put right in {{ list.feed }}</title>
<style>body{font:16px/1.5 sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#0b0c0c}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem;border-bottom:1px solid #b1b4b6}</style></head><body>
<h1>What to put right in {{ list.feed }}</h1>
<p>The file of {{ list.received_at }}: {% if list.state == "waiting" %}it waits to be read; look again in a minute.{% else if list.state == "refused" %}it was refused as a whole, and nothing of it was taken.{% else %}{{ list.rows_taken }} of {{ list.rows }} rows were taken.{% endif %}</p>
{% if list.closed_by.is_some() %}<p><strong>A later file has come: {{ list.items.len() - list.open }} of {{ list.items.len() }} items are closed by it, and {{ list.open }} are still open.</strong></p>{% endif %}
{% if list.items.is_empty() %}<p>There is nothing to put right.</p>{% else %}
<p>Put these right in your own system or workbook and send the whole file again. <a href="/v1/receipts/{{ list.receipt }}/fixes.csv">As CSV</a>; <a href="/v1/receipts/{{ list.receipt }}/fixes.xlsx">your file with the cells marked</a>.</p>
<table><thead><tr><th>Sheet</th><th>Row</th><th>Column</th><th>What was expected</th><th>To do in Excel</th><th></th></tr></thead><tbody>
{% for item in list.items %}<tr><td>{% if let Some(sheet) = item.sheet %}{{ sheet }}{% endif %}</td><td>{% if let Some(row) = item.row %}{{ row }}{% endif %}</td><td>{% if let Some(column) = item.column %}{{ column }}{% endif %}</td><td>{{ item.expected }}</td><td>{{ item.to_do }}</td><td>{% if item.is_closed %}closed{% endif %}</td></tr>
{% endfor %}</tbody></table>
{% if list.more > 0 %}<p>And {{ list.more }} more of the same kinds.</p>{% endif %}{% endif %}
</body></html>
"##
)]
struct FixPage<'l> {
    list: &'l FixListShown,
}

/// The list as a page.
#[get("/v1/receipts/{receipt}/fixes")]
pub(super) async fn show_fix_page(
    request: HttpRequest,
    receipt: Path<String>,
    state: State,
) -> Result<HttpResponse, Problem> {
    let shown = list(&state, &request, &receipt).await.and_then(|list| {
        let text = FixPage { list: &list }.render().map_err(|_template| Kind::Internal.problem())?;
        Ok(sign_in::page().body(text))
    });
    sign_in::or_sign_in(&request, shown)
}

/// The list as CSV, for Excel.
#[get("/v1/receipts/{receipt}/fixes.csv")]
pub(super) async fn show_fix_table(
    request: HttpRequest,
    receipt: Path<String>,
    state: State,
) -> Result<HttpResponse, Problem> {
    let list = list(&state, &request, &receipt).await?;
    // The byte order mark tells Excel that it is UTF-8.
    let mut table = csv::Writer::from_writer(b"\xef\xbb\xbf".to_vec());
    let written =
        table.write_record(["Sheet", "Row", "Column", "What was expected", "To do in Excel", "State"]);
    let mut written = written.is_ok();
    for item in &list.items {
        let row = item.row.map(|row| row.to_string()).unwrap_or_default();
        let (sheet, column) = (item.sheet.as_deref().unwrap_or(""), item.column.as_deref().unwrap_or(""));
        let state = if item.is_closed { "closed" } else { "open" };
        written &= table.write_record([sheet, &row, column, &item.expected, &item.to_do, state]).is_ok();
    }
    let bytes = table.into_inner().ok().filter(|_| written).ok_or_else(|| Kind::Internal.problem())?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"fixes.csv\""))
        .body(bytes))
}

/// The sender's own file, with the cells marked.
#[get("/v1/receipts/{receipt}/fixes.xlsx")]
pub(super) async fn show_fix_book(
    request: HttpRequest,
    receipt: Path<String>,
    state: State,
) -> Result<HttpResponse, Problem> {
    let list = list(&state, &request, &receipt).await?;
    let key = sign_in::find_reader(&state, &request).await?;
    let wanted = list.receipt.clone();
    let may = blocking(&state, move |state| fix_list::may_see_file(&state.gateway, &wanted, &key)).await?;
    if !may {
        return Err(Kind::Forbidden.told(
            "the source knows restricted people, so the file itself is shown to whoever sent it, and to a key made with `--restricted`; the list names nobody",
        ));
    }
    let taking = state.uploads.get(&list.feed).ok_or_else(|| Kind::NotFound.problem())?;
    let (feed, receipt) = (taking.feed.clone(), list.receipt);
    let book = blocking(&state, move |state| fix_list::marked(&state.gateway, &feed, &receipt)).await?;
    let book = book.ok_or_else(|| Kind::NotFound.problem())?;
    Ok(HttpResponse::Ok()
        .content_type("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"fixes.xlsx\""))
        .body(book))
}
