//! The command line: one verb a file.
//!
//! Data goes to standard output, progress and logs to standard error. Exit codes are decided
//! here and nowhere else: 0 done, 1 findings of severity error, 2 could not run, 64 usage.

pub mod edge;
pub mod print;

mod agreement;
mod check;
mod collect;
mod consent;
mod convert;
mod demo;
mod exchange;
mod extract;
mod guide;
mod init;
mod input;
mod key;
mod mapping;
mod operational;
mod post;
mod quarantine;
mod run;
mod safety;
mod serve;
mod status;
mod study;
mod sync;
mod synth;
mod tracker;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::base::edge::Edge;
use crate::cli::print::{Failure, Print};
use crate::config::{Config, FILE_NAME};

/// Wayleave: the gateway through which a council, housing associations and an NHS trust share
/// one person's story, and release it to researchers when that person has agreed.
#[derive(Parser)]
#[command(name = "wayleave", version, propagate_version = true, arg_required_else_help = true)]
struct Line {
    /// Configuration file
    #[arg(long, global = true, env = "WAYLEAVE_CONFIG", default_value = FILE_NAME, value_name = "FILE")]
    config: PathBuf,
    /// Print data as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// What goes to partners under agreements, and who objected
    Agreement(agreement::Args),
    /// Check the configuration, keys, databases and mappings, and say what to do
    Check(check::Args),
    /// Take what has come through the door into the evaluation database
    Collect(collect::Args),
    /// List decisions on consent, enter one, or enter a withdrawal
    Consent(consent::Args),
    /// Read a file through a mapping, and write records or another layout; no database needed
    Convert(convert::Args),
    /// Take invented people the whole way, by the commands that you would type, and say what happened
    Demo(demo::Args),
    /// What goes to partners, what went, and what did not and why
    Exchange(exchange::Args),
    /// Build, list and verify extracts
    Extract(extract::Args),
    /// Two pages for whoever works with it: day one, week one, first incident
    Guide(guide::Args),
    /// Write a configuration to start from, with new keys
    Init(init::Args),
    /// Make, list, replace and take back the keys of clients of the web
    Key(key::Args),
    /// List the mappings, and test them
    Mapping(mapping::Args),
    /// Messages by the exchange MESH and over MLLP: list, take, send
    Post(post::Args),
    /// List the units that were set aside, export them, mark them as fixed, or replay them
    Quarantine(quarantine::Args),
    /// List the runs, or show one with what was wrong and what to do
    Run(run::Args),
    /// Take what sources send over HTTP, and process it, until stopped
    Serve(serve::Args),
    /// How last night went, in ten lines
    Status(status::Args),
    /// Take what the sources have sent
    Sync(sync::Args),
    /// Check a study protocol, release, and say how a study stands
    Study(study::Args),
    /// Make files of invented people, in the layouts of the three systems, with the truth about them
    Synth(synth::Args),
    /// Make an empty tracker workbook, with drop-downs and checks
    Tracker(tracker::Args),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// It was done, and there are findings of severity error.
    Findings,
    /// It could not be run.
    CouldNotRun,
    /// The command line was wrong.
    Usage,
}

impl Exit {
    /// The code the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::CouldNotRun => 2,
            // EX_USAGE of sysexits.h.
            Self::Usage => 64,
        }
    }
}

/// What every verb is given.
pub struct Context {
    /// Configuration file, as named on the command line.
    pub config_file: PathBuf,
    /// Where things are printed, and how.
    pub print: Print,
    /// Time and randomness.
    pub edge: Edge,
}

impl Context {
    /// The configuration, read on first need: not every verb has one.
    ///
    /// # Errors
    /// Where it cannot be read or is wrong.
    pub fn config(&self) -> Result<Config, Failure> {
        Config::read(&self.config_file, &|name| std::env::var(name).ok()).map_err(|error| {
            let hint = match &error {
                crate::config::ConfigError::Unreadable { .. } => {
                    "write one with `wayleave init`, or name one with --config FILE"
                }
                crate::config::ConfigError::Wrong { .. } => {
                    "every setting is explained by `wayleave init --print`"
                }
                // Its remedy stands in it.
                crate::config::ConfigError::Secret { .. } => return Failure::new(&error),
            };
            Failure::new(&error).hint(hint)
        })
    }
}

/// Runs one command line.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    crate::telemetry::quiet_panics();
    let line = match Line::try_parse_from(words) {
        Ok(line) => line,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            // A closed pipe here is no failure.
            let _printed = error.print();
            return ExitCode::from(exit.code());
        }
    };
    match line.verb {
        Verb::Serve(_) => crate::telemetry::start_log(),
        _ => print::start_log(),
    }
    let context = Context { config_file: line.config, print: Print::new(line.json), edge: edge::machine() };
    let ended = match line.verb {
        Verb::Agreement(args) => agreement::run(&args, &context),
        Verb::Check(args) => check::run(&args, &context),
        Verb::Collect(args) => collect::run(&args, &context),
        Verb::Consent(args) => consent::run(&args, &context),
        Verb::Convert(args) => convert::run(&args, &context),
        Verb::Demo(args) => demo::run(&args, &context),
        Verb::Exchange(args) => exchange::run(&args, &context),
        Verb::Extract(args) => extract::run(&args, &context),
        Verb::Guide(args) => guide::run(&args, &context),
        Verb::Init(args) => init::run(&args, &context),
        Verb::Key(args) => key::run(&args, &context),
        Verb::Mapping(args) => mapping::run(&args, &context),
        Verb::Post(args) => post::run(&args, &context),
        Verb::Quarantine(args) => quarantine::run(&args, &context),
        Verb::Run(args) => run::run(&args, &context),
        Verb::Serve(args) => serve::run(&args, &context),
        Verb::Status(args) => status::run(&args, &context),
        Verb::Sync(args) => sync::run(&args, &context),
        Verb::Study(args) => study::run(&args, &context),
        Verb::Synth(args) => synth::run(&args, &context),
        Verb::Tracker(args) => tracker::run(&args, &context),
    };
    let exit = ended.unwrap_or_else(|failure| {
        context.print.failure(&failure);
        failure.exit
    });
    ExitCode::from(exit.code())
}
