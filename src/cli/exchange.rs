//! `wayleave exchange`: what goes to partners, what went, and what did not and why.

use clap::Subcommand;
use serde_json::json;

use crate::base::day::Day;
use crate::base::private::Private;
use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::gateway::exchange::lay::lay;
use crate::gateway::exchange::overview::{because, overview};
use crate::gateway::exchange::plan::Plan;
use crate::gateway::exchange::preview::{Previews, look};
use crate::gateway::exchange::restriction::{self, Mark};
use crate::gateway::exchange::send::{Sent, go_on, send};
use crate::gateway::record_consent::Whose;

/// What `exchange` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// What went to partners, what waits, and what did not go and why, counted; nobody is named
    List,
    /// Which partner would get a different message, and which nothing new, if all were sent again
    Preview(Which),
    /// Lay what is new or different to be sent again
    Resend(Which),
    /// Send what is due, once; `wayleave serve` does it all the time
    Send,
    /// Mark a person as restricted: address, landlord and worker go to no partner
    Restrict(Who),
    /// Enter that a person is restricted no longer, where that was entered by hand
    Unrestrict(Who),
    /// Go on sending to a partner who had said that nothing more is wanted there
    Resume(Whom),
}

#[derive(clap::Args)]
struct Which {
    /// Only this flow
    #[arg(long)]
    flow: Option<String>,
}

#[derive(clap::Args)]
struct Who {
    /// Source that knows the person, such as housing
    #[arg(long)]
    source: String,
    /// The source's own reference for the person
    #[arg(long = "ref", value_name = "REF")]
    reference: String,
    /// From which day, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    decided_on: Day,
}

#[derive(clap::Args)]
struct Whom {
    /// Partner
    partner: String,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::List => list(context),
        Verb::Preview(which) => again(which, false, context),
        Verb::Resend(which) => again(which, true, context),
        Verb::Send => send_due(context),
        Verb::Restrict(who) => restrict(who, false, context),
        Verb::Unrestrict(who) => restrict(who, true, context),
        Verb::Resume(whom) => resume(whom, context),
    }
}

/// The plan of the configuration.
pub(crate) fn plan(context: &Context) -> Result<Plan, Failure> {
    Plan::load(&context.config()?).map_err(|error| {
        Failure::new(&error).hint("`wayleave agreement check` says what would go to whom once this is right")
    })
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let gateway = open(&context.config()?, &context.edge, Opening::Existing)?;
    let shown = overview(&gateway)?;
    let exit = if shown.is_wrong() { Exit::Findings } else { Exit::Done };
    if context.print.is_json {
        context.print.json(&shown)?;
        return Ok(exit);
    }
    for one in &shown.dispatches {
        let because = if one.because.is_empty() { String::new() } else { format!("  {}", one.because) };
        context.print.data(format_args!(
            "{:>6} {:<11} {} to {} under {}{because}",
            one.count,
            one.state,
            one.flow,
            if one.partner.is_empty() { "nobody" } else { &one.partner },
            one.agreement
        ))?;
    }
    for one in &shown.requests {
        context.print.data(format_args!("{:>6} {:<11} {}", one.count, one.state, one.request))?;
    }
    if shown.dispatches.is_empty() && shown.requests.is_empty() {
        context.print.data("nothing has gone to any partner")?;
    }
    for one in &shown.halted {
        context.print.note(format_args!(
            "error: nothing is sent to {} since {}: {}",
            one.partner,
            one.at,
            because(&one.reason)
        ));
        context.print.note(format_args!(
            "hint: ask them where messages should go, set it in [partner.{0}], then `wayleave exchange resume {0}`",
            one.partner
        ));
    }
    if shown.dispatches.iter().any(|one| one.state == "undelivered") {
        context.print.note(
            "hint: once the reason is gone, `wayleave exchange preview` and `wayleave exchange resend` send it again",
        );
    }
    Ok(exit)
}

fn again(which: &Which, is_laying: bool, context: &Context) -> Result<Exit, Failure> {
    let gateway = open(&context.config()?, &context.edge, Opening::Existing)?;
    let previews = look(&gateway, &plan(context)?, which.flow.as_deref(), is_laying)?;
    if context.print.is_json {
        let shown: Vec<_> = previews
            .iter()
            .map(|((flow, agreement, partner), one)| {
                json!({ "flow": flow, "agreement": agreement, "partner": partner, "would_get": one })
            })
            .collect();
        context.print.json(&shown)?;
        return Ok(Exit::Done);
    }
    tell(context, &previews, is_laying)
}

fn tell(context: &Context, previews: &Previews, is_laying: bool) -> Result<Exit, Failure> {
    let would = if is_laying { "will be" } else { "would be" };
    for ((flow, agreement, partner), one) in previews {
        let partner = if partner.is_empty() { "nobody" } else { partner };
        context.print.data(format_args!("{flow} to {partner} under {agreement}"))?;
        if one.new.is_empty() && one.different.is_empty() {
            context.print.data(format_args!("  {partner} {would} told nothing new"))?;
        }
        for (records, what) in
            [(&one.new, "told for the first time"), (&one.different, "told something else")]
        {
            if !records.is_empty() {
                context.print.data(format_args!("  {} {would} {what}", count(records.len(), "record")))?;
            }
        }
        if one.unchanged > 0 {
            context.print.data(format_args!("  {} as last told", one.unchanged))?;
        }
        for (reason, number) in &one.refused {
            context.print.data(format_args!("  {number} not: {}", because(reason)))?;
        }
    }
    if previews.is_empty() {
        context.print.data("there is no flow in the configuration")?;
    }
    Ok(Exit::Done)
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn send_due(context: &Context) -> Result<Exit, Failure> {
    let plan = plan(context)?;
    let gateway = open(&context.config()?, &context.edge, Opening::Existing)?.as_exchange();
    lay(&gateway, &plan)?;
    let sent = send(&gateway, &plan, &|| false)?;
    let is_wrong = sent.undelivered > 0 || !sent.halted.is_empty();
    let Sent { sent, unchanged, refused, later, undelivered, halted } = sent;
    if context.print.is_json {
        context.print.json(&json!({
            "sent": sent, "unchanged": unchanged, "refused": refused, "later": later,
            "undelivered": undelivered, "halted": halted,
        }))?;
    } else {
        context.print.data(format_args!(
            "{sent} sent, {unchanged} of no news, {refused} not allowed, {later} to be tried again, {undelivered} given up"
        ))?;
        if is_wrong || refused > 0 {
            context.print.note("hint: `wayleave exchange list` says why");
        }
    }
    Ok(if is_wrong { Exit::Findings } else { Exit::Done })
}

fn restrict(who: &Who, is_lifted: bool, context: &Context) -> Result<Exit, Failure> {
    let gateway = open(&context.config()?, &context.edge, Opening::Existing)?;
    let whose = Whose { source: who.source.clone(), reference: Private::new(who.reference.clone()) };
    let id = restriction::record(&gateway, &Mark { whose, is_lifted, decided_on: who.decided_on })?;
    if context.print.is_json {
        context.print.json(&json!({ "restriction": id }))?;
        return Ok(Exit::Done);
    }
    let told = if is_lifted {
        "entered: restricted no longer, unless a source says so too"
    } else {
        "entered: from now on no address, landlord or worker of theirs goes to a partner"
    };
    context.print.data(told)?;
    Ok(Exit::Done)
}

fn resume(whom: &Whom, context: &Context) -> Result<Exit, Failure> {
    let gateway = open(&context.config()?, &context.edge, Opening::Existing)?;
    let was_halted = go_on(&gateway, &whom.partner)?;
    let told = if was_halted { "what waits is sent again" } else { "nothing was in the way" };
    context.print.data(format_args!("{}: {told}", whom.partner))?;
    Ok(Exit::Done)
}
