//! `wayleave check`: is everything in place, and if not, what to do. One line for each thing.

use std::fmt::Display;

use serde::Serialize;

use crate::cli::operational::actor;
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::config::Config;
use crate::gateway::{Gateway, feed, keys, study};
use crate::queue::Queue;
use crate::store::keys::Keys;
use crate::store::{Migrated, Store, StoreError, run};

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
    let keys = check_keys(&config, &mut lines);
    check_database(args, &config, context, keys, &mut lines);
    check_queue(&config, context, &mut lines);
    check_feeds(&config, &mut lines);
    check_studies(&config, &mut lines);
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

fn check_keys(config: &Config, lines: &mut Lines) -> Option<Keys> {
    match keys::load(config) {
        Ok(keys) => {
            lines.ok("keys", "the master key and the index key are there, and nobody else may read them");
            Some(keys)
        }
        Err(error) => {
            lines.wanting("keys", error);
            None
        }
    }
}

fn check_database(args: &Args, config: &Config, context: &Context, keys: Option<Keys>, lines: &mut Lines) {
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
            return lines.ok(
                "database",
                format_args!("{database} is not made yet; the first `wayleave sync` makes it"),
            );
        }
        Err(error) => return lines.wanting("database", Failure::new(&error).text),
    };
    debug_assert_eq!(store.migrated().ok(), Some(Migrated::Current), "an opened database is current");
    lines.ok("database", store.shown());
    let open = store.read(run::list_open).map(|open| open.len());
    match open {
        Ok(0) => {}
        Ok(n) => lines.wanting("runs", format_args!("{n} not finished; `wayleave sync` goes on with them")),
        Err(error) => lines.wanting("runs", error),
    }
    if let Some(keys) = keys {
        let gateway = Gateway { store, keys, edge: context.edge.clone(), actor: actor() };
        let belong =
            gateway.check_keys().map(|()| "they are the ones this database was made with".to_owned());
        lines.put("keys of the database", belong);
    }
}

fn check_queue(config: &Config, context: &Context, lines: &mut Lines) {
    let url = config.url(&config.gateway.queue);
    if let Some(file) = url.strip_prefix("sqlite:")
        && !std::path::Path::new(file.strip_prefix("//").unwrap_or(file)).exists()
    {
        return lines.ok("queue", "not made yet; the first release makes it");
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

fn check_feeds(config: &Config, lines: &mut Lines) {
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
                let what = format!("feed {name}");
                match feed.files() {
                    Ok(files) => lines.ok(
                        what,
                        format_args!(
                            "mapping {} version {}, {} files",
                            feed.mapping.name,
                            feed.mapping.version,
                            files.len()
                        ),
                    ),
                    Err(error) => lines.wanting(what, error),
                }
            }
            Ok(None) => {}
            Err(error) => lines.wanting(format_args!("feed {name}"), Failure::new(&error).text),
        }
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
