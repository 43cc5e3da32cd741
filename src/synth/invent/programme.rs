//! What the tracker would hold: readings, goals, milestones, and how a person left.

use crate::base::day::Day;
use crate::synth::activity::ACTIVITIES;
use crate::synth::calendar::{as_of, between, plus, plus_months};
use crate::synth::cohort::{AREAS, Goal, Star};
use crate::synth::life::{GoalSet, Life, Milestone, StarReading};
use crate::synth::seed::Seed;

/// One to five readings of somebody of whom none is stated.
#[must_use]
pub fn stars(client: &str, from: Day, until: Day, seed: &mut Seed) -> Vec<Star> {
    let mut scores = [0_u8; 10];
    for score in &mut scores {
        *score = u8::try_from(seed.between(3, 8)).unwrap_or(5);
    }
    let mut on = plus(from, seed.between(5, 30));
    let mut out = Vec::new();
    for _ in 0..seed.between(1, 5) {
        if on > until {
            break;
        }
        out.push(Star { client: client.to_owned(), completed_on: on, scores });
        on = plus(on, seed.between(80, 130));
        for score in &mut scores {
            *score = u8::try_from((i64::from(*score) + seed.between(-1, 2)).clamp(1, 10)).unwrap_or(5);
        }
    }
    out
}

/// Readings with what the tracker says about each.
#[must_use]
pub fn readings(
    stars: Vec<Star>,
    moved: Option<Day>,
    left: Option<Day>,
    seed: &mut Seed,
) -> Vec<StarReading> {
    let count = stars.len();
    let told = |(index, star): (usize, Star)| {
        let occasion = match () {
            () if index == 0 => "baseline",
            () if moved.is_some_and(|on| star.completed_on > on) => "after-move",
            () if index + 1 == count && left.is_some() => "final",
            () => "review",
        };
        let with =
            seed.pick(&["person-and-worker", "person-and-worker", "person-and-worker", "worker", "person"]);
        StarReading { star, occasion, with, by_event: false }
    };
    stars.into_iter().enumerate().map(told).collect()
}

/// Goals of somebody of whom none is stated.
#[must_use]
pub fn goals(client: &str, from: Day, until: Day, seed: &mut Seed) -> Vec<Goal> {
    let mut out = Vec::new();
    for _ in 0..seed.between(0, 7) {
        let set_on = between(seed, plus(from, 3), plus(from, 90));
        if set_on > until {
            continue;
        }
        let due_on = plus(set_on, seed.between(60, 180));
        let status =
            seed.pick(&["completed", "completed", "completed", "overdue", "abandoned", "in_progress"]);
        let closed_on = matches!(status, "completed" | "abandoned")
            .then(|| plus(due_on, seed.between(-40, 10)))
            .map(|on| on.min(as_of()).max(set_on));
        out.push(Goal {
            client: client.to_owned(),
            domain: seed.pick(&AREAS).to_owned(),
            set_on,
            due_on,
            status: status.to_owned(),
            closed_on,
        });
    }
    out
}

/// Goals with the tracker's reference and the person's words, which name the person: free text
/// must be stopped at the door, and words without a name in them would prove nothing.
#[must_use]
pub fn set(goals: Vec<Goal>, given: &str, next: &mut u32, seed: &mut Seed) -> Vec<GoalSet> {
    let said = |goal: Goal| {
        *next += 1;
        let wish = seed.pick(&[
            "wants to cook twice a week",
            "wants to see family on Sundays",
            "wants to manage the rent account",
            "wants to join the allotment group",
            "wants to take the bus alone",
        ]);
        GoalSet {
            reference: format!("G-{next:05}"),
            goal,
            wording: format!("{given} {wish}"),
            by_event: false,
        }
    };
    goals.into_iter().map(said).collect()
}

/// The activities of a person, phase by phase, as far as they got.
#[must_use]
pub fn milestones(life: &Life, seed: &mut Seed) -> Vec<Milestone> {
    let Some(programme) = &life.programme else { return Vec::new() };
    let Some(start) = programme.started_on.or(programme.accepted_on).or(programme.referred_on) else {
        return Vec::new();
    };
    let until = programme.left_on.unwrap_or_else(as_of);
    let mut out = Vec::new();
    for activity in &ACTIVITIES {
        let from = match activity.phase {
            "Preparation" => Some(start),
            "Resettlement" => programme.moved_on,
            _ => programme.moved_on.map(|on| plus_months(on, 6)),
        };
        let Some(from) = from.filter(|from| *from < until) else { continue };
        if !seed.chance(300) {
            continue;
        }
        let planned = plus(from, seed.between(7, 120));
        let done = Some(plus(planned, seed.between(0, 45))).filter(|done| *done <= until && seed.chance(850));
        let outcome = match done {
            Some(_) => seed.pick(&["Done", "Done", "Partly done", "Not needed"]),
            None if planned < until => "Not done",
            None => "",
        };
        out.push(Milestone { activity, planned, done, outcome });
    }
    out
}

/// How a person who left is said to have left, and why.
pub fn leaving(seed: &mut Seed) -> (&'static str, &'static str) {
    seed.pick(&[
        ("Withdrew", "Did not want to go on"),
        ("Withdrew", "Chose to stay in the care home"),
        ("Was withdrawn", "Health got worse"),
        ("Was withdrawn", "Admitted to hospital"),
        ("Was withdrawn", "No suitable home found"),
    ])
}
