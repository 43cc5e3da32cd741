//! What the council and the trust would hold: requests, assessments, services, reviews, contacts.

use rust_decimal::Decimal;

use crate::base::day::Day;
use crate::synth::calendar::{as_of, between, day, plus};
use crate::synth::cohort::Cost;
use crate::synth::life::{Care, CareKind, Contact, ContactKind, CostRow, Life, Programme};
use crate::synth::seed::Seed;
use crate::synth::words;

/// First day of the council's reporting period; a request before it is not in the file.
#[must_use]
pub fn period_start() -> Day {
    day(2019, 4, 1)
}

/// The council's rows about somebody in the programme.
///
/// The residential service ends on the move and the one at home begins on it. Neither has a unit
/// cost here: what is known of cost stands in the local report alone, and no cost on record is
/// missing, not nil.
#[must_use]
pub fn of_programme(given: &str, programme: &Programme, costs: &[CostRow], seed: &mut Seed) -> Vec<Care> {
    let anchor = programme
        .started_on
        .or(programme.accepted_on)
        .or(programme.referred_on)
        .or(programme.moved_on)
        .unwrap_or_else(period_start);
    let entered = costs
        .iter()
        .find(|row| row.service == "Residential care")
        .map_or_else(|| plus(anchor, -seed.between(200, 3_000)), |row| row.from);
    let home = words::HOMES.iter().find(|home| home.name == programme.care_home);
    let provider = home.map_or(("", ""), |home| (home.name, home.cqc));
    let mut out = asked(given, plus(anchor, -seed.between(20, 120)), seed);
    out.push(service(
        "Long term support: Residential care",
        "Long term residential care",
        provider,
        entered,
        programme.moved_on,
    ));
    if let Some(moved) = programme.moved_on {
        let component = seed.pick(&["Home support or domiciliary care", "Community supported living"]);
        out.push(service(
            "Long term support: Community",
            component,
            seed.pick(&words::PROVIDERS),
            moved,
            None,
        ));
    }
    if seed.chance(400) {
        out.push(day_support(plus(anchor, seed.between(10, 200)), seed));
    }
    out.extend(reviews(given, anchor, as_of(), seed));
    out
}

/// The council's rows about somebody else of its caseload.
#[must_use]
pub fn of_caseload(given: &str, seed: &mut Seed) -> Vec<Care> {
    let from = between(seed, period_start(), day(2024, 12, 31));
    let mut out = asked(given, from, seed);
    if seed.chance(700) {
        let (component, frequency, units, pence) = seed.pick(&[
            ("Home support or domiciliary care", "Hourly", Some(12_u8), 2_150_i64),
            ("Day support", "Per session", Some(3), 4_800),
            ("Long term residential care", "Weekly", None, 98_000),
            ("Direct payment", "4-weekly", None, 64_000),
        ]);
        let kind = match component {
            "Long term residential care" => "Long term support: Residential care",
            _ => "Long term support: Community",
        };
        let to = seed.chance(400).then(|| plus(from, seed.between(60, 900))).filter(|on| *on <= as_of());
        let mut care = service(kind, component, seed.pick(&words::PROVIDERS), plus(from, 30), to);
        if let CareKind::Service { cost, .. } = &mut care.kind {
            *cost = Some((Decimal::new(pence + seed.between(0, 900), 2), frequency, units));
        }
        out.push(care);
    }
    if seed.chance(600) {
        out.extend(reviews(given, from, as_of(), seed));
    }
    out
}

fn service(
    service: &'static str,
    component: &'static str,
    provider: (&'static str, &'static str),
    from: Day,
    to: Option<Day>,
) -> Care {
    let outcome = if to.is_some() { "NFA: Support ended as planned" } else { "" };
    let kind = CareKind::Service { service, component, provider, cost: None };
    Care { kind, from, to, words: String::new(), outcome }
}

fn day_support(from: Day, seed: &mut Seed) -> Care {
    let provider = seed.pick(&words::PROVIDERS);
    let mut care = service("Long term support: Community", "Day support", provider, from, None);
    if let CareKind::Service { cost, .. } = &mut care.kind {
        *cost = Some((Decimal::new(seed.between(3_500, 6_000), 2), "Per session", Some(2)));
    }
    care
}

fn asked(given: &str, on: Day, seed: &mut Seed) -> Vec<Care> {
    let on = on.max(period_start());
    let assessed = plus(on, seed.between(5, 20));
    vec![
        Care {
            kind: CareKind::Request,
            from: on,
            to: Some(plus(on, 2)),
            words: format!("Call about {given} from the key worker"),
            outcome: "Progress to assessment, review or reassessment",
        },
        Care {
            kind: CareKind::Assessment,
            from: assessed,
            to: Some(plus(assessed, seed.between(3, 25))),
            words: format!("Met {given} at home"),
            outcome: "Progress to support planning or services",
        },
    ]
}

fn reviews(given: &str, from: Day, until: Day, seed: &mut Seed) -> Vec<Care> {
    let mut out = Vec::new();
    let mut on = plus(from, seed.between(150, 380));
    while on < plus(until, -30) && out.len() < 4 {
        out.push(Care {
            kind: CareKind::Review { planned: seed.chance(800) },
            from: on,
            to: Some(plus(on, seed.between(0, 14))),
            words: if seed.chance(300) { format!("{given} is content with the plan") } else { String::new() },
            outcome: "Continuation of support or services",
        });
        on = plus(on, seed.between(200, 420));
    }
    out
}

/// A person's rows of the local cost report.
#[must_use]
pub fn costs(costs: &[&Cost], home: &'static str, seed: &mut Seed) -> Vec<CostRow> {
    let row = |cost: &&Cost| {
        let residential = cost.service == "residential care";
        CostRow {
            service: if residential { "Residential care" } else { "Care and support at home" },
            weekly: cost.weekly_cost,
            from: cost.start,
            to: cost.end,
            provider: if residential { home } else { seed.pick(&words::PROVIDERS).0 },
        }
    };
    costs.iter().map(row).collect()
}

/// What the trust did for somebody: a referral, contacts, now and then a stay.
#[must_use]
pub fn contacts(life: &Life, next: &mut u32, seed: &mut Seed) -> Vec<Contact> {
    if life.trust.is_none() {
        return Vec::new();
    }
    let from = life
        .programme
        .as_ref()
        .and_then(|programme| programme.started_on.or(programme.accepted_on).or(programme.referred_on))
        .unwrap_or_else(|| between(seed, day(2021, 1, 1), day(2024, 6, 30)));
    let mut number = |letter: char| {
        *next += 1;
        format!("{letter}{:07}", 4_000_000 + *next)
    };
    let team = seed.pick(&words::TEAMS);
    let opened = plus(from, -seed.between(30, 600));
    let contact = |id, kind, from, to| Contact { id, kind, from, to, team, ward: "", method: "" };
    let mut out = vec![contact(number('R'), ContactKind::Referral, opened, None)];
    let mut on = from;
    for _ in 0..seed.between(2, 7) {
        on = plus(on, seed.between(20, 120));
        if on >= as_of() {
            break;
        }
        let kind = if seed.chance(80) { ContactKind::Emergency } else { ContactKind::Community };
        out.push(contact(number('E'), kind, on, Some(on)));
    }
    if seed.chance(350) {
        let admitted = between(seed, from, plus(as_of(), -20));
        // The trust turned its feed of stays to messages with the year 2024.
        let by_message = admitted >= day(2024, 1, 1);
        let to = Some(plus(admitted, seed.between(3, 60))).filter(|on| *on <= as_of());
        let kind = if by_message { ContactKind::StayByMessage } else { ContactKind::Stay };
        let mut stay = contact(number(if by_message { 'V' } else { 'E' }), kind, admitted, to);
        stay.ward = seed.pick(&words::WARDS);
        stay.method = seed.pick(&["11", "21", "25", "2D"]);
        out.push(stay);
    }
    out
}
