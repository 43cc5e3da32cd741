//! The durable path, as a whole process: `wayleave sync` to the end of its last step, first of
//! rows that are all new, then of the same rows shuffled with one changed, so that no hash of the
//! file helps. Into SQLite, and into PostgreSQL where `WAYLEAVE_TEST_POSTGRES` names a server.
//!
//! `cargo bench --bench durable`, or `-- ROWS` for another number than 100,000. Aims (issue 2):
//! 25,000 new rows a second and 150,000 unchanged ones on two cores.

#![expect(
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::as_conversions,
    reason = "a benchmark that cannot run stops, and says where"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use wayleave::synth::load;

const CONFIG: &str = r#"
[gateway]
database = "{database}"
mappings = "mappings"
[source.bench]
scope = "everyone"
[source.bench.feed.figures]
folder = "in"
"#;

fn main() -> ExitCode {
    let named = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let rows: u64 = named.unwrap_or(if cfg!(debug_assertions) { 2_000 } else { 100_000 });
    let folder = tempfile::tempdir().unwrap();
    let mut input = Vec::new();
    load::figures(&mut input, rows).unwrap();
    let shuffled = shuffled(&input);
    measure("SQLite", "sqlite:operational.db", &folder.path().join("sqlite"), rows, &input, &shuffled);
    match std::env::var("WAYLEAVE_TEST_POSTGRES") {
        Ok(server) if !server.is_empty() => {
            let server = server.trim_end_matches('/');
            let name = format!("bench{}", std::process::id());
            let mut admin = diesel::PgConnection::establish(&format!("{server}/postgres")).unwrap();
            admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
            let url = format!("{server}/{name}");
            measure("PostgreSQL", &url, &folder.path().join("postgres"), rows, &input, &shuffled);
            admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).unwrap();
        }
        _ => println!("SKIP: PostgreSQL, because WAYLEAVE_TEST_POSTGRES is not set"),
    }
    ExitCode::SUCCESS
}

fn measure(name: &str, database: &str, folder: &Path, rows: u64, new: &[u8], shuffled: &[u8]) {
    let mappings = folder.join("mappings/bench");
    fs::create_dir_all(&mappings).unwrap();
    fs::create_dir_all(folder.join("in")).unwrap();
    fs::write(mappings.join("figures.toml"), include_str!("convert.toml")).unwrap();
    let init = Command::new(env!("CARGO_BIN_EXE_wayleave")).arg("init").arg(folder).output().unwrap();
    assert!(init.status.success());
    let config = folder.join("wayleave.toml");
    fs::write(&config, CONFIG.replace("{database}", database)).unwrap();
    for (what, bytes, file) in [("new", new, "1.csv"), ("unchanged", shuffled, "2.csv")] {
        fs::write(folder.join("in").join(file), bytes).unwrap();
        let (took, memory_mb, told) = sync(&config);
        let a_second = rows as f64 / took.as_secs_f64();
        println!(
            "{name}: {rows} {what} rows in {:.2} s: {a_second:.0} rows a second, {memory_mb:.0} MB; {}",
            took.as_secs_f64(),
            told.trim()
        );
    }
}

/// One sync as a process: how long it took, its peak memory, and what it said.
fn sync(config: &PathBuf) -> (Duration, f64, String) {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_wayleave"))
        .arg("--config")
        .arg(config)
        .arg("sync")
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut peak_kb = 0.0_f64;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let high = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak_kb = peak_kb.max(high.unwrap_or_default());
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = begun.elapsed();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.code().is_some_and(|code| code < 2), "{:?}", output.status);
    (took, peak_kb / 1024.0, String::from_utf8(output.stdout).unwrap())
}

/// The same rows in another order, and one of them changed.
fn shuffled(input: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(input).unwrap();
    let (header, rows) = text.split_once("\r\n").unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    // A stride that shares no factor with any count of rows that ends in a nought visits each row
    // once.
    let stride = 7_919;
    let mut out = format!("{header}\r\n");
    for n in 0..rows.len() {
        let row = rows[n * stride % rows.len()];
        match n {
            0 => out.push_str(&format!("{row}9")),
            _ => out.push_str(row),
        }
        out.push_str("\r\n");
    }
    out.into_bytes()
}
