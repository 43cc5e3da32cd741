//! Durable webhooks: a real `wayleave serve` on loopback, 64 connections that each wait for their
//! answer before they send the next event. Every event is signed, new, verified and committed before
//! it is answered. On SQLite, and on PostgreSQL where `WAYLEAVE_TEST_POSTGRES` names a server.
//!
//! `cargo bench --bench webhooks`, or `-- EVENTS` for another number than 60,000. Aims (issue 4): 2,000
//! a second with p99 under 50 ms on SQLite, 1,500 on PostgreSQL, on two cores. The first figure is of
//! the web role alone; the second with a worker processing what came in, in the same process.
//!
//! Measured on 27 November 2026 on two cores, the load generator and PostgreSQL 15 on the same two:
//!
//! | | events a second | p50 | p99 |
//! |---|---|---|---|
//! | SQLite, web | 9,434 | 6.3 ms | 14.0 ms |
//! | PostgreSQL, web | 3,737 | 5.6 ms | 84.8 ms |
//! | SQLite, web and worker | 3,125 | 13.5 ms | 73.9 ms |
//! | PostgreSQL, web and worker | 3,039 | 5.6 ms | 82.8 ms |

#![expect(
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark that cannot run stops, and says where"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const CONNECTIONS: usize = 64;
const KEY: &[u8] = b"a key of thirty two bytes, truly";

const CONFIG: &str = r#"
[gateway]
database = "{database}"
[web]
listen = "127.0.0.1:0"
[source.housing]
scope = "defines"
[source.housing.feed.events]
secrets = "keys/housing.whsec"
[source.housing.web]
events = "events"
requests_per_s = 1000000
requests_burst = 1000000
"#;

fn main() -> ExitCode {
    let named = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let events: usize = named.unwrap_or(if cfg!(debug_assertions) { 2_000 } else { 60_000 });
    for roles in [&["web"][..], &["web", "worker"][..]] {
        let folder = tempfile::tempdir().unwrap();
        measure("SQLite", "sqlite:operational.db", folder.path(), roles, events);
        match std::env::var("WAYLEAVE_TEST_POSTGRES") {
            Ok(server) if !server.is_empty() => {
                let server = server.trim_end_matches('/');
                let name = format!("bench{}", std::process::id());
                let mut admin = diesel::PgConnection::establish(&format!("{server}/postgres")).unwrap();
                admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
                let folder = tempfile::tempdir().unwrap();
                measure("PostgreSQL", &format!("{server}/{name}"), folder.path(), roles, events);
                admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).unwrap();
            }
            _ => println!("SKIP: PostgreSQL, because WAYLEAVE_TEST_POSTGRES is not set"),
        }
    }
    ExitCode::SUCCESS
}

fn measure(name: &str, database: &str, folder: &Path, roles: &[&str], events: usize) {
    let wayleave = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wayleave"));
        command.args(words).arg("--config").arg(folder.join("wayleave.toml")).env("WAYLEAVE_LOG", "warn");
        command
    };
    assert!(wayleave(&["init", folder.to_str().unwrap()]).stdout(Stdio::null()).status().unwrap().success());
    std::fs::write(folder.join("wayleave.toml"), CONFIG.replace("{database}", database)).unwrap();
    let secret = folder.join("keys/housing.whsec");
    std::fs::write(&secret, format!("whsec_{}", STANDARD.encode(KEY))).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let mut words = vec!["serve"];
    roles.iter().for_each(|role| words.extend(["--role", role]));
    let mut service = wayleave(&words).stderr(Stdio::piped()).spawn().unwrap();
    let address = address(&mut service);
    let each = events / CONNECTIONS;
    let began = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let senders: Vec<_> =
            (0..CONNECTIONS).map(|sender| scope.spawn(move || send(address, sender, each))).collect();
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    times.sort_unstable();
    let share = |of: f64| times[((times.len() - 1) as f64 * of) as usize].as_secs_f64() * 1_000.0;
    println!(
        "{name}, {}: {} events, {:.0} a second, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        roles.join(" and "),
        times.len(),
        times.len() as f64 / seconds,
        share(0.5),
        share(0.99),
        share(1.0)
    );
    service.kill().unwrap();
    service.wait().unwrap();
}

fn address(service: &mut Child) -> SocketAddr {
    let mut log = BufReader::new(service.stderr.take().unwrap());
    let mut line = String::new();
    while log.read_line(&mut line).unwrap() > 0 {
        if let Some(address) = line.trim().strip_prefix("listening on ") {
            let address = address.parse().unwrap();
            std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
            return address;
        }
        line.clear();
    }
    panic!("the service does not listen");
}

/// Sends so many events one after another, and says how long each took to be answered.
fn send(address: SocketAddr, sender: usize, events: usize) -> Vec<Duration> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    let mut times = Vec::with_capacity(events);
    for n in 0..events {
        let request = request(&format!("evt-{sender}-{n}"), sender);
        let began = Instant::now();
        stream.get_mut().write_all(&request).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        stream.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 202"), "{line}");
        while line.trim() != "" {
            line.clear();
            stream.read_line(&mut line).unwrap();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        stream.read_exact(&mut vec![0; length]).unwrap();
        times.push(began.elapsed());
    }
    times
}

fn request(id: &str, sender: usize) -> Vec<u8> {
    let at = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let body = format!(
        r#"{{"type":"goal_updated","id":"{id}","occurred_at":"2025-03-30T10:00:00Z","client_ref":"H-{sender}","goal_ref":"{id}","area":"work","status":"in-progress","set_on":"2025-03-01"}}"#
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    format!(
        "POST /v1/sources/housing/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nwebhook-id: {id}\r\nwebhook-timestamp: {at}\r\nwebhook-signature: v1,{signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
