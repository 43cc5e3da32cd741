//! A proposed mapping for a file that nobody has mapped yet.
//!
//! Everything is proposed from what is known: the layouts of the mappings at hand, their code
//! lists, the ways in which people shorten and rename columns, and the shapes of the values. Each
//! table is modelled on the layout that fits it best, so that conditions and keys come with the
//! fields; what is left over is looked for among the other layouts and the fields of a person.
//! Where a column stands in its table says nothing.

mod concept;
mod line;
mod name;
mod record;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use crate::mapping::diagnostic::Diagnostics;
use crate::mapping::library::Library;
use crate::mapping::profile::{Column, Profile};
use concept::{Concept, Model};
use name::Weights;

/// Below this a column is given no field of the layout that its table is modelled on.
const LIKENESS_MIN: f64 = 0.42;

/// Below this it is given none of another layout, whose other columns do not speak for it.
const LIKENESS_ELSEWHERE_MIN: f64 = 0.62;

/// What is asked for.
pub struct Unknown<'f> {
    /// The file's name, for the draft's own.
    pub name: &'f str,
    /// What it is.
    pub layout: Layout,
    /// What the file looks like.
    pub profile: &'f Profile<'f>,
    /// Lists of a tree of which only the first item is looked at.
    pub unclear: Vec<String>,
}

/// What an unknown file is, as far as its mapping has to say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// A text table.
    Table,
    /// A workbook.
    Workbook,
    /// An XML document, and the names that lead to its units.
    Xml(Vec<String>),
    /// JSON, and the names that lead to its units.
    Json(Vec<String>),
    /// One JSON object after another.
    Lines,
}

impl Layout {
    /// True for what has addresses and no columns.
    #[must_use]
    pub const fn is_tree(&self) -> bool {
        matches!(self, Self::Xml(_) | Self::Json(_) | Self::Lines)
    }

    /// The format's name in a mapping.
    #[must_use]
    pub const fn format(&self) -> &'static str {
        match self {
            Self::Table => "csv",
            Self::Workbook => "xlsx",
            Self::Xml(_) => "xml",
            Self::Json(_) => "json",
            Self::Lines => "ndjson",
        }
    }
}

/// A draft.
pub struct Drafted {
    /// The mapping, as a file.
    pub text: String,
    /// What each column becomes.
    pub proposals: Vec<Proposal>,
    /// The layouts that it is modelled on, by sheet.
    pub models: Vec<(Option<String>, String)>,
}

/// What is proposed for one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Its sheet, in a workbook.
    pub sheet: Option<String>,
    /// Its name.
    pub column: String,
    /// What its values look like.
    pub holds: String,
    /// The fields it becomes, as `kind.field`; `key` and `condition` where it serves as one.
    pub becomes: Vec<String>,
    /// The column of a known layout that it is taken for.
    pub taken_for: Option<String>,
    /// How sure that is, in percent.
    pub confidence: u8,
}

/// One column and what it is taken for.
struct Match<'m> {
    concept: &'m Concept,
    /// From 0 to 1.
    likeness: f64,
}

/// What was found for one table.
struct Table<'m> {
    sheet: Option<&'m str>,
    columns: Vec<&'m Column>,
    model: Option<&'m Model>,
    /// By column of the table.
    matches: BTreeMap<usize, Match<'m>>,
}

/// Drafts a mapping.
///
/// # Errors
/// Where a mapping at hand, from which it would be drafted, has faults.
pub fn draft(library: &Library, unknown: &Unknown<'_>) -> Result<Drafted, Diagnostics> {
    let models = concept::models(library, &unknown.layout)?;
    let spare = concept::spare();
    let all = models.iter().flat_map(|model| &model.concepts).chain(&spare);
    let weights = Weights::of(all.map(Concept::words));
    let mut tables = Vec::new();
    for sheet in sheets(unknown) {
        let of_sheet = |column: &&Column| column.sheet.as_deref() == sheet;
        let columns: Vec<&Column> = unknown.profile.columns.iter().filter(of_sheet).collect();
        tables.push(table(sheet, columns, &models, &spare, &weights));
    }
    Ok(text::drafted(unknown, &tables))
}

fn sheets<'f>(unknown: &Unknown<'f>) -> Vec<Option<&'f str>> {
    let mut sheets: Vec<Option<&str>> = Vec::new();
    for column in &unknown.profile.columns {
        if !sheets.contains(&column.sheet.as_deref()) {
            sheets.push(column.sheet.as_deref());
        }
    }
    sheets
}

fn table<'m>(
    sheet: Option<&'m str>,
    columns: Vec<&'m Column>,
    models: &'m [Model],
    spare: &'m [Concept],
    weights: &Weights,
) -> Table<'m> {
    // A name that stands twice cannot be addressed.
    let is_clear =
        |name: &str| !name.is_empty() && columns.iter().filter(|column| column.name == name).count() == 1;
    let named: Vec<Named<'_>> = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| is_clear(&column.name))
        .map(|(index, column)| (index, *column, name::readings(&column.name)))
        .collect();
    let mut best: (f64, Option<&Model>, BTreeMap<usize, Match<'_>>) = (0.0, None, BTreeMap::new());
    for model in models {
        let matches = assign(&named, &model.concepts, weights, LIKENESS_MIN);
        let read = matches.values().filter(|found| found.concept.is_read());
        // Few columns that fit well are worth more than many that fit a little.
        let fit: f64 = read.map(|found| found.likeness * found.likeness).sum();
        if fit > best.0 && matches.len() > 1 {
            best = (fit, Some(model), matches);
        }
    }
    let (_, model, mut matches) = best;
    let left: Vec<Named<'_>> = named.into_iter().filter(|(index, ..)| !matches.contains_key(index)).collect();
    let taken: BTreeSet<String> = matches.values().flat_map(|found| found.concept.fields()).collect();
    let elsewhere = models.iter().flat_map(|model| &model.concepts).chain(spare);
    let free: Vec<&Concept> = elsewhere
        .filter(|concept| concept.is_person() && !concept.fields().iter().any(|field| taken.contains(field)))
        .collect();
    for (index, found) in assign_of(&left, &free, weights, LIKENESS_ELSEWHERE_MIN) {
        matches.insert(index, found);
    }
    Table { sheet, columns, model, matches }
}

/// A column, its place, and the ways in which its name can be read.
type Named<'c> = (usize, &'c Column, Vec<Vec<String>>);

fn assign<'m>(
    columns: &[Named<'_>],
    concepts: &'m [Concept],
    weights: &Weights,
    likeness_min: f64,
) -> BTreeMap<usize, Match<'m>> {
    assign_of(columns, &concepts.iter().collect::<Vec<_>>(), weights, likeness_min)
}

/// Each column its concept and each concept its column, the most alike first. Two concepts of one
/// field are one.
fn assign_of<'m>(
    columns: &[Named<'_>],
    concepts: &[&'m Concept],
    weights: &Weights,
    likeness_min: f64,
) -> BTreeMap<usize, Match<'m>> {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (index, column, words) in columns {
        for (number, concept) in concepts.iter().enumerate() {
            let likeness = concept.likeness(column, words, weights);
            if likeness >= likeness_min {
                pairs.push((likeness, *index, number));
            }
        }
    }
    pairs.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)).then(one.2.cmp(&other.2)));
    let mut matches: BTreeMap<usize, Match<'m>> = BTreeMap::new();
    let mut used: BTreeSet<usize> = BTreeSet::new();
    let mut fields: BTreeSet<String> = BTreeSet::new();
    for (likeness, index, number) in pairs {
        let Some(concept) = concepts.get(number) else { continue };
        let of_it = concept.fields();
        if matches.contains_key(&index)
            || used.contains(&number)
            || of_it.iter().any(|field| fields.contains(field))
        {
            continue;
        }
        used.insert(number);
        fields.extend(of_it);
        matches.insert(index, Match { concept, likeness });
    }
    matches
}

/// A likeness in percent.
fn percent(likeness: f64) -> u8 {
    let whole = (likeness.clamp(0.0, 1.0) * 100.0).round();
    (0..=100).rev().find(|percent| f64::from(*percent) <= whole).unwrap_or_default()
}
