//! The study protocol: which kinds, which fields, and what is done to each before it leaves.
//!
//! What the protocol does not name is never released. An unknown key is an error with its place,
//! and so is a treatment that would let an identifier through.

pub mod check;
pub mod codebook;
pub mod show;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::base::day::Day;
use crate::consent::directive::Statement;
use crate::record::kind::Kind;
use crate::record::schema::{self, Field as SchemaField};
use crate::release::pseudonym::Domain;

/// The protocols that ship with the program, by study.
pub const SHIPPED: &[(&str, &str)] =
    &[("promoting-independence", include_str!("protocols/promoting-independence.toml"))];

/// A study protocol that has been checked.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// The study: small letters, digits and hyphens.
    pub study: String,
    /// Its version; one more for every change that is signed.
    pub version: u32,
    /// Its title.
    pub title: String,
    /// The tier of the extract.
    pub tier: Tier,
    /// The organisation that receives it.
    pub recipient: String,
    /// The life of the study key.
    pub epoch: u32,
    /// What every pseudonym begins with.
    pub prefix: String,
    /// Whom to ask about the data: an office.
    pub contact: Option<String>,
    /// What the data may be used for.
    pub purpose: Option<String>,
    /// The day by which every copy is destroyed.
    pub destroy_by: Option<Day>,
    /// The sources, the most trusted first, and what each needs.
    pub sources: Vec<Source>,
    /// The kinds released, in codebook order.
    pub kinds: Vec<ReleasedKind>,
}

/// The tier of an extract (design, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// For named people in a safe setting.
    Secure,
    /// Coarsened until the disclosure rules hold.
    Shared,
}

impl Tier {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secure => "secure",
            Self::Shared => "shared",
        }
    }
}

/// A source, and the statement that its records need beside leave to use case data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name in the configuration.
    pub name: String,
    /// The statement.
    pub needs: Statement,
}

/// A kind as it is released.
#[derive(Debug, Clone)]
pub struct ReleasedKind {
    /// The kind.
    pub kind: Kind,
    /// What it is, for the codebook.
    pub description: String,
    /// Its fields, in codebook order.
    pub fields: Vec<ReleasedField>,
}

/// A field as it is released.
#[derive(Debug, Clone)]
pub struct ReleasedField {
    /// Its name in the extract.
    pub name: String,
    /// The record's field it comes from.
    pub from: &'static SchemaField,
    /// What is done to it.
    pub treatment: Treatment,
    /// A few words for a heading.
    pub label: String,
    /// The unit of the number.
    pub unit: Option<String>,
    /// Labels of words, where they are not read off the word.
    pub labels: BTreeMap<String, String>,
    /// Leave needed beside that of the source.
    pub needs: Option<Statement>,
}

/// What is done to a value before it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// Nothing: a word of a closed list, a day, a number, a truth value.
    Keep,
    /// A code: kept where it is small letters, digits and hyphens; anything else is left out.
    Code,
    /// Words put together under one code each; a word in no group is left out.
    Group(Vec<Group>),
    /// A number put into a band.
    Band(Vec<Band>),
    /// Whole years from a birth date to the start in the programme, put into a band.
    AgeBandAtStart(Vec<Band>),
    /// The name of a care home, landlord or provider, as the pseudonym of its record.
    PseudonymiseSetting,
    /// A postcode's outward part.
    District,
    /// A day's year.
    Year,
    /// A day's year and month.
    Month,
    /// A number rounded to the nearest multiple.
    Round(u32),
}

impl Treatment {
    /// The word in the protocol and the codebook.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Code => "code",
            Self::Group(_) => "group",
            Self::Band(_) => "band",
            Self::AgeBandAtStart(_) => "age-band-at-start",
            Self::PseudonymiseSetting => "pseudonymise-setting",
            Self::District => "district",
            Self::Year => "year",
            Self::Month => "month",
            Self::Round(_) => "round",
        }
    }
}

/// Words put together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What is released.
    pub code: String,
    /// Its label.
    pub label: String,
    /// The record's words that become it.
    pub of: BTreeSet<String>,
}

/// A band of whole numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// What is released.
    pub code: String,
    /// Its label.
    pub label: String,
    /// The lowest number in it; none for the first band.
    pub from: Option<i64>,
    /// The highest; none for the last.
    pub to: Option<i64>,
}

/// Why a protocol cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// Not TOML, an unknown key, or a value of the wrong type. The text gives line and column.
    #[error("{name}: {text}")]
    Form {
        /// The file.
        name: String,
        /// The parser's words.
        text: String,
    },
    /// It reads, and asks for what may not be done.
    #[error("{name}: {place}: {fault}")]
    Fault {
        /// The file.
        name: String,
        /// Where in it.
        place: String,
        /// What is wrong, and what to do.
        fault: String,
    },
    /// No protocol of that name ships with the program.
    #[error("no protocol called `{name}` ships with this program, and there is no such file")]
    Unknown {
        /// What was asked for.
        name: String,
    },
}

impl ProtocolError {
    /// Whether trying again could help: never.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Form { .. } | Self::Fault { .. } | Self::Unknown { .. } => false,
        }
    }
}

impl Protocol {
    /// Reads and checks a protocol.
    ///
    /// # Errors
    /// What is wrong with it, with the place.
    pub fn parse(text: &str, name: &str) -> Result<Self, ProtocolError> {
        let raw: RawProtocol = toml::from_str(text).map_err(|error| ProtocolError::Form {
            name: name.to_owned(),
            text: error.to_string().trim_end().to_owned(),
        })?;
        check::check(raw, name)
    }

    /// The shipped protocol of a study.
    ///
    /// # Errors
    /// Where none ships.
    pub fn shipped(study: &str) -> Result<Self, ProtocolError> {
        let unknown = || ProtocolError::Unknown { name: study.to_owned() };
        let (name, text) = SHIPPED.iter().find(|(name, _)| *name == study).ok_or_else(unknown)?;
        Self::parse(text, name)
    }

    /// What a kind's records release.
    #[must_use]
    pub fn kind(&self, kind: Kind) -> Option<&ReleasedKind> {
        self.kinds.iter().find(|released| released.kind == kind)
    }

    /// What a source's records need. A source that is not named releases nothing.
    #[must_use]
    pub fn needs(&self, source: &str) -> Option<Statement> {
        self.sources.iter().find(|named| named.name == source).map(|named| named.needs)
    }

    /// For whom its pseudonyms are.
    #[must_use]
    pub fn domain(&self) -> Domain {
        Domain {
            prefix: self.prefix.clone(),
            study: self.study.clone(),
            recipient: self.recipient.clone(),
            epoch: self.epoch,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProtocol {
    study: String,
    version: u32,
    title: String,
    tier: Tier,
    recipient: String,
    epoch: u32,
    prefix: String,
    contact: Option<String>,
    purpose: Option<String>,
    destroy_by: Option<Day>,
    source: Vec<RawSource>,
    kind: Vec<RawKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    name: String,
    needs: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKind {
    kind: String,
    description: Option<String>,
    field: Vec<RawField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawField {
    name: String,
    from: Option<String>,
    treatment: String,
    label: String,
    unit: Option<String>,
    needs: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    group: Option<Vec<Group>>,
    band: Option<Vec<Band>>,
    to: Option<u32>,
}

/// The schema's field, or the nearest that was perhaps meant.
fn schema_field(kind: Kind, name: &str) -> Option<&'static SchemaField> {
    schema::of(kind).field(name)
}
