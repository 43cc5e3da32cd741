//! The part of a protocol that an evaluator's codebook needs, as it goes out when a release
//! closes.

use serde_json::{Map, Value, json};

use crate::record::schema::Holds;
use crate::release::protocol::{Protocol, ReleasedField, Treatment};

/// The protocol as `release-closed` carries it.
#[must_use]
pub fn codebook(protocol: &Protocol) -> Value {
    let mut book = Map::new();
    book.insert("title".to_owned(), json!(protocol.title));
    book.insert("tier".to_owned(), json!(protocol.tier.as_str()));
    let optional = [
        ("contact", protocol.contact.clone()),
        ("purpose", protocol.purpose.clone()),
        ("destroy_by", protocol.destroy_by.map(|day| day.to_string())),
    ];
    for (name, value) in optional {
        if let Some(text) = value {
            book.insert(name.to_owned(), Value::String(text));
        }
    }
    let kinds: Vec<Value> = protocol
        .kinds
        .iter()
        .map(|kind| {
            let fields: Vec<Value> = kind.fields.iter().map(field).collect();
            json!({"kind": kind.kind.as_str(), "description": kind.description, "fields": fields})
        })
        .collect();
    book.insert("kinds".to_owned(), Value::Array(kinds));
    Value::Object(book)
}

fn field(field: &ReleasedField) -> Value {
    let mut entry = Map::new();
    entry.insert("name".to_owned(), json!(field.name));
    entry.insert("type".to_owned(), json!(holds(field)));
    entry.insert("label".to_owned(), json!(field.label));
    entry.insert("description".to_owned(), json!(field.from.description));
    if let Some(unit) = &field.unit {
        entry.insert("unit".to_owned(), json!(unit));
    }
    entry.insert("treatment".to_owned(), json!(field.treatment.as_str()));
    if field.treatment == Treatment::PseudonymiseSetting {
        entry.insert("refers_to".to_owned(), json!("setting"));
    }
    let codes = codes(field);
    if !codes.is_empty() {
        let codes: Vec<Value> =
            codes.into_iter().map(|(code, label)| json!({"code": code, "label": label})).collect();
        entry.insert("codes".to_owned(), Value::Array(codes));
    }
    Value::Object(entry)
}

/// The type as Data Package 2.0 names it.
fn holds(field: &ReleasedField) -> &'static str {
    match (&field.treatment, &field.from.holds) {
        (Treatment::Year, _) => "year",
        (Treatment::Month, _) => "yearmonth",
        (Treatment::Keep, Holds::Day) => "date",
        (Treatment::Keep | Treatment::Round(_), Holds::Integer) => "integer",
        (Treatment::Keep | Treatment::Round(_), Holds::Number) => "number",
        (Treatment::Keep, Holds::Truth) => "boolean",
        _ => "string",
    }
}

/// The codes a field can have, in order, each with its label.
#[must_use]
pub fn codes(field: &ReleasedField) -> Vec<(String, String)> {
    match (&field.treatment, &field.from.holds) {
        (Treatment::Keep, Holds::Word(words)) => {
            words.iter().map(|word| (word.clone(), label(field, word))).collect()
        }
        (Treatment::Group(groups), _) => {
            groups.iter().map(|group| (group.code.clone(), group.label.clone())).collect()
        }
        (Treatment::Band(bands) | Treatment::AgeBandAtStart(bands), _) => {
            bands.iter().map(|band| (band.code.clone(), band.label.clone())).collect()
        }
        (Treatment::Code, _) => {
            field.labels.iter().map(|(word, label)| (word.clone(), label.clone())).collect()
        }
        _ => Vec::new(),
    }
}

/// The label of a word: the protocol's own, or read off the word.
fn label(field: &ReleasedField, word: &str) -> String {
    if let Some(label) = field.labels.get(word) {
        return label.clone();
    }
    let spaced = word.replace(['-', '_'], " ");
    let mut letters = spaced.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
