//! What became of what a source sent over HTTP: for the sender, so without a value of anybody.

use serde::Serialize;

use crate::gateway::deliver::Found;
use crate::gateway::show::RunShown;
use crate::gateway::{Gateway, GatewayError};
use crate::store::delivery::{self, Delivery, Shape};
use crate::store::unit_outcome::{self, UnitOutcome};
use crate::store::{StoreError, Tx, run};

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReceiptShown {
    /// Its id.
    pub receipt: String,
    /// The source that sent it.
    pub source: String,
    /// The feed of the source.
    pub feed: String,
    /// When it arrived.
    pub received_at: String,
    /// `signed`, or `not signed` where a key stood for a signature.
    pub credential: String,
    /// How often the same was sent again; it was kept once.
    pub sent_again: i64,
    /// `waiting` or `processed`.
    pub state: String,
    /// How many units it holds.
    pub received: i64,
    /// What became of each, in order; empty while it waits.
    pub units: Vec<UnitShown>,
    /// The run that processes it.
    pub run: Option<String>,
    /// Of a file: what became of its rows, by outcome. The fix list names those that are wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<RunShown>,
}

/// What became of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnitShown {
    /// Where it stands in what was sent, as a JSON Pointer.
    pub pointer: String,
    /// The outcome: accepted, unchanged, filtered, duplicate, quarantined or rejected.
    pub outcome: String,
    /// What was found in it.
    pub findings: Vec<Found>,
}

/// A receipt, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReceiptLine {
    /// Its id.
    pub receipt: String,
    /// The feed, as `housing/events`.
    pub feed: String,
    /// When it arrived.
    pub received_at: String,
    /// `signed` or `not signed`.
    pub credential: String,
    /// How many units it holds.
    pub received: i64,
    /// How often the same was sent again.
    pub sent_again: i64,
    /// True once it stands in a batch, to be processed or processed.
    pub is_gathered: bool,
}

/// The last receipts of a source, or of all, newest first.
///
/// # Errors
/// Where the store fails.
pub fn list(gateway: &Gateway, source: Option<&str>, n_max: i64) -> Result<Vec<ReceiptLine>, GatewayError> {
    let rows = gateway.store.read(|tx| delivery::list_last_of(tx, source, n_max))?;
    let line = |row: Delivery| ReceiptLine {
        credential: credential(&row).to_owned(),
        feed: format!("{}/{}", row.source, row.feed),
        receipt: row.id,
        received_at: row.received_at,
        received: row.units,
        sent_again: row.repeats,
        is_gathered: row.batch_id.is_some(),
    };
    Ok(rows.into_iter().map(line).collect())
}

fn credential(kept: &Delivery) -> &'static str {
    if kept.credential == "signed" { "signed" } else { "not signed" }
}

impl ReceiptShown {
    /// True if every unit has its outcome.
    #[must_use]
    pub fn is_processed(&self) -> bool {
        self.state == PROCESSED
    }
}

const PROCESSED: &str = "processed";

/// The receipt of that id, if there is one.
///
/// # Errors
/// Where the store fails.
pub fn find(gateway: &Gateway, id: &str) -> Result<Option<ReceiptShown>, GatewayError> {
    gateway.store.read(|tx| {
        let Some(kept) = delivery::find(tx, id)? else { return Ok(None) };
        if kept.shape == Shape::File.as_str() {
            return Ok(Some(of_file(tx, &kept)?));
        }
        let Some((batch_id, first)) = kept.batch_id.clone().zip(kept.first_unit) else {
            return Ok(Some(shown(&kept, Vec::new(), None)));
        };
        let outcomes = unit_outcome::list(tx, &batch_id, first..first + kept.units)?;
        let run = run::find_last_of_batch(tx, &batch_id)?.map(|run| run.id);
        let units = outcomes.into_iter().map(|outcome| unit(&kept, first, outcome));
        Ok(Some(shown(&kept, units.collect::<Result<_, _>>()?, run)))
    })
}

/// The receipt of a file: its rows are counted; the fix list names those that are wrong.
fn of_file(tx: &mut Tx, kept: &Delivery) -> Result<ReceiptShown, StoreError> {
    let batch_id = kept.batch_id.as_deref().unwrap_or_default();
    let mut run = run::find_first_of_batch(tx, batch_id)?;
    if run.as_ref().is_some_and(|run| run.state == "held") {
        // Once somebody let it through, another run took it.
        run = run::find_last_of_batch(tx, batch_id)?;
    }
    let mut receipt = shown(kept, Vec::new(), None);
    let is_read = run.as_ref().is_some_and(|run| !["receiving", "processing"].contains(&run.state.as_str()));
    receipt.state = if is_read { PROCESSED } else { "waiting" }.to_owned();
    receipt.received = run.as_ref().map_or(0, |run| run.received);
    receipt.file = run.as_ref().filter(|_| is_read).map(RunShown::from);
    receipt.run = run.map(|run| run.id);
    Ok(receipt)
}

fn shown(kept: &Delivery, units: Vec<UnitShown>, run: Option<String>) -> ReceiptShown {
    let is_processed = i64::try_from(units.len()).is_ok_and(|done| done >= kept.units);
    ReceiptShown {
        receipt: kept.id.clone(),
        source: kept.source.clone(),
        feed: kept.feed.clone(),
        received_at: kept.received_at.clone(),
        credential: credential(kept).to_owned(),
        sent_again: kept.repeats,
        state: if is_processed { PROCESSED } else { "waiting" }.to_owned(),
        received: kept.units,
        units: if is_processed { units } else { Vec::new() },
        run,
        file: None,
    }
}

fn unit(kept: &Delivery, first: i64, outcome: UnitOutcome) -> Result<UnitShown, StoreError> {
    let is_alone = [Shape::Event, Shape::Message].iter().any(|one| kept.shape == one.as_str());
    let before = if is_alone { String::new() } else { format!("/{}", outcome.unit - first) };
    let mut findings: Vec<Found> = serde_json::from_str(&outcome.findings)
        .map_err(|_json| StoreError::Unreadable { what: "unit outcome" })?;
    for found in &mut findings {
        found.pointer.insert_str(0, &before);
    }
    Ok(UnitShown { pointer: before, outcome: outcome.outcome, findings })
}
