//! The engine for more than one machine: a pool of connections, each change one transaction whose
//! statements travel together (pipelined), so that a send costs two round trips, not seven.
//! A change that lost a race (serialisation failure, deadlock) is made again whole; a statement
//! whose text is built per request is prepared for that request only, so that no cache grows.

use super::{
    BATCH, BATCHES, Change, Load, Plan, READ_BUDGET, READ_TIME, Read, Row, Rows, Sql, StoreOptions,
    Turn, Value, migrate, too_broad,
};
use crate::error::{Error, Result};
use deadpool_postgres::{
    Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use futures_util::TryStreamExt as _;
use futures_util::future::{join_all, join3, try_join_all};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use tokio_postgres::{Config, NoTls, Statement};

/// How often a change is made again after losing a race.
const TRIES: usize = 8;
/// On how many connections a read is tried that find out that they are closed.
const READ_TRIES: usize = 4;
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// What reads everything before it gives the first row.
const BY_INDEX: &str = "; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
    SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off";
/// How long a caller waits for a connection before it hears that the store is not available.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(super) struct Postgres(Pool);

type BoxError = Box<dyn std::error::Error + Sync + Send>;

impl Postgres {
    /// Connects, migrates, and keeps a pool of twice the readers (half of them write).
    pub(super) async fn open(url: &str, options: &StoreOptions) -> Result<Self> {
        // The URL holds a password: errors say that it is wrong, not what it is.
        let mut config: Config =
            url.parse().map_err(|_| Error::unavailable("the database URL cannot be read"))?;
        let limit = format!("-c statement_timeout={READ_TIME}");
        let all = config.get_options().map_or(limit.clone(), |own| format!("{limit} {own}"));
        config.options(all);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        let method = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config, NoTls, method);
        let timeouts =
            Timeouts { wait: Some(PATIENCE), create: Some(PATIENCE), recycle: Some(PATIENCE) };
        let pool = Pool::builder(manager)
            .max_size((options.readers * 8).clamp(4, 64))
            .runtime(Runtime::Tokio1)
            .timeouts(timeouts)
            .build()
            .map_err(Error::internal)?;
        let mut client = pool.get().await.map_err(away)?;
        migrate::postgres(&mut client).await?;
        drop(client);
        Ok(Self(pool))
    }

    pub(super) fn load(&self) -> Load {
        Load { reads_waiting: self.0.status().waiting, ..Load::default() }
    }

    /// Takes no more calls; those that run may finish.
    pub(super) fn close(&self) {
        self.0.close();
    }

    /// A caller's own question runs in a task of its own, which holds its turn (and its connection)
    /// until it ends, whether the caller still waits or not.
    pub(super) async fn read(&self, reads: Vec<Read>, turn: Option<Turn>) -> Result<Vec<Vec<Row>>> {
        let Some(turn) = turn else {
            for _ in 1..READ_TRIES {
                let client = self.0.get().await.map_err(away)?;
                match read(&client, &reads, None).await {
                    // It was cut while nobody used it, and nobody had noticed: another may live.
                    Err(Error::Unavailable(_)) if client.is_closed() => {}
                    answer => return answer,
                }
            }
            let client = self.0.get().await.map_err(away)?;
            return read(&client, &reads, None).await;
        };
        let client = self.0.get().await.map_err(away)?;
        let (reply, answer) = oneshot::channel();
        tokio::spawn(async move {
            let _ = reply.send(read(&client, &reads, Some(&turn)).await);
        });
        answer.await.map_err(Error::unavailable)?
    }

    /// The rows of one statement as they are found; a task of its own reads on as far as somebody
    /// takes them.
    pub(super) async fn stream(
        &self,
        read: Read,
        plan: Plan,
        turn: Turn,
    ) -> Result<mpsc::Receiver<Result<Vec<Row>>>> {
        let mut client = self.0.get().await.map_err(away)?;
        let (batches, rows) = mpsc::channel(BATCHES);
        tokio::spawn(async move {
            if let Err(error) = stream(&mut client, &read, plan, &turn, &batches).await {
                let _ = batches.send(Err(error)).await;
            }
        });
        Ok(rows)
    }

    pub(super) async fn write(&self, change: Change) -> Result<Vec<Rows>> {
        for _ in 1..TRIES {
            match self.try_write(&change).await {
                Err(Failure::Race(_)) => {}
                Err(Failure::Refused(error)) => return Err(error),
                Ok(rows) => return Ok(rows),
            }
        }
        self.try_write(&change).await.map_err(|failure| match failure {
            Failure::Race(error) => Error::unavailable(error),
            Failure::Refused(error) => error,
        })
    }

    async fn try_write(&self, change: &Change) -> std::result::Result<Vec<Rows>, Failure> {
        let mut client = self.0.get().await.map_err(away)?;
        let statements = prepare(&client, change.0.iter().map(|stmt| &stmt.sql)).await?;
        // Dropping the transaction before its commit rolls it back.
        let transaction = client.transaction().await.map_err(Failure::of)?;
        let runs = statements.iter().zip(&change.0).map(|(statement, stmt)| {
            let transaction = &transaction;
            async move {
                if statement.columns().is_empty() {
                    let affected = transaction.execute_raw(statement, &stmt.args).await?;
                    return Ok(Rows { affected, rows: Vec::new() });
                }
                let args: Vec<&(dyn ToSql + Sync)> = stmt.args.iter().map(|v| v as _).collect();
                let found = transaction.query(statement, &args).await?;
                let rows = found.iter().map(row).collect::<std::result::Result<Vec<_>, _>>()?;
                Ok(Rows { affected: rows.len() as u64, rows })
            }
        });
        let mut done = Vec::with_capacity(change.0.len());
        for (result, stmt) in join_all(runs).await.into_iter().zip(&change.0) {
            // The first failure in the order of the statements is the reason.
            let rows = result.map_err(Failure::of)?;
            stmt.check(&rows)?;
            done.push(rows);
        }
        transaction.commit().await.map_err(Failure::of)?;
        Ok(done)
    }
}

enum Failure {
    /// Another transaction was in the way; the same change may pass now.
    Race(tokio_postgres::Error),
    Refused(Error),
}

impl Failure {
    fn of(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(code)
                if *code == SqlState::T_R_SERIALIZATION_FAILURE
                    || *code == SqlState::T_R_DEADLOCK_DETECTED
                    // Somebody took a name after the change had asked for it: now it sees that.
                    || *code == SqlState::UNIQUE_VIOLATION =>
            {
                Self::Race(error)
            }
            _ => Self::Refused(fault(error)),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// What the engine said, as the core sees it: no connection and no room are not our fault.
pub(super) fn fault(error: tokio_postgres::Error) -> Error {
    let Some(code) = error.code() else {
        return Error::unavailable(error); // no answer from the server at all
    };
    match code.code().get(..2) {
        // The statement ran longer than it may.
        _ if *code == SqlState::QUERY_CANCELED => too_broad(),
        // connection, read-only (a standby), resources, operator (shutdown), system error
        Some("08" | "25" | "53" | "57" | "58") => Error::unavailable(error),
        // Not the whole error: its detail may show the row, with what is secret in it.
        _ => {
            let db = error.as_db_error();
            let message = db.map_or("", |db| db.message());
            let constraint = db.and_then(|db| db.constraint()).unwrap_or("none");
            Error::internal(format!("{} {message} (constraint: {constraint})", code.code()))
        }
    }
}

fn away(error: PoolError) -> Error {
    Error::unavailable(error)
}

async fn prepare(client: &Client, texts: impl Iterator<Item = &Sql>) -> Result<Vec<Statement>> {
    let one = |sql| async move {
        match sql {
            &Sql::Fixed(text) => client.prepare_cached(text).await,
            Sql::Built(text) => client.prepare(text).await,
        }
    };
    try_join_all(texts.map(one)).await.map_err(fault)
}

async fn read(client: &Client, reads: &[Read], turn: Option<&Turn>) -> Result<Vec<Vec<Row>>> {
    let statements = prepare(client, reads.iter().map(|read| &read.sql)).await?;
    let both = statements.iter().zip(reads);
    let queries = both.map(|(statement, read)| query(client, statement, &read.args));
    if reads.len() < 2 && turn.is_none() {
        return try_join_all(queries).await;
    }
    // One snapshot for all. The first poll queues everything up to the COMMIT, so a caller that
    // goes away in the middle leaves no transaction open on the connection.
    let begin = match turn {
        Some(turn) => format!("{SNAPSHOT}; SET LOCAL statement_timeout = {}", turn.left()),
        None => SNAPSHOT.to_owned(),
    };
    let begin = client.batch_execute(&begin);
    let commit = client.batch_execute("COMMIT");
    let (begun, rows, ended) = join3(begin, join_all(queries), commit).await;
    begun.and(ended).map_err(fault)?;
    rows.into_iter().collect()
}

/// A portal gives rows when it is asked to, so a reader that stops leaves nothing running.
async fn stream(
    client: &mut Client,
    read: &Read,
    plan: Plan,
    turn: &Turn,
    batches: &mpsc::Sender<Result<Vec<Row>>>,
) -> Result<()> {
    let most = i32::try_from(BATCH).unwrap_or(i32::MAX);
    let statement = client.prepare(read.sql.text()).await.map_err(fault)?;
    let transaction = client.build_transaction().read_only(true).start().await.map_err(fault)?;
    let by_index = if plan == Plan::ByIndex { BY_INDEX } else { "" };
    let limit = format!("SET LOCAL statement_timeout = {}{by_index}", turn.left());
    transaction.batch_execute(&limit).await.map_err(fault)?;
    let args: Vec<&(dyn ToSql + Sync)> = read.args.iter().map(|v| v as _).collect();
    let portal = transaction.bind(&statement, &args).await.map_err(fault)?;
    loop {
        let found = transaction.query_portal(&portal, most).await.map_err(fault)?;
        let batch = found.iter().map(row).collect::<std::result::Result<Vec<_>, _>>();
        let batch = batch.map_err(fault)?;
        let last = batch.len() < BATCH;
        if batches.send(Ok(batch)).await.is_err() || last {
            return transaction.commit().await.map_err(fault);
        }
    }
}

async fn query(client: &Client, statement: &Statement, args: &[Value]) -> Result<Vec<Row>> {
    let rows = client.query_raw(statement, args).await.map_err(fault)?;
    let mut rows = std::pin::pin!(rows);
    let (mut found, mut size) = (Vec::new(), 0);
    while let Some(next) = rows.try_next().await.map_err(fault)? {
        let next = row(&next).map_err(fault)?;
        size += next.size();
        if size > READ_BUDGET {
            return Err(too_broad());
        }
        found.push(next);
    }
    Ok(found)
}

fn row(row: &tokio_postgres::Row) -> std::result::Result<Row, tokio_postgres::Error> {
    (0..row.len()).map(|i| row.try_get(i)).collect::<std::result::Result<_, _>>().map(Row::new)
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut bytes::BytesMut,
    ) -> std::result::Result<IsNull, BoxError> {
        if let Kind::Domain(inner) = kind.kind() {
            return self.to_sql(inner, out);
        }
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(v) if *kind == Type::INT4 => i32::try_from(*v)?.to_sql(kind, out),
            Self::Int(v) => v.to_sql(kind, out),
            Self::Text(v) => v.to_sql(kind, out),
            Self::Bool(v) => v.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> std::result::Result<Self, BoxError> {
        Ok(match kind.kind() {
            Kind::Domain(inner) => return Self::from_sql(inner, raw),
            _ if *kind == Type::INT8 => Self::Int(i64::from_sql(kind, raw)?),
            _ if *kind == Type::INT4 => Self::Int(i32::from_sql(kind, raw)?.into()),
            _ if *kind == Type::BOOL => Self::Bool(bool::from_sql(kind, raw)?),
            _ => Self::Text(String::from_utf8(raw.to_vec())?),
        })
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, BoxError> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
