//! Settings of requests that the gateway makes of others.

use serde::{Deserialize, Serialize};

/// How others are reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outbound {
    /// The site's proxy, as `http://host:port`; empty for none.
    #[serde(skip_serializing)]
    pub proxy: String,
    /// PEM file of the site's own certificate authority; empty for the public ones alone.
    pub authority: String,
}
