//! Where a partner's messages go: a signed webhook, or a folder.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::base::edge::{Edge, Instant};
use crate::base::limit::{FOLDER_ANSWER_WAIT_S, RETRY_AFTER_S_MAX, WEBHOOK_TRIES_S};
use crate::base::private::{Exchange, Grant, Private};
use crate::config::{Config, Partner};
use crate::exchange::message::PartnerMessage;
use crate::gateway::feed::read_secrets;
use crate::gateway::keys::is_open_to_others;
use crate::gateway::outgoing::{Outbox, ToSend, Transport};
use crate::gateway::{Gateway, GatewayError};
use crate::store::dispatch::Dispatch;
use crate::transport::http::{Answer, Client, HttpError, Method, Request, Settings, Url};
use crate::transport::patience::within;
use crate::transport::webhook::Secrets;

/// The one place where messages for a partner go.
pub enum Outlet {
    /// A URL that takes signed messages.
    Webhook {
        /// The URL.
        url: Url,
        /// What signs.
        secrets: Secrets,
        /// What posts.
        client: Client,
    },
    /// A folder.
    Folder(PathBuf),
    /// The post: a mailbox of MESH, or an MLLP receiver. Handed over, a message is on its way.
    Post {
        /// How it goes.
        transport: Transport,
        /// To whom.
        recipient: String,
        /// What it is for.
        workflow: String,
    },
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// The partner has it.
    Taken,
    /// The partner wants nothing more there.
    Gone,
    /// It may be taken later.
    Later {
        /// Why.
        reason: String,
        /// Seconds that the partner asked to be left alone.
        after_s: Option<i64>,
    },
    /// It is not taken, and will not be.
    Never(String),
}

impl Outlet {
    /// The outlet of a partner.
    ///
    /// # Errors
    /// Where the settings name none or two, or the secrets or the client cannot be used.
    pub fn open(config: &Config, name: &str, partner: &Partner) -> Result<Self, GatewayError> {
        let wrong =
            |fault: &str| GatewayError::Plan { place: format!("partner.{name}"), fault: fault.to_owned() };
        let places = [&partner.webhook, &partner.folder, &partner.mailbox, &partner.mllp];
        let (transport, recipient) = match places.map(String::as_str) {
            ["", "", "", ""] => {
                return Err(wrong("names no place; give it a `webhook`, a `folder`, a `mailbox` or `mllp`"));
            }
            [_, "", "", ""] => return Self::webhook(config, partner, wrong),
            ["", folder, "", ""] => return Ok(Self::Folder(config.path(folder))),
            ["", "", mailbox, ""] => (Transport::Mesh, mailbox),
            ["", "", "", receiver] => (Transport::Mllp, receiver),
            _ => return Err(wrong("names more than one place for messages; leave the others out")),
        };
        if (transport == Transport::Mesh) == partner.workflow.is_empty() {
            return Err(wrong("a `mailbox` needs a `workflow`, and nothing else has one"));
        }
        Ok(Self::Post { transport, recipient: recipient.to_owned(), workflow: partner.workflow.clone() })
    }

    fn webhook(
        config: &Config,
        partner: &Partner,
        wrong: impl Fn(&str) -> GatewayError,
    ) -> Result<Self, GatewayError> {
        let url = Url::parse(&partner.webhook).map_err(|_url| wrong("`webhook` is no URL"))?;
        let is_inside = partner.private_addresses;
        if url.scheme() != "https" && !(is_inside && url.scheme() == "http") {
            return Err(wrong(
                "`webhook` must be https; http goes only inside a private network, with private_addresses = true",
            ));
        }
        if partner.secrets.is_empty() {
            return Err(wrong("`webhook` needs `secrets`: every message is signed"));
        }
        let outbound = &config.outbound;
        let settings = Settings {
            proxy: Some(outbound.proxy.clone()).filter(|proxy| !proxy.is_empty()),
            authority: Some(&outbound.authority)
                .filter(|file| !file.is_empty())
                .map(|file| config.path(file)),
            identity: None,
            refuses_private: !is_inside,
        };
        let file = config.path(&partner.secrets);
        if is_open_to_others(&file) {
            return Err(wrong("the file of `secrets` can be read by others; run `chmod 600` on it"));
        }
        let secrets = read_secrets(&file)?;
        Ok(Self::Webhook { url, secrets, client: Client::open(&settings)? })
    }

    /// Where it leads, for a person; of a URL no more than the host, since the rest may be a secret.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Webhook { url, .. } => {
                format!("signed messages to {}", url.host_str().unwrap_or_default())
            }
            Self::Folder(folder) => format!("files in {}", folder.display()),
            Self::Post { transport, recipient, .. } => {
                format!("{} messages to {recipient}", transport.as_str())
            }
        }
    }

    /// Hands a message over. It is kept in order with what else is about the dispatch's person.
    #[must_use]
    pub fn deliver(
        &self,
        gateway: &Gateway,
        message: &PartnerMessage,
        row: &Dispatch,
        grant: &Grant<Exchange>,
    ) -> Delivered {
        let (body, now) = (message.body(grant), gateway.edge.now());
        match self {
            Self::Folder(folder) => {
                let (folder, name) = (folder.clone(), format!("{}.{}", message.id, message.ending));
                let body = Zeroizing::new(body.to_vec());
                let later = |reason: String| Delivered::Later { reason, after_s: None };
                match within(FOLDER_ANSWER_WAIT_S, move || put(&folder, &name, &body)) {
                    Ok(Ok(())) => Delivered::Taken,
                    Ok(Err(error)) => later(format!("folder: {}", error.kind())),
                    Err(_silent) => later("folder: no-answer".to_owned()),
                }
            }
            Self::Post { transport, recipient, workflow } => {
                let what = ToSend {
                    transport: *transport,
                    recipient,
                    workflow,
                    subject: "",
                    file_name: &format!("{}.{}", message.id, message.ending),
                    in_order_of: Some(&row.person_id),
                    // Queued twice, as after a crash, it is queued once.
                    key: &message.id,
                    dispatch: Some(&row.id),
                };
                post(gateway, &what, &Private::new(body.to_vec()))
            }
            Self::Webhook { url, secrets, client } => {
                let timestamp = now.unix_ms().div_euclid(1_000).to_string();
                let request = Request {
                    method: Method::POST,
                    url: url.clone(),
                    headers: vec![
                        ("content-type", message.media_type.to_owned()),
                        ("user-agent", "wayleave".to_owned()),
                        ("webhook-id", message.id.clone()),
                        ("webhook-signature", secrets.sign(&message.id, &timestamp, body)),
                        ("webhook-timestamp", timestamp),
                    ],
                    body: body.to_vec(),
                };
                client.send(request).map_or_else(|error| unanswered(&error), |answer| answered(&answer, now))
            }
        }
    }
}

fn unanswered(error: &HttpError) -> Delivered {
    match error {
        HttpError::NoAnswer { .. } | HttpError::TooLarge { .. } => {
            Delivered::Later { reason: "no-answer".to_owned(), after_s: None }
        }
        HttpError::PrivateAddress { .. } => Delivered::Never("private-address".to_owned()),
        HttpError::Tls(_) | HttpError::Proxy | HttpError::Setup { .. } | HttpError::Plain { .. } => {
            Delivered::Later { reason: "not-set-up".to_owned(), after_s: None }
        }
    }
}

/// What a status means (Standard Webhooks, spec 1.0, "Deliverability and reliability"). A redirect
/// is not followed.
fn answered(answer: &Answer, now: Instant) -> Delivered {
    let reason = format!("answered-{}", answer.status);
    match answer.status {
        200..=299 => Delivered::Taken,
        410 => Delivered::Gone,
        408 | 429 | 500..=599 => {
            let asked = answer.header("retry-after").and_then(|text| retry_after(text, now));
            Delivered::Later { reason, after_s: asked }
        }
        _ => Delivered::Never(reason),
    }
}

/// Seconds, or a date (RFC 9110, section 10.2.3); within a bound.
fn retry_after(text: &str, now: Instant) -> Option<i64> {
    let seconds = text.trim().parse::<i64>().ok().or_else(|| {
        let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
        Some(at.timestamp().as_second() - now.unix_ms().div_euclid(1_000))
    })?;
    Some(seconds.clamp(0, RETRY_AFTER_S_MAX))
}

/// When a message is tried again after so many tries; none where it is given up. The wait is
/// lengthened by up to a tenth, so that messages which failed together do not come back together.
#[must_use]
pub fn next_try(tries: i64, after_s: Option<i64>, edge: &Edge) -> Option<Instant> {
    let wait_s = *WEBHOOK_TRIES_S.get(usize::try_from(tries).ok()?)?;
    let wait_s = wait_s.max(after_s.unwrap_or_default());
    let [random] = edge.bytes::<1>();
    let jitter_ms = wait_s * 100 * i64::from(random) / 255;
    Some(Instant::from_unix_ms(edge.now().unix_ms() + wait_s * 1_000 + jitter_ms))
}

/// Queues a message for the post.
fn post(gateway: &Gateway, what: &ToSend<'_>, content: &Private<Vec<u8>>) -> Delivered {
    let queued = Outbox::open(gateway).and_then(|outbox| {
        gateway.store.write(|tx| outbox.put(tx, what, content)).map_err(GatewayError::from)
    });
    match queued {
        Ok(_queued) => Delivered::Taken,
        Err(_error) => Delivered::Later { reason: "not-queued".to_owned(), after_s: None },
    }
}

/// A file appears under its name only when it is whole. The same message is the same file.
fn put(folder: &std::path::Path, name: &str, body: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let unfinished = folder.join(format!(".{name}"));
    let mut file = std::fs::File::create(&unfinished)?;
    std::io::Write::write_all(&mut file, body)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, folder.join(name))
}
