//! `wayleave quarantine list`: units set aside for somebody to look at.

use clap::Subcommand;

use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::sync::told;
use crate::cli::{Context, Exit};
use crate::gateway::show;

/// What `quarantine` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// What is set aside, where it stands and why
    List {
        /// How many at most
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        last: i64,
    },
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let gateway = open(&config, &context.edge, Opening::Existing)?;
    let What::List { last } = args.what;
    let units = show::list_quarantine(&gateway, last).map_err(told)?;
    if context.print.is_json {
        context.print.json(&units)?;
        return Ok(Exit::Done);
    }
    if units.is_empty() {
        context.print.data("nothing is set aside")?;
        return Ok(Exit::Done);
    }
    let mut last: Option<(&str, &str)> = None;
    for unit in &units {
        let group = (unit.feed.as_str(), unit.code.as_str());
        if last != Some(group) {
            context.print.data(format_args!(
                "{} [{}]: {}\n  to do: {}",
                unit.feed, unit.code, unit.meaning, unit.hint
            ))?;
            last = Some(group);
        }
        context.print.data(format_args!("  {}", unit.place))?;
    }
    Ok(Exit::Done)
}
