//! Files that are held: why, and what somebody decides of each. They are let through or thrown away,
//! and either is in the audit.

use serde::Serialize;

use crate::gateway::feed::Feed;
use crate::gateway::{Gateway, GatewayError, receive};
use crate::store::hold::{self, HoldRow};
use crate::store::run::{self, Run, State};
use crate::store::{StoreError, Tx, audit, batch};

/// Why a file is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Too much of it cannot be read, or would be set aside.
    Failed,
    /// Too much of what the last file held is not in it.
    Vanished,
}

impl Reason {
    /// The word stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Vanished => "vanished",
        }
    }
}

const LET_THROUGH: &str = "let-through";
const THROWN_AWAY: &str = "thrown-away";

/// What the note of a run begins with whose file was thrown away.
pub(super) const THROWN_AWAY_NOTE: &str = "thrown away";

/// A file that is or was held, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct HoldShown {
    /// The run.
    pub run: String,
    /// failed or vanished.
    pub reason: String,
    /// So many …
    pub part: i64,
    /// … of so many.
    pub whole: i64,
    /// let-through or thrown-away; none while nobody has decided.
    pub decided: Option<String>,
    /// By whom.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<String>,
    /// What to do, while nobody has decided.
    pub to_do: Option<String>,
}

impl From<HoldRow> for HoldShown {
    fn from(row: HoldRow) -> Self {
        let to_do = row.decided.is_none().then(|| to_do(&row.run_id));
        let HoldRow { run_id: run, reason, part, whole, decided, decided_by, decided_at, .. } = row;
        Self { run, reason, part, whole, decided, decided_by, decided_at, to_do }
    }
}

/// Why a file is held, in words.
#[must_use]
pub fn why(row: &HoldRow) -> String {
    let HoldRow { part, whole, share_max, .. } = row;
    let allowed = percent(*share_max);
    if row.reason == Reason::Vanished.as_str() {
        return format!(
            "held: {part} of the {whole} records of the last file are not in it, more than the {allowed} allowed"
        );
    }
    format!("held: {part} of its {whole} units cannot be read, more than the {allowed} allowed")
}

/// What to do about it.
#[must_use]
pub fn to_do(run_id: &str) -> String {
    let short = run_id.get(run_id.len().saturating_sub(8)..).unwrap_or(run_id);
    format!(
        "`wayleave run show {short}` says what is wrong with it; if it is right as it is, `wayleave run let-through {short}`; if not, `wayleave run throw-away {short}` and ask for a better file"
    )
}

fn percent(thousandths: i64) -> String {
    match (thousandths / 10, thousandths % 10) {
        (whole, 0) => format!("{whole}%"),
        (whole, tenth) => format!("{whole}.{tenth}%"),
    }
}

/// True if somebody let this file through.
pub(super) fn is_let_through(tx: &mut Tx, batch_id: &str) -> Result<bool, StoreError> {
    hold::is_let_through(tx, batch_id, LET_THROUGH)
}

/// The run of that id, or of which it is a part, if it is held and nobody has decided.
fn find_held(tx: &mut Tx, id: &str) -> Result<(Run, HoldRow), GatewayError> {
    let not_held = || GatewayError::NotHeld { id: id.to_owned() };
    let found = run::find_like(tx, id)?.ok_or_else(|| GatewayError::NoRun { id: id.to_owned() })?;
    let row = hold::find(tx, &found.id)?.filter(|row| row.decided.is_none()).ok_or_else(not_held)?;
    Ok((found, row))
}

/// The feed of a run that is held.
///
/// # Errors
/// Where there is no such run, it is not held, or the store fails.
pub fn feed_of(gateway: &Gateway, id: &str) -> Result<String, GatewayError> {
    let (held, _row) = gateway.store.read(|tx| find_held(tx, id))?;
    Ok(format!("{}/{}", held.source, held.feed))
}

/// Lets a held file through: a new run over it is begun, which the next sync of its feed takes to its
/// end. That it was let through, and by whom, is in the audit.
///
/// # Errors
/// Where there is no such run, it is not held, or the store fails.
pub fn let_through(gateway: &Gateway, feed: &Feed, id: &str) -> Result<Run, GatewayError> {
    gateway.store.write(|tx| {
        let (held, row) = find_held(tx, id)?;
        decide(tx, gateway, &row, LET_THROUGH)?;
        let note = format!("let through by {}", gateway.actor);
        let again = receive::new_run(tx, gateway, feed, &held.batch_id, &note)?;
        run::create(tx, &again)?;
        Ok(again)
    })
}

/// Throws a held file away: what was kept of it is deleted, and the same file again is no news. That it
/// was thrown away, and by whom, is in the audit.
///
/// # Errors
/// Where there is no such run, it is not held, or the store fails.
pub fn throw_away(gateway: &Gateway, id: &str) -> Result<Run, GatewayError> {
    gateway.store.write(|tx| {
        let (held, row) = find_held(tx, id)?;
        decide(tx, gateway, &row, THROWN_AWAY)?;
        batch::shred(tx, &held.batch_id)?;
        let thrown = Run {
            state: State::Failed.as_str().to_owned(),
            note: format!("{THROWN_AWAY_NOTE} by {}; it was {}", gateway.actor, why(&row)),
            ..held
        };
        run::save(tx, &thrown)?;
        Ok(thrown)
    })
}

fn decide(tx: &mut Tx, gateway: &Gateway, row: &HoldRow, decided: &str) -> Result<(), GatewayError> {
    let now = gateway.edge.now();
    hold::decide(tx, &row.run_id, decided, &gateway.actor, &now.to_string())?;
    audit::append_act(tx, &gateway.actor, decided, &row.reason, &row.run_id, row.part, now)?;
    Ok(())
}
