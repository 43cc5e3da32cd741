//! What a message at the door is, as this side reads it.
//!
//! The types here can be read and not written: nothing on this side can make a message. Every
//! body is checked against its published schema before any type is filled, and what is told of
//! a body that does not fit names the place in our schema, never anything of the body.

pub mod check;
pub mod protocol;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::base::day::Day;
use crate::base::finding::{Code, Finding};
use crate::base::id::{NoticeId, ReleaseId};
use crate::base::limit::MESSAGE_BYTES_MAX;
use crate::base::origin::Origin;
use crate::evaluation::door::protocol::{Field, MappingUsed, Protocol};

/// The kinds of message that cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Record,
        Self::Setting,
        Self::Retracted,
        Self::Superseded,
        Self::Withdrawn,
        Self::Aggregate,
        Self::ReleaseClosed,
    ];

    /// The word in types and file names.
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

    /// Its JSON Schema, as published.
    #[must_use]
    pub const fn schema(self) -> &'static str {
        match self {
            Self::Record => include_str!("../../schemas/door/record.json"),
            Self::Setting => include_str!("../../schemas/door/setting.json"),
            Self::Retracted => include_str!("../../schemas/door/retracted.json"),
            Self::Superseded => include_str!("../../schemas/door/superseded.json"),
            Self::Withdrawn => include_str!("../../schemas/door/withdrawn.json"),
            Self::Aggregate => include_str!("../../schemas/door/aggregate.json"),
            Self::ReleaseClosed => include_str!("../../schemas/door/release-closed.json"),
        }
    }

    fn of_type(message_type: &str) -> Option<Self> {
        let word = message_type.strip_prefix("wayleave.evaluation.")?.strip_suffix(".v1")?;
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// A message that fits.
pub struct Incoming {
    /// The same each time the message is sent.
    pub message_id: String,
    /// Study it belongs to.
    pub study: String,
    /// Whom or what it is about, by pseudonym; the study, where it is about no one.
    pub subject: String,
    /// What it says.
    pub message: Message,
    /// Its data as JSON text, for those kinds that are kept as they came.
    pub kept: Option<String>,
}

/// What a message says.
pub enum Message {
    /// A record that stands from now on.
    Record(Box<Record>),
    /// A care home, landlord or provider.
    Setting(Box<Setting>),
    /// A record that no longer stands.
    Retracted(Retracted),
    /// A pseudonym that another replaces.
    Superseded(Superseded),
    /// A withdrawal of consent.
    Withdrawn(Withdrawn),
    /// A table over the whole cohort. Kept as it came.
    Aggregate(Box<Aggregate>),
    /// The end of one release. Kept as it came.
    ReleaseClosed(Box<ReleaseClosed>),
}

/// Where a message stands among all about its subject: the life of the gateway, then the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// One more each time the gateway is restored from a backup.
    pub incarnation: i64,
    /// Rises with every message about the subject.
    pub sequence: i64,
}

/// The consent a record was released under.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The form.
    pub form: String,
    /// Its version.
    pub form_version: String,
    /// Day of the decision.
    pub decided_on: Day,
}

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// Study it belongs to.
            pub study: String,
            /// Organisation it is for.
            pub recipient: String,
            /// Epoch of the study key.
            pub epoch: i64,
            /// Release that sent it.
            pub release: ReleaseId,
            /// Life of the gateway.
            pub incarnation: i64,
            $($(#[$field_doc])* pub $field: $type,)*
        }
    )*};
}

messages! {
    /// A record that stands from now on.
    Record {
        /// Version of the protocol.
        protocol_version: i64,
        /// Kind of the record.
        kind: String,
        /// Pseudonym of the record.
        record: String,
        /// Version of the record.
        version: i64,
        /// Released fields.
        fields: Map<String, Value>,
        /// Why a field has no value.
        #[serde(default)]
        missing: BTreeMap<String, String>,
        /// The consent it was released under.
        consent: Consent,
        /// Rises with every message about the subject.
        sequence: i64,
    }
    /// A care home, landlord or provider.
    Setting {
        /// Its pseudonym.
        setting: String,
        /// Released fields.
        fields: Map<String, Value>,
        /// Why a field has no value.
        #[serde(default)]
        missing: BTreeMap<String, String>,
        /// Rises with every message about the subject.
        sequence: i64,
    }
    /// A record that no longer stands.
    Retracted {
        /// Pseudonym of the record.
        record: String,
        /// Kind of the record.
        kind: String,
        /// Why.
        reason: String,
        /// Rises with every message about the subject.
        sequence: i64,
    }
    /// A pseudonym that another replaces.
    Superseded {
        /// The one that stands from now on.
        new: String,
        /// Rises with every message about the subject.
        sequence: i64,
    }
    /// A withdrawal of consent.
    Withdrawn {
        /// Notice to acknowledge.
        notice: NoticeId,
        /// How far it goes.
        scope: Scope,
        /// Day of the withdrawal.
        decided_on: Day,
        /// Rises with every message about the subject.
        sequence: i64,
    }
    /// A table over the whole cohort.
    Aggregate {
        /// Version of the protocol.
        protocol_version: i64,
        /// Name of the table.
        table: String,
        /// Heading.
        #[serde(default)]
        title: Option<String>,
        /// What was counted.
        #[serde(default)]
        description: Option<String>,
        /// Its columns.
        columns: Vec<Field>,
        /// Its rows.
        rows: Vec<Map<String, Value>>,
    }
    /// The end of one release.
    ReleaseClosed {
        /// Version of the protocol.
        protocol_version: i64,
        /// What a codebook needs.
        protocol: Protocol,
        /// Instant up to which consent and records were taken.
        cut_off: String,
        /// The same as a day in London.
        cut_off_day: Day,
        /// The mappings that made the records.
        mappings: Vec<MappingUsed>,
        /// Messages sent in this release.
        counts: BTreeMap<String, i64>,
        /// What must stand when it has been collected.
        totals: BTreeMap<String, i64>,
        /// Kept back, by reason.
        #[serde(default)]
        withheld: BTreeMap<String, i64>,
        /// How subjects were linked.
        linkage: Map<String, Value>,
        /// Signed head of the gateway's audit log.
        checkpoint: Map<String, Value>,
        /// Place of this release in the log.
        #[serde(default)]
        entry: Option<Map<String, Value>>,
        /// Hashes that lead from the leaf to the root.
        proof: Vec<String>,
    }
}

/// How far a withdrawal goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Do not approach the person again; nothing for this side to do.
    NoContact,
    /// Take nothing new; what was released stays.
    NoNewData,
    /// Remove what was released.
    NoFurtherUse,
}

impl Scope {
    /// The word in the message and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoContact => "no-contact",
            Self::NoNewData => "no-new-data",
            Self::NoFurtherUse => "no-further-use",
        }
    }

    /// The scope of that word. An unknown one goes furthest.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "no-contact" => Self::NoContact,
            "no-new-data" => Self::NoNewData,
            _ => Self::NoFurtherUse,
        }
    }
}

#[derive(Deserialize)]
struct Envelope<D> {
    id: String,
    subject: String,
    data: D,
}

/// Reads one body, strictly.
///
/// # Errors
/// A finding that says which part of our schema the body does not fit, and quotes nothing of it.
pub fn read(body: &[u8]) -> Result<Incoming, Finding> {
    if body.len() > MESSAGE_BYTES_MAX {
        return Err(finding(Code::DoorInvalid, "a message within the size limit"));
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Err(finding(Code::DoorInvalid, "a message in JSON"));
    };
    let Some(kind) = value.get("type").and_then(Value::as_str).and_then(DoorKind::of_type) else {
        return Err(finding(Code::DoorUnknown, "a `type` that has a schema under schemas/door"));
    };
    if let Some(place) = check::fault(kind, &value) {
        let expected = format!("a message that fits schemas/door/{}.json at {place}", kind.as_str());
        return Err(finding(Code::DoorInvalid, &expected));
    }
    match kind {
        DoorKind::Record => typed(kind, value, |data| Message::Record(Box::new(data))),
        DoorKind::Setting => typed(kind, value, |data| Message::Setting(Box::new(data))),
        DoorKind::Retracted => typed(kind, value, Message::Retracted),
        DoorKind::Superseded => typed(kind, value, Message::Superseded),
        DoorKind::Withdrawn => typed(kind, value, Message::Withdrawn),
        DoorKind::Aggregate => typed(kind, value, |data| Message::Aggregate(Box::new(data))),
        DoorKind::ReleaseClosed => typed(kind, value, |data| Message::ReleaseClosed(Box::new(data))),
    }
}

fn typed<D: DeserializeOwned>(
    kind: DoorKind,
    value: Value,
    wrap: impl FnOnce(D) -> Message,
) -> Result<Incoming, Finding> {
    let kept = matches!(kind, DoorKind::Aggregate | DoorKind::ReleaseClosed)
        .then(|| value.get("data").map(Value::to_string))
        .flatten();
    // The error would quote the value, so it is dropped.
    let Ok(envelope) = serde_json::from_value::<Envelope<D>>(value) else {
        let expected = format!("a `{}` whose days are on the calendar", kind.as_str());
        return Err(finding(Code::DoorInvalid, &expected));
    };
    let message = wrap(envelope.data);
    let study = message.study().to_owned();
    let expected = match &message {
        Message::Setting(setting) => Some(setting.setting.as_str()),
        Message::Aggregate(_) | Message::ReleaseClosed(_) => Some(study.as_str()),
        Message::Record(_) | Message::Retracted(_) | Message::Superseded(_) | Message::Withdrawn(_) => None,
    };
    if expected.is_some_and(|expected| expected != envelope.subject) {
        return Err(finding(Code::DoorInvalid, "a `subject` that is what the data is about"));
    }
    Ok(Incoming { message_id: envelope.id, study, subject: envelope.subject, message, kept })
}

impl Message {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> DoorKind {
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

    /// The study it belongs to.
    #[must_use]
    pub fn study(&self) -> &str {
        match self {
            Self::Record(data) => &data.study,
            Self::Setting(data) => &data.study,
            Self::Retracted(data) => &data.study,
            Self::Superseded(data) => &data.study,
            Self::Withdrawn(data) => &data.study,
            Self::Aggregate(data) => &data.study,
            Self::ReleaseClosed(data) => &data.study,
        }
    }
}

fn finding(code: Code, expected: &str) -> Finding {
    Finding::new(code, Origin::default(), expected)
}
