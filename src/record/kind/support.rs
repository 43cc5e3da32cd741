//! Support given in one period. The twin of `schemas/record/support.json`.

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::base::day::Day;
use crate::base::money::Money;

/// Support given in one period.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Support {
    /// Who gave it.
    pub role: Option<String>,
    /// First day of the period.
    pub period_start: Option<Day>,
    /// Last day of the period.
    pub period_end: Option<Day>,
    /// Hours planned.
    pub hours_planned: Option<Decimal>,
    /// Hours given.
    pub hours_given: Option<Decimal>,
    /// Sessions.
    pub sessions: Option<i64>,
    /// Discretionary money, pounds.
    pub discretionary_money: Option<Money>,
    /// Move-in money, pounds.
    pub move_in_money: Option<Money>,
}
