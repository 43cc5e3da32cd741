//! What the watch asks of the store: counts, ids and instants, and no value of anybody.

use crate::base::edge::Instant;
use crate::consent::directive::Scope;
use crate::gateway::hold::HoldShown;
use crate::gateway::show::RunShown;
use crate::gateway::{Gateway, GatewayError};
use crate::store::{hold, intent, quarantine, release, run};

/// The last run of each feed that took what arrived.
///
/// # Errors
/// Where the store fails.
pub fn list_last_of_feeds(gateway: &Gateway) -> Result<Vec<RunShown>, GatewayError> {
    let last = gateway.store.read(run::list_last_of_feeds)?;
    Ok(last.iter().map(RunShown::from).collect())
}

/// The file that a run is of.
///
/// # Errors
/// Where there is no such run, or the store fails.
pub fn batch_of(gateway: &Gateway, run_id: &str) -> Result<String, GatewayError> {
    Ok(gateway.store.read(|tx| run::find(tx, run_id))?.batch_id)
}

/// The runs that are held, and why.
///
/// # Errors
/// Where the store fails.
pub fn list_held(gateway: &Gateway) -> Result<Vec<(RunShown, HoldShown)>, GatewayError> {
    gateway.store.read(|tx| {
        let rows = hold::list_undecided(tx)?;
        rows.into_iter()
            .map(|row| Ok((RunShown::from(&run::find(tx, &row.run_id)?), HoldShown::from(row))))
            .collect()
    })
}

/// When the last file of a feed arrived that was news and was not refused or held.
///
/// # Errors
/// Where the store fails.
pub fn last_news(gateway: &Gateway, source: &str, feed: &str) -> Result<Option<Instant>, GatewayError> {
    let at = gateway.store.read(|tx| run::find_last_news(tx, source, feed))?;
    Ok(at.and_then(|at| at.parse().ok()))
}

/// Units that are set aside and open, by feed.
///
/// # Errors
/// Where the store fails.
pub fn count_quarantine(gateway: &Gateway) -> Result<Vec<(String, i64)>, GatewayError> {
    let counts = gateway.store.read(quarantine::count_open_by_feed)?;
    Ok(counts.into_iter().map(|(source, feed, n)| (format!("{source}/{feed}"), n)).collect())
}

/// What waits to go to a study.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsent {
    /// How many messages, notices of withdrawal not among them.
    pub messages: i64,
    /// When the oldest of them was laid.
    pub oldest: Option<String>,
    /// How many notices of withdrawal.
    pub notices: i64,
    /// When the oldest of them was laid.
    pub oldest_notice: Option<String>,
}

/// What waits to go to a study.
///
/// # Errors
/// Where the store fails.
pub fn unsent(gateway: &Gateway, study: &str) -> Result<Unsent, GatewayError> {
    gateway.store.read(|tx| {
        let (messages, oldest) = intent::oldest_unsent(tx, study, false)?;
        let (notices, oldest_notice) = intent::oldest_unsent(tx, study, true)?;
        Ok(Unsent { messages, oldest, notices, oldest_notice })
    })
}

/// What the evaluation side owes a notice of withdrawal, and since when.
pub struct NoticeOwed {
    /// When it was laid.
    pub laid_at: Instant,
    /// True until the far side says that it came.
    pub acknowledgement: bool,
    /// True until the far side certifies that the person was removed; never where the withdrawal lets what
    /// was released be kept.
    pub removal: bool,
}

/// What is owed to the notices of a study.
///
/// # Errors
/// Where the store fails.
pub fn list_owed(gateway: &Gateway, study: &str) -> Result<Vec<NoticeOwed>, GatewayError> {
    let notices = gateway.store.read(|tx| release::list_notices(tx, study))?;
    let owed = notices.into_iter().map(|notice| NoticeOwed {
        // One whose day cannot be read is as old as can be: it is told.
        laid_at: notice.laid_at.parse().unwrap_or(Instant::from_unix_ms(0)),
        acknowledgement: notice.acknowledged_at.is_none(),
        removal: notice.removed_at.is_none() && notice.scope == Scope::NoFurtherUse.as_str(),
    });
    Ok(owed.collect())
}
