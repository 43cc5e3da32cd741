//! `wayleave status`: how last night went, in ten lines.

use crate::base::edge::Instant;
use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::sync::{short, told};
use crate::cli::{Context, Exit};
use crate::gateway::alert::{self, AlertShown};
use crate::gateway::feed;
use crate::gateway::show::{self, RunShown, Standing};
use crate::schedule::planned::{self, Planned};

/// What `status` takes.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// How things stand, with what is to be told and what comes next.
#[derive(serde::Serialize)]
struct Shown {
    #[serde(flatten)]
    standing: Standing,
    alerts: Vec<AlertShown>,
    next: Vec<Next>,
}

/// The next slot of a feed.
#[derive(serde::Serialize)]
struct Next {
    feed: String,
    at: String,
    /// By the wall clock of its zone.
    shown: String,
}

pub(crate) fn run(_args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let gateway = open(&config, &context.edge, Opening::Existing)?;
    let feeds = feed::feeds(&config, None).map_err(told)?;
    let planned = planned::plan(&config, &feeds).map_err(|error| Failure::new(&error))?;
    let shown = Shown {
        standing: show::standing(&gateway).map_err(told)?,
        alerts: alert::list_open(&gateway).map_err(told)?,
        next: next(&planned, context.edge.now()),
    };
    if context.print.is_json {
        context.print.json(&shown)?;
    } else {
        context.print.data(lines(&shown).join("\n"))?;
    }
    let is_bad = shown.standing.open_runs > 0
        || !shown.alerts.is_empty()
        || shown.standing.feeds.iter().any(|run| run.state == "failed" || run.state == "held");
    Ok(if is_bad { Exit::Findings } else { Exit::Done })
}

fn next(planned: &[Planned], now: Instant) -> Vec<Next> {
    let mut next: Vec<(Instant, Next)> = planned
        .iter()
        .filter_map(|planned| {
            let slots = planned.slots.as_ref()?;
            let at = slots.next_after(now)?.at;
            let feed = planned.feed.full_name();
            Some((at, Next { feed, at: at.to_string(), shown: slots.shown(at) }))
        })
        .collect();
    next.sort_by_key(|(at, _)| *at);
    next.into_iter().map(|(_, next)| next).collect()
}

/// As many as are read at a glance.
const LINES_MAX: usize = 10;

/// Never more than ten: where there are more feeds than lines are left, those with trouble have a line
/// of their own, and the rest share one.
fn lines(shown: &Shown) -> Vec<String> {
    let standing = &shown.standing;
    let mut lines = Vec::new();
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
    lines.extend(alerts(&shown.alerts));
    lines.extend(slots(&shown.next));
    lines.push(verdict(shown));
    let mut all = feeds(&standing.feeds, LINES_MAX - lines.len());
    all.append(&mut lines);
    all
}

/// At most so many lines about the feeds.
fn feeds(runs: &[RunShown], lines_max: usize) -> Vec<String> {
    if runs.is_empty() {
        return vec!["no file was taken yet".to_owned()];
    }
    if runs.len() <= lines_max {
        return runs.iter().map(feed_line).collect();
    }
    let (bad, good): (Vec<&RunShown>, Vec<&RunShown>) = runs.iter().partition(|run| run.state != "finished");
    let own = bad.len().min(lines_max - 1);
    let mut lines: Vec<String> = bad.iter().take(own).map(|run| feed_line(run)).collect();
    let sum = |of: fn(&RunShown) -> i64| good.iter().map(|run| of(run)).sum::<i64>();
    let quiet = good.iter().filter(|run| run.units.received == 0).count();
    let more = match bad.len() - own {
        0 => String::new(),
        n => format!("; {n} more with trouble"),
    };
    let name = format!("{} other feeds", runs.len() - own);
    lines.push(format!(
        "{name:<18} {} with {} of {} units new or changed, {quiet} no news{more}",
        good.len() - quiet,
        sum(|run| run.units.accepted),
        sum(|run| run.units.received)
    ));
    lines
}

fn feed_line(run: &RunShown) -> String {
    let at = run.started_at.get(..16).unwrap_or_default().replace('T', " ");
    let how = match run.state.as_str() {
        "failed" if run.is_thrown_away() => "the file was thrown away".to_owned(),
        "failed" => "the file was REFUSED".to_owned(),
        "held" => format!("the file is HELD ({})", short(&run.id)),
        "finished" if run.units.received == 0 => "no news".to_owned(),
        "finished" => format!(
            "{} of {} units new or changed, {} set aside, {} rejected",
            run.units.accepted, run.units.received, run.units.quarantined, run.units.rejected
        ),
        other => format!("NOT FINISHED ({other}, {} units done)", run.units.received),
    };
    format!("{:<18} {at}  {how}", run.feed)
}

/// One line where there are alerts: of the first what is the matter, and how many more.
fn alerts(alerts: &[AlertShown]) -> Option<String> {
    let first = alerts.first()?;
    let untold = alerts.iter().filter(|alert| !alert.given_up.is_empty()).count();
    let more = match alerts.len() {
        1 => String::new(),
        n => format!("; {} more", n - 1),
    };
    let untold = match untold {
        0 => String::new(),
        n => format!("; {n} could not be told by every way"),
    };
    Some(format!("alerts             {}{more}{untold}", first.text))
}

/// Slots that are named; more of them are counted.
const SLOTS_NAMED_MAX: usize = 2;

fn slots(next: &[Next]) -> Option<String> {
    let named: Vec<String> =
        next.iter().take(SLOTS_NAMED_MAX).map(|next| format!("{} on {}", next.feed, next.shown)).collect();
    let more = match next.len().saturating_sub(SLOTS_NAMED_MAX) {
        0 => String::new(),
        n => format!("; {n} more feeds"),
    };
    (!named.is_empty()).then(|| format!("next               {}{more}", named.join("; ")))
}

fn verdict(shown: &Shown) -> String {
    let standing = &shown.standing;
    let of = |state: &str| standing.feeds.iter().filter(|run| run.state == state).count();
    match (standing.open_runs, of("held"), of("failed")) {
        (0, 0, 0) if shown.alerts.is_empty() => "all is well".to_owned(),
        (0, 0, 0) => {
            let to_do = shown.alerts.first().map_or("", |alert| alert.to_do.as_str());
            format!("to do: {to_do}")
        }
        (0, 0, n) => {
            format!("{n} refused: `wayleave run list`, then `wayleave run show RUN` says what to do")
        }
        (0, n, 0) => format!("{n} held: `wayleave run show RUN` says why, and how to let it through"),
        (0, held, refused) => {
            format!(
                "{refused} refused, {held} held: `wayleave run list`, then `wayleave run show RUN` says what to do"
            )
        }
        (n, ..) => format!("{n} not finished: run `wayleave sync`, it goes on where it stopped"),
    }
}
