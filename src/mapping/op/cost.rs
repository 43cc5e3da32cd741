//! `cost`: pounds and pence, never below nothing.

use super::argument::{Argument, Misuse};
use super::money::Money;
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// What something costs. A minus before it is left out, which is always said: DHSC's own processing
/// of Client Level Data makes costs absolute (DHSC, `6.Costs_fact.sql`).
#[derive(Debug, Clone)]
pub struct Cost;

impl Operation for Cost {
    const DOC: Doc = Doc {
        name: "cost",
        about: "an amount in pounds that a minus does not change: it is left out, and said so",
        argument: "",
        takes: Type::Cell,
        gives: Type::Number,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["1501.79"], "1501.79", "1501.79"),
            Example::good("", &["-£1,501.70"], "1501.7", "1501.70"),
            Example::good("", &["#-12"], "12", "12.00"),
            Example::good("", &["-0.00"], "0", "0.00"),
            Example::bad("", &["(12.00)"], Code::MapMoney),
            Example::bad("", &["-1.505"], Code::MapMoney),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let pounds = Money.read(value)?.number()?;
        Ok(Value::Number(pounds.abs()))
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Money.write(value)
    }

    fn remark(&self, value: &Value<'_>) -> Option<Refusal> {
        let pounds = Money.read(value.clone()).ok()?.number().ok()?;
        let said = "expected a cost of nothing or more, read it without its minus";
        (pounds.is_sign_negative() && !pounds.is_zero()).then(|| Refusal::new(Code::MapCostMinus, said))
    }
}
