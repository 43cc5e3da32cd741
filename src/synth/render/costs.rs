//! The council's own weekly cost report: UTF-8 with a byte order mark, semicolons.

use crate::synth::calendar::slashed;
use crate::synth::render::table::{Cell, Table};
use crate::synth::world::World;

/// Name of the file.
pub const FILE: &str = "local_costs_2025-03.csv";

/// Its columns.
pub const COLUMNS: [&str; 10] = [
    "LAS ID",
    "NHS Number",
    "Surname",
    "Forename",
    "Date of Birth",
    "Service Description",
    "Weekly Cost (GBP)",
    "Start Date",
    "End Date",
    "Provider",
];

/// A row for each funded service whose cost is known.
#[must_use]
pub fn table(world: &World) -> Table {
    let mut seed = world.seed.fork("costs");
    let mut table = Table {
        feed: "council/costs",
        file: FILE,
        sheet: None,
        columns: &COLUMNS,
        first_line: 2,
        rows: Vec::new(),
    };
    for life in &world.lives {
        let Some(view) = &life.council else { continue };
        for row in &life.costs {
            // The report's NHS numbers come from the case system, blank here and there, and some
            // are typed with blanks in them.
            let number = match (&view.number, seed.below(10)) {
                (None, _) | (_, 0) => String::new(),
                (Some(number), 1..3) => spaced(number),
                (Some(number), _) => number.clone(),
            };
            table.push(&[
                ("LAS ID", view.id.clone().into()),
                ("NHS Number", number.into()),
                ("Surname", view.family.clone().into()),
                ("Forename", view.given.clone().into()),
                ("Date of Birth", slashed(view.born).into()),
                ("Service Description", row.service.into()),
                ("Weekly Cost (GBP)", format!("{:.2}", row.weekly).into()),
                ("Start Date", slashed(row.from).into()),
                ("End Date", row.to.map_or(Cell::Blank, |day| slashed(day).into())),
                ("Provider", row.provider.into()),
            ]);
        }
    }
    table
}

/// `999 123 4567`, as people write an NHS number.
#[must_use]
pub fn spaced(number: &str) -> String {
    let mut out = String::with_capacity(12);
    for (index, digit) in number.chars().enumerate() {
        if index == 3 || index == 6 {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}
