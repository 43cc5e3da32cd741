//! The `format` of a mapping as the settings of a reader.

use super::Compiler;
use crate::format::charset::Charset;
use crate::format::settings::{
    CsvSettings, FhirForm, FormatKind, HeaderRule, Hl7v2Settings, JsonSettings, Settings, SheetSettings,
    XlsxSettings, XmlSettings,
};
use crate::format::xml;
use crate::mapping::file::{RawPart, RawRecord};

/// The encodings a mapping may declare.
const ENCODINGS: [&str; 4] = ["utf-8", "utf-16le", "utf-16be", "windows-1252"];

impl Compiler<'_> {
    pub(super) fn settings(&mut self) -> Settings {
        let raw = &self.raw.format;
        let kind = match raw.name.value.as_str() {
            "csv" => FormatKind::Csv(self.csv()),
            "xlsx" => FormatKind::Xlsx(self.xlsx()),
            "fhir" => FormatKind::Fhir(match raw.form.as_ref().map(|form| form.value.as_str()) {
                Some("xml") => FhirForm::Xml,
                _ => FhirForm::Json,
            }),
            "xml" => FormatKind::Xml(self.xml()),
            "hl7v2" => FormatKind::Hl7v2(Hl7v2Settings::default()),
            name => FormatKind::Json(JsonSettings {
                lines: name == "ndjson",
                units: raw
                    .units
                    .as_ref()
                    .map(|path| path.value.split('.').map(str::to_owned).collect())
                    .unwrap_or_default(),
                body: raw.body.as_ref().map(|body| body.value.clone()),
            }),
        };
        Settings::new(kind)
    }

    fn csv(&mut self) -> CsvSettings {
        let raw = &self.raw.format;
        let columns = raw.columns.first().map(|(_, columns)| columns.clone());
        let header = match raw.header.as_ref().map(|header| (header.value.as_str(), header)) {
            Some(("exact", _)) => HeaderRule::Exact,
            Some(("named", header)) => match columns {
                Some(columns) => HeaderRule::Named(columns),
                None => {
                    let span = header.span.clone();
                    self.advise(
                        &span,
                        "`named` needs the names",
                        "add `columns = [..]`, all of them in order",
                    );
                    HeaderRule::Exact
                }
            },
            Some(("numbered", header)) => match columns {
                Some(columns) => HeaderRule::Numbered(columns),
                None => {
                    let span = header.span.clone();
                    self.advise(
                        &span,
                        "`numbered` needs the names",
                        "add `columns = [..]`, one for each field number from 1",
                    );
                    HeaderRule::Exact
                }
            },
            _ => HeaderRule::Find,
        };
        let raw = &self.raw.format;
        let encoding = raw.encoding.as_ref().and_then(|name| {
            let charset = Charset::find(&name.value);
            if charset.is_none() {
                self.unknown(name, "encoding", ENCODINGS);
            }
            charset
        });
        let separator = raw.separator.as_ref().and_then(|text| match text.value.as_bytes() {
            b"tab" => Some(b'\t'),
            [byte] if byte.is_ascii() => Some(*byte),
            _ => {
                self.fault(&text.span, "expected one character, or `tab`");
                None
            }
        });
        let is_lf = raw.ends.as_ref().is_some_and(|ends| ends.value == "lf");
        CsvSettings { encoding, separator, header, expected: self.addresses(|_| true), is_lf }
    }

    fn xlsx(&self) -> XlsxSettings {
        let mut sheets: Vec<SheetSettings> = Vec::new();
        for record in &self.raw.records {
            let Some(sheet) = &record.sheet else { continue };
            if sheets.iter().any(|known| known.name == sheet.value) {
                continue;
            }
            sheets.push(SheetSettings {
                name: sheet.value.clone(),
                header_row: self.raw.format.header_row.as_ref().map(|row| u64::from(row.value)),
                expected: self.addresses(|record| {
                    record.sheet.as_ref().is_some_and(|other| other.value == sheet.value)
                }),
                optional: false,
                aside: self.row_ids(&sheet.value),
            });
        }
        XlsxSettings { sheets }
    }

    fn xml(&mut self) -> XmlSettings {
        let raw = self.raw.format.clone();
        let units: Vec<String> = match &raw.units {
            Some(path) => path.value.split('.').map(|name| name.trim().to_owned()).collect(),
            None => Vec::new(),
        };
        if units.is_empty() || !units.iter().all(|name| xml::is_name(name)) {
            let span = raw.units.as_ref().map_or(&raw.name.span, |path| &path.span);
            let text = "`xml` needs the names that lead to the element that is a unit";
            self.advise(span, text, "add `units = \"forms.form\"`, beginning with the outermost");
        }
        for (prefix, _) in &raw.namespaces {
            if !xml::is_name(&prefix.value) || prefix.value.contains(':') {
                self.fault(&prefix.span, "expected a prefix of letters, such as `core`");
            }
        }
        let columns = raw.columns.iter().flat_map(|(_, columns)| columns.clone());
        for address in self.addresses(|_| true).into_iter().chain(columns) {
            let Err(why) =
                xml::check_address(&address, raw.namespaces.iter().map(|(prefix, _)| &*prefix.value))
            else {
                continue;
            };
            self.fault(&raw.name.span, format!("`{address}` is no address in XML: {why}"));
        }
        XmlSettings {
            units,
            namespace: raw.namespace.map(|namespace| namespace.value),
            namespaces: raw.namespaces.into_iter().map(|(prefix, uri)| (prefix.value, uri.value)).collect(),
            expected: self.addresses(|_| true),
        }
    }

    /// The columns of row ids on a sheet: they are filled in beforehand, and alone make no row.
    fn row_ids(&self, sheet: &str) -> Vec<String> {
        let of_sheet = self
            .raw
            .records
            .iter()
            .filter(|record| record.sheet.as_ref().is_some_and(|other| other.value == sheet));
        of_sheet.filter_map(|record| record.row_id.as_ref()).map(|row_id| row_id.value.clone()).collect()
    }

    /// The addresses that some records name.
    fn addresses(&self, of: impl Fn(&RawRecord) -> bool) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let mut add = |address: &str| {
            if !out.iter().any(|known| known == address) {
                out.push(address.to_owned());
            }
        };
        for record in self.raw.records.iter().filter(|record| of(record)) {
            let subject = if record.kind.value == "setting" { None } else { self.raw.subject.as_ref() };
            let subject = record.subject.as_ref().or(subject);
            for part in subject.into_iter().chain(&record.key).flat_map(|key| &key.parts) {
                if let RawPart::Cell(address, _) = part {
                    add(&address.value);
                }
            }
            for from in record.fields.iter().flat_map(|field| &field.from) {
                add(&from.value);
            }
        }
        out
    }
}
