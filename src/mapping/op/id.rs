//! `id`: an identifier as a source writes it.

use std::borrow::Cow;

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
            Example::good("", &["001A0000006Vm9rIAC"], "001A0000006Vm9r", "001A0000006Vm9r"),
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
            Ok(Value::Text(match text {
                Cow::Borrowed(text) => Cow::Borrowed(one_form(text)),
                Cow::Owned(text) => Cow::Owned(one_form(&text).to_owned()),
            }))
        } else {
            Err(Refusal::new(Code::MapShape, "expected an identifier without blanks"))
        }
    }
}

/// Letters that say which of five are capitals: the first of them the lowest of five bits.
const CAPITALS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
/// Letters of a Salesforce id, without and with the three that say which are capitals (Salesforce,
/// "Object Reference", section "ID Field Type").
const SHORT: usize = 15;
const LONG: usize = 18;

/// The short form of a Salesforce id in its long form: the two are one id, and reports give the one
/// where flows give the other. Anything else stands as it is: of 32,768 other texts of eighteen letters
/// one looks like it, and is still told from all but its own first fifteen.
pub(in crate::mapping) fn one_form(part: &str) -> &str {
    if part.len() != LONG || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return part;
    }
    let (Some(short), Some(check)) = (part.get(..SHORT), part.get(SHORT..)) else { return part };
    let told = short.as_bytes().chunks(5).map(|five| {
        let bits = five.iter().rev().fold(0, |bits, byte| bits << 1 | usize::from(byte.is_ascii_uppercase()));
        CAPITALS.get(bits).copied()
    });
    if told.eq(check.bytes().map(|byte| Some(byte.to_ascii_uppercase()))) { short } else { part }
}

#[cfg(test)]
mod tests {
    use super::one_form;

    #[test]
    fn the_two_forms_of_a_salesforce_id_are_one() {
        assert_eq!(one_form("001A0000006Vm9rIAC"), "001A0000006Vm9r");
        assert_eq!(one_form("001A0000006Vm9r"), "001A0000006Vm9r");
        assert_eq!(one_form("001A0000006Vm9RIAC"), "001A0000006Vm9RIAC", "another id");
        assert_eq!(one_form("LL0000000000000001"), "LL0000000000000001");
    }
}
