//! The authorisation that each request carries.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::base::edge::Edge;

/// A mailbox's password, and the shared key of its environment. Neither is ever printed.
#[derive(Clone)]
pub struct Secrets {
    password: Zeroizing<String>,
    shared_key: Zeroizing<String>,
}

impl Secrets {
    /// From what their files hold.
    #[must_use]
    pub fn new(password: &str, shared_key: &str) -> Self {
        Self {
            password: Zeroizing::new(password.to_owned()),
            shared_key: Zeroizing::new(shared_key.to_owned()),
        }
    }

    /// `NHSMESH mailbox:nonce:count:YYYYMMDDhhmm:hash`. The nonce is new each time, so its count is
    /// always the first.
    pub(super) fn authorise(&self, mailbox: &str, edge: &Edge) -> String {
        let nonce: String = edge.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        let minute: String = edge.now().to_string().chars().filter(char::is_ascii_digit).take(12).collect();
        let hash = self.hash(mailbox, &nonce, &minute);
        format!("NHSMESH {mailbox}:{nonce}:1:{minute}:{hash}")
    }

    fn hash(&self, mailbox: &str, nonce: &str, minute: &str) -> String {
        let said = Zeroizing::new(format!("{mailbox}:{nonce}:1:{}:{minute}", self.password.as_str()));
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.shared_key.as_bytes()) else {
            return String::new();
        };
        mac.update(said.as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    #[test]
    fn the_hash_is_that_of_the_published_scheme() {
        // Worked out with Python's hmac over `MB:n:1:secret:202503310900` and the key `TestKey`.
        let hash = Secrets::new("secret", "TestKey").hash("MB", "n", "202503310900");
        assert_eq!(hash, "ecf8b46233a8c95bca1f0eefad65532acd39d480cd6d8aa7a186ad3754e428f8");
    }
}
