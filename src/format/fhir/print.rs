//! A resource as FHIR XML (FHIR R4, section 2.6.1): elements in the order of their type.

use serde_json::{Map, Value};

use super::table::{self, Holds, Type};
use crate::format::xml::{attribute, holds_unwritable, is_name, is_well_formed};

/// The namespace of FHIR.
pub(crate) const NAMESPACE: &str = "http://hl7.org/fhir";

/// Why a resource cannot be written as XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unwritable {
    /// It holds a character that XML has no place for.
    Character,
    /// A member has no name that an element may have, or its text is no XHTML.
    Shape,
}

/// Writes a resource, with the namespace where it is the outermost element.
pub(super) fn print(resource: &Value, is_outermost: bool) -> Result<String, Unwritable> {
    if holds_unwritable(resource) {
        return Err(Unwritable::Character);
    }
    let mut printed = String::new();
    print_resource(&mut printed, resource, is_outermost)?;
    Ok(printed)
}

fn print_resource(into: &mut String, resource: &Value, is_outermost: bool) -> Result<(), Unwritable> {
    let members = resource.as_object().ok_or(Unwritable::Shape)?;
    let name = members.get("resourceType").and_then(Value::as_str).ok_or(Unwritable::Shape)?;
    let mut more = String::new();
    if is_outermost {
        attribute(&mut more, "xmlns", NAMESPACE);
    }
    let of = table::find(name).filter(|of| of.is_resource);
    print_object(into, name, &more, members, of.or_else(|| table::find("DomainResource")))
}

fn print_object(
    into: &mut String,
    name: &str,
    more: &str,
    members: &Map<String, Value>,
    of: Option<&Type>,
) -> Result<(), Unwritable> {
    if !is_name(name) {
        return Err(Unwritable::Shape);
    }
    let mut attributes = more.to_owned();
    let mut children = String::new();
    // What the table does not know follows what it does.
    let elements = of.map(|of| of.elements.as_slice()).unwrap_or_default();
    let known = elements.iter().map(|element| element.name);
    let others = members.keys().map(|name| name.strip_prefix('_').unwrap_or(name));
    let mut seen: Vec<&str> = vec!["resourceType"];
    for member in known.chain(others) {
        if seen.contains(&member) {
            continue;
        }
        seen.push(member);
        let value = members.get(member);
        let beside = members.get(&format!("_{member}"));
        if value.is_none() && beside.is_none() {
            continue;
        }
        let element = of.and_then(|of| of.find(member));
        match (element.is_some_and(|element| element.is_attribute), value) {
            (true, Some(Value::String(text))) => attribute(&mut attributes, member, text),
            _ => print_member(&mut children, member, element.map(|element| element.holds), value, beside)?,
        }
    }
    into.push('<');
    into.push_str(name);
    into.push_str(&attributes);
    if children.is_empty() {
        into.push_str("/>");
        return Ok(());
    }
    into.push('>');
    into.push_str(&children);
    into.push_str("</");
    into.push_str(name);
    into.push('>');
    Ok(())
}

/// One member: an element, or one for each item of a list.
fn print_member(
    into: &mut String,
    name: &str,
    holds: Option<Holds>,
    value: Option<&Value>,
    beside: Option<&Value>,
) -> Result<(), Unwritable> {
    let items = |value: Option<&Value>| match value {
        None => Vec::new(),
        Some(Value::Array(items)) => items.iter().cloned().map(Some).collect(),
        Some(one) => vec![Some(one.clone())],
    };
    let (values, besides) = (items(value), items(beside));
    for place in 0..values.len().max(besides.len()) {
        let value = values.get(place).cloned().flatten().unwrap_or(Value::Null);
        let beside = besides.get(place).cloned().flatten();
        print_one(into, name, holds, &value, beside.as_ref().and_then(Value::as_object))?;
    }
    Ok(())
}

fn print_one(
    into: &mut String,
    name: &str,
    holds: Option<Holds>,
    value: &Value,
    beside: Option<&Map<String, Value>>,
) -> Result<(), Unwritable> {
    let is_resource = value.get("resourceType").is_some() && !matches!(holds, Some(Holds::Type(_)));
    match value {
        Value::Object(_) if is_resource => {
            if !is_name(name) {
                return Err(Unwritable::Shape);
            }
            into.push_str(&format!("<{name}>"));
            print_resource(into, value, false)?;
            into.push_str(&format!("</{name}>"));
            Ok(())
        }
        Value::Object(members) => {
            let of = match holds {
                Some(Holds::Type(name)) => table::find(name),
                _ => table::find("Element"),
            };
            print_object(into, name, "", members, of)
        }
        Value::String(text) if holds == Some(Holds::Xhtml) => {
            if !is_well_formed(text) {
                return Err(Unwritable::Shape);
            }
            into.push_str(text);
            Ok(())
        }
        Value::Array(_) => Err(Unwritable::Shape),
        Value::Null if beside.is_none() => Ok(()),
        scalar => {
            let mut more = String::new();
            match scalar {
                Value::Null => {}
                Value::String(text) => attribute(&mut more, "value", text),
                other => attribute(&mut more, "value", &other.to_string()),
            }
            let nothing = Map::new();
            print_object(into, name, &more, beside.unwrap_or(&nothing), table::find("Element"))
        }
    }
}
