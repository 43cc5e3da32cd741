//! `postcode-halves`: a postcode in two cells.

use super::argument::{Argument, Misuse};
use super::postcode::Postcode;
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};
use crate::base::finding::Code;

/// A postcode in two cells, the part before the blank and the part after it.
#[derive(Debug, Clone)]
pub struct PostcodeHalves;

impl Operation for PostcodeHalves {
    const DOC: Doc = Doc {
        name: "postcode-halves",
        about: "a postcode in two cells, the part before the blank and the part after it; written back into the two",
        argument: "",
        takes: Type::Cell,
        gives: Type::Text,
        inputs: Inputs::Exactly(2),
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["s99", "1aa"], "S99 1AA", "S99 1AA"),
            Example::bad("", &["S99", ""], Code::MapPostcode),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Postcode.read(value)
    }

    fn gather<'u>(&self, values: Vec<Value<'u>>) -> Outcome<'u> {
        let whole: Vec<String> = values.into_iter().map(|value| value.plain().into_owned()).collect();
        Postcode.read(Value::owned(whole.join(" ")))
    }

    fn scatter<'u>(&self, value: &Value<'u>) -> Option<Vec<Value<'u>>> {
        let text = value.clone().plain();
        let (outward, inward) = text.split_once(' ')?;
        Some([outward, inward].map(|half| Value::owned(half.to_owned())).into())
    }
}
