//! FHIR in XML, a resource at a time.

use std::io::{self, Read, SeekFrom};

use serde_json::Value;

use super::parse::parse;
use super::print::NAMESPACE;
use crate::base::finding::{Code, Finding, Findings};
use crate::base::origin::Origin;
use crate::format::settings::{Limits, XmlSettings};
use crate::format::source::Source;
use crate::format::xml::{Spare, XmlReader};
use crate::format::{Arrival, FormatError, Refused, Unit};

/// Reads a Bundle, or a lone resource.
pub(crate) struct FhirReader {
    inner: XmlReader,
    is_bundle: bool,
    resource: Value,
    spare: Spare,
    is_unknown_noted: bool,
}

/// True for a file whose first letter opens a tag, in any encoding that is read.
pub(crate) fn is_xml(source: &mut dyn Source) -> io::Result<bool> {
    let mut start = Vec::new();
    source.seek(SeekFrom::Start(0))?;
    source.take(START_BYTES).read_to_end(&mut start)?;
    source.seek(SeekFrom::Start(0))?;
    let letter = start
        .iter()
        .find(|byte| !matches!(byte, 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF) && !byte.is_ascii_whitespace());
    Ok(letter == Some(&b'<'))
}

/// Bytes that are looked into for the first letter.
const START_BYTES: u64 = 1024;

impl FhirReader {
    /// Opens a Bundle or a lone resource, whichever it is.
    pub(crate) fn open(source: Box<dyn Source>, limits: &Limits, file: &Origin) -> Result<Self, Refused> {
        let settings = XmlSettings { namespace: Some(String::from(NAMESPACE)), ..XmlSettings::default() };
        let mut inner = XmlReader::open(source, &settings, limits, file)?;
        let root = inner.root();
        let is_bundle = root == "Bundle";
        if is_bundle {
            inner.set_units(&["Bundle", "entry"]);
        } else {
            inner.set_units(&[&root]);
        }
        let spare = Spare::default();
        Ok(Self { inner, is_bundle, resource: Value::Null, spare, is_unknown_noted: false })
    }

    /// What was found about the file as a whole since this was last asked.
    pub(crate) fn findings(&mut self) -> Findings {
        std::mem::take(&mut self.inner.findings)
    }

    pub(crate) fn next(&mut self) -> Result<Option<Arrival<'_>>, FormatError> {
        let Some((place, mut fault)) = self.inner.next_text()? else { return Ok(None) };
        if fault.is_none() {
            self.spare.take(self.resource.take());
            match parse(self.inner.unit_text(), self.is_bundle, &mut self.spare) {
                Err(wrong) => fault = Some(self.inner.not_a_tree(wrong, &place)),
                Ok(parsed) => {
                    let origin = place.origin(self.inner.file());
                    if parsed.has_unknown && !std::mem::replace(&mut self.is_unknown_noted, true) {
                        let text = "a resource or element here is not among those known of FHIR R4; it was read by what it looks like";
                        self.inner.findings.push(Finding::new(Code::FhirUnknown, origin.clone(), text));
                    }
                    self.resource = parsed.resource.unwrap_or_default();
                    if !super::is_resource(&self.resource) {
                        let text = "expected a FHIR resource here, found an entry without one";
                        fault = Some(Finding::new(Code::FhirNoResource, origin, text));
                    }
                }
            }
        }
        let unit = match fault {
            None => Ok(Unit::Tree(&self.resource)),
            Some(finding) => Err(finding),
        };
        Ok(Some(Arrival { place, unit }))
    }
}
