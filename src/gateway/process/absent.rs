//! What a full file no longer holds: absent since that file, never ended by us.

use std::collections::BTreeSet;

use crate::base::finding::{Code, Finding};
use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::base::origin::Origin;
use crate::base::seal::KeyedHash;
use crate::gateway::GatewayError;
use crate::gateway::process::Work;
use crate::gateway::process::ledger::Tally;
use crate::gateway::process::seen::Seen;
use crate::mapping::Snapshot;
use crate::store::run::Run;
use crate::store::work::{self, Step};
use crate::store::{Tx, batch, quarantine, record, record_key, subject};

/// Below this many, half a feed may well go in a night.
const SHRUNK_RECORDS_MIN: i64 = 20;

/// Marks what is no longer there. Records of somebody about whom a unit could not be read stay as
/// they are: the unit may be theirs.
pub(super) fn mark(
    tx: &mut Tx,
    work: &Work<'_>,
    seen: &Seen,
    run: &mut Run,
    tally: &mut Tally,
) -> Result<(), GatewayError> {
    let feed = work.feed;
    if feed.mapping.snapshot != Snapshot::Full || !seen.is_whole || run.received == 0 {
        return Ok(());
    }
    let last = batch::find_last(tx, &feed.source, &feed.name)?;
    if last.is_some_and(|last| last.id != work.batch.id) {
        // An earlier file that is read again says nothing about what is there now.
        return Ok(());
    }
    let at = work.gateway.edge.now().to_string();
    quarantine::close_older(tx, (&feed.source, &feed.name), &work.batch.id, &run.id, &at)?;
    let (present, missing) = missing(tx, work, seen)?;
    let absent = certain(tx, seen, missing)?;
    let ids: Vec<String> = absent.iter().map(|(id, _)| id.clone()).collect();
    record::mark_absent(tx, &ids, &work.batch.id, &run.id)?;
    let touched: BTreeSet<String> = absent.into_iter().filter_map(|(_, subject)| subject).collect();
    let touched: Vec<String> = touched.into_iter().collect();
    work::push(tx, Step::Link, &touched, &run.id, &work.gateway.edge.now().to_string())?;
    run.records_absent = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    warn(seen, run, present, tally);
    Ok(())
}

fn warn(seen: &Seen, run: &Run, present: i64, tally: &mut Tally) {
    let absent = run.records_absent;
    if present >= SHRUNK_RECORDS_MIN && absent * 2 > present {
        let expected =
            format!("expected most of the {present} records of the last file, and {absent} are not there");
        tally.add(Finding::new(Code::SnapshotShrunk, Origin::default(), expected));
    }
    if absent > 0 && seen.nameless > 0 {
        let expected = format!(
            "{absent} records are no longer in the file; some may be among the {} rows of which it cannot be told whom they are about",
            seen.nameless
        );
        tally.add(Finding::new(Code::SnapshotDoubt, Origin::default(), expected));
    }
}

/// A record's id and whose it is.
pub(super) type Missing = Vec<(String, Option<String>)>;

/// How many records were there, and those of them that the file does not hold.
pub(super) fn missing(tx: &mut Tx, work: &Work<'_>, seen: &Seen) -> Result<(i64, Missing), GatewayError> {
    let page = i64::try_from(ROWS_A_STATEMENT_MAX).unwrap_or(i64::MAX);
    let (mut present, mut missing, mut after) = (0, Vec::new(), String::new());
    loop {
        let rows = record::list_present(tx, &work.feed.source, &work.feed.name, &after, page)?;
        let Some((last, ..)) = rows.last() else { return Ok((present, missing)) };
        after.clone_from(last);
        let mut page = Missing::new();
        for (id, key, subject) in rows {
            present += 1;
            if KeyedHash::from_slice(&key).is_some_and(|key| !seen.holds(key)) {
                page.push((id, subject));
            }
        }
        missing.extend(not_told_otherwise(tx, work, seen, page)?);
    }
}

/// Those that the file does not hold under another key either, where other feeds tell them too.
fn not_told_otherwise(
    tx: &mut Tx,
    work: &Work<'_>,
    seen: &Seen,
    missing: Missing,
) -> Result<Missing, GatewayError> {
    if work.feed.mapping.blocks.iter().all(|block| block.same_as.is_none()) {
        return Ok(missing);
    }
    let ids: Vec<String> = missing.iter().map(|(id, _)| id.clone()).collect();
    let held: BTreeSet<String> = record_key::list(tx, &ids)?
        .into_iter()
        .filter(|row| KeyedHash::from_slice(&row.key_hash).is_some_and(|key| seen.holds(key)))
        .map(|row| row.record_id)
        .collect();
    Ok(missing.into_iter().filter(|(id, _)| !held.contains(id)).collect())
}

/// Those that are missing for certain.
pub(super) fn certain(tx: &mut Tx, seen: &Seen, missing: Missing) -> Result<Missing, GatewayError> {
    let people: BTreeSet<String> = missing.iter().filter_map(|(_, subject)| subject.clone()).collect();
    let people: Vec<String> = people.into_iter().collect();
    let in_doubt: BTreeSet<String> = subject::find(tx, &people)?
        .into_iter()
        .filter(|row| KeyedHash::from_slice(&row.key_hash).is_some_and(|key| seen.is_in_doubt(&key)))
        .map(|row| row.id)
        .collect();
    let is_certain = |(_, subject): &(String, Option<String>)| {
        subject.as_ref().is_none_or(|subject| !in_doubt.contains(subject))
    };
    Ok(missing.into_iter().filter(is_certain).collect())
}
