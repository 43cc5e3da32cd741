//! `wayleave demo`: invented people, taken the whole way by the commands that a user would type.
//!
//! Everything after the making of the files is done by this same program in processes of its own,
//! and each command is shown. What is told at the end is read back with the same commands.

mod faults;
mod story;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cli::init::create_missing_keys;
use crate::cli::print::{Failure, quoted};
use crate::cli::{Context, Exit};
use crate::config::Config;
use crate::synth::demo::{self, DemoPlan};

/// The study that the demo releases to.
const STUDY: &str = "promoting-independence";

/// Runs that are asked for when the story is told: more than a demo ever makes.
const RUNS_SHOWN: &str = "1000";

/// What `demo` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder to work in; made if it is not there
    #[arg(long, default_value = "demo", value_name = "DIR")]
    dir: PathBuf,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let print = &context.print;
    let plan = demo::render(&args.dir).map_err(|error| {
        Failure::new(&error).hint("name another folder with --dir, or move the files away")
    })?;
    create_missing_keys(&args.dir, &context.edge)?;
    let shell = Shell { context, program: std::env::current_exe()?, config: plan.config_file.clone() };
    let before = Standing::read(&shell)?;
    let extract = args.dir.join("extract").display().to_string();
    shell.show(&["check"])?;
    shell.show(&["sync"])?;
    shell.show(&["study", "release", STUDY])?;
    shell.show(&["collect"])?;
    shell.show(&["extract", "build", "--out", &extract])?;
    shell.show(&["extract", "verify", &extract])?;
    let after = Standing::read(&shell)?;
    let found = faults::look(&plan.faults, &after.runs);
    let built = shell.ask(&["extract", "build", "--out", &extract])?;
    let told = story::Story {
        plan: &plan,
        dir: &args.dir,
        before: &before,
        after: &after,
        found: &found,
        built: &built,
        places: places(&plan)?,
    };
    if print.is_json {
        print.json(&told.json())?;
    } else {
        print.data(told.text())?;
    }
    let all_found = found.iter().all(|look| look.is_found);
    Ok(if all_found { Exit::Done } else { Exit::Findings })
}

/// Where the databases and the queue are: files, or what kind of server. A URL may hold a
/// password, so none is shown.
fn places(plan: &DemoPlan) -> Result<Vec<String>, Failure> {
    let config = Config::read(&plan.config_file, &|name| std::env::var(name).ok())
        .map_err(|error| Failure::new(&error))?;
    let urls = [&config.gateway.database, &config.gateway.queue, &config.evaluation.database];
    let place = |url: &String| match config.url(url).split_once(':') {
        Some(("sqlite", file)) => file.to_owned(),
        Some(("amqp" | "amqps", _)) => "RabbitMQ".to_owned(),
        _ => "PostgreSQL".to_owned(),
    };
    Ok(urls.into_iter().map(place).collect())
}

/// How the two zones stand, as the commands say.
#[derive(Default)]
struct Standing {
    /// Each run with its findings.
    runs: Vec<Value>,
    /// What `status` says.
    status: Value,
    /// Releases collected.
    releases: Vec<Value>,
}

impl Standing {
    fn read(shell: &Shell<'_>) -> Result<Self, Failure> {
        let mut standing = Self::default();
        // Where there is no database yet, there is nothing to read.
        if let Some(status) = shell.try_ask(&["status"])? {
            standing.status = status;
            let listed = shell.ask(&["run", "list", "--last", RUNS_SHOWN])?;
            for run in listed.as_array().into_iter().flatten() {
                let id = run.get("id").and_then(Value::as_str).unwrap_or_default();
                standing.runs.push(shell.ask(&["run", "show", id])?);
            }
            let listed = shell.ask(&["extract", "list"])?;
            standing.releases = listed.get("releases").and_then(Value::as_array).cloned().unwrap_or_default();
        }
        Ok(standing)
    }

    /// Nothing was taken, and nothing was sent, since then.
    fn is_as(&self, before: &Self) -> bool {
        self.taken() == before.taken() && self.releases.len() == before.releases.len()
    }

    /// Units read, over all runs: a file that was taken before leaves a run of none.
    fn taken(&self) -> i64 {
        let received = |run: &Value| run.pointer("/units/received").and_then(Value::as_i64);
        self.runs.iter().filter_map(received).sum()
    }
}

/// Runs commands as a user would.
struct Shell<'c> {
    context: &'c Context,
    program: PathBuf,
    config: PathBuf,
}

impl Shell<'_> {
    /// Runs a command and shows it with what it prints. Findings are no failure.
    fn show(&self, words: &[&str]) -> Result<(), Failure> {
        let line = self.line(words);
        self.context.print.note(format_args!("\n$ {line}"));
        let printed = self.run(words, &[], Stdio::inherit())?.ok_or_else(|| self.failed(words))?;
        for line in printed.lines() {
            self.context.print.note(format_args!("  {line}"));
        }
        Ok(())
    }

    /// Runs a command quietly and gives what it says as JSON.
    fn ask(&self, words: &[&str]) -> Result<Value, Failure> {
        self.try_ask(words)?.ok_or_else(|| self.failed(words))
    }

    /// The same; none where it could not be run.
    fn try_ask(&self, words: &[&str]) -> Result<Option<Value>, Failure> {
        match self.run(words, &["--json"], Stdio::null())? {
            Some(printed) => Ok(Some(serde_json::from_str(&printed)?)),
            None => Ok(None),
        }
    }

    fn line(&self, words: &[&str]) -> String {
        let config = self.config.display().to_string();
        let words = words.iter().copied().chain(["--config", config.as_str()]).map(quoted);
        words.fold("wayleave".to_owned(), |line, word| line + " " + &word)
    }

    /// What it prints; none where it could not be run.
    fn run(&self, words: &[&str], more: &[&str], errors: Stdio) -> Result<Option<String>, Failure> {
        let output = Command::new(&self.program)
            .args(words)
            .args(more)
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .output()?;
        let is_fit = |code| code == i32::from(Exit::Done.code()) || code == i32::from(Exit::Findings.code());
        if !output.status.code().is_some_and(is_fit) {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    fn failed(&self, words: &[&str]) -> Failure {
        Failure::told(format!("`{}` could not be run", self.line(words)))
            .hint("run that command by itself to see why; the demo goes on from there")
    }
}
