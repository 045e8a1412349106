//! The embedded engine: one writer thread, N reader threads, WAL, and an fsync before any answer.
//! The writer takes every waiting change into one transaction, a savepoint each, so that the fsync
//! is shared (group commit). A failing statement of the engine itself (a full disk) may take the
//! whole transaction with it: then the group is given up and each change is made alone, so that
//! what was answered and what was stored always agree (ruling A7).

use super::lock::DirLock;
use super::{
    BATCH, BATCHES, Change, READ_BUDGET, READ_TIME, Read, Row, Rows, StoreOptions, Turn, Value,
    migrate, too_broad,
};
use crate::error::{Error, Result};
use crate::time::Clock;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Null, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, Statement};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot};

/// Changes taken into one transaction at most.
const GROUP: usize = 256;
/// Jobs waiting at most, per queue; callers beyond that wait their turn.
const QUEUE: usize = 1024;

type Reply<T> = oneshot::Sender<Result<T>>;
type Batches = mpsc::Sender<Result<Vec<Row>>>;

/// What a reader is asked for, and the turn it is asked in, if it is a caller's own question.
struct ReadJob {
    turn: Option<Turn>,
    what: Wanted,
}

enum Wanted {
    /// All rows of each statement, of one snapshot.
    Rows(Vec<Read>, Reply<Vec<Vec<Row>>>),
    /// The rows of one statement as they are found.
    Stream(Read, Batches),
}

enum WriteJob {
    Change(Change, Reply<Vec<Rows>>),
    /// Make what waits, and end.
    Stop,
}

#[cfg(test)]
mod plan;
mod statistics;

/// The handle: two queues.
pub(super) struct Sqlite {
    reads: mpsc::Sender<ReadJob>,
    writes: mpsc::Sender<WriteJob>,
    /// Comes when the writer has ended and the directory is free.
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Sqlite {
    /// Opens `parlance.db` in the directory, migrates it and starts the threads.
    pub(super) fn open(dir: &Path, options: &StoreOptions, bell: Arc<Notify>) -> Result<Self> {
        let lock = DirLock::take(dir)?;
        let path = dir.join("parlance.db");
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
        thread("store-writer", move || {
            write_loop(&writer, write_jobs, &bell);
            // Held until the last change is made: the next owner goes on from there.
            drop((writer, lock));
            let _ = say_ended.send(());
        })?;
        let read_jobs = Arc::new(Mutex::new(read_jobs));
        for _ in 0..options.readers.max(1) {
            let (mut connection, jobs) = (connect(&path)?, read_jobs.clone());
            connection.pragma_update(None, "query_only", true).map_err(fault)?;
            let limit = limit_time(&mut connection)?;
            thread("store-reader", move || {
                read_loop(&connection, &jobs, &limit);
            })?;
        }
        Ok(Self { reads, writes, ended: Mutex::new(Some(ended)) })
    }

    /// Makes the changes that wait, and gives the directory free. Later changes are refused.
    pub(super) async fn close(&self) {
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
        let job = ReadJob { turn, what: Wanted::Rows(reads, reply) };
        self.reads.send(job).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    pub(super) async fn stream(
        &self,
        read: Read,
        turn: Turn,
    ) -> Result<mpsc::Receiver<Result<Vec<Row>>>> {
        let (batches, rows) = mpsc::channel(BATCHES);
        let job = ReadJob { turn: Some(turn), what: Wanted::Stream(read, batches) };
        self.reads.send(job).await.map_err(|_| stopped())?;
        Ok(rows)
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

/// Until when a reader's job may run, and whether it is still wanted.
#[derive(Default)]
struct Limit {
    deadline: AtomicI64,
    turn: Mutex<Option<Turn>>,
}

impl Limit {
    fn is_over(&self) -> bool {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        Clock::default().now() > self.deadline.load(Ordering::Relaxed)
            || turn.as_ref().is_some_and(Turn::is_over)
    }

    fn set(&self, turn: Option<Turn>) {
        let deadline = Clock::default().now().saturating_add(READ_TIME);
        self.deadline.store(deadline, Ordering::Relaxed);
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = turn;
    }
}

/// Has a reader give up on a job that runs too long, by the machine's time whatever clock a test
/// has set, or that nobody waits for any more.
fn limit_time(connection: &mut Connection) -> Result<Arc<Limit>> {
    /// Steps of the engine between two looks at the time.
    const STEPS: i32 = 10_000;
    let limit = Arc::new(Limit::default());
    let end = limit.clone();
    connection.progress_handler(STEPS, Some(move || end.is_over())).map_err(fault)?;
    Ok(limit)
}

fn read_loop(connection: &Connection, jobs: &Mutex<mpsc::Receiver<ReadJob>>, limit: &Limit) {
    loop {
        // The turn of a job that is done goes back before the next is waited for.
        limit.set(None);
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(ReadJob { turn, what }) = job else { return };
        limit.set(turn);
        match what {
            // The caller is gone, and nobody wants the answer.
            Wanted::Rows(_, reply) if reply.is_closed() => {}
            Wanted::Stream(_, batches) if batches.is_closed() => {}
            Wanted::Rows(reads, reply) => {
                let _ = reply.send(read_snapshot(connection, &reads));
            }
            Wanted::Stream(read, batches) => {
                if let Err(error) = read_stream(connection, &read, &batches) {
                    let _ = batches.blocking_send(Err(error));
                }
            }
        }
    }
}

fn read_snapshot(connection: &Connection, reads: &[Read]) -> Result<Vec<Vec<Row>>> {
    let run = |read: &Read| rows(connection, &read.sql, &read.args).map(|rows| rows.rows);
    if let [only] = reads {
        return Ok(vec![run(only)?]);
    }
    let snapshot = connection.unchecked_transaction().map_err(fault)?;
    let all = reads.iter().map(run).collect();
    snapshot.finish().map_err(fault)?;
    all
}

/// Hands rows over in batches, and waits while enough of them wait: the reader runs no further
/// ahead than that.
fn read_stream(connection: &Connection, read: &Read, batches: &Batches) -> Result<()> {
    let mut statement = prepare(connection, &read.sql, &read.args)?;
    let columns = statement.column_count();
    let mut cursor = statement.raw_query();
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(next) = cursor.next().map_err(fault)? {
        batch.push(row(next, columns)?);
        if batch.len() == BATCH && batches.blocking_send(Ok(std::mem::take(&mut batch))).is_err() {
            return Ok(()); // whoever asked has seen enough
        }
    }
    let _ = batches.blocking_send(Ok(batch));
    Ok(())
}

fn write_loop(connection: &Connection, mut jobs: mpsc::Receiver<WriteJob>, bell: &Notify) {
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

/// A statement: a fixed one is kept for the next time, a built one is not, because whoever asks could
/// fill the memory with them.
enum Prepared<'c> {
    Kept(CachedStatement<'c>),
    Once(Statement<'c>),
}

impl<'c> std::ops::Deref for Prepared<'c> {
    type Target = Statement<'c>;
    fn deref(&self) -> &Self::Target {
        match self {
            Self::Kept(statement) => statement,
            Self::Once(statement) => statement,
        }
    }
}

impl std::ops::DerefMut for Prepared<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Kept(statement) => statement,
            Self::Once(statement) => statement,
        }
    }
}

fn prepare<'c>(
    connection: &'c Connection,
    sql: &super::Sql,
    args: &[Value],
) -> Result<Prepared<'c>> {
    #[cfg(test)]
    plan::note(sql);
    let mut statement = match sql {
        super::Sql::Fixed(text) => Prepared::Kept(connection.prepare_cached(text).map_err(fault)?),
        super::Sql::Built(text) => Prepared::Once(connection.prepare(text).map_err(fault)?),
    };
    bind(&mut statement, args)?;
    Ok(statement)
}

fn rows(connection: &Connection, sql: &super::Sql, args: &[Value]) -> Result<Rows> {
    let mut statement = prepare(connection, sql, args)?;
    let columns = statement.column_count();
    if columns == 0 {
        let affected = statement.raw_execute().map_err(fault)? as u64;
        return Ok(Rows { affected, rows: Vec::new() });
    }
    let mut found = Vec::new();
    let mut size = 0;
    let mut cursor = statement.raw_query();
    while let Some(next) = cursor.next().map_err(fault)? {
        let row = row(next, columns)?;
        size += row.size();
        if size > READ_BUDGET {
            return Err(too_broad());
        }
        found.push(row);
    }
    Ok(Rows { affected: found.len() as u64, rows: found })
}

fn row(row: &rusqlite::Row<'_>, columns: usize) -> Result<Row> {
    let values = (0..columns).map(|i| row.get_ref(i).map_err(fault).and_then(value));
    values.collect::<Result<_>>().map(Row::new)
}

fn value(column: ValueRef<'_>) -> Result<Value> {
    Ok(match column {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(v) => Value::Int(v),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            Value::Text(std::str::from_utf8(text).map_err(Error::internal)?.to_owned())
        }
        ValueRef::Real(_) => return Err(Error::internal("a real number in the store")),
    })
}

/// `$3` is a *named* parameter to `SQLite`: bind by the number in its name.
fn bind(statement: &mut Statement<'_>, args: &[Value]) -> Result<()> {
    for index in 1..=statement.parameter_count() {
        let named = statement.parameter_name(index).and_then(|name| name.get(1..)?.parse().ok());
        let number: usize = named.unwrap_or(index);
        let arg = args.get(number - 1);
        let bound = match arg.ok_or_else(|| Error::internal("a statement lacks an argument"))? {
            Value::Null => statement.raw_bind_parameter(index, Null),
            Value::Int(v) => statement.raw_bind_parameter(index, v),
            Value::Text(v) => statement.raw_bind_parameter(index, v),
            Value::Bool(v) => statement.raw_bind_parameter(index, v),
        };
        bound.map_err(fault)?;
    }
    Ok(())
}
