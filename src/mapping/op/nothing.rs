//! `nothing`: a cell that has to be blank.

use super::argument::{Argument, Misuse};
use super::value::{Type, Value};
use super::{Doc, Example, Inputs, Operation, Outcome, Refusal, WayBack};
use crate::base::finding::Code;

/// A cell that has to be blank, because what else stands in the unit leaves no room for it: an area
/// of another edition of a star.
#[derive(Debug, Clone)]
pub struct Nothing;

impl Operation for Nothing {
    const DOC: Doc = Doc {
        name: "nothing",
        about: "a cell that has to be blank",
        argument: "",
        takes: Type::Cell,
        gives: Type::Cell,
        inputs: Inputs::One,
        way_back: WayBack::Lost,
        examples: &[Example::bad("", &["7"], Code::MapShape)],
    };

    fn build(argument: &Argument<'_>) -> Result<Self, Misuse> {
        argument.none().map(|()| Self)
    }

    fn read<'u>(&self, _value: Value<'u>) -> Outcome<'u> {
        let expected = "expected nothing here, given what else is said";
        Err(Refusal::new(Code::MapShape, expected))
    }
}
