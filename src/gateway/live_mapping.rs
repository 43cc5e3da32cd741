//! Which mapping a feed is read through: the one that the configuration names, or one that was
//! promoted, until it is rolled back. Every one that was used is kept by its hash, with its code
//! lists. What is already there is read again by the next sync, as with every change of a mapping.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::base::limit::MAPPING_LOOK_MS;
use crate::gateway::feed::Feed;
use crate::gateway::{Gateway, GatewayError, shadow};
use crate::mapping::Mapping;
use crate::mapping::diagnostic::Source;
use crate::mapping::library::Library;
use crate::store::live_mapping::{self, LiveMapping};
use crate::store::mapping_version::{self, Kept};
use crate::store::{Tx, audit};

/// What a feed is read through after a change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Chosen {
    /// The feed, as `council/cld`.
    pub feed: String,
    /// The mapping's version before.
    pub before: i64,
    /// Its version now.
    pub now: i64,
    /// True if it is what the configuration names.
    pub is_configured: bool,
}

/// Says once in a while, to one caller, that it is time to look which mappings are live: for what takes
/// things in for weeks.
pub struct Lookout {
    gateway: Gateway,
    last_ms: AtomicI64,
}

impl Lookout {
    /// One that has just looked.
    #[must_use]
    pub fn new(gateway: &Gateway) -> Self {
        Self { gateway: gateway.clone(), last_ms: AtomicI64::new(gateway.edge.now().unix_ms()) }
    }

    /// Whether it is time, for this caller.
    #[must_use]
    pub fn is_time(&self) -> bool {
        let now = self.gateway.edge.now().unix_ms();
        let last = self.last_ms.load(Ordering::Relaxed);
        let is_due = now.saturating_sub(last) > MAPPING_LOOK_MS;
        is_due && self.last_ms.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// The feeds as they are read now.
///
/// # Errors
/// Where the store fails, or what it kept is no mapping any more.
pub fn of(gateway: &Gateway, feeds: &[Feed]) -> Result<Vec<Feed>, GatewayError> {
    feeds.iter().map(|feed| one(gateway, feed)).collect()
}

/// A feed as it is read now.
///
/// # Errors
/// As [`of`].
pub fn one(gateway: &Gateway, feed: &Feed) -> Result<Feed, GatewayError> {
    let kept = gateway.store.read(|tx| {
        let chosen = live_mapping::find_last(tx, &feed.source, &feed.name)?;
        let hash = chosen.and_then(|chosen| chosen.mapping_hash).filter(|hash| *hash != feed.mapping.hash);
        Ok::<_, GatewayError>(hash.map(|hash| mapping_version::find(tx, &hash)).transpose()?)
    })?;
    let Some(kept) = kept else { return Ok(feed.clone()) };
    let mut mapping = compile(&kept)?;
    mapping.is_live = feed.mapping.is_live;
    Ok(Feed { mapping: Arc::new(mapping), mapping_text: kept.text, ..feed.clone() })
}

/// A mapping that was kept, ready for use.
///
/// # Errors
/// Where this program cannot use it any more.
pub(super) fn compile(kept: &Kept) -> Result<Mapping, GatewayError> {
    let mut library = Library::default();
    for (name, text) in &kept.code_lists {
        library.add_kept(name, text);
    }
    let shown = format!("{}, version {}", kept.name, kept.version);
    Ok(library.compile(&Source::new(&shown, &kept.text))?)
}

/// Keeps a mapping, by its hash.
pub(super) fn keep(tx: &mut Tx, mapping: &Mapping, text: &str) -> Result<(), GatewayError> {
    let kept = Kept {
        name: mapping.name.clone(),
        version: i64::from(mapping.version),
        text: text.to_owned(),
        code_lists: mapping.code_lists.clone(),
    };
    Ok(mapping_version::keep(tx, &mapping.hash, &kept)?)
}

/// Makes a mapping the live one of a feed; the one that is tried where none is given. Whatever is
/// tried ends with it.
///
/// # Errors
/// Where none is tried, or the store fails.
pub fn promote(
    gateway: &Gateway,
    feed: &Feed,
    new: Option<(&Mapping, &str)>,
) -> Result<Chosen, GatewayError> {
    let live = one(gateway, feed)?;
    if let Some((mapping, _)) = new {
        shadow::check_name(&live, mapping)?;
    }
    gateway.store.write(|tx| {
        let tried = crate::store::shadow::find(tx, &feed.source, &feed.name)?;
        let hash = match (new, &tried) {
            (Some((mapping, text)), _) => {
                keep(tx, mapping, text)?;
                mapping.hash.to_vec()
            }
            (None, Some(tried)) => tried.mapping_hash.clone(),
            (None, None) => return Err(GatewayError::NoShadow { feed: feed.full_name() }),
        };
        if hash == live.mapping.hash {
            return Err(GatewayError::SameMapping { feed: feed.full_name() });
        }
        let at = gateway.edge.now();
        if let Some(tried) = tried {
            crate::store::shadow::end(tx, &tried.id, &at.to_string())?;
        }
        keep(tx, &live.mapping, &live.mapping_text)?;
        let last = live_mapping::find_last(tx, &feed.source, &feed.name)?;
        let before = match last {
            Some(last) => last.number,
            // What the configuration names now is what a rollback goes back to, even if another
            // stands there by then.
            None => choose(tx, gateway, feed, (0, Some(live.mapping.hash.to_vec()), None))?,
        };
        choose(tx, gateway, feed, (before, Some(hash.clone()), Some(before)))?;
        let now = mapping_version::find(tx, &hash)?.version;
        let told = format!("{} version {now}", feed.full_name());
        audit::append_act(tx, &gateway.actor, "mapping promoted", "mapping", &told, 0, at)?;
        Ok(Chosen {
            feed: feed.full_name(),
            before: i64::from(live.mapping.version),
            now,
            is_configured: hash == feed.mapping.hash,
        })
    })
}

/// Goes back to the mapping before the one that was promoted last.
///
/// # Errors
/// Where none was promoted, or the store fails.
pub fn roll_back(gateway: &Gateway, feed: &Feed) -> Result<Chosen, GatewayError> {
    let live = one(gateway, feed)?;
    gateway.store.write(|tx| {
        let last = live_mapping::find_last(tx, &feed.source, &feed.name)?;
        let Some((last, before)) = last.and_then(|last| Some((last.number, last.before?))) else {
            return Err(GatewayError::NotPromoted { feed: feed.full_name() });
        };
        let target = live_mapping::find(tx, &feed.source, &feed.name, before)?;
        // One that the configuration names is not pinned: its next edit counts again.
        let hash = target.mapping_hash.filter(|hash| *hash != feed.mapping.hash);
        choose(tx, gateway, feed, (last, hash.clone(), target.before))?;
        let now = match &hash {
            Some(hash) => mapping_version::find(tx, hash)?.version,
            None => i64::from(feed.mapping.version),
        };
        let told = format!("{} version {now}", feed.full_name());
        let at = gateway.edge.now();
        audit::append_act(tx, &gateway.actor, "mapping rolled back", "mapping", &told, 0, at)?;
        Ok(Chosen {
            feed: feed.full_name(),
            before: i64::from(live.mapping.version),
            now,
            is_configured: hash.is_none(),
        })
    })
}

/// Writes a choice down after the last one; gives its number.
fn choose(
    tx: &mut Tx,
    gateway: &Gateway,
    feed: &Feed,
    (last, mapping_hash, before): (i64, Option<Vec<u8>>, Option<i64>),
) -> Result<i64, GatewayError> {
    let row = LiveMapping {
        source: feed.source.clone(),
        feed: feed.name.clone(),
        number: last + 1,
        mapping_hash,
        before,
        at: gateway.edge.now().to_string(),
        actor: gateway.actor.clone(),
    };
    live_mapping::create(tx, &row)?;
    Ok(row.number)
}
