//! Sending what is due: claimed, decided and made in one transaction, handed over outside it, and
//! marked in another. Killed in between, it is sent again under the same id.

use crate::base::edge::Instant;
use crate::base::limit::{DISPATCH_LEASE_S, DISPATCHES_CLAIMED_MAX};
use crate::base::private::{Exchange, Grant};
use crate::exchange::message::PartnerMessage;
use crate::gateway::exchange::make::{Maker, Outcome};
use crate::gateway::exchange::outlet::{Delivered, Outlet, next_try};
use crate::gateway::exchange::plan::Plan;
use crate::gateway::exchange::request;
use crate::gateway::{Gateway, GatewayError};
use crate::store::dispatch::{self, Dispatch, State};
use crate::store::told::{self, Halted, Told};
use crate::store::{Tx, audit};

/// What a round did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// Taken by partners.
    pub sent: u64,
    /// Of no news to them.
    pub unchanged: u64,
    /// That might not go.
    pub refused: u64,
    /// To be tried again.
    pub later: u64,
    /// Given up.
    pub undelivered: u64,
    /// Partners who want nothing more where it goes.
    pub halted: Vec<String>,
}

/// Sends everything that is due, partner by partner, until nothing is or `is_stopping` says so.
///
/// # Errors
/// Where the store, a key or the machine fails. What is committed stays.
pub fn send(gateway: &Gateway, plan: &Plan, is_stopping: &dyn Fn() -> bool) -> Result<Sent, GatewayError> {
    request::lay(gateway, plan)?;
    let mut sent = Sent::default();
    // Nobody is the partner of an agreement that is not there: what waits for it is refused.
    let partners = plan.outlets.keys().map(String::as_str).chain([""]);
    for partner in partners {
        while !is_stopping() {
            let halted = gateway.store.read(told::list_halted)?;
            if halted.iter().any(|row| row.partner == partner) || !some(gateway, plan, partner, &mut sent)? {
                break;
            }
        }
    }
    Ok(sent)
}

/// A dispatch with its message.
struct Ready {
    row: Dispatch,
    message: PartnerMessage,
}

/// Sends some to one partner. False where nothing was due.
fn some(gateway: &Gateway, plan: &Plan, partner: &str, sent: &mut Sent) -> Result<bool, GatewayError> {
    let (ready, ended) = gateway.store.write(|tx| claim_and_make(tx, gateway, plan, partner))?;
    sent.refused += ended.refused;
    sent.unchanged += ended.unchanged;
    let is_any = !ready.is_empty() || ended.refused + ended.unchanged > 0;
    let Some(outlet) = plan.outlets.get(partner) else { return Ok(is_any) };
    for one in ready {
        if !deliver(gateway, outlet, one, sent)? {
            break;
        }
    }
    Ok(is_any)
}

#[derive(Default)]
struct Ended {
    refused: u64,
    unchanged: u64,
}

fn claim_and_make(
    tx: &mut Tx,
    gateway: &Gateway,
    plan: &Plan,
    partner: &str,
) -> Result<(Vec<Ready>, Ended), GatewayError> {
    let now = gateway.edge.now();
    let claim = (&*now.to_string(), &*now.plus_s(DISPATCH_LEASE_S).to_string());
    let rows = dispatch::claim(tx, partner, claim, DISPATCHES_CLAIMED_MAX)?;
    if rows.is_empty() {
        return Ok((Vec::new(), Ended::default()));
    }
    let grant = Grant::<Exchange>::begin(&gateway.actor);
    let made = Maker::new(gateway, plan).make(tx, &rows, &grant);
    let receipt = grant.close();
    let made = made?;
    audit::append(tx, &receipt, "exchange", partner, now)?;
    let (mut ready, mut ended) = (Vec::new(), Ended::default());
    for (mut row, outcome) in rows.into_iter().zip(made) {
        row.agreement_version =
            plan.agreements.get(&row.agreement).map_or(0, |agreement| i64::from(agreement.version));
        match outcome {
            Outcome::Message(message) => {
                row.message_id = Some(message.id.clone());
                dispatch::save(tx, &row)?;
                ready.push(Ready { row, message });
            }
            Outcome::Unchanged => {
                end(&mut row, State::Unchanged, "", now);
                dispatch::save(tx, &row)?;
                ended.unchanged += 1;
            }
            Outcome::Refused(refusal) => {
                end(&mut row, State::Refused, refusal.as_str(), now);
                dispatch::save(tx, &row)?;
                ended.refused += 1;
            }
        }
    }
    Ok((ready, ended))
}

fn end(row: &mut Dispatch, state: State, reason: &str, now: Instant) {
    state.as_str().clone_into(&mut row.state);
    reason.clone_into(&mut row.reason);
    row.lease_until = None;
    row.ended_at = Some(now.to_string());
}

/// Hands one message over, and writes down what became of it. False where the partner wants nothing
/// more.
fn deliver(gateway: &Gateway, outlet: &Outlet, ready: Ready, sent: &mut Sent) -> Result<bool, GatewayError> {
    let Ready { mut row, message } = ready;
    let grant = Grant::<Exchange>::begin(&gateway.actor);
    let delivered = outlet.deliver(gateway, &message, &row, &grant);
    let receipt = grant.close();
    let now = gateway.edge.now();
    row.tries += 1;
    let mut is_gone = false;
    match &delivered {
        Delivered::Taken => {
            end(&mut row, State::Sent, "", now);
            sent.sent += 1;
        }
        Delivered::Gone => {
            "answered-410".clone_into(&mut row.reason);
            row.lease_until = None;
            row.tries -= 1;
            is_gone = true;
        }
        Delivered::Never(reason) => {
            end(&mut row, State::Undelivered, reason, now);
            sent.undelivered += 1;
        }
        Delivered::Later { reason, after_s } => match next_try(row.tries, *after_s, &gateway.edge) {
            Some(due) => {
                reason.clone_into(&mut row.reason);
                row.due_at = due.to_string();
                row.lease_until = None;
                sent.later += 1;
            }
            None => {
                end(&mut row, State::Undelivered, reason, now);
                sent.undelivered += 1;
            }
        },
    }
    gateway.store.write(|tx| {
        audit::append(tx, &receipt, "exchange-send", &row.id, now)?;
        if dispatch::save(tx, &row)? && delivered == Delivered::Taken {
            note_told(tx, &row, &message, now)?;
        }
        if is_gone {
            halt(tx, gateway, &row.partner, now)?;
        }
        Ok::<_, GatewayError>(())
    })?;
    if is_gone {
        tracing::warn!(partner = row.partner, "a partner wants nothing more where messages go");
        sent.halted.push(row.partner);
    } else if row.state == State::Undelivered.as_str() {
        tracing::warn!(
            partner = row.partner,
            dispatch = row.id,
            reason = row.reason,
            "a message was not delivered"
        );
    }
    Ok(!is_gone)
}

fn note_told(
    tx: &mut Tx,
    row: &Dispatch,
    message: &PartnerMessage,
    now: Instant,
) -> Result<(), GatewayError> {
    if row.record_kind == request::KIND {
        return request::note_sent(tx, &row.record_id, &message.id, now);
    }
    let last = Told {
        partner: row.partner.clone(),
        mapping: row.mapping.clone(),
        record_id: row.record_id.clone(),
        content_hash: message.content.as_bytes().to_vec(),
        message_id: message.id.clone(),
        told_at: now.to_string(),
    };
    Ok(told::put(tx, &last)?)
}

fn halt(tx: &mut Tx, gateway: &Gateway, partner: &str, now: Instant) -> Result<(), GatewayError> {
    let row = Halted { partner: partner.to_owned(), reason: "answered-410".to_owned(), at: now.to_string() };
    if told::halt(tx, &row)? {
        audit::append_act(tx, &gateway.actor, "partner-halted", "answered-410", partner, 0, now)?;
    }
    Ok(())
}

/// Sends a partner again what waits. False where nothing was in the way.
///
/// # Errors
/// Where the store fails.
pub fn go_on(gateway: &Gateway, partner: &str) -> Result<bool, GatewayError> {
    gateway.store.write(|tx| {
        let was_halted = told::go_on(tx, partner)?;
        if was_halted {
            let now = gateway.edge.now();
            audit::append_act(tx, &gateway.actor, "partner-goes-on", "", partner, 0, now)?;
        }
        Ok(was_halted)
    })
}
