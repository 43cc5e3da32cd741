//! Lists in trees: by which of their members an item can be told from the others.
//!
//! A list is never entered by chance, so whoever drafts a mapping has to say which item is meant. What
//! says it is found in the data: a truth value that one item of each list has, or a word that stands
//! once at most in each (`type = "mobile"`). Where nothing does, it is the first item.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::step;
use crate::base::limit::{LIST_WORDS_MAX, PROFILE_COLUMNS_MAX};
use crate::format::xml::TEXT;

/// What was seen of the lists of a file, by the path that leads to each.
#[derive(Default)]
pub struct Lists {
    seen: BTreeMap<String, Seen>,
}

#[derive(Default)]
struct Seen {
    lists: u64,
    /// Items at most in one list.
    most: usize,
    items: u64,
    /// By member: each value that it has, and how the items with it are spread.
    members: BTreeMap<String, BTreeMap<String, Spread>>,
}

#[derive(Default, Clone, Copy)]
struct Spread {
    items: u64,
    /// Lists in which exactly one item has it.
    alone: u64,
    /// Lists in which several do.
    several: u64,
}

/// Which items of the lists of a file are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selectors {
    by_path: BTreeMap<String, Selector>,
}

/// Which items of one list are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Selector {
    /// The first.
    First,
    /// Those whose member has one of these values, each a place of its own.
    By(String, Vec<String>),
}

impl Lists {
    /// Takes one unit.
    pub fn take(&mut self, tree: &Json) {
        self.walk(tree, &mut String::new());
    }

    /// Depth is bounded by the reader (`TREE_DEPTH_MAX`).
    fn walk(&mut self, tree: &Json, path: &mut String) {
        match tree {
            Json::Object(members) => {
                for (name, member) in members {
                    let length = step(path, name);
                    self.walk(member, path);
                    path.truncate(length);
                }
            }
            Json::Array(items) => {
                self.list(items, path);
                items.iter().for_each(|item| self.walk(item, path));
            }
            _ => {}
        }
    }

    fn list(&mut self, items: &[Json], path: &str) {
        if !self.seen.contains_key(path) && self.seen.len() >= PROFILE_COLUMNS_MAX {
            return;
        }
        let seen = self.seen.entry(path.to_owned()).or_default();
        seen.lists += 1;
        seen.most = seen.most.max(items.len());
        seen.items += u64::try_from(items.len()).unwrap_or_default();
        let mut here: BTreeMap<(&str, String), u64> = BTreeMap::new();
        for (name, member) in items.iter().filter_map(Json::as_object).flatten() {
            let value = match member {
                Json::Bool(truth) => truth.to_string(),
                // The text of an element itself is a value, and no address can ask for it.
                Json::String(text) if name != TEXT && is_word(text) => text.clone(),
                _ => continue,
            };
            *here.entry((name, value)).or_default() += 1;
        }
        for ((name, value), count) in here {
            let values = seen.members.entry(name.to_owned()).or_default();
            if values.len() < LIST_WORDS_MAX || values.contains_key(&value) {
                let spread = values.entry(value).or_default();
                spread.items += count;
                spread.alone += u64::from(count == 1);
                spread.several += u64::from(count > 1);
            }
        }
    }

    /// What tells the items apart.
    #[must_use]
    pub fn selectors(&self) -> Selectors {
        let by_path = self.seen.iter().map(|(path, seen)| (path.clone(), seen.selector()));
        Selectors { by_path: by_path.collect() }
    }
}

/// A text that can stand for a sort of item: short, and without what an address is made of.
fn is_word(text: &str) -> bool {
    (1..=80).contains(&text.len())
        && text == text.trim()
        && !text.contains(['[', ']', '=', '"', '|', ',', '\n', '\r'])
}

impl Seen {
    fn selector(&self) -> Selector {
        if self.most <= 1 {
            return Selector::First;
        }
        let is_truth = |values: &BTreeMap<String, Spread>| {
            values.keys().all(|value| value == "true" || value == "false")
        };
        // One item of each list is the one that is meant.
        let marked = self.members.iter().find(|(_, values)| {
            is_truth(values)
                && values.get("true").is_some_and(|spread| spread.alone == self.lists && spread.several == 0)
        });
        if let Some((name, _)) = marked {
            return Selector::By(name.clone(), vec!["true".to_owned()]);
        }
        // Each sort of item stands once at most: few sorts, over all items.
        let sorted = self.members.iter().filter(|(_, values)| {
            let items: u64 = values.values().map(|spread| spread.items).sum();
            !is_truth(values)
                && values.len() < LIST_WORDS_MAX
                && items == self.items
                && values.values().all(|spread| spread.several == 0)
        });
        match sorted.min_by_key(|(_, values)| values.len()) {
            Some((name, values)) => Selector::By(name.clone(), values.keys().cloned().collect()),
            None => Selector::First,
        }
    }
}

impl Selectors {
    /// Whether lists are told apart at all: else each item counts for the whole list.
    pub(super) fn is_none(&self) -> bool {
        self.by_path.is_empty()
    }

    /// Whether a path leads to a list.
    pub(super) fn holds(&self, bare: &str) -> bool {
        self.by_path.contains_key(bare)
    }

    /// What an address says to enter a list at this item; none where the item is not meant. `bare` is
    /// the path without what it selects by.
    pub(super) fn enter(&self, bare: &str, index: usize, item: &Json) -> Option<String> {
        match self.by_path.get(bare) {
            None | Some(Selector::First) => (index == 0).then(|| "[0]".to_owned()),
            Some(Selector::By(name, values)) => {
                let value = match item.get(name)? {
                    Json::Bool(truth) => truth.to_string(),
                    Json::String(text) => text.clone(),
                    _ => return None,
                };
                values.contains(&value).then(|| format!("[{name}={value}]"))
            }
        }
    }

    /// Lists of which the first item is taken, for want of anything that tells them apart.
    pub fn unclear<'s>(&'s self, lists: &'s Lists) -> impl Iterator<Item = &'s str> {
        let unclear = self.by_path.iter().filter(|(path, selector)| {
            **selector == Selector::First && lists.seen.get(*path).is_some_and(|seen| seen.most > 1)
        });
        unclear.map(|(path, _)| path.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Lists;
    use serde_json::json;

    #[test]
    fn items_are_told_apart_by_what_stands_once() {
        let mut lists = Lists::default();
        for main in [true, false] {
            lists.take(&json!({
                "people": [{"main": main, "kind": "person"}, {"main": !main, "kind": "person"}],
                "phones": [{"use": "home", "value": "1"}, {"use": "mobile", "value": "2"}],
                "notes": [{"text": "a b"}, {"text": "a b"}],
                "one": [{"x": 1}],
            }));
        }
        let selectors = lists.selectors();
        let enter = |path: &str, item| selectors.enter(path, 1, &item);
        assert_eq!(enter("people", json!({"main": true})).unwrap(), "[main=true]");
        assert_eq!(enter("people", json!({"main": false})), None);
        assert_eq!(enter("phones", json!({"use": "mobile"})).unwrap(), "[use=mobile]");
        assert_eq!(enter("notes", json!({"text": "a b"})), None);
        assert_eq!(selectors.enter("one", 0, &json!({})).unwrap(), "[0]");
        assert_eq!(selectors.unclear(&lists).collect::<Vec<_>>(), ["notes"]);
    }
}
