//! `wayleave run list|show`: what was done each night.

use clap::Subcommand;

use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::sync::{self, short, told};
use crate::cli::{Context, Exit};
use crate::gateway::show::{self, RunDetail, RunShown};
use crate::gateway::{feed, hold};

/// What `run` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The last runs, newest first
    List {
        /// How many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=1000))]
        last: i64,
    },
    /// One run: its ledger, and what was wrong and what to do
    Show {
        /// The end of its id, as `run list` shows it; the last run if left out
        id: Option<String>,
        /// Every finding that was kept, not only the first of each kind
        #[arg(long)]
        all: bool,
    },
    /// Let a file through that is held, as it is
    LetThrough {
        /// The end of the run's id, as `run list` shows it
        id: String,
    },
    /// Throw a file away that is held: what was kept of it is deleted
    ThrowAway {
        /// The end of the run's id, as `run list` shows it
        id: String,
    },
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let gateway = open(&config, &context.edge, Opening::Existing)?;
    match &args.what {
        What::List { last } => {
            if context.print.is_json {
                context.print.json(&show::list_runs(&gateway, *last).map_err(told)?)?;
            } else {
                // Quiet feeds share a line, so more runs than lines are looked at.
                let runs = show::list_runs(&gateway, RUNS_LOOKED_AT).map_err(told)?;
                list(context, &runs, usize::try_from(*last)?)?;
            }
        }
        What::Show { id, all } => {
            let detail = show::show_run(&gateway, id.as_deref()).map_err(told)?;
            if context.print.is_json {
                context.print.json(&detail)?;
            } else {
                one(context, &detail, *all)?;
            }
        }
        What::LetThrough { id } => {
            let name = hold::feed_of(&gateway, id).map_err(told)?;
            let feeds = feed::feeds(&config, Some(&name)).map_err(told)?;
            for feed in &feeds {
                hold::let_through(&gateway, feed, id).map_err(told)?;
            }
            return sync::run_feeds(context, &config, &gateway, &feeds, None);
        }
        What::ThrowAway { id } => {
            let watch = sync::Watch::open(&config)?;
            let thrown = RunShown::from(&hold::throw_away(&gateway, id).map_err(told)?);
            watch.look(&gateway)?;
            if context.print.is_json {
                context.print.json(&thrown)?;
            } else {
                context.print.data(sync::text(&thrown))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// Runs that are looked at for a list: as many as may be asked for.
const RUNS_LOOKED_AT: i64 = 1_000;

/// Runs that stand in one line: those of feeds that brought nothing new, one after the other and
/// begun in the same minute.
fn is_of_one_line(one: &RunShown, other: &RunShown) -> bool {
    one.is_no_news() && other.is_no_news() && minute(&one.started_at) == minute(&other.started_at)
}

fn list(context: &Context, runs: &[RunShown], lines_max: usize) -> Result<(), Failure> {
    if runs.is_empty() {
        return context.print.data("no runs yet; `wayleave sync` makes the first");
    }
    context.print.data(format_args!(
        "{:<8}  {:<16}  {:<18}  {:<10}  {:>8}  {:>8}  {:>6}  {}",
        "RUN", "BEGAN (UTC)", "FEED", "STATE", "UNITS", "ACCEPTED", "ERRORS", "NOTE"
    ))?;
    for together in runs.chunk_by(is_of_one_line).take(lines_max) {
        let Some(run) = together.first() else { continue };
        if together.len() > 1 {
            let feeds = format!("{} feeds", together.len());
            context.print.data(format_args!(
                "{:<8}  {:<16}  {feeds:<18}  {:<10}  {:>8}  {:>8}  {:>6}  no news: the same files as before",
                "",
                minute(&run.started_at),
                run.state,
                0,
                0,
                0
            ))?;
            continue;
        }
        let line = format!(
            "{:<8}  {:<16}  {:<18}  {:<10}  {:>8}  {:>8}  {:>6}  {}",
            short(&run.id),
            minute(&run.started_at),
            run.feed,
            run.state,
            run.units.received,
            run.units.accepted,
            run.findings.error,
            run.note
        );
        context.print.data(line.trim_end())?;
    }
    Ok(())
}

/// An instant to the minute, without its letters.
fn minute(instant: &str) -> String {
    instant.get(..16).unwrap_or(instant).replace('T', " ")
}

fn one(context: &Context, detail: &RunDetail, all: bool) -> Result<(), Failure> {
    let run = &detail.run;
    let (units, records) = (&run.units, &run.records);
    let hold = detail.hold.as_ref();
    let mut lines = vec![
        format!("run        {}", run.id),
        format!("feed       {}", run.feed),
        format!("state      {}, began {} UTC", run.state, minute(&run.started_at)),
    ];
    if let Some(ended) = &run.finished_at {
        lines.push(format!("ended      {} UTC", minute(ended)));
    }
    if !run.note.is_empty() {
        lines.push(format!("note       {}", run.note));
    }
    if let Some(to_do) = hold.and_then(|hold| hold.to_do.as_ref()) {
        lines.push(format!("to do      {to_do}"));
    }
    if let Some((decided, by)) = hold.and_then(|hold| hold.decided.as_ref().zip(hold.decided_by.as_ref())) {
        lines.push(format!("decided    {} by {by}", decided.replace('-', " ")));
    }
    lines.push(format!(
        "units      {} = {} accepted + {} unchanged + {} filtered + {} duplicate + {} quarantined + {} rejected",
        units.received,
        units.accepted,
        units.unchanged,
        units.filtered,
        units.duplicate,
        units.quarantined,
        units.rejected
    ));
    lines.push(format!(
        "records    {} new, {} changed, {} no longer there",
        records.new, records.changed, records.absent
    ));
    lines.push(format!("linked     {} subjects, {} people laid ready", run.linked, run.released));
    context.print.data(lines.join("\n"))?;
    for count in &detail.counts {
        context.print.data(format_args!("\n{} × {} ({})", count.count, count.code, count.severity))?;
        let of_code = detail
            .first
            .iter()
            .filter(|finding| finding.code == count.code && finding.severity == count.severity);
        let shown: Vec<_> = of_code.take(if all { usize::MAX } else { FIRST_SHOWN }).collect();
        for finding in &shown {
            context.print.data(format_args!("  {}: {}", finding.place, finding.expected))?;
        }
        let more = count.count - i64::try_from(shown.len()).unwrap_or_default();
        if more > 0 {
            context.print.data(format_args!("  and {more} more"))?;
        }
        if let Some(first) = shown.first() {
            context.print.data(format_args!("  to do: {}", first.hint))?;
        }
    }
    Ok(())
}

/// Findings of one kind that are shown unless all are asked for: enough to see what they have in
/// common.
const FIRST_SHOWN: usize = 3;
