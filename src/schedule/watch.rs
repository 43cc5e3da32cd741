//! What is worth telling: looked for in the store, so that it is found whoever did the work and
//! whenever they died. Each look raises what is new and ends what is over.

mod outward;
mod withdrawal;

use std::collections::BTreeMap;

use crate::base::edge::Instant;
use crate::base::limit::WAITING_TOLD_S;
use crate::config::{Alert, Missed};
use crate::gateway::alert::{self, AlertShown, Kind, Trouble};
use crate::gateway::show::{self, RunShown};
use crate::gateway::slot::{self, Asked};
use crate::gateway::{Gateway, GatewayError, hold, watched};
use crate::schedule::planned::Planned;
use crate::schedule::timetable::{Due, Timetable};
use crate::transport::place::FetchError;

/// Looks at everything that can be told from the store.
///
/// # Errors
/// Where the store fails.
pub fn look(
    gateway: &Gateway,
    planned: &[Planned],
    studies: &[String],
    settings: &Alert,
) -> Result<(), GatewayError> {
    let last = watched::list_last_of_feeds(gateway)?;
    refused(gateway, &last)?;
    held(gateway)?;
    for planned in planned {
        if let Some(promise) = &planned.promise {
            promised(gateway, planned, promise)?;
        }
    }
    set_aside(gateway, settings.quarantine_max)?;
    waiting(gateway)?;
    outward::look(gateway)?;
    studies.iter().try_for_each(|study| {
        unsent(gateway, study, settings)?;
        withdrawal::look(gateway, study)
    })
}

/// Keeps some of the open alerts of a kind in line with what stands now: what is over ends, what has
/// become more is told again, and what is new is raised.
fn keep(
    gateway: &Gateway,
    kind: Kind,
    is_ours: &dyn Fn(&AlertShown) -> bool,
    standing: &[Trouble],
) -> Result<(), GatewayError> {
    let now =
        |open: &AlertShown| standing.iter().find(|now| now.feed == open.feed && now.about == open.about);
    alert::end(gateway, kind, &|open| is_ours(open) && now(open).is_none())?;
    alert::end_for_worse(gateway, kind, &|open| {
        is_ours(open) && now(open).is_some_and(|now| now.count > open.count)
    })?;
    for trouble in standing {
        alert::raise(gateway, trouble)?;
    }
    Ok(())
}

/// Files that were refused as a whole, until a file of the feed is taken.
fn refused(gateway: &Gateway, last: &[RunShown]) -> Result<(), GatewayError> {
    for run in last.iter().filter(|run| run.state == "failed" && !run.is_thrown_away()) {
        let short = run.id.get(run.id.len().saturating_sub(8)..).unwrap_or_default();
        alert::raise(
            gateway,
            &Trouble {
                kind: Kind::RunFailed,
                feed: run.feed.clone(),
                about: watched::batch_of(gateway, &run.id)?,
                count: run.findings.error,
                text: format!(
                    "{}: the file was refused, and nothing of it was taken ({} errors)",
                    run.feed, run.findings.error
                ),
                to_do: format!(
                    "`wayleave run show {short}` says what is wrong and what to do; send the file again when it is mended"
                ),
            },
        )?;
    }
    alert::end(gateway, Kind::RunFailed, &|open| {
        !open.about.starts_with(SLOT)
            && last.iter().any(|run| {
                run.feed == open.feed && !["failed", "receiving", "processing"].contains(&run.state.as_str())
            })
    })?;
    Ok(())
}

/// What an alert about a slot begins with.
const SLOT: &str = "slot/";

/// Says that the sync of a slot could not be run.
///
/// # Errors
/// Where the store fails.
pub fn slot_failed(
    gateway: &Gateway,
    feed: &str,
    slot: Instant,
    error: &GatewayError,
) -> Result<(), GatewayError> {
    let at = slot.to_string();
    let at = at.get(..16).unwrap_or_default().replace('T', " ");
    alert::raise(
        gateway,
        &Trouble {
            kind: Kind::RunFailed,
            feed: feed.to_owned(),
            about: SLOT.to_owned(),
            count: 1,
            text: format!("{feed}: the sync of {at} UTC could not be run: {}", cause(error)),
            to_do: format!("`wayleave check` says what is not in place; then run `wayleave sync {feed}`"),
        },
    )?;
    Ok(())
}

/// Says that a sync of a feed was run to its end.
///
/// # Errors
/// Where the store fails.
pub fn slot_done(gateway: &Gateway, feed: &str) -> Result<(), GatewayError> {
    alert::end(gateway, Kind::RunFailed, &|open| open.feed == feed && open.about.starts_with(SLOT))?;
    Ok(())
}

/// Why a sync could not be run, in words that quote nothing: an error's own words may hold the name of
/// a file, and that may be somebody's.
#[must_use]
pub const fn cause(error: &GatewayError) -> &'static str {
    match error {
        GatewayError::Store(_) => "the database failed",
        GatewayError::Key(_) | GatewayError::Seal(_) => "a key cannot be used",
        GatewayError::Queue(_) | GatewayError::Unsent => "the queue failed",
        GatewayError::Protocol(_) => "a study protocol cannot be used",
        GatewayError::Mapping(_)
        | GatewayError::NotEvents { .. }
        | GatewayError::NotMessages { .. }
        | GatewayError::NoShadow { .. }
        | GatewayError::SameMapping { .. }
        | GatewayError::OtherMapping { .. }
        | GatewayError::OtherFormat { .. }
        | GatewayError::NotPromoted { .. } => "a mapping cannot be used",
        GatewayError::Fetch(FetchError::Silent { .. }) => {
            "its folder does not answer; see whether the share is still mounted"
        }
        GatewayError::Fetch(_) => "its place cannot be reached or read",
        GatewayError::Manifest { .. } => "its manifest cannot be used",
        GatewayError::Control { .. } => "a file is not what its manifest says",
        GatewayError::Mesh(_)
        | GatewayError::Mllp(_)
        | GatewayError::Http(_)
        | GatewayError::BareReceiver { .. } => "another system cannot be reached",
        GatewayError::Agreement(_) | GatewayError::Plan { .. } => "an agreement or a flow cannot be used",
        GatewayError::File { .. } | GatewayError::Format(_) => "its folder, or a file in it, cannot be read",
        GatewayError::Changing { .. } => "a file is still being written",
        GatewayError::TooLarge { .. } => "a file is too large",
        GatewayError::TooMany { .. } => "its folder holds too many files",
        GatewayError::Secrets { .. } => "its webhook secrets cannot be used",
        GatewayError::Elsewhere { .. } => "another process is working on it",
        GatewayError::NoFeed { .. }
        | GatewayError::NoApiKey { .. }
        | GatewayError::NoRun { .. }
        | GatewayError::NoRecord { .. }
        | GatewayError::OfRestricted { .. }
        | GatewayError::NotKept { .. }
        | GatewayError::NotHeld { .. }
        | GatewayError::NothingSetAside
        | GatewayError::TooManyUnits { .. }
        | GatewayError::NoSuchPerson { .. } => "something that it names is not there",
        GatewayError::Stopping | GatewayError::Stopped => "it was stopped",
    }
}

/// Files that are held, until somebody decides.
fn held(gateway: &Gateway) -> Result<(), GatewayError> {
    let held = watched::list_held(gateway)?;
    for (run, why) in &held {
        alert::raise(
            gateway,
            &Trouble {
                kind: Kind::Held,
                feed: run.feed.clone(),
                about: run.id.clone(),
                count: why.part,
                text: format!("{}: a file is {}; nothing of it has taken effect", run.feed, run.note),
                to_do: hold::to_do(&run.id),
            },
        )?;
    }
    alert::end(gateway, Kind::Held, &|open| held.iter().all(|(run, _)| run.id != open.about))?;
    Ok(())
}

/// A promise of a feed: broken if no file that was news came between the deadline before and this one.
/// A promise that is new begins with the next deadline.
fn promised(gateway: &Gateway, planned: &Planned, promise: &Timetable) -> Result<(), GatewayError> {
    let (source, name) = (&planned.feed.source, &planned.feed.name);
    let feed = planned.feed.full_name();
    let now = gateway.edge.now();
    let news = watched::last_news(gateway, source, name)?;
    let is_kept = |deadline: Instant| {
        let before = promise.last_by(Instant::from_unix_ms(deadline.unix_ms() - 1)).map(|slot| slot.at);
        news.is_some_and(|news| before.is_none_or(|before| news > before))
    };
    let own = format!("promise/{feed}");
    let due = |last| match promise.due(last, now, Missed::CatchUp, 0) {
        Due::Run(slot) => Asked::PassOver(slot.at),
        Due::Nothing | Due::PassOver(_) => Asked::Nothing,
    };
    if let Some(deadline) = slot::peek(gateway, &own, &due)?
        && !is_kept(deadline)
    {
        alert::raise(
            gateway,
            &Trouble {
                kind: Kind::FileLate,
                feed: feed.clone(),
                about: deadline.to_string(),
                count: 1,
                text: format!("{feed}: no new file came by {}, as was promised", promise.shown(deadline)),
                to_do: "ask whoever sends it whether the export was run; a file that is the same as before does not count".to_owned(),
            },
        )?;
    }
    slot::claim(gateway, &own, "promise", &due)?;
    alert::end(gateway, Kind::FileLate, &|open| open.feed == feed && open.about.parse().is_ok_and(is_kept))?;
    Ok(())
}

/// Feeds of which too much is set aside; told again when it is twice as much.
fn set_aside(gateway: &Gateway, units_max: i64) -> Result<(), GatewayError> {
    let open: BTreeMap<String, i64> = watched::count_quarantine(gateway)?.into_iter().collect();
    let now = |feed: &str| open.get(feed).copied().unwrap_or_default();
    alert::end(gateway, Kind::QuarantineGrowing, &|told| now(&told.feed) <= units_max)?;
    alert::end_for_worse(gateway, Kind::QuarantineGrowing, &|told| {
        now(&told.feed) >= told.count.saturating_mul(2)
    })?;
    for (feed, count) in open.iter().filter(|(_, count)| **count > units_max) {
        alert::raise(
            gateway,
            &Trouble {
                kind: Kind::QuarantineGrowing,
                feed: feed.clone(),
                about: String::new(),
                count: *count,
                text: format!("{feed}: {count} units are set aside and wait for somebody"),
                to_do: format!(
                    "`wayleave quarantine list` shows them; `wayleave mapping drift {feed} FILE` says whether the layout has changed"
                ),
            },
        )?;
    }
    Ok(())
}

/// What came in over HTTP and nobody reads.
fn waiting(gateway: &Gateway) -> Result<(), GatewayError> {
    let waiting = show::waiting(gateway)?;
    let oldest: Option<Instant> = waiting.oldest.as_ref().and_then(|oldest| oldest.parse().ok());
    let is_late = oldest.is_some_and(|oldest| oldest.plus_s(WAITING_TOLD_S) < gateway.edge.now());
    if !is_late {
        alert::end(gateway, Kind::WorkerFailing, &|open| open.about == WAITING)?;
        return Ok(());
    }
    alert::raise(
        gateway,
        &Trouble {
            kind: Kind::WorkerFailing,
            feed: String::new(),
            about: WAITING.to_owned(),
            count: waiting.requests,
            text: format!("{} requests came in and are not processed", waiting.requests),
            to_do: "see whether a `wayleave serve` with the role worker runs, and what its log says"
                .to_owned(),
        },
    )?;
    Ok(())
}

const WAITING: &str = "waiting";

/// What was to go to a study and has not gone.
fn unsent(gateway: &Gateway, study: &str, settings: &Alert) -> Result<(), GatewayError> {
    let unsent = watched::unsent(gateway, study)?;
    let now = gateway.edge.now();
    let is_late = |oldest: &Option<String>, seconds: i64| {
        oldest
            .as_ref()
            .and_then(|oldest| oldest.parse::<Instant>().ok())
            .is_some_and(|at| at.plus_s(seconds) < now)
    };
    let notices = is_late(&unsent.oldest_notice, settings.notice_hours.saturating_mul(3_600));
    let others = is_late(&unsent.oldest, settings.unsent_days.saturating_mul(86_400));
    alert::end(gateway, Kind::Undelivered, &|open| {
        open.feed == study && ((open.about == NOTICES && !notices) || (open.about == MESSAGES && !others))
    })?;
    let told = [
        (
            notices,
            NOTICES,
            unsent.notices,
            format!("notices of withdrawal have waited for more than {} hours", settings.notice_hours),
        ),
        (
            others,
            MESSAGES,
            unsent.messages,
            format!("messages wait, some for more than {} days", settings.unsent_days),
        ),
    ];
    for (_, about, count, text) in told.into_iter().filter(|(is_late, ..)| *is_late) {
        alert::raise(
            gateway,
            &Trouble {
                kind: Kind::Undelivered,
                feed: study.to_owned(),
                about: about.to_owned(),
                count,
                text: format!("{study}: {count} {text}"),
                to_do: format!("run `wayleave study release {study}`, or see why it does not run by itself"),
            },
        )?;
    }
    Ok(())
}

const NOTICES: &str = "notices";
const MESSAGES: &str = "messages";
