//! `kebab`: a text as a code.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};

/// A text as a code: small letters and digits, all else as single hyphens.
#[derive(Debug, Clone)]
pub struct Kebab;

impl Operation for Kebab {
    const DOC: Doc = Doc {
        name: "kebab",
        about: "a text as a code: small letters and digits, all else as single hyphens",
        argument: "",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Lost,
        examples: &[Example::good("", &["Moved to: own flat"], "moved-to-own-flat", "")],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?.to_lowercase();
        let parts = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        Ok(if parts.is_empty() { Value::Absent } else { Value::owned(parts.join("-")) })
    }
}
