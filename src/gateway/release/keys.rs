//! The keys of the release role: its own, which seals study keys at rest, the study's, and the
//! one that signs the log. Only the release job opens them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::base::edge::Edge;
use crate::base::seal::{RoleKey, Sealed, StudyKey};
use crate::base::tree::hex;
use crate::gateway::GatewayError;
use crate::gateway::keys::{self, KeyError};
use crate::release::protocol::Protocol;

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles {
    /// The release role's own.
    pub role: PathBuf,
    /// The one that signs the log.
    pub signing: PathBuf,
    /// The study's, sealed.
    pub study: PathBuf,
    /// The evaluation side's public key.
    pub evaluation: PathBuf,
}

/// The keys of one release job.
pub struct ReleaseKeys {
    /// Seals study keys, and whose a pseudonym is.
    pub role: RoleKey,
    /// Makes pseudonyms and message ids.
    pub study: StudyKey,
    /// Signs the log.
    pub signing: SigningKey,
    /// Checks what comes back; none where the evaluation side has not sent it yet.
    pub evaluation: Option<VerifyingKey>,
}

impl ReleaseKeys {
    /// Opens them. Where `may_make`, those that are not there are made: before the first
    /// pseudonym nothing depends on them.
    ///
    /// # Errors
    /// Where a file is missing, may be read by others, or does not open.
    pub fn open(
        files: &KeyFiles,
        protocol: &Protocol,
        may_make: bool,
        edge: &Edge,
    ) -> Result<Self, GatewayError> {
        if may_make {
            for file in [&files.role, &files.signing] {
                if !file.exists() {
                    write_new(file, &hex(&edge.bytes::<32>()))?;
                }
            }
        }
        let role = RoleKey::from_bytes(*keys::read("release", &files.role)?);
        let signing = SigningKey::from_bytes(&*keys::read("signing", &files.signing)?);
        if may_make && !files.study.exists() {
            let sealed = role.wrap(edge, &protocol.study, protocol.epoch, &StudyKey::generate(edge));
            write_new(&files.study, &hex(sealed.as_bytes()))?;
        }
        let text = std::fs::read_to_string(&files.study)
            .map_err(|source| GatewayError::File { path: files.study.clone(), source })?;
        let study = role.unwrap(&protocol.study, protocol.epoch, &Sealed::from_bytes(unhex(text.trim())))?;
        let evaluation = read_public(&files.evaluation)?;
        Ok(Self { role, study, signing, evaluation })
    }
}

/// A public key of 64 hexadecimal digits; none where there is no file.
fn read_public(file: &Path) -> Result<Option<VerifyingKey>, GatewayError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(GatewayError::File { path: file.to_owned(), source }),
    };
    let form = || KeyError::Form { what: "evaluation side's public", file: file.to_owned() };
    let bytes = <[u8; 32]>::try_from(unhex(text.trim())).map_err(|_length| form())?;
    Ok(Some(VerifyingKey::from_bytes(&bytes).map_err(|_point| form())?))
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// Writes a new file that only its owner may read.
fn write_new(file: &Path, text: &str) -> Result<(), GatewayError> {
    let failed = |source| GatewayError::File { path: file.to_owned(), source };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).and_then(|mut open| writeln!(open, "{text}")).map_err(failed)
}
