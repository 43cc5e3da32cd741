//! The durable path, as a whole process: `wayleave sync` to the end of its last step, first of
//! rows that are all new, then of the same rows shuffled with one changed, so that no hash of the
//! file helps. Into SQLite, and into PostgreSQL where `WAYLEAVE_TEST_POSTGRES` names a server.
//!
//! `cargo bench --bench durable`, or `-- ROWS` for another number than 100,000. Aims (issue 2):
//! 25,000 new rows a second and 150,000 unchanged ones on two cores.
//!
//! Measured on 27 November 2026, two cores with nothing else to do, PostgreSQL 15 on the same two. Each
//! of the 100,000 rows is of a person of its own, which is the dearest case: a new row is a subject, two
//! blocks, two records, two versions, a person and an event.
//!
//! | 100,000 rows | rows a second | seconds | CPU seconds | of the server | peak memory |
//! |---|---|---|---|---|---|
//! | SQLite, new | 10,239 | 9.8 | 9.3 | | 176 MB |
//! | SQLite, unchanged | 72,444 | 1.4 | 1.8 | | 146 MB |
//! | PostgreSQL, new | 7,213 | 13.9 | 4.1 | 10.2 | 102 MB |
//! | PostgreSQL, unchanged | 51,998 | 1.9 | 1.3 | 1.0 | 70 MB |
//!
//! Another run on the same day gave a fifth to two fifths less.
//!
//! The aims are not met: new rows come to two fifths of theirs into SQLite and under a third into
//! PostgreSQL, unchanged ones to a half and a third. Of new rows into SQLite three fifths are the database's own
//! work: the indexes of what is random, the log and then the file; reading and mapping is a tenth. The
//! two threads seldom work at once, since the one that writes has most to do. Of unchanged rows three
//! tenths are looking up how each record stands (`store::record::find_stands`: an index, then the row),
//! a quarter mapping, and the file is mapped twice: a look at it comes before anything has effect. On
//! PostgreSQL most is the table of what is still to do, which is written and emptied again
//! (`store::work`), and putting subjects to people.

#![expect(
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::as_conversions,
    reason = "a benchmark that cannot run stops, and says where"
)]

mod figures;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use figures::Figures;
use wayleave::synth::load;

/// Between two looks at the server's processes.
const WATCH_PAUSE: Duration = Duration::from_millis(50);

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
        let mut sync = Command::new(env!("CARGO_BIN_EXE_wayleave"));
        sync.arg("--config").arg(&config).arg("sync").stdout(Stdio::piped());
        let server = Server::watch(database);
        let (figures, ended) = figures::of(&mut sync);
        let server_s = server.cpu_s();
        assert!(ended.status.code().is_some_and(|code| code < 2), "{:?}", ended.status);
        let told = String::from_utf8(ended.stdout).unwrap();
        let Figures { cpu_s, wall_s, memory_mb } = figures;
        let rows = rows as f64;
        println!(
            "{name}: {rows} {what} rows: {wall_s:.2} s ({:.0} rows a second), {cpu_s:.2} CPU s ({:.0}), {server_s:.2} CPU s of the server, {memory_mb:.0} MB; {}",
            rows / wall_s,
            rows / cpu_s,
            told.trim()
        );
    }
}

/// Watches what the processes of a PostgreSQL server spend on one database of its.
struct Server {
    ending: mpsc::Sender<()>,
    watching: JoinHandle<f64>,
}

impl Server {
    /// PostgreSQL names the database in the title of each process that works on it. SQLite has no
    /// server, and nobody's title is its URL.
    fn watch(database: &str) -> Self {
        let name = format!(" {} ", database.rsplit('/').next().unwrap_or_default());
        let (ending, ended) = mpsc::channel();
        let watching = std::thread::spawn(move || {
            let mut spent: BTreeMap<String, f64> = BTreeMap::new();
            while ended.recv_timeout(WATCH_PAUSE).is_err() {
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    let pid = entry.file_name().to_string_lossy().into_owned();
                    let title = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    let title = String::from_utf8_lossy(&title);
                    if title.starts_with("postgres:") && title.contains(&name) {
                        spent.extend(figures::cpu_s(&pid, 11).map(|cpu_s| (pid, cpu_s)));
                    }
                }
            }
            spent.values().sum()
        });
        Self { ending, watching }
    }

    /// CPU seconds, but for what was spent after the last look.
    fn cpu_s(self) -> f64 {
        self.ending.send(()).unwrap();
        self.watching.join().unwrap()
    }
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
