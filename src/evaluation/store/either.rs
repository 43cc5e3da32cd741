//! A connection to either database.

use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub(crate) enum Either {
    /// SQLite.
    Sqlite(SqliteConnection),
    /// PostgreSQL.
    Postgres(PgConnection),
}

/// Runs the same query on whichever database it is, where diesel has no common form for it.
macro_rules! on_both {
    ($either:expr, $connection:ident => $query:expr) => {
        match $either {
            $crate::evaluation::store::Either::Sqlite($connection) => $query,
            $crate::evaluation::store::Either::Postgres($connection) => $query,
        }
    };
}
pub(crate) use on_both;
