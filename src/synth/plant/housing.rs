//! Faults of the tracker and of the events.

use serde_json::{Map, Value, json};

use crate::synth::calendar::day;
use crate::synth::cohort::AREAS;
use crate::synth::fault::{Kind, Planted};
use crate::synth::render::events::{Line, Writer, object, planted};
use crate::synth::render::table::{Cell, Row, Table};
use crate::synth::seed::Seed;

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}

fn any(_: &Table, _: &Row) -> bool {
    true
}

/// Plants in the sheets of the tracker. `nobody` is somebody of whom nothing here is stated.
pub fn tracker(tables: &mut [Table], nobody: &str, seed: &mut Seed) {
    for table in tables {
        match table.sheet {
            Some("Clients") => clients(table, seed),
            Some("Consents") => consents(table, nobody, seed),
            Some("Stars") => stars(table, seed),
            Some("Goals") => goals(table, nobody, seed),
            Some("Accommodation") => accommodation(table, nobody, seed),
            Some("Settings") => settings(table, seed),
            Some(sheet) => milestone(table, sheet, seed),
            None => {}
        }
    }
}

/// Clients of no name, whom only their own fault brings in.
fn clients(table: &mut Table, seed: &mut Seed) {
    let wrong: String = {
        let number = seed.nhs_number();
        let last = number.bytes().last().map_or(0, |digit| (digit - b'0' + 3) % 10);
        number.chars().take(9).chain(char::from_digit(u32::from(last), 10)).collect()
    };
    let mut spoil = |reference: &str, kind, column: &'static str, cell: Cell| {
        table.push(&[
            ("Client Ref", text(reference)),
            ("First Name", text("Quillon")),
            ("Surname", text("Nonesuch")),
            (column, cell),
        ]);
        if let Some(row) = table.rows.last_mut() {
            row.planted = Some(Planted { kind, column: Some(column) });
        }
    };
    spoil("PI901", Kind::WrongCheckDigit, "NHS Number", Cell::Text(wrong));
    spoil("PI902", Kind::BadPostcode, "Postcode", text("unknown"));
    spoil("PI903", Kind::NumberForId, "LAS ID", Cell::Number(7_100_037.0));
    spoil("PI904", Kind::UnknownCode, "Stage", text("Waiting"));
}

fn consents(table: &mut Table, nobody: &str, seed: &mut Seed) {
    let to = ("Client Ref", text(nobody));
    table.plant(
        Kind::ImpossibleDay,
        Some("Decided On"),
        &[to.clone(), ("Decided On", text("31/02/2025"))],
        any,
        seed,
    );
    table.plant(Kind::Missing, Some("Decided On"), &[to.clone(), ("Decided On", Cell::Blank)], any, seed);
    table.plant(Kind::UnknownCode, Some("Case Data"), &[to.clone(), ("Case Data", text("Maybe"))], any, seed);
    table.plant(Kind::WordForDay, Some("Decided On"), &[to, ("Decided On", text("TBC"))], any, seed);
}

fn stars(table: &mut Table, seed: &mut Seed) {
    let on = ("Date Completed", Cell::Day(day(2023, 6, 17)));
    let mut spoil = |kind, column, cell| {
        table.plant(kind, Some(column), &[on.clone(), (column, cell)], any, seed);
    };
    spoil(Kind::WordForDay, "Date Completed", text("TBC"));
    spoil(Kind::NumberForDay, "Date Completed", Cell::Number(45_094.0));
    spoil(Kind::Missing, "Date Completed", Cell::Blank);
    spoil(Kind::OutOfRange, "Living Skills", Cell::Number(11.0));
    spoil(Kind::OutOfRange, "Trust and Hope", Cell::Number(0.0));
    spoil(Kind::OutOfRange, "Work", Cell::Number(75.0));
    spoil(Kind::WordForNumber, "Self Care", text("seven"));
    spoil(Kind::MissingPerson, "Client Ref", Cell::Blank);
    spoil(Kind::NumberForId, "Client Ref", Cell::Number(119.0));
    spoil(Kind::CellError, "Relationships", Cell::Error);
    table.repeat(Kind::DuplicateRow, any, seed);
    table.repeat(Kind::DuplicateRow, any, seed);
}

fn goals(table: &mut Table, nobody: &str, seed: &mut Seed) {
    let mut next = 90_000;
    let mut spoil = |kind, column, cell: Cell| {
        next += 1;
        let set = [("Goal Ref", Cell::Text(format!("G-{next}"))), (column, cell)];
        table.plant(kind, Some(column), &set, any, seed);
    };
    spoil(Kind::UnknownCode, "Status", text("Ongoing"));
    spoil(Kind::UnknownCode, "Area", text("Money"));
    spoil(Kind::WordForDay, "Due On", text("TBC"));
    spoil(Kind::MissingKey, "Goal Ref", Cell::Blank);
    spoil(Kind::NumberForId, "Goal Ref", Cell::Number(90_017.0));
    table.repeat(Kind::DuplicateRow, any, seed);
    // One reference for two goals: neither may overwrite the other.
    for (wording, fault) in [("cook a meal", None), ("join a choir", Some(Kind::ConflictingRows))] {
        table.push(&[
            ("Goal Ref", text("G-90099")),
            ("Client Ref", text(nobody)),
            ("Area", text("Living Skills")),
            ("Goal", text(wording)),
            ("Set On", Cell::Day(day(2025, 3, 3))),
            ("Status", text("In progress")),
        ]);
        if let Some(row) = table.rows.last_mut() {
            row.planted = fault.map(|kind| Planted { kind, column: None });
        }
    }
}

fn accommodation(table: &mut Table, nobody: &str, seed: &mut Seed) {
    let mut spoil = |kind, column, cell: Cell| {
        let set = [("Client Ref", text(nobody)), ("From", Cell::Day(day(2018, 4, 9))), (column, cell)];
        table.plant(kind, Some(column), &set, any, seed);
    };
    spoil(Kind::UnknownCode, "Type", text("Bedsit"));
    spoil(Kind::BadPostcode, "Postcode", text("XS1O"));
    spoil(Kind::ImpossibleDay, "To", text("31/04/2019"));
}

/// One fault each on the sheets of three milestones.
fn milestone(table: &mut Table, sheet: &str, seed: &mut Seed) {
    let (kind, column, cell) = match sheet {
        "Action Plan" => (Kind::UnknownCode, "Outcome", text("Bingo")),
        "Viewing and Tenancy Agreement" => (Kind::WordForDay, "Planned", text("to be agreed")),
        "Utilities" => (Kind::CellError, "Done", Cell::Error),
        _ => return,
    };
    let set = [("Planned", Cell::Day(day(2023, 6, 18))), (column, cell)];
    table.plant(kind, Some(column), &set, any, seed);
}

fn settings(table: &mut Table, seed: &mut Seed) {
    table.plant(Kind::Missing, Some("Name"), &[("Name", Cell::Blank)], any, seed);
    let set = [("Name", text("Nowhere House")), ("Beds", Cell::Number(-4.0))];
    table.plant(Kind::OutOfRange, Some("Beds"), &set, any, seed);
}

/// Plants among the events, some of them as somebody who means harm would.
pub fn events(lines: &mut Vec<Line>, nobody: &str, writer: &mut Writer<'_>, seed: &mut Seed) {
    let on = day(2025, 3, 12);
    let reading = |score: i64| {
        let mut fields = object(&[("completed_on", json!("2025-03-12")), ("edition", json!("RS3"))]);
        fields.extend(AREAS.iter().map(|area| ((*area).to_owned(), json!(score))));
        fields
    };
    let goal = |reference: &str, status: &str| {
        object(&[("goal_ref", json!(reference)), ("area", json!("work")), ("status", json!(status))])
    };
    let none = Map::<String, Value>::new();
    let mut extra = Vec::new();
    // Readings forged after they were signed: the signature is of another body.
    for client in ["PI001", "PI014", "PI021"] {
        let mut line = writer.event("star_completed", client, on, &reading(5));
        line.body = line.body.replace(":5", ":10");
        extra.push(planted(line, Kind::BadSignature, None));
    }
    extra.push(planted(writer.event("star_completed", nobody, on, &reading(11)), Kind::OutOfRange, None));
    extra.push(planted(writer.event("star_completed", nobody, on, &reading(0)), Kind::OutOfRange, None));
    extra.push(planted(
        writer.event("goal_updated", nobody, on, &goal("G-90201", "done")),
        Kind::UnknownWord,
        Some("status"),
    ));
    extra.push(planted(
        writer.event("goal_updated", "", on, &goal("G-90202", "completed")),
        Kind::MissingPerson,
        None,
    ));
    extra.push(planted(
        writer.event("goal_updated", nobody, on, &goal("", "completed")),
        Kind::MissingKey,
        None,
    ));
    let moved = object(&[("moved_on", json!("2025-02-30"))]);
    extra.push(planted(writer.event("moved_on", nobody, on, &moved), Kind::ImpossibleDay, Some("moved_on")));
    extra.push(planted(writer.event("badge_earned", nobody, on, &none), Kind::UnknownEventType, None));
    extra.push(planted(writer.event("newsletter_opened", nobody, on, &none), Kind::UnknownEventType, None));
    let at = crate::synth::calendar::unix(on) + 40_000;
    extra.push(planted(writer.signed(at, "{\"type\":\"star_completed\",".to_owned()), Kind::NotJson, None));
    let mut cut = planted(writer.signed(at + 60, "{}".to_owned()), Kind::NotJson, None);
    cut.instead = Some("{\"webhook-id\":\"evt_cut".to_owned());
    extra.push(cut);
    lines.extend(extra);
    lines.sort_by(|one, two| (one.timestamp, &one.id).cmp(&(two.timestamp, &two.id)));
    // Sent again, as senders do when an answer is lost.
    for _ in 0..3 {
        let again = lines.get(seed.place(lines.len())).filter(|line| line.planted.is_none()).cloned();
        lines.extend(again.map(|line| planted(line, Kind::DuplicateWebhook, None)));
    }
}
