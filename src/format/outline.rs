//! What a file is that nobody has declared: its format, and where its units stand.

use std::io::{Read as _, SeekFrom};

use crate::base::origin::Origin;
use crate::format::json::JsonReader;
use crate::format::settings::{
    CsvSettings, FhirForm, FormatKind, Hl7v2Settings, JsonSettings, Limits, XlsxSettings, XmlSettings,
};
use crate::format::source::Source;
use crate::format::xml::XmlReader;
use crate::format::{Refused, fhir};

/// Bytes in which the first letter of a document stands, whatever blanks are before it.
const START_BYTES: u64 = 1_024;

/// Finds out. The file is read once, in bounded memory, where it is a document.
///
/// # Errors
/// Where it is a document that cannot be read.
pub fn find(mut source: Box<dyn Source>, file: &Origin) -> Result<FormatKind, Refused> {
    let mut start = Vec::new();
    source.seek(SeekFrom::Start(0))?;
    source.by_ref().take(START_BYTES).read_to_end(&mut start)?;
    source.seek(SeekFrom::Start(0))?;
    if start.starts_with(b"PK") {
        return Ok(FormatKind::Xlsx(XlsxSettings::default()));
    }
    if start.starts_with(b"MSH") {
        return Ok(FormatKind::Hl7v2(Hl7v2Settings::default()));
    }
    if fhir::is_xml(source.as_mut())? {
        return xml(source, file);
    }
    let letter = start.iter().find(|byte| !matches!(byte, 0xEF | 0xBB | 0xBF) && !byte.is_ascii_whitespace());
    if matches!(letter, Some(b'{' | b'[')) {
        return json(source, file);
    }
    Ok(FormatKind::Csv(CsvSettings::default()))
}

fn xml(source: Box<dyn Source>, file: &Origin) -> Result<FormatKind, Refused> {
    let reader = XmlReader::open(source, &XmlSettings::default(), &Limits::default(), file)?;
    if reader.root_namespace().as_deref() == Some(fhir::NAMESPACE) {
        return Ok(FormatKind::Fhir(FhirForm::Xml));
    }
    let units = reader.outline()?;
    Ok(FormatKind::Xml(XmlSettings { units, ..XmlSettings::default() }))
}

fn json(source: Box<dyn Source>, file: &Origin) -> Result<FormatKind, Refused> {
    let outline = JsonReader::outline(source, &Limits::default(), file)?;
    Ok(if outline.is_fhir {
        FormatKind::Fhir(FhirForm::Json)
    } else {
        FormatKind::Json(JsonSettings { lines: outline.is_lines, units: outline.units, body: None })
    })
}
