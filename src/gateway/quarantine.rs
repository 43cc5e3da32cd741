//! Units that were set aside: which there are and why, in the sender's words; writing them out to be
//! put right; and saying that they were.

use std::io::Write;

use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use crate::base::finding::Code;
use crate::base::limit::CAUSE_PLACES_MAX;
use crate::base::private::{Grant, SetAside};
use crate::gateway::show::place;
use crate::gateway::{Gateway, GatewayError, kept};
use crate::store::quarantine::{self, Filter, Listed, OPEN};
use crate::store::{audit, batch};

/// Which units are asked for: those that fit every part that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    /// Of this source, or of this feed of it, as `council/cld`.
    pub feed: Option<String>,
    /// With this code.
    pub code: Option<String>,
    /// Of this batch.
    pub batch: Option<String>,
    /// That arrived more than so many days ago.
    #[schema(minimum = 0, maximum = 36500)]
    pub older_than_days: Option<u16>,
    /// In this state: `open` (the default), `fixed`, `replayed` or `all`.
    pub state: Option<String>,
    /// These units, by id.
    #[schema(max_items = 10000)]
    pub units: Vec<String>,
}

impl Asked {
    /// True where nothing was named that narrows it down.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        let Self { feed, code, batch, older_than_days, state: _, units } = self;
        feed.is_none() && code.is_none() && batch.is_none() && older_than_days.is_none() && units.is_empty()
    }

    pub(super) fn filter(&self, gateway: &Gateway) -> Filter {
        let (source, feed) = match self.feed.as_deref().map(|name| name.split_once('/')) {
            Some(Some((source, feed))) => (Some(source.to_owned()), Some(feed.to_owned())),
            Some(None) => (self.feed.clone(), None),
            None => (None, None),
        };
        let before = |days: u16| gateway.edge.now().plus_s(-i64::from(days) * DAY_S).to_string();
        Filter {
            source,
            feed,
            code: self.code.clone(),
            batch: self.batch.clone(),
            received_before: self.older_than_days.map(before),
            state: match self.state.as_deref() {
                None => Some(OPEN.to_owned()),
                Some("all") => None,
                Some(state) => Some(state.to_owned()),
            },
            ids: self.units.clone(),
        }
    }
}

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// A unit that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QuarantinedShown {
    /// Its id.
    pub id: String,
    /// The feed, as `council/cld`.
    pub feed: String,
    /// The run that set it aside.
    pub run: String,
    /// The batch it came in.
    pub batch: String,
    /// When that arrived.
    pub received_at: String,
    /// Where it stands in its file.
    pub place: String,
    /// The sender's own name of the column or member that is wrong.
    pub column: Option<String>,
    /// What was expected there.
    pub expected: String,
    /// Why.
    pub code: String,
    /// What that means.
    pub meaning: String,
    /// What to do.
    pub hint: String,
    /// `open`, `fixed` or `replayed`.
    pub state: String,
    /// When it was closed.
    pub closed_at: Option<String>,
}

/// Units that were set aside for one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CauseShown {
    /// The feed, as `council/cld`.
    pub feed: String,
    /// The sender's own name of the column or member that is wrong.
    pub column: Option<String>,
    /// What was expected there.
    pub expected: String,
    /// Why.
    pub code: String,
    /// What to do.
    pub hint: String,
    /// How many units.
    pub units: usize,
    /// Where the first of them stand.
    pub places: Vec<String>,
    /// When the first of them arrived.
    pub since: String,
}

impl From<Listed> for QuarantinedShown {
    fn from(row: Listed) -> Self {
        let code = Code::find(&row.code);
        Self {
            feed: format!("{}/{}", row.source, row.feed),
            place: place(row.sheet.as_deref(), row.line, None, row.path.as_deref()),
            meaning: code.map(|code| code.meaning().to_owned()).unwrap_or_default(),
            hint: code.map(|code| code.advice().to_owned()).unwrap_or_default(),
            id: row.id,
            run: row.run_id,
            batch: row.batch_id,
            received_at: row.received_at,
            column: row.column_name,
            expected: row.expected,
            code: row.code,
            state: row.state,
            closed_at: row.closed_at,
        }
    }
}

/// The units that are asked for, in the order in which they arrived.
///
/// # Errors
/// Where the store fails.
pub fn list(gateway: &Gateway, asked: &Asked, n_max: i64) -> Result<Vec<QuarantinedShown>, GatewayError> {
    let filter = asked.filter(gateway);
    let rows = gateway.store.read(|tx| quarantine::list(tx, &filter, n_max))?;
    Ok(rows.into_iter().map(QuarantinedShown::from).collect())
}

/// Units by feed and cause, the most frequent cause of a feed first.
#[must_use]
pub fn by_cause(units: &[QuarantinedShown]) -> Vec<CauseShown> {
    let mut causes: Vec<CauseShown> = Vec::new();
    for unit in units {
        let is_same = |cause: &&mut CauseShown| {
            (&cause.feed, &cause.code, &cause.column, &cause.expected)
                == (&unit.feed, &unit.code, &unit.column, &unit.expected)
        };
        let Some(cause) = causes.iter_mut().find(is_same) else {
            causes.push(CauseShown {
                feed: unit.feed.clone(),
                column: unit.column.clone(),
                expected: unit.expected.clone(),
                code: unit.code.clone(),
                hint: unit.hint.clone(),
                units: 1,
                places: vec![unit.place.clone()],
                since: unit.received_at.clone(),
            });
            continue;
        };
        cause.units += 1;
        if cause.places.len() < CAUSE_PLACES_MAX {
            cause.places.push(unit.place.clone());
        }
    }
    causes.sort_by(|a, b| (&a.feed, b.units).cmp(&(&b.feed, a.units)));
    causes
}

/// Marks units as fixed at the source, which will send them again; gives how many were open.
///
/// # Errors
/// Where none fits, or the store fails.
pub fn mark_fixed(gateway: &Gateway, asked: &Asked) -> Result<usize, GatewayError> {
    let filter = Filter { state: Some(OPEN.to_owned()), ..asked.filter(gateway) };
    gateway.store.write(|tx| {
        let ids: Vec<String> =
            quarantine::list(tx, &filter, i64::MAX)?.into_iter().map(|row| row.id).collect();
        if ids.is_empty() {
            return Err(GatewayError::NothingSetAside);
        }
        let at = gateway.edge.now();
        let marked = quarantine::mark_fixed(tx, &ids, &gateway.actor, &at.to_string())?;
        let count = i64::try_from(marked).unwrap_or(i64::MAX);
        let told = asked.feed.as_deref().unwrap_or("units");
        audit::append_act(tx, &gateway.actor, "marked as fixed", "quarantine", told, count, at)?;
        Ok(marked)
    })
}

/// Writes units out, a table without a value of anybody.
///
/// # Errors
/// Where it cannot be written.
pub fn write_table(units: &[QuarantinedShown], to: impl Write) -> Result<(), csv::Error> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record([
        "id",
        "feed",
        "batch",
        "received_at",
        "place",
        "column",
        "code",
        "expected",
        "to_do",
        "state",
    ])?;
    for unit in units {
        table.write_record([
            &unit.id,
            &unit.feed,
            &unit.batch,
            &unit.received_at,
            &unit.place,
            unit.column.as_deref().unwrap_or_default(),
            &unit.code,
            &unit.expected,
            &unit.hint,
            &unit.state,
        ])?;
    }
    table.flush()?;
    Ok(())
}

/// Units with what they say, one JSON object a line, for whoever is to put them right, and how many.
/// The audit has who asked.
///
/// # Errors
/// Where the store fails, or a batch is no longer kept.
pub fn open_units(
    gateway: &Gateway,
    units: &[QuarantinedShown],
) -> Result<(Zeroizing<Vec<u8>>, u64), GatewayError> {
    let grant = Grant::<SetAside>::begin(&gateway.actor);
    let lines = units.iter().map(|unit| opened(gateway, unit, &grant)).collect::<Result<Vec<_>, _>>();
    let receipt = grant.close();
    let count = receipt.opened;
    let now = gateway.edge.now();
    gateway.store.write(|tx| audit::append(tx, &receipt, "quarantine export", "units", now))?;
    let mut all = Zeroizing::new(Vec::new());
    for line in lines? {
        all.extend_from_slice(&line);
        all.push(b'\n');
    }
    Ok((all, count))
}

fn opened(
    gateway: &Gateway,
    unit: &QuarantinedShown,
    grant: &Grant<SetAside>,
) -> Result<Zeroizing<Vec<u8>>, GatewayError> {
    let (of, sealed) = gateway.store.read(|tx| {
        Ok::<_, GatewayError>((batch::find(tx, &unit.batch)?, quarantine::find_sealed(tx, &unit.id)?))
    })?;
    let ordinal = unit.id.rsplit('/').next().unwrap_or_default();
    let label = format!("{}/unit/{ordinal}", unit.batch);
    let raw = kept::data_key(gateway, &of)?.unseal(&label, &sealed)?;
    let raw = raw.open(grant);
    // A message of HL7 v2 is text, everything else JSON.
    let said = serde_json::from_slice(raw).unwrap_or_else(|_text| json!(String::from_utf8_lossy(raw)));
    let line = json!({
        "id": unit.id, "feed": unit.feed, "place": unit.place, "column": unit.column,
        "code": unit.code, "expected": unit.expected, "to_do": unit.hint, "unit": said,
    });
    // Texts and numbers always become JSON.
    Ok(Zeroizing::new(serde_json::to_vec(&line).unwrap_or_default()))
}
