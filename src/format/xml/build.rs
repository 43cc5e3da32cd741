//! One unit's text as a tree.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart};
use quick_xml::name::{NamespaceResolver, QName, ResolveResult};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::{TEXT, XSI};
use crate::base::limit::{ATTRIBUTES_MAX, NAMESPACES_MAX, TREE_DEPTH_MAX, UNIT_ELEMENTS_MAX};
use crate::format::json::TreePath;

/// Why a unit's text is no tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotATree {
    /// It is not well-formed.
    Syntax,
    /// It uses an entity that only a document type could explain.
    Entity,
    /// It is nested deeper than a tree may be.
    TooDeep,
    /// It has more elements, or one of them more attributes, than any unit has.
    TooMany,
}

/// A unit as a tree, and whether any element in it stands several times.
pub(super) struct Built {
    pub(super) tree: Value,
    pub(super) has_repeated: bool,
}

/// An element that has been opened and not yet closed.
struct Held<'t> {
    /// Its name as the document writes it, and as the mapping does.
    tag: &'t str,
    name: String,
    members: Map<String, Value>,
    text: String,
    has_attributes: bool,
    is_nil: bool,
}

/// Texts of trees that are no longer needed, to be filled again: most units are like the last one.
#[derive(Default)]
pub(crate) struct Spare {
    texts: Vec<String>,
    /// How many members the last unit had at its top.
    members: usize,
}

/// Texts that are kept, and letters that one of them has room for.
const SPARE_TEXTS_MAX: usize = 1_024;
const SPARE_BYTES_MAX: usize = 256;

impl Spare {
    /// Takes a tree apart.
    pub(crate) fn take(&mut self, tree: Value) {
        self.members = tree.as_object().map_or(0, Map::len);
        self.part(tree);
    }

    /// How many members the last unit had at its top.
    pub(crate) fn members(&self) -> usize {
        self.members
    }

    fn part(&mut self, tree: Value) {
        match tree {
            Value::String(text) => self.keep(text),
            Value::Array(items) => items.into_iter().for_each(|item| self.part(item)),
            Value::Object(members) => members.into_iter().for_each(|(name, member)| {
                self.keep(name);
                self.part(member);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn keep(&mut self, mut text: String) {
        if self.texts.len() < SPARE_TEXTS_MAX && (1..=SPARE_BYTES_MAX).contains(&text.capacity()) {
            text.clear();
            self.texts.push(text);
        }
    }

    fn text(&mut self) -> String {
        self.texts.pop().unwrap_or_default()
    }

    /// A text that says this.
    pub(crate) fn text_of(&mut self, says: &str) -> String {
        let mut text = self.text();
        text.push_str(says);
        text
    }
}

/// Names by what the mapping calls their namespaces, whatever the document does.
pub(super) struct Names<'n> {
    pub(super) declared: &'n [(String, String)],
    pub(super) resolver: &'n mut NamespaceResolver,
}

/// A resolver for a document, with as many declarations as any has in scope.
pub(super) fn resolver() -> NamespaceResolver {
    let mut resolver = NamespaceResolver::default();
    resolver.set_max_namespace_bindings(NAMESPACES_MAX);
    resolver
}

/// The tree of a unit's text.
pub(super) fn build(text: &str, names: &mut Names<'_>, spare: &mut Spare) -> Result<Built, NotATree> {
    let level = names.resolver.level();
    let built = Builder { names, spare, open: Vec::new(), elements: 0, has_repeated: false }.run(text);
    names.resolver.set_level(level);
    built
}

struct Builder<'b, 'n, 't> {
    names: &'b mut Names<'n>,
    spare: &'b mut Spare,
    open: Vec<Held<'t>>,
    elements: usize,
    has_repeated: bool,
}

impl<'t> Builder<'_, '_, 't> {
    fn run(mut self, text: &'t str) -> Result<Built, NotATree> {
        let mut rest = text;
        loop {
            let at = memchr::memchr(b'<', rest.as_bytes()).ok_or(NotATree::Syntax)?;
            let (before, markup) = rest.split_at_checked(at).ok_or(NotATree::Syntax)?;
            if !before.is_empty() {
                self.text(before)?;
            }
            let (closed, after) = self.markup(markup)?;
            rest = after;
            if let Some(tree) = closed {
                // The whole, if nothing stands after it.
                let is_whole = rest.trim().is_empty();
                let built = Built { tree, has_repeated: self.has_repeated };
                return if is_whole { Ok(built) } else { Err(NotATree::Syntax) };
            }
        }
    }

    /// Takes the markup that a text begins with. The unit's tree, if that closed it, and the rest.
    fn markup(&mut self, text: &'t str) -> Result<(Option<Value>, &'t str), NotATree> {
        let passed = |inside: &'t str, end: &str| inside.split_once(end).ok_or(NotATree::Syntax);
        if let Some(inside) = text.strip_prefix("</") {
            let (name, rest) = inside.split_once('>').ok_or(NotATree::Syntax)?;
            let is_own = self.open.last().is_some_and(|held| held.tag == name.trim_ascii_end());
            return if is_own { Ok((self.end()?, rest)) } else { Err(NotATree::Syntax) };
        }
        if let Some(inside) = text.strip_prefix("<!--") {
            return Ok((None, passed(inside, "-->")?.1));
        }
        if let Some(inside) = text.strip_prefix("<![CDATA[") {
            let (plain, rest) = passed(inside, "]]>")?;
            self.plain(plain)?;
            return Ok((None, rest));
        }
        if let Some(inside) = text.strip_prefix("<?") {
            let (instruction, rest) = passed(inside, "?>")?;
            let is_declaration = instruction.split_ascii_whitespace().next() == Some("xml");
            return if is_declaration { Err(NotATree::Syntax) } else { Ok((None, rest)) };
        }
        let end = tag_end(text.as_bytes()).ok_or(NotATree::Syntax)?;
        let (tag, rest) = (text.get(1..end), text.get(end + 1..));
        let (Some(tag), Some(rest)) = (tag, rest) else { return Err(NotATree::Syntax) };
        let inside = tag.strip_suffix('/');
        self.start(inside.unwrap_or(tag))?;
        Ok((if inside.is_some() { self.end()? } else { None }, rest))
    }

    fn start(&mut self, inside: &'t str) -> Result<(), NotATree> {
        self.elements += 1;
        if self.elements > UNIT_ELEMENTS_MAX {
            return Err(NotATree::TooMany);
        }
        if self.open.len() >= TREE_DEPTH_MAX {
            return Err(NotATree::TooDeep);
        }
        let ends_name = |byte: u8| byte.is_ascii_whitespace() || byte == b'<';
        let length = inside.bytes().position(ends_name).unwrap_or(inside.len());
        let (name, rest) = inside.split_at_checked(length).ok_or(NotATree::Syntax)?;
        if name.is_empty() || name.starts_with('!') || rest.starts_with('<') {
            return Err(NotATree::Syntax);
        }
        let tag = BytesStart::from_content(inside, length);
        let has_attributes = !rest.is_empty();
        // Only attributes declare namespaces.
        if has_attributes {
            self.names.resolver.push(&tag).map_err(|_bindings| NotATree::TooMany)?;
        }
        let room = if self.open.is_empty() { self.spare.members } else { 0 };
        let mut held = Held {
            tag: name,
            name: self.spare.text(),
            members: Map::with_capacity(room),
            text: self.spare.text(),
            has_attributes,
            is_nil: false,
        };
        held.name.push_str(&self.names.of(tag.name(), true));
        if has_attributes {
            self.attributes(&tag, &mut held)?;
        }
        self.open.push(held);
        Ok(())
    }

    fn attributes(&self, tag: &BytesStart<'_>, held: &mut Held<'_>) -> Result<(), NotATree> {
        for (index, attribute) in tag.attributes().enumerate() {
            if index >= ATTRIBUTES_MAX {
                return Err(NotATree::TooMany);
            }
            let attribute = attribute.map_err(|_malformed| NotATree::Syntax)?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| match error {
                quick_xml::Error::Escape(_) => NotATree::Entity,
                _ => NotATree::Syntax,
            })?;
            if self.names.is_nil(attribute.key) {
                held.is_nil = matches!(value.as_ref(), "true" | "1");
                continue;
            }
            let name = format!("@{}", self.names.of(attribute.key, false));
            held.members.insert(name, Value::String(value.into_owned()));
        }
        Ok(())
    }

    /// Closes the innermost element; the whole tree where that was the unit itself.
    fn end(&mut self) -> Result<Option<Value>, NotATree> {
        let Some(held) = self.open.pop() else { return Err(NotATree::Syntax) };
        if held.has_attributes {
            self.names.resolver.pop();
        }
        let is_unit = self.open.is_empty();
        let Held { name, mut members, text, is_nil, .. } = held;
        let value = match (is_nil, members.is_empty(), is_unit) {
            (true, true, false) => Value::Null,
            (false, true, false) => Value::String(text),
            _ => {
                if text.trim().is_empty() {
                    self.spare.keep(text);
                } else {
                    members.insert(TEXT.to_owned(), Value::String(text));
                }
                Value::Object(members)
            }
        };
        let Some(parent) = self.open.last_mut() else { return Ok(Some(value)) };
        match parent.members.entry(name) {
            Entry::Vacant(place) => drop(place.insert(value)),
            Entry::Occupied(mut place) => match place.get_mut() {
                Value::Array(items) => items.push(value),
                one => {
                    self.has_repeated = true;
                    *one = Value::Array(vec![one.take(), value]);
                }
            },
        }
        Ok(None)
    }

    /// Takes text in which nothing is escaped. Line ends come as one line feed (XML 1.0, section
    /// 2.11).
    fn plain(&mut self, piece: &str) -> Result<(), NotATree> {
        let held = self.open.last_mut().ok_or(NotATree::Syntax)?;
        if piece.contains('\r') {
            held.text.push_str(&piece.replace("\r\n", "\n").replace('\r', "\n"));
        } else {
            held.text.push_str(piece);
        }
        Ok(())
    }

    fn text(&mut self, piece: &str) -> Result<(), NotATree> {
        if memchr::memchr2(b'&', b'\r', piece.as_bytes()).is_none() {
            self.open.last_mut().ok_or(NotATree::Syntax)?.text.push_str(piece);
            return Ok(());
        }
        let mut rest = piece;
        while let Some((before, after)) = rest.split_once('&') {
            self.plain(before)?;
            let (entity, after) = after.split_once(';').ok_or(NotATree::Syntax)?;
            self.entity(entity)?;
            rest = after;
        }
        self.plain(rest)
    }

    fn entity(&mut self, name: &str) -> Result<(), NotATree> {
        if name.contains('&') {
            return Err(NotATree::Syntax);
        }
        let resolved = BytesRef::new(name).resolve_char_ref().map_err(|_number| NotATree::Syntax)?;
        let held = self.open.last_mut().ok_or(NotATree::Syntax)?;
        match (resolved, quick_xml::escape::resolve_xml_entity(name)) {
            (Some(character), _) => held.text.push(character),
            (None, Some(text)) => held.text.push_str(text),
            (None, None) => return Err(NotATree::Entity),
        }
        Ok(())
    }
}

/// Where the tag that these bytes begin with ends: not within quotes.
pub(crate) fn tag_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let found = at + memchr::memchr3(b'>', b'"', b'\'', bytes.get(at..)?)?;
        match bytes.get(found)? {
            b'>' => return Some(found),
            quote => at = found + 2 + memchr::memchr(*quote, bytes.get(found + 1..)?)?,
        }
    }
}

impl Names<'_> {
    fn of<'q>(&self, name: QName<'q>, is_element: bool) -> Cow<'q, str> {
        let local = name.local_name().into_inner();
        if self.declared.is_empty() {
            return Cow::Borrowed(local);
        }
        let ResolveResult::Bound(namespace) = self.resolver.resolve_prefix(name.prefix(), is_element) else {
            return Cow::Borrowed(local);
        };
        match self.declared.iter().find(|(_, declared)| declared == namespace.into_inner()) {
            Some((prefix, _)) => Cow::Owned(format!("{prefix}:{local}")),
            None => Cow::Borrowed(local),
        }
    }

    fn is_nil(&self, name: QName<'_>) -> bool {
        name.local_name().into_inner() == "nil"
            && matches!(
                self.resolver.resolve_prefix(name.prefix(), false),
                ResolveResult::Bound(namespace) if namespace.into_inner() == XSI
            )
    }
}

/// True for text that is one whole element.
pub(crate) fn is_well_formed(text: &str) -> bool {
    let mut resolver = resolver();
    let mut names = Names { declared: &[], resolver: &mut resolver };
    build(text.trim(), &mut names, &mut Spare::default()).is_ok()
}

/// True for a name that an element or attribute may have, with a prefix or without (XML 1.0,
/// section 2.3; of the letters beyond ASCII all are let through).
pub(crate) fn is_name(name: &str) -> bool {
    let is_first = |letter: char| letter.is_ascii_alphabetic() || letter == '_' || !letter.is_ascii();
    let is_next = |letter: char| is_first(letter) || letter.is_ascii_digit() || matches!(letter, '-' | '.');
    let is_part = |part: &str| part.starts_with(is_first) && part.chars().all(is_next);
    match name.split_once(':') {
        Some((prefix, local)) => is_part(prefix) && is_part(local),
        None => is_part(name),
    }
}

/// Whether an address can be read and written in XML, with these prefixes declared.
pub(crate) fn check_address<'p>(
    address: &str,
    prefixes: impl Iterator<Item = &'p str> + Clone,
) -> Result<(), String> {
    let path = TreePath::parse(address).map_err(|unknown| unknown.reason)?;
    for name in path.names() {
        let name = name.strip_prefix('@').unwrap_or(name);
        if !is_name(name) {
            return Err(format!("`{name}` is no name of an element or attribute"));
        }
        if let Some((prefix, _)) = name.split_once(':')
            && !prefixes.clone().any(|declared| declared == prefix)
        {
            return Err(format!("the prefix `{prefix}` stands in no `namespaces`"));
        }
    }
    Ok(())
}
