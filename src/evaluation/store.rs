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

use crate::base::address::{Address, AddressError};
use crate::disk::{self, Misplaced};
pub(crate) use either::{Either, on_both};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/evaluation/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/evaluation/postgres");

/// Names the lock under which PostgreSQL is written: "wlev" as a number.
const WRITER_LOCK: &str = "SELECT pg_advisory_xact_lock(2003592566)";

/// How long SQLite waits for another writer.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 20000";

/// A removed person must not be left in the file (`secure_delete`), and what was acknowledged to
/// the broker must outlast a power cut (`synchronous`).
const SQLITE_SETTINGS: &str = "PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON; \
    PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY";

const POSTGRES_SETTINGS: &str = "SET client_min_messages = warning; SET lock_timeout = '20s'";

/// The evaluation database.
pub struct Store {
    either: Either,
}

/// Why the store cannot be used. Never quotes a value.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that can be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The folder of a SQLite file cannot be used.
    #[error("no folder {} for the evaluation database; make it first, or name another", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// A SQLite file on another machine.
    #[error(
        "the evaluation database {} is on a network file system ({kind}), where SQLite loses data; keep it on a disk of this machine, or use PostgreSQL",
        file.display()
    )]
    NetworkFile {
        /// The file.
        file: PathBuf,
        /// The kind of file system.
        kind: String,
    },
    /// No connection.
    #[error("cannot open the evaluation database {database}: {reason}")]
    Connect {
        /// Which, without password.
        database: String,
        /// The driver's words, without password.
        reason: String,
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
            Self::Address(_)
            | Self::NoFolder { .. }
            | Self::NetworkFile { .. }
            | Self::Migration(_)
            | Self::Document { .. } => false,
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
    let host = std::env::var("PGHOST").ok();
    let address = Address::parse(url, host.as_deref())?;
    let refused = |error: diesel::ConnectionError| StoreError::Connect {
        database: address.to_string(),
        reason: address.without_secrets(error.to_string().trim()),
    };
    match &address {
        Address::Sqlite(file) => {
            let path = file.to_str().ok_or(AddressError::Form)?;
            disk::check(file).map_err(|misplaced| match misplaced {
                Misplaced::Folder { folder, .. } => StoreError::NoFolder { folder },
                Misplaced::Network { kind, .. } => StoreError::NetworkFile { file: file.clone(), kind },
            })?;
            disk::make_private(file);
            let mut connection = SqliteConnection::establish(path).map_err(refused)?;
            // First of all, so that the rest waits for its turn.
            connection.batch_execute(BUSY_TIMEOUT)?;
            connection.batch_execute(SQLITE_SETTINGS)?;
            Ok(Either::Sqlite(connection))
        }
        Address::Postgres(server) => {
            let mut connection = PgConnection::establish(server.url()).map_err(refused)?;
            connection.batch_execute(POSTGRES_SETTINGS)?;
            Ok(Either::Postgres(connection))
        }
    }
}
