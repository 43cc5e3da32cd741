//! Events that a source posts: looked at, sealed, and kept, those of many requests in one
//! transaction.
//!
//! A request is answered once it is kept here. The second step reads it later, from the batch that
//! [`gather`](crate::gateway::gather) makes of what waits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::edge::Instant;
use crate::base::finding::{Code, Finding, Severity};
use crate::base::id::ReceiptId;
use crate::base::limit::SIGNATURE_AGE_S_MAX;
use crate::base::origin::Origin;
use crate::base::private::Private;
use crate::base::seal::{DataKey, Hasher, KeyedHash};
use crate::format::json::split::{Unsplit, split};
use crate::format::settings::FormatKind;
use crate::format::{Arrival, Place, Unit};
use crate::gateway::feed::Feed;
use crate::gateway::{Gateway, GatewayError};
use crate::mapping::Outcome;
use crate::mapping::read::Bound;
use crate::store::audit;
use crate::store::delivery::{self, Delivery, Known, Shape};

/// The way in of one source's events.
pub struct Inlet {
    gateway: Gateway,
    /// The feed that its events belong to.
    pub feed: Feed,
    /// The member that holds an event's own id.
    event_id: String,
    bound: Bound,
    seal: DataKey,
    ids: Hasher,
    contents: Hasher,
}

/// The three headers of a signed request (Standard Webhooks 1.0, "Webhook metadata").
#[derive(Debug, Clone, Copy)]
pub struct Signed<'h> {
    /// `webhook-id`.
    pub id: &'h str,
    /// `webhook-timestamp`, in seconds since 1970.
    pub timestamp: &'h str,
    /// `webhook-signature`.
    pub signature: &'h str,
}

/// How a sender showed who it is.
#[derive(Debug, Clone, Copy)]
pub enum Sender<'h> {
    /// By a signature, which was checked.
    Signed(Signed<'h>),
    /// By a key of this id.
    Bearer(&'h str),
}

/// Why a signature is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// None of the source's secrets made it.
    Wrong,
    /// It is too old, or of the future.
    Stale,
}

/// Why a body is no post of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// It cannot be read at all.
    Malformed(Found),
    /// It holds more events than one request may.
    TooMany,
    /// It holds none.
    Empty,
}

/// Something that was found in an event, with its place as a JSON Pointer (RFC 6901) into what was
/// sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Found {
    /// Which fault.
    pub code: String,
    /// How much it matters: error, warning or note.
    pub severity: String,
    /// Where, as a JSON Pointer into the body.
    pub pointer: String,
    /// What was expected.
    pub expected: String,
    /// What to do.
    pub hint: String,
}

/// A body, looked at.
pub struct Looked<'b> {
    /// Whether it is a list.
    pub is_list: bool,
    /// Its events, in order.
    pub events: Vec<Event<'b>>,
}

/// One event, looked at.
pub struct Event<'b> {
    text: &'b str,
    id: Option<String>,
    outcome: Outcome,
    /// What was found in it.
    pub findings: Vec<Found>,
}

impl Event<'_> {
    /// How far it can be read: `readable`, `filtered`, `quarantined` or `rejected`.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self.outcome {
            Outcome::Rejected => "rejected",
            Outcome::Quarantined => "quarantined",
            Outcome::Filtered => "filtered",
            Outcome::Records => "readable",
        }
    }

    /// True if nothing of it can be taken.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.outcome == Outcome::Rejected
    }
}

/// A request, sealed and ready to be kept.
pub struct Ready(Delivery);

impl Ready {
    /// What another way in has sealed.
    pub(super) fn of(delivery: Delivery) -> Self {
        Self(delivery)
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is kept, now or since it was sent first.
    Yes(Acknowledged),
    /// Another body was kept under the same id.
    Other,
}

/// What the sender is told: the same each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The receipt's id.
    pub receipt: String,
    /// When it arrived first.
    pub received_at: String,
    /// How many events it holds.
    pub units: i64,
    /// Whether it had been kept before.
    pub is_again: bool,
}

impl Inlet {
    /// The way in to a feed.
    ///
    /// # Errors
    /// Where the feed's mapping does not read events, or the store or a key fails.
    pub fn open(gateway: &Gateway, feed: &Feed, event_id: &str) -> Result<Self, GatewayError> {
        let reads_events = matches!(
            &feed.mapping.settings.format,
            FormatKind::Json(json) if json.lines && json.body.as_deref() == Some("body")
        );
        let bound = feed.mapping.bind(None, &Origin::default()).ok().filter(|_| reads_events);
        let index = &gateway.keys.index;
        Ok(Self {
            bound: bound.ok_or_else(|| GatewayError::NotEvents { feed: feed.full_name() })?,
            event_id: event_id.to_owned(),
            seal: gateway.own_key()?,
            ids: index.hasher(&format!("delivery/{}", feed.source)),
            contents: index.hasher("delivery-content"),
            gateway: gateway.clone(),
            feed: feed.clone(),
        })
    }

    /// True if it reads through the mapping of that feed.
    #[must_use]
    pub fn is_through(&self, feed: &Feed) -> bool {
        self.feed.mapping.hash == feed.mapping.hash
    }

    /// Whether a request is signed, now, by this source.
    ///
    /// # Errors
    /// Where it is not, and why.
    pub fn check(&self, signed: &Signed<'_>, body: &[u8]) -> Result<(), Unsigned> {
        let secrets = self.feed.secrets.as_ref().ok_or(Unsigned::Wrong)?;
        if !secrets.signed(signed.id, signed.timestamp, signed.signature, body) {
            return Err(Unsigned::Wrong);
        }
        let at: i64 = signed.timestamp.parse().map_err(|_digits| Unsigned::Stale)?;
        let age_ms = self.gateway.edge.now().unix_ms().saturating_sub(at.saturating_mul(1_000));
        let is_fresh = age_ms.unsigned_abs() <= (SIGNATURE_AGE_S_MAX * 1_000).unsigned_abs();
        if is_fresh { Ok(()) } else { Err(Unsigned::Stale) }
    }

    /// Looks at a body: cuts it into events, and reads each as the second step will. Who is in
    /// scope and what is new is decided there.
    ///
    /// # Errors
    /// Where it is no post of events.
    pub fn look<'b>(&self, body: &'b [u8], events_max: usize) -> Result<Looked<'b>, Misfit> {
        let malformed = |code: Code, pointer: &str, expected: &str| {
            let finding = Finding::new(code, Origin::default().at_path(pointer), expected);
            Misfit::Malformed(Found::of(&finding, ""))
        };
        let text = std::str::from_utf8(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
            .map_err(|_bytes| malformed(Code::CharsetMismatch, "", "expected UTF-8, as JSON always is"))?;
        let split = split(text, events_max).map_err(|why| match why {
            Unsplit::Syntax => {
                malformed(Code::JsonSyntax, "", "expected one JSON object, or a list of objects")
            }
            Unsplit::TooDeep => malformed(
                Code::JsonTooDeep,
                "",
                "expected a tree, found one nested deeper than any record is",
            ),
            Unsplit::TooMany => Misfit::TooMany,
        })?;
        if split.units.is_empty() {
            return Err(Misfit::Empty);
        }
        let mut events = Vec::with_capacity(split.units.len());
        for (index, text) in split.units.into_iter().enumerate() {
            let before = if split.is_list { format!("/{index}") } else { String::new() };
            // The error quotes the text, so it is dropped.
            let value: serde_json::Value = serde_json::from_str(text).map_err(|_quoting| {
                malformed(Code::JsonSyntax, &before, "expected JSON, found text that is not")
            })?;
            if !value.is_object() {
                return Err(malformed(Code::JsonShape, &before, "expected an event, as a JSON object"));
            }
            events.push(self.look_at(text, &value, &before));
        }
        Ok(Looked { is_list: split.is_list, events })
    }

    fn look_at<'b>(&self, text: &'b str, value: &serde_json::Value, before: &str) -> Event<'b> {
        let arrival = Arrival { place: Place::default(), unit: Ok(Unit::Tree(value)) };
        let reading = self.bound.read(&arrival, &Origin::default());
        let id = match value.get(&self.event_id) {
            Some(serde_json::Value::String(id)) if !id.is_empty() => Some(id.clone()),
            Some(serde_json::Value::Number(id)) => Some(id.to_string()),
            _ => None,
        };
        Event {
            text,
            id,
            outcome: reading.outcome,
            findings: reading.findings.iter().map(|finding| Found::of(finding, before)).collect(),
        }
    }

    /// The events of a body that lack an id of their own, without which a request that is not
    /// signed cannot be told from its retry.
    #[must_use]
    pub fn lacking_id(&self, looked: &Looked<'_>) -> Vec<Found> {
        let lacking = looked.events.iter().enumerate().filter(|(_, event)| event.id.is_none());
        lacking
            .map(|(index, _)| {
                let before = if looked.is_list { format!("/{index}") } else { String::new() };
                let expected = "expected the event's own id, the same each time it is sent";
                let origin = Origin::default().at_path(&self.event_id);
                Found::of(&Finding::new(Code::WebhookEnvelope, origin, expected), &before)
            })
            .collect()
    }

    /// A request, sealed and ready to be kept.
    #[must_use]
    pub fn seal(&self, sender: Sender<'_>, looked: &Looked<'_>, body: &[u8]) -> Ready {
        let edge = &self.gateway.edge;
        let id = ReceiptId::mint(edge).to_string();
        let (id_hash, credential) = match sender {
            Sender::Signed(signed) => (self.ids.hash([signed.id.as_bytes()]), "signed".to_owned()),
            Sender::Bearer(key) => {
                let ids = looked.events.iter().filter_map(|event| event.id.as_deref());
                // By a word before them, so that they are not taken for a signed request's.
                let parts = std::iter::once("events").chain(ids).map(str::as_bytes);
                (self.ids.hash(parts), format!("key/{key}"))
            }
        };
        let lines = Private::new(lines(sender, looked));
        Ready(Delivery {
            source: self.feed.source.clone(),
            feed: self.feed.name.clone(),
            id_hash: id_hash.as_bytes().to_vec(),
            content_hash: self.contents.hash([body]).as_bytes().to_vec(),
            credential,
            shape: if looked.is_list { Shape::Events } else { Shape::Event }.as_str().to_owned(),
            units: i64::try_from(looked.events.len()).unwrap_or(i64::MAX),
            sealed: Some(self.seal.seal(edge, &label(&id), &lines).as_bytes().to_vec()),
            received_at: edge.now().to_string(),
            repeats: 0,
            batch_id: None,
            first_unit: None,
            id,
        })
    }

    /// The present instant, as the gateway has it.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.gateway.edge.now()
    }
}

/// What a waiting request is sealed under.
pub(super) fn label(receipt: &str) -> String {
    format!("delivery/{receipt}")
}

/// An event as a line of the batch that it will be read from.
#[derive(Serialize)]
struct Line<'l> {
    #[serde(rename = "webhook-id")]
    id: &'l str,
    #[serde(rename = "webhook-part", skip_serializing_if = "Option::is_none")]
    part: Option<usize>,
    #[serde(rename = "webhook-timestamp")]
    timestamp: &'l str,
    #[serde(rename = "webhook-signature")]
    signature: &'l str,
    body: &'l str,
}

fn lines(sender: Sender<'_>, looked: &Looked<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, event) in looked.events.iter().enumerate() {
        let line = match sender {
            Sender::Signed(Signed { id, timestamp, signature }) => {
                Line { id, part: looked.is_list.then_some(index), timestamp, signature, body: event.text }
            }
            Sender::Bearer(_) => Line {
                id: event.id.as_deref().unwrap_or_default(),
                part: None,
                timestamp: "",
                signature: "",
                body: event.text,
            },
        };
        // Texts and numbers always become JSON.
        if serde_json::to_writer(&mut out, &line).is_ok() {
            out.push(b'\n');
        }
    }
    out
}

/// Keeps requests, all of them or none. Each is answered in its place.
///
/// # Errors
/// Where the store fails.
pub fn keep(gateway: &Gateway, new: &[Ready]) -> Result<Vec<Kept>, GatewayError> {
    gateway.store.write(|tx| {
        let mut known: BTreeMap<(&str, KeyedHash), Known> = BTreeMap::new();
        let mut asked: BTreeMap<&str, Vec<KeyedHash>> = BTreeMap::new();
        for Ready(one) in new {
            asked.entry(&one.source).or_default().extend(KeyedHash::from_slice(&one.id_hash));
        }
        for (source, hashes) in asked {
            let found = delivery::find_known(tx, source, &hashes)?;
            known.extend(found.into_iter().map(|(hash, row)| ((source, hash), row)));
        }
        let (mut fresh, mut again, mut kept) = (Vec::new(), Vec::new(), Vec::with_capacity(new.len()));
        for Ready(one) in new {
            let Some(hash) = KeyedHash::from_slice(&one.id_hash) else { continue };
            let key = (one.source.as_str(), hash);
            kept.push(match known.get(&key) {
                Some(before) if before.content_hash == one.content_hash => {
                    again.push(before.id.clone());
                    Kept::Yes(acknowledged(before, true))
                }
                Some(_) => Kept::Other,
                None => {
                    let row = Known {
                        id: one.id.clone(),
                        id_hash: one.id_hash.clone(),
                        content_hash: one.content_hash.clone(),
                        received_at: one.received_at.clone(),
                        units: one.units,
                    };
                    fresh.push(one);
                    let told = acknowledged(&row, false);
                    known.insert(key, row);
                    Kept::Yes(told)
                }
            });
        }
        delivery::put(tx, &fresh)?;
        for one in &fresh {
            if let Some(key) = one.credential.strip_prefix("key/") {
                let at = gateway.edge.now();
                audit::append_act(
                    tx,
                    &format!("key/{key}"),
                    "receive",
                    "not signed",
                    &one.id,
                    one.units,
                    at,
                )?;
            }
        }
        delivery::count_repeats(tx, &again)?;
        Ok(kept)
    })
}

fn acknowledged(row: &Known, is_again: bool) -> Acknowledged {
    Acknowledged { receipt: row.id.clone(), received_at: row.received_at.clone(), units: row.units, is_again }
}

impl Found {
    /// A finding, with its place in what was sent; `before` leads to the event.
    pub(super) fn of(finding: &Finding, before: &str) -> Self {
        Self {
            code: finding.code.as_str().to_owned(),
            severity: finding.severity.as_str().to_owned(),
            pointer: format!("{before}{}", pointer(finding.origin.path.as_deref().unwrap_or_default())),
            expected: finding.expected.clone(),
            hint: finding.advice().to_owned(),
        }
    }

    /// True if the event cannot be taken because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error.as_str()
    }
}

/// An address of the mapping as a JSON Pointer. Where it selects by value, the list it selects
/// from.
fn pointer(address: &str) -> String {
    let mut out = String::new();
    if address.starts_with('/') {
        return address.to_owned();
    }
    for part in address.split('.').filter(|part| !part.is_empty()) {
        let (name, is_selected) = part.split_once('[').map_or((part, false), |(name, _)| (name, true));
        out.push('/');
        out.push_str(&name.replace('~', "~0").replace('/', "~1"));
        if is_selected {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::pointer;

    #[test]
    fn an_address_is_a_pointer() {
        for (address, expected) in [
            ("", ""),
            ("completed_on", "/completed_on"),
            ("a.b", "/a/b"),
            ("identifier[system=https://x.y/z].value", "/identifier"),
            ("a/b", "/a~1b"),
            ("/3", "/3"),
        ] {
            assert_eq!(pointer(address), expected);
        }
    }
}
