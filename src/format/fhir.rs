//! FHIR R4, JSON and XML: a Bundle is one unit a resource, and a resource is the same unit in both.

mod parse;
mod print;
mod reader;
mod table;
mod write;

pub(crate) use print::NAMESPACE;
pub(crate) use reader::{FhirReader, is_xml};
pub(crate) use write::BundleWriter;

use serde_json::Value;

use crate::format::json::frame::{Fault, Framer, Step};

/// What a FHIR file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing.
    Empty,
    /// A Bundle with entries.
    Bundle,
    /// A Bundle without any.
    EmptyBundle,
    /// One resource.
    Resource,
    /// Resources one after another (NDJSON).
    Lines,
    /// JSON that is no FHIR.
    Other,
}

/// Looks at the outermost members only, since they come in any order.
pub(crate) fn look(framer: &mut Framer) -> Step<Kind> {
    match framer.peek()? {
        None => return Ok(Ok(Kind::Empty)),
        Some(b'{') => framer.skip_byte(),
        Some(b'[') => return Ok(Ok(Kind::Other)),
        Some(_) => return Ok(Err(Fault::Syntax)),
    }
    let mut resource_type = Vec::new();
    let mut has_entries = false;
    loop {
        let name = match framer.member()? {
            Ok(Some(name)) => name,
            Ok(None) => break,
            Err(fault) => return Ok(Err(fault)),
        };
        let passed = match name.as_str() {
            "resourceType" => framer.take(&mut resource_type, TYPE_BYTES_MAX)?,
            "entry" => {
                has_entries = framer.peek()? == Some(b'[');
                // A Bundle that is cut off within an entry is still read up to there.
                match framer.skip()? {
                    Err(Fault::Truncated) if has_entries && !resource_type.is_empty() => break,
                    other => other,
                }
            }
            _ => framer.skip()?,
        };
        if let Err(fault) = passed {
            return Ok(Err(fault));
        }
    }
    let is_lines = framer.peek()? == Some(b'{');
    Ok(Ok(match (resource_type.as_slice(), has_entries, is_lines) {
        (b"", _, _) => Kind::Other,
        (_, _, true) => Kind::Lines,
        (b"\"Bundle\"", true, false) => Kind::Bundle,
        (b"\"Bundle\"", false, false) => Kind::EmptyBundle,
        (_, _, false) => Kind::Resource,
    }))
}

/// The longest resource type has 33 letters.
const TYPE_BYTES_MAX: usize = 128;

/// True for an object that says what resource it is.
pub(crate) fn is_resource(value: &Value) -> bool {
    value.get("resourceType").is_some_and(Value::is_string)
}

/// True for a patient whose NHS number's status is a number of a system that has words (UK Core:
/// `UKCore-NHSNumberVerificationStatus`, beside `…England`, which has the numbers).
pub(crate) fn has_odd_status(resource: &Value) -> bool {
    let mut extensions =
        items(resource, "identifier").iter().flat_map(|identifier| items(identifier, "extension"));
    extensions.any(|extension| {
        let Some(concept) = extension.get("valueCodeableConcept") else { return false };
        items(concept, "coding").iter().any(|coding| {
            let text = |name: &str| coding.get(name).and_then(Value::as_str).unwrap_or_default();
            text("system").ends_with("/UKCore-NHSNumberVerificationStatus")
                && text("code").starts_with(|letter: char| letter.is_ascii_digit())
        })
    })
}

fn items<'v>(of: &'v Value, name: &str) -> &'v [Value] {
    of.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
