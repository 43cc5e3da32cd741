//! A mapping that is tried beside the live one: both read each unit, and what they make differently
//! is counted by field and by sort of difference, with the places of the first units. Nothing that
//! it makes is kept, and no value of it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::finding::Finding;
use crate::base::limit::SHADOW_EXAMPLES_MAX;
use crate::base::seal::{Hasher, KeyedHash};
use crate::gateway::feed::Feed;
use crate::gateway::process::read::UnitRead;
use crate::gateway::{Gateway, GatewayError, live_mapping};
use crate::mapping::{Mapping, Outcome};
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::store::shadow::{self, Difference};
use crate::store::{StoreError, Tx, mapping_version};

/// The mapping that is tried.
pub(super) struct Shadow {
    id: String,
    mapping: Arc<Mapping>,
}

impl Shadow {
    /// The one that is tried beside a feed's, if any.
    pub(super) fn find(gateway: &Gateway, feed: &Feed) -> Result<Option<Self>, GatewayError> {
        let found = gateway.store.read(|tx| {
            let Some(shadow) = shadow::find(tx, &feed.source, &feed.name)? else { return Ok(None) };
            let kept = mapping_version::find(tx, &shadow.mapping_hash)?;
            Ok::<_, GatewayError>(Some((shadow.id, kept)))
        })?;
        let Some((id, kept)) = found else { return Ok(None) };
        let mut mapping = live_mapping::compile(&kept)?;
        mapping.is_live = feed.mapping.is_live;
        // Units can be set side by side only where both are cut out of the file in one way.
        let is_alike = mapping.settings.cuts_as(&feed.mapping.settings);
        Ok(is_alike.then(|| Self { id, mapping: Arc::new(mapping) }))
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn mapping(&self) -> &Mapping {
        &self.mapping
    }
}

/// One way in which two readings of a unit differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Differs {
    what: &'static str,
    about: String,
}

impl Differs {
    fn new(what: &'static str, about: impl Into<String>) -> Self {
        Self { what, about: about.into() }
    }

    /// The mapping that is tried lacks a column of this file or reads no such sheet.
    pub(super) fn unread(live: Outcome) -> Self {
        Self::new("outcome", format!("{} -> not read", word(live)))
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Rejected => "rejected",
        Outcome::Quarantined => "quarantined",
        Outcome::Filtered => "filtered",
        Outcome::Records => "read",
    }
}

/// What a record is known by, and what it says.
type Keyed = ((Kind, Option<KeyedHash>, KeyedHash), Draft);

/// A unit as one mapping reads it.
type Side<'s> = (Outcome, &'s [Keyed], &'s [Finding]);

/// How two readings of one unit differ, each way once.
pub(super) fn compare(live: Side<'_>, tried: Side<'_>, content: &Hasher) -> Vec<Differs> {
    let mut differs = Vec::new();
    if live.0 == tried.0 {
        records(live.1, tried.1, content, &mut differs);
    } else {
        differs.push(Differs::new("outcome", format!("{} -> {}", word(live.0), word(tried.0))));
    }
    let has = |findings: &[Finding], code| findings.iter().any(|finding| finding.code == code);
    for finding in tried.2.iter().filter(|finding| !has(live.2, finding.code)) {
        differs.push(Differs::new("finding-new", finding.code.as_str()));
    }
    for finding in live.2.iter().filter(|finding| !has(tried.2, finding.code)) {
        differs.push(Differs::new("finding-gone", finding.code.as_str()));
    }
    differs.sort_unstable();
    differs.dedup();
    differs
}

fn records(live: &[Keyed], tried: &[Keyed], content: &Hasher, differs: &mut Vec<Differs>) {
    for (key, draft) in live {
        let Some((_, other)) = tried.iter().find(|(other, _)| other == key) else {
            differs.push(Differs::new("only-live", key.0.as_str()));
            continue;
        };
        fields(key.0, draft, other, content, differs);
    }
    for (key, _) in tried.iter().filter(|(key, _)| live.iter().all(|(other, _)| other != key)) {
        differs.push(Differs::new("only-shadow", key.0.as_str()));
    }
}

fn fields(kind: Kind, live: &Draft, tried: &Draft, content: &Hasher, differs: &mut Vec<Differs>) {
    let hash = |name, leaf: &Draft| Draft::Fields(vec![(name, leaf.clone())]).keyed_hash(content);
    for (name, leaf) in live.fields() {
        let what = match tried.find(name) {
            None => "only-live",
            Some(other) if hash(*name, leaf) != hash(*name, other) => "differs",
            Some(_) => continue,
        };
        differs.push(Differs::new(what, format!("{kind}.{name}")));
    }
    for (name, _) in tried.fields().iter().filter(|(name, _)| live.find(name).is_none()) {
        differs.push(Differs::new("only-shadow", format!("{kind}.{name}")));
    }
}

/// Where a unit stands: never what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Example {
    /// The batch.
    pub batch: String,
    /// Its ordinal there.
    pub unit: i64,
    /// The sheet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The line or row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<i64>,
}

/// What was counted in one transaction.
#[derive(Default)]
pub(super) struct Tried {
    units: i64,
    differing: i64,
    counts: BTreeMap<Differs, (i64, Vec<Example>)>,
}

impl Tried {
    pub(super) fn note(&mut self, batch_id: &str, unit: &UnitRead, differences: &[Differs]) {
        self.units += 1;
        self.differing += i64::from(!differences.is_empty());
        for differs in differences {
            let (count, examples) = self.counts.entry(differs.clone()).or_default();
            *count += 1;
            if examples.len() < SHADOW_EXAMPLES_MAX {
                examples.push(Example {
                    batch: batch_id.to_owned(),
                    unit: unit.ordinal,
                    sheet: unit.place.sheet.as_deref().map(str::to_owned),
                    line: i64::try_from(unit.place.line).ok(),
                });
            }
        }
    }

    pub(super) fn write(&self, tx: &mut Tx, shadow_id: &str) -> Result<(), StoreError> {
        if self.units == 0 {
            return Ok(());
        }
        shadow::count_units(tx, shadow_id, self.units, self.differing)?;
        for (Differs { what, about }, (count, examples)) in &self.counts {
            let before = shadow::find_difference(tx, shadow_id, what, about)?;
            let mut all: Vec<Example> = match &before {
                Some(before) => serde_json::from_str(&before.examples)
                    .map_err(|_json| StoreError::Unreadable { what: "difference" })?,
                None => Vec::new(),
            };
            all.extend(examples.iter().cloned());
            all.truncate(SHADOW_EXAMPLES_MAX);
            shadow::put_difference(
                tx,
                &Difference {
                    shadow_id: shadow_id.to_owned(),
                    what: (*what).to_owned(),
                    about: about.clone(),
                    count: before.map_or(0, |before| before.count) + count,
                    // Texts and numbers always become JSON.
                    examples: serde_json::to_string(&all).unwrap_or_default(),
                },
            )?;
        }
        Ok(())
    }
}
