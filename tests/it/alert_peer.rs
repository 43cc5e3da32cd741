//! Those whom alerts are told to, as real programs: a mail relay (`aiosmtpd`), a receiver of webhooks
//! (the `standardwebhooks` library), and a proxy.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// Seconds that anything here is waited for.
const WAIT_S: u64 = 180;

/// A program in Python that says its port, and then a JSON object a line of what it got.
pub(crate) struct Peer {
    child: Child,
    pub(crate) port: u16,
    lines: Receiver<String>,
}

impl Peer {
    fn start(python: &str, program: &str, words: &[&str]) -> Self {
        let mut child = Command::new(python)
            .args(["-u", "-c", program])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in out.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let port = lines.recv_timeout(Duration::from_secs(WAIT_S)).unwrap().parse().unwrap();
        Self { child, port, lines }
    }

    /// The next thing that it got.
    pub(crate) fn next(&self) -> Value {
        serde_json::from_str(&self.lines.recv_timeout(Duration::from_secs(WAIT_S)).unwrap()).unwrap()
    }

    /// Everything it got, once it has been told to end.
    pub(crate) fn all(mut self) -> Vec<Value> {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
        self.lines.iter().map(|line| serde_json::from_str(&line).unwrap()).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A relay. `how` is plain, starttls or tls; the account is `wayleave` with the secret `s3cret` where
/// `has_account`.
pub(crate) fn relay(python: &str, how: &str, folder: &Path, has_account: bool) -> Peer {
    let program = r#"
import asyncio, email, email.policy, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
how, certificate, key, account = sys.argv[1:]
class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
            "account": session.auth_data.login.decode() if session.authenticated else None,
            "id": mail["Message-ID"], "date": mail["Date"], "subject": mail["Subject"], "text": mail.get_content()}))
        return "250 OK"
def ask(server, session, envelope, mechanism, data):
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"wayleave", b"s3cret")
    return AuthResult(success=is_right, handled=False, auth_data=data)
context = None
if how != "plain":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
def session():
    more = {"authenticator": ask, "auth_required": True, "auth_require_tls": how == "starttls"} if account == "yes" else {}
    if how == "starttls":
        more.update(tls_context=context, require_starttls=True)
    return SMTP(Handler(), hostname="relay", **more)
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if how == "tls" else None)
    print(server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"#;
    let account = if has_account { "yes" } else { "no" };
    let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
    Peer::start(python, program, &[how, certificate.to_str().unwrap(), key.to_str().unwrap(), account])
}

/// A receiver that verifies what it gets; it answers with these statuses, one after the other, and then
/// with 204. Over TLS where a folder has its certificate.
pub(crate) fn receiver(python: &str, secret: &str, statuses: &str, tls: Option<&Path>) -> Peer {
    let program = r#"
import http.server, json, ssl, sys, threading
from standardwebhooks.webhooks import Webhook
secret, statuses, certificate, key = sys.argv[1:]
statuses = [int(status) for status in statuses.split(",") if status]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = statuses.pop(0) if statuses else 204
        try:
            event = Webhook(secret).verify(body, dict(self.headers.items()))
        except Exception as wrong:
            event = {"wrong": str(wrong)}
        print(json.dumps({"id": self.headers["webhook-id"], "path": self.path, "status": status, "event": event}))
        self.send_response(status)
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if certificate:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1])
sys.stdin.read()
"#;
    let file = |name| tls.map(|folder| folder.join(name).to_str().unwrap().to_owned()).unwrap_or_default();
    Peer::start(python, program, &[secret, statuses, &file("server.pem"), &file("server.key")])
}

/// Two certificate authorities, `right.pem` and `wrong.pem`, and `server.pem` for localhost, which the
/// right one vouches for. False where there is no openssl.
pub(crate) fn certificates(folder: &Path) -> bool {
    let openssl = |words: &[&str]| {
        let made = Command::new("openssl").current_dir(folder).args(words).output();
        made.is_ok_and(|output| output.status.success())
    };
    let authority = |name: &str| {
        let (key, pem, subject) =
            (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name} authority"));
        let words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", &subject];
        openssl(&[&words[..], &["-keyout", &key, "-out", &pem]].concat())
    };
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
        .unwrap();
    let words = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"];
    authority("right")
        && authority("wrong")
        && openssl(&[&words[..], &["-keyout", "server.key", "-out", "server.csr"]].concat())
        && openssl(&[
            "x509",
            "-req",
            "-in",
            "server.csr",
            "-CA",
            "right.pem",
            "-CAkey",
            "right.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "names",
            "-out",
            "server.pem",
        ])
}

/// A proxy: what it was asked for, and a connection to it.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let list = list.clone();
                std::thread::spawn(move || pass_on(stream, &list));
            }
        });
        Self { port, asked }
    }

    /// The first line of each request, as `CONNECT localhost:443`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn pass_on(mut client: TcpStream, list: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if client.read_exact(&mut byte).is_err() {
            return;
        }
        head.push(byte[0]);
    }
    let text = String::from_utf8(head).unwrap();
    let (first, rest) = text.split_once("\r\n").unwrap();
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    list.lock().unwrap().push(format!("{method} {target}"));
    let mut server = if method == "CONNECT" {
        let server = TcpStream::connect(target).unwrap();
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        server
    } else {
        let after = target.strip_prefix("http://").unwrap();
        let (host, path) = after.split_once('/').unwrap();
        let mut server = TcpStream::connect(host).unwrap();
        server.write_all(format!("{method} /{path} HTTP/1.1\r\n{rest}").as_bytes()).unwrap();
        server
    };
    let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ended = std::io::copy(&mut up, &mut server);
        let _closed = server.shutdown(std::net::Shutdown::Write);
    });
    let _ended = std::io::copy(&mut down, &mut client);
}
