//! `{ dd-format = "min an3 max an6" }`: the form of a value, as the NHS Data Dictionary writes it.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// A text of the form that the NHS Data Dictionary gives: `n10` is ten digits, `an3` three letters or
/// digits, `max an20` at most twenty, `min an3 max an6` three to six. Letters and digits are taken
/// with the marks that identifiers hold, as the data sets do.
#[derive(Debug, Clone)]
pub struct DdFormat {
    is_digits: bool,
    least: usize,
    most: usize,
}

impl Operation for DdFormat {
    const DOC: Doc = Doc {
        name: "dd-format",
        about: "a text of the form that the NHS Data Dictionary gives, such as `an3` or `max an20`",
        argument: "the form, such as \"min an3 max an6\"",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("\"an3\"", &["A09"], "A09", "A09"),
            Example::good("\"min an3 max an6\"", &["TAHXX"], "TAHXX", "TAHXX"),
            Example::good("\"max n4\"", &["60"], "60", "60"),
            Example::bad("\"an3\"", &["A9"], Code::MapShape),
            Example::bad("\"max an5\"", &["123456"], Code::MapShape),
            Example::bad("\"n10\"", &["99900000x8"], Code::MapShape),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        let text = argument.text("the form")?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let form = match words.as_slice() {
            [exact] => size(exact).map(|(is_digits, size)| (is_digits, size, size)),
            ["max", most] => size(most).map(|(is_digits, size)| (is_digits, 1, size)),
            ["min", least, "max", most] => match (size(least), size(most)) {
                (Some((is_digits, least)), Some((same, most))) if is_digits == same && least <= most => {
                    Some((is_digits, least, most))
                }
                _ => None,
            },
            _ => None,
        };
        form.map(|(is_digits, least, most)| Self { is_digits, least, most }).ok_or_else(|| {
            Misuse::new("expected a form such as `n10`, `an3`, `max an20` or `min an3 max an6`")
        })
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        let length = text.chars().count();
        let is_kind =
            |letter: u8| if self.is_digits { letter.is_ascii_digit() } else { letter.is_ascii_graphic() };
        if (self.least..=self.most).contains(&length) && text.bytes().all(is_kind) {
            return Ok(Value::Text(text));
        }
        let what = if self.is_digits { "digits" } else { "letters and digits" };
        let count = if self.least == self.most {
            self.most.to_string()
        } else {
            format!("{} to {}", self.least, self.most)
        };
        Err(Refusal::new(Code::MapShape, format!("expected {count} {what}")))
    }
}

/// `an6` as (false, 6), `n10` as (true, 10).
fn size(word: &str) -> Option<(bool, usize)> {
    let (is_digits, size) = match word.strip_prefix("an") {
        Some(size) => (false, size),
        None => (true, word.strip_prefix('n')?),
    };
    size.parse().ok().filter(|size| *size > 0).map(|size| (is_digits, size))
}
