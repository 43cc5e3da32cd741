//! Closing a release: counts and totals that reconcile, and the signed head of the log with the
//! proof that this release is in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::edge::Instant;
use crate::base::tree::{self, Head, hex};
use crate::gateway::release::census::Census;
use crate::gateway::{Gateway, GatewayError};
use crate::release::door::{CheckpointText, Closing, EntryText, MappingUsed};
use crate::release::protocol::Protocol;
use crate::store::release::{self, ReleaseRow};
use crate::store::{StoreError, Tx, audit, intent, mapping_version, standing};

/// What a release keeps of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Messages sent, by door kind and record kind.
    pub counts: BTreeMap<String, u64>,
    /// What must stand.
    pub totals: BTreeMap<String, u64>,
    /// What was kept back.
    pub withheld: BTreeMap<String, u64>,
    /// How subjects were linked.
    pub linkage: BTreeMap<String, u64>,
    /// Index of the release in the log.
    pub index: u64,
}

/// Counts, writes the release into the log, and moves it on to *closing*. `None` where something
/// is still unsent.
///
/// # Errors
/// Where the store fails.
pub fn close(
    tx: &mut Tx,
    gateway: &Gateway,
    row: &ReleaseRow,
    census: &Census,
    withheld: &BTreeMap<String, u64>,
) -> Result<Option<Kept>, StoreError> {
    if intent::count_unsent(tx, &row.study)? > 0 {
        return Ok(None);
    }
    let counts = whole(intent::count_sent(tx, &row.id)?);
    let totals = whole(standing::totals(tx, &row.study)?);
    let sent = i64::try_from(counts.get("record").copied().unwrap_or_default()).unwrap_or(i64::MAX);
    let at = gateway.edge.now();
    let entry = audit::append_act(tx, &gateway.actor, "release-closed", "release", &row.id, sent, at)?;
    let index = u64::try_from(entry.number - 1).unwrap_or_default();
    let mut withheld = withheld.clone();
    // Who said no, and how, is nobody's business on the far side.
    withheld.insert("people-without-leave".to_owned(), census.denied.values().sum());
    let kept = Kept { counts, totals, withheld, linkage: linkage(census), index };
    let text = serde_json::to_string(&kept).unwrap_or_default();
    release::set_state(tx, &row.id, "closing", &text, None)?;
    Ok(Some(kept))
}

/// What the release says as it closes, with the log as it now stands.
///
/// # Errors
/// Where the store fails.
pub fn closing(
    tx: &mut Tx,
    row: &ReleaseRow,
    kept: &Kept,
    protocol: &Protocol,
    origin: &str,
    key: &ed25519_dalek::SigningKey,
) -> Result<Closing, GatewayError> {
    let unreadable = |what| StoreError::Unreadable { what };
    let cut_off: Instant = row.cut_off.parse().map_err(|_at| unreadable("instant"))?;
    let leaves: Vec<tree::Hash> = audit::list_hashes(tx)?.iter().map(|hash| tree::leaf(hash)).collect();
    let index = usize::try_from(kept.index).unwrap_or(usize::MAX);
    let (proof, leaf) =
        tree::proof(&leaves, index).zip(leaves.get(index)).ok_or(unreadable("entry of the log"))?;
    let size = u64::try_from(leaves.len()).unwrap_or_default();
    let head = Head { origin: origin.to_owned(), size, root: tree::root(&leaves) };
    Ok(Closing {
        cut_off,
        cut_off_day: cut_off.london_day(),
        mappings: mappings(tx, protocol)?,
        counts: kept.counts.clone(),
        totals: kept.totals.clone(),
        withheld: kept.withheld.clone(),
        linkage: kept.linkage.clone(),
        checkpoint: CheckpointText {
            origin: origin.to_owned(),
            size,
            root: hex(&head.root),
            signature: hex(&head.sign(key)),
            key: hex(key.verifying_key().as_bytes()),
        },
        entry: EntryText { index: kept.index, leaf: hex(leaf) },
        proof: proof.iter().map(|hash| hex(hash)).collect(),
    })
}

/// Mappings of the sources that the protocol names.
fn mappings(tx: &mut Tx, protocol: &Protocol) -> Result<Vec<MappingUsed>, StoreError> {
    let mut used: Vec<MappingUsed> = mapping_version::list(tx)?
        .into_iter()
        .filter(|row| {
            protocol.sources.iter().any(|source| row.0.split('/').next() == Some(source.name.as_str()))
        })
        .map(|(name, version, hash)| MappingUsed {
            name,
            version: u64::try_from(version).unwrap_or_default(),
            hash: hex(&hash),
        })
        .collect();
    used.sort();
    Ok(used)
}

fn linkage(census: &Census) -> BTreeMap<String, u64> {
    let mut linkage: BTreeMap<String, u64> =
        [("people".to_owned(), census.people), ("subjects".to_owned(), census.subjects)].into();
    for (tier, count) in &census.links {
        linkage.insert(format!("links-{}", tier.to_lowercase()), *count);
    }
    linkage.insert("in-doubt".to_owned(), census.doubts.values().sum());
    linkage
}

fn whole(counts: BTreeMap<String, i64>) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(name, count)| (name, u64::try_from(count).unwrap_or_default())).collect()
}
