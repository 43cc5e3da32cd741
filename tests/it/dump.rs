//! Every value of a database, as text: for comparing two databases row for row, and for
//! searching one.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::{PgConnection, QueryableByName, SqliteConnection};

/// The rows of each table, each a JSON object of its values, sorted.
pub(crate) type Dump = BTreeMap<String, Vec<String>>;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Reads every table of the database at a URL (`sqlite:FILE` or `postgres://…`), but for the
/// migrations' own.
pub(crate) fn dump(url: &str) -> Dump {
    let mut rows = match url.strip_prefix("sqlite:") {
        Some(file) => dump_sqlite(file),
        None => dump_postgres(url),
    };
    rows.remove("__diesel_schema_migrations");
    for lines in rows.values_mut() {
        lines.sort();
    }
    rows
}

/// One number from a database, 0 where the database or the table is not there yet. Any other query
/// that fails is the test's own fault, and ends it.
pub(crate) fn number(url: &str, sql: &str) -> i64 {
    let sql = format!("SELECT CAST(({sql}) AS TEXT) AS line");
    let lines = match url.strip_prefix("sqlite:") {
        Some(file) if !std::path::Path::new(file).exists() => return 0,
        Some(file) => {
            let mut db = SqliteConnection::establish(file).unwrap();
            db.batch_execute("PRAGMA busy_timeout = 20000").unwrap();
            diesel::sql_query(&sql).load::<Line>(&mut db)
        }
        None => diesel::sql_query(&sql).load::<Line>(&mut PgConnection::establish(url).unwrap()),
    };
    match lines {
        Ok(lines) => lines.first().expect("one row").line.parse().expect("a number"),
        Err(error) if is_no_table(&error) => 0,
        Err(error) => panic!("{sql}: {error}"),
    }
}

/// True if a query failed because its table is not there yet, in either backend's words.
fn is_no_table(error: &diesel::result::Error) -> bool {
    let words = error.to_string();
    words.contains("no such table") || (words.contains("relation \"") && words.contains("does not exist"))
}

/// Changes a database past the program, as time or an administrator would.
pub(crate) fn change(url: &str, sql: &str) {
    match url.strip_prefix("sqlite:") {
        Some(file) => {
            let mut db = SqliteConnection::establish(file).unwrap();
            db.batch_execute(&format!("PRAGMA busy_timeout = 20000; {sql}")).unwrap();
        }
        None => PgConnection::establish(url).unwrap().batch_execute(sql).unwrap(),
    }
}

/// Looks at one database again and again over one connection, while others work in it.
pub(crate) struct Eye {
    url: String,
    connection: Option<Either>,
}

enum Either {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Eye {
    pub(crate) fn on(url: &str) -> Self {
        Self { url: url.to_owned(), connection: None }
    }

    /// One number, 0 where the query fails because the table is not there yet.
    pub(crate) fn number(&mut self, sql: &str) -> i64 {
        if self.connection.is_none() {
            self.connection = match self.url.strip_prefix("sqlite:") {
                // Looking must not make the file.
                Some(file) if !std::path::Path::new(file.trim_start_matches("//")).exists() => None,
                Some(file) => SqliteConnection::establish(file).ok().map(Either::Sqlite),
                None => PgConnection::establish(&self.url).ok().map(Either::Postgres),
            };
        }
        let query = diesel::sql_query(format!("SELECT CAST(({sql}) AS TEXT) AS line"));
        let lines: Vec<Line> = match &mut self.connection {
            None => return 0,
            Some(Either::Sqlite(db)) => query.load(db).unwrap_or_default(),
            Some(Either::Postgres(db)) => query.load(db).unwrap_or_default(),
        };
        lines.first().and_then(|line| line.line.parse().ok()).unwrap_or_default()
    }
}

fn dump_sqlite(file: &str) -> Dump {
    let mut db = SqliteConnection::establish(file).unwrap();
    db.batch_execute("PRAGMA busy_timeout = 20000").unwrap();
    let list = |db: &mut SqliteConnection, sql: String| -> Vec<String> {
        diesel::sql_query(sql).load::<Line>(db).unwrap().into_iter().map(|line| line.line).collect()
    };
    let tables = list(
        &mut db,
        "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'".into(),
    );
    tables
        .into_iter()
        .map(|table| {
            let columns = list(&mut db, format!("SELECT name AS line FROM pragma_table_info('{table}')"));
            let values: Vec<String> = columns
                .iter()
                .map(|column| {
                    format!(
                        "'{column}', CASE typeof(\"{column}\") WHEN 'blob' THEN hex(\"{column}\") ELSE \"{column}\" END"
                    )
                })
                .collect();
            let rows =
                list(&mut db, format!("SELECT json_object({}) AS line FROM \"{table}\"", values.join(", ")));
            (table, rows)
        })
        .collect()
}

fn dump_postgres(url: &str) -> Dump {
    let mut db = PgConnection::establish(url).unwrap();
    let list = |db: &mut PgConnection, sql: String| -> Vec<String> {
        diesel::sql_query(sql).load::<Line>(db).unwrap().into_iter().map(|line| line.line).collect()
    };
    let tables = list(
        &mut db,
        "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = current_schema()".into(),
    );
    tables
        .into_iter()
        .map(|table| {
            let rows = list(&mut db, format!("SELECT to_json(t)::text AS line FROM \"{table}\" t"));
            (table, rows)
        })
        .collect()
}
