//! The tree a record travels in between a source and the store.
//!
//! A leaf that identifies, or that may (free text), is [`Private`] from the moment it is mapped.
//! JSON Schema checks the tree as it stands; in any error text a private leaf reads
//! `(withheld)`.

use std::borrow::Cow;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

use crate::base::private::{Grant, Private, Purpose, WITHHELD};
use crate::base::seal::{Hasher, Hashing, KeyedHash};

/// A value of a record in the making.
#[derive(Clone)]
pub enum Draft {
    /// Taken away (a patch says so).
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, exactly.
    Number(Decimal),
    /// Text that identifies nobody.
    Text(String),
    /// Text that identifies, or may.
    Private(Private<String>),
    /// A list.
    List(Vec<Draft>),
    /// Fields in schema order of arrival. Names are those of the schema registry.
    Fields(Vec<(&'static str, Draft)>),
}

impl Draft {
    /// An empty record.
    #[must_use]
    pub const fn empty() -> Self {
        Self::Fields(Vec::new())
    }

    /// The field of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Fields(fields) => fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Sets a field; the last word stands.
    pub fn set(&mut self, name: &'static str, value: Self) {
        let Self::Fields(fields) = self else { return };
        match fields.iter_mut().find(|(field, _)| *field == name) {
            Some((_, old)) => *old = value,
            None => fields.push((name, value)),
        }
    }

    /// The fields, in order; none for a leaf.
    #[must_use]
    pub fn fields(&self) -> &[(&'static str, Self)] {
        match self {
            Self::Fields(fields) => fields,
            _ => &[],
        }
    }

    /// The text of a plain text leaf.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// True if both say the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Number(one), Self::Number(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Private(one), Self::Private(other)) => one.inspect() == other.inspect(),
            (Self::List(one), Self::List(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_same(other))
            }
            (Self::Fields(one), Self::Fields(_)) => {
                one.len() == other.fields().len()
                    && one.iter().all(|(name, leaf)| other.find(name).is_some_and(|also| leaf.is_same(also)))
            }
            _ => false,
        }
    }

    /// The private text of a private leaf.
    #[must_use]
    pub const fn private(&self) -> Option<&Private<String>> {
        match self {
            Self::Private(text) => Some(text),
            _ => None,
        }
    }

    /// Merges a patch over this record: what it names is set, what it names as taken away goes.
    pub fn merge(&mut self, patch: &Self) {
        for (name, value) in patch.fields() {
            self.set(name, value.clone());
        }
        self.settle();
    }

    /// Drops the fields that say "taken away": in a whole record they are simply not there.
    pub fn settle(&mut self) {
        if let Self::Fields(fields) = self {
            fields.retain(|(_, value)| !matches!(value, Self::Null));
        }
    }

    /// The keyed hash of both halves: equal records have equal hashes, whatever the order of
    /// their fields.
    #[must_use]
    pub fn keyed_hash(&self, hasher: &Hasher) -> KeyedHash {
        let mut fields: Vec<_> = self.fields().iter().collect();
        fields.sort_unstable_by_key(|(name, _)| *name);
        let mut hash = hasher.begin();
        for (name, value) in fields {
            hash.add(name.as_bytes());
            value.add_to(&mut hash);
        }
        hash.end()
    }

    /// Each leaf with its type and length, so that no two records run together.
    fn add_to(&self, hash: &mut Hashing) {
        let mut leaf = |kind: u8, text: &str| {
            let mut head = [kind; 9];
            let length = u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes();
            head.iter_mut().skip(1).zip(length).for_each(|(to, from)| *to = from);
            hash.add(&head);
            hash.add(text.as_bytes());
        };
        match self {
            Self::Null => leaf(0, ""),
            Self::Bool(truth) => leaf(1, if *truth { "1" } else { "0" }),
            Self::Number(number) => leaf(2, &number.normalize().to_string()),
            Self::Text(text) => leaf(3, text),
            Self::Private(text) => leaf(4, text.inspect()),
            Self::List(items) => {
                leaf(5, &items.len().to_string());
                for item in items {
                    item.add_to(hash);
                }
            }
            Self::Fields(fields) => {
                leaf(6, &fields.len().to_string());
                for (name, value) in fields {
                    hash.add(name.as_bytes());
                    value.add_to(hash);
                }
            }
        }
    }

    /// Parts the tree: the *body* as JSON text, and the *identity*, which holds every private
    /// leaf, as private JSON bytes; `None` where there is none.
    ///
    /// Fields are written in name order, so that equal records give equal bytes.
    #[must_use]
    pub fn part(&self) -> (String, Option<Private<Vec<u8>>>) {
        let mut fields: Vec<_> = self.fields().iter().collect();
        fields.sort_by_key(|(name, _)| *name);
        let mut body = Vec::with_capacity(64 * fields.len());
        let mut identity = Vec::with_capacity(64 * fields.len());
        for (name, value) in fields {
            let (half, text) = match value {
                Self::Private(text) => (&mut identity, Some(text.inspect())),
                _ => (&mut body, None),
            };
            half.push(if half.is_empty() { b'{' } else { b',' });
            write_text(name, half);
            half.push(b':');
            match text {
                Some(text) => write_text(text, half),
                None => value.write_shown(half),
            }
        }
        if body.is_empty() {
            body.push(b'{');
        }
        body.push(b'}');
        let has_identity = !identity.is_empty();
        identity.push(b'}');
        (String::from_utf8(body).unwrap_or_default(), has_identity.then(|| Private::new(identity)))
    }

    fn write_shown(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => write_text(text, out),
            other => {
                // Writing to memory does not fail.
                let _written = serde_json::to_writer(out, &other.to_shown());
            }
        }
    }

    /// The tree as JSON with `(withheld)` for each private leaf: for errors and logs.
    #[must_use]
    pub fn to_shown(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Number(number) => json_number(*number),
            Self::Text(text) => Value::String(text.clone()),
            Self::Private(_) => Value::String(WITHHELD.to_owned()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_shown).collect()),
            Self::Fields(fields) => Value::Object(
                fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_shown())).collect(),
            ),
        }
    }

    /// Writes the whole tree as JSON text, private leaves opened. Fields in tree order.
    pub fn write_opened<P: Purpose>(&self, grant: &Grant<P>, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
            Self::Number(number) => write_number(*number, out),
            Self::Text(text) => write_text(text, out),
            Self::Private(text) => write_text(text.open(grant), out),
            Self::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write_opened(grant, out);
                }
                out.push(b']');
            }
            Self::Fields(fields) => {
                out.push(b'{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write_text(name, out);
                    out.push(b':');
                    value.write_opened(grant, out);
                }
                out.push(b'}');
            }
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to memory does not fail.
        let _written = serde_json::to_writer(out, text);
    }
}

fn write_number(number: Decimal, out: &mut Vec<u8>) {
    use std::io::Write as _;
    let _written = write!(out, "{}", number.normalize());
}

/// The number as JSON: an integer where it is whole, else the nearest double, which prints back
/// to the same decimal for up to 15 digits.
fn json_number(number: Decimal) -> Value {
    let number = number.normalize();
    if number.scale() == 0
        && let Some(whole) = number.to_i64()
    {
        return Value::from(whole);
    }
    number.to_f64().and_then(serde_json::Number::from_f64).map_or(Value::Null, Value::Number)
}

/// How `jsonschema` sees a [`Draft`].
pub struct DraftJson;

impl Json for DraftJson {
    type Node<'a> = &'a Draft;
    type PreparedKey = String;
    type StringBuffer = Option<Draft>;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(buffer: &mut Option<Draft>, string: &str, f: impl FnOnce(&Draft) -> T) -> T {
        f(buffer.insert(Draft::Text(string.to_owned())))
    }
}

impl<'a> Node<'a, DraftJson> for &'a Draft {
    type Object = &'a [(&'static str, Draft)];
    type Array = &'a [Draft];
    type Number = DraftNumber;

    fn as_object(&self) -> Option<Self::Object> {
        match self {
            Draft::Fields(fields) => Some(fields),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<&'a [Draft]> {
        match self {
            Draft::List(items) => Some(items),
            _ => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match self {
            Draft::Text(text) => Some(Cow::Borrowed(text)),
            Draft::Private(text) => Some(Cow::Borrowed(text.inspect())),
            _ => None,
        }
    }

    fn as_number(&self) -> Option<DraftNumber> {
        match self {
            Draft::Number(number) => Some(DraftNumber(*number)),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self {
            Draft::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Draft::Null)
    }

    fn json_type(&self) -> JsonType {
        match self {
            Draft::Null => JsonType::Null,
            Draft::Bool(_) => JsonType::Boolean,
            Draft::Number(_) => JsonType::Number,
            Draft::Text(_) | Draft::Private(_) => JsonType::String,
            Draft::List(_) => JsonType::Array,
            Draft::Fields(_) => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (self, expected) {
            (Draft::Text(text), Value::String(other)) => text == other,
            (Draft::Private(text), Value::String(other)) => text.inspect() == other,
            _ => self.to_shown() == *expected,
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(self.to_shown())
    }

    fn identity(&self) -> Option<NodeIdentity> {
        None
    }
}

impl<'a> Object<'a, DraftJson> for &'a [(&'static str, Draft)] {
    type Node = &'a Draft;
    type MemberName = &'a str;
    type MembersIter = std::iter::Map<
        std::slice::Iter<'a, (&'static str, Draft)>,
        fn(&'a (&'static str, Draft)) -> (&'a str, &'a Draft),
    >;

    fn len(&self) -> usize {
        <[_]>::len(self)
    }

    fn get(&self, key: &String) -> Option<&'a Draft> {
        self.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    fn members(&self) -> Self::MembersIter {
        self.iter().map(|(name, value)| (*name, value))
    }
}

impl<'a> Array<'a, DraftJson> for &'a [Draft] {
    type Node = &'a Draft;
    type ElementsIter = std::slice::Iter<'a, Draft>;

    fn len(&self) -> usize {
        <[_]>::len(self)
    }

    fn elements(&self) -> Self::ElementsIter {
        self.iter()
    }
}

/// A number of a draft, as `jsonschema` reads it.
pub struct DraftNumber(Decimal);

impl JsonNumber for DraftNumber {
    fn as_u64(&self) -> Option<u64> {
        self.is_integer().then(|| self.0.to_u64()).flatten()
    }

    fn as_i64(&self) -> Option<i64> {
        self.is_integer().then(|| self.0.to_i64()).flatten()
    }

    fn as_f64(&self) -> Option<f64> {
        self.0.to_f64()
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(self.0.normalize().to_string())
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(match json_number(self.0) {
            Value::Number(number) => number,
            _ => serde_json::Number::from(0),
        })
    }

    fn is_integer(&self) -> bool {
        self.0.is_integer()
    }
}
