//! `wayleave collect`: what has come through the door, into the evaluation database.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::base::limit::COLLECT_PAUSE_MS;
use crate::cli::print::Failure;
use crate::cli::safety::{self, Side};
use crate::cli::{Context, Exit};
use crate::config::Config;
use crate::evaluation::collect::answer::Signer;
use crate::evaluation::collect::{Collected, Inlet, collect};
use crate::evaluation::extract::{Outdated, list_outdated};
use crate::evaluation::store::Store;
use crate::queue::Settings;

/// What `collect` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Study to collect; all that are configured or were collected before where it is left out
    #[arg(long)]
    study: Vec<String>,
    /// Do not wait for messages that another collector holds, or one that was stopped
    #[arg(long)]
    no_wait: bool,
}

#[derive(Serialize)]
struct Told {
    study: String,
    received: u64,
    taken: BTreeMap<&'static str, u64>,
    repeated: u64,
    refused: u64,
    removed: u64,
    answered: u64,
    held: u64,
    outdated: Vec<Outdated>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    safety::start(&config, Side::Evaluation)?;
    let signer = Signer::read(&config.path(&config.evaluation.key)).map_err(|error| {
        Failure::new(&error).hint("run `wayleave init`, or name the file in `evaluation.key`")
    })?;
    let mut store = Store::open(&config.url(&config.evaluation.database)).map_err(|error| {
        Failure::new(&error)
            .hint("check `evaluation.database` in the configuration, and that it can be reached")
    })?;
    let mut exit = Exit::Done;
    let mut told = Vec::new();
    for study in studies(args, &config, &mut store)? {
        let one = collect_one(args, context, &config, &mut store, &signer, study)?;
        if one.refused > 0 || one.held > 0 {
            exit = Exit::Findings;
        }
        told.push(one);
    }
    if context.print.is_json {
        context.print.json(&told)?;
        return Ok(exit);
    }
    for one in &told {
        context.print.data(line(one))?;
    }
    Ok(exit)
}

fn studies(args: &Args, config: &Config, store: &mut Store) -> Result<Vec<String>, Failure> {
    if !args.study.is_empty() {
        return Ok(args.study.clone());
    }
    let mut studies: Vec<String> = config.study.keys().cloned().collect();
    studies.extend(store.list_releases(None)?.into_iter().map(|closed| closed.study));
    studies.sort();
    studies.dedup();
    if studies.is_empty() {
        return Err(Failure::told("no study is known here").hint("name one with --study"));
    }
    Ok(studies)
}

fn collect_one(
    args: &Args,
    context: &Context,
    config: &Config,
    store: &mut Store,
    signer: &Signer,
    study: String,
) -> Result<Told, Failure> {
    let unreachable = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(error).hint("check `evaluation.queue` in the configuration, and that the broker runs")
    };
    let authority = Some(&config.evaluation.queue_authority).filter(|file| !file.is_empty());
    let settings = Settings {
        url: config.url(&config.evaluation.queue),
        authority: authority.map(|file| config.path(file)),
        lease_s: config.limits.lease_s,
    };
    let mut inlet = Inlet::open(&settings, &study, &context.edge).map_err(|error| unreachable(&error))?;
    let bar = context.print.progress(0, "messages");
    let mut all = Collected::default();
    let mut moved = context.edge.now();
    let held = loop {
        let before = all.received + all.repeated;
        let part = collect(store, &mut inlet, signer, &study, &mut |part| {
            bar.set_position(before + part.received);
            true
        })
        .map_err(|error| unreachable(&error))?;
        let has_moved = part.received > 0;
        all.extend(part);
        let held = inlet.held().map_err(|error| unreachable(&error))?;
        if held == 0 || args.no_wait {
            break held;
        }
        if has_moved {
            moved = context.edge.now();
        } else if context.edge.now() > moved.plus_s(2 * config.limits.lease_s) {
            break held;
        }
        bar.set_message("messages; waiting for those that another collector holds");
        std::thread::sleep(Duration::from_millis(COLLECT_PAUSE_MS));
    };
    bar.finish_and_clear();
    let outdated = list_outdated(store, &study)?;
    for finding in all.findings.kept() {
        context.print.note(format_args!("{}: {finding}", finding.severity.as_str()));
        context.print.note(format_args!("hint: {}", finding.advice()));
    }
    Ok(Told {
        study,
        received: all.received,
        taken: all.fresh,
        repeated: all.repeated,
        refused: all.refused,
        removed: all.removed,
        answered: all.answered,
        held,
        outdated,
    })
}

fn line(told: &Told) -> String {
    let taken: Vec<String> = told.taken.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let taken = if taken.is_empty() { "nothing new".to_owned() } else { taken.join(", ") };
    let mut line = format!("{}: {taken}", told.study);
    let rest = [
        (told.repeated, "had come before"),
        (told.refused, "refused, among the dead letters"),
        (told.removed, "records removed for a withdrawal"),
        (told.answered, "notices answered"),
        (told.held, "still held by another collector"),
    ];
    for (count, what) in rest {
        if count > 0 {
            line.extend(["\n  ", &count.to_string(), " ", what]);
        }
    }
    for extract in &told.outdated {
        let people = extract.withdrawn.to_string();
        let folder = extract.folder.display().to_string();
        line.extend(["\n  destroy ", &folder, ": ", &people, " people in it have withdrawn since"]);
    }
    line
}
