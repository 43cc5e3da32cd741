//! What an evaluator is told about the data: kinds, fields, labels.

use serde::Deserialize;
use serde_json::Value;

use crate::base::day::Day;

/// The part of the study protocol that a codebook needs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// Title of the study.
    pub title: String,
    /// `secure` or `shared`.
    pub tier: String,
    /// Whom to ask.
    #[serde(default)]
    pub contact: Option<String>,
    /// Day by which every copy is to be destroyed.
    #[serde(default)]
    pub destroy_by: Option<Day>,
    /// What the data may be used for.
    #[serde(default)]
    pub purpose: Option<String>,
    /// Kinds released, in the order of the codebook.
    pub kinds: Vec<KindOf>,
}

/// One kind that a protocol releases.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindOf {
    /// The kind.
    pub kind: String,
    /// What a record of it is.
    pub description: String,
    /// Its fields, in order.
    pub fields: Vec<Field>,
}

/// One released field, or one column of an aggregate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type, as Data Package 2.0 names it.
    #[serde(rename = "type")]
    pub holds: Holds,
    /// A few words for a heading.
    pub label: String,
    /// What it means.
    #[serde(default)]
    pub description: Option<String>,
    /// Unit of the number.
    #[serde(default)]
    pub unit: Option<String>,
    /// What was done to the source's value.
    #[serde(default)]
    pub treatment: Option<String>,
    /// True if every record has a value.
    #[serde(default)]
    pub required: bool,
    /// What the value is the pseudonym of.
    #[serde(default)]
    pub refers_to: Option<String>,
    /// Values it can have, with labels.
    #[serde(default)]
    pub codes: Vec<Coded>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holds {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A truth value.
    Boolean,
    /// A day.
    Date,
    /// An instant.
    Datetime,
    /// A year.
    Year,
    /// A year and month.
    Yearmonth,
}

impl Holds {
    /// The type, as Data Package 2.0 names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Year => "year",
            Self::Yearmonth => "yearmonth",
        }
    }
}

/// One value of a field, with its label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coded {
    /// The value.
    pub code: Value,
    /// What it means.
    pub label: String,
}

/// One mapping that made records of the release.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingUsed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: i64,
    /// SHA-256 of its text.
    pub hash: String,
}
