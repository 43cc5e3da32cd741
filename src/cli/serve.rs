//! `wayleave serve`: the gateway as a service, in one process or each role in its own.

use std::sync::Arc;

use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::sync::told;
use crate::cli::{Context, Exit};
use crate::gateway::{feed, study};
use crate::telemetry::Figures;
use crate::web::listen;
use crate::worker::{Stop, Worker};

/// What `serve` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these roles; every one where none is named
    #[arg(long, value_name = "ROLE")]
    role: Vec<Role>,
}

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// Takes what sources send over HTTP
    Web,
    /// Processes it
    Worker,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let has = |role: Role| args.role.is_empty() || args.role.contains(&role);
    let config = context.config()?;
    let mut gateway = open(&config, &context.edge, Opening::Create)?;
    gateway.check_keys().map_err(told)?;
    let figures = Arc::new(Figures::new());
    let stop = Stop::default();
    let mut worker = None;
    if has(Role::Worker) {
        "worker".clone_into(&mut gateway.actor);
        let of_worker = Worker {
            gateway: gateway.clone(),
            feeds: feed::feeds(&config, None).map_err(told)?,
            protocols: study::protocols(&config).map_err(told)?,
            figures: figures.clone(),
        };
        let stop = stop.clone();
        worker = Some(std::thread::spawn(move || of_worker.run(&stop)));
    }
    let served = if has(Role::Web) {
        "web".clone_into(&mut gateway.actor);
        listen::serve(&gateway, &config, &figures, |address| {
            context.print.note(format_args!("listening on {address}"));
        })
    } else {
        context.print.note("working");
        listen::until_stopped()
    };
    stop.now();
    if let Some(worker) = worker {
        worker.join().map_err(|_panic| {
            Failure::told("the worker stopped unexpectedly")
                .hint("start again, and report it if it happens again")
        })?;
    }
    served.map_err(|error| Failure::new(&error))?;
    Ok(Exit::Done)
}
