//! Recording that a person objects to the exchange of their records under an agreement, or no longer
//! does. It acts at once: what waits is decided anew when it is due.

use serde::Serialize;

use crate::base::day::Day;
use crate::base::id::ObjectionId;
use crate::gateway::exchange::plan::Plan;
use crate::gateway::exchange::request;
use crate::gateway::record_consent::{Whose, find};
use crate::gateway::{Gateway, GatewayError};
use crate::store::objection::{self, ObjectionRow};
use crate::store::{audit, subject};

/// Something a person said about an agreement.
pub struct Said {
    /// Who.
    pub whose: Whose,
    /// About which agreement.
    pub agreement: String,
    /// True where they no longer object.
    pub is_lifted: bool,
    /// The day it was said.
    pub decided_on: Day,
}

/// Writes it down, and takes the person off the lists that partners have, in one transaction.
///
/// # Errors
/// Where there is no such agreement, the source knows nobody by that reference, or the store fails.
pub fn record(gateway: &Gateway, plan: &Plan, said: &Said) -> Result<String, GatewayError> {
    if !plan.agreements.contains_key(&said.agreement) {
        let names: Vec<&str> = plan.agreements.keys().map(String::as_str).collect();
        let fault = match names.as_slice() {
            [] => "there is no agreement in the configuration".to_owned(),
            names => format!("there is no agreement of that name; there are {}", names.join(", ")),
        };
        return Err(GatewayError::Plan { place: format!("agreement.{}", said.agreement), fault });
    }
    gateway.store.write(|tx| {
        let found = find(tx, gateway, &said.whose)?;
        let at = gateway.edge.now();
        let decision = if said.is_lifted { "lifted" } else { "objected" };
        let row = ObjectionRow {
            id: ObjectionId::mint(&gateway.edge).to_string(),
            subject_id: found.id.clone(),
            agreement: said.agreement.clone(),
            decision: decision.to_owned(),
            decided_on: said.decided_on.to_string(),
            entered_at: at.to_string(),
        };
        objection::add(tx, &row)?;
        let action = format!("objection-{decision}");
        audit::append_act(tx, &gateway.actor, &action, &said.agreement, &row.id, 0, at)?;
        let person = subject::find(tx, &[found.id])?.pop().and_then(|row| row.person_id);
        request::settle_people(tx, gateway, plan, person.as_slice())?;
        Ok(row.id)
    })
}

/// An objection as it is listed: nobody is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// The agreement.
    pub agreement: String,
    /// `objected` or `lifted`.
    pub decision: String,
    /// The day it was said.
    pub decided_on: String,
    /// When it was entered.
    pub entered_at: String,
}

/// Everything that was said, in the order of entry.
///
/// # Errors
/// Where the store fails.
pub fn list(gateway: &Gateway) -> Result<Vec<Shown>, GatewayError> {
    let rows = gateway.store.read(objection::list_all)?;
    let shown = rows.into_iter().map(|row| Shown {
        id: row.id,
        agreement: row.agreement,
        decision: row.decision,
        decided_on: row.decided_on,
        entered_at: row.entered_at,
    });
    Ok(shown.collect())
}
