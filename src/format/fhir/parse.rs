//! FHIR XML as the JSON it stands for (FHIR R4, sections 2.6.1 and 2.6.2).

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Number, Value};

use super::table::{self, Element, Holds, Type};
use crate::base::limit::{ATTRIBUTES_MAX, TREE_DEPTH_MAX, UNIT_ELEMENTS_MAX};
use crate::format::xml::NotATree;

/// A resource out of XML.
pub(super) struct Parsed {
    /// The resource; none where an entry holds none.
    pub(super) resource: Option<Value>,
    /// True if it has a type or an element that the table does not know.
    pub(super) has_unknown: bool,
}

/// The resource of an `entry`, or that which is the text itself.
pub(super) fn parse(text: &str, is_entry: bool) -> Result<Parsed, NotATree> {
    let mut parser = Parser { text, reader: Reader::from_str(text), elements: 0, has_unknown: false };
    loop {
        let before = parser.reader.buffer_position();
        let (start, is_empty) = match parser.event()? {
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            Event::Comment(_) | Event::Text(_) => continue,
            _ => return Err(NotATree::Syntax),
        };
        let at = Spot { before, is_empty, depth: 1 };
        let resource = if is_entry {
            let of = table::find("Bundle_Entry").ok_or(NotATree::Syntax)?;
            parser.object(of, &start, at)?.remove("resource")
        } else {
            Some(parser.resource(&start, at)?)
        };
        return Ok(Parsed { resource, has_unknown: parser.has_unknown });
    }
}

struct Parser<'t> {
    text: &'t str,
    reader: Reader<&'t [u8]>,
    elements: usize,
    has_unknown: bool,
}

/// Where a start tag stands.
#[derive(Clone, Copy)]
struct Spot {
    before: u64,
    is_empty: bool,
    depth: usize,
}

/// What an element came to: its value, and what hangs on a value that is no object.
struct Given {
    value: Value,
    beside: Map<String, Value>,
}

/// What stands for an element that the table does not know.
static UNKNOWN: Type = Type { is_resource: false, elements: Vec::new() };

impl<'t> Parser<'t> {
    fn event(&mut self) -> Result<Event<'t>, NotATree> {
        self.reader.read_event().map_err(|_malformed| NotATree::Syntax)
    }

    fn resource(&mut self, start: &BytesStart<'t>, at: Spot) -> Result<Value, NotATree> {
        let name = local(start).to_owned();
        let of = table::find(&name).filter(|of| of.is_resource);
        self.has_unknown |= of.is_none();
        let of = of.or_else(|| table::find("DomainResource")).unwrap_or(&UNKNOWN);
        let mut resource = Map::new();
        resource.insert(String::from("resourceType"), Value::String(name));
        resource.extend(self.object(of, start, at)?);
        Ok(Value::Object(resource))
    }

    /// The members of an element that is an object.
    fn object(
        &mut self,
        of: &Type,
        start: &BytesStart<'t>,
        at: Spot,
    ) -> Result<Map<String, Value>, NotATree> {
        let mut members = Map::new();
        for (name, value) in attributes(start)? {
            members.insert(name, Value::String(value));
        }
        self.children(of, at, &mut |name, is_list, given| add(&mut members, name, is_list, given))?;
        settle(&mut members);
        Ok(members)
    }

    /// Gives each child of an element.
    fn children(
        &mut self,
        of: &Type,
        at: Spot,
        give: &mut dyn FnMut(&str, bool, Given),
    ) -> Result<(), NotATree> {
        if at.is_empty {
            return Ok(());
        }
        loop {
            let before = self.reader.buffer_position();
            let (start, is_empty) = match self.event()? {
                Event::Start(start) => (start, false),
                Event::Empty(start) => (start, true),
                Event::End(_) => return Ok(()),
                Event::GeneralRef(_) => return Err(NotATree::Entity),
                Event::Eof | Event::DocType(_) | Event::Decl(_) => return Err(NotATree::Syntax),
                // Text has no meaning outside XHTML.
                Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::PI(_) => continue,
            };
            self.elements += 1;
            if self.elements > UNIT_ELEMENTS_MAX {
                return Err(NotATree::TooMany);
            }
            if at.depth >= TREE_DEPTH_MAX {
                return Err(NotATree::TooDeep);
            }
            let name = local(&start).to_owned();
            let known = of.find(&name).copied();
            let spot = Spot { before, is_empty, depth: at.depth + 1 };
            let given = self.child(known, &start, spot)?;
            give(&name, known.is_some_and(|known| known.is_list), given);
        }
    }

    fn child(&mut self, known: Option<Element>, start: &BytesStart<'t>, at: Spot) -> Result<Given, NotATree> {
        let object = |members| Given { value: Value::Object(members), beside: Map::new() };
        match known.map(|known| known.holds) {
            Some(Holds::Type(name)) => {
                let of = table::find(name).unwrap_or(&UNKNOWN);
                self.object(of, start, at).map(object)
            }
            Some(Holds::Resource) => {
                let mut inner = None;
                self.inner(at, &mut inner)?;
                Ok(Given { value: inner.unwrap_or(Value::Null), beside: Map::new() })
            }
            Some(Holds::Xhtml) => self.xhtml(start, at),
            Some(holds @ (Holds::Text | Holds::Truth | Holds::Number)) => self.primitive(holds, start, at),
            None => {
                self.has_unknown = true;
                let is_primitive = attributes(start)?.iter().any(|(name, _)| name == "value");
                if is_primitive {
                    self.primitive(Holds::Text, start, at)
                } else {
                    let of = table::find("Element").unwrap_or(&UNKNOWN);
                    self.object(of, start, at).map(object)
                }
            }
        }
    }

    /// The one resource inside an element.
    fn inner(&mut self, at: Spot, inner: &mut Option<Value>) -> Result<(), NotATree> {
        if at.is_empty {
            return Ok(());
        }
        loop {
            let before = self.reader.buffer_position();
            let (start, is_empty) = match self.event()? {
                Event::Start(start) => (start, false),
                Event::Empty(start) => (start, true),
                Event::End(_) => return Ok(()),
                Event::Text(_) | Event::Comment(_) | Event::PI(_) => continue,
                _ => return Err(NotATree::Syntax),
            };
            if inner.is_some() || at.depth >= TREE_DEPTH_MAX {
                return Err(if inner.is_some() { NotATree::Syntax } else { NotATree::TooDeep });
            }
            *inner = Some(self.resource(&start, Spot { before, is_empty, depth: at.depth + 1 })?);
        }
    }

    /// A value that is an attribute; its id and extensions stand beside it.
    fn primitive(&mut self, holds: Holds, start: &BytesStart<'t>, at: Spot) -> Result<Given, NotATree> {
        let mut value = Value::Null;
        let mut beside = Map::new();
        for (name, text) in attributes(start)? {
            match name.as_str() {
                "value" => value = scalar(holds, text),
                _ => drop(beside.insert(name, Value::String(text))),
            }
        }
        let of = table::find("Element").unwrap_or(&UNKNOWN);
        self.children(of, at, &mut |name, is_list, given| {
            add(&mut beside, name, is_list, given);
        })?;
        settle(&mut beside);
        Ok(Given { value, beside })
    }

    /// XHTML as the text it is.
    fn xhtml(&mut self, start: &BytesStart<'t>, at: Spot) -> Result<Given, NotATree> {
        if !at.is_empty {
            self.reader.read_to_end(start.name()).map_err(|_malformed| NotATree::Syntax)?;
        }
        let place = |position: u64| usize::try_from(position).unwrap_or(usize::MAX);
        let text = self.text.get(place(at.before)..place(self.reader.buffer_position()));
        let value = Value::String(text.unwrap_or_default().trim_start().to_owned());
        Ok(Given { value, beside: Map::new() })
    }
}

fn local<'s>(start: &'s BytesStart<'_>) -> &'s str {
    start.local_name().into_inner()
}

/// The attributes of an element, but for namespaces.
fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, NotATree> {
    let mut found = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_malformed| NotATree::Syntax)?;
        if found.len() >= ATTRIBUTES_MAX {
            return Err(NotATree::TooMany);
        }
        if attribute.key.as_namespace_binding().is_some() || attribute.key.prefix().is_some() {
            continue;
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| match error {
            quick_xml::Error::Escape(_) => NotATree::Entity,
            _ => NotATree::Syntax,
        })?;
        found.push((attribute.key.into_inner().to_owned(), value.into_owned()));
    }
    Ok(found)
}

/// The text of a value as what it stands for; what does not fit stays text, for the mapping to refuse.
fn scalar(holds: Holds, text: String) -> Value {
    match holds {
        Holds::Truth if text == "true" || text == "false" => Value::Bool(text == "true"),
        Holds::Number => match (text.parse::<i64>(), text.parse::<f64>().ok().and_then(Number::from_f64)) {
            (Ok(whole), _) => Value::from(whole),
            (Err(_), Some(number)) => Value::Number(number),
            (Err(_), None) => Value::String(text),
        },
        _ => Value::String(text),
    }
}

/// Adds a child to its parent: a list by the table, or since it stands again.
fn add(members: &mut Map<String, Value>, name: &str, is_list: bool, given: Given) {
    let Given { value, beside } = given;
    let beside_name = format!("_{name}");
    let is_list = is_list || members.contains_key(name) || members.contains_key(&beside_name);
    if !is_list {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
        if !beside.is_empty() {
            members.insert(beside_name, Value::Object(beside));
        }
        return;
    }
    let values = as_list(members, name);
    values.push(value);
    let place = values.len() - 1;
    if !beside.is_empty() {
        let besides = as_list(members, &beside_name);
        besides.resize(place, Value::Null);
        besides.push(Value::Object(beside));
    }
}

fn as_list<'m>(members: &'m mut Map<String, Value>, name: &str) -> &'m mut Vec<Value> {
    let held = members.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    if !held.is_array() {
        *held = Value::Array(vec![held.take()]);
    }
    match held {
        Value::Array(items) => items,
        // Made a list just above.
        _ => unreachable!(),
    }
}

/// Lists side by side are of one length; a list of nothing is left out.
fn settle(members: &mut Map<String, Value>) {
    let lengths: Vec<(String, usize)> = members
        .iter()
        .filter(|(name, _)| !name.starts_with('_'))
        .filter_map(|(name, value)| Some((name.clone(), value.as_array()?.len())))
        .collect();
    for (name, length) in lengths {
        if let Some(Value::Array(besides)) = members.get_mut(&format!("_{name}")) {
            besides.resize(length, Value::Null);
        }
        let is_nothing = members
            .get(&name)
            .and_then(Value::as_array)
            .is_some_and(|items| items.iter().all(Value::is_null));
        if is_nothing {
            members.shift_remove(&name);
        }
    }
}
