//! `id`: an identifier as a source writes it.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// An identifier: printable ASCII without blanks. A number cell is refused.
#[derive(Debug, Clone)]
pub struct Id;

impl Operation for Id {
    const DOC: Doc = Doc {
        name: "id",
        about: "an identifier: printable characters without blanks, kept as text",
        argument: "",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["LL0000001"], "LL0000001", "LL0000001"),
            Example::bad("", &["LL 1"], Code::MapShape),
            Example::bad("", &["#1234567"], Code::MapNumberForText),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Value::Text(text))
        } else {
            Err(Refusal::new(Code::MapShape, "expected an identifier without blanks"))
        }
    }
}
