//! `manifest.json`: what was released, how it was linked and logged, and the hash of each file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::evaluation::extract::folder::Written;
use crate::evaluation::extract::table::Table;
use crate::evaluation::store::standing::Snapshot;

/// The manifest of an extract.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) extract: String,
    pub(crate) study: String,
    pub(crate) recipient: String,
    pub(crate) release: String,
    pub(crate) epoch: i64,
    pub(crate) protocol_version: i64,
    pub(crate) tier: String,
    pub(crate) cut_off: String,
    pub(crate) totals: BTreeMap<String, i64>,
    pub(crate) sent: BTreeMap<String, i64>,
    pub(crate) withheld: BTreeMap<String, i64>,
    pub(crate) linkage: Map<String, Value>,
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) checkpoint: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) entry: Option<Map<String, Value>>,
    pub(crate) proof: Vec<String>,
    pub(crate) files: Vec<Listed>,
}

/// A mapping that made records of the release.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mapping {
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) hash: String,
}

/// One file of the extract.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// Rows, where it is a table.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) rows: Option<u64>,
}

impl Manifest {
    pub(crate) fn of(snapshot: &Snapshot, extract: &str, tables: &[Table], written: &[Written]) -> Self {
        let release = &snapshot.release;
        let listed = |file: &Written| Listed {
            path: file.path.clone(),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            rows: tables.iter().find(|table| table.path == file.path).map(|table| table.rows),
        };
        let mapping = |used: &crate::evaluation::door::protocol::MappingUsed| Mapping {
            name: used.name.clone(),
            version: used.version,
            hash: used.hash.clone(),
        };
        Self {
            extract: extract.to_owned(),
            study: release.study.clone(),
            recipient: release.recipient.clone(),
            release: release.release.to_string(),
            epoch: release.epoch,
            protocol_version: release.protocol_version,
            tier: release.protocol.tier.clone(),
            cut_off: release.cut_off.clone(),
            totals: release.totals.clone(),
            sent: release.counts.clone(),
            withheld: release.withheld.clone(),
            linkage: release.linkage.clone(),
            mappings: release.mappings.iter().map(mapping).collect(),
            checkpoint: release.checkpoint.clone(),
            entry: release.entry.clone(),
            proof: release.proof.clone(),
            files: written.iter().map(listed).collect(),
        }
    }
}
