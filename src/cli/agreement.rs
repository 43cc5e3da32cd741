//! `wayleave agreement`: what would go to whom, and who objected.

use clap::Subcommand;

use crate::base::day::Day;
use crate::base::private::Private;
use crate::cli::exchange::plan;
use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::exchange::agreement::Agreement;
use crate::exchange::decide::is_live;
use crate::exchange::restricted::is_withheld;
use crate::gateway::exchange::objection::{self, Said};
use crate::gateway::exchange::outlet::Outlet;
use crate::gateway::exchange::plan::Plan;
use crate::gateway::record_consent::Whose;
use crate::record::schema::Privacy;

/// What `agreement` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Check the agreements, and say in plain words what would go to whom and what not
    Check(Check),
    /// Enter that a person objects to the exchange of their records under an agreement
    Object(Who),
    /// Enter that a person no longer objects
    Lift(Who),
    /// List objections and their lifting; nobody is named
    Objections,
}

#[derive(clap::Args)]
struct Check {
    /// Agreement; every one where none is named
    agreement: Option<String>,
}

#[derive(clap::Args)]
struct Who {
    /// Agreement
    agreement: String,
    /// Source that knows the person, such as housing
    #[arg(long)]
    source: String,
    /// The source's own reference for the person
    #[arg(long = "ref", value_name = "REF")]
    reference: String,
    /// Day it was said, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    decided_on: Day,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Check(args) => check(args, context),
        Verb::Object(who) => say(who, false, context),
        Verb::Lift(who) => say(who, true, context),
        Verb::Objections => objections(context),
    }
}

fn check(args: &Check, context: &Context) -> Result<Exit, Failure> {
    let plan = plan(context)?;
    let today = context.edge.now().london_day();
    let wanted = args.agreement.as_deref();
    let mut is_wrong = false;
    let mut shown = Vec::new();
    for (name, agreement) in
        plan.agreements.iter().filter(|(name, _)| wanted.is_none_or(|only| only == *name))
    {
        let page = page(&plan, agreement, today);
        is_wrong |= !page.wrong.is_empty();
        if context.print.is_json {
            shown.push(serde_json::json!({ "agreement": name, "lines": page.lines, "wrong": page.wrong }));
            continue;
        }
        if !shown.is_empty() {
            context.print.data("")?;
        }
        shown.push(serde_json::Value::Null);
        context.print.data(page.lines.join("\n"))?;
        for fault in &page.wrong {
            context.print.data(format_args!("  error: {fault}"))?;
        }
    }
    if shown.is_empty() && wanted.is_some() {
        return Err(Failure::told(format!("there is no agreement `{}`", wanted.unwrap_or_default()))
            .hint("the configuration names them, as [agreement.NAME]"));
    }
    let unknown = unknown(&plan);
    is_wrong |= !unknown.is_empty();
    if context.print.is_json {
        context.print.json(&serde_json::json!({ "agreements": shown, "wrong": unknown }))?;
    } else {
        if shown.is_empty() {
            context.print.data("there is no agreement, so nothing goes to any partner")?;
        }
        for fault in unknown {
            context.print.data(format_args!("error: {fault}"))?;
        }
    }
    Ok(if is_wrong { Exit::Findings } else { Exit::Done })
}

/// Flows and requests whose agreement is not there.
fn unknown(plan: &Plan) -> Vec<String> {
    let flows = plan
        .flows
        .iter()
        .flat_map(|(name, flow)| flow.tell.iter().map(move |told| (format!("flow.{name}"), &told.agreement)));
    let requests = plan.requests.iter().map(|(name, of)| (format!("request.{name}"), &of.agreement));
    flows
        .chain(requests)
        .filter(|(_, agreement)| !plan.agreements.contains_key(*agreement))
        .map(|(place, agreement)| format!("{place}: there is no agreement `{agreement}`, so it tells nobody"))
        .collect()
}

struct Page {
    lines: Vec<String>,
    wrong: Vec<String>,
}

/// What an agreement comes to, in words.
fn page(plan: &Plan, agreement: &Agreement, today: Day) -> Page {
    let mut page = Page { lines: Vec::new(), wrong: Vec::new() };
    let mut say = |line: String| page.lines.push(line);
    let Agreement { name, version, partner, purpose, legal_basis, sources, starts, ends, .. } = agreement;
    let place = plan.outlets.get(partner).map(Outlet::shown).unwrap_or_default();
    say(format!("{name}, version {version}: to {partner}, {place}"));
    say(format!("  for      {purpose}"));
    say(format!("  under    {legal_basis}"));
    let offices: Vec<&str> = agreement.signatories.iter().map(|one| one.office.as_str()).collect();
    say(format!("  signed   {}", offices.join("; ")));
    let live = match is_live(agreement, today) {
        Ok(()) => "in force".to_owned(),
        Err(refusal) => format!("nothing goes: {}", refusal.meaning()),
    };
    say(format!("  from     {starts} to {ends}: {live}"));
    say(format!("  whose    records of {}", sources.join(", ")));
    for shared in &agreement.kinds {
        let fields: Vec<String> = shared
            .fields
            .iter()
            .map(|field| match field.privacy {
                Privacy::Identifier => format!("{} (names somebody)", field.name),
                _ => field.name.to_owned(),
            })
            .collect();
        say(format!("  goes     {}: {}", shared.kind, fields.join(", ")));
        let withheld: Vec<&str> =
            shared.fields.iter().map(|field| field.name).filter(|name| is_withheld(name)).collect();
        if !withheld.is_empty() {
            say(format!("           of a restricted person without {}", withheld.join(", ")));
        }
    }
    say("  stays    everything else, and every record of whoever objects".to_owned());
    occasions(plan, agreement, &mut page);
    page
}

/// When it is used, and by which flows and requests.
fn occasions(plan: &Plan, agreement: &Agreement, page: &mut Page) {
    let Agreement { name, .. } = agreement;
    let mut is_used = false;
    for (flow, of) in &plan.flows {
        for told in of.tell.iter().filter(|told| told.agreement == *name) {
            is_used = true;
            let when = &of.when;
            let which: Vec<String> =
                when.fields.iter().map(|(field, words)| format!("{field} {}", words.join(" or "))).collect();
            let which = if which.is_empty() { String::new() } else { format!(" ({})", which.join(", ")) };
            page.lines.push(format!(
                "  when     {} {}{which}: {flow}, as {}",
                when.kind,
                when.event.as_str(),
                told.mapping
            ));
            let missing: Vec<&str> =
                when.occasion_fields().filter(|field| !agreement.lists(when.kind, field)).collect();
            if !missing.is_empty() {
                page.wrong.push(format!(
                    "flow.{flow} goes by {} of {}, which the agreement does not list; nothing will go",
                    missing.join(", "),
                    when.kind
                ));
            }
        }
    }
    for (request, of) in plan.requests.iter().filter(|(_, of)| of.agreement == *name) {
        is_used = true;
        page.lines.push(format!(
            "  asks     {request}: the NHS numbers of those whose consent to {} covers NHS linkage, and nobody else",
            of.study
        ));
        if !agreement.lists(crate::record::kind::Kind::Person, "nhs_number") {
            page.wrong.push(format!("request.{request} needs `nhs_number` of person, which is not listed"));
        }
    }
    if !is_used {
        page.lines.push("  when     never: no flow or request names it".to_owned());
    }
}

fn say(who: &Who, is_lifted: bool, context: &Context) -> Result<Exit, Failure> {
    let plan = plan(context)?;
    let gateway = open(&context.config()?, &context.edge, Opening::Existing)?;
    let said = Said {
        whose: Whose { source: who.source.clone(), reference: Private::new(who.reference.clone()) },
        agreement: who.agreement.clone(),
        is_lifted,
        decided_on: who.decided_on,
    };
    let id = objection::record(&gateway, &plan, &said)?;
    if context.print.is_json {
        context.print.json(&serde_json::json!({ "objection": id }))?;
        return Ok(Exit::Done);
    }
    let told = if is_lifted {
        "entered: their records may go again; `wayleave exchange resend` sends what was held back"
    } else {
        "entered: nothing of theirs goes under this agreement from now on"
    };
    context.print.data(told)?;
    Ok(Exit::Done)
}

fn objections(context: &Context) -> Result<Exit, Failure> {
    let gateway = open(&context.config()?, &context.edge, Opening::Existing)?;
    let shown = objection::list(&gateway)?;
    if context.print.is_json {
        context.print.json(&shown)?;
        return Ok(Exit::Done);
    }
    for one in &shown {
        context
            .print
            .data(format_args!("{}  {:<8} {}  {}", one.decided_on, one.decision, one.agreement, one.id))?;
    }
    if shown.is_empty() {
        context.print.data("nobody has objected")?;
    }
    Ok(Exit::Done)
}
