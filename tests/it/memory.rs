//! Every reader works in bounded memory: a file forty times as large takes no more of it. Whole
//! processes, in the manner of `cargo bench --bench memory`, which does the same for a million units.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::figures::{self, Figures};
use crate::large::{KINDS, Kind};

/// Units of the two files, and letters of each one's note: two and forty megabytes.
const FEW: usize = 500;
const MANY: usize = 20_000;
const NOTE: usize = 2_000;

/// Megabytes that the larger may take more: a quarter of what it holds, and more than buffers that
/// are filled for the first time and the bound of a workbook's shared texts.
const MORE_MB_MAX: f64 = 11.0;

fn check(kind: Kind) {
    if !Path::new("/proc/self/status").exists() {
        println!("SKIP: memory is read from /proc, which this machine does not have");
        return;
    }
    let folder = crate::support::folder();
    let (few, many) = (cost(kind, folder.path(), FEW), cost(kind, folder.path(), MANY));
    let (few_mb, many_mb) = (few.memory_mb, many.memory_mb);
    println!(
        "{kind:?}: {few_mb:.1} MB for {FEW} units, {many_mb:.1} MB for {MANY}; {:.1} s, {:.1} CPU s",
        many.wall_s, many.cpu_s
    );
    assert!(
        many_mb <= few_mb + MORE_MB_MAX,
        "{kind:?}: {few_mb:.1} MB for {FEW} units, {many_mb:.1} for {MANY}"
    );
}

/// What converting so many units takes.
fn cost(kind: Kind, folder: &Path, units: usize) -> Figures {
    let input = folder.join("in");
    kind.write(&input, units, NOTE);
    let mut convert = Command::new(env!("CARGO_BIN_EXE_wayleave"));
    convert.args(["convert", "--json", "--config", "/nowhere/wayleave.toml", "--mapping"]);
    convert.arg(kind.mapping(folder)).arg(&input).arg(folder.join("out.ndjson")).stderr(Stdio::piped());
    let (figures, ended) = figures::of(&mut convert);
    let told: serde_json::Value = serde_json::from_slice(&ended.stderr).unwrap();
    assert_eq!(told["accepted"], units, "{kind:?}: {told}");
    figures
}

#[test]
fn tables() {
    check(Kind::Csv);
    check(Kind::Gzip);
}

#[test]
fn workbooks() {
    check(Kind::Xlsx);
    check(Kind::XlsxShared);
}

#[test]
fn xml() {
    check(Kind::Xml);
}

#[test]
fn json() {
    check(Kind::Json);
    check(Kind::Ndjson);
}

#[test]
fn fhir() {
    check(Kind::FhirJson);
    check(Kind::FhirXml);
}

#[test]
fn messages() {
    check(Kind::Hl7v2);
    assert_eq!(KINDS.len(), 10, "each kind has its test here");
}

/// As read, with the note kept as the wording of a goal, so that it is written again.
const WRITTEN: &str = r#"
name = "large/written"
version = 1
[format.xlsx.columns]
Rows = ["ref", "born", "note"]
[subject]
key = ["ref"]
[[record]]
kind = "goal"
sheet = "Rows"
drives = true
key = ["ref"]
field = [
  { to = "area", value = "work" },
  { to = "status", value = "overdue" },
  { to = "set_on", from = "born", as = { date = "%d/%m/%Y" } },
  { to = "wording", from = "note" },
]
"#;

/// A workbook is written a row at a time, and holds every row that it was given.
#[test]
fn workbooks_that_are_written() {
    if !Path::new("/proc/self/status").exists() {
        println!("SKIP: memory is read from /proc, which this machine does not have");
        return;
    }
    let folder = crate::support::folder();
    let mapping = folder.path().join("written.toml");
    std::fs::write(&mapping, WRITTEN).unwrap();
    let cost = |units: usize| {
        let (input, output) = (folder.path().join("in.xlsx"), folder.path().join("out.xlsx"));
        Kind::Xlsx.write(&input, units, NOTE);
        let mut convert = Command::new(env!("CARGO_BIN_EXE_wayleave"));
        convert.args(["convert", "--json", "--config", "/nowhere/wayleave.toml", "--mapping"]);
        convert.arg(&mapping).arg("--to").arg(&mapping).arg(&input).arg(&output).stderr(Stdio::piped());
        let (figures, ended) = figures::of(&mut convert);
        let told: serde_json::Value = serde_json::from_slice(&ended.stderr).unwrap();
        assert_eq!((&told["accepted"], &told["written"]), (&units.into(), &units.into()), "{told}");
        // What was written is read again.
        let mut again = Command::new(env!("CARGO_BIN_EXE_wayleave"));
        again.args(["convert", "--json", "--config", "/nowhere/wayleave.toml", "--mapping"]);
        again.arg(&mapping).arg(&output).arg(folder.path().join("out.ndjson")).stderr(Stdio::piped());
        let (_, ended) = figures::of(&mut again);
        let told: serde_json::Value = serde_json::from_slice(&ended.stderr).unwrap();
        assert_eq!(told["accepted"], units, "{told}");
        figures.memory_mb
    };
    let (few_mb, many_mb) = (cost(FEW), cost(MANY));
    println!("written: {few_mb:.1} MB for {FEW} rows, {many_mb:.1} MB for {MANY}");
    assert!(many_mb <= few_mb + MORE_MB_MAX, "{few_mb:.1} MB for {FEW} rows, {many_mb:.1} for {MANY}");
}
