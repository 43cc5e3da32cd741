//! `present`: whether there is anything.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};

/// True if the cell holds anything, false if it is blank.
#[derive(Debug, Clone)]
pub struct Present;

impl Operation for Present {
    const DOC: Doc = Doc {
        name: "present",
        about: "true if the cell holds anything, false if it is blank",
        argument: "",
        takes: Type::Cell,
        gives: Type::Truth,
        inputs: Inputs::OneOrBlank,
        way_back: WayBack::Lost,
        examples: &[Example::good("", &["x"], "true", ""), Example::good("", &[""], "false", "")],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Ok(Value::Truth(!value.is_blank()))
    }
}
