//! Looking at a feed's place: which files are complete, what is promised of them, and where they go
//! once they are taken.
//!
//! A file is *complete* when its sender has said so in the way that the feed declares: it stayed as
//! it is between two looks, a file ending in `.done` stands beside it, or a manifest names it with
//! its control totals. Only content decides what is new; names, lengths and times never do.

pub mod manifest;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::edge::Instant;
use crate::base::limit::{MANIFEST_BYTES_MAX, MANIFESTS_MAX, SAME_SECOND_MS};
use crate::base::seal::KeyedHash;
use crate::config::Complete;
use crate::gateway::feed::Feed;
use crate::gateway::fetch::manifest::Control;
use crate::gateway::{Gateway, GatewayError};
use crate::store::Tx;
use crate::store::seen_file::{self, SeenFile};
use crate::transport::place::{Entry, FetchError, Moved, Place, Visit};

/// A place that was looked at.
pub struct Look {
    /// The place, open.
    pub visit: Visit,
    /// The files that are complete, by name.
    pub offered: Vec<Offered>,
    /// Files that are not complete yet.
    pub waiting: Vec<Waiting>,
    /// What could not be used, each for its own reason.
    pub failed: Vec<GatewayError>,
    /// The manifests, each with the files it names.
    manifests: Vec<(Entry, Vec<String>)>,
}

/// A file that may be taken.
#[derive(Debug, Clone)]
pub struct Offered {
    /// The file.
    pub entry: Entry,
    /// Its content, where it was read before and has not been touched since; only of places where
    /// reading costs.
    pub known: Option<KeyedHash>,
    /// What a manifest promises of it.
    pub control: Option<Control>,
    /// The file that says that it is complete.
    marker: Option<Entry>,
}

impl Offered {
    /// A file of which nothing is known.
    #[must_use]
    pub const fn new(entry: Entry) -> Self {
        Self { entry, known: None, control: None, marker: None }
    }
}

/// A file that is not complete yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The file.
    pub path: PathBuf,
    /// What it waits for.
    pub why: Why,
}

/// What a file waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Another look that finds it as it is, so many seconds from now.
    Look {
        /// Seconds.
        again_in_s: i64,
    },
    /// The file that ends in `.done`, later than itself.
    Done,
    /// A manifest that names it.
    Manifest,
    /// Itself: a manifest names it, and it is not there.
    Absent,
}

impl Why {
    /// In words.
    #[must_use]
    pub fn told(self) -> String {
        match self {
            Self::Look { again_in_s } => {
                format!("it is new or was changed; it is taken if it is the same in {again_in_s} s")
            }
            Self::Done => "the file that ends in .done is not there yet, or is older".to_owned(),
            Self::Manifest => "no manifest names it yet".to_owned(),
            Self::Absent => "a manifest names it, and it is not there yet".to_owned(),
        }
    }
}

/// Looks at a feed's place; or at one file instead, which is taken as it is.
///
/// # Errors
/// Where the place cannot be used, or the store fails.
pub fn look(gateway: &Gateway, feed: &Feed, file: Option<&Path>) -> Result<Look, GatewayError> {
    let place = file.map_or_else(|| feed.place(), |file| Place::Folder(file.to_owned()));
    let mut visit = place.visit()?;
    let is_of_feed = |name: &str| file.is_some() || feed.takes(name);
    let entries = visit.list(&is_of_feed)?;
    let mut look =
        Look { visit, offered: Vec::new(), waiting: Vec::new(), failed: Vec::new(), manifests: Vec::new() };
    match feed.fetch.complete {
        _ if file.is_some() => look.offered = entries.into_iter().map(Offered::new).collect(),
        Complete::AtOnce => look.offered = entries.into_iter().map(Offered::new).collect(),
        Complete::Stable => look.stable(gateway, feed, entries)?,
        Complete::Done => look.done(entries),
        Complete::Manifest => look.by_manifest(gateway, feed, entries)?,
    }
    if file.is_none() && feed.reading_costs() {
        look.remember(gateway, feed)?;
    }
    Ok(look)
}

impl Look {
    /// Files that stayed as they are since a look at least so long ago.
    fn stable(&mut self, gateway: &Gateway, feed: &Feed, entries: Vec<Entry>) -> Result<(), GatewayError> {
        let now = gateway.edge.now();
        for entry in entries {
            let since = gateway.store.write(|tx| see(tx, gateway, feed, &entry))?;
            let waited_ms = now.unix_ms().saturating_sub(since.unix_ms());
            let left_s = feed.fetch.stable_s.saturating_sub(waited_ms / 1_000);
            // A first look never suffices, however short the time.
            if waited_ms > 0 && left_s <= 0 {
                self.offered.push(Offered::new(entry));
            } else {
                self.waiting.push(Waiting { path: entry.path, why: Why::Look { again_in_s: left_s.max(1) } });
            }
        }
        Ok(())
    }

    /// Files beside which `NAME.done` stands, or their name with `.done` for its ending.
    fn done(&mut self, entries: Vec<Entry>) {
        let is_marker = |entry: &Entry| entry.name.to_lowercase().ends_with(DONE);
        let (markers, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_marker);
        let markers: BTreeMap<String, Entry> =
            markers.into_iter().map(|marker| (marker.name.to_lowercase(), marker)).collect();
        for entry in files {
            let name = entry.name.to_lowercase();
            let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
            let found = [format!("{name}{DONE}"), format!("{stem}{DONE}")];
            let marker = found.iter().find_map(|name| markers.get(name));
            match marker {
                // One that is left from yesterday says nothing of a file that was written since.
                Some(marker) if marker.modified_ms >= entry.modified_ms => {
                    self.offered.push(Offered { marker: Some(marker.clone()), ..Offered::new(entry) });
                }
                _ => self.waiting.push(Waiting { path: entry.path, why: Why::Done }),
            }
        }
    }

    /// Files that a manifest names. Of two that name one file the later counts.
    fn by_manifest(
        &mut self,
        gateway: &Gateway,
        feed: &Feed,
        entries: Vec<Entry>,
    ) -> Result<(), GatewayError> {
        let (mut manifests, files): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| feed.is_manifest(&entry.name));
        manifests.sort_by(|one, other| (one.modified_ms, &one.name).cmp(&(other.modified_ms, &other.name)));
        if let Some(first) = manifests.first()
            && manifests.len() > MANIFESTS_MAX
        {
            return Err(GatewayError::TooMany { path: first.path.clone() });
        }
        let mut promised: BTreeMap<String, Control> = BTreeMap::new();
        for entry in manifests {
            match read_manifest(&mut self.visit, &entry) {
                Ok(controls) => {
                    let names = controls.iter().map(|control| control.name.clone()).collect();
                    promised.extend(controls.into_iter().map(|control| (control.name.clone(), control)));
                    self.manifests.push((entry, names));
                }
                Err(error) => self.failed.push(error),
            }
        }
        for entry in files {
            match promised.remove(&entry.name) {
                Some(control) => {
                    self.offered.push(Offered { control: Some(control), ..Offered::new(entry) });
                }
                None => self.waiting.push(Waiting { path: entry.path, why: Why::Manifest }),
            }
        }
        for (name, control) in promised {
            // One that was taken and is gone since is missed by nobody.
            let seen = gateway.store.read(|tx| find(tx, gateway, feed, &name))?;
            if seen.is_none_or(|seen| seen.content_hash.is_none()) {
                self.waiting.push(Waiting { path: control.beside.join(&name), why: Why::Absent });
            }
        }
        Ok(())
    }

    /// What is known of files that were read before and not touched since.
    fn remember(&mut self, gateway: &Gateway, feed: &Feed) -> Result<(), GatewayError> {
        for offered in &mut self.offered {
            let seen = gateway.store.read(|tx| find(tx, gateway, feed, &offered.entry.name))?;
            offered.known = seen
                .filter(|seen| is_as(seen, &offered.entry))
                .and_then(|seen| KeyedHash::from_slice(seen.content_hash.as_deref()?));
        }
        Ok(())
    }

    /// Moves a file that was taken into the feed's archive, with what stood beside it.
    ///
    /// # Errors
    /// Where it cannot be moved, for another reason than that the account may not.
    pub fn archive(&mut self, feed: &Feed, offered: &Offered) -> Result<Moved, FetchError> {
        let Some(folder) = feed.archive() else { return Ok(Moved::Forbidden) };
        let moved = self.visit.archive(&offered.entry, &folder)?;
        if let (Moved::Away, Some(marker)) = (moved, &offered.marker) {
            self.visit.archive(marker, &folder)?;
        }
        Ok(moved)
    }

    /// Moves the manifests away of which no file is there any more.
    ///
    /// # Errors
    /// As [`archive`](Self::archive).
    pub fn archive_manifests(&mut self, feed: &Feed) -> Result<(), FetchError> {
        let Some(folder) = feed.archive() else { return Ok(()) };
        if self.manifests.is_empty() || !self.waiting.is_empty() {
            return Ok(());
        }
        let left = self.visit.list(&|name| feed.takes(name))?;
        for (entry, names) in std::mem::take(&mut self.manifests) {
            if !left.iter().any(|file| names.contains(&file.name)) {
                self.visit.archive(&entry, &folder)?;
            }
        }
        Ok(())
    }
}

/// The ending of a file that says that another is complete.
const DONE: &str = ".done";

fn read_manifest(visit: &mut Visit, entry: &Entry) -> Result<Vec<Control>, GatewayError> {
    let path = &entry.path;
    let bytes = visit.read(entry, |read| {
        let mut bytes = Vec::new();
        let bounded = &mut std::io::Read::take(read, MANIFEST_BYTES_MAX + 1);
        std::io::Read::read_to_end(bounded, &mut bytes)
            .map_err(|source| FetchError::of_reading(path, source))?;
        Ok::<_, GatewayError>(bytes)
    })?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MANIFEST_BYTES_MAX {
        return Err(GatewayError::TooLarge { path: path.clone(), bytes_max: MANIFEST_BYTES_MAX });
    }
    let beside = path.parent().map(Path::to_owned).unwrap_or_default();
    manifest::parse(&entry.name, &beside, &bytes)
        .map_err(|reason| GatewayError::Manifest { path: path.clone(), reason })
}

fn name_hash(gateway: &Gateway, feed: &Feed, name: &str) -> KeyedHash {
    gateway.keys.index.hasher("file-name").hash([
        feed.source.as_bytes(),
        feed.name.as_bytes(),
        name.as_bytes(),
    ])
}

fn find(tx: &mut Tx, gateway: &Gateway, feed: &Feed, name: &str) -> Result<Option<SeenFile>, GatewayError> {
    Ok(seen_file::find(tx, &feed.source, &feed.name, &name_hash(gateway, feed, name))?)
}

fn is_as(seen: &SeenFile, entry: &Entry) -> bool {
    seen.size_bytes == i64::try_from(entry.size_bytes).unwrap_or(i64::MAX)
        && seen.modified_ms == entry.modified_ms
}

fn seen_now(gateway: &Gateway, feed: &Feed, entry: &Entry) -> SeenFile {
    SeenFile {
        source: feed.source.clone(),
        feed: feed.name.clone(),
        name_hash: name_hash(gateway, feed, &entry.name).as_bytes().to_vec(),
        size_bytes: i64::try_from(entry.size_bytes).unwrap_or(i64::MAX),
        modified_ms: entry.modified_ms,
        since: gateway.edge.now().to_string(),
        content_hash: None,
    }
}

/// Writes down how a file is seen now: since when it has been so.
fn see(tx: &mut Tx, gateway: &Gateway, feed: &Feed, entry: &Entry) -> Result<Instant, GatewayError> {
    let now = gateway.edge.now();
    if let Some(seen) = find(tx, gateway, feed, &entry.name)?.filter(|seen| is_as(seen, entry)) {
        return Ok(seen.since.parse().unwrap_or(now));
    }
    seen_file::put(tx, &seen_now(gateway, feed, entry))?;
    Ok(now)
}

/// Writes down what a file was found to hold, where that is asked for later.
pub(super) fn note_content(
    tx: &mut Tx,
    gateway: &Gateway,
    feed: &Feed,
    entry: &Entry,
    content: &KeyedHash,
) -> Result<(), GatewayError> {
    let is_asked_later = feed.reading_costs() || feed.fetch.complete != Complete::AtOnce;
    // What was changed in this very second may be changed again within it, and look the same.
    let age_ms = gateway.edge.now().unix_ms().saturating_sub(entry.modified_ms);
    if !is_asked_later || (0..SAME_SECOND_MS).contains(&age_ms) {
        return Ok(());
    }
    let seen = find(tx, gateway, feed, &entry.name)?.filter(|seen| is_as(seen, entry));
    let mut seen = seen.unwrap_or_else(|| seen_now(gateway, feed, entry));
    let content = Some(content.as_bytes().to_vec());
    if seen.content_hash != content {
        seen.content_hash = content;
        seen_file::put(tx, &seen)?;
    }
    Ok(())
}
