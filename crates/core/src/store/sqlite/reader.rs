//! The reader threads: each takes a job after the other. A job that is a caller's own question runs in a
//! turn, which the thread holds until the job ends, and ends early when its time is over or nobody
//! waits for it any more.

use super::statement::{prepare, row, rows};
use super::{Reply, fault};
use crate::error::Result;
use crate::store::{BATCH, READ_TIME, Read, Row, Turn};
use crate::time::Clock;
use rusqlite::Connection;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

type Batches = mpsc::Sender<Result<Vec<Row>>>;

/// What a reader is asked for, and the turn it is asked in, if it is a caller's own question.
pub(super) struct ReadJob {
    pub(super) turn: Option<Turn>,
    pub(super) what: Wanted,
}

pub(super) enum Wanted {
    /// All rows of each statement, of one snapshot.
    Rows(Vec<Read>, Reply<Vec<Vec<Row>>>),
    /// The rows of one statement as they are found.
    Stream(Read, Batches),
}

/// Until when a reader's job may run, and whether it is still wanted.
#[derive(Default)]
pub(super) struct Limit {
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
pub(super) fn limit_time(connection: &mut Connection) -> Result<Arc<Limit>> {
    /// Steps of the engine between two looks at the time.
    const STEPS: i32 = 10_000;
    let limit = Arc::new(Limit::default());
    let end = limit.clone();
    connection.progress_handler(STEPS, Some(move || end.is_over())).map_err(fault)?;
    Ok(limit)
}

pub(super) fn read_loop(
    connection: &Connection,
    jobs: &Mutex<mpsc::Receiver<ReadJob>>,
    limit: &Limit,
) {
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
