//! Pieces of a mapping file as they are written again: in an explanation, and in a draft.

use super::{RawField, RawOp};
use crate::mapping::diagnostic::Source;
use crate::mapping::file::node::{Node, Placed};

impl RawOp {
    /// The operation as the file writes it: `date = "%d/%m/%Y"`.
    #[must_use]
    pub fn written(&self, source: &Source) -> String {
        let Some(argument) = &self.argument else { return self.name.value.clone() };
        let text = source.text.get(self.name.span.start..argument.span.end).unwrap_or(&self.name.value);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl RawField {
    /// A field that is read from one column, as it comes.
    #[must_use]
    pub fn plain(field: &str, column: &str) -> Self {
        let placed = |text: &str| Placed { value: text.to_owned(), span: 0..0 };
        Self { from: vec![placed(column)], ..Self::bare(placed(field)) }
    }

    /// A field that always holds the same.
    pub(super) fn constant(field: &Placed<String>, value: &Placed<Node>) -> Self {
        Self { value: Some(value.clone()), ..Self::bare(field.clone()) }
    }

    fn bare(to: Placed<String>) -> Self {
        Self {
            span: to.span.clone(),
            to,
            from: Vec::new(),
            value: None,
            pipeline: None,
            codes: None,
            other: None,
            blank: None,
            wrong: None,
            published: Vec::new(),
            default: None,
            is_delete: false,
            one_way: false,
        }
    }
}
