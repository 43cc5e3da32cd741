//! The extract of the demo, held against the cohort that the demo is made from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use wayleave::base::id::PersonId;

use crate::custody::Namer;
use crate::dump;

/// Every kind in which the cohort or the renderer says something of somebody.
pub(crate) const KINDS: [&str; 9] =
    ["person", "episode", "accommodation", "service", "event", "star", "goal", "milestone", "contact"];

/// A row of a table, by column.
pub(crate) type Row = BTreeMap<String, String>;

fn rows(file: &Path) -> Vec<Row> {
    let mut reader =
        csv::Reader::from_path(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    reader.deserialize().map(Result::unwrap).collect()
}

/// A table of the cohort: clients, stars, goals or costs.
pub(crate) fn table(name: &str) -> Vec<Row> {
    rows(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/synth/cohort/{name}.csv")))
}

/// The table of a kind in the extract, wherever the extract keeps it.
pub(crate) fn released(dir: &Path, kind: &str) -> Vec<Row> {
    let extract = dir.join("extract");
    let file =
        files(&extract).into_iter().find(|file| file.file_name().unwrap() == format!("{kind}.csv").as_str());
    rows(&file.unwrap_or_else(|| panic!("no {kind}.csv below {}", extract.display())))
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The pseudonym of each client of the cohort who was linked, worked out with the keys: this is
/// what nobody on the evaluation side can do.
fn pseudonyms(dir: &Path, operational: &str) -> BTreeMap<String, String> {
    let namer = Namer::of(dir);
    let mut by_hash: BTreeMap<String, PersonId> = BTreeMap::new();
    for line in &dump::dump(operational)["subject"] {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        if let ("housing", Some(person)) = (row["source"].as_str().unwrap(), row["person_id"].as_str()) {
            // Hexadecimal in capitals from SQLite, after `\x` from PostgreSQL.
            let hash = row["key_hash"].as_str().unwrap().trim_start_matches("\\x").to_lowercase();
            by_hash.insert(hash, person.parse().unwrap());
        }
    }
    table("clients")
        .into_iter()
        .filter_map(|client| {
            let reference = &client["client"];
            let hash = namer.subject_hash("housing", reference);
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            Some((reference.clone(), namer.pseudonym(*by_hash.get(&hash)?)))
        })
        .collect()
}

/// What each of two lists of rows has that the other has not, by kind.
fn differences(kind: &str, expected: Vec<Vec<String>>, found: Vec<Vec<String>>) -> Vec<String> {
    let mut counts: BTreeMap<Vec<String>, i64> = BTreeMap::new();
    for row in &expected {
        *counts.entry(row.clone()).or_default() += 1;
    }
    for row in &found {
        *counts.entry(row.clone()).or_default() -= 1;
    }
    let told = |(row, count): (Vec<String>, i64)| match count {
        0 => None,
        1.. => Some(format!("{kind}: missing {row:?}")),
        _ => Some(format!("{kind}: not of the cohort {row:?}")),
    };
    counts.into_iter().filter_map(told).collect()
}

fn cells(row: &Row, names: &[&str]) -> Vec<String> {
    names
        .iter()
        .map(|name| row.get(*name).unwrap_or_else(|| panic!("no column {name} in {row:?}")).clone())
        .collect()
}

const AREAS: [&str; 10] = [
    "mental_health",
    "living_skills",
    "relationships",
    "social_networks",
    "self_care",
    "work",
    "identity_self_esteem",
    "trust_hope",
    "addictive_behaviour",
    "responsibilities",
];

/// Holds the extract of a demo against the cohort, value by value. Empty where they agree.
/// `operational` is the database in which it stands who was linked.
pub(crate) fn compare(dir: &Path, operational: &str) -> Vec<String> {
    let pseudonyms = pseudonyms(dir, operational);
    let consenting: Vec<Row> =
        table("clients").into_iter().filter(|client| !client["consent_on"].is_empty()).collect();
    let name = |client: &Row| {
        pseudonyms.get(&client["client"]).cloned().unwrap_or_else(|| format!("unlinked {}", client["client"]))
    };
    let mut faults = Vec::new();

    let people = consenting.iter().map(|client| {
        vec![name(client), client["sex"].clone(), group(&client["ethnicity"]), age_band(client)]
    });
    let found = released(dir, "person")
        .iter()
        .map(|row| cells(row, &["pseudonym", "sex", "ethnicity", "age_at_start"]))
        .collect();
    faults.extend(differences("person", people.collect(), found));

    let episodes = consenting.iter().map(|client| {
        vec![
            name(client),
            client["programme_start"].clone(),
            client["moved_on"].clone(),
            client["withdrawn"].clone(),
        ]
    });
    let found = released(dir, "episode")
        .iter()
        .map(|row| cells(row, &["pseudonym", "started_on", "moved_on", "ended_on"]))
        .collect();
    faults.extend(differences("episode", episodes.collect(), found));

    let spells = consenting.iter().flat_map(|client| {
        let home = vec![
            name(client),
            "care-home".to_owned(),
            client["programme_start"].clone(),
            client["moved_on"].clone(),
        ];
        let tenancy = (!client["moved_on"].is_empty())
            .then(|| vec![name(client), "tenancy".to_owned(), client["moved_on"].clone(), String::new()]);
        [Some(home), tenancy].into_iter().flatten()
    });
    let found = released(dir, "accommodation").into_iter().map(|row| {
        let mut cells = cells(&row, &["pseudonym", "type", "started_on", "ended_on"]);
        if cells[1].starts_with("tenant-") {
            "tenancy".clone_into(&mut cells[1]);
        }
        cells
    });
    faults.extend(differences("accommodation", spells.collect(), found.collect()));

    let of = |rows: Vec<Row>, names: &[&str]| -> Vec<Vec<String>> {
        rows.iter()
            .map(|row| {
                let mut out = vec![pseudonyms.get(&row["client"]).cloned().unwrap_or_default()];
                out.extend(cells(row, names));
                out
            })
            .collect()
    };
    let found = |kind: &str, names: &[&str]| -> Vec<Vec<String>> {
        let names: Vec<&str> = [&["pseudonym"], names].concat();
        released(dir, kind).iter().map(|row| cells(row, &names)).collect()
    };
    let star = [&["completed_on"][..], &AREAS].concat();
    faults.extend(differences("star", of(table("stars"), &star), found("star", &star)));

    let mut goals = of(table("goals"), &["domain", "set_on", "due_on", "status", "closed_on"]);
    for goal in &mut goals {
        goal[4] = goal[4].replace('_', "-");
    }
    faults.extend(differences(
        "goal",
        goals,
        found("goal", &["area", "set_on", "due_on", "status", "closed_on"]),
    ));

    let costs: Vec<Row> = table("costs")
        .into_iter()
        .filter(|cost| consenting.iter().any(|client| client["client"] == cost["client"]))
        .collect();
    let costs = of(costs, &["service", "weekly_cost", "start", "end"]).into_iter().map(|mut cost| {
        cost[1] = component(&cost[1]).to_owned();
        cost[2] = pounds(&cost[2]);
        cost
    });
    // What the renderer invented beside the cohort's costs: day support, and services without one.
    let services = found("service", &["component", "weekly_cost", "started_on", "ended_on"]).into_iter();
    let services = services.filter(|service| service[1] != "day-support" && !service[2].is_empty());
    let services = services.map(|mut service| {
        service[2] = pounds(&service[2]);
        service
    });
    faults.extend(differences("service", costs.collect(), services.collect()));

    let allowed: BTreeSet<String> = consenting.iter().map(name).collect();
    for kind in KINDS {
        let strangers: BTreeSet<String> = released(dir, kind)
            .iter()
            .map(|row| row["pseudonym"].clone())
            .filter(|whose| !allowed.contains(whose))
            .collect();
        faults.extend(
            strangers.into_iter().map(|whose| format!("{kind}: of somebody who did not consent, {whose}")),
        );
    }
    faults
}

fn component(service: &str) -> &'static str {
    match service {
        "residential care" => "long-term-residential-care",
        _ => "home-support-or-domiciliary-care",
    }
}

fn pounds(text: &str) -> String {
    text.parse::<f64>().map_or_else(|_| text.to_owned(), |pounds| format!("{pounds:.2}"))
}

/// The ethnic groups of the published Table 1.
fn group(label: &str) -> String {
    match label {
        "" => "",
        "White - British" => "white-british",
        "White - any other White background" => "white-other",
        "Arab" => "arab",
        "Other ethnic group" => "other",
        "Not known" => "not-known",
        label if label.starts_with("Asian") => "asian",
        label if label.starts_with("Black") => "black",
        label => panic!("a label of its own: {label}"),
    }
    .to_owned()
}

fn age_band(client: &Row) -> String {
    let (Ok(start), Ok(birth)) = (
        client["programme_start"].parse::<jiff::civil::Date>(),
        client["birth_date"].parse::<jiff::civil::Date>(),
    ) else {
        return String::new();
    };
    let years = birth.until((jiff::Unit::Year, start)).unwrap().get_years();
    match years {
        ..=30 => "30-and-under",
        31..=40 => "31-40",
        41..=50 => "41-50",
        51..=60 => "51-60",
        61..=70 => "61-70",
        _ => "71-and-over",
    }
    .to_owned()
}
