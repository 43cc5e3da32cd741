//! What has changed in a feed: one file beside the one before it.
//!
//! Told in names, shapes, rates and the words of coded columns alone: a column that may identify
//! somebody is told by its shapes, never by a value.

use std::collections::BTreeSet;

use crate::format::address::nearest;
use crate::mapping::Mapping;
use crate::mapping::code_list::CodeList;
use crate::mapping::compile::Rule;
use crate::mapping::op::Op;
use crate::mapping::profile::{Column, Keeps, Profile, Shape};
use crate::mapping::read::is_of;

/// A change of the filled share, in per mille of the units, that is worth a word.
const FILL_CHANGED: u64 = 100;

/// A change of the share of a shape, in per mille of the filled, that is worth a word.
const SHAPE_CHANGED: u64 = 100;

/// Units of a file below which its rates say little.
const UNITS_TELLING: u64 = 20;

/// How many times larger or smaller a file is told of.
const SIZE_CHANGED: u64 = 2;

/// One thing that has changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// What sort of change: `column-gone`, `column-new`, `type`, `fill`, `code-new`, `code-gone`,
    /// `size`.
    pub what: &'static str,
    /// The sheet, in a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The column, where it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What has changed, in words.
    pub told: String,
    /// What to do about it.
    pub edit: String,
    /// True where the mapping no longer reads the file as it did.
    pub breaks: bool,
}

impl Mapping {
    /// Whether the words of a column may be counted: it holds codes or a condition asks for it,
    /// and it identifies nobody.
    #[must_use]
    pub fn keeps_words(&self) -> Keeps<'_> {
        Box::new(move |sheet, name| self.is_coded(sheet, name) && !self.is_private(sheet, name))
    }

    fn is_coded(&self, sheet: Option<&str>, name: &str) -> bool {
        self.rules_of(sheet, name).any(|rule| list_of(rule).is_some()) || self.is_asked(sheet, name)
    }

    fn is_asked(&self, sheet: Option<&str>, name: &str) -> bool {
        self.blocks.iter().filter(|block| is_of(block.sheet.as_deref(), sheet)).any(|block| {
            let mut asked = Vec::new();
            if let Some(when) = &block.when {
                when.cells(&mut asked);
            }
            asked.iter().any(|(address, _)| address.trim() == name)
        })
    }

    fn rules_of<'m>(&'m self, sheet: Option<&'m str>, name: &'m str) -> impl Iterator<Item = &'m Rule> {
        let blocks = self.blocks.iter().filter(move |block| is_of(block.sheet.as_deref(), sheet));
        blocks
            .flat_map(|block| &block.rules)
            .filter(move |rule| rule.from.iter().any(|from| from.trim() == name))
    }

    fn is_read(&self, sheet: Option<&str>, name: &str) -> bool {
        self.addresses(sheet).iter().any(|address| address.trim() == name)
    }

    /// What has changed between two files that this mapping reads.
    #[must_use]
    pub fn drift(&self, old: &Profile<'_>, new: &Profile<'_>) -> Vec<Change> {
        let mut changes = sizes(old, new);
        let columns = |profile: &Profile<'_>| -> BTreeSet<(Option<String>, String)> {
            profile.columns.iter().map(|column| (column.sheet.clone(), column.name.clone())).collect()
        };
        let (before, now) = (columns(old), columns(new));
        for (sheet, name) in before.difference(&now) {
            let candidates: Vec<&str> = now
                .difference(&before)
                .filter(|(other, _)| other == sheet)
                .map(|(_, name)| name.as_str())
                .collect();
            changes.push(self.gone(sheet.as_deref(), name, &candidates));
        }
        for (sheet, name) in now.difference(&before) {
            changes.push(Change {
                what: "column-new",
                sheet: sheet.clone(),
                column: Some(name.clone()),
                told: "a column that the last file did not have".to_owned(),
                edit:
                    "leave it, or add a field that reads it; add it to `columns` where the mapping lists them"
                        .to_owned(),
                breaks: false,
            });
        }
        for column in &new.columns {
            let same = |other: &&Column| other.sheet == column.sheet && other.name == column.name;
            let Some(before) = old.columns.iter().find(same) else { continue };
            let units = (old.units_of(column.sheet.as_deref()), new.units_of(column.sheet.as_deref()));
            changes.extend(self.fill(before, column, units));
            changes.extend(self.shape(before, column));
            self.words(before, column, &mut changes);
        }
        changes.sort_by_key(|change| !change.breaks);
        changes
    }

    fn gone(&self, sheet: Option<&str>, name: &str, candidates: &[&str]) -> Change {
        let is_read = self.is_read(sheet, name);
        let near = nearest(name, candidates.iter().copied()).into_iter().next();
        let edit = match (&near, is_read) {
            (Some(near), true) => {
                format!("write `{near}` for `{name}` in the mapping, if that is what it is now")
            }
            (None, true) => {
                "ask the sender for it, or take the lines that read it out of the mapping".to_owned()
            }
            (Some(near), false) => format!("nothing: the mapping does not read it. It may be `{near}` now"),
            (None, false) => "nothing: the mapping does not read it".to_owned(),
        };
        Change {
            what: "column-gone",
            sheet: sheet.map(str::to_owned),
            column: Some(name.to_owned()),
            told: "a column that the last file had".to_owned(),
            edit,
            breaks: is_read,
        }
    }

    fn fill(&self, old: &Column, new: &Column, (units_old, units_new): (u64, u64)) -> Option<Change> {
        if units_old < UNITS_TELLING || units_new < UNITS_TELLING {
            return None;
        }
        let (before, now) = (old.filled * 1_000 / units_old, new.filled * 1_000 / units_new);
        if before.abs_diff(now) < FILL_CHANGED {
            return None;
        }
        let edit = if now < before {
            "ask the sender whether the column is still kept; nothing in the mapping need change"
        } else {
            "nothing, unless the mapping took a blank to mean something"
        };
        Some(Change {
            what: "fill",
            sheet: new.sheet.clone(),
            column: Some(new.name.clone()),
            told: format!("filled in {} of the units, before in {}", percent(now), percent(before)),
            edit: edit.to_owned(),
            breaks: now == 0 && self.is_read(new.sheet.as_deref(), &new.name),
        })
    }

    /// Another shape than before, where it is more than a few values.
    fn shape(&self, old: &Column, new: &Column) -> Option<Change> {
        let (before, now) = (old.usual()?, new.usual()?);
        // Words that look like one shape here and another there are no news; days that are
        // written otherwise are.
        let is_loose = |shape: Shape| matches!(shape, Shape::Words | Shape::Text | Shape::Id | Shape::YesNo);
        let is_amount = |shape: Shape| matches!(shape, Shape::Money | Shape::Number | Shape::Whole);
        let is_same = |one: Shape, other: Shape| {
            one == other || (is_loose(one) && is_loose(other)) || (is_amount(one) && is_amount(other))
        };
        let fitting = new.per_mille(|shape| is_same(shape, before));
        let fitted = old.per_mille(|shape| is_same(shape, before));
        if fitted.saturating_sub(fitting) < SHAPE_CHANGED {
            return None;
        }
        let odd =
            new.shapes.iter().filter(|(shape, _)| !is_same(**shape, before)).max_by_key(|(_, count)| **count);
        let odd = odd.map_or(now, |(shape, _)| *shape);
        let edit = match odd {
            Shape::Day("%Y-%m-%d") | Shape::DayCell => {
                "write `as = \"date\"` on the fields that read it".to_owned()
            }
            Shape::Day(pattern) => {
                format!("write `as = {{ date = \"{pattern}\" }}` on the fields that read it")
            }
            _ => "ask the sender what the column holds now".to_owned(),
        };
        Some(Change {
            what: "type",
            sheet: new.sheet.clone(),
            column: Some(new.name.clone()),
            told: format!(
                "{} of its values are now {}, before they were {}",
                percent(1_000_u64.saturating_sub(fitting)),
                odd.said(),
                before.said()
            ),
            edit,
            breaks: self.is_read(new.sheet.as_deref(), &new.name),
        })
    }

    fn words(&self, old: &Column, new: &Column, changes: &mut Vec<Change>) {
        let (Some(before), Some(now)) = (&old.words, &new.words) else { return };
        let sheet = new.sheet.as_deref();
        let list = self.rules_of(sheet, &new.name).find_map(list_of);
        let change = |what, told: String, edit: String, breaks| Change {
            what,
            sheet: new.sheet.clone(),
            column: Some(new.name.clone()),
            told,
            edit,
            breaks,
        };
        for (word, count) in now.iter().filter(|(word, _)| !before.contains_key(*word)) {
            let told = format!("`{word}` stands {count} times, and never before");
            let (edit, breaks) = match list {
                Some(list) if list.holds(word) => ("nothing: the code list has it".to_owned(), false),
                Some(list) => (unlisted(list, word), true),
                None => {
                    ("nothing, unless these rows are to become records too: look at `when`".to_owned(), false)
                }
            };
            changes.push(change("code-new", told, edit, breaks));
        }
        for (word, count) in before.iter().filter(|(word, _)| !now.contains_key(*word)) {
            let told = format!("`{word}` stood {count} times, and no longer does");
            let edit = "nothing in the mapping; ask the sender if it should be there".to_owned();
            changes.push(change("code-gone", told, edit, false));
        }
    }
}

fn unlisted(list: &CodeList, word: &str) -> String {
    let near = nearest(word, list.sources().into_iter()).into_iter().next();
    let place = if list.source.is_empty() {
        "the words in the mapping".to_owned()
    } else {
        format!("mappings/codes/{}.csv", list.name)
    };
    match near {
        Some(near) => format!("add a row for `{word}` to {place}; the nearest there is `{near}`"),
        None => format!("add a row for `{word}` to {place}"),
    }
}

fn list_of(rule: &Rule) -> Option<&CodeList> {
    let in_place = rule.steps.iter().find_map(|op| match op {
        Op::Words(words) => Some(&words.0),
        _ => None,
    });
    rule.codes.as_deref().or(in_place)
}

fn sizes(old: &Profile<'_>, new: &Profile<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (sheet, before) in &old.units {
        let now = new.units.get(sheet).copied().unwrap_or_default();
        let larger = now > before.saturating_mul(SIZE_CHANGED);
        let smaller = now.saturating_mul(SIZE_CHANGED) < *before;
        if *before >= UNITS_TELLING && (larger || smaller) {
            changes.push(Change {
                what: "size",
                sheet: Some(sheet.clone()).filter(|sheet| !sheet.is_empty()),
                column: None,
                told: format!("{now} units, before {before}"),
                edit: "check that the export was complete, and of the period that is meant".to_owned(),
                breaks: false,
            });
        }
    }
    changes
}

fn percent(per_mille: u64) -> String {
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}
