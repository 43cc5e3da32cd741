//! Links between subjects, and doubts about them.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::base::limit::{FINDINGS_KEPT_MAX, ROWS_A_STATEMENT_MAX};
use crate::store::schema::{link_doubt, link_edge, subject};
use crate::store::{StoreError, Tx};

/// A link that was taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Queryable, Selectable, Insertable)]
#[diesel(table_name = link_edge, treat_none_as_default_value = false)]
pub struct EdgeRow {
    /// The lesser subject id.
    pub subject_a: String,
    /// The greater.
    pub subject_b: String,
    /// What it rests on.
    pub tier: String,
    /// When it was decided.
    pub decided_at: String,
}

/// A link that was not taken, and that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Queryable, Selectable, Insertable)]
#[diesel(table_name = link_doubt, treat_none_as_default_value = false)]
pub struct DoubtRow {
    /// The lesser subject id.
    pub subject_a: String,
    /// The greater; the same where too little is known of one.
    pub subject_b: String,
    /// Why.
    pub reason: String,
    /// When it was found.
    pub at: String,
}

/// Takes away every link and doubt of these subjects, then adds links and doubts.
///
/// # Errors
/// Where the database fails.
pub fn replace(
    tx: &mut Tx,
    subjects: &[String],
    edges: &[EdgeRow],
    doubts: &[DoubtRow],
) -> Result<(), StoreError> {
    for ids in subjects.chunks(ROWS_A_STATEMENT_MAX) {
        let edge = link_edge::subject_a.eq_any(ids).or(link_edge::subject_b.eq_any(ids));
        on_both!(tx, connection => diesel::delete(link_edge::table.filter(edge)).execute(connection))?;
        let doubt = link_doubt::subject_a.eq_any(ids).or(link_doubt::subject_b.eq_any(ids));
        on_both!(tx, connection => diesel::delete(link_doubt::table.filter(doubt)).execute(connection))?;
    }
    for rows in edges.chunks(ROWS_A_STATEMENT_MAX) {
        on_both!(tx, connection => diesel::insert_into(link_edge::table)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(connection))?;
    }
    for rows in doubts.chunks(ROWS_A_STATEMENT_MAX) {
        on_both!(tx, connection => diesel::insert_into(link_doubt::table)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(connection))?;
    }
    Ok(())
}

/// The links of these subjects.
///
/// # Errors
/// Where the database fails.
pub fn list_edges(tx: &mut Tx, subjects: &[String]) -> Result<Vec<EdgeRow>, StoreError> {
    let edge = link_edge::subject_a.eq_any(subjects).or(link_edge::subject_b.eq_any(subjects));
    Ok(link_edge::table
        .filter(edge)
        .order((link_edge::subject_a, link_edge::subject_b))
        .select(EdgeRow::as_select())
        .load(&mut tx.connection)?)
}

/// The doubts about these subjects.
///
/// # Errors
/// Where the database fails.
pub fn list_doubts(tx: &mut Tx, subjects: &[String]) -> Result<Vec<DoubtRow>, StoreError> {
    let mut found = Vec::new();
    for ids in subjects.chunks(ROWS_A_STATEMENT_MAX) {
        let doubt = link_doubt::subject_a.eq_any(ids).or(link_doubt::subject_b.eq_any(ids));
        found.extend(on_both!(tx, connection => link_doubt::table
            .filter(doubt)
            .select(DoubtRow::as_select())
            .load::<DoubtRow>(connection))?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Every doubt, up to the bound of findings kept.
///
/// # Errors
/// Where the database fails.
pub fn list_all_doubts(tx: &mut Tx) -> Result<Vec<DoubtRow>, StoreError> {
    Ok(link_doubt::table
        .order((link_doubt::subject_a, link_doubt::subject_b))
        .limit(i64::try_from(FINDINGS_KEPT_MAX).unwrap_or(i64::MAX))
        .select(DoubtRow::as_select())
        .load(&mut tx.connection)?)
}

/// How linkage stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Subjects that belong to a person.
    pub subjects: i64,
    /// Links by tier.
    pub edges: BTreeMap<String, i64>,
    /// Doubts by reason.
    pub doubts: BTreeMap<String, i64>,
}

/// How linkage stands.
///
/// # Errors
/// Where the database fails.
pub fn counts(tx: &mut Tx) -> Result<Counts, StoreError> {
    let edges: Vec<(String, i64)> = link_edge::table
        .group_by(link_edge::tier)
        .select((link_edge::tier, diesel::dsl::count_star()))
        .load(&mut tx.connection)?;
    let doubts: Vec<(String, i64)> = link_doubt::table
        .group_by(link_doubt::reason)
        .select((link_doubt::reason, diesel::dsl::count_star()))
        .load(&mut tx.connection)?;
    let subjects =
        subject::table.filter(subject::person_id.is_not_null()).count().get_result(&mut tx.connection)?;
    Ok(Counts { subjects, edges: edges.into_iter().collect(), doubts: doubts.into_iter().collect() })
}
