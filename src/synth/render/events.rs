//! Events that the housing system posts, one signed webhook a line, as the gateway keeps them.
//!
//! Signed by Standard Webhooks: HMAC-SHA-256 over `id.timestamp.body`, in base64 after `v1,`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::base::day::Day;
use crate::synth::calendar::{day, unix};
use crate::synth::cohort::AREAS;
use crate::synth::fault::{Fault, Kind, Planted};
use crate::synth::life::{Consent, GoalSet, Life, StarReading};
use crate::synth::seed::Seed;
use crate::synth::world::{World, sheet_day};

/// Name of the file.
pub const FILE: &str = "events.ndjson";

/// The key that the demo's events are signed with: bytes from the seed, good for nothing else.
pub struct Secret(Vec<u8>);

impl Secret {
    /// The key of a seed.
    #[must_use]
    pub fn of(seed: &Seed) -> Self {
        let mut seed = seed.fork("webhook secret");
        Self((0..4).flat_map(|_| seed.draw().to_be_bytes()).collect())
    }

    /// As Standard Webhooks writes it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.0))
    }

    /// The signature of one event.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// One line of the file, and what is wrong with it on purpose.
#[derive(Clone)]
pub struct Line {
    /// When it was sent, in seconds; lines stand in this order.
    pub timestamp: i64,
    /// `webhook-id`.
    pub id: String,
    /// The body, as it was signed.
    pub body: String,
    /// The signature.
    pub signature: String,
    /// The fault, where there is one.
    pub planted: Option<Planted>,
    /// Written instead of the envelope, where the line itself is broken.
    pub instead: Option<String>,
}

impl Line {
    /// The line without its end.
    #[must_use]
    pub fn text(&self) -> String {
        self.instead.clone().unwrap_or_else(|| {
            json!({
                "webhook-id": self.id,
                "webhook-timestamp": self.timestamp.to_string(),
                "webhook-signature": self.signature,
                "body": self.body,
            })
            .to_string()
        })
    }
}

/// Makes lines.
pub struct Writer<'w> {
    secret: &'w Secret,
    seed: Seed,
    count: u32,
}

impl<'w> Writer<'w> {
    /// A writer that signs with this key.
    #[must_use]
    pub fn new(secret: &'w Secret, seed: &Seed) -> Self {
        Self { secret, seed: seed.fork("events"), count: 0 }
    }

    /// A signed event of a day: its type, whom it is about, its fields.
    pub fn event(&mut self, kind: &str, client: &str, on: Day, fields: &Map<String, Value>) -> Line {
        self.count += 1;
        let at = unix(on) + self.seed.between(9 * 3_600, 17 * 3_600);
        let occurred = jiff::Timestamp::from_second(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let mut body = Map::new();
        body.insert("type".to_owned(), json!(kind));
        body.insert("id".to_owned(), json!(format!("hev_{:06}", self.count)));
        body.insert("occurred_at".to_owned(), json!(occurred.to_string()));
        if !client.is_empty() {
            body.insert("client_ref".to_owned(), json!(client));
        }
        body.extend(fields.clone());
        self.signed(at + 2, Value::Object(body).to_string())
    }

    /// A signed line with this body.
    pub fn signed(&mut self, timestamp: i64, body: String) -> Line {
        let id = format!("evt_{:016x}", self.seed.draw());
        let signature = self.secret.sign(&id, timestamp, &body);
        Line { timestamp, id, body, signature, planted: None, instead: None }
    }
}

/// The lines in the order they were sent.
#[must_use]
pub fn lines(world: &World, writer: &mut Writer<'_>) -> Vec<Line> {
    let mut out = Vec::new();
    for life in &world.lives {
        let Some(view) = &life.housing else { continue };
        let reference = view.id.as_str();
        for reading in &life.stars {
            // The tracker's own readings of the last months were posted too, as they happened.
            if reading.by_event || reading.star.completed_on >= day(2025, 2, 1) {
                out.push(writer.event(
                    "star_completed",
                    reference,
                    reading.star.completed_on,
                    &star(reading),
                ));
            }
        }
        for set in life.goals.iter().filter(|set| set.by_event) {
            let mut first = set.clone();
            "in_progress".clone_into(&mut first.goal.status);
            first.goal.closed_on = None;
            out.push(writer.event("goal_updated", reference, set.goal.set_on, &goal(&first)));
            if set.goal.status != "in_progress" {
                let last = set.goal.closed_on.unwrap_or(set.goal.due_on).max(set.goal.set_on);
                out.push(writer.event("goal_updated", reference, last, &goal(set)));
            }
        }
        out.extend(progress(life, reference, writer));
        for said in &life.consents {
            if said.decision == "Withdrawn" || said.decided_on >= day(2023, 9, 1) {
                let kind = format!("consent_{}", said.decision.to_lowercase());
                out.push(writer.event(&kind, reference, said.decided_on, &consent(said)));
            }
        }
    }
    out.sort_by(|one, two| (one.timestamp, &one.id).cmp(&(two.timestamp, &two.id)));
    out
}

/// Acceptances, moves and leavings since 2024, as the tracker has them too.
fn progress(life: &Life, reference: &str, writer: &mut Writer<'_>) -> Vec<Line> {
    let Some(programme) = &life.programme else { return Vec::new() };
    let recent = |on: &Day| *on >= day(2024, 1, 1);
    let mut out = Vec::new();
    if let Some(on) = programme.accepted_on.filter(recent) {
        let fields = [("accepted_on", json!(on)), ("referred_on", json!(programme.referred_on))];
        out.push(writer.event("accepted", reference, on, &object(&fields)));
    }
    if let Some(on) = programme.moved_on.filter(recent) {
        out.push(writer.event("moved_on", reference, on, &object(&[("moved_on", json!(on))])));
    }
    if let Some(on) = programme.left_on.filter(recent) {
        let ending = if programme.how_left == "Withdrew" { "withdrew" } else { "was-withdrawn" };
        let fields = [("ended_on", json!(on)), ("ending", json!(ending))];
        out.push(writer.event("left_programme", reference, on, &object(&fields)));
    }
    out
}

/// The fields of a reading.
#[must_use]
pub fn star(reading: &StarReading) -> Map<String, Value> {
    let mut fields = object(&[
        ("completed_on", json!(reading.star.completed_on)),
        ("edition", json!("RS3")),
        ("occasion", json!(reading.occasion)),
        ("completed_with", json!(reading.with)),
    ]);
    fields.extend(
        AREAS.iter().zip(reading.star.scores).map(|(area, score)| ((*area).to_owned(), json!(score))),
    );
    fields
}

/// The fields of a goal.
#[must_use]
pub fn goal(set: &GoalSet) -> Map<String, Value> {
    let mut fields = object(&[
        ("goal_ref", json!(set.reference)),
        ("area", json!(set.goal.domain)),
        ("wording", json!(set.wording)),
        ("set_on", json!(set.goal.set_on)),
        ("due_on", json!(set.goal.due_on)),
        ("status", json!(set.goal.status.replace('_', "-"))),
    ]);
    if let Some(closed) = set.goal.closed_on {
        fields.insert("closed_on".to_owned(), json!(closed));
    }
    fields
}

fn consent(said: &Consent) -> Map<String, Value> {
    let answer = if said.decision == "Refused" { "no" } else { "yes" };
    let mut fields = object(&[
        ("study", json!("promoting-independence")),
        ("form_code", json!("PI-CONSENT")),
        ("form_version", json!("2")),
        ("sheet_version", json!("3")),
        ("sheet_date", json!(sheet_day())),
        ("decided_on", json!(said.decided_on)),
    ]);
    if said.decision == "Withdrawn" {
        fields.insert("withdrawal_scope".to_owned(), json!("no-further-use"));
        return fields;
    }
    for statement in ["use_case_data", "link_housing", "link_nhs", "free_text", "recontact"] {
        fields.insert(statement.to_owned(), json!(answer));
    }
    fields.insert("given_by".to_owned(), json!("self"));
    fields.insert("checked".to_owned(), json!(true));
    fields
}

/// A JSON object of these fields.
#[must_use]
pub fn object(fields: &[(&str, Value)]) -> Map<String, Value> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// The file.
#[must_use]
pub fn ndjson(lines: &[Line]) -> Vec<u8> {
    lines.iter().flat_map(|line| (line.text() + "\n").into_bytes()).collect()
}

/// The faults at their places.
#[must_use]
pub fn faults(lines: &[Line]) -> Vec<Fault> {
    let placed = (1..).zip(lines);
    placed
        .filter_map(|(at, line)| line.planted.map(|fault| fault.at("housing/events", FILE, None, at)))
        .collect()
}

/// Marks a line as faulty.
#[must_use]
pub fn planted(mut line: Line, kind: Kind, column: Option<&'static str>) -> Line {
    line.planted = Some(Planted { kind, column });
    line
}
