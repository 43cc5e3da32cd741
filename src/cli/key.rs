//! `wayleave key create|rotate|list|revoke`: keys of clients of the web.

use clap::Subcommand;

use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::sync::told;
use crate::cli::{Context, Exit};
use crate::gateway::api_key::{self, Made, Role, Wanted};

/// What `key` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make a key, and print it: it is not shown again
    Create {
        /// What it is for: send, read or operate
        #[arg(long, value_parser = role)]
        role: Role,
        /// The one source it is for; all of them where none is named
        #[arg(long)]
        source: Option<String>,
        /// What you call it, such as the system that uses it
        #[arg(long, default_value = "")]
        label: String,
        /// For how many days it is good
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(i64).range(1..=730))]
        days: i64,
        /// It may see records of restricted people; for named roles alone, and audited
        #[arg(long)]
        restricted: bool,
    },
    /// Make a key in the place of another, which stays good for a while
    Rotate {
        /// The id of the key to be replaced
        id: String,
        /// For how many days the new key is good
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(i64).range(1..=730))]
        days: i64,
        /// For how many days the old one stays good
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(i64).range(0..=90))]
        overlap_days: i64,
    },
    /// List the keys, without themselves
    List,
    /// Take a key back, at once
    Revoke {
        /// Its id
        id: String,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::find(word).ok_or_else(|| "expected send, read or operate".to_owned())
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let gateway = open(&config, &context.edge, Opening::Create)?;
    match &args.what {
        What::Create { role, source, label, days, restricted } => {
            if let Some(source) = source.as_ref().filter(|name| !config.source.contains_key(*name)) {
                return Err(Failure::told(format!("the configuration names no source `{source}`"))
                    .hint("`wayleave check` lists the sources there are"));
            }
            let wanted = Wanted {
                label: label.clone(),
                role: *role,
                source: source.clone(),
                days: *days,
                sees_restricted: *restricted,
            };
            print(context, &api_key::create(&gateway, &wanted).map_err(told)?)?;
        }
        What::Rotate { id, days, overlap_days } => {
            print(context, &api_key::rotate(&gateway, id, *days, *overlap_days).map_err(told)?)?;
        }
        What::List => list(context, &api_key::list(&gateway).map_err(told)?)?,
        What::Revoke { id } => {
            api_key::revoke(&gateway, id).map_err(told)?;
            context.print.data(format_args!("{id}: taken back"))?;
        }
    }
    Ok(Exit::Done)
}

fn print(context: &Context, made: &Made) -> Result<(), Failure> {
    if context.print.is_json {
        return context.print.json(&serde_json::json!({
            "id": made.id, "key": made.text.as_str(), "expires_at": made.expires_at,
        }));
    }
    context.print.data(made.text.as_str())?;
    context.print.note(format_args!(
        "{}: good until {} UTC; keep it as you keep a password, it is not shown again",
        made.id,
        made.expires_at.get(..10).unwrap_or(&made.expires_at)
    ));
    Ok(())
}

fn list(context: &Context, keys: &[api_key::ApiKeyShown]) -> Result<(), Failure> {
    if context.print.is_json {
        return context.print.json(&keys);
    }
    if keys.is_empty() {
        return context.print.data("no keys; `wayleave key create` makes one");
    }
    for key in keys {
        let source = key.source.as_deref().unwrap_or("every source");
        let until = key.expires_at.get(..10).unwrap_or(&key.expires_at);
        let line =
            format!("{}  {:<8} {:<8} {source:<16} until {until}  {}", key.id, key.state, key.role, key.label);
        context.print.data(line.trim_end())?;
    }
    Ok(())
}
