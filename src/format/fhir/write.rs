//! Writes a Bundle, in JSON or in XML.

use std::io::Write;

use serde_json::{Map, Value};

use super::print::{NAMESPACE, Unwritable, print};
use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::format::settings::FhirForm;
use crate::format::{FormatError, fhir};

/// Writes resources as a Bundle (collection).
pub(crate) struct BundleWriter {
    out: Box<dyn Write + Send>,
    form: FhirForm,
    ordinal: u64,
}

impl BundleWriter {
    /// Begins a Bundle.
    pub(crate) fn new(out: Box<dyn Write + Send>, form: FhirForm) -> Result<Self, FormatError> {
        let mut writer = Self { out, form, ordinal: 0 };
        match form {
            FhirForm::Json => writer.write("{\"resourceType\":\"Bundle\",\"type\":\"collection\"")?,
            FhirForm::Xml => {
                writer.write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
                writer.write(&format!("<Bundle xmlns=\"{NAMESPACE}\"><type value=\"collection\"/>\n"))?;
            }
        }
        Ok(writer)
    }

    /// Writes one resource, without what holds nothing: FHIR has neither null nor empty members.
    pub(crate) fn put(&mut self, mut resource: Value) -> Result<Option<Finding>, FormatError> {
        let at = Origin::default().at_line(self.ordinal + 1);
        if !fhir::is_resource(&resource) {
            let text = "expected a resource to be written, found no `resourceType` among its fields";
            return Ok(Some(Finding::new(Code::FhirNoResource, at, text)));
        }
        prune(&mut resource);
        match self.form {
            FhirForm::Json => {
                let lead = if self.ordinal == 0 { ",\"entry\":[\n" } else { ",\n" };
                self.write(&format!("{lead}{{\"resource\":{resource}}}"))?;
            }
            FhirForm::Xml => match print(&resource, false) {
                Ok(printed) => self.write(&format!("<entry><resource>{printed}</resource></entry>\n"))?,
                Err(why) => {
                    let (code, text) = match why {
                        Unwritable::Character => (
                            Code::CharsetUnwritable,
                            "expected letters that XML can hold, found a control character",
                        ),
                        Unwritable::Shape => {
                            (Code::XmlSyntax, "expected members that FHIR XML can hold, found others")
                        }
                    };
                    return Ok(Some(Finding::new(code, at, text)));
                }
            },
        }
        self.ordinal += 1;
        Ok(None)
    }

    /// Ends the Bundle.
    pub(crate) fn finish(mut self) -> Result<(), FormatError> {
        let end = match (self.form, self.ordinal) {
            (FhirForm::Json, 0) => "}\n",
            (FhirForm::Json, _) => "\n]}\n",
            (FhirForm::Xml, _) => "</Bundle>\n",
        };
        self.write(end)?;
        self.out.flush().map_err(FormatError::Write)
    }

    fn write(&mut self, text: &str) -> Result<(), FormatError> {
        self.out.write_all(text.as_bytes()).map_err(FormatError::Write)
    }
}

/// Takes away members that hold nothing, and lists that hold nothing else. True for what is to go.
fn prune(value: &mut Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => {
            explain_gaps(members);
            // In lists that stand side by side, nothing is what keeps them in step.
            let beside: Vec<String> =
                members.keys().filter_map(|name| name.strip_prefix('_')).map(str::to_owned).collect();
            members.retain(|name, member| {
                let of = name.strip_prefix('_').unwrap_or(name);
                let is_in_step = member.is_array() && beside.iter().any(|name| name == of);
                is_in_step || !prune(member)
            });
            members.is_empty()
        }
        Value::Array(items) => {
            items.retain_mut(|item| !prune(item));
            items.is_empty()
        }
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A list of values may have a gap only if something stands beside it that says why (FHIR R4,
/// section 2.6.2.3): a second line of an address stays the second.
fn explain_gaps(members: &mut Map<String, Value>) {
    let mut explained = Vec::new();
    for (name, member) in members.iter_mut().filter(|(name, _)| !name.starts_with('_')) {
        let Value::Array(items) = member else { continue };
        while items.last().is_some_and(Value::is_null) {
            items.pop();
        }
        let is_of_values = items.iter().all(|item| !item.is_object() && !item.is_array());
        if is_of_values && items.iter().any(Value::is_null) {
            let beside = items.iter().map(|item| if item.is_null() { absent() } else { Value::Null });
            explained.push((format!("_{name}"), beside.collect::<Vec<_>>()));
        }
    }
    for (name, beside) in explained {
        members.entry(name).or_insert(Value::Array(beside));
    }
}

/// Why a value is not there: it is not known.
fn absent() -> Value {
    let url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
    serde_json::json!({ "extension": [{ "url": url, "valueCode": "unknown" }] })
}
