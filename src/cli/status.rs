//! `wayleave status`: how last night went, in ten lines.

use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::sync::told;
use crate::cli::{Context, Exit};
use crate::gateway::show::{self, Standing};

/// What `status` takes.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let gateway = open(&config, &context.edge, Opening::Existing)?;
    let standing = show::standing(&gateway).map_err(told)?;
    if context.print.is_json {
        context.print.json(&standing)?;
    } else {
        context.print.data(text(&standing))?;
    }
    let is_bad = standing.open_runs > 0 || standing.feeds.iter().any(|run| run.state == "failed");
    Ok(if is_bad { Exit::Findings } else { Exit::Done })
}

fn text(standing: &Standing) -> String {
    let mut lines = Vec::new();
    for run in &standing.feeds {
        let at = run.started_at.get(..16).unwrap_or_default().replace('T', " ");
        let how = match run.state.as_str() {
            "failed" => "the file was REFUSED".to_owned(),
            "finished" if run.units.received == 0 => "no news".to_owned(),
            "finished" => format!(
                "{} of {} units new or changed, {} set aside, {} rejected",
                run.units.accepted, run.units.received, run.units.quarantined, run.units.rejected
            ),
            other => format!("NOT FINISHED ({other}, {} units done)", run.units.received),
        };
        lines.push(format!("{:<18} {at}  {how}", run.feed));
    }
    if standing.feeds.is_empty() {
        lines.push("no file was taken yet".to_owned());
    }
    let records: i64 = standing.records.iter().map(|(_, n)| n).sum();
    lines.push(format!(
        "people             {} known to a programme; {} entries about people in the sources; {records} records",
        standing.known, standing.subjects
    ));
    lines.push(match standing.quarantined {
        0 => "set aside          nothing".to_owned(),
        n => format!("set aside          {n} units; `wayleave quarantine list` shows them"),
    });
    lines.push(match (standing.to_link, standing.to_release) {
        (0, 0) => "waiting            nothing".to_owned(),
        (link, release) => {
            format!("waiting            {link} to link, {release} to lay ready; run `wayleave sync`")
        }
    });
    let failed = standing.feeds.iter().filter(|run| run.state == "failed").count();
    lines.push(match (standing.open_runs, failed) {
        (0, 0) => "all is well".to_owned(),
        (0, n) => format!("{n} refused: `wayleave run list`, then `wayleave run show RUN` says what to do"),
        (n, _) => format!("{n} not finished: run `wayleave sync`, it goes on where it stopped"),
    });
    lines.join("\n")
}
