//! The housing association's tracker: a workbook of six sheets and one for each milestone, title in
//! row 1, columns in row 3.

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};

use crate::base::day::Day;
use crate::synth::SynthError;
use crate::synth::activity::{ACTIVITIES, Activity};
use crate::synth::calendar::{as_of, plus_months};
use crate::synth::life::{Life, Programme, View};
use crate::synth::render::table::{Cell, Table};
use crate::synth::words;
use crate::synth::world::{World, sheet_day};

/// Name of the file.
pub const FILE: &str = "promoting_independence_tracker.xlsx";

const CLIENTS: &[&str] = &[
    "Client Ref",
    "NHS Number",
    "LAS ID",
    "First Name",
    "Surname",
    "Date of Birth",
    "Sex",
    "Ethnicity",
    "Address",
    "Postcode",
    "Care Home at Entry",
    "Referred On",
    "Accepted On",
    "Started On",
    "Stage",
    "Moved On",
    "Left On",
    "How Left",
    "Reason Left",
];
const CONSENTS: &[&str] = &[
    "Client Ref",
    "Study",
    "Form",
    "Form Version",
    "Information Sheet Version",
    "Information Sheet Date",
    "Decision",
    "Decided On",
    "Case Data",
    "Link Housing",
    "Link NHS",
    "Written Notes",
    "Contact Again",
    "Given By",
    "Checked",
    "Taken By",
    "Form Kept At",
];
const STARS: &[&str] = &[
    "Client Ref",
    "Date Completed",
    "Edition",
    "Occasion",
    "Completed With",
    "Mental Health",
    "Living Skills",
    "Relationships",
    "Social Networks",
    "Self Care",
    "Work",
    "Identity and Self Esteem",
    "Trust and Hope",
    "Addictive Behaviour",
    "Responsibilities",
    "Physical Health",
    "Friends and Community",
    "Use of Time",
    "Home",
];
const GOALS: &[&str] = &["Goal Ref", "Client Ref", "Area", "Goal", "Set On", "Due On", "Status", "Closed On"];
const ACCOMMODATION: &[&str] = &[
    "Client Ref",
    "Type",
    "Provider",
    "Landlord",
    "Tenancy Type",
    "Postcode",
    "From",
    "To",
    "The Move",
    "Sustained 6 Months",
    "Sustained 12 Months",
    "Sustained 24 Months",
];
const SETTINGS: &[&str] =
    &["Name", "Kind", "CQC Location ID", "Owner", "Beds", "Nursing", "Kitchen Open", "Laundry Open"];

/// The sheets, those of the milestones last.
#[must_use]
pub fn tables(world: &World) -> Vec<Table> {
    let table = |sheet, columns| Table {
        feed: "housing/tracker",
        file: FILE,
        sheet: Some(sheet),
        columns,
        first_line: 4,
        rows: Vec::new(),
    };
    let mut clients = table("Clients", CLIENTS);
    let mut consents = table("Consents", CONSENTS);
    let mut stars = table("Stars", STARS);
    let mut goals = table("Goals", GOALS);
    let mut accommodation = table("Accommodation", ACCOMMODATION);
    let mut settings = table("Settings", SETTINGS);
    let mut milestones = ACTIVITIES.each_ref().map(|activity| table(activity.sheet, activity.columns));
    for life in &world.lives {
        let (Some(view), Some(programme)) = (&life.housing, &life.programme) else { continue };
        client(&mut clients, life, view, programme);
        consent(&mut consents, life, view);
        star(&mut stars, life, view);
        goal(&mut goals, life, view);
        spell(&mut accommodation, life, view);
        for (activity, sheet) in ACTIVITIES.iter().zip(&mut milestones) {
            milestone(sheet, activity, life, view);
        }
    }
    setting(&mut settings);
    let mut sheets = vec![clients, consents, stars, goals, accommodation, settings];
    sheets.extend(milestones);
    sheets
}

fn client(table: &mut Table, life: &Life, view: &View, programme: &Programme) {
    let sex = match life.who.sex.as_str() {
        "male" => "Male",
        "female" => "Female",
        _ => "",
    };
    table.push(&[
        ("Client Ref", view.id.clone().into()),
        ("NHS Number", view.number.clone().unwrap_or_default().into()),
        ("LAS ID", view.other_id.clone().unwrap_or_default().into()),
        ("First Name", view.given.clone().into()),
        ("Surname", view.family.clone().into()),
        ("Date of Birth", Cell::Day(view.born)),
        ("Sex", sex.into()),
        ("Ethnicity", life.who.ethnicity.clone().into()),
        ("Address", view.home.line.clone().into()),
        ("Postcode", view.home.post.clone().into()),
        ("Care Home at Entry", programme.care_home.into()),
        ("Referred On", programme.referred_on.into()),
        ("Accepted On", programme.accepted_on.into()),
        ("Started On", programme.started_on.into()),
        ("Stage", stage(programme).into()),
        ("Moved On", programme.moved_on.into()),
        ("Left On", programme.left_on.into()),
        ("How Left", programme.how_left.into()),
        ("Reason Left", programme.why_left.into()),
    ]);
}

/// The phase a person is in: preparation until the move, resettlement for six months after it,
/// transition from then on.
#[must_use]
pub fn stage(programme: &Programme) -> &'static str {
    let end = programme.left_on.unwrap_or_else(as_of);
    match programme.moved_on {
        None => "Preparation",
        Some(moved) if plus_months(moved, 6) > end => "Resettlement",
        Some(_) => "Transition",
    }
}

/// A withdrawal of consent comes by event, not in the tracker.
fn consent(table: &mut Table, life: &Life, view: &View) {
    for consent in life.consents.iter().filter(|consent| consent.decision != "Withdrawn") {
        let answer = if consent.decision == "Given" { "Yes" } else { "No" };
        table.push(&[
            ("Client Ref", view.id.clone().into()),
            ("Study", "Promoting Independence".into()),
            ("Form", "PI-CONSENT".into()),
            ("Form Version", "2".into()),
            ("Information Sheet Version", "3".into()),
            ("Information Sheet Date", Cell::Day(sheet_day())),
            ("Decision", consent.decision.into()),
            ("Decided On", Cell::Day(consent.decided_on)),
            ("Case Data", answer.into()),
            ("Link Housing", answer.into()),
            ("Link NHS", answer.into()),
            ("Written Notes", answer.into()),
            ("Contact Again", answer.into()),
            ("Given By", "Self".into()),
            ("Checked", "Yes".into()),
            ("Taken By", consent.taken_by.into()),
            ("Form Kept At", format!("Cabinet 2, folder {}", view.id).into()),
        ]);
    }
}

fn star(table: &mut Table, life: &Life, view: &View) {
    for reading in life.stars.iter().filter(|reading| !reading.by_event) {
        let occasion = match reading.occasion {
            "baseline" => "Baseline",
            "after-move" => "After the move",
            "final" => "Final",
            _ => "Review",
        };
        let with = match reading.with {
            "worker" => "Worker alone",
            "person" => "Person alone",
            _ => "Person and worker",
        };
        let mut named: Vec<(&str, Cell)> = vec![
            ("Client Ref", view.id.clone().into()),
            ("Date Completed", Cell::Day(reading.star.completed_on)),
            ("Edition", "RS3".into()),
            ("Occasion", occasion.into()),
            ("Completed With", with.into()),
        ];
        let areas = STARS.iter().skip(5);
        named.extend(
            areas.zip(reading.star.scores).map(|(area, score)| (*area, Cell::Number(f64::from(score)))),
        );
        table.push(&named);
    }
}

fn goal(table: &mut Table, life: &Life, view: &View) {
    for set in life.goals.iter().filter(|set| !set.by_event) {
        table.push(&[
            ("Goal Ref", set.reference.clone().into()),
            ("Client Ref", view.id.clone().into()),
            ("Area", area_label(&set.goal.domain).into()),
            ("Goal", set.wording.clone().into()),
            ("Set On", Cell::Day(set.goal.set_on)),
            ("Due On", Cell::Day(set.goal.due_on)),
            ("Status", status_label(&set.goal.status).into()),
            ("Closed On", set.goal.closed_on.into()),
        ]);
    }
}

fn spell(table: &mut Table, life: &Life, view: &View) {
    for spell in &life.spells {
        table.push(&[
            ("Client Ref", view.id.clone().into()),
            ("Type", spell.kind.into()),
            ("Provider", spell.provider.into()),
            ("Landlord", spell.landlord.into()),
            ("Tenancy Type", spell.tenancy.into()),
            ("Postcode", spell.post.clone().into()),
            ("From", spell.from.into()),
            ("To", spell.to.into()),
            ("The Move", if spell.is_move { "Yes" } else { "No" }.into()),
        ]);
    }
}

fn milestone(table: &mut Table, activity: &Activity, life: &Life, view: &View) {
    for milestone in life.milestones.iter().filter(|milestone| milestone.activity == activity) {
        table.push(&[
            ("Client Ref", view.id.clone().into()),
            ("Planned", Cell::Day(milestone.planned)),
            ("Done", milestone.done.into()),
            ("Outcome", milestone.outcome.into()),
        ]);
    }
}

fn setting(table: &mut Table) {
    for (index, home) in words::HOMES.iter().enumerate() {
        let yes_no = |yes: bool| if yes { "Yes" } else { "No" };
        table.push(&[
            ("Name", home.name.into()),
            ("Kind", "Care home".into()),
            ("CQC Location ID", home.cqc.into()),
            ("Owner", home.owner.into()),
            ("Beds", Cell::Number(f64::from(home.beds))),
            ("Nursing", yes_no(index % 5 == 4).into()),
            ("Kitchen Open", yes_no(index % 3 != 1).into()),
            ("Laundry Open", yes_no(index % 4 != 2).into()),
        ]);
    }
    for (name, _, owner) in words::LANDLORDS {
        table.push(&[("Name", name.into()), ("Kind", "Landlord".into()), ("Owner", owner.into())]);
    }
    for (name, cqc) in words::PROVIDERS {
        table.push(&[("Name", name.into()), ("Kind", "Provider".into()), ("CQC Location ID", cqc.into())]);
    }
}

/// An area of the star as the tracker heads its column.
#[must_use]
pub fn area_label(area: &str) -> &'static str {
    let at = crate::synth::cohort::AREAS.iter().position(|known| *known == area);
    at.and_then(|at| STARS.get(5 + at)).copied().unwrap_or("Other")
}

/// A status of a goal as the tracker writes it.
#[must_use]
pub fn status_label(status: &str) -> &'static str {
    match status {
        "completed" => "Completed",
        "abandoned" => "Abandoned",
        "overdue" => "Overdue",
        _ => "In progress",
    }
}

/// The workbook. Its properties carry a fixed time, so that the same rows give the same bytes.
pub fn workbook(tables: &[Table]) -> Result<Vec<u8>, SynthError> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::from_ymd(2025, 4, 1)?;
    workbook.set_properties(&rust_xlsxwriter::DocProperties::new().set_creation_datetime(&made));
    let day_format = Format::new().set_num_format("dd/mm/yyyy");
    for table in tables {
        sheet(workbook.add_worksheet(), table, &day_format)?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn sheet(worksheet: &mut Worksheet, table: &Table, day_format: &Format) -> Result<(), SynthError> {
    let name = table.sheet.unwrap_or("Sheet");
    worksheet.set_name(name)?;
    worksheet.write_string(0, 0, format!("Promoting Independence: {name}"))?;
    for (at, column) in (0_u16..).zip(table.columns) {
        worksheet.write_string(2, at, *column)?;
    }
    for (line, row) in (3_u32..).zip(&table.rows) {
        for (at, cell) in (0_u16..).zip(&row.cells) {
            match cell {
                Cell::Blank => {}
                Cell::Text(text) => {
                    worksheet.write_string(line, at, text)?;
                }
                Cell::Number(number) => {
                    worksheet.write_number(line, at, *number)?;
                }
                Cell::Day(day) => {
                    worksheet.write_datetime_with_format(line, at, excel(*day)?, day_format)?;
                }
                Cell::Error => {
                    worksheet.write_formula(line, at, Formula::new("=NA()").set_result("#N/A"))?;
                }
            }
        }
    }
    Ok(())
}

fn excel(day: Day) -> Result<ExcelDateTime, SynthError> {
    let (year, month, number) = day.parts();
    let part = |number: i8| u8::try_from(number).unwrap_or(1);
    Ok(ExcelDateTime::from_ymd(u16::try_from(year).unwrap_or(1900), part(month), part(number))?)
}
