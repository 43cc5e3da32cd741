//! What is wrong with a mapping file, at its place.

use std::ops::Range;

use super::Compiler;
use crate::mapping::diagnostic::Diagnostic;
use crate::mapping::file::node::Placed;

impl Compiler<'_> {
    pub(super) fn fault(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.note(self.raw.source.fault(span, message));
    }

    pub(super) fn advise(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.note(self.raw.source.fault(span, message).hint(hint));
    }

    pub(super) fn unknown<'w>(
        &mut self,
        placed: &Placed<String>,
        what: &str,
        known: impl IntoIterator<Item = &'w str>,
    ) {
        let fault = self.raw.source.fault(&placed.span, format!("unknown {what} `{}`", placed.value));
        self.note(fault.nearest(&placed.value, known));
    }

    /// Once: a block for several sheets has the same fault on each.
    fn note(&mut self, fault: Diagnostic) {
        let place = (fault.line, fault.column);
        let is_known =
            |known: &Diagnostic| (known.line, known.column) == place && known.message == fault.message;
        if !self.faults.iter().any(is_known) {
            self.faults.push(fault);
        }
    }
}
