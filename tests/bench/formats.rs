//! Each reader and writer beside the bare parser or writer of the same library, in one process and
//! one run, on the same bytes: rows and megabytes a second of CPU time, and how many times the bare
//! one's time ours takes. What ours does besides: it decides the encoding over the whole file, keeps
//! within its bounds, knows where each unit stands, and goes on after a unit that is wrong.
//!
//! `cargo bench --bench formats`, or `-- ROWS` for another number than 20,000, or `-- NAME` for one
//! format alone. Aims (issue 3): CSV within 3 times bare `csv`, XML within 3 times bare quick-xml,
//! XLSX within 1.5 times bare calamine. FHIR and HL7 v2 have no bare writer of their own: they stand
//! beside something that is only near, and say what.
//!
//! FHIR XML has its values in attributes, so the bare reader looks at them; beside quick-xml's events
//! alone, which see no value, ours takes about 3.7 times as long.
//!
//! Measured on 27 November 2026 on two cores, the best of 7 (JSON, HL7 v2 in a run before the others).
//!
//! ```text
//!                       rows      MB      rows/s     MB/s    times  beside
//! csv read             20000     9.0     1224069    548.1     1.83  csv, at most 3
//! csv write            20000     9.0     1427392    639.1     0.86  csv
//! mhsds read           20000     5.7     1956227    561.5     1.74  csv, at most 3
//! mhsds write          20000     5.7     2165271    621.5     0.93  csv
//! xlsx read            20000     2.0      152616     15.3     0.82  calamine, at most 1.5
//! xlsx write           20000     2.0       44486      4.4     1.52  rust_xlsxwriter, constant memory
//! xml read             20000    27.9      139612    194.6     2.53  quick-xml, at most 3
//! xml write            20000    27.9       79351    110.6    13.17  quick-xml
//! ndjson read          20000    19.7      182398    179.6     1.31  serde_json values
//! ndjson write         20000    19.7      193107    190.2     6.49  serde_json
//! json read            20000    19.7      172472    170.0     0.83  serde_json values
//! json write           20000    19.7      200674    197.8     6.36  serde_json
//! fhir-json read       20000    11.3      160861     91.0     0.56  serde_json, the Bundle at once
//! fhir-json write      20000    11.3      161808     91.6    15.65  serde_json, flat
//! fhir-xml read        20000    15.3      132752    101.6     2.76  quick-xml and its attributes, at most 3
//! fhir-xml write       20000    15.3       37288     28.5    24.66  quick-xml, flat
//! hl7v2 read           20000     5.4      416986    113.0     0.14  hl7-parser
//! hl7v2 write          20000     5.4      161507     43.8    15.55  text alone
//! ```

#![expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot run stops, and says where"
)]

mod format_bare;
mod format_inputs;

use std::io::{BufWriter, Cursor, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use format_inputs::{Case, cases};
use wayleave::base::origin::Origin;
use wayleave::format::reader;
use wayleave::format::settings::Settings;
use wayleave::format::source::{Spool, Spooled};
use wayleave::format::writer::Writer;
use wayleave::format::{Cell, Refused, Unit};

/// How often each is run at least, ours and the bare one in turn; the best counts, since the machine is
/// shared.
const RUNS: usize = 7;

/// How long one is timed at least, and how often it is then done at most: some machines count the time of a
/// thread in ticks of 4 ms, which a table is read in two of.
const TIMED_S: f64 = 0.1;
const TIMED_TIMES_MAX: u32 = 100;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_measured = !cfg!(debug_assertions);
    let (rows, runs) = if is_measured { (20_000, RUNS) } else { (300, 1) };
    let rows = words.iter().find_map(|word| word.parse().ok()).unwrap_or(rows);
    let named: Vec<&String> = words.iter().filter(|word| word.parse::<usize>().is_err()).collect();
    println!("{:<18} {:>7} {:>7} {:>11} {:>8} {:>8}  beside", "", "rows", "MB", "rows/s", "MB/s", "times");
    let mut is_good = true;
    for case in cases(rows) {
        if !named.is_empty() && !named.iter().any(|name| case.name.starts_with(name.as_str())) {
            continue;
        }
        let bytes = write(&case);
        let (ours, bare) = race(runs, || read(&case, &bytes), || (case.bare_read)(&case, &bytes));
        assert_eq!(ours.units, case.rows.len(), "{} reads every unit", case.name);
        assert_eq!(ours.text, bare.text, "{} reads the same text as the bare parser", case.name);
        is_good &= say(&case, "read", bytes.len(), (ours.seconds, bare.seconds), case.read_max);
        let beside = |bytes: Vec<u8>| Read { units: case.rows.len(), text: bytes.len(), seconds: 0.0 };
        let (ours, bare) = race(runs, || beside(write(&case)), || beside((case.bare_write)(&case)));
        is_good &= say(&case, "write", bytes.len(), (ours.seconds, bare.seconds), None);
    }
    if is_good || !is_measured { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a reading came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Read {
    /// Units read.
    pub(crate) units: usize,
    /// Bytes of text seen in their cells, where both sides have cells.
    pub(crate) text: usize,
    seconds: f64,
}

/// The best time of each side, which are run in turn.
fn race(runs: usize, ours: impl Fn() -> Read, bare: impl Fn() -> Read) -> (Read, Read) {
    let timed = |work: &dyn Fn() -> Read| {
        let (before, begun) = (cpu_s(), Instant::now());
        let (mut read, mut times) = (work(), 1);
        while runs > 1 && times < TIMED_TIMES_MAX && begun.elapsed().as_secs_f64() < TIMED_S {
            read = work();
            times += 1;
        }
        let spent = match (before, cpu_s()) {
            (Some(before), Some(after)) => after - before,
            _ => begun.elapsed().as_secs_f64(),
        };
        read.seconds = spent / f64::from(times);
        read
    };
    let best = |one: Read, other: Read| if other.seconds < one.seconds { other } else { one };
    let mut pair = (timed(&ours), timed(&bare));
    for _ in 1..runs {
        pair = (best(pair.0, timed(&ours)), best(pair.1, timed(&bare)));
    }
    pair
}

/// CPU seconds of this thread, to the nanosecond, where the machine counts them.
fn cpu_s() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}

fn say(case: &Case, what: &str, bytes: usize, (ours, bare): (f64, f64), most: Option<f64>) -> bool {
    let (rows, megabytes, times) = (case.rows.len() as f64, bytes as f64 / 1e6, ours / bare);
    let is_good = most.is_none_or(|most| times <= most);
    let aim = most.map(|most| format!(", at most {most}")).unwrap_or_default();
    let verdict = if is_good { "" } else { "  TOO MUCH" };
    println!(
        "{:<18} {rows:>7} {megabytes:>7.1} {:>11.0} {:>8.1} {times:>8.2}  {}{aim}{verdict}",
        format!("{} {what}", case.name),
        rows / ours,
        megabytes / ours,
        if what == "read" { case.beside_read } else { case.beside_write },
    );
    is_good
}

/// Reads a file as the gateway does, and looks into every cell of a table.
fn read(case: &Case, bytes: &[u8]) -> Read {
    let source = Box::new(Cursor::new(bytes.to_vec()));
    let settings = Settings::new(case.format.clone());
    let mut reader = match reader::open(source, &settings, &Origin::file("bench"), &Temporary) {
        Ok(reader) => reader,
        Err(Refused::File(findings)) => panic!("{}: {:?}", case.name, findings.kept()),
        Err(Refused::Machine(error)) => panic!("{}: {error}", case.name),
    };
    let mut read = Read::default();
    while let Some(arrival) = reader.next().unwrap() {
        let unit = arrival.unit.unwrap_or_else(|finding| panic!("{}: {finding}", case.name));
        read.units += 1;
        let is_table = matches!(unit, Unit::Row(_) | Unit::Sheet(_));
        for at in case.addresses.iter().filter(|_| is_table) {
            read.text += match unit.cell(at) {
                Cell::Text(text) => text.len(),
                _ => 0,
            };
        }
    }
    read
}

/// Writes a file as the gateway does.
fn write(case: &Case) -> Vec<u8> {
    let target = Target::default();
    let buffered = BufWriter::with_capacity(64 * 1024, target.clone());
    let mut writer = Writer::new(Box::new(buffered), &case.layout).unwrap();
    let mut unit = Vec::new();
    for row in &case.rows {
        unit.clear();
        unit.extend(row.iter().map(|(at, text)| (&case.addresses[*at], Cell::Text(text))));
        assert!(writer.put(None, &unit).unwrap().is_none());
    }
    writer.finish().unwrap();
    std::mem::take(&mut *target.0.lock().unwrap())
}

/// Where a writer writes to, to be looked at when it is done.
#[derive(Clone, Default)]
struct Target(Arc<Mutex<Vec<u8>>>);

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Private files, as the command line makes them.
struct Temporary;

impl Spool for Temporary {
    fn new_file(&self) -> std::io::Result<Box<dyn Spooled>> {
        Ok(Box::new(tempfile::tempfile()?))
    }
}
