//! The store: two verbs over two engines, and the only folder with SQL.
//! `read` runs one statement, `write` one [`Change`]: a list of statements that happens whole, in
//! order, and is on disk when `write` returns (fsync on `SQLite`, commit on `PostgreSQL`), or does
//! not happen at all. Every statement is written once and runs verbatim on both engines.

pub(crate) mod alter;
mod among;
pub(crate) mod answers;
pub(crate) mod audit;
mod clock;
pub(crate) mod directory;
pub(crate) mod edits;
pub(crate) mod events;
pub(crate) mod exports;
pub(crate) mod factors;
pub(crate) mod fanout;
mod fields;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod jobs;
pub(crate) mod lifecycle;
pub(crate) mod listing;
mod lock;
pub use lock::make_private;
pub(crate) mod members;
pub(crate) mod messages;
mod migrate;
pub(crate) mod online;
pub(crate) mod operator;
mod postgres;
pub(crate) mod presence;
pub(crate) mod profiles;
pub(crate) mod push;
pub(crate) mod reading;
mod rename;
pub(crate) mod rewrites;
pub(crate) mod roles;
pub(crate) mod rooms;
mod scan;
pub(crate) mod search;
pub(crate) mod server;
pub(crate) mod sidebar;
mod sqlite;
pub(crate) mod statistics;
pub(crate) mod terms;
pub(crate) mod threads;
pub(crate) mod tokens;
mod turn;
pub(crate) mod users;
pub(crate) mod value;
mod walk;

use crate::error::{Error, Result};
use crate::id::UserId;
use crate::time::Ms;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
pub(crate) use turn::Turn;
use turn::Turns;
pub(crate) use value::{Row, Rows, Sql, Value};

/// Where the data is.
#[derive(Clone, Debug)]
pub enum Database {
    /// `SQLite` in this directory, made if it is not there; one process at a time.
    Embedded(PathBuf),
    /// `PostgreSQL` 15 or newer.
    Postgres(String),
}

impl Database {
    /// Is there a store yet? One of `PostgreSQL` counts as there.
    pub fn exists(&self) -> bool {
        match self {
            Self::Embedded(dir) => dir.join(sqlite::FILE).exists(),
            Self::Postgres(_) => true,
        }
    }

    /// Where the server that holds the store listens to the operator; `None` where commands need no
    /// server, because many processes may share the store.
    pub fn socket(&self) -> Option<PathBuf> {
        match self {
            Self::Embedded(dir) => Some(dir.join("parlance.sock")),
            Self::Postgres(_) => None,
        }
    }
}

/// What the store needs to know beside the place.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Reader threads (`SQLite`) or connections (`PostgreSQL`).
    pub readers: usize,
    /// `SQLite` pages the database may grow to; 0 for no limit. A test fills the disk with it.
    pub max_pages: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        // One more than can run at once, for the reads that must not wait behind long ones.
        Self { readers: cores + 1, max_pages: 0 }
    }
}

/// How busy a store is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    /// Reads that wait for a reader; calls that wait for a connection (`PostgreSQL`).
    pub reads_waiting: usize,
    /// Changes that wait for the writer.
    pub changes_waiting: usize,
    /// Transactions made since the start; 0 where that is not counted (`PostgreSQL`).
    pub groups: u64,
    /// Changes made in them.
    pub changes: u64,
}

/// One statement of a change, and how many rows it must touch for the change to stand.
#[derive(Clone, Debug)]
pub(crate) struct Stmt {
    pub(crate) sql: Sql,
    pub(crate) args: Vec<Value>,
    /// The number of rows that the statement must give or change, and the error when it doesn't.
    pub(crate) expect: Option<(u64, Error)>,
}

impl Stmt {
    /// Gives the statement's error if it touched another number of rows than it must.
    pub(crate) fn check(&self, rows: &Rows) -> Result<()> {
        match &self.expect {
            Some((n, error)) if *n != rows.affected => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

/// A list of statements that happens whole or not at all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change(pub(crate) Vec<Stmt>);

impl Change {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a statement; returns its place, to find its rows by.
    pub(crate) fn run<const N: usize>(&mut self, sql: impl Into<Sql>, args: [Value; N]) -> usize {
        self.0.push(Stmt { sql: sql.into(), args: args.into(), expect: None });
        self.0.len() - 1
    }

    /// Adds a statement with as many arguments as it takes.
    pub(crate) fn run_list(&mut self, sql: impl Into<Sql>, args: Vec<Value>) {
        self.0.push(Stmt { sql: sql.into(), args, expect: None });
    }

    /// Adds a statement that must touch exactly `n` rows, else the change fails with `error`.
    pub(crate) fn expect<const N: usize>(
        &mut self,
        n: u64,
        error: Error,
        sql: impl Into<Sql>,
        args: [Value; N],
    ) -> usize {
        self.0.push(Stmt { sql: sql.into(), args: args.into(), expect: Some((n, error)) });
        self.0.len() - 1
    }
}

/// Text that one read may bring into memory, in bytes: what no answer needs, and no caller can
/// make the server hold.
const READ_BUDGET: usize = 128 * 1024 * 1024;
/// How long one read may run, in milliseconds.
const READ_TIME: Ms = 15_000;
/// Batches of a long read that wait for whoever asked, and rows in each.
const BATCHES: usize = 2;
const BATCH: usize = 256;

/// One reading statement.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) sql: Sql,
    pub(crate) args: Vec<Value>,
}

impl Read {
    pub(crate) fn new(sql: impl Into<Sql>, args: impl Into<Vec<Value>>) -> Self {
        Self { sql: sql.into(), args: args.into() }
    }
}

/// A read that asked for too much: more than fits, or longer than may be waited.
fn too_broad() -> Error {
    Error::TooBroad { field: "query".to_owned() }
}

/// How the rows of a long read are to be found, where an engine would choose by the whole of them
/// although few may be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// As the engine thinks best.
    Free,
    /// From row to row by indexes, in their order.
    ByIndex,
}

/// The rows of a long read, as they are found; dropping it ends the read.
pub(crate) struct Stream(mpsc::Receiver<Result<Vec<Row>>>);

impl Stream {
    /// The next rows; `None` after the last. For a thread that may wait.
    pub(crate) fn blocking_next(&mut self) -> Result<Option<Vec<Row>>> {
        self.0.blocking_recv().transpose()
    }
}

/// The store of one data directory or one database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    engine: Engine,
    turns: Arc<Turns>,
    /// Rung after every commit of this process: the publisher listens.
    pub(crate) committed: Arc<Notify>,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Arc<sqlite::Sqlite>),
    Postgres(postgres::Postgres),
}

impl Store {
    /// Opens the store, bringing its schema up to date first.
    pub(crate) async fn open(database: &Database, options: &StoreOptions) -> Result<Self> {
        let committed = Arc::new(Notify::new());
        let engine = match database {
            Database::Embedded(dir) => {
                let (dir, options, bell) = (dir.clone(), options.clone(), committed.clone());
                let open = move || sqlite::Sqlite::open(&dir, &options, bell);
                let opened = tokio::task::spawn_blocking(open).await;
                Engine::Sqlite(Arc::new(opened.map_err(Error::internal)??))
            }
            Database::Postgres(url) => {
                Engine::Postgres(postgres::Postgres::open(url, options).await?)
            }
        };
        let turns = Arc::new(Turns::new(options.readers));
        Ok(Self { engine, turns, committed })
    }

    /// Runs one statement that changes nothing.
    pub(crate) async fn read(
        &self,
        sql: impl Into<Sql>,
        args: impl Into<Vec<Value>>,
    ) -> Result<Vec<Row>> {
        let mut all = self.read_all(vec![Read::new(sql, args)]).await?;
        all.pop().ok_or_else(|| Error::internal("a read gave no answer"))
    }

    /// Runs several reading statements on one snapshot of the data.
    pub(crate) async fn read_all(&self, reads: Vec<Read>) -> Result<Vec<Vec<Row>>> {
        self.read_for(reads, None).await
    }

    async fn read_for(&self, reads: Vec<Read>, turn: Option<Turn>) -> Result<Vec<Vec<Row>>> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.read(reads, turn).await,
            Engine::Postgres(engine) => engine.read(reads, turn).await,
        }
    }

    /// Runs statements that a caller composed, on one snapshot, within their turn:
    /// [`Error::TooBroad`] when it is over.
    pub(crate) async fn read_costly(&self, reads: Vec<Read>, turn: &Turn) -> Result<Vec<Vec<Row>>> {
        let _caller = turn.caller();
        let time = Duration::from_millis(turn.left().unsigned_abs());
        let read = self.read_for(reads, Some(turn.clone()));
        tokio::time::timeout(time, read).await.unwrap_or_else(|_| Err(too_broad()))
    }

    /// Runs a statement that may read far more than is wanted, under the same terms.
    pub(crate) async fn stream(&self, read: Read, plan: Plan, turn: &Turn) -> Result<Stream> {
        Ok(Stream(match &self.engine {
            Engine::Sqlite(engine) => engine.stream(read, turn.clone()).await?,
            Engine::Postgres(engine) => engine.stream(read, plan, turn.clone()).await?,
        }))
    }

    /// A turn of this user's for a read that a caller composed: it ends `time` ms from now.
    pub(crate) async fn turn(&self, time: Ms, by: Option<&UserId>) -> Result<Turn> {
        self.turns.take(time, by).await
    }

    /// Makes a change: whole, in order, durable on return, or an error and nothing.
    /// The answer has the rows of each statement, in the order of the statements.
    pub(crate) async fn write(&self, change: Change) -> Result<Vec<Rows>> {
        let (mut change, claim) = answers::claimed(change);
        let noted = audit::noted(&mut change);
        let result = match &self.engine {
            Engine::Sqlite(engine) => engine.write(change).await,
            Engine::Postgres(engine) => engine.write(change).await,
        };
        // After a refusal too: it may have left a gap in the log, which others wait at.
        self.committed.notify_one();
        answers::made(claim, audit::made(noted, result))
    }

    /// Makes what waits to be made, and lets go of the data: another process may have it.
    pub(crate) async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(engine) => engine.close().await,
            Engine::Postgres(engine) => engine.close(),
        }
    }

    /// How busy it is.
    pub(crate) fn load(&self) -> Load {
        match &self.engine {
            Engine::Sqlite(engine) => engine.load(),
            Engine::Postgres(engine) => engine.load(),
        }
    }

    /// Do other processes write to this store too? Then the log must be polled as well.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }
}
