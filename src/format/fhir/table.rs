//! What FHIR R4 says of the elements of its types: their order, which repeat, and what they hold.
//!
//! The table is cut from the published JSON Schema, for the resources that are exchanged here and
//! all they are made of. A resource of another type is read by what it looks like.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

/// The types by name.
static TYPES: LazyLock<BTreeMap<&'static str, Type>> = LazyLock::new(|| {
    let lines = include_str!("r4.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(Type::parse).collect()
});

/// A type, or the lack of one.
#[derive(Debug, Default)]
pub(crate) struct Type {
    pub(crate) is_resource: bool,
    pub(crate) elements: Vec<Element>,
}

/// One element of a type.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: &'static str,
    pub(crate) is_attribute: bool,
    pub(crate) is_list: bool,
    pub(crate) holds: Holds,
    /// The type it holds, once that was looked up.
    of: OnceLock<Option<&'static Type>>,
}

/// What an element holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    Truth,
    Number,
    Xhtml,
    Resource,
    Type(&'static str),
}

/// The type of that name; `None` for one that is not in the table.
pub(crate) fn find(name: &str) -> Option<&'static Type> {
    TYPES.get(name)
}

impl Type {
    /// The element of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.name == name)
    }

    /// The element of that name, looked for from where the last one stood.
    pub(crate) fn find_from(&self, name: &str, near: &mut usize) -> Option<&Element> {
        let (before, after) = self.elements.split_at_checked(*near)?;
        let places = (*near..).zip(after).chain((0..).zip(before));
        let (place, found) = places.into_iter().find(|(_, element)| element.name == name)?;
        *near = place;
        Some(found)
    }

    fn parse(line: &'static str) -> Option<(&'static str, Self)> {
        let mut words = line.split(' ');
        let name = words.next()?;
        let bare = name.strip_prefix('!').unwrap_or(name);
        let elements = words.map(Element::parse).collect();
        Some((bare, Self { is_resource: bare != name, elements }))
    }
}

impl Element {
    /// The type it holds, where it is one of the table.
    pub(crate) fn of(&self) -> Option<&'static Type> {
        *self.of.get_or_init(|| match self.holds {
            Holds::Type(name) => find(name),
            _ => None,
        })
    }

    fn parse(word: &'static str) -> Self {
        let (name, holds) = word.split_once(':').unwrap_or((word, ""));
        let holds = match holds {
            "" => Holds::Text,
            "?" => Holds::Truth,
            "#" => Holds::Number,
            "~" => Holds::Xhtml,
            "&" => Holds::Resource,
            other => Holds::Type(other),
        };
        let bare = name.strip_suffix('*').unwrap_or(name);
        let is_list = bare != name;
        let name = bare.strip_prefix('@').unwrap_or(bare);
        Self { name, is_attribute: name != bare, is_list, holds, of: OnceLock::new() }
    }
}
