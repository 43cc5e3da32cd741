//! The truth file: which identifier of which system is which person, and what is untrue where.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::synth::SynthError;
use crate::synth::dirt::{COUNCIL, HOUSING, ROWS, Rates, TRUST};
use crate::synth::fault::Fault;
use crate::synth::world::World;

#[derive(Serialize)]
struct Truth<'t> {
    about: &'static str,
    rates_per_thousand: BTreeMap<&'static str, BTreeMap<&'static str, u32>>,
    rows_per_thousand: BTreeMap<&'static str, u32>,
    people: Vec<Subjects<'t>>,
    untruths: Vec<Told<'t>>,
    faults: &'t [Fault],
}

#[derive(Serialize)]
struct Subjects<'t> {
    person: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    council: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    housing: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust: Option<&'t str>,
}

#[derive(Serialize)]
struct Told<'t> {
    system: &'static str,
    subject: &'t str,
    untruth: &'static str,
}

/// The truth about a world, as JSON.
pub fn json(world: &World, faults: &[Fault]) -> Result<Vec<u8>, SynthError> {
    let known = world.lives.iter().chain(&world.others);
    let people = known.map(|life| Subjects {
        person: &life.who.key,
        council: life.council.as_ref().map(|view| view.id.as_str()),
        housing: life.housing.as_ref().map(|view| view.id.as_str()),
        trust: life.trust.as_ref().map(|view| view.id.as_str()),
    });
    let untruths = world.untruths.iter().map(|(system, subject, untruth)| Told {
        system,
        subject,
        untruth: untruth.as_str(),
    });
    let truth = Truth {
        about: "Invented people. Which identifier of which system is which person, and what is untrue where.",
        rates_per_thousand: [("council", COUNCIL), ("housing", HOUSING), ("trust", TRUST)]
            .map(|(system, rates)| (system, named(rates)))
            .into(),
        rows_per_thousand: [("sent-again", ROWS.re_sent), ("wrong-code", ROWS.wrong_code)].into(),
        people: people.collect(),
        untruths: untruths.collect(),
        faults,
    };
    let mut bytes = serde_json::to_vec_pretty(&truth)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn named(rates: Rates) -> BTreeMap<&'static str, u32> {
    [
        ("no-nhs-number", rates.no_number),
        ("nickname", rates.nickname),
        ("typo", rates.typo),
        ("marks-lost", rates.marks_lost),
        ("day-and-month-swapped", rates.swapped_birth),
        ("wrong-birth-year", rates.wrong_year),
        ("old-address", rates.old_address),
    ]
    .into()
}
