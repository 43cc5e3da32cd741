//! `collapse`: the text with every run of blanks as one.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};

/// The text with every run of blanks as one.
#[derive(Debug, Clone)]
pub struct Collapse;

impl Operation for Collapse {
    const DOC: Doc = Doc {
        name: "collapse",
        about: "the text with every run of blanks as one",
        argument: "",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[Example::good("", &["12  High   Street"], "12 High Street", "12 High Street")],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        let words: Vec<&str> = text.split_whitespace().collect();
        Ok(Value::owned(words.join(" ")))
    }
}
