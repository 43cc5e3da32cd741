//! That an alert is over: by which ways that is told, and how far it is.

use std::collections::BTreeSet;

use diesel::dsl::exists;
use diesel::prelude::*;

use crate::base::limit::ALERTS_LOOKED_AT_MAX;
use crate::store::alert::{self, AlertRow};
use crate::store::schema::{alert as alerts, alert_end};
use crate::store::{StoreError, Tx};

#[derive(Insertable)]
#[diesel(table_name = alert_end, treat_none_as_default_value = false)]
struct EndRow<'r> {
    alert_id: &'r str,
    way: &'r str,
    tries: i64,
    next_at: &'r str,
    told_at: Option<String>,
    given_up_at: Option<String>,
}

/// Lays that an alert is over, for every way by which it was told or is still to be.
///
/// # Errors
/// Where the database fails.
pub fn lay(tx: &mut Tx, alert_id: &str, at: &str) -> Result<(), StoreError> {
    for telling in alert::list_tellings(tx, &[alert_id.to_owned()])? {
        if telling.given_up_at.is_some() {
            continue;
        }
        let row =
            EndRow { alert_id, way: &telling.way, tries: 0, next_at: at, told_at: None, given_up_at: None };
        on_both!(tx, connection => diesel::insert_into(alert_end::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(connection))?;
    }
    Ok(())
}

/// True if an end waits to be told by a way.
///
/// # Errors
/// Where the database fails.
pub fn is_any_untold(tx: &mut Tx, way: &str, now: &str) -> Result<bool, StoreError> {
    let waiting = alert_end::table
        .filter(alert_end::way.eq(way).and(alert_end::next_at.le(now)))
        .filter(alert_end::told_at.is_null().and(alert_end::given_up_at.is_null()));
    Ok(diesel::select(exists(waiting)).get_result(&mut tx.connection)?)
}

/// The alerts whose end is to be told by a way now, with how often that was tried: those of which the
/// way was told, and of which nothing of the kind is open about the same feed.
///
/// # Errors
/// Where the database fails.
pub fn list_untold(tx: &mut Tx, way: &str, now: &str) -> Result<Vec<(AlertRow, i64)>, StoreError> {
    let due: Vec<(AlertRow, i64)> = alerts::table
        .inner_join(alert_end::table)
        .filter(alert_end::way.eq(way).and(alert_end::next_at.le(now)))
        .filter(alert_end::told_at.is_null().and(alert_end::given_up_at.is_null()))
        .order(alerts::id)
        .limit(ALERTS_LOOKED_AT_MAX)
        .select((AlertRow::as_select(), alert_end::tries))
        .load(&mut tx.connection)?;
    let ids: Vec<String> = due.iter().map(|(row, _)| row.id.clone()).collect();
    let told: BTreeSet<String> = alert::list_tellings(tx, &ids)?
        .into_iter()
        .filter(|telling| telling.way == way && telling.told_at.is_some())
        .map(|telling| telling.alert_id)
        .collect();
    let open: BTreeSet<(String, String)> =
        alert::list_open(tx)?.into_iter().map(|row| (row.kind, row.feed)).collect();
    let is_meant =
        |row: &AlertRow| told.contains(&row.id) && !open.contains(&(row.kind.clone(), row.feed.clone()));
    Ok(due.into_iter().filter(|(row, _)| is_meant(row)).collect())
}

/// Counts a try of telling an end, which is not made again before an instant.
///
/// # Errors
/// Where the database fails.
pub fn count_try(tx: &mut Tx, id: &str, way: &str, next_at: &str) -> Result<(), StoreError> {
    diesel::update(alert_end::table.find((id, way)))
        .set((alert_end::tries.eq(alert_end::tries + 1), alert_end::next_at.eq(next_at)))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// Says that an end was told by a way.
///
/// # Errors
/// Where the database fails.
pub fn mark_told(tx: &mut Tx, id: &str, way: &str, at: &str) -> Result<(), StoreError> {
    diesel::update(alert_end::table.find((id, way)))
        .set(alert_end::told_at.eq(at))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// Says that an end will not be told by a way.
///
/// # Errors
/// Where the database fails.
pub fn give_up(tx: &mut Tx, id: &str, way: &str, at: &str) -> Result<(), StoreError> {
    diesel::update(alert_end::table.find((id, way)))
        .set(alert_end::given_up_at.eq(at))
        .execute(&mut tx.connection)?;
    Ok(())
}
