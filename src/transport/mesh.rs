//! MESH, the health service's exchange of messages between mailboxes (NHS England, "Message Exchange
//! for Social Care and Health: API", version 2).
//!
//! A [`Mailbox`] asks one mailbox's server over [`http`]: what lies in the
//! inbox, each message chunk by chunk, that it was taken; and sends, chunk by chunk, and asks what
//! became of what was sent. Every request carries an authorisation of its own, made of the mailbox's
//! password and the environment's shared key, neither of which travels.

mod answer;
mod authorise;
mod download;
mod send;

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

pub use answer::{Entry, Page, Tracked};
pub use authorise::Secrets;
pub use send::Outgoing;

use crate::base::edge::Edge;
use crate::base::limit::{MESH_PAUSE_MS, MESH_TRIES_MAX};
use crate::transport::http::{self, Answer, Client, HttpError, Method, Request, Url};

/// Which mailbox, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The server, as `https://mesh-sync.spineservices.nhs.uk`.
    pub url: String,
    /// The mailbox's id.
    pub mailbox: String,
    /// Bytes of one chunk that is sent, before it is compressed.
    pub chunk_bytes: usize,
    /// How it is reached, and the certificate that is shown.
    pub http: http::Settings,
}

/// Why the exchange did not do as asked. Never holds what a message says, nor a secret.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// The address is none.
    #[error("`mesh.url` is no address: expected https://host, found `{url}`")]
    Address {
        /// As configured.
        url: String,
    },
    /// The exchange cannot be reached.
    #[error("the message exchange cannot be reached: {0}")]
    Http(#[from] HttpError),
    /// It does not believe who is asking.
    #[error(
        "the message exchange refuses mailbox {mailbox} (403): check the mailbox, its password, the shared key of the environment, the certificate, and this machine's clock"
    )]
    Refused {
        /// The mailbox.
        mailbox: String,
    },
    /// It is not able to just now.
    #[error("the message exchange is not able to just now ({status})")]
    Busy {
        /// The status it answered with.
        status: u16,
    },
    /// The message is not there, or no more.
    #[error("the message exchange has no such message ({status})")]
    Gone {
        /// The status it answered with.
        status: u16,
    },
    /// It will not take a message, whenever it is sent.
    #[error(
        "the message exchange does not take the message ({status}, {code}): check the mailbox it is for and its workflow"
    )]
    Rejected {
        /// The status it answered with.
        status: u16,
        /// Its code, or `none`.
        code: String,
    },
    /// It answered with something else than it should.
    #[error("the message exchange answered {what} in another way than it is known to")]
    Strange {
        /// What was asked.
        what: &'static str,
    },
    /// A message is larger than a file may be.
    #[error(
        "a message is larger than {bytes_max} bytes; ask its sender to split it, or raise `limits.file_bytes_max`"
    )]
    TooLarge {
        /// The bound.
        bytes_max: u64,
    },
    /// A message could not be put aside here.
    #[error("a message could not be put aside: {0}")]
    Aside(std::io::Error),
}

impl MeshError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Http(error) => error.retryable(),
            // A refusal may be of the clock, or of a password that is being changed.
            Self::Refused { .. } | Self::Busy { .. } | Self::Aside(_) => true,
            Self::Address { .. }
            | Self::Gone { .. }
            | Self::Rejected { .. }
            | Self::Strange { .. }
            | Self::TooLarge { .. } => false,
        }
    }

    /// Whether trying again at once, after a pause of seconds, could help.
    const fn is_passing(&self) -> bool {
        match self {
            Self::Http(error) => error.retryable(),
            Self::Busy { .. } => true,
            _ => false,
        }
    }
}

/// One mailbox.
pub struct Mailbox {
    client: Client,
    base: Url,
    name: String,
    chunk_bytes: usize,
    secrets: Secrets,
    edge: Edge,
    pause: Box<dyn Fn(Duration) + Send + Sync>,
}

/// What is asked, but for who asks.
struct Asked<'a> {
    what: &'static str,
    method: Method,
    /// The path below the mailbox.
    path: &'a [&'a str],
    query: &'a [(&'a str, &'a str)],
    headers: Vec<(&'static str, String)>,
    body: &'a [u8],
}

impl Mailbox {
    /// A mailbox. Nothing is asked yet. `pause` waits between two tries of one request.
    ///
    /// # Errors
    /// Where the address is none, or a certificate cannot be used.
    pub fn open(
        settings: &Settings,
        secrets: Secrets,
        edge: &Edge,
        pause: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Result<Self, MeshError> {
        let none = || MeshError::Address { url: settings.url.clone() };
        let base = Url::parse(&settings.url).map_err(|_url| none())?;
        let is_known = ["http", "https"].contains(&base.scheme()) && !base.cannot_be_a_base();
        if !is_known || settings.mailbox.is_empty() {
            return Err(none());
        }
        Ok(Self {
            client: Client::open(&settings.http)?,
            base,
            name: settings.mailbox.to_uppercase(),
            chunk_bytes: settings.chunk_bytes.max(1),
            secrets,
            edge: edge.clone(),
            pause: Box::new(pause),
        })
    }

    /// Its id.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Shows that it is there, and who it is. To be asked once a day at least, and before anything
    /// else.
    ///
    /// # Errors
    /// Where the exchange cannot be reached, or does not believe it.
    pub fn handshake(&self) -> Result<(), MeshError> {
        let headers = vec![
            ("mex-clientversion", concat!("wayleave==", env!("CARGO_PKG_VERSION")).to_owned()),
            ("mex-osname", std::env::consts::OS.to_owned()),
            ("mex-osversion", "0".to_owned()),
            ("mex-osarchitecture", std::env::consts::ARCH.to_owned()),
        ];
        self.ask(&Asked {
            what: "a handshake",
            method: Method::POST,
            path: &[],
            query: &[],
            headers,
            body: b"",
        })?;
        Ok(())
    }

    /// The messages that wait in the inbox, oldest first, so many at once; `next` goes on where a
    /// page ended.
    ///
    /// # Errors
    /// Where the exchange cannot be reached, or does not do as asked.
    pub fn list(&self, next: Option<&str>, results_max: usize) -> Result<Page, MeshError> {
        let results_max = results_max.to_string();
        let mut query = vec![("max_results", results_max.as_str())];
        query.extend(next.map(|next| ("continue_from", next)));
        let asked = Asked {
            what: "for its inbox",
            method: Method::GET,
            path: &["inbox"],
            query: &query,
            headers: Vec::new(),
            body: b"",
        };
        answer::page(&self.ask(&asked)?)
    }

    /// What a message is, without its content.
    ///
    /// # Errors
    /// Where it is not there, or the exchange does not do as asked.
    pub fn look(&self, id: &str) -> Result<Entry, MeshError> {
        let asked = Asked {
            what: "for a message",
            method: Method::HEAD,
            path: &["inbox", id],
            query: &[],
            headers: Vec::new(),
            body: b"",
        };
        Ok(answer::entry(id, &self.ask(&asked)?))
    }

    /// Says that a message is taken: it leaves the inbox. Only after it is kept.
    ///
    /// # Errors
    /// Where the exchange cannot be reached, or does not do as asked.
    pub fn acknowledge(&self, id: &str) -> Result<(), MeshError> {
        let asked = Asked {
            what: "to take an acknowledgement",
            method: Method::PUT,
            path: &["inbox", id, "status", "acknowledged"],
            query: &[],
            headers: Vec::new(),
            body: b"",
        };
        self.ask(&asked).map(|_empty| ())
    }

    /// What became of a message that was sent.
    ///
    /// # Errors
    /// Where it is not there, or the exchange does not do as asked.
    pub fn track(&self, id: &str) -> Result<Tracked, MeshError> {
        let asked = Asked {
            what: "what became of a message",
            method: Method::GET,
            path: &["outbox", "tracking"],
            query: &[("messageID", id)],
            headers: Vec::new(),
            body: b"",
        };
        answer::tracked(&self.ask(&asked)?)
    }

    /// Whether a message was sent under an id of ours, and what became of it: asked where the answer
    /// to sending it never came.
    ///
    /// # Errors
    /// Where the exchange cannot be reached, or does not do as asked.
    pub fn find_sent(&self, local_id: &str) -> Result<Option<Tracked>, MeshError> {
        let asked = Asked {
            what: "for a message by our own id",
            method: Method::GET,
            path: &["outbox", "tracking", local_id],
            query: &[],
            headers: vec![("accept", "application/json".to_owned())],
            body: b"",
        };
        match self.ask(&asked) {
            Ok(answer) => answer::tracked(&answer).map(Some),
            Err(MeshError::Gone { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks, and again where a pause of seconds may help. Each time with an authorisation of its own.
    ///
    /// A new message is not sent again at once: whether it arrived is asked first.
    fn ask(&self, asked: &Asked<'_>) -> Result<Answer, MeshError> {
        let is_new = asked.method == Method::POST && asked.path == ["outbox"];
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(MESH_PAUSE_MS))
            .with_max_times(if is_new { 0 } else { MESH_TRIES_MAX })
            .build();
        loop {
            match self.ask_once(asked) {
                Err(error) if error.is_passing() => match pauses.next() {
                    Some(pause) => (self.pause)(pause),
                    None => return Err(error),
                },
                ended => return ended,
            }
        }
    }

    fn ask_once(&self, asked: &Asked<'_>) -> Result<Answer, MeshError> {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(["messageexchange", self.name.as_str()]).extend(asked.path);
        }
        if !asked.query.is_empty() {
            url.query_pairs_mut().extend_pairs(asked.query);
        }
        let mut headers = vec![("authorization", self.secrets.authorise(&self.name, &self.edge))];
        if !asked.headers.iter().any(|(name, _)| *name == "accept") {
            headers.push(("accept", "application/vnd.mesh.v2+json".to_owned()));
        }
        headers.extend(asked.headers.iter().cloned());
        let request = Request { method: asked.method.clone(), url, headers, body: asked.body.to_vec() };
        let answer = self.client.send(request)?;
        match answer.status {
            200..=299 => Ok(answer),
            // More than one message under one id of ours: it was sent.
            300 => Ok(answer),
            403 => Err(MeshError::Refused { mailbox: self.name.clone() }),
            404 | 410 => Err(MeshError::Gone { status: answer.status }),
            // 423: the last chunk is there already, which its tracking will say.
            408 | 423 | 425 | 429 | 500..=599 => Err(MeshError::Busy { status: answer.status }),
            400 | 413 | 417 | 422 => {
                Err(MeshError::Rejected { status: answer.status, code: answer::error_code(&answer) })
            }
            _ => Err(MeshError::Strange { what: asked.what }),
        }
    }
}
