//! What the operational zone can say about itself: plain data for the command line and the pages.
//! No value of anybody is in it.

use serde::Serialize;

use crate::gateway::hold::{HoldShown, THROWN_AWAY_NOTE};
use crate::gateway::receive::NO_NEWS;
use crate::gateway::{Gateway, GatewayError};
use crate::store::run::Run;
use crate::store::work::Step;
use crate::store::{delivery, finding, hold, quarantine, record, run, subject, work};

/// A run, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RunShown {
    /// Its id.
    pub id: String,
    /// The feed, as `council/cld`.
    pub feed: String,
    /// How far it is.
    pub state: String,
    /// When it began.
    pub started_at: String,
    /// When its last step ended.
    pub finished_at: Option<String>,
    /// Units by outcome.
    pub units: Units,
    /// Records by what became of them.
    pub records: Records,
    /// Findings by severity.
    pub findings: Severities,
    /// Subjects linked.
    pub linked: i64,
    /// People of whom something was laid ready.
    pub released: i64,
    /// Why there was this run, or why it failed.
    pub note: String,
}

/// Units of a run by outcome: received is their sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Units {
    /// All.
    pub received: i64,
    /// Wrong, or not readable.
    pub rejected: i64,
    /// Set aside for somebody to look at.
    pub quarantined: i64,
    /// The same again.
    pub duplicate: i64,
    /// Taken by no record, or of people out of scope.
    pub filtered: i64,
    /// A record is new or changed.
    pub accepted: i64,
    /// Known already.
    pub unchanged: i64,
}

/// Records of a run by what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Records {
    /// Seen for the first time.
    pub new: i64,
    /// With another version.
    pub changed: i64,
    /// No longer in the file.
    pub absent: i64,
}

/// Findings by severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Severities {
    /// The unit was refused or set aside.
    pub error: i64,
    /// Somebody should look.
    pub warning: i64,
    /// Worth knowing.
    pub note: i64,
}

/// A finding of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FindingShown {
    /// Which fault.
    pub code: String,
    /// How much it matters.
    pub severity: String,
    /// Where: sheet, line, column, path.
    pub place: String,
    /// What was expected.
    pub expected: String,
    /// What to do.
    pub hint: String,
}

/// How many findings of one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CountShown {
    /// Which fault.
    pub code: String,
    /// How much it matters.
    pub severity: String,
    /// How many.
    pub count: i64,
}

/// A run with its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RunDetail {
    /// The run.
    #[serde(flatten)]
    pub run: RunShown,
    /// How many findings of each code.
    pub counts: Vec<CountShown>,
    /// The first findings, whole.
    pub first: Vec<FindingShown>,
    /// Why its file is or was held, and what was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldShown>,
}

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Standing {
    /// The last run of each feed, by feed.
    pub feeds: Vec<RunShown>,
    /// Runs whose last step is not done.
    pub open_runs: usize,
    /// Units set aside and open.
    pub quarantined: i64,
    /// People as the sources know them: one of each source for each person.
    pub subjects: i64,
    /// People known to a programme, each once.
    pub known: i64,
    /// Subjects that wait to be linked.
    pub to_link: i64,
    /// People that wait to be laid ready.
    pub to_release: i64,
    /// Records by kind.
    pub records: Vec<(String, i64)>,
}

impl RunShown {
    /// True if the feed brought nothing that had not been taken before.
    #[must_use]
    pub fn is_no_news(&self) -> bool {
        self.units.received == 0 && self.note == NO_NEWS
    }

    /// True if its file was held, and somebody threw it away.
    #[must_use]
    pub fn is_thrown_away(&self) -> bool {
        self.note.starts_with(THROWN_AWAY_NOTE)
    }
}

impl From<&Run> for RunShown {
    fn from(run: &Run) -> Self {
        Self {
            id: run.id.clone(),
            feed: format!("{}/{}", run.source, run.feed),
            state: run.state.clone(),
            started_at: run.started_at.clone(),
            finished_at: run.finished_at.clone(),
            units: Units {
                received: run.received,
                rejected: run.rejected,
                quarantined: run.quarantined,
                duplicate: run.duplicate,
                filtered: run.filtered,
                accepted: run.accepted,
                unchanged: run.unchanged,
            },
            records: Records {
                new: run.records_new,
                changed: run.records_changed,
                absent: run.records_absent,
            },
            findings: Severities {
                error: run.findings_error,
                warning: run.findings_warning,
                note: run.findings_note,
            },
            linked: run.linked,
            released: run.released,
            note: run.note.clone(),
        }
    }
}

/// The last runs, newest first.
///
/// # Errors
/// Where the store fails.
pub fn list_runs(gateway: &Gateway, n_max: i64) -> Result<Vec<RunShown>, GatewayError> {
    let runs = gateway.store.read(|tx| run::list_last(tx, n_max))?;
    Ok(runs.iter().map(RunShown::from).collect())
}

/// The last runs of a source, or of all, newest first.
///
/// # Errors
/// Where the store fails.
pub fn list_runs_of(
    gateway: &Gateway,
    source: Option<&str>,
    n_max: i64,
) -> Result<Vec<RunShown>, GatewayError> {
    let runs = gateway.store.read(|tx| run::list_last_of(tx, source, n_max))?;
    Ok(runs.iter().map(RunShown::from).collect())
}

/// A run with its findings. A part of the id is enough where it is of one run only; without any,
/// the last run.
///
/// # Errors
/// Where there is no such run, or the store fails.
pub fn show_run(gateway: &Gateway, id: Option<&str>) -> Result<RunDetail, GatewayError> {
    gateway.store.read(|tx| {
        let found = run::find_like(tx, id.unwrap_or_default())?;
        let shown = found.ok_or_else(|| GatewayError::NoRun { id: id.unwrap_or("last").to_owned() })?;
        let counts = finding::list_counts(tx, &shown.id)?
            .into_iter()
            .map(|row| CountShown { code: row.code, severity: row.severity, count: row.count })
            .collect();
        let first = finding::list(tx, &shown.id)?
            .into_iter()
            .map(|row| FindingShown {
                place: place(row.sheet.as_deref(), row.line, row.column_name.as_deref(), row.path.as_deref()),
                code: row.code,
                severity: row.severity,
                expected: row.expected,
                hint: row.hint,
            })
            .collect();
        let hold = hold::find(tx, &shown.id)?.map(HoldShown::from);
        Ok(RunDetail { run: RunShown::from(&shown), counts, first, hold })
    })
}

/// What came in over HTTP and waits to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Waiting {
    /// How many requests.
    pub requests: i64,
    /// When the oldest of them arrived.
    pub oldest: Option<String>,
}

/// What came in over HTTP and waits to be read.
///
/// # Errors
/// Where the store fails.
pub fn waiting(gateway: &Gateway) -> Result<Waiting, GatewayError> {
    let (requests, oldest) = gateway.store.read(delivery::count_waiting)?;
    Ok(Waiting { requests, oldest })
}

/// How things stand.
///
/// # Errors
/// Where the store fails.
pub fn standing(gateway: &Gateway) -> Result<Standing, GatewayError> {
    gateway.store.read(|tx| {
        let (subjects, _) = subject::count(tx)?;
        Ok(Standing {
            feeds: run::list_last_of_feeds(tx)?.iter().map(RunShown::from).collect(),
            open_runs: run::list_open(tx)?.len(),
            quarantined: quarantine::count_open(tx)?,
            subjects,
            known: subject::count_known_people(tx)?,
            to_link: work::count(tx, Step::Link)?,
            to_release: work::count(tx, Step::Release)?,
            records: record::count_by_kind(tx)?,
        })
    })
}

pub(super) fn place(
    sheet: Option<&str>,
    line: Option<i64>,
    column: Option<&str>,
    path: Option<&str>,
) -> String {
    let mut parts = Vec::new();
    parts.extend(sheet.map(|sheet| format!("sheet `{sheet}`")));
    parts.extend(line.map(|line| format!("line {line}")));
    parts.extend(column.map(|column| format!("column `{column}`")));
    parts.extend(path.map(|path| format!("at {path}")));
    if parts.is_empty() { "the whole file".to_owned() } else { parts.join(", ") }
}
