//! The mapping file as written: every key known, every value of the right shape, each with its
//! place. Nothing is looked up yet; that is [`compile`](super::compile).

mod condition;
pub mod node;
mod piece;
pub mod same;
mod spread;
pub mod write;

use std::ops::Range;

use crate::mapping::diagnostic::{Diagnostics, Source};
use node::{Node, Placed, Table, Walk};
use same::RawSame;
use spread::RawSheet;
use write::RawWrite;

/// A mapping file, read but not understood.
#[derive(Debug, Clone)]
pub struct RawMapping {
    /// The text it was read from.
    pub source: Source,
    /// `<source>/<feed>`.
    pub name: Placed<String>,
    /// Its version, from 1.
    pub version: u32,
    /// What people call it.
    pub title: String,
    /// The one format, by name, and its settings.
    pub format: RawFormat,
    /// True if each file holds everything there is.
    pub is_snapshot: bool,
    /// True if it is only ever read.
    pub one_way: bool,
    /// The rules of the data set that its rows are held to.
    pub rules: Option<Placed<String>>,
    /// Parts of the subject's key.
    pub subject: Option<RawKey>,
    /// Its record blocks.
    pub records: Vec<RawRecord>,
}

/// A format and its settings, as written.
#[derive(Debug, Clone)]
pub struct RawFormat {
    /// `csv`, `xlsx`, `json`, `ndjson`, `fhir`, `xml` or `hl7v2`.
    pub name: Placed<String>,
    /// Encoding, by name.
    pub encoding: Option<Placed<String>>,
    /// What parts the cells.
    pub separator: Option<Placed<String>>,
    /// Where the header stands: `exact`, `find`, `named` or `numbered`.
    pub header: Option<Placed<String>>,
    /// What ends a row when written: `crlf` or `lf`.
    pub ends: Option<Placed<String>>,
    /// Row of the header, in a workbook.
    pub header_row: Option<Placed<u32>>,
    /// All columns, by sheet; the empty name for a format without sheets.
    pub columns: Vec<(String, Vec<String>)>,
    /// Path of the list whose items are the units.
    pub units: Option<Placed<String>>,
    /// Path of a text that holds the JSON to map.
    pub body: Option<Placed<String>>,
    /// The form FHIR is written in: `json` or `xml`.
    pub form: Option<Placed<String>>,
    /// The namespace of an XML document.
    pub namespace: Option<Placed<String>>,
    /// Namespaces by the prefix that addresses use.
    pub namespaces: Vec<(Placed<String>, Placed<String>)>,
}

/// The parts of a key, and where they stand.
#[derive(Debug, Clone)]
pub struct RawKey {
    /// Where.
    pub span: Range<usize>,
    /// The parts, in order.
    pub parts: Vec<RawPart>,
}

/// One part of a key.
#[derive(Debug, Clone)]
pub enum RawPart {
    /// A cell, through a pipeline if there is one.
    Cell(Placed<String>, Vec<RawOp>),
    /// A field of the record.
    Field(Placed<String>),
}

/// An operation as written: its name and its argument.
#[derive(Debug, Clone)]
pub struct RawOp {
    /// Which.
    pub name: Placed<String>,
    /// With what; `None` for a bare name.
    pub argument: Option<Placed<Node>>,
}

/// A record block.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file, and none bears on another")]
pub struct RawRecord {
    /// Where its `[[record]]` stands, from 1. Blocks of several sheets share one.
    pub number: usize,
    /// Where the block stands.
    pub span: Range<usize>,
    /// The kind it makes.
    pub kind: Placed<String>,
    /// The sheet it is read from.
    pub sheet: Option<Placed<String>>,
    /// The sheets it is read from where they are several, with what each says by being itself.
    pub sheets: Vec<RawSheet>,
    /// When written: one row for each.
    pub drives: bool,
    /// The items of a unit each of which is a record.
    pub each: Option<Placed<String>>,
    /// When it takes a unit.
    pub when: Option<Placed<RawCondition>>,
    /// Parts of its key.
    pub key: Option<RawKey>,
    /// Parts of the subject's key, if not the mapping's.
    pub subject: Option<RawKey>,
    /// The column of the row's own id, if the sheet has it.
    pub row_id: Option<Placed<String>>,
    /// What tells it apart for every feed of its source.
    pub same_as: Option<RawSame>,
    /// True for a patch.
    pub is_patch: bool,
    /// The source's own time.
    pub source_time: Option<(Placed<String>, Vec<RawOp>)>,
    /// Never written.
    pub one_way: bool,
    /// Never read.
    pub written_only: bool,
    /// What is written into every row of it and never read: an address and a value.
    pub writes: Vec<RawWrite>,
    /// Its fields.
    pub fields: Vec<RawField>,
    /// What is looked at and not kept: fields without a `to`.
    pub checks: Vec<RawField>,
}

/// A condition.
#[derive(Debug, Clone)]
pub enum RawCondition {
    /// All hold.
    All(Vec<Placed<RawCondition>>),
    /// At least one holds.
    Any(Vec<Placed<RawCondition>>),
    /// It does not hold.
    Not(Box<Placed<RawCondition>>),
    /// One test of one cell.
    Test {
        /// The cell.
        address: Placed<String>,
        /// The test: `is`, `in`, `blank`, `not-blank`, `before`, `after`, `matches`.
        test: Placed<String>,
        /// What it is tested against.
        against: Vec<Placed<String>>,
        /// How a day is read from it.
        pipeline: Vec<RawOp>,
    },
}

/// One field of a record.
#[derive(Debug, Clone)]
pub struct RawField {
    /// Where it stands.
    pub span: Range<usize>,
    /// The field of the kind's schema.
    pub to: Placed<String>,
    /// The cells it is read from.
    pub from: Vec<Placed<String>>,
    /// A constant instead.
    pub value: Option<Placed<Node>>,
    /// The operations, in order; `None` if left to the schema.
    pub pipeline: Option<Vec<RawOp>>,
    /// The code list.
    pub codes: Option<Placed<String>>,
    /// What a value outside the list does.
    pub other: Option<Placed<String>>,
    /// What a blank does.
    pub blank: Option<Placed<String>>,
    /// What a refused value does.
    pub wrong: Option<Placed<String>>,
    /// The codes under which the layout's owner publishes these rules: `blank`, `format`, `code`.
    pub published: Vec<(String, String)>,
    /// What stands for a blank.
    pub default: Option<Placed<Node>>,
    /// A patch takes the old value away, whatever the unit holds.
    pub is_delete: bool,
    /// Never written.
    pub one_way: bool,
}

/// Reads a mapping file.
///
/// # Errors
/// With every fault of shape it has.
pub fn parse(text: &str, name: &str) -> Result<RawMapping, Diagnostics> {
    let source = Source::new(name, text);
    let root = node::parse(&source)?;
    let mut walk = Walk::new(source.clone());
    let mapping = mapping(&mut walk, &root, source);
    walk.finish(mapping)
}

fn mapping(walk: &mut Walk, root: &Placed<Node>, source: Source) -> Option<RawMapping> {
    let known = ["name", "version", "title", "format", "snapshot", "one_way", "rules", "subject", "record"];
    let table = walk.table(root, "a mapping", &known)?;
    let records =
        walk.need(&table, "record").map(|node| walk.list(node, "record blocks")).unwrap_or_default();
    let records: Vec<RawRecord> =
        records.iter().zip(1..).filter_map(|(node, number)| record(walk, node, number)).collect();
    let subject = table.find("subject").and_then(|node| {
        let table = walk.table(node, "`subject`", &["key"])?;
        walk.need(&table, "key").map(|node| key(walk, node))
    });
    let version = walk.need(&table, "version").and_then(|node| walk.whole(node)).map(|version| version.value);
    let name = walk.need(&table, "name").and_then(|node| walk.text(node));
    let format = walk.need(&table, "format").and_then(|node| format(walk, node))?;
    let records = records.into_iter().flat_map(|record| record.spread(walk, &format.columns)).collect();
    let word = |walk: &mut Walk, key: &str, words: &[&str]| {
        table.find(key).and_then(|node| walk.word(node, words)).map(|word| word.value)
    };
    Some(RawMapping {
        source,
        name: name?,
        version: version?,
        title: table.find("title").and_then(|node| walk.text(node)).map(|t| t.value).unwrap_or_default(),
        format,
        is_snapshot: word(walk, "snapshot", &["full", "incremental"]).is_some_and(|word| word == "full"),
        one_way: walk.truth(&table, "one_way"),
        rules: table.find("rules").and_then(|node| walk.text(node)),
        subject,
        records,
    })
}

/// The formats a mapping may name, and the settings each takes.
const FORMATS: &[(&str, &[&str])] = &[
    ("csv", &["encoding", "separator", "header", "ends", "columns"]),
    ("xlsx", &["header_row", "columns"]),
    ("json", &["encoding", "units", "body"]),
    ("ndjson", &["encoding", "body"]),
    ("fhir", &["form"]),
    ("xml", &["units", "namespace", "namespaces", "columns"]),
    ("hl7v2", &[]),
];

fn format(walk: &mut Walk, node: &Placed<Node>) -> Option<RawFormat> {
    let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    let (name, settings) = match &node.value {
        Node::Text(name) => (Placed { value: name.clone(), span: node.span.clone() }, None),
        Node::Table(entries) => {
            let [(name, settings)] = entries.as_slice() else {
                walk.fault(&node.span, "expected one format, such as `{ csv = { header = \"exact\" } }`");
                return None;
            };
            (name.clone(), Some(settings))
        }
        _ => {
            walk.fault(&node.span, "expected a format, such as `{ csv = { header = \"exact\" } }`");
            return None;
        }
    };
    let Some((_, known)) = FORMATS.iter().find(|(known, _)| *known == name.value) else {
        walk.unknown(&name.span, "format", &name.value, &names);
        return None;
    };
    let table = match settings {
        Some(settings) => walk.table(settings, &format!("`{}`", name.value), known)?,
        None => Table::default(),
    };
    let text = |walk: &mut Walk, key: &str| table.find(key).and_then(|node| walk.text(node));
    Some(RawFormat {
        encoding: text(walk, "encoding"),
        separator: text(walk, "separator"),
        header: table
            .find("header")
            .and_then(|node| walk.word(node, &["exact", "find", "named", "numbered"])),
        ends: table.find("ends").and_then(|node| walk.word(node, &["crlf", "lf"])),
        header_row: table.find("header_row").and_then(|node| walk.whole(node)),
        columns: table.find("columns").map(|node| walk.columns(node)).unwrap_or_default(),
        units: text(walk, "units"),
        body: text(walk, "body"),
        form: table.find("form").and_then(|node| walk.word(node, &["json", "xml"])),
        namespace: text(walk, "namespace"),
        namespaces: table.find("namespaces").map(|node| walk.pairs(node)).unwrap_or_default(),
        name,
    })
}

fn key(walk: &mut Walk, node: &Placed<Node>) -> RawKey {
    let parts = match &node.value {
        Node::Text(_) | Node::Table(_) => vec![node],
        _ => walk.list(node, "key parts").iter().collect(),
    };
    RawKey { span: node.span.clone(), parts: parts.into_iter().filter_map(|node| part(walk, node)).collect() }
}

fn part(walk: &mut Walk, node: &Placed<Node>) -> Option<RawPart> {
    if matches!(node.value, Node::Text(_)) {
        return walk.text(node).map(|address| RawPart::Cell(address, Vec::new()));
    }
    let table = walk.table(node, "a key part", &["field", "from", "as"])?;
    if let Some(field) = table.find("field") {
        return walk.text(field).map(RawPart::Field);
    }
    let from = walk.need(&table, "from").and_then(|node| walk.text(node))?;
    let pipeline = table.find("as").map(|node| pipeline(walk, node)).unwrap_or_default();
    Some(RawPart::Cell(from, pipeline))
}

fn pipeline(walk: &mut Walk, node: &Placed<Node>) -> Vec<RawOp> {
    match &node.value {
        Node::List(items) => items.iter().filter_map(|item| operation(walk, item)).collect(),
        _ => operation(walk, node).into_iter().collect(),
    }
}

fn operation(walk: &mut Walk, node: &Placed<Node>) -> Option<RawOp> {
    match &node.value {
        Node::Text(name) => {
            Some(RawOp { name: Placed { value: name.clone(), span: node.span.clone() }, argument: None })
        }
        Node::Table(entries) if entries.len() == 1 => entries
            .first()
            .map(|(name, argument)| RawOp { name: name.clone(), argument: Some(argument.clone()) }),
        _ => {
            let message = "expected an operation: its name, or `{ name = argument }`";
            walk.advise(&node.span, message, "several operations stand in a list");
            None
        }
    }
}

fn record(walk: &mut Walk, node: &Placed<Node>, number: usize) -> Option<RawRecord> {
    let known = [
        "kind",
        "sheet",
        "sheets",
        "drives",
        "each",
        "when",
        "key",
        "row_id",
        "same_as",
        "subject",
        "update",
        "source_time",
        "one_way",
        "written_only",
        "writes",
        "field",
        "check",
    ];
    let table = walk.table(node, "a record", &known)?;
    let fields = table.find("field").map(|node| walk.list(node, "fields")).unwrap_or_default();
    let fields = fields.iter().filter_map(|node| field(walk, node, true)).collect();
    let checks = table.find("check").map(|node| walk.list(node, "checks")).unwrap_or_default();
    let checks = checks.iter().filter_map(|node| field(walk, node, false)).collect();
    let source_time = table.find("source_time").and_then(|node| {
        let table = walk.table(node, "`source_time`", &["from", "as"])?;
        let from = walk.need(&table, "from").and_then(|node| walk.text(node))?;
        Some((from, table.find("as").map(|node| pipeline(walk, node)).unwrap_or_default()))
    });
    let update = table.find("update").and_then(|node| walk.word(node, &["whole", "patch"]));
    let kind = walk.need(&table, "kind").and_then(|node| walk.text(node));
    Some(RawRecord {
        number,
        span: node.span.clone(),
        kind: kind?,
        sheet: table.find("sheet").and_then(|node| walk.text(node)),
        sheets: table.find("sheets").map(|node| spread::sheets(walk, node)).unwrap_or_default(),
        drives: walk.truth(&table, "drives"),
        each: table.find("each").and_then(|node| walk.text(node)),
        when: table.find("when").and_then(|node| condition::condition(walk, node)),
        key: table.find("key").map(|node| key(walk, node)),
        row_id: table.find("row_id").and_then(|node| walk.text(node)),
        same_as: table.find("same_as").and_then(|node| same::same(walk, node)),
        subject: table.find("subject").map(|node| key(walk, node)),
        is_patch: update.is_some_and(|word| word.value == "patch"),
        source_time,
        one_way: walk.truth(&table, "one_way"),
        written_only: walk.truth(&table, "written_only"),
        writes: table.find("writes").map(|node| write::writes(walk, node)).unwrap_or_default(),
        fields,
        checks,
    })
}

/// The rules of a field that may carry a published code.
const PUBLISHED: [&str; 3] = ["blank", "format", "code"];

fn field(walk: &mut Walk, node: &Placed<Node>, is_kept: bool) -> Option<RawField> {
    let known = [
        "to",
        "from",
        "as",
        "codes",
        "other",
        "blank",
        "wrong",
        "published",
        "default",
        "value",
        "delete",
        "one_way",
    ];
    let table = walk.table(node, "a field", &known)?;
    let published = table.find("published").and_then(|node| {
        let rules = walk.table(node, "`published`", &PUBLISHED)?;
        let code = |name: &&str| Some(((*name).to_owned(), walk.text(rules.find(name)?)?.value));
        Some(PUBLISHED.iter().filter_map(code).collect())
    });
    let from = match table.find("from") {
        Some(node) if matches!(node.value, Node::List(_)) => walk.texts(node),
        Some(node) => walk.text(node).into_iter().collect(),
        None => Vec::new(),
    };
    let word =
        |walk: &mut Walk, key: &str, words: &[&str]| table.find(key).and_then(|node| walk.word(node, words));
    let to = match (is_kept, table.find("to")) {
        (true, _) => walk.need(&table, "to").and_then(|node| walk.text(node))?,
        (false, None) => Placed { value: String::new(), span: node.span.clone() },
        (false, Some(node)) => {
            walk.fault(&node.span, "a check keeps nothing: leave out `to`, or put it among the fields");
            return None;
        }
    };
    Some(RawField {
        span: node.span.clone(),
        to,
        from,
        value: table.find("value").cloned(),
        pipeline: table.find("as").map(|node| pipeline(walk, node)),
        codes: table.find("codes").and_then(|node| walk.text(node)),
        other: word(walk, "other", &["reject", "quarantine", "keep-as-text", "warn"]),
        blank: word(walk, "blank", &["absent", "reject", "quarantine", "delete", "warn"]),
        wrong: word(walk, "wrong", &["reject", "quarantine", "warn"]),
        published: published.unwrap_or_default(),
        default: table.find("default").cloned(),
        is_delete: walk.truth(&table, "delete"),
        one_way: walk.truth(&table, "one_way"),
    })
}
