//! HL7 v2 messages that a source sends one by one over an open connection: looked at, sealed, and
//! kept before they are acknowledged.
//!
//! A message is kept as an event is, by [`deliver`], and goes the same way
//! from there. What is wrong with it is told to its sender at once, by codes and places, and it is
//! then not kept: the sender still has it.

use std::io::Cursor;

use crate::base::finding::{Code, Finding, Severity};
use crate::base::id::ReceiptId;
use crate::base::origin::Origin;
use crate::base::private::Private;
use crate::base::seal::{DataKey, Hasher};
use crate::config::Mllp;
use crate::format::hl7v2::Head;
use crate::format::hl7v2::answer::{Fault, Verdict, Why, answer};
use crate::format::settings::FormatKind;
use crate::format::source::MemorySpool;
use crate::format::{Refused, reader};
use crate::gateway::deliver::{self, Ready};
use crate::gateway::feed::Feed;
use crate::gateway::{Gateway, GatewayError};
use crate::mapping::Outcome;
use crate::mapping::read::Bound;
use crate::store::delivery::{Delivery, Shape};

/// The way in of one feed's messages.
pub struct Inlet {
    gateway: Gateway,
    /// The feed that they belong to.
    pub feed: Feed,
    application: String,
    facility: String,
    bound: Bound,
    seal: DataKey,
    ids: Hasher,
    contents: Hasher,
}

/// An answer, and how it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What is told.
    pub verdict: Verdict,
    /// The bytes; none where the sender wants no answer of this kind.
    pub bytes: Option<Vec<u8>>,
}

impl Answer {
    /// The word by which it is counted.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Accepted => "accepted",
            Verdict::Wrong => "wrong",
            Verdict::Refused => "refused",
        }
    }
}

/// A message, looked at.
pub enum Looked {
    /// It may be kept. The reply says what is answered then.
    Ready(Box<Ready>, Reply),
    /// It is not kept.
    Refused(Answer),
}

/// Makes the answer to one message.
pub struct Reply {
    head: Option<Head>,
    gateway: Gateway,
}

impl Inlet {
    /// The way in to a feed.
    ///
    /// # Errors
    /// Where the feed's mapping does not read HL7 v2 messages, or the store or a key fails.
    pub fn open(gateway: &Gateway, feed: &Feed, settings: &Mllp) -> Result<Self, GatewayError> {
        let reads_messages = matches!(&feed.mapping.settings.format, FormatKind::Hl7v2(_));
        let bound = feed.mapping.bind(None, &Origin::default()).ok().filter(|_| reads_messages);
        let index = &gateway.keys.index;
        Ok(Self {
            bound: bound.ok_or_else(|| GatewayError::NotMessages { feed: feed.full_name() })?,
            application: settings.application.clone(),
            facility: settings.facility.clone(),
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

    /// Looks at a message as the second step will: whose it is, and whether anything can be made of
    /// it. Who is in scope and what is new is decided there.
    #[must_use]
    pub fn look(&self, message: Vec<u8>) -> Looked {
        let message = with_one_end(message);
        let reply = Reply { head: Head::of(&message), gateway: self.gateway.clone() };
        let Some(head) = &reply.head else {
            let said = "expected a message that begins with `MSH|^~\\&`";
            let finding = Finding::new(Code::Hl7v2Head, Origin::default(), said);
            return Looked::Refused(reply.answer(Verdict::Wrong, &[Fault::of(&finding)]));
        };
        if let Some(fault) = self.misdirected(head) {
            return Looked::Refused(reply.answer(Verdict::Refused, &[fault]));
        }
        if let Some(fault) = without_id(head) {
            return Looked::Refused(reply.answer(Verdict::Wrong, &[fault]));
        }
        let faults = self.faults(&message);
        if !faults.is_empty() {
            let is_test = faults.iter().any(|fault| fault.why == Why::ProcessingId);
            let verdict = if is_test { Verdict::Refused } else { Verdict::Wrong };
            return Looked::Refused(reply.answer(verdict, &faults));
        }
        Looked::Ready(Box::new(Ready::of(self.delivery(head, message))), reply)
    }

    /// The answer to a message that was larger than allowed, of which nothing was read.
    #[must_use]
    pub fn too_large(&self) -> Answer {
        let finding = Finding::new(
            Code::UnitTooLarge,
            Origin::default(),
            "expected a message, found one larger than any can be",
        );
        Reply { head: None, gateway: self.gateway.clone() }.answer(Verdict::Wrong, &[Fault::of(&finding)])
    }

    /// That a message is for somebody else.
    fn misdirected(&self, head: &Head) -> Option<Fault> {
        let wrong = |place: &str, setting: &str| Fault {
            why: Why::TableValue,
            place: place.to_owned(),
            code: "mllp/receiver".to_owned(),
            expected: format!("expected the receiving {setting} of this gateway"),
        };
        let is_other = |wanted: &str, found: &[u8]| !wanted.is_empty() && wanted.as_bytes() != found;
        if is_other(&self.application, head.component(5, 1)) {
            return Some(wrong("MSH-5", "application"));
        }
        is_other(&self.facility, head.component(6, 1)).then(|| wrong("MSH-6", "facility"))
    }

    /// Why nothing can be made of a message; nothing where something can.
    fn faults(&self, message: &[u8]) -> Vec<Fault> {
        let source = Box::new(Cursor::new(message.to_vec()));
        let opened = reader::open(source, &self.feed.mapping.settings, &Origin::default(), &MemorySpool);
        let mut messages = match opened {
            Ok(messages) => messages,
            Err(Refused::File(findings)) => return findings.kept().iter().map(Fault::of).collect(),
            Err(Refused::Machine(_)) => return vec![unreadable()],
        };
        let faults = match messages.next() {
            Ok(Some(arrival)) => {
                let reading = self.bound.read(&arrival, &Origin::default());
                let errors = reading.findings.iter().filter(|finding| finding.severity == Severity::Error);
                match reading.outcome {
                    Outcome::Rejected => errors.map(Fault::of).collect(),
                    Outcome::Quarantined | Outcome::Filtered | Outcome::Records => Vec::new(),
                }
            }
            _ => vec![unreadable()],
        };
        match messages.next() {
            _ if !faults.is_empty() => faults,
            Ok(None) => Vec::new(),
            // One frame, one message, one answer.
            _ => vec![unreadable()],
        }
    }

    fn delivery(&self, head: &Head, message: Vec<u8>) -> Delivery {
        let edge = &self.gateway.edge;
        let id = ReceiptId::mint(edge).to_string();
        // By the feed and by who sends, since each counts by itself.
        let sent: [&[u8]; 5] =
            [b"message", self.feed.name.as_bytes(), head.field(3), head.field(4), head.control_id()];
        Delivery {
            source: self.feed.source.clone(),
            feed: self.feed.name.clone(),
            id_hash: self.ids.hash(sent).as_bytes().to_vec(),
            content_hash: self.contents.hash([message.as_slice()]).as_bytes().to_vec(),
            credential: "mllp".to_owned(),
            shape: Shape::Message.as_str().to_owned(),
            units: 1,
            sealed: Some(
                self.seal.seal(edge, &deliver::label(&id), &Private::new(message)).as_bytes().to_vec(),
            ),
            received_at: edge.now().to_string(),
            repeats: 0,
            batch_id: None,
            first_unit: None,
            id,
        }
    }
}

impl Reply {
    /// The answer to a message that is kept, now or since it was sent first.
    #[must_use]
    pub fn accept(&self) -> Answer {
        self.answer(Verdict::Accepted, &[])
    }

    /// The answer to a message whose control id was another's.
    #[must_use]
    pub fn id_reused(&self) -> Answer {
        let fault = Fault {
            why: Why::DuplicateKey,
            place: "MSH-10".to_owned(),
            code: "mllp/control-id".to_owned(),
            expected: "expected a control id of its own, found that of another message".to_owned(),
        };
        self.answer(Verdict::Wrong, &[fault])
    }

    /// The answer where it cannot be kept just now.
    #[must_use]
    pub fn not_ready(&self) -> Answer {
        let fault = Fault {
            why: Why::Internal,
            place: String::new(),
            code: "mllp/not-ready".to_owned(),
            expected: "not kept; send it again in a while".to_owned(),
        };
        self.answer(Verdict::Refused, &[fault])
    }

    fn answer(&self, verdict: Verdict, faults: &[Fault]) -> Answer {
        let edge = &self.gateway.edge;
        // As long as a control id may be (HL7 v2.4: MSH-10 has 20 characters).
        let id = edge.bytes::<10>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Answer { verdict, bytes: answer(self.head.as_ref(), verdict, faults, edge.now(), &id) }
    }
}

/// That a message cannot be told from another.
fn without_id(head: &Head) -> Option<Fault> {
    let said = "expected a control id, by which the answer names the message";
    let why = match () {
        () if head.is_too_long(10) => Why::DataType,
        () if head.control_id().is_empty() => Why::RequiredField,
        () => return None,
    };
    Some(Fault {
        why,
        place: "MSH-10".to_owned(),
        code: "mllp/control-id".to_owned(),
        expected: said.to_owned(),
    })
}

fn unreadable() -> Fault {
    Fault {
        why: Why::SegmentSequence,
        place: String::new(),
        code: Code::Hl7v2Segment.as_str().to_owned(),
        expected: "expected one message in a frame, and no batch".to_owned(),
    }
}

/// A message whose last segment is ended, as those that stand in a file are.
fn with_one_end(mut message: Vec<u8>) -> Vec<u8> {
    while message.last().is_some_and(u8::is_ascii_whitespace) {
        message.pop();
    }
    message.push(b'\r');
    let begins = message.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    message.drain(..begins);
    message
}
