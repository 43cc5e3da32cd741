//! The programme's activities (design, section 9), and the sheet that the tracker has for each.

/// One activity, a milestone of the tracker.
#[derive(Debug, PartialEq, Eq)]
pub struct Activity {
    /// Its sheet.
    pub sheet: &'static str,
    /// The phase it belongs to.
    pub phase: &'static str,
    /// The columns of its sheet.
    pub columns: &'static [&'static str],
}

const PLAIN: &[&str] = &["Client Ref", "Planned", "Done", "Outcome", "Delayed By"];
const DIFFICULTY: &[&str] = &["Client Ref", "Planned", "Done", "Outcome", "Delayed By", "Difficulty"];
const PLAN: &[&str] = &["Client Ref", "Planned", "Done", "Outcome", "Delayed By", "Plan Version"];
const BARRIER: &[&str] =
    &["Client Ref", "Planned", "Done", "Outcome", "Delayed By", "Barrier", "Action Taken"];
const AMOUNT: &[&str] = &["Client Ref", "Planned", "Done", "Outcome", "Delayed By", "Amount"];
const TOPICS: &[&str] = &["Client Ref", "Planned", "Done", "Outcome", "Delayed By", "Topics"];
const ACTION: &[&str] = &["Client Ref", "Planned", "Done", "Outcome", "Delayed By", "Action Taken"];

/// All of them, phase by phase.
pub const ACTIVITIES: [Activity; 33] = [
    of("Daily Living Assessment", "Preparation", DIFFICULTY),
    of("Action Plan", "Preparation", PLAN),
    of("Baseline Star", "Preparation", PLAIN),
    of("Three-Monthly Review", "Preparation", PLAIN),
    of("Ongoing Social Care", "Preparation", PLAIN),
    of("Education or Training", "Preparation", PLAIN),
    of("Housing Preferences", "Preparation", PLAIN),
    of("Barriers to Access", "Preparation", BARRIER),
    of("Registration and Bidding", "Preparation", DIFFICULTY),
    of("Grants and Furnishing", "Preparation", AMOUNT),
    of("Financial Inclusion", "Preparation", TOPICS),
    of("Area Familiarisation", "Preparation", PLAIN),
    of("Viewing and Tenancy Agreement", "Preparation", DIFFICULTY),
    of("Utilities", "Preparation", PLAIN),
    of("Phasing of Move", "Resettlement", PLAIN),
    of("Plan Review", "Resettlement", PLAN),
    of("Primary Care Registration", "Resettlement", DIFFICULTY),
    of("Coach Support", "Resettlement", PLAIN),
    of("Social Care Confirmed", "Resettlement", PLAIN),
    of("Wellbeing Action Plan", "Resettlement", PLAN),
    of("Education Continued", "Resettlement", PLAIN),
    of("Five Ways to Wellbeing", "Resettlement", PLAIN),
    of("Individual Placement Support", "Resettlement", PLAIN),
    of("Star after the Move", "Resettlement", PLAIN),
    of("Rent Account", "Resettlement", DIFFICULTY),
    of("Tenancy-Ready Training", "Resettlement", TOPICS),
    of("Housing Management Need", "Resettlement", ACTION),
    of("Further Support Agreed", "Transition", PLAIN),
    of("Future Support Referral", "Transition", PLAIN),
    of("Transition Plan", "Transition", PLAN),
    of("Employment Support", "Transition", DIFFICULTY),
    of("Final Star", "Transition", PLAIN),
    of("Future Tenancy Support", "Transition", PLAIN),
];

const fn of(sheet: &'static str, phase: &'static str, columns: &'static [&'static str]) -> Activity {
    Activity { sheet, phase, columns }
}
