//! FHIR XML as the JSON it stands for (FHIR R4, sections 2.6.1 and 2.6.2).
//!
//! The unit's text was cut by its tags, within bounds, before it comes here. It is walked through
//! once, and each element goes straight to where it stands in the tree; the texts of the last
//! resource's tree are filled again.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::table::{self, Element, Holds, Type};
use crate::base::limit::{ATTRIBUTES_MAX, TREE_DEPTH_MAX, UNIT_ELEMENTS_MAX};
use crate::format::xml::{NotATree, Spare, tag_end};

/// A resource out of XML.
pub(super) struct Parsed {
    /// The resource; none where an entry holds none.
    pub(super) resource: Option<Value>,
    /// True if it has a type or an element that the table does not know.
    pub(super) has_unknown: bool,
}

/// The resource of an `entry`, or that which is the text itself.
pub(super) fn parse(text: &str, is_entry: bool, spare: &mut Spare) -> Result<Parsed, NotATree> {
    let room = spare.members();
    let mut parser = Parser { text, at: 0, elements: 0, room, has_unknown: false, spare };
    loop {
        let tag = match parser.token(true)? {
            Token::Start(tag) => tag,
            Token::Passing => continue,
            Token::End(_) => return Err(NotATree::Syntax),
        };
        let spot = Spot { tag, depth: 1 };
        let resource = if is_entry {
            let of = table::find("Bundle_Entry").ok_or(NotATree::Syntax)?;
            parser.object(of, spot)?.remove("resource")
        } else {
            Some(parser.resource(spot)?)
        };
        return Ok(Parsed { resource, has_unknown: parser.has_unknown });
    }
}

struct Parser<'t, 's> {
    text: &'t str,
    at: usize,
    elements: usize,
    /// Members to make room for in the outermost resource: most are like the last one.
    room: usize,
    has_unknown: bool,
    spare: &'s mut Spare,
}

/// One piece of the text.
enum Token<'t> {
    Start(Tag<'t>),
    /// An end tag, and its name.
    End(&'t str),
    /// What has no meaning here.
    Passing,
}

/// A start tag, or one that is start and end in one.
#[derive(Clone, Copy)]
struct Tag<'t> {
    /// What stands between its angle brackets, without a last stroke.
    inside: &'t str,
    name: &'t str,
    is_empty: bool,
    /// Where it begins.
    from: usize,
}

/// A start tag, and how deep it stands.
#[derive(Clone, Copy)]
struct Spot<'t> {
    tag: Tag<'t>,
    depth: usize,
}

/// The members of an object that is being read.
#[derive(Default)]
struct Members {
    map: Map<String, Value>,
    has_list: bool,
    /// Something hangs on a value that is no object.
    has_beside: bool,
    /// A list holds nothing somewhere.
    has_gap: bool,
}

/// What an element came to: its value, and what hangs on a value that is no object.
struct Given {
    value: Value,
    beside: Option<Map<String, Value>>,
}

/// What stands for an element that the table does not know.
static UNKNOWN: Type = Type { is_resource: false, elements: Vec::new() };

impl<'t> Tag<'t> {
    fn local(&self) -> &'t str {
        self.name.split_once(':').map_or(self.name, |(_, local)| local)
    }
}

impl<'t> Parser<'t, '_> {
    /// The next piece. Text between tags has no meaning in FHIR, but an entity in it might have.
    fn token(&mut self, is_strict: bool) -> Result<Token<'t>, NotATree> {
        let rest = self.text.get(self.at..).ok_or(NotATree::Syntax)?;
        let from = memchr::memchr(b'<', rest.as_bytes()).ok_or(NotATree::Syntax)?;
        let (before, markup) = rest.split_at_checked(from).ok_or(NotATree::Syntax)?;
        if is_strict && !before.is_empty() && memchr::memchr(b'&', before.as_bytes()).is_some() {
            return Err(NotATree::Entity);
        }
        let from = self.at + from;
        let passed = |start: &str, end: &str| {
            let inside = markup.get(start.len()..).unwrap_or_default();
            inside.find(end).map(|length| from + start.len() + length + end.len()).ok_or(NotATree::Syntax)
        };
        match markup.as_bytes().get(1) {
            Some(b'/') => {
                let (name, _) =
                    markup.get(2..).and_then(|inside| inside.split_once('>')).ok_or(NotATree::Syntax)?;
                self.at = from + 2 + name.len() + 1;
                return Ok(Token::End(name.trim_ascii_end()));
            }
            Some(b'!') if markup.starts_with("<!--") => self.at = passed("<!--", "-->")?,
            Some(b'!') if markup.starts_with("<![CDATA[") => self.at = passed("<![CDATA[", "]]>")?,
            Some(b'?') if !markup.starts_with("<?xml ") => self.at = passed("<?", "?>")?,
            Some(b'!' | b'?') | None => return Err(NotATree::Syntax),
            Some(_) => return self.start(markup, from).map(Token::Start),
        }
        Ok(Token::Passing)
    }

    fn start(&mut self, markup: &'t str, from: usize) -> Result<Tag<'t>, NotATree> {
        let end = tag_end(markup.as_bytes()).ok_or(NotATree::Syntax)?;
        let inside = markup.get(1..end).ok_or(NotATree::Syntax)?;
        self.at = from + end + 1;
        let is_empty = inside.ends_with('/');
        let inside = inside.strip_suffix('/').unwrap_or(inside);
        let length = inside.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(inside.len());
        let name = inside.get(..length).filter(|name| !name.is_empty()).ok_or(NotATree::Syntax)?;
        Ok(Tag { inside, name, is_empty, from })
    }

    fn resource(&mut self, spot: Spot<'t>) -> Result<Value, NotATree> {
        let name = spot.tag.local();
        let of = table::find(name).filter(|of| of.is_resource);
        self.has_unknown |= of.is_none();
        let of = of.or_else(|| table::find("DomainResource")).unwrap_or(&UNKNOWN);
        let map = Map::with_capacity(std::mem::take(&mut self.room));
        let mut members = Members { map, ..Members::default() };
        members.map.insert(self.spare.text_of("resourceType"), Value::String(self.spare.text_of(name)));
        self.fill(&mut members, of, spot)?;
        Ok(Value::Object(members.map))
    }

    /// The members of an element that is an object.
    fn object(&mut self, of: &Type, spot: Spot<'t>) -> Result<Map<String, Value>, NotATree> {
        let mut members = Members::default();
        self.fill(&mut members, of, spot)?;
        Ok(members.map)
    }

    /// Reads attributes and children of an element.
    fn fill(&mut self, members: &mut Members, of: &Type, spot: Spot<'t>) -> Result<(), NotATree> {
        let spare = &mut *self.spare;
        attributes(&spot.tag, &mut |name, value| {
            members.map.insert(spare.text_of(name), Value::String(spare.text_of(value)));
        })?;
        self.children(members, of, spot)
    }

    /// The next child of an element; none at its end.
    fn next(&mut self, spot: Spot<'t>) -> Result<Option<Spot<'t>>, NotATree> {
        if spot.tag.is_empty {
            return Ok(None);
        }
        loop {
            let tag = match self.token(true)? {
                Token::Start(tag) => tag,
                Token::End(name) if name == spot.tag.name => return Ok(None),
                Token::End(_) => return Err(NotATree::Syntax),
                Token::Passing => continue,
            };
            self.elements += 1;
            if self.elements > UNIT_ELEMENTS_MAX {
                return Err(NotATree::TooMany);
            }
            if spot.depth >= TREE_DEPTH_MAX {
                return Err(NotATree::TooDeep);
            }
            return Ok(Some(Spot { tag, depth: spot.depth + 1 }));
        }
    }

    fn children(&mut self, members: &mut Members, of: &Type, spot: Spot<'t>) -> Result<(), NotATree> {
        // Elements stand in the order of their type, so the next is seldom far.
        let mut near = 0;
        while let Some(child) = self.next(spot)? {
            let name = child.tag.local();
            let known = of.find_from(name, &mut near);
            let given = self.child(known, child)?;
            let key = self.spare.text_of(name);
            members.add(key, known.is_some_and(|known| known.is_list), given);
        }
        members.settle();
        Ok(())
    }

    fn child(&mut self, known: Option<&Element>, spot: Spot<'t>) -> Result<Given, NotATree> {
        let object = |members| Given { value: Value::Object(members), beside: None };
        match known.map(|known| known.holds) {
            Some(Holds::Type(_)) => {
                let of = known.and_then(Element::of).unwrap_or(&UNKNOWN);
                self.object(of, spot).map(object)
            }
            Some(Holds::Resource) => {
                let value = self.inner(spot)?.unwrap_or(Value::Null);
                Ok(Given { value, beside: None })
            }
            Some(Holds::Xhtml) => self.xhtml(spot),
            Some(holds @ (Holds::Text | Holds::Truth | Holds::Number)) => self.primitive(holds, spot),
            None => {
                self.has_unknown = true;
                let mut is_primitive = false;
                attributes(&spot.tag, &mut |name, _| is_primitive |= name == "value")?;
                if is_primitive {
                    self.primitive(Holds::Text, spot)
                } else {
                    self.object(table::find("Element").unwrap_or(&UNKNOWN), spot).map(object)
                }
            }
        }
    }

    /// The one resource inside an element.
    fn inner(&mut self, spot: Spot<'t>) -> Result<Option<Value>, NotATree> {
        let mut inner = None;
        while let Some(child) = self.next(spot)? {
            if inner.is_some() {
                return Err(NotATree::Syntax);
            }
            inner = Some(self.resource(child)?);
        }
        Ok(inner)
    }

    /// A value that is an attribute; its id and extensions stand beside it.
    fn primitive(&mut self, holds: Holds, spot: Spot<'t>) -> Result<Given, NotATree> {
        let mut value = Value::Null;
        let mut beside: Option<Members> = None;
        let spare = &mut *self.spare;
        attributes(&spot.tag, &mut |name, text| match name {
            "value" => value = scalar(holds, text, spare),
            _ => {
                let members = &mut beside.get_or_insert_default().map;
                members.insert(spare.text_of(name), Value::String(spare.text_of(text)));
            }
        })?;
        if !spot.tag.is_empty {
            let of = table::find("Element").unwrap_or(&UNKNOWN);
            self.children(beside.get_or_insert_default(), of, spot)?;
        }
        let beside = beside.map(|members| members.map).filter(|members| !members.is_empty());
        Ok(Given { value, beside })
    }

    /// XHTML as the text it is.
    fn xhtml(&mut self, spot: Spot<'t>) -> Result<Given, NotATree> {
        let mut open = usize::from(!spot.tag.is_empty);
        while open > 0 {
            match self.token(false)? {
                Token::Start(tag) => open += usize::from(!tag.is_empty),
                Token::End(name) if open == 1 && name != spot.tag.name => return Err(NotATree::Syntax),
                Token::End(_) => open -= 1,
                Token::Passing => {}
            }
        }
        let text = self.text.get(spot.tag.from..self.at).unwrap_or_default();
        Ok(Given { value: Value::String(self.spare.text_of(text)), beside: None })
    }
}

/// Gives the attributes of a tag, but for namespaces.
fn attributes(tag: &Tag<'_>, give: &mut dyn FnMut(&str, &str)) -> Result<(), NotATree> {
    let rest = tag.inside.get(tag.name.len()..).unwrap_or_default().trim_ascii();
    if rest.is_empty() {
        return Ok(());
    }
    if let Some((name, value)) = only_one(rest) {
        if name != "xmlns" && !name.contains(':') {
            give(name, value);
        }
        return Ok(());
    }
    let start = BytesStart::from_content(tag.inside, tag.name.len());
    let mut found: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
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
        found.push((Cow::Borrowed(attribute.key.into_inner()), Cow::Owned(value.into_owned())));
    }
    found.iter().for_each(|(name, value)| give(name, value));
    Ok(())
}

/// The one attribute that nearly every element has, where it means what it says letter for letter.
fn only_one(text: &str) -> Option<(&str, &str)> {
    let (name, quoted) = match text.strip_prefix("value=") {
        Some(quoted) => ("value", quoted),
        None => text.split_once('=')?,
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.');
    let value = match quoted.as_bytes() {
        [b'"', .., b'"'] | [b'\'', .., b'\''] => quoted.get(1..quoted.len() - 1)?,
        _ => return None,
    };
    // Looked at to the end, whatever is found: many bytes are then looked at at once.
    let is_mark = |byte: u8| matches!(byte, b'&' | b'<' | b'"' | b'\'' | ..b' ');
    let has_marks = value.bytes().fold(false, |has_marks, byte| has_marks | is_mark(byte));
    (!name.is_empty() && name.bytes().all(is_name) && !has_marks).then_some((name, value))
}

/// The text of a value as what it stands for; what does not fit stays text, for the mapping to refuse.
fn scalar(holds: Holds, text: &str, spare: &mut Spare) -> Value {
    match holds {
        Holds::Truth if text == "true" || text == "false" => Value::Bool(text == "true"),
        Holds::Number => match (text.parse::<i64>(), text.parse::<f64>().ok().and_then(Number::from_f64)) {
            (Ok(whole), _) => Value::from(whole),
            (Err(_), Some(number)) => Value::Number(number),
            (Err(_), None) => Value::String(spare.text_of(text)),
        },
        _ => Value::String(spare.text_of(text)),
    }
}

impl Members {
    /// Adds a child: a list by the table, or since it stands again.
    fn add(&mut self, name: String, is_list: bool, given: Given) {
        let Given { value, beside } = given;
        if self.has_beside || beside.is_some() {
            self.has_beside = true;
            self.add_beside(name, is_list, value, beside.unwrap_or_default());
            return;
        }
        match self.map.entry(name) {
            Entry::Vacant(_) if !is_list && value.is_null() => {}
            Entry::Vacant(place) if !is_list => drop(place.insert(value)),
            Entry::Vacant(place) => {
                self.has_list = true;
                self.has_gap |= value.is_null();
                place.insert(Value::Array(vec![value]));
            }
            Entry::Occupied(mut place) => {
                self.has_list = true;
                self.has_gap |= value.is_null();
                match place.get_mut() {
                    Value::Array(items) => items.push(value),
                    one => *one = Value::Array(vec![one.take(), value]),
                }
            }
        }
    }

    fn add_beside(&mut self, name: String, is_list: bool, value: Value, beside: Map<String, Value>) {
        let members = &mut self.map;
        let beside_name = format!("_{name}");
        let is_list = is_list || members.contains_key(&name) || members.contains_key(&beside_name);
        if !is_list {
            if !value.is_null() {
                members.insert(name, value);
            }
            if !beside.is_empty() {
                members.insert(beside_name, Value::Object(beside));
            }
            return;
        }
        self.has_list = true;
        self.has_gap |= value.is_null();
        let values = as_list(members, name);
        values.push(value);
        let place = values.len() - 1;
        if !beside.is_empty() {
            let besides = as_list(members, beside_name);
            besides.resize(place, Value::Null);
            besides.push(Value::Object(beside));
        }
    }

    /// Lists side by side are of one length; a list of nothing is left out.
    fn settle(&mut self) {
        if !(self.has_gap || self.has_beside && self.has_list) {
            return;
        }
        let members = &mut self.map;
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
}

fn as_list(members: &mut Map<String, Value>, name: String) -> &mut Vec<Value> {
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
