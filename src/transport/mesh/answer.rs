//! What the exchange answers, read strictly as far as it is used.

use serde::Deserialize;

use crate::base::limit::MESH_FIELD_CHARS_MAX;
use crate::transport::http::Answer;
use crate::transport::mesh::MeshError;

/// Messages that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Their ids, oldest first.
    pub ids: Vec<String>,
    /// Where the next page goes on; none after the last.
    pub next: Option<String>,
}

/// What a message is, without its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The exchange's own id of it.
    pub id: String,
    /// Whether it reports that a message was not delivered, and holds nothing else.
    pub is_report: bool,
    /// What it is for.
    pub workflow: String,
    /// The mailbox that sent it; empty for the exchange itself.
    pub from: String,
    /// The sender's own id of it; of a report, of the message it is about.
    pub local_id: String,
    /// Of a report: the exchange's id of the message it is about.
    pub linked: String,
    /// Of a report: why it was not delivered, as a code of the exchange.
    pub code: String,
    /// In how many chunks it comes.
    pub chunks: u32,
}

/// What became of a message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// The exchange's own id of it; empty where it names none.
    pub id: String,
    /// Its word for where it is: `accepted`, `acknowledged`, `undeliverable`, `error`, `uploading`.
    pub status: String,
}

#[derive(Deserialize)]
struct Inbox {
    messages: Vec<String>,
    #[serde(default)]
    links: Links,
}

#[derive(Default, Deserialize)]
struct Links {
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Tracking {
    #[serde(alias = "messageId", alias = "messageID", default)]
    message_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

#[derive(Deserialize)]
struct Sent {
    #[serde(alias = "messageID")]
    message_id: String,
}

pub(super) fn page(answer: &Answer) -> Result<Page, MeshError> {
    let strange = MeshError::Strange { what: "for its inbox" };
    // The error would quote what was answered.
    let Ok(inbox) = serde_json::from_slice::<Inbox>(&answer.body) else { return Err(strange) };
    if !inbox.messages.iter().all(|id| is_id(id)) {
        return Err(strange);
    }
    let next = inbox.links.next.and_then(|link| continued(&link));
    Ok(Page { ids: inbox.messages, next })
}

/// The value of `continue_from` in a link, unescaped. The link's host is not followed.
fn continued(link: &str) -> Option<String> {
    let base = crate::transport::http::Url::parse("http://localhost/").ok()?;
    let url = base.join(link).ok()?;
    url.query_pairs().find(|(name, _)| name == "continue_from").map(|(_, value)| value.into_owned())
}

/// Ids of the exchange are letters, digits and a few signs; anything else would not be an address.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MESH_FIELD_CHARS_MAX
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

pub(super) fn entry(id: &str, answer: &Answer) -> Entry {
    let of = |name: &str| -> String {
        let value = answer.header(name).unwrap_or_default();
        value.chars().filter(|letter| !letter.is_control()).take(MESH_FIELD_CHARS_MAX).collect()
    };
    let chunks = of("mex-chunk-range").split_once(':').and_then(|(_, all)| all.parse().ok());
    Entry {
        id: id.to_owned(),
        is_report: of("mex-messagetype") == "REPORT",
        workflow: of("mex-workflowid"),
        from: of("mex-from"),
        local_id: of("mex-localid"),
        linked: of("mex-linkedmsgid"),
        code: of("mex-statuscode"),
        chunks: chunks.unwrap_or(1).max(1),
    }
}

pub(super) fn tracked(answer: &Answer) -> Result<Tracked, MeshError> {
    if answer.status == 300 {
        return Ok(Tracked { id: String::new(), status: "accepted".to_owned() });
    }
    let tracking: Tracking = serde_json::from_slice(&answer.body)
        .map_err(|_quoting| MeshError::Strange { what: "what became of a message" })?;
    Ok(Tracked {
        id: tracking.message_id.filter(|id| is_id(id)).unwrap_or_default(),
        status: tracking.status.unwrap_or_default().to_lowercase(),
    })
}

pub(super) fn sent(answer: &Answer) -> Result<String, MeshError> {
    let sent: Option<Sent> = serde_json::from_slice(&answer.body).ok();
    let id = sent.map(|sent| sent.message_id).filter(|id| is_id(id));
    id.ok_or(MeshError::Strange { what: "to take a message" })
}

/// The code of a refusal, such as `12`: a short word, or `none`.
pub(super) fn error_code(answer: &Answer) -> String {
    let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let first = |value: &serde_json::Value| match value {
        serde_json::Value::Array(all) => all.first().cloned().unwrap_or_default(),
        other => other.clone(),
    };
    let detail = first(told.get("detail").unwrap_or(&told));
    let code = ["errorCode", "error_code", "event", "msg"].iter().find_map(|name| detail.get(name)?.as_str());
    let code = code.unwrap_or_default();
    let is_code = !code.is_empty()
        && code.len() <= 40
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_code { code.to_owned() } else { "none".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{continued, is_id};

    #[test]
    fn a_page_goes_on_where_its_link_says_and_nowhere_else() {
        let link = "/messageexchange/MB/inbox?max_results=10&continue_from=eyJ%3D%3D";
        assert_eq!(continued(link).as_deref(), Some("eyJ=="));
        assert_eq!(continued("http://elsewhere/?x=1"), None);
        assert!(is_id("20220228174323222_ABCDEF"));
        assert!(!is_id("../admin") && !is_id(""));
    }
}
