//! `wayleave demo`: invented people, taken the whole way by the commands that a user would type.
//!
//! Everything after the making of the files is done by this same program in processes of its own,
//! and each command is shown. What is told at the end is read back with the same commands.

mod faults;
mod story;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cli::init::create_key;
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
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
    for key in ["master.key", "index.key", "evaluation.key"] {
        let file = args.dir.join("keys").join(key);
        if !file.exists() {
            create_key(&file, &context.edge)?;
        }
    }
    let shell = Shell { context, program: std::env::current_exe()?, config: plan.config_file.clone() };
    let before = Standing::read(&shell, &args.dir)?;
    let extract = args.dir.join("extract").display().to_string();
    shell.show(&["check"])?;
    shell.show(&["sync"])?;
    shell.show(&["study", "release", STUDY])?;
    shell.show(&["collect"])?;
    shell.show(&["extract", "build", "--out", &extract])?;
    shell.show(&["extract", "verify", &extract])?;
    let after = Standing::read(&shell, &args.dir)?;
    let found = faults::look(&plan.faults, &after.runs);
    let built = shell.ask(&["extract", "build", "--out", &extract])?;
    let told = story::Story {
        plan: &plan,
        dir: &args.dir,
        before: &before,
        after: &after,
        found: &found,
        built: &built,
    };
    if print.is_json {
        print.json(&told.json())?;
    } else {
        print.data(told.text())?;
    }
    let all_found = found.iter().all(|look| look.is_found);
    Ok(if all_found { Exit::Done } else { Exit::Findings })
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
    fn read(shell: &Shell<'_>, dir: &Path) -> Result<Self, Failure> {
        let mut standing = Self::default();
        if dir.join("operational.db").exists() {
            standing.status = shell.ask(&["status"])?;
            let listed = shell.ask(&["run", "list", "--last", RUNS_SHOWN])?;
            for run in listed.as_array().into_iter().flatten() {
                let id = run.get("id").and_then(Value::as_str).unwrap_or_default();
                standing.runs.push(shell.ask(&["run", "show", id])?);
            }
        }
        if dir.join("evaluation.db").exists() {
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
        let printed = self.run(words, &[], Stdio::inherit())?;
        for line in printed.lines() {
            self.context.print.note(format_args!("  {line}"));
        }
        Ok(())
    }

    /// Runs a command quietly and gives what it says as JSON.
    fn ask(&self, words: &[&str]) -> Result<Value, Failure> {
        let printed = self.run(words, &["--json"], Stdio::null())?;
        Ok(serde_json::from_str(&printed)?)
    }

    fn line(&self, words: &[&str]) -> String {
        let config = self.config.display().to_string();
        let words = words.iter().copied().chain(["--config", config.as_str()]).map(quoted);
        words.fold("wayleave".to_owned(), |line, word| line + " " + &word)
    }

    fn run(&self, words: &[&str], more: &[&str], errors: Stdio) -> Result<String, Failure> {
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
            return Err(Failure::told(format!("`{}` could not be run", self.line(words)))
                .hint("run that command by itself to see why; the demo goes on from there"));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A word as it has to be typed.
fn quoted(word: &str) -> String {
    if word.contains(char::is_whitespace) { format!("\"{word}\"") } else { word.to_owned() }
}
