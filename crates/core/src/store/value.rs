//! Values as both engines know them, and reading a row in the order of its columns.
//! Four kinds are enough: times are integers, JSON is text, and a flag may arrive from `SQLite` as
//! an integer, which is why a reader asks for the kind it wants.

use crate::error::Error;
use std::sync::Arc;

/// One argument or one column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bool(bool),
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Bool(v)
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<&String> for Value {
    fn from(v: &String) -> Self {
        Self::Text(v.clone())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}
macro_rules! from_id {
    ($($id:ty),*) => {$(
        impl From<&$id> for Value {
            fn from(id: &$id) -> Self {
                Self::Text(id.as_str().to_owned())
            }
        }
    )*};
}
from_id!(crate::id::UserId, crate::id::RoomId, crate::id::MessageId);

impl From<parlance_query::sql::Arg> for Value {
    fn from(arg: parlance_query::sql::Arg) -> Self {
        use parlance_query::sql::Arg;
        match arg {
            Arg::Null => Self::Null,
            Arg::Int(v) => Self::Int(v),
            Arg::Text(v) => Self::Text(v),
            Arg::Bool(v) => Self::Bool(v),
        }
    }
}

/// One row, read from left to right: each call takes the next column.
#[derive(Debug)]
pub(crate) struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    fn next(&mut self) -> Result<Value, Error> {
        self.0.next().ok_or_else(|| Error::internal("a row has fewer columns than its reader"))
    }

    pub(crate) fn opt_int(&mut self) -> Result<Option<i64>, Error> {
        match self.next()? {
            Value::Null => Ok(None),
            Value::Int(v) => Ok(Some(v)),
            Value::Bool(v) => Ok(Some(i64::from(v))),
            Value::Text(_) => Err(Error::internal("text where a number was expected")),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64, Error> {
        self.opt_int()?.ok_or_else(|| Error::internal("NULL where a number was expected"))
    }

    pub(crate) fn opt_bool(&mut self) -> Result<Option<bool>, Error> {
        Ok(self.opt_int()?.map(|v| v != 0))
    }

    pub(crate) fn bool(&mut self) -> Result<bool, Error> {
        Ok(self.int()? != 0)
    }

    pub(crate) fn opt_text(&mut self) -> Result<Option<String>, Error> {
        match self.next()? {
            Value::Null => Ok(None),
            Value::Text(v) => Ok(Some(v)),
            Value::Int(_) | Value::Bool(_) => {
                Err(Error::internal("a number where text was expected"))
            }
        }
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        self.opt_text()?.ok_or_else(|| Error::internal("NULL where text was expected"))
    }

    /// What the row holds in memory, in bytes, roughly.
    pub(crate) fn size(&self) -> usize {
        let text = |value: &Value| match value {
            Value::Text(text) => text.len(),
            _ => 0,
        };
        let values = self.0.as_slice();
        size_of_val(values) + values.iter().map(text).sum::<usize>()
    }

    /// Is the next column NULL? Takes nothing.
    pub(crate) fn is_null(&self) -> Result<bool, Error> {
        let next = self.0.as_slice().first();
        let next =
            next.ok_or_else(|| Error::internal("a row has fewer columns than its reader"))?;
        Ok(*next == Value::Null)
    }
}

/// What one statement did: the rows it gave, or how many it changed.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) affected: u64,
    pub(crate) rows: Vec<Row>,
}

/// The text of a statement: fixed ones are prepared once and kept, built ones are not.
#[derive(Clone, Debug)]
pub(crate) enum Sql {
    Fixed(&'static str),
    Built(Arc<str>),
}

impl Sql {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Built(text) => text,
        }
    }
}
impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text)
    }
}
impl From<String> for Sql {
    fn from(text: String) -> Self {
        Self::Built(text.into())
    }
}
