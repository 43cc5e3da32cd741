//! How exchange stands: what went, what waits, what did not go and why.

use serde::Serialize;

use crate::base::edge::Instant;
use crate::exchange::decide::Refusal;
use crate::gateway::{Gateway, GatewayError};
use crate::store::dispatch::{self, State};
use crate::store::{requested, told};

/// How exchange stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Dispatches, counted by how they stand and why.
    pub dispatches: Vec<Counted>,
    /// Partners to whom nothing is sent.
    pub halted: Vec<Stopped>,
    /// Whom partners were asked about, counted.
    pub requests: Vec<Asked>,
}

/// Dispatches of one flow and agreement that stand the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The flow.
    pub flow: String,
    /// The agreement.
    pub agreement: String,
    /// The partner.
    pub partner: String,
    /// How they stand.
    pub state: String,
    /// Why; empty where there is nothing to say.
    pub reason: String,
    /// Why, in words.
    pub because: String,
    /// How many.
    pub count: i64,
}

/// A partner to whom nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// The partner.
    pub partner: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: String,
}

/// How many of a request stand how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The request.
    pub request: String,
    /// How they stand.
    pub state: String,
    /// How many.
    pub count: i64,
}

impl Overview {
    /// True where somebody has to look: a partner is lost, or a message was given up.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        let is_lost = |one: &Counted| one.state == State::Undelivered.as_str();
        !self.halted.is_empty() || self.dispatches.iter().any(is_lost)
    }
}

/// How exchange stands.
///
/// # Errors
/// Where the store fails.
pub fn overview(gateway: &Gateway) -> Result<Overview, GatewayError> {
    gateway.store.read(|tx| {
        let dispatches = dispatch::count(tx)?.into_iter().map(|one| Counted {
            because: because(&one.reason),
            flow: one.flow,
            agreement: one.agreement,
            partner: one.partner,
            state: one.state,
            reason: one.reason,
            count: one.count,
        });
        let dispatches = dispatches.collect();
        let halted = told::list_halted(tx)?.into_iter();
        let halted = halted.map(|row| Stopped { partner: row.partner, reason: row.reason, at: row.at });
        let halted = halted.collect();
        let requests = requested::count(tx)?.into_iter();
        let requests = requests.map(|(request, state, count)| Asked { request, state, count }).collect();
        Ok(Overview { dispatches, halted, requests })
    })
}

/// How many messages were given up since an instant, by partner.
///
/// # Errors
/// Where the store fails.
pub fn count_undelivered(gateway: &Gateway, since: Instant) -> Result<Vec<(String, i64)>, GatewayError> {
    Ok(gateway.store.read(|tx| dispatch::count_undelivered(tx, &since.to_string()))?)
}

/// A reason in words.
#[must_use]
pub fn because(reason: &str) -> String {
    if let Some(refusal) = Refusal::ALL.iter().find(|refusal| refusal.as_str() == reason) {
        return refusal.meaning().to_owned();
    }
    match reason {
        "not-queued" => "the database did not take it".to_owned(),
        "no-answer" => "the partner did not answer".to_owned(),
        "private-address" => "the URL leads into a private network".to_owned(),
        "not-set-up" => "the certificate or proxy of [outbound] cannot be used".to_owned(),
        _ => match reason.strip_prefix("answered-") {
            Some(status) => format!("the partner answered {status}"),
            None => reason.to_owned(),
        },
    }
}
