//! `wayleave post list|check|collect|send`: messages by the exchange MESH and over MLLP.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;

use crate::base::limit::SENT_BYTES_MAX;
use crate::base::private::Private;
use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::sync::told;
use crate::cli::{Context, Exit};
use crate::config::Config;
use crate::gateway::mesh::{self, MailboxShown, MeshPost};
use crate::gateway::mllp::MllpPost;
use crate::gateway::outgoing::{self, Outbox, SentShown, ToSend, Transport};
use crate::gateway::{Gateway, GatewayError};

/// What `post` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// What was sent and what became of it, and what lies in the mailbox that nobody takes
    List {
        /// How many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=1000))]
        last: i64,
    },
    /// Show the exchange that the mailbox is in use, and whether it is known there
    Check,
    /// Take what lies in the mailbox, send what is queued, and ask what became of what was sent; once
    Collect,
    /// Queue a file for a mailbox or an MLLP receiver, and send it
    Send {
        /// The mailbox it is for
        #[arg(
            long,
            value_name = "MAILBOX",
            required_unless_present = "mllp",
            conflicts_with = "mllp",
            requires = "workflow"
        )]
        mesh: Option<String>,
        /// What it is for, as agreed with the receiver
        #[arg(long, value_name = "WORKFLOW")]
        workflow: Option<String>,
        /// The MLLP receiver of the configuration it is for
        #[arg(long, value_name = "NAME")]
        mllp: Option<String>,
        /// The file: any for a mailbox, one HL7 v2 message over MLLP
        file: PathBuf,
    },
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let gateway = open(&config, &context.edge, Opening::Create)?;
    gateway.check_keys().map_err(told)?;
    match &args.what {
        What::List { last } => list(context, &gateway, *last),
        What::Check => check(context, &gateway, &config),
        What::Collect => once(context, &gateway, &config),
        What::Send { mesh, workflow, mllp, file } => {
            let (transport, recipient) = match (mesh, mllp) {
                (Some(mailbox), _) => (Transport::Mesh, mailbox.to_uppercase()),
                (None, name) => (Transport::Mllp, name.clone().unwrap_or_default()),
            };
            if transport == Transport::Mllp && !config.mllp.contains_key(&recipient) {
                return Err(Failure::told(format!("the configuration names no MLLP receiver `{recipient}`"))
                    .hint(format!("add a section `[mllp.{recipient}]` with `to = \"host:port\"`")));
            }
            queue(context, &gateway, (transport, &recipient), workflow.as_deref().unwrap_or_default(), file)?;
            once(context, &gateway, &config)
        }
    }
}

fn pause(pause: Duration) {
    std::thread::sleep(pause);
}

fn mailbox(gateway: &Gateway, config: &Config) -> Result<Option<MeshPost>, Failure> {
    MeshPost::open(gateway, config, pause).map_err(told_here)
}

/// A failure, with what to do.
fn told_here(error: GatewayError) -> Failure {
    match &error {
        GatewayError::File { .. } => Failure::new(&error).hint(
            "`mesh.password` and `mesh.shared_key` name files with one line each, which only you may read",
        ),
        _ => told(error),
    }
}

fn check(context: &Context, gateway: &Gateway, config: &Config) -> Result<Exit, Failure> {
    let Some(mailbox) = mailbox(gateway, config)? else {
        return Err(
            Failure::told("the configuration names no mailbox").hint("set `url` in its section `[mesh]`")
        );
    };
    mailbox.handshake().map_err(told_here)?;
    context.print.data(format_args!("mailbox {}: the exchange knows it", mailbox.name()))?;
    Ok(Exit::Done)
}

fn queue(
    context: &Context,
    gateway: &Gateway,
    (transport, recipient): (Transport, &str),
    workflow: &str,
    file: &PathBuf,
) -> Result<(), Failure> {
    let unreadable =
        |error: std::io::Error| Failure::told(format!("cannot read {}: {error}", file.display()));
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size > SENT_BYTES_MAX {
        return Err(Failure::told(format!("{} is larger than {SENT_BYTES_MAX} bytes", file.display()))
            .hint("split it"));
    }
    let content = Private::new(std::fs::read(file).map_err(unreadable)?);
    let outbox = Outbox::open(gateway).map_err(told)?;
    // Whoever types it again wants it sent again.
    let key = context.edge.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let what = ToSend {
        transport,
        recipient,
        workflow,
        subject: "",
        file_name: "",
        in_order_of: None,
        key: &format!("cli/{key}"),
        dispatch: None,
    };
    let queued =
        gateway.store.write(|tx| Ok::<_, GatewayError>(outbox.put(tx, &what, &content)?)).map_err(told)?;
    context.print.note(format_args!("queued as {}", queued.id));
    Ok(())
}

/// One round of everything.
fn once(context: &Context, gateway: &Gateway, config: &Config) -> Result<Exit, Failure> {
    let holder = format!("cli-{:016x}", u64::from_be_bytes(gateway.edge.bytes()));
    let busy = |what: &str| {
        Failure::told(format!("another wayleave is at {what} now"))
            .hint("`wayleave post list` shows how far it is")
    };
    let mut is_bad = false;
    if let Some(mailbox) = mailbox(gateway, config)? {
        let round = mailbox.round(gateway, &holder, &|| false).map_err(told_here)?;
        let round = round.ok_or_else(|| busy("the mailbox"))?;
        is_bad |= round.left + round.failed + round.undelivered + round.reports > 0;
        if context.print.is_json {
            context.print.json(&round)?;
        } else {
            let withheld = withheld(round.withheld);
            context.print.data(format_args!(
                "mailbox {}: {} taken, {} sent, {} arrived, {} not delivered, {} left there{withheld}",
                mailbox.name(),
                round.collected,
                round.sent,
                round.acknowledged,
                round.undelivered + round.reports,
                round.left + round.failed
            ))?;
        }
    }
    for mut receiver in MllpPost::open_all(config).map_err(told_here)? {
        let name = receiver.name().to_owned();
        let Some(round) = receiver.round(gateway, &holder, &|| false).map_err(told_here)? else { continue };
        is_bad |= round.undelivered + round.waiting > 0;
        let withheld = withheld(round.withheld);
        context.print.data(format_args!(
            "{name}: {} taken by it, {} not delivered, {} wait{withheld}",
            round.acknowledged, round.undelivered, round.waiting
        ))?;
    }
    Ok(if is_bad { Exit::Findings } else { Exit::Done })
}

/// Messages that may no longer go, where there were any.
fn withheld(n: u64) -> String {
    if n == 0 { String::new() } else { format!(", {n} kept back") }
}

fn list(context: &Context, gateway: &Gateway, last: i64) -> Result<Exit, Failure> {
    let sent = outgoing::list_last(gateway, last).map_err(told)?;
    let standing = mesh::standing(gateway).map_err(told)?;
    if context.print.is_json {
        context.print.json(&serde_json::json!({ "sent": sent, "mailbox": standing }))?;
        return Ok(Exit::Done);
    }
    for message in &sent {
        context.print.data(line(message))?;
    }
    if sent.is_empty() {
        context.print.data("nothing was sent")?;
    }
    print_standing(context, &standing)?;
    Ok(Exit::Done)
}

fn line(message: &SentShown) -> String {
    let at = message.changed_at.get(..16).unwrap_or_default().replace('T', " ");
    let why = match message
        .code
        .as_deref()
        .filter(|_| message.state != "accepted" && message.state != "acknowledged")
    {
        Some(code) => format!("  ({code})"),
        None => String::new(),
    };
    let what = if message.workflow.is_empty() { String::new() } else { format!("  {}", message.workflow) };
    format!(
        "{}  {at}  {:<12} {} {}{what}{why}",
        message.id, message.state, message.transport, message.recipient
    )
}

fn print_standing(context: &Context, standing: &MailboxShown) -> Result<(), Failure> {
    for doubt in &standing.doubts {
        let at = doubt.first_seen_at.get(..16).unwrap_or_default().replace('T', " ");
        context.print.data(match doubt.reason.as_str() {
            "unrouted" => format!(
                "in the mailbox since {at}: a message of workflow {} from {}, which no route takes; add it to `mesh.routes`",
                doubt.workflow, doubt.sender
            ),
            "too-large" => format!(
                "in the mailbox since {at}: a message of workflow {} from {} that is too large; raise `limits.file_bytes_max`",
                doubt.workflow, doubt.sender
            ),
            _ => format!("{at}: a report ({}) of a message that was not sent from here", doubt.code),
        })?;
    }
    if let Some(fault) = &standing.fault {
        context.print.data(format_args!("the mailbox could not be looked into: {fault}"))?;
    }
    if let Some(at) = &standing.last_seen_at {
        context.print.data(format_args!(
            "looked into the mailbox at {} UTC",
            at.get(..16).unwrap_or_default().replace('T', " ")
        ))?;
    }
    Ok(())
}
