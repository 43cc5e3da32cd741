//! Step one, *receive*: the file is kept, sealed, whole or not at all, before anything is made of
//! it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use crate::base::id::{BatchId, RunId};
use crate::base::limit::KEPT_PIECE_BYTES;
use crate::base::private::Private;
use crate::base::seal::{DataKey, KeyedHash};
use crate::config::Scope;
use crate::gateway::feed::Feed;
use crate::gateway::{Gateway, GatewayError, kept};
use crate::mapping::Snapshot;
use crate::store::batch::{self, Batch};
use crate::store::run::{self, Run, State};
use crate::store::{Tx, mapping_version, meta};

/// What became of a file.
#[derive(Debug, Clone)]
pub enum Received {
    /// It is kept, and the run waits to be processed.
    New(Box<Run>),
    /// It was delivered before: nothing to do.
    NoNews,
}

/// Takes a file of a feed.
///
/// `is_last` says that no later file of the feed is there. A full file that says what an earlier
/// one said, but not the last one, is news: everything went back.
///
/// # Errors
/// Where the file cannot be read, is too large or is still being written, or the store fails.
pub fn receive(gateway: &Gateway, feed: &Feed, file: &Path, is_last: bool) -> Result<Received, GatewayError> {
    let (content, size) = hash(gateway, feed, file)?;
    let (same, last_id) = gateway.store.read(|tx| {
        let same = batch::find_by_content(tx, &feed.source, &feed.name, &content)?;
        let last = batch::find_last(tx, &feed.source, &feed.name)?;
        Ok::<_, GatewayError>((same, last.map(|last| last.id)))
    })?;
    let is_last_delivered = same.as_ref().map(|same| &same.id) == last_id.as_ref();
    let went_back = is_last && feed.mapping.snapshot == Snapshot::Full && !is_last_delivered;
    if let Some(same) = same.filter(|_same| !went_back) {
        let last = gateway.store.read(|tx| run::find_last_of_batch(tx, &same.id))?;
        return match last {
            Some(last) if last.state == State::Failed.as_str() && same.wrapped_key.is_some() => {
                let note = "tried again: this file was refused before";
                begin_again(gateway, feed, &same, note).map(|run| Received::New(Box::new(run)))
            }
            _ => Ok(Received::NoNews),
        };
    }
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    gateway
        .store
        .write(|tx| {
            if batch::find_last(tx, &feed.source, &feed.name)?.map(|last| last.id) != last_id {
                return Err(GatewayError::Elsewhere { what: feed.full_name() });
            }
            keep(tx, gateway, feed, file, (&name, size), &content)
        })
        .map(|run| Received::New(Box::new(run)))
}

/// A new run over a batch that is kept already.
///
/// # Errors
/// Where the store fails.
pub fn begin_again(gateway: &Gateway, feed: &Feed, batch: &Batch, note: &str) -> Result<Run, GatewayError> {
    gateway.store.write(|tx| {
        let again = new_run(tx, gateway, feed, &batch.id, note)?;
        run::create(tx, &again)?;
        Ok(again)
    })
}

/// The note of a run that found nothing new.
pub(super) const NO_NEWS: &str = "no news: the same file as before";

/// Writes down that a feed brought nothing new: a finished run without units, so that `run list`
/// shows the night it was looked for.
///
/// # Errors
/// Where the store fails.
pub fn note_no_news(gateway: &Gateway, feed: &Feed) -> Result<(), GatewayError> {
    let at = gateway.edge.now().to_string();
    gateway.store.write(|tx| {
        let Some(last) = batch::find_last(tx, &feed.source, &feed.name)? else { return Ok(()) };
        let known_mark = run::find_last_of_batch(tx, &last.id)?.map(|run| run.known_mark);
        let mut none = new_run(tx, gateway, feed, &last.id, NO_NEWS)?;
        State::Finished.as_str().clone_into(&mut none.state);
        none.finished_at = Some(at.clone());
        none.known_mark = known_mark.unwrap_or_default();
        Ok(run::create(tx, &none)?)
    })
}

/// The kept files of a feed that are due to be read again, each with why: rows of theirs were
/// passed over when fewer people were known, or another version of the mapping read them. Of full files only the last: what an older one held is past.
///
/// # Errors
/// Where the store fails.
pub fn to_read_again(gateway: &Gateway, feed: &Feed) -> Result<Vec<(Batch, String)>, GatewayError> {
    gateway.store.read(|tx| {
        let is_asking = feed.scope == Scope::Known;
        let mark = known_mark(tx, &feed.source)?;
        let mut kept = batch::list_kept(tx, &feed.source, &feed.name)?;
        if feed.mapping.snapshot == Snapshot::Full
            && let Some(last) = kept.pop()
        {
            kept = vec![last];
        }
        let mut again = Vec::new();
        for batch in kept {
            let last = run::find_last_of_batch(tx, &batch.id)?;
            let note = match last {
                Some(run) if run.state == State::Failed.as_str() => continue,
                Some(run) if run.mapping_hash != feed.mapping.hash => "read again: the mapping has changed",
                Some(run) if is_asking && run.filtered > 0 && run.known_mark < mark => {
                    "read again: more people are known to a programme"
                }
                _ => continue,
            };
            again.push((batch, note.to_owned()));
        }
        Ok(again)
    })
}

/// How often more people have become known by other sources than this one.
pub(super) fn known_mark(tx: &mut Tx, source: &str) -> Result<i64, GatewayError> {
    let own = known_name(source);
    let marks = meta::list_numbers(tx, "known/")?;
    Ok(marks.iter().filter(|(name, _)| *name != own).map(|(_, number)| number).sum())
}

/// The name under which a source's mark stands.
pub(super) fn known_name(source: &str) -> String {
    format!("known/{source}")
}

/// A run over a batch, about to begin.
pub(super) fn new_run(
    tx: &mut Tx,
    gateway: &Gateway,
    feed: &Feed,
    batch_id: &str,
    note: &str,
) -> Result<Run, GatewayError> {
    let mapping = &feed.mapping;
    mapping_version::keep(tx, &mapping.hash, &mapping.name, i64::from(mapping.version), &feed.mapping_text)?;
    Ok(Run {
        id: RunId::mint(&gateway.edge).to_string(),
        batch_id: batch_id.to_owned(),
        source: feed.source.clone(),
        feed: feed.name.clone(),
        mapping_hash: mapping.hash.to_vec(),
        state: State::Processing.as_str().to_owned(),
        started_at: gateway.edge.now().to_string(),
        known_mark: known_mark(tx, &feed.source)?,
        note: note.to_owned(),
        ..Run::default()
    })
}

fn keep(
    tx: &mut Tx,
    gateway: &Gateway,
    feed: &Feed,
    file: &Path,
    (name, size): (&str, u64),
    expected: &KeyedHash,
) -> Result<Run, GatewayError> {
    let (edge, hasher) = (&gateway.edge, gateway.keys.index.hasher("content"));
    let id = BatchId::mint(edge).to_string();
    let key = DataKey::generate(edge);
    batch::create(
        tx,
        &Batch {
            id: id.clone(),
            source: feed.source.clone(),
            feed: feed.name.clone(),
            content_hash: expected.as_bytes().to_vec(),
            name_sealed: key
                .seal(edge, &format!("{id}/name"), &Private::new(name.as_bytes().to_vec()))
                .as_bytes()
                .to_vec(),
            size_bytes: i64::try_from(size).unwrap_or(i64::MAX),
            wrapped_key: Some(gateway.keys.master.wrap(edge, &id, &key).as_bytes().to_vec()),
            received_at: edge.now().to_string(),
        },
    )?;
    let mut pieces = Vec::new();
    each_piece(feed, file, |piece| {
        let position = pieces.len();
        pieces.push(hasher.hash([piece.as_slice()]));
        let label = kept::piece_label(&id, u64::try_from(position).unwrap_or(u64::MAX));
        let sealed = key.seal(edge, &label, &Private::new(piece));
        batch::keep_piece(tx, &id, i64::try_from(position).unwrap_or(i64::MAX), &sealed)?;
        Ok(())
    })?;
    if kept::content_hash(gateway, &pieces) != *expected {
        return Err(GatewayError::Changing { path: file.to_owned() });
    }
    let received = new_run(tx, gateway, feed, &id, "")?;
    run::create(tx, &received)?;
    Ok(received)
}

/// The hash and length of a file.
fn hash(gateway: &Gateway, feed: &Feed, file: &Path) -> Result<(KeyedHash, u64), GatewayError> {
    let hasher = gateway.keys.index.hasher("content");
    let mut pieces = Vec::new();
    let mut size = 0;
    each_piece(feed, file, |piece| {
        size += u64::try_from(piece.len()).unwrap_or_default();
        pieces.push(hasher.hash([Zeroizing::new(piece).as_slice()]));
        Ok(())
    })?;
    Ok((kept::content_hash(gateway, &pieces), size))
}

/// Reads a file piece by piece, within its bound.
fn each_piece(
    feed: &Feed,
    file: &Path,
    mut take: impl FnMut(Vec<u8>) -> Result<(), GatewayError>,
) -> Result<(), GatewayError> {
    let unreadable = |source| GatewayError::File { path: file.to_owned(), source };
    let mut open = File::open(file).map_err(unreadable)?;
    let piece_bytes = u64::try_from(KEPT_PIECE_BYTES).unwrap_or(u64::MAX);
    let mut total = 0;
    loop {
        let mut piece = Vec::with_capacity(KEPT_PIECE_BYTES);
        let n = open.by_ref().take(piece_bytes).read_to_end(&mut piece).map_err(unreadable)?;
        if n == 0 {
            return Ok(());
        }
        total += u64::try_from(n).unwrap_or_default();
        if total > feed.file_bytes_max {
            return Err(GatewayError::TooLarge { path: file.to_owned(), bytes_max: feed.file_bytes_max });
        }
        take(piece)?;
    }
}
