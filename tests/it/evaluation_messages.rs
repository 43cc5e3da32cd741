//! Messages at the door, and a door that is a list in memory. Invented people only.

use std::collections::VecDeque;

use ed25519_dalek::SigningKey;
use serde_json::{Map, Value, json};
use wayleave::base::tree::{self, Head, hex};
use wayleave::evaluation::collect::{Claimed, Door, DoorError};

pub(crate) const STUDY: &str = "promoting-independence";

/// A well-formed pseudonym. The check letter is not looked at on this side.
pub(crate) fn pseudonym(n: u32) -> String {
    format!("S01-0000-0000-0000-{n:04}-0")
}

pub(crate) fn record_name(n: u32) -> String {
    format!("{n:026}")
}

pub(crate) fn release_id(n: u32) -> String {
    format!("rel_{n:032x}")
}

fn envelope(kind: &str, subject: &str, data: &Value) -> Value {
    let text = format!("{kind}{subject}{data}");
    let id = text.bytes().fold(0xcbf2_9ce4_8422_2325_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0100_0000_0000_0000_0000_0000_013b)
    });
    json!({
        "specversion": "1.0",
        "id": format!("{id:032x}"),
        "source": "wayleave/test",
        "type": format!("wayleave.evaluation.{kind}.v1"),
        "subject": subject,
        "datacontenttype": "application/json",
        "dataschema": format!("https://wayleave.example/schemas/door/{kind}.json"),
        "data": data,
    })
}

fn common(incarnation: i64, own: Value) -> Value {
    let mut data = json!({
        "study": STUDY,
        "recipient": "university",
        "epoch": 1,
        "release": release_id(1),
        "incarnation": incarnation,
    });
    let Value::Object(own) = own else { panic!("an object") };
    data.as_object_mut().unwrap().extend(own);
    data
}

/// Where a message stands: incarnation and sequence.
pub(crate) type At = (i64, i64);

pub(crate) fn record(who: &str, name: &str, kind: &str, at: At, decided_on: &str, fields: Value) -> Value {
    let data = common(
        at.0,
        json!({
            "protocol_version": 1, "kind": kind, "record": name, "version": 1, "fields": fields,
            "consent": {"form": "pi-consent", "form_version": "2", "decided_on": decided_on},
            "sequence": at.1,
        }),
    );
    envelope("record", who, &data)
}

pub(crate) fn setting(name: &str, at: At, fields: Value) -> Value {
    let data = common(at.0, json!({"setting": name, "fields": fields, "sequence": at.1}));
    envelope("setting", name, &data)
}

pub(crate) fn retracted(who: &str, name: &str, kind: &str, at: At) -> Value {
    let own = json!({"record": name, "kind": kind, "reason": "corrected", "sequence": at.1});
    envelope("retracted", who, &common(at.0, own))
}

pub(crate) fn superseded(who: &str, new: &str, at: At) -> Value {
    envelope("superseded", who, &common(at.0, json!({"new": new, "sequence": at.1})))
}

pub(crate) fn withdrawn(who: &str, notice: u32, scope: &str, decided_on: &str, at: At) -> Value {
    let own = json!({
        "notice": format!("ntc_{notice:032x}"), "scope": scope, "decided_on": decided_on, "sequence": at.1,
    });
    envelope("withdrawn", who, &common(at.0, own))
}

pub(crate) fn aggregate() -> Value {
    let own = json!({
        "protocol_version": 1, "table": "savings", "title": "Savings", "description": "All 35 people.",
        "columns": [
            {"name": "group", "type": "string", "label": "Group"},
            {"name": "weekly", "type": "number", "label": "A week", "unit": "GBP"},
        ],
        "rows": [{"group": "all", "weekly": 1501.79}, {"group": "moved"}],
    });
    envelope("aggregate", STUDY, &common(0, own))
}

/// The protocol of the tests.
pub(crate) fn protocol() -> Value {
    json!({
        "title": "Promoting Independence", "tier": "secure", "contact": "the evaluation office",
        "purpose": "Evaluation of the programme.",
        "kinds": [
            {"kind": "person", "description": "Who took part.", "fields": [
                {"name": "sex", "type": "string", "label": "Sex", "treatment": "as-is",
                 "codes": [{"code": "female", "label": "Female"}, {"code": "male", "label": "Male"}]},
                {"name": "age_band", "type": "string", "label": "Age at start", "treatment": "age-band"},
            ]},
            {"kind": "star", "description": "Recovery Star readings.", "fields": [
                {"name": "completed_on", "type": "date", "label": "Day", "treatment": "as-is", "required": true},
                {"name": "work", "type": "integer", "label": "Work", "unit": "1 to 10", "treatment": "as-is"},
                {"name": "care_home", "type": "string", "label": "Care home", "treatment": "setting",
                 "refers_to": "setting"},
            ]},
            {"kind": "goal", "description": "Goals.", "fields": [
                {"name": "area", "type": "string", "label": "Area", "treatment": "as-is"},
            ]},
            {"kind": "setting", "description": "Care homes.", "fields": [
                {"name": "beds", "type": "integer", "label": "Beds", "treatment": "as-is"},
            ]},
        ],
    })
}

/// A log of nine entries, the last of them a release, with its signed head.
pub(crate) struct Log {
    pub(crate) origin: String,
    pub(crate) size: u64,
    pub(crate) root: String,
    pub(crate) signature: String,
    pub(crate) key: String,
    pub(crate) index: u64,
    pub(crate) leaf: String,
    pub(crate) proof: Vec<String>,
}

impl Log {
    pub(crate) fn new() -> Self {
        let leaves: Vec<tree::Hash> = (0..9_u8).map(|n| tree::leaf(&[n])).collect();
        let head = Head { origin: "wayleave/test".to_owned(), size: 9, root: tree::root(&leaves) };
        let key = SigningKey::from_bytes(&[9; 32]);
        Self {
            root: hex(&head.root),
            signature: hex(&head.sign(&key)),
            key: hex(key.verifying_key().as_bytes()),
            origin: head.origin,
            size: head.size,
            index: 8,
            leaf: hex(&leaves[8]),
            proof: tree::proof(&leaves, 8).unwrap().iter().map(|hash| hex(hash)).collect(),
        }
    }
}

pub(crate) fn release_closed(totals: Value) -> Value {
    let log = Log::new();
    let own = json!({
        "protocol_version": 1,
        "protocol": protocol(),
        "cut_off": "2025-03-31T12:00:00.000Z",
        "cut_off_day": "2025-03-31",
        "mappings": [{"name": "housing/tracker", "version": 1, "hash": "0".repeat(64)}],
        "counts": {"record": 4},
        "totals": totals,
        "withheld": {"no-consent": 2},
        "linkage": {"subjects": 5, "linked": 3, "in_doubt": 0},
        "checkpoint": {
            "origin": log.origin, "size": log.size, "root": log.root,
            "signature": log.signature, "key": log.key,
        },
        "entry": {"index": log.index, "leaf": log.leaf},
        "proof": log.proof,
    });
    envelope("release-closed", STUDY, &common(0, own))
}

/// A door that is a list in memory. What is claimed and not acknowledged comes again.
#[derive(Default)]
pub(crate) struct ListDoor {
    pub(crate) waiting: VecDeque<Value>,
    pub(crate) raw: VecDeque<Vec<u8>>,
    pub(crate) claimed: Vec<Vec<u8>>,
    pub(crate) dead: Vec<Vec<u8>>,
    pub(crate) answers: Vec<(String, Map<String, Value>)>,
    pub(crate) taken: Vec<(String, Map<String, Value>)>,
    /// Fails this many times when asked to acknowledge.
    pub(crate) failures: u32,
}

impl ListDoor {
    pub(crate) fn of(messages: impl IntoIterator<Item = Value>) -> Self {
        Self { waiting: messages.into_iter().collect(), ..Self::default() }
    }

    fn failure() -> DoorError {
        DoorError { source: "the broker went away".into(), is_passing: true }
    }

    /// Gives back what was claimed and not acknowledged.
    pub(crate) fn redeliver(&mut self) {
        self.raw.extend(self.claimed.drain(..));
    }
}

impl Door for ListDoor {
    type Token = Vec<u8>;

    fn claim(&mut self, max: usize) -> Result<Vec<Claimed<Vec<u8>>>, DoorError> {
        let waiting = self.waiting.drain(..).map(|message| serde_json::to_vec(&message).unwrap());
        self.raw.extend(waiting);
        let count = max.min(self.raw.len());
        let bodies: Vec<Vec<u8>> = self.raw.drain(..count).collect();
        self.claimed.extend(bodies.iter().cloned());
        Ok(bodies
            .into_iter()
            .map(|body| Claimed { message_id: "not an id".into(), token: body.clone(), body })
            .collect())
    }

    fn acknowledge(&mut self, tokens: Vec<Vec<u8>>) -> Result<(), DoorError> {
        if self.failures > 0 {
            self.failures -= 1;
            return Err(Self::failure());
        }
        self.claimed.retain(|body| !tokens.contains(body));
        Ok(())
    }

    fn refuse(&mut self, token: Vec<u8>) -> Result<(), DoorError> {
        self.claimed.retain(|body| *body != token);
        self.dead.push(token);
        Ok(())
    }

    fn tell_taken(&mut self, message_id: &str, body: &[u8]) -> Result<(), DoorError> {
        let body: Map<String, Value> = serde_json::from_slice(body).unwrap();
        self.taken.push((message_id.to_owned(), body));
        Ok(())
    }

    fn answer(&mut self, message_id: &str, notice: &str, body: &[u8]) -> Result<(), DoorError> {
        let body: Map<String, Value> = serde_json::from_slice(body).unwrap();
        assert_eq!(body["notice"], notice);
        self.answers.push((message_id.to_owned(), body));
        Ok(())
    }
}
