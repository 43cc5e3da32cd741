//! `wayleave mapping draft` and `drift`: a mapping proposed for an unknown file, and what has
//! changed in a known one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use assert_cmd::Command;
use wayleave::mapping::Mapping;
use wayleave::mapping::compile::Part;
use wayleave::mapping::library::Library;
use wayleave::synth::render::cld;
use wayleave::synth::render::table::{Cell, Table, text};
use wayleave::synth::seed::Seed;
use wayleave::synth::world::invented;

fn wayleave(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let output = command.current_dir(folder).args(words).output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// What councils call the columns in their own reports.
const LOCAL: &[(&str, &[&str])] = &[
    ("LA Code", &["Authority Code", "LA_CODE"]),
    ("Reporting Period Start Date", &["Period Start", "ReportStartDate"]),
    ("Reporting Period End Date", &["Period End", "ReportEndDate"]),
    ("NHS Number", &["NHS No.", "NHSNumber", "nhs_no"]),
    ("LA Person Unique Identifier", &["LAS ID", "Client ID", "Person Ref"]),
    ("First Name", &["Forename", "Given name", "FIRSTNAME"]),
    ("Last Name", &["Surname", "Family Name", "LASTNAME"]),
    ("GP Practice Name", &["GP Surgery", "Practice"]),
    ("GP Practice Code", &["Surgery Code", "GP Code"]),
    ("Gender", &["Sex", "Gender identity"]),
    ("Ethnicity", &["Ethnic Group", "Ethnic origin"]),
    ("Date of Birth", &["DOB", "Birth Date", "D.O.B."]),
    ("Date of Death", &["DOD", "Deceased Date"]),
    ("Client Type", &["Type of Client", "Customer Type"]),
    ("Primary Support Reason", &["PSR", "Main support reason", "Primary need"]),
    ("Postcode", &["Post Code", "PCode", "Home postcode"]),
    ("Accommodation Status", &["Accomm. status", "Living situation", "Housing"]),
    ("Employment Status", &["Empl Status", "Work status"]),
    ("Has Unpaid Carer", &["Unpaid carer?", "Informal carer"]),
    ("Autism Spectrum Disorder (ASD)", &["ASD", "Autism"]),
    ("Visual Impairment", &["Visual imp.", "Sight loss"]),
    ("Hearing Impairment", &["Hearing imp.", "Hearing loss"]),
    ("Dementia", &["Dementia Y/N/U", "Has dementia"]),
    ("Client Funding Status", &["Funding", "Funding status"]),
    ("Event Type", &["Type of event", "EVENT_TYPE"]),
    ("Event Reference", &["Event Ref", "EventID"]),
    ("Event Start Date", &["Start", "Start Date", "Event from"]),
    ("Event End Date", &["End", "End Date", "Event to"]),
    ("Event Description", &["Event details", "Description"]),
    ("Event Outcome", &["Outcome", "Result of event"]),
    ("Request: Route of Access", &["Route of access", "Access route"]),
    ("Assessment Type", &["Type of assessment", "Assmt type"]),
    ("Eligible Needs Identified", &["Eligible needs", "Eligibility"]),
    ("Method of Assessment", &["Assessment method", "Assmt method"]),
    ("Total Hrs Caring per week", &["Hours caring pw", "Weekly caring hours"]),
    ("No. of adults being cared for", &["Adults cared for", "Num adults cared for"]),
    ("Adult 1 Linked Person_ID", &["Linked adult 1", "Adult 1 ID"]),
    ("Adult 2 Linked Person_ID", &["Linked adult 2", "Adult 2 ID"]),
    ("Adult 3 Linked Person_ID", &["Linked adult 3", "Adult 3 ID"]),
    ("Service Type", &["Type of service", "Svc type"]),
    ("Service Component", &["Svc component", "Component of service"]),
    ("Delivery Mechanism", &["Del. mechanism", "How delivered"]),
    ("Provider CQC Location Name", &["Provider name", "Provider"]),
    ("Provider CQC Location ID", &["CQC ID", "CQC location id"]),
    ("Review Reason", &["Reason for review", "Rev. reason"]),
    ("Review Outcomes Achieved", &["Review outcomes", "Outcomes achieved"]),
    ("Method of Review", &["Review method", "Rev. method"]),
    ("Unit Cost", &["Cost per unit", "Unit price"]),
    ("Cost Frequency (Unit Type)", &["Cost freq.", "Frequency"]),
    ("Planned units per week", &["Units p.w.", "Weekly units"]),
];

/// `Event Start Date` as `EvenStarDate`, by no list of abbreviations.
fn shortened(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.chars().take(4).collect::<String>()).collect()
}

/// A CLD file as some council might keep it: columns in any order, under its own names, days its
/// own way. Gives the file and what each column was.
fn local(seed: u64) -> (String, BTreeMap<String, String>) {
    // Half of them as people say it, half as a database shortens it.
    let is_shortened = seed.is_multiple_of(2);
    let mut seed = Seed::new(seed);
    let table: Table = cld::table(&invented(60, seed.draw()));
    let mut order: Vec<usize> = (0..table.columns.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, seed.place(at + 1));
    }
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut header = Vec::new();
    for at in &order {
        let known = table.columns[*at];
        let variants = LOCAL.iter().find(|(name, _)| *name == known).unwrap().1;
        let name = match (is_shortened, seed.chance(150)) {
            (true, _) => shortened(known),
            (false, true) => known.to_owned(),
            (false, false) => variants[seed.place(variants.len())].to_owned(),
        };
        header.push(name.clone());
        assert!(names.insert(name.clone(), known.to_owned()).is_none(), "{name} stands twice");
    }
    let dashes = seed.chance(500);
    let cell = |cell: &Cell| {
        let text = text(cell);
        let is_day = text.len() == 10 && text.matches('/').count() == 2;
        let text = if dashes && is_day { text.replace('/', "-") } else { text };
        format!("\"{}\"", text.replace('"', "\"\""))
    };
    let mut file = header.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",") + "\r\n";
    for row in &table.rows {
        let cells: Vec<String> = order.iter().map(|at| cell(&row.cells[*at])).collect();
        file.push_str(&(cells.join(",") + "\r\n"));
    }
    (file, names)
}

/// What a mapping makes of a column: the fields, and whether it is a key or asked for.
pub(crate) fn made_of(mapping: &Mapping, column: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for block in &mapping.blocks {
        // What is only looked at is no field.
        let rules = block.rules.iter().filter(|rule| !rule.is_check);
        for rule in rules.filter(|rule| rule.from.iter().any(|from| from == column)) {
            out.insert(format!("{}.{}", block.kind, rule.field.name));
        }
        if block.subject.iter().any(|part| matches!(part, Part::Cell(cell, _) if cell == column)) {
            out.insert("subject".to_owned());
        }
        let mut asked = Vec::new();
        if let Some(when) = &block.when {
            when.cells(&mut asked);
        }
        if asked.iter().any(|(cell, _)| *cell == column) {
            out.insert("condition".to_owned());
        }
    }
    out
}

#[test]
fn four_columns_of_five_are_mapped_rightly_whatever_they_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Library::shipped().mapping("council/cld").unwrap_or_else(|error| panic!("{error}"));
    for seed in 1..=6 {
        let (file, names) = local(seed);
        std::fs::write(folder.path().join("local.csv"), file).unwrap();
        let out = format!("draft{seed}.toml");
        let (code, _, err) = wayleave(folder.path(), &["mapping", "draft", "local.csv", &out]);
        assert_eq!(code, 0, "{err}");
        let drafted = std::fs::read_to_string(folder.path().join(&out)).unwrap();
        let source = wayleave::mapping::diagnostic::Source::new("draft", &drafted);
        let draft = Library::shipped().compile(&source).unwrap_or_else(|error| panic!("{error}"));
        let wrong: Vec<String> = names
            .iter()
            .filter(|(name, known)| made_of(&draft, name) != made_of(&shipped, known))
            .map(|(name, known)| format!("{name} ({known}): {:?}", made_of(&draft, name)))
            .collect();
        let right = names.len() - wrong.len();
        println!("seed {seed}: {right} of {} columns rightly", names.len());
        assert!(
            right * 5 >= names.len() * 4,
            "seed {seed}: {right} of {}\n{}",
            names.len(),
            wrong.join("\n")
        );
        // It reads the file that it was made from.
        let (code, _, err) =
            wayleave(folder.path(), &["convert", "--mapping", &out, "local.csv", "out.ndjson"]);
        assert!(code < 2 && err.contains("received"), "{err}");
    }
}

#[test]
fn what_is_unlike_anything_is_left_to_decide() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "Wibble,Wobble,Surname\r\n1,x,Quillfeather\r\n2,y,Quillfeather\r\n";
    std::fs::write(folder.path().join("Odd file (1).csv"), rows).unwrap();
    let (code, out, err) = wayleave(folder.path(), &["mapping", "draft", "Odd file (1).csv"]);
    assert_eq!(code, 0, "{err}");
    assert!(!out.contains("Quillfeather"), "{out}");
    insta::assert_snapshot!(out);
    std::fs::write(folder.path().join("there.toml"), "x").unwrap();
    let (code, _, err) = wayleave(folder.path(), &["mapping", "draft", "Odd file (1).csv", "there.toml"]);
    assert_eq!(code, 2);
    assert!(err.contains("is there already"), "{err}");
}

/// Cost reports of two months: a column renamed, days written otherwise, a new service, blanks.
#[test]
fn what_has_changed_in_a_feed_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let header = "LAS ID;NHS Number;Surname;Forename;Date of Birth;Service Description;Weekly Cost (GBP);Start Date;End Date;Provider";
    let row = |at: u32, service: &str, day: &str, provider: &str| {
        format!("LL{at:07};;Quillfeather;Ada;04/07/1961;{service};320.65;{day};;{provider}\r\n")
    };
    let old: String = (0..40).map(|at| row(at, "Residential care", "14/02/2012", "Home A")).collect();
    let new: String = (0..40)
        .map(|at| row(at, if at < 5 { "Res. care" } else { "Care and support at home" }, "2012-02-14", ""))
        .collect();
    std::fs::write(folder.path().join("old.csv"), format!("{header}\r\n{old}")).unwrap();
    std::fs::write(
        folder.path().join("new.csv"),
        format!("{header};Notes\r\n{}", new.replace("\r\n", ";n\r\n")),
    )
    .unwrap();
    let (code, out, err) = wayleave(folder.path(), &["mapping", "drift", "old.csv", "new.csv"]);
    assert_eq!(code, 1, "{err}");
    assert!(!out.contains("Quillfeather") && !out.contains("LL000"), "{out}");
    insta::assert_snapshot!(out);
    let (code, out, _) = wayleave(folder.path(), &["mapping", "drift", "old.csv", "old.csv"]);
    assert_eq!((code, out.as_str()), (0, "council/costs: nothing has changed\n"));
    // A column that the mapping reads is gone, and another is like it.
    let renamed = format!("{}\r\n{old}", header.replace("Weekly Cost (GBP)", "Weekly Cost GBP"));
    std::fs::write(folder.path().join("renamed.csv"), renamed).unwrap();
    let words = ["mapping", "drift", "old.csv", "renamed.csv", "--mapping", "council/costs", "--json"];
    let (code, out, err) = wayleave(folder.path(), &words);
    assert_eq!(code, 1, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["changes"][0]["what"], "column-gone");
    assert_eq!(
        json["changes"][0]["edit"],
        "write `Weekly Cost GBP` for `Weekly Cost (GBP)` in the mapping, if that is what it is now"
    );
    assert_eq!(
        json["changes"][0]["paste"].as_array().unwrap().len(),
        2,
        "the field, and the list of columns"
    );
}

/// A feed beside the file that was taken in last, on each database.
#[test]
fn a_feed_is_compared_with_the_file_that_was_kept() {
    let folder = crate::support::folder();
    let (code, _, err) = wayleave(folder.path(), &["synth", "--dir", "site", "--people", "5"]);
    assert_eq!(code, 0, "{err}");
    let site = folder.path().join("site");
    let (code, _, err) = wayleave(folder.path(), &["init", "keys"]);
    assert_eq!(code, 0, "{err}");
    for key in std::fs::read_dir(folder.path().join("keys/keys")).unwrap() {
        let key = key.unwrap();
        std::fs::copy(key.path(), site.join("keys").join(key.file_name())).unwrap();
    }
    let (code, out, err) = wayleave(&site, &["sync"]);
    assert!(code < 2, "{out}{err}");
    let file = "in/council/costs/local_costs_2025-03.csv";
    let (code, out, err) = wayleave(&site, &["mapping", "drift", "council/costs", file]);
    assert_eq!((code, out.as_str()), (0, "council/costs: nothing has changed\n"), "{err}");
    let text = std::fs::read_to_string(site.join(file)).unwrap().replace("Residential care", "Res care");
    std::fs::write(site.join("new.csv"), text).unwrap();
    let (code, out, err) = wayleave(&site, &["mapping", "drift", "council/costs", "new.csv"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("`Res care` stands"), "{out}");
    let (code, _, err) = wayleave(&site, &["mapping", "drift", "council/costs", "new.csv", "--back", "7"]);
    assert_eq!(code, 2);
    assert!(err.contains("files of council/costs are kept, not 7"), "{err}");
    let (code, _, err) = wayleave(&site, &["mapping", "drift", "council/cost", "new.csv"]);
    assert_eq!(code, 2);
    assert!(err.contains("no feed `council/cost`"), "{err}");
}
