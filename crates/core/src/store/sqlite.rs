//! The embedded engine: one writer thread, N reader threads, WAL, and an fsync before any answer.
//! The writer takes every waiting change into one transaction, a savepoint each, so that the fsync
//! is shared (group commit). A failing statement of the engine itself (a full disk) may take the
//! whole transaction with it: then the group is given up and each change is made alone, so that
//! what was answered and what was stored always agree (ruling A7).

use super::lock::DirLock;
use super::{BATCHES, Change, Load, Read, Row, Rows, StoreOptions, Turn, migrate, too_broad};
use crate::error::{Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ErrorCode};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot};

/// The database in the data directory.
pub(super) const FILE: &str = "parlance.db";
/// Changes taken into one transaction at most.
const GROUP: usize = 256;
/// Jobs waiting at most, per queue; callers beyond that wait their turn.
const QUEUE: usize = 1024;

type Reply<T> = oneshot::Sender<Result<T>>;
enum WriteJob {
    Change(Change, Reply<Vec<Rows>>),
    /// Make what waits, and end.
    Stop,
}

#[cfg(test)]
mod plan;
mod reader;
mod statement;
mod statistics;
use reader::{ReadJob, Wanted};
use statement::rows;

/// The handle: two queues.
pub(super) struct Sqlite {
    reads: mpsc::Sender<ReadJob>,
    writes: mpsc::Sender<WriteJob>,
    /// Comes when the writer has ended and the directory is free.
    ended: Mutex<Option<oneshot::Receiver<()>>>,
    /// Whoever reads now would read what the next owner of the directory writes.
    closed: AtomicBool,
    made: Arc<Made>,
}

/// What the writer has made since the start.
#[derive(Default)]
struct Made {
    groups: AtomicU64,
    changes: AtomicU64,
}

impl Sqlite {
    /// Opens `parlance.db` in the directory, migrates it and starts the threads.
    pub(super) fn open(dir: &Path, options: &StoreOptions, bell: Arc<Notify>) -> Result<Self> {
        let lock = DirLock::take(dir)?;
        let path = dir.join(FILE);
        let mut writer = connect(&path)?;
        migrate::sqlite(&mut writer)?;
        statistics::assume(&writer)?;
        let newest = "SELECT coalesce(max(pos), 0) FROM events";
        let last = writer.query_row(newest, [], |row| row.get(0)).map_err(fault)?;
        add_position(&writer, Arc::new(AtomicI64::new(last)))?;
        if options.max_pages > 0 {
            writer.pragma_update(None, "max_page_count", options.max_pages).map_err(fault)?;
        }
        let (reads, read_jobs) = mpsc::channel(QUEUE);
        let (writes, write_jobs) = mpsc::channel(QUEUE);
        let (say_ended, ended) = oneshot::channel();
        let made = Arc::<Made>::default();
        let count = made.clone();
        thread("store-writer", move || {
            write_loop(&writer, write_jobs, &bell, &count);
            // Held until the last change is made: the next owner goes on from there.
            drop((writer, lock));
            let _ = say_ended.send(());
        })?;
        let read_jobs = Arc::new(Mutex::new(read_jobs));
        for _ in 0..options.readers.max(1) {
            let (mut connection, jobs) = (connect(&path)?, read_jobs.clone());
            connection.pragma_update(None, "query_only", true).map_err(fault)?;
            let limit = reader::limit_time(&mut connection)?;
            thread("store-reader", move || {
                reader::read_loop(&connection, &jobs, &limit);
            })?;
        }
        let ended = Mutex::new(Some(ended));
        Ok(Self { reads, writes, ended, closed: AtomicBool::new(false), made })
    }

    /// Makes the changes that wait, and gives the directory free. Later calls are refused.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ended) = ended
            && self.writes.send(WriteJob::Stop).await.is_ok()
        {
            // An error says that the writer is gone, which is what was asked for.
            let _ = ended.await;
        }
    }

    pub(super) async fn read(&self, reads: Vec<Read>, turn: Option<Turn>) -> Result<Vec<Vec<Row>>> {
        let (reply, answer) = oneshot::channel();
        self.ask(ReadJob { turn, what: Wanted::Rows(reads, reply) }).await?;
        answer.await.map_err(|_| stopped())?
    }

    pub(super) async fn stream(
        &self,
        read: Read,
        turn: Turn,
    ) -> Result<mpsc::Receiver<Result<Vec<Row>>>> {
        let (batches, rows) = mpsc::channel(BATCHES);
        self.ask(ReadJob { turn: Some(turn), what: Wanted::Stream(read, batches) }).await?;
        Ok(rows)
    }

    async fn ask(&self, job: ReadJob) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
            return Err(stopped());
        }
        self.reads.send(job).await.map_err(|_| stopped())
    }

    pub(super) fn load(&self) -> Load {
        Load {
            reads_waiting: self.reads.max_capacity() - self.reads.capacity(),
            changes_waiting: self.writes.max_capacity() - self.writes.capacity(),
            groups: self.made.groups.load(Ordering::Relaxed),
            changes: self.made.changes.load(Ordering::Relaxed),
        }
    }

    pub(super) async fn write(&self, change: Change) -> Result<Vec<Rows>> {
        let (reply, answer) = oneshot::channel();
        let job = WriteJob::Change(change, reply);
        self.writes.send(job).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

fn stopped() -> Error {
    Error::unavailable("the store has stopped")
}

fn thread(name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(body);
    spawned.map(drop).map_err(Error::internal)
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(fault)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA busy_timeout = 5000;
             PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -16000;
             PRAGMA mmap_size = 268435456;
             PRAGMA temp_store = MEMORY;",
        )
        .map_err(fault)?;
    // Without this, a statement that a partial index might serve is planned again at every new
    // argument: a third of the CPU of a send.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(fault)?;
    connection.set_prepared_statement_cache_capacity(256);
    // The names by which both engines answer for the log; see migrate.rs for PostgreSQL's.
    // One writer commits in order, so nothing is ever in flight below a visible position.
    for (name, value) in [("event_horizon", i64::MAX), ("event_bound", 0)] {
        let flags = FunctionFlags::SQLITE_UTF8;
        connection.create_scalar_function(name, 0, flags, move |_| Ok(value)).map_err(fault)?;
    }
    Ok(connection)
}

/// Gives the writer `event_pos()`: the next position of the event log.
fn add_position(connection: &Connection, last: Arc<AtomicI64>) -> Result<()> {
    let next =
        move |_: &rusqlite::functions::Context<'_>| Ok(last.fetch_add(1, Ordering::Relaxed) + 1);
    let flags = FunctionFlags::SQLITE_UTF8;
    connection.create_scalar_function("event_pos", 0, flags, next).map_err(fault)
}

/// What the engine said, as the core sees it: a store that cannot take more now is not our fault.
fn fault(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => too_broad(),
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OutOfMemory,
        ) => Error::unavailable(error),
        _ => Error::internal(error),
    }
}

fn write_loop(
    connection: &Connection,
    mut jobs: mpsc::Receiver<WriteJob>,
    bell: &Notify,
    made: &Made,
) {
    let mut going_on = true;
    while going_on && let Some(first) = jobs.blocking_recv() {
        let (mut changes, mut replies) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(WriteJob::Change(change, reply)) = next {
            changes.push(change);
            replies.push(reply);
            next = if changes.len() < GROUP { jobs.try_recv().ok() } else { None };
        }
        going_on = next.is_none();
        if changes.is_empty() {
            continue;
        }
        let results = commit(connection, &changes).unwrap_or_else(|error| match &changes[..] {
            [_] => vec![Err(error)],
            many => many.iter().map(|change| commit_one(connection, change)).collect(),
        });
        bell.notify_one();
        made.groups.fetch_add(1, Ordering::Relaxed);
        made.changes.fetch_add(changes.len() as u64, Ordering::Relaxed);
        for (reply, result) in replies.into_iter().zip(results) {
            let _ = reply.send(result);
        }
    }
}

fn commit_one(connection: &Connection, change: &Change) -> Result<Vec<Rows>> {
    let mut results = commit(connection, std::slice::from_ref(change))?;
    results.pop().unwrap_or_else(|| Err(Error::internal("a commit without a result")))
}

/// Makes the changes in one transaction. `Err` means that none of them happened.
fn commit(connection: &Connection, changes: &[Change]) -> Result<Vec<Result<Vec<Rows>>>> {
    let result = batch(connection, "BEGIN IMMEDIATE").and_then(|()| {
        let results = changes.iter().map(|change| savepoint(connection, change));
        let results = results.collect::<Result<Vec<_>>>()?;
        batch(connection, "COMMIT").map(|()| results)
    });
    if result.is_err() && !connection.is_autocommit() {
        // A rollback that fails leaves the transaction open, and the next BEGIN says so.
        let _ = batch(connection, "ROLLBACK");
    }
    result
}

/// One change of a group. The outer error is the engine's and ends the group; the inner one is an
/// expectation that was not met and concerns this change alone.
fn savepoint(connection: &Connection, change: &Change) -> Result<Result<Vec<Rows>>> {
    batch(connection, "SAVEPOINT change")?;
    let mut done = Vec::with_capacity(change.0.len());
    for stmt in &change.0 {
        let rows = rows(connection, &stmt.sql, &stmt.args)?;
        if let Err(unmet) = stmt.check(&rows) {
            batch(connection, "ROLLBACK TO change")?;
            batch(connection, "RELEASE change")?;
            return Ok(Err(unmet));
        }
        done.push(rows);
    }
    batch(connection, "RELEASE change")?;
    Ok(Ok(done))
}

fn batch(connection: &Connection, sql: &str) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(fault)?;
    statement.raw_execute().map(drop).map_err(fault)
}
