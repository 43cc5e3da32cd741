//! Four people whom the gate must stop, referred and not yet accepted, so that no count of the
//! cohort has them: one who refused, one never asked, one who withdrew consent, and one whose form
//! cannot be linked with certainty.

use crate::base::day::Day;
use crate::synth::calendar::{as_of, day, plus};
use crate::synth::dirt;
use crate::synth::invent::{self, care, programme};
use crate::synth::life::{Address, Consent, Life, Programme, Spell, Who};
use crate::synth::seed::Seed;
use crate::synth::words;
use crate::synth::world::{Maker, empty};

struct Extra {
    reference: &'static str,
    given: &'static str,
    family: &'static str,
    born: Day,
    sex: &'static str,
    home: &'static str,
    consents: Vec<Consent>,
}

/// The four, in all three systems.
pub(super) fn people(maker: &mut Maker) -> Vec<Life> {
    let taken_by = "Araminta Wolstenholme";
    let said = |decision, decided_on| Consent { decision, decided_on, taken_by };
    let extras = [
        Extra {
            reference: "PI117",
            given: "Zoë",
            family: "O’Brien",
            born: day(1971, 8, 19),
            sex: "female",
            home: "Home A",
            consents: vec![said("Refused", day(2025, 2, 10))],
        },
        Extra {
            reference: "PI118",
            given: "José",
            family: "Núñez",
            born: day(1966, 9, 29),
            sex: "male",
            home: "Home C",
            consents: Vec::new(),
        },
        Extra {
            reference: "PI119",
            given: "Renée",
            family: "Lefèvre",
            born: day(1980, 4, 22),
            sex: "female",
            home: "Home B",
            consents: vec![said("Given", day(2025, 1, 20)), said("Withdrawn", day(2025, 2, 26))],
        },
        Extra {
            reference: "PI120",
            given: "Barnaby",
            family: "Clutterbuck",
            born: day(1959, 10, 30),
            sex: "male",
            home: "Home E",
            consents: vec![said("Given", day(2025, 2, 3))],
        },
    ];
    maker.taken.extend(extras.iter().map(|extra| extra.born));
    extras.into_iter().map(|extra| life(extra, maker)).collect()
}

fn life(extra: Extra, maker: &mut Maker) -> Life {
    let mut seed = maker.seed.fork(extra.reference);
    let home = words::home_of(extra.home);
    let at = Address { line: home.line.to_owned(), post: home.post.to_owned() };
    let referred = day(2025, 1, 6);
    let mut life = empty(who(&extra, at, &mut seed));
    life.programme = Some(Programme {
        care_home: home.name,
        referred_on: Some(referred),
        accepted_on: None,
        started_on: None,
        moved_on: None,
        left_on: None,
        how_left: "",
        why_left: "",
    });
    life.spells = vec![Spell {
        kind: "Care home",
        provider: home.name,
        landlord: "",
        tenancy: "",
        post: home.post.to_owned(),
        from: Some(plus(referred, -seed.between(300, 900))),
        to: None,
        is_move: false,
    }];
    let mut stars = programme::stars(extra.reference, referred, as_of(), &mut seed);
    stars.truncate(1);
    life.stars = programme::readings(stars, None, None, &mut seed);
    let goals = programme::goals(extra.reference, referred, as_of(), &mut seed);
    life.goals = programme::set(goals, extra.given, &mut maker.goals, &mut seed);
    life.consents = extra.consents;
    let programme = life.programme.clone();
    if let Some(programme) = programme {
        life.care = care::of_programme(extra.given, &programme, &[], &mut seed);
    }
    let mut trust = dirt::clean(&life.who, maker.trust_id());
    if extra.reference == "PI120" {
        // The same name and birthday under another number: two people, or one with a wrong number.
        trust.number = Some(seed.nhs_number());
    }
    life.council = Some(dirt::clean(&life.who, maker.council_id()));
    life.housing = Some(dirt::clean(&life.who, extra.reference.to_owned()));
    life.trust = Some(trust);
    life.milestones = programme::milestones(&life, &mut seed);
    life.contacts = care::contacts(&life, &mut maker.contacts, &mut seed);
    life
}

fn who(extra: &Extra, home: Address, seed: &mut Seed) -> Who {
    Who {
        key: extra.reference.to_owned(),
        number: seed.nhs_number(),
        given: extra.given.to_owned(),
        family: extra.family.to_owned(),
        born: extra.born,
        sex: extra.sex.to_owned(),
        ethnicity: "White - British".to_owned(),
        practice: seed.pick(&words::PRACTICES),
        home,
        before: invent::address(seed),
    }
}
