//! Paths into a tree that select by value, so that they can be read and written.
//!
//! `a.b[0].c` · `name[use=official].given[0]` · `identifier[system=https://…].value` ·
//! `telecom[system=phone][use=home].value` · `"a.b".c` where a name holds a dot.

use serde_json::{Map, Value};

use crate::base::limit::TREE_DEPTH_MAX;
use crate::format::Cell;
use crate::format::address::UnknownAddress;
use crate::format::xml::TEXT;

/// A compiled path into a tree.
///
/// A list is never entered without `[…]`: which member was meant would be a guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreePath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The member of that name.
    Name(String),
    /// The item of that number, from 0.
    Item(usize),
    /// The first item that has all of these values.
    Where(Vec<Condition>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    names: Vec<String>,
    is: String,
}

impl TreePath {
    /// Compiles a path.
    pub fn parse(address: &str) -> Result<Self, UnknownAddress> {
        let mut steps = Vec::new();
        let mut rest = address.trim();
        let mut is_name_due = true;
        while !rest.is_empty() {
            let (step, after) = match (rest.strip_prefix('['), is_name_due) {
                (Some(inner), false) => bracket(inner)?,
                (Some(_), true) => return Err(refuse("expected a name before `[`")),
                (None, _) => name(rest)?,
            };
            match (steps.last_mut(), step) {
                (Some(Step::Where(conditions)), Step::Where(more)) => conditions.extend(more),
                (_, step) => steps.push(step),
            }
            (rest, is_name_due) = match after.strip_prefix('.') {
                Some("") => return Err(refuse("expected a name after the last `.`")),
                Some(next) => (next, true),
                None if after.is_empty() || after.starts_with('[') => (after, false),
                None => return Err(refuse("expected `.` or `[` after `]`")),
            };
        }
        if steps.is_empty() || steps.len() > TREE_DEPTH_MAX {
            return Err(refuse("expected a path such as `a.b[0].c`"));
        }
        Ok(Self { steps })
    }

    /// What stands there.
    #[must_use]
    pub fn cell<'u>(&self, tree: &'u Value) -> Cell<'u> {
        match self.find(tree) {
            None | Some(Value::Array(_) | Value::Object(_)) => Cell::Absent,
            Some(Value::Null) => Cell::Delete,
            Some(Value::Bool(truth)) => Cell::Bool(*truth),
            Some(Value::Number(number)) => number.as_f64().map_or(Cell::Absent, Cell::Number),
            Some(Value::String(text)) if text.trim().is_empty() => Cell::Absent,
            Some(Value::String(text)) => Cell::Text(text),
        }
    }

    /// The value there, whatever it is.
    #[must_use]
    pub fn find<'u>(&self, tree: &'u Value) -> Option<&'u Value> {
        let mut here = tree;
        for step in &self.steps {
            here = match step {
                Step::Name(name) => here.as_object()?.get(name)?,
                Step::Item(item) => here.as_array()?.get(*item)?,
                Step::Where(conditions) => {
                    here.as_array()?.iter().find(|item| conditions.iter().all(|wanted| wanted.holds(item)))?
                }
            };
        }
        Some(here)
    }

    /// True if it selects by value where several items have it, and they say different things.
    #[must_use]
    pub fn meets_different(&self, tree: &Value) -> bool {
        if !self.steps.iter().any(|step| matches!(step, Step::Where(_))) {
            return false;
        }
        let mut here = vec![tree];
        for step in &self.steps {
            here = match step {
                Step::Name(name) => here.iter().filter_map(|one| one.as_object()?.get(name)).collect(),
                Step::Item(item) => here.iter().filter_map(|one| one.as_array()?.get(*item)).collect(),
                Step::Where(conditions) => here
                    .iter()
                    .filter_map(|one| one.as_array())
                    .flatten()
                    .filter(|item| conditions.iter().all(|wanted| wanted.holds(item)))
                    .collect(),
            };
        }
        let first = here.first();
        here.iter().any(|one| Some(one) != first)
    }

    /// What stands there in a tree of elements, where an element that stands once is no list: it
    /// may be addressed either way.
    #[must_use]
    pub(crate) fn cell_of_element<'u>(&self, tree: &'u Value) -> Cell<'u> {
        match self.find_element(tree).map(text_of) {
            None => Cell::Absent,
            Some(None) => Cell::Delete,
            Some(Some(text)) if text.trim().is_empty() => Cell::Absent,
            Some(Some(text)) => Cell::Text(text),
        }
    }

    /// The element or attribute there.
    fn find_element<'u>(&self, tree: &'u Value) -> Option<&'u Value> {
        let mut here = tree;
        for step in &self.steps {
            here = match step {
                Step::Name(name) => here.as_object()?.get(name)?,
                Step::Item(item) => items(here).get(*item)?,
                Step::Where(conditions) => items(here)
                    .iter()
                    .find(|item| conditions.iter().all(|wanted| wanted.holds_of_element(item)))?,
            };
        }
        Some(here)
    }

    /// True if it reads one element where several stand.
    pub(crate) fn meets_several(&self, tree: &Value) -> bool {
        let mut here = tree;
        for (index, step) in self.steps.iter().enumerate() {
            let next = match step {
                Step::Name(name) => here.as_object().and_then(|object| object.get(name)),
                Step::Item(item) => items(here).get(*item),
                Step::Where(conditions) => items(here)
                    .iter()
                    .find(|item| conditions.iter().all(|wanted| wanted.holds_of_element(item))),
            };
            let Some(next) = next else { return false };
            let is_chosen = !matches!(self.steps.get(index + 1), None | Some(Step::Name(_)));
            if next.is_array() && !is_chosen {
                return true;
            }
            here = next;
        }
        false
    }

    /// The path to the text of the element there, or to the attribute.
    #[must_use]
    pub(crate) fn to_text(&self) -> Self {
        let mut steps = self.steps.clone();
        if !matches!(steps.last(), Some(Step::Name(name)) if name.starts_with('@')) {
            steps.push(Step::Name(TEXT.to_owned()));
        }
        Self { steps }
    }

    /// True if it selects by value, and ends there: what it selects are the items of a list.
    pub(crate) fn selects_items(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Where(_)))
    }

    /// True if it leads through what the other selects.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.steps.starts_with(&other.steps)
    }

    /// The numbers of the items that it selects, from 0.
    pub(crate) fn items(&self, tree: &Value) -> Vec<usize> {
        let Some((Step::Where(conditions), to_list)) = self.steps.split_last() else { return Vec::new() };
        let list = Self { steps: to_list.to_vec() };
        let Some(Value::Array(items)) = list.find(tree) else { return Vec::new() };
        let is_selected = |item: &Value| conditions.iter().all(|wanted| wanted.holds(item));
        items.iter().enumerate().filter(|(_, item)| is_selected(item)).map(|(number, _)| number).collect()
    }

    /// The same path through one item of those that the other selects.
    pub(crate) fn of_item(&self, other: &Self, item: usize) -> Self {
        let mut steps = self.steps.clone();
        if self.is_within(other)
            && let Some(step) = other.steps.len().checked_sub(1).and_then(|last| steps.get_mut(last))
        {
            *step = Step::Item(item);
        }
        Self { steps }
    }

    /// Every name it goes by, those in its conditions too.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(|step| match step {
            Step::Name(name) => vec![name.as_str()],
            Step::Item(_) => Vec::new(),
            Step::Where(conditions) => {
                conditions.iter().flat_map(|wanted| wanted.names.iter().map(String::as_str)).collect()
            }
        })
    }

    /// True if it enters no list.
    pub(crate) fn is_plain(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Name(_)))
    }

    /// Puts a value there, making what leads to it.
    pub(crate) fn put(&self, tree: &mut Value, value: Value) {
        let mut here = tree;
        for step in &self.steps {
            here = match step {
                Step::Name(name) => member(here, name),
                Step::Item(item) => {
                    let list = list(here);
                    while list.len() <= *item {
                        list.push(Value::Null);
                    }
                    match list.get_mut(*item) {
                        Some(found) => found,
                        None => return,
                    }
                }
                Step::Where(conditions) => match selected(list(here), conditions) {
                    Some(found) => found,
                    None => return,
                },
            };
        }
        *here = value;
    }
}

/// The elements of a name: one that stands alone is a list of one.
fn items(here: &Value) -> &[Value] {
    match here {
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

/// The text of an element or attribute; nothing where it says that there is none any more. An
/// element of other elements has a blank one.
fn text_of(element: &Value) -> Option<&str> {
    match element {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Object(members) => Some(members.get(TEXT).and_then(Value::as_str).unwrap_or_default()),
        Value::Array(_) | Value::Bool(_) | Value::Number(_) => Some(""),
    }
}

impl Condition {
    fn holds_of_element(&self, item: &Value) -> bool {
        let mut here = item;
        for name in &self.names {
            let Some(next) = here.as_object().and_then(|object| object.get(name)) else { return false };
            here = next;
        }
        text_of(here) == Some(self.is.as_str())
    }

    fn holds(&self, item: &Value) -> bool {
        let mut here = item;
        for name in &self.names {
            let Some(next) = here.as_object().and_then(|object| object.get(name)) else { return false };
            here = next;
        }
        match here {
            Value::String(text) => *text == self.is,
            Value::Number(number) => number.to_string() == self.is,
            Value::Bool(truth) => self.is == if *truth { "true" } else { "false" },
            Value::Object(members) => members.get(TEXT).and_then(Value::as_str) == Some(self.is.as_str()),
            Value::Null | Value::Array(_) => false,
        }
    }
}

fn member<'t>(here: &'t mut Value, name: &str) -> &'t mut Value {
    if !here.is_object() {
        *here = Value::Object(Map::new());
    }
    match here {
        Value::Object(object) => object.entry(name).or_insert(Value::Null),
        other => other,
    }
}

fn list(here: &mut Value) -> &mut Vec<Value> {
    if !here.is_array() {
        *here = Value::Array(Vec::new());
    }
    match here {
        Value::Array(list) => list,
        // Made a list just above.
        _ => unreachable!(),
    }
}

/// The item that has the values, added where there is none.
fn selected<'t>(list: &'t mut Vec<Value>, conditions: &[Condition]) -> Option<&'t mut Value> {
    let at = list.iter().position(|item| conditions.iter().all(|wanted| wanted.holds(item)));
    if let Some(at) = at {
        return list.get_mut(at);
    }
    let mut item = Value::Object(Map::new());
    for condition in conditions {
        let mut leaf = &mut item;
        for name in &condition.names {
            leaf = member(leaf, name);
        }
        *leaf = Value::String(condition.is.clone());
    }
    list.push(item);
    list.last_mut()
}

fn name(rest: &str) -> Result<(Step, &str), UnknownAddress> {
    if let Some(inner) = rest.strip_prefix('"') {
        let (name, after) = inner.split_once('"').ok_or_else(|| refuse("expected a closing `\"`"))?;
        return Ok((Step::Name(name.to_owned()), after));
    }
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    match name.trim() {
        "" => Err(refuse("expected a name between dots")),
        name if name.contains(']') => Err(refuse("found `]` without `[`")),
        name => Ok((Step::Name(name.to_owned()), after)),
    }
}

fn bracket(inner: &str) -> Result<(Step, &str), UnknownAddress> {
    let (inside, after) = inner.split_once(']').ok_or_else(|| refuse("expected a closing `]`"))?;
    if let Some((names, is)) = inside.split_once('=') {
        let names: Vec<String> = names.split('.').map(|name| name.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err(refuse("expected a name before `=`"));
        }
        let condition = Condition { names, is: is.trim().to_owned() };
        return Ok((Step::Where(vec![condition]), after));
    }
    let item: usize =
        inside.trim().parse().map_err(|_parse| refuse("expected a number or `name=value` in `[…]`"))?;
    if item >= ITEMS_MAX {
        return Err(refuse("expected a smaller number in `[…]`"));
    }
    Ok((Step::Item(item), after))
}

/// Items a path may count to: a longer list is addressed by value.
const ITEMS_MAX: usize = 1_000;

fn refuse(reason: &str) -> UnknownAddress {
    UnknownAddress { reason: reason.to_owned(), nearest: Vec::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::TreePath;

    fn check(address: &str, expected: &Value) {
        let tree = json!({
            "a": {"b": [{"c": 1}, {"c": true}]},
            "a.b": {"c": "dotted"},
            "webhook-id": "evt_1",
            "identifier": [
                {"system": "https://x.example/Id/local", "value": "7"},
                {"system": "https://fhir.nhs.uk/Id/nhs-number", "use": "official", "value": "8"},
                {"system": "https://fhir.nhs.uk/Id/nhs-number", "use": "old", "value": "9"},
            ],
        });
        assert_eq!(TreePath::parse(address).unwrap().find(&tree), Some(expected), "{address}");
    }

    #[test]
    fn finds() {
        check("a.b[0].c", &json!(1));
        check("a.b[c=true].c", &json!(true));
        check("\"a.b\".c", &json!("dotted"));
        check("webhook-id", &json!("evt_1"));
        check("identifier[system=https://fhir.nhs.uk/Id/nhs-number].value", &json!("8"));
        check("identifier[system=https://fhir.nhs.uk/Id/nhs-number][use=old].value", &json!("9"));
    }

    #[test]
    fn what_is_put_is_found() {
        let mut tree = Value::Null;
        for address in ["id", "x[k=v][l.m=w].y", "x[k=v2].y", "n[2].z", "a.b.c"] {
            let path = TreePath::parse(address).unwrap();
            path.put(&mut tree, json!(address));
            assert_eq!(path.find(&tree), Some(&json!(address)), "{tree}");
        }
    }

    #[test]
    fn a_path_that_means_nothing_says_why() {
        for address in
            ["", ".", "a.", "a..b", "[0]", "a[", "a[x", "a[]", "a[-1]", "a]b", "a[0]b", "a[9999999]", "\"a"]
        {
            assert!(TreePath::parse(address).is_err(), "{address}");
        }
    }
}
