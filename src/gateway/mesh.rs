//! The mailbox of the message exchange: what lies in it is kept and then acknowledged, what is
//! queued is sent, and what became of it is asked.
//!
//! A message is a file of the feed that its workflow is routed to, and is kept as an uploaded file
//! is, with a receipt. Killed between keeping and acknowledging, the gateway finds it again, knows it
//! by its content, and acknowledges it then. A message of a workflow that no route takes stays in
//! the mailbox, noted, until there is a route or its sender is told that it was not collected.

mod collect;
mod send;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::gateway::exchange::last_look::LastLook;
use crate::gateway::feed::{self, Feed};
use crate::gateway::keys::{KeyError, is_open_to_others};
use crate::gateway::{Gateway, GatewayError};
use crate::store::sent::{self, Doubt};
use crate::store::{lease, meta};
use crate::transport::http;
use crate::transport::mesh::{Mailbox, Secrets, Settings};

/// The mailbox of a configuration, with what is done with what lies in it.
pub struct MeshPost {
    mailbox: Mailbox,
    routes: BTreeMap<String, Feed>,
    file_bytes_max: u64,
    track_every_s: i64,
    last_look: RefCell<LastLook>,
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Round {
    /// Messages that were kept and acknowledged.
    pub collected: u64,
    /// Reports that a message of ours was not delivered.
    pub reports: u64,
    /// Messages that stay in the mailbox because no route takes them, or they are too large.
    pub left: u64,
    /// Messages that could not be read, and are tried again in the next round.
    pub failed: u64,
    /// Messages that the exchange took from us.
    pub sent: u64,
    /// Messages of which it became known that they arrived.
    pub acknowledged: u64,
    /// Messages of which it became known that they will not.
    pub undelivered: u64,
    /// Messages that were queued and may no longer go.
    pub withheld: u64,
}

/// How the mailbox stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailboxShown {
    /// When it was looked into last.
    pub last_seen_at: Option<String>,
    /// What was wrong when it was tried last; none where nothing was.
    pub fault: Option<String>,
    /// Messages that somebody has to look at.
    pub doubts: Vec<DoubtShown>,
    /// How many messages are where, as `mesh/accepted`.
    pub sent: BTreeMap<String, i64>,
}

/// A message that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoubtShown {
    /// The exchange's id of it.
    pub message_id: String,
    /// `unrouted`, `too-large` or `report`.
    pub reason: String,
    /// What it is for.
    pub workflow: String,
    /// Who sent it.
    pub sender: String,
    /// Of a report: why something was not delivered.
    pub code: String,
    /// When it was seen first.
    pub first_seen_at: String,
}

/// Where it stands when the mailbox was looked into, and what was wrong.
const SEEN: &str = "mesh/seen";
const FAULT: &str = "mesh/fault";

impl MeshPost {
    /// The mailbox of a configuration; none where it names none.
    ///
    /// # Errors
    /// Where a secret, a certificate or a route cannot be used.
    pub fn open(
        gateway: &Gateway,
        config: &Config,
        pause: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Result<Option<Self>, GatewayError> {
        let of = &config.mesh;
        if of.url.is_empty() {
            return Ok(None);
        }
        let password = secret("MESH password", &config.path(&of.password))?;
        let shared = secret("MESH shared", &config.path(&of.shared_key))?;
        let identity = (!of.certificate.is_empty())
            .then(|| (config.path(&of.certificate), config.path(&of.certificate_key)));
        let named = |path: &str| (!path.is_empty()).then(|| path.to_owned());
        let settings = Settings {
            url: of.url.clone(),
            mailbox: of.mailbox.clone(),
            chunk_bytes: of.chunk_bytes,
            http: http::Settings {
                proxy: named(&config.outbound.proxy),
                authority: named(&config.outbound.authority).map(|path| config.path(&path)),
                identity,
                ..http::Settings::default()
            },
        };
        let mut routes = BTreeMap::new();
        for (workflow, full_name) in &of.routes {
            let found = feed::feeds(config, Some(full_name))?;
            let feed = found.into_iter().find(|feed| feed.full_name() == *full_name);
            let feed = feed.ok_or_else(|| GatewayError::NoFeed { name: full_name.clone() })?;
            routes.insert(workflow.clone(), feed);
        }
        let secrets = Secrets::new(&password, &shared);
        Ok(Some(Self {
            mailbox: Mailbox::open(&settings, secrets, &gateway.edge, pause)?,
            routes,
            file_bytes_max: config.limits.file_bytes_max,
            track_every_s: of.track_every_s,
            last_look: RefCell::new(LastLook::new(config)),
        }))
    }

    /// The mailbox's id.
    #[must_use]
    pub fn name(&self) -> &str {
        self.mailbox.name()
    }

    /// Shows the exchange that the mailbox is in use, and that it is known there.
    ///
    /// # Errors
    /// Where it cannot be reached, or does not believe it.
    pub fn handshake(&self) -> Result<(), GatewayError> {
        Ok(self.mailbox.handshake()?)
    }

    /// One round: what lies in the mailbox is taken, what is queued is sent, and it is asked what
    /// became of what was sent. One process at a time; none where another is at it.
    ///
    /// # Errors
    /// Where the exchange cannot be reached, or the store fails. What is done stays done, and the
    /// next round goes on from there.
    pub fn round(
        &self,
        gateway: &Gateway,
        holder: &str,
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<Option<Round>, GatewayError> {
        if !self.take_lease(gateway, holder)? {
            return Ok(None);
        }
        let mut round = Round::default();
        let ended = self.steps(gateway, holder, is_stopping, &mut round);
        let fault = ended.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let now = gateway.edge.now().to_string();
        let noted = gateway.store.write(|tx| {
            meta::set(tx, FAULT, &fault)?;
            if fault.is_empty() {
                meta::set(tx, SEEN, &now)?;
            }
            lease::give_back(tx, &self.lease_name(), holder)?;
            Ok::<_, GatewayError>(())
        });
        ended?;
        noted?;
        Ok(Some(round))
    }

    fn steps(
        &self,
        gateway: &Gateway,
        holder: &str,
        is_stopping: &dyn Fn() -> bool,
        round: &mut Round,
    ) -> Result<(), GatewayError> {
        let goes_on = || Ok(!is_stopping() && self.take_lease(gateway, holder)?);
        self.collect(gateway, &goes_on, round)?;
        self.send_waiting(gateway, &goes_on, round)?;
        self.track(gateway, &goes_on, round)
    }

    fn lease_name(&self) -> String {
        format!("mesh/{}", self.name())
    }

    /// Takes or renews the lease on the mailbox.
    fn take_lease(&self, gateway: &Gateway, holder: &str) -> Result<bool, GatewayError> {
        let name = self.lease_name();
        gateway.store.write(|tx| {
            Ok(lease::take(tx, &name, holder, gateway.edge.now(), crate::base::limit::MESH_LEASE_S)?)
        })
    }
}

/// Whether the next message may be taken up.
type GoesOn<'a> = dyn Fn() -> Result<bool, GatewayError> + 'a;

/// How the mailbox stands; no value of anybody.
///
/// # Errors
/// Where the store fails.
pub fn standing(gateway: &Gateway) -> Result<MailboxShown, GatewayError> {
    gateway.store.read(|tx| {
        let counts = sent::count(tx)?;
        let doubts = sent::list_doubts(tx)?.into_iter().map(|row: Doubt| DoubtShown {
            message_id: row.message_id,
            reason: row.reason,
            workflow: row.workflow,
            sender: row.sender,
            code: row.code,
            first_seen_at: row.first_seen_at,
        });
        Ok(MailboxShown {
            last_seen_at: meta::find(tx, SEEN)?,
            fault: meta::find(tx, FAULT)?.filter(|fault| !fault.is_empty()),
            doubts: doubts.collect(),
            sent: counts.into_iter().map(|((by, state), n)| (format!("{by}/{state}"), n)).collect(),
        })
    })
}

/// A secret from a file that only its owner may read.
fn secret(what: &'static str, file: &Path) -> Result<Zeroizing<String>, GatewayError> {
    let unreadable = |source| GatewayError::File { path: file.to_owned(), source };
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(unreadable)?);
    if is_open_to_others(file) {
        return Err(KeyError::Open { what, file: file.to_owned() }.into());
    }
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
