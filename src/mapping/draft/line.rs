//! The lines of a draft, as TOML.

use crate::mapping::diagnostic::Source;
use crate::mapping::file::RawField;
use crate::mapping::file::node::{Node, Placed, quoted};
use crate::mapping::profile::{Column, Shape};
use crate::record::kind::Kind;
use crate::record::schema::{self, Holds};

/// A text in a comment: one line, whatever it holds.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

pub(super) fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// One field, read from these columns.
pub(super) fn line(field: &RawField, columns: &[&Column], source: &Source, sure: u8) -> String {
    let mut parts = vec![format!("to = {}", quoted(&field.to.value))];
    match columns {
        [] => {}
        [column] => parts.push(format!("from = {}", quoted(&column.name))),
        several => {
            let names: Vec<String> = several.iter().map(|column| column.name.clone()).collect();
            parts.push(format!("from = {}", list(&names)));
        }
    }
    if let Some(value) = field.value.as_ref().and_then(|value| literal(&value.value)) {
        parts.push(format!("value = {value}"));
    }
    let days = match columns {
        [column] => column.usual(),
        _ => None,
    };
    let ops: Vec<String> = field
        .pipeline
        .iter()
        .flatten()
        .map(|op| match (op.name.value.as_str(), days) {
            // The days as this file writes them.
            ("date", Some(Shape::Day(pattern))) if pattern != "%Y-%m-%d" => {
                format!("{{ date = {} }}", quoted(pattern))
            }
            ("date-time", Some(Shape::Day(pattern))) if pattern != "%Y-%m-%d" => {
                format!("{{ date = {} }}", quoted(pattern))
            }
            ("date" | "date-time", Some(Shape::DayCell | Shape::Day(_))) => "\"date\"".to_owned(),
            ("date", Some(Shape::Time)) => "\"date-time\"".to_owned(),
            _ => operation(&op.written(source)),
        })
        .collect();
    match (ops.as_slice(), days) {
        ([], Some(Shape::Day(pattern)))
            if pattern != "%Y-%m-%d" && field.codes.is_none() && is_day(field) =>
        {
            parts.push(format!("as = {{ date = {} }}", quoted(pattern)));
        }
        ([], _) => {}
        ([one], _) => parts.push(format!("as = {one}")),
        (several, _) => parts.push(format!("as = [{}]", several.join(", "))),
    }
    let mut word = |key: &str, word: &Option<Placed<String>>| {
        if let Some(word) = word {
            parts.push(format!("{key} = {}", quoted(&word.value)));
        }
    };
    word("codes", &field.codes);
    word("other", &field.other);
    word("blank", &field.blank);
    word("wrong", &field.wrong);
    if let Some(value) = field.default.as_ref().and_then(|value| literal(&value.value)) {
        parts.push(format!("default = {value}"));
    }
    if field.one_way {
        parts.push("one_way = true".to_owned());
    }
    let sure = if columns.is_empty() { String::new() } else { format!("  # {sure} %") };
    format!("  {{ {} }},{sure}\n", parts.join(", "))
}

/// Whether a field without operations is a day by its schema, whatever its kind.
fn is_day(field: &RawField) -> bool {
    let holds_day = |kind: &Kind| {
        let known = schema::of(*kind).field(&field.to.value);
        known.is_some_and(|known| matches!(known.holds, Holds::Day))
    };
    Kind::ALL.iter().any(holds_day)
}

/// An operation as written, as a value: `date = "…"` stands in braces, a name in quotes.
pub(super) fn operation(written: &str) -> String {
    if written.contains('=') { format!("{{ {written} }}") } else { quoted(written) }
}

fn literal(node: &Node) -> Option<String> {
    match node {
        Node::Text(text) => Some(quoted(text)),
        Node::Number(number) => Some(number.clone()),
        Node::Truth(truth) => Some(truth.to_string()),
        Node::Time(time) => Some(time.clone()),
        Node::List(_) | Node::Table(_) => None,
    }
}
