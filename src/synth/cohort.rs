//! The acceptance cohort: 116 invented people whose aggregates equal the published tables.
//!
//! `withdrawn` means that a person left the programme. It never means withdrawal of consent.

use std::str::FromStr;

use rust_decimal::Decimal;

use crate::base::day::Day;
use crate::synth::SynthError;

/// The figures that the cohort must give, with their definitions.
pub const EXPECTED_JSON: &str = include_str!("cohort/expected.json");

const CLIENTS: &str = include_str!("cohort/clients.csv");
const STARS: &str = include_str!("cohort/stars.csv");
const GOALS: &str = include_str!("cohort/goals.csv");
const COSTS: &str = include_str!("cohort/costs.csv");

/// The ten areas of the Recovery Star, 3rd edition, in the cohort's order, as record fields.
pub const AREAS: [&str; 10] = [
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

/// Everything that is stated about the people.
#[derive(Clone, Default)]
pub struct Cohort {
    /// The people.
    pub clients: Vec<Client>,
    /// Recovery Star readings of the consenting people.
    pub stars: Vec<Star>,
    /// Goals of the consenting people.
    pub goals: Vec<Goal>,
    /// Funded services of the people reviewed for savings.
    pub costs: Vec<Cost>,
}

/// One person.
#[derive(Clone)]
pub struct Client {
    /// Reference in the tracker.
    pub client: String,
    /// NHS number.
    pub number: String,
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// Day of birth.
    pub born: Day,
    /// `male`, `female`; blank where not recorded.
    pub sex: String,
    /// Ethnic label; blank where not recorded.
    pub ethnicity: String,
    /// Code of the care home at entry.
    pub care_home: String,
    /// First day in the programme.
    pub programme_start: Option<Day>,
    /// Day of the move to a tenancy.
    pub moved_on: Option<Day>,
    /// Day the person left the programme.
    pub withdrawn: Option<Day>,
    /// Day consent to the study was given.
    pub consent_on: Option<Day>,
}

/// One Recovery Star reading.
#[derive(Clone)]
pub struct Star {
    /// Whose.
    pub client: String,
    /// Day of the reading.
    pub completed_on: Day,
    /// Scores in the order of [`AREAS`].
    pub scores: [u8; 10],
}

/// One goal.
#[derive(Clone)]
pub struct Goal {
    /// Whose.
    pub client: String,
    /// Area, one of [`AREAS`].
    pub domain: String,
    /// Day it was set.
    pub set_on: Day,
    /// Day it was due.
    pub due_on: Day,
    /// `completed`, `abandoned`, `in_progress` or `overdue`, as recorded.
    pub status: String,
    /// Day it was closed.
    pub closed_on: Option<Day>,
}

/// One funded service.
#[derive(Clone)]
pub struct Cost {
    /// Whose.
    pub client: String,
    /// `residential care` or `care and support at home`.
    pub service: String,
    /// Pounds a week.
    pub weekly_cost: Decimal,
    /// First day.
    pub start: Day,
    /// Last day.
    pub end: Option<Day>,
}

/// The cohort held in the program.
pub fn read() -> Result<Cohort, SynthError> {
    Ok(Cohort {
        clients: rows("clients.csv", CLIENTS, client)?,
        stars: rows("stars.csv", STARS, star)?,
        goals: rows("goals.csv", GOALS, goal)?,
        costs: rows("costs.csv", COSTS, cost)?,
    })
}

fn rows<T>(
    file: &'static str,
    text: &str,
    one: fn(&csv::StringRecord) -> Option<T>,
) -> Result<Vec<T>, SynthError> {
    let mut out = Vec::new();
    for (index, record) in csv::Reader::from_reader(text.as_bytes()).records().enumerate() {
        out.push(one(&record?).ok_or(SynthError::Cohort { file, line: index + 2 })?);
    }
    Ok(out)
}

fn client(row: &csv::StringRecord) -> Option<Client> {
    Some(Client {
        client: row.get(0)?.to_owned(),
        number: row.get(1)?.to_owned(),
        given: row.get(2)?.to_owned(),
        family: row.get(3)?.to_owned(),
        born: row.get(4)?.parse().ok()?,
        sex: row.get(5)?.to_owned(),
        ethnicity: row.get(6)?.to_owned(),
        care_home: row.get(7)?.to_owned(),
        programme_start: maybe(row.get(8)?)?,
        moved_on: maybe(row.get(9)?)?,
        withdrawn: maybe(row.get(10)?)?,
        consent_on: maybe(row.get(11)?)?,
    })
}

fn star(row: &csv::StringRecord) -> Option<Star> {
    let mut scores = [0; 10];
    for (score, cell) in scores.iter_mut().zip(row.iter().skip(2)) {
        *score = cell.parse().ok()?;
    }
    Some(Star { client: row.get(0)?.to_owned(), completed_on: row.get(1)?.parse().ok()?, scores })
}

fn goal(row: &csv::StringRecord) -> Option<Goal> {
    Some(Goal {
        client: row.get(0)?.to_owned(),
        domain: row.get(1)?.to_owned(),
        set_on: row.get(2)?.parse().ok()?,
        due_on: row.get(3)?.parse().ok()?,
        status: row.get(4)?.to_owned(),
        closed_on: maybe(row.get(5)?)?,
    })
}

fn cost(row: &csv::StringRecord) -> Option<Cost> {
    Some(Cost {
        client: row.get(0)?.to_owned(),
        service: row.get(1)?.to_owned(),
        weekly_cost: Decimal::from_str(row.get(2)?).ok()?,
        start: row.get(3)?.parse().ok()?,
        end: maybe(row.get(4)?)?,
    })
}

/// `None` where the cell is neither blank nor a day.
#[expect(clippy::option_option, reason = "blank and wrong are two things")]
fn maybe(text: &str) -> Option<Option<Day>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn holds_what_is_published() {
        let cohort = read().unwrap();
        assert_eq!(cohort.clients.len(), 116);
        assert_eq!(cohort.clients.iter().filter(|client| client.consent_on.is_some()).count(), 49);
        assert_eq!(cohort.stars.len(), 172);
        assert_eq!(cohort.goals.len(), 334);
        assert_eq!(cohort.costs.len(), 70);
    }
}
