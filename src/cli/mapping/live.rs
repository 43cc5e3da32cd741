//! `wayleave mapping shadow|promote|rollback`: trying a new version of a mapping on what really comes,
//! making it the live one, and going back.

use super::{Shelf, is_file_name};
use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::sync::told;
use crate::cli::{Context, Exit};
use crate::gateway::feed::{self, Feed};
use crate::gateway::live_mapping::{self, Chosen};
use crate::gateway::shadow::{self, Report};
use crate::gateway::{Gateway, GatewayError};

/// What `mapping shadow` takes.
#[derive(clap::Args)]
pub(crate) struct ShadowArgs {
    /// The feed: council/cld
    #[arg(value_name = "SOURCE/FEED")]
    feed: String,
    /// The new version, as a file; what came of the trial is shown where none is named
    #[arg(value_name = "MAPPING_FILE", conflicts_with_all = ["off", "report"])]
    mapping: Option<String>,
    /// End the trial
    #[arg(long, conflicts_with = "report")]
    off: bool,
    /// Show what has come of it so far
    #[arg(long)]
    report: bool,
}

/// What `mapping promote` takes.
#[derive(clap::Args)]
pub(crate) struct PromoteArgs {
    /// The feed: council/cld
    #[arg(value_name = "SOURCE/FEED")]
    feed: String,
    /// A version from a file, instead of the one that is tried
    #[arg(value_name = "MAPPING_FILE")]
    mapping: Option<String>,
}

/// What `mapping rollback` takes.
#[derive(clap::Args)]
pub(crate) struct RollbackArgs {
    /// The feed: council/cld
    #[arg(value_name = "SOURCE/FEED")]
    feed: String,
}

fn opened(context: &Context, name: &str) -> Result<(Gateway, Feed), Failure> {
    let config = context.config()?;
    let gateway = open(&config, &context.edge, Opening::Create)?;
    let mut feeds = feed::feeds(&config, Some(name)).map_err(told)?;
    match (feeds.pop(), feeds.is_empty()) {
        (Some(feed), true) => Ok((gateway, feed)),
        _ => Err(Failure::told(format!("`{name}` is a source with several feeds"))
            .hint("name one of them, as council/cld")),
    }
}

fn file_of(shelf: &Shelf, named: &str, feed: &Feed) -> Result<(crate::mapping::Mapping, String), Failure> {
    if !is_file_name(named) {
        return Err(Failure::told(format!("`{named}` is no mapping file"))
            .hint("name a .toml file; its code lists are looked for in `codes/` beside it"));
    }
    let text = super::read(std::path::Path::new(named))?.text.to_string();
    let mut mapping = shelf.mapping(named)?;
    mapping.is_live = feed.mapping.is_live;
    Ok((mapping, text))
}

pub(super) fn shadow(args: &ShadowArgs, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let (gateway, feed) = opened(context, &args.feed)?;
    let report = match &args.mapping {
        Some(named) => {
            let (mapping, text) = file_of(shelf, named, &feed)?;
            shadow::start(&gateway, &feed, &mapping, &text)
        }
        None if args.off => shadow::stop(&gateway, &feed),
        None => shadow::report(&gateway, &feed),
    };
    let report = report.map_err(told)?;
    if context.print.is_json {
        context.print.json(&report)?;
        return Ok(Exit::Done);
    }
    show(&report, context)?;
    if args.mapping.is_some() {
        context.print.note(format_args!(
            "from now on each unit of {0} is read by both; `wayleave mapping shadow {0}` shows what differs",
            report.feed
        ));
    }
    Ok(Exit::Done)
}

fn show(report: &Report, context: &Context) -> Result<(), Failure> {
    let until = match &report.ended_at {
        Some(at) => format!("until {at}"),
        None => "and still is".to_owned(),
    };
    let now = if report.is_live { "; it is the live one now" } else { "" };
    context.print.data(format_args!(
        "{}: version {} was tried beside version {} since {}, {until}{now}",
        report.feed, report.shadow_version, report.live_version, report.started_at
    ))?;
    context.print.data(format_args!("{} units, {} of which differ", report.units, report.differing))?;
    for way in &report.differences {
        let what = match way.what.as_str() {
            "only-live" => "only in live",
            "only-shadow" => "only in shadow",
            "finding-new" => "new finding",
            "finding-gone" => "finding gone",
            other => other,
        };
        let places = way.examples.iter().take(PLACES_SHOWN).map(|one| match (&one.sheet, one.line) {
            (Some(sheet), Some(line)) => format!("sheet `{sheet}`, line {line}"),
            (None, Some(line)) => format!("line {line}"),
            _ => format!("unit {}", one.unit),
        });
        let places: Vec<String> = places.collect();
        context.print.data(format_args!(
            "{:>8}  {what:14}  {}  ({})",
            way.count,
            way.about,
            places.join("; ")
        ))?;
    }
    Ok(())
}

/// Places shown of each difference; `--json` has more.
const PLACES_SHOWN: usize = 3;

pub(super) fn promote(args: &PromoteArgs, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let (gateway, feed) = opened(context, &args.feed)?;
    let new = args.mapping.as_ref().map(|named| file_of(shelf, named, &feed)).transpose()?;
    let new = new.as_ref().map(|(mapping, text)| (mapping, text.as_str()));
    chosen(live_mapping::promote(&gateway, &feed, new), context)
}

pub(super) fn roll_back(args: &RollbackArgs, context: &Context) -> Result<Exit, Failure> {
    let (gateway, feed) = opened(context, &args.feed)?;
    chosen(live_mapping::roll_back(&gateway, &feed), context)
}

fn chosen(chosen: Result<Chosen, GatewayError>, context: &Context) -> Result<Exit, Failure> {
    let chosen = chosen.map_err(told)?;
    if context.print.is_json {
        context.print.json(&chosen)?;
        return Ok(Exit::Done);
    }
    let whose = if chosen.is_configured { ", as the configuration says" } else { "" };
    context.print.data(format_args!(
        "{}: read through version {} from now on{whose}; it was version {}",
        chosen.feed, chosen.now, chosen.before
    ))?;
    context.print.note("the next `wayleave sync` reads what is kept again");
    Ok(Exit::Done)
}
