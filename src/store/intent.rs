//! Intents: what is to be told to the evaluation side. The outbox.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use diesel::upsert::excluded;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::connection::AnyConnection;
use crate::store::schema::{intent, sequence};
use crate::store::{StoreError, Tx};

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = intent, treat_none_as_default_value = false)]
pub struct Intent {
    /// Its id; ids are in order of laying.
    pub id: String,
    /// The study.
    pub study: String,
    /// Whom it is about; none for a setting.
    pub person_id: Option<String>,
    /// The record, the setting, or the person whose merged record it is; of a merge, the person
    /// that stands.
    pub record_id: Option<String>,
    /// The record's kind.
    pub record_kind: Option<String>,
    /// The version.
    pub number: i64,
    /// record, setting, retracted, superseded, withdrawn.
    pub kind: String,
    /// Of a retraction: why.
    pub reason: String,
    /// What it was laid on.
    pub basis: String,
    /// Of a withdrawal: the notice.
    pub notice_id: Option<String>,
    /// waiting, claimed, sent.
    pub state: String,
    /// Until when it is its claimer's.
    pub lease_until: Option<String>,
    /// Who claimed it.
    pub claimed_by: Option<String>,
    /// The message made of it.
    pub message_id: Option<String>,
    /// Its place among all that is told of this person in this study.
    pub sequence: i64,
    /// When it was laid.
    pub created_at: String,
    /// When it was sent.
    pub sent_at: Option<String>,
    /// The release it was sent in.
    pub release_id: Option<String>,
}

/// The next place among all that is told of somebody (or of a setting) in a study.
///
/// # Errors
/// Where the database fails.
pub fn next_sequence(tx: &mut Tx, study: &str, of: &str) -> Result<i64, StoreError> {
    let last = last_sequence(tx, study, of)? + 1;
    raise_sequence(tx, study, of, last)?;
    Ok(last)
}

/// The last place given out; 0 where none was.
///
/// # Errors
/// Where the database fails.
pub fn last_sequence(tx: &mut Tx, study: &str, of: &str) -> Result<i64, StoreError> {
    let last: Option<i64> =
        sequence::table.find((study, of)).select(sequence::last).first(&mut tx.connection).optional()?;
    Ok(last.unwrap_or_default())
}

/// Makes the last place given out `last`.
///
/// # Errors
/// Where the database fails.
pub fn raise_sequence(tx: &mut Tx, study: &str, of: &str, last: i64) -> Result<(), StoreError> {
    let row = (sequence::study.eq(study), sequence::person_id.eq(of), sequence::last.eq(last));
    on_both!(tx, connection => diesel::insert_into(sequence::table)
        .values(row)
        .on_conflict((sequence::study, sequence::person_id))
        .do_update()
        .set(sequence::last.eq(excluded(sequence::last)))
        .execute(connection))?;
    Ok(())
}

/// Gives out as many places to each as it has intents, and says after which they follow.
///
/// # Errors
/// Where the database fails.
pub fn next_sequences(
    tx: &mut Tx,
    study: &str,
    counts: &BTreeMap<String, i64>,
) -> Result<BTreeMap<String, i64>, StoreError> {
    let of: Vec<&String> = counts.keys().collect();
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    for of in of.chunks(ROWS_A_STATEMENT_MAX) {
        let query = sequence::table
            .filter(sequence::study.eq(study).and(sequence::person_id.eq_any(of.iter().copied())))
            .select((sequence::person_id, sequence::last));
        last.extend(on_both!(tx, connection => query.load::<(String, i64)>(connection))?);
    }
    let raised: Vec<i64> =
        counts.iter().map(|(of, count)| last.get(of).copied().unwrap_or_default() + count).collect();
    match &mut tx.connection {
        AnyConnection::Sqlite(_) => {
            for (of, raised) in of.into_iter().zip(raised) {
                raise_sequence(tx, study, of, raised)?;
            }
        }
        AnyConnection::Postgres(connection) => {
            diesel::sql_query(RAISE_SEQUENCES)
                .bind::<Text, _>(study)
                .bind::<Array<Text>, _>(of)
                .bind::<Array<BigInt>, _>(raised)
                .execute(connection)?;
        }
    }
    Ok(last)
}

const RAISE_SEQUENCES: &str = "INSERT INTO sequence (study, person_id, last)
    SELECT $1, raised.person_id, raised.last FROM UNNEST($2, $3) AS raised (person_id, last)
    ON CONFLICT (study, person_id) DO UPDATE SET last = excluded.last";

/// Lays intents.
///
/// # Errors
/// Where the database fails.
pub fn lay(tx: &mut Tx, rows: &[Intent]) -> Result<(), StoreError> {
    insert_all!(tx, intent::table, rows);
    Ok(())
}

/// The intents of these people in a study that are not sent, in order.
///
/// # Errors
/// Where the database fails.
pub fn list_unsent(tx: &mut Tx, study: &str, person_ids: &[String]) -> Result<Vec<Intent>, StoreError> {
    let mut found = Vec::new();
    for ids in person_ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => intent::table
            .filter(intent::study.eq(study).and(intent::person_id.eq_any(ids)))
            .filter(intent::state.ne("sent"))
            .order(intent::id)
            .select(Intent::as_select())
            .load::<Intent>(connection))?);
    }
    Ok(found)
}

/// The intents of a setting in a study that are not sent.
///
/// # Errors
/// Where the database fails.
pub fn list_unsent_settings(tx: &mut Tx, study: &str) -> Result<Vec<Intent>, StoreError> {
    Ok(intent::table
        .filter(intent::study.eq(study).and(intent::kind.eq("setting")).and(intent::state.ne("sent")))
        .select(Intent::as_select())
        .load(&mut tx.connection)?)
}

/// True if anything of a person in a study was ever handed to the door, or may have been.
///
/// # Errors
/// Where the database fails.
pub fn was_ever_out(tx: &mut Tx, study: &str, person_id: &str) -> Result<bool, StoreError> {
    let out = intent::table.filter(
        intent::study.eq(study).and(intent::person_id.eq(person_id)).and(intent::state.ne("waiting")),
    );
    Ok(out.count().get_result::<i64>(&mut tx.connection)? > 0)
}

/// Takes intents back that are not sent.
///
/// # Errors
/// Where the database fails.
pub fn delete(tx: &mut Tx, ids: &[String]) -> Result<usize, StoreError> {
    let mut gone = 0;
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        gone += diesel::delete(intent::table.filter(intent::id.eq_any(ids).and(intent::state.ne("sent"))))
            .execute(&mut tx.connection)?;
    }
    Ok(gone)
}

/// Claims the first intents that wait, or whose lease has run out, in order. On PostgreSQL what
/// another has locked is passed over.
///
/// # Errors
/// Where the database fails.
pub fn claim(
    tx: &mut Tx,
    study: &str,
    (by, now, until): (&str, &str, &str),
    n_max: i64,
) -> Result<Vec<Intent>, StoreError> {
    let free = intent::state
        .eq("waiting")
        .or(intent::state.eq("claimed").and(intent::lease_until.le(now).or(intent::claimed_by.eq(by))));
    let first = intent::table.filter(intent::study.eq(study)).filter(free).order(intent::id).limit(n_max);
    let claimed: Vec<Intent> = match &mut tx.connection {
        AnyConnection::Sqlite(connection) => first.select(Intent::as_select()).load(connection),
        AnyConnection::Postgres(connection) => {
            first.select(Intent::as_select()).for_update().skip_locked().load(connection)
        }
    }?;
    let ids: Vec<&str> = claimed.iter().map(|intent| intent.id.as_str()).collect();
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        diesel::update(intent::table.filter(intent::id.eq_any(ids)))
            .set((
                intent::state.eq("claimed"),
                intent::claimed_by.eq(Some(by)),
                intent::lease_until.eq(Some(until)),
            ))
            .execute(&mut tx.connection)?;
    }
    Ok(claimed)
}

/// Marks an intent as sent. False where it was taken back meanwhile.
///
/// # Errors
/// Where the database fails.
pub fn mark_sent(
    tx: &mut Tx,
    id: &str,
    message_id: &str,
    at: &str,
    release_id: &str,
) -> Result<bool, StoreError> {
    let changed = diesel::update(intent::table.filter(intent::id.eq(id).and(intent::state.eq("claimed"))))
        .set((
            intent::state.eq("sent"),
            intent::message_id.eq(Some(message_id)),
            intent::sent_at.eq(Some(at)),
            intent::release_id.eq(Some(release_id)),
            intent::lease_until.eq(None::<String>),
        ))
        .execute(&mut tx.connection)?;
    Ok(changed > 0)
}

/// How many intents of a study are not sent.
///
/// # Errors
/// Where the database fails.
pub fn count_unsent(tx: &mut Tx, study: &str) -> Result<i64, StoreError> {
    Ok(intent::table
        .filter(intent::study.eq(study).and(intent::state.ne("sent")))
        .count()
        .get_result(&mut tx.connection)?)
}

/// How many intents of every study are not sent, and since when the first waits.
///
/// # Errors
/// Where the database fails.
pub fn count_all_unsent(tx: &mut Tx) -> Result<(i64, Option<String>), StoreError> {
    Ok(intent::table
        .filter(intent::state.ne("sent"))
        .select((diesel::dsl::count_star(), diesel::dsl::min(intent::created_at)))
        .first(&mut tx.connection)?)
}

/// How many messages to a study wait, and since when the oldest does: notices of withdrawal, or
/// everything else.
///
/// # Errors
/// Where the database fails.
pub fn oldest_unsent(tx: &mut Tx, study: &str, is_notice: bool) -> Result<(i64, Option<String>), StoreError> {
    let unsent = intent::table.filter(intent::study.eq(study).and(intent::state.ne("sent")));
    let counted = (diesel::dsl::count_star(), diesel::dsl::min(intent::created_at));
    Ok(if is_notice {
        unsent.filter(intent::notice_id.is_not_null()).select(counted).first(&mut tx.connection)?
    } else {
        unsent.filter(intent::notice_id.is_null()).select(counted).first(&mut tx.connection)?
    })
}

/// What a release sent: by door kind, and by record kind for records.
///
/// # Errors
/// Where the database fails.
pub fn count_sent(tx: &mut Tx, release_id: &str) -> Result<BTreeMap<String, i64>, StoreError> {
    let rows: Vec<(String, Option<String>, i64)> = intent::table
        .filter(intent::release_id.eq(release_id).and(intent::state.eq("sent")))
        .group_by((intent::kind, intent::record_kind))
        .select((intent::kind, intent::record_kind, diesel::dsl::count_star()))
        .load(&mut tx.connection)?;
    let mut counts = BTreeMap::new();
    for (kind, record_kind, count) in rows {
        if kind == "record"
            && let Some(record_kind) = record_kind
        {
            *counts.entry(record_kind).or_default() += count;
        }
        *counts.entry(kind).or_default() += count;
    }
    Ok(counts)
}

/// Writes down that the far side has these messages.
///
/// # Errors
/// Where the database fails.
pub fn settle(tx: &mut Tx, study: &str, message_ids: &[String], at: &str) -> Result<(), StoreError> {
    for ids in message_ids.chunks(ROWS_A_STATEMENT_MAX) {
        let rows = intent::table
            .filter(intent::study.eq(study).and(intent::message_id.eq_any(ids)))
            .filter(intent::settled_at.is_null());
        diesel::update(rows).set(intent::settled_at.eq(Some(at))).execute(&mut tx.connection)?;
    }
    Ok(())
}

/// Writes down that nothing of these may be told any more, so that nobody waits for them.
///
/// # Errors
/// Where the database fails.
pub fn settle_untold(tx: &mut Tx, ids: &[String], at: &str) -> Result<(), StoreError> {
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        diesel::update(intent::table.filter(intent::id.eq_any(ids)))
            .set(intent::settled_at.eq(Some(at)))
            .execute(&mut tx.connection)?;
    }
    Ok(())
}

/// The intents of a release that were sent by then, of which the far side has not said that it has
/// them; those after one, in order.
///
/// # Errors
/// Where the database fails.
pub fn list_unsettled(
    tx: &mut Tx,
    release_id: &str,
    by: &str,
    after: &str,
    n_max: i64,
) -> Result<Vec<Intent>, StoreError> {
    Ok(intent::table
        .filter(intent::release_id.eq(release_id).and(intent::state.eq("sent")))
        .filter(intent::settled_at.is_null().and(intent::sent_at.le(by)))
        .filter(intent::id.gt(after))
        .order(intent::id)
        .limit(n_max)
        .select(Intent::as_select())
        .load(&mut tx.connection)?)
}

/// The releases of a study in which something was sent by then and is not settled.
///
/// # Errors
/// Where the database fails.
pub fn list_unsettled_releases(tx: &mut Tx, study: &str, by: &str) -> Result<Vec<String>, StoreError> {
    let ids: Vec<Option<String>> = intent::table
        .filter(intent::study.eq(study).and(intent::message_id.is_not_null()))
        .filter(intent::settled_at.is_null().and(intent::sent_at.le(by)))
        .select(intent::release_id)
        .distinct()
        .load(&mut tx.connection)?;
    Ok(ids.into_iter().flatten().collect())
}

/// How many messages of a study were sent by then and are not settled, and when the first was.
///
/// # Errors
/// Where the database fails.
pub fn count_unsettled(tx: &mut Tx, study: &str, by: &str) -> Result<(i64, Option<String>), StoreError> {
    Ok(intent::table
        .filter(intent::study.eq(study).and(intent::message_id.is_not_null()))
        .filter(intent::settled_at.is_null().and(intent::sent_at.le(by)))
        .select((diesel::dsl::count_star(), diesel::dsl::min(intent::sent_at)))
        .first(&mut tx.connection)?)
}

/// Writes down that an intent was sent again, as this message.
///
/// # Errors
/// Where the database fails.
pub fn mark_resent(tx: &mut Tx, id: &str, message_id: &str, at: &str) -> Result<(), StoreError> {
    diesel::update(intent::table.filter(intent::id.eq(id).and(intent::settled_at.is_null())))
        .set((intent::message_id.eq(Some(message_id)), intent::sent_at.eq(Some(at))))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// The studies in which something was laid for a person.
///
/// # Errors
/// Where the database fails.
pub fn list_studies(tx: &mut Tx, person_id: &str) -> Result<Vec<String>, StoreError> {
    Ok(intent::table
        .filter(intent::person_id.eq(person_id))
        .select(intent::study)
        .distinct()
        .order(intent::study)
        .load(&mut tx.connection)?)
}

/// Puts what a release sent back to *claimed*, as it stands when the job is killed after it
/// published and before it marked.
///
/// # Errors
/// Where the database fails.
pub fn forget_sent(tx: &mut Tx, release_id: &str) -> Result<(), StoreError> {
    diesel::update(intent::table.filter(intent::release_id.eq(release_id)))
        .set((intent::state.eq("claimed"), intent::claimed_by.eq(Some(release_id))))
        .execute(&mut tx.connection)?;
    Ok(())
}
