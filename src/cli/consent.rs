//! `wayleave consent`: decisions on record, and entering one by hand.

use clap::{Subcommand, ValueEnum};

use crate::base::day::Day;
use crate::base::private::Private;
use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::study::named;
use crate::cli::{Context, Exit};
use crate::consent::directive::{Answer, Scope};
use crate::gateway::record_consent::{Decision, Entry, Recorded, Whose, record_consent};
use crate::gateway::release::census;
use crate::gateway::study::{protocol_of, protocols};

/// What `consent` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Every decision on record, and what comes of it; nobody is named
    List(List),
    /// Enter a consent or a refusal
    Record(Record),
    /// Enter a withdrawal of consent: it stops what is unsent, and the far side is told
    Withdraw(Withdraw),
}

#[derive(clap::Args)]
struct List {
    /// Study; may be left out where only one is configured
    study: Option<String>,
    /// Those of restricted people too; for named roles alone, and the audit has that you looked
    #[arg(long)]
    restricted: bool,
}

#[derive(clap::Args)]
struct Who {
    /// Source that knows the person, such as housing
    #[arg(long)]
    source: String,
    /// The source's own reference for the person
    #[arg(long = "ref", value_name = "REF")]
    reference: String,
    /// Study; may be left out where only one is configured
    #[arg(long)]
    study: Option<String>,
    /// Day it was signed or said, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    decided_on: Day,
}

#[derive(Clone, Copy, ValueEnum)]
enum Said {
    Yes,
    No,
    NotAsked,
}

impl From<Said> for Answer {
    fn from(said: Said) -> Self {
        match said {
            Said::Yes => Self::Yes,
            Said::No => Self::No,
            Said::NotAsked => Self::NotAsked,
        }
    }
}

#[derive(clap::Args)]
struct Record {
    #[command(flatten)]
    who: Who,
    /// The person refused
    #[arg(long, conflicts_with_all = ["form", "form_version"])]
    refused: bool,
    /// Consent form
    #[arg(long, required_unless_present = "refused")]
    form: Option<String>,
    /// Version of the form
    #[arg(long, required_unless_present = "refused")]
    form_version: Option<String>,
    /// May case data be evaluated?
    #[arg(long, default_value = "not-asked")]
    case_data: Said,
    /// May housing records be linked?
    #[arg(long, default_value = "not-asked")]
    link_housing: Said,
    /// May NHS records be linked?
    #[arg(long, default_value = "not-asked")]
    link_nhs: Said,
    /// May written notes be used?
    #[arg(long, default_value = "not-asked")]
    written_notes: Said,
    /// A second person has checked the form
    #[arg(long)]
    checked: bool,
}

#[derive(clap::Args)]
struct Withdraw {
    #[command(flatten)]
    who: Who,
    /// How far it reaches
    #[arg(long, default_value = "no-further-use")]
    scope: Reach,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reach {
    #[value(name = "no-contact")]
    Contact,
    #[value(name = "no-new-data")]
    NewData,
    #[value(name = "no-further-use")]
    FurtherUse,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::List(args) => list(args, context),
        Verb::Record(args) => {
            let decision = match (args.refused, &args.form, &args.form_version) {
                (false, Some(form), Some(form_version)) => Decision::Given {
                    form: form.clone(),
                    form_version: form_version.clone(),
                    answers: [args.case_data, args.link_housing, args.link_nhs, args.written_notes]
                        .map(Answer::from),
                    is_checked: args.checked,
                },
                _ => Decision::Refused,
            };
            enter(&args.who, decision, context)
        }
        Verb::Withdraw(args) => {
            let scope = match args.scope {
                Reach::Contact => Scope::NoContact,
                Reach::NewData => Scope::NoNewData,
                Reach::FurtherUse => Scope::NoFurtherUse,
            };
            enter(&args.who, Decision::Withdrawn(scope), context)
        }
    }
}

fn list(args: &List, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let protocol = protocol_of(&config, &named(&config, args.study.as_deref())?)?;
    let gateway = open(&config, &context.edge, Opening::Existing)?;
    let (_, decided) = census::look(&gateway, &protocol)?;
    let by = args.restricted.then_some(gateway.actor.as_str());
    let (decided, left_out) = census::seen_by(&gateway, decided, &protocol.study, by)?;
    if left_out > 0 {
        context.print.note(format_args!(
            "{left_out} decisions of restricted people are left out; `--restricted` lists them, for named roles"
        ));
    }
    if context.print.is_json {
        context.print.json(&decided)?;
        return Ok(Exit::Done);
    }
    for one in &decided {
        let form = one.form_version.as_deref().unwrap_or("-");
        let checked = if one.is_checked { "checked" } else { "unchecked" };
        context.print.data(format_args!(
            "{}  {:<9} {}  form {form:<6} {checked:<9} {:<17} {}",
            one.decided_on, one.decision, one.source, one.verdict, one.record
        ))?;
    }
    if decided.is_empty() {
        context.print.data("no decision is on record")?;
    }
    Ok(Exit::Done)
}

fn enter(who: &Who, decision: Decision, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let study = named(&config, who.study.as_deref())?;
    let protocols = protocols(&config)?;
    let gateway = open(&config, &context.edge, Opening::Existing)?;
    let entry = Entry {
        whose: Whose { source: who.source.clone(), reference: Private::new(who.reference.clone()) },
        study,
        decided_on: who.decided_on,
        decision,
    };
    let recorded = record_consent(&gateway, &protocols, &entry)?;
    if context.print.is_json {
        context.print.json(&serde_json::json!({
            "record": recorded.record,
            "linked": recorded.is_linked,
            "to_tell": recorded.laid.records,
            "to_take_back": recorded.laid.retracted,
            "stopped": recorded.laid.dropped,
            "notices": recorded.laid.notices,
        }))?;
        return Ok(Exit::Done);
    }
    context.print.data(told(&recorded))?;
    Ok(Exit::Done)
}

fn told(recorded: &Recorded) -> String {
    let laid = &recorded.laid;
    let mut lines = vec![format!("entered: {}", recorded.record)];
    if !recorded.is_linked {
        lines.push("the person is not linked yet; `wayleave sync` does it".to_owned());
    }
    let parts = [
        (laid.dropped, "stopped before it was sent"),
        (laid.notices, "notice of withdrawal to be sent by `wayleave study release`"),
        (laid.retracted, "to be taken back by `wayleave study release`"),
        (laid.records, "to be told by `wayleave study release`"),
    ];
    lines.extend(
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("  {count} {what}")),
    );
    lines.join("\n")
}
