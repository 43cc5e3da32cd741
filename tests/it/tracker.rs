//! `wayleave tracker new`: what the empty workbook checks, and that the tracker's mapping reads it
//! once it is filled in.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

fn wayleave(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let output = command.current_dir(folder).args(words).output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn part(folder: &Path, name: &str) -> String {
    let mut archive = ZipArchive::new(File::open(folder.join("new tracker.xlsx")).unwrap()).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// The names of the sheets in the workbook's order.
fn sheets(folder: &Path) -> Vec<String> {
    let book = part(folder, "xl/workbook.xml");
    book.split("<sheet name=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// The part of the sheet of that name.
fn sheet(folder: &Path, name: &str) -> String {
    let names = sheets(folder);
    let at = names.iter().position(|known| known == name).unwrap_or_else(|| panic!("{names:?}"));
    format!("xl/worksheets/sheet{}.xml", at + 1)
}

fn attribute<'x>(tag: &'x str, name: &str) -> &'x str {
    tag.split_once(&format!("{name}=\""))
        .unwrap_or_else(|| panic!("no {name} in {tag}"))
        .1
        .split('"')
        .next()
        .unwrap()
}

/// The style of a column, which a cell typed into it takes.
fn style(text: &str, column: u32) -> &str {
    let tags = text.split("<col ").skip(1).map(|rest| rest.split("/>").next().unwrap());
    let of = |tag: &&str| {
        let bound = |name| attribute(tag, name).parse::<u32>().unwrap();
        (bound("min")..=bound("max")).contains(&column)
    };
    attribute(tags.into_iter().find(of).unwrap(), "style")
}

/// Enters cells into a row of a sheet, before its id, as a person would type them.
fn enter(folder: &Path, name: &str, row: u32, cells: &[(char, &str)]) {
    let target = sheet(folder, name);
    let path = folder.join("new tracker.xlsx");
    let mut archive = ZipArchive::new(File::open(&path).unwrap()).unwrap();
    let mut out = ZipWriter::new(File::create(folder.join("filled.xlsx")).unwrap());
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if name == target {
            let text = String::from_utf8(bytes).unwrap();
            let head = format!("<row r=\"{row}\"");
            // A row without an id of its own is not there until something is typed into it.
            let text = if text.contains(&head) {
                text
            } else {
                text.replace("</sheetData>", &format!("{head}></row></sheetData>"))
            };
            let (before, after) = text.split_once(&head).unwrap();
            let (tag, rest) = after.split_once('>').unwrap();
            let typed: String = cells
                .iter()
                .map(|(column, value)| {
                    let style = style(&text, u32::from(*column) - u32::from('A') + 1);
                    match value.parse::<f64>() {
                        Ok(number) => format!("<c r=\"{column}{row}\" s=\"{style}\"><v>{number}</v></c>"),
                        Err(_) => format!(
                            "<c r=\"{column}{row}\" s=\"{style}\" t=\"inlineStr\"><is><t>{value}</t></is></c>"
                        ),
                    }
                })
                .collect();
            // What was typed there before is typed over.
            let (old, kept) = rest.split_once("</row>").unwrap();
            let is_id =
                |cell: &&str| !cells.iter().any(|(column, _)| cell.starts_with(&format!("<c r=\"{column}")));
            let id = old.rfind("<c ").map(|at| &old[at..]).filter(is_id).unwrap_or_default();
            bytes = format!("{before}{head}{tag}>{typed}{id}</row>{kept}").into_bytes();
        }
        out.start_file(name, SimpleFileOptions::default()).unwrap();
        out.write_all(&bytes).unwrap();
    }
    out.finish().unwrap();
    std::fs::rename(folder.join("filled.xlsx"), path).unwrap();
}

/// Day 44296 of a spreadsheet's count.
const TENTH_OF_APRIL_2021: &str = "44296";

fn records(folder: &Path) -> Vec<Value> {
    let words = ["convert", "--mapping", "housing/tracker", "new tracker.xlsx", "out.ndjson"];
    let (code, _, err) = wayleave(folder, &words);
    assert_eq!(code, 0, "{err}");
    let text = std::fs::read_to_string(folder.join("out.ndjson")).unwrap();
    text.lines()
        .flat_map(|line| {
            let unit: Value = serde_json::from_str(line).unwrap();
            unit["records"].as_array().unwrap().clone()
        })
        .collect()
}

#[test]
fn an_empty_tracker_checks_what_is_typed_and_is_read_back() {
    let folder = crate::support::folder();
    let folder = folder.path();
    let (code, out, err) = wayleave(folder, &["tracker", "new", "new tracker.xlsx", "--rows", "20"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, "made new tracker.xlsx: 39 sheets, 20 rows on each, in the layout of housing/tracker\n");
    let clients = part(folder, &sheet(folder, "Clients"));
    let stars = part(folder, &sheet(folder, "Stars"));
    for text in [&clients, &stars] {
        assert!(text.contains("<dataValidation type=\"list\""), "drop-downs");
        assert!(text.contains("<dataValidation type=\"date\""), "date checks");
        assert!(text.contains("<sheetProtection "), "locked");
        assert!(text.contains("state=\"frozen\""), "headings in sight");
    }
    assert!(stars.contains("<dataValidation type=\"whole\""), "scores");
    assert!(stars.contains("<formula1>1</formula1><formula2>10</formula2>"), "from 1 to 10");
    assert!(stars.contains("'Clients'!$A$4") || stars.contains("Clients!$A$4"), "clients are chosen");
    // The id is hidden, and filled in on every row that is ready.
    let hidden: Vec<&str> = stars.split("<col ").skip(1).filter(|tag| tag.contains("hidden=\"1\"")).collect();
    assert_eq!(hidden.len(), 1, "{hidden:?}");
    assert_eq!(stars.matches("<c r=\"T").count(), 21);
    assert!(part(folder, "xl/comments1.xml").contains("It has to be filled."));
    // Nobody stands in it yet, and rows that are only ready are no units.
    assert!(records(folder).is_empty());

    enter(folder, "Clients", 4, &[('A', "PI901"), ('D', "Ada"), ('G', "Female")]);
    let star = |day: &'static str| [('A', "PI901"), ('B', day), ('C', "RS3"), ('K', "5")];
    enter(folder, "Stars", 4, &star(TENTH_OF_APRIL_2021));
    let first = records(folder);
    let of = |records: &[Value]| {
        records.iter().find(|record| record["kind"] == "star").cloned().unwrap_or_default()
    };
    assert_eq!(first.len(), 2, "{first:?}");
    assert_eq!(of(&first)["fields"]["completed_on"], "2021-04-10");
    assert!(of(&first)["key"].as_str().unwrap().starts_with('#'), "{first:?}");
    // A corrected date is the same record.
    enter(folder, "Stars", 4, &star("44297"));
    let second = records(folder);
    assert_eq!(of(&second)["fields"]["completed_on"], "2021-04-11");
    assert_eq!(of(&first)["key"], of(&second)["key"]);

    // A tracker that is in use is never overwritten.
    let (code, _, err) = wayleave(folder, &["tracker", "new", "new tracker.xlsx"]);
    assert_eq!(code, 2);
    assert!(err.contains("never overwritten"), "{err}");
    let (code, _, err) = wayleave(folder, &["tracker", "new", "x.xlsx", "--mapping", "council/cld"]);
    assert_eq!(code, 2);
    assert!(err.contains("no layout of a workbook"), "{err}");
}

/// Each activity of the programme has a sheet, and what is entered there says which it is.
#[test]
fn each_milestone_has_a_sheet_of_its_own() {
    let folder = crate::support::folder();
    let folder = folder.path();
    let (code, _, err) = wayleave(folder, &["tracker", "new", "new tracker.xlsx", "--rows", "2"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let names = sheets(folder);
    let milestones: Vec<&String> =
        names.iter().skip_while(|name| *name != "Settings").skip(1).filter(|name| *name != "Lists").collect();
    // The first sheet leads to each.
    let read_me = part(folder, &sheet(folder, "Read me"));
    for name in &milestones {
        assert!(read_me.contains(&format!("location=\"'{name}'!A1\"")), "no way to {name}");
    }
    enter(folder, "Clients", 4, &[('A', "PI901"), ('D', "Ada"), ('G', "Female")]);
    for name in &milestones {
        enter(folder, name, 4, &[('A', "PI901"), ('B', TENTH_OF_APRIL_2021), ('D', "Done")]);
    }
    let found: BTreeSet<String> = records(folder)
        .iter()
        .filter(|record| record["kind"] == "milestone")
        .map(|record| record["fields"]["activity"].as_str().unwrap().to_owned())
        .collect();
    let list = include_str!("../../mappings/codes/tracker/activity.csv");
    let rows = list.lines().filter(|line| !line.starts_with('#')).skip(1);
    let all: BTreeSet<String> = rows.map(|row| row.split(',').nth(1).unwrap().to_owned()).collect();
    assert_eq!(all.len(), 33);
    assert_eq!(found, all);

    // What one milestone asks and others do not, and a date that is corrected.
    let asked = [('A', "PI901"), ('B', TENTH_OF_APRIL_2021), ('F', "Rent arrears"), ('G', "Benefit claimed")];
    enter(folder, "Barriers to Access", 4, &asked);
    let of = |records: Vec<Value>| {
        records.into_iter().find(|record| record["fields"]["activity"] == "barriers-to-access").unwrap()
    };
    let first = of(records(folder));
    assert_eq!(first["fields"]["barrier"], "rent-arrears");
    assert_eq!(first["fields"]["action_taken"], "benefit-claimed");
    enter(folder, "Barriers to Access", 4, &[('A', "PI901"), ('B', "44297")]);
    let second = of(records(folder));
    assert_eq!(second["fields"]["planned_on"], "2021-04-11");
    assert_eq!(first["key"], second["key"]);
}

/// The notes that a person reads, and what each column takes.
#[test]
fn the_notes_are_in_plain_words() {
    let library = wayleave::mapping::library::Library::shipped();
    let mapping = library.mapping("housing/tracker").unwrap_or_else(|error| panic!("{error}"));
    let form = mapping.form(1, || "id".to_owned()).unwrap();
    let mut text = form.notes.join("\n") + "\n";
    for sheet in &form.sheets {
        text.push_str(&format!("\n{}: {}\n", sheet.name, sheet.about));
        for column in &sheet.columns {
            let takes = match &column.takes {
                wayleave::format::writer::form::Takes::OneOf(words) => {
                    format!("one of {} words", words.len())
                }
                other => format!("{other:?}"),
            };
            text.push_str(&format!("  {} ({takes}): {}\n", column.name, column.note));
        }
    }
    insta::assert_snapshot!(text);
}
