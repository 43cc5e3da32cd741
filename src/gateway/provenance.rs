//! Where each version of a record came from: source, file, place, mapping. Not what it says.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::gateway::{Gateway, GatewayError, restricted};
use crate::record::saying::Said;
use crate::store::saying::{self, SayingRow};
use crate::store::{StoreError, mapping_version, record, version};

/// Where a record came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Provenance {
    /// The record's id.
    pub record: String,
    /// Its kind.
    pub kind: String,
    /// The source that it is of.
    pub source: String,
    /// The number of the version that is current.
    pub current: i64,
    /// Its versions, in order.
    pub versions: Vec<Came>,
    /// Which feed last said something else of which field, where several may tell it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub told_by: Vec<ToldBy>,
}

/// What one feed tells of a record, by the names of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ToldBy {
    /// The feed.
    pub feed: String,
    /// The batch in which it last spoke of it.
    pub batch: String,
    /// Ordinal of the unit there, from 1.
    pub unit: i64,
    /// When what it says of each field arrived, by the field's name.
    pub fields: BTreeMap<String, String>,
}

impl ToldBy {
    fn of(row: SayingRow) -> Result<Self, StoreError> {
        let times: BTreeMap<String, Said> =
            serde_json::from_str(&row.times).map_err(|_json| StoreError::Unreadable { what: "record" })?;
        let fields = times.into_iter().map(|(name, said)| (name, said.arrived)).collect();
        Ok(Self { feed: row.feed, batch: row.batch_id, unit: row.unit, fields })
    }
}

/// Where a version came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Came {
    /// Its number.
    pub number: i64,
    /// The source's own time of it.
    pub source_time: Option<String>,
    /// When it arrived.
    pub arrived_at: String,
    /// The batch it came in.
    pub batch: String,
    /// The feed of the source.
    pub feed: String,
    /// Ordinal of its unit in the batch, from 1.
    pub unit: i64,
    /// The sheet.
    pub sheet: Option<String>,
    /// The line or row.
    pub line: Option<i64>,
    /// The path in a tree.
    pub path: Option<String>,
    /// The mapping that read it.
    pub mapping: String,
    /// The mapping's version.
    pub mapping_version: i64,
}

/// Where a record came from; none where there is no such record, or it is of another source than
/// the one asked for. A record of a restricted person is there only for a key that may see it, and the
/// look is on record.
///
/// # Errors
/// Where the store fails.
pub fn find(
    gateway: &Gateway,
    id: &str,
    source: Option<&str>,
    restricted_by: Option<&str>,
) -> Result<Option<Provenance>, GatewayError> {
    if gateway.store.read(|tx| restricted::is_record(tx, id))? {
        let Some(key) = restricted_by else { return Ok(None) };
        restricted::note_seen(gateway, key, id, 0)?;
    }
    find_any(gateway, id, source)
}

fn find_any(gateway: &Gateway, id: &str, source: Option<&str>) -> Result<Option<Provenance>, GatewayError> {
    gateway.store.read(|tx| {
        let current = record::find_current(tx, &[id.to_owned()])?.into_iter().next();
        let Some(current) = current.filter(|found| source.is_none_or(|own| found.source == own)) else {
            return Ok(None);
        };
        let mappings = mapping_version::list(tx)?;
        let versions = version::list(tx, id)?.into_iter().map(|row| {
            let mapping = mappings.iter().find(|(_, _, hash)| *hash == row.mapping_hash);
            let (name, number) = mapping.map(|(name, number, _)| (name.clone(), *number)).unwrap_or_default();
            Came {
                number: row.number,
                source_time: row.source_time,
                arrived_at: row.arrived_at,
                batch: row.batch_id,
                feed: row.feed,
                unit: row.unit,
                sheet: row.sheet,
                line: row.line,
                path: row.path,
                mapping: name,
                mapping_version: number,
            }
        });
        Ok(Some(Provenance {
            record: current.id,
            kind: current.kind,
            source: current.source,
            current: current.number,
            versions: versions.collect(),
            told_by: saying::list(tx, &[id.to_owned()])?
                .into_iter()
                .map(ToldBy::of)
                .collect::<Result<_, _>>()?,
        }))
    })
}
