//! One unit's text as a tree.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{NamespaceResolver, QName, ResolveResult};
use quick_xml::{Reader, XmlVersion};
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
#[derive(Default)]
struct Held {
    name: String,
    members: Map<String, Value>,
    text: String,
    is_nil: bool,
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
pub(super) fn build(text: &str, names: &mut Names<'_>) -> Result<Built, NotATree> {
    let level = names.resolver.level();
    let built = Builder { names, open: Vec::new(), elements: 0, has_repeated: false }.run(text);
    names.resolver.set_level(level);
    built
}

struct Builder<'b, 'n> {
    names: &'b mut Names<'n>,
    open: Vec<Held>,
    elements: usize,
    has_repeated: bool,
}

impl Builder<'_, '_> {
    fn run(mut self, text: &str) -> Result<Built, NotATree> {
        let mut reader = Reader::from_str(text);
        loop {
            match reader.read_event().map_err(|_malformed| NotATree::Syntax)? {
                Event::Start(tag) => self.start(&tag)?,
                Event::Empty(tag) => {
                    self.start(&tag)?;
                    if let Some(tree) = self.end()? {
                        return self.built(tree, &reader, text);
                    }
                }
                Event::End(_) => {
                    if let Some(tree) = self.end()? {
                        return self.built(tree, &reader, text);
                    }
                }
                Event::Text(piece) => self.text(&piece.xml10_content())?,
                Event::CData(piece) => self.text(&piece.xml10_content())?,
                Event::GeneralRef(entity) => self.entity(&entity)?,
                Event::Comment(_) | Event::PI(_) => {}
                Event::Decl(_) | Event::DocType(_) | Event::Eof => return Err(NotATree::Syntax),
            }
        }
    }

    /// The whole, if nothing stands after it.
    fn built(self, tree: Value, reader: &Reader<&[u8]>, text: &str) -> Result<Built, NotATree> {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match text.get(at..) {
            Some(rest) if rest.trim().is_empty() => Ok(Built { tree, has_repeated: self.has_repeated }),
            _ => Err(NotATree::Syntax),
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), NotATree> {
        self.elements += 1;
        if self.elements > UNIT_ELEMENTS_MAX {
            return Err(NotATree::TooMany);
        }
        if self.open.len() >= TREE_DEPTH_MAX {
            return Err(NotATree::TooDeep);
        }
        self.names.resolver.push(tag).map_err(|_bindings| NotATree::TooMany)?;
        let mut held = Held { name: self.names.of(tag.name(), true).into_owned(), ..Held::default() };
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
        self.open.push(held);
        Ok(())
    }

    /// Closes the innermost element; the whole tree where that was the unit itself.
    fn end(&mut self) -> Result<Option<Value>, NotATree> {
        self.names.resolver.pop();
        let Some(held) = self.open.pop() else { return Err(NotATree::Syntax) };
        let is_unit = self.open.is_empty();
        let Held { name, mut members, text, is_nil } = held;
        let value = match (is_nil, members.is_empty(), is_unit) {
            (true, true, false) => Value::Null,
            (false, true, false) => Value::String(text),
            _ => {
                if !text.trim().is_empty() {
                    members.insert(TEXT.to_owned(), Value::String(text));
                }
                Value::Object(members)
            }
        };
        let Some(parent) = self.open.last_mut() else { return Ok(Some(value)) };
        match parent.members.get_mut(&name) {
            None => drop(parent.members.insert(name, value)),
            Some(Value::Array(items)) => items.push(value),
            Some(one) => {
                self.has_repeated = true;
                *one = Value::Array(vec![one.take(), value]);
            }
        }
        Ok(None)
    }

    fn text(&mut self, piece: &str) -> Result<(), NotATree> {
        let held = self.open.last_mut().ok_or(NotATree::Syntax)?;
        held.text.push_str(piece);
        Ok(())
    }

    fn entity(&mut self, entity: &quick_xml::events::BytesRef<'_>) -> Result<(), NotATree> {
        let resolved = entity.resolve_char_ref().map_err(|_number| NotATree::Syntax)?;
        let held = self.open.last_mut().ok_or(NotATree::Syntax)?;
        match (resolved, quick_xml::escape::resolve_xml_entity(entity)) {
            (Some(character), _) => held.text.push(character),
            (None, Some(text)) => held.text.push_str(text),
            (None, None) => return Err(NotATree::Entity),
        }
        Ok(())
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
    build(text.trim(), &mut Names { declared: &[], resolver: &mut resolver }).is_ok()
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
