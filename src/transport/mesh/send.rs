//! Sending, chunk by chunk, each packed by itself.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::transport::http::Method;
use crate::transport::mesh::{Asked, Mailbox, MeshError, answer};

/// A message to send, but for its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The mailbox it is for.
    pub to: String,
    /// What it is for.
    pub workflow: String,
    /// Our own id of it.
    pub local_id: String,
    /// Its subject; empty for none. Nothing that names anybody: the exchange keeps it in the clear.
    pub subject: String,
    /// Its file name; empty for none.
    pub file_name: String,
}

impl Mailbox {
    /// Sends a message, and gives the exchange's id of it once the exchange has all of it.
    ///
    /// # Errors
    /// Where the exchange cannot be reached, or does not take it.
    pub fn send(&self, message: &Outgoing, content: &[u8]) -> Result<String, MeshError> {
        let chunks: Vec<&[u8]> =
            if content.is_empty() { vec![b""] } else { content.chunks(self.chunk_bytes).collect() };
        let all = chunks.len();
        let mut id = String::new();
        for (number, chunk) in (1_usize..).zip(chunks) {
            let body = packed(chunk).map_err(MeshError::Aside)?;
            let text = number.to_string();
            let mut headers = vec![
                ("content-type", "application/octet-stream".to_owned()),
                ("content-encoding", "gzip".to_owned()),
            ];
            if all > 1 {
                headers.push(("mex-chunk-range", format!("{number}:{all}")));
            }
            let first: &[&str] = &["outbox"];
            let later: &[&str] = &["outbox", &id, &text];
            let path = if number == 1 { first } else { later };
            if number == 1 {
                headers.extend(message.headers(&self.name));
            }
            let asked = Asked {
                what: "to take a message",
                method: Method::POST,
                path,
                query: &[],
                headers,
                body: &body,
            };
            let answered = self.ask(&asked)?;
            if number == 1 {
                id = answer::sent(&answered)?;
            }
        }
        Ok(id)
    }
}

impl Outgoing {
    fn headers(&self, from: &str) -> Vec<(&'static str, String)> {
        let fields = [
            ("mex-from", from),
            ("mex-to", &self.to),
            ("mex-workflowid", &self.workflow),
            ("mex-localid", &self.local_id),
            ("mex-subject", &self.subject),
            ("mex-filename", &self.file_name),
        ];
        let filled = fields.into_iter().filter(|(_, value)| !value.is_empty());
        // A header field is one line of ASCII.
        let plain = |value: &str| {
            value.chars().map(|letter| if letter.is_ascii_graphic() { letter } else { ' ' }).collect()
        };
        filled.map(|(name, value)| (name, plain(value))).collect()
    }
}

fn packed(chunk: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(chunk)?;
    packer.finish()
}
