//! Large files to measure with, streamed row by row, the same bytes each time.

use std::io::Write;

use crate::synth::SynthError;
use crate::synth::calendar::{day, plus, slashed};
use crate::synth::render::cld::COLUMNS;
use crate::synth::seed::check_digit;

/// The columns of the benchmark of `convert` (design, section 11).
const FIGURES: &str = "Local Person ID,NHS Number,Surname,Forename,Date of Birth,Gender,Post Code,Event Type,\
                       Event Start Date,Event End Date,Unit Cost";

const SURNAMES: [&str; 8] =
    ["Ackroyd", "Birkinshaw", "Crabtree", "Dinsdale", "Earnshaw", "Fothergill", "Greenhalgh", "Hardcastle"];
const FORENAMES: [&str; 8] =
    ["Agatha", "Barnaby", "Cecily", "Desmond", "Edith", "Fergus", "Imogen", "Lionel"];

/// Writes the file that the figures of design section 11 are measured on. Row *i*, from 0: a wrong
/// check digit if *i* mod 50 = 7; a spaced NHS number if *i* mod 101 = 3; the birth date 31/02/1950
/// if *i* mod 200 = 11; the type `Revew` if *i* mod 333 = 5; an end date only if *i* mod 3 = 0.
pub fn figures(mut out: impl Write, rows: u64) -> Result<(), SynthError> {
    let mut line = String::with_capacity(256);
    out.write_all("\u{feff}".as_bytes()).map_err(SynthError::Write)?;
    out.write_all(format!("{FIGURES}\r\n").as_bytes()).map_err(SynthError::Write)?;
    for index in 0..rows {
        line.clear();
        figure(index, &mut line);
        out.write_all(line.as_bytes()).map_err(SynthError::Write)?;
    }
    out.flush().map_err(SynthError::Write)
}

fn figure(index: u64, line: &mut String) {
    use std::fmt::Write as _;
    let mut number = number(index);
    if index % 50 == 7 {
        number = wrong(&number);
    }
    if index % 101 == 3 {
        number = crate::synth::render::costs::spaced(&number);
    }
    let born = if index % 200 == 11 {
        "31/02/1950".to_owned()
    } else {
        slashed(plus(day(1940, 1, 1), signed(index % 22_000)))
    };
    let gender = choose(&["Male", "Female"], index);
    let kind = if index % 333 == 5 {
        "Revew"
    } else {
        choose(&["Service", "Review", "Assessment", "Request"], index)
    };
    let start = plus(day(2022, 1, 1), signed(index % 1_000));
    let end = if index.is_multiple_of(3) { slashed(plus(start, 30)) } else { String::new() };
    // Writing to a text cannot fail.
    let _written = write!(
        line,
        "LL{:07},{number},{},{},{born},{gender},XS{} {}AB,{kind},{},{end},{}.{:02}\r\n",
        index % 10_000_000,
        choose(&SURNAMES, index / 3),
        choose(&FORENAMES, index / 5),
        1 + index % 30,
        1 + index % 9,
        slashed(start),
        100 + index % 900,
        index % 100,
    );
}

/// A large Client Level Data file.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Rows.
    pub rows: u64,
    /// Rows of one person: a person has so many services, one after another.
    pub rows_of_person: u64,
    /// The rows in another order, by a fixed stride.
    pub shuffled: bool,
    /// The row whose unit cost is another, so that no hash of the whole file helps.
    pub changed: Option<u64>,
}

/// Writes a Release 2 file of service rows without faults, in ASCII, which is Windows-1252 too.
pub fn cld(mut out: impl Write, load: Load) -> Result<(), SynthError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut out);
    writer.write_record(COLUMNS)?;
    let stride = stride(load.rows);
    for at in 0..load.rows {
        let index = if load.shuffled { (at * stride + load.rows / 2) % load.rows } else { at };
        let cells = service(index, load);
        writer.write_record(COLUMNS.iter().map(|column| {
            cells.iter().find(|(name, _)| name == column).map_or("", |(_, cell)| cell.as_str())
        }))?;
    }
    writer.flush().map_err(SynthError::Write)
}

fn service(index: u64, load: Load) -> Vec<(&'static str, String)> {
    let each = load.rows_of_person.max(1);
    let (person, nth) = (index / each, index % each);
    let start = plus(day(2019, 4, 1), signed(person % 700 + nth * 100));
    let pence = u64::from(load.changed == Some(index)) * 111 + 2_000 + index % 3_000;
    let text = str::to_owned;
    vec![
        ("LA Code", text("207")),
        ("Reporting Period Start Date", text("01/04/2019")),
        ("Reporting Period End Date", text("31/03/2025")),
        ("NHS Number", number(person)),
        ("LA Person Unique Identifier", format!("LL{:07}", person % 10_000_000)),
        ("First Name", text(choose(&FORENAMES, person / 7))),
        ("Last Name", text(choose(&SURNAMES, person))),
        ("Gender", text(choose(&["Male", "Female"], person))),
        ("Ethnicity", text("White: English, Welsh, Scottish, Northern Irish or British")),
        ("Date of Birth", slashed(plus(day(1940, 1, 1), signed(person % 22_000)))),
        ("Client Type", text("Service user")),
        ("Primary Support Reason", text("Mental health support")),
        ("Postcode", format!("XS{} {}AB", 1 + person % 30, 1 + person % 9)),
        ("Accommodation Status", text("Registered care home")),
        ("Event Type", text("Service")),
        ("Event Reference", format!("EV{index:09}")),
        ("Event Start Date", slashed(start)),
        ("Event End Date", slashed(plus(start, 60))),
        ("Event Outcome", text("Continuation of support or services")),
        ("Service Type", text("Long term support: Community")),
        ("Service Component", text("Home support or domiciliary care")),
        ("Delivery Mechanism", text("CASSR commissioned support")),
        ("Provider CQC Location Name", text("Blue Gate Support")),
        ("Provider CQC Location ID", text("1-2000000001")),
        ("Unit Cost", format!("{}.{:02}", pence / 100, pence % 100)),
        ("Cost Frequency (Unit Type)", text("Hourly")),
        ("Planned units per week", text("10.00")),
    ]
}

/// An NHS number of the 999 range for an index; indexes beyond the range share numbers.
/// A right NHS number of the 999 range. All nines are left out: their check digit is right, and yet
/// they are what people type who know no number.
fn number(index: u64) -> String {
    let mut serial = (index * 7 + 13) % 999_999;
    loop {
        let first = format!("999{serial:06}");
        if let Some(check) = check_digit(&first) {
            return format!("{first}{check}");
        }
        serial = (serial + 1) % 999_999;
    }
}

fn wrong(number: &str) -> String {
    let last = number.bytes().last().map_or(0, |digit| (digit.wrapping_sub(b'0') + 1) % 10);
    number.chars().take(9).chain(char::from_digit(u32::from(last), 10)).collect()
}

fn choose(from: &[&'static str], index: u64) -> &'static str {
    let count = u64::try_from(from.len()).unwrap_or(1).max(1);
    usize::try_from(index % count).ok().and_then(|at| from.get(at)).copied().unwrap_or_default()
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(0)
}

/// A step that goes through all rows once: a prime that does not divide their number.
fn stride(rows: u64) -> u64 {
    [7_919, 104_729, 31].into_iter().find(|prime| !rows.is_multiple_of(*prime)).unwrap_or(1)
}
