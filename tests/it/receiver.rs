//! A partner's endpoint: a real HTTP server on this machine, which keeps what is posted to it and
//! answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Something that was posted.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Post {
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether a secret signed it, by another implementation of the specification.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let at = self.headers["webhook-timestamp"].parse().unwrap();
        let expected =
            standardwebhooks::Webhook::new(secret).unwrap().sign(self.id(), at, &self.body).unwrap();
        self.headers["webhook-signature"].split(' ').any(|signature| signature == expected)
    }
}

#[derive(Default)]
struct State {
    posts: Vec<Post>,
    answers: VecDeque<String>,
    is_silent: bool,
}

/// The endpoint. Its thread ends with the process.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Self { address, state }
    }

    /// What the next requests are answered; after that 204. Header fields may follow the status.
    pub(crate) fn answer(&self, answers: &[&str]) {
        self.state.lock().unwrap().answers.extend(answers.iter().map(|answer| (*answer).to_owned()));
    }

    /// Takes requests and never answers them, or answers again.
    pub(crate) fn be_silent(&self, is_silent: bool) {
        self.state.lock().unwrap().is_silent = is_silent;
    }

    /// What came since the last time.
    pub(crate) fn take(&self) -> Vec<Post> {
        std::mem::take(&mut self.state.lock().unwrap().posts)
    }

    /// Waits until something has come.
    pub(crate) fn wait(&self) {
        let until = Instant::now() + Duration::from_mins(3);
        while self.state.lock().unwrap().posts.is_empty() {
            assert!(Instant::now() < until, "nothing is posted");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap_or_default() > 0 {
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = BTreeMap::new();
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let (answer, is_silent) = {
            let mut state = state.lock().unwrap();
            state.posts.push(Post { path, headers, body });
            (state.answers.pop_front().unwrap_or_else(|| "204".to_owned()), state.is_silent)
        };
        if is_silent {
            // The other end is killed or gives up.
            let _ended = reader.read_line(&mut line);
            return;
        }
        let mut parts = answer.split('|');
        let mut text = format!("HTTP/1.1 {} Answer\r\ncontent-length: 0\r\n", parts.next().unwrap());
        for header in parts {
            text.push_str(header);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        let _answered = { stream }.write_all(text.as_bytes());
        line.clear();
    }
}
