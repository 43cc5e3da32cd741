//! What a column can be: each column of each known layout, and each field of a person.

use std::collections::BTreeSet;

use super::Layout;
use super::name::{LAST_PART, Weights, readings, words};
use crate::mapping::code_list::CodeList;
use crate::mapping::compile::CodeLists;
use crate::mapping::diagnostic::{Diagnostics, Source};
use crate::mapping::file::node::Node;
use crate::mapping::file::{self, RawCondition, RawField, RawMapping, RawPart, RawRecord};
use crate::mapping::library::Library;
use crate::mapping::profile::{Column, Shape};
use crate::record::kind::Kind;
use crate::record::schema::{self, Holds};

/// How much the name says, of 1; the values say the rest.
const NAME_SHARE: f64 = 0.72;

/// A likeness that values alone give, where hardly anything else looks like them.
const TELLING: f64 = 0.8;

/// What the values of a concept of which nothing is known count as: neither for nor against.
const UNKNOWN_FIT: f64 = 0.45;

/// What a name counts for that stands inside a list where the other does not.
const ELSEWHERE: f64 = 0.6;

/// Letters from which a code is a word.
const SPELT_LETTERS: usize = 4;

/// Per mille of the values that have to fit for a shape to speak for a column.
const FITTING: u64 = 800;

/// One table of a known layout.
pub(super) struct Model {
    pub(super) mapping: RawMapping,
    pub(super) sheet: Option<String>,
    pub(super) concepts: Vec<Concept>,
}

/// One column of a known layout, or one field.
pub(super) struct Concept {
    /// What its layout calls it.
    pub(super) name: String,
    /// The field lines that read it: record and field, by place.
    pub(super) uses: Vec<(Kind, RawField)>,
    /// True where a key or a condition reads it.
    pub(super) is_key: bool,
    pub(super) is_condition: bool,
    /// True where one of the records that read it has a condition.
    is_conditional: bool,
    names: Vec<(Vec<String>, f64)>,
    wants: Wants,
    /// The file that its lines stand in.
    source: Source,
}

/// What values a concept wants.
#[derive(Debug, Clone)]
enum Wants {
    Unknown,
    Days,
    NhsNumber,
    Postcode,
    Amount,
    Whole,
    YesNo,
    Id,
    /// Words of one of these lists.
    Codes(Vec<BTreeSet<String>>),
    Name,
    Prose,
}

impl Concept {
    pub(super) fn words(&self) -> &[String] {
        self.names.first().map(|(words, _)| words.as_slice()).unwrap_or_default()
    }

    /// The file that its lines stand in.
    pub(super) const fn source(&self) -> &Source {
        &self.source
    }

    /// Whether its layout's mapping reads it.
    pub(super) const fn is_read(&self) -> bool {
        !self.uses.is_empty() || self.is_key || self.is_condition
    }

    /// Whether it says something of a person, whatever else the row is about.
    pub(super) fn is_person(&self) -> bool {
        !self.is_conditional && self.uses.iter().any(|(kind, _)| *kind == Kind::Person)
    }

    /// The fields it becomes, where that is one place only: two columns cannot both be it.
    pub(super) fn fields(&self) -> Vec<String> {
        let person = self.uses.iter().filter(|(kind, _)| *kind == Kind::Person);
        person.map(|(kind, field)| format!("{kind}.{}", field.to.value)).collect()
    }

    /// How much a column is like it, from 0 to 1.
    pub(super) fn likeness(&self, column: &Column, readings: &[Vec<String>], weights: &Weights) -> f64 {
        let of_name = self
            .names
            .iter()
            .flat_map(|(words, factor)| {
                let parts = std::iter::once(1.0).chain(std::iter::repeat(LAST_PART));
                let read = readings.iter().zip(parts);
                read.map(move |(column, part)| weights.likeness(column, words) * factor * part)
            })
            .max_by(f64::total_cmp)
            .unwrap_or_default();
        // What is said of each item of a list is not said of the whole.
        let in_list = |name: &str| name.contains('[') && (name.contains('=') || name.contains("[0]"));
        let of_name =
            if in_list(&self.name) == in_list(&column.name) { of_name } else { of_name * ELSEWHERE };
        let Some(fit) = self.wants.fit(column) else {
            return NAME_SHARE.mul_add(of_name, (1.0 - NAME_SHARE) * UNKNOWN_FIT);
        };
        let likeness = NAME_SHARE.mul_add(of_name, (1.0 - NAME_SHARE) * fit.max(0.0));
        if fit < 0.0 {
            // The values speak against it, whatever it is called.
            return likeness * 0.4;
        }
        if fit > 0.95 && self.wants.is_telling() {
            return likeness.max(TELLING.mul_add(fit, 0.1 * of_name) - 0.1);
        }
        likeness
    }
}

impl Wants {
    /// Whether hardly anything else has such values.
    fn is_telling(&self) -> bool {
        match self {
            Self::NhsNumber => true,
            // Unknown, Yes and No stand in every list.
            Self::Codes(lists) => lists.iter().any(|list| list.len() > 2),
            _ => false,
        }
    }

    /// How well the values fit, from -1 to 1; `None` where nothing can be said.
    fn fit(&self, column: &Column) -> Option<f64> {
        if column.filled == 0 {
            return None;
        }
        let share = |fits: &dyn Fn(Shape) -> bool| column.per_mille(fits);
        let judged = |share: u64, good: f64| Some(if share >= FITTING { good } else { -1.0 });
        match self {
            Self::Unknown => None,
            Self::Days => {
                judged(share(&|shape| matches!(shape, Shape::Day(_) | Shape::DayCell | Shape::Time)), 1.0)
            }
            Self::NhsNumber => judged(share(&|shape| shape == Shape::NhsNumber), 1.0),
            Self::Postcode => judged(share(&|shape| shape == Shape::Postcode), 1.0),
            Self::Amount => {
                judged(share(&|shape| matches!(shape, Shape::Money | Shape::Number | Shape::Whole)), 1.0)
            }
            Self::Whole => judged(share(&|shape| shape == Shape::Whole), 1.0),
            Self::YesNo => judged(share(&|shape| shape == Shape::YesNo), 1.0),
            Self::Id => judged(share(&|shape| matches!(shape, Shape::Id | Shape::Whole)), 0.8),
            Self::Name => judged(share(&|shape| matches!(shape, Shape::Words | Shape::Text)), 0.7),
            Self::Prose => judged(
                share(&|shape| matches!(shape, Shape::Words | Shape::Text | Shape::Id | Shape::YesNo)),
                0.5,
            ),
            Self::Codes(lists) => {
                let words = column.words.as_ref()?;
                let all: u64 = words.values().sum();
                let best = lists.iter().map(|list| {
                    let met = words.iter().filter(|(word, _)| list.contains(&plain(word)));
                    let count: u64 = met.map(|(_, count)| count).sum();
                    (count * 1_000).checked_div(all).unwrap_or_default()
                });
                match best.max().unwrap_or_default() {
                    // Short codes such as 1 and 2 stand in many lists, and in no list at all.
                    950.. if words.keys().any(|word| is_spelt(word)) => Some(1.0),
                    950.. => Some(0.5),
                    500..950 => Some(0.6),
                    // Local words for the same thing are to be expected.
                    _ => Some(-0.2),
                }
            }
        }
    }
}

/// Whether a word is spelt out.
fn is_spelt(word: &str) -> bool {
    word.chars().filter(|letter| letter.is_alphabetic()).count() >= SPELT_LETTERS
}

/// A word without regard to case, blanks and marks: local spellings differ in these.
fn plain(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Every table of the mappings at hand.
pub(super) fn models(library: &Library, layout: &Layout) -> Result<Vec<Model>, Diagnostics> {
    let mut raws = Vec::new();
    for name in library.names() {
        let raw = file::parse(library.text(name).unwrap_or_default(), name)?;
        let is_tree = ["xml", "json", "ndjson"].contains(&raw.format.name.value.as_str());
        let is_table = ["csv", "xlsx"].contains(&raw.format.name.value.as_str());
        if is_table || (is_tree && layout.is_tree()) {
            raws.push(raw);
        }
    }
    // Of two that fit as well, the one of the same format.
    raws.sort_by_key(|raw| raw.format.name.value != layout.format());
    let mut models = Vec::new();
    for raw in &raws {
        let mut sheets: Vec<Option<String>> = Vec::new();
        for record in &raw.records {
            let sheet = record.sheet.as_ref().map(|sheet| sheet.value.clone());
            if !sheets.contains(&sheet) {
                sheets.push(sheet);
            }
        }
        for sheet in sheets {
            let concepts = columns_of(raw, sheet.as_deref())
                .into_iter()
                .map(|name| concept(name, raw, sheet.as_deref(), &raws, library))
                .collect();
            models.push(Model { mapping: raw.clone(), sheet, concepts });
        }
    }
    Ok(models)
}

/// The fields of a person that no layout at hand need have.
pub(super) fn spare() -> Vec<Concept> {
    let fields = schema::of(Kind::Person).fields.iter();
    fields
        .map(|field| {
            let name = field.name.replace('_', " ");
            let wants = match &field.holds {
                Holds::Day => Wants::Days,
                Holds::Integer => Wants::Whole,
                Holds::Number => Wants::Amount,
                Holds::Truth => Wants::YesNo,
                Holds::Word(words) => Wants::Codes(vec![words.iter().map(|word| plain(word)).collect()]),
                Holds::Text | Holds::Texts => Wants::Prose,
            };
            Concept {
                names: vec![(words(&name), 1.0)],
                uses: vec![(Kind::Person, RawField::plain(field.name, &name))],
                name,
                is_key: false,
                is_condition: false,
                is_conditional: false,
                wants,
                source: Source::new("", ""),
            }
        })
        .collect()
}

fn columns_of(raw: &RawMapping, sheet: Option<&str>) -> Vec<String> {
    let listed = raw.format.columns.iter().find(|(of, _)| of.as_str() == sheet.unwrap_or_default());
    if let Some((_, columns)) = listed {
        return columns.clone();
    }
    let mut columns: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !columns.iter().any(|known| known == name) {
            columns.push(name.to_owned());
        }
    };
    for record in records_of(raw, sheet) {
        let parts = record.subject.iter().chain(raw.subject.iter()).chain(&record.key);
        parts.flat_map(|key| &key.parts).for_each(|part| {
            if let RawPart::Cell(name, _) = part {
                add(&name.value);
            }
        });
        record.fields.iter().flat_map(|field| &field.from).for_each(|name| add(&name.value));
        record.when.iter().for_each(|when| addresses_of(&when.value, &mut add));
    }
    columns
}

fn records_of<'r>(raw: &'r RawMapping, sheet: Option<&'r str>) -> impl Iterator<Item = &'r RawRecord> {
    raw.records.iter().filter(move |record| record.sheet.as_ref().map(|sheet| sheet.value.as_str()) == sheet)
}

fn concept(
    name: String,
    raw: &RawMapping,
    sheet: Option<&str>,
    all: &[RawMapping],
    library: &Library,
) -> Concept {
    let factors = std::iter::once(1.0).chain(std::iter::repeat(LAST_PART));
    let mut names: Vec<(Vec<String>, f64)> = readings(&name).into_iter().zip(factors).collect();
    let mut uses = Vec::new();
    let (mut is_key, mut is_condition, mut is_conditional) = (false, false, false);
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for record in records_of(raw, sheet) {
        let Ok(kind) = record.kind.value.parse::<Kind>() else { continue };
        let is_cell = |part: &RawPart| matches!(part, RawPart::Cell(cell, _) if cell.value == name);
        let subject = record.subject.as_ref().or(raw.subject.as_ref());
        is_key |= subject.into_iter().chain(&record.key).any(|key| key.parts.iter().any(is_cell));
        if let Some(when) = &record.when {
            let before = asked.len();
            asked_of(&when.value, &name, &mut asked);
            is_condition |= asked.len() > before;
        }
        for field in record.fields.iter().filter(|field| field.from.iter().any(|from| from.value == name)) {
            is_conditional |= record.when.is_some();
            uses.push((kind, field.clone()));
        }
    }
    is_condition |= !asked.is_empty();
    let mut wants = Wants::Unknown;
    for (kind, field) in uses.iter().filter(|(_, field)| field.from.len() == 1) {
        if matches!(wants, Wants::Unknown | Wants::Prose) {
            wants = wants_of(*kind, field, library);
        }
        names.push((words(&field.to.value.replace('_', " ")), 0.85));
        for (other, theirs) in others(*kind, &field.to.value, all) {
            if other != name {
                names.extend(readings(&other).into_iter().map(|words| (words, 0.95)));
            }
            // Another system's words for the same field do as well.
            if let (Wants::Codes(lists), Wants::Codes(more)) = (&mut wants, wants_of(*kind, &theirs, library))
            {
                lists.extend(more);
            }
        }
    }
    if matches!(wants, Wants::Unknown) && !asked.is_empty() {
        wants = Wants::Codes(vec![asked.iter().map(|word| plain(word)).collect()]);
    }
    if matches!(wants, Wants::Unknown) && is_key {
        wants = Wants::Id;
    }
    if matches!(wants, Wants::Unknown) && words(&name).iter().any(|word| word == "date") {
        wants = Wants::Days;
    }
    let source = raw.source.clone();
    Concept { name, uses, is_key, is_condition, is_conditional, names, wants, source }
}

/// The columns of all layouts that become a field, with the line that says so.
fn others(kind: Kind, field: &str, all: &[RawMapping]) -> Vec<(String, RawField)> {
    let records = all.iter().flat_map(|raw| &raw.records);
    let of_kind = records.filter(|record| record.kind.value == kind.as_str() && record.when.is_none());
    of_kind
        .flat_map(|record| &record.fields)
        .filter(|other| other.to.value == field)
        .filter_map(|other| match other.from.as_slice() {
            [from] => Some((from.value.clone(), other.clone())),
            _ => None,
        })
        .collect()
}

/// The addresses that a condition asks for.
fn addresses_of(condition: &RawCondition, add: &mut impl FnMut(&str)) {
    match condition {
        RawCondition::All(several) | RawCondition::Any(several) => {
            several.iter().for_each(|one| addresses_of(&one.value, add));
        }
        RawCondition::Not(one) => addresses_of(&one.value, add),
        RawCondition::Test { address, .. } => add(&address.value),
    }
}

fn asked_of(condition: &RawCondition, name: &str, out: &mut BTreeSet<String>) {
    match condition {
        RawCondition::All(several) | RawCondition::Any(several) => {
            several.iter().for_each(|one| asked_of(&one.value, name, out));
        }
        RawCondition::Not(one) => asked_of(&one.value, name, out),
        RawCondition::Test { address, test, against, .. } => {
            if address.value == name && ["is", "in"].contains(&test.value.as_str()) {
                out.extend(against.iter().map(|text| text.value.clone()));
            }
        }
    }
}

fn wants_of(kind: Kind, field: &RawField, library: &Library) -> Wants {
    if let Some(name) = &field.codes {
        let list = library.find(&name.value).and_then(|source| CodeList::parse(&name.value, &source).ok());
        let words = list.map(|list| list.sources().into_iter().map(plain).collect());
        return words.map_or(Wants::Unknown, |words| Wants::Codes(vec![words]));
    }
    for op in field.pipeline.iter().flatten() {
        let wants = match op.name.value.as_str() {
            "nhs-number" => Wants::NhsNumber,
            "postcode" | "postcode-district" => Wants::Postcode,
            "date" | "date-time" | "dd-timestamp" | "fhir-date" | "hl7-date" => Wants::Days,
            "money" | "cost" | "number" | "scale" => Wants::Amount,
            "integer" => Wants::Whole,
            "yes-no" | "true-false" => Wants::YesNo,
            "id" | "pad" => Wants::Id,
            "words" => match op.argument.as_ref().map(|argument| &argument.value) {
                Some(Node::Table(entries)) => {
                    Wants::Codes(vec![entries.iter().map(|(word, _)| plain(&word.value)).collect()])
                }
                _ => continue,
            },
            _ => continue,
        };
        return wants;
    }
    let Some(known) = schema::of(kind).field(&field.to.value) else { return Wants::Unknown };
    match &known.holds {
        Holds::Day => Wants::Days,
        Holds::Integer => Wants::Whole,
        Holds::Number => Wants::Amount,
        Holds::Truth => Wants::YesNo,
        Holds::Word(words) => Wants::Codes(vec![words.iter().map(|word| plain(word)).collect()]),
        Holds::Text if known.privacy.is_sealed() && known.name.contains("name") => Wants::Name,
        Holds::Text if known.name.ends_with("_ref") || known.name.ends_with("_id") => Wants::Id,
        Holds::Text | Holds::Texts => Wants::Prose,
    }
}
