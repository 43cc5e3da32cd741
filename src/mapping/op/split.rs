//! `{ split = { on = " ", part = 1 } }`: one part of a text.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};
use crate::base::finding::Code;

/// One part of a text that holds several. A part that is not there is a blank.
#[derive(Debug, Clone)]
pub struct Split {
    on: String,
    part: usize,
}

impl Operation for Split {
    const DOC: Doc = Doc {
        name: "split",
        about: "one part of a text that holds several; a part that is not there is a blank",
        argument: "{ on = the text between, part = which, from 1 }",
        takes: Type::Text,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Lost,
        examples: &[
            Example::good("{ on = \",\", part = 2 }", &["Marlow, Ada"], "Ada", ""),
            Example::good("{ on = \",\", part = 3 }", &["Marlow, Ada"], "", ""),
            Example::bad("{ on = \",\", part = 1 }", &["#12"], Code::MapNumberForText),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        let [on, part] = argument.named(["on", "part"])?;
        let part =
            part.whole("`part`")?.checked_sub(1).ok_or_else(|| Misuse::new("expected `part` from 1"))?;
        Ok(Self { on: on.text("`on`")?.to_owned(), part })
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        let text = value.text()?;
        Ok(match text.split(self.on.as_str()).nth(self.part).map(str::trim) {
            None | Some("") => Value::Absent,
            Some(part) => Value::owned(part.to_owned()),
        })
    }
}
