//! Writes trees: a line each, in one list, or as the resources of a Bundle.

use std::io::Write;

use serde_json::{Number, Value};

use crate::base::finding::Finding;
use crate::format::fhir::BundleWriter;
use crate::format::settings::FhirForm;
use crate::format::{At, Cell, FormatError};

pub(super) struct TreeWriter {
    target: Target,
    /// The member of a wrapping object that holds each tree as a text.
    body: Option<String>,
    ordinal: u64,
}

/// What the trees stand in.
enum Target {
    Lines(Box<dyn Write + Send>),
    List(Box<dyn Write + Send>),
    Bundle(BundleWriter),
}

impl TreeWriter {
    pub(super) fn lines(out: Box<dyn Write + Send>, body: Option<String>) -> Self {
        Self { target: Target::Lines(out), body, ordinal: 0 }
    }

    pub(super) fn list(out: Box<dyn Write + Send>, body: Option<String>) -> Self {
        Self { target: Target::List(out), body, ordinal: 0 }
    }

    pub(super) fn bundle(out: Box<dyn Write + Send>, form: FhirForm) -> Result<Self, FormatError> {
        Ok(Self { target: Target::Bundle(BundleWriter::new(out, form)?), body: None, ordinal: 0 })
    }

    pub(super) fn put(&mut self, unit: &[(&At, Cell<'_>)]) -> Result<Option<Finding>, FormatError> {
        let mut tree = Value::Object(serde_json::Map::new());
        for (at, cell) in unit {
            let At::Tree(path) = at else { return Err(FormatError::WrongAddress("json")) };
            if let Some(leaf) = leaf_of(*cell) {
                path.put(&mut tree, leaf);
            }
        }
        if let Some(body) = &self.body {
            tree = serde_json::json!({ body.as_str(): tree.to_string() });
        }
        let lead = if self.ordinal == 0 { "[\n" } else { ",\n" };
        match &mut self.target {
            Target::Bundle(bundle) => return bundle.put(tree),
            Target::Lines(out) => writeln!(out, "{tree}"),
            Target::List(out) => write!(out, "{lead}{tree}"),
        }
        .map_err(FormatError::Write)?;
        self.ordinal += 1;
        Ok(None)
    }

    pub(super) fn finish(self) -> Result<(), FormatError> {
        let end = if self.ordinal == 0 { "[\n\n]\n" } else { "\n]\n" };
        match self.target {
            Target::Bundle(bundle) => bundle.finish(),
            Target::Lines(mut out) => out.flush().map_err(FormatError::Write),
            Target::List(mut out) => {
                out.write_all(end.as_bytes()).and_then(|()| out.flush()).map_err(FormatError::Write)
            }
        }
    }
}

fn leaf_of(cell: Cell<'_>) -> Option<Value> {
    match cell {
        Cell::Absent => None,
        Cell::Delete => Some(Value::Null),
        Cell::Text(text) => Some(Value::from(text)),
        Cell::Day(day) => Some(Value::from(day.to_string())),
        Cell::Bool(truth) => Some(Value::from(truth)),
        // A whole number is written as people write one: 5, not 5.0.
        Cell::Number(number) => match number.to_string().parse::<i64>() {
            Ok(whole) => Some(Value::from(whole)),
            Err(_) => Number::from_f64(number).map(Value::Number),
        },
    }
}
