//! NHS England's sandbox of MESH as a process of its own, what a test asks of it by itself, and what
//! spoils requests on their way to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{free_port, python};

/// Seconds that anything here is waited for.
const WAIT_S: u64 = 240;

/// The sandbox, in memory, on a free port. It is stopped when it is dropped.
pub(crate) struct Sandbox {
    child: Child,
    python: String,
    address: SocketAddr,
    pub(crate) url: String,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// What a test asks of the exchange by itself, with the sandbox's own code for the authorisation:
/// a list of requests, each answered with its status and body.
const PEER: &str = r#"
import datetime, gzip, json, sys, urllib.request, uuid
from mesh_sandbox.common import generate_cipher_text
base, asked = sys.argv[1], json.loads(sys.stdin.read())
told = []
for one in asked:
    box, nonce = one["mailbox"], uuid.uuid4().hex
    at = datetime.datetime.utcnow().strftime("%Y%m%d%H%M")
    proof = generate_cipher_text("TestKey", box, "password", at, nonce, "1")
    headers = {"Authorization": f"NHSMESH {box}:{nonce}:1:{at}:{proof}", "Accept": "application/vnd.mesh.v2+json"}
    headers.update(one.get("headers", {}))
    request = urllib.request.Request(base + one["path"], method=one["method"], headers=headers, data=bytes.fromhex(one.get("body", "")))
    try:
        with urllib.request.urlopen(request) as answer:
            data = answer.read()
            if answer.headers.get("Content-Encoding") == "gzip":
                data = gzip.decompress(data)
            told.append([answer.status, data.decode("utf-8", "replace")])
    except urllib.error.HTTPError as error:
        told.append([error.code, error.read().decode("utf-8", "replace")])
print(json.dumps(told))
"#;

/// Bytes in digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

impl Sandbox {
    /// Starts it; none where there is no Python for it.
    pub(crate) fn start(tls: Option<&Path>) -> Option<Self> {
        let python = python()?;
        let port = free_port();
        let mut command = Command::new(&python);
        command
            .args(["-m", "uvicorn", "mesh_sandbox.api:app", "--workers=1", "--log-level=warning"])
            .args(["--port", &port.to_string()])
            .env("SHARED_KEY", "TestKey")
            .env("STORE_MODE", "memory")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(keys) = tls {
            let file = |name: &str| keys.join(name).to_str().unwrap().to_owned();
            command
                .args(["--ssl-certfile", &file("server.pem"), "--ssl-keyfile", &file("server.key")])
                .args(["--ssl-ca-certs", &file("ca.pem"), "--ssl-cert-reqs", "2"]);
        }
        let child = command.spawn().unwrap();
        let address: SocketAddr = ([127, 0, 0, 1], port).into();
        let until = Instant::now() + Duration::from_secs(WAIT_S);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "the sandbox does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        let scheme = if tls.is_some() { "https" } else { "http" };
        Some(Self { child, python, address, url: format!("{scheme}://localhost:{port}") })
    }

    /// Asks, one request after the other.
    pub(crate) fn ask(&self, asked: &[Value]) -> Vec<(u64, Value)> {
        let mut child = Command::new(&self.python)
            .args(["-W", "ignore", "-c", PEER, &self.url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(serde_json::to_string(asked).unwrap().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told: Vec<(u64, String)> = serde_json::from_slice(&output.stdout).unwrap();
        told.into_iter()
            .map(|(status, body)| (status, serde_json::from_str(&body).unwrap_or(Value::String(body))))
            .collect()
    }

    /// Puts a message into a mailbox, from X26ABC2.
    pub(crate) fn put(&self, to: &str, workflow: &str, content: &[u8]) -> String {
        let headers = json!({"mex-to": to, "mex-workflowid": workflow});
        let asked = json!({"mailbox": "X26ABC2", "method": "POST", "path": "/messageexchange/X26ABC2/outbox",
            "headers": headers, "body": hex(content)});
        let told = self.ask(&[asked]);
        assert_eq!(told[0].0, 202, "{told:?}");
        told[0].1["message_id"].as_str().unwrap().to_owned()
    }

    /// The same in chunks, each packed by itself.
    pub(crate) fn put_chunks(&self, to: &str, workflow: &str, chunks: &[&[u8]]) {
        let all = chunks.len();
        let first = json!({"mailbox": "X26ABC2", "method": "POST", "path": "/messageexchange/X26ABC2/outbox",
            "headers": {"mex-to": to, "mex-workflowid": workflow, "mex-chunk-range": format!("1:{all}"),
                "content-encoding": "gzip"}, "body": hex(&gzip(chunks[0]))});
        let told = self.ask(&[first]);
        let id = told[0].1["message_id"].as_str().unwrap().to_owned();
        let later: Vec<Value> = (2_usize..)
            .zip(&chunks[1..])
            .map(|(number, chunk)| {
                json!({"mailbox": "X26ABC2", "method": "POST",
                    "path": format!("/messageexchange/X26ABC2/outbox/{id}/{number}"),
                    "headers": {"mex-chunk-range": format!("{number}:{all}"), "content-encoding": "gzip"},
                    "body": hex(&gzip(chunk))})
            })
            .collect();
        assert!(self.ask(&later).iter().all(|(status, _)| *status == 202));
    }

    /// Puts a report into a mailbox: a message was not delivered.
    pub(crate) fn report(&self, to: &str, linked: &str, code: &str) {
        let report = json!({"mailbox_id": to, "code": code, "description": "not collected", "workflow_id": "W",
            "status": "error", "linked_message_id": linked});
        let asked = json!({"mailbox": to, "method": "POST", "path": "/messageexchange/admin/report",
            "headers": {"content-type": "application/json"}, "body": hex(report.to_string().as_bytes())});
        let told = self.ask(&[asked]);
        assert_eq!(told[0].0, 200, "{told:?}");
    }

    /// What lies in a mailbox, each as JSON, or as a text where it is none.
    pub(crate) fn contents(&self, mailbox: &str) -> Vec<Value> {
        let path = |id: &String| format!("/messageexchange/{mailbox}/inbox/{id}");
        let asked: Vec<Value> = self
            .inbox(mailbox)
            .iter()
            .map(|id| json!({"mailbox": mailbox, "method": "GET", "path": path(id)}))
            .collect();
        self.ask(&asked).into_iter().map(|(_, content)| content).collect()
    }

    /// The ids of what lies in a mailbox.
    pub(crate) fn inbox(&self, mailbox: &str) -> Vec<String> {
        let path = format!("/messageexchange/{mailbox}/inbox");
        let told = self.ask(&[json!({"mailbox": mailbox, "method": "GET", "path": path})]);
        serde_json::from_value(told[0].1["messages"].clone()).unwrap()
    }
}

/// What stands before the sandbox and spoils what passes it.
pub(crate) struct Spoiler {
    pub(crate) url: String,
    how: Arc<Mutex<How>>,
    spoilt: Arc<AtomicUsize>,
}

/// How requests are spoilt.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum How {
    /// They pass.
    Not,
    /// Each is answered with this status.
    Status(u16),
    /// Those that acknowledge are answered with 503.
    Acknowledgements,
    /// A new message passes, and its answer is lost.
    AnswersToSending,
}

impl Spoiler {
    pub(crate) fn before(sandbox: &Sandbox) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (how, spoilt) = (Arc::new(Mutex::new(How::Not)), Arc::new(AtomicUsize::new(0)));
        let (theirs, count, behind) = (how.clone(), spoilt.clone(), sandbox.address);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (how, count) = (theirs.clone(), count.clone());
                std::thread::spawn(move || spoil(&stream, *how.lock().unwrap(), &count, behind));
            }
        });
        Self { url, how, spoilt }
    }

    pub(crate) fn set(&self, how: How) {
        self.spoilt.store(0, Ordering::Relaxed);
        *self.how.lock().unwrap() = how;
    }

    /// Waits until so many requests were spoilt.
    pub(crate) fn spoilt(&self, n: usize) {
        let until = Instant::now() + Duration::from_secs(WAIT_S);
        while self.spoilt.load(Ordering::Relaxed) < n {
            assert!(Instant::now() < until, "requests come");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// One request of one connection.
fn spoil(stream: &TcpStream, how: How, count: &AtomicUsize, behind: SocketAddr) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? <= 2 {
            break;
        }
        if let Some(n) = line.to_lowercase().strip_prefix("content-length: ") {
            length = n.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let is_sending = head.starts_with("POST ") && head.lines().next()?.contains("/outbox HTTP");
    let is_acknowledging = head.starts_with("PUT ");
    let status = match how {
        How::Status(status) => Some(status),
        How::Acknowledgements if is_acknowledging => Some(503),
        _ => None,
    };
    let mut stream = stream;
    if let Some(status) = status {
        count.fetch_add(1, Ordering::Relaxed);
        let said = format!("HTTP/1.1 {status} Spoilt\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return stream.write_all(said.as_bytes()).ok();
    }
    let mut server = TcpStream::connect(behind).ok()?;
    server.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).ok()?;
    server.write_all(&body).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    if how == How::AnswersToSending && is_sending {
        count.fetch_add(1, Ordering::Relaxed);
        return None;
    }
    stream.write_all(&answer).ok()
}
