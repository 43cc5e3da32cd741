//! What partners would be told if everything were sent again: which would get a different message,
//! which would get nothing new, and what would not go. And sending it again.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::limit::EXCHANGE_PEOPLE_MAX;
use crate::base::private::{Exchange, Grant};
use crate::gateway::exchange::lay::{files, occasions, standing_people};
use crate::gateway::exchange::make::{Maker, Outcome};
use crate::gateway::exchange::plan::Plan;
use crate::gateway::{Gateway, GatewayError};
use crate::store::dispatch::{self, Dispatch};
use crate::store::{Tx, audit, person, told};

/// What one partner would get by one flow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Records of which the partner has not been told.
    pub new: Vec<String>,
    /// Records of which it would be told something else than it was.
    pub different: Vec<String>,
    /// How many would be no news.
    pub unchanged: u64,
    /// What would not go, counted by why.
    pub refused: BTreeMap<&'static str, u64>,
}

/// By flow, agreement and partner.
pub type Previews = BTreeMap<(String, String, String), Preview>;

/// Looks at everybody, or does so and lays what is new or different to be sent again. Says what each
/// partner would get.
///
/// # Errors
/// Where there is no such flow, or the store or a key fails.
pub fn look(
    gateway: &Gateway,
    plan: &Plan,
    flow: Option<&str>,
    is_laying: bool,
) -> Result<Previews, GatewayError> {
    if let Some(name) = flow.filter(|name| !plan.flows.contains_key(*name)) {
        let names: Vec<&str> = plan.flows.keys().map(String::as_str).collect();
        let fault = format!("there is no such flow; there are {}", names.join(", "));
        return Err(GatewayError::Plan { place: format!("flow.{name}"), fault });
    }
    let mut previews = Previews::new();
    for (name, of) in plan.flows.iter().filter(|(name, _)| flow.is_none_or(|wanted| wanted == *name)) {
        for told in &of.tell {
            let key = (name.clone(), told.agreement.clone(), told.partner.clone());
            previews.insert(key, Preview::default());
        }
    }
    let mut after = String::new();
    loop {
        let people = gateway.store.read(|tx| person::list_after(tx, &after, EXCHANGE_PEOPLE_MAX))?;
        let Some(last) = people.last() else { return Ok(previews) };
        after.clone_from(last);
        let some = gateway.store.write(|tx| look_at(tx, gateway, plan, flow, &people, is_laying))?;
        for (key, one) in some {
            let all = previews.entry(key).or_default();
            all.new.extend(one.new);
            all.different.extend(one.different);
            all.unchanged += one.unchanged;
            for (reason, count) in one.refused {
                *all.refused.entry(reason).or_default() += count;
            }
        }
    }
}

fn look_at(
    tx: &mut Tx,
    gateway: &Gateway,
    plan: &Plan,
    flow: Option<&str>,
    people: &[String],
    is_laying: bool,
) -> Result<Previews, GatewayError> {
    let people = standing_people(tx, people)?;
    let mut rows: Vec<Dispatch> = Vec::new();
    for file in files(tx, &people)? {
        rows.extend(occasions(gateway, plan, &file, flow).into_iter().map(|occasion| occasion.row));
    }
    if rows.is_empty() {
        return Ok(Previews::new());
    }
    let grant = Grant::<Exchange>::begin(&gateway.actor);
    let made = Maker::new(gateway, plan).make(tx, &rows, &grant);
    let receipt = grant.close();
    let made = made?;
    let action = if is_laying { "exchange-resend" } else { "exchange-preview" };
    audit::append(tx, &receipt, action, flow.unwrap_or("every flow"), gateway.edge.now())?;
    let mut previews = Previews::new();
    let mut again = Vec::new();
    for (row, outcome) in rows.into_iter().zip(made) {
        let key = (row.flow.clone(), row.agreement.clone(), row.partner.clone());
        let preview = previews.entry(key).or_default();
        match outcome {
            Outcome::Unchanged => preview.unchanged += 1,
            Outcome::Refused(refusal) => *preview.refused.entry(refusal.as_str()).or_default() += 1,
            Outcome::Message(_) => {
                let ids = std::slice::from_ref(&row.record_id);
                let was_told = !told::list(tx, &row.partner, &row.mapping, ids)?.is_empty();
                let list = if was_told { &mut preview.different } else { &mut preview.new };
                list.push(row.record_id.clone());
                again.push(row);
            }
        }
    }
    if is_laying {
        lay_again(tx, again)?;
    }
    Ok(previews)
}

/// Lays dispatches again, but for those that wait anyway.
fn lay_again(tx: &mut Tx, rows: Vec<Dispatch>) -> Result<(), GatewayError> {
    let ids: Vec<String> = rows.iter().map(|row| row.record_id.clone()).collect();
    let before = dispatch::list_of_records(tx, &ids)?;
    let mut again = Vec::new();
    for mut row in rows {
        let same = |one: &&Dispatch| {
            one.record_id == row.record_id
                && one.flow == row.flow
                && one.agreement == row.agreement
                && one.number == row.number
        };
        if before.iter().filter(same).any(|one| one.ended_at.is_none()) {
            continue;
        }
        row.round = before.iter().filter(same).map(|one| one.round + 1).max().unwrap_or_default();
        again.push(row);
    }
    dispatch::lay(tx, &again)?;
    Ok(())
}
