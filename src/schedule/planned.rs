//! What the configuration plans for each feed.

use crate::config::{Config, Missed, Scope, Timing};
use crate::gateway::feed::Feed;
use crate::schedule::timetable::{Timetable, TimetableError};

/// A feed and its times.
#[derive(Clone)]
pub struct Planned {
    /// The feed.
    pub feed: Feed,
    /// When it is synced; none where nothing is said.
    pub slots: Option<Timetable>,
    /// What becomes of a slot that was missed.
    pub missed: Missed,
    /// By when a new file is promised; none where nothing is.
    pub promise: Option<Timetable>,
}

/// Why what is planned cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{key} of `{feed}`: {source}")]
pub struct NotPlanned {
    /// The feed.
    pub feed: String,
    /// The setting.
    pub key: &'static str,
    /// What is wrong with it.
    pub source: TimetableError,
}

/// The feeds with their times; feeds that say who is known come before those that ask.
///
/// # Errors
/// Where an expression or a zone cannot be read.
pub fn plan(config: &Config, feeds: &[Feed]) -> Result<Vec<Planned>, NotPlanned> {
    let mut planned = feeds.iter().map(|feed| plan_one(config, feed)).collect::<Result<Vec<_>, _>>()?;
    planned.sort_by_key(|planned| planned.feed.scope != Scope::Defines);
    Ok(planned)
}

fn plan_one(config: &Config, feed: &Feed) -> Result<Planned, NotPlanned> {
    let nothing = Timing::default();
    let of_source = config.source.get(&feed.source);
    let source = of_source.map_or(&nothing, |source| &source.schedule);
    let own =
        of_source.and_then(|source| source.feed.get(&feed.name)).map_or(&nothing, |feed| &feed.schedule);
    let zone = first(&[&own.time_zone, &source.time_zone, &config.schedule.time_zone]);
    let timetable = |key: &'static str, text: &str| match text {
        "" => Ok(None),
        text => Timetable::parse(text, zone).map(Some).map_err(|source| NotPlanned {
            feed: feed.full_name(),
            key,
            source,
        }),
    };
    Ok(Planned {
        feed: feed.clone(),
        slots: timetable("schedule.sync", first(&[&own.sync, &source.sync]))?,
        missed: own.missed.or(source.missed).unwrap_or(config.schedule.missed),
        promise: timetable("schedule.expected", first(&[&own.expected, &source.expected]))?,
    })
}

fn first<'t>(texts: &[&'t str]) -> &'t str {
    texts.iter().find(|text| !text.is_empty()).copied().unwrap_or_default()
}
