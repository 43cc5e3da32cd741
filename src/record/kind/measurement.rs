//! One score of any other instrument. The twin of `schemas/record/measurement.json`.

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::base::day::Day;

/// One score of any other instrument.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// Instrument.
    pub instrument: Option<String>,
    /// Item or total.
    pub item: Option<String>,
    /// Score.
    pub score: Option<Decimal>,
    /// Day of the score.
    pub scored_on: Option<Day>,
    /// Version of the instrument.
    pub instrument_version: Option<String>,
    /// Who completed it.
    pub completed_with: Option<String>,
}
