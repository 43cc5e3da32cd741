//! The generator: the same seed gives the same bytes, every layout is well formed, and every fact
//! of the cohort stands in the rendered files. Read here with no mapping and no reader of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::sync::LazyLock;

use calamine::{Data, Reader as _};
use serde_json::Value;
use wayleave::record::nhs_number::{Verdict, is_invented, judge};
use wayleave::synth::cohort::{self, AREAS, Cohort};
use wayleave::synth::demo::{self, Rendered, TokenKind};
use wayleave::synth::render::cld::COLUMNS;
use wayleave::synth::render::tracker::{area_label, status_label};
use wayleave::synth::{load, world};

/// The demo's files, made once for all tests here.
fn demo_files() -> &'static Rendered {
    static FILES: LazyLock<Rendered> = LazyLock::new(|| demo::files(&world::demo().unwrap()).unwrap());
    &FILES
}

fn bytes<'r>(rendered: &'r Rendered, feed: &str) -> &'r [u8] {
    let found = rendered.files.iter().find(|file| file.1 == feed).unwrap();
    &found.3
}

type Rows = Vec<BTreeMap<String, String>>;

fn cell(data: &Data) -> String {
    match data {
        // Serial days count from 30 December 1899.
        Data::DateTime(serial) => wayleave::synth::calendar::plus(
            wayleave::synth::calendar::day(1899, 12, 30),
            format!("{:.0}", serial.as_f64()).parse().unwrap(),
        )
        .to_string(),
        Data::Float(number) => number.to_string(),
        Data::Empty => String::new(),
        other => other.to_string(),
    }
}

/// A sheet of the tracker, without the rows that hold a fault.
fn sheet(rendered: &Rendered, name: &str) -> Rows {
    let mut book =
        calamine::open_workbook_from_rs::<calamine::Xlsx<_>, _>(Cursor::new(bytes(rendered, "tracker")))
            .unwrap();
    let range = book.worksheet_range(name).unwrap();
    assert_eq!(range.start(), Some((0, 0)), "{name}");
    let rows: Vec<_> = range.rows().collect();
    let header: Vec<String> = rows[2].iter().map(cell).collect();
    let faulty: BTreeSet<u64> =
        rendered.faults.iter().filter(|fault| fault.sheet == Some(name)).map(|fault| fault.line).collect();
    let sound = (1..).zip(&rows).skip(3).filter(|(line, _)| !faulty.contains(line));
    sound.map(|(_, row)| header.iter().cloned().zip(row.iter().map(cell)).collect()).collect()
}

/// The bodies of the events that hold no fault.
fn events(rendered: &Rendered) -> Vec<Value> {
    let faulty: BTreeSet<u64> = rendered
        .faults
        .iter()
        .filter(|fault| fault.feed == "housing/events")
        .map(|fault| fault.line)
        .collect();
    let text = std::str::from_utf8(bytes(rendered, "events")).unwrap();
    let sound = (1..).zip(text.lines()).filter(|(line, _)| !faulty.contains(line));
    sound
        .map(|(_, line)| {
            let envelope: Value = serde_json::from_str(line).unwrap();
            serde_json::from_str(envelope["body"].as_str().unwrap()).unwrap()
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (one, two) = (demo_files(), demo::files(&world::demo().unwrap()).unwrap());
    for (one, two) in one.files.iter().zip(&two.files) {
        assert!(one.3 == two.3, "{} {}", one.0, one.1);
    }
    let of = |seed| demo::files(&world::invented(25, seed)).unwrap();
    assert!(bytes(&of(7), "cld") == bytes(&of(7), "cld"));
    assert!(bytes(&of(7), "tracker") == bytes(&of(7), "tracker"));
    assert!(bytes(&of(7), "cld") != bytes(&of(8), "cld"));
}

#[test]
fn rendering_twice_writes_once() {
    let dir = tempfile::tempdir().unwrap();
    let first = demo::render(dir.path()).unwrap();
    assert_eq!(first.written, 10);
    assert_eq!(first.consenting, 49);
    assert_eq!(first.people, 120);
    assert_eq!(demo::render(dir.path()).unwrap().written, 0);
}

#[test]
fn the_council_files_are_separated_text() {
    let rendered = demo_files();
    let (cld, _, broken) = encoding_rs::WINDOWS_1252.decode(bytes(rendered, "cld"));
    assert!(!broken && std::str::from_utf8(bytes(rendered, "cld")).is_err(), "Windows-1252, and not UTF-8");
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(cld.as_bytes());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS);
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let people: BTreeSet<_> = rows.iter().map(|row| row[4].to_owned()).collect();
    assert!(people.len() > 116 + 300, "{}", people.len());
    let costs = std::str::from_utf8(bytes(rendered, "costs")).unwrap();
    assert!(costs.starts_with("\u{feff}LAS ID;NHS Number;"));
    assert!(costs.lines().count() > 70);
}

#[test]
fn the_trust_files_are_a_bundle_and_messages() {
    let rendered = demo_files();
    let bundle: Value = serde_json::from_slice(bytes(rendered, "fhir")).unwrap();
    assert_eq!(bundle["resourceType"], "Bundle");
    let entries = bundle["entry"].as_array().unwrap();
    let of = |kind: &str| entries.iter().filter(|entry| entry["resource"]["resourceType"] == kind).count();
    assert!(of("Patient") > 170 && of("Encounter") > 300 && of("EpisodeOfCare") > 170);
    let adt = std::str::from_utf8(bytes(rendered, "adt")).unwrap();
    assert!(!adt.contains('\n'));
    let heads: Vec<_> = adt.split_terminator('\r').filter(|segment| segment.starts_with("MSH|")).collect();
    assert!(heads.len() > 40, "{}", heads.len());
    for trigger in ["A01", "A03", "A08", "A31"] {
        assert!(heads.iter().any(|head| head.contains(&format!("|ADT^{trigger}|"))), "{trigger}");
    }
    for message in adt.split("MSH|").skip(1) {
        assert!(hl7_parser::parse_message_with_lenient_newlines(&format!("MSH|{message}")).is_ok());
    }
}

#[test]
fn every_reading_of_the_cohort_is_there_and_no_other_of_those_people() {
    let (rendered, cohort) = (demo_files(), cohort::read().unwrap());
    let mut found = BTreeSet::new();
    for row in sheet(rendered, "Stars") {
        let scores: Vec<String> = AREAS.iter().map(|area| row[area_label(area)].clone()).collect();
        found.insert((row["Client Ref"].clone(), row["Date Completed"].clone(), scores));
    }
    for body in events(rendered).iter().filter(|body| body["type"] == "star_completed") {
        let scores = AREAS.iter().map(|area| text(&body[*area])).collect();
        found.insert((text(&body["client_ref"]), text(&body["completed_on"]), scores));
    }
    let consenting = consenting(&cohort);
    found.retain(|(client, ..)| consenting.contains(client));
    let stated: BTreeSet<_> = cohort
        .stars
        .iter()
        .map(|star| {
            (star.client.clone(), star.completed_on.to_string(), star.scores.map(|n| n.to_string()).to_vec())
        })
        .collect();
    assert_eq!(stated.len(), 172);
    assert_eq!(found, stated);
}

#[test]
fn every_goal_of_the_cohort_is_there_and_no_other_of_those_people() {
    let (rendered, cohort) = (demo_files(), cohort::read().unwrap());
    let mut found: BTreeMap<String, [String; 6]> = BTreeMap::new();
    for row in sheet(rendered, "Goals") {
        let of = |column: &str| row[column].clone();
        let cells = ["Client Ref", "Area", "Set On", "Due On", "Status", "Closed On"].map(of);
        assert!(found.insert(row["Goal Ref"].clone(), cells).is_none(), "a goal stands twice");
    }
    // Events stand in order, so that the last of a goal is the one that holds.
    for body in events(rendered).iter().filter(|body| body["type"] == "goal_updated") {
        let of = |field: &str| body.get(field).map(text).unwrap_or_default();
        found.insert(
            of("goal_ref"),
            [
                of("client_ref"),
                area_label(&of("area")).to_owned(),
                of("set_on"),
                of("due_on"),
                status_label(&of("status").replace('-', "_")).to_owned(),
                of("closed_on"),
            ],
        );
    }
    let consenting = consenting(&cohort);
    let mut found: Vec<_> = found.into_values().filter(|goal| consenting.contains(&goal[0])).collect();
    let day = |day: Option<_>| day.map_or(String::new(), |day: wayleave::base::day::Day| day.to_string());
    let mut stated: Vec<_> = cohort
        .goals
        .iter()
        .map(|goal| {
            [
                goal.client.clone(),
                area_label(&goal.domain).to_owned(),
                goal.set_on.to_string(),
                goal.due_on.to_string(),
                status_label(&goal.status).to_owned(),
                day(goal.closed_on),
            ]
        })
        .collect();
    found.sort();
    stated.sort();
    assert_eq!(found, stated);
}

#[test]
fn spells_follow_from_home_start_and_move() {
    let (rendered, cohort) = (demo_files(), cohort::read().unwrap());
    let day = |day: Option<_>| day.map_or(String::new(), |day: wayleave::base::day::Day| day.to_string());
    let mut found: Vec<_> = sheet(rendered, "Accommodation")
        .into_iter()
        .map(|row| {
            [row["Client Ref"].clone(), row["From"].clone(), row["To"].clone(), row["The Move"].clone()]
        })
        .filter(|spell| cohort.clients.iter().any(|client| client.client == spell[0]))
        .collect();
    let mut stated = Vec::new();
    for client in &cohort.clients {
        let (name, moved) = (&client.client, day(client.moved_on));
        stated.push([name.clone(), day(client.programme_start), moved.clone(), "No".to_owned()]);
        if client.moved_on.is_some() {
            stated.push([name.clone(), moved, String::new(), "Yes".to_owned()]);
        }
    }
    found.sort();
    stated.sort();
    assert_eq!(found, stated);
}

#[test]
fn every_cost_of_the_cohort_is_there() {
    let (rendered, cohort) = (demo_files(), cohort::read().unwrap());
    let truth = world::demo().unwrap();
    let faulty: BTreeSet<u64> = rendered
        .faults
        .iter()
        .filter(|fault| fault.feed == "council/costs")
        .map(|fault| fault.line)
        .collect();
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b';').flexible(true).from_reader(bytes(rendered, "costs"));
    let sound = (2..).zip(reader.records().map(Result::unwrap)).filter(|(line, _)| !faulty.contains(line));
    let iso = |slashed: &str| slashed.split('/').rev().collect::<Vec<_>>().join("-");
    let mut found: Vec<[String; 5]> = sound
        .filter_map(|(_, row)| {
            let id = row[0].to_owned();
            let life = truth.lives.iter().find(|life| life.council.as_ref().unwrap().id == id).unwrap();
            let service = row[5].to_lowercase();
            (life.who.key.as_str() <= "PI116")
                .then(|| [life.who.key.clone(), service, row[6].to_owned(), iso(&row[7]), iso(&row[8])])
        })
        .collect();
    let mut stated: Vec<[String; 5]> = cohort
        .costs
        .iter()
        .map(|cost| {
            let end = cost.end.map_or(String::new(), |day| day.to_string());
            [
                cost.client.clone(),
                cost.service.clone(),
                cost.weekly_cost.to_string(),
                cost.start.to_string(),
                end,
            ]
        })
        .collect();
    found.sort();
    stated.sort();
    assert_eq!(found, stated);
}

fn consenting(cohort: &Cohort) -> BTreeSet<String> {
    cohort
        .clients
        .iter()
        .filter(|client| client.consent_on.is_some())
        .map(|client| client.client.clone())
        .collect()
}

#[test]
fn the_tracker_has_the_people_and_their_consent() {
    let (rendered, cohort) = (demo_files(), cohort::read().unwrap());
    let clients = sheet(rendered, "Clients");
    assert_eq!(clients.len(), 120);
    assert_eq!(clients.iter().filter(|row| !row["Accepted On"].is_empty()).count(), 116);
    for client in &cohort.clients {
        let row = clients.iter().find(|row| row["Client Ref"] == client.client).unwrap();
        let day = |day: Option<wayleave::base::day::Day>| day.map_or(String::new(), |day| day.to_string());
        assert_eq!(row["Started On"], day(client.programme_start));
        assert_eq!(row["Moved On"], day(client.moved_on));
        assert_eq!(row["Left On"], day(client.withdrawn));
        assert_eq!(row["Ethnicity"], client.ethnicity);
    }
    let given: BTreeSet<_> = sheet(rendered, "Consents")
        .into_iter()
        .filter(|row| row["Decision"] == "Given" && row["Checked"] == "Yes" && row["Case Data"] == "Yes")
        .map(|row| row["Client Ref"].clone())
        .collect();
    let mut expected = consenting(&cohort);
    expected.extend(["PI119".to_owned(), "PI120".to_owned()]);
    assert_eq!(given, expected);
    assert!(
        events(rendered)
            .iter()
            .any(|body| body["type"] == "consent_withdrawn" && body["client_ref"] == "PI119")
    );
}

#[test]
fn signatures_are_those_of_standard_webhooks() {
    let rendered = demo_files();
    let hook = standardwebhooks::Webhook::new(&rendered.secret).unwrap();
    let text = std::str::from_utf8(bytes(rendered, "events")).unwrap();
    let bad: BTreeSet<u64> = rendered
        .faults
        .iter()
        .filter(|fault| fault.feed == "housing/events" && fault.code == Some("webhook/signature"))
        .map(|fault| fault.line)
        .collect();
    assert_eq!(bad.len(), 3);
    for (line, text) in (1..).zip(text.lines()) {
        let Ok(envelope) = serde_json::from_str::<Value>(text) else { continue };
        let of = |name: &str| envelope[name].as_str().unwrap();
        let timestamp = of("webhook-timestamp").parse().unwrap();
        let signature = hook.sign(of("webhook-id"), timestamp, of("body").as_bytes()).unwrap();
        assert_eq!(signature == of("webhook-signature"), !bad.contains(&line), "line {line}");
    }
}

#[test]
fn at_least_forty_faults_of_twelve_kinds_are_listed_at_places_of_their_own() {
    let faults = &demo_files().faults;
    let kinds: BTreeSet<_> = faults.iter().map(|fault| fault.kind).collect();
    assert!(faults.len() >= 40, "{}", faults.len());
    assert!(kinds.len() >= 12, "{}", kinds.len());
    let places: BTreeSet<_> = faults.iter().map(|fault| (fault.feed, fault.sheet, fault.line)).collect();
    assert_eq!(places.len(), faults.len());
}

#[test]
fn numbers_are_of_the_999_range_and_days_of_birth_are_of_one_person() {
    let world = world::demo().unwrap();
    let mut born = BTreeSet::new();
    for life in &world.lives {
        assert!(born.insert(life.who.born), "{}", life.who.key);
    }
    let mut numbers = BTreeSet::new();
    for life in world.lives.iter().chain(&world.others) {
        assert_eq!(judge(&life.who.number), Verdict::Good);
        assert!(is_invented(&life.who.number));
        assert!(numbers.insert(life.who.number.clone()), "one number for two");
    }
    for life in &world.others {
        assert!(!born.contains(&life.who.born), "a stranger has the birthday of somebody known");
    }
}

#[test]
fn tokens_are_in_the_files_and_in_no_label() {
    let tokens = demo::identifying_tokens().unwrap();
    let has = |kind, text: &str| tokens.iter().any(|token| token.kind == kind && token.text == text);
    assert!(
        has(TokenKind::Name, "palfreyman") && has(TokenKind::Name, "o’brien") && has(TokenKind::Name, "zoe")
    );
    assert!(has(TokenKind::NhsNumber, "9995899604") && has(TokenKind::NhsNumber, "999 589 9604"));
    assert!(has(TokenKind::BirthDate, "1963-02-25") && has(TokenKind::BirthDate, "25/02/1963"));
    assert!(has(TokenKind::Identifier, "pi001") && has(TokenKind::Postcode, "xs2 2bb"));
    assert!(
        tokens
            .iter()
            .filter(|token| token.kind == TokenKind::Name)
            .all(|token| token.text.chars().count() >= 3)
    );
}

#[test]
fn the_file_of_the_figures_has_the_stated_faults() {
    let mut out = Vec::new();
    load::figures(&mut out, 100_000).unwrap();
    assert!((8_000_000..10_500_000).contains(&out.len()), "{}", out.len());
    let mut reader = csv::Reader::from_reader(&out[3..]);
    let mut accepted = 0;
    for row in reader.records() {
        let row = row.unwrap();
        let number = row[1].replace(' ', "");
        accepted +=
            usize::from(judge(&number) == Verdict::Good && &row[4] != "31/02/1950" && &row[7] != "Revew");
    }
    assert_eq!(accepted, 97_206);
}

#[test]
fn the_large_file_can_be_shuffled_with_one_row_changed() {
    let of = |shuffled, changed| {
        let mut out = Vec::new();
        load::cld(&mut out, load::Load { rows: 2_000, rows_of_person: 4, shuffled, changed }).unwrap();
        let mut lines: Vec<String> = String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
        let first = lines[1].clone();
        lines.sort();
        (lines, first)
    };
    let ((plain, one), (shuffled, two), (changed, _)) = (of(false, None), of(true, None), of(true, Some(5)));
    assert_eq!(plain, shuffled);
    assert_ne!(one, two);
    assert_eq!(plain.iter().zip(&changed).filter(|(one, two)| one != two).count(), 1);
}
