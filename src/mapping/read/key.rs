//! The parts of a key.

use std::borrow::Cow;

use crate::mapping::KEY_SEPARATOR;
use crate::mapping::compile::Part;
use crate::mapping::op::id;

/// Parts as one text.
pub(super) fn joined(parts: &[Cow<'_, str>]) -> String {
    let mut out = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push(KEY_SEPARATOR);
        }
        out.push_str(id::one_form(part));
    }
    out
}

/// The cell that a part is read from.
pub(super) fn address_of(part: Option<&Part>) -> Option<&str> {
    match part {
        Some(Part::Cell(address, _)) => Some(address),
        _ => None,
    }
}
