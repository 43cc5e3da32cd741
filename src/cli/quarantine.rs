//! `wayleave quarantine`: units set aside for somebody to look at: which, why, and what to do.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use crate::base::limit::REPLAY_UNITS_MAX;
use crate::cli::init::write_new;
use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::sync::{text, told};
use crate::cli::{Context, Exit};
use crate::config::Config;
use crate::gateway::quarantine::{self, Asked, CauseShown, QuarantinedShown};
use crate::gateway::replay::{Replayed, ReplayedUnit, replay};
use crate::gateway::show::RunShown;
use crate::gateway::sync::last_steps;
use crate::gateway::{Gateway, feed, restricted, study};

/// What `quarantine` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// What is set aside, by cause: the column, what was expected, where, what to do
    List {
        #[command(flatten)]
        which: Which,
        /// Each unit by its id, instead of the causes
        #[arg(long)]
        units: bool,
        /// How many units are looked at
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        last: i64,
    },
    /// Write a list for whoever is to put it right: places and causes, without what the units say
    Export {
        #[command(flatten)]
        which: Which,
        /// The form of the list
        #[arg(long, value_enum, default_value_t = Form::Csv)]
        format: Form,
        /// Write into this file, which must not be there yet
        #[arg(long, value_name = "FILE", required_if_eq("with_units", "true"))]
        out: Option<PathBuf>,
        /// With the units themselves, which name people: into a file that nobody else can read, as
        /// NDJSON. The audit has that you did
        #[arg(long)]
        with_units: bool,
        /// Of a source that knows restricted people too: for named roles alone, and the audit has it
        #[arg(long, requires = "with_units")]
        restricted: bool,
    },
    /// Say that units were put right at the source, which sends them again
    Mark {
        #[command(flatten)]
        which: Which,
        /// They were fixed at the source
        #[arg(long, required = true)]
        fixed: bool,
    },
    /// Read units again through the mapping as it is now; what is taken is closed
    Replay {
        #[command(flatten)]
        which: Which,
        /// Only say what would become of each
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which units.
#[derive(clap::Args)]
struct Which {
    /// These units, by id
    #[arg(value_name = "UNIT")]
    unit: Vec<String>,
    /// Of this source, or of this feed of it: council, or council/cld
    #[arg(long, value_name = "SOURCE[/FEED]")]
    feed: Option<String>,
    /// With this code, such as map/unknown-code
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Of this batch
    #[arg(long, value_name = "BATCH")]
    batch: Option<String>,
    /// That arrived more than so many days ago
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u16>,
    /// In this state
    #[arg(long, value_enum, default_value_t = StateAsked::Open)]
    state: StateAsked,
}

/// How units stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StateAsked {
    /// Waiting for somebody
    Open,
    /// Put right at the source
    Fixed,
    /// Read again, and taken
    Replayed,
    /// Each of these
    All,
}

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A table, for Excel
    Csv,
    /// One JSON object a line
    Ndjson,
}

impl Which {
    fn asked(&self) -> Asked {
        let state = match self.state {
            StateAsked::Open => None,
            StateAsked::Fixed => Some("fixed"),
            StateAsked::Replayed => Some("replayed"),
            StateAsked::All => Some("all"),
        };
        Asked {
            feed: self.feed.clone(),
            code: self.code.clone(),
            batch: self.batch.clone(),
            older_than_days: self.older_than,
            state: state.map(str::to_owned),
            units: self.unit.clone(),
        }
    }

    /// What is asked for by a command that changes something: never everything by accident, and
    /// only what is open.
    fn named(&self) -> Result<Asked, Failure> {
        let asked = self.asked();
        if self.state != StateAsked::Open {
            return Err(Failure::told("only units that are open can be marked or replayed")
                .hint("leave --state out")
                .exit(Exit::Usage));
        }
        if asked.is_everything() {
            return Err(Failure::told("it is not said which units")
                .hint("name units, or --feed, --code, --batch or --older-than; `wayleave quarantine list` shows what there is")
                .exit(Exit::Usage));
        }
        Ok(asked)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let gateway = open(&config, &context.edge, Opening::Existing)?;
    match &args.what {
        What::List { which, units, last } => {
            let found = quarantine::list(&gateway, &which.asked(), *last).map_err(told)?;
            list(context, &found, *units)
        }
        What::Export { which, format, out, with_units, restricted } => {
            let n_max = i64::try_from(REPLAY_UNITS_MAX)?;
            let found = quarantine::list(&gateway, &which.asked(), n_max).map_err(told)?;
            match (with_units, out) {
                (true, Some(out)) => export_opened(&gateway, &found, (out, *restricted), context),
                _ => export(&found, *format, out.as_deref(), context),
            }
        }
        What::Mark { which, fixed: _ } => {
            let marked = quarantine::mark_fixed(&gateway, &which.named()?).map_err(told)?;
            if context.print.is_json {
                context.print.json(&serde_json::json!({ "marked": marked }))?;
            } else {
                context.print.data(format_args!("{} marked as fixed at the source", units(marked)))?;
            }
            Ok(Exit::Done)
        }
        What::Replay { which, dry_run } => {
            replay_units(&gateway, &config, &which.named()?, *dry_run, context)
        }
    }
}

fn units(n: usize) -> String {
    if n == 1 { "1 unit".to_owned() } else { format!("{n} units") }
}

fn list(context: &Context, found: &[QuarantinedShown], is_each: bool) -> Result<Exit, Failure> {
    if context.print.is_json {
        if is_each {
            context.print.json(&found)?;
        } else {
            context.print.json(&quarantine::by_cause(found))?;
        }
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        context.print.data("nothing is set aside")?;
        return Ok(Exit::Done);
    }
    if is_each {
        for unit in found {
            context.print.data(format_args!(
                "{}  {}  {}, {} [{}]",
                unit.id, unit.state, unit.feed, unit.place, unit.code
            ))?;
        }
        return Ok(Exit::Done);
    }
    for cause in quarantine::by_cause(found) {
        one_cause(context, &cause)?;
    }
    Ok(Exit::Done)
}

fn one_cause(context: &Context, cause: &CauseShown) -> Result<(), Failure> {
    let column = cause.column.as_ref().map(|name| format!(", `{name}`")).unwrap_or_default();
    context.print.data(format_args!(
        "{}{column}: {} ({}) [{}]\n  to do: {}",
        cause.feed,
        cause.expected,
        units(cause.units),
        cause.code,
        cause.hint
    ))?;
    let rest = cause.units.saturating_sub(cause.places.len());
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    context.print.data(format_args!("  {}{more}", cause.places.join("; ")))
}

fn export(
    found: &[QuarantinedShown],
    form: Form,
    out: Option<&std::path::Path>,
    context: &Context,
) -> Result<Exit, Failure> {
    let mut bytes = Vec::new();
    match form {
        Form::Csv => quarantine::write_table(found, &mut bytes)?,
        Form::Ndjson => {
            for unit in found {
                serde_json::to_writer(&mut bytes, unit)?;
                bytes.push(b'\n');
            }
        }
    }
    match out {
        Some(out) => {
            write_new(out, &bytes, false)?;
            context.print.note(format_args!("{} written to {}", units(found.len()), out.display()));
        }
        None => context.print.data(String::from_utf8_lossy(&bytes).trim_end())?,
    }
    Ok(Exit::Done)
}

fn export_opened(
    gateway: &Gateway,
    found: &[QuarantinedShown],
    (out, may_restricted): (&std::path::Path, bool),
    context: &Context,
) -> Result<Exit, Failure> {
    if out.exists() {
        return Err(Failure::told(format!("{} is there already", out.display()))
            .hint("name a file that is not; nothing was opened"));
    }
    let source = |unit: &QuarantinedShown| unit.feed.split('/').next().unwrap_or_default().to_owned();
    let sources: std::collections::BTreeSet<String> = found.iter().map(source).collect();
    for source in &sources {
        if !restricted::is_any_of(gateway, source).map_err(told)? {
            continue;
        }
        if !may_restricted {
            return Err(Failure::told(format!(
                "`{source}` knows restricted people, and whose a unit is that was set aside is not known; nothing was opened"
            ))
            .hint("whoever may see what is of restricted people adds --restricted; the list without --with-units names nobody"));
        }
        restricted::note_seen(gateway, &gateway.actor, source, found.len()).map_err(told)?;
    }
    let (bytes, opened) = quarantine::open_units(gateway, found).map_err(told)?;
    write_new(out, &bytes, true)?;
    context.print.note(format_args!(
        "{opened} units opened, for `set-aside`; {} names people: delete it when they are put right",
        out.display()
    ));
    Ok(Exit::Done)
}

fn replay_units(
    gateway: &Gateway,
    config: &Config,
    asked: &Asked,
    is_dry_run: bool,
    context: &Context,
) -> Result<Exit, Failure> {
    let feeds = feed::feeds(config, None).map_err(told)?;
    let protocols = study::protocols(config).map_err(told)?;
    let mut replayed = replay(gateway, &feeds, asked, is_dry_run).map_err(told)?;
    if !is_dry_run {
        for ended in last_steps(gateway, &protocols, &mut |_told| {}).map_err(told)? {
            if let Some(shown) = replayed.runs.iter_mut().find(|run| run.id == ended.id) {
                *shown = RunShown::from(&ended);
            }
        }
    }
    if context.print.is_json {
        context.print.json(&replayed)?;
    } else {
        told_of(context, &replayed)?;
    }
    let is_closed = replayed.units.iter().all(ReplayedUnit::is_closed);
    Ok(if is_closed { Exit::Done } else { Exit::Findings })
}

fn told_of(context: &Context, replayed: &Replayed) -> Result<(), Failure> {
    for run in &replayed.runs {
        context.print.data(text(run))?;
    }
    for unit in &replayed.units {
        context.print.data(format_args!("  {}, {}: {}", unit.feed, unit.place, unit.outcome))?;
        for finding in unit.findings.iter().filter(|found| !unit.is_closed() && found.severity != "note") {
            context.print.data(format_args!("    {} [{}]", finding.expected, finding.code))?;
        }
    }
    let closed = replayed.units.iter().filter(|unit| unit.is_closed()).count();
    let (left, would) = (replayed.units.len() - closed, if replayed.is_dry_run { " would be" } else { "" });
    context.print.note(format_args!("{}{would} taken, {left} still set aside", units(closed)));
    if replayed.is_dry_run {
        context.print.note("nothing was changed");
    }
    Ok(())
}
