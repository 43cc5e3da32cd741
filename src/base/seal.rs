//! Sealing and keyed hashes: how identifying values are kept and looked up.
//!
//! - [`MasterKey`] stands outside the database and wraps the data keys.
//! - [`DataKey`] is one subject's (or one kept file's) own. Deleting it shreds what it sealed.
//! - [`IndexKey`] makes the keyed hashes by which things are found.
//!
//! AES-256-GCM-SIV (RFC 8452) seals, HMAC-SHA-256 (RFC 2104) hashes. Every sealed value is bound
//! to a label that says what it is of, so that one cannot stand in for another.

use std::fmt;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::base::edge::Edge;
use crate::base::private::Private;

/// First byte of everything sealed: the form below. Another form gets another number.
const FORM: u8 = 1;
/// Bytes of an AES-GCM-SIV nonce (RFC 8452, section 4).
const NONCE_BYTES: usize = 12;

/// Why a sealed value could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not something this version sealed.
    #[error("not a sealed value of a known form")]
    Form,
    /// Another key sealed it, it is of something else, or it was altered.
    #[error("sealed with another key, or altered")]
    Key,
}

/// Something sealed: safe to store, useless without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// What was read back from a store.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What goes to a store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn seal(key: &[u8; 32], nonce: [u8; NONCE_BYTES], label: &str, plain: &[u8]) -> Sealed {
    let cipher = Aes256GcmSiv::new(&(*key).into());
    let payload = Payload { msg: plain, aad: label.as_bytes() };
    let body = cipher.encrypt(&Nonce::from(nonce), payload).unwrap_or_default();
    assert!(body.len() > plain.len(), "sealing fails only past 64 GiB");
    let mut bytes = Vec::with_capacity(1 + NONCE_BYTES + body.len());
    bytes.push(FORM);
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&body);
    Sealed(bytes)
}

fn unseal(key: &[u8; 32], label: &str, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
    let (form, rest) = sealed.0.split_first().ok_or(SealError::Form)?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Form)?;
    if *form != FORM {
        return Err(SealError::Form);
    }
    let cipher = Aes256GcmSiv::new(&(*key).into());
    let payload = Payload { msg: body, aad: label.as_bytes() };
    cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_aead| SealError::Key)
}

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The key of these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// A new key.
            #[must_use]
            pub fn generate(edge: &Edge) -> Self {
                Self(edge.bytes())
            }
        }
    };
}

key!(/// The key that wraps data keys. Kept in a file outside the database and its backups.
    MasterKey);
key!(/// One subject's, or one kept file's, own key.
    DataKey);
key!(/// The key of every look-up hash.
    IndexKey);
key!(/// One study's key for one recipient and epoch: what its pseudonyms are made with. Never derived.
    StudyKey);
key!(/// The release role's own key. Seals study keys at rest; only the release job opens it.
    RoleKey);

/// What a study key file's seal is bound to.
fn study_label(study: &str, epoch: u32) -> String {
    format!("study-key/{study}/{epoch}")
}

impl RoleKey {
    /// A study key, sealed for its file.
    #[must_use]
    pub fn wrap(&self, edge: &Edge, study: &str, epoch: u32, key: &StudyKey) -> Sealed {
        seal(&self.0, edge.bytes(), &study_label(study, epoch), &key.0)
    }

    /// A study key back from its file.
    ///
    /// # Errors
    /// Where another role sealed it, it is another study's or epoch's, or it was altered.
    pub fn unwrap(&self, study: &str, epoch: u32, sealed: &Sealed) -> Result<StudyKey, SealError> {
        let mut bytes = unseal(&self.0, &study_label(study, epoch), sealed)?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map(StudyKey).map_err(|_length| SealError::Form);
        bytes.zeroize();
        key
    }

    /// Seals whose a pseudonym is.
    #[must_use]
    pub fn seal_link(&self, edge: &Edge, pseudonym: &str, person: &[u8]) -> Sealed {
        seal(&self.0, edge.bytes(), &format!("pseudonym/{pseudonym}"), person)
    }
}

impl StudyKey {
    /// HMAC-SHA-256 of parts, a unit separator (1F) between them. The caller's parts are of fixed
    /// form, so that no two lists run together.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, section 2)")]
    pub fn code(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut state = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).expect("any length will do");
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                state.update(&[0x1f]);
            }
            state.update(part);
        }
        state.finalize().into_bytes().into()
    }
}

impl MasterKey {
    /// A data key, wrapped for the store. `label` says whose it is.
    #[must_use]
    pub fn wrap(&self, edge: &Edge, label: &str, key: &DataKey) -> Sealed {
        seal(&self.0, edge.bytes(), label, &key.0)
    }

    /// A data key back from the store.
    ///
    /// # Errors
    /// Where another master key wrapped it, or it is another's.
    pub fn unwrap(&self, label: &str, sealed: &Sealed) -> Result<DataKey, SealError> {
        let mut bytes = unseal(&self.0, label, sealed)?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map(DataKey).map_err(|_length| SealError::Form);
        bytes.zeroize();
        key
    }
}

impl DataKey {
    /// Seals private bytes.
    #[must_use]
    pub fn seal(&self, edge: &Edge, label: &str, value: &Private<Vec<u8>>) -> Sealed {
        seal(&self.0, edge.bytes(), label, value.inspect())
    }

    /// Private bytes back.
    ///
    /// # Errors
    /// Where another key sealed them, they are of something else, or they were altered.
    pub fn unseal(&self, label: &str, sealed: &Sealed) -> Result<Private<Vec<u8>>, SealError> {
        unseal(&self.0, label, sealed).map(Private::new)
    }
}

/// A keyed hash: equal for equal values under one key, and no way back without it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyedHash([u8; 32]);

/// The first eight bytes are as random as all of them.
impl std::hash::Hash for KeyedHash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
    }
}

impl KeyedHash {
    /// What was read back from a store; `None` unless 32 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        <[u8; 32]>::try_from(bytes).ok().map(Self)
    }

    /// What goes to a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its first 128 bits, for telling many apart in little memory.
    #[must_use]
    pub fn half(&self) -> u128 {
        self.0.first_chunk().copied().map_or(0, u128::from_be_bytes)
    }

    /// Its first 64 bits, for telling a few apart.
    #[must_use]
    pub fn quarter(&self) -> u64 {
        self.0.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }
}

/// Shows the first four bytes, enough to tell two apart in a log.
impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "KeyedHash({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// Takes keyed hashes under one label. The keyed state is set up once and copied for each hash.
#[derive(Clone)]
pub struct Hasher(Hmac<Sha256>);

impl IndexKey {
    /// A hasher for one label, such as `subject/council` or `block/nhs-number`.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, section 2)")]
    pub fn hasher(&self, label: &str) -> Hasher {
        let mut state = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).expect("any length will do");
        state.update(label.as_bytes());
        state.update(&[0x1f]);
        Hasher(state)
    }
}

impl Hasher {
    /// The hash of private parts. Each part is followed by its length, so that no two lists of
    /// parts run together.
    #[must_use]
    pub fn private<'p>(&self, parts: impl IntoIterator<Item = &'p Private<String>>) -> KeyedHash {
        self.hash(parts.into_iter().map(|part| part.inspect().as_bytes()))
    }

    /// The hash of private parts; `None` where one is empty, because a hash of nothing would make
    /// strangers alike.
    #[must_use]
    pub fn all_private(&self, parts: &[&Private<String>]) -> Option<KeyedHash> {
        let is_full = parts.iter().all(|part| !part.inspect().is_empty());
        is_full.then(|| self.private(parts.iter().copied()))
    }

    /// The hash of private bytes.
    #[must_use]
    pub fn private_bytes(&self, bytes: &Private<Vec<u8>>) -> KeyedHash {
        self.hash([bytes.inspect().as_slice()])
    }

    /// Begins the hash of one part that comes piece by piece, and need not be put together.
    #[must_use]
    pub fn begin(&self) -> Hashing {
        Hashing { state: self.0.clone(), length: 0 }
    }

    /// The hash of plain parts.
    #[must_use]
    pub fn hash<'p>(&self, parts: impl IntoIterator<Item = &'p [u8]>) -> KeyedHash {
        let mut state = self.0.clone();
        for part in parts {
            state.update(part);
            state.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        }
        KeyedHash(state.finalize().into_bytes().into())
    }
}

/// A hash of one part in the making.
pub struct Hashing {
    state: Hmac<Sha256>,
    length: u64,
}

impl Hashing {
    /// Adds a piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.state.update(piece);
        self.length += u64::try_from(piece.len()).unwrap_or(u64::MAX);
    }

    /// The hash: that of all pieces as one part.
    #[must_use]
    pub fn end(mut self) -> KeyedHash {
        self.state.update(&self.length.to_be_bytes());
        KeyedHash(self.state.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{DataKey, IndexKey, MasterKey, SealError};
    use crate::base::edge::{Clock, Edge, Entropy, Instant};
    use crate::base::private::Private;

    struct Fixed;
    impl Clock for Fixed {
        fn now(&self) -> Instant {
            Instant::from_unix_ms(0)
        }
    }
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(9);
        }
    }

    #[test]
    fn sealed_opens_with_its_key_and_label_only() {
        let edge = Edge { clock: Arc::new(Fixed), entropy: Arc::new(Fixed) };
        let key = DataKey::from_bytes([1; 32]);
        let sealed = key.seal(&edge, "sub_1/identity", &Private::new(b"Canary".to_vec()));
        assert!(!sealed.as_bytes().windows(6).any(|window| window == b"Canary"));
        assert_eq!(
            key.unseal("sub_1/identity", &sealed).map(|v| v.inspect().clone()),
            Ok(b"Canary".to_vec())
        );
        assert_eq!(key.unseal("sub_2/identity", &sealed).err(), Some(SealError::Key));
        assert_eq!(
            DataKey::from_bytes([2; 32]).unseal("sub_1/identity", &sealed).err(),
            Some(SealError::Key)
        );
    }

    #[test]
    fn a_wrapped_key_comes_back() {
        let edge = Edge { clock: Arc::new(Fixed), entropy: Arc::new(Fixed) };
        let master = MasterKey::from_bytes([3; 32]);
        let key = DataKey::from_bytes([4; 32]);
        let wrapped = master.wrap(&edge, "sub_1", &key);
        assert!(master.unwrap("sub_1", &wrapped).is_ok_and(|back| back.0 == key.0));
        assert_eq!(master.unwrap("sub_2", &wrapped).err(), Some(SealError::Key));
    }

    #[test]
    fn parts_do_not_run_together() {
        let hasher = IndexKey::from_bytes([5; 32]).hasher("block");
        let mut pieces = hasher.begin();
        pieces.add(b"a");
        pieces.add(b"bc");
        assert_eq!(pieces.end(), hasher.hash([b"abc".as_slice()]));
        let text = |s: &str| Private::new(s.to_owned());
        assert_ne!(hasher.private([&text("ab"), &text("c")]), hasher.private([&text("a"), &text("bc")]));
        assert_ne!(
            hasher.private([&text("a")]),
            IndexKey::from_bytes([5; 32]).hasher("other").private([&text("a")])
        );
    }
}
