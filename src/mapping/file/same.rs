//! What tells a record apart for every feed of its source.

use super::node::{Node, Placed, Walk};

/// As the file says it.
#[derive(Debug, Clone)]
pub enum RawSame {
    /// By its key, which every feed gives it.
    Key,
    /// By these fields of it.
    Fields(Vec<Placed<String>>),
}

pub(super) fn same(walk: &mut Walk, node: &Placed<Node>) -> Option<RawSame> {
    match &node.value {
        Node::Text(word) if word == "key" => Some(RawSame::Key),
        Node::List(items) if !items.is_empty() => Some(RawSame::Fields(walk.texts(node))),
        _ => {
            let hint = "`same_as = [\"completed_on\", \"edition\"]`, or `same_as = \"key\"`";
            walk.advise(&node.span, "expected the fields that tell it apart, or \"key\"", hint);
            None
        }
    }
}
