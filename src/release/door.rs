//! What crosses the door: the messages, written and never read.
//!
//! A [`DoorMessage`] is made only in [`gate`](crate::release). It can be serialised and not
//! deserialised, and it has no public field, so whoever holds one can only pass it on. The far
//! side has types of its own; both are held to `schemas/door/*.json` by tests.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::base::id::{NoticeId, ReleaseId};

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DoorKind {
    /// A record that stands from now on.
    Record,
    /// A care home, landlord or provider.
    Setting,
    /// A record that no longer stands.
    Retracted,
    /// A pseudonym that another replaces.
    Superseded,
    /// A withdrawal of consent.
    Withdrawn,
    /// A table over the whole cohort.
    Aggregate,
    /// The end of one release.
    ReleaseClosed,
}

impl DoorKind {
    /// Every kind, in the order of the design.
    pub const ALL: &'static [Self] = &[
        Self::Record,
        Self::Setting,
        Self::Retracted,
        Self::Superseded,
        Self::Withdrawn,
        Self::Aggregate,
        Self::ReleaseClosed,
    ];

    /// The word in `type` and in the name of the schema.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Setting => "setting",
            Self::Retracted => "retracted",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
            Self::Aggregate => "aggregate",
            Self::ReleaseClosed => "release-closed",
        }
    }
}

/// A message for the evaluation side.
#[derive(Clone, PartialEq)]
pub struct DoorMessage {
    message_id: String,
    source: String,
    subject: String,
    study: String,
    data: Data,
}

impl DoorMessage {
    /// Made by the gate alone.
    pub(in crate::release) fn new(
        message_id: String,
        source: String,
        subject: String,
        study: String,
        data: Data,
    ) -> Self {
        Self { message_id, source, subject, study, data }
    }

    /// The same each time the message is sent: 32 hexadecimal digits.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Whom it is about, by pseudonym; the study for one about nobody.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The study.
    #[must_use]
    pub fn study(&self) -> &str {
        &self.study
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> DoorKind {
        self.data.kind()
    }

    /// The message as it is sent: a `CloudEvents` 1.0 JSON document.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let word = self.kind().as_str();
        let event = json!({
            "specversion": "1.0",
            "id": self.message_id,
            "source": self.source,
            "type": format!("wayleave.evaluation.{word}.v1"),
            "subject": self.subject,
            "datacontenttype": "application/json",
            "dataschema": format!("https://wayleave.example/schemas/door/{word}.json"),
            "data": self.data,
        });
        event.to_string().into_bytes()
    }
}

/// What every message says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::release) struct Envelope {
    pub(in crate::release) study: String,
    pub(in crate::release) recipient: String,
    pub(in crate::release) epoch: u32,
    pub(in crate::release) release: ReleaseId,
    pub(in crate::release) incarnation: u64,
}

#[derive(Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(in crate::release) enum Data {
    Record(RecordData),
    Setting(SettingData),
    Retracted(RetractedData),
    Superseded(SupersededData),
    Withdrawn(WithdrawnData),
    Aggregate(AggregateData),
    ReleaseClosed(Box<ClosedData>),
}

impl Data {
    pub(in crate::release) const fn kind(&self) -> DoorKind {
        match self {
            Self::Record(_) => DoorKind::Record,
            Self::Setting(_) => DoorKind::Setting,
            Self::Retracted(_) => DoorKind::Retracted,
            Self::Superseded(_) => DoorKind::Superseded,
            Self::Withdrawn(_) => DoorKind::Withdrawn,
            Self::Aggregate(_) => DoorKind::Aggregate,
            Self::ReleaseClosed(_) => DoorKind::ReleaseClosed,
        }
    }
}

#[derive(Clone, PartialEq, Serialize)]
pub(in crate::release) struct RecordData {
    #[serde(flatten)]
    pub(in crate::release) envelope: Envelope,
    pub(in crate::release) protocol_version: u32,
    pub(in crate::release) kind: &'static str,
    pub(in crate::release) record: String,
    pub(in crate::release) version: u64,
    pub(in crate::release) fields: Map<String, Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::release) missing: BTreeMap<String, &'static str>,
    pub(in crate::release) consent: ConsentData,
    pub(in crate::release) sequence: u64,
}

/// The consent a record is released under.
#[derive(Clone, PartialEq, Serialize)]
pub(in crate::release) struct ConsentData {
    pub(in crate::release) form: String,
    pub(in crate::release) form_version: String,
    pub(in crate::release) decided_on: Day,
}

#[derive(Clone, PartialEq, Serialize)]
pub(in crate::release) struct SettingData {
    #[serde(flatten)]
    pub(in crate::release) envelope: Envelope,
    pub(in crate::release) setting: String,
    pub(in crate::release) fields: Map<String, Value>,
    pub(in crate::release) sequence: u64,
}

#[derive(Clone, PartialEq, Serialize)]
pub(in crate::release) struct RetractedData {
    #[serde(flatten)]
    pub(in crate::release) envelope: Envelope,
    pub(in crate::release) record: String,
    pub(in crate::release) kind: &'static str,
    pub(in crate::release) reason: &'static str,
    pub(in crate::release) sequence: u64,
}

#[derive(Clone, PartialEq, Serialize)]
pub(in crate::release) struct SupersededData {
    #[serde(flatten)]
    pub(in crate::release) envelope: Envelope,
    pub(in crate::release) new: String,
    pub(in crate::release) sequence: u64,
}

#[derive(Clone, PartialEq, Serialize)]
pub(in crate::release) struct WithdrawnData {
    #[serde(flatten)]
    pub(in crate::release) envelope: Envelope,
    pub(in crate::release) notice: NoticeId,
    pub(in crate::release) scope: &'static str,
    pub(in crate::release) decided_on: Day,
    pub(in crate::release) sequence: u64,
}

#[derive(Clone, PartialEq, Serialize)]
pub(in crate::release) struct AggregateData {
    #[serde(flatten)]
    pub(in crate::release) envelope: Envelope,
    pub(in crate::release) protocol_version: u32,
    #[serde(flatten)]
    pub(in crate::release) table: Table,
}

/// A whole-cohort table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// Its name: small letters, digits and hyphens.
    #[serde(rename = "table")]
    pub name: String,
    /// Its title.
    pub title: String,
    /// What was counted, over whom, and under which approval.
    pub description: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows: column name to value.
    pub rows: Vec<Map<String, Value>>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as Data Package 2.0 names it.
    #[serde(rename = "type")]
    pub holds: &'static str,
    /// Its heading.
    pub label: String,
}

#[derive(Clone, PartialEq, Serialize)]
pub(in crate::release) struct ClosedData {
    #[serde(flatten)]
    pub(in crate::release) envelope: Envelope,
    pub(in crate::release) protocol_version: u32,
    pub(in crate::release) protocol: Value,
    #[serde(flatten)]
    pub(in crate::release) closing: Closing,
}

/// What a release says when it closes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Closing {
    /// Instant up to which consent and records were taken.
    #[serde(serialize_with = "as_text")]
    pub cut_off: Instant,
    /// The same as a day in London.
    pub cut_off_day: Day,
    /// Mappings that read what was released.
    pub mappings: Vec<MappingUsed>,
    /// Messages sent in this release, by door kind and by record kind.
    pub counts: BTreeMap<String, u64>,
    /// What must stand: people, and records by kind.
    pub totals: BTreeMap<String, u64>,
    /// Records or fields kept back, by reason.
    pub withheld: BTreeMap<String, u64>,
    /// How subjects were linked into people.
    pub linkage: BTreeMap<String, u64>,
    /// Signed head of the audit log.
    pub checkpoint: CheckpointText,
    /// Place and leaf hash of this release in the log.
    pub entry: EntryText,
    /// Hashes that lead from the leaf to the root, hexadecimal.
    pub proof: Vec<String>,
}

/// A mapping that read what was released.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MappingUsed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u64,
    /// SHA-256 of its text, hexadecimal.
    pub hash: String,
}

/// A signed head of the log, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckpointText {
    /// The gateway whose log it is.
    pub origin: String,
    /// Entries in the log.
    pub size: u64,
    /// Root hash.
    pub root: String,
    /// Ed25519 signature.
    pub signature: String,
    /// Public key that made it.
    pub key: String,
}

/// A place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryText {
    /// Index from 0.
    pub index: u64,
    /// Leaf hash, hexadecimal.
    pub leaf: String,
}

fn as_text<T: std::fmt::Display, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        AggregateData, CheckpointText, ClosedData, Closing, Column, ConsentData, Data, DoorKind, DoorMessage,
        EntryText, Envelope, MappingUsed, RecordData, RetractedData, SettingData, SupersededData, Table,
        WithdrawnData,
    };
    use crate::base::edge::Instant;
    use crate::base::id::{NoticeId, ReleaseId};

    const PSEUDONYM: &str = "S01-0123-4567-89AB-CDEF-G";
    const RECORD: &str = "0123456789abcdefghjkmnpqrs";

    fn envelope() -> Envelope {
        Envelope {
            study: "a-study".to_owned(),
            recipient: "university".to_owned(),
            epoch: 1,
            release: ReleaseId::from_bits(1),
            incarnation: 1,
        }
    }

    fn closing() -> Closing {
        let hex = |n: usize| "0".repeat(n);
        Closing {
            cut_off: Instant::from_unix_ms(0),
            cut_off_day: "1970-01-01".parse().unwrap(),
            mappings: vec![MappingUsed { name: "council/cld".to_owned(), version: 2, hash: hex(64) }],
            counts: [("record".to_owned(), 1)].into(),
            totals: [("people".to_owned(), 1)].into(),
            withheld: [("no-consent".to_owned(), 1)].into(),
            linkage: [("subjects".to_owned(), 2)].into(),
            checkpoint: CheckpointText {
                origin: "wayleave/gateway".to_owned(),
                size: 1,
                root: hex(64),
                signature: hex(128),
                key: hex(64),
            },
            entry: EntryText { index: 0, leaf: hex(64) },
            proof: vec![hex(64)],
        }
    }

    fn data(kind: DoorKind) -> (&'static str, Data) {
        let fields = json!({"sex": "male"}).as_object().unwrap().clone();
        let day = "2020-01-01".parse().unwrap();
        let envelope = envelope();
        let sequence = 1;
        match kind {
            DoorKind::Record => {
                let consent =
                    ConsentData { form: "CF".to_owned(), form_version: "2".to_owned(), decided_on: day };
                let missing = [("ethnicity".to_owned(), "no-consent")].into();
                (
                    PSEUDONYM,
                    Data::Record(RecordData {
                        envelope,
                        protocol_version: 1,
                        kind: "person",
                        record: RECORD.to_owned(),
                        version: 1,
                        fields,
                        missing,
                        consent,
                        sequence,
                    }),
                )
            }
            DoorKind::Setting => (
                RECORD,
                Data::Setting(SettingData { envelope, setting: RECORD.to_owned(), fields, sequence }),
            ),
            DoorKind::Retracted => {
                let record = RECORD.to_owned();
                let reason = "corrected";
                (
                    PSEUDONYM,
                    Data::Retracted(RetractedData { envelope, record, kind: "star", reason, sequence }),
                )
            }
            DoorKind::Superseded => (
                PSEUDONYM,
                Data::Superseded(SupersededData { envelope, new: PSEUDONYM.to_owned(), sequence }),
            ),
            DoorKind::Withdrawn => {
                let notice = NoticeId::from_bits(1);
                let scope = "no-further-use";
                (
                    PSEUDONYM,
                    Data::Withdrawn(WithdrawnData { envelope, notice, scope, decided_on: day, sequence }),
                )
            }
            DoorKind::Aggregate => {
                let column = Column { name: "n".to_owned(), holds: "integer", label: "People".to_owned() };
                let table = Table {
                    name: "eligible".to_owned(),
                    title: "Eligible".to_owned(),
                    description: "People".to_owned(),
                    columns: vec![column],
                    rows: vec![json!({"n": 116}).as_object().unwrap().clone()],
                };
                ("a-study", Data::Aggregate(AggregateData { envelope, protocol_version: 1, table }))
            }
            DoorKind::ReleaseClosed => {
                let protocol = json!({"title": "A study", "tier": "secure", "kinds": [
                    {"kind": "person", "description": "A person", "fields": []}
                ]});
                let closed = ClosedData { envelope, protocol_version: 1, protocol, closing: closing() };
                ("a-study", Data::ReleaseClosed(Box::new(closed)))
            }
        }
    }

    #[test]
    fn every_kind_fits_its_schema() {
        for kind in DoorKind::ALL {
            let (subject, data) = data(*kind);
            let source = "wayleave/test".to_owned();
            let message =
                DoorMessage::new("0".repeat(32), source, subject.to_owned(), "a-study".to_owned(), data);
            assert_eq!(message.kind(), *kind);
            let path = format!("{}/schemas/door/{}.json", env!("CARGO_MANIFEST_DIR"), kind.as_str());
            let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            let sent: Value = serde_json::from_slice(&message.to_bytes()).unwrap();
            let faults: Vec<String> = jsonschema::validator_for(&schema)
                .unwrap()
                .iter_errors(&sent)
                .map(|fault| format!("{}: {fault}", fault.instance_path().as_str()))
                .collect();
            assert_eq!(faults, Vec::<String>::new(), "{}", kind.as_str());
        }
    }
}
