//! What is made up for a person beyond what is stated: readings, goals, milestones, contacts, care.

pub mod care;
pub mod programme;

use rust_decimal::Decimal;

use crate::base::day::Day;
use crate::synth::calendar::{as_of, between, day, plus, plus_months};
use crate::synth::cohort::{Client, Cohort, Cost};
use crate::synth::life::Address;
use crate::synth::seed::Seed;
use crate::synth::words;

/// Ethnic labels of the tracker, about as often as in the cohort. Blank is not recorded.
const ETHNICITIES: [&str; 12] = [
    "White - British",
    "White - British",
    "White - British",
    "White - British",
    "White - British",
    "White - any other White background",
    "Asian or Asian British - Pakistani",
    "Asian or Asian British - Indian",
    "Black or Black British - Caribbean",
    "Black or Black British - African",
    "Other ethnic group",
    "",
];

/// A cohort of so many people. Stars and goals are left to be made up with the rest.
#[must_use]
pub fn cohort(people: usize, seed: &Seed) -> Cohort {
    let mut seed = seed.fork("cohort");
    let mut out = Cohort::default();
    for index in 1..=people {
        let client = client(&format!("PI{index:03}"), &mut seed);
        if let Some(moved) = client.moved_on
            && seed.chance(500)
        {
            out.costs.extend(costs(&client, moved, &mut seed));
        }
        out.clients.push(client);
    }
    out
}

fn client(reference: &str, seed: &mut Seed) -> Client {
    let sex = if seed.chance(750) { "male" } else { "female" };
    let start = between(seed, day(2019, 10, 1), day(2024, 9, 30));
    let moved = seed.chance(600).then(|| plus(start, seed.between(60, 900))).filter(|on| *on < as_of());
    let left = seed
        .chance(if moved.is_some() { 150 } else { 600 })
        .then(|| plus(moved.unwrap_or(start), seed.between(10, 700)))
        .filter(|on| *on < as_of());
    let consent = seed.chance(450).then(|| plus_months(start, 1)).filter(|on| *on < as_of());
    Client {
        client: reference.to_owned(),
        number: seed.nhs_number(),
        given: given(sex, seed).to_owned(),
        family: seed.pick(&words::FAMILIES).to_owned(),
        born: birth(seed),
        sex: if seed.chance(20) { String::new() } else { sex.to_owned() },
        ethnicity: seed.pick(&ETHNICITIES).to_owned(),
        care_home: format!("Home {}", seed.pick(&["A", "B", "C", "D", "E", "F", "J", "L"])),
        programme_start: Some(start),
        moved_on: moved,
        withdrawn: left,
        consent_on: consent,
    }
}

fn costs(client: &Client, moved: Day, seed: &mut Seed) -> [Cost; 2] {
    let (dear, cheap) = (seed.between(90_000, 190_000), seed.between(15_000, 60_000));
    let one = |service: &str, pence, start, end| Cost {
        client: client.client.clone(),
        service: service.to_owned(),
        weekly_cost: Decimal::new(pence, 2),
        start,
        end,
    };
    let entered = client.programme_start.unwrap_or(moved);
    [
        one("residential care", dear, plus(entered, -seed.between(200, 3_000)), Some(moved)),
        one("care and support at home", cheap, moved, None),
    ]
}

/// A given name.
pub fn given(sex: &str, seed: &mut Seed) -> &'static str {
    if sex == "female" { seed.pick(&words::WOMEN) } else { seed.pick(&words::MEN) }
}

/// A day of birth of somebody of working age or older.
pub fn birth(seed: &mut Seed) -> Day {
    between(seed, day(1940, 1, 1), day(2003, 12, 31))
}

/// An address of one's own. The postcode area `XS` does not exist.
pub fn address(seed: &mut Seed) -> Address {
    let line = format!("{} {}", seed.between(1, 180), seed.pick(&words::STREETS));
    let letters =
        ["A", "B", "D", "E", "F", "G", "H", "J", "L", "N", "P", "R", "S", "T", "U", "W", "X", "Y", "Z"];
    let post = format!(
        "XS{} {}{}{}",
        seed.between(20, 49),
        seed.between(1, 9),
        seed.pick(&letters),
        seed.pick(&letters)
    );
    Address { line, post }
}
