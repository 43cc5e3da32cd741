//! A message for a partner: bytes in the partner's own layout, which are opened only under a grant.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroize as _;

use crate::base::day::Day;
use crate::base::private::{Exchange, Grant, Private};
use crate::base::seal::{Hasher, KeyedHash};
use crate::exchange::agreement::Agreement;
use crate::exchange::decide::{Cleared, Refusal, is_live};
use crate::format::FormatError;
use crate::format::writer::{Layout, Writer};
use crate::mapping::write::{Keys, Named, Out, Target, Written};
use crate::mapping::{Made, Mapping, Update};
use crate::record::kind::Kind;

/// A mapping, ready to write for a partner.
pub struct PartnerLayout {
    /// Its name.
    pub name: String,
    target: Target,
    layout: Layout,
}

impl PartnerLayout {
    /// The layout of a mapping; none where it is only ever read.
    #[must_use]
    pub fn of(mapping: &Mapping) -> Option<Self> {
        let layout = match mapping.layout() {
            // The envelope of a kept webhook is the transport's business.
            Layout::Json { lines, .. } => Layout::Json { lines, body: None },
            layout => layout,
        };
        Some(Self { name: mapping.name.clone(), target: mapping.target()?, layout })
    }

    /// What a message in it is called over HTTP.
    const fn media_type(&self, rows: usize) -> &'static str {
        match self.layout {
            Layout::Csv(_) => "text/csv",
            Layout::Xlsx(_) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Layout::Json { lines: true, .. } if rows > 1 => "application/x-ndjson",
            Layout::Json { .. } => "application/json",
            Layout::Fhir(crate::format::settings::FhirForm::Json) => "application/fhir+json",
            Layout::Fhir(crate::format::settings::FhirForm::Xml) => "application/fhir+xml",
            Layout::Xml(_) => "application/xml",
            Layout::Hl7v2 => "application/hl7-v2",
        }
    }

    /// What a file in it ends with.
    const fn ending(&self) -> &'static str {
        match self.layout {
            Layout::Csv(_) => "csv",
            Layout::Xlsx(_) => "xlsx",
            Layout::Json { lines: true, .. } => "ndjson",
            Layout::Json { .. } | Layout::Fhir(crate::format::settings::FhirForm::Json) => "json",
            Layout::Fhir(crate::format::settings::FhirForm::Xml) | Layout::Xml(_) => "xml",
            Layout::Hl7v2 => "hl7",
        }
    }
}

/// What goes to a partner. Made of what was [`Cleared`], here and in
/// [`of_request`](PartnerMessage::of_request) for a cohort request, and nowhere else.
#[must_use]
pub struct PartnerMessage {
    /// The partner.
    pub partner: String,
    /// Its id: the same as long as it says the same.
    pub id: String,
    /// Equal for equal bodies.
    pub content: KeyedHash,
    /// What it is called over HTTP.
    pub media_type: &'static str,
    /// What its file ends with.
    pub ending: &'static str,
    body: Private<Vec<u8>>,
}

/// One change of whom a partner is asked about.
pub struct Change {
    /// The NHS number.
    pub number: Private<String>,
    /// True where they are to be asked about from now on, false where no longer.
    pub is_addition: bool,
}

impl PartnerMessage {
    /// What goes over the wire.
    #[must_use]
    pub fn body<'m>(&'m self, grant: &Grant<Exchange>) -> &'m [u8] {
        self.body.open(grant)
    }

    /// Who is to be asked about, and who no longer is: nothing but NHS numbers. Opens them, for the
    /// grant's purpose. `about` tells it from every other request.
    ///
    /// # Errors
    /// Where the agreement is not live or does not list the NHS number.
    pub fn of_request(
        agreement: &Agreement,
        about: &str,
        at: Day,
        changes: &[Change],
        is_json: bool,
        hasher: &Hasher,
        grant: &Grant<Exchange>,
    ) -> Result<Self, Refusal> {
        is_live(agreement, at)?;
        if !agreement.lists(Kind::Person, "nhs_number") {
            return Err(Refusal::NothingListed);
        }
        let word = |change: &Change| if change.is_addition { "add" } else { "remove" };
        let mut body = String::from(if is_json { "{\"changes\":[" } else { "change,nhs_number\r\n" });
        for (index, change) in changes.iter().enumerate() {
            let number = change.number.open(grant);
            if is_json {
                let comma = if index == 0 { "" } else { "," };
                body.push_str(comma);
                body.push_str(&format!("{{\"change\":\"{}\",\"nhs_number\":\"{number}\"}}", word(change)));
            } else {
                body.push_str(&format!("{},{number}\r\n", word(change)));
            }
        }
        if is_json {
            body.push_str("]}");
        }
        let names = if is_json { ("application/json", "json") } else { ("text/csv", "csv") };
        Ok(Self::new(&agreement.partner, &["request", about], body.into_bytes(), names, hasher))
    }

    /// A message of these bytes. `about` tells it from every other message.
    fn new(
        partner: &str,
        about: &[&str],
        body: Vec<u8>,
        (media_type, ending): (&'static str, &'static str),
        hasher: &Hasher,
    ) -> Self {
        let content = hasher.hash([body.as_slice()]);
        let parts = about.iter().map(|part| part.as_bytes()).chain([content.as_bytes().as_slice()]);
        let id = format!("msg_{:032x}", hasher.hash(parts).half());
        Self { partner: partner.to_owned(), id, content, media_type, ending, body: Private::new(body) }
    }
}

impl Cleared {
    /// Writes it in the partner's layout. Opens what identifies, for the grant's purpose. `about`
    /// names the record and its version.
    ///
    /// # Errors
    /// Where the layout has no place for it, or the machine fails.
    pub fn write(
        &self,
        layout: &PartnerLayout,
        about: &[&str],
        hasher: &Hasher,
        grant: &Grant<Exchange>,
    ) -> Result<Result<PartnerMessage, Refusal>, FormatError> {
        // The keys of the source mean nothing to the partner: what names the person are fields. One
        // word holds the records of the message together.
        let of_one = || Private::new("person".to_owned());
        let made: Vec<Made> = self
            .records
            .iter()
            .map(|record| Made {
                kind: record.kind,
                subject: Some(of_one()),
                key: of_one(),
                draft: record.draft.clone(),
                update: Update::Whole,
                source_time: record.source_time,
                same: None,
            })
            .collect();
        let written = layout.target.write(&made, Keys::Foreign, grant);
        if let [_person, occasion] = made.as_slice() {
            let alone = layout.target.write(std::slice::from_ref(occasion), Keys::Foreign, grant);
            if alone.rows.is_empty() {
                return Ok(Err(Refusal::NoPlace));
            }
            let cells = |written: &Written| {
                written.rows.iter().map(|row| row.cells.clone()).collect::<Vec<BTreeMap<String, Out>>>()
            };
            if cells(&alone) == cells(&written) {
                return Ok(Err(Refusal::NotNamed));
            }
        }
        if written.rows.is_empty() {
            return Ok(Err(Refusal::NoPlace));
        }
        let held = Held::default();
        let mut writer = Writer::new(Box::new(held.clone()), &layout.layout)?;
        let mut rows = 0;
        for row in written.rows.iter().chain(Named::default().fresh(&written.beside)) {
            if layout.target.put(row, &mut writer)?.is_none() {
                rows += 1;
            }
        }
        writer.finish()?;
        if rows == 0 {
            return Ok(Err(Refusal::NoPlace));
        }
        let names = (layout.media_type(rows), layout.ending());
        Ok(Ok(PartnerMessage::new(&self.partner, about, held.take(), names, hasher)))
    }
}

/// Bytes that are written to, and read afterwards.
#[derive(Clone, Default)]
struct Held(Arc<Mutex<Vec<u8>>>);

impl Held {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1 {
            self.take().zeroize();
        }
    }
}

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
