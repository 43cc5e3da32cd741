//! `wayleave check`: is everything in place, and if not, what to do.

use crate::cli::print::Failure;
use crate::cli::{Context, Exit};

/// What `check` takes.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    context.print.data(format_args!("configuration: {} is right", context.config_file.display()))?;
    for key in [&config.gateway.master_key, &config.gateway.index_key] {
        let file = config.path(key);
        if !file.is_file() {
            return Err(Failure::told(format!("no key at {}", file.display())).hint("run `wayleave init`"));
        }
    }
    Ok(Exit::Done)
}
