//! The envelopes of a file of signed events: whether each line's signature holds, and its id.
//!
//! A kept file is an archive, so the five minutes that the specification allows a webhook to
//! travel are not asked for here; what protects against replay is the inbox, which knows each id
//! for as long as the records are kept. Events that were posted were asked for their age when they
//! came; a batch of them is known by the store, so nobody can pass a file off as one.

use std::io::{BufRead, BufReader, Read as _};

use serde::Deserialize;

use crate::base::finding::Code;
use crate::base::limit::UNIT_BYTES_MAX;
use crate::base::seal::{Hasher, IndexKey, KeyedHash};
use crate::format::FormatError;
use crate::gateway::kept::KeptFile;
use crate::transport::webhook::Secrets;

/// What the envelope of a unit says.
pub(super) enum Event {
    /// The signature holds; the keyed hash of its id.
    Signed(KeyedHash),
    /// It cannot be believed.
    Refused(Code),
}

/// Reads envelopes beside the units, line by line.
pub(super) struct Envelopes {
    lines: BufReader<KeptFile>,
    line: u64,
    text: Vec<u8>,
    trust: Trust,
    ids: Hasher,
}

/// Why events are believed.
pub(super) enum Trust {
    /// Each line is signed with one of these.
    Signed(Secrets),
    /// They were posted, and whoever sent them was known when they came.
    Posted,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "webhook-id")]
    id: String,
    #[serde(rename = "webhook-timestamp")]
    timestamp: String,
    /// Which of a list of events that were posted together.
    #[serde(rename = "webhook-part")]
    part: Option<u64>,
    #[serde(rename = "webhook-signature")]
    signature: String,
    body: String,
}

impl Envelopes {
    pub(super) fn new(file: KeptFile, trust: Trust, index: &IndexKey, source: &str) -> Self {
        Self {
            lines: BufReader::new(file),
            line: 0,
            text: Vec::new(),
            trust,
            ids: index.hasher(&format!("webhook/{source}")),
        }
    }

    /// The event on a line of the file. Lines are asked for in rising order.
    pub(super) fn event(&mut self, line: u64) -> Result<Event, FormatError> {
        while self.line < line {
            self.text.clear();
            let bytes_max = u64::try_from(UNIT_BYTES_MAX).unwrap_or(u64::MAX);
            let read = self.lines.by_ref().take(bytes_max).read_until(b'\n', &mut self.text);
            if read.map_err(FormatError::Read)? == 0 {
                return Ok(Event::Refused(Code::WebhookEnvelope));
            }
            self.line += 1;
        }
        let text = self.text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.text);
        // The error quotes the line, so it is dropped.
        let Ok(envelope) = serde_json::from_slice::<Envelope>(text) else {
            return Ok(Event::Refused(Code::WebhookEnvelope));
        };
        let Envelope { id, timestamp, part, signature, body } = envelope;
        let part = match &self.trust {
            Trust::Posted => part.map(u64::to_be_bytes),
            Trust::Signed(secrets) if secrets.signed(&id, &timestamp, &signature, body.as_bytes()) => None,
            Trust::Signed(_) => return Ok(Event::Refused(Code::WebhookSignature)),
        };
        let parts = [Some(id.as_bytes()), part.as_ref().map(<[u8; 8]>::as_slice)];
        Ok(Event::Signed(self.ids.hash(parts.into_iter().flatten())))
    }
}
