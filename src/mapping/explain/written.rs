//! The way out of a field: where another mapping writes it, as which word, and what that loses.

use super::{Came, Explained, List, Told};
use crate::mapping::Mapping;
use crate::mapping::op::value::Value;

/// One place that a field is written to.
pub struct Written {
    /// The columns or paths.
    pub at: Vec<String>,
    /// The code list.
    pub codes: Option<List>,
    /// As what.
    pub way: Way,
}

/// As what a field is written.
pub enum Way {
    /// This word of the code list.
    Word(String),
    /// A word that stands for more than the value.
    Wider(String),
    /// The code list has none for it.
    NoWord,
    /// No code list: the value itself, in whatever form the layout has.
    Value(Told),
}

impl Mapping {
    /// Each place where this mapping writes a field that another has read; none where it has no room
    /// for it, or nothing was read.
    #[must_use]
    pub fn explain_written(&self, explained: &Explained) -> Vec<Written> {
        let (Came::Read(told) | Came::Fixed(told)) = &explained.came else { return Vec::new() };
        let mut all: Vec<Written> = Vec::new();
        let blocks =
            self.blocks.iter().filter(|block| block.kind == explained.lineage.kind && !block.one_way);
        for rule in blocks.filter(|_| !self.one_way).flat_map(|block| &block.rules) {
            if rule.field.name != explained.lineage.field || rule.one_way || rule.from.is_empty() {
                continue;
            }
            if all.iter().any(|known| known.at == rule.from) {
                continue;
            }
            let way = match (&rule.codes, told) {
                (Some(codes), Told::Plain(word)) => match codes.write(Value::owned(word.clone())) {
                    Ok(back) if codes.is_widened(word) => Way::Wider(back.plain().into_owned()),
                    Ok(back) => Way::Word(back.plain().into_owned()),
                    Err(_refusal) => Way::NoWord,
                },
                _ => Way::Value(told.clone()),
            };
            let codes = rule.codes.as_ref().map(|codes| List::of(codes));
            all.push(Written { at: rule.from.clone(), codes, way });
        }
        all
    }
}
