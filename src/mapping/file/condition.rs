//! When a record block takes a unit: conditions as the file writes them.

use super::{RawCondition, pipeline};
use crate::mapping::file::node::{Node, Placed, Table, Walk};

/// The tests of a condition.
const TESTS: [&str; 7] = ["is", "in", "blank", "not-blank", "before", "after", "matches"];

/// A condition and those within it.
pub(super) fn condition(walk: &mut Walk, node: &Placed<Node>) -> Option<Placed<RawCondition>> {
    let known = [
        "all",
        "any",
        "not",
        "column",
        "path",
        "is",
        "in",
        "blank",
        "not-blank",
        "before",
        "after",
        "matches",
        "as",
    ];
    let table = walk.table(node, "a condition", &known)?;
    let several = |walk: &mut Walk, node: &Placed<Node>| {
        walk.list(node, "conditions").iter().filter_map(|node| condition(walk, node)).collect::<Vec<_>>()
    };
    let value = if let Some(node) = table.find("all") {
        RawCondition::All(several(walk, node))
    } else if let Some(node) = table.find("any") {
        RawCondition::Any(several(walk, node))
    } else if let Some(node) = table.find("not") {
        RawCondition::Not(Box::new(condition(walk, node)?))
    } else {
        test(walk, node, &table)?
    };
    Some(Placed { value, span: node.span.clone() })
}

fn test(walk: &mut Walk, node: &Placed<Node>, table: &Table<'_>) -> Option<RawCondition> {
    let Some(address) = table.find("column").or_else(|| table.find("path")) else {
        walk.fault(&node.span, "expected a condition with `column` or `path`, `all`, `any` or `not`");
        return None;
    };
    let address = walk.text(address)?;
    let named: Vec<&str> = TESTS.into_iter().filter(|name| table.find(name).is_some()).collect();
    let [name] = named.as_slice() else {
        let hint = format!("one of `{}`", TESTS.join("`, `"));
        walk.advise(&node.span, "expected exactly one test of the cell", hint);
        return None;
    };
    let value = table.find(name)?;
    let against = match *name {
        "blank" | "not-blank" => {
            if value.value != Node::Truth(true) {
                walk.fault(&value.span, format!("expected `{name} = true`"));
            }
            Vec::new()
        }
        "in" => walk.texts(value),
        _ => vec![walk.text(value)?],
    };
    Some(RawCondition::Test {
        address,
        test: Placed { value: (*name).to_owned(), span: value.span.clone() },
        against,
        pipeline: table.find("as").map(|node| pipeline(walk, node)).unwrap_or_default(),
    })
}
