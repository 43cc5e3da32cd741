//! `{ join = " " }`: several cells as one text.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};

/// Several cells as one text. Blank ones are left out.
#[derive(Debug, Clone)]
pub struct Join(String);

impl Operation for Join {
    const DOC: Doc = Doc {
        name: "join",
        about: "several cells as one text; blank ones are left out",
        argument: "the text between them",
        takes: Type::Cell,
        gives: Type::Text,
        inputs: Inputs::Several,
        way_back: WayBack::Lost,
        examples: &[
            Example::good("\", \"", &["Flat 2", "", "1 High Street"], "Flat 2, 1 High Street", ""),
            Example::good("\" \"", &["", ""], "", ""),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.text("the text between").map(|text| Self(text.to_owned()))
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        self.gather(vec![value])
    }

    fn gather<'u>(&self, values: Vec<Value<'u>>) -> Outcome<'u> {
        let parts: Vec<_> = values.into_iter().filter(|value| !value.is_blank()).map(Value::plain).collect();
        Ok(if parts.is_empty() { Value::Absent } else { Value::owned(parts.join(&self.0)) })
    }
}
