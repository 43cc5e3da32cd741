//! `wayleave serve`: the gateway as a service, in one process or each role in its own.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::sync::told;
use crate::cli::{Context, Exit};
use crate::config::Config;
use crate::gateway::exchange::plan::LivePlan;
use crate::gateway::{Gateway, feed, study};
use crate::schedule::watcher::Watcher;
use crate::schedule::{Scheduler, planned};
use crate::station::mllp::{Manned, Station};
use crate::station::post::Post;
use crate::telemetry::Figures;
use crate::web::listen;
use crate::worker::keep_up::keep_up;
use crate::worker::teller::Teller;
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
    /// Syncs the feeds at their slots, and tells of trouble
    Schedule,
    /// Takes HL7 v2 messages over MLLP
    Mllp,
    /// Looks into the mailbox of MESH, and sends what is queued by MESH and MLLP
    Post,
    /// Tells partners
    Exchange,
}

/// What every role is started with.
struct Start<'a> {
    gateway: &'a Gateway,
    config: &'a Config,
    figures: &'a Arc<Figures>,
    stop: &'a Stop,
    context: &'a Context,
    args: &'a Args,
}

type Thread = JoinHandle<()>;

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let gateway = open(&config, &context.edge, Opening::Create)?;
    gateway.check_keys().map_err(told)?;
    let (figures, stop) = (Arc::new(Figures::new()), Stop::default());
    let start = Start { gateway: &gateway, config: &config, figures: &figures, stop: &stop, context, args };
    let worker = start.worker()?;
    let scheduler = start.scheduler()?;
    let manned = start.mllp()?;
    let post = start.post()?;
    let exchange = start.exchange()?;
    let served = if start.has(Role::Web) {
        listen::serve(&start.acting("web"), &config, &figures, |address| {
            context.print.note(format_args!("listening on {address}"));
        })
    } else {
        listen::until_stopped(|| context.print.note("working"))
    };
    stop.now();
    if let Some(manned) = manned {
        manned.join();
    }
    for (role, thread) in
        [("worker", worker), ("schedule", scheduler), ("post", post), ("exchange", exchange)]
    {
        let Some(thread) = thread else { continue };
        thread.join().map_err(|_panic| {
            Failure::told(format!("the {role} stopped unexpectedly"))
                .hint("start again, and report it if it happens again")
        })?;
    }
    served.map_err(|error| Failure::new(&error))?;
    Ok(Exit::Done)
}

impl Start<'_> {
    fn has(&self, role: Role) -> bool {
        self.args.role.is_empty() || self.args.role.contains(&role)
    }

    /// The gateway, with a role as its actor.
    fn acting(&self, role: &str) -> Gateway {
        Gateway { actor: role.to_owned(), ..self.gateway.clone() }
    }

    fn worker(&self) -> Result<Option<Thread>, Failure> {
        if !self.has(Role::Worker) {
            return Ok(None);
        }
        let worker = Worker {
            gateway: self.acting("worker"),
            feeds: feed::feeds(self.config, None).map_err(told)?,
            protocols: study::protocols(self.config).map_err(told)?,
            figures: self.figures.clone(),
        };
        Ok(Some(self.begin("worker", move |stop| worker.run(stop))))
    }

    fn scheduler(&self) -> Result<Option<Thread>, Failure> {
        if !self.has(Role::Schedule) {
            return Ok(None);
        }
        let feeds = feed::feeds(self.config, None).map_err(told)?;
        let scheduler = Scheduler {
            gateway: self.acting("schedule"),
            planned: planned::plan(self.config, &feeds).map_err(|error| Failure::new(&error))?,
            protocols: study::protocols(self.config).map_err(told)?,
            watcher: Watcher::open(self.config).map_err(|error| Failure::new(&error))?,
            figures: self.figures.clone(),
        };
        Ok(Some(self.begin("schedule", move |stop| scheduler.run(stop))))
    }

    /// The listeners, where a feed has one.
    fn mllp(&self) -> Result<Option<Manned>, Failure> {
        if !self.has(Role::Mllp) {
            return Ok(None);
        }
        let station = Station::open(&self.acting("mllp"), self.config, self.figures);
        let station = station.map_err(|error| Failure::new(&error))?;
        if station.is_idle() {
            return self.none_unless_asked(
                Role::Mllp,
                "no feed of the configuration is listened for over MLLP",
                "set `listen` in the `mllp` section of a feed, or leave out `--role mllp`",
            );
        }
        for (feed, address) in station.addresses() {
            self.context.print.note(format_args!("{feed} listens for messages on {address}"));
        }
        Ok(Some(station.man(self.stop)))
    }

    /// The post, where there is a mailbox or a receiver.
    fn post(&self) -> Result<Option<Thread>, Failure> {
        if !self.has(Role::Post) {
            return Ok(None);
        }
        let mut post =
            Post::open(&self.acting("post"), self.config, self.figures, self.stop).map_err(told)?;
        if post.is_idle() {
            return self.none_unless_asked(
                Role::Post,
                "the configuration names neither a mailbox nor an MLLP receiver",
                "set `url` in its section `[mesh]`, or leave out `--role post`",
            );
        }
        Ok(Some(self.begin("post", move |stop| post.run(stop))))
    }

    /// What tells partners.
    fn exchange(&self) -> Result<Option<Thread>, Failure> {
        if !self.has(Role::Exchange) {
            return Ok(None);
        }
        let plan = LivePlan::load(self.config).map_err(told)?;
        let mut teller = Teller { gateway: self.acting("exchange"), plan, figures: self.figures.clone() };
        Ok(Some(self.begin("exchange", move |stop| teller.run(stop))))
    }

    /// A thread of its own, in which a role works until it is told to stop.
    fn begin(&self, role: &'static str, mut work: impl FnMut(&Stop) + Send + 'static) -> Thread {
        let (stop, figures) = (self.stop.clone(), self.figures.clone());
        std::thread::spawn(move || keep_up(role, &stop, &figures, || work(&stop)))
    }

    /// A role that has nothing to do is left out, unless it was asked for by name.
    fn none_unless_asked<T>(&self, role: Role, text: &str, hint: &str) -> Result<Option<T>, Failure> {
        if self.args.role.contains(&role) {
            return Err(Failure::told(text).hint(hint));
        }
        Ok(None)
    }
}
