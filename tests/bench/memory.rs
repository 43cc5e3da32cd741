//! What `wayleave convert` holds in memory at 10,000 and at 1,000,000 units of each format that is
//! read: the same. Whole processes; Linux only, since it is read from `/proc`.
//!
//! `cargo bench --bench memory`, or `-- UNITS` for another number than 1,000,000, or `-- NAME` for one
//! format alone.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "a benchmark that cannot run stops, and says where"
)]

mod figures;
mod large;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use figures::Figures;
use large::{KINDS, Kind};

/// Units of the smaller file.
const FEW: usize = 10_000;
/// Letters of a unit's note.
const NOTE: usize = 80;
/// Megabytes that any number of units may take.
const MEMORY_MB_MAX: f64 = 40.0;
/// Megabytes that a hundred times as many units may take more: buffers that are filled for the first
/// time.
const MORE_MB_MAX: f64 = 10.0;

fn main() -> ExitCode {
    if !Path::new("/proc/self/stat").exists() {
        eprintln!("SKIP: the figures are read from /proc, which this machine does not have");
        return ExitCode::SUCCESS;
    }
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_measured = !cfg!(debug_assertions);
    let many = if is_measured { 1_000_000 } else { 20_000 };
    let many = words.iter().find_map(|word| word.parse().ok()).unwrap_or(many);
    let named: Vec<&String> = words.iter().filter(|word| word.parse::<usize>().is_err()).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut is_good = true;
    for kind in KINDS {
        let name = format!("{kind:?}").to_lowercase();
        if !named.is_empty() && !named.iter().any(|wanted| name.starts_with(wanted.as_str())) {
            continue;
        }
        let few_mb = measure(kind, folder.path(), FEW).0.memory_mb;
        let (Figures { cpu_s, wall_s, memory_mb: many_mb }, size_mb) = measure(kind, folder.path(), many);
        let is_flat = many_mb <= few_mb + MORE_MB_MAX && many_mb <= MEMORY_MB_MAX;
        let verdict = if is_flat { "" } else { "  TOO MUCH" };
        println!(
            "{name:<10} {FEW} units: {few_mb:.1} MB; {many} units ({size_mb:.0} MB): {many_mb:.1} MB, {wall_s:.2} s, {cpu_s:.2} CPU s, {:.0} units a CPU second{verdict}",
            many as f64 / cpu_s
        );
        is_good &= is_flat;
    }
    if is_good || !is_measured { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What it cost, and megabytes of the file.
fn measure(kind: Kind, folder: &Path, units: usize) -> (Figures, f64) {
    let (input, output) = (folder.join("in"), folder.join("out.ndjson"));
    kind.write(&input, units, NOTE);
    let mut convert = Command::new(env!("CARGO_BIN_EXE_wayleave"));
    convert
        .args(["convert", "--json", "--config", "/nowhere/wayleave.toml", "--mapping"])
        .arg(kind.mapping(folder))
        .args([&input, &output])
        .stderr(Stdio::piped());
    let (figures, ended) = figures::of(&mut convert);
    let told: serde_json::Value = serde_json::from_slice(&ended.stderr).unwrap();
    assert_eq!(told["accepted"].as_u64(), Some(units as u64), "{kind:?}: {told}");
    let size_mb = std::fs::metadata(&input).unwrap().len() as f64 / 1e6;
    (figures, size_mb)
}
