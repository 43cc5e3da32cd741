//! What the three systems could know of one person, before any dirt.

use rust_decimal::Decimal;

use crate::base::day::Day;
use crate::synth::activity::Activity;
use crate::synth::cohort::{Goal, Star};

/// One invented person.
#[derive(Clone)]
pub struct Life {
    /// Who.
    pub who: Who,
    /// The person as the council writes them.
    pub council: Option<View>,
    /// The person as the tracker writes them.
    pub housing: Option<View>,
    /// The person as the trust writes them.
    pub trust: Option<View>,
    /// Participation in the programme.
    pub programme: Option<Programme>,
    /// What was said about consent, in order.
    pub consents: Vec<Consent>,
    /// Spells of living somewhere.
    pub spells: Vec<Spell>,
    /// Recovery Star readings.
    pub stars: Vec<StarReading>,
    /// Goals.
    pub goals: Vec<GoalSet>,
    /// The programme's activities.
    pub milestones: Vec<Milestone>,
    /// What the council did and paid for.
    pub care: Vec<Care>,
    /// Rows of the local cost report.
    pub costs: Vec<CostRow>,
    /// What the trust did.
    pub contacts: Vec<Contact>,
}

/// The truth about a person.
#[derive(Clone)]
pub struct Who {
    /// A key of this program's own, for the truth file.
    pub key: String,
    /// NHS number.
    pub number: String,
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// Day of birth.
    pub born: Day,
    /// `male`, `female` or blank.
    pub sex: String,
    /// One of the cohort's labels, or blank.
    pub ethnicity: String,
    /// General practice: code and name.
    pub practice: (&'static str, &'static str),
    /// Where the person lives.
    pub home: Address,
    /// Where the person lived before.
    pub before: Address,
}

/// An address.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// First line.
    pub line: String,
    /// Postcode.
    pub post: String,
}

/// A person as one system writes them.
#[derive(Clone)]
pub struct View {
    /// The system's own identifier.
    pub id: String,
    /// NHS number, where the system has it.
    pub number: Option<String>,
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// Day of birth.
    pub born: Day,
    /// Address.
    pub home: Address,
    /// The identifier of another system, where this one keeps it.
    pub other_id: Option<String>,
}

/// Participation in the programme.
#[derive(Clone)]
pub struct Programme {
    /// Care home at entry, by name.
    pub care_home: &'static str,
    /// Day of referral.
    pub referred_on: Option<Day>,
    /// Day of acceptance.
    pub accepted_on: Option<Day>,
    /// First day.
    pub started_on: Option<Day>,
    /// Day of the move.
    pub moved_on: Option<Day>,
    /// Last day, where the person left.
    pub left_on: Option<Day>,
    /// How they left.
    pub how_left: &'static str,
    /// Why they left.
    pub why_left: &'static str,
}

/// One thing said about consent.
#[derive(Clone)]
pub struct Consent {
    /// `Given`, `Refused` or `Withdrawn`.
    pub decision: &'static str,
    /// When.
    pub decided_on: Day,
    /// The worker who took it.
    pub taken_by: &'static str,
}

/// One spell of living somewhere.
#[derive(Clone)]
pub struct Spell {
    /// `Care home`, `Council or housing association tenancy` or `Private tenancy`.
    pub kind: &'static str,
    /// Care home, by name; blank for a tenancy.
    pub provider: &'static str,
    /// Landlord, by name; blank for a care home.
    pub landlord: &'static str,
    /// Kind of tenancy; blank for a care home.
    pub tenancy: &'static str,
    /// Postcode.
    pub post: String,
    /// First day.
    pub from: Option<Day>,
    /// Last day.
    pub to: Option<Day>,
    /// True for the move that the programme is for.
    pub is_move: bool,
}

/// One Recovery Star reading.
#[derive(Clone)]
pub struct StarReading {
    /// The reading.
    pub star: Star,
    /// `baseline`, `review`, `final` or `after-move`.
    pub occasion: &'static str,
    /// `person-and-worker`, `worker` or `person`.
    pub with: &'static str,
    /// True where it arrives by event and is not in the tracker.
    pub by_event: bool,
}

/// One goal.
#[derive(Clone)]
pub struct GoalSet {
    /// Reference in the tracker.
    pub reference: String,
    /// The goal.
    pub goal: Goal,
    /// The person's words.
    pub wording: String,
    /// True where it arrives by event and is not in the tracker.
    pub by_event: bool,
}

/// One activity of the programme.
#[derive(Clone)]
pub struct Milestone {
    /// Which.
    pub activity: &'static Activity,
    /// Day planned.
    pub planned: Day,
    /// Day done.
    pub done: Option<Day>,
    /// Outcome.
    pub outcome: &'static str,
}

/// One row of Client Level Data.
#[derive(Clone)]
pub struct Care {
    /// `Request`, `Assessment`, `Service` or `Review`.
    pub kind: CareKind,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Option<Day>,
    /// The worker's words.
    pub words: String,
    /// Event outcome.
    pub outcome: &'static str,
}

/// What a row of Client Level Data is about.
#[derive(Clone)]
pub enum CareKind {
    /// A request for support.
    Request,
    /// An assessment.
    Assessment,
    /// A funded service.
    Service {
        /// Service type, Release 2.
        service: &'static str,
        /// Service component, Release 2.
        component: &'static str,
        /// Provider's name and CQC location.
        provider: (&'static str, &'static str),
        /// Cost of a unit, its frequency and the units a week.
        cost: Option<(Decimal, &'static str, Option<u8>)>,
    },
    /// A review.
    Review {
        /// Planned or not.
        planned: bool,
    },
}

/// One row of the local cost report.
#[derive(Clone)]
pub struct CostRow {
    /// `Residential care` or `Care and support at home`.
    pub service: &'static str,
    /// Pounds a week.
    pub weekly: Decimal,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Option<Day>,
    /// Provider's name.
    pub provider: &'static str,
}

/// One contact with the trust.
#[derive(Clone)]
pub struct Contact {
    /// The trust's own number for it.
    pub id: String,
    /// What it was.
    pub kind: ContactKind,
    /// Day, or first day.
    pub from: Day,
    /// Last day.
    pub to: Option<Day>,
    /// Team, by code and name; on a stay, blank.
    pub team: (&'static str, &'static str),
    /// Ward, on a stay.
    pub ward: &'static str,
    /// Admission method code, on a stay.
    pub method: &'static str,
}

/// Kinds of contact with the trust.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ContactKind {
    /// An episode of care, opened by a referral.
    Referral,
    /// A contact in the community.
    Community,
    /// A visit in an emergency.
    Emergency,
    /// A stay that the FHIR bundle holds.
    Stay,
    /// A stay that the ADT messages hold.
    StayByMessage,
}
