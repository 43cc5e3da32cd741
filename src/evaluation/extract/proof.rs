//! Does a release stand in its gateway's log, as the signed head says?

use ed25519_dalek::VerifyingKey;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::base::tree::{self, Hash, Head};
use crate::evaluation::extract::manifest::Manifest;

/// The signed head, as the gateway wrote it.
#[derive(Deserialize)]
struct Checkpoint {
    origin: String,
    size: u64,
    root: String,
    signature: String,
    key: String,
}

/// The place of the release in the log.
#[derive(Deserialize)]
struct Entry {
    index: u64,
    leaf: String,
}

/// Checks the signature of the head, and that the proof leads from the release's entry to its
/// root. Gives the key that signed it. Without a key that the gateway gave by another way, this
/// shows only that the two fit each other.
///
/// # Errors
/// What was expected and is not so.
pub(super) fn check(manifest: &Manifest, trusted: Option<&str>) -> Result<String, &'static str> {
    let checkpoint: Checkpoint =
        document(&manifest.checkpoint).ok_or("a signed head of the gateway's log")?;
    let entry: Entry =
        manifest.entry.as_ref().and_then(document).ok_or("the place of the release in the gateway's log")?;
    if trusted.is_some_and(|trusted| !trusted.eq_ignore_ascii_case(&checkpoint.key)) {
        return Err("a head that is signed with the key that was given");
    }
    let hash = "hashes of 64 hexadecimal digits";
    let root: Hash = bytes(&checkpoint.root).ok_or(hash)?;
    let key = bytes(&checkpoint.key)
        .and_then(|key| VerifyingKey::from_bytes(&key).ok())
        .ok_or("a public key of 64 hexadecimal digits")?;
    let signature: [u8; 64] = bytes(&checkpoint.signature).ok_or("a signature of 128 hexadecimal digits")?;
    let head = Head { origin: checkpoint.origin, size: checkpoint.size, root };
    if !head.is_signed(&key, &signature) {
        return Err("a head that the key beside it has signed");
    }
    let proof: Option<Vec<Hash>> = manifest.proof.iter().map(|text| bytes(text)).collect();
    let leaf = bytes(&entry.leaf).ok_or(hash)?;
    let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    if !tree::is_proof(leaf, place(entry.index), place(head.size), &proof.ok_or(hash)?, &root) {
        return Err("a proof that leads from the release's entry to the signed head");
    }
    Ok(checkpoint.key)
}

fn document<D: DeserializeOwned>(map: &Map<String, Value>) -> Option<D> {
    serde_json::from_value(Value::Object(map.clone())).ok()
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
