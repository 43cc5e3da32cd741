//! A record as its struct: body and identity put together again, without the identity ever
//! standing in plain JSON.

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};
use zeroize::Zeroize;

use crate::base::private::{PRIVATE_NEWTYPE, Private};
use crate::record::draft::Draft;
use crate::record::schema::{Holds, Schema};

/// Why a stored record cannot be read. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TypedError {
    /// The body is not what the schema of this version allows.
    #[error("a stored body does not fit its schema; it was written by another version")]
    Body,
    /// The identity is not what the schema of this version allows.
    #[error("a stored identity does not fit its schema; it was written by another version")]
    Identity,
}

/// The record as its struct.
///
/// # Errors
/// Where the stored halves do not fit the struct.
pub fn read<T: DeserializeOwned>(body: &str, identity: Option<&Private<Vec<u8>>>) -> Result<T, TypedError> {
    let body: Map<String, Value> = serde_json::from_str(body).map_err(|_quoting| TypedError::Body)?;
    let identity = identity_fields(identity)?;
    T::deserialize(Halves { body, identity }).map_err(|_quoting| TypedError::Body)
}

/// The record as a draft again, for merging a patch and for writing out.
///
/// # Errors
/// Where the stored halves do not fit the schema.
pub fn draft(schema: &Schema, body: &str, identity: Option<&Private<Vec<u8>>>) -> Result<Draft, TypedError> {
    let mut body: Map<String, Value> = serde_json::from_str(body).map_err(|_quoting| TypedError::Body)?;
    let mut identity = identity_fields(identity)?;
    let mut draft = Draft::empty();
    for field in &schema.fields {
        if let Some(value) = body.remove(field.name) {
            draft.set(field.name, leaf(&field.holds, value).ok_or(TypedError::Body)?);
        }
        if let Some(index) = identity.iter().position(|(name, _)| name == field.name) {
            draft.set(field.name, Draft::Private(identity.swap_remove(index).1));
        }
    }
    if body.is_empty() && identity.is_empty() { Ok(draft) } else { Err(TypedError::Body) }
}

fn leaf(holds: &Holds, value: Value) -> Option<Draft> {
    Some(match (holds, value) {
        (_, Value::Null) => Draft::Null,
        (Holds::Truth, Value::Bool(truth)) => Draft::Bool(truth),
        (Holds::Integer | Holds::Number, Value::Number(number)) => {
            Draft::Number(number.to_string().parse().ok()?)
        }
        (Holds::Texts, Value::Array(items)) => Draft::List(
            items
                .into_iter()
                .map(|item| item.as_str().map(|text| Draft::Text(text.to_owned())))
                .collect::<Option<_>>()?,
        ),
        (Holds::Text | Holds::Word(_) | Holds::Day, Value::String(text)) => Draft::Text(text),
        _ => return None,
    })
}

fn identity_fields(
    identity: Option<&Private<Vec<u8>>>,
) -> Result<Vec<(String, Private<String>)>, TypedError> {
    let Some(identity) = identity else { return Ok(Vec::new()) };
    let fields: Map<String, Value> =
        serde_json::from_slice(identity.inspect()).map_err(|_quoting| TypedError::Identity)?;
    fields
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name, Private::new(text))),
            _ => Err(TypedError::Identity),
        })
        .collect()
}

/// The error of reading halves. Says nothing, because a serde error quotes values.
#[derive(Debug, thiserror::Error)]
#[error("does not fit")]
struct Misfit;

impl serde::de::Error for Misfit {
    fn custom<T: std::fmt::Display>(_quoting: T) -> Self {
        Self
    }
}

struct Halves {
    body: Map<String, Value>,
    identity: Vec<(String, Private<String>)>,
}

impl<'de> Deserializer<'de> for Halves {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_map(HalvesMap {
            body: self.body.into_iter(),
            identity: self.identity.into_iter(),
            next: None,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

enum Leaf {
    Shown(Value),
    Hidden(Private<String>),
}

struct HalvesMap {
    body: serde_json::map::IntoIter,
    identity: std::vec::IntoIter<(String, Private<String>)>,
    next: Option<Leaf>,
}

impl<'de> MapAccess<'de> for HalvesMap {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let (name, leaf) = match self.body.next() {
            Some((name, value)) => (name, Leaf::Shown(value)),
            None => match self.identity.next() {
                Some((name, text)) => (name, Leaf::Hidden(text)),
                None => return Ok(None),
            },
        };
        self.next = Some(leaf);
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        match self.next.take() {
            Some(Leaf::Shown(value)) => seed.deserialize(value).map_err(|_quoting| Misfit),
            Some(Leaf::Hidden(text)) => seed.deserialize(HiddenLeaf(text)),
            None => Err(Misfit),
        }
    }
}

/// Gives its text only to a field that asks as a [`Private`].
struct HiddenLeaf(Private<String>);

impl<'de> Deserializer<'de> for HiddenLeaf {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Misfit> {
        Err(Misfit)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if name != PRIVATE_NEWTYPE {
            return Err(Misfit);
        }
        let mut text = self.0.inspect().clone();
        let value =
            visitor.visit_newtype_struct(IntoDeserializer::<Misfit>::into_deserializer(text.as_str()));
        text.zeroize();
        value
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::{TypedError, draft, read};
    use crate::base::private::{Grant, Link, Private};
    use crate::record::draft::Draft;
    use crate::record::kind::Kind;
    use crate::record::kind::person::Person;
    use crate::record::schema;

    fn canary() -> Draft {
        let mut person = Draft::empty();
        person.set("sex", Draft::Text("male".to_owned()));
        person.set("family_name", Draft::Private(Private::new("Canary".to_owned())));
        person.set("birth_date", Draft::Private(Private::new("1963-02-25".to_owned())));
        person.set("section_117", Draft::Bool(true));
        person
    }

    #[test]
    fn parted_and_put_together_it_is_the_same() {
        let (body, identity) = canary().part();
        assert_eq!(body, r#"{"section_117":true,"sex":"male"}"#);
        let person: Person = read(&body, identity.as_ref()).unwrap();
        let grant = Grant::<Link>::begin("test");
        assert_eq!(person.family_name.as_ref().map(|name| name.open(&grant).as_str()), Some("Canary"));
        assert_eq!(
            person.birth_date.as_ref().map(|day| day.open(&grant).to_string()).as_deref(),
            Some("1963-02-25")
        );
        let _ = grant.close();
        let again = draft(schema::of(Kind::Person), &body, identity.as_ref()).unwrap();
        assert_eq!(again.part().0, body);
    }

    #[test]
    fn only_a_private_field_is_given_a_private_leaf() {
        #[derive(serde::Deserialize)]
        struct Thief {
            #[serde(rename = "family_name")]
            _family_name: Option<String>,
        }
        let (_, identity) = canary().part();
        assert_eq!(read::<Thief>("{}", identity.as_ref()).err(), Some(TypedError::Body));
    }
}
