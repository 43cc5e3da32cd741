//! The last look before a message leaves by the post: whether it may go is decided anew, as before each
//! try of any other. An objection, the end of an agreement, a correction or a restriction since it was
//! queued stops it, and the reason is on record.

use crate::base::private::{Exchange, Grant};
use crate::config::Config;
use crate::exchange::decide::Refusal;
use crate::gateway::exchange::make::{Maker, Outcome};
use crate::gateway::exchange::plan::Plan;
use crate::gateway::exchange::request;
use crate::gateway::outgoing::Outbox;
use crate::gateway::{Gateway, GatewayError};
use crate::store::dispatch::{self, Dispatch, State};
use crate::store::sent::Sent;
use crate::store::{Tx, audit, told};

/// What is held against the agreements as they are now.
pub struct LastLook {
    config: Config,
    plan: Option<Plan>,
}

/// What comes of the look.
enum Verdict {
    /// It may go.
    Goes,
    /// Nothing of it may.
    Refused(Refusal),
    /// Another message may, in its place.
    MadeAnew,
}

impl LastLook {
    /// One over a configuration. Agreements are read at the first message that goes under one.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self { config: config.clone(), plan: None }
    }

    /// Forgets the agreements, so that the next round reads them as they are then.
    pub fn begin(&mut self) {
        self.plan = None;
    }

    /// Whether a message may go. One that may not is kept back here.
    ///
    /// # Errors
    /// Where an agreement cannot be read, or the store or a key fails.
    pub fn may_go(&mut self, gateway: &Gateway, outbox: &Outbox, row: &Sent) -> Result<bool, GatewayError> {
        let Some(id) = &row.dispatch_id else { return Ok(true) };
        let plan = match self.plan.take() {
            Some(plan) => plan,
            None => Plan::load_unquoted(&self.config)?,
        };
        let plan = self.plan.insert(plan);
        let gateway = gateway.as_exchange();
        gateway.store.write(|tx| {
            let Some(about) = dispatch::find(tx, id)? else { return Ok(true) };
            let verdict = look(tx, &gateway, plan, &about)?;
            let now = gateway.edge.now();
            let (reason, stands, ended_at) = match verdict {
                Verdict::Goes => return Ok(true),
                Verdict::Refused(refusal) => (refusal.as_str(), State::Refused, Some(now.to_string())),
                Verdict::MadeAnew => (Refusal::Superseded.as_str(), State::Waiting, None),
            };
            outbox.withhold(tx, row, reason)?;
            let reason_on_record = if stands == State::Refused { reason } else { "" };
            let at = now.to_string();
            dispatch::take_back(tx, id, (stands, reason_on_record), (&at, ended_at.as_deref()))?;
            let message_id = about.message_id.as_deref().unwrap_or_default();
            told::forget(tx, &about.partner, message_id)?;
            if about.record_kind == request::KIND {
                request::take_back(tx, &about.record_id, message_id, now)?;
            }
            tracing::info!(
                sent.id = row.id,
                reason,
                "message {} is kept back: it may no longer go ({reason})",
                row.id
            );
            Ok::<_, GatewayError>(false)
        })
    }
}

fn look(tx: &mut Tx, gateway: &Gateway, plan: &Plan, about: &Dispatch) -> Result<Verdict, GatewayError> {
    let now = gateway.edge.now();
    if about.record_kind == request::KIND {
        return Ok(match request::may_still_go(tx, plan, about, now.london_day())? {
            Ok(()) => Verdict::Goes,
            Err(refusal) => Verdict::Refused(refusal),
        });
    }
    let grant = Grant::<Exchange>::begin(&gateway.actor);
    let made = Maker::new(gateway, plan).make(tx, std::slice::from_ref(about), &grant);
    let receipt = grant.close();
    let made = made?;
    audit::append(tx, &receipt, "exchange", &about.partner, now)?;
    Ok(match made.into_iter().next() {
        Some(Outcome::Unchanged) => Verdict::Goes,
        Some(Outcome::Message(message)) if Some(&message.id) == about.message_id.as_ref() => Verdict::Goes,
        Some(Outcome::Message(_)) => Verdict::MadeAnew,
        Some(Outcome::Refused(refusal)) => Verdict::Refused(refusal),
        None => Verdict::Refused(Refusal::Superseded),
    })
}
