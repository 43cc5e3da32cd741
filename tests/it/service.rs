//! The gateway as a service: a real `wayleave serve` on a free port, and a client that speaks HTTP
//! by hand, so that what is sent is exactly what a test says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tempfile::TempDir;

use crate::support::{Database, databases, folder};

/// The secret of every source here, as `whsec_` text, and the one that takes its place.
pub(crate) const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
pub(crate) const NEXT_SECRET: &str = "whsec_bmV4dCBzZWNyZXQgb2YgdGhlIGhvdXNpbmcgc3lz";

/// Seconds that anything here is waited for: a busy machine takes its time.
const WAIT_S: u64 = 180;

/// A folder with a configuration, and a database.
pub(crate) struct Site {
    folder: TempDir,
    pub(crate) database: Database,
}

/// A service that runs. It is killed when it is dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it said before it listened.
    pub(crate) early: Vec<String>,
    log: mpsc::Receiver<String>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The last part of a problem's type.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let shown = self.json();
        assert_eq!(shown["status"], self.status);
        shown["type"].as_str().unwrap().strip_prefix("/v1/problems/").unwrap().to_owned()
    }
}

/// Runs a test on each database there is.
pub(crate) fn on_every_database(test: impl Fn(&Site)) {
    for database in databases() {
        test(&Site::new(database, ""));
    }
}

/// Sections of a configuration for housing and, in the last line of its own, more of its web.
fn config(more: &str) -> String {
    format!(
        r#"
[web]
listen = "127.0.0.1:0"
stop_wait_s = 5

[source.housing]
scope = "defines"

[source.housing.feed.tracker]

[source.housing.feed.events]
secrets = "keys/housing.whsec"

[source.housing.web]
events = "events"
{more}
"#
    )
}

impl Site {
    /// A site whose housing source may post events; `more` stands in its web section.
    pub(crate) fn new(database: Database, more: &str) -> Self {
        let site = Self { folder: folder(), database };
        let top = site.folder.path();
        assert!(site.command(&["init", top.to_str().unwrap()]).status().unwrap().success());
        site.configure(&config(more));
        site.secrets(&[SECRET]);
        site
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the configuration anew.
    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.folder.path().join("wayleave.toml"), text).unwrap();
    }

    /// Writes the housing source's secrets, so that nobody else may read them.
    pub(crate) fn secrets(&self, lines: &[&str]) {
        secret_file(&self.folder.path().join("keys/housing.whsec"), &lines.join("\n"));
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_wayleave")));
        command
            .args(words)
            .arg("--config")
            .arg(self.folder.path().join("wayleave.toml"))
            .env("WAYLEAVE_GATEWAY_DATABASE", &self.database.url)
            .env("WAYLEAVE_GATEWAY_QUEUE", format!("sqlite:{}", self.folder.path().join("q.db").display()))
            .env_remove("WAYLEAVE_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command line that must end well, and gives what it printed.
    pub(crate) fn must(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{words:?}: {:?}\n{told}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the service with these roles.
    pub(crate) fn serve(&self, roles: &[&str]) -> Service {
        self.serve_with(roles, &[])
    }

    /// The same, with these variables of its environment.
    pub(crate) fn serve_with(&self, roles: &[&str], variables: &[(&str, &Path)]) -> Service {
        let mut words = vec!["serve"];
        for role in roles {
            words.extend(["--role", role]);
        }
        let mut command = self.command(&words);
        command.envs(variables.iter().copied()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (sender, log) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut early = Vec::new();
        let address = loop {
            match log.recv_timeout(Duration::from_secs(WAIT_S)) {
                Ok(line) => match line.strip_prefix("listening on ") {
                    Some(address) => break address.parse().unwrap(),
                    None if line == "working" => break "127.0.0.1:1".parse().unwrap(),
                    None => early.push(line),
                },
                Err(silent) => panic!("the service does not listen: {silent}: {early:#?}"),
            }
        };
        Service { child, address, early, log }
    }
}

/// Writes a file that only its owner may read.
pub(crate) fn secret_file(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

impl Service {
    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Client {
        Client::to(self.address)
    }

    /// Kills it without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has; gives its log.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> Vec<String> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
        // Its last lines are still on their way; there are no more once its end of the pipe is closed.
        std::iter::from_fn(|| self.log.recv_timeout(Duration::from_secs(WAIT_S)).ok()).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A connection that is kept open from request to request.
pub(crate) struct Client {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(WAIT_S))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { address, stream: BufReader::new(stream) }
    }

    /// Sends bytes as they are.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends a request; an error where the connection breaks before it is answered.
    pub(crate) fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Answer> {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        self.send_raw(&bytes)?;
        self.answer()
    }

    /// Reads one answer.
    pub(crate) fn answer(&mut self) -> std::io::Result<Answer> {
        let broken = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(broken());
        }
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(broken)?;
        let mut headers = BTreeMap::new();
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(broken());
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let mut body = Vec::new();
        if headers.get("transfer-encoding").is_some_and(|encoding| encoding == "chunked") {
            loop {
                line.clear();
                self.stream.read_line(&mut line)?;
                let length = usize::from_str_radix(line.trim(), 16).map_err(|_digits| broken())?;
                let mut chunk = vec![0; length + 2];
                self.stream.read_exact(&mut chunk)?;
                body.extend_from_slice(&chunk[..length]);
                if length == 0 {
                    break;
                }
            }
        } else {
            let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
            body.resize(length, 0);
            self.stream.read_exact(&mut body)?;
        }
        Ok(Answer { status, headers, body })
    }

    /// Sends a signed request.
    pub(crate) fn post_signed(&mut self, path: &str, id: &str, body: &[u8]) -> Answer {
        let headers = signed(SECRET, id, now_s(), body);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send("POST", path, &headers, body)
    }

    /// Asks for a receipt, signed.
    pub(crate) fn receipt(&mut self, id: &str) -> Answer {
        let headers = signed(SECRET, id, now_s(), b"");
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send("GET", &format!("/v1/receipts/{id}"), &headers, b"")
    }

    /// Asks for a receipt until what it is for is processed.
    pub(crate) fn processed(&mut self, id: &str) -> Value {
        let until = Instant::now() + Duration::from_secs(WAIT_S);
        loop {
            let answer = self.receipt(id);
            match answer.status {
                200 => return answer.json(),
                202 => assert_eq!(answer.json()["state"], "waiting"),
                _ => panic!("{answer:?}"),
            }
            assert!(Instant::now() < until, "{id} is not processed");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The headers of a signed request.
pub(crate) fn signed(secret: &str, id: &str, at_s: i64, body: &[u8]) -> Vec<(&'static str, String)> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    for part in [id.as_bytes(), b".", at_s.to_string().as_bytes(), b".", body] {
        mac.update(part);
    }
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at_s.to_string()),
        ("webhook-signature", signature),
        ("content-type", "application/json".to_owned()),
    ]
}

/// The present second, by the machine's clock: the service is another process.
pub(crate) fn now_s() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap()
}

/// An id that no other request of this process has.
pub(crate) fn fresh_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("evt_{:08}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// An event about somebody: a goal of theirs.
pub(crate) fn goal(id: &str, client: &str, goal: &str, status: &str) -> String {
    format!(
        r#"{{"type": "goal_updated", "id": "{id}", "occurred_at": "2025-03-30T10:00:00Z", "client_ref": "{client}", "goal_ref": "{goal}", "area": "work", "status": "{status}", "set_on": "2025-03-01"}}"#
    )
}
