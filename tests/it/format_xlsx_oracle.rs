//! A second opinion on workbooks: what calamine reads in each cell is what is read here. On the
//! torture files, the invented tracker, and workbooks of random cells.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use wayleave::format::settings::{FormatKind, XlsxSettings};
use wayleave::format::{At, Unit};
use wayleave::synth::render::tracker;
use wayleave::synth::world;

use crate::format_support::{said_cell, try_open};
use crate::torture;

/// Cells by sheet, row and column.
type Cells = BTreeMap<(String, u64, usize), String>;

/// What is read here below each header, and which rows are compared.
fn ours(bytes: &[u8]) -> Option<(Cells, BTreeMap<String, u64>, Vec<(String, u64)>)> {
    let mut reader = try_open(bytes, FormatKind::Xlsx(XlsxSettings::default())).ok()?;
    let headers =
        reader.headers().iter().map(|header| (header.sheet.clone().unwrap().to_string(), header.line));
    let headers: BTreeMap<String, u64> = headers.collect();
    let (mut cells, mut faulty) = (Cells::new(), Vec::new());
    while let Some(arrival) = reader.next().unwrap() {
        let sheet = arrival.place.sheet.clone().unwrap().to_string();
        let Ok(unit @ Unit::Sheet(row)) = arrival.unit else {
            faulty.push((sheet, arrival.place.line));
            continue;
        };
        for column in 0..row.len() {
            let said = said_cell(unit.cell(&At::Column(column)));
            if said != "-" {
                cells.insert((sheet.clone(), arrival.place.line, column), said);
            }
        }
    }
    Some((cells, headers, faulty))
}

/// What calamine reads, in the same words.
fn theirs(bytes: &[u8], sheet: &str) -> Cells {
    let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let range = workbook.worksheet_range(sheet).unwrap();
    let (top, left) = range.start().unwrap_or_default();
    let said = |data: &Data| match data {
        Data::Empty | Data::Error(_) => None,
        Data::String(text) => (!text.trim().is_empty()).then(|| text.clone()),
        Data::Bool(truth) => Some(format!("?{truth}")),
        Data::Int(number) => Some(format!("#{number}")),
        Data::Float(number) => Some(format!("#{number}")),
        Data::DateTime(moment) if moment.is_duration() => Some(format!("#{}", moment.as_f64())),
        Data::DateTime(moment) => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            let time = format!("{hour:02}:{minute:02}:{second:02}");
            let day = format!("{year:04}-{month:02}-{day:02}");
            Some(match (moment.as_f64() < 1.0, time.as_str()) {
                (true, _) => time,
                (false, "00:00:00") => format!("@{day}"),
                (false, _) => format!("{day}T{time}"),
            })
        }
        Data::DateTimeIso(text) | Data::DurationIso(text) => Some(text.clone()),
    };
    range
        .used_cells()
        .filter_map(|(row, column, data)| {
            let line = u64::try_from(row).unwrap() + u64::from(top) + 1;
            Some(((sheet.to_owned(), line, column + left as usize), said(data)?))
        })
        .collect()
}

fn compare(name: &str, bytes: &[u8]) -> usize {
    let Some((ours, headers, faulty)) = ours(bytes) else { return 0 };
    for (sheet, header) in headers {
        let is_compared = |(of, line, _): &(String, u64, usize)| {
            *of == sheet && *line > header && !faulty.iter().any(|(sheet, at)| sheet == of && at == line)
        };
        let of_sheet: Cells = ours
            .iter()
            .filter(|(at, _)| is_compared(at))
            .map(|(at, said)| (at.clone(), said.clone()))
            .collect();
        // Rows whose only cells stand to the right of the last name are blank.
        let rows: Vec<u64> = of_sheet.keys().map(|(_, line, _)| *line).collect();
        let theirs: Cells = theirs(bytes, &sheet)
            .into_iter()
            .filter(|(at, _)| is_compared(at) && (name == "random" || rows.contains(&at.1)))
            .collect();
        assert_eq!(of_sheet, theirs, "{name}, {sheet}");
    }
    ours.len()
}

#[test]
fn the_torture_files_and_the_tracker() {
    let mut cells = 0;
    for (name, bytes) in torture::files() {
        if name.starts_with("xlsx/") {
            cells += compare(&name, &bytes);
        }
    }
    let tables = tracker::tables(&world::demo().unwrap());
    cells += compare("tracker", &tracker::workbook(&tables).unwrap());
    assert!(cells > 1_000, "{cells} cells were compared");
}

/// What is written into a cell.
#[derive(Debug, Clone)]
enum Put {
    Nothing,
    Text(String),
    Number(f64),
    Truth(bool),
    Moment(f64, &'static str),
    Formula(String),
}

fn put() -> impl Strategy<Value = Put> {
    let formats =
        ["dd/mm/yyyy", "yyyy-mm-dd hh:mm", "hh:mm:ss", "[h]:mm", "[$-809]d mmmm yyyy;@", "0.00", "General"];
    prop_oneof![
        Just(Put::Nothing),
        "[ a-zé&<>\"'_x0D\n\t😀]{0,12}".prop_map(Put::Text),
        any::<f64>()
            .prop_filter("Excel has no such number", |number| number.is_finite())
            .prop_map(Put::Number),
        (-1_000_000_i32..1_000_000).prop_map(|number| Put::Number(f64::from(number) / 100.0)),
        any::<bool>().prop_map(Put::Truth),
        // Day 60 is 29 February 1900, which never was.
        ((61_u32..60_000), (0_u32..86_400), proptest::sample::select(formats.to_vec())).prop_map(
            |(days, seconds, format)| Put::Moment(f64::from(days) + f64::from(seconds) / 86_400.0, format)
        ),
        "[a-z]{1,5}".prop_map(Put::Formula),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_cells(rows in proptest::collection::vec(proptest::collection::vec(put(), 4), 1..12)) {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet().set_name("Rows").unwrap();
        for column in 0..5 {
            sheet.write_string(0, column, format!("c{column}")).unwrap();
        }
        for (line, row) in (1_u32..).zip(&rows) {
            // A row is one that has something in it.
            sheet.write_string(line, 4, "x").unwrap();
            for (column, put) in (0_u16..).zip(row) {
                match put {
                    Put::Nothing => {}
                    Put::Text(text) => drop(sheet.write_string(line, column, text).unwrap()),
                    Put::Number(number) => drop(sheet.write_number(line, column, *number).unwrap()),
                    Put::Truth(truth) => drop(sheet.write_boolean(line, column, *truth).unwrap()),
                    Put::Moment(number, format) => {
                        let moment = ExcelDateTime::from_serial_datetime(*number).unwrap();
                        let format = Format::new().set_num_format(*format);
                        sheet.write_datetime_with_format(line, column, &moment, &format).unwrap();
                    }
                    Put::Formula(result) => {
                        let formula = Formula::new("=LOWER(\"X\")").set_result(result);
                        sheet.write_formula(line, column, formula).unwrap();
                    }
                }
            }
        }
        compare("random", &workbook.save_to_buffer().unwrap());
    }
}
