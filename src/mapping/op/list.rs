//! `{ list = ";" }`: several texts in one cell.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// Several texts in one cell. Blank ones are left out.
#[derive(Debug, Clone)]
pub struct List(pub String);

impl Operation for List {
    const DOC: Doc = Doc {
        name: "list",
        about: "several texts in one cell; blank ones are left out",
        argument: "the text between them",
        takes: Type::Text,
        gives: Type::List,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("\";\"", &["rent; bills;;"], "rent;bills", "rent;bills"),
            Example::good("\", \"", &["rent, bills"], "rent;bills", "rent, bills"),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.text("the text between the items").map(|text| Self(text.to_owned()))
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        let items = text.split(self.0.as_str()).map(str::trim).filter(|item| !item.is_empty());
        let items: Vec<String> = items.map(str::to_owned).collect();
        Ok(if items.is_empty() { Value::Absent } else { Value::List(items) })
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        match value {
            Value::List(items) if items.iter().all(|item| !item.contains(self.0.trim())) => {
                Ok(Value::owned(items.join(&self.0)))
            }
            Value::List(_) => {
                Err(Refusal::new(Code::MapShape, format!("expected items without `{}` in them", self.0)))
            }
            other => Err(Refusal::new(Code::MapType, format!("expected a list, found {}", other.what()))),
        }
    }
}
