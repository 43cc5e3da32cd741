//! `wayleave sync`: takes what the sources have sent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::limit::LOOK_WAIT_S_MAX;
use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::config::Config;
use crate::gateway::exchange::lay::lay;
use crate::gateway::exchange::plan::Plan;
use crate::gateway::feed::Feed;
use crate::gateway::show::{self, RunShown};
use crate::gateway::sync::{Synced, Told, sync};
use crate::gateway::{Gateway, GatewayError, feed, hold, study};
use crate::mapping::library::LibraryError;
use crate::release::protocol::Protocol;
use crate::schedule::planned::{self, Planned};
use crate::schedule::watcher::Watcher;

/// What `sync` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this source, or this feed of it: council, or council/cld
    #[arg(value_name = "SOURCE[/FEED]")]
    feed: Option<String>,
    /// Take this file, instead of what the feed's folder holds
    #[arg(long, value_name = "FILE", requires = "feed")]
    file: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let feeds = feed::feeds(&config, args.feed.as_deref()).map_err(told)?;
    if feeds.is_empty() {
        return Err(Failure::told("the configuration names no source, so there is nothing to sync")
            .hint("add a [source.…] section with its feeds; `wayleave init --print` explains each setting"));
    }
    if args.file.is_some() && feeds.len() > 1 {
        let names: Vec<String> = feeds.iter().map(feed::Feed::full_name).collect();
        return Err(Failure::told(format!("--file needs one feed, and there are {}", feeds.len()))
            .hint(format!("name one of {}", names.join(", "))));
    }
    if let Some(file) = args.file.as_ref().filter(|file| !file.is_file()) {
        return Err(Failure::told(format!("no file at {}", file.display()))
            .hint("check the name; in a path with spaces, put it in quotes"));
    }
    let gateway = open(&config, &context.edge, Opening::Create)?;
    run_feeds(context, &config, &gateway, &feeds, args.file.as_deref())
}

/// Syncs these feeds, prints what came of it, and tells what is to be told.
pub(crate) fn run_feeds(
    context: &Context,
    config: &Config,
    gateway: &Gateway,
    feeds: &[Feed],
    file: Option<&Path>,
) -> Result<Exit, Failure> {
    let protocols = study::protocols(config).map_err(told)?;
    let watch = Watch::open(config)?;
    let mut synced = watched(context, gateway, feeds, &protocols, file)?;
    if let Some(wait_s) = synced.again_in_s().filter(|wait_s| *wait_s <= LOOK_WAIT_S_MAX) {
        let files = synced.waiting.len();
        context.print.note(format_args!("{files} files may still be growing: looking again in {wait_s} s"));
        std::thread::sleep(Duration::from_secs(wait_s.unsigned_abs()));
        let growing: Vec<Feed> = feeds
            .iter()
            .filter(|feed| synced.waiting.iter().any(|(name, _)| *name == feed.full_name()))
            .cloned()
            .collect();
        let later = watched(context, gateway, &growing, &protocols, None)?;
        synced.goes_on_with(later, &growing);
    }
    lay(gateway, &Plan::load(config).map_err(told)?).map_err(told)?;
    print(context, gateway, &synced)?;
    watch.look(gateway)?;
    for (feed, error) in &synced.failed {
        let mut failure = told_of(error);
        failure.text = format!("{feed}: {}", failure.text);
        context.print.failure(&failure);
    }
    let has_errors = synced.runs.iter().any(|run| run.findings_error > 0 || run.state == "held");
    Ok(match (synced.failed.is_empty(), has_errors) {
        (false, _) => Exit::CouldNotRun,
        (true, true) => Exit::Findings,
        (true, false) => Exit::Done,
    })
}

/// Syncs, with a bar for whoever watches.
fn watched(
    context: &Context,
    gateway: &Gateway,
    feeds: &[Feed],
    protocols: &[Protocol],
    file: Option<&Path>,
) -> Result<Synced, Failure> {
    let bar = context.print.progress(0, "units");
    let synced = sync(gateway, feeds, protocols, file, &mut |said| match said {
        Told::Begun { feed, .. } => {
            bar.reset();
            bar.set_message(feed.to_owned());
        }
        Told::Units(done) => bar.set_position(done),
        Told::Linked(done) => {
            bar.set_message("people linked");
            bar.set_position(done);
        }
        Told::Laid(done) => {
            bar.set_message("people laid ready");
            bar.set_position(done);
        }
        Told::NoNews { .. } | Told::Processed(_) => {}
    });
    bar.finish_and_clear();
    synced.map_err(told)
}

/// What is looked at after a sync: every feed, though only one was synced.
pub(crate) struct Watch {
    planned: Vec<Planned>,
    watcher: Watcher,
}

impl Watch {
    /// The watch of a configuration. What is wrong with it is said before anything is done.
    pub(crate) fn open(config: &Config) -> Result<Self, Failure> {
        let feeds = feed::feeds(config, None).map_err(told)?;
        let planned = planned::plan(config, &feeds).map_err(|error| Failure::new(&error))?;
        let watcher = Watcher::open(config).map_err(|error| Failure::new(&error))?;
        Ok(Self { planned, watcher })
    }

    /// Looks at how things stand, and tells what is to be told. A way that fails is tried again by the
    /// next sync, or by the schedule.
    pub(crate) fn look(&self, gateway: &Gateway) -> Result<(), Failure> {
        self.watcher.look(gateway, &self.planned).map_err(told)
    }
}

fn print(context: &Context, gateway: &Gateway, synced: &Synced) -> Result<(), Failure> {
    let runs: Vec<RunShown> = synced.runs.iter().map(RunShown::from).collect();
    if context.print.is_json {
        return context.print.json(&runs);
    }
    let mut quiet: BTreeMap<&str, Vec<&PathBuf>> = BTreeMap::new();
    for (feed, file) in &synced.no_news {
        if runs.iter().all(|run| run.feed != *feed) {
            quiet.entry(feed).or_default().push(file);
        }
    }
    for (feed, files) in quiet {
        match files.as_slice() {
            [file] => {
                let name = file_name(file);
                context.print.data(format_args!("{feed}: no news; {name} was taken before"))?;
            }
            files => context
                .print
                .data(format_args!("{feed}: no news; {} files were taken before", files.len()))?,
        }
    }
    for run in &runs {
        context.print.data(text(run))?;
        match run.state.as_str() {
            "failed" => refused(context, gateway, run)?,
            "held" => context.print.data(format_args!("  to do: {}", hold::to_do(&run.id)))?,
            _ => {}
        }
    }
    for (feed, waiting) in synced.waiting.iter().take(WAITING_SHOWN) {
        let (name, why) = (file_name(&waiting.path), waiting.why.told());
        context.print.data(format_args!("{feed}: {name} is not taken yet: {why}"))?;
    }
    if let Some(more) = synced.waiting.len().checked_sub(WAITING_SHOWN).filter(|more| *more > 0) {
        context.print.data(format_args!("and {more} more files are not taken yet"))?;
    }
    for (feed, file) in synced.left.iter().take(WAITING_SHOWN) {
        let name = file_name(file);
        context.print.data(format_args!("{feed}: {name} stays where it is: the account may not move it"))?;
    }
    let is_quiet = synced.no_news.is_empty() && synced.waiting.is_empty() && synced.failed.is_empty();
    if runs.is_empty() && is_quiet {
        context.print.data("no files to take")?;
    }
    if let Some(run) = runs.iter().find(|run| run.findings.error > 0) {
        context.print.note(format_args!(
            "hint: `wayleave run show {}` lists what is wrong and what to do",
            short(&run.id)
        ));
    }
    Ok(())
}

/// Files that wait or stay of which each is named.
const WAITING_SHOWN: usize = 10;

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Why a file was refused: the first errors, each with what to do.
fn refused(context: &Context, gateway: &Gateway, run: &RunShown) -> Result<(), Failure> {
    let detail = show::show_run(gateway, Some(&run.id)).map_err(told)?;
    let errors = detail.first.iter().filter(|finding| finding.severity == "error");
    for finding in errors.take(REFUSALS_SHOWN) {
        context.print.data(format_args!("  {}: {} [{}]", finding.place, finding.expected, finding.code))?;
        context.print.data(format_args!("  to do: {}", finding.hint))?;
    }
    Ok(())
}

/// Reasons shown for a refused file: the rest mostly follow from the first.
const REFUSALS_SHOWN: usize = 5;

/// A run as a person reads it.
pub(crate) fn text(run: &RunShown) -> String {
    let units = &run.units;
    let name = format!("{} ({})", run.feed, short(&run.id));
    if run.state == "failed" || run.state == "held" {
        return format!("{name}: {}; nothing of it was taken", run.note);
    }
    let outcomes = counted(&[
        (units.accepted, "accepted"),
        (units.unchanged, "unchanged"),
        (units.filtered, "filtered"),
        (units.duplicate, "duplicate"),
        (units.quarantined, "quarantined"),
        (units.rejected, "rejected"),
    ]);
    let records = &run.records;
    let records =
        counted(&[(records.new, "new"), (records.changed, "changed"), (records.absent, "no longer there")]);
    let outcomes = if outcomes.is_empty() { String::new() } else { format!(": {outcomes}") };
    let records = if records.is_empty() { String::new() } else { format!("; records: {records}") };
    let note = if run.note.is_empty() { String::new() } else { format!(" ({})", run.note) };
    format!("{name}: {} units{outcomes}{records}{note}", units.received)
}

/// The counts that are not nought, in words.
fn counted(counts: &[(i64, &str)]) -> String {
    let counts = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    counts.collect::<Vec<_>>().join(", ")
}

/// The end of an id, enough to name it at the command line.
pub(crate) fn short(id: &str) -> &str {
    id.len().checked_sub(SHORT_DIGITS).and_then(|start| id.get(start..)).unwrap_or(id)
}

/// Digits of a short id: the last of a `UUIDv7` are random, so eight tell any two runs apart.
const SHORT_DIGITS: usize = 8;

/// A failure of the gateway, with what to do.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
pub(crate) fn told(error: GatewayError) -> Failure {
    told_of(&error)
}

fn told_of(error: &GatewayError) -> Failure {
    match error {
        GatewayError::Mapping(LibraryError::Unknown { nearest: Some(nearest), .. }) => {
            Failure::new(error).hint(format!("did you mean `{nearest}`?"))
        }
        GatewayError::NoFeed { .. } => Failure::new(error).hint("`wayleave check` lists the feeds there are"),
        GatewayError::Store(store) => crate::cli::operational::unreachable(store),
        _ => Failure::new(error),
    }
}
