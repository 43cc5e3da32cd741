//! Laying dispatches: each person that was touched is looked at, and where a flow has its occasion,
//! one dispatch is laid for each partner and version.

use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::base::id::DispatchId;
use crate::base::limit::EXCHANGE_PEOPLE_MAX;
use crate::gateway::exchange::plan::{Flow, Plan, Told};
use crate::gateway::exchange::request;
use crate::gateway::release::file::{File, Wishes};
use crate::gateway::{Gateway, GatewayError};
use crate::store::dispatch::{self, Dispatch, State};
use crate::store::record::CurrentRecord;
use crate::store::work::{self, Step};
use crate::store::{StoreError, Tx, person};

/// Lays for every person that waits. How many dispatches are new.
///
/// # Errors
/// Where the store or a key fails. What is committed stays, and the next round goes on from there.
pub fn lay(gateway: &Gateway, plan: &Plan) -> Result<u64, GatewayError> {
    let mut laid = 0;
    // Nobody takes the write lock where nothing waits.
    while gateway.store.read(|tx| work::waits(tx, Step::Exchange))? {
        if plan.is_empty() {
            gateway.store.write(|tx| work::clear(tx, Step::Exchange))?;
            return Ok(laid);
        }
        laid += gateway.store.write(|tx| lay_some(tx, gateway, plan))?;
    }
    Ok(laid)
}

fn lay_some(tx: &mut Tx, gateway: &Gateway, plan: &Plan) -> Result<u64, GatewayError> {
    let waiting = work::claim(tx, Step::Exchange, EXCHANGE_PEOPLE_MAX)?;
    let keys: Vec<String> = waiting.into_iter().map(|work| work.key).collect();
    work::done(tx, Step::Exchange, &keys)?;
    let people = standing_people(tx, &keys)?;
    request::settle_people(tx, gateway, plan, &people)?;
    let mut rows = Vec::new();
    for file in files(tx, &people)? {
        rows.extend(occasions(gateway, plan, &file, None).into_iter().map(|occasion| occasion.row));
    }
    Ok(dispatch::lay(tx, &rows)?)
}

/// Those of some people who are not another by now.
pub(super) fn standing_people(tx: &mut Tx, people: &[String]) -> Result<Vec<String>, StoreError> {
    let rows = person::find(tx, people)?.into_iter();
    Ok(rows.filter(|row| row.superseded_by.is_none()).map(|row| row.id).collect())
}

/// Everything known of some people.
pub(super) fn files(tx: &mut Tx, people: &[String]) -> Result<Vec<File>, StoreError> {
    let wishes = Wishes::list(tx, people)?;
    File::list(tx, wishes)
}

/// A record that is an occasion for somebody to be told.
pub(super) struct Occasion {
    pub(super) row: Dispatch,
}

/// The occasions among a person's records, of one flow or of all.
pub(super) fn occasions(gateway: &Gateway, plan: &Plan, file: &File, flow: Option<&str>) -> Vec<Occasion> {
    let now = gateway.edge.now();
    let mut found = Vec::new();
    for (name, of) in plan.flows.iter().filter(|(name, _)| flow.is_none_or(|wanted| wanted == *name)) {
        for record in file.standing(of.when.kind) {
            let Some(since) = since(of, record, now.london_day()) else { continue };
            for told in &of.tell {
                // What a partner sent is no news to it.
                if record.source == told.partner {
                    continue;
                }
                let row = row(gateway, (name, told), file, record, due(since, now));
                found.push(Occasion { row });
            }
        }
    }
    found
}

fn since(flow: &Flow, record: &CurrentRecord, today: Day) -> Option<Day> {
    let body: serde_json::Value = serde_json::from_str(&record.body).ok()?;
    flow.when.since(&body, today)
}

/// Now, or the first moment of a later day.
fn due(since: Day, now: Instant) -> Instant {
    if since <= now.london_day() {
        return now;
    }
    let zone = jiff::tz::TimeZone::get("Europe/London").unwrap_or(jiff::tz::TimeZone::UTC);
    let midnight = since.date().to_zoned(zone).map(|zoned| zoned.timestamp().as_millisecond());
    midnight.map_or(now, Instant::from_unix_ms)
}

fn row(
    gateway: &Gateway,
    (flow, told): (&str, &Told),
    file: &File,
    record: &CurrentRecord,
    due: Instant,
) -> Dispatch {
    Dispatch {
        id: DispatchId::mint(&gateway.edge).to_string(),
        flow: flow.to_owned(),
        agreement: told.agreement.clone(),
        agreement_version: 0,
        partner: told.partner.clone(),
        mapping: told.mapping.clone(),
        person_id: file.wishes.person.to_string(),
        record_id: record.id.clone(),
        record_kind: record.kind.clone(),
        number: record.number,
        round: 0,
        state: State::Waiting.as_str().to_owned(),
        reason: String::new(),
        tries: 0,
        due_at: due.to_string(),
        lease_until: None,
        message_id: None,
        created_at: gateway.edge.now().to_string(),
        ended_at: None,
    }
}
