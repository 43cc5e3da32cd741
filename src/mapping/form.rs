//! An empty workbook in a mapping's layout, for people to fill in.

use crate::format::settings::FormatKind;
use crate::format::writer::form::{Form, FormColumn, FormSheet, Takes};
use crate::mapping::Mapping;
use crate::mapping::compile::{Blank, Block, Part, Rule, is_allowed};
use crate::mapping::op::Op;
use crate::mapping::op::value::Value;
use crate::mapping::read::is_of;
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::record::schema::Holds;

/// The largest whole number that a form checks for; the star ends at 10, beds at some hundred.
const WHOLE_MAX: i32 = 999;

/// The row of the column names where the mapping does not say it.
const HEADER_ROW: u64 = 3;

impl Mapping {
    /// The form of a workbook mapping, with so many rows a sheet; `None` where it is of another
    /// format or does not list its columns. `new_id` gives the id of one row.
    pub fn form(&self, rows: u32, mut new_id: impl FnMut() -> String) -> Option<Form> {
        let FormatKind::Xlsx(settings) = &self.settings.format else { return None };
        let listed = self.columns.iter().filter(|(sheet, _)| !sheet.is_empty());
        let sheets: Vec<FormSheet> = listed
            .map(|(sheet, columns)| {
                let blocks: Vec<&Block> = self
                    .blocks
                    .iter()
                    .map(|block| &**block)
                    .filter(|block| is_of(block.sheet.as_deref(), Some(sheet)))
                    .collect();
                let declared = settings.sheets.iter().find(|of| of.name == *sheet);
                let header_row = declared.and_then(|of| of.header_row).unwrap_or(HEADER_ROW);
                let main = blocks.iter().find(|block| block.drives).or_else(|| blocks.first());
                FormSheet {
                    name: sheet.clone(),
                    about: main.map(|block| about(block)).unwrap_or_default(),
                    header_row: u32::try_from(header_row).unwrap_or_default(),
                    columns: columns
                        .iter()
                        .map(|name| self.form_column(name, &blocks, rows, &mut new_id))
                        .collect(),
                    rows,
                }
            })
            .collect();
        (!sheets.is_empty()).then(|| Form { title: self.title.clone(), notes: notes(), sheets })
    }

    fn form_column(
        &self,
        name: &str,
        blocks: &[&Block],
        rows: u32,
        new_id: &mut impl FnMut() -> String,
    ) -> FormColumn {
        let column = |note: String, takes| FormColumn { name: name.to_owned(), note, takes };
        if blocks.iter().any(|block| block.row_id.as_deref() == Some(name)) {
            let ids = (0..rows).map(|_| new_id()).collect();
            return column("Made by the program. Leave it as it is.".to_owned(), Takes::RowIds(ids));
        }
        let of_column = blocks.iter().flat_map(|block| block.rules.iter().map(move |rule| (*block, rule)));
        let mut of_column = of_column.filter(|(_, rule)| rule.from.iter().any(|from| from == name));
        let found = of_column.clone().find(|(_, rule)| !rule.one_way).or_else(|| of_column.next());
        let Some((block, rule)) = found else {
            let is_subject = blocks.iter().any(|block| is_part(&block.subject, name));
            return match self.people().filter(|_| is_subject) {
                Some((sheet, at)) => column(
                    format!(
                        "Whom the row is about: the reference as it stands on the sheet {sheet}. It has to be filled."
                    ),
                    Takes::Of(sheet, at),
                ),
                None => column(
                    "What this row is called here. It tells one row from another.".to_owned(),
                    Takes::Text,
                ),
            };
        };
        let takes = takes(block, rule);
        let mut note = plain(&rule.field.description);
        note.push_str(match &takes {
            Takes::Day => " A date, as dd/mm/yyyy.",
            Takes::OneOf(_) => " Choose from the list.",
            _ => "",
        });
        if let (Takes::Text, Some(codes), Some(Op::List(between))) = (&takes, &rule.codes, rule.steps.last())
        {
            note.push_str(&format!(
                " Of these, `{}` between them: {}.",
                between.0,
                codes.choices().join(", ")
            ));
        }
        if rule.blank == Blank::Reject || rule.blank == Blank::Quarantine {
            note.push_str(" It has to be filled.");
        }
        column(note, takes)
    }

    /// The sheet that has a row a person, and the place of their reference on it.
    fn people(&self) -> Option<(String, u16)> {
        let block = self.blocks.iter().find(|block| block.kind == Kind::Person && block.drives)?;
        let sheet = block.sheet.as_ref()?;
        let [Part::Cell(address, _)] = block.subject.as_slice() else { return None };
        let (_, columns) = self.columns.iter().find(|(name, _)| name == sheet)?;
        let at = columns.iter().position(|column| column == address)?;
        Some((sheet.clone(), u16::try_from(at).ok()?))
    }
}

fn is_part(parts: &[Part], name: &str) -> bool {
    parts.iter().any(|part| matches!(part, Part::Cell(address, _) if address == name))
}

/// What one row is: the kind, and what the sheet says of it by being itself.
fn about(block: &Block) -> String {
    let said = block.rules.iter().filter_map(|rule| match &rule.value {
        Some(Draft::Text(text)) => Some(text.replace('-', " ")),
        _ => None,
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() {
        return format!("One row for each {}. {}", block.kind, plain(&block.schema.description));
    }
    format!("One row for each {}: {}.", block.kind, said.join(", "))
}

/// A description as a sentence of its own.
fn plain(description: &str) -> String {
    let mut text = String::new();
    let mut depth = 0_usize;
    // What stands in brackets is for whoever programs.
    for letter in description.trim().chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '`' => {}
            letter if depth == 0 => text.push(letter),
            _ => {}
        }
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ,", ",").replace(" .", ".");
    if text.is_empty() || text.ends_with(['.', '?', '!']) { text } else { format!("{text}.") }
}

fn takes(block: &Block, rule: &Rule) -> Takes {
    if let Some(codes) = &rule.codes {
        return match rule.field.holds {
            // A drop-down gives one word, and several may stand here.
            Holds::Texts => Takes::Text,
            _ => Takes::OneOf(codes.choices()),
        };
    }
    for op in &rule.steps {
        match op {
            Op::Words(words) => return Takes::OneOf(words.0.choices()),
            Op::NhsNumber(_) => return Takes::Letters(10, 12),
            Op::Postcode(_) => return Takes::Letters(5, 8),
            Op::YesNo(_) => {
                let written = [true, false].map(|truth| op.write(Value::Truth(truth)).ok());
                let words = written.into_iter().flatten().map(|word| word.plain().into_owned());
                return Takes::OneOf(words.collect());
            }
            _ => {}
        }
    }
    match &rule.field.holds {
        Holds::Day => Takes::Day,
        Holds::Word(words) => Takes::OneOf(words.clone()),
        Holds::Truth => Takes::OneOf(vec!["true".to_owned(), "false".to_owned()]),
        Holds::Number => Takes::Number,
        Holds::Integer => {
            let fits = |number: &i32| is_allowed(block.schema, rule.field, Draft::Number((*number).into()));
            let from = (0..=WHOLE_MAX).find(&fits).unwrap_or_default();
            let to = (0..=WHOLE_MAX).rev().find(&fits).unwrap_or(WHOLE_MAX);
            Takes::Whole(from, to)
        }
        Holds::Text | Holds::Texts => Takes::Text,
    }
}

/// How the workbook is filled in.
fn notes() -> Vec<String> {
    [
        "Fill in one row for each thing. What belongs in a column is said when you go to a cell of it, and in the note on its name.",
        "Where there is a list, choose from it. The words of all lists stand on the last sheet. If none fits, ask; do not enter another word.",
        "Dates are dates: 05/07/2024. Leave a date empty until it is known. Do not write \"TBC\", \"?\" or \"Sept 23\".",
        "References, NHS numbers and postcodes are kept as text, so that no nought is lost at the front.",
        "To correct something, correct the row that is there. Each row has an id of its own, hidden and locked, by which a corrected date is known as a correction. Do not copy a row to correct it.",
        "A new thing goes on the next free row. To take a row out, clear what you have entered in it.",
        "Colour says nothing to the program. Whatever matters is a word in a column.",
        "Leaving the programme is one thing, withdrawing consent another: the first is entered under Clients, the second is a row of its own under Consents.",
        "Keep the names of the sheets and columns as they are. Columns may be made wider.",
    ]
    .map(str::to_owned)
    .to_vec()
}
