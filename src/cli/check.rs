//! `wayleave check`: is everything in place, and if not, what to do. One line for each thing.

use std::fmt::Display;

use serde::Serialize;

use crate::cli::operational::actor;
use crate::cli::print::Failure;
use crate::cli::safety::{self, Side};
use crate::cli::{Context, Exit};
use crate::config::Config;
use crate::exchange::decide::is_live;
use crate::gateway::exchange::plan::Plan;
use crate::gateway::feed::Feed;
use crate::gateway::{Gateway, feed, keys, live_mapping, study};
use crate::queue::Queue;
use crate::schedule::planned;
use crate::schedule::watcher::Watcher;
use crate::store::keys::Keys;
use crate::store::{Migrated, Store, StoreError, run};
use crate::transport::access::IS_KNOWN;
use crate::transport::place::Place;
use crate::web::listen;

/// What `check` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Bring a database of an older version up to this one. Back it up first
    #[arg(long)]
    migrate: bool,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Line {
    what: String,
    is_ok: bool,
    told: String,
}

#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn ok(&mut self, what: impl Display, told: impl Display) {
        self.0.push(Line { what: what.to_string(), is_ok: true, told: told.to_string() });
    }

    fn wanting(&mut self, what: impl Display, told: impl Display) {
        self.0.push(Line { what: what.to_string(), is_ok: false, told: told.to_string() });
    }

    fn put<E: std::error::Error + 'static>(&mut self, what: impl Display, result: Result<String, E>) {
        match result {
            Ok(told) => self.ok(what, told),
            Err(error) => self.wanting(what, Failure::new(&error).text),
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let mut lines = Lines::default();
    lines.ok("configuration", context.config_file.display());
    check_safety(&config, &mut lines);
    let keys = check_keys(&config, &mut lines);
    let gateway = check_database(args, &config, context, keys, &mut lines);
    check_queue(&config, context, &mut lines);
    lines.put("web", listen::look(&config));
    check_feeds(&config, context, gateway.as_ref(), &mut lines);
    check_studies(&config, &mut lines);
    check_exchange(&config, context, &mut lines);
    check_alerts(&config, &mut lines);
    let is_ok = lines.0.iter().all(|line| line.is_ok);
    if context.print.is_json {
        context.print.json(&lines.0)?;
    } else {
        for line in &lines.0 {
            let mark = if line.is_ok { "ok    " } else { "TO DO " };
            context.print.data(format_args!("{mark} {}: {}", line.what, line.told))?;
        }
    }
    Ok(if is_ok { Exit::Done } else { Exit::Findings })
}

/// What a start would be refused for, on either side.
fn check_safety(config: &Config, lines: &mut Lines) {
    for (side, what) in [(Side::Operational, "files"), (Side::Evaluation, "files of the evaluation side")] {
        let safety = safety::look(config, side);
        if safety.faults.is_empty() {
            lines.ok(what, safety::told(&safety));
        }
        for fault in safety.faults {
            lines.wanting(what, fault);
        }
    }
}

fn check_keys(config: &Config, lines: &mut Lines) -> Option<Keys> {
    match keys::load(config) {
        Ok(keys) => {
            let unread = if IS_KNOWN { ", and nobody else may read them" } else { "" };
            lines.ok("keys", format!("the master key and the index key are there{unread}"));
            Some(keys)
        }
        Err(error) => {
            lines.wanting("keys", error);
            None
        }
    }
}

/// Gives the gateway, where it could be opened.
fn check_database(
    args: &Args,
    config: &Config,
    context: &Context,
    keys: Option<Keys>,
    lines: &mut Lines,
) -> Option<Gateway> {
    let url = config.url(&config.gateway.database);
    let store = match Store::open_existing(&url) {
        Err(StoreError::Older { .. }) if args.migrate => {
            Store::open(&url).and_then(|store| store.migrate().map(|()| store))
        }
        opened => opened,
    };
    let store = match store {
        Ok(store) => store,
        Err(StoreError::NotThere { database }) => {
            lines.ok(
                "database",
                format_args!("{database} is not made yet; the first `wayleave sync` makes it"),
            );
            return None;
        }
        Err(error) => {
            lines.wanting("database", Failure::new(&error).text);
            return None;
        }
    };
    debug_assert_eq!(store.migrated().ok(), Some(Migrated::Current), "an opened database is current");
    lines.ok("database", store.shown());
    let open = store.read(run::list_open).map(|open| open.len());
    match open {
        Ok(0) => {}
        Ok(n) => lines.wanting("runs", format_args!("{n} not finished; `wayleave sync` goes on with them")),
        Err(error) => lines.wanting("runs", error),
    }
    let gateway = Gateway { store, keys: keys?, edge: context.edge.clone(), actor: actor() };
    let belong = gateway.check_keys().map(|()| "they are the ones this database was made with".to_owned());
    lines.put("keys of the database", belong);
    Some(gateway)
}

fn check_queue(config: &Config, context: &Context, lines: &mut Lines) {
    let url = config.url(&config.gateway.queue);
    if let Some(file) = url.strip_prefix("sqlite:")
        && !std::path::Path::new(file.strip_prefix("//").unwrap_or(file)).exists()
    {
        // Whether it may stand there is asked before it is made.
        let may_stand = crate::queue::knock(&url);
        return lines.put("queue", may_stand.map(|()| "not made yet; the first release makes it".to_owned()));
    }
    let authority = Some(&config.gateway.queue_authority).filter(|file| !file.is_empty());
    let settings = crate::queue::Settings {
        url,
        authority: authority.map(|file| config.path(file)),
        lease_s: config.limits.lease_s,
    };
    let opened = Queue::open(&settings, &context.edge).map(|_queue| "it answers".to_owned());
    lines.put("queue", opened);
}

fn check_feeds(config: &Config, context: &Context, gateway: Option<&Gateway>, lines: &mut Lines) {
    let mut names = Vec::new();
    for (source, of_source) in &config.source {
        names.extend(of_source.feed.keys().map(|feed| format!("{source}/{feed}")));
    }
    if names.is_empty() {
        lines.wanting(
            "sources",
            "there is none; add a [source.…] section, as `wayleave init --print` explains",
        );
    }
    for name in names {
        match feed::feeds(config, Some(&name)).map(|mut feeds| feeds.pop()) {
            Ok(Some(feed)) => {
                check_slots(config, &feed, context, lines);
                check_feed(&feed, gateway, lines);
            }
            Ok(None) => {}
            Err(error) => lines.wanting(format_args!("feed {name}"), Failure::new(&error).text),
        }
    }
}

fn check_alerts(config: &Config, lines: &mut Lines) {
    let told = Watcher::open(config).map(|watcher| match watcher.ways.names().as_slice() {
        [] => "told by the log alone; mail and a webhook can be set under `[alert]`".to_owned(),
        names => format!("told by {}", names.join(" and ")),
    });
    lines.put("alerts", told);
}

fn check_slots(config: &Config, feed: &Feed, context: &Context, lines: &mut Lines) {
    let what = format!("schedule of {}", feed.full_name());
    match planned::plan(config, std::slice::from_ref(feed)) {
        Ok(planned) => {
            let slots = planned.first().and_then(|planned| planned.slots.as_ref());
            if let Some((slots, next)) =
                slots.and_then(|slots| Some((slots, slots.next_after(context.edge.now())?)))
            {
                lines.ok(what, format_args!("{}, next on {}", slots.text(), slots.shown(next.at)));
            }
        }
        Err(error) => lines.wanting(what, Failure::new(&error).text),
    }
}

/// Whether what goes to partners is as it should be; nothing is said where nothing goes.
fn check_exchange(config: &Config, context: &Context, lines: &mut Lines) {
    let plan = match Plan::load(config) {
        Ok(plan) => plan,
        Err(error) => return lines.wanting("exchange", Failure::new(&error).text),
    };
    let today = context.edge.now().london_day();
    for (name, agreement) in &plan.agreements {
        let what = format!("agreement {name}");
        match is_live(agreement, today) {
            Ok(()) => lines.ok(what, format_args!("in force until {}", agreement.ends)),
            Err(refusal) => lines.wanting(what, format_args!("nothing goes: {}", refusal.meaning())),
        }
    }
}

/// Whether a feed's place is there, may be read, and is the one that is known.
fn check_feed(feed: &Feed, gateway: Option<&Gateway>, lines: &mut Lines) {
    let what = format!("feed {}", feed.full_name());
    let place = feed.place();
    // Which mapping it is read through: a promoted one stands in for the configured one.
    let live = gateway.map_or_else(|| Ok(feed.clone()), |gateway| live_mapping::one(gateway, feed));
    let live = match live {
        Ok(live) => live,
        Err(error) => return lines.wanting(what, Failure::new(&error).text),
    };
    let promoted = if live.mapping.hash == feed.mapping.hash {
        String::new()
    } else {
        format!(
            ", which was promoted and stands in for version {} of the configuration until `wayleave mapping rollback {}`",
            feed.mapping.version,
            feed.full_name()
        )
    };
    let listed = place.visit().and_then(|mut visit| visit.list(&|name| feed.takes(name)));
    match listed {
        Ok(files) => {
            let (mapping, version) = (&live.mapping.name, live.mapping.version);
            let at = match &place {
                Place::Sftp(server) => format!(" at {}, whose key is known", server.host),
                Place::Nowhere | Place::Folder(_) => String::new(),
            };
            lines.ok(
                what,
                format_args!("mapping {mapping} version {version}{promoted}, {} files{at}", files.len()),
            );
        }
        Err(error) => lines.wanting(what, Failure::new(&error).text),
    }
}

fn check_studies(config: &Config, lines: &mut Lines) {
    match study::protocols(config) {
        Ok(protocols) => {
            for protocol in protocols {
                lines.ok(
                    format_args!("study {}", protocol.study),
                    format_args!("protocol version {}", protocol.version),
                );
            }
        }
        Err(error) => lines.wanting("studies", Failure::new(&error).text),
    }
}
