//! The studies of a configuration, each with its protocol.

use crate::config::Config;
use crate::gateway::GatewayError;
use crate::gateway::release::keys::KeyFiles;
use crate::release::protocol::{Protocol, ProtocolError};

/// The protocol of every study, by study: from a file of the site, or a shipped one by name.
///
/// # Errors
/// Where a file cannot be read, there is no such protocol, or it is wrong.
pub fn protocols(config: &Config) -> Result<Vec<Protocol>, GatewayError> {
    config.study.iter().map(|(study, settings)| protocol(config, study, &settings.protocol)).collect()
}

/// The protocol of one study; a shipped one of that name where the configuration has none.
///
/// # Errors
/// As [`protocols`].
pub fn protocol_of(config: &Config, study: &str) -> Result<Protocol, GatewayError> {
    let named = config.study.get(study).map(|settings| settings.protocol.clone()).unwrap_or_default();
    protocol(config, study, &named)
}

/// Where the keys of a study's release job are.
#[must_use]
pub fn key_files(config: &Config, study: &str) -> KeyFiles {
    let settings = config.study.get(study).cloned().unwrap_or_default();
    let or = |named: &str, usual: &str| config.path(if named.is_empty() { usual } else { named });
    KeyFiles {
        role: config.path(&config.gateway.release_key),
        signing: config.path(&config.gateway.signing_key),
        study: config.path(&config.study_key(study)),
        evaluation: or(&settings.evaluation_key, "keys/evaluation.pub"),
    }
}

fn protocol(config: &Config, study: &str, named: &str) -> Result<Protocol, GatewayError> {
    if named.is_empty() {
        return Ok(Protocol::shipped(study)?);
    }
    let path = config.path(named);
    // What does not look like a file is a name.
    if !path.is_file() && !named.contains(['/', '\\', '.']) {
        return Ok(Protocol::shipped(named)?);
    }
    let text =
        std::fs::read_to_string(&path).map_err(|source| GatewayError::File { path: path.clone(), source })?;
    let protocol = Protocol::parse(&text, &path.display().to_string())?;
    if protocol.study != study {
        let fault =
            format!("is `{}`, and the configuration calls it `{study}`; they must be one", protocol.study);
        let name = path.display().to_string();
        return Err(ProtocolError::Fault { name, place: "study".to_owned(), fault }.into());
    }
    Ok(protocol)
}
