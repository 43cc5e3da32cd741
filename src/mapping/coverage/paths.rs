//! Which places of a tree or message hold something, without regard to which item of a list.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::base::limit::COVERAGE_PATHS_MAX;
use crate::format::Unit;
use crate::mapping::profile::fields_of;

/// Places, such as `identifier.value` or `PID-3`.
#[derive(Default)]
pub(super) struct Paths {
    seen: BTreeSet<String>,
}

impl Paths {
    pub(super) fn take(&mut self, unit: &Unit<'_>) {
        match unit {
            Unit::Row(_) | Unit::Sheet(_) => {}
            Unit::Tree(tree) | Unit::Xml(tree) => self.tree(tree, &mut String::new()),
            Unit::Message(message) => {
                fields_of(message.raw()).for_each(|(name, _)| self.note(&name));
            }
        }
    }

    /// Depth is bounded by the reader (`TREE_DEPTH_MAX`).
    fn tree(&mut self, tree: &Value, path: &mut String) {
        match tree {
            Value::Null => {}
            Value::Object(members) => {
                for (name, member) in members {
                    let length = path.len();
                    if length > 0 {
                        path.push('.');
                    }
                    path.push_str(name);
                    self.tree(member, path);
                    path.truncate(length);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.tree(item, path)),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => self.note(path),
        }
    }

    fn note(&mut self, path: &str) {
        if self.seen.len() < COVERAGE_PATHS_MAX && !self.seen.contains(path) {
            self.seen.insert(path.to_owned());
        }
    }

    /// Those that none of the addresses names.
    pub(super) fn without(&self, addresses: &[String]) -> Vec<String> {
        let named: BTreeSet<String> = addresses.iter().map(|address| plain(address)).collect();
        self.seen.iter().filter(|path| !named.contains(*path)).cloned().collect()
    }
}

/// An address without what it selects by: `PID-3[5=NHS].1` as `PID-3`,
/// `identifier[system=x].value` as `identifier.value`.
fn plain(address: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    for letter in address.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            other if depth == 0 => out.push(other),
            _ => {}
        }
    }
    let is_message = out.as_bytes().get(3) == Some(&b'-');
    if is_message && let Some((field, _component)) = out.split_once('.') {
        return field.to_owned();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn an_address_without_what_it_selects_by() {
        for (address, expected) in [
            ("PID-3[5=NHS].1", "PID-3"),
            ("MSH-7", "MSH-7"),
            ("identifier[system=https://a.b/c].value", "identifier.value"),
            ("name[0].given[1]", "name.given"),
        ] {
            assert_eq!(plain(address), expected);
        }
    }
}
