//! Runs: one file through the four steps, and its ledger.

use diesel::dsl::exists;
use diesel::prelude::*;

use crate::store::schema::{batch, run};
use crate::store::{StoreError, Tx};

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The file is being kept.
    Receiving,
    /// Its units are being made into records.
    Processing,
    /// Its people are being linked.
    Linking,
    /// What may go out is being laid ready.
    Releasing,
    /// Its last step is done.
    Finished,
    /// The file as a whole was refused.
    Failed,
    /// The file is held until somebody decides; nothing of it was taken.
    Held,
}

impl State {
    /// The word stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Processing => "processing",
            Self::Linking => "linking",
            Self::Releasing => "releasing",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Held => "held",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        let all = [
            Self::Receiving,
            Self::Processing,
            Self::Linking,
            Self::Releasing,
            Self::Finished,
            Self::Failed,
            Self::Held,
        ];
        all.into_iter().find(|state| state.as_str() == word)
    }

    /// True where there is nothing left to do.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Held)
    }
}

/// A run and its ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = run, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// What it reads.
    pub batch_id: String,
    /// The source.
    pub source: String,
    /// The feed of the source.
    pub feed: String,
    /// The mapping that reads it.
    pub mapping_hash: Vec<u8>,
    /// How far it is; see [`State`].
    pub state: String,
    /// When it began.
    pub started_at: String,
    /// When its last step ended.
    pub finished_at: Option<String>,
    /// Units committed: where it goes on after an interruption.
    pub position: i64,
    /// Units received.
    pub received: i64,
    /// Units that could not be read or are wrong.
    pub rejected: i64,
    /// Units set aside for somebody to look at.
    pub quarantined: i64,
    /// The same unit again.
    pub duplicate: i64,
    /// Units that no record takes, or that are of people out of scope.
    pub filtered: i64,
    /// Units by which a record is new or changed.
    pub accepted: i64,
    /// Units that say what was known.
    pub unchanged: i64,
    /// Records seen for the first time.
    pub records_new: i64,
    /// Records that got another version.
    pub records_changed: i64,
    /// Records no longer in a full file.
    pub records_absent: i64,
    /// Findings worth knowing.
    pub findings_note: i64,
    /// Findings somebody should look at.
    pub findings_warning: i64,
    /// Findings by which a unit was refused.
    pub findings_error: i64,
    /// Subjects linked.
    pub linked: i64,
    /// People whose release was laid ready.
    pub released: i64,
    /// How often more people had become known when it began.
    pub known_mark: i64,
    /// Why there was this run, or why it failed.
    pub note: String,
}

impl Run {
    /// True if it reads units again which were set aside, and those alone.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.note.starts_with(REPLAY)
    }

    /// Units that have an outcome.
    #[must_use]
    pub const fn accounted(&self) -> i64 {
        self.rejected + self.quarantined + self.duplicate + self.filtered + self.accepted + self.unchanged
    }
}

/// How the note of a run begins that reads units again which were set aside, and those alone. It
/// says nothing of the rest of its batch.
pub const REPLAY: &str = "replay";

/// Writes down a new run.
///
/// # Errors
/// Where the database fails.
pub fn create(tx: &mut Tx, new: &Run) -> Result<(), StoreError> {
    diesel::insert_into(run::table).values(new).execute(&mut tx.connection)?;
    Ok(())
}

/// Writes down how far a run is. The ledger must never run ahead of, or behind, the units that
/// are committed with it.
///
/// # Errors
/// Where received is not the sum of the outcomes, or the database fails.
pub fn save(tx: &mut Tx, changed: &Run) -> Result<(), StoreError> {
    if changed.received != changed.accounted() || changed.received != changed.position {
        return Err(unbalanced(changed));
    }
    // The last two steps count by themselves, and perhaps in another process.
    let (linked, released) =
        run::table.find(&changed.id).select((run::linked, run::released)).first(&mut tx.connection)?;
    let changed = Run { linked, released, ..changed.clone() };
    let rows = diesel::update(run::table.find(&changed.id)).set(&changed).execute(&mut tx.connection)?;
    if rows == 1 { Ok(()) } else { Err(StoreError::NoRow) }
}

/// Ends a run. One that does not balance stays open.
///
/// # Errors
/// Where it does not balance, is not there, or the database fails.
pub fn finish(tx: &mut Tx, id: &str, at: &str) -> Result<Run, StoreError> {
    let mut ended = find(tx, id)?;
    State::Finished.as_str().clone_into(&mut ended.state);
    ended.finished_at = Some(at.to_owned());
    save(tx, &ended)?;
    Ok(ended)
}

fn unbalanced(run: &Run) -> StoreError {
    StoreError::Unbalanced { run: run.id.clone(), received: run.received, accounted: run.accounted() }
}

/// The run of that id.
///
/// # Errors
/// Where there is none, or the database fails.
pub fn find(tx: &mut Tx, id: &str) -> Result<Run, StoreError> {
    Ok(run::table.find(id).select(Run::as_select()).first(&mut tx.connection)?)
}

/// The states of runs of whose file nothing was taken.
const NOTHING_TAKEN: [&str; 2] = [State::Failed.as_str(), State::Held.as_str()];

/// Runs whose last step is not done, oldest first.
///
/// # Errors
/// Where the database fails.
pub fn list_open(tx: &mut Tx) -> Result<Vec<Run>, StoreError> {
    let ended = [State::Finished.as_str(), State::Failed.as_str(), State::Held.as_str()];
    Ok(run::table
        .filter(run::state.ne_all(ended))
        .order(run::id)
        .select(Run::as_select())
        .load(&mut tx.connection)?)
}

/// The runs that replay units and have not ended their second step, oldest first.
///
/// # Errors
/// Where the database fails.
pub fn list_open_replays(tx: &mut Tx) -> Result<Vec<Run>, StoreError> {
    Ok(run::table
        .filter(run::state.eq(State::Processing.as_str()).and(run::note.like(format!("{REPLAY}%"))))
        .order(run::id)
        .select(Run::as_select())
        .load(&mut tx.connection)?)
}

/// The last runs, newest first.
///
/// # Errors
/// Where the database fails.
pub fn list_last(tx: &mut Tx, n_max: i64) -> Result<Vec<Run>, StoreError> {
    Ok(run::table.order(run::id.desc()).limit(n_max).select(Run::as_select()).load(&mut tx.connection)?)
}

/// The last runs of a source, or of all, newest first.
///
/// # Errors
/// Where the database fails.
pub fn list_last_of(tx: &mut Tx, source: Option<&str>, n_max: i64) -> Result<Vec<Run>, StoreError> {
    let mut asked = run::table.order(run::id.desc()).limit(n_max).into_boxed();
    if let Some(source) = source {
        asked = asked.filter(run::source.eq(source.to_owned()));
    }
    Ok(asked.select(Run::as_select()).load(&mut tx.connection)?)
}

/// The last run of a feed that was not refused or held.
///
/// # Errors
/// Where the database fails.
pub fn find_last(tx: &mut Tx, source: &str, feed: &str) -> Result<Option<Run>, StoreError> {
    let last = run::table
        .filter(run::source.eq(source).and(run::feed.eq(feed)).and(run::state.ne_all(NOTHING_TAKEN)))
        .order(run::id.desc())
        .select(Run::as_select())
        .first(&mut tx.connection)
        .optional()?;
    Ok(last)
}

/// The first run of a batch: what was made of it when it came.
///
/// # Errors
/// Where the database fails.
pub fn find_first_of_batch(tx: &mut Tx, batch_id: &str) -> Result<Option<Run>, StoreError> {
    let first = run::table.filter(run::batch_id.eq(batch_id)).order(run::id).select(Run::as_select());
    Ok(first.first(&mut tx.connection).optional()?)
}

/// The last run of a batch that read it, refused it or held it.
///
/// # Errors
/// Where the database fails.
pub fn find_last_of_batch(tx: &mut Tx, batch_id: &str) -> Result<Option<Run>, StoreError> {
    let last = run::table
        .filter(run::batch_id.eq(batch_id))
        .filter(run::received.gt(0).or(run::state.eq_any(NOTHING_TAKEN)))
        .filter(run::note.not_like(format!("{REPLAY}%")))
        .order(run::id.desc())
        .select(Run::as_select())
        .first(&mut tx.connection)
        .optional()?;
    Ok(last)
}

/// When the last file of a feed arrived of which something was taken, or is being taken.
///
/// # Errors
/// Where the database fails.
pub fn find_last_news(tx: &mut Tx, source: &str, feed: &str) -> Result<Option<String>, StoreError> {
    let taken = run::table.filter(run::batch_id.eq(batch::id)).filter(run::state.ne_all(NOTHING_TAKEN));
    Ok(batch::table
        .filter(batch::source.eq(source).and(batch::feed.eq(feed)))
        .filter(exists(taken))
        .select(diesel::dsl::max(batch::received_at))
        .first(&mut tx.connection)?)
}

/// Counts what the last two steps did for a run.
///
/// # Errors
/// Where the database fails.
pub fn count_steps(tx: &mut Tx, id: &str, linked: i64, released: i64) -> Result<(), StoreError> {
    diesel::update(run::table.find(id))
        .set((run::linked.eq(run::linked + linked), run::released.eq(run::released + released)))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// The last run whose id holds this text; every id holds the empty one.
///
/// # Errors
/// Where the database fails.
pub fn find_like(tx: &mut Tx, text: &str) -> Result<Option<Run>, StoreError> {
    let part: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    if part != text {
        return Ok(None);
    }
    // An underscore stands for any one character here, which no harm comes of.
    Ok(run::table
        .filter(run::id.like(format!("%{part}")))
        .order(run::id.desc())
        .select(Run::as_select())
        .first(&mut tx.connection)
        .optional()?)
}

/// The last run of each feed that took what arrived, by source and feed. Reading a kept file again
/// is not counted.
///
/// # Errors
/// Where the database fails.
pub fn list_last_of_feeds(tx: &mut Tx) -> Result<Vec<Run>, StoreError> {
    let last: Vec<Option<String>> = run::table
        .filter(run::note.not_like("read again%").and(run::note.not_like(format!("{REPLAY}%"))))
        .group_by((run::source, run::feed))
        .select(diesel::dsl::max(run::id))
        .load(&mut tx.connection)?;
    let ids: Vec<String> = last.into_iter().flatten().collect();
    Ok(run::table
        .filter(run::id.eq_any(ids))
        .order((run::source, run::feed))
        .select(Run::as_select())
        .load(&mut tx.connection)?)
}
