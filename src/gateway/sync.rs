//! A night's work: each feed's new files through the four steps, and whatever was left undone.
//!
//! First what an earlier run left open is finished. Then each source's new files are taken, those
//! that define who is known before those that ask. Last, files whose rows were passed over are
//! read again where more people have become known since: somebody referred today was perhaps in
//! last week's export.

use std::path::{Path, PathBuf};

use crate::config::Scope;
use crate::gateway::feed::Feed;
use crate::gateway::link::link;
use crate::gateway::process::process;
use crate::gateway::receive::{self, Received, begin_again, receive};
use crate::gateway::release::lay::lay;
use crate::gateway::{Gateway, GatewayError, gather};
use crate::mapping::Snapshot;
use crate::release::protocol::Protocol;
use crate::store::batch;
use crate::store::run::{self, Run, State};

/// What goes on, for whoever watches.
pub enum Told<'t> {
    /// A file is being taken.
    Begun {
        /// The feed, as `council/cld`.
        feed: &'t str,
        /// The file; none where a kept one is read again.
        file: Option<&'t Path>,
    },
    /// Units done in the present run.
    Units(u64),
    /// A file was delivered before.
    NoNews {
        /// The feed.
        feed: &'t str,
        /// The file.
        file: &'t Path,
    },
    /// A run has ended its second step.
    Processed(&'t Run),
    /// Subjects linked so far.
    Linked(u64),
    /// People so far for whom it was laid ready what may go out.
    Laid(u64),
}

/// What a sync did.
#[derive(Debug, Clone, Default)]
pub struct Synced {
    /// The runs it made or finished, as they ended, in order.
    pub runs: Vec<Run>,
    /// Files that were delivered before.
    pub no_news: Vec<(String, PathBuf)>,
}

/// Syncs the feeds. `file` is taken instead of what their folders hold.
///
/// # Errors
/// Where the store, a key or the machine fails. What is committed stays, and the next sync goes
/// on from there.
pub fn sync(
    gateway: &Gateway,
    feeds: &[Feed],
    protocols: &[Protocol],
    file: Option<&Path>,
    told: &mut dyn FnMut(Told<'_>),
) -> Result<Synced, GatewayError> {
    gateway.check_keys()?;
    let mut sync = Sync { gateway, protocols, told, synced: Synced::default() };
    let mut ordered: Vec<&Feed> = feeds.iter().collect();
    // A full file says how things stood, events what happened since: so they come after it.
    ordered.sort_by_key(|feed| (feed.scope != Scope::Defines, feed.mapping.snapshot != Snapshot::Full));
    sync.finish_open(&ordered)?;
    for feed in &ordered {
        sync.files(feed, file)?;
    }
    sync.read_again(&ordered)?;
    sync.last_steps()?;
    Ok(sync.synced)
}

struct Sync<'s> {
    gateway: &'s Gateway,
    protocols: &'s [Protocol],
    told: &'s mut dyn FnMut(Told<'_>),
    synced: Synced,
}

impl Sync<'_> {
    /// Goes on with the runs of these feeds that were interrupted.
    fn finish_open(&mut self, feeds: &[&Feed]) -> Result<(), GatewayError> {
        let open = self.gateway.store.read(run::list_open)?;
        for begun in open {
            let of_feed = feeds.iter().find(|feed| feed.source == begun.source && feed.name == begun.feed);
            match of_feed {
                // What a worker is at now, it ends by itself.
                Some(_) if gather::is_a_worker_at(self.gateway, &begun)? => {}
                Some(feed) if begun.state == State::Processing.as_str() => self.process(feed, begun, None)?,
                _ => {}
            }
        }
        self.last_steps()
    }

    fn files(&mut self, feed: &Feed, file: Option<&Path>) -> Result<(), GatewayError> {
        let files = match file {
            Some(file) => vec![file.to_owned()],
            None => feed.files()?,
        };
        for (index, file) in files.iter().enumerate() {
            let is_last = index + 1 == files.len();
            match receive(self.gateway, feed, file, is_last)? {
                Received::New(begun) => self.process(feed, *begun, Some(file))?,
                Received::NoNews => {
                    let full_name = feed.full_name();
                    (self.told)(Told::NoNews { feed: &full_name, file });
                    self.synced.no_news.push((full_name, file.clone()));
                }
            }
        }
        if !files.is_empty() && self.synced.runs.iter().all(|run| !is_of(run, feed)) {
            receive::note_no_news(self.gateway, feed)?;
        }
        Ok(())
    }

    /// Processes a run, and once more where its own file made somebody known whose earlier rows
    /// were passed over.
    fn process(&mut self, feed: &Feed, begun: Run, file: Option<&Path>) -> Result<(), GatewayError> {
        let mut begun = begun;
        for _ in 0..2 {
            (self.told)(Told::Begun { feed: &feed.full_name(), file });
            let told = std::cell::RefCell::new(&mut self.told);
            let processed = process(self.gateway, feed, begun, &|done| told.borrow_mut()(Told::Units(done)))?;
            (self.told)(Told::Processed(&processed.run));
            let batch_id = processed.run.batch_id.clone();
            self.synced.runs.push(processed.run);
            if !processed.is_again {
                break;
            }
            let batch = self.gateway.store.read(|tx| batch::find(tx, &batch_id))?;
            let note = "read again: people became known by later rows of the same file";
            begun = begin_again(self.gateway, feed, &batch, note)?;
        }
        Ok(())
    }

    /// Reads kept files again where more people are known than when they were read, until nobody
    /// new comes of it. Each round makes at least one more person known, or is the last; one round
    /// a feed is as far as a person's trail can lead.
    fn read_again(&mut self, feeds: &[&Feed]) -> Result<(), GatewayError> {
        for _ in 0..=feeds.len() {
            let mut is_done = true;
            for feed in feeds {
                for (batch, note) in receive::to_read_again(self.gateway, feed)? {
                    is_done = false;
                    let begun = begin_again(self.gateway, feed, &batch, &note)?;
                    self.process(feed, begun, None)?;
                }
            }
            if is_done {
                break;
            }
        }
        Ok(())
    }

    fn last_steps(&mut self) -> Result<(), GatewayError> {
        for ended in last_steps(self.gateway, self.protocols, self.told)? {
            match self.synced.runs.iter_mut().find(|run| run.id == ended.id) {
                Some(shown) => *shown = ended,
                None => self.synced.runs.push(ended),
            }
        }
        Ok(())
    }
}

/// Steps three and four, for whoever waits; then the runs that waited for them are finished.
///
/// # Errors
/// Where the store or a key fails.
pub fn last_steps(
    gateway: &Gateway,
    protocols: &[Protocol],
    told: &mut dyn FnMut(Told<'_>),
) -> Result<Vec<Run>, GatewayError> {
    let told = std::cell::RefCell::new(told);
    link(gateway, &|done| told.borrow_mut()(Told::Linked(done)))?;
    lay(gateway, protocols, &|done| told.borrow_mut()(Told::Laid(done)))?;
    let open = gateway.store.read(run::list_open)?;
    let at = gateway.edge.now().to_string();
    let waited = open.into_iter().filter(|run| run.state != State::Processing.as_str());
    waited.map(|begun| Ok(gateway.store.write(|tx| run::finish(tx, &begun.id, &at))?)).collect()
}

fn is_of(run: &Run, feed: &Feed) -> bool {
    run.source == feed.source && run.feed == feed.name
}
