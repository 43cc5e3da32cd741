//! `{ pad = 6 }`: fills up on the left to a width.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// Fills up on the left, with noughts or another character, to a width. A longer value is refused.
#[derive(Debug, Clone)]
pub struct Pad {
    width: usize,
    with: char,
}

/// The widest a value is filled up to: no code of the record is longer.
const WIDTH_MAX: usize = 64;

impl Operation for Pad {
    const DOC: Doc = Doc {
        name: "pad",
        about: "fills up on the left to a width",
        argument: "the width, or { width = 6, with = \"0\" }",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("6", &["123"], "000123", "000123"),
            Example::good("{ width = 4, with = \"x\" }", &["ab"], "xxab", "xxab"),
            Example::bad("2", &["123"], Code::MapShape),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        let (width, with) = if argument.is_table() {
            let [width, with] = argument.named(["width", "with"])?;
            (width.whole("`width`")?, with.optional_text("`with`")?.unwrap_or("0"))
        } else {
            (argument.whole("the width")?, "0")
        };
        let mut letters = with.chars();
        match (letters.next(), letters.next()) {
            (Some(with), None) if (1..=WIDTH_MAX).contains(&width) => Ok(Self { width, with }),
            _ => Err(Misuse::new(format!(
                "expected a width from 1 to {WIDTH_MAX} and one character to fill with"
            ))),
        }
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        let missing = self.width.checked_sub(text.chars().count()).ok_or_else(|| {
            Refusal::new(Code::MapShape, format!("expected at most {} characters", self.width))
        })?;
        let filling: String = std::iter::repeat_n(self.with, missing).collect();
        Ok(Value::owned(format!("{filling}{text}")))
    }
}
