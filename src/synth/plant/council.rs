//! Faults of the council's two files.

use crate::synth::fault::{Kind, Planted};
use crate::synth::render::table::{Cell, Row, Table};
use crate::synth::seed::Seed;

const KEY: &str = "LA Person Unique Identifier";

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}

fn is(table: &Table, row: &Row, column: &str, value: &str) -> bool {
    matches!(table.cell(row, column), Cell::Text(found) if found == value)
}

fn filled(table: &Table, row: &Row, column: &str) -> bool {
    *table.cell(row, column) != Cell::Blank
}

/// A number of nobody: the right shape, a wrong check digit.
fn wrong_number(seed: &mut Seed) -> String {
    let number = seed.nhs_number();
    let last = number.bytes().last().map_or(0, |digit| (digit - b'0' + 1) % 10);
    number.chars().take(9).chain(char::from_digit(u32::from(last), 10)).collect()
}

/// Plants in the Client Level Data. `known` says whose identifier is of somebody in the programme.
pub fn cld(table: &mut Table, known: &dyn Fn(&str) -> bool, seed: &mut Seed) {
    let about = |table: &Table, row: &Row, kind: &str| {
        is(table, row, "Event Type", kind) && matches!(table.cell(row, KEY), Cell::Text(id) if known(id))
    };
    let service = |table: &Table, row: &Row| about(table, row, "Service") && filled(table, row, "Unit Cost");
    let review = |table: &Table, row: &Row| about(table, row, "Review");
    let request = |table: &Table, row: &Row| about(table, row, "Request");
    let day = ("Event Start Date", text("17/05/2023"));
    let mut spoil = |kind, column, value: &str, which: &dyn Fn(&Table, &Row) -> bool| {
        table.plant(kind, Some(column), &[day.clone(), (column, text(value))], which, seed);
    };
    spoil(Kind::ImpossibleDay, "Event Start Date", "31/02/2023", &review);
    spoil(Kind::ImpossibleDay, "Event Start Date", "30/02/2024", &service);
    spoil(Kind::ImpossibleDay, "Event End Date", "31/11/2023", &review);
    spoil(Kind::WordForDay, "Event Start Date", "TBC", &request);
    spoil(Kind::UnknownCode, "Service Component", "Befriending", &service);
    spoil(Kind::UnknownCode, "Event Outcome", "Sent a leaflet", &review);
    spoil(Kind::ReleaseOneSpelling, "Service Type", "Long Term Support: Community", &service);
    spoil(Kind::ReleaseOneSpelling, "Delivery Mechanism", "CASSR Commissioned Support", &service);
    spoil(Kind::Missing, "Event End Date", "", &request);
    spoil(Kind::WordForMoney, "Unit Cost", "n/k", &service);
    spoil(Kind::OutOfRange, "Unit Cost", "450000000.00", &service);
    spoil(Kind::MissingPerson, KEY, "", &review);
    nobody(table, seed);
    for _ in 0..3 {
        table.repeat(Kind::DuplicateRow, |table, row| about(table, row, "Review"), seed);
    }
    ragged(table, review, seed);
}

/// Rows about nobody: a copy of a stranger's row under an identifier of its own.
fn nobody(table: &mut Table, seed: &mut Seed) {
    let wrong = [wrong_number(seed), wrong_number(seed)];
    let nine: String = seed.nhs_number().chars().take(9).collect();
    let faults: [(Kind, &'static str, &str); 8] = [
        (Kind::WrongCheckDigit, "NHS Number", &wrong[0]),
        (Kind::WrongCheckDigit, "NHS Number", &wrong[1]),
        (Kind::NumberShape, "NHS Number", "9.99E+09"),
        (Kind::NumberShape, "NHS Number", &nine),
        (Kind::ImpossibleDay, "Date of Birth", "31/02/1950"),
        (Kind::ReleaseOneSpelling, "Client Type", "Service User"),
        (Kind::BadPostcode, "Postcode", "XS 99"),
        (Kind::UnknownCode, "Gender", "Man"),
    ];
    for (index, (kind, column, value)) in faults.into_iter().enumerate() {
        let id = format!("LL{:07}", 9_900_001 + index);
        let set = [
            (KEY, text(&id)),
            ("First Name", text("Quillon")),
            ("Last Name", text("Nonesuch")),
            (column, text(value)),
        ];
        table.plant(kind, Some(column), &set, |table, row| is(table, row, "Event Type", "Review"), seed);
    }
}

/// One row with a cell too many, one with some too few.
fn ragged(table: &mut Table, which: impl Fn(&Table, &Row) -> bool, seed: &mut Seed) {
    for extra in [true, false] {
        table.plant(Kind::RaggedRow, None, &[], &which, seed);
        let last = table.rows.iter_mut().rfind(|row| {
            row.planted.is_some_and(|fault| fault.kind == Kind::RaggedRow)
                && row.cells.len() == table.columns.len()
        });
        if let Some(row) = last {
            if extra {
                row.cells.push(text("left over"));
            } else {
                row.cells.truncate(row.cells.len().saturating_sub(3));
            }
        }
    }
}

/// Plants in the cost report. `nobody` is the identifier of somebody of whom no cost is stated.
pub fn costs(table: &mut Table, nobody: &str, seed: &mut Seed) {
    let any = |_: &Table, _: &Row| true;
    let day = ("Start Date", text("01/05/2015"));
    let wrong = wrong_number(seed);
    let mut spoil = |kind, column, value: &str| {
        table.plant(kind, Some(column), &[day.clone(), (column, text(value))], any, seed);
    };
    spoil(Kind::ImpossibleDay, "Start Date", "31/06/2021");
    spoil(Kind::WordForDay, "End Date", "TBC");
    spoil(Kind::UnknownCode, "Service Description", "Res. care");
    spoil(Kind::WordForMoney, "Weekly Cost (GBP)", "n/k");
    spoil(Kind::OutOfRange, "Weekly Cost (GBP)", "-120.00");
    spoil(Kind::MissingPerson, "LAS ID", "");
    spoil(Kind::Missing, "Start Date", "");
    let set = [("LAS ID", text("LL9900101")), ("NHS Number", text(&wrong))];
    table.plant(Kind::WrongCheckDigit, Some("NHS Number"), &set, any, seed);
    table.repeat(Kind::DuplicateRow, any, seed);
    ragged(table, any, seed);
    // Two costs for one service of one day: neither may overwrite the other.
    let named = |cost: &str| {
        [
            ("LAS ID", text(nobody)),
            ("Service Description", text("Residential care")),
            ("Weekly Cost (GBP)", text(cost)),
            ("Start Date", text("03/03/2024")),
        ]
    };
    table.push(&named("812.40"));
    table.push(&named("821.40"));
    if let Some(row) = table.rows.last_mut() {
        row.planted = Some(Planted { kind: Kind::ConflictingRows, column: None });
    }
}
