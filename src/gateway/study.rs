//! The studies of a configuration, each with its protocol.

use crate::config::Config;
use crate::gateway::GatewayError;
use crate::release::protocol::Protocol;

/// The protocol of every study, by study: from a file of the site, or a shipped one by name.
///
/// # Errors
/// Where a file cannot be read, there is no such protocol, or it is wrong.
pub fn protocols(config: &Config) -> Result<Vec<Protocol>, GatewayError> {
    config.study.iter().map(|(study, settings)| protocol(config, study, &settings.protocol)).collect()
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
    let text = std::fs::read_to_string(&path)
        .map_err(|source| GatewayError::File { path: path.clone(), source })?;
    Ok(Protocol::parse(&text, &path.display().to_string())?)
}
