//! Writes a document: each unit an element of the same name, its members in the layout's order.

use std::io::Write;

use serde_json::{Map, Value};

use super::{TEXT, XSI};
use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::format::json::TreePath;
use crate::format::writer::{XmlLayout, text_of};
use crate::format::{At, Cell, FormatError};

/// Writes a document.
pub(crate) struct XmlWriter {
    out: Box<dyn Write + Send>,
    layout: XmlLayout,
    order: Vec<TreePath>,
    ordinal: u64,
}

impl XmlWriter {
    /// Begins a document.
    pub(crate) fn new(out: Box<dyn Write + Send>, layout: &XmlLayout) -> Result<Self, FormatError> {
        let order = layout.order.iter().filter_map(|address| TreePath::parse(address).ok()).collect();
        let mut writer = Self { out, layout: layout.clone(), order, ordinal: 0 };
        writer.write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        let steps = layout.units.len().saturating_sub(1);
        for (depth, name) in layout.units.iter().take(steps).enumerate() {
            let namespaces = if depth == 0 { writer.namespaces() } else { String::new() };
            writer.write(&format!("<{name}{namespaces}>\n"))?;
        }
        Ok(writer)
    }

    /// Writes one unit.
    pub(crate) fn put(&mut self, unit: &[(&At, Cell<'_>)]) -> Result<Option<Finding>, FormatError> {
        self.ordinal += 1;
        let mut leaves: Vec<(usize, &TreePath, Cell<'_>)> = Vec::with_capacity(unit.len());
        // Cells mostly come in the layout's order, so each is looked for after the last one.
        let mut next = 0;
        for (at, cell) in unit {
            let At::Tree(path) = at else { return Err(FormatError::WrongAddress("xml")) };
            let mut ahead = self.order.iter().enumerate().skip(next);
            let found = ahead.find(|(_, known)| *known == path).map(|(rank, _)| rank);
            let found = found.or_else(|| self.order.iter().position(|known| known == path));
            let rank = found.unwrap_or(self.order.len());
            next = rank + 1;
            leaves.push((rank, path, *cell));
        }
        if self.layout.with_blanks {
            for (rank, path) in self.order.iter().enumerate() {
                if path.is_plain() && !leaves.iter().any(|(known, ..)| *known == rank) {
                    leaves.push((rank, path, Cell::Absent));
                }
            }
        }
        leaves.sort_by_key(|(rank, ..)| *rank);
        let mut tree = Value::Object(Map::new());
        for (_, path, cell) in leaves {
            match cell {
                Cell::Absent if !self.layout.with_blanks => {}
                Cell::Delete => path.put(&mut tree, Value::Null),
                cell => path.to_text().put(&mut tree, Value::String(text_of(cell))),
            }
        }
        if holds_unwritable(&tree) {
            let text = "expected letters that XML can hold, found a control character";
            let origin = Origin::default().at_line(self.ordinal);
            return Ok(Some(Finding::new(Code::CharsetUnwritable, origin, text)));
        }
        let is_alone = self.layout.units.len() <= 1;
        if is_alone && self.ordinal > 1 {
            let text = "expected one unit, since the layout's outermost element is the unit itself";
            let origin = Origin::default().at_line(self.ordinal);
            return Ok(Some(Finding::new(Code::XmlShape, origin, text)));
        }
        let mut written = String::new();
        let name = self.layout.units.last().cloned().unwrap_or_default();
        let namespaces = if is_alone { self.namespaces() } else { String::new() };
        element(&mut written, &name, &namespaces, &tree);
        written.push('\n');
        self.write(&written)?;
        Ok(None)
    }

    /// Ends the document.
    pub(crate) fn finish(mut self) -> Result<(), FormatError> {
        let steps = self.layout.units.len().saturating_sub(1);
        let names: Vec<String> = self.layout.units.iter().take(steps).rev().cloned().collect();
        for name in names {
            self.write(&format!("</{name}>\n"))?;
        }
        self.out.flush().map_err(FormatError::Write)
    }

    /// The declarations on the outermost element.
    fn namespaces(&self) -> String {
        let mut text = String::new();
        if let Some(namespace) = &self.layout.namespace {
            attribute(&mut text, "xmlns", namespace);
        }
        for (prefix, namespace) in &self.layout.namespaces {
            attribute(&mut text, &format!("xmlns:{prefix}"), namespace);
        }
        attribute(&mut text, "xmlns:xsi", XSI);
        text
    }

    fn write(&mut self, text: &str) -> Result<(), FormatError> {
        self.out.write_all(text.as_bytes()).map_err(FormatError::Write)
    }
}

/// One element with all that is in it.
fn element(into: &mut String, name: &str, more: &str, value: &Value) {
    let members = match value {
        Value::Array(items) => {
            items.iter().for_each(|item| element(into, name, more, item));
            return;
        }
        Value::Null => {
            into.push_str(&format!("<{name}{more} xsi:nil=\"true\"/>"));
            return;
        }
        Value::Object(members) => members,
        Value::String(text) => {
            return content(into, name, more, text, &Map::new());
        }
        Value::Bool(_) | Value::Number(_) => {
            return content(into, name, more, &value.to_string(), &Map::new());
        }
    };
    let text = members.get(TEXT).and_then(Value::as_str).unwrap_or_default();
    content(into, name, more, text, members);
}

fn content(into: &mut String, name: &str, more: &str, text: &str, members: &Map<String, Value>) {
    into.push('<');
    into.push_str(name);
    into.push_str(more);
    for (name, value) in members {
        if let (Some(name), Value::String(text)) = (name.strip_prefix('@'), value) {
            attribute(into, name, text);
        }
    }
    let is_child = |name: &str| name != TEXT && !name.starts_with('@');
    if text.is_empty() && !members.keys().any(|name| is_child(name)) {
        into.push_str("/>");
        return;
    }
    into.push('>');
    escape(into, text);
    for (name, value) in members.iter().filter(|(name, _)| is_child(name)) {
        element(into, name, "", value);
    }
    into.push_str("</");
    into.push_str(name);
    into.push('>');
}

pub(crate) fn attribute(into: &mut String, name: &str, text: &str) {
    into.push(' ');
    into.push_str(name);
    into.push_str("=\"");
    for letter in text.chars() {
        match letter {
            // A reader makes each of them a blank unless it is written so (XML 1.0, section 3.3.3).
            '\t' => into.push_str("&#9;"),
            '\n' => into.push_str("&#10;"),
            letter => escape_letter(into, letter),
        }
    }
    into.push('"');
}

fn escape(into: &mut String, text: &str) {
    text.chars().for_each(|letter| escape_letter(into, letter));
}

fn escape_letter(into: &mut String, letter: char) {
    match letter {
        '&' => into.push_str("&amp;"),
        '<' => into.push_str("&lt;"),
        '>' => into.push_str("&gt;"),
        '"' => into.push_str("&quot;"),
        // A reader makes a lone one a line feed (XML 1.0, section 2.11).
        '\r' => into.push_str("&#13;"),
        plain => into.push(plain),
    }
}

/// True if a text in the tree holds a character that XML 1.0 has no place for (section 2.2).
pub(crate) fn holds_unwritable(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().any(|letter| {
            matches!(letter, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
        }),
        Value::Array(items) => items.iter().any(holds_unwritable),
        Value::Object(members) => members.values().any(holds_unwritable),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
