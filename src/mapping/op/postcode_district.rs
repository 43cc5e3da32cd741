//! `postcode-district`: the first half of a postcode.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};
use crate::base::finding::Code;

/// The first half of a postcode, such as `LE1`. The whole postcode has to be one.
#[derive(Debug, Clone)]
pub struct PostcodeDistrict;

impl Operation for PostcodeDistrict {
    const DOC: Doc = Doc {
        name: "postcode-district",
        about: "the first half of a postcode",
        argument: "",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Lost,
        examples: &[
            Example::good("", &["le1 1aa"], "LE1", ""),
            Example::bad("", &["nowhere"], Code::MapPostcode),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        let (letters, outward) = super::postcode::normal(&text)?;
        Ok(Value::owned(letters.into_iter().take(outward).map(char::from).collect()))
    }
}
