//! Opens a file and gives its units, one after another.

use crate::base::finding::Findings;
use crate::base::origin::Origin;
use crate::format::csv::CsvReader;
use crate::format::settings::{FormatKind, Settings};
use crate::format::source::{Source, Spool};
use crate::format::{Arrival, FormatError, Header, Refused};

/// Gives the units of one file in order, in bounded memory.
pub struct Reader {
    inner: Inner,
    headers: Vec<Header>,
}

enum Inner {
    Csv(Box<CsvReader>),
}

/// Opens a file. A fault of the whole file is a finding, and the file is refused.
///
/// What is packed in a ZIP or gzip file is unpacked into a private file of the spool.
pub fn open(
    source: Box<dyn Source>,
    settings: &Settings,
    file: &Origin,
    spool: &dyn Spool,
) -> Result<Reader, Refused> {
    let _ = spool;
    match &settings.format {
        FormatKind::Csv(csv) => {
            let reader = CsvReader::open(source, csv, &settings.limits, file)?;
            let headers = vec![reader.header().clone()];
            Ok(Reader { inner: Inner::Csv(Box::new(reader)), headers })
        }
        _ => Err(Refused::File(Findings::default())),
    }
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
        match &mut self.inner {
            Inner::Csv(reader) => std::mem::take(&mut reader.findings),
        }
    }

    /// The next unit.
    #[expect(
        clippy::should_implement_trait,
        reason = "a unit borrows from the reader, which no iterator allows"
    )]
    pub fn next(&mut self) -> Result<Option<Arrival<'_>>, FormatError> {
        match &mut self.inner {
            Inner::Csv(reader) => reader.next(),
        }
    }
}
