//! The agreement file: with whom records are shared, why, on which legal basis, which kinds and
//! fields of whose records, and from when to when.
//!
//! ```toml
//! name = "tenancies-to-council"
//! version = 1
//! partner = "council"             # a section [partner.council] says where messages go
//! purpose = "The council hears of a new tenancy, so that care and support can follow the person."
//! legal_basis = "Care Act 2014, sections 3, 6 and 7"
//! sources = ["housing"]           # whose records may go, the most trusted first
//! starts = "2025-01-01"
//! ends = "2026-12-31"             # the last day on which anything is sent
//!
//! [[signatory]]
//! name = "..."                    # an officer; never logged
//! office = "Director of Adult Social Care"
//!
//! [[kind]]
//! kind = "accommodation"
//! fields = ["type", "landlord", "started_on", "ended_on"]
//!
//! [[kind]]
//! kind = "person"                 # by what the partner knows whom a message is about
//! fields = ["council_id", "family_name", "given_name"]
//! ```

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::base::day::Day;
use crate::mapping::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::record::kind::Kind;
use crate::record::schema::{self, Field, Privacy};

/// An agreement that has been checked.
#[derive(Clone)]
pub struct Agreement {
    /// Its name: small letters, digits and hyphens.
    pub name: String,
    /// Its version; one more for every change that is signed.
    pub version: u32,
    /// The partner.
    pub partner: String,
    /// What for.
    pub purpose: String,
    /// The law that allows it.
    pub legal_basis: String,
    /// The sources whose records may go, the most trusted first.
    pub sources: Vec<String>,
    /// The first day.
    pub starts: Day,
    /// The last day.
    pub ends: Day,
    /// Who signed. Officers, but named all the same: shown to whoever asks, and never logged.
    pub signatories: Vec<Signatory>,
    /// The kinds that may go, each with its fields.
    pub kinds: Vec<SharedKind>,
}

/// Who signed for whom.
#[derive(Clone)]
pub struct Signatory {
    /// The name.
    pub name: String,
    /// The office.
    pub office: String,
}

/// A kind of record that may go.
#[derive(Debug, Clone)]
pub struct SharedKind {
    /// The kind.
    pub kind: Kind,
    /// Its fields, in the order of the file.
    pub fields: Vec<&'static Field>,
}

/// Fields of a person of which one is enough for a partner to know whom a message is about.
const IDS: [&str; 5] = ["nhs_number", "council_id", "tracker_ref", "trust_id", "tenant_code"];
/// Fields that are enough together.
const NAMES: [&str; 2] = ["family_name", "birth_date"];

impl Agreement {
    /// Reads and checks an agreement.
    ///
    /// # Errors
    /// Everything that is wrong with it, each at its place.
    pub fn parse(text: &str, name: &str) -> Result<Self, Diagnostics> {
        let source = Source::new(name, text);
        let raw: Raw = toml::from_str(text).map_err(|error| Diagnostics(vec![unread(&source, &error)]))?;
        let mut check = Check { source: &source, faults: Vec::new() };
        match check.agreement(raw) {
            Some(agreement) if check.faults.is_empty() => Ok(agreement),
            _ => Err(Diagnostics(check.faults)),
        }
    }

    /// What may go of a kind.
    #[must_use]
    pub fn kind(&self, kind: Kind) -> Option<&SharedKind> {
        self.kinds.iter().find(|shared| shared.kind == kind)
    }

    /// Whether it lists a field.
    #[must_use]
    pub fn lists(&self, kind: Kind, field: &str) -> bool {
        self.kind(kind).is_some_and(|shared| shared.fields.iter().any(|listed| listed.name == field))
    }

    /// How far down its order a source stands; none where it may not go. What the partner itself
    /// said of a person comes last: it tells the partner nothing.
    #[must_use]
    pub fn rank(&self, source: &str) -> Option<usize> {
        self.sources
            .iter()
            .position(|listed| listed == source)
            .or_else(|| (source == self.partner).then_some(self.sources.len()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: Spanned<String>,
    version: Spanned<u32>,
    partner: Spanned<String>,
    purpose: Spanned<String>,
    legal_basis: Spanned<String>,
    sources: Spanned<Vec<Spanned<String>>>,
    starts: Spanned<String>,
    ends: Spanned<String>,
    #[serde(default)]
    signatory: Vec<RawSignatory>,
    #[serde(default)]
    kind: Vec<RawKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignatory {
    name: Spanned<String>,
    office: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKind {
    kind: Spanned<String>,
    fields: Spanned<Vec<Spanned<String>>>,
}

/// Keys of lines that name nobody.
const NAMELESS: [&str; 9] =
    ["version", "partner", "purpose", "legal_basis", "sources", "starts", "ends", "kind", "fields"];

/// Why a line is not shown.
const WITHHELD: &str = "the line may name who signed";

/// The fault of a file that cannot be read. Who signed is told to whoever asks for an agreement, and to
/// nobody whose file or terminal only happens to hold its faults: a line is shown where its key says that
/// it names nobody, and what the parser quotes is left out elsewhere.
fn unread(source: &Source, error: &toml::de::Error) -> Diagnostic {
    let fault = source.fault(&error.span().unwrap_or(0..0), error.message());
    if names_nobody(&fault.text) {
        return fault;
    }
    let fault = Diagnostic { message: unquoted(error.message()), ..fault };
    fault.withhold(WITHHELD).hint("open the file at this line and column")
}

fn names_nobody(line: &str) -> bool {
    match line.split_once('=') {
        Some((key, value)) => NAMELESS.contains(&key.trim()) && !value.contains('='),
        None => ["", "[[signatory]]", "[[kind]]"].contains(&line.trim()),
    }
}

/// What a parser says, without what it quotes of the file.
fn unquoted(message: &str) -> String {
    // Of a field that is missing the parser names what it knows.
    if message.starts_with("missing field") {
        return message.to_owned();
    }
    let (found, expected) = match message.rsplit_once(", expected") {
        Some((found, expected)) => (found, format!(", expected{expected}")),
        None => (message, String::new()),
    };
    let found = found.split(['"', '`']).next().unwrap_or_default().trim_end();
    format!("{found}{expected}")
}

struct Check<'s> {
    source: &'s Source,
    faults: Vec<Diagnostic>,
}

impl Check<'_> {
    fn fault(&mut self, span: Range<usize>, message: impl Into<String>, hint: &str) {
        self.faults.push(self.source.fault(&span, message).hint(hint));
    }

    fn agreement(&mut self, raw: Raw) -> Option<Agreement> {
        self.slug(&raw.name);
        self.slug(&raw.partner);
        if *raw.version.get_ref() == 0 {
            self.fault(raw.version.span(), "versions count from 1", "");
        }
        for text in [&raw.purpose, &raw.legal_basis] {
            if text.get_ref().trim().is_empty() {
                let hint = "say it in words that the person it is about would understand";
                self.fault(text.span(), "expected a sentence", hint);
            }
        }
        let (starts, ends) = (self.day(&raw.starts), self.day(&raw.ends));
        if ends < starts {
            self.fault(raw.ends.span(), "it ends before it starts", "");
        }
        self.signatories(&raw);
        let sources = self.sources(&raw);
        let kinds = self.kinds(&raw);
        Some(Agreement {
            name: raw.name.into_inner(),
            version: raw.version.into_inner(),
            partner: raw.partner.into_inner(),
            purpose: raw.purpose.into_inner(),
            legal_basis: raw.legal_basis.into_inner(),
            sources,
            starts: starts?,
            ends: ends?,
            signatories: raw
                .signatory
                .into_iter()
                .map(|one| Signatory { name: one.name.into_inner(), office: one.office.into_inner() })
                .collect(),
            kinds,
        })
    }

    fn signatories(&mut self, raw: &Raw) {
        if raw.signatory.len() < 2 {
            let hint = "add a [[signatory]] with `name` and `office` for each side";
            self.fault(raw.name.span(), "an agreement is signed by both sides", hint);
        }
        for blank in raw.signatory.iter().flat_map(|one| [&one.name, &one.office]) {
            if blank.get_ref().trim().is_empty() {
                let fault = self.source.fault(&blank.span(), "is blank, so nobody is seen to have signed");
                let hint = "say who signed, and in which office";
                self.faults.push(fault.withhold(WITHHELD).hint(hint));
            }
        }
    }

    fn slug(&mut self, text: &Spanned<String>) {
        let is_slug = text.get_ref().starts_with(|c: char| c.is_ascii_lowercase())
            && text.get_ref().chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !is_slug {
            let told = "expected small letters, digits and hyphens, a letter first";
            self.fault(text.span(), told, "");
        }
    }

    fn day(&mut self, text: &Spanned<String>) -> Option<Day> {
        let day = text.get_ref().parse().ok();
        if day.is_none() {
            self.fault(text.span(), "expected a day as \"YYYY-MM-DD\"", "");
        }
        day
    }

    fn sources(&mut self, raw: &Raw) -> Vec<String> {
        if raw.sources.get_ref().is_empty() {
            let hint = "name the sources of the configuration whose records may go";
            self.fault(raw.sources.span(), "names no source, so nothing may go", hint);
        }
        let mut sources = Vec::new();
        for source in raw.sources.get_ref() {
            if source.get_ref() == raw.partner.get_ref() {
                let hint = "leave it out: what a partner sent is never sent back as news";
                self.fault(source.span(), "the partner's own records", hint);
            }
            sources.push(source.get_ref().clone());
        }
        sources
    }

    fn kinds(&mut self, raw: &Raw) -> Vec<SharedKind> {
        let mut kinds: Vec<SharedKind> = Vec::new();
        for raw_kind in &raw.kind {
            let (span, word) = (raw_kind.kind.span(), raw_kind.kind.get_ref());
            let Ok(kind) = word.parse::<Kind>() else {
                let fault = self.source.fault(&span, format!("there is no kind of record called `{word}`"));
                self.faults.push(fault.nearest(word, Kind::ALL.iter().map(|kind| kind.as_str())));
                continue;
            };
            if matches!(kind, Kind::Consent | Kind::Setting) {
                let hint = "a partner hears who agreed by a cohort request, [request.NAME]";
                self.fault(span.clone(), format!("records of the kind `{kind}` go to no partner"), hint);
            }
            if kinds.iter().any(|earlier| earlier.kind == kind) {
                self.fault(span.clone(), "is named twice", "put its fields into one list");
            }
            let fields = self.fields(kind, raw_kind);
            if kind == Kind::Person {
                let has = |name: &&str| fields.iter().any(|field| field.name == *name);
                if !IDS.iter().any(has) && !NAMES.iter().all(has) {
                    let told = "names nothing by which the partner knows whom a message is about";
                    let hint = "add an id that the partner holds, or `family_name` and `birth_date`";
                    self.fault(raw_kind.fields.span(), told, hint);
                }
            }
            kinds.push(SharedKind { kind, fields });
        }
        if !kinds.iter().any(|shared| shared.kind == Kind::Person) {
            let hint = "add a [[kind]] for `person`, with an id that the partner holds";
            self.fault(raw.name.span(), "says nothing of whom a message is about", hint);
        }
        kinds
    }

    fn fields(&mut self, kind: Kind, raw: &RawKind) -> Vec<&'static Field> {
        let schema = schema::of(kind);
        let mut seen = BTreeSet::new();
        let mut fields = Vec::new();
        for name in raw.fields.get_ref() {
            let word = name.get_ref();
            match schema.field(word) {
                None => {
                    let fault = self
                        .source
                        .fault(&name.span(), format!("the kind `{kind}` has no field called `{word}`"));
                    self.faults.push(fault.nearest(word, schema.fields.iter().map(|field| field.name)));
                }
                Some(field) if field.privacy == Privacy::FreeText => {
                    let hint = "leave it out: nobody can say beforehand whom written notes speak of";
                    self.fault(name.span(), "written notes may hold anything", hint);
                }
                Some(_) if !seen.insert(word) => self.fault(name.span(), "is listed twice", ""),
                Some(field) => fields.push(field),
            }
        }
        if raw.fields.get_ref().is_empty() {
            self.fault(raw.fields.span(), "lists no field, so nothing of it may go", "leave the kind out");
        }
        fields
    }
}
