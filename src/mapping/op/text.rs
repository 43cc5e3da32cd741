//! `text`: the text as it stands, trimmed.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};

/// The text as it stands, trimmed. A number cell is refused: a text kept as a number has lost
/// its leading noughts.
#[derive(Debug, Clone)]
pub struct Text;

impl Operation for Text {
    const DOC: Doc = Doc {
        name: "text",
        about: "the text as it stands, trimmed",
        argument: "",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[Example::good("", &[" Priya "], "Priya", "Priya")],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        value.text().map(Value::Text)
    }
}
