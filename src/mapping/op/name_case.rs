//! `name-case`: a name out of capitals.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};

/// A name written all in capitals or all in small letters, with each part capitalised.
#[derive(Debug, Clone)]
pub struct NameCase;

impl Operation for NameCase {
    const DOC: Doc = Doc {
        name: "name-case",
        about: "a name written all in capitals or small letters, with each part capitalised",
        argument: "",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["O'NEILL-SMITH"], "O'Neill-Smith", "O'Neill-Smith"),
            Example::good("", &["McDonald"], "McDonald", "McDonald"),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Ok(Value::owned(capitalised(&value.text()?)))
    }
}

/// A name in mixed letters is left as it is: its owner knows better (`McDonald`, `van Dijk`).
fn capitalised(name: &str) -> String {
    let is_mixed = name.chars().any(char::is_uppercase) && name.chars().any(char::is_lowercase);
    if is_mixed {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len());
    let mut is_start = true;
    for letter in name.chars() {
        if is_start {
            out.extend(letter.to_uppercase());
        } else {
            out.extend(letter.to_lowercase());
        }
        is_start = !letter.is_alphanumeric();
    }
    out
}
