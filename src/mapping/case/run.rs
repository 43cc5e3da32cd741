//! Runs one case.

use std::io::Cursor;

use serde_json::Value;

use super::{Case, Expected, Input};
use crate::base::day::Day;
use crate::base::finding::Finding;
use crate::base::origin::Origin;
use crate::base::private::{Cases, Grant};
use crate::format::charset::Charset;
use crate::format::settings::FormatKind;
use crate::format::source::MemorySpool;
use crate::format::{Arrival, Cell, Place, Refused, Unit, csv, reader, xlsx};
use crate::mapping::file::node::Node;
use crate::mapping::read::Bound;
use crate::mapping::read::watch::Watch;
use crate::mapping::{KEY_SEPARATOR, Made, Mapping, Outcome, Reading};

/// What came out of a case's input.
#[derive(Default)]
struct Found {
    outcomes: Vec<&'static str>,
    findings: Vec<Finding>,
    records: Vec<Made>,
}

impl Case {
    /// Runs the case, and gives what is other than expected, a line each: `-` expected, `+`
    /// found. None if all is well.
    #[must_use]
    pub fn run(&self, mapping: &Mapping, grant: &Grant<Cases>) -> Vec<String> {
        match self.read(mapping, &mut ()) {
            Ok(found) => self.differences(&found, grant),
            Err(why) => vec![format!("+ {why}")],
        }
    }

    /// Reads what goes in while somebody looks on.
    pub(in crate::mapping) fn watch(&self, mapping: &Mapping, watch: &mut impl Watch) {
        // A case whose file cannot be read is told of when it is run.
        let _found = self.read(mapping, watch);
    }

    fn read(&self, mapping: &Mapping, watch: &mut impl Watch) -> Result<Found, String> {
        match &self.input {
            Input::Rows { sheet, rows } => rows_in(mapping, sheet.as_deref(), rows, watch),
            Input::Text(text) => text_in(mapping, text, watch),
        }
    }

    fn differences(&self, found: &Found, grant: &Grant<Cases>) -> Vec<String> {
        let mut lines = Vec::new();
        let outcomes_fit = match self.outcome.as_slice() {
            [one] => !found.outcomes.is_empty() && found.outcomes.iter().all(|outcome| outcome == one),
            several => several == found.outcomes.as_slice(),
        };
        if !outcomes_fit {
            lines.push(format!("- outcome {}", self.outcome.join(", ")));
            lines.push(format!("+ outcome {}", found.outcomes.join(", ")));
        }
        let codes: Vec<&str> = found.findings.iter().map(|finding| finding.code.as_str()).collect();
        if self.findings != codes {
            lines.extend(self.findings.iter().map(|code| format!("- finding {code}")));
            lines.extend(found.findings.iter().map(|finding| format!("+ finding {finding}")));
        }
        let records_max = self.records.len().max(found.records.len());
        for index in 0..records_max {
            record_differences(self.records.get(index), found.records.get(index), grant, &mut lines);
        }
        lines
    }
}

fn record_differences(
    expected: Option<&Expected>,
    found: Option<&Made>,
    grant: &Grant<Cases>,
    lines: &mut Vec<String>,
) {
    let found = found.map(|made| Shown::of(made, grant));
    let (expected, found) = match (expected, found) {
        (Some(expected), Some(found)) => (expected, found),
        (Some(expected), None) => return lines.push(format!("- record {}", expected.kind)),
        (None, Some(found)) => return lines.push(format!("+ record {} {}", found.kind, found.fields)),
        (None, None) => return,
    };
    let mut compare = |what: &str, wanted: Option<&str>, got: &str| {
        if let Some(wanted) = wanted
            && wanted != got
        {
            lines.push(format!("- {} {what} {wanted}", expected.kind));
            lines.push(format!("+ {} {what} {got}", expected.kind));
        }
    };
    compare("kind", Some(&expected.kind), found.kind);
    compare("subject", expected.subject.as_deref(), &found.subject);
    compare("key", expected.key.as_deref(), &found.key);
    for (name, wanted) in &expected.fields {
        let (wanted, got) = (json(wanted), found.fields.get(name));
        if !got.is_some_and(|got| same(&wanted, got)) {
            lines.push(format!("- {}.{name} = {wanted}", expected.kind));
            if let Some(got) = got {
                lines.push(format!("+ {}.{name} = {got}", expected.kind));
            }
        }
    }
    for (name, got) in found.fields.as_object().into_iter().flatten() {
        if !expected.fields.iter().any(|(wanted, _)| wanted == name) {
            lines.push(format!("+ {}.{name} = {got}", expected.kind));
        }
    }
}

/// A record, opened.
struct Shown {
    kind: &'static str,
    subject: String,
    key: String,
    fields: Value,
}

impl Shown {
    fn of(made: &Made, grant: &Grant<Cases>) -> Self {
        let bar = |key: &str| key.replace(KEY_SEPARATOR, "|");
        let mut json = Vec::new();
        made.draft.write_opened(grant, &mut json);
        Self {
            kind: made.kind.as_str(),
            subject: made.subject.as_ref().map(|subject| bar(subject.open(grant))).unwrap_or_default(),
            key: bar(made.key.open(grant)),
            fields: serde_json::from_slice(&json).unwrap_or_default(),
        }
    }
}

fn json(node: &Node) -> Value {
    match node {
        Node::Text(text) | Node::Time(text) => Value::from(text.as_str()),
        Node::Number(number) => number.parse().map(Value::Number).unwrap_or_default(),
        Node::Truth(truth) => Value::from(*truth),
        Node::List(items) => items.iter().map(|item| json(&item.value)).collect(),
        Node::Table(entries) => {
            entries.iter().map(|(name, value)| (name.value.clone(), json(&value.value))).collect()
        }
    }
}

fn same(one: &Value, other: &Value) -> bool {
    // A case file has no word for nothing.
    if other.is_null() {
        return *one == "(deleted)";
    }
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < f64::EPSILON * one.abs().max(1.0),
        _ => one == other,
    }
}

fn rows_in(
    mapping: &Mapping,
    sheet: Option<&str>,
    rows: &[Vec<(String, Node)>],
    watch: &mut impl Watch,
) -> Result<Found, String> {
    let header = mapping.header(sheet);
    let bound = mapping.bind(Some(&header), &Origin::default()).map_err(|findings| told(findings.kept()))?;
    let is_workbook = sheet.is_some();
    let mut found = Found::default();
    for (index, row) in rows.iter().enumerate() {
        if let Some((name, _)) =
            row.iter().find(|(name, _)| !header.columns.iter().any(|column| **column == **name))
        {
            return Err(format!("the mapping's layout has no column `{name}`"));
        }
        let cells: Vec<Option<&Node>> = header
            .columns
            .iter()
            .map(|column| row.iter().find(|(name, _)| **name == **column).map(|(_, node)| node))
            .collect();
        let line = u64::try_from(index).unwrap_or_default() + 1;
        let place = Place { sheet: header.sheet.clone(), line, ..Place::default() };
        if is_workbook {
            let row = xlsx::SheetRow::of(cells.iter().map(|node| node.map_or(Cell::Absent, cell)));
            found.take(&bound, &Arrival { place, unit: Ok(Unit::Sheet(&row)) }, watch);
        } else {
            let row = csv::Row::of(cells.iter().map(|node| node.map_or("", written)));
            found.take(&bound, &Arrival { place, unit: Ok(Unit::Row(&row)) }, watch);
        }
    }
    Ok(found)
}

fn cell(node: &Node) -> Cell<'_> {
    match node {
        Node::Text(text) => Cell::Text(text),
        Node::Number(number) => number.parse().map_or(Cell::Absent, Cell::Number),
        Node::Truth(truth) => Cell::Bool(*truth),
        Node::Time(time) => time.parse::<Day>().map_or(Cell::Text(time), Cell::Day),
        Node::List(_) | Node::Table(_) => Cell::Absent,
    }
}

fn written(node: &Node) -> &str {
    match node {
        Node::Text(text) | Node::Number(text) | Node::Time(text) => text,
        Node::Truth(true) => "true",
        Node::Truth(false) => "false",
        Node::List(_) | Node::Table(_) => "",
    }
}

fn text_in(mapping: &Mapping, text: &str, watch: &mut impl Watch) -> Result<Found, String> {
    let mut settings = mapping.settings.clone();
    // A case file is UTF-8, whatever its mapping declares.
    match &mut settings.format {
        FormatKind::Csv(csv) => csv.encoding = Some(Charset::Utf8),
        FormatKind::Hl7v2(hl7v2) => hl7v2.encoding = Some(Charset::Utf8),
        _ => {}
    }
    let file = Origin::default();
    let source = Box::new(Cursor::new(text.as_bytes().to_vec()));
    let mut units =
        reader::open(source, &settings, &file, &MemorySpool).map_err(|refused| match refused {
            Refused::File(findings) => told(findings.kept()),
            Refused::Machine(error) => error.to_string(),
        })?;
    let bound = mapping.bind(units.header(), &file).map_err(|findings| told(findings.kept()))?;
    let mut found = Found::default();
    while let Some(arrival) = units.next().map_err(|error| error.to_string())? {
        found.take(&bound, &arrival, watch);
    }
    Ok(found)
}

fn told(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Found {
    fn take(&mut self, bound: &Bound, arrival: &Arrival<'_>, watch: &mut impl Watch) {
        let Reading { about: _, outcome, records, findings } =
            bound.read_watched(arrival, &Origin::default(), watch);
        self.outcomes.push(match outcome {
            Outcome::Rejected => "rejected",
            Outcome::Quarantined => "quarantined",
            Outcome::Filtered => "filtered",
            Outcome::Records => "accepted",
        });
        self.findings.extend(findings);
        self.records.extend(records);
    }
}
