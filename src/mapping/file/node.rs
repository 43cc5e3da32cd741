//! TOML as a tree in which everything knows its place.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::mapping::diagnostic::{Diagnostic, Diagnostics, Source};

/// Something, and where it stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// What.
    pub value: T,
    /// Where, in bytes.
    pub span: Range<usize>,
}

/// A value of a TOML file.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Text.
    Text(String),
    /// A number, as written.
    Number(String),
    /// A truth value.
    Truth(bool),
    /// A list.
    List(Vec<Placed<Node>>),
    /// A table, in the order written.
    Table(Vec<(Placed<String>, Placed<Node>)>),
    /// A date or time.
    Time(String),
}

/// The entries of a table whose keys are known.
#[derive(Debug, Clone, Default)]
pub struct Table<'n> {
    span: Range<usize>,
    what: String,
    entries: &'n [(Placed<String>, Placed<Node>)],
}

impl<'n> Table<'n> {
    /// The value of a key.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&'n Placed<Node>> {
        self.entries.iter().find(|(name, _)| name.value == key).map(|(_, value)| value)
    }
}

/// A text as TOML writes it.
pub(in crate::mapping) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if letter.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// Reads TOML.
///
/// # Errors
/// Where it is not TOML.
pub fn parse(source: &Source) -> Result<Placed<Node>, Diagnostics> {
    match DeTable::parse(&source.text) {
        Ok(table) => {
            let span = 0..0;
            Ok(Placed { value: node_of_table(table.get_ref()), span })
        }
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            let message = error.message().replace('\n', ", ");
            Err(Diagnostics(vec![source.fault(&span, format!("not TOML: {message}"))]))
        }
    }
}

fn node_of_table(table: &DeTable<'_>) -> Node {
    let mut entries: Vec<(Placed<String>, Placed<Node>)> = table
        .iter()
        .map(|(key, value)| {
            let key = Placed { value: key.get_ref().to_string(), span: key.span() };
            (key, Placed { value: node(value.get_ref()), span: value.span() })
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.span.start);
    Node::Table(entries)
}

fn node(value: &DeValue<'_>) -> Node {
    match value {
        DeValue::String(text) => Node::Text(text.to_string()),
        DeValue::Integer(number) => Node::Number(number.as_str().replace('_', "")),
        DeValue::Float(number) => Node::Number(number.as_str().replace('_', "")),
        DeValue::Boolean(truth) => Node::Truth(*truth),
        DeValue::Datetime(time) => Node::Time(time.to_string()),
        DeValue::Array(items) => Node::List(
            items.iter().map(|item| Placed { value: node(item.get_ref()), span: item.span() }).collect(),
        ),
        DeValue::Table(table) => node_of_table(table),
    }
}

impl Node {
    /// What it is, for a message.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Truth(_) => "`true` or `false`",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Time(_) => "a date or time",
        }
    }
}

/// A walk over a file that collects every fault it meets.
pub struct Walk {
    source: Source,
    faults: Vec<Diagnostic>,
}

impl Walk {
    /// Sets out.
    #[must_use]
    pub const fn new(source: Source) -> Self {
        Self { source, faults: Vec::new() }
    }

    /// Ends: what was read if no fault was met.
    ///
    /// # Errors
    /// With the faults.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, Diagnostics> {
        match read {
            Some(read) if self.faults.is_empty() => Ok(read),
            _ => Err(Diagnostics(self.faults)),
        }
    }

    /// Notes a fault.
    pub fn fault(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.faults.push(self.source.fault(span, message));
    }

    /// Notes a fault, with advice.
    pub fn advise(&mut self, span: &Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.faults.push(self.source.fault(span, message).hint(hint));
    }

    /// Notes a word that is not known.
    pub fn unknown(&mut self, span: &Range<usize>, what: &str, word: &str, known: &[&str]) {
        let fault = self.source.fault(span, format!("unknown {what} `{word}`"));
        self.faults.push(fault.nearest(word, known.iter().copied()));
    }

    /// A table whose every key is known.
    pub fn table<'n>(&mut self, node: &'n Placed<Node>, what: &str, known: &[&str]) -> Option<Table<'n>> {
        let Node::Table(entries) = &node.value else {
            self.fault(&node.span, format!("expected {what} as a table, found {}", node.value.what()));
            return None;
        };
        for (key, _) in entries {
            if !known.contains(&key.value.as_str()) {
                let fault = self.source.fault(&key.span, format!("unknown key `{}` in {what}", key.value));
                self.faults.push(fault.nearest(&key.value, known.iter().copied()));
            }
        }
        Some(Table { span: node.span.clone(), what: what.to_owned(), entries })
    }

    /// The value of a key that has to be there.
    pub fn need<'n>(&mut self, table: &Table<'n>, key: &str) -> Option<&'n Placed<Node>> {
        let found = table.find(key);
        if found.is_none() {
            self.fault(&table.span, format!("{} has no `{key}`", table.what));
        }
        found
    }

    /// A list.
    pub fn list<'n>(&mut self, node: &'n Placed<Node>, what: &str) -> &'n [Placed<Node>] {
        if let Node::List(items) = &node.value {
            return items;
        }
        self.fault(&node.span, format!("expected a list of {what}, found {}", node.value.what()));
        &[]
    }

    /// A text that is not blank.
    pub fn text(&mut self, node: &Placed<Node>) -> Option<Placed<String>> {
        match &node.value {
            Node::Text(text) => Some(Placed { value: text.clone(), span: node.span.clone() }),
            other => {
                let found = other.what();
                self.fault(&node.span, format!("expected a text, found {found}"));
                None
            }
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, node: &Placed<Node>) -> Vec<Placed<String>> {
        let items = self.list(node, "texts");
        items.iter().filter_map(|item| self.text(item)).collect()
    }

    /// Columns by sheet; the empty name for a format without sheets.
    pub fn columns(&mut self, node: &Placed<Node>) -> Vec<(String, Vec<String>)> {
        let plain = |texts: Vec<Placed<String>>| texts.into_iter().map(|text| text.value).collect();
        match &node.value {
            Node::Table(sheets) => {
                sheets.iter().map(|(sheet, names)| (sheet.value.clone(), plain(self.texts(names)))).collect()
            }
            _ => vec![(String::new(), plain(self.texts(node)))],
        }
    }

    /// Names, each with a text.
    pub fn pairs(&mut self, node: &Placed<Node>) -> Vec<(Placed<String>, Placed<String>)> {
        let Node::Table(entries) = &node.value else {
            self.fault(&node.span, "expected names with a text each, such as `{ core = \"…\" }`");
            return Vec::new();
        };
        entries.iter().filter_map(|(name, node)| Some((name.clone(), self.text(node)?))).collect()
    }

    /// A whole number from 1.
    pub fn whole(&mut self, node: &Placed<Node>) -> Option<Placed<u32>> {
        let number = match &node.value {
            Node::Number(number) => number.parse().ok().filter(|number| *number > 0),
            _ => None,
        };
        if number.is_none() {
            self.fault(&node.span, "expected a whole number from 1");
        }
        number.map(|value| Placed { value, span: node.span.clone() })
    }

    /// A truth value; false if the key is not there.
    pub fn truth(&mut self, table: &Table<'_>, key: &str) -> bool {
        match table.find(key) {
            None => false,
            Some(Placed { value: Node::Truth(truth), .. }) => *truth,
            Some(node) => {
                self.fault(&node.span, format!("expected `{key}` as `true` or `false`"));
                false
            }
        }
    }

    /// One of a few words.
    pub fn word(&mut self, node: &Placed<Node>, words: &[&str]) -> Option<Placed<String>> {
        let text = self.text(node)?;
        if words.contains(&text.value.as_str()) {
            return Some(text);
        }
        self.unknown(&text.span, "word", &text.value, words);
        None
    }
}
