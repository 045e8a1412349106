//! Statements: prepared, with their arguments, and their rows as values.

use super::fault;
use crate::error::{Error, Result};
use crate::store::{READ_BUDGET, Row, Rows, Sql, Value, too_broad};
use rusqlite::types::{Null, ValueRef};
use rusqlite::{CachedStatement, Connection, Statement};

/// A statement: a fixed one is kept for the next time, a built one is not, because whoever asks could
/// fill the memory with them.
pub(super) enum Prepared<'c> {
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

pub(super) fn prepare<'c>(
    connection: &'c Connection,
    sql: &Sql,
    args: &[Value],
) -> Result<Prepared<'c>> {
    #[cfg(test)]
    super::plan::note(sql);
    let mut statement = match sql {
        Sql::Fixed(text) => Prepared::Kept(connection.prepare_cached(text).map_err(fault)?),
        Sql::Built(text) => Prepared::Once(connection.prepare(text).map_err(fault)?),
    };
    bind(&mut statement, args)?;
    Ok(statement)
}

pub(super) fn rows(connection: &Connection, sql: &Sql, args: &[Value]) -> Result<Rows> {
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

pub(super) fn row(row: &rusqlite::Row<'_>, columns: usize) -> Result<Row> {
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
