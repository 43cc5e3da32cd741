//! What goes back: it names a notice, or messages by the ids that the gateway gave them, and nothing
//! else, signed with this side's own key.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signer as _, SigningKey};
use serde::Serialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What is signed begins with this, so that no other signature can pass for an answer.
const SIGNED_AS: &str = "wayleave/acknowledgement/v1";

/// What an answer says of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It has arrived.
    Acknowledged,
    /// The person has been removed from the evaluation store.
    Removed,
}

impl Answer {
    /// The word in the answer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Removed => "removed",
        }
    }
}

#[derive(Serialize)]
struct Taken<'b> {
    messages: &'b [String],
    kind: &'static str,
    signature: String,
}

#[derive(Serialize)]
struct Body<'b> {
    notice: &'b str,
    kind: Answer,
    signature: String,
}

/// The evaluation side's signing key.
pub struct Signer(SigningKey);

/// Why a key cannot be used. Nothing of the file is told.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the evaluation key {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{} holds no key: expected 64 hexadecimal digits", file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
    },
}

impl KeyError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Unreadable { .. } | Self::Wrong { .. } => false,
        }
    }
}

impl Signer {
    /// The key in a file: 64 hexadecimal digits.
    ///
    /// # Errors
    /// Where the file cannot be read or holds something else.
    pub fn read(file: &Path) -> Result<Self, KeyError> {
        let text = std::fs::read_to_string(file)
            .map(Zeroizing::new)
            .map_err(|source| KeyError::Unreadable { file: file.to_owned(), source })?;
        let wrong = || KeyError::Wrong { file: file.to_owned() };
        let digits = text.trim().as_bytes();
        let mut seed = Zeroizing::new([0; 32]);
        if digits.len() != 2 * seed.len() {
            return Err(wrong());
        }
        for (byte, pair) in seed.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_digits| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_digits| wrong())?;
        }
        Ok(Self::from_seed(&seed))
    }

    /// The key of that seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The key that answers are checked with, as 64 hexadecimal digits.
    #[must_use]
    pub fn public_key(&self) -> String {
        hex(self.0.verifying_key().as_bytes())
    }

    /// An answer, with the message id under which it is sent each time.
    #[must_use]
    pub fn answer(&self, notice: &str, answer: Answer) -> (String, Vec<u8>) {
        let signed = format!("{SIGNED_AS}\n{notice}\n{}", answer.as_str());
        let signature = hex(&self.0.sign(signed.as_bytes()).to_bytes());
        let body = serde_json::to_vec(&Body { notice, kind: answer, signature }).unwrap_or_default();
        (digest(&[signed.as_bytes()]), body)
    }
}

impl Signer {
    /// That this side has these messages, with the message id under which that is sent each time.
    #[must_use]
    pub fn taken(&self, messages: &[String]) -> (String, Vec<u8>) {
        let signed = format!("{SIGNED_AS}\n{}\ntaken", messages.join(","));
        let signature = hex(&self.0.sign(signed.as_bytes()).to_bytes());
        let body = serde_json::to_vec(&Taken { messages, kind: "taken", signature }).unwrap_or_default();
        (digest(&[signed.as_bytes()]), body)
    }
}

/// The first 128 bits of the SHA-256 of these, as 32 hexadecimal digits.
pub(crate) fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hex(hash.finalize().get(..16).unwrap_or_default())
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to memory does not fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}
