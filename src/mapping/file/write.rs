//! What a record block writes and never reads.

use super::node::{Node, Placed, Walk};

/// Something that is written and never read.
#[derive(Debug, Clone)]
pub struct RawWrite {
    /// Where.
    pub address: Placed<String>,
    /// What.
    pub value: Placed<Node>,
    /// Only where something is written here too.
    pub with: Option<Placed<String>>,
}

pub(super) fn writes(walk: &mut Walk, node: &Placed<Node>) -> Vec<RawWrite> {
    let Node::Table(entries) = &node.value else {
        let hint = "`writes = { status = \"active\" }`";
        walk.advise(&node.span, "expected addresses and what is written there", hint);
        return Vec::new();
    };
    let mut writes = Vec::with_capacity(entries.len());
    for (address, node) in entries {
        let (value, with) = match &node.value {
            Node::Table(_) => {
                let Some(table) = walk.table(node, "what is written", &["value", "with"]) else { continue };
                let with = walk.need(&table, "with").and_then(|node| walk.text(node));
                (walk.need(&table, "value"), with)
            }
            _ => (Some(node), None),
        };
        match value {
            Some(value) if matches!(value.value, Node::Text(_) | Node::Number(_) | Node::Truth(_)) => {
                writes.push(RawWrite { address: address.clone(), value: value.clone(), with });
            }
            Some(value) => {
                let text = format!("expected a text, a number or a truth value for `{}`", address.value);
                walk.fault(&value.span, text);
            }
            None => {}
        }
    }
    writes
}
