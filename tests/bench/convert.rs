//! The figures that `wayleave convert` is held to (design, section 11), as a whole process: CPU
//! seconds, peak memory, and whether the answer is right.
//!
//! `cargo bench --bench convert`. Linux only: both figures are read from `/proc`.

#![expect(
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::as_conversions,
    reason = "a benchmark that cannot run stops, and says where"
)]

mod figures;

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use figures::Figures;
use wayleave::synth::load;

/// CPU seconds that 100,000 rows may take.
const CPU_S_MAX: f64 = 0.5;
/// Megabytes that any number of rows may take.
const MEMORY_MB_MAX: f64 = 40.0;
/// How often the job is run; the best counts, since the machine is shared.
const RUNS: usize = 5;

fn main() -> ExitCode {
    if !Path::new("/proc/self/stat").exists() {
        eprintln!("SKIP: the figures are read from /proc, which this machine does not have");
        return ExitCode::SUCCESS;
    }
    let folder = tempfile::tempdir().unwrap();
    let is_measured = !cfg!(debug_assertions);
    let sizes: &[(u64, usize)] =
        if is_measured { &[(100_000, RUNS), (1_000_000, 1)] } else { &[(100_000, 1)] };
    let mut is_good = true;
    for (rows, runs) in sizes.iter().copied() {
        let input = folder.path().join(format!("{rows}.csv"));
        load::figures(BufWriter::new(File::create(&input).unwrap()), rows).unwrap();
        let output = folder.path().join("out.ndjson");
        let (best, summary) = (0..runs)
            .map(|_| measure(&input, &output))
            .min_by(|(one, _), (other, _)| one.cpu_s.total_cmp(&other.cpu_s))
            .unwrap();
        let size_mb = fs::metadata(&input).unwrap().len() as f64 / 1e6;
        println!(
            "convert {rows} rows ({size_mb:.1} MB): {:.2} CPU s, {:.2} s, {:.1} MB, accepted {}, rejected {}",
            best.cpu_s, best.wall_s, best.memory_mb, summary["accepted"], summary["rejected"]
        );
        is_good &= is_right(&summary, rows);
        if is_measured {
            is_good &= check("CPU seconds for 100,000 rows", best.cpu_s * 1e5 / rows as f64, CPU_S_MAX);
            is_good &= check("megabytes", best.memory_mb, MEMORY_MB_MAX);
        }
        fs::remove_file(&input).unwrap();
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Accepted and rejected, by the definition of the job.
fn is_right(summary: &serde_json::Value, rows: u64) -> bool {
    let is_rejected = |i: &u64| i % 50 == 7 || i % 200 == 11 || i % 333 == 5;
    let rejected = u64::try_from((0..rows).filter(is_rejected).count()).unwrap();
    if rows == 100_000 {
        assert_eq!((rows - rejected, rejected), (97_206, 2_794));
    }
    let found = (summary["accepted"].as_u64(), summary["rejected"].as_u64());
    let is_right = found == (Some(rows - rejected), Some(rejected));
    if !is_right {
        println!("WRONG: expected {} accepted and {rejected} rejected", rows - rejected);
    }
    is_right
}

fn check(what: &str, found: f64, max: f64) -> bool {
    if found > max {
        println!("TOO MUCH: {what}: {found:.2}, expected at most {max}");
    }
    found <= max
}

fn measure(input: &Path, output: &Path) -> (Figures, serde_json::Value) {
    let mapping = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/convert.toml");
    let rejects = output.with_extension("rejects");
    let mut convert = Command::new(env!("CARGO_BIN_EXE_wayleave"));
    convert
        .args(["convert", "--json", "--config", "/nowhere/wayleave.toml", "--mapping", mapping, "--rejects"])
        .arg(&rejects)
        .args([input, output])
        .stderr(Stdio::piped());
    let (figures, ended) = figures::of(&mut convert);
    let told = String::from_utf8(ended.stderr).unwrap();
    let summary = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}"));
    (figures, summary)
}
