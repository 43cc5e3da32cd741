//! What is wrong, if anything: the database, the door, the disk, the worker, what waits. In words that
//! name no host and nobody, since whoever watches over services may see them without a key.

use std::path::Path;

use serde::Serialize;

use crate::base::address::Address;
use crate::base::edge::Instant;
use crate::base::limit::{
    DISK_FULL_BYTES, DISK_LOW_BYTES, UNSENT_HOURS_MAX, WORKER_NOTE_S, WORKER_SILENT_S_MAX,
};
use crate::config::Config;
use crate::gateway::{Gateway, GatewayError, mesh};
use crate::queue::{self, QueueError};
use crate::store::{StoreError, delivery, intent, meta, quarantine, run, slot, told};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// All is well.
    Well,
    /// Work goes on; somebody should look.
    Warning,
    /// Something does not work. What is taken in meanwhile is kept, and caught up on.
    Failing,
    /// Nothing can be taken in.
    Stopped,
}

impl Shape {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Warning => "warning",
            Self::Failing => "failing",
            Self::Stopped => "stopped",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CheckShown {
    /// Which: `database`, `door`, `disk`, `worker`, `schedule`, `release`, `places`,
    /// `collector`, `mailbox`, `partners`.
    pub name: String,
    /// How it is.
    pub shape: Shape,
    /// What is the case, and what to do.
    pub told: String,
}

/// Everything that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Each thing.
    pub checks: Vec<CheckShown>,
    /// Requests that wait to be read.
    pub waiting: i64,
    /// Units set aside and open.
    pub quarantined: i64,
    /// Runs whose last step is not done.
    pub open_runs: usize,
    /// Messages that wait to be released.
    pub unsent: i64,
    /// Seconds since a worker last ended a round.
    pub round_age_s: Option<i64>,
    /// Room left where the database lies.
    pub disk_free_bytes: Option<u64>,
}

impl Health {
    /// How things are on the whole.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.checks.iter().map(|check| check.shape).max().unwrap_or(Shape::Well)
    }

    fn add(&mut self, name: &str, shape: Shape, told: impl Into<String>) {
        self.checks.push(CheckShown { name: name.to_owned(), shape, told: told.into() });
    }
}

/// What the store says of itself.
struct Stored {
    waiting: (i64, Option<String>),
    quarantined: i64,
    open_runs: usize,
    unsent: (i64, Option<String>),
    round: Option<String>,
    slots_again: i64,
    door: Option<String>,
}

/// The name under which the last round of a worker stands: when, and why it failed if it did.
const ROUND: &str = "health/round";

/// The name under which it stands why the door did not take everything, since it last did.
const DOOR: &str = "health/door";

/// What the names begin with under which it stands whether a feed's place could be used.
const PLACE: &str = "health/place/";

/// Looks at everything. It takes some seconds, and a minute where a database falls silent that had
/// answered before.
#[must_use]
pub fn look(gateway: &Gateway, config: &Config) -> Health {
    let mut health = Health::default();
    let now = gateway.edge.now();
    match stored(gateway) {
        Ok(stored) => {
            health.add("database", Shape::Well, "it answers");
            note_stored(&mut health, &stored, now);
        }
        Err(error) => {
            let told = match error {
                StoreError::Full => "its disk is full; make room",
                StoreError::Locked => "another process holds it; wait until its run ends",
                _ => "it does not answer; nothing can be taken in until it does",
            };
            health.add("database", Shape::Stopped, told);
        }
    }
    look_at_places(&mut health, gateway);
    look_at_collector(&mut health, gateway, config);
    look_at_mailbox(&mut health, gateway, config);
    look_at_partners(&mut health, gateway);
    look_at_door(&mut health, config);
    look_at_disk(&mut health, config);
    health
}

/// The places of feeds, where one could not be used when it was looked at last.
fn look_at_places(health: &mut Health, gateway: &Gateway) {
    // A database that does not answer is said above.
    let Ok(noted) = gateway.store.read(|tx| meta::list_numbers(tx, PLACE)) else { return };
    let failing: Vec<&str> = noted
        .iter()
        .filter(|(_, failed)| *failed > 0)
        .filter_map(|(name, _)| name.strip_prefix(PLACE))
        .collect();
    if !failing.is_empty() {
        let told = format!(
            "the folder or server of {} could not be used at the last look, and is tried again; `wayleave check` says why",
            failing.join(", ")
        );
        health.add("places", Shape::Failing, told);
    }
}

/// Writes down which feeds' places could be used, and which not.
///
/// # Errors
/// Where the store fails.
pub fn note_places(
    gateway: &Gateway,
    feeds: &[String],
    failed: &[(String, GatewayError)],
) -> Result<(), GatewayError> {
    let is_failed = |feed: &String| {
        failed.iter().any(|(name, error)| name == feed && !matches!(error, GatewayError::Elsewhere { .. }))
    };
    let before = gateway.store.read(|tx| meta::list_numbers(tx, PLACE))?;
    let was = |name: &String| before.iter().any(|(noted, failed)| noted == name && *failed > 0);
    for feed in feeds {
        let (name, now) = (format!("{PLACE}{feed}"), is_failed(feed));
        if was(&name) != now {
            gateway.store.write(|tx| meta::set(tx, &name, if now { "1" } else { "0" }))?;
        }
    }
    Ok(())
}

/// The evaluation side, where it has not said for longer than declared that it has what was sent.
fn look_at_collector(health: &mut Health, gateway: &Gateway, config: &Config) {
    let now = gateway.edge.now();
    for (study, settings) in config.study.iter().filter(|(_, settings)| settings.resend_hours > 0) {
        let by = now.plus_s(settings.resend_hours.saturating_mul(-3_600)).to_string();
        // A database that does not answer is said above.
        let Ok((n @ 1.., _)) = gateway.store.read(|tx| intent::count_unsettled(tx, study, &by)) else {
            continue;
        };
        let told = format!(
            "{n} messages of {study} were sent more than {} hours ago, and the evaluation side has not said \
             that it has them; if its `wayleave collect` runs, run `wayleave study release {study} --resend`",
            settings.resend_hours
        );
        health.add("collector", Shape::Warning, told);
    }
}

/// The partners, where one wants nothing more.
fn look_at_partners(health: &mut Health, gateway: &Gateway) {
    // A database that does not answer is said above.
    let Ok(halted) = gateway.store.read(told::list_halted) else { return };
    if !halted.is_empty() {
        let told =
            "nothing is sent to a partner who wants no more there; `wayleave exchange list` says which";
        health.add("partners", Shape::Warning, told);
    }
}

/// The mailbox of the message exchange, where there is one.
fn look_at_mailbox(health: &mut Health, gateway: &Gateway, config: &Config) {
    if config.mesh.url.is_empty() {
        return;
    }
    // A database that does not answer is said above.
    let Ok(standing) = mesh::standing(gateway) else { return };
    match (&standing.fault, standing.doubts.len(), &standing.last_seen_at) {
        (Some(_names_a_host), ..) => health.add(
            "mailbox",
            Shape::Failing,
            "it could not be looked into, and is tried again; `wayleave post list` says why",
        ),
        (None, 0, Some(at)) => health.add("mailbox", Shape::Well, format!("it was looked into at {at}")),
        (None, 0, None) => health.add("mailbox", Shape::Well, "it was not looked into yet"),
        (None, n, _) => health.add(
            "mailbox",
            Shape::Warning,
            format!("{n} messages need somebody; `wayleave post list` shows them"),
        ),
    }
}

fn stored(gateway: &Gateway) -> Result<Stored, StoreError> {
    gateway.store.read(|tx| {
        Ok(Stored {
            waiting: delivery::count_waiting(tx)?,
            quarantined: quarantine::count_open(tx)?,
            open_runs: run::list_open(tx)?.len(),
            unsent: intent::count_all_unsent(tx)?,
            round: meta::find(tx, ROUND)?,
            slots_again: slot::count_again(tx)?,
            door: meta::find(tx, DOOR)?.filter(|told| !told.is_empty()),
        })
    })
}

fn age_s(now: Instant, at: Option<&str>) -> Option<i64> {
    let at: Instant = at?.parse().ok()?;
    Some(now.unix_ms().saturating_sub(at.unix_ms()).max(0) / 1_000)
}

fn note_stored(health: &mut Health, stored: &Stored, now: Instant) {
    health.waiting = stored.waiting.0;
    health.quarantined = stored.quarantined;
    health.open_runs = stored.open_runs;
    health.unsent = stored.unsent.0;
    let (at, failed) = match stored.round.as_deref().map(|round| round.split_once(' ').unwrap_or((round, "")))
    {
        Some((at, failed)) => (Some(at), failed),
        None => (None, ""),
    };
    health.round_age_s = age_s(now, at);
    let waits_s = age_s(now, stored.waiting.1.as_deref());
    let is_silent = health.round_age_s.is_none_or(|age| age > WORKER_SILENT_S_MAX);
    let is_waited_for = waits_s.is_some_and(|waits| waits > WORKER_SILENT_S_MAX);
    match health.round_age_s {
        _ if is_silent && is_waited_for => health.add(
            "worker",
            Shape::Failing,
            format!(
                "{} requests wait and no worker reads them; start `wayleave serve --role worker`",
                health.waiting
            ),
        ),
        Some(age) if !failed.is_empty() => {
            health.add("worker", Shape::Failing, format!("its round of {age} s ago failed: {failed}"));
        }
        Some(age) => health.add("worker", Shape::Well, format!("it ended a round {age} s ago")),
        None => health.add("worker", Shape::Well, "none has run yet, and nothing has waited long"),
    }
    match stored.slots_again {
        0 => health.add("schedule", Shape::Well, "no slot had to be tried again"),
        n => health.add(
            "schedule",
            Shape::Warning,
            format!("{n} feeds are tried again; `wayleave status` and the log say why"),
        ),
    }
    let hours = age_s(now, stored.unsent.1.as_deref()).unwrap_or_default() / 3_600;
    match &stored.door {
        Some(told) => health.add(
            "release",
            Shape::Failing,
            format!("{} messages wait; the last attempt failed: {told}", health.unsent),
        ),
        None if hours > UNSENT_HOURS_MAX => health.add(
            "release",
            Shape::Warning,
            format!(
                "{} messages wait, the first for {hours} hours; run `wayleave study release`",
                health.unsent
            ),
        ),
        None => health.add("release", Shape::Well, format!("{} messages wait", health.unsent)),
    }
}

fn look_at_door(health: &mut Health, config: &Config) {
    match queue::knock(&config.url(&config.gateway.queue)) {
        Ok(()) => health.add("door", Shape::Well, "it answers"),
        Err(QueueError::Unreachable { .. }) => health.add(
            "door",
            Shape::Failing,
            "the broker does not answer; what is for evaluators waits until it does",
        ),
        Err(_other) => {
            health.add("door", Shape::Failing, "it cannot be used as configured; run `wayleave check`");
        }
    }
}

fn look_at_disk(health: &mut Health, config: &Config) {
    let place = match Address::parse(&config.url(&config.gateway.database), None) {
        Ok(Address::Sqlite(file)) => file.parent().map(Path::to_owned).unwrap_or_default(),
        // What is put aside meanwhile lies here, wherever the database is.
        _ => std::env::temp_dir(),
    };
    let Some(free) = free_bytes(&place) else { return };
    health.disk_free_bytes = Some(free);
    let mib = free / (1024 * 1024);
    match free {
        0..DISK_FULL_BYTES => {
            health.add(
                "disk",
                Shape::Stopped,
                format!("{mib} MB are free; make room before anything is taken in"),
            );
        }
        DISK_FULL_BYTES..DISK_LOW_BYTES => {
            health.add("disk", Shape::Warning, format!("{mib} MB are free; make room"));
        }
        _ => health.add("disk", Shape::Well, format!("{mib} MB are free")),
    }
}

fn free_bytes(place: &Path) -> Option<u64> {
    let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
    fs4::available_space(place).ok()
}

/// Writes down how a worker's round ended, unless that was done a moment ago; gives when it was.
///
/// # Errors
/// Where the store fails.
pub fn note_round(
    gateway: &Gateway,
    failed: Option<&GatewayError>,
    noted: Option<Instant>,
) -> Result<Option<Instant>, GatewayError> {
    let now = gateway.edge.now();
    let is_fresh = noted.is_some_and(|at| at.plus_s(WORKER_NOTE_S) > now);
    if is_fresh && failed.is_none() {
        return Ok(noted);
    }
    // Of the errors only what is theirs to say to anybody: no host, no path.
    let told = match failed {
        None => "",
        Some(error) if error.retryable() => "something it needs did not answer; it tries again",
        Some(_) => "it needs somebody; the log says why",
    };
    gateway.store.write(|tx| meta::set(tx, ROUND, format!("{now} {told}").trim_end()))?;
    Ok(Some(now))
}

/// Writes down how it went at the door.
///
/// # Errors
/// Where the store fails.
pub fn note_door(gateway: &Gateway, failed: Option<&GatewayError>) -> Result<(), GatewayError> {
    let told = match failed {
        None => "",
        Some(GatewayError::Unsent) => {
            "the broker did not confirm every message: look for an alarm of its disk or memory, a full or a missing queue"
        }
        Some(GatewayError::Queue(QueueError::Unreachable { .. } | QueueError::Broken { .. })) => {
            // One with an alarm leaves whoever sends waiting, as one that is not there does.
            "the broker does not answer: see that it runs, and look for an alarm of its disk or memory"
        }
        Some(_) => "the log of the release job says why",
    };
    let before = gateway.store.read(|tx| meta::find(tx, DOOR))?.unwrap_or_default();
    if before != told {
        gateway.store.write(|tx| meta::set(tx, DOOR, told))?;
    }
    Ok(())
}
