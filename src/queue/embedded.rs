//! The embedded queue: one SQLite file, opened by several processes at once.
//!
//! Every write is `BEGIN IMMEDIATE`, so that two claimers never hold the same message. A message
//! is removed, and its bytes overwritten, once it is acknowledged.

mod table;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::base::edge::{Edge, Instant};
use crate::base::limit::{DELIVERIES_MAX, QUEUE_BUSY_WAIT_MS, QUEUE_CREATE_TRIES_MAX};
use crate::disk::{self, Misplaced};
use crate::queue::error::Cause;
use crate::queue::{Counts, DeadLetter, Delivery, Outcome, Outgoing, QueueError, Token};
use table::{message, queue};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/queue/sqlite");

pub(super) struct Embedded {
    file: PathBuf,
    edge: Edge,
    lease_s: i64,
    connection: Mutex<SqliteConnection>,
}

impl Embedded {
    pub(super) fn open(path: &str, lease_s: i64, edge: &Edge) -> Result<Self, QueueError> {
        let file = file_of(path)?;
        disk::make_private(&file);
        let connection = connect(&file).map_err(|source| QueueError::Open { file: file.clone(), source })?;
        Ok(Self { file, edge: edge.clone(), lease_s, connection: Mutex::new(connection) })
    }

    /// Whether the file can lie where it is to lie. Nothing is made.
    pub(super) fn knock(path: &str) -> Result<(), QueueError> {
        file_of(path).map(drop)
    }

    pub(super) fn declare(&self, name: &str) -> Result<(), QueueError> {
        self.write(|connection| {
            diesel::insert_or_ignore_into(queue::table)
                .values(queue::name.eq(name))
                .execute(connection)
                .map(|_rows| ())
        })
    }

    pub(super) fn send(&self, messages: &[Outgoing<'_>]) -> Result<Vec<Outcome>, QueueError> {
        self.write(|connection| messages.iter().map(|message| send_one(connection, message)).collect())
    }

    pub(super) fn claim(&self, name: &str, count_max: usize) -> Result<Vec<Delivery>, QueueError> {
        let now = self.edge.now();
        let count_max = i64::try_from(count_max).unwrap_or(i64::MAX);
        self.write(|connection| {
            bury_expired(connection, name, now)?;
            let heads = list_heads(connection, name, now, count_max)?;
            heads.into_iter().map(|head| claim_one(connection, head, now.plus_s(self.lease_s))).collect()
        })
    }

    pub(super) fn acknowledge(&self, deliveries: &[Delivery]) -> Result<usize, QueueError> {
        self.write(|connection| {
            let mut count = 0;
            for (position, fence) in claims(deliveries) {
                count += diesel::delete(message::table.find(position))
                    .filter(message::fence.eq(fence))
                    .filter(message::is_dead.eq(false))
                    .execute(connection)?;
            }
            Ok(count)
        })
    }

    pub(super) fn give_back(&self, deliveries: &[Delivery]) -> Result<usize, QueueError> {
        self.write(|connection| {
            let mut count = 0;
            for (position, fence) in claims(deliveries) {
                count += diesel::update(message::table.find(position))
                    .filter(message::fence.eq(fence))
                    .filter(message::is_dead.eq(false))
                    .set((
                        message::claimed_until.eq(None::<i64>),
                        message::is_dead.eq(message::deliveries.ge(deliveries_max())),
                    ))
                    .execute(connection)?;
            }
            Ok(count)
        })
    }

    pub(super) fn counts(&self, name: &str) -> Result<Counts, QueueError> {
        self.read(|connection| {
            let count = |connection: &mut SqliteConnection, is_dead: bool| {
                message::table
                    .filter(message::queue.eq(name))
                    .filter(message::is_dead.eq(is_dead))
                    .count()
                    .get_result::<i64>(connection)
                    .map(i64::unsigned_abs)
            };
            Ok(Counts { waiting: count(connection, false)?, dead: count(connection, true)? })
        })
    }

    pub(super) fn list_dead(&self, name: &str, count_max: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let dead: Vec<(String, String, Vec<u8>)> = self.read(|connection| {
            message::table
                .filter(message::queue.eq(name))
                .filter(message::is_dead.eq(true))
                .order(message::position)
                .limit(i64::try_from(count_max).unwrap_or(i64::MAX))
                .select((message::message_id, message::subject, message::body))
                .load(connection)
        })?;
        Ok(dead
            .into_iter()
            .map(|(message_id, subject, body)| DeadLetter { message_id, subject, bytes: body.len() })
            .collect())
    }

    pub(super) fn revive(&self, name: &str) -> Result<u64, QueueError> {
        self.write(|connection| {
            diesel::update(message::table)
                .filter(message::queue.eq(name))
                .filter(message::is_dead.eq(true))
                .set((
                    message::is_dead.eq(false),
                    message::deliveries.eq(0),
                    message::claimed_until.eq(None::<i64>),
                ))
                .execute(connection)
                .map(|rows| u64::try_from(rows).unwrap_or(u64::MAX))
        })
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, DieselError>,
    ) -> Result<T, QueueError> {
        self.lock()?.immediate_transaction(work).map_err(|source| self.failed(source))
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, DieselError>,
    ) -> Result<T, QueueError> {
        self.lock()?.transaction(work).map_err(|source| self.failed(source))
    }

    fn lock(&self) -> Result<MutexGuard<'_, SqliteConnection>, QueueError> {
        self.connection.lock().map_err(|_poisoned| QueueError::Poisoned)
    }

    fn failed(&self, source: DieselError) -> QueueError {
        QueueError::Database { file: self.file.clone(), source: Box::new(source) }
    }
}

fn deliveries_max() -> i32 {
    i32::try_from(DELIVERIES_MAX).unwrap_or(i32::MAX)
}

/// The file of a URL, where one can lie.
fn file_of(path: &str) -> Result<PathBuf, QueueError> {
    let file = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
    if file.file_name().is_none() {
        return Err(QueueError::Url);
    }
    disk::check(&file).map_err(|misplaced| match misplaced {
        Misplaced::Folder { folder, source } => QueueError::Folder { folder, source },
        Misplaced::Network { folder, kind } => QueueError::NetworkFolder { folder, kind },
    })?;
    Ok(file)
}

/// Adds a message that is not there yet. One that is there, waiting or dead, was sent before.
fn send_one(connection: &mut SqliteConnection, outgoing: &Outgoing<'_>) -> Result<Outcome, DieselError> {
    let known: i64 = queue::table.filter(queue::name.eq(&outgoing.queue)).count().get_result(connection)?;
    if known == 0 {
        return Ok(Outcome::Unroutable);
    }
    diesel::insert_or_ignore_into(message::table)
        .values((
            message::queue.eq(&outgoing.queue),
            message::message_id.eq(outgoing.message_id),
            message::subject.eq(outgoing.subject),
            message::body.eq(outgoing.body.as_ref()),
        ))
        .execute(connection)?;
    Ok(Outcome::Sent)
}

/// Makes dead letters of messages whose last lease ran out.
fn bury_expired(connection: &mut SqliteConnection, name: &str, now: Instant) -> Result<usize, DieselError> {
    diesel::update(message::table)
        .filter(message::queue.eq(name))
        .filter(message::is_dead.eq(false))
        .filter(message::claimed_until.le(now.unix_ms()))
        .filter(message::deliveries.ge(deliveries_max()))
        .set((message::is_dead.eq(true), message::claimed_until.eq(None::<i64>)))
        .execute(connection)
}

#[derive(Queryable)]
struct Head {
    position: i64,
    message_id: String,
    subject: String,
    body: Vec<u8>,
    deliveries: i32,
    fence: i64,
}

/// The first message of each subject, where nobody holds it.
fn list_heads(
    connection: &mut SqliteConnection,
    name: &str,
    now: Instant,
    count_max: i64,
) -> Result<Vec<Head>, DieselError> {
    let earlier = diesel::alias!(message as earlier);
    let is_first = diesel::dsl::not(diesel::dsl::exists(
        earlier
            .filter(earlier.field(message::queue).eq(message::queue))
            .filter(earlier.field(message::subject).eq(message::subject))
            .filter(earlier.field(message::is_dead).eq(false))
            .filter(earlier.field(message::position).lt(message::position)),
    ));
    let is_free =
        message::claimed_until.is_null().or(message::claimed_until.assume_not_null().le(now.unix_ms()));
    message::table
        .filter(message::queue.eq(name))
        .filter(message::is_dead.eq(false))
        .filter(is_free)
        .filter(is_first)
        .order(message::position)
        .limit(count_max)
        .select((
            message::position,
            message::message_id,
            message::subject,
            message::body,
            message::deliveries,
            message::fence,
        ))
        .load(connection)
}

fn claim_one(connection: &mut SqliteConnection, head: Head, until: Instant) -> Result<Delivery, DieselError> {
    let fence = head.fence.saturating_add(1);
    let deliveries = head.deliveries.saturating_add(1);
    diesel::update(message::table.find(head.position))
        .set((
            message::fence.eq(fence),
            message::deliveries.eq(deliveries),
            message::claimed_until.eq(Some(until.unix_ms())),
        ))
        .execute(connection)?;
    Ok(Delivery {
        message_id: head.message_id,
        subject: head.subject,
        body: head.body,
        deliveries: deliveries.unsigned_abs(),
        token: Token::Embedded { position: head.position, fence },
    })
}

fn claims(deliveries: &[Delivery]) -> impl Iterator<Item = (i64, i64)> + '_ {
    deliveries.iter().filter_map(|delivery| match delivery.token {
        Token::Embedded { position, fence } => Some((position, fence)),
        Token::RabbitMq { .. } => None,
    })
}

/// Opens the file, and makes its tables where they are not there. Another process may be doing
/// the same at this moment: then the one waits for the other.
fn connect(file: &Path) -> Result<SqliteConnection, Cause> {
    let mut connection = SqliteConnection::establish(&file.display().to_string())?;
    // First of all, so that everything after it waits for its turn.
    connection.batch_execute(&format!("PRAGMA busy_timeout = {QUEUE_BUSY_WAIT_MS};"))?;
    connection.batch_execute("PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;")?;
    if connection.has_pending_migration(MIGRATIONS)? {
        enter_wal(&mut connection)?;
        connection.immediate_transaction(|connection| {
            connection.run_pending_migrations(MIGRATIONS).map(|_versions| ()).map_err(Migrating::Harness)
        })?;
    }
    Ok(connection)
}

/// Write-ahead logging is a lasting property of the file. Turning it on does not wait for its
/// turn as other statements do, so it is tried again.
fn enter_wal(connection: &mut SqliteConnection) -> Result<(), DieselError> {
    let mut tries = 0;
    loop {
        match connection.batch_execute("PRAGMA journal_mode = WAL;") {
            Ok(()) => return Ok(()),
            Err(error) if tries == QUEUE_CREATE_TRIES_MAX => return Err(error),
            Err(_busy) => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// Why the tables could not be made.
#[derive(Debug, thiserror::Error)]
enum Migrating {
    #[error(transparent)]
    Database(#[from] DieselError),
    #[error("{0}")]
    Harness(Cause),
}
