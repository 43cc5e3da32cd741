//! Alerts: what somebody is to be told, once, until it is over; and that it is, once.
//!
//! An alert names feeds, runs, counts and codes, and what to do. It never holds a value of anybody, a
//! file's name, or the words of a system's error, which may quote either.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::id::AlertId;
use crate::base::limit::{ALERT_PAUSE_S, ALERT_PAUSE_S_MAX, ALERT_TRIES_MAX};
use crate::gateway::{Gateway, GatewayError};
use crate::store::alert::{self, AlertRow};
use crate::store::{StoreError, Tx, alert_end};

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A file was refused, or a sync could not be run.
    RunFailed,
    /// A file is held until somebody decides.
    Held,
    /// A file that was promised did not come.
    FileLate,
    /// What comes in over HTTP is not processed.
    WorkerFailing,
    /// The door does not answer.
    QueueUnreachable,
    /// More and more is set aside.
    QuarantineGrowing,
    /// What was to go out has not gone.
    Undelivered,
    /// A notice of withdrawal has had no answer in time.
    WithdrawalOverdue,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::RunFailed,
        Self::Held,
        Self::FileLate,
        Self::WorkerFailing,
        Self::QueueUnreachable,
        Self::QuarantineGrowing,
        Self::Undelivered,
        Self::WithdrawalOverdue,
    ];

    /// The word stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunFailed => "run-failed",
            Self::Held => "held",
            Self::FileLate => "file-late",
            Self::WorkerFailing => "worker-failing",
            Self::QueueUnreachable => "queue-unreachable",
            Self::QuarantineGrowing => "quarantine-growing",
            Self::Undelivered => "undelivered",
            Self::WithdrawalOverdue => "withdrawal-overdue",
        }
    }
}

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which kind.
    pub kind: Kind,
    /// The feed or study; empty where it is about the gateway.
    pub feed: String,
    /// What tells it from others of its kind: a run, a deadline. Empty where there is only one.
    pub about: String,
    /// The number that makes it worth telling.
    pub count: i64,
    /// What is the matter.
    pub text: String,
    /// What to do.
    pub to_do: String,
}

/// An alert, to be shown or told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AlertShown {
    /// Its id.
    pub id: String,
    /// What kind of trouble.
    pub kind: String,
    /// The feed or study; empty where it is about the gateway.
    pub feed: String,
    /// The run or deadline that it is about; empty for neither.
    pub about: String,
    /// The number that made it worth telling.
    pub count: i64,
    /// What is the matter.
    pub text: String,
    /// What to do.
    pub to_do: String,
    /// Since when.
    pub raised_at: String,
    /// When it was over.
    pub ended_at: Option<String>,
    /// By which ways it was told.
    pub told: Vec<String>,
    /// By which ways it could not be told.
    pub given_up: Vec<String>,
}

impl AlertShown {
    fn new(row: AlertRow) -> Self {
        let AlertRow { id, kind, feed, about, count, text, to_do, raised_at, ended_at } = row;
        let (told, given_up) = (Vec::new(), Vec::new());
        Self { id, kind, feed, about, count, text, to_do, raised_at, ended_at, told, given_up }
    }
}

/// Raises an alert; false where it is raised already.
///
/// # Errors
/// Where the store fails.
pub fn raise(gateway: &Gateway, trouble: &Trouble) -> Result<bool, GatewayError> {
    let kind = trouble.kind.as_str();
    // Most of what is found is known, and need not be written.
    if gateway.store.read(|tx| alert::find_open(tx, kind, &trouble.feed, &trouble.about))?.is_some() {
        return Ok(false);
    }
    let raised = gateway.store.write(|tx| {
        if alert::find_open(tx, kind, &trouble.feed, &trouble.about)?.is_some() {
            return Ok(false);
        }
        alert::create(
            tx,
            &AlertRow {
                id: AlertId::mint(&gateway.edge).to_string(),
                kind: kind.to_owned(),
                feed: trouble.feed.clone(),
                about: trouble.about.clone(),
                count: trouble.count,
                text: trouble.text.clone(),
                to_do: trouble.to_do.clone(),
                raised_at: gateway.edge.now().to_string(),
                ended_at: None,
            },
        )?;
        Ok(true)
    });
    match raised {
        // Another replica found it at the same moment.
        Err(StoreError::Twice) => Ok(false),
        other => Ok(other?),
    }
}

/// Ends the open alerts of a kind that are over. Whoever was told of them is told that.
///
/// # Errors
/// Where the store fails.
pub fn end(
    gateway: &Gateway,
    kind: Kind,
    is_over: &dyn Fn(&AlertShown) -> bool,
) -> Result<usize, GatewayError> {
    end_if(gateway, kind, is_over, true)
}

/// Ends the open alerts of a kind that are raised anew, because it has become worse.
///
/// # Errors
/// Where the store fails.
pub fn end_for_worse(
    gateway: &Gateway,
    kind: Kind,
    is_worse: &dyn Fn(&AlertShown) -> bool,
) -> Result<usize, GatewayError> {
    end_if(gateway, kind, is_worse, false)
}

fn end_if(
    gateway: &Gateway,
    kind: Kind,
    is_over: &dyn Fn(&AlertShown) -> bool,
    is_well: bool,
) -> Result<usize, GatewayError> {
    let over: Vec<String> = list_open(gateway)?
        .into_iter()
        .filter(|open| open.kind == kind.as_str() && is_over(open))
        .map(|open| open.id)
        .collect();
    if over.is_empty() {
        return Ok(0);
    }
    let at = gateway.edge.now().to_string();
    gateway.store.write(|tx| {
        for id in &over {
            // Another replica may have ended it at the same moment.
            if alert::end(tx, id, &at)? && is_well {
                alert_end::lay(tx, id, &at)?;
            }
        }
        Ok(over.len())
    })
}

/// The open alerts, oldest first, with the ways by which they were told.
///
/// # Errors
/// Where the store fails.
pub fn list_open(gateway: &Gateway) -> Result<Vec<AlertShown>, GatewayError> {
    gateway.store.read(|tx| {
        let open = alert::list_open(tx)?;
        with_ways(tx, open)
    })
}

/// The last alerts, open or over, newest first.
///
/// # Errors
/// Where the store fails.
pub fn list_last(gateway: &Gateway, n_max: i64) -> Result<Vec<AlertShown>, GatewayError> {
    gateway.store.read(|tx| {
        let last = alert::list_last(tx, n_max)?;
        with_ways(tx, last)
    })
}

fn with_ways(tx: &mut Tx, rows: Vec<AlertRow>) -> Result<Vec<AlertShown>, GatewayError> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let tellings = alert::list_tellings(tx, &ids)?;
    let mut shown: Vec<AlertShown> = rows.into_iter().map(AlertShown::new).collect();
    for one in &mut shown {
        for telling in tellings.iter().filter(|telling| telling.alert_id == one.id) {
            if telling.told_at.is_some() {
                one.told.push(telling.way.clone());
            } else if telling.given_up_at.is_some() {
                one.given_up.push(telling.way.clone());
            }
        }
    }
    Ok(shown)
}

/// How the telling of an alert ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It was told.
    Yes,
    /// It was not, and is tried again.
    NotYet,
    /// It was not, and trying again helps nothing.
    Never,
}

/// Tells by one way what is to be told by it now. Each is tried as often as it may be, after pauses
/// that grow; of several replicas one tries.
///
/// # Errors
/// Where the store fails.
pub fn tell(
    gateway: &Gateway,
    way: &str,
    by: &mut dyn FnMut(&AlertShown) -> Told,
) -> Result<(), GatewayError> {
    let now = gateway.edge.now();
    if !gateway.store.read(|tx| alert::is_any_untold(tx, &[way], &now.to_string()))? {
        return Ok(());
    }
    let again = |tries: i64| now.plus_s(pause_s(tries)).to_string();
    let claimed = gateway
        .store
        .write(|tx| Ok::<_, GatewayError>(alert::claim_untold(tx, way, &now.to_string(), &again)?))?;
    for (row, tries) in claimed {
        let id = row.id.clone();
        let told = by(&AlertShown::new(row));
        let at = gateway.edge.now().to_string();
        let is_last = tries >= ALERT_TRIES_MAX;
        gateway.store.write(|tx| {
            match told {
                Told::Yes => alert::mark_told(tx, &id, way, &at)?,
                Told::Never => alert::give_up(tx, &id, way, &at)?,
                Told::NotYet if is_last => alert::give_up(tx, &id, way, &at)?,
                Told::NotYet => {}
            }
            Ok::<_, GatewayError>(())
        })?;
    }
    Ok(())
}

/// Tells by one way what is over, to those who were told of it by that way. What is over together is
/// told together: once for a feed and a kind of trouble, by the last alert of it.
///
/// # Errors
/// Where the store fails.
pub fn tell_ends(
    gateway: &Gateway,
    way: &str,
    by: &mut dyn FnMut(&AlertShown) -> Told,
) -> Result<(), GatewayError> {
    let now = gateway.edge.now();
    if !gateway.store.read(|tx| alert_end::is_any_untold(tx, way, &now.to_string()))? {
        return Ok(());
    }
    let due = gateway.store.write(|tx| {
        let due = alert_end::list_untold(tx, way, &now.to_string())?;
        for (row, tries) in &due {
            alert_end::count_try(tx, &row.id, way, &now.plus_s(pause_s(tries + 1)).to_string())?;
        }
        Ok::<_, GatewayError>(due)
    })?;
    let mut together: BTreeMap<(String, String), Vec<(AlertRow, i64)>> = BTreeMap::new();
    for (row, tries) in due {
        together.entry((row.kind.clone(), row.feed.clone())).or_default().push((row, tries));
    }
    for rows in together.into_values() {
        let Some((last, tries)) = rows.last().cloned() else { continue };
        let told = by(&AlertShown::new(last));
        let at = gateway.edge.now().to_string();
        let is_last = tries + 1 >= ALERT_TRIES_MAX;
        gateway.store.write(|tx| {
            for (row, _) in &rows {
                match told {
                    Told::Yes => alert_end::mark_told(tx, &row.id, way, &at)?,
                    Told::Never => alert_end::give_up(tx, &row.id, way, &at)?,
                    Told::NotYet if is_last => alert_end::give_up(tx, &row.id, way, &at)?,
                    Told::NotYet => {}
                }
            }
            Ok::<_, GatewayError>(())
        })?;
    }
    Ok(())
}

/// Seconds before an alert is tried again: four times as long each time.
fn pause_s(tries: i64) -> i64 {
    let times = u32::try_from(tries - 1).unwrap_or_default();
    ALERT_PAUSE_S.saturating_mul(4_i64.saturating_pow(times)).min(ALERT_PAUSE_S_MAX)
}
