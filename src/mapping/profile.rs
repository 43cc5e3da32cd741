//! What the columns of a file look like: how often they are filled, with which shapes, and, where
//! that identifies nobody, with which words.

pub mod list;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::base::limit::{PROFILE_COLUMNS_MAX, PROFILE_WORDS_MAX};
use crate::format::xml::TEXT;
use crate::format::{Arrival, At, Cell, Header, Unit};
use crate::mapping::op::Op;
use crate::mapping::op::argument::Argument;
use crate::mapping::op::pattern::Pattern;
use crate::mapping::op::value::Value;
use crate::record::nhs_number::{Verdict, judge};
use list::Selectors;

/// The ways of writing a day that are known, as patterns. The first that fits stands.
pub const DAY_PATTERNS: [&str; 8] =
    ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d-%b-%Y", "%d %b %Y", "%Y/%m/%d", "%Y%m%d"];

/// What one value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// A date cell of a workbook.
    DayCell,
    /// A day, written by one of [`DAY_PATTERNS`].
    Day(&'static str),
    /// A day with a time.
    Time,
    /// Ten digits whose check digit is right.
    NhsNumber,
    /// A whole postcode.
    Postcode,
    /// Pounds and pence.
    Money,
    /// A whole number.
    Whole,
    /// Another number.
    Number,
    /// Yes or no.
    YesNo,
    /// One word with a digit in it.
    Id,
    /// Letters, in at most three words.
    Words,
    /// Anything else.
    Text,
}

impl Shape {
    /// What people call it.
    #[must_use]
    pub fn said(self) -> String {
        match self {
            Self::DayCell => "date cells".to_owned(),
            Self::Day(pattern) => match Pattern::compile(pattern) {
                Ok(pattern) => format!("days as {}", pattern.shown()),
                Err(_misuse) => "days".to_owned(),
            },
            Self::Time => "times".to_owned(),
            Self::NhsNumber => "NHS numbers".to_owned(),
            Self::Postcode => "postcodes".to_owned(),
            Self::Money => "amounts".to_owned(),
            Self::Whole => "whole numbers".to_owned(),
            Self::Number => "numbers".to_owned(),
            Self::YesNo => "yes and no".to_owned(),
            Self::Id => "ids".to_owned(),
            Self::Words => "words".to_owned(),
            Self::Text => "text".to_owned(),
        }
    }
}

/// What one column looks like.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its sheet, in a workbook.
    pub sheet: Option<String>,
    /// Its name, or its place in a tree or message.
    pub name: String,
    /// Units in which it holds something.
    pub filled: u64,
    /// How many values have which shape.
    pub shapes: BTreeMap<Shape, u64>,
    /// Its words and how often each stands; `None` where they are not kept, or are too many.
    pub words: Option<BTreeMap<String, u64>>,
}

impl Column {
    /// The shape of most of its values.
    #[must_use]
    pub fn usual(&self) -> Option<Shape> {
        self.shapes.iter().max_by_key(|(_, count)| **count).map(|(shape, _)| *shape)
    }

    /// How many of its values have a shape that fits, of a thousand.
    #[must_use]
    pub fn per_mille(&self, fits: impl Fn(Shape) -> bool) -> u64 {
        let count: u64 = self.shapes.iter().filter(|(shape, _)| fits(**shape)).map(|(_, count)| count).sum();
        (count * 1_000).checked_div(self.filled).unwrap_or_default()
    }
}

/// Whether the words of a column may be counted: its sheet and its name.
pub type Keeps<'k> = Box<dyn Fn(Option<&str>, &str) -> bool + 'k>;

/// What a file looks like.
pub struct Profile<'k> {
    /// Its units, by sheet; the empty name without sheets.
    pub units: BTreeMap<String, u64>,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    places: BTreeMap<(Option<String>, String), usize>,
    keeps: Keeps<'k>,
    judge: Judge,
    selectors: Selectors,
    /// In XML an element that stands once is no list, and may be addressed as one.
    is_xml: bool,
}

impl<'k> Profile<'k> {
    /// Nothing yet.
    #[must_use]
    pub fn new(keeps: Keeps<'k>) -> Self {
        Self {
            units: BTreeMap::new(),
            columns: Vec::new(),
            places: BTreeMap::new(),
            keeps,
            judge: Judge::new(),
            selectors: Selectors::default(),
            is_xml: false,
        }
    }

    /// The same, in which places of trees go by the addresses that a mapping would read them by.
    #[must_use]
    pub fn by_address(keeps: Keeps<'k>, selectors: Selectors) -> Self {
        Self { selectors, ..Self::new(keeps) }
    }

    /// All its units.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.units.values().sum()
    }

    /// Units of one sheet; of all where there are none.
    #[must_use]
    pub fn units_of(&self, sheet: Option<&str>) -> u64 {
        self.units.get(sheet.unwrap_or_default()).copied().unwrap_or_default()
    }

    /// Takes the columns of a table, so that those that stay blank are known too.
    pub fn take_header(&mut self, header: &Header) {
        for name in &header.columns {
            let _place = self.place(header.sheet.as_deref(), name);
        }
    }

    /// Takes one unit. A row has the header of its table or sheet.
    pub fn take(&mut self, arrival: &Arrival<'_>, header: Option<&Header>) {
        let sheet = arrival.place.sheet.as_deref();
        self.is_xml = matches!(arrival.unit, Ok(Unit::Xml(_)));
        *self.units.entry(sheet.unwrap_or_default().to_owned()).or_default() += 1;
        let Ok(unit) = &arrival.unit else { return };
        match unit {
            Unit::Row(_) | Unit::Sheet(_) => {
                let names = header.into_iter().flat_map(|header| header.columns.iter().enumerate());
                for (index, name) in names {
                    self.cell(sheet, name, unit.cell(&At::Column(index)));
                }
            }
            Unit::Tree(tree) | Unit::Xml(tree) => self.tree(tree, &mut String::new(), &mut String::new()),
            Unit::Message(message) => {
                for (name, text) in fields_of(message.raw()) {
                    self.cell(None, &name, Cell::Text(text));
                }
            }
        }
    }

    /// Depth is bounded by the reader (`TREE_DEPTH_MAX`).
    fn tree(&mut self, tree: &Json, path: &mut String, bare: &mut String) {
        let cell = match tree {
            one if self.is_xml && !one.is_array() && self.selectors.holds(bare) && !path.ends_with(']') => {
                return self.items(std::slice::from_ref(one), path, bare);
            }
            Json::Object(members) => {
                for (name, member) in members {
                    let (length, bare_length) = (step(path, name), step(bare, name));
                    self.tree(member, path, bare);
                    path.truncate(length);
                    bare.truncate(bare_length);
                }
                return;
            }
            Json::Array(items) if self.selectors.is_none() => {
                return items.iter().for_each(|item| self.tree(item, path, bare));
            }
            Json::Array(items) => return self.items(items, path, bare),
            Json::Null => Cell::Absent,
            Json::Bool(truth) => Cell::Bool(*truth),
            Json::Number(number) => number.as_f64().map_or(Cell::Absent, Cell::Number),
            Json::String(text) => Cell::Text(text),
        };
        self.cell(None, path, cell);
    }

    /// The items of a list that are meant.
    fn items(&mut self, items: &[Json], path: &mut String, bare: &mut String) {
        for (index, item) in items.iter().enumerate() {
            let Some(entered) = self.selectors.enter(bare, index, item) else { continue };
            let length = path.len();
            path.push_str(&entered);
            self.tree(item, path, bare);
            path.truncate(length);
        }
    }

    fn place(&mut self, sheet: Option<&str>, name: &str) -> Option<usize> {
        let key = (sheet.map(str::to_owned), name.to_owned());
        if let Some(place) = self.places.get(&key) {
            return Some(*place);
        }
        let place = self.columns.len();
        if place >= PROFILE_COLUMNS_MAX {
            return None;
        }
        let words = (self.keeps)(sheet, name).then(BTreeMap::new);
        self.columns.push(Column {
            sheet: key.0.clone(),
            name: key.1.clone(),
            filled: 0,
            shapes: BTreeMap::new(),
            words,
        });
        self.places.insert(key, place);
        Some(place)
    }

    fn cell(&mut self, sheet: Option<&str>, name: &str, cell: Cell<'_>) {
        let Some(place) = self.place(sheet, name) else { return };
        let Ok(value) = Value::of_cell(cell) else { return };
        let Some(column) = self.columns.get_mut(place) else { return };
        let Some(shape) = self.judge.shape(&value) else { return };
        column.filled += 1;
        *column.shapes.entry(shape).or_default() += 1;
        if let Some(words) = &mut column.words {
            let word = value.plain();
            if let Some(count) = words.get_mut(word.as_ref()) {
                *count += 1;
            } else if words.len() < PROFILE_WORDS_MAX {
                words.insert(word.into_owned(), 1);
            } else {
                column.words = None;
            }
        }
    }
}

/// An address without what it selects by: the place in a tree that a profile knows it by.
pub(in crate::mapping) fn bare(address: &str) -> String {
    let mut depth = 0_usize;
    let kept = address.trim().chars().filter(|letter| {
        match letter {
            '[' => depth += 1,
            ']' => {
                depth = depth.saturating_sub(1);
                return false;
            }
            _ => {}
        }
        depth == 0
    });
    kept.collect()
}

/// Goes on to a member of a tree, as an address does. Where the path ended before.
fn step(path: &mut String, name: &str) -> usize {
    let length = path.len();
    // The text of an element stands at the element itself.
    if name == TEXT {
        return length;
    }
    if length > 0 {
        path.push('.');
    }
    if name.contains(['.', '[', ']']) {
        path.push('"');
        path.push_str(name);
        path.push('"');
    } else {
        path.push_str(name);
    }
    length
}

/// The fields of a message that hold something, by segment and number: `PID-3`.
pub(super) fn fields_of(message: &str) -> impl Iterator<Item = (String, &str)> {
    let mark = message.chars().nth(3).unwrap_or('|');
    message.split(['\r', '\n']).flat_map(move |segment| {
        let mut fields = segment.split(mark);
        let name = fields.next().filter(|name| name.len() == 3).unwrap_or_default();
        // MSH-1 is the separator itself.
        let first = if name == "MSH" { 2 } else { 1 };
        let filled = (first..).zip(fields).filter(|(_, field)| !field.is_empty());
        filled.map(move |(number, field): (u32, &str)| (format!("{name}-{number}"), field))
    })
}

/// Tells the shape of a value.
struct Judge {
    days: Vec<(&'static str, Pattern)>,
    postcode: Option<Op>,
}

impl Judge {
    fn new() -> Self {
        let compiled = |written: &&'static str| Some((*written, Pattern::compile(written).ok()?));
        Self {
            days: DAY_PATTERNS.iter().filter_map(compiled).collect(),
            postcode: Op::build("postcode", &Argument(None)).and_then(Result::ok),
        }
    }

    /// `None` for a blank.
    fn shape(&self, value: &Value<'_>) -> Option<Shape> {
        Some(match value {
            Value::Absent | Value::Delete => return None,
            Value::Day(_) => Shape::DayCell,
            Value::Truth(_) => Shape::YesNo,
            Value::Number(number) if number.is_integer() => Shape::Whole,
            Value::Number(_) => Shape::Number,
            Value::List(_) => Shape::Text,
            Value::Text(text) => self.shape_of(text),
        })
    }

    fn shape_of(&self, text: &str) -> Shape {
        let packed: String = text.chars().filter(|letter| *letter != ' ' && *letter != '-').collect();
        if judge(&packed) == Verdict::Good {
            return Shape::NhsNumber;
        }
        let day = self.days.iter().find(|(_, pattern)| {
            pattern
                .parse(text)
                .is_some_and(|parts| parts.day().is_some_and(|day| (1850..=2150).contains(&day.parts().0)))
        });
        if let Some((pattern, _)) = day {
            return Shape::Day(pattern);
        }
        let is_numeric = |text: &str| text.chars().all(|letter| letter.is_ascii_digit()) && !text.is_empty();
        let amount = text.trim_start_matches('£').replace(',', "");
        let signless = amount.trim_start_matches('-');
        if is_numeric(signless) {
            return if amount.len() == text.len() { Shape::Whole } else { Shape::Money };
        }
        if let Some((whole, part)) = signless.split_once('.')
            && is_numeric(whole)
            && is_numeric(part)
        {
            return if part.len() == 2 { Shape::Money } else { Shape::Number };
        }
        if ["yes", "no", "y", "n", "true", "false"].contains(&text.to_lowercase().as_str()) {
            return Shape::YesNo;
        }
        let is_time = text.contains(':') && text.starts_with(|letter: char| letter.is_ascii_digit());
        if is_time && text.chars().filter(char::is_ascii_digit).count() >= 10 {
            return Shape::Time;
        }
        let value = Value::owned(text.to_owned());
        if self.postcode.as_ref().is_some_and(|op| op.read(value).is_ok()) {
            return Shape::Postcode;
        }
        let words = text.split_whitespace().count();
        let has_digit = text.chars().any(|letter| letter.is_ascii_digit());
        match (words, has_digit) {
            (1, true) if text.len() <= 40 && !text.contains('/') => Shape::Id,
            (..=3, false) if text.len() <= 40 => Shape::Words,
            _ => Shape::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Judge, Shape};

    #[test]
    fn shapes() {
        let judge = Judge::new();
        for (text, shape) in [
            ("999 000 0018", Shape::NhsNumber),
            ("9990000019", Shape::Whole),
            ("31/02/1950", Shape::Text),
            ("28/02/1950", Shape::Day("%d/%m/%Y")),
            ("2024-04-01", Shape::Day("%Y-%m-%d")),
            ("1-Apr-2024", Shape::Day("%d-%b-%Y")),
            ("01/04/2024 09:30", Shape::Time),
            ("2024-04-01T09:30:00Z", Shape::Time),
            ("£1,501.79", Shape::Money),
            ("1501.79", Shape::Money),
            ("12", Shape::Whole),
            ("0.125", Shape::Number),
            ("N", Shape::YesNo),
            ("s99 1aa", Shape::Postcode),
            ("LL0000001", Shape::Id),
            ("Mary Ann Fell", Shape::Words),
            ("No visual impairment at all", Shape::Text),
        ] {
            assert_eq!(judge.shape_of(text), shape, "{text}");
        }
    }
}
