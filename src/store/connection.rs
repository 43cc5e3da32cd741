//! One connection, to either backend, and how it is set up.

#![expect(missing_docs, reason = "the derive writes public items without documentation")]

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, MultiConnection, PgConnection, SqliteConnection};

use crate::base::address::Address;
use crate::disk;
use crate::store::error::StoreError;

/// A connection to either backend.
#[derive(MultiConnection)]
pub enum AnyConnection {
    /// To a SQLite file.
    Sqlite(SqliteConnection),
    /// To a PostgreSQL server.
    Postgres(PgConnection),
}

/// What every SQLite connection is set to. The wait comes first, so that the rest may wait.
///
/// `synchronous = FULL`: with the write-ahead log, `NORMAL` may lose the last commits when the
/// power fails. A finished run is promised to be kept, and one commit holds up to a thousand
/// units, so the price is small. `secure_delete`: a shredded key must not be left in the file.
/// `wal_autocheckpoint`: a page that several transactions change, as those of indexes of hashes
/// are, is moved from the log into the file once for all of them; the log grows to 32 MB.
/// `page_size` is that of a new file, and stays with it. Of pages four times the usual size a
/// transaction changes fewer, and each costs calls of its own to write, to move and to read: a
/// fourth of the time that a large file takes.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 20000;
    PRAGMA page_size = 16384;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 2000;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -65536;";

/// What every PostgreSQL connection is set to. Notices are left out, and no statement text goes
/// back in an error's detail.
///
/// `enable_seqscan`: whatever is asked of a large table is asked by key. Of a table that has grown
/// since the server last gathered figures about it (a first sync fills it within a minute), the server
/// thinks it small or its keys few, and reads the whole of it each time: more than half of what a
/// sync of 100,000 new rows cost it. Where there is no index it still does.
const POSTGRES_SETTINGS: &str = "SET client_min_messages = warning; SET lock_timeout = '20s'; \
    SET enable_seqscan = off";

/// Opens one.
pub(in crate::store) fn open(address: &Address) -> Result<AnyConnection, StoreError> {
    match address {
        Address::Sqlite(file) => {
            disk::check(file).map_err(|misplaced| StoreError::misplaced(file, &misplaced))?;
            disk::make_private(file);
            let path = file.to_str().ok_or(StoreError::PathNotText)?;
            let mut inner = SqliteConnection::establish(path)
                .map_err(|error| StoreError::unreachable(address, &error.to_string()))?;
            inner.batch_execute(SQLITE_SETTINGS).map_err(|error| StoreError::setting_up(address, error))?;
            Ok(AnyConnection::Sqlite(inner))
        }
        Address::Postgres(server) => {
            let mut inner = PgConnection::establish(server.url())
                .map_err(|error| StoreError::unreachable(address, &error.to_string()))?;
            inner.batch_execute(POSTGRES_SETTINGS).map_err(|error| StoreError::setting_up(address, error))?;
            Ok(AnyConnection::Postgres(inner))
        }
    }
}
