//! `yes-no`: yes or no.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// Yes or no, in the source's words. Any case; a truth cell is taken as it is.
#[derive(Debug, Clone)]
pub struct YesNo {
    yes: Vec<String>,
    no: Vec<String>,
}

impl Operation for YesNo {
    const DOC: Doc = Doc {
        name: "yes-no",
        about: "yes or no, any case; `Yes`, `Y`, `No` and `N`, or the words given",
        argument: "nothing, or { yes = \"1\", no = \"0\" }",
        takes: Type::Cell,
        gives: Type::Truth,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("", &["Y"], "true", "Yes"),
            Example::good("", &["no"], "false", "No"),
            Example::good("{ yes = \"1\", no = \"0\" }", &["0"], "false", "0"),
            Example::good("{ yes = \"1\", no = \"0\" }", &["#1"], "true", "1"),
            Example::bad("", &["maybe"], Code::MapYesNo),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        if argument.0.is_none() {
            return Ok(Self { yes: owned(&["Yes", "Y"]), no: owned(&["No", "N"]) });
        }
        let [yes, no] = argument.named(["yes", "no"])?;
        Ok(Self { yes: owned(&[yes.text("`yes`")?]), no: owned(&[no.text("`no`")?]) })
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        if let Value::Truth(truth) = value {
            return Ok(Value::Truth(truth));
        }
        let text = value.plain().to_lowercase();
        let is_one_of = |words: &[String]| words.iter().any(|word| word.to_lowercase() == text);
        if is_one_of(&self.yes) {
            return Ok(Value::Truth(true));
        }
        if is_one_of(&self.no) {
            return Ok(Value::Truth(false));
        }
        let expected = format!("expected `{}` or `{}`", self.yes.join("`, `"), self.no.join("`, `"));
        Err(Refusal::new(Code::MapYesNo, expected))
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let words = match value {
            Value::Truth(true) => &self.yes,
            Value::Truth(false) => &self.no,
            other => {
                let expected = format!("expected a truth value, found {}", other.what());
                return Err(Refusal::new(Code::MapType, expected));
            }
        };
        Ok(words.first().map_or(Value::Absent, |word| Value::owned(word.clone())))
    }
}
