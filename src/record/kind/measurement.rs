//! One score of any other instrument. The twin of `schemas/record/measurement.json`.

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::base::day::Day;
use crate::base::private::Private;

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
    /// Unit of the score: a code of the Unified Code for Units of Measure (UCUM).
    pub unit_of_measure: Option<String>,
    /// Day of the score.
    pub scored_on: Option<Day>,
    /// Version of the instrument.
    pub instrument_version: Option<String>,
    /// Who completed it.
    pub completed_with: Option<String>,
    /// The sender's identifier of what it was scored in.
    pub reference: Option<Private<String>>,
    /// The sender's identifier of the contact it was scored in.
    pub contact_ref: Option<Private<String>>,
}
