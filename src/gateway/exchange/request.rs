//! Cohort requests: a partner is asked for the records of those whose consent covers NHS linkage, by
//! NHS number, and of nobody else; then told who is added and who is taken away.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroize as _;

use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::base::id::DispatchId;
use crate::base::private::{Exchange, Grant, Private};
use crate::base::seal::{DataKey, Hasher, KeyedHash, Sealed};
use crate::config::RequestForm;
use crate::consent::decide::When;
use crate::consent::directive::Statement;
use crate::exchange::decide::{Refusal, is_live, may_go};
use crate::exchange::message::{Change, PartnerMessage};
use crate::gateway::exchange::lay::files;
use crate::gateway::exchange::make::standing;
use crate::gateway::exchange::plan::{Plan, Request};
use crate::gateway::release::file::{File, Wishes, draft};
use crate::gateway::{Gateway, GatewayError};
use crate::person::block::{Blocker, NHS_NUMBER};
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::store::dispatch::{self, Dispatch};
use crate::store::requested::{self, Requested, State};
use crate::store::{StoreError, Tx};

/// What stands for the kind of record of a dispatch that is a request.
pub const KIND: &str = "request";

/// Puts on the list who is to be asked about, and takes off who no longer is: as it stands with
/// these people now.
///
/// # Errors
/// Where the store or a key fails.
pub fn settle_people(
    tx: &mut Tx,
    gateway: &Gateway,
    plan: &Plan,
    people: &[String],
) -> Result<(), GatewayError> {
    if plan.requests.is_empty() {
        return Ok(());
    }
    let own_key = gateway.own_key_in(tx)?;
    let mut before: BTreeMap<String, Vec<Requested>> = BTreeMap::new();
    for row in requested::list_of_people(tx, people)? {
        before.entry(row.person_id.clone()).or_default().push(row);
    }
    let now = gateway.edge.now();
    let (mut rows, mut added) = (Vec::new(), Vec::new());
    for file in files(tx, people)? {
        let person = file.wishes.person.to_string();
        for (name, request) in &plan.requests {
            let wanted = wanted(tx, gateway, plan, request, &file, now)?;
            let listed = before.get(&person).map(Vec::as_slice).unwrap_or_default();
            for row in listed.iter().filter(|row| row.request == *name) {
                let is_wanted =
                    wanted.as_ref().is_some_and(|(hash, _)| hash.as_bytes().as_slice() == row.number_hash);
                if !is_wanted {
                    rows.extend(taken_off(row, now));
                }
            }
            if let Some((hash, number)) = wanted {
                let row = listed
                    .iter()
                    .find(|row| row.request == *name && row.number_hash == hash.as_bytes().as_slice());
                if let Some(state) = put_on(row) {
                    let label = format!("request/{name}");
                    added.push(Requested {
                        request: name.clone(),
                        partner: request.partner.clone(),
                        study: request.study.clone(),
                        number_hash: hash.as_bytes().to_vec(),
                        person_id: person.clone(),
                        number_sealed: own_key.seal(&gateway.edge, &label, &number).as_bytes().to_vec(),
                        state: state.as_str().to_owned(),
                        message_id: None,
                        changed_at: now.to_string(),
                    });
                }
            }
        }
    }
    // A number may have gone from one person to another.
    requested::put(tx, &rows)?;
    requested::put(tx, &added)?;
    Ok(())
}

/// A number that is to be asked about: how it stands from now on, where that is new.
fn put_on(row: Option<&Requested>) -> Option<State> {
    match row.map(|row| row.state.as_str()) {
        Some("to-add" | "adding" | "listed") => None,
        // It was never told that it goes.
        Some("to-remove") => Some(State::Listed),
        _ => Some(State::ToAdd),
    }
}

/// A number that is not to be asked about: how it stands from now on, where that is new. What may be
/// out is taken back; what was never sent is simply not.
fn taken_off(row: &Requested, now: Instant) -> Option<Requested> {
    let state = match row.state.as_str() {
        "to-add" => State::Removed,
        "adding" | "listed" => State::ToRemove,
        _ => return None,
    };
    let (state, changed_at) = (state.as_str().to_owned(), now.to_string());
    // The message that names it is known still: as long as that has not gone, it is stopped.
    Some(Requested { state, changed_at, ..row.clone() })
}

type Number = (KeyedHash, Private<Vec<u8>>);

/// The NHS number of a person who is to be asked about; none where they are not, or where the
/// sources have no number or not one and the same.
fn wanted(
    tx: &mut Tx,
    gateway: &Gateway,
    plan: &Plan,
    request: &Request,
    file: &File,
    now: Instant,
) -> Result<Option<Number>, GatewayError> {
    let Some(agreement) = plan.agreements.get(&request.agreement) else { return Ok(None) };
    let may = may_go(agreement, &standing(tx, file)?, now.london_day());
    // Before it starts they are gathered, and nothing is sent.
    if !matches!(may, Ok(()) | Err(Refusal::NotYet)) || !covers(&file.wishes, &request.study, now) {
        return Ok(None);
    }
    let keys = file.wishes.data_keys(gateway)?;
    let blocker = Blocker::new(&gateway.keys.index);
    let mut found: Option<Number> = None;
    for record in file.standing(Kind::Person) {
        let is_there = record.subject_id.as_ref().is_some_and(|subject| keys.contains_key(subject));
        if !is_there || agreement.rank(&record.source).is_none() {
            continue;
        }
        let draft = draft(record, &keys)?;
        let hash = blocker.blocks(&draft).into_iter().find(|(name, _)| *name == NHS_NUMBER);
        let (Some((_, hash)), Some(number)) = (hash, draft.find("nhs_number").and_then(Draft::private))
        else {
            continue;
        };
        match &found {
            Some((known, _)) if *known != hash => return Ok(None),
            _ => found = Some((hash, number.derive(|text| text.clone().into_bytes()))),
        }
    }
    Ok(found)
}

/// Whether a person's consent to a study covers NHS linkage.
fn covers(wishes: &Wishes, study: &str, now: Instant) -> bool {
    let when = When { at: now.london_day(), known_at: now };
    wishes.proof(study, when).is_ok_and(|proof| proof.verdict(Statement::LinkNhs).is_permit())
}

/// Takes off the lists of a study whoever's consent no longer covers it, in the transaction in which
/// that became known.
///
/// # Errors
/// Where the store fails.
pub fn strike(tx: &mut Tx, gateway: &Gateway, study: &str, people: &[String]) -> Result<(), StoreError> {
    let mut listed = requested::list_of_people(tx, people)?;
    listed.retain(|row| row.study == study);
    if listed.is_empty() {
        return Ok(());
    }
    let now = gateway.edge.now();
    let of: BTreeSet<String> = listed.iter().map(|row| row.person_id.clone()).collect();
    let of: Vec<String> = of.into_iter().collect();
    let mut rows = Vec::new();
    for wishes in Wishes::list(tx, &of)?.iter().filter(|wishes| !covers(wishes, study, now)) {
        let person = wishes.person.to_string();
        let of_person = listed.iter().filter(|row| row.person_id == person);
        rows.extend(of_person.filter_map(|row| taken_off(row, now)));
    }
    requested::put(tx, &rows)
}

/// Lays a dispatch for each request that has something to say and none that waits.
///
/// # Errors
/// Where the store fails.
pub fn lay(gateway: &Gateway, plan: &Plan) -> Result<(), GatewayError> {
    for (name, request) in &plan.requests {
        gateway.store.write(|tx| {
            let is_due = requested::list(tx, name)?.iter().any(is_pending);
            let before = dispatch::list_of_records(tx, std::slice::from_ref(name))?;
            let waiting = |row: &Dispatch| row.record_kind == KIND && row.ended_at.is_none();
            if !is_due || before.iter().any(waiting) {
                return Ok::<_, GatewayError>(());
            }
            let now = gateway.edge.now();
            // One that was refused for the same reason a moment ago is on record once a day.
            let today = now.london_day();
            let is_refused = |row: &Dispatch| {
                let day = row.created_at.parse::<Instant>().map(Instant::london_day);
                row.state == dispatch::State::Refused.as_str() && day == Ok(today)
            };
            let agreement = plan.agreements.get(&request.agreement);
            let is_live = agreement.is_some_and(|agreement| is_live(agreement, today).is_ok());
            if !is_live && before.last().is_some_and(is_refused) {
                return Ok(());
            }
            let row = Dispatch {
                id: DispatchId::mint(&gateway.edge).to_string(),
                flow: name.clone(),
                agreement: request.agreement.clone(),
                agreement_version: 0,
                partner: request.partner.clone(),
                mapping: KIND.to_owned(),
                person_id: KIND.to_owned(),
                record_id: name.clone(),
                record_kind: KIND.to_owned(),
                number: i64::try_from(before.len()).unwrap_or(i64::MAX),
                round: 0,
                state: dispatch::State::Waiting.as_str().to_owned(),
                reason: String::new(),
                tries: 0,
                due_at: now.to_string(),
                lease_until: None,
                message_id: None,
                created_at: now.to_string(),
                ended_at: None,
            };
            dispatch::lay(tx, &[row])?;
            Ok(())
        })?;
    }
    Ok(())
}

fn is_pending(row: &Requested) -> bool {
    matches!(row.state.as_str(), "to-add" | "adding" | "to-remove" | "removing")
}

/// The message of a request: whoever is to be added and taken away, each by NHS number.
///
/// # Errors
/// Where the store or a key fails.
pub(super) fn make(
    tx: &mut Tx,
    gateway: &Gateway,
    plan: &Plan,
    row: &Dispatch,
    (hasher, at): (&Hasher, Day),
    grant: &Grant<Exchange>,
) -> Result<Result<PartnerMessage, Refusal>, GatewayError> {
    let (Some(request), Some(agreement)) =
        (plan.requests.get(&row.record_id), plan.agreements.get(&row.agreement))
    else {
        return Ok(Err(Refusal::NoAgreement));
    };
    let mut pending = requested::list(tx, &row.record_id)?;
    pending.retain(is_pending);
    if pending.is_empty() {
        return Ok(Err(Refusal::Superseded));
    }
    let own_key = gateway.own_key_in(tx)?;
    let changes = changes(&own_key, &row.record_id, &pending)?;
    let is_json = request.form == RequestForm::Json;
    let made = PartnerMessage::of_request(agreement, &row.id, at, &changes, is_json, hasher, grant);
    if let Ok(message) = &made {
        for row in &mut pending {
            let is_addition = matches!(row.state.as_str(), "to-add" | "adding");
            let state = if is_addition { State::Adding } else { State::Removing };
            state.as_str().clone_into(&mut row.state);
            row.message_id = Some(message.id.clone());
        }
        requested::put(tx, &pending)?;
    }
    Ok(made)
}

fn changes(own_key: &DataKey, request: &str, rows: &[Requested]) -> Result<Vec<Change>, GatewayError> {
    let label = format!("request/{request}");
    let mut changes = Vec::with_capacity(rows.len());
    for row in rows {
        let number = own_key.unseal(&label, &Sealed::from_bytes(row.number_sealed.clone()))?;
        let number = number.derive(|bytes| {
            let mut copy = bytes.clone();
            let text = String::from_utf8_lossy(&copy).into_owned();
            copy.zeroize();
            text
        });
        changes.push(Change { number, is_addition: matches!(row.state.as_str(), "to-add" | "adding") });
    }
    Ok(changes)
}

/// Whether a message of a request that was handed over may still go: the agreement is live, and nobody
/// whom it adds has been taken off since.
///
/// # Errors
/// Where the store fails.
pub(super) fn may_still_go(
    tx: &mut Tx,
    plan: &Plan,
    row: &Dispatch,
    at: Day,
) -> Result<Result<(), Refusal>, GatewayError> {
    let (Some(_), Some(agreement)) = (plan.requests.get(&row.record_id), plan.agreements.get(&row.agreement))
    else {
        return Ok(Err(Refusal::NoAgreement));
    };
    if let Err(refusal) = is_live(agreement, at) {
        return Ok(Err(refusal));
    }
    let listed = requested::list(tx, &row.record_id)?;
    let is_changed =
        listed.iter().any(|one| one.message_id == row.message_id && one.state == State::ToRemove.as_str());
    Ok(if is_changed { Err(Refusal::Superseded) } else { Ok(()) })
}

/// Takes back that a message of a request was taken, since it did not go: whom it adds and takes away
/// is still to be told, but for those who were taken off since, and were never named.
///
/// # Errors
/// Where the store fails.
pub(super) fn take_back(
    tx: &mut Tx,
    request: &str,
    message_id: &str,
    now: Instant,
) -> Result<(), GatewayError> {
    let mut rows = requested::list(tx, request)?;
    rows.retain(|row| row.message_id.as_deref() == Some(message_id));
    for row in &mut rows {
        let state = match row.state.as_str() {
            "adding" | "listed" => State::ToAdd,
            "to-remove" => State::Removed,
            "removing" | "removed" => State::ToRemove,
            _ => continue,
        };
        state.as_str().clone_into(&mut row.state);
        row.message_id = None;
        row.changed_at = now.to_string();
    }
    Ok(requested::put(tx, &rows)?)
}

/// Writes down that a message of a request was taken. Whoever changed meanwhile is told by the next.
pub(super) fn note_sent(tx: &mut Tx, request: &str, message: &str, now: Instant) -> Result<(), GatewayError> {
    let at = now.to_string();
    requested::settle(tx, request, message, (State::Adding, State::Listed), &at)?;
    requested::settle(tx, request, message, (State::Removing, State::Removed), &at)?;
    Ok(())
}
