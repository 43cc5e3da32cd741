//! `first`: the first cell that is not blank.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};

/// The first of several cells that is not blank. Written into the first of them.
#[derive(Debug, Clone)]
pub struct First;

impl Operation for First {
    const DOC: Doc = Doc {
        name: "first",
        about: "the first of several cells that is not blank; written into the first of them",
        argument: "",
        takes: Type::Cell,
        gives: Type::Cell,
        inputs: Inputs::Several,
        way_back: WayBack::Written,
        examples: &[Example::good("", &["", "b"], "b", "b"), Example::good("", &["a", "b"], "a", "a")],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Ok(value)
    }

    fn gather<'u>(&self, values: Vec<Value<'u>>) -> Outcome<'u> {
        Ok(values.into_iter().find(|value| !value.is_blank()).unwrap_or(Value::Absent))
    }
}
