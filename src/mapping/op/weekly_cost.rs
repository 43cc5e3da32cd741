//! `weekly-cost`: what a service costs a week.

use rust_decimal::{Decimal, RoundingStrategy};

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// Unit cost, cost frequency and planned units per week, as one cost a week, to the penny.
///
/// Hourly, daily and per-session costs are multiplied by the planned units per week, and are blank
/// without them. The others are spread over a year of 52 weeks, as DHSC's own processing of Client
/// Level Data does (monthly 12/52, quarterly 4/52, annually 1/52), and a minus is left out. A one-off
/// cost has none.
#[derive(Debug, Clone)]
pub struct WeeklyCost;

impl Operation for WeeklyCost {
    const DOC: Doc = Doc {
        name: "weekly-cost",
        about: "unit cost, cost frequency and planned units per week, as one cost a week; a one-off cost has none",
        argument: "",
        takes: Type::Cell,
        gives: Type::Number,
        inputs: Inputs::Exactly(3),
        way_back: WayBack::Lost,
        examples: &[
            Example::good("", &["20.00", "Hourly", "14"], "280", ""),
            Example::good("", &["1501.79", "Weekly", ""], "1501.79", ""),
            Example::good("", &["800", "Fortnightly", ""], "400", ""),
            Example::good("", &["5200", "Annually", ""], "100", ""),
            Example::good("", &["433.33", "Monthly", ""], "100", ""),
            Example::good("", &["-433.33", "Monthly", ""], "100", ""),
            Example::good("", &["500", "One-off", ""], "", ""),
            Example::good("", &["20.00", "Hourly", ""], "", ""),
            Example::good("", &["", "Weekly", "1"], "", ""),
            Example::bad("", &["20.00", "Now and then", "1"], Code::MapUnknownCode),
            Example::bad("", &["x", "Weekly", ""], Code::MapMoney),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, _value: Value<'u>) -> Outcome<'u> {
        Ok(Value::Absent)
    }

    fn gather<'u>(&self, values: Vec<Value<'u>>) -> Outcome<'u> {
        let mut values = values.into_iter();
        let mut next = || values.next().unwrap_or(Value::Absent);
        let (cost, frequency, units) = (next(), next(), next());
        if cost.is_blank() || frequency.is_blank() {
            return Ok(Value::Absent);
        }
        let cost = super::cost::Cost.read(cost)?.number()?;
        let weeks_a_year = Decimal::from(52);
        let a_week = match frequency.text()?.to_ascii_lowercase().as_str() {
            "one-off" => return Ok(Value::Absent),
            "per session" | "hourly" | "daily" if units.is_blank() => return Ok(Value::Absent),
            "per session" | "hourly" | "daily" => super::number::Number.read(units)?.number()?,
            "weekly" => Decimal::ONE,
            "fortnightly" => Decimal::new(5, 1),
            "4-weekly" => Decimal::new(25, 2),
            "monthly" => Decimal::from(12) / weeks_a_year,
            "quarterly" => Decimal::from(4) / weeks_a_year,
            "annually" => Decimal::ONE / weeks_a_year,
            _ => {
                let expected = "expected a cost frequency of Client Level Data";
                return Err(Refusal::new(Code::MapUnknownCode, expected));
            }
        };
        let weekly = cost
            .checked_mul(a_week)
            .ok_or_else(|| Refusal::new(Code::MapNumber, "expected a smaller cost"))?
            .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        Ok(Value::Number(weekly.normalize()))
    }
}
