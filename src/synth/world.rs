//! Everybody at once: those in the programme, the rest of the council's caseload and the rest of
//! the trust's patients.

mod extra;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::day::Day;
use crate::synth::SynthError;
use crate::synth::calendar::{as_of, day, plus, plus_months};
use crate::synth::cohort::{self, Client, Cohort, Cost};
use crate::synth::dirt::{self, Rates, RowRates, Untruth};
use crate::synth::invent::{self, care, programme};
use crate::synth::life::{Address, Consent, Life, Programme, Spell, View, Who};
use crate::synth::seed::Seed;
use crate::synth::words;

/// Seed of the demo: the day it speaks of.
const DEMO_SEED: u64 = 20_250_331;

/// Others of the council's caseload in the demo.
const DEMO_CASELOAD: usize = 320;

/// Other patients of the trust in the demo.
const DEMO_PATIENTS: usize = 60;

/// Everybody, and what was made untrue about them.
pub struct World {
    /// Those in the programme, and those referred to it.
    pub lives: Vec<Life>,
    /// Others, of the council's caseload or the trust's patients.
    pub others: Vec<Life>,
    /// System, its identifier of the person, and what it has wrong.
    pub untruths: Vec<(&'static str, String, Untruth)>,
    /// What the rest is drawn from.
    pub seed: Seed,
    /// How often a row goes wrong, beyond the planted faults; the demo has only those.
    pub rows: Option<RowRates>,
}

/// How a world is soiled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Soil {
    /// Only so far that everyone still links with certainty.
    Sure,
    /// At the usual rates of each system.
    Usual,
}

/// The demo's world: the cohort, four people more, and those whom it does not concern.
pub fn demo() -> Result<World, SynthError> {
    let mut maker = Maker::new(Seed::new(DEMO_SEED), Soil::Sure);
    let cohort = cohort::read()?;
    maker.taken.extend(cohort.clients.iter().map(|client| client.born));
    let mut lives = maker.programme(&cohort);
    lives.extend(extra::people(&mut maker));
    let others = maker.others(DEMO_CASELOAD, DEMO_PATIENTS);
    by_event(&mut lives);
    Ok(World { lives, others, untruths: maker.untruths, seed: maker.seed, rows: None })
}

/// A world of so many people in the programme, from a seed.
#[must_use]
pub fn invented(people: usize, seed: u64) -> World {
    let mut maker = Maker::new(Seed::new(seed), Soil::Usual);
    let cohort = invent::cohort(people, &maker.seed);
    let mut lives = maker.programme(&cohort);
    let others = maker.others(people.saturating_mul(3), people / 2);
    by_event(&mut lives);
    World { lives, others, untruths: maker.untruths, seed: maker.seed, rows: Some(dirt::ROWS) }
}

/// Every seventh person's last reading and every ninth goal come by event and stand in no tracker.
fn by_event(lives: &mut [Life]) {
    for life in lives.iter_mut().step_by(7) {
        if let Some(last) = life.stars.last_mut() {
            last.by_event = true;
        }
    }
    for goal in lives.iter_mut().flat_map(|life| &mut life.goals).step_by(9) {
        goal.by_event = true;
    }
}

struct Maker {
    seed: Seed,
    soil: Soil,
    /// Days of birth that nobody else may have, so that no stranger resembles a known person.
    taken: BTreeSet<Day>,
    untruths: Vec<(&'static str, String, Untruth)>,
    council: u32,
    trust: u32,
    goals: u32,
    contacts: u32,
}

impl Maker {
    fn new(seed: Seed, soil: Soil) -> Self {
        let taken = BTreeSet::new();
        Self { seed, soil, taken, untruths: Vec::new(), council: 0, trust: 0, goals: 0, contacts: 0 }
    }

    fn programme(&mut self, cohort: &Cohort) -> Vec<Life> {
        let mut costs: BTreeMap<&str, Vec<&Cost>> = BTreeMap::new();
        for cost in &cohort.costs {
            costs.entry(&cost.client).or_default().push(cost);
        }
        let none = Vec::new();
        let of = |client: &Client| costs.get(client.client.as_str()).unwrap_or(&none).clone();
        cohort.clients.iter().map(|client| self.life(client, cohort, &of(client))).collect()
    }

    fn life(&mut self, client: &Client, cohort: &Cohort, costs: &[&Cost]) -> Life {
        let mut seed = self.seed.fork(&client.client);
        let home = words::home_of(&client.care_home);
        let care_home = Address { line: home.line.to_owned(), post: home.post.to_owned() };
        let tenancy = invent::address(&mut seed);
        let lives_at = if client.moved_on.is_some() { tenancy.clone() } else { care_home.clone() };
        let before = if client.moved_on.is_some() { care_home } else { invent::address(&mut seed) };
        let who = who(client, lives_at, before, &mut seed);
        let programme = took_part(client, home.name, &mut seed);
        let from = programme.started_on.or(programme.accepted_on).unwrap_or_else(as_of);
        let until = client.withdrawn.unwrap_or_else(as_of);
        let mut life = empty(who);
        life.spells = spells(client, home, &tenancy, &mut seed);
        let stated: Vec<_> =
            cohort.stars.iter().filter(|star| star.client == client.client).cloned().collect();
        let stars =
            if stated.is_empty() { programme::stars(&client.client, from, until, &mut seed) } else { stated };
        life.stars = programme::readings(stars, client.moved_on, client.withdrawn, &mut seed);
        let stated: Vec<_> =
            cohort.goals.iter().filter(|goal| goal.client == client.client).cloned().collect();
        let stated_here = client.consent_on.is_some() && !cohort.goals.is_empty();
        let goals =
            if stated_here { stated } else { programme::goals(&client.client, from, until, &mut seed) };
        life.goals = programme::set(goals, &client.given, &mut self.goals, &mut seed);
        life.consents = consents(client, from, &mut seed);
        life.costs = care::costs(costs, home.name, &mut seed);
        life.care = care::of_programme(&client.given, &programme, &life.costs, &mut seed);
        life.programme = Some(programme);
        self.views(&mut life, &client.client, &mut seed);
        life.milestones = programme::milestones(&life, &mut seed);
        life.contacts = care::contacts(&life, &mut self.contacts, &mut seed);
        life
    }

    /// Puts a person of the programme into all three systems.
    fn views(&mut self, life: &mut Life, reference: &str, seed: &mut Seed) {
        let mut council = dirt::clean(&life.who, self.council_id());
        let mut housing = dirt::clean(&life.who, reference.to_owned());
        let mut trust = dirt::clean(&life.who, self.trust_id());
        if seed.chance(600) {
            housing.other_id = Some(council.id.clone());
        }
        let before = life.who.before.clone();
        match self.soil {
            Soil::Usual => {
                self.soil("council", &mut council, &dirt::COUNCIL, &before, seed);
                self.soil("housing", &mut housing, &dirt::HOUSING, &before, seed);
                self.soil("trust", &mut trust, &dirt::TRUST, &before, seed);
            }
            Soil::Sure => {
                // Each of these still links by D1, D2 or D3 of the linkage rules.
                let (system, untruths): (_, &[Untruth]) = match seed.below(100) {
                    0..8 => ("council", &[Untruth::NoNumber]),
                    8..13 => ("council", &[Untruth::NoNumber, Untruth::Typo]),
                    13..16 => ("council", &[Untruth::Nickname]),
                    16..19 => ("council", &[Untruth::Typo]),
                    19..23 => ("council", &[Untruth::WrongYear]),
                    23..28 => ("council", &[Untruth::OldAddress]),
                    28..36 => ("housing", &[Untruth::NoNumber]),
                    36..41 => ("trust", &[Untruth::NoNumber]),
                    41..46 => ("trust", &[Untruth::Typo]),
                    46..51 => ("trust", &[Untruth::OldAddress]),
                    _ => ("council", &[]),
                };
                let view = match system {
                    "council" => &mut council,
                    "housing" => &mut housing,
                    _ => &mut trust,
                };
                for untruth in untruths {
                    let done = dirt::make(view, *untruth, &before, seed);
                    self.untruths.extend(done.map(|done| (system, view.id.clone(), done)));
                }
            }
        }
        (life.council, life.housing, life.trust) = (Some(council), Some(housing), Some(trust));
    }

    fn soil(
        &mut self,
        system: &'static str,
        view: &mut View,
        rates: &Rates,
        before: &Address,
        seed: &mut Seed,
    ) {
        let done = dirt::soil(view, rates, before, seed);
        self.untruths.extend(done.into_iter().map(|untruth| (system, view.id.clone(), untruth)));
    }

    fn others(&mut self, caseload: usize, patients: usize) -> Vec<Life> {
        let mut seed = self.seed.fork("others");
        let mut out = Vec::with_capacity(caseload + patients);
        for index in 0..caseload + patients {
            let mut life = empty(self.stranger(index, &mut seed));
            let before = life.who.before.clone();
            let (system, rates) =
                if index < caseload { ("council", &dirt::COUNCIL) } else { ("trust", &dirt::TRUST) };
            let id = if system == "council" { self.council_id() } else { self.trust_id() };
            let mut view = dirt::clean(&life.who, id);
            self.soil(system, &mut view, rates, &before, &mut seed);
            if system == "council" {
                life.care = care::of_caseload(&life.who.given, &mut seed);
                life.council = Some(view);
            } else {
                life.trust = Some(view);
                life.contacts = care::contacts(&life, &mut self.contacts, &mut seed);
            }
            out.push(life);
        }
        out
    }

    fn stranger(&mut self, index: usize, seed: &mut Seed) -> Who {
        let sex = if seed.chance(480) { "male" } else { "female" };
        let mut born = invent::birth(seed);
        // In the demo neither the day, nor what dirt may make of it, may be that of somebody known.
        while self.taken.iter().any(|known| alike(*known, born)) {
            born = invent::birth(seed);
        }
        Who {
            key: format!("other-{index:05}"),
            number: seed.nhs_number(),
            given: invent::given(sex, seed).to_owned(),
            family: seed.pick(&words::FAMILIES).to_owned(),
            born,
            sex: sex.to_owned(),
            ethnicity: seed
                .pick(&["White - British", "White - British", "Asian or Asian British - Indian", ""])
                .to_owned(),
            practice: seed.pick(&words::PRACTICES),
            home: invent::address(seed),
            before: invent::address(seed),
        }
    }

    fn council_id(&mut self) -> String {
        self.council += 1;
        format!("LL{:07}", 7_100_000 + self.council * 37)
    }

    fn trust_id(&mut self) -> String {
        self.trust += 1;
        format!("T{:07}", 5_200_000 + self.trust * 41)
    }
}

fn alike(one: Day, two: Day) -> bool {
    let ((y1, m1, d1), (y2, m2, d2)) = (one.parts(), two.parts());
    (m1 == m2 && d1 == d2) || (y1 == y2 && (m1 == m2 || d1 == d2)) || (y1 == y2 && m1 == d2 && d1 == m2)
}

fn empty(who: Who) -> Life {
    Life {
        who,
        council: None,
        housing: None,
        trust: None,
        programme: None,
        consents: Vec::new(),
        spells: Vec::new(),
        stars: Vec::new(),
        goals: Vec::new(),
        milestones: Vec::new(),
        care: Vec::new(),
        costs: Vec::new(),
        contacts: Vec::new(),
    }
}

fn who(client: &Client, home: Address, before: Address, seed: &mut Seed) -> Who {
    Who {
        key: client.client.clone(),
        number: client.number.clone(),
        given: client.given.clone(),
        family: client.family.clone(),
        born: client.born,
        sex: client.sex.clone(),
        ethnicity: client.ethnicity.clone(),
        practice: seed.pick(&words::PRACTICES),
        home,
        before,
    }
}

/// Acceptance comes one to four weeks before the start. Where no start is on record, it is taken
/// from the consent form, which is signed a month after the start.
fn took_part(client: &Client, care_home: &'static str, seed: &mut Seed) -> Programme {
    let start = client.programme_start.or(client.consent_on.map(|on| plus_months(on, -1)));
    let accepted_on = start.map(|on| plus(on, -seed.between(7, 28)));
    let referred_on = accepted_on.map(|on| plus(on, -seed.between(14, 60)));
    let (how_left, why_left) = match client.withdrawn {
        Some(_) => programme::leaving(seed),
        None => ("", ""),
    };
    Programme {
        care_home,
        referred_on,
        accepted_on,
        started_on: client.programme_start,
        moved_on: client.moved_on,
        left_on: client.withdrawn,
        how_left,
        why_left,
    }
}

/// The spells of a person, and this is the whole rule: the care home at entry from the first day
/// in the programme (blank where that is not on record) to the move, open where there was none;
/// then, where there was a move, a tenancy from that day on, open. Leaving the programme ends no
/// spell: a person who leaves it goes on living where they live.
fn spells(client: &Client, home: words::Home, tenancy: &Address, seed: &mut Seed) -> Vec<Spell> {
    let mut out = vec![Spell {
        kind: "Care home",
        provider: home.name,
        landlord: "",
        tenancy: "",
        post: home.post.to_owned(),
        from: client.programme_start,
        to: client.moved_on,
        is_move: false,
    }];
    let (landlord, tenancy_type, _) = seed.pick(&words::LANDLORDS);
    if let Some(moved) = client.moved_on {
        let private = tenancy_type == "Assured shorthold";
        out.push(Spell {
            kind: if private { "Private tenancy" } else { "Council or housing association tenancy" },
            provider: "",
            landlord,
            tenancy: tenancy_type,
            post: tenancy.post.clone(),
            from: Some(moved),
            to: None,
            is_move: true,
        });
    }
    out
}

/// Whoever has a consent day gave it; of the rest about a third refused and the others were never
/// asked.
fn consents(client: &Client, from: Day, seed: &mut Seed) -> Vec<Consent> {
    let taken_by = seed.pick(&words::WORKERS);
    let refused = seed.chance(330);
    match client.consent_on {
        Some(decided_on) => vec![Consent { decision: "Given", decided_on, taken_by }],
        None if refused => vec![Consent { decision: "Refused", decided_on: plus(from, 30), taken_by }],
        None => Vec::new(),
    }
}

/// The day of the information sheet, before the first consent.
#[must_use]
pub fn sheet_day() -> Day {
    day(2019, 9, 2)
}
