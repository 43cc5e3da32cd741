//! What tells a record apart for every feed of its source, so that what two of them tell of one
//! thing is one record.

use std::sync::Arc;

use super::{Compiler, Part, Rule};
use crate::mapping::file::RawRecord;
use crate::mapping::file::same::RawSame;
use crate::record::kind::Kind;
use crate::record::schema::Holds;

/// What tells a record apart for every feed of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SameAs {
    /// The fields that do, beside whom it is about. None where its key does, which every feed gives
    /// it.
    pub fields: Vec<&'static str>,
    /// What the sender calls them.
    pub columns: Vec<String>,
    /// Parts of the key that tell it apart further: their places among its parts.
    pub own: Vec<usize>,
    /// The column of the row's own id.
    pub row_id: Option<String>,
}

impl Compiler<'_> {
    pub(super) fn same_as(
        &mut self,
        raw: &RawRecord,
        kind: Kind,
        rules: &[Rule],
        key: &[Part],
        subject: &[Part],
    ) -> Option<Arc<SameAs>> {
        let row_id = raw.row_id.as_ref().map(|row_id| row_id.value.clone());
        let names = match raw.same_as.as_ref()? {
            RawSame::Key => {
                return Some(Arc::new(SameAs {
                    fields: Vec::new(),
                    columns: Vec::new(),
                    own: Vec::new(),
                    row_id,
                }));
            }
            RawSame::Fields(names) => names,
        };
        if kind == Kind::Setting {
            self.fault(
                &raw.kind.span,
                "`same_as` is for what is known of a person, and a setting is of none",
            );
            return None;
        }
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for name in names {
            match rules.iter().find(|rule| !rule.is_check && rule.field.name == name.value) {
                Some(rule) if is_told_apart_by(rule) => {
                    fields.push(rule.field.name);
                    columns.extend(rule.from.first().cloned());
                }
                Some(_) => {
                    let message = format!("`{}` cannot tell records apart", name.value);
                    let hint = "a day, a word or a text that names nobody can";
                    self.advise(&name.span, message, hint);
                }
                // Its own fault has been noted if the field is there but wrong.
                None if raw.fields.iter().any(|field| field.to.value == name.value) => {}
                None => {
                    self.unknown(name, "field of this record", rules.iter().map(|rule| rule.field.name));
                }
            }
        }
        let is_told = |part: &Part| match part {
            Part::Field(index) => rules.get(*index).is_some_and(|rule| fields.contains(&rule.field.name)),
            Part::Cell(address, _) => {
                subject.iter().any(|part| matches!(part, Part::Cell(other, _) if other == address))
            }
        };
        let own = key.iter().enumerate().filter(|(_, part)| !is_told(part)).map(|(index, _)| index).collect();
        Some(Arc::new(SameAs { fields, columns, own, row_id }))
    }
}

fn is_told_apart_by(rule: &Rule) -> bool {
    matches!(rule.field.holds, Holds::Text | Holds::Word(_) | Holds::Day) && !rule.field.privacy.is_sealed()
}
