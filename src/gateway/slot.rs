//! Slots in the store: of several replicas exactly one runs each, and one that dies is followed.
//!
//! A slot is claimed with a lease and renewed while it is run. Whoever finds a claim whose lease has
//! ended takes up the same slot: what its runner had committed stays, and the rest is done. A slot is
//! over when it was run to its end, or was tried as often as it may be.

use crate::base::edge::Instant;
use crate::base::limit::{SLOT_LEASE_S, SLOT_PAUSE_S, SLOT_PAUSE_S_MAX, SLOT_TRIES_MAX};
use crate::gateway::{Gateway, GatewayError};
use crate::store::slot::{self, SlotRow};
use crate::store::{StoreError, Tx};

/// What a timetable says of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Nothing is due.
    Nothing,
    /// This slot is to be run.
    Run(Instant),
    /// Slots up to this one are passed over.
    PassOver(Instant),
}

/// A slot that this process has to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The schedule, as `sync/council/cld`.
    pub name: String,
    /// The slot.
    pub slot: Instant,
    /// Whether another process had begun it, and did not end it.
    pub is_followed: bool,
    /// Which try this is, from 1.
    pub tries: i64,
}

/// What came of asking for a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It is to be run now, by whoever asked.
    Run(Claim),
    /// Slots up to this one were missed and are passed over.
    PassedOver(Instant),
    /// There is nothing to do now.
    Nothing,
}

/// How a slot was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It is over.
    Over,
    /// It will be tried again at this instant.
    Again(Instant),
}

/// What [`claim`] would do with what is due, without doing it. A schedule that is new has nothing due.
///
/// # Errors
/// Where the store fails.
pub fn peek(
    gateway: &Gateway,
    name: &str,
    due: &dyn Fn(Instant) -> Asked,
) -> Result<Option<Instant>, GatewayError> {
    let Some(last) = last(gateway, name)? else { return Ok(None) };
    Ok(match due(last) {
        Asked::Run(slot) | Asked::PassOver(slot) => Some(slot),
        Asked::Nothing => None,
    })
}

/// Claims the slot of a schedule that is due, if nobody has it. `due` says what is due after a slot.
/// A schedule that is new begins with the present instant: what was before it is not made up for.
///
/// # Errors
/// Where the store fails.
pub fn claim(
    gateway: &Gateway,
    name: &str,
    holder: &str,
    due: &dyn Fn(Instant) -> Asked,
) -> Result<Claimed, GatewayError> {
    let now = gateway.edge.now();
    // Most rounds find nothing, and need not write.
    let found = gateway.store.read(|tx| slot::find(tx, name))?;
    if let Some(row) = &found
        && row.claimed.is_none()
        && due(instant(&row.last)?) == Asked::Nothing
    {
        return Ok(Claimed::Nothing);
    }
    gateway.store.write(|tx| {
        let Some(row) = slot::find(tx, name)? else {
            slot::put(tx, &begun(name, now))?;
            return Ok(Claimed::Nothing);
        };
        claim_row(tx, row, holder, now, due)
    })
}

fn begun(name: &str, now: Instant) -> SlotRow {
    SlotRow {
        name: name.to_owned(),
        last: now.to_string(),
        claimed: None,
        holder: None,
        until: None,
        tries: 0,
    }
}

fn claim_row(
    tx: &mut Tx,
    row: SlotRow,
    holder: &str,
    now: Instant,
    due: &dyn Fn(Instant) -> Asked,
) -> Result<Claimed, GatewayError> {
    let is_kept = row.until.as_ref().is_some_and(|until| *until > now.to_string());
    let (slot, tries, is_followed) = match &row.claimed {
        Some(_) if is_kept => return Ok(Claimed::Nothing),
        Some(claimed) => (instant(claimed)?, row.tries + 1, row.holder.is_some()),
        None => match due(instant(&row.last)?) {
            Asked::Nothing => return Ok(Claimed::Nothing),
            Asked::PassOver(slot) => {
                slot::put(tx, &over(row, slot))?;
                return Ok(Claimed::PassedOver(slot));
            }
            Asked::Run(slot) => (slot, 1, false),
        },
    };
    let name = row.name.clone();
    slot::put(
        tx,
        &SlotRow {
            claimed: Some(slot.to_string()),
            holder: Some(holder.to_owned()),
            until: Some(now.plus_s(SLOT_LEASE_S).to_string()),
            tries,
            ..row
        },
    )?;
    Ok(Claimed::Run(Claim { name, slot, is_followed, tries }))
}

/// Keeps a slot for as long again; false where another has it by now.
///
/// # Errors
/// Where the store fails.
pub fn renew(gateway: &Gateway, claim: &Claim, holder: &str) -> Result<bool, GatewayError> {
    let until = gateway.edge.now().plus_s(SLOT_LEASE_S).to_string();
    with_own(gateway, claim, holder, |row| SlotRow { until: Some(until.clone()), ..row })
}

/// Says that a slot was run to its end.
///
/// # Errors
/// Where the store fails.
pub fn done(gateway: &Gateway, claim: &Claim, holder: &str) -> Result<bool, GatewayError> {
    with_own(gateway, claim, holder, |row| over(row, claim.slot))
}

/// Lets go of a slot that was not run to its end, because this process stops: whoever comes next
/// takes it up at once.
///
/// # Errors
/// Where the store fails.
pub fn let_go(gateway: &Gateway, claim: &Claim, holder: &str) -> Result<bool, GatewayError> {
    // A stop is nobody's fault, and costs no try.
    let tries = claim.tries - 1;
    with_own(gateway, claim, holder, |row| SlotRow { holder: None, until: None, tries, ..row })
}

/// Says that a slot failed. Where trying again can help it is tried again, after pauses that
/// double, as often as it may be.
///
/// # Errors
/// Where the store fails.
pub fn failed(
    gateway: &Gateway,
    claim: &Claim,
    holder: &str,
    is_retryable: bool,
) -> Result<Left, GatewayError> {
    if !is_retryable || claim.tries >= SLOT_TRIES_MAX {
        done(gateway, claim, holder)?;
        return Ok(Left::Over);
    }
    let doublings = u32::try_from(claim.tries - 1).unwrap_or_default();
    let pause = SLOT_PAUSE_S.saturating_mul(2_i64.saturating_pow(doublings)).min(SLOT_PAUSE_S_MAX);
    let again = gateway.edge.now().plus_s(pause);
    let until = again.to_string();
    with_own(gateway, claim, holder, |row| SlotRow { holder: None, until: Some(until.clone()), ..row })?;
    Ok(Left::Again(again))
}

/// The last slot of a schedule that is over; none where it is new.
///
/// # Errors
/// Where the store fails.
pub fn last(gateway: &Gateway, name: &str) -> Result<Option<Instant>, GatewayError> {
    let row = gateway.store.read(|tx| slot::find(tx, name))?;
    row.map(|row| instant(&row.last)).transpose()
}

/// Changes a schedule whose slot this process has; false where it has it no longer.
fn with_own(
    gateway: &Gateway,
    claim: &Claim,
    holder: &str,
    change: impl Fn(SlotRow) -> SlotRow,
) -> Result<bool, GatewayError> {
    gateway.store.write(|tx| {
        let own = slot::find(tx, &claim.name)?.filter(|row| {
            row.holder.as_deref() == Some(holder) && row.claimed.as_ref() == Some(&claim.slot.to_string())
        });
        let Some(row) = own else { return Ok(false) };
        slot::put(tx, &change(row))?;
        Ok(true)
    })
}

/// A schedule with everything up to a slot over.
fn over(row: SlotRow, slot: Instant) -> SlotRow {
    SlotRow { last: slot.to_string(), claimed: None, holder: None, until: None, tries: 0, ..row }
}

fn instant(text: &str) -> Result<Instant, GatewayError> {
    text.parse().map_err(|_text| StoreError::Unreadable { what: "slot" }.into())
}
