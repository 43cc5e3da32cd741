//! A night's work: each feed's new files through the four steps, and whatever was left undone.
//!
//! First what an earlier run left open is read to its end. Then each source's new files are taken,
//! those that define who is known before those that ask. Then files whose rows were passed over are
//! read again where somebody has become known since by what no one known had: somebody referred
//! today was perhaps in last week's export. Last, everybody who was touched is linked, and it is
//! laid ready what may go out.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::config::Scope;
use crate::gateway::feed::Feed;
use crate::gateway::fetch::{self, Look, Offered, Waiting, Why};
use crate::gateway::link::link;
use crate::gateway::process::process;
use crate::gateway::receive::{self, Received, begin_again, receive_from};
use crate::gateway::release::lay::lay;
use crate::gateway::turn::Turn;
use crate::gateway::{Gateway, GatewayError, gather, health, live_mapping};
use crate::mapping::Snapshot;
use crate::release::protocol::Protocol;
use crate::store::batch;
use crate::store::run::{self, Run, State};
use crate::transport::place::Moved;

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
#[derive(Debug, Default)]
pub struct Synced {
    /// The runs it made or finished, as they ended, in order.
    pub runs: Vec<Run>,
    /// Files that were delivered before.
    pub no_news: Vec<(String, PathBuf)>,
    /// Files that are not complete yet, each with its feed.
    pub waiting: Vec<(String, Waiting)>,
    /// Files that were taken and stay where they are, because the account may not move them.
    pub left: Vec<(String, PathBuf)>,
    /// Places and files that could not be used, each with its feed. The others were taken.
    pub failed: Vec<(String, GatewayError)>,
}

impl Synced {
    /// In how many seconds a file may be found complete that only another look is missing for.
    #[must_use]
    pub fn again_in_s(&self) -> Option<i64> {
        let looks = self.waiting.iter().filter_map(|(_, waiting)| match waiting.why {
            Why::Look { again_in_s } => Some(again_in_s),
            Why::Done | Why::Manifest | Why::Absent => None,
        });
        looks.max()
    }

    /// Whether one feed's turn is done: not where its place or a file failed, or where only another
    /// look is missing, so that whoever tries again does.
    ///
    /// # Errors
    /// The first reason.
    pub fn whole(mut self) -> Result<Self, GatewayError> {
        let is_growing = |waiting: &Waiting| matches!(waiting.why, Why::Look { .. });
        let growing = self.waiting.iter().find(|(_, waiting)| is_growing(waiting));
        let growing = growing.map(|(_, waiting)| GatewayError::Changing { path: waiting.path.clone() });
        let failed = self.failed.drain(..).next().map(|(_, error)| error);
        failed.or(growing).map_or(Ok(self), Err)
    }

    /// Goes on with what a later sync of some of the feeds did.
    pub fn goes_on_with(&mut self, later: Self, feeds: &[Feed]) {
        let is_again = |name: &str| feeds.iter().any(|feed| feed.full_name() == name);
        self.waiting.retain(|(name, _)| !is_again(name));
        self.left.retain(|(name, _)| !is_again(name));
        self.failed.retain(|(name, _)| !is_again(name));
        self.no_news.retain(|(name, _)| !is_again(name));
        self.runs.extend(later.runs);
        self.no_news.extend(later.no_news);
        self.waiting.extend(later.waiting);
        self.left.extend(later.left);
        self.failed.extend(later.failed);
    }
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
    sync_until(gateway, feeds, protocols, file, told, &|| false)
}

/// Syncs the feeds, until `is_stopping` says that it is time to stop: then the transaction under way
/// ends, and no other begins.
///
/// # Errors
/// As [`sync`], and where it stopped on the way.
pub fn sync_until(
    gateway: &Gateway,
    feeds: &[Feed],
    protocols: &[Protocol],
    file: Option<&Path>,
    told: &mut dyn FnMut(Told<'_>),
    is_stopping: &dyn Fn() -> bool,
) -> Result<Synced, GatewayError> {
    gateway.check_keys()?;
    let mut sync = Sync { gateway, protocols, told, is_stopping, synced: Synced::default() };
    let feeds = live_mapping::of(gateway, feeds)?;
    let mut ordered: Vec<&Feed> = feeds.iter().collect();
    // A full file says how things stood, events what happened since: so they come after it.
    ordered.sort_by_key(|feed| (feed.scope != Scope::Defines, feed.mapping.snapshot != Snapshot::Full));
    let taken = sync.take(&ordered, file);
    if taken.is_ok() && file.is_none() {
        let names: Vec<String> = ordered.iter().map(|feed| feed.full_name()).collect();
        health::note_places(gateway, &names, &sync.synced.failed)?;
    }
    // Linked once everything is read, so that a sync which was killed and run again links and lays
    // the same people as one that was not. What was read is not held up by a file that cannot be.
    match taken {
        // Somebody waits for it to stop.
        Err(GatewayError::Stopping) => return Err(GatewayError::Stopping),
        taken => taken.and(sync.last_steps())?,
    }
    Ok(sync.synced)
}

struct Sync<'s> {
    gateway: &'s Gateway,
    protocols: &'s [Protocol],
    told: &'s mut dyn FnMut(Told<'_>),
    is_stopping: &'s dyn Fn() -> bool,
    synced: Synced,
}

impl Sync<'_> {
    /// The first two steps: what was left open, what is new, and what is to be read again.
    fn take(&mut self, feeds: &[&Feed], file: Option<&Path>) -> Result<(), GatewayError> {
        let (feeds, _turns) = self.turns(feeds)?;
        let feeds = feeds.as_slice();
        self.finish_open(feeds)?;
        for feed in feeds {
            self.files(feed, file)?;
        }
        self.read_again(feeds)
    }

    /// Takes the turn at each feed, in one order whoever asks, so that no two wait for each other. A feed
    /// that another process reads all the while is left to it, and that is said.
    fn turns<'f>(&mut self, feeds: &[&'f Feed]) -> Result<(Vec<&'f Feed>, Vec<Turn>), GatewayError> {
        let mut by_name: Vec<&Feed> = feeds.to_vec();
        by_name.sort_by_key(|feed| feed.full_name());
        let (mut turns, mut left) = (Vec::new(), Vec::new());
        for feed in by_name {
            match Turn::wait_for(self.gateway, feed, self.is_stopping) {
                Ok(turn) => turns.push(turn),
                Err(error @ GatewayError::Elsewhere { .. }) => {
                    left.push(feed.full_name());
                    self.synced.failed.push((feed.full_name(), error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok((feeds.iter().filter(|feed| !left.contains(&feed.full_name())).copied().collect(), turns))
    }

    /// Goes on with the runs of these feeds that were interrupted.
    fn finish_open(&mut self, feeds: &[&Feed]) -> Result<(), GatewayError> {
        let open = self.gateway.store.read(run::list_open)?;
        for begun in open {
            let of_feed = feeds.iter().find(|feed| feed.source == begun.source && feed.name == begun.feed);
            match of_feed {
                // Who began it may be dead, and is then followed.
                Some(feed) if begun.is_replay() && begun.state == State::Processing.as_str() => {
                    let turn = Turn::wait_for_worker(self.gateway, feed, self.is_stopping)?;
                    let begun = self.gateway.store.read(|tx| run::find(tx, &begun.id))?;
                    if turn.is_some() && begun.state == State::Processing.as_str() {
                        self.process(feed, begun, None)?;
                    }
                }
                // What a worker is at now, it ends by itself.
                Some(_) if gather::is_a_worker_at(self.gateway, &begun)? => {}
                Some(feed) if begun.state == State::Processing.as_str() => self.process(feed, begun, None)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes what is complete. A place that does not answer and a file that cannot be taken are
    /// noted, and the others are taken all the same.
    fn files(&mut self, feed: &Feed, file: Option<&Path>) -> Result<(), GatewayError> {
        let looked = fetch::look(self.gateway, feed, file);
        let Some(mut look) = self.unless_of_place(feed, looked)? else { return Ok(()) };
        let full_name = feed.full_name();
        self.synced.failed.extend(look.failed.drain(..).map(|error| (full_name.clone(), error)));
        self.synced.waiting.extend(look.waiting.iter().map(|waiting| (full_name.clone(), waiting.clone())));
        let offered = std::mem::take(&mut look.offered);
        let mut is_any_there = false;
        for (index, one) in offered.iter().enumerate() {
            if (self.is_stopping)() {
                return Err(GatewayError::Stopping);
            }
            let is_last = index + 1 == offered.len();
            let received = match receive_from(self.gateway, feed, &mut look.visit, one, is_last) {
                // Another took it and moved it away.
                Err(GatewayError::Fetch(error)) if error.is_gone() => continue,
                // Those that follow would wait in vain, one after the other.
                Err(GatewayError::Fetch(error)) if error.is_unreachable() => {
                    self.synced.failed.push((full_name.clone(), error.into()));
                    break;
                }
                received => self.unless_of_place(feed, received)?,
            };
            let Some(received) = received else { continue };
            is_any_there = true;
            let is_refused = self.received(feed, received, &one.entry.path)?;
            if file.is_none() && !is_refused {
                self.archive(feed, &mut look, one);
            }
        }
        if file.is_none()
            && let Err(error) = look.archive_manifests(feed)
        {
            self.synced.failed.push((full_name, error.into()));
        }
        if is_any_there && self.synced.runs.iter().all(|run| !is_of(run, feed)) {
            receive::note_no_news(self.gateway, feed)?;
        }
        Ok(())
    }

    /// Processes what is new; true where the file was refused.
    fn received(&mut self, feed: &Feed, received: Received, file: &Path) -> Result<bool, GatewayError> {
        match received {
            Received::New(begun) => {
                self.process(feed, *begun, Some(file))?;
                Ok(self.synced.runs.last().is_some_and(|run| run.state == State::Failed.as_str()))
            }
            Received::NoNews => {
                let full_name = feed.full_name();
                (self.told)(Told::NoNews { feed: &full_name, file });
                self.synced.no_news.push((full_name, file.to_owned()));
                Ok(false)
            }
        }
    }

    /// Moves a file that was taken. Where that fails it is only said: the file is kept already.
    fn archive(&mut self, feed: &Feed, look: &mut Look, offered: &Offered) {
        if feed.fetch.archive.is_none() {
            return;
        }
        match look.archive(feed, offered) {
            Ok(Moved::Forbidden) => {
                self.synced.left.push((feed.full_name(), offered.entry.path.clone()));
            }
            Ok(Moved::Away | Moved::Gone | Moved::Changed) => {}
            Err(error) => self.synced.failed.push((feed.full_name(), error.into())),
        }
    }

    /// Notes what is the fault of one place or file; anything else stops the sync.
    fn unless_of_place<T>(
        &mut self,
        feed: &Feed,
        result: Result<T, GatewayError>,
    ) -> Result<Option<T>, GatewayError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_of_place() => {
                self.synced.failed.push((feed.full_name(), error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Processes a run, and once more where its own file made somebody known whose earlier rows
    /// were passed over.
    fn process(&mut self, feed: &Feed, begun: Run, file: Option<&Path>) -> Result<(), GatewayError> {
        let mut begun = begun;
        for _ in 0..2 {
            (self.told)(Told::Begun { feed: &feed.full_name(), file });
            let told = std::cell::RefCell::new(&mut self.told);
            let is_stopping = self.is_stopping;
            let processed = process(self.gateway, feed, begun, &|done| {
                told.borrow_mut()(Told::Units(done));
                if is_stopping() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
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
