//! Step one, *receive*: the file is kept, sealed, whole or not at all, before anything is made of
//! it.

use crate::base::id::RunId;
use crate::base::limit::STORE_TRIES_MAX;
use crate::base::private::Private;
use crate::base::seal::KeyedHash;
use crate::config::Scope;
use crate::gateway::feed::Feed;
use crate::gateway::fetch::{self, Offered};
use crate::gateway::spool::Spool;
use crate::gateway::{Gateway, GatewayError, live_mapping};
use crate::mapping::Snapshot;
use crate::record::kind::Kind;
use crate::store::batch::{self, Batch};
use crate::store::run::{self, Run, State};
use crate::store::{Tx, meta};
use crate::transport::place::Visit;

/// What became of a file.
#[derive(Debug, Clone)]
pub enum Received {
    /// It is kept, and the run waits to be processed.
    New(Box<Run>),
    /// It was delivered before: nothing to do.
    NoNews,
}

/// Takes a file that was sent, and lies in no place.
///
/// # Errors
/// Where the store fails, or another takes a file of the feed all the while.
pub(super) fn receive_sent(gateway: &Gateway, feed: &Feed, spool: &Spool) -> Result<Received, GatewayError> {
    settle(gateway, feed, None, spool, true)
}

/// Takes a file of a feed out of its place.
///
/// `is_last` says that no later file of the feed is there. A full file that says what an earlier
/// one said, but not the last one, is news: everything went back.
///
/// # Errors
/// Where the file cannot be read, is too large, is still being written or is not what its manifest
/// says, or the store fails.
pub fn receive_from(
    gateway: &Gateway,
    feed: &Feed,
    visit: &mut Visit,
    offered: &Offered,
    is_last: bool,
) -> Result<Received, GatewayError> {
    let entry = &offered.entry;
    if let Some(content) = &offered.known {
        let same = gateway.store.read(|tx| batch::find_by_content(tx, &feed.source, &feed.name, content))?;
        if let Some(same) = same
            && !is_dropped(gateway, feed, &same)?
        {
            return again(gateway, feed, &same);
        }
    }
    let spool = visit.read(entry, |read| Spool::fill(gateway, feed, &entry.path, read))?;
    let is_changing = visit.look(entry)?.is_some_and(|now| !now.is_as(entry));
    if is_changing || spool.size_bytes != entry.size_bytes {
        return Err(GatewayError::Changing { path: entry.path.clone() });
    }
    if let Some(control) = &offered.control
        && let Some((expected, found)) = control.mismatch(spool.size_bytes, spool.sha256)
    {
        let (path, manifest) = (entry.path.clone(), control.manifest.clone());
        return Err(GatewayError::Control { path, manifest, expected, found });
    }
    settle(gateway, feed, Some(offered), &spool, is_last)
}

/// Decides what becomes of a file, again where another took one of this feed in between.
fn settle(
    gateway: &Gateway,
    feed: &Feed,
    offered: Option<&Offered>,
    spool: &Spool,
    is_last: bool,
) -> Result<Received, GatewayError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match decide(gateway, feed, offered, spool, is_last) {
            // Another took a file of this feed in between: very likely this one.
            Err(GatewayError::Elsewhere { .. }) if tries < STORE_TRIES_MAX => {}
            decided => return decided,
        }
    }
}

fn decide(
    gateway: &Gateway,
    feed: &Feed,
    offered: Option<&Offered>,
    spool: &Spool,
    is_last: bool,
) -> Result<Received, GatewayError> {
    let content = &spool.content;
    let (same, last_id) = gateway.store.read(|tx| {
        let same = batch::find_by_content(tx, &feed.source, &feed.name, content)?;
        let last = batch::find_last(tx, &feed.source, &feed.name)?;
        Ok::<_, GatewayError>((same, last.map(|last| last.id)))
    })?;
    let is_last_delivered = same.as_ref().map(|same| &same.id) == last_id.as_ref();
    let went_back = is_last && feed.mapping.snapshot == Snapshot::Full && !is_last_delivered;
    let is_dropped = match &same {
        Some(same) => is_dropped(gateway, feed, same)?,
        None => false,
    };
    if let Some(same) = same.filter(|_same| !went_back && !is_dropped) {
        gateway.store.write(|tx| {
            // The file may have been right, and its manifest wrong.
            batch::promise(tx, &same.id, rows_promised(offered))?;
            note_content(tx, gateway, feed, offered, content)
        })?;
        return again(gateway, feed, &same);
    }
    gateway
        .store
        .write(|tx| {
            if batch::find_last(tx, &feed.source, &feed.name)?.map(|last| last.id) != last_id {
                return Err(GatewayError::Elsewhere { what: feed.full_name() });
            }
            keep(tx, gateway, feed, offered, spool)
        })
        .map(|run| Received::New(Box::new(run)))
}

/// Where rows were passed over and nothing is kept, the same file may tell more by now.
fn is_dropped(gateway: &Gateway, feed: &Feed, same: &Batch) -> Result<bool, GatewayError> {
    Ok(feed.scope == Scope::Requested && !gateway.store.read(|tx| batch::has_pieces(tx, &same.id))?)
}

/// What is to be done with a file that was delivered before: nothing, unless it was refused.
fn again(gateway: &Gateway, feed: &Feed, same: &Batch) -> Result<Received, GatewayError> {
    let last = gateway.store.read(|tx| run::find_last_of_batch(tx, &same.id))?;
    match last {
        Some(last) if last.state == State::Failed.as_str() && same.wrapped_key.is_some() => {
            let note = "tried again: this file was refused before";
            begin_again(gateway, feed, same, note).map(|run| Received::New(Box::new(run)))
        }
        _ => Ok(Received::NoNews),
    }
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
/// passed over that may be about somebody who has become known since, or another version of the
/// mapping read them. Of full files only the last: what an older one held is past.
///
/// Of whom the rows were that were passed over stands nowhere (promise 6), and so the file itself
/// must be asked; what can be told beforehand is told by `known_mark`.
///
/// # Errors
/// Where the store fails.
pub fn to_read_again(gateway: &Gateway, feed: &Feed) -> Result<Vec<(Batch, String)>, GatewayError> {
    gateway.store.read(|tx| {
        let is_asking = feed.scope == Scope::Known;
        let mark = known_mark(tx, feed)?;
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
                Some(run)
                    if [State::Failed, State::Held].map(State::as_str).contains(&run.state.as_str()) =>
                {
                    continue;
                }
                // Of a source that tells of others than it was asked about nothing is kept.
                _ if feed.scope == Scope::Requested && !batch::has_pieces(tx, &batch.id)? => continue,
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

/// How often it has become possible that somebody is in scope of this feed who was not: because
/// the source itself knows somebody by a key that was not known, or, where the feed's rows say who
/// a person is, because anybody known has a block that nobody known had. What a run brings itself
/// counts for it from the beginning.
pub(super) fn known_mark(tx: &mut Tx, feed: &Feed) -> Result<i64, GatewayError> {
    let own_keys = known_keys(&feed.source);
    let has_blocks = says_who(feed);
    let marks = meta::list_numbers(tx, "known/")?;
    let count = |name: &str| name == own_keys || (has_blocks && name.ends_with(KNOWN_BLOCKS));
    Ok(marks.iter().filter(|(name, _)| count(name)).map(|(_, number)| number).sum())
}

/// True where rows of the feed say more of a person than a key, so that they are held against those
/// who are known.
pub(super) fn says_who(feed: &Feed) -> bool {
    feed.mapping.blocks.iter().any(|block| block.kind == Kind::Person && !block.is_written_only)
}

const KNOWN_BLOCKS: &str = "/blocks";

/// The name under which it is counted that a source knows more keys.
pub(super) fn known_keys(source: &str) -> String {
    format!("known/{source}/keys")
}

/// The name under which it is counted that those whom a source knows have more blocks.
pub(super) fn known_blocks(source: &str) -> String {
    format!("known/{source}{KNOWN_BLOCKS}")
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
    live_mapping::keep(tx, mapping, &feed.mapping_text)?;
    Ok(Run {
        id: RunId::mint(&gateway.edge).to_string(),
        batch_id: batch_id.to_owned(),
        source: feed.source.clone(),
        feed: feed.name.clone(),
        mapping_hash: mapping.hash.to_vec(),
        state: State::Processing.as_str().to_owned(),
        started_at: gateway.edge.now().to_string(),
        known_mark: known_mark(tx, feed)?,
        note: note.to_owned(),
        ..Run::default()
    })
}

fn keep(
    tx: &mut Tx,
    gateway: &Gateway,
    feed: &Feed,
    offered: Option<&Offered>,
    spool: &Spool,
) -> Result<Run, GatewayError> {
    let (edge, id, key) = (&gateway.edge, &spool.id, &spool.key);
    let name = offered.map_or_else(String::new, |offered| offered.entry.name.clone());
    let name = Private::new(name.into_bytes());
    batch::create(
        tx,
        &Batch {
            id: id.clone(),
            source: feed.source.clone(),
            feed: feed.name.clone(),
            content_hash: spool.content.as_bytes().to_vec(),
            name_sealed: key.seal(edge, &format!("{id}/name"), &name).as_bytes().to_vec(),
            size_bytes: i64::try_from(spool.size_bytes).unwrap_or(i64::MAX),
            wrapped_key: Some(gateway.keys.master.wrap(edge, id, key).as_bytes().to_vec()),
            received_at: edge.now().to_string(),
            rows_expected: rows_promised(offered),
        },
    )?;
    spool.keep(tx)?;
    note_content(tx, gateway, feed, offered, &spool.content)?;
    let received = new_run(tx, gateway, feed, id, "")?;
    run::create(tx, &received)?;
    Ok(received)
}

/// Writes down what a file holds, where it lies in a place and may be seen there again.
fn note_content(
    tx: &mut Tx,
    gateway: &Gateway,
    feed: &Feed,
    offered: Option<&Offered>,
    content: &KeyedHash,
) -> Result<(), GatewayError> {
    offered.map_or(Ok(()), |offered| fetch::note_content(tx, gateway, feed, &offered.entry, content))
}

fn rows_promised(offered: Option<&Offered>) -> Option<i64> {
    let rows = offered?.control.as_ref()?.rows?;
    Some(i64::try_from(rows).unwrap_or(i64::MAX))
}
