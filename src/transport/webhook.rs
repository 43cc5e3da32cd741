//! Signatures of webhooks, after the Standard Webhooks specification
//! (github.com/standard-webhooks/standard-webhooks, spec 1.0, sections "Signature scheme" and
//! "Verifying webhook authenticity").
//!
//! What is signed is `id.timestamp.body` over the raw bytes, with HMAC-SHA-256. A header may hold
//! several signatures, and a receiver several secrets, so that secrets can be rotated.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of a secret, by the specification.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The secrets of one source, any of which may sign: two while one is being replaced.
#[derive(Clone)]
pub struct Secrets(Vec<Zeroizing<Vec<u8>>>);

/// Why a text holds no secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a secret a line, as `whsec_` and the base64 of 24 to 64 bytes")]
pub struct NotSecrets;

impl Secrets {
    /// The secrets in a text, one a line.
    ///
    /// # Errors
    /// Where a line is no secret, or there is none.
    pub fn parse(text: &str) -> Result<Self, NotSecrets> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let secrets: Vec<_> = lines
            .map(|line| {
                let bytes = STANDARD.decode(line.strip_prefix("whsec_").ok_or(NotSecrets)?);
                let bytes = Zeroizing::new(bytes.map_err(|_base64| NotSecrets)?);
                if SECRET_BYTES.contains(&bytes.len()) { Ok(bytes) } else { Err(NotSecrets) }
            })
            .collect::<Result<_, _>>()?;
        if secrets.is_empty() { Err(NotSecrets) } else { Ok(Self(secrets)) }
    }

    /// True if one of these secrets signed this body. Takes the same time for a near miss as for
    /// a far one.
    #[must_use]
    pub fn signed(&self, id: &str, timestamp: &str, signatures: &str, body: &[u8]) -> bool {
        signatures
            .split(' ')
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            .any(|signature| {
                let is_of = |mac: Hmac<Sha256>| mac.verify_slice(&signature).is_ok();
                self.0.iter().any(|secret| keyed(secret, id, timestamp, body).is_some_and(is_of))
            })
    }

    /// What the header `webhook-signature` of this body holds: one signature by each secret, so
    /// that a receiver who has either of two takes it. `timestamp` is in seconds since 1970.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let signatures = self.0.iter().filter_map(|secret| keyed(secret, id, timestamp, body));
        let signatures = signatures.map(|mac| format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
        signatures.collect::<Vec<_>>().join(" ")
    }
}

/// The keyed hash of what is signed. HMAC takes a key of any length (RFC 2104, section 2), so there
/// always is one.
fn keyed(secret: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::{NotSecrets, Secrets};

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const OTHER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const AT: &str = "1649367553";
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    #[test]
    fn the_published_vector_holds() {
        let secrets = Secrets::parse(SECRET).unwrap();
        assert!(secrets.signed(ID, AT, SIGNATURE, BODY));
        assert!(secrets.signed(ID, AT, &format!("v1,AAAA v2,x {SIGNATURE}"), BODY));
        assert!(!secrets.signed(ID, AT, SIGNATURE, b"{}"));
        assert!(!secrets.signed(ID, "1649367554", SIGNATURE, BODY));
        assert!(!secrets.signed(ID, AT, "", BODY));
        assert_eq!(secrets.sign(ID, AT, BODY), SIGNATURE);
    }

    #[test]
    fn two_secrets_live_at_once() {
        let secrets = Secrets::parse(&format!("# rotated in March\n{OTHER}\n{SECRET}\n")).unwrap();
        assert!(secrets.signed(ID, AT, SIGNATURE, BODY));
        assert!(!Secrets::parse(OTHER).unwrap().signed(ID, AT, SIGNATURE, BODY));
        let signed = secrets.sign(ID, AT, BODY);
        for secret in [SECRET, OTHER] {
            assert!(Secrets::parse(secret).unwrap().signed(ID, AT, &signed, BODY));
        }
    }

    #[test]
    fn another_implementation_agrees() {
        let oracle = standardwebhooks::Webhook::new(SECRET).unwrap();
        let signature = oracle.sign("evt_1", 1_743_411_600, b"{\"a\":\"\xc3\xa9\"}").unwrap();
        let secrets = Secrets::parse(SECRET).unwrap();
        assert!(secrets.signed("evt_1", "1743411600", &signature, b"{\"a\":\"\xc3\xa9\"}"));
        assert_eq!(secrets.sign("evt_1", "1743411600", b"{\"a\":\"\xc3\xa9\"}"), signature);
    }

    #[test]
    fn a_short_or_foreign_secret_is_none() {
        for text in ["", "whsec_AAAA", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_?"] {
            assert_eq!(Secrets::parse(text).err(), Some(NotSecrets), "{text}");
        }
    }
}
