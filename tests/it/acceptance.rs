//! The demo, from the command line, held against the cohort: the extract has exactly the people
//! who consented and exactly what the cohort says of them, and nothing that names anybody is
//! anywhere it should not be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use diesel::prelude::*;
use diesel::sql_types::{Binary, Text};
use diesel::{QueryableByName, SqliteConnection};
use wayleave::base::id::PersonId;

use crate::custody::Namer;
use crate::leak::Forbidden;
use crate::mutant::{self, Change};
use crate::{dump, support};

type Row = BTreeMap<String, String>;

/// Runs the demo into a folder whose name is not plain.
fn demo(binary: &Path, dir: &Path) -> Output {
    let output =
        Command::new(binary).args(["demo", "--dir"]).arg(dir).env("WAYLEAVE_LOG", "trace").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{}\n{told}", String::from_utf8_lossy(&output.stdout));
    output
}

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_wayleave"))
}

fn rows(file: &Path) -> Vec<Row> {
    let mut reader =
        csv::Reader::from_path(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    reader.deserialize().map(Result::unwrap).collect()
}

fn cohort(name: &str) -> Vec<Row> {
    rows(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/synth/cohort").join(name))
}

/// The table of a kind in the extract, wherever the extract keeps it.
fn table(dir: &Path, kind: &str) -> Vec<Row> {
    let extract = dir.join("extract");
    let file =
        files(&extract).into_iter().find(|file| file.file_name().unwrap() == format!("{kind}.csv").as_str());
    rows(&file.unwrap_or_else(|| panic!("no {kind}.csv below {}", extract.display())))
}

fn files(folder: &Path) -> Vec<PathBuf> {
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
fn pseudonyms(dir: &Path) -> BTreeMap<String, String> {
    #[derive(QueryableByName)]
    struct Known {
        #[diesel(sql_type = Text)]
        person_id: String,
        #[diesel(sql_type = Binary)]
        key_hash: Vec<u8>,
    }
    let database = dir.join("operational.db");
    let mut operational = SqliteConnection::establish(database.to_str().unwrap()).unwrap();
    let known: Vec<Known> = diesel::sql_query(
        "SELECT person_id, key_hash FROM subject WHERE source = 'housing' AND person_id IS NOT NULL",
    )
    .load(&mut operational)
    .unwrap();
    let namer = Namer::of(dir);
    let by_hash: BTreeMap<Vec<u8>, PersonId> =
        known.into_iter().map(|known| (known.key_hash, known.person_id.parse().unwrap())).collect();
    cohort("clients.csv")
        .into_iter()
        .filter_map(|client| {
            let reference = &client["client"];
            let person = by_hash.get(namer.subject_hash("housing", reference).as_slice())?;
            Some((reference.clone(), namer.pseudonym(*person)))
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

/// Holds the extract against the cohort, value by value. Empty where they agree.
fn compare(dir: &Path) -> Vec<String> {
    let pseudonyms = pseudonyms(dir);
    let consenting: Vec<Row> =
        cohort("clients.csv").into_iter().filter(|client| !client["consent_on"].is_empty()).collect();
    let name = |client: &Row| {
        pseudonyms.get(&client["client"]).cloned().unwrap_or_else(|| format!("unlinked {}", client["client"]))
    };
    let mut faults = Vec::new();

    let people = consenting.iter().map(|client| {
        vec![name(client), client["sex"].clone(), group(&client["ethnicity"]), age_band(client)]
    });
    let found = table(dir, "person")
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
    let found = table(dir, "episode")
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
    let found = table(dir, "accommodation").into_iter().map(|row| {
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
        table(dir, kind).iter().map(|row| cells(row, &names)).collect()
    };
    let star = [&["completed_on"][..], &AREAS].concat();
    faults.extend(differences("star", of(cohort("stars.csv"), &star), found("star", &star)));

    let mut goals = of(cohort("goals.csv"), &["domain", "set_on", "due_on", "status", "closed_on"]);
    for goal in &mut goals {
        goal[4] = goal[4].replace('_', "-");
    }
    faults.extend(differences(
        "goal",
        goals,
        found("goal", &["area", "set_on", "due_on", "status", "closed_on"]),
    ));

    let costs: Vec<Row> = cohort("costs.csv")
        .into_iter()
        .filter(|cost| consenting.iter().any(|client| client["client"] == cost["client"]))
        .collect();
    let costs = of(costs, &["weekly_cost", "start", "end"]).into_iter().map(|mut cost| {
        cost[1] = pounds(&cost[1]);
        cost
    });
    let released = found("service", &["weekly_cost", "started_on", "ended_on"])
        .into_iter()
        .filter(|cost| !cost[1].is_empty());
    let released: BTreeSet<Vec<String>> = released
        .map(|mut cost| {
            cost[1] = pounds(&cost[1]);
            cost
        })
        .collect();
    faults.extend(
        costs.filter(|cost| !released.contains(cost)).map(|cost| format!("service: missing {cost:?}")),
    );

    let allowed: BTreeSet<String> = consenting.iter().map(name).collect();
    for kind in
        ["person", "episode", "accommodation", "service", "event", "star", "goal", "milestone", "contact"]
    {
        let strangers: BTreeSet<String> = table(dir, kind)
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

#[test]
fn the_extract_is_the_cohort_and_nothing_else() {
    let folder = support::folder();
    let dir = folder.path().join("Größe & co");
    let output = demo(&binary(), &dir);
    let faults = compare(&dir);
    assert!(faults.is_empty(), "{} differences\n{}", faults.len(), faults.join("\n"));
    assert_eq!(table(&dir, "person").len(), 49);
    assert_eq!(table(&dir, "star").len(), 172);

    nothing_names_anybody(&dir, &output);

    // Again: nothing changes, and the demo says so.
    let before = contents(&dir.join("extract"));
    let again = demo(&binary(), &dir);
    assert!(
        String::from_utf8_lossy(&again.stdout).contains("nothing changed"),
        "{}",
        String::from_utf8_lossy(&again.stdout)
    );
    assert_eq!(before, contents(&dir.join("extract")));
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder).into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}

/// Everybody of the demo, cohort and others alike.
fn forbidden() -> Forbidden {
    let mut forbidden = Forbidden::default();
    for client in cohort("clients.csv") {
        forbidden.name(&client["given_name"]);
        forbidden.name(&client["family_name"]);
        forbidden.nhs_number(&client["nhs_number"]);
        forbidden.birth_date(&client["birth_date"]);
        forbidden.id(&client["client"]);
    }
    for token in wayleave::synth::demo::identifying_tokens().unwrap() {
        forbidden.token(&token.text);
    }
    assert!(forbidden.count() > 1_000, "there is plenty to look for");
    forbidden
}

fn nothing_names_anybody(dir: &Path, output: &Output) {
    let forbidden = forbidden();
    let mut found = forbidden.find(&String::from_utf8_lossy(&output.stdout));
    found.extend(forbidden.find(&String::from_utf8_lossy(&output.stderr)));
    found.extend(forbidden.find_in_files(&dir.join("extract")));
    // The databases as files, their -wal beside them, and value by value. In the operational
    // database what identifies is sealed, and sealed bytes may spell anything: values only.
    for file in files(dir) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if file.parent() == Some(dir) && (name.starts_with("evaluation.db") || name.starts_with("queue.db")) {
            found.extend(forbidden.find_in_files(&file));
        }
    }
    for database in ["evaluation.db", "queue.db", "operational.db"] {
        let url = format!("sqlite:{}", dir.join(database).display());
        for (table, rows) in dump::dump(&url) {
            found.extend(
                rows.iter()
                    .flat_map(|row| forbidden.find(row))
                    .map(|what| format!("{database} {table}: {what}")),
            );
        }
    }
    assert!(found.is_empty(), "{} found\n{}", found.len(), found.join("\n"));
}

#[test]
fn with_the_gate_switched_off_every_kind_has_a_stranger() {
    let open = mutant::build("open-gate", &[GATE_OFF]);
    let folder = support::folder();
    demo_anyhow(&open, folder.path());
    let faults = compare(folder.path());
    for kind in
        ["person", "episode", "accommodation", "service", "event", "star", "goal", "milestone", "contact"]
    {
        let strange = faults.iter().any(|fault| fault.starts_with(&format!("{kind}: of somebody")));
        assert!(strange, "no stranger in {kind}, though the gate was off");
    }
}

#[test]
fn with_a_redaction_taken_out_the_search_finds_it() {
    let telling = mutant::build("no-redaction", &[REDACTION_OUT]);
    let folder = support::folder();
    demo_anyhow(&telling, folder.path());
    let held = dump::dump(&format!("sqlite:{}", folder.path().join("evaluation.db").display()));
    assert!(held["record"].len() > 100, "the copy released records");
    let forbidden = forbidden();
    let found = held.values().flatten().any(|row| !forbidden.find(row).is_empty());
    assert!(found, "nothing was found, though a redaction was out");
}

/// A copy may fail its own last check; what it built is what matters.
fn demo_anyhow(binary: &Path, dir: &Path) {
    let _status = Command::new(binary).args(["demo", "--dir"]).arg(dir).output().unwrap();
}

/// Without the consent decision: whoever has no consent is let through as if they had.
const GATE_OFF: Change = Change {
    file: "src/consent/decide.rs",
    from: "            Verdict::Deny(denied) => Err(denied),",
    to: r#"            Verdict::Deny(_) => {
                let evidence = Evidence {
                    form: "none".to_owned(),
                    form_version: "0".to_owned(),
                    decided_on: when.at,
                    record: (RecordId::from_bits(1), 1),
                };
                let yes = || Verdict::Permit(evidence.clone());
                let verdicts = [yes(), yes(), yes(), yes()];
                Ok(Self { person, study: study.to_owned(), evidence, verdicts })
            }"#,
};

/// Without one treatment: the birth date itself where an age band should be.
const REDACTION_OUT: Change = Change {
    file: "src/release/treat.rs",
    from: "            let birth = value.private().and_then(|birth| birth.open(grant).parse::<Day>().ok());",
    to: r"            if let Some(birth) = value.private() {
                return Ok(Some(Treated::Coded(birth.open(grant).clone())));
            }
            let birth = value.private().and_then(|birth| birth.open(grant).parse::<Day>().ok());",
};
