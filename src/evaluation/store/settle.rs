//! What is known of some pseudonyms, and the rows that must follow from it.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::base::day::Day;
use crate::base::limit::REPLACEMENTS_MAX;
use crate::evaluation::collect::ground::{Edge, Ground, Tombstone, Verdict};
use crate::evaluation::door::{Position, Scope};
use crate::evaluation::store::table::{record, subject, withdrawal};
use crate::evaluation::store::{Either, StoreError, on_both};

type Done<T = ()> = Result<T, StoreError>;

type EdgeRow = (String, Option<String>, Option<i64>, Option<i64>);

fn edge((pseudonym, to, incarnation, sequence): EdgeRow) -> Option<(String, Edge)> {
    let at = Position { incarnation: incarnation?, sequence: sequence? };
    Some((pseudonym, Edge { to: to?, at }))
}

/// What is known of these pseudonyms and of those that replace them.
pub(crate) fn ground(either: &mut Either, study: &str, pseudonyms: &BTreeSet<String>) -> Done<Ground> {
    let mut ground = Ground::default();
    let mut seen = pseudonyms.clone();
    let mut ask: Vec<String> = pseudonyms.iter().cloned().collect();
    for _step in 0..REPLACEMENTS_MAX {
        if ask.is_empty() {
            break;
        }
        let query = subject::table
            .filter(subject::study.eq(study))
            .filter(subject::pseudonym.eq_any(&ask))
            .filter(subject::superseded_by.is_not_null())
            .select((
                subject::pseudonym,
                subject::superseded_by,
                subject::superseded_incarnation,
                subject::superseded_sequence,
            ));
        let rows: Vec<EdgeRow> = on_both!(either, connection => query.load(connection))?;
        let edges: Vec<(String, Edge)> = rows.into_iter().filter_map(edge).collect();
        ask = edges.iter().map(|(_, edge)| edge.to.clone()).filter(|to| seen.insert(to.clone())).collect();
        for (pseudonym, edge) in edges {
            ground.replace(pseudonym, edge);
        }
    }
    let seen: Vec<String> = seen.into_iter().collect();
    let query = withdrawal::table
        .filter(withdrawal::study.eq(study))
        .filter(withdrawal::pseudonym.eq_any(&seen))
        .select((
            withdrawal::pseudonym,
            withdrawal::incarnation,
            withdrawal::sequence,
            withdrawal::scope,
            withdrawal::decided_on,
        ));
    let rows: Vec<(String, i64, i64, String, String)> =
        on_both!(either, connection => query.load(connection))?;
    for (pseudonym, incarnation, sequence, scope, decided_on) in rows {
        let decided_on: Day =
            decided_on.parse().map_err(|_day| StoreError::Document { what: "withdrawal" })?;
        let at = Position { incarnation, sequence };
        ground.withdraw(pseudonym, Tombstone { at, scope: Scope::of(&scope), decided_on });
    }
    Ok(ground)
}

/// These pseudonyms and all that lead to them.
pub(crate) fn leading_to(
    either: &mut Either,
    study: &str,
    ends: &BTreeSet<String>,
) -> Done<BTreeSet<String>> {
    let mut seen = ends.clone();
    let mut ask: Vec<String> = ends.iter().cloned().collect();
    for _step in 0..REPLACEMENTS_MAX {
        if ask.is_empty() {
            break;
        }
        let query = subject::table
            .filter(subject::study.eq(study))
            .filter(subject::superseded_by.eq_any(&ask))
            .select(subject::pseudonym);
        let rows: Vec<String> = on_both!(either, connection => query.load(connection))?;
        ask = rows.into_iter().filter(|pseudonym| seen.insert(pseudonym.clone())).collect();
    }
    Ok(seen)
}

type SentRow = (String, String, i64, i64, Option<String>);

/// Brings the rows that were sent under one pseudonym in line with what is known: who owns them,
/// and which of them a withdrawal covers. Covered rows are deleted, or emptied where they must
/// keep an older message from coming back. Returns how many records it removed.
pub(crate) fn settle(either: &mut Either, study: &str, pseudonym: &str, ground: &Ground) -> Done<usize> {
    let query = record::table.filter(record::study.eq(study)).filter(record::pseudonym.eq(pseudonym)).select(
        (record::record_pseudonym, record::owner, record::incarnation, record::sequence, record::decided_on),
    );
    let rows: Vec<SentRow> = query.load(either)?;
    let mut removed = 0;
    for (name, owner, incarnation, sequence, decided_on) in rows {
        let at = Position { incarnation, sequence };
        let row = record::table.find((study, pseudonym, &name));
        let verdict = judge(ground, pseudonym, at, decided_on.as_deref())?;
        match verdict {
            Verdict::Gone => {
                diesel::delete(row).execute(either)?;
                removed += usize::from(decided_on.is_some());
                continue;
            }
            Verdict::Emptied if decided_on.is_some() => {
                empty(either, study, pseudonym, &name)?;
                removed += 1;
            }
            _ => {}
        }
        let stands = ground.owner(pseudonym, at);
        if stands != owner {
            diesel::update(record::table.find((study, pseudonym, &name)))
                .set(record::owner.eq(stands))
                .execute(either)?;
        }
    }
    Ok(removed)
}

fn empty(either: &mut Either, study: &str, pseudonym: &str, name: &str) -> Done {
    diesel::update(record::table.find((study, pseudonym, name)))
        .set((
            record::fields.eq(None::<String>),
            record::missing.eq(None::<String>),
            record::provenance.eq(None::<String>),
            record::release.eq(None::<String>),
            record::decided_on.eq(None::<String>),
        ))
        .execute(either)?;
    Ok(())
}

fn judge(ground: &Ground, pseudonym: &str, at: Position, decided_on: Option<&str>) -> Done<Verdict> {
    // An emptied row has no consent; only its position can still be judged.
    let day = match decided_on {
        Some(text) => text.parse().map_err(|_day| StoreError::Document { what: "record" })?,
        None => Day::from(jiff::civil::Date::MAX),
    };
    Ok(ground.judge(pseudonym, at, day))
}
