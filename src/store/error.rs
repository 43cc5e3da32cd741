//! Why the database failed. Says which, what is wrong and what to do; never a password, never a
//! value.

use std::path::{Path, PathBuf};

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::base::address::{Address, AddressError};
use crate::base::seal::SealError;
use crate::disk::Misplaced;

/// Why the database failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that can be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A path that cannot be handed to the driver.
    #[error("the database's path is not readable text")]
    PathNotText,
    /// The folder of a SQLite file is not there.
    #[error("no folder for the database {}; make the folder first", file.display())]
    NoFolder {
        /// The file.
        file: PathBuf,
    },
    /// A SQLite file on another machine.
    #[error("the database {} is on a network file system, where SQLite loses data; keep it on a disk of this machine, or use PostgreSQL", file.display())]
    NetworkFile {
        /// The file.
        file: PathBuf,
    },
    /// No database there.
    #[error("no database at {database}; `wayleave sync` makes it")]
    NotThere {
        /// Which, without password.
        database: String,
    },
    /// Made by an older version.
    #[error(
        "the database {database} was made by an older version; back it up, then run `wayleave check --migrate`"
    )]
    Older {
        /// Which, without password.
        database: String,
    },
    /// Made by a newer version.
    #[error(
        "the database {database} was made by a newer version of wayleave; run that version, or restore a backup"
    )]
    Newer {
        /// Which, without password.
        database: String,
    },
    /// The server or file cannot be reached.
    #[error("cannot open the database {database}: {reason}")]
    Unreachable {
        /// Which, without password.
        database: String,
        /// The driver's words, without password.
        reason: String,
    },
    /// A migration failed.
    #[error("cannot prepare the database {database}: {reason}")]
    Migration {
        /// Which, without password.
        database: String,
        /// The driver's words.
        reason: String,
    },
    /// A file that is no database.
    #[error("the file is not a SQLite database, or it is damaged; restore it from a backup")]
    NotADatabase,
    /// Another process holds the write lock, and would not let go.
    #[error("the database is locked by another process; wait until its run ends, then try again")]
    Locked,
    /// No room.
    #[error(
        "the disk of the database is full; make room, then run the same command again: it goes on where it stopped"
    )]
    Full,
    /// The file or server may not be written.
    #[error(
        "the database may not be written by this user; check the owner and mode of the file and its folder"
    )]
    ReadOnly,
    /// The disk failed.
    #[error("the disk of the database cannot be read or written; check the disk, and whether it is full")]
    Disk,
    /// Another transaction came in between.
    #[error("another process changed the same records at the same time; try again")]
    Conflict,
    /// The connection was lost.
    #[error(
        "the connection to the database was lost; run the same command again: it goes on where it stopped"
    )]
    Lost,
    /// Two of what there may be one of.
    #[error("the database holds that already")]
    Twice,
    /// A row that was expected is not there.
    #[error("the database holds no such row")]
    NoRow,
    /// Something stored does not read back.
    #[error("a stored {what} cannot be read; it was written by another version, or altered")]
    Unreadable {
        /// What.
        what: &'static str,
    },
    /// A run whose ledger does not balance.
    #[error("run {run} received {received} units and accounts for {accounted}; it stays open")]
    Unbalanced {
        /// Which.
        run: String,
        /// Units received.
        received: i64,
        /// Units with an outcome.
        accounted: i64,
    },
    /// A seal that does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Anything else. The driver's words are not shown, because they may quote a value.
    #[error("the database refused a statement ({kind})")]
    Other {
        /// The driver's kind of fault.
        kind: &'static str,
    },
}

impl StoreError {
    /// A SQLite file that may not stand where it is to stand.
    pub(in crate::store) fn misplaced(file: &Path, misplaced: &Misplaced) -> Self {
        let file = file.to_owned();
        match misplaced {
            Misplaced::Folder { .. } => Self::NoFolder { file },
            Misplaced::Network { .. } => Self::NetworkFile { file },
        }
    }

    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Locked | Self::Conflict | Self::Lost => true,
            Self::Address(_)
            | Self::PathNotText
            | Self::NoFolder { .. }
            | Self::NetworkFile { .. }
            | Self::NotThere { .. }
            | Self::Older { .. }
            | Self::Newer { .. }
            | Self::Migration { .. }
            | Self::NotADatabase
            | Self::Full
            | Self::ReadOnly
            | Self::Disk
            | Self::Twice
            | Self::NoRow
            | Self::Unreadable { .. }
            | Self::Unbalanced { .. }
            | Self::Seal(_)
            | Self::Other { .. } => false,
        }
    }

    /// A database that could not be opened.
    pub(in crate::store) fn unreachable(address: &Address, reason: &str) -> Self {
        let reason = address.without_secrets(reason.trim());
        Self::Unreachable { database: address.to_string(), reason }
    }

    /// A connection that could not be set up, though it opened.
    pub(in crate::store) fn setting_up(address: &Address, error: DieselError) -> Self {
        match Self::from(error) {
            Self::Other { kind } => Self::unreachable(address, kind),
            Self::NotADatabase => Self::unreachable(address, &Self::NotADatabase.to_string()),
            known => known,
        }
    }

    /// What SQLite's own words mean (the result codes of sqlite.org/rescode.html in English).
    pub(in crate::store) fn from_text(message: &str) -> Self {
        let has = |part: &str| message.contains(part);
        match () {
            () if has("database or disk is full") || has("No space left on device") => Self::Full,
            () if has("database is locked") || has("database table is locked") || has("lock timeout") => {
                Self::Locked
            }
            () if has("readonly database") || has("permission denied") => Self::ReadOnly,
            () if has("not a database") || has("disk image is malformed") => Self::NotADatabase,
            () if has("disk I/O error")
                || has("could not extend file")
                || has("unable to open database file") =>
            {
                Self::Disk
            }
            () if has("could not serialize") || has("deadlock detected") => Self::Conflict,
            () if has("server closed the connection")
                || has("no connection to the server")
                || has("terminating connection") =>
            {
                Self::Lost
            }
            () => Self::Other { kind: "unknown" },
        }
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NoRow,
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Twice,
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::Conflict,
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _)
            | DieselError::BrokenTransactionManager => Self::Lost,
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => {
                Self::Other { kind: "a row it belongs to is not there" }
            }
            DieselError::DatabaseError(DatabaseErrorKind::NotNullViolation, _) => {
                Self::Other { kind: "a value is missing" }
            }
            DieselError::DatabaseError(_, information) => Self::from_text(information.message()),
            DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            DieselError::DeserializationError(_) => Self::Unreadable { what: "row" },
            _ => Self::Other { kind: "driver" },
        }
    }
}
