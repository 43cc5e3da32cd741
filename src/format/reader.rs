//! Opens a file and gives its units, one after another.

use std::sync::Arc;

use crate::base::finding::{Code, Finding, Findings};
use crate::base::limit::DESKTOP_PAGE_ROWS;
use crate::base::origin::Origin;
use crate::format::csv::CsvReader;
use crate::format::fhir::{self, FhirReader};
use crate::format::hl7v2::MessageReader;
use crate::format::json::JsonReader;
use crate::format::packed;
use crate::format::settings::{FormatKind, Settings};
use crate::format::source::{Source, Spool};
use crate::format::xlsx::SheetReader;
use crate::format::xml::XmlReader;
use crate::format::{Arrival, FormatError, Header, Refused, Unit};

/// Gives the units of one file in order, in bounded memory.
pub struct Reader {
    inner: Inner,
    headers: Vec<Header>,
    /// That the file was unpacked.
    note: Option<Finding>,
    counted: Counted,
}

/// The rows of each table, counted until the end.
#[derive(Default)]
struct Counted {
    is_table: bool,
    is_fhir: bool,
    is_odd_noted: bool,
    file: Origin,
    tables: Vec<(Option<Arc<str>>, u64)>,
    found: Vec<Finding>,
}

impl Counted {
    fn row(&mut self, sheet: Option<&Arc<str>>) {
        match self.tables.last_mut() {
            Some((last, rows)) if last.as_ref() == sheet => *rows += 1,
            _ => self.tables.push((sheet.cloned(), 1)),
        }
    }

    /// A code that is none of the system it names: the systems of the NHS number's status are
    /// mixed up even in published examples. Said once a file.
    fn resource(&mut self, arrival: &Arrival<'_>) {
        let Ok(Unit::Tree(tree)) = &arrival.unit else { return };
        if self.is_odd_noted || !fhir::has_odd_status(tree) {
            return;
        }
        self.is_odd_noted = true;
        let text = "expected the status of an NHS number as a word of the system it names, found a number, which is of `UKCore-NHSNumberVerificationStatusEngland`";
        let origin = arrival.place.origin(&self.file);
        self.found.push(Finding::new(Code::FhirCodeSystem, origin, text));
    }

    /// A page that is full may not be the last.
    fn end(&mut self) {
        for (sheet, rows) in std::mem::take(&mut self.tables) {
            if rows % DESKTOP_PAGE_ROWS != 0 {
                continue;
            }
            let mut origin = self.file.clone();
            origin.sheet = sheet;
            let text = format!("exactly {rows} rows were read, which is where a common desktop flow stops");
            self.found.push(Finding::new(Code::RoundCount, origin, text));
        }
    }
}

enum Inner {
    Csv(Box<CsvReader>),
    Xlsx(Box<SheetReader>),
    Json(Box<JsonReader>),
    Xml(Box<XmlReader>),
    FhirXml(Box<FhirReader>),
    Hl7v2(Box<MessageReader>),
}

/// Opens a file. A fault of the whole file is a finding, and the file is refused.
///
/// What is packed in a ZIP or gzip file is unpacked into a private file of the spool, and the
/// rows of a workbook go through one.
pub fn open(
    source: Box<dyn Source>,
    settings: &Settings,
    file: &Origin,
    spool: &dyn Spool,
) -> Result<Reader, Refused> {
    let limits = &settings.limits;
    let (source, note) = packed::unpack(source, limits, file, spool)?;
    let (inner, headers) = match &settings.format {
        FormatKind::Csv(csv) => {
            let reader = CsvReader::open(source, csv, limits, file)?;
            let headers = vec![reader.header().clone()];
            (Inner::Csv(Box::new(reader)), headers)
        }
        FormatKind::Xlsx(xlsx) => {
            let reader = SheetReader::open(source, xlsx, limits, file, spool)?;
            let headers = reader.headers().to_vec();
            (Inner::Xlsx(Box::new(reader)), headers)
        }
        FormatKind::Json(json) => {
            (Inner::Json(Box::new(JsonReader::open(source, json, limits, file)?)), Vec::new())
        }
        FormatKind::Fhir(_) => {
            let mut source = source;
            let inner = if fhir::is_xml(source.as_mut())? {
                Inner::FhirXml(Box::new(FhirReader::open(source, limits, file)?))
            } else {
                Inner::Json(Box::new(JsonReader::open_fhir(source, limits, file)?))
            };
            (inner, Vec::new())
        }
        FormatKind::Xml(xml) => {
            (Inner::Xml(Box::new(XmlReader::open(source, xml, limits, file)?)), Vec::new())
        }
        FormatKind::Hl7v2(hl7v2) => {
            (Inner::Hl7v2(Box::new(MessageReader::open(source, hl7v2, limits, file)?)), Vec::new())
        }
    };
    let is_table = matches!(settings.format, FormatKind::Csv(_) | FormatKind::Xlsx(_));
    let is_fhir = matches!(settings.format, FormatKind::Fhir(_));
    let counted = Counted { is_table, is_fhir, file: file.clone(), ..Counted::default() };
    Ok(Reader { inner, headers, note, counted })
}

impl Reader {
    /// The header of a table; of the first sheet of a workbook.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        self.headers.first()
    }

    /// The headers of all sheets that will be read, known before the first unit.
    #[must_use]
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The header of one sheet, as `place.sheet` names it.
    #[must_use]
    pub fn header_of(&self, sheet: &str) -> Option<&Header> {
        self.headers.iter().find(|header| header.sheet.as_deref() == Some(sheet))
    }

    /// What was found about the file as a whole since this was last asked: encoding, separator,
    /// lines left out. Ask after opening, and again at the end.
    pub fn findings(&mut self) -> Findings {
        let mut findings: Findings = self.note.take().into_iter().collect();
        self.counted.found.drain(..).for_each(|finding| findings.push(finding));
        findings.extend(match &mut self.inner {
            Inner::Csv(reader) => std::mem::take(&mut reader.findings),
            Inner::Xlsx(reader) => std::mem::take(&mut reader.findings),
            Inner::Json(reader) => std::mem::take(&mut reader.findings),
            Inner::Xml(reader) => std::mem::take(&mut reader.findings),
            Inner::FhirXml(reader) => reader.findings(),
            Inner::Hl7v2(reader) => std::mem::take(&mut reader.findings),
        });
        findings
    }

    /// The next unit.
    #[expect(
        clippy::should_implement_trait,
        reason = "a unit borrows from the reader, which no iterator allows"
    )]
    pub fn next(&mut self) -> Result<Option<Arrival<'_>>, FormatError> {
        let arrival = match &mut self.inner {
            Inner::Csv(reader) => reader.next(),
            Inner::Xlsx(reader) => reader.next(),
            Inner::Json(reader) => reader.next(),
            Inner::Xml(reader) => reader.next(),
            Inner::FhirXml(reader) => reader.next(),
            Inner::Hl7v2(reader) => reader.next(),
        }?;
        if self.counted.is_table {
            match &arrival {
                Some(arrival) => self.counted.row(arrival.place.sheet.as_ref()),
                None => self.counted.end(),
            }
        }
        if let (true, Some(arrival)) = (self.counted.is_fhir, &arrival) {
            self.counted.resource(arrival);
        }
        Ok(arrival)
    }
}
