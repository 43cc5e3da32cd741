//! What a writer of a mapping's format is told.

use std::collections::BTreeSet;

use crate::format::charset::Charset;
use crate::format::settings::{FormatKind, HeaderRule};
use crate::format::writer::{CsvLayout, Layout, XmlLayout};
use crate::mapping::Mapping;

impl Mapping {
    /// The layout of its files, for writing.
    #[must_use]
    pub fn layout(&self) -> Layout {
        match &self.settings.format {
            FormatKind::Csv(csv) => Layout::Csv(CsvLayout {
                header: self.header(None),
                with_header: !matches!(csv.header, HeaderRule::Named(_) | HeaderRule::Numbered(_)),
                encoding: csv.encoding.unwrap_or(Charset::Utf8),
                with_mark: csv.encoding.is_none_or(|encoding| encoding == Charset::Utf8),
                separator: csv.separator.unwrap_or(b','),
                is_lf: csv.is_lf,
            }),
            FormatKind::Xlsx(xlsx) => {
                let mut seen = BTreeSet::new();
                let sheets = xlsx.sheets.iter().filter(|sheet| seen.insert(sheet.name.clone()));
                let headers = sheets.map(|sheet| {
                    let mut header = self.header(Some(&sheet.name));
                    header.line = sheet.header_row.unwrap_or_default();
                    header
                });
                Layout::Xlsx(headers.collect())
            }
            FormatKind::Json(json) => Layout::Json { lines: json.lines, body: json.body.clone() },
            FormatKind::Fhir(form) => Layout::Fhir(*form),
            FormatKind::Xml(xml) => {
                let listed = self.columns.first().map(|(_, columns)| columns.clone());
                Layout::Xml(XmlLayout {
                    units: xml.units.clone(),
                    namespace: xml.namespace.clone(),
                    namespaces: xml.namespaces.clone(),
                    with_blanks: listed.is_some(),
                    order: listed.unwrap_or_else(|| self.addresses(None)),
                })
            }
            FormatKind::Hl7v2(_) => Layout::Hl7v2,
        }
    }
}
