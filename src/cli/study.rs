//! `wayleave study`: what a protocol lets through, the release job, and how a study stands.

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use crate::base::limit::RESEND_HOURS;
use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::config::Config;
use crate::gateway::release::census::{self, Census};
use crate::gateway::release::job::{Job, Report};
use crate::gateway::release::keys::ReleaseKeys;
use crate::gateway::release::resend::Resend;
use crate::gateway::study::{key_files, protocol_of};
use crate::gateway::{Gateway, GatewayError, health};
use crate::queue::{Queue, Settings};
use crate::release::protocol::Protocol;
use crate::release::protocol::codebook::codebook;
use crate::release::protocol::show::show;
use crate::store::release::{self, NoticeRow};
use crate::store::{intent, standing};

/// What `study` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Check the study protocol, and print it for whoever signs it
    Check(One),
    /// Release what may be released: the release role's own job
    Release(ReleaseArgs),
    /// How a study stands: who may be told of, what stands, what waits
    Status(One),
}

#[derive(clap::Args)]
struct One {
    /// Study; may be left out where only one is configured
    study: Option<String>,
}

#[derive(clap::Args)]
struct ReleaseArgs {
    #[command(flatten)]
    one: One,
    /// Send again at once what the evaluation side has not acknowledged: its queue was deleted, say
    #[arg(long)]
    resend: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Check(one) => check(one, context),
        Verb::Release(args) => release(args, context),
        Verb::Status(one) => status(one, context),
    }
}

/// The study that is meant.
pub(crate) fn named(config: &Config, study: Option<&str>) -> Result<String, Failure> {
    match (study, config.study.len(), config.study.keys().next()) {
        (Some(study), ..) => Ok(study.to_owned()),
        (None, 1, Some(only)) => Ok(only.clone()),
        (None, 0, _) => Err(Failure::told("the configuration has no study")
            .hint("add a section, such as [study.promoting-independence]")),
        (None, ..) => {
            let names: Vec<&str> = config.study.keys().map(String::as_str).collect();
            Err(Failure::told("the configuration has several studies, and none was named")
                .hint(format!("name one of: {}", names.join(", ")))
                .exit(Exit::Usage))
        }
    }
}

fn failed(error: &GatewayError) -> Failure {
    let hint = match error {
        GatewayError::Queue(_) => {
            Some("check `gateway.queue` in the configuration, and that the broker runs; nothing was lost")
        }
        GatewayError::Protocol(_) => Some("`wayleave study check` prints a protocol that is right"),
        _ => None,
    };
    let failure = Failure::new(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn check(one: &One, context: &Context) -> Result<Exit, Failure> {
    // A shipped protocol can be read before there is any configuration.
    let config = match &one.study {
        Some(_) if !context.config_file.is_file() => Config::default(),
        _ => context.config()?,
    };
    let protocol =
        protocol_of(&config, &named(&config, one.study.as_deref())?).map_err(|error| failed(&error))?;
    if context.print.is_json {
        context.print.json(&codebook(&protocol))?;
    } else {
        context.print.data(show(&protocol).trim_end())?;
    }
    Ok(Exit::Done)
}

fn release(args: &ReleaseArgs, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let study = named(&config, args.one.study.as_deref())?;
    let protocol = protocol_of(&config, &study).map_err(|error| failed(&error))?;
    let gateway = Gateway { actor: "release".to_owned(), ..open(&config, &context.edge, Opening::Existing)? };
    let issued = gateway
        .store
        .read(|tx| release::count_pseudonyms(tx, &study, i64::from(protocol.epoch)))
        .map_err(|error| Failure::new(&error))?;
    let keys = ReleaseKeys::open(&key_files(&config, &study), &protocol, issued == 0, &context.edge)
        .map_err(|error| {
            failed(&error).hint(
                "the release role's keys are made once, at the first release; restore them from their backup",
            )
        })?;
    let authority = Some(&config.gateway.queue_authority).filter(|file| !file.is_empty());
    let settings = Settings {
        url: config.url(&config.gateway.queue),
        authority: authority.map(|file| config.path(file)),
        lease_s: config.limits.lease_s,
    };
    let queue = Queue::open(&settings, &context.edge).map_err(|error| {
        let error = error.into();
        // The health page says so too; where the store is away as well, that it cannot.
        let _noted = health::note_door(&gateway, Some(&error));
        failed(&error)
    })?;
    let bar = context.print.progress(0, "messages");
    let hours = config.study.get(&study).map_or(RESEND_HOURS, |study| study.resend_hours);
    let job = Job {
        gateway: &gateway,
        name: &config.gateway.name,
        protocol: &protocol,
        keys: &keys,
        queue: &queue,
        lease_s: config.limits.lease_s,
        resend: if args.resend { Resend::Now } else { Resend::After { hours } },
    };
    let report = job.run(&|sent| bar.set_position(sent));
    bar.finish_and_clear();
    let _noted = health::note_door(&gateway, report.as_ref().err());
    let report = report.map_err(|error| failed(&error))?;
    tell(context, &study, &report)?;
    let is_withheld = report.findings.worst() == Some(crate::base::finding::Severity::Error);
    Ok(if is_withheld { Exit::Findings } else { Exit::Done })
}

fn tell(context: &Context, study: &str, report: &Report) -> Result<(), Failure> {
    for finding in report
        .findings
        .kept()
        .iter()
        .filter(|finding| finding.severity != crate::base::finding::Severity::Note)
    {
        context.print.note(format_args!("{}: {finding}", finding.severity.as_str()));
        context.print.note(format_args!("hint: {}", finding.advice()));
    }
    if context.print.is_json {
        let denied: serde_json::Map<String, serde_json::Value> =
            report.census.denied.iter().map(|(why, count)| (why.as_str().to_owned(), json!(count))).collect();
        return context.print.json(&json!({
            "study": study,
            "release": report.release,
            "sent": report.kept.counts,
            "standing": report.kept.totals,
            "withheld": report.withheld,
            "people": report.census.people,
            "permitted": report.census.permitted(),
            "denied": denied,
            "answers": report.answers,
            "resent": report.resent,
        }));
    }
    match &report.release {
        Some(release) => {
            context.print.data(format_args!("{study}: {release} is closed"))?;
            context.print.data(format_args!("  sent      {}", list(report.kept.counts.iter())))?;
            context.print.data(format_args!("  standing  {}", list(report.kept.totals.iter())))?;
        }
        None => context.print.data(format_args!("{study}: nothing new to tell"))?,
    }
    if !report.withheld.is_empty() {
        context.print.data(format_args!("  withheld  {}", list(report.withheld.iter())))?;
    }
    if report.resent > 0 {
        context
            .print
            .data(format_args!("  resent    {} messages that nobody had acknowledged", report.resent))?;
    }
    if report.answers > 0 {
        context.print.data(format_args!("  answers   {} to notices", report.answers))?;
    }
    people(context, &report.census)
}

fn people(context: &Context, census: &Census) -> Result<(), Failure> {
    context.print.data(format_args!(
        "  people    {} of {} may be told of",
        census.permitted(),
        census.people
    ))?;
    for (why, count) in &census.denied {
        context.print.data(format_args!("            {count} not: {}", why.meaning()))?;
    }
    Ok(())
}

fn list<'c>(counts: impl Iterator<Item = (&'c String, &'c u64)>) -> String {
    let parts: Vec<String> = counts.map(|(name, count)| format!("{count} {name}")).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

#[derive(Serialize)]
struct Status {
    study: String,
    last_release: Option<String>,
    people: u64,
    permitted: u64,
    denied: std::collections::BTreeMap<&'static str, u64>,
    standing: std::collections::BTreeMap<String, u64>,
    unsent: i64,
    unacknowledged: i64,
    notices: usize,
    notices_unanswered: usize,
    consents_in_doubt: Vec<String>,
}

fn status(one: &One, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let study = named(&config, one.study.as_deref())?;
    let protocol = protocol_of(&config, &study).map_err(|error| failed(&error))?;
    let gateway = open(&config, &context.edge, Opening::Existing)?;
    let (census, decided) = census::look(&gateway, &protocol).map_err(|error| failed(&error))?;
    let seen = census::seen_by(&gateway, decided, &study, None).map_err(|error| failed(&error))?;
    let decided = seen.0;
    let status = read_status(&gateway, &protocol, &census, &decided).map_err(|error| failed(&error))?;
    if context.print.is_json {
        context.print.json(&status)?;
        return Ok(Exit::Done);
    }
    let last = status.last_release.as_deref().unwrap_or("none yet");
    context.print.data(format_args!("{study}: last release {last}"))?;
    context.print.data(format_args!("  standing  {}", list(status.standing.iter())))?;
    context.print.data(format_args!("  waiting   {} to be told", status.unsent))?;
    context
        .print
        .data(format_args!("  sent      {} messages are not acknowledged yet", status.unacknowledged))?;
    context.print.data(format_args!(
        "  notices   {} of withdrawal, {} not answered yet",
        status.notices, status.notices_unanswered
    ))?;
    people(context, &census)?;
    let mut findings = census::doubts(&gateway).map_err(|error| failed(&error))?;
    findings.extend(census::unlinked(&decided));
    for finding in findings.kept() {
        context.print.data(format_args!("  {finding}"))?;
    }
    Ok(Exit::Done)
}

fn read_status(
    gateway: &Gateway,
    protocol: &Protocol,
    census: &Census,
    decided: &[census::Decided],
) -> Result<Status, GatewayError> {
    let study = &protocol.study;
    let now = gateway.edge.now().to_string();
    gateway.store.read(|tx| {
        let notices: Vec<NoticeRow> = release::list_notices(tx, study)?;
        Ok(Status {
            study: study.clone(),
            last_release: release::find_last(tx, study)?.map(|row| row.id),
            people: census.people,
            permitted: census.permitted(),
            denied: census.denied.iter().map(|(why, count)| (why.as_str(), *count)).collect(),
            standing: standing::totals(tx, study)?
                .into_iter()
                .map(|(kind, count)| (kind, u64::try_from(count).unwrap_or_default()))
                .collect(),
            unsent: intent::count_unsent(tx, study)?,
            unacknowledged: intent::count_unsettled(tx, study, &now)?.0,
            notices: notices.len(),
            notices_unanswered: notices.iter().filter(|notice| notice.acknowledged_at.is_none()).count(),
            consents_in_doubt: decided
                .iter()
                .filter(|one| one.decision == "given" && one.verdict == "identity-in-doubt")
                .map(|one| one.record.clone())
                .collect(),
        })
    })
}
