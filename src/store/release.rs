//! Runs of the release job, the register of pseudonyms, and notices.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::schema::{notice, pseudonym, release};
use crate::store::{StoreError, Tx, intent};

/// One run of the release job.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = release, treat_none_as_default_value = false)]
pub struct ReleaseRow {
    /// Its id.
    pub id: String,
    /// The study.
    pub study: String,
    /// The protocol's version.
    pub protocol_version: i64,
    /// Up to when consent and records were taken.
    pub cut_off: String,
    /// open, closing, closed.
    pub state: String,
    /// What it sent and what must stand, JSON; empty until it closes.
    pub counts: String,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// When the far side said that it has the message that closed it.
    pub settled_at: Option<String>,
    /// The life of the gateway that sends it.
    pub incarnation: i64,
}

/// A pseudonym that was issued.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = pseudonym, treat_none_as_default_value = false)]
pub struct PseudonymRow {
    /// The study.
    pub study: String,
    /// The recipient.
    pub recipient: String,
    /// The epoch of the study key.
    pub epoch: i64,
    /// The pseudonym.
    pub value: String,
    /// Whose it is, sealed with the release role's key.
    pub person_sealed: Vec<u8>,
    /// The release that first used it.
    pub first_release: String,
    /// The pseudonym that replaced it.
    pub superseded_by: Option<String>,
}

/// A withdrawal that the far side must acknowledge.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = notice, treat_none_as_default_value = false)]
pub struct NoticeRow {
    /// Its id.
    pub id: String,
    /// The study.
    pub study: String,
    /// Who withdrew.
    pub person_id: String,
    /// How far it reaches.
    pub scope: String,
    /// The day of the withdrawal.
    pub decided_on: String,
    /// When it was laid.
    pub laid_at: String,
    /// When it was sent.
    pub sent_at: Option<String>,
    /// When the far side said that it arrived.
    pub acknowledged_at: Option<String>,
    /// When the far side certified that the person was removed.
    pub removed_at: Option<String>,
}

/// The last runs of the job, of every study, newest first.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx, n_max: i64) -> Result<Vec<ReleaseRow>, StoreError> {
    let rows = release::table.order(release::id.desc()).limit(n_max).select(ReleaseRow::as_select());
    Ok(rows.load(&mut tx.connection)?)
}

/// Writes down a run of the job.
///
/// # Errors
/// Where the database fails.
pub fn create(tx: &mut Tx, row: &ReleaseRow) -> Result<(), StoreError> {
    diesel::insert_into(release::table).values(row).execute(&mut tx.connection)?;
    Ok(())
}

/// The run of a study's job that did not end.
///
/// # Errors
/// Where the database fails.
pub fn find_open(tx: &mut Tx, study: &str) -> Result<Option<ReleaseRow>, StoreError> {
    let open = release::table
        .filter(release::study.eq(study).and(release::state.ne("closed")))
        .order(release::id)
        .select(ReleaseRow::as_select())
        .first(&mut tx.connection)
        .optional()?;
    Ok(open)
}

/// The last run of a study's job that ended.
///
/// # Errors
/// Where the database fails.
pub fn find_last(tx: &mut Tx, study: &str) -> Result<Option<ReleaseRow>, StoreError> {
    let last = release::table
        .filter(release::study.eq(study).and(release::state.eq("closed")))
        .order(release::id.desc())
        .select(ReleaseRow::as_select())
        .first(&mut tx.connection)
        .optional()?;
    Ok(last)
}

/// Moves a run of the job on.
///
/// # Errors
/// Where the database fails.
pub fn set_state(
    tx: &mut Tx,
    id: &str,
    state: &str,
    counts: &str,
    closed_at: Option<&str>,
) -> Result<(), StoreError> {
    diesel::update(release::table.find(id))
        .set((release::state.eq(state), release::counts.eq(counts), release::closed_at.eq(closed_at)))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// Writes down which message closed a run of the job, and when that was sent.
///
/// # Errors
/// Where the database fails.
pub fn note_told(tx: &mut Tx, id: &str, message_id: &str, at: &str) -> Result<(), StoreError> {
    diesel::update(release::table.find(id))
        .set((release::message_id.eq(Some(message_id)), release::told_at.eq(Some(at))))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// Writes down that the far side has the messages that closed runs of the job.
///
/// # Errors
/// Where the database fails.
pub fn settle(tx: &mut Tx, study: &str, message_ids: &[String], at: &str) -> Result<(), StoreError> {
    for ids in message_ids.chunks(ROWS_A_STATEMENT_MAX) {
        let rows = release::table
            .filter(release::study.eq(study).and(release::settled_at.is_null()))
            .filter(release::message_id.eq_any(ids));
        diesel::update(rows).set(release::settled_at.eq(Some(at))).execute(&mut tx.connection)?;
    }
    Ok(())
}

/// The closed runs of a study's job of which something was sent by then and is not settled, oldest
/// first.
///
/// # Errors
/// Where the database fails.
pub fn list_unsettled(tx: &mut Tx, study: &str, by: &str) -> Result<Vec<ReleaseRow>, StoreError> {
    let closed = || {
        release::table
            .filter(release::study.eq(study).and(release::state.eq("closed")))
            .select(ReleaseRow::as_select())
    };
    let own = closed().filter(release::settled_at.is_null().and(release::told_at.le(by)));
    let mut rows: BTreeMap<String, ReleaseRow> =
        own.load(&mut tx.connection)?.into_iter().map(|row: ReleaseRow| (row.id.clone(), row)).collect();
    for id in intent::list_unsettled_releases(tx, study, by)? {
        if !rows.contains_key(&id) {
            let row: Option<ReleaseRow> =
                closed().filter(release::id.eq(&id)).first(&mut tx.connection).optional()?;
            rows.extend(row.map(|row| (id, row)));
        }
    }
    Ok(rows.into_values().collect())
}

/// Registers a pseudonym; one that is there stays as it is.
///
/// # Errors
/// Where the database fails.
pub fn register(tx: &mut Tx, row: &PseudonymRow) -> Result<(), StoreError> {
    on_both!(tx, connection => diesel::insert_into(pseudonym::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(connection))?;
    Ok(())
}

/// Marks a pseudonym as replaced.
///
/// # Errors
/// Where the database fails.
pub fn set_pseudonym_superseded(
    tx: &mut Tx,
    (study, recipient, epoch): (&str, &str, i64),
    old: &str,
    new: &str,
) -> Result<(), StoreError> {
    diesel::update(pseudonym::table.find((study, recipient, epoch, old)))
        .set(pseudonym::superseded_by.eq(Some(new)))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// How many pseudonyms were issued in a study's epoch.
///
/// # Errors
/// Where the database fails.
pub fn count_pseudonyms(tx: &mut Tx, study: &str, epoch: i64) -> Result<i64, StoreError> {
    Ok(pseudonym::table
        .filter(pseudonym::study.eq(study).and(pseudonym::epoch.eq(epoch)))
        .count()
        .get_result(&mut tx.connection)?)
}

/// Lays a notice.
///
/// # Errors
/// Where the database fails.
pub fn lay_notice(tx: &mut Tx, row: &NoticeRow) -> Result<(), StoreError> {
    diesel::insert_into(notice::table).values(row).execute(&mut tx.connection)?;
    Ok(())
}

/// The notice of that id.
///
/// # Errors
/// Where the database fails.
pub fn find_notice(tx: &mut Tx, id: &str) -> Result<Option<NoticeRow>, StoreError> {
    Ok(notice::table.find(id).select(NoticeRow::as_select()).first(&mut tx.connection).optional()?)
}

/// The notices of a person in a study, oldest first.
///
/// # Errors
/// Where the database fails.
pub fn list_notices_of(tx: &mut Tx, study: &str, person_id: &str) -> Result<Vec<NoticeRow>, StoreError> {
    Ok(notice::table
        .filter(notice::study.eq(study).and(notice::person_id.eq(person_id)))
        .order(notice::id)
        .select(NoticeRow::as_select())
        .load(&mut tx.connection)?)
}

/// The notices of a study, oldest first.
///
/// # Errors
/// Where the database fails.
pub fn list_notices(tx: &mut Tx, study: &str) -> Result<Vec<NoticeRow>, StoreError> {
    Ok(notice::table
        .filter(notice::study.eq(study))
        .order(notice::id)
        .select(NoticeRow::as_select())
        .load(&mut tx.connection)?)
}

/// Marks a notice as sent.
///
/// # Errors
/// Where the database fails.
pub fn mark_notice_sent(tx: &mut Tx, id: &str, at: &str) -> Result<(), StoreError> {
    diesel::update(notice::table.find(id)).set(notice::sent_at.eq(Some(at))).execute(&mut tx.connection)?;
    Ok(())
}

/// Marks what the far side said of a notice; what it said first stays. False for a notice that
/// was never laid.
///
/// # Errors
/// Where the database fails.
pub fn mark_notice_answered(tx: &mut Tx, id: &str, is_removed: bool, at: &str) -> Result<bool, StoreError> {
    if find_notice(tx, id)?.is_none() {
        return Ok(false);
    }
    if is_removed {
        diesel::update(notice::table.filter(notice::id.eq(id).and(notice::removed_at.is_null())))
            .set(notice::removed_at.eq(Some(at)))
            .execute(&mut tx.connection)?;
    }
    diesel::update(notice::table.filter(notice::id.eq(id).and(notice::acknowledged_at.is_null())))
        .set(notice::acknowledged_at.eq(Some(at)))
        .execute(&mut tx.connection)?;
    Ok(true)
}
