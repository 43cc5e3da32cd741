//! The keys of the operational zone, read from their files.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::base::seal::{IndexKey, KeyedHash, MasterKey, Sealed};
use crate::config::Config;
use crate::gateway::{Gateway, GatewayError};
use crate::store::keys::Keys;
use crate::store::{Tx, meta};
pub use crate::transport::access::is_open_to_others;

/// Name in the store of the hash by which the index key is known again.
const INDEX_MARK: &str = "keys/index";
/// Name in the store of what the master key has wrapped, by which it is known again.
const MASTER_MARK: &str = "keys/master";

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the {what} key {}: {source}; `wayleave init` writes new keys, but only the first ones open this database", file.display())]
    Unreadable {
        /// Which key.
        what: &'static str,
        /// Its file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("the {what} key {} is not 64 hexadecimal digits; restore it from its backup", file.display())]
    Form {
        /// Which key.
        what: &'static str,
        /// Its file.
        file: PathBuf,
    },
    /// Others may read the file.
    #[error("the {what} key {} can be read by others; run `chmod 600` on it", file.display())]
    Open {
        /// Which key.
        what: &'static str,
        /// Its file.
        file: PathBuf,
    },
    /// The key is of another database.
    #[error("the {what} key does not belong to this database; restore the key that was written with it")]
    Other {
        /// Which key.
        what: &'static str,
    },
}

impl KeyError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Unreadable { .. } | Self::Form { .. } | Self::Open { .. } | Self::Other { .. } => false,
        }
    }
}

/// The keys that the configuration names.
///
/// # Errors
/// Where a file cannot be read, may be read by others, or holds no key.
pub fn load(config: &Config) -> Result<Keys, KeyError> {
    let master = read("master", &config.path(&config.gateway.master_key))?;
    let index = read("index", &config.path(&config.gateway.index_key))?;
    Ok(Keys { master: MasterKey::from_bytes(*master), index: IndexKey::from_bytes(*index) })
}

/// A key of 64 hexadecimal digits, from a file that only its owner may read.
///
/// # Errors
/// Where the file cannot be read, may be read by others, or holds something else.
pub fn read(what: &'static str, file: &Path) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let unreadable = |source| KeyError::Unreadable { what, file: file.to_owned(), source };
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(unreadable)?);
    if is_open_to_others(file) {
        return Err(KeyError::Open { what, file: file.to_owned() });
    }
    let form = || KeyError::Form { what, file: file.to_owned() };
    let digits = text.trim().as_bytes();
    if digits.len() != 64 {
        return Err(form());
    }
    let mut key = Zeroizing::new([0; 32]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
        *byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(form)?;
    }
    Ok(key)
}

impl Gateway {
    /// Holds the keys against the database they are used with, and marks a new database with
    /// them: with other keys nobody would be found again, and nothing would open.
    ///
    /// # Errors
    /// Where the database was made with other keys, or fails.
    pub fn check_keys(&self) -> Result<(), GatewayError> {
        let mark = self.keys.index.hasher("mark").hash([INDEX_MARK.as_bytes()]);
        let marks = self
            .store
            .read(|tx| Ok::<_, GatewayError>((meta::find(tx, INDEX_MARK)?, meta::find(tx, MASTER_MARK)?)))?;
        match marks {
            (Some(index), Some(master)) => {
                if index != hex(mark.as_bytes()) {
                    return Err(KeyError::Other { what: "index" }.into());
                }
                let wrapped = Sealed::from_bytes(unhex(&master));
                let opens = self.keys.master.unwrap(MASTER_MARK, &wrapped);
                opens.map(|_key| ()).map_err(|_seal| KeyError::Other { what: "master" }.into())
            }
            _ => self.mark(&mark),
        }
    }

    fn mark(&self, mark: &KeyedHash) -> Result<(), GatewayError> {
        let key = crate::base::seal::DataKey::generate(&self.edge);
        let wrapped = self.keys.master.wrap(&self.edge, MASTER_MARK, &key);
        self.store.write(|tx| {
            meta::set(tx, INDEX_MARK, &hex(mark.as_bytes()))?;
            meta::set(tx, MASTER_MARK, &hex(wrapped.as_bytes()))?;
            Ok(())
        })
    }

    /// The gateway's own data key, which seals what is of no person.
    ///
    /// # Errors
    /// Where the database fails, or another master key wrapped it.
    pub fn own_key(&self) -> Result<crate::base::seal::DataKey, GatewayError> {
        self.store.read(|tx| self.own_key_in(tx))
    }

    /// The gateway's own data key, read in the caller's transaction.
    ///
    /// # Errors
    /// As [`own_key`](Self::own_key).
    pub fn own_key_in(&self, tx: &mut Tx) -> Result<crate::base::seal::DataKey, GatewayError> {
        let wrapped = meta::find(tx, MASTER_MARK)?;
        let wrapped = Sealed::from_bytes(unhex(&wrapped.unwrap_or_default()));
        Ok(self.keys.master.unwrap(MASTER_MARK, &wrapped)?)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
