//! What has changed in a feed: one file beside the one before it.
//!
//! Told in names, shapes, rates and the words of coded columns alone: a column that may identify
//! somebody is told by its shapes, never by a value.

pub mod edit;
mod takes;

use std::collections::BTreeSet;

use crate::format::address::nearest;
use crate::mapping::Mapping;
use crate::mapping::code_list::CodeList;
use crate::mapping::compile::{Other, Rule};
use crate::mapping::op::Op;
use crate::mapping::profile::{Column, Keeps, Profile, Shape, bare};
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
    /// What to do about it, or why nothing need be done.
    pub edit: String,
    /// The edit that can be pasted; none where none is needed, or none is safe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paste: Vec<edit::Hunk>,
    /// What sort of edit it asks for.
    #[serde(skip)]
    pub remedy: Remedy,
    /// True where the mapping no longer reads the file as it did.
    pub breaks: bool,
}

/// What sort of edit a change asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Remedy {
    /// None.
    #[default]
    None,
    /// The column has another name now.
    Rename(String),
    /// Nothing reads the column any more.
    TakeOut,
    /// Days are written by this pattern now.
    Day(&'static str),
    /// A blank is taken, and said.
    Blank,
    /// The layout has a column more.
    Column,
    /// A word means what a known one does. `list` is the code list; none for words in place.
    Word {
        /// The code list.
        list: Option<String>,
        /// The new word.
        word: String,
        /// The known one.
        near: String,
        /// What that is read as.
        canonical: String,
    },
    /// Units with an unknown word wait until somebody has decided.
    Wait,
}

impl Mapping {
    /// Whether the words of a column may be counted: it holds codes or a condition asks for it,
    /// and it identifies nobody.
    #[must_use]
    pub fn keeps_words(&self) -> Keeps<'_> {
        Box::new(move |sheet, name| self.is_coded(sheet, name) && !self.is_private(sheet, name))
    }

    fn is_coded(&self, sheet: Option<&str>, name: &str) -> bool {
        self.list_of(sheet, name).is_some() || self.is_asked(sheet, name)
    }

    fn is_asked(&self, sheet: Option<&str>, name: &str) -> bool {
        self.blocks.iter().filter(|block| is_of(block.sheet.as_deref(), sheet)).any(|block| {
            let mut asked = Vec::new();
            if let Some(when) = &block.when {
                when.cells(&mut asked);
            }
            asked.iter().any(|(address, _)| bare(address) == name)
        })
    }

    fn rules_of<'m>(&'m self, sheet: Option<&'m str>, name: &'m str) -> impl Iterator<Item = &'m Rule> {
        let blocks = self.blocks.iter().filter(move |block| is_of(block.sheet.as_deref(), sheet));
        blocks
            .flat_map(|block| &block.rules)
            .filter(move |rule| rule.from.iter().any(|from| bare(from) == name))
    }

    fn is_read(&self, sheet: Option<&str>, name: &str) -> bool {
        self.addresses(sheet).iter().any(|address| bare(address) == name)
    }

    /// Whether the layout that it lists has a column.
    fn lists(&self, sheet: Option<&str>, name: &str) -> bool {
        let of_sheet = self.columns.iter().filter(|(of, _)| is_of(Some(of.as_str()), sheet.or(Some(""))));
        of_sheet.flat_map(|(_, columns)| columns).any(|column| column.trim() == name)
    }

    /// The list that the words of a column are looked up in.
    fn list_of(&self, sheet: Option<&str>, name: &str) -> Option<&CodeList> {
        let blocks = self.blocks.iter().filter(|block| is_of(block.sheet.as_deref(), sheet));
        let rules = blocks.flat_map(|block| &block.rules);
        rules.filter(|rule| rule.from.iter().any(|from| bare(from) == name)).find_map(list_of)
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
            changes.push(self.new_column(sheet.as_deref(), name));
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

    fn new_column(&self, sheet: Option<&str>, name: &str) -> Change {
        let told = "a column that the last file did not have";
        let (edit, remedy) = if self.is_read(sheet, name) {
            ("nothing: the mapping reads it", Remedy::None)
        } else if self.columns.is_empty() || self.lists(sheet, name) {
            ("nothing: columns that no field reads do no harm. Add a field if it is to be kept", Remedy::None)
        } else {
            (
                "nothing has to change: no field reads it. Listed, it is part of the layout and can be given a field",
                Remedy::Column,
            )
        };
        Change::of("column-new", (sheet, Some(name)), told, edit).by(remedy)
    }

    fn gone(&self, sheet: Option<&str>, name: &str, candidates: &[&str]) -> Change {
        let is_read = self.is_read(sheet, name);
        // Fields of a message are numbered: a number that is near another says nothing.
        let near = if is_numbered(name) {
            None
        } else {
            nearest(name, candidates.iter().copied()).into_iter().next()
        };
        let (edit, remedy) = match (near, is_read) {
            (Some(near), true) => (
                format!("write `{near}` for `{name}` in the mapping, if that is what it is now"),
                Remedy::Rename(near),
            ),
            (None, true) => (
                "ask the sender for it, or take the lines that read it out of the mapping".to_owned(),
                Remedy::TakeOut,
            ),
            (Some(near), false) => {
                (format!("nothing: the mapping does not read it. It may be `{near}` now"), Remedy::None)
            }
            (None, false) => ("nothing: the mapping does not read it".to_owned(), Remedy::None),
        };
        let change = Change::of("column-gone", (sheet, Some(name)), "a column that the last file had", &edit);
        Change { breaks: is_read, ..change.by(remedy) }
    }

    fn fill(&self, old: &Column, new: &Column, (units_old, units_new): (u64, u64)) -> Option<Change> {
        if units_old < UNITS_TELLING || units_new < UNITS_TELLING {
            return None;
        }
        let (before, now) = (old.filled * 1_000 / units_old, new.filled * 1_000 / units_new);
        if before.abs_diff(now) < FILL_CHANGED {
            return None;
        }
        let sheet = new.sheet.as_deref();
        let is_refused = now < before && self.refuses_blank(sheet, &new.name);
        let (edit, remedy) = if is_refused {
            (
                "ask the sender whether the column is still kept; if not, a blank may be taken and said",
                Remedy::Blank,
            )
        } else if now < before {
            (
                "ask the sender whether the column is still kept; nothing in the mapping need change: a blank is nothing known",
                Remedy::None,
            )
        } else {
            (
                "nothing: the mapping reads what is there, unless it took a blank to mean something",
                Remedy::None,
            )
        };
        let told = format!("filled in {} of the units, before in {}", percent(now), percent(before));
        let change = Change::of("fill", (sheet, Some(&new.name)), &told, edit).by(remedy);
        Some(Change { breaks: is_refused || (now == 0 && self.is_read(sheet, &new.name)), ..change })
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
        let sheet = new.sheet.as_deref();
        let is_read = self.is_read(sheet, &new.name);
        // Where it cannot be told what the mapping makes of such a value, it is taken not to stand.
        let stands = self.takes(sheet, &new.name, odd) == Some(true);
        let (edit, remedy) = match odd {
            _ if !is_read => ("nothing: the mapping does not read it".to_owned(), Remedy::None),
            _ if stands => ("nothing: the mapping reads these too".to_owned(), Remedy::None),
            Shape::Day("%Y-%m-%d") | Shape::DayCell => {
                ("write `as = \"date\"` on the fields that read it".to_owned(), Remedy::Day("%Y-%m-%d"))
            }
            Shape::Day(pattern) => (
                format!("write `as = {{ date = \"{pattern}\" }}` on the fields that read it"),
                Remedy::Day(pattern),
            ),
            _ => (
                "ask the sender what the column holds now: no edit makes the one of the other".to_owned(),
                Remedy::None,
            ),
        };
        let told = format!(
            "{} of its values are now {}, before they were {}",
            percent(1_000_u64.saturating_sub(fitting)),
            odd.said(),
            before.said()
        );
        let change = Change::of("type", (sheet, Some(&new.name)), &told, &edit).by(remedy);
        Some(Change { breaks: is_read && !stands, ..change })
    }

    fn words(&self, old: &Column, new: &Column, changes: &mut Vec<Change>) {
        let (Some(before), Some(now)) = (&old.words, &new.words) else { return };
        let place = (new.sheet.as_deref(), Some(new.name.as_str()));
        let list = self.list_of(place.0, &new.name);
        let rejects = self.rules_of(place.0, &new.name).any(|rule| rule.other == Other::Reject);
        for (word, count) in now.iter().filter(|(word, _)| !before.contains_key(*word)) {
            let told = format!("`{word}` stands {count} times, and never before");
            let change = |edit: &str| Change::of("code-new", place, &told, edit);
            changes.push(match list {
                Some(list) if list.holds(word) => change("nothing: the code list has it"),
                Some(list) => {
                    let (edit, remedy) = unlisted(list, word, rejects);
                    Change { breaks: true, ..change(&edit).by(remedy) }
                }
                None => change("nothing, unless these rows are to become records too: look at `when`"),
            });
        }
        for (word, count) in before.iter().filter(|(word, _)| !now.contains_key(*word)) {
            let told = format!("`{word}` stood {count} times, and no longer does");
            let edit =
                "nothing: a word that the list still has does no harm; ask the sender if it should be there";
            changes.push(Change::of("code-gone", place, &told, edit));
        }
    }
}

impl Change {
    fn of(what: &'static str, (sheet, column): (Option<&str>, Option<&str>), told: &str, edit: &str) -> Self {
        Self {
            what,
            sheet: sheet.map(str::to_owned),
            column: column.map(str::to_owned),
            told: told.to_owned(),
            edit: edit.to_owned(),
            paste: Vec::new(),
            remedy: Remedy::None,
            breaks: false,
        }
    }

    fn by(self, remedy: Remedy) -> Self {
        Self { remedy, ..self }
    }
}

/// What to do about a word that a list does not have.
fn unlisted(list: &CodeList, word: &str, rejects: bool) -> (String, Remedy) {
    let is_in_place = list.source.is_empty();
    let place = if is_in_place {
        "the words in the mapping".to_owned()
    } else {
        format!("mappings/codes/{}.csv", list.name)
    };
    let near = nearest(word, list.sources().into_iter()).into_iter().next().or_else(|| shortened(list, word));
    let known = near.and_then(|near| Some((list.canonical_of(&near)?.to_owned(), near)));
    match known {
        Some((canonical, near)) => (
            format!("add `{word}` to {place}; here as `{near}`, if it means that"),
            Remedy::Word {
                list: (!is_in_place).then(|| list.name.clone()),
                word: word.to_owned(),
                near,
                canonical,
            },
        ),
        None => {
            let meanings: Vec<&str> = list.canonical().collect();
            let some = if meanings.len() > MEANINGS_SHOWN { "" } else { &meanings.join(", ") };
            let of = if some.is_empty() { String::new() } else { format!(" ({some})") };
            let what = format!("decide what it means{of} and add a row for `{word}` to {place}");
            if rejects {
                (format!("{what}; until then such rows can wait instead of going back"), Remedy::Wait)
            } else {
                (
                    format!("{what}; until then such rows do not go back, and nothing has to change"),
                    Remedy::None,
                )
            }
        }
    }
}

/// Meanings of a list that are all named.
const MEANINGS_SHOWN: usize = 12;

/// The one word of a list that this is short for, word by word: `Res. care` for `Residential care`.
fn shortened(list: &CodeList, word: &str) -> Option<String> {
    let parts = |text: &str| -> Vec<String> {
        let parts = text.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty());
        parts.map(str::to_lowercase).collect()
    };
    let short = parts(word);
    let fits = |known: &&str| {
        let long = parts(known);
        !short.is_empty()
            && short.len() == long.len()
            && long.iter().zip(&short).all(|(long, short)| long.starts_with(short.as_str()))
    };
    match list.sources().into_iter().filter(fits).collect::<Vec<_>>().as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

/// True for a field of a message: `PID-7`.
fn is_numbered(name: &str) -> bool {
    let parts = name.split_once('-').filter(|(segment, _)| segment.len() == 3);
    parts.is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
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
            let sheet = Some(sheet.as_str()).filter(|sheet| !sheet.is_empty());
            let told = format!("{now} units, before {before}");
            let edit = "nothing: the mapping reads as many as there are. Check that the export was complete, and of the period that is meant";
            changes.push(Change::of("size", (sheet, None), &told, edit));
        }
    }
    changes
}

fn percent(per_mille: u64) -> String {
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}
