//! Every format into every other: the cohort, converted both ways between each pair of systems,
//! and what has to survive.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use wayleave::mapping::Mapping;
use wayleave::mapping::compile::{Blank, Block, Part, Rule};
use wayleave::mapping::library::Library;
use wayleave::record::kind::Kind;
use wayleave::synth::demo;

/// Mapping, ending of a file, and what `convert` is told beside the mapping.
type Feed = (&'static str, &'static str, &'static [&'static str]);

/// The formats that are written as well as read: mapping, ending of a file, and what `convert` is
/// told beside the mapping.
const FEEDS: &[Feed] = &[
    ("council/cld", "csv", &[]),
    ("housing/tracker", "xlsx", &[]),
    ("housing/events", "ndjson", &[]),
    ("trust/fhir", "json", &["--form", "json"]),
    ("trust/fhir", "xml", &["--form", "xml"]),
    ("trust/adt", "hl7", &[]),
    ("trust/mhs001-mpi", "csv", &[]),
];

/// Tables of the mental health services data set beside its index. They are written from every
/// format, and every format from them; a file of each is what the cohort becomes in it.
const TABLES: &[(&str, &str, &str)] = &[
    ("trust/mhs003-accommodation", "csv", "housing/tracker"),
    ("trust/mhs201-care-contact", "csv", "trust/fhir"),
    ("trust/mhs501-hospital-spell", "csv", "trust/fhir"),
];

/// The master patient index has elements that the cohort's other systems do not know.
const INDEX: &str = "\
LocalPatientID,OrgIDLocalPatientID,OrgIDEduEstab,NHSNumber,NHSNumberStatus,PersonBirthDate,Postcode,GenderIDCode,GenderSameAtBirth,Gender,MaritalStatus,EthnicCategory,LanguageCodePreferred,PersDeathDate
T900001,TAH,,9990000018,01,1961-07-04,S99 1AA,1,,1,S,A,,
T900002,TAH,,9990000026,01,1948-02-29,S99 2BB,2,,2,M,C,,2024-12-01
T900003,TAH,,9990000034,01,1970-01-01,S99 1AA,1,,1,,Z,,
";

/// The file of one format that the matrix starts from.
fn file_of(folder: &Path, plan: &demo::DemoPlan, (from, ending, form): Feed) -> String {
    let name = format!("{}.{ending}", from.replace('/', "-"));
    if from == "trust/mhs001-mpi" {
        std::fs::write(folder.join(&name), INDEX).unwrap();
        return name;
    }
    if let Some((_, _, made_of)) = TABLES.iter().find(|(table, ..)| *table == from) {
        let made_of = FEEDS.iter().find(|(feed, ..)| feed == made_of).unwrap();
        let file = file_of(folder, plan, *made_of);
        let ran = convert(folder, &["--mapping", made_of.0, "--to", from, &file, &name]);
        assert!(ran.code < 2 && ran.summary["written"].as_u64() > Some(2), "{from}: {}", ran.summary);
        return name;
    }
    let feed = plan.feeds.iter().find(|feed| format!("{}/{}", feed.source, feed.feed) == from).unwrap();
    let file = feed.file.to_str().unwrap().to_owned();
    if ending != "xml" {
        return file;
    }
    let ran = convert(folder, &[&["--mapping", from, "--to", from, &file, &name], form].concat());
    assert!(ran.code < 2, "{}", ran.summary);
    name
}

/// The field of a person that holds the id of each source.
const OWN_ID: &[(&str, &str)] =
    &[("council", "council_id"), ("housing", "tracker_ref"), ("trust", "trust_id")];

/// What is known of one record: of each field, every value that was seen. A file may speak of one
/// thing several times.
type Known = BTreeMap<String, Vec<Value>>;

/// Records by subject, kind and key.
type Records = BTreeMap<(String, String, String), Known>;

struct Ran {
    code: i32,
    summary: Value,
}

fn convert(folder: &Path, words: &[&str]) -> Ran {
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let output = command.current_dir(folder).args(["--json", "convert"]).args(words).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let summary = serde_json::from_str(err.lines().last().unwrap_or_default())
        .unwrap_or_else(|_| panic!("{words:?}: {err}"));
    Ran { code: output.status.code().unwrap(), summary }
}

fn records(folder: &Path, mapping: &str, file: &str) -> (Records, Value) {
    let ran = convert(folder, &["--mapping", mapping, file, "records.ndjson"]);
    assert!(ran.code < 2, "{mapping} {file}: {}", ran.summary);
    let mut out = Records::new();
    let text = std::fs::read_to_string(folder.join("records.ndjson")).unwrap_or_default();
    for line in text.lines() {
        let unit: Value = serde_json::from_str(line).unwrap();
        for record in unit["records"].as_array().unwrap() {
            let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
            let known = out.entry((text("subject"), text("kind"), text("key"))).or_default();
            for (name, value) in record["fields"].as_object().unwrap() {
                if !value.is_null() {
                    known.entry(name.clone()).or_default().push(value.clone());
                }
            }
        }
    }
    let _gone = std::fs::remove_file(folder.join("records.ndjson"));
    (out, ran.summary)
}

fn rule<'b>(block: &'b Block, field: &str) -> Option<&'b Rule> {
    block.rules.iter().find(|rule| rule.field.name == field && !rule.one_way)
}

/// Whether a block of the target can hold what is known of a record: its constants agree, and
/// what it has to have is there, in words that it has.
fn takes(block: &Block, known: &Known) -> bool {
    let has_word = |rule: &Rule, values: &[Value]| match (&rule.codes, values.last()) {
        (Some(codes), Some(Value::String(word))) => {
            codes.canonical().any(|known| known == word) && !codes.lost().any(|lossy| lossy == word)
        }
        _ => true,
    };
    block.rules.iter().all(|rule| {
        let values = known.get(rule.field.name);
        match &rule.value {
            Some(constant) => {
                values.is_none_or(|values| values.iter().all(|value| *value == constant.to_shown()))
            }
            None if matches!(rule.blank, Blank::Absent | Blank::Warn) => true,
            None if rule.default.is_some() || rule.one_way => true,
            // The subject's own column is filled in any case.
            None if is_subject(block, rule) => true,
            None => values.is_some_and(|values| has_word(rule, values)),
        }
    })
}

fn is_subject(block: &Block, rule: &Rule) -> bool {
    let from = rule.from.first();
    block.subject.iter().any(|part| matches!(part, Part::Cell(cell, _) if Some(cell) == from))
}

fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-9,
        _ => one == other,
    }
}

/// Words that the summary says are lost.
fn lost(summary: &Value) -> BTreeSet<(String, String)> {
    let all = summary["lost"].as_array().into_iter().flatten();
    all.map(|lost| (lost["field"].as_str().unwrap().to_owned(), lost["word"].as_str().unwrap().to_owned()))
        .collect()
}

/// Whom the target calls whom: its own id where the source knows it.
fn names(known: &Records, target: &str) -> BTreeMap<String, String> {
    let field = OWN_ID.iter().find(|(source, _)| target.starts_with(source)).unwrap().1;
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for ((subject, kind, _), fields) in known {
        let own = fields.get(field).and_then(|values| values.last()).and_then(Value::as_str);
        let entry = names.entry(subject.clone()).or_insert_with(|| subject.clone());
        if let (Some(own), "person") = (own, kind.as_str()) {
            *entry = own.to_owned();
        }
    }
    names
}

/// What has to survive and has not, how much has to, and which fields of it.
fn missing(
    to: &Mapping,
    known: &Records,
    came: &Records,
    lost: &BTreeSet<(String, String)>,
) -> (usize, BTreeMap<String, BTreeSet<&'static str>>, Vec<String>) {
    let names = names(known, &to.name);
    let mut held: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    // Two people of the source whom the target has under one id cannot be told apart there.
    let mut of_name: BTreeMap<&str, usize> = BTreeMap::new();
    names.values().for_each(|name| *of_name.entry(name).or_default() += 1);
    let (mut owed, mut faults) = (0, Vec::new());
    for ((subject, kind, _), fields) in known {
        let name = names.get(subject).map_or("", String::as_str);
        let blocks = to
            .blocks
            .iter()
            .filter(|block| block.kind.as_str() == kind && !block.one_way && !block.is_written_only);
        let fitting: Vec<&Block> =
            blocks.map(|block| &**block).filter(|block| takes(block, fields)).collect();
        if fitting.is_empty() || of_name.get(name).is_some_and(|count| *count > 1) {
            continue;
        }
        let is_there = |record: &Known, block: &Block| {
            fields.iter().all(|(field, values)| {
                let Some(rule) = rule(block, field) else { return true };
                let is_lost = values.iter().any(|value| {
                    let word = value.as_str().unwrap_or_default().to_owned();
                    // A wider code is said to be one, and comes back as what it stands for.
                    rule.codes.as_ref().is_some_and(|codes| codes.is_widened(&word))
                        || lost.contains(&(format!("{kind}.{field}"), word))
                });
                is_lost
                    || is_subject(block, rule)
                    || record.get(field).is_some_and(|there| {
                        there.iter().any(|there| values.iter().any(|value| same(value, there)))
                    })
            })
        };
        owed += 1;
        for block in &fitting {
            let fields = fields.keys().filter_map(|field| rule(block, field));
            held.entry(kind.clone()).or_default().extend(fields.map(|rule| rule.field.name));
        }
        let mut candidates = came
            .iter()
            .filter(|((to, of, _), _)| of == kind && (to == name || kind == Kind::Setting.as_str()));
        if !candidates.any(|(_, record)| fitting.iter().any(|block| is_there(record, block))) {
            let fields: Vec<&str> = fields.keys().map(String::as_str).collect();
            faults.push(format!("{} of {subject} as {name}: {}", kind, fields.join(", ")));
        }
    }
    (owed, held, faults)
}

/// A caseload larger than what is held at once is written all the same, and it is said.
#[test]
fn what_is_known_of_one_person_stands_in_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let resource = |id: &str, kind: &str| match kind {
        "Patient" => format!(
            r#"{{"resourceType":"Patient","id":"{id}","identifier":[{{"system":"https://trust.example/Id/local-patient-id","value":"{id}"}}],"name":[{{"use":"official","family":"Fell"}}]}}"#
        ),
        _ => format!(
            r#"{{"resourceType":"Encounter","id":"N{id}","class":{{"code":"IMP"}},"subject":{{"reference":"Patient/{id}"}},"period":{{"start":"2024-03-04"}}}}"#
        ),
    };
    let lines: Vec<String> =
        ["Patient", "Encounter"].iter().flat_map(|kind| ["T1", "T2"].map(|id| resource(id, kind))).collect();
    std::fs::write(folder.path().join("in.ndjson"), lines.join("\n")).unwrap();
    let words = ["--mapping", "trust/fhir", "--to", "trust/adt", "in.ndjson", "out.hl7"];
    let ran = convert(folder.path(), &words);
    // One message a stay, with the person's own segment.
    assert_eq!((ran.code, ran.summary["written"].as_u64()), (0, Some(2)), "{}", ran.summary);
    let out = std::fs::read_to_string(folder.path().join("out.hl7")).unwrap();
    assert_eq!(out.matches("Fell").count(), 2, "{out}");
    let words = [&words[..], &["--held", "2"]].concat();
    let ran = convert(folder.path(), &words);
    assert_eq!(ran.summary["written"], 4);
    assert_eq!(ran.summary["findings"]["map/split"], 2);
    // An id that means nothing to the receiver is said to be one.
    let words = ["--mapping", "trust/fhir", "--to", "council/cld", "in.ndjson", "out.csv"];
    assert_eq!(convert(folder.path(), &words).summary["findings"]["map/id-carried"], 2);
}

#[test]
fn every_format_goes_into_every_other() {
    let folder = tempfile::tempdir().unwrap();
    let plan = demo::render(folder.path()).unwrap();
    let library = Library::shipped();
    let mut table = String::new();
    let mut faults = Vec::new();
    let tables: Vec<Feed> = TABLES.iter().map(|(name, ending, _)| (*name, *ending, &[][..])).collect();
    let all: Vec<Feed> = FEEDS.iter().copied().chain(tables.iter().copied()).collect();
    for source in &all {
        let (mapping, of, _) = *source;
        let from = format!("{mapping} ({of})");
        let file = file_of(folder.path(), &plan, *source);
        let (known, _) = records(folder.path(), mapping, &file);
        assert!(known.len() > 2, "{from}");
        // From one table to another goes what has been through another format already.
        let is_table = tables.contains(source);
        let others = all.iter().filter(|other| **other != *source && !(is_table && tables.contains(other)));
        for (to, ending, form) in others {
            let target = library.mapping(to).unwrap_or_else(|error| panic!("{error}"));
            let out = format!("out.{ending}");
            let words = [&["--mapping", mapping, "--to", to, &file, &out], *form].concat();
            let ran = convert(folder.path(), &words);
            let to = &format!("{to} ({ending})");
            assert!(ran.code < 2, "{from} to {to}: {}", ran.summary);
            let lost = lost(&ran.summary);
            let written = ran.summary["written"].as_u64().unwrap();
            let came = if written == 0 {
                Records::new()
            } else {
                let (came, summary) = records(folder.path(), &target.name, &out);
                // Nothing is written that the reader of the same layout would not take.
                for wrong in ["rejected", "quarantined", "filtered"] {
                    if summary[wrong] != 0 {
                        faults.push(format!("{from} to {to}: {wrong}: {summary}"));
                    }
                }
                came
            };
            let (owed, held, missing) = missing(&target, &known, &came, &lost);
            let words: Vec<String> = lost.iter().map(|(field, word)| format!("{field} {word}")).collect();
            table.push_str(&format!(
                "{from} to {to}: {owed} records have to survive; lost words: {}\n",
                if words.is_empty() { "none".to_owned() } else { words.join(", ") }
            ));
            for (kind, fields) in held {
                let fields: Vec<&str> = fields.into_iter().collect();
                table.push_str(&format!("    {kind}: {}\n", fields.join(", ")));
            }
            faults.extend(missing.into_iter().take(3).map(|fault| format!("{from} to {to}: {fault}")));
        }
    }
    println!("{table}");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    insta::assert_snapshot!(table);
}
