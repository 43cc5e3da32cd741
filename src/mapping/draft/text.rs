//! A draft as a mapping file, with what is left to decide beside it.

use super::concept::Model;
use super::line::{comment, list};
use super::record::{SUBJECT_LINE, Writer};
use super::{Drafted, Layout, Proposal, Table, Unknown, percent};
use crate::mapping::file::node::quoted;
use crate::mapping::profile::{Column, Shape};

/// Columns of the layout on one line of the draft.
const COLUMNS_A_LINE: usize = 4;

pub(super) fn drafted(unknown: &Unknown<'_>, tables: &[Table<'_>]) -> Drafted {
    let mut body = String::new();
    let mut left: Vec<String> = Vec::new();
    let mut proposals = Vec::new();
    let mut subject: Option<Vec<String>> = None;
    for table in tables {
        let mut writer = Writer::of(table, &unknown.layout);
        let of_table = writer.records();
        if subject.is_none() {
            subject = Some(writer.subject.clone());
        }
        let line = match &subject {
            Some(subject) if *subject == writer.subject => String::new(),
            _ => format!("subject = {}\n", list(&writer.subject)),
        };
        body.push_str(&of_table.replace(SUBJECT_LINE, &line));
        left.append(&mut writer.left);
        proposals.extend(table.proposals());
    }
    let mut text = head(unknown, tables, &proposals, &left);
    let subject = subject.unwrap_or_default();
    text.push_str(&format!("\n[subject]\nkey = {}\n", list(&subject)));
    text.push_str(&body);
    let models = tables
        .iter()
        .filter_map(|table| Some((table.sheet.map(str::to_owned), title(table.model?))))
        .collect();
    Drafted { text, proposals, models }
}

fn title(model: &Model) -> String {
    let name = &model.mapping.name.value;
    model.sheet.as_ref().map_or_else(|| name.clone(), |sheet| format!("{name} ({sheet})"))
}

fn head(unknown: &Unknown<'_>, tables: &[Table<'_>], proposals: &[Proposal], left: &[String]) -> String {
    let given = proposals.iter().filter(|proposal| !proposal.becomes.is_empty()).count();
    let mut text = format!(
        "# A draft for {}: {given} of {} columns are given a field.\n",
        comment(unknown.name),
        proposals.len()
    );
    for table in tables {
        if let Some(model) = table.model {
            let sheet = table.sheet.map(|sheet| format!("sheet {}, ", comment(sheet))).unwrap_or_default();
            text.push_str(&format!("# {sheet}modelled on {}\n", title(model)));
        }
    }
    text.push_str(
        "#\n# The percentages say how sure each line is. Read every line, settle what is listed below, and\n\
         # write cases before it is used.\n#\n# Left to decide\n\
         # - `name`, `title` and `version`: this is a draft's\n\
         # - `snapshot`: \"full\" where each file holds everything there is, so that what is gone is known\n\
         # - whether whoever is in the file is known thereby: `scope` of its source, in wayleave.toml\n",
    );
    for list in &unknown.unclear {
        text.push_str(&format!(
            "# - `{}`: nothing tells the items of this list apart; only the first is read\n",
            comment(list)
        ));
    }
    for line in left {
        text.push_str(&format!("# - {line}\n"));
    }
    let name = file_name(unknown.name);
    text.push_str(&format!(
        "\nname = \"draft/{name}\"\nversion = 1\ntitle = {}\nsnapshot = \"incremental\"\n",
        quoted(&format!("Draft for {}", unknown.name))
    ));
    text.push_str(&format(unknown, tables));
    text
}

fn format(unknown: &Unknown<'_>, tables: &[Table<'_>]) -> String {
    let listed: String =
        tables.iter().map(|table| format!("columns = {}\n", columns(&table.columns))).collect();
    match &unknown.layout {
        Layout::Workbook => {
            let sheets = tables.iter().map(|table| {
                format!("{} = {}\n", quoted(table.sheet.unwrap_or_default()), columns(&table.columns))
            });
            format!("\n[format.xlsx]\n\n[format.xlsx.columns]\n{}", sheets.collect::<String>())
        }
        Layout::Table => format!(
            "\n[format.csv]\n# encoding and separator are found out for each file; declare them where they are known\nheader = \"exact\"\n{listed}"
        ),
        Layout::Xml(units) => format!("\n[format.xml]\nunits = {}\n{listed}", quoted(&units.join("."))),
        Layout::Json(units) if units.is_empty() => "\n[format.json]\n".to_owned(),
        Layout::Json(units) => format!("\n[format.json]\nunits = {}\n", quoted(&units.join("."))),
        Layout::Lines => "\n[format.ndjson]\n".to_owned(),
    }
}

fn columns(columns: &[&Column]) -> String {
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let lines: Vec<String> =
        names.chunks(COLUMNS_A_LINE).map(|names| format!("  {},\n", names.join(", "))).collect();
    format!("[\n{}]", lines.concat())
}

/// A file's name as the second half of a mapping's.
fn file_name(name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_lowercase();
    let plain: String =
        stem.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "file".to_owned() } else { words.join("-") }
}

impl Table<'_> {
    fn proposals(&self) -> Vec<Proposal> {
        let shown = self.columns.iter().enumerate();
        shown
            .map(|(index, column)| {
                let found = self.matches.get(&index);
                let mut becomes: Vec<String> = Vec::new();
                for (kind, field) in found.iter().flat_map(|found| &found.concept.uses) {
                    let name = format!("{kind}.{}", field.to.value);
                    if !becomes.contains(&name) {
                        becomes.push(name);
                    }
                }
                if let Some(found) = found {
                    let roles = [(found.concept.is_key, "key"), (found.concept.is_condition, "condition")];
                    becomes.extend(roles.iter().filter(|(is, _)| *is).map(|(_, role)| (*role).to_owned()));
                }
                Proposal {
                    sheet: column.sheet.clone(),
                    column: column.name.clone(),
                    holds: column.usual().map_or_else(|| "nothing".to_owned(), Shape::said),
                    becomes,
                    taken_for: found.map(|found| found.concept.name.clone()),
                    confidence: found.map_or(0, |found| percent(found.likeness)),
                }
            })
            .collect()
    }
}
