//! Alerts: what somebody is to be told, and by which ways that was done.

use std::collections::BTreeSet;

use diesel::dsl::exists;
use diesel::prelude::*;

use crate::base::limit::ALERTS_LOOKED_AT_MAX;
use crate::store::schema::{alert, alert_telling};
use crate::store::{StoreError, Tx};

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = alert, treat_none_as_default_value = false)]
pub struct AlertRow {
    /// Its id.
    pub id: String,
    /// What kind of trouble.
    pub kind: String,
    /// The feed or study; empty where it is about the gateway.
    pub feed: String,
    /// What tells it from others of its kind: a run, a deadline.
    pub about: String,
    /// The number that made it worth telling.
    pub count: i64,
    /// What is the matter.
    pub text: String,
    /// What to do.
    pub to_do: String,
    /// Since when.
    pub raised_at: String,
    /// When it was over.
    pub ended_at: Option<String>,
}

/// How far the telling of an alert by one way is.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = alert_telling, treat_none_as_default_value = false)]
pub struct TellingRow {
    /// The alert.
    pub alert_id: String,
    /// The way: mail, webhook, log.
    pub way: String,
    /// How often it was tried.
    pub tries: i64,
    /// Before which it is not tried again.
    pub next_at: String,
    /// When it was told.
    pub told_at: Option<String>,
    /// When it was given up.
    pub given_up_at: Option<String>,
}

/// The open alert of that kind about that.
///
/// # Errors
/// Where the database fails.
pub fn find_open(tx: &mut Tx, kind: &str, feed: &str, about: &str) -> Result<Option<AlertRow>, StoreError> {
    Ok(alert::table
        .filter(alert::kind.eq(kind).and(alert::feed.eq(feed)).and(alert::about.eq(about)))
        .filter(alert::ended_at.is_null())
        .select(AlertRow::as_select())
        .first(&mut tx.connection)
        .optional()?)
}

/// The open alerts, oldest first; of those of one moment in order of feed.
///
/// # Errors
/// Where the database fails.
pub fn list_open(tx: &mut Tx) -> Result<Vec<AlertRow>, StoreError> {
    Ok(alert::table
        .filter(alert::ended_at.is_null())
        .order((alert::raised_at, alert::feed, alert::kind, alert::about, alert::id))
        .limit(ALERTS_LOOKED_AT_MAX)
        .select(AlertRow::as_select())
        .load(&mut tx.connection)?)
}

/// The last alerts, open or over, newest first.
///
/// # Errors
/// Where the database fails.
pub fn list_last(tx: &mut Tx, n_max: i64) -> Result<Vec<AlertRow>, StoreError> {
    Ok(alert::table
        .order(alert::id.desc())
        .limit(n_max)
        .select(AlertRow::as_select())
        .load(&mut tx.connection)?)
}

/// Writes down a new alert.
///
/// # Errors
/// Where the database fails.
pub fn create(tx: &mut Tx, row: &AlertRow) -> Result<(), StoreError> {
    diesel::insert_into(alert::table).values(row).execute(&mut tx.connection)?;
    Ok(())
}

/// Says that an alert is over; false where it was already.
///
/// # Errors
/// Where the database fails.
pub fn end(tx: &mut Tx, id: &str, at: &str) -> Result<bool, StoreError> {
    let open = alert::table.filter(alert::id.eq(id).and(alert::ended_at.is_null()));
    Ok(diesel::update(open).set(alert::ended_at.eq(at)).execute(&mut tx.connection)? > 0)
}

/// The tellings of these alerts.
///
/// # Errors
/// Where the database fails.
pub fn list_tellings(tx: &mut Tx, alert_ids: &[String]) -> Result<Vec<TellingRow>, StoreError> {
    Ok(alert_telling::table
        .filter(alert_telling::alert_id.eq_any(alert_ids))
        .order((alert_telling::alert_id, alert_telling::way))
        .select(TellingRow::as_select())
        .load(&mut tx.connection)?)
}

/// Takes the alerts that are to be told by a way now: each counts as tried, and is not tried again
/// before the instant that `again` gives for its number of tries. An alert that was raised before the
/// way was there is told by it too, while it is open.
///
/// # Errors
/// Where the database fails.
pub fn claim_untold(
    tx: &mut Tx,
    way: &str,
    now: &str,
    again: &dyn Fn(i64) -> String,
) -> Result<Vec<(AlertRow, i64)>, StoreError> {
    let open = list_open(tx)?;
    let ids: Vec<String> = open.iter().map(|row| row.id.clone()).collect();
    let known: BTreeSet<String> = list_tellings(tx, &ids)?
        .into_iter()
        .filter(|telling| telling.way == way)
        .map(|telling| telling.alert_id)
        .collect();
    for id in ids.iter().filter(|id| !known.contains(*id)) {
        let new = TellingRow {
            alert_id: id.clone(),
            way: way.to_owned(),
            tries: 0,
            next_at: now.to_owned(),
            told_at: None,
            given_up_at: None,
        };
        diesel::insert_into(alert_telling::table).values(&new).execute(&mut tx.connection)?;
    }
    // One that is over by now is told all the same: somebody wants to know of the night.
    let due: Vec<(AlertRow, TellingRow)> = alert::table
        .inner_join(alert_telling::table)
        .filter(alert_telling::way.eq(way))
        .filter(alert_telling::told_at.is_null().and(alert_telling::given_up_at.is_null()))
        .filter(alert_telling::next_at.le(now))
        .order(alert::id)
        .limit(ALERTS_LOOKED_AT_MAX)
        .select((AlertRow::as_select(), TellingRow::as_select()))
        .load(&mut tx.connection)?;
    let mut claimed = Vec::with_capacity(due.len());
    for (row, telling) in due {
        let tries = telling.tries + 1;
        diesel::update(alert_telling::table.find((&row.id, way)))
            .set((alert_telling::tries.eq(tries), alert_telling::next_at.eq(again(tries))))
            .execute(&mut tx.connection)?;
        claimed.push((row, tries));
    }
    Ok(claimed)
}

/// True if an alert waits to be told by one of these ways.
///
/// # Errors
/// Where the database fails.
pub fn is_any_untold(tx: &mut Tx, ways: &[&str], now: &str) -> Result<bool, StoreError> {
    let waiting = alert_telling::table
        .filter(alert_telling::way.eq_any(ways))
        .filter(alert_telling::told_at.is_null().and(alert_telling::given_up_at.is_null()))
        .filter(alert_telling::next_at.le(now));
    if diesel::select(exists(waiting)).get_result::<bool>(&mut tx.connection)? {
        return Ok(true);
    }
    let open = list_open(tx)?;
    let ids: Vec<String> = open.into_iter().map(|row| row.id).collect();
    let known: BTreeSet<(String, String)> =
        list_tellings(tx, &ids)?.into_iter().map(|telling| (telling.alert_id, telling.way)).collect();
    Ok(ids.iter().any(|id| ways.iter().any(|way| !known.contains(&(id.clone(), (*way).to_owned())))))
}

/// Says that an alert was told by a way.
///
/// # Errors
/// Where the database fails.
pub fn mark_told(tx: &mut Tx, id: &str, way: &str, at: &str) -> Result<(), StoreError> {
    diesel::update(alert_telling::table.find((id, way)))
        .set(alert_telling::told_at.eq(at))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// Says that an alert will not be told by a way.
///
/// # Errors
/// Where the database fails.
pub fn give_up(tx: &mut Tx, id: &str, way: &str, at: &str) -> Result<(), StoreError> {
    diesel::update(alert_telling::table.find((id, way)))
        .set(alert_telling::given_up_at.eq(at))
        .execute(&mut tx.connection)?;
    Ok(())
}
