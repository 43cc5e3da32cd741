//! HL7 v2 messages over MLLP: a real `wayleave serve`, real senders, and what they are answered.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::dump;
use crate::service::{Service, Site, secret_file};
use crate::support::{databases, python, sqlite};

/// Seconds that anything here is waited for.
const WAIT_S: u64 = 180;

/// A site whose trust sends messages; `more` stands in the section of its listener.
pub(crate) fn site(database: crate::support::Database, more: &str) -> Site {
    let site = Site::new(database, "");
    site.configure(&format!(
        r#"
[web]
listen = "127.0.0.1:0"
stop_wait_s = 5

[source.trust]
scope = "everyone"

[source.trust.feed.adt]

[source.trust.feed.adt.mllp]
listen = "127.0.0.1:0"
{more}
"#
    ));
    site
}

/// Where the service listens for messages.
pub(crate) fn port(service: &Service) -> SocketAddr {
    let said = "trust/adt listens for messages on ";
    let found = service.early.iter().find_map(|line| line.strip_prefix(said));
    found.unwrap_or_else(|| panic!("{:#?}", service.early)).parse().unwrap()
}

/// A message about somebody's details.
pub(crate) fn message(id: &str, trust_id: &str, family: &str, rest: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|TRUST|TAH|WAYLEAVE|WL|20250301090000||ADT^A31|{id}|P|2.4{rest}\rEVN|A31|20250301090000\rPID|1||{trust_id}^^^TAH^MR||{family}^Ada||19610704|F\r"
    )
    .into_bytes()
}

fn framed(message: &[u8]) -> Vec<u8> {
    [b"\x0b".as_slice(), message, b"\x1c\r"].concat()
}

/// A connection.
pub(crate) struct Line(TcpStream, Vec<u8>);

impl Line {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(WAIT_S))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream, Vec::new())
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes)
    }

    /// The next answer, its segments as lines.
    pub(crate) fn answer(&mut self) -> std::io::Result<String> {
        loop {
            if let Some(end) = self.1.windows(2).position(|two| two == b"\x1c\r") {
                let frame: Vec<u8> = self.1.drain(..end + 2).collect();
                assert_eq!(frame[0], 0x0b);
                return Ok(String::from_utf8_lossy(&frame[1..end]).replace('\r', "\n"));
            }
            let mut piece = [0; 4096];
            let n = self.0.read(&mut piece)?;
            if n == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.1.extend_from_slice(&piece[..n]);
        }
    }

    pub(crate) fn send(&mut self, message: &[u8]) -> String {
        self.put(&framed(message)).unwrap();
        self.answer().unwrap()
    }
}

/// MSA-1 and MSA-2 of an answer.
pub(crate) fn msa(answer: &str) -> (String, String) {
    let segment =
        answer.lines().find_map(|line| line.strip_prefix("MSA|")).unwrap_or_else(|| panic!("{answer}"));
    let mut fields = segment.split('|').map(str::to_owned);
    (fields.next().unwrap(), fields.next().unwrap_or_default())
}

/// Waits until nothing waits any more, and gives the sum of what became of all units.
pub(crate) fn drained(site: &Site) -> (i64, i64, i64) {
    let until = Instant::now() + Duration::from_secs(WAIT_S);
    let number = |sql: &str| dump::number(&site.database.url, sql);
    while number("SELECT COUNT(*) FROM delivery WHERE batch_id IS NULL") > 0
        || number("SELECT COUNT(*) FROM run WHERE state <> 'finished'") > 0
    {
        assert!(Instant::now() < until, "nothing waits in the end");
        std::thread::sleep(Duration::from_millis(200));
    }
    let sum = "SELECT COALESCE(SUM(accepted + unchanged + filtered + duplicate + quarantined + rejected), 0) FROM run WHERE note = ''";
    assert_eq!(number(sum), number("SELECT COALESCE(SUM(received), 0) FROM run WHERE note = ''"));
    (
        number("SELECT COALESCE(SUM(received), 0) FROM run WHERE note = ''"),
        number("SELECT COALESCE(SUM(accepted), 0) FROM run WHERE note = ''"),
        number("SELECT COALESCE(SUM(repeats), 0) FROM delivery"),
    )
}

/// `mllp_send` of the Python library `hl7` sends a file, and prints each answer.
fn mllp_send(python: &str, port: u16, file: &Path) -> String {
    let program = Path::new(python).parent().unwrap().join("mllp_send");
    let output = Command::new(program)
        .args(["--loose", "--port", &port.to_string(), "--file"])
        .arg(file)
        .arg("127.0.0.1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().replace(['\r', '\x0b', '\x1c'], "\n")
}

#[test]
fn messages_of_another_programme_are_kept_and_then_acknowledged() {
    let Some(python) = python() else { return };
    for database in databases() {
        let site = site(database, "");
        let service = site.serve(&[]);
        let file = site.path().join("messages.hl7");
        let messages: Vec<Vec<u8>> =
            (0..5).map(|n| message(&format!("M{n}"), &format!("T10000{n}"), "Fell", "")).collect();
        std::fs::write(&file, messages.concat()).unwrap();
        let answers = mllp_send(&python, port(&service).port(), &file);
        for n in 0..5 {
            assert!(answers.contains(&format!("MSA|AA|M{n}\n")), "{answers}");
        }
        // The same again is answered as before, and counted.
        let again = mllp_send(&python, port(&service).port(), &file);
        assert_eq!(again.matches("MSA|AA|M").count(), 5, "{again}");
        assert_eq!(drained(&site), (5, 5, 5));
        let runs: Value = serde_json::from_str(&site.must(&["--json", "run", "list"])).unwrap();
        assert!(runs.as_array().unwrap().iter().all(|run| run["feed"] == "trust/adt"), "{runs}");
        // Each has its receipt, and its outcome there.
        let outcomes = "SELECT COUNT(*) FROM unit_outcome WHERE outcome = 'accepted'";
        assert_eq!(dump::number(&site.database.url, outcomes), 5);
        let figures = service.connect().send("GET", "/metrics", &[], b"");
        let figures = String::from_utf8(figures.body).unwrap();
        for line in [
            r#"wayleave_mllp_messages_total{feed="trust/adt",answer="accepted"} 5"#,
            r#"wayleave_mllp_messages_total{feed="trust/adt",answer="again"} 5"#,
            r#"wayleave_mllp_listening{feed="trust/adt"} 1"#,
        ] {
            assert!(figures.contains(line), "{line}\n{figures}");
        }
        let health = service.connect().send("GET", "/health/ready", &[], b"").json();
        assert_eq!(health["listeners"]["trust/adt"], "listening", "{health}");
    }
}

#[test]
fn what_is_wrong_is_told_by_codes_and_never_by_a_value() {
    let site = site(sqlite(), "application = \"WAYLEAVE\"\nmessage_bytes_max = 20000");
    let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
    site.configure(&format!("[gateway]\nlive = true\n{config}"));
    let service = site.serve(&["mllp", "worker"]);
    let mut line = Line::to(port(&service));
    let text = |id: &str| String::from_utf8(message(id, "T100001", "Fell", "")).unwrap();
    let mut told = String::new();
    for (name, message) in [
        ("a month that is none", text("M1").replace("19610704", "19611304")),
        ("a later version", text("M2").replace("19610704", "19611304").replace("|2.4", "|2.6")),
        ("for another application", text("M3").replace("WAYLEAVE", "OTHER")),
        ("for tests", text("M4").replace("|P|2.4", "|T|2.4")),
        ("without a control id", text("")),
        ("a line that is no segment", text("M5").replace("EVN|", "a line\r")),
        ("two in one frame", text("M6") + &text("M7")),
        ("no message", "Fell, Ada".to_owned()),
        ("a character set that is not read", text("M8").replace("|2.4", "|2.4||||||BIG-5")),
        ("too large", text("M9") + &"NTE|1\r".repeat(5_000)),
        ("right", text("M10")),
        ("the control id of another", text("M10").replace("Ada", "Bo")),
    ] {
        let answer = line.send(message.as_bytes());
        assert!(!answer.contains("Fell") && !answer.contains("T100001") && !answer.contains("1961"));
        let rest: Vec<&str> = answer.lines().skip(1).collect();
        told.push_str(&format!("{name}\n  {}\n", rest.join("\n  ")));
    }
    insta::assert_snapshot!(told);
    assert_eq!(drained(&site).0, 1, "only what was acknowledged is kept");
    let log = service.stop().join("\n");
    assert!(log.contains("wrong") && !log.contains("Fell") && !log.contains("T100001"), "{log}");
}

#[test]
fn messages_come_however_the_network_cuts_them() {
    let site = site(sqlite(), "");
    let service = site.serve(&[]);
    let mut line = Line::to(port(&service));
    // Byte by byte.
    for byte in framed(&message("A1", "T1", "Fell", "")) {
        line.put(&[byte]).unwrap();
    }
    assert_eq!(msa(&line.answer().unwrap()), ("AA".to_owned(), "A1".to_owned()));
    // Several at once, with what some senders put between, and one that was cut off.
    let (one, other) = (framed(&message("A2", "T2", "Fell", "")), framed(&message("A3", "T3", "Fell", "")));
    let cut = message("A9", "T9", "Fell", "");
    line.put(&[&one, b"\r\n  ".as_slice(), b"\x0b", &cut[..40], &other].concat()).unwrap();
    assert_eq!(msa(&line.answer().unwrap()).1, "A2");
    assert_eq!(msa(&line.answer().unwrap()).1, "A3");
    // Each in the character set that it declares, or declares none.
    for (id, family, charset) in [
        ("B1", "F\u{e9}ll".as_bytes(), "||||||UNICODE UTF-8"),
        ("B2", b"F\xe9ll".as_slice(), "||||||8859/1"),
        ("B3", "F\u{e9}ll".as_bytes(), ""),
        ("B4", b"F\xe9ll".as_slice(), ""),
        ("B5", b"Fell".as_slice(), ""),
    ] {
        let mut made = message(id, &format!("T{id}"), "@", charset);
        let at = made.iter().position(|byte| *byte == b'@').unwrap();
        made.splice(at..=at, family.iter().copied());
        assert_eq!(msa(&line.send(&made)), ("AA".to_owned(), id.to_owned()));
    }
    assert_eq!(drained(&site), (8, 8, 0));
}

#[test]
fn whoever_takes_too_long_or_too_much_leaves_the_others_be() {
    let site = site(sqlite(), "connections_max = 3");
    let service = site.serve(&[]);
    let address = port(&service);
    // Two that begin and say no more, and one too many.
    let mut slow: Vec<Line> = (0..2).map(|_| Line::to(address)).collect();
    for line in &mut slow {
        line.put(b"\x0bMSH|^~").unwrap();
    }
    let mut good = Line::to(address);
    assert_eq!(msa(&good.send(&message("A1", "T1", "Fell", ""))).0, "AA");
    let mut more = Line::to(address);
    assert!(more.answer().is_err(), "one more than may be is turned away");
    drop(slow);
    let figures = || {
        let figures = service.connect().send("GET", "/metrics", &[], b"");
        String::from_utf8(figures.body).unwrap()
    };
    let until = Instant::now() + Duration::from_secs(WAIT_S);
    let told = |line: &str| {
        while !figures().contains(line) {
            assert!(Instant::now() < until, "{line}\n{}", figures());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    told(r#"wayleave_mllp_connections{feed="trust/adt"} 1"#);
    // What is not MLLP at all ends soon.
    let mut browser = Line::to(address);
    // It may hang up before everything is written.
    let _written = browser.put(&b"GET / HTTP/1.1 ".repeat(2_000));
    assert!(browser.answer().is_err());
    assert_eq!(msa(&good.send(&message("A2", "T2", "Fell", ""))).0, "AA");
    told(r#"wayleave_mllp_given_up_total{feed="trust/adt",reason="too-many"}"#);
    told(r#"wayleave_mllp_given_up_total{feed="trust/adt",reason="garbage"} 1"#);
}

#[test]
fn nobody_else_is_listened_to_without_tls() {
    let bare = site(sqlite(), "");
    let config = std::fs::read_to_string(bare.path().join("wayleave.toml")).unwrap();
    let open = config.replace("mllp]\nlisten = \"127.0.0.1:0\"", "mllp]\nlisten = \"0.0.0.0:0\"");
    bare.configure(&open);
    let refused = bare.command(&["serve", "--role", "mllp"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("`trust/adt: mllp.listen` is 0.0.0.0:0, which others can reach"), "{told}");
    bare.configure(&open.replace("0.0.0.0:0\"", "0.0.0.0:0\"\nbehind_proxy = true"));
    let service = bare.serve(&["mllp"]);
    let address: SocketAddr = ([127, 0, 0, 1], port(&service).port()).into();
    assert_eq!(msa(&Line::to(address).send(&message("A1", "T1", "Fell", ""))).0, "AA");
    drop(service);
    bare.configure("[source.trust.feed.adt]\n");
    let idle = bare.command(&["serve", "--role", "mllp"]).output().unwrap();
    assert!(String::from_utf8(idle.stderr).unwrap().contains("no feed of the configuration"));
}

/// An authority with a server's and a client's certificate, or none where there is no openssl.
pub(crate) fn certificates(folder: &Path) -> Option<()> {
    let run = |words: &[&str]| {
        let made = Command::new("openssl").current_dir(folder).args(words).output();
        made.is_ok_and(|output| output.status.success()).then_some(())
    };
    std::fs::write(
        folder.join("ext"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n",
    )
    .unwrap();
    let ca = "basicConstraints=critical,CA:TRUE";
    run(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=Test authority",
        "-addext",
        ca,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
    ])?;
    for name in ["server", "client"] {
        let (key, csr, pem) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        run(&[
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-keyout",
            &key,
            "-out",
            &csr,
        ])?;
        run(&[
            "x509",
            "-req",
            "-days",
            "2",
            "-in",
            &csr,
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-extfile",
            "ext",
            "-out",
            &pem,
        ])?;
        let text = std::fs::read_to_string(folder.join(&key)).unwrap();
        secret_file(&folder.join(&key), &text);
    }
    Some(())
}

#[test]
fn tls_asks_the_sender_for_its_certificate() {
    let Some(python) = python() else { return };
    let site = site(
        sqlite(),
        "certificate = \"keys/server.pem\"\ncertificate_key = \"keys/server.key\"\nclient_authority = \"keys/ca.pem\"",
    );
    let keys = site.path().join("keys");
    if certificates(&keys).is_none() {
        println!("SKIP: no openssl here; tests/all brings one");
        return;
    }
    let service = site.serve(&["mllp"]);
    let program = r#"
import socket, ssl, sys
port, keys, name, message = sys.argv[1:]
trust = ssl.create_default_context(cafile=f"{keys}/ca.pem")
if name:
    trust.load_cert_chain(f"{keys}/{name}.pem", f"{keys}/{name}.key")
try:
    line = trust.wrap_socket(socket.create_connection(("127.0.0.1", int(port))), server_hostname="localhost")
    line.sendall(b"\x0b" + message.encode().replace(b"\n", b"\r") + b"\x1c\r")
    print(line.recv(4096).split(b"MSA|")[1][:2].decode())
except (ssl.SSLError, ConnectionError) as error:
    print("refused")
"#;
    let send = |name: &str, id: &str| {
        let message = String::from_utf8(message(id, "T1", "Fell", "")).unwrap().replace('\r', "\n");
        let output = Command::new(&python)
            .args(["-c", program, &port(&service).port().to_string()])
            .arg(&keys)
            .args([name, &message])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(send("client", "A1"), "AA");
    assert_eq!(send("", "A2"), "refused");
    let mut plain = Line::to(port(&service));
    plain.put(&framed(&message("A3", "T1", "Fell", ""))).unwrap();
    assert!(plain.answer().is_err(), "nothing is told in the clear");
    assert_eq!(dump::number(&site.database.url, "SELECT COUNT(*) FROM delivery"), 1);
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_is_there_once() {
    for database in databases() {
        let site = site(database, "");
        let acknowledged = std::sync::Mutex::new(BTreeSet::new());
        let rounds = if std::env::var("WAYLEAVE_THOROUGH").is_ok_and(|value| value == "1") { 12 } else { 3 };
        for round in 0..rounds {
            let service = site.serve(&["mllp", "worker"]);
            let (address, sent) = (port(&service), AtomicUsize::new(0));
            std::thread::scope(|scope| {
                for sender in 0..6 {
                    let (acknowledged, sent) = (&acknowledged, &sent);
                    scope.spawn(move || {
                        let mut line = Line::to(address);
                        for n in 0_usize.. {
                            let id = format!("{round}-{sender}-{n}");
                            // What the round before did not hear of is sent again.
                            if line.put(&framed(&message(&id, &format!("T{sender}{n}"), "Fell", ""))).is_err()
                            {
                                return;
                            }
                            let Ok(answer) = line.answer() else { return };
                            assert_eq!(msa(&answer), ("AA".to_owned(), id.clone()));
                            acknowledged.lock().unwrap().insert(id);
                            sent.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
                let until = Instant::now() + Duration::from_secs(WAIT_S);
                while sent.load(Ordering::Relaxed) < 60 {
                    assert!(Instant::now() < until, "messages are answered");
                    std::thread::sleep(Duration::from_millis(5));
                }
                service.kill();
            });
        }
        let acknowledged = acknowledged.into_inner().unwrap();
        let service = site.serve(&["mllp", "worker"]);
        // Every one is there, so sending it again changes nothing.
        let mut line = Line::to(port(&service));
        let before = dump::number(&site.database.url, "SELECT COUNT(*) FROM delivery");
        assert!(before >= i64::try_from(acknowledged.len()).unwrap());
        for id in &acknowledged {
            let mut parts = id.split('-').skip(1);
            let about = format!("T{}{}", parts.next().unwrap(), parts.next().unwrap());
            assert_eq!(msa(&line.send(&message(id, &about, "Fell", ""))), ("AA".to_owned(), id.clone()));
        }
        let (received, _, again) = drained(&site);
        assert_eq!(received, before, "none twice");
        assert_eq!(again, i64::try_from(acknowledged.len()).unwrap(), "each was known");
    }
}
