//! The operational database: the only user of its tables.
//!
//! One set of queries runs over SQLite and PostgreSQL, chosen at run time by the URL:
//! `sqlite:FILE` or `postgres://user@host/name`. Where the two need different words, the query
//! matches on the backend with `on_both!`.
//!
//! Queries are free functions, one file a table, and take a [`Tx`]. A write takes the database's
//! write lock at once (`BEGIN IMMEDIATE`) on SQLite, and is serialisable on PostgreSQL, where one
//! that lost a race is begun again a bounded number of times: so a closure given to
//! [`Store::write`] may run more than once, and must not do what cannot be done twice.

/// The same expression over a connection of either backend.
macro_rules! on_both {
    ($tx:expr, $connection:ident => $query:expr) => {
        match &mut $tx.connection {
            $crate::store::connection::AnyConnection::Sqlite($connection) => $query,
            $crate::store::connection::AnyConnection::Postgres($connection) => $query,
        }
    };
}

/// Adds rows, none of which may be there: on SQLite by one prepared statement that is run for each
/// row, on PostgreSQL by one binary `COPY`. A statement of many rows has thousands of parameters,
/// and reading it costs either more than writing the rows.
macro_rules! insert_all {
    ($tx:expr, $table:expr, $rows:expr) => {{
        let rows = $rows;
        match &mut $tx.connection {
            $crate::store::connection::AnyConnection::Sqlite(connection) => {
                for row in rows {
                    diesel::insert_into($table).values(row).execute(connection)?;
                }
            }
            $crate::store::connection::AnyConnection::Postgres(connection) => {
                if !rows.is_empty() {
                    diesel::copy_from($table).from_insertable(rows).execute(connection)?;
                }
            }
        }
    }};
}

pub mod alert;
pub mod alert_end;
pub mod api_key;
pub mod audit;
pub mod batch;
pub mod connection;
pub mod delivery;
pub mod dispatch;
pub mod error;
pub mod finding;
pub mod hold;
pub mod inbox;
pub mod intent;
pub mod keys;
pub mod lease;
pub mod link;
pub mod live_mapping;
pub mod mapping_version;
pub mod meta;
pub mod objection;
pub mod person;
pub mod quarantine;
pub mod record;
pub mod record_key;
pub mod release;
pub mod requested;
pub mod restriction;
pub mod run;
pub mod saying;
pub mod schema;
pub mod seen_file;
pub mod sent;
pub mod shadow;
pub mod slot;
pub mod standing;
pub mod subject;
pub mod told;
pub mod unit_outcome;
pub mod version;
pub mod work;

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::base::address::Address;
use crate::base::limit::{CONNECTIONS_KEPT_MAX, STORE_TRIES_MAX};
use crate::disk;
use crate::store::connection::AnyConnection;
pub use crate::store::error::StoreError;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/operational/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/operational/postgres");

/// A database that is open. Cheap to copy; the copies share connections.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    address: Address,
    /// For SQLite, whose waiting writers ask again and again, at random, until one finds it free.
    gate: Gate,
    idle: Mutex<Idle>,
}

/// Connections for the next user. What a SQLite connection holds in memory is worth nothing once
/// another has written, so writers go on with the connection that wrote last, and readers keep
/// away from it.
#[derive(Default)]
struct Idle {
    reading: Vec<AnyConnection>,
    writing: Vec<AnyConnection>,
}

impl Idle {
    fn of(&mut self, mode: Mode) -> &mut Vec<AnyConnection> {
        match mode {
            Mode::Read => &mut self.reading,
            Mode::Write => &mut self.writing,
        }
    }
}

/// A transaction. Queries take it; it opens to nothing else.
pub struct Tx {
    pub(in crate::store) connection: AnyConnection,
}

/// How a database stands to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrated {
    /// Nothing of ours in it.
    Empty,
    /// As this program needs it.
    Current,
    /// Made by an older version: migrations wait.
    Older,
    /// Made by a newer version.
    Newer,
}

impl Store {
    /// Opens a database; a SQLite file that is not there is made.
    ///
    /// # Errors
    /// Where the URL is wrong or refused, or the database cannot be reached.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let address = address(url)?;
        let store =
            Self { shared: Arc::new(Shared { address, gate: Gate::default(), idle: Mutex::default() }) };
        let connection = store.connect(Mode::Read)?;
        store.give_back(connection, Mode::Read);
        Ok(store)
    }

    /// Opens a database that is there and as this program needs it.
    ///
    /// # Errors
    /// As [`open`](Self::open), and where there is none, or it is of another version.
    pub fn open_existing(url: &str) -> Result<Self, StoreError> {
        let address = address(url)?;
        if let Address::Sqlite(file) = &address {
            disk::check(file).map_err(|misplaced| StoreError::misplaced(file, &misplaced))?;
            if !file.is_file() {
                return Err(StoreError::NotThere { database: address.to_string() });
            }
        }
        let store = Self::open(url)?;
        match store.migrated()? {
            Migrated::Current => Ok(store),
            Migrated::Empty => Err(StoreError::NotThere { database: store.shown() }),
            Migrated::Older => Err(StoreError::Older { database: store.shown() }),
            Migrated::Newer => Err(StoreError::Newer { database: store.shown() }),
        }
    }

    /// Opens a database for work: makes it where there is none, and refuses one of another
    /// version.
    ///
    /// # Errors
    /// As [`open_existing`](Self::open_existing), but for a database that is empty.
    pub fn open_or_create(url: &str) -> Result<Self, StoreError> {
        let store = Self::open(url)?;
        match store.migrated()? {
            Migrated::Current => Ok(store),
            Migrated::Empty => store.migrate().map(|()| store),
            Migrated::Older => Err(StoreError::Older { database: store.shown() }),
            Migrated::Newer => Err(StoreError::Newer { database: store.shown() }),
        }
    }

    /// The database's name for messages, without any password.
    #[must_use]
    pub fn shown(&self) -> String {
        self.shared.address.to_string()
    }

    /// How the database stands to this program.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn migrated(&self) -> Result<Migrated, StoreError> {
        let mut connection = self.connect(Mode::Read)?;
        let state = match &mut connection {
            AnyConnection::Sqlite(inner) => migration_state::<diesel::sqlite::Sqlite, _, _>(inner, &SQLITE),
            AnyConnection::Postgres(inner) => migration_state::<diesel::pg::Pg, _, _>(inner, &POSTGRES),
        }?;
        self.give_back(connection, Mode::Read);
        Ok(state)
    }

    /// Runs the migrations that wait. Does nothing to a database that is as it should be.
    ///
    /// # Errors
    /// Where a migration fails; nothing of it is then kept.
    pub fn migrate(&self) -> Result<(), StoreError> {
        let mut connection = self.connect(Mode::Write)?;
        if let AnyConnection::Sqlite(inner) = &mut connection {
            // Changing the journal fails while others write, so it is done once, here. It stays
            // with the file.
            inner.batch_execute("PRAGMA journal_mode = WAL").map_err(StoreError::from)?;
        }
        let run = match &mut connection {
            AnyConnection::Sqlite(inner) => inner.run_pending_migrations(SQLITE).map(|_versions| ()),
            AnyConnection::Postgres(inner) => inner.run_pending_migrations(POSTGRES).map(|_versions| ()),
        };
        run.map_err(|error| StoreError::Migration { database: self.shown(), reason: error.to_string() })?;
        self.give_back(connection, Mode::Write);
        Ok(())
    }

    /// Runs one write transaction: all of it, or nothing.
    ///
    /// On PostgreSQL it may run again where another transaction came in between.
    ///
    /// # Errors
    /// What the closure returns, or why the database failed.
    pub fn write<T, E: From<StoreError>>(
        &self,
        mut work: impl FnMut(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut tries = 0;
        loop {
            tries += 1;
            let _turn = match &self.shared.address {
                Address::Sqlite(_) => Some(self.shared.gate.enter()),
                Address::Postgres(_) => None,
            };
            let mut tx = Tx { connection: self.connect(Mode::Write)? };
            begin(&mut tx.connection, Mode::Write)?;
            let ended = match work(&mut tx) {
                Ok(value) => match commit(&mut tx.connection) {
                    Ok(()) => {
                        self.give_back(tx.connection, Mode::Write);
                        return Ok(value);
                    }
                    Err(error) => (error.retryable(), E::from(error)),
                },
                Err(error) => (is_aborted(&mut tx.connection), error),
            };
            rollback(&mut tx.connection);
            self.give_back(tx.connection, Mode::Write);
            let (is_lost_race, error) = ended;
            if !is_lost_race || tries >= STORE_TRIES_MAX {
                return Err(error);
            }
            tracing::debug!(tries, "a transaction is begun again");
        }
    }

    /// Reads in one transaction, so that what is read fits together.
    ///
    /// # Errors
    /// What the closure returns, or why the database failed.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Tx) -> Result<T, E>) -> Result<T, E> {
        let mut tx = Tx { connection: self.connect(Mode::Read)? };
        begin(&mut tx.connection, Mode::Read)?;
        let result = work(&mut tx);
        rollback(&mut tx.connection);
        self.give_back(tx.connection, Mode::Read);
        result
    }

    fn connect(&self, mode: Mode) -> Result<AnyConnection, StoreError> {
        let idle = self.shared.idle.lock().map(|mut idle| idle.of(mode).pop()).unwrap_or_default();
        match idle {
            Some(connection) => Ok(connection),
            None => connection::open(&self.shared.address),
        }
    }

    fn give_back(&self, mut connection: AnyConnection, mode: Mode) {
        if <AnyConnection as TransactionManager<AnyConnection>>::is_broken_transaction_manager(
            &mut connection,
        ) {
            return;
        }
        if let Ok(mut idle) = self.shared.idle.lock()
            && idle.of(mode).len() < CONNECTIONS_KEPT_MAX
        {
            idle.of(mode).push(connection);
        }
    }
}

/// Lets the writers of this process in one after another, in the order in which they came.
#[derive(Default)]
struct Gate {
    turns: Mutex<Turns>,
    next: Condvar,
}

#[derive(Default)]
struct Turns {
    given: u64,
    served: u64,
}

/// A writer's turn, until it is dropped.
struct Turn<'g>(&'g Gate);

impl Gate {
    fn enter(&self) -> Turn<'_> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = turns.given;
        turns.given += 1;
        while turns.served != mine {
            turns = self.next.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.turns.lock().unwrap_or_else(PoisonError::into_inner).served += 1;
        self.0.next.notify_all();
    }
}

#[derive(Clone, Copy)]
enum Mode {
    Read,
    Write,
}

fn address(url: &str) -> Result<Address, StoreError> {
    let host = std::env::var("PGHOST").ok();
    Ok(Address::parse(url, host.as_deref())?)
}

fn begin(connection: &mut AnyConnection, mode: Mode) -> Result<(), StoreError> {
    match (connection, mode) {
        (AnyConnection::Sqlite(inner), Mode::Write) => {
            AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE")
        }
        (AnyConnection::Sqlite(inner), Mode::Read) => {
            AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN")
        }
        (AnyConnection::Postgres(inner), Mode::Write) => {
            AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN ISOLATION LEVEL SERIALIZABLE")
        }
        (AnyConnection::Postgres(inner), Mode::Read) => AnsiTransactionManager::begin_transaction_sql(
            inner,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ),
    }
    .map_err(StoreError::from)
}

fn commit(connection: &mut AnyConnection) -> Result<(), StoreError> {
    <AnyConnection as TransactionManager<AnyConnection>>::commit_transaction(connection)
        .map_err(StoreError::from)
}

fn rollback(connection: &mut AnyConnection) {
    // A connection whose transaction cannot be rolled back is not given back.
    let _rolled_back = <AnyConnection as TransactionManager<AnyConnection>>::rollback_transaction(connection);
}

/// True where PostgreSQL gave the transaction up, because another came in between. (Nothing else
/// in this program makes a statement fail inside a transaction that it then goes on with.)
fn is_aborted(connection: &mut AnyConnection) -> bool {
    match connection {
        AnyConnection::Sqlite(_) => false,
        AnyConnection::Postgres(inner) => inner.batch_execute("SELECT 1").is_err(),
    }
}

fn migration_state<DB, C, S>(connection: &mut C, source: &S) -> Result<Migrated, StoreError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    S: diesel::migration::MigrationSource<DB>,
{
    let unreadable =
        |error: Box<dyn std::error::Error + Send + Sync>| StoreError::from_text(&error.to_string());
    let known = source.migrations().map_err(unreadable)?;
    let applied = connection.applied_migrations().map_err(unreadable)?;
    if applied.is_empty() {
        return Ok(Migrated::Empty);
    }
    let is_known = |version: &diesel::migration::MigrationVersion<'_>| {
        known.iter().any(|migration| migration.name().version() == *version)
    };
    if !applied.iter().all(is_known) {
        return Ok(Migrated::Newer);
    }
    Ok(if applied.len() < known.len() { Migrated::Older } else { Migrated::Current })
}
