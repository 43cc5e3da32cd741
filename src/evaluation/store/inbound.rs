//! What the collector writes. Each function is one step of its transaction.
//!
//! The writer is alone, so what is older than what stands is sorted out by reading first; diesel
//! has no conditional upsert of many rows for SQLite.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel::upsert::excluded;

use crate::evaluation::collect::ground::Edge;
use crate::evaluation::store::row::{
    AggregateRow, InboxRow, NoticeRow, RecordRow, RefusedRow, ReleaseRow, SettingRow, SubjectRow,
    WithdrawalRow,
};
use crate::evaluation::store::table::{
    aggregate, closed_release, inbox, notice, record, refused, setting, subject, withdrawal,
};
use crate::evaluation::store::{Either, Store, StoreError, on_both};

type Done<T = ()> = Result<T, StoreError>;

pub(crate) fn known_messages(either: &mut Either, ids: &[String]) -> Done<BTreeSet<String>> {
    let query = inbox::table.filter(inbox::message_id.eq_any(ids)).select(inbox::message_id);
    let known: Vec<String> = on_both!(either, connection => query.load(connection))?;
    Ok(known.into_iter().collect())
}

pub(crate) fn note_messages(either: &mut Either, rows: &[InboxRow]) -> Done {
    let insert = diesel::insert_into(inbox::table).values(rows).on_conflict_do_nothing();
    on_both!(either, connection => insert.execute(connection))?;
    Ok(())
}

pub(crate) fn note_refused(either: &mut Either, rows: &[RefusedRow]) -> Done {
    let insert = diesel::insert_into(refused::table).values(rows).on_conflict_do_nothing();
    on_both!(either, connection => insert.execute(connection))?;
    Ok(())
}

/// Notes the last that was heard of pseudonyms.
pub(crate) fn note_subjects(either: &mut Either, study: &str, mut rows: Vec<SubjectRow>) -> Done {
    let pseudonyms: Vec<&String> = rows.iter().map(|row| &row.pseudonym).collect();
    let query = subject::table
        .filter(subject::study.eq(study))
        .filter(subject::pseudonym.eq_any(pseudonyms))
        .select((subject::pseudonym, subject::incarnation, subject::sequence));
    let known: Vec<(String, i64, i64)> = on_both!(either, connection => query.load(connection))?;
    let known: BTreeMap<String, (i64, i64)> =
        known.into_iter().map(|(name, incarnation, sequence)| (name, (incarnation, sequence))).collect();
    rows.retain(|row| known.get(&row.pseudonym).is_none_or(|last| (row.incarnation, row.sequence) > *last));
    if rows.is_empty() {
        return Ok(());
    }
    let insert = diesel::insert_into(subject::table)
        .values(&rows)
        .on_conflict((subject::study, subject::pseudonym))
        .do_update()
        .set((
            subject::incarnation.eq(excluded(subject::incarnation)),
            subject::sequence.eq(excluded(subject::sequence)),
        ));
    on_both!(either, connection => insert.execute(connection))?;
    Ok(())
}

/// Notes a replacement, unless a later one of the same pseudonym is known.
pub(crate) fn note_replacement(either: &mut Either, study: &str, pseudonym: &str, edge: &Edge) -> Done {
    let is_later = subject::superseded_sequence
        .is_null()
        .or(subject::superseded_incarnation.lt(edge.at.incarnation))
        .or(subject::superseded_incarnation
            .eq(edge.at.incarnation)
            .and(subject::superseded_sequence.lt(edge.at.sequence)));
    let row = subject::table.filter(subject::study.eq(study)).filter(subject::pseudonym.eq(pseudonym));
    diesel::update(row.filter(is_later.assume_not_null()))
        .set((
            subject::superseded_by.eq(&edge.to),
            subject::superseded_incarnation.eq(edge.at.incarnation),
            subject::superseded_sequence.eq(edge.at.sequence),
        ))
        .execute(either)?;
    Ok(())
}

pub(crate) fn note_withdrawals(either: &mut Either, rows: &[WithdrawalRow]) -> Done {
    let insert = diesel::insert_into(withdrawal::table).values(rows).on_conflict_do_nothing();
    on_both!(either, connection => insert.execute(connection))?;
    Ok(())
}

pub(crate) fn note_notices(either: &mut Either, rows: &[NoticeRow]) -> Done {
    let insert = diesel::insert_into(notice::table).values(rows).on_conflict_do_nothing();
    on_both!(either, connection => insert.execute(connection))?;
    Ok(())
}

/// Writes records, except where a later message of the same record is known.
pub(crate) fn put_records(either: &mut Either, study: &str, mut rows: Vec<RecordRow>) -> Done {
    let names: Vec<&String> = rows.iter().map(|row| &row.record_pseudonym).collect();
    let pseudonyms: BTreeSet<&String> = rows.iter().map(|row| &row.pseudonym).collect();
    let query = record::table
        .filter(record::study.eq(study))
        .filter(record::pseudonym.eq_any(pseudonyms))
        .filter(record::record_pseudonym.eq_any(names))
        .select((record::pseudonym, record::record_pseudonym, record::incarnation, record::sequence));
    let known: Vec<(String, String, i64, i64)> = on_both!(either, connection => query.load(connection))?;
    let known: BTreeMap<(String, String), (i64, i64)> = known
        .into_iter()
        .map(|(pseudonym, name, incarnation, sequence)| ((pseudonym, name), (incarnation, sequence)))
        .collect();
    rows.retain(|row| {
        let key = (row.pseudonym.clone(), row.record_pseudonym.clone());
        known.get(&key).is_none_or(|last| (row.incarnation, row.sequence) > *last)
    });
    if rows.is_empty() {
        return Ok(());
    }
    let insert = diesel::insert_into(record::table)
        .values(&rows)
        .on_conflict((record::study, record::pseudonym, record::record_pseudonym))
        .do_update()
        .set((
            record::kind.eq(excluded(record::kind)),
            record::owner.eq(excluded(record::owner)),
            record::incarnation.eq(excluded(record::incarnation)),
            record::sequence.eq(excluded(record::sequence)),
            record::decided_on.eq(excluded(record::decided_on)),
            record::release.eq(excluded(record::release)),
            record::provenance.eq(excluded(record::provenance)),
            record::fields.eq(excluded(record::fields)),
            record::missing.eq(excluded(record::missing)),
        ));
    on_both!(either, connection => insert.execute(connection))?;
    Ok(())
}

/// Writes settings, except where a later message of the same setting is known.
pub(crate) fn put_settings(either: &mut Either, study: &str, mut rows: Vec<SettingRow>) -> Done {
    let names: Vec<&String> = rows.iter().map(|row| &row.setting_pseudonym).collect();
    let query = setting::table
        .filter(setting::study.eq(study))
        .filter(setting::setting_pseudonym.eq_any(names))
        .select((setting::setting_pseudonym, setting::incarnation, setting::sequence));
    let known: Vec<(String, i64, i64)> = on_both!(either, connection => query.load(connection))?;
    let known: BTreeMap<String, (i64, i64)> =
        known.into_iter().map(|(name, incarnation, sequence)| (name, (incarnation, sequence))).collect();
    rows.retain(|row| {
        known.get(&row.setting_pseudonym).is_none_or(|last| (row.incarnation, row.sequence) > *last)
    });
    if rows.is_empty() {
        return Ok(());
    }
    let insert = diesel::insert_into(setting::table)
        .values(&rows)
        .on_conflict((setting::study, setting::setting_pseudonym))
        .do_update()
        .set((
            setting::incarnation.eq(excluded(setting::incarnation)),
            setting::sequence.eq(excluded(setting::sequence)),
            setting::release.eq(excluded(setting::release)),
            setting::fields.eq(excluded(setting::fields)),
            setting::missing.eq(excluded(setting::missing)),
        ));
    on_both!(either, connection => insert.execute(connection))?;
    Ok(())
}

pub(crate) fn put_aggregate(either: &mut Either, row: &AggregateRow) -> Done {
    let later = sql::<Bool>(
        "(excluded.incarnation, excluded.message_id) > (aggregate.incarnation, aggregate.message_id)",
    );
    let insert = diesel::insert_into(aggregate::table)
        .values(row)
        .on_conflict((aggregate::study, aggregate::release, aggregate::name))
        .do_update()
        .set((
            aggregate::incarnation.eq(excluded(aggregate::incarnation)),
            aggregate::message_id.eq(excluded(aggregate::message_id)),
            aggregate::body.eq(excluded(aggregate::body)),
        ));
    let insert = diesel::query_dsl::methods::FilterDsl::filter(insert, later);
    on_both!(either, connection => insert.execute(connection))?;
    Ok(())
}

pub(crate) fn put_release(either: &mut Either, row: &ReleaseRow) -> Done {
    let later = sql::<Bool>(
        "(excluded.incarnation, excluded.message_id) > (closed_release.incarnation, closed_release.message_id)",
    );
    let insert = diesel::insert_into(closed_release::table)
        .values(row)
        .on_conflict((closed_release::study, closed_release::release))
        .do_update()
        .set((
            closed_release::cut_off.eq(excluded(closed_release::cut_off)),
            closed_release::incarnation.eq(excluded(closed_release::incarnation)),
            closed_release::message_id.eq(excluded(closed_release::message_id)),
            closed_release::body.eq(excluded(closed_release::body)),
        ));
    let insert = diesel::query_dsl::methods::FilterDsl::filter(insert, later);
    on_both!(either, connection => insert.execute(connection))?;
    Ok(())
}

impl Store {
    /// Notices of a study that are still owed an answer.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn owed_notices(&mut self, study: &str) -> Result<Vec<NoticeRow>, StoreError> {
        self.read(|either| {
            let rows = notice::table
                .filter(notice::study.eq(study))
                .filter(notice::is_answered.eq(false))
                .order(notice::notice_id)
                .load(either)?;
            Ok(rows)
        })
    }

    /// Notes that a notice has been answered.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn answer_notice(&mut self, row: &NoticeRow) -> Result<(), StoreError> {
        self.write(|either| {
            diesel::update(notice::table.find((&row.study, &row.notice_id)))
                .set(notice::is_answered.eq(true))
                .execute(either)?;
            Ok(())
        })
    }

    /// Messages of a study that did not fit.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn list_refused(&mut self, study: &str) -> Result<Vec<RefusedRow>, StoreError> {
        self.read(|either| {
            let rows =
                refused::table.filter(refused::study.eq(study)).order(refused::message_id).load(either)?;
            Ok(rows)
        })
    }
}
