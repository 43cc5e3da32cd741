//! Writes trees: a line each, in one list, or as the resources of a Bundle.

use std::io::Write;

use serde_json::{Number, Value};

use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::format::{At, Cell, FormatError, fhir};

pub(super) struct TreeWriter {
    out: Box<dyn Write + Send>,
    frame: Frame,
    ordinal: u64,
}

/// What stands round the trees.
struct Frame {
    first: &'static str,
    between: &'static str,
    before: &'static str,
    after: &'static str,
    last: &'static str,
    is_bundle: bool,
}

impl TreeWriter {
    pub(super) fn lines(out: Box<dyn Write + Send>) -> Self {
        let frame = Frame { first: "", between: "", before: "", after: "\n", last: "", is_bundle: false };
        Self { out, frame, ordinal: 0 }
    }

    pub(super) fn list(out: Box<dyn Write + Send>) -> Self {
        let frame =
            Frame { first: "[\n", between: ",\n", before: "", after: "", last: "\n]\n", is_bundle: false };
        Self { out, frame, ordinal: 0 }
    }

    pub(super) fn bundle(out: Box<dyn Write + Send>) -> Self {
        let frame = Frame {
            first: "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[\n",
            between: ",\n",
            before: "{\"resource\":",
            after: "}",
            last: "\n]}\n",
            is_bundle: true,
        };
        Self { out, frame, ordinal: 0 }
    }

    pub(super) fn put(&mut self, unit: &[(&At, Cell<'_>)]) -> Result<Option<Finding>, FormatError> {
        let mut tree = Value::Object(serde_json::Map::new());
        for (at, cell) in unit {
            let At::Tree(path) = at else { return Err(FormatError::WrongAddress("json")) };
            if let Some(leaf) = leaf_of(*cell) {
                path.put(&mut tree, leaf);
            }
        }
        if self.frame.is_bundle && !fhir::is_resource(&tree) {
            let text = "expected a resource to be written, found no `resourceType` among its fields";
            return Ok(Some(Finding::new(
                Code::FhirNoResource,
                Origin::default().at_line(self.ordinal + 1),
                text,
            )));
        }
        let lead = if self.ordinal == 0 { self.frame.first } else { self.frame.between };
        self.ordinal += 1;
        self.write(&[lead, self.frame.before, &tree.to_string(), self.frame.after])?;
        Ok(None)
    }

    pub(super) fn finish(mut self) -> Result<(), FormatError> {
        let first = if self.ordinal == 0 { self.frame.first } else { "" };
        self.write(&[first, self.frame.last])?;
        self.out.flush().map_err(FormatError::Write)
    }

    fn write(&mut self, pieces: &[&str]) -> Result<(), FormatError> {
        pieces.iter().try_for_each(|piece| self.out.write_all(piece.as_bytes())).map_err(FormatError::Write)
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
