//! Cases beside each mapping: what goes in, what must come out.
//!
//! About invented people only, so that values may be shown when a case fails.

mod run;

use crate::mapping::diagnostic::{Diagnostics, Source};
use crate::mapping::file::node::{self, Node, Placed, Walk};

/// The cases of one mapping.
#[derive(Debug, Clone)]
pub struct Cases {
    /// The file they stand in.
    pub source: Source,
    /// The cases, in order.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Its line in the file.
    pub line: usize,
    /// What goes in.
    pub input: Input,
    /// What becomes of the units: one word for all, or one for each.
    pub outcome: Vec<String>,
    /// Codes of the findings, in order.
    pub findings: Vec<String>,
    /// The records, in order.
    pub records: Vec<Expected>,
}

/// What goes in.
#[derive(Debug, Clone)]
pub enum Input {
    /// Rows of a table: cells by column, on a sheet of a workbook.
    Rows {
        /// The sheet.
        sheet: Option<String>,
        /// The rows.
        rows: Vec<Vec<(String, Node)>>,
    },
    /// The file itself.
    Text(String),
}

/// A record that has to come out.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Its kind.
    pub kind: String,
    /// Its subject's key, if stated.
    pub subject: Option<String>,
    /// Its key, if stated.
    pub key: Option<String>,
    /// Its fields, all of them.
    pub fields: Vec<(String, Node)>,
}

impl Cases {
    /// Reads a case file.
    ///
    /// # Errors
    /// With every fault it has.
    pub fn parse(source: &Source) -> Result<Self, Diagnostics> {
        let root = node::parse(source)?;
        let mut walk = Walk::new(source.clone());
        let cases = walk.table(&root, "a case file", &["case"]).and_then(|table| {
            let cases = walk.need(&table, "case")?;
            let cases = walk.list(cases, "cases");
            Some(cases.iter().filter_map(|node| case(&mut walk, node, source)).collect())
        });
        walk.finish(cases).map(|cases| Self { source: source.clone(), cases })
    }
}

fn case(walk: &mut Walk, node: &Placed<Node>, source: &Source) -> Option<Case> {
    let known = ["name", "rows", "sheet", "text", "outcome", "findings", "record"];
    let table = walk.table(node, "a case", &known)?;
    let name = walk.need(&table, "name").and_then(|node| walk.text(node))?;
    let sheet = table.find("sheet").and_then(|node| walk.text(node)).map(|sheet| sheet.value);
    let input = match (table.find("text"), table.find("rows")) {
        (Some(text), None) => Input::Text(walk.text(text)?.value),
        (None, Some(rows)) => {
            let rows = walk.list(rows, "rows");
            Input::Rows { sheet, rows: rows.iter().map(|row| entries(walk, row)).collect() }
        }
        _ => {
            walk.fault(&node.span, "expected either `rows` or `text`");
            return None;
        }
    };
    let words = ["accepted", "filtered", "quarantined", "rejected"];
    let outcome = match table.find("outcome") {
        Some(Placed { value: Node::List(items), .. }) => {
            items.iter().filter_map(|item| walk.word(item, &words)).map(|word| word.value).collect()
        }
        Some(one) => walk.word(one, &words).into_iter().map(|word| word.value).collect(),
        None => Vec::new(),
    };
    let findings = table.find("findings").map(|node| walk.texts(node)).unwrap_or_default();
    let records = table.find("record").map(|node| walk.list(node, "records")).unwrap_or_default();
    Some(Case {
        line: source.fault(&name.span, "").line,
        name: name.value,
        input,
        outcome,
        findings: findings.into_iter().map(|code| code.value).collect(),
        records: records.iter().filter_map(|node| expected(walk, node)).collect(),
    })
}

fn expected(walk: &mut Walk, node: &Placed<Node>) -> Option<Expected> {
    let table = walk.table(node, "a record", &["kind", "subject", "key", "fields"])?;
    let text =
        |walk: &mut Walk, key: &str| table.find(key).and_then(|node| walk.text(node)).map(|text| text.value);
    Some(Expected {
        kind: walk.need(&table, "kind").and_then(|node| walk.text(node))?.value,
        subject: text(walk, "subject"),
        key: text(walk, "key"),
        fields: table.find("fields").map(|node| entries(walk, node)).unwrap_or_default(),
    })
}

fn entries(walk: &mut Walk, node: &Placed<Node>) -> Vec<(String, Node)> {
    let Node::Table(entries) = &node.value else {
        walk.fault(&node.span, "expected a table of names and values");
        return Vec::new();
    };
    entries.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect()
}
