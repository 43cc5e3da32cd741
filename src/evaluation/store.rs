//! The evaluation database: SQLite or PostgreSQL, chosen at run time by URL.
//!
//! Every change goes through one writer at a time: `BEGIN IMMEDIATE` in SQLite, a lock in
//! PostgreSQL. Without it one collector could put back a record that another has just removed
//! for a withdrawal.

pub mod inbound;
pub mod row;
pub mod settle;
pub mod standing;

mod either;
mod table;

use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

pub(crate) use either::{Either, on_both};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/evaluation/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/evaluation/postgres");

/// Names the lock under which PostgreSQL is written: "wlev" as a number.
const WRITER_LOCK: &str = "SELECT pg_advisory_xact_lock(2003592566)";

/// How long SQLite waits for another writer.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 20000";

/// The evaluation database.
pub struct Store {
    either: Either,
}

/// Why the store cannot be used. Never quotes a value.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that is supported.
    #[error("expected the evaluation database as `sqlite:FILE` or `postgres://user@host/name`")]
    Url,
    /// PostgreSQL on another machine, in a build without TLS.
    #[error("this build reaches PostgreSQL only on this machine: build with `--features system-pq` for TLS")]
    NotLocal,
    /// No connection.
    #[error("cannot open the evaluation database {place}")]
    Connect {
        /// The file, or `PostgreSQL`.
        place: String,
        /// Why.
        source: diesel::ConnectionError,
    },
    /// The tables could not be made.
    #[error("cannot bring the evaluation database to this version: {0}")]
    Migration(String),
    /// A query failed.
    #[error("the evaluation database refused a query: {reason}")]
    Query {
        /// What kind of failure, with the table or constraint where known.
        reason: String,
        /// Whether trying again could help.
        is_passing: bool,
    },
    /// A stored document cannot be read back.
    #[error("a stored {what} cannot be read back; restore the evaluation database from its backup")]
    Document {
        /// Which.
        what: &'static str,
    },
}

impl StoreError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Connect { .. } => true,
            Self::Query { is_passing, .. } => *is_passing,
            Self::Url | Self::NotLocal | Self::Migration(_) | Self::Document { .. } => false,
        }
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, information) = &error else {
            let (reason, is_passing) = match error {
                DieselError::NotFound => ("no such row", false),
                DieselError::SerializationError(_) | DieselError::DeserializationError(_) => {
                    ("a value has another type", false)
                }
                _ => ("the transaction broke", true),
            };
            return Self::Query { reason: reason.to_owned(), is_passing };
        };
        let (what, is_passing) = match kind {
            DatabaseErrorKind::UniqueViolation => ("a row is there already", false),
            DatabaseErrorKind::NotNullViolation => ("a value is missing", false),
            DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::CheckViolation => {
                ("a row breaks a rule", false)
            }
            DatabaseErrorKind::ReadOnlyTransaction => ("it is read-only", false),
            DatabaseErrorKind::SerializationFailure => ("another writer was first", true),
            DatabaseErrorKind::ClosedConnection => ("the connection is closed", true),
            _ => match information.message() {
                locked if locked.contains("locked") => ("another writer holds it", true),
                full if full.contains("full") => ("the disk is full", true),
                _ => ("it could not be run", false),
            },
        };
        let place = information.constraint_name().or_else(|| information.table_name());
        let reason = place.map_or_else(|| what.to_owned(), |place| format!("{what} ({place})"));
        Self::Query { reason, is_passing }
    }
}

impl Store {
    /// Opens the database, and brings its tables to this version.
    ///
    /// # Errors
    /// Where it cannot be reached or brought to this version.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let mut store = Self { either: connect(url)? };
        store.migrate()?;
        Ok(store)
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        let failed =
            |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Migration(error.to_string());
        match &mut self.either {
            Either::Sqlite(connection) => {
                if !connection.has_pending_migration(SQLITE).map_err(failed)? {
                    return Ok(());
                }
                // Only here: the switch itself fails while another connection is busy.
                connection.batch_execute("PRAGMA journal_mode = WAL")?;
                connection.immediate_transaction(|inner| {
                    inner.run_pending_migrations(SQLITE).map(drop).map_err(failed)
                })
            }
            Either::Postgres(connection) => connection.transaction(|inner| {
                inner.batch_execute(WRITER_LOCK)?;
                inner.run_pending_migrations(POSTGRES).map(drop).map_err(failed)
            }),
        }
    }

    /// Changes the store, alone, all or nothing.
    pub(crate) fn write<T, E: From<DieselError>>(
        &mut self,
        work: impl FnOnce(&mut Either) -> Result<T, E>,
    ) -> Result<T, E> {
        let lock = match self.either {
            Either::Sqlite(_) => None,
            Either::Postgres(_) => Some(WRITER_LOCK),
        };
        alone(&mut self.either, |either| {
            if let Some(lock) = lock {
                either.batch_execute(lock)?;
            }
            work(either)
        })
    }

    /// Reads from the store, all as of one moment.
    pub(crate) fn read<T, E: From<DieselError>>(
        &mut self,
        work: impl FnOnce(&mut Either) -> Result<T, E>,
    ) -> Result<T, E> {
        self.either.transaction(|either| {
            if let Either::Postgres(connection) = either {
                connection.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            }
            work(either)
        })
    }

    /// Clears what the database still keeps of removed rows outside its tables: SQLite's log, or
    /// PostgreSQL's dead rows. Called after a withdrawal has been committed.
    pub(crate) fn scrub(&mut self) -> Result<(), StoreError> {
        match &mut self.either {
            // Another reader may keep the log alive; the next withdrawal or close clears it.
            Either::Sqlite(connection) => connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?,
            Either::Postgres(connection) => connection.batch_execute("VACUUM record")?,
        }
        Ok(())
    }
}

fn alone<T, E: From<DieselError>>(
    either: &mut Either,
    work: impl FnOnce(&mut Either) -> Result<T, E>,
) -> Result<T, E> {
    use diesel::connection::{AnsiTransactionManager, TransactionManager};
    match either {
        Either::Sqlite(connection) => {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")?;
        }
        Either::Postgres(connection) => AnsiTransactionManager::begin_transaction(connection)?,
    }
    let done = work(either);
    match done {
        Ok(value) => {
            on_both!(either, connection => AnsiTransactionManager::commit_transaction(connection))?;
            Ok(value)
        }
        Err(error) => {
            // The first error says why; one while rolling back says less.
            let _rolled_back =
                on_both!(either, connection => AnsiTransactionManager::rollback_transaction(connection));
            Err(error)
        }
    }
}

fn connect(url: &str) -> Result<Either, StoreError> {
    if let Some(file) = url.strip_prefix("sqlite:") {
        let file = file.strip_prefix("//").unwrap_or(file);
        let path = PathBuf::from(file);
        let refused = |source| StoreError::Connect { place: path.display().to_string(), source };
        let mut connection = SqliteConnection::establish(file).map_err(refused)?;
        connection.batch_execute(BUSY_TIMEOUT)?;
        connection.batch_execute(
            "PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; \
             PRAGMA temp_store = MEMORY",
        )?;
        return Ok(Either::Sqlite(connection));
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(StoreError::Url);
    }
    if cfg!(not(feature = "system-pq")) && !is_local(url) {
        return Err(StoreError::NotLocal);
    }
    // The source would show the URL's parts; the server's reason is what is left.
    let refused = |source| StoreError::Connect { place: "in PostgreSQL".to_owned(), source };
    PgConnection::establish(url).map(Either::Postgres).map_err(refused)
}

fn is_local(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = authority.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let named = query.split('&').filter_map(|pair| pair.strip_prefix("host=")).all(is_local_host);
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    named && is_local_host(host)
}

fn is_local_host(host: &str) -> bool {
    let is_socket = host.is_empty() || host.starts_with('/') || host.to_lowercase().starts_with("%2f");
    is_socket || host == "localhost" || host == "::1" || host.starts_with("127.")
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_this_machine_is_local() {
        for url in [
            "postgres:///name",
            "postgres://user@localhost/name",
            "postgres://user:word@127.0.0.1:5432/name",
            "postgres://user@[::1]:5432/name",
            "postgres://%2Ftmp%2Fpg/name",
            "postgres:///name?host=/tmp/pg&user=u",
        ] {
            assert!(is_local(url), "{url}");
        }
        for url in ["postgres://user@db.example/name", "postgres:///name?host=db.example"] {
            assert!(!is_local(url), "{url}");
        }
    }
}
