//! SQLite and PostgreSQL as readers: many conditions on one set in one statement.
//!
//! Both are given the same text. A condition is an expression of the SELECT list, so that a
//! statement answers some sixty of them and PostgreSQL costs little per case.

use parlance_query::{Arg, Compiled};
use rusqlite::types::{ToSqlOutput, Value as Cell};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::columns::{EMPTY, Stored, schema};

/// An engine with the tables of [`schema`].
pub(crate) trait Engine {
    fn name(&self) -> &'static str;
    /// Runs statements that answer nothing.
    fn run(&mut self, sql: &str);
    /// The rows of flags after an id that a statement selects.
    fn flags(&mut self, sql: &str, args: &[Arg], columns: usize) -> Vec<Vec<bool>>;
    /// The ids that a statement selects.
    fn ids(&mut self, sql: &str) -> Vec<String>;
}

/// Replaces the documents.
pub(crate) fn load(engine: &mut dyn Engine, stored: &dyn Stored, docs: &[serde_json::Value]) {
    let rows: String = docs.iter().map(|doc| stored.insert(doc)).collect();
    engine.run(&format!("BEGIN; {EMPTY} {rows} COMMIT;"));
}

/// What each condition says of each document, in the order of the ids. The arguments of the
/// conditions are numbered through, from 1.
pub(crate) fn accepted(
    engine: &mut dyn Engine,
    stored: &dyn Stored,
    conditions: &[Compiled],
) -> Vec<Vec<bool>> {
    let texts: Vec<&str> = conditions.iter().map(|c| c.sql.as_str()).collect();
    // A WHERE clause takes NULL for false.
    let sql = format!(
        "SELECT {id}, ({}) IS TRUE FROM {} ORDER BY {id}",
        texts.join(") IS TRUE, ("),
        stored.from(),
        id = stored.id(),
    );
    let args: Vec<Arg> = conditions.iter().flat_map(|c| c.args.clone()).collect();
    let rows = engine.flags(&sql, &args, conditions.len());
    (0..conditions.len()).map(|i| rows.iter().map(|row| row[i]).collect()).collect()
}

/// The ids in an order.
pub(crate) fn ordered(engine: &mut dyn Engine, stored: &dyn Stored, terms: &str) -> Vec<String> {
    let (id, from) = (stored.id(), stored.from());
    let comma = if terms.is_empty() { "" } else { ", " };
    engine.ids(&format!("SELECT {id} FROM {from} ORDER BY {terms}{comma}{id}"))
}

pub(crate) struct Sqlite(rusqlite::Connection);

impl Sqlite {
    pub(crate) fn new() -> Self {
        let mut engine = Self(rusqlite::Connection::open_in_memory().unwrap());
        engine.run(&schema("TEXT"));
        engine
    }
}

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn run(&mut self, sql: &str) {
        self.0.execute_batch(sql).unwrap_or_else(|e| panic!("{e}: {sql}"));
    }

    fn flags(&mut self, sql: &str, args: &[Arg], columns: usize) -> Vec<Vec<bool>> {
        let mut statement = self.0.prepare(sql).unwrap_or_else(|e| panic!("{e}: {sql}"));
        assert_eq!(statement.parameter_count(), args.len(), "{sql}");
        for (i, arg) in args.iter().enumerate() {
            let at = statement.parameter_index(&format!("${}", i + 1)).unwrap().unwrap();
            statement.raw_bind_parameter(at, Bound(arg)).unwrap();
        }
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            found.push((1..=columns).map(|i| row.get_unwrap(i)).collect());
        }
        found
    }

    fn ids(&mut self, sql: &str) -> Vec<String> {
        let mut statement = self.0.prepare(sql).unwrap_or_else(|e| panic!("{e}: {sql}"));
        let rows = statement.query_map((), |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

pub(crate) struct Postgres {
    runtime: tokio::runtime::Runtime,
    client: tokio_postgres::Client,
}

impl Postgres {
    /// Connects, with tables that nobody else sees.
    pub(crate) fn new(url: &str) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (client, connection) =
            runtime.block_on(tokio_postgres::connect(url, tokio_postgres::NoTls)).unwrap();
        drop(runtime.spawn(connection));
        let mut engine = Self { runtime, client };
        let schema = schema("TEXT COLLATE \"C\"");
        engine.run(&schema.replace("CREATE TABLE", "CREATE TEMPORARY TABLE"));
        engine
    }

    fn rows(&self, sql: &str, args: &[Arg]) -> Vec<tokio_postgres::Row> {
        let bound: Vec<Bound<'_>> = args.iter().map(Bound).collect();
        let args: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|b| b as _).collect();
        let found = self.runtime.block_on(self.client.query(sql, &args));
        found.unwrap_or_else(|e| panic!("{e}: {sql}"))
    }
}

impl Engine for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn run(&mut self, sql: &str) {
        let done = self.runtime.block_on(self.client.batch_execute(sql));
        done.unwrap_or_else(|e| panic!("{e}: {sql}"));
    }

    fn flags(&mut self, sql: &str, args: &[Arg], columns: usize) -> Vec<Vec<bool>> {
        let rows = self.rows(sql, args);
        rows.iter().map(|row| (1..=columns).map(|i| row.get(i)).collect()).collect()
    }

    fn ids(&mut self, sql: &str) -> Vec<String> {
        self.rows(sql, &[]).iter().map(|row| row.get(0)).collect()
    }
}

#[derive(Debug)]
struct Bound<'a>(&'a Arg);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self.0 {
            Arg::Null => Cell::Null,
            Arg::Int(i) => Cell::Integer(*i),
            Arg::Text(s) => Cell::Text(s.clone()),
            Arg::Bool(b) => Cell::Integer((*b).into()),
        }))
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Arg::Null => Ok(IsNull::Yes),
            Arg::Int(i) => i.to_sql_checked(ty, out),
            Arg::Text(s) => s.to_sql_checked(ty, out),
            Arg::Bool(b) => b.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
