//! The council's Client Level Data, Release 2: one row an event, the whole caseload, Windows-1252.

use rust_decimal::Decimal;

use crate::base::day::Day;
use crate::synth::calendar::{as_of, slashed};
use crate::synth::invent::care::period_start;
use crate::synth::life::{Care, CareKind, Life, View};
use crate::synth::render::table::{Cell, Table};
use crate::synth::seed::Seed;
use crate::synth::world::World;

/// Name of the file.
pub const FILE: &str = "cld_2025-03-31.csv";

/// The columns of Release 2, letter for letter.
pub const COLUMNS: [&str; 50] = [
    "LA Code",
    "Reporting Period Start Date",
    "Reporting Period End Date",
    "NHS Number",
    "LA Person Unique Identifier",
    "First Name",
    "Last Name",
    "GP Practice Name",
    "GP Practice Code",
    "Gender",
    "Ethnicity",
    "Date of Birth",
    "Date of Death",
    "Client Type",
    "Primary Support Reason",
    "Postcode",
    "Accommodation Status",
    "Employment Status",
    "Has Unpaid Carer",
    "Autism Spectrum Disorder (ASD)",
    "Visual Impairment",
    "Hearing Impairment",
    "Dementia",
    "Client Funding Status",
    "Event Type",
    "Event Reference",
    "Event Start Date",
    "Event End Date",
    "Event Description",
    "Event Outcome",
    "Request: Route of Access",
    "Assessment Type",
    "Eligible Needs Identified",
    "Method of Assessment",
    "Total Hrs Caring per week",
    "No. of adults being cared for",
    "Adult 1 Linked Person_ID",
    "Adult 2 Linked Person_ID",
    "Adult 3 Linked Person_ID",
    "Service Type",
    "Service Component",
    "Delivery Mechanism",
    "Provider CQC Location Name",
    "Provider CQC Location ID",
    "Review Reason",
    "Review Outcomes Achieved",
    "Method of Review",
    "Unit Cost",
    "Cost Frequency (Unit Type)",
    "Planned units per week",
];

/// Everything of a table but its rows.
#[must_use]
pub fn blank() -> Table {
    Table { feed: "council/cld", file: FILE, sheet: None, columns: &COLUMNS, first_line: 2, rows: Vec::new() }
}

/// The rows of everybody whom the council knows, in the order of the days.
#[must_use]
pub fn table(world: &World) -> Table {
    let mut seed = world.seed.fork("cld");
    let mut table = blank();
    let known = world.lives.iter().chain(&world.others);
    let mut events: Vec<(&Life, &View, &Care)> = known
        .filter_map(|life| life.council.as_ref().map(|view| (life, view)))
        .flat_map(|(life, view)| life.care.iter().map(move |care| (life, view, care)))
        .collect();
    events.sort_by(|(_, one, a), (_, two, b)| (a.from, &one.id).cmp(&(b.from, &two.id)));
    for (index, (life, view, care)) in events.into_iter().enumerate() {
        let mut named = person(life, view);
        named.extend(event(care, index, &mut seed));
        table.push(&named);
    }
    table
}

fn day_cell(day: Day) -> Cell {
    Cell::Text(slashed(day))
}

/// The person's columns, the same on each of their rows.
fn person(life: &Life, view: &View) -> Vec<(&'static str, Cell)> {
    let who = &life.who;
    let gender = match who.sex.as_str() {
        "male" => "Male",
        "female" => "Female",
        _ => "",
    };
    let in_home = life.programme.as_ref().is_some_and(|programme| programme.moved_on.is_none());
    let status = match (&life.programme, in_home) {
        (Some(_), true) => "Registered care home",
        (Some(_), false) => "Tenant: Local authority or other social housing provider",
        (None, _) => "Owner occupier or shared ownership scheme",
    };
    let reason = if life.programme.is_some() {
        "Mental health support"
    } else {
        "Physical support: Personal care support"
    };
    vec![
        ("LA Code", "207".into()),
        ("Reporting Period Start Date", day_cell(period_start())),
        ("Reporting Period End Date", day_cell(as_of())),
        ("NHS Number", view.number.clone().unwrap_or_default().into()),
        ("LA Person Unique Identifier", view.id.clone().into()),
        ("First Name", view.given.clone().into()),
        ("Last Name", view.family.clone().into()),
        ("GP Practice Name", who.practice.1.into()),
        ("GP Practice Code", who.practice.0.into()),
        ("Gender", gender.into()),
        ("Ethnicity", ethnicity(&who.ethnicity).into()),
        ("Date of Birth", day_cell(view.born)),
        ("Client Type", "Service user".into()),
        ("Primary Support Reason", reason.into()),
        ("Postcode", view.home.post.clone().into()),
        ("Accommodation Status", status.into()),
        ("Employment Status", "Not in paid employment: Not actively seeking work or retired".into()),
        ("Has Unpaid Carer", "No".into()),
        ("Autism Spectrum Disorder (ASD)", "Unknown".into()),
        ("Visual Impairment", "No visual impairment".into()),
        ("Hearing Impairment", "No hearing impairment".into()),
        ("Dementia", "No".into()),
        ("Client Funding Status", "Fully social care funded".into()),
    ]
}

fn event(care: &Care, index: usize, seed: &mut Seed) -> Vec<(&'static str, Cell)> {
    let mut named: Vec<(&'static str, Cell)> = vec![
        ("Event Reference", format!("EV{index:06}").into()),
        ("Event Start Date", day_cell(care.from)),
        ("Event End Date", care.to.map_or(Cell::Blank, day_cell)),
        ("Event Description", care.words.clone().into()),
        ("Event Outcome", care.outcome.into()),
    ];
    match &care.kind {
        CareKind::Request => {
            named.push(("Event Type", "Request".into()));
            let route =
                seed.pick(&["Community / Other route", "Community / Other route", "Discharge from Hospital"]);
            named.push(("Request: Route of Access", route.into()));
        }
        CareKind::Assessment => {
            named.push(("Event Type", "Assessment".into()));
            named.push(("Assessment Type", "Long term assessment".into()));
            named.push(("Eligible Needs Identified", "Yes".into()));
            named.push(("Method of Assessment", seed.pick(&["Face to face", "Telephone"]).into()));
        }
        CareKind::Service { service, component, provider, cost } => {
            named.push(("Event Type", "Service".into()));
            named.push(("Service Type", (*service).into()));
            named.push(("Service Component", (*component).into()));
            let direct = *component == "Direct payment";
            let delivery = if direct { "Direct payment" } else { "CASSR commissioned support" };
            named.push(("Delivery Mechanism", delivery.into()));
            named.push(("Provider CQC Location Name", provider.0.into()));
            named.push(("Provider CQC Location ID", provider.1.into()));
            named.extend(money(*cost));
        }
        CareKind::Review { planned } => {
            named.push(("Event Type", "Review".into()));
            named.push((
                "Review Reason",
                if *planned { "Planned" } else { "Unplanned - Other Reason" }.into(),
            ));
            named.push((
                "Review Outcomes Achieved",
                seed.pick(&["Fully Met", "Partially Met", "Not Met"]).into(),
            ));
            named.push((
                "Method of Review",
                seed.pick(&["Service user only", "Service user and carer"]).into(),
            ));
        }
    }
    named
}

fn money(cost: Option<(Decimal, &'static str, Option<u8>)>) -> Vec<(&'static str, Cell)> {
    let Some((unit, frequency, units)) = cost else { return Vec::new() };
    let mut named =
        vec![("Unit Cost", format!("{unit:.2}").into()), ("Cost Frequency (Unit Type)", frequency.into())];
    if let Some(units) = units {
        named.push(("Planned units per week", format!("{units}.00").into()));
    }
    named
}

/// An ethnic label of the tracker in the council's words.
#[must_use]
pub fn ethnicity(label: &str) -> &'static str {
    match label {
        "White - British" => "White: English, Welsh, Scottish, Northern Irish or British",
        "White - any other White background" => "White: Any other White background",
        "Asian or Asian British - Pakistani" => "Asian or Asian British: Pakistani",
        "Asian or Asian British - Indian" => "Asian or Asian British: Indian",
        "Black or Black British - Caribbean" => "Black, Black British, Caribbean or African: Caribbean",
        "Black or Black British - African" => "Black, Black British, Caribbean or African: African",
        "Arab" => "Other ethnic group: Arab",
        "Other ethnic group" => "Other ethnic group: Any other ethnic group",
        "Not known" => "No data: Undeclared or not known",
        _ => "",
    }
}
