//! `nhs-number`: ten digits, checked.

use std::borrow::Cow;

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;
use crate::record::nhs_number::{Verdict, judge};

/// An NHS number: blanks and hyphens taken out, check digit and plausibility checked, ten digits
/// written.
#[derive(Debug, Clone)]
pub struct NhsNumber;

impl Operation for NhsNumber {
    const DOC: Doc = Doc {
        name: "nhs-number",
        about: "an NHS number: blanks and hyphens taken out, check digit and plausibility checked",
        argument: "",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["999 000 0018"], "9990000018", "9990000018"),
            Example::good("", &["9990000018"], "9990000018", "9990000018"),
            Example::bad("", &["9990000019"], Code::MapNhsCheckDigit),
            Example::bad("", &["999000001"], Code::MapNhsShape),
            Example::bad("", &["9999999999"], Code::MapNhsImplausible),
            Example::bad("", &["#9990000018"], Code::MapNumberForText),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        let digits = if text.contains([' ', '-', '\u{a0}']) {
            Cow::Owned(text.replace([' ', '-', '\u{a0}'], ""))
        } else {
            text
        };
        let (code, expected) = match judge(&digits) {
            Verdict::Good => return Ok(Value::Text(digits)),
            Verdict::Shape => (Code::MapNhsShape, "expected an NHS number of ten digits"),
            Verdict::CheckDigit => {
                (Code::MapNhsCheckDigit, "expected an NHS number whose check digit is right")
            }
            Verdict::Implausible => {
                (Code::MapNhsImplausible, "expected an NHS number that could have been issued")
            }
        };
        Err(Refusal::new(code, expected))
    }
}
