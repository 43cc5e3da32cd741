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

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use wayleave::synth::load;

/// CPU seconds that 100,000 rows may take.
const CPU_S_MAX: f64 = 0.5;
/// Megabytes that any number of rows may take.
const MEMORY_MB_MAX: f64 = 40.0;
/// How often the job is run; the best counts, since the machine is shared.
const RUNS: usize = 5;
/// Clock ticks a second in `/proc/self/stat`: fixed at 100 on Linux.
const TICKS_A_SECOND: f64 = 100.0;

struct Figures {
    cpu_s: f64,
    wall_s: f64,
    memory_mb: f64,
    summary: serde_json::Value,
}

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
        let best = (0..runs)
            .map(|_| measure(&input, &output))
            .min_by(|one, other| one.cpu_s.total_cmp(&other.cpu_s))
            .unwrap();
        let size_mb = fs::metadata(&input).unwrap().len() as f64 / 1e6;
        println!(
            "convert {rows} rows ({size_mb:.1} MB): {:.2} CPU s, {:.2} s, {:.1} MB, accepted {}, rejected {}",
            best.cpu_s, best.wall_s, best.memory_mb, best.summary["accepted"], best.summary["rejected"]
        );
        is_good &= is_right(&best.summary, rows);
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

fn measure(input: &Path, output: &Path) -> Figures {
    let mapping = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/convert.toml");
    let rejects = output.with_extension("rejects");
    let before_s = children_cpu_s();
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_wayleave"))
        .args(["convert", "--json", "--config", "/nowhere/wayleave.toml", "--mapping", mapping, "--rejects"])
        .arg(&rejects)
        .args([input, output])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut memory_kb = 0;
    while child.try_wait().unwrap().is_none() {
        memory_kb = memory_kb.max(peak_kb(&status).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(2));
    }
    let wall_s = began.elapsed().as_secs_f64();
    let told = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    Figures {
        cpu_s: children_cpu_s() - before_s,
        wall_s,
        memory_mb: memory_kb as f64 / 1024.0,
        summary: serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}")),
    }
}

/// CPU seconds of all children that have ended: fields 16 and 17 of `/proc/self/stat`.
fn children_cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let fields: Vec<f64> =
        after_name.split_whitespace().skip(13).take(2).map(|f| f.parse().unwrap()).collect();
    fields.iter().sum::<f64>() / TICKS_A_SECOND
}

/// The most memory a process has held, in kilobytes.
fn peak_kb(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
