//! `{ words = { "Care Home" = "care-home" } }`: a small code list in place.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, WayBack};
use crate::base::finding::Code;
use crate::mapping::code_list::CodeList;
use crate::mapping::file::node::Node;

/// A small code list in place. Of several words for one, the first is the way back.
#[derive(Debug, Clone)]
pub struct Words(pub CodeList);

impl Operation for Words {
    const DOC: Doc = Doc {
        name: "words",
        about: "a small code list in place; of several words for one, the first is the way back",
        argument: "{ \"source word\" = \"canonical word\", .. }",
        takes: Type::Cell,
        gives: Type::Text,
        inputs: Inputs::One,
        way_back: WayBack::Written,
        examples: &[
            Example::good("{ Yes = \"yes\", Y = \"yes\" }", &["Y"], "yes", "Yes"),
            Example::bad("{ Yes = \"yes\" }", &["maybe"], Code::MapUnknownCode),
        ],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        let mut list = CodeList::empty("words");
        for (source, canonical) in argument.entries("source = canonical")? {
            let Node::Text(word) = &canonical.value else {
                return Err(Misuse {
                    span: Some(canonical.span.clone()),
                    message: "expected a text".to_owned(),
                });
            };
            list.add(&source.value, word);
        }
        Ok(Self(list))
    }

    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        self.0.read(value)
    }

    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        self.0.write(value)
    }
}
