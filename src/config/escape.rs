//! Paths of Windows in double quotes, where TOML takes a backslash for the beginning of an escape.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::{ConfigError, at};

/// What to do.
const REMEDY: &str = "in double quotes a backslash begins an escape; write a path of Windows in single quotes, \
                      as 'C:\\data\\in', or with / in place of each \\";

/// Refuses a setting that holds a sign that nobody can type, as `"C:\new"` does: no setting needs one,
/// and the path that was meant is not the one that is there.
pub(super) fn check(file: &Path, text: &str) -> Result<(), ConfigError> {
    // What is no TOML is told by whoever reads it next.
    let Ok(table) = DeTable::parse(text) else { return Ok(()) };
    match table.get_ref().values().find_map(first) {
        Some(start) => {
            Err(at(file, text, start, format!("expected a text of one line without tabs; {REMEDY}")))
        }
        None => Ok(()),
    }
}

/// Where the first text with such a sign begins.
fn first(value: &Spanned<DeValue<'_>>) -> Option<usize> {
    match value.get_ref() {
        DeValue::String(text) => text.contains(char::is_control).then(|| value.span().start),
        DeValue::Array(values) => values.iter().find_map(first),
        DeValue::Table(table) => table.values().find_map(first),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => None,
    }
}

/// What the parser says, or what to do where it stumbled over a backslash; `before` is the text before that
/// place.
pub(super) fn explained(message: &str, before: &str) -> String {
    if before.ends_with('\\') || message.contains("unicode") {
        return REMEDY.to_owned();
    }
    message.to_owned()
}
