//! The account's private key, from its file.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, decode_secret_key};
use zeroize::Zeroizing;

use crate::base::limit::SFTP_FILE_BYTES_MAX;
use crate::transport::access::is_open_to_others;
use crate::transport::sftp::SftpError;

/// Where a key's passphrase is.
#[derive(Clone, PartialEq, Eq)]
pub enum Passphrase {
    /// In a file.
    File(PathBuf),
    /// It was given by the environment, or there is none.
    Given(Option<String>),
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "in {}", file.display()),
            Self::Given(Some(_)) => f.write_str("(withheld)"),
            Self::Given(None) => f.write_str("(none)"),
        }
    }
}

/// Reads a file of ours, within its bound. A secret must be its owner's alone.
pub(super) fn text(what: &'static str, file: &Path, is_secret: bool) -> Result<Zeroizing<String>, SftpError> {
    let failed = |source| SftpError::File { what, file: file.to_owned(), source };
    let open = std::fs::File::open(file).map_err(failed)?;
    if is_secret && is_open_to_others(file) {
        return Err(SftpError::Open { what, file: file.to_owned() });
    }
    let mut text = Zeroizing::new(String::new());
    open.take(SFTP_FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

pub(super) fn read(file: &Path, passphrase: &Passphrase) -> Result<PrivateKeyWithHashAlg, SftpError> {
    let text = text("key", file, true)?;
    let passphrase = match passphrase {
        Passphrase::Given(given) => given.clone().map(Zeroizing::new),
        Passphrase::File(file) => {
            let held = self::text("passphrase", file, true)?;
            Some(Zeroizing::new(held.trim_end_matches(['\r', '\n']).to_owned()))
        }
    };
    if is_rsa(&text) {
        return Err(SftpError::RsaKey { file: file.to_owned() });
    }
    let key: Result<PrivateKey, _> = decode_secret_key(&text, passphrase.as_ref().map(|held| held.as_str()));
    match key {
        Ok(key) if !key.is_encrypted() => Ok(PrivateKeyWithHashAlg::new(Arc::new(key), None)),
        // The library's own words could be of what is in the file.
        _ if text.contains("ENCRYPTED") || is_locked(&text) => {
            Err(SftpError::Passphrase { file: file.to_owned() })
        }
        _ => Err(SftpError::Key { file: file.to_owned() }),
    }
}

/// What stands between the lines that begin and end a key.
fn body(text: &str) -> Vec<u8> {
    let lines: String = text.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    base64::engine::general_purpose::STANDARD.decode(lines).unwrap_or_default()
}

fn is_rsa(text: &str) -> bool {
    let holds = |words: &[u8]| body(text).windows(words.len()).any(|window| window == words);
    // The last is the number by which PKCS #8 calls RSA (RFC 8017, appendix A.1).
    text.contains("BEGIN RSA PRIVATE KEY")
        || holds(b"ssh-rsa")
        || holds(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01])
}

/// An OpenSSH key names its cipher after its mark (PROTOCOL.key): `none` where it is open.
fn is_locked(text: &str) -> bool {
    let body = body(text);
    body.starts_with(b"openssh-key-v1\0") && body.get(15..23) != Some(b"\0\0\0\x04none")
}
