//! The demo as it is run: what comes out is what the cohort states of those who agreed, and a
//! second time nothing changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use wayleave::base::day::Day;
use wayleave::synth::cohort::{self, AREAS, Client, Cohort};

use crate::support;

fn demo(dir: &Path) -> (Output, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_wayleave")).args(["demo", "--dir"]).arg(dir).output().unwrap();
    let story = String::from_utf8(output.stdout.clone()).unwrap();
    (output, story)
}

/// Every file of a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
        } else {
            out.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap());
        }
    }
    out
}

/// What is stated of one person, a line a fact.
type Facts = BTreeSet<String>;

fn table(extract: &Path, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(extract.join("data").join(format!("{name}.csv"))).unwrap();
    let header = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|row| {
            header.iter().zip(row.unwrap().iter()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
        })
        .collect()
}

/// The facts of each pseudonym.
fn released(extract: &Path) -> Vec<Facts> {
    let mut people: BTreeMap<String, Facts> = BTreeMap::new();
    let mut add = |name: &str, columns: &[&str], keep: &dyn Fn(&BTreeMap<String, String>) -> bool| {
        for row in table(extract, name).iter().filter(|row| keep(row)) {
            let cells: Vec<&str> = columns.iter().map(|column| row[*column].as_str()).collect();
            let is_new = people
                .entry(row["pseudonym"].clone())
                .or_default()
                .insert(format!("{name} {}", cells.join("|")));
            // Two goals of one day and area may be equal in all that is released.
            assert!(is_new || name == "goal", "{name} stands twice");
        }
    };
    let all = |_: &BTreeMap<String, String>| true;
    add("person", &["age_at_start", "sex", "ethnicity"], &all);
    add("episode", &["started_on", "moved_on", "ended_on"], &all);
    add("accommodation", &["is_move", "started_on", "ended_on"], &all);
    add("star", &[&["completed_on"], AREAS.as_slice()].concat(), &all);
    add("goal", &["area", "set_on", "due_on", "status", "closed_on"], &all);
    add("service", &["component", "weekly_cost", "started_on", "ended_on"], &|row| {
        !row["weekly_cost"].is_empty() && row["component"] != "day-support"
    });
    people.into_values().collect()
}

fn day(day: Option<Day>) -> String {
    day.map_or(String::new(), |day| day.to_string())
}

/// The facts that the cohort states of one person.
fn stated(client: &Client, cohort: &Cohort) -> Facts {
    let of = |name: &String| *name == client.client;
    let mut facts = Facts::new();
    facts.insert(format!("person {}|{}|{}", age(client), client.sex, group(&client.ethnicity)));
    let (start, moved) = (day(client.programme_start), day(client.moved_on));
    facts.insert(format!("episode {start}|{moved}|{}", day(client.withdrawn)));
    facts.insert(format!("accommodation false|{start}|{moved}"));
    if client.moved_on.is_some() {
        facts.insert(format!("accommodation true|{moved}|"));
    }
    for star in cohort.stars.iter().filter(|star| of(&star.client)) {
        let scores = star.scores.map(|score| score.to_string()).join("|");
        facts.insert(format!("star {}|{scores}", star.completed_on));
    }
    for goal in cohort.goals.iter().filter(|goal| of(&goal.client)) {
        let status = goal.status.replace('_', "-");
        facts.insert(format!(
            "goal {}|{}|{}|{status}|{}",
            goal.domain,
            goal.set_on,
            goal.due_on,
            day(goal.closed_on)
        ));
    }
    for cost in cohort.costs.iter().filter(|cost| of(&cost.client)) {
        let component = match cost.service.as_str() {
            "residential care" => "long-term-residential-care",
            _ => "home-support-or-domiciliary-care",
        };
        facts.insert(format!(
            "service {component}|{}|{}|{}",
            cost.weekly_cost.normalize(),
            cost.start,
            day(cost.end)
        ));
    }
    facts
}

fn age(client: &Client) -> &'static str {
    match client.programme_start.map(|start| client.born.whole_years_to(start)) {
        None => "",
        Some(..=30) => "30-and-under",
        Some(31..=40) => "31-40",
        Some(41..=50) => "41-50",
        Some(51..=60) => "51-60",
        Some(61..=70) => "61-70",
        Some(_) => "71-and-over",
    }
}

fn group(label: &str) -> &'static str {
    match label {
        "White - British" => "white-british",
        "Other ethnic group" => "other",
        "Arab" => "arab",
        "Not known" => "not-known",
        "" => "",
        label if label.starts_with("Asian") => "asian",
        label if label.starts_with("Black") => "black",
        _ => "white-other",
    }
}

#[test]
fn what_comes_out_is_what_is_stated_of_those_who_agreed_and_a_second_time_nothing_changes() {
    let folder = support::folder();
    let dir = folder.path().join("the demo");
    let (output, story) = demo(&dir);
    assert!(output.status.success(), "{}\n{story}", String::from_utf8_lossy(&output.stderr));
    assert!(story.contains("What happened:"), "{story}");
    assert!(!story.contains("NOT FOUND"), "{story}");
    let extract = dir.join("extract");

    let cohort = cohort::read().unwrap();
    let agreed = cohort.clients.iter().filter(|client| client.consent_on.is_some());
    let mut expected: Vec<Facts> = agreed.map(|client| stated(client, &cohort)).collect();
    let mut found = released(&extract);
    expected.sort();
    found.sort();
    assert_eq!(expected.len(), 49);
    assert_eq!(table(&extract, "star").len(), 172);
    assert_eq!(table(&extract, "goal").len(), cohort.goals.len());
    for (found, expected) in found.iter().zip(&expected) {
        let differences: Vec<_> = found.symmetric_difference(expected).collect();
        assert!(differences.is_empty(), "{differences:#?}");
    }
    assert_eq!(found.len(), 49);

    let before = files(&extract);
    let (again, story) = demo(&dir);
    assert!(again.status.success(), "{}\n{story}", String::from_utf8_lossy(&again.stderr));
    assert!(story.contains("nothing changed"), "{story}");
    assert_eq!(files(&extract), before);
}
