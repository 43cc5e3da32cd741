//! The published schemas, compiled once.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::evaluation::door::DoorKind;

/// Where in our schema a message does not fit: a path in the schema file, never in the message,
/// whose own names may say something. `None` if it fits.
#[must_use]
pub fn fault(kind: DoorKind, message: &Value) -> Option<String> {
    let validator = of(kind);
    if validator.is_valid(message) {
        return None;
    }
    validator.iter_errors(message).next().map(|error| format!("`{}`", error.schema_path().as_str()))
}

#[expect(clippy::expect_used, reason = "the schemas are compiled in, and a test compiles each")]
fn of(kind: DoorKind) -> &'static Validator {
    static COMPILED: OnceLock<Vec<(DoorKind, Validator)>> = OnceLock::new();
    COMPILED
        .get_or_init(|| DoorKind::ALL.iter().map(|kind| (*kind, compile(*kind))).collect())
        .iter()
        .find(|(of, _)| *of == kind)
        .map(|(_, validator)| validator)
        .expect("every kind has a schema")
}

#[expect(clippy::expect_used, reason = "the schemas are compiled in, and a test compiles each")]
fn compile(kind: DoorKind) -> Validator {
    let document: Value = serde_json::from_str(kind.schema()).expect("the published schemas are JSON");
    jsonschema::validator_for(&document).expect("the published schemas compile")
}

#[cfg(test)]
mod tests {
    use super::compile;
    use crate::evaluation::door::DoorKind;

    #[test]
    fn every_published_schema_compiles() {
        for kind in DoorKind::ALL {
            let _validator = compile(*kind);
        }
    }
}
