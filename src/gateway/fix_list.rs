//! What the sender of a file is to put right: in their own column names and row numbers, with what
//! was expected and how it is put right in Excel. A list without a value of anybody; and, for the
//! sender alone, their own rows with the cells marked.

use serde::Serialize;

use crate::base::finding::Code;
use crate::base::limit::{FINDINGS_KEPT_MAX, LATER_FILES_MAX, MARKED_ROWS_MAX};
use crate::base::origin::Origin;
use crate::base::private::{FixList as Purpose, Grant};
use crate::format::reader::open;
use crate::format::writer::marked::{Mark, MarkedBook};
use crate::format::{Place, Refused};
use crate::gateway::api_key::ApiKey;
use crate::gateway::feed::Feed;
use crate::gateway::kept::{self, DiskSpool, KeptFile};
use crate::gateway::{Gateway, GatewayError, live_mapping, restricted};
use crate::store::delivery::{self, Delivery, Shape};
use crate::store::finding::{self, RunFinding};
use crate::store::run::{self, Run};
use crate::store::{Tx, audit, batch};

/// The fix list of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FixListShown {
    /// The receipt of the file.
    pub receipt: String,
    /// The feed, as `housing/tracker`.
    pub feed: String,
    /// When the file arrived.
    pub received_at: String,
    /// `waiting`, `processed` or `refused` (as a whole).
    pub state: String,
    /// The receipt of the last file of the feed that came later and was read: it closes each item that
    /// is no longer wrong in it.
    pub closed_by: Option<String>,
    /// Items that are still open.
    pub open: usize,
    /// Rows in the file.
    pub rows: i64,
    /// Rows that were taken or were known.
    pub rows_taken: i64,
    /// What is to be put right.
    pub items: Vec<Fix>,
    /// How many more there are than are listed.
    pub more: i64,
}

/// One thing to put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fix {
    /// The sheet.
    pub sheet: Option<String>,
    /// The row, as Excel numbers it; the line of a text file.
    pub row: Option<i64>,
    /// The sender's own column name.
    pub column: Option<String>,
    /// `error`: the row was not taken; `warning`: somebody should look.
    pub severity: String,
    /// Which fault.
    pub code: String,
    /// What was expected.
    pub expected: String,
    /// How it is put right in Excel.
    pub to_do: String,
    /// True once a later file no longer has it.
    pub is_closed: bool,
}

struct Filed {
    kept: Delivery,
    run: Option<Run>,
    findings: Vec<RunFinding>,
    counted: i64,
    later: Option<Later>,
}

/// A file that came later, and what is wrong in it.
struct Later {
    receipt: String,
    findings: Vec<RunFinding>,
    /// Whether those are all.
    is_whole: bool,
}

/// The fix list of a file that was uploaded; none where there is no such receipt of a file.
///
/// # Errors
/// Where the store fails.
pub fn find(gateway: &Gateway, receipt: &str) -> Result<Option<FixListShown>, GatewayError> {
    let Some(filed) = read(gateway, receipt)? else { return Ok(None) };
    let Filed { kept, run, findings, counted, later } = filed;
    let to_do: Vec<RunFinding> = findings.into_iter().filter(is_to_do).collect();
    let closed = closed(&to_do, later.as_ref());
    let items: Vec<Fix> =
        to_do.into_iter().zip(closed).map(|(finding, is_closed)| Fix { is_closed, ..fix(finding) }).collect();
    let state = match run.as_ref().map(|run| run.state.as_str()) {
        None | Some("receiving" | "processing") => "waiting",
        Some("failed") => "refused",
        Some(_) => "processed",
    };
    Ok(Some(FixListShown {
        feed: format!("{}/{}", kept.source, kept.feed),
        receipt: kept.id,
        received_at: kept.received_at,
        state: state.to_owned(),
        closed_by: later.map(|later| later.receipt),
        open: items.iter().filter(|item| !item.is_closed).count(),
        rows: run.as_ref().map_or(0, |run| run.received),
        rows_taken: run.as_ref().map_or(0, |run| run.accepted + run.unchanged),
        more: (counted - i64::try_from(items.len()).unwrap_or(i64::MAX)).max(0),
        items,
    }))
}

fn read(gateway: &Gateway, receipt: &str) -> Result<Option<Filed>, GatewayError> {
    gateway.store.read(|tx| {
        let kept = delivery::find(tx, receipt)?.filter(|kept| kept.shape == Shape::File.as_str());
        let Some(kept) = kept else { return Ok(None) };
        let batch_id = kept.batch_id.clone().unwrap_or_default();
        let run = run::find_first_of_batch(tx, &batch_id)?;
        let (findings, counts) = match &run {
            Some(run) => (finding::list(tx, &run.id)?, finding::list_counts(tx, &run.id)?),
            None => (Vec::new(), Vec::new()),
        };
        let counted = counts.iter().filter(|row| row.severity != "note").map(|row| row.count).sum();
        let later = later(tx, &kept)?;
        Ok(Some(Filed { kept, run, findings, counted, later }))
    })
}

/// The last file of the feed that came after this one and was read.
fn later(tx: &mut Tx, kept: &Delivery) -> Result<Option<Later>, GatewayError> {
    for newer in delivery::list_files_after(tx, kept, LATER_FILES_MAX)? {
        let run = run::find_first_of_batch(tx, newer.batch_id.as_deref().unwrap_or_default())?;
        let is_read = |run: &Run| !["receiving", "processing", "failed"].contains(&run.state.as_str());
        let Some(run) = run.filter(is_read) else { continue };
        let findings: Vec<RunFinding> = finding::list(tx, &run.id)?;
        let is_whole = findings.len() < FINDINGS_KEPT_MAX;
        let findings = findings.into_iter().filter(is_to_do).collect();
        return Ok(Some(Later { receipt: newer.id, findings, is_whole }));
    }
    Ok(None)
}

/// Which of the items a later file no longer has. The same fault is known again by what its row is
/// about, wherever that stands now; where that cannot be told, by its place.
fn closed(items: &[RunFinding], later: Option<&Later>) -> Vec<bool> {
    let Some(later) = later else { return vec![false; items.len()] };
    if !later.is_whole {
        // What is not among the first thousand may be among the rest.
        return vec![false; items.len()];
    }
    let mut left: Vec<&RunFinding> = later.findings.iter().collect();
    let same = |item: &RunFinding, other: &RunFinding| {
        let is_alike =
            (&item.code, &item.column_name, &item.sheet) == (&other.code, &other.column_name, &other.sheet);
        let is_about_it = match (&item.about, &other.about) {
            (Some(about), Some(other)) => about == other,
            _ => item.line == other.line,
        };
        is_alike && is_about_it
    };
    items
        .iter()
        .map(|item| match left.iter().position(|other| same(item, other)) {
            Some(at) => {
                left.swap_remove(at);
                false
            }
            None => true,
        })
        .collect()
}

fn is_to_do(row: &RunFinding) -> bool {
    row.severity != "note"
}

fn fix(row: RunFinding) -> Fix {
    let to_do = Code::find(&row.code).and_then(in_excel).map_or(row.hint, str::to_owned);
    Fix {
        sheet: row.sheet,
        row: row.line,
        column: row.column_name,
        severity: row.severity,
        code: row.code,
        expected: row.expected,
        to_do,
        is_closed: false,
    }
}

/// How a fault is put right in Excel, where that takes more than typing the right value.
fn in_excel(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::MapDate | Code::MapDatePartial => {
            "type the whole date, as 31/03/2024; if it stands at the left of its cell, Excel holds it as text: Data, Text to Columns, Finish makes a date of it"
        }
        Code::MapNumberForText => {
            "choose Home, Number Format, Text for the column, then type the value again, noughts in front included"
        }
        Code::MapNhsCheckDigit | Code::MapNhsShape | Code::MapNhsImplausible => {
            "look the number up and type it again; choose Home, Number Format, Text for the column first, so that Excel does not round it"
        }
        Code::MapUnknownCode => {
            "choose one of the values that the list of the cell offers (Data, Data Validation); mind blanks at the end"
        }
        Code::MapBlank | Code::MapSubjectMissing | Code::MapKeyMissing | Code::SchemaRequired => {
            "fill the cell; where the row is not meant to be there, delete the whole row (right click, Delete, Entire row)"
        }
        Code::XlsxCellError => "mend the formula, or copy the column and Paste Special, Values",
        Code::RecordConflict => {
            "two rows speak of the same thing: keep the right one and delete the other; Home, Conditional Formatting, Duplicate Values finds them"
        }
        Code::MapColumnMissing | Code::HeaderMissing => {
            "give the column its name back, spelt exactly so, in the row of column names"
        }
        _ => return None,
    })
}

/// Whether a key may see a file itself: whoever sent it may. Of a source that knows restricted people
/// nobody else may but a key that may see what is of those, and that is on record.
///
/// # Errors
/// Where the store fails.
pub fn may_see_file(gateway: &Gateway, receipt: &str, key: &ApiKey) -> Result<bool, GatewayError> {
    let kept = gateway.store.read(|tx| delivery::find(tx, receipt))?;
    let Some(kept) = kept else { return Ok(false) };
    if kept.credential == format!("key/{}", key.id) || !restricted::is_any_of(gateway, &kept.source)? {
        return Ok(true);
    }
    if key.sees_restricted {
        restricted::note_seen(gateway, &key.id, receipt, 0)?;
    }
    Ok(key.sees_restricted)
}

/// The sender's own file as a workbook with the cells marked that are wrong. For the sender alone:
/// it holds what they sent. None where there is no such receipt, or the file is no longer kept.
///
/// # Errors
/// Where the store fails, or the file cannot be read back.
pub fn marked(gateway: &Gateway, feed: &Feed, receipt: &str) -> Result<Option<Vec<u8>>, GatewayError> {
    let Some(filed) = read(gateway, receipt)? else { return Ok(None) };
    let Some(batch_id) = filed.kept.batch_id.clone() else { return Ok(None) };
    let batch = gateway.store.read(|tx| batch::find(tx, &batch_id))?;
    if batch.wrapped_key.is_none() {
        return Ok(None);
    }
    let feed = live_mapping::one(gateway, feed)?;
    let key = kept::data_key(gateway, &batch)?;
    let file = KeptFile::new(&gateway.store, &key, &batch);
    let grant = Grant::<Purpose>::begin(&gateway.actor);
    let written = mark(file, &feed, &filed.findings);
    let mut opened = grant.close();
    opened.opened = written.as_ref().map_or(0, |(_, rows)| *rows);
    gateway.store.write(|tx| audit::append(tx, &opened, "fix list", receipt, gateway.edge.now()))?;
    Ok(Some(written?.0))
}

fn mark(file: KeptFile, feed: &Feed, findings: &[RunFinding]) -> Result<(Vec<u8>, u64), GatewayError> {
    let origin = Origin::default();
    let mut reader = match open(Box::new(file), &feed.mapping.settings, &origin, &DiskSpool) {
        Ok(reader) => reader,
        Err(Refused::Machine(error)) => return Err(error.into()),
        // A file that cannot be read has no rows to mark.
        Err(Refused::File(_)) => return Ok((MarkedBook::new(&[])?.end()?, 0)),
    };
    let mut book = MarkedBook::new(reader.headers())?;
    let mut rows = 0;
    while let Some(arrival) = reader.next()? {
        if rows >= MARKED_ROWS_MAX {
            break;
        }
        rows += 1;
        if let Ok(unit) = &arrival.unit {
            book.put(&arrival.place, unit, &marks(&arrival.place, findings))?;
        }
    }
    Ok((book.end()?, rows))
}

fn marks(place: &Place, findings: &[RunFinding]) -> Vec<Mark> {
    let line = i64::try_from(place.line).ok();
    let here = findings
        .iter()
        .filter(|row| is_to_do(row) && row.line == line && row.sheet.as_deref() == place.sheet.as_deref());
    here.map(|row| {
        let fix = fix(row.clone());
        Mark { column: fix.column, text: format!("{}. To do: {}", fix.expected, fix.to_do) }
    })
    .collect()
}
