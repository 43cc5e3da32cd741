//! What the verbs of the operational zone share: opening it.

use crate::base::edge::Edge;
use crate::cli::print::Failure;
use crate::cli::safety::{self, Side};
use crate::config::Config;
use crate::gateway::{Gateway, keys};
use crate::store::{Store, StoreError};

/// Whether a database may be made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It must be there.
    Existing,
    /// It is made where there is none.
    Create,
}

/// The gateway of a configuration.
pub(crate) fn open(config: &Config, edge: &Edge, opening: Opening) -> Result<Gateway, Failure> {
    safety::start(config, Side::Operational)?;
    let keys = keys::load(config).map_err(|error| Failure::new(&error))?;
    let url = config.url(&config.gateway.database);
    let store = match opening {
        Opening::Existing => Store::open_existing(&url),
        Opening::Create => Store::open_or_create(&url),
    };
    let store = store.map_err(|error| unreachable(&error))?;
    Ok(Gateway { store, keys, edge: edge.clone(), actor: actor() })
}

/// Who is at the command line, for the audit.
pub(crate) fn actor() -> String {
    let name = std::env::var("USER").or_else(|_unset| std::env::var("USERNAME")).unwrap_or_default();
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    if name.is_empty() { "cli".to_owned() } else { format!("cli:{name}") }
}

/// A database that cannot be opened, with what to do.
pub(crate) fn unreachable(error: &StoreError) -> Failure {
    let failure = Failure::new(error);
    match error {
        StoreError::Unreachable { .. } => failure
            .hint("check that the server runs and that `gateway.database` names it; nothing was changed"),
        StoreError::Address(_) => failure.hint("set `gateway.database` in wayleave.toml"),
        _ => failure,
    }
}
