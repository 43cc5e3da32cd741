//! `postcode`: a United Kingdom postcode in its normal form.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// A postcode: capitals, one blank before the last three characters.
///
/// The shape is that of BS 7666; whether the postcode exists is not asked.
#[derive(Debug, Clone)]
pub struct Postcode;

impl Operation for Postcode {
    const DOC: Doc = Doc {
        name: "postcode",
        about: "a postcode in its normal form: capitals, one blank before the last three characters",
        argument: "",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["le11aa"], "LE1 1AA", "LE1 1AA"),
            Example::good("", &["SW1A  1AA"], "SW1A 1AA", "SW1A 1AA"),
            Example::bad("", &["LE1"], Code::MapPostcode),
            Example::bad("", &["L3I 1A"], Code::MapPostcode),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        let (letters, outward) = normal(&text)?;
        let mut out = String::with_capacity(8);
        for (index, letter) in letters.iter().enumerate() {
            if index == outward {
                out.push(' ');
            }
            out.push(char::from(*letter));
        }
        Ok(Value::owned(out))
    }
}

/// The letters and digits of a postcode in capitals, and how many of them are the district.
pub(super) fn normal(text: &str) -> Result<(Vec<u8>, usize), Refusal> {
    let wrong = || Refusal::new(Code::MapPostcode, "expected a postcode such as `AA1 1AA`");
    let letters: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    let outward = letters.len().checked_sub(3).ok_or_else(wrong)?;
    let inward = letters.get(outward..).unwrap_or_default();
    let is_inward = matches!(inward, [digit, one, two] if digit.is_ascii_digit()
        && one.is_ascii_uppercase() && two.is_ascii_uppercase());
    let district = letters.get(..outward).unwrap_or_default();
    let is_tail = |tail: &[u8]| match tail {
        [digit] => digit.is_ascii_digit(),
        [digit, last] => digit.is_ascii_digit() && last.is_ascii_alphanumeric(),
        _ => false,
    };
    let is_outward = match district {
        [area, tail @ ..] if area.is_ascii_uppercase() => {
            is_tail(tail)
                || matches!(tail, [second, tail @ ..] if second.is_ascii_uppercase() && is_tail(tail))
        }
        _ => false,
    };
    if is_inward && is_outward { Ok((letters, outward)) } else { Err(wrong()) }
}
