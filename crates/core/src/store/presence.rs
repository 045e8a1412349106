//! Who is there: accounts by what they show. Active accounts with a username only, each list from an
//! index of its own.

use super::users::{columns, read};
use super::{Read, Store, Value};
use crate::account::User;
use crate::error::Result;
use crate::id::UserId;
use crate::time::Ms;

/// Ids in one list of a statement at most.
const LIST: usize = 500;

macro_rules! shown {
    () => {
        " AND u.active AND u.username IS NOT NULL"
    };
}
const PRESENT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM users u WHERE u.status <> 'offline'",
    shown!(),
    " ORDER BY u.id"
);
const CHANGED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM users u WHERE u.updated >= $1 AND u.id <> $2",
    shown!(),
    " ORDER BY u.updated, u.id"
);

/// Everybody who is not offline.
pub(crate) async fn present(store: &Store) -> Result<Vec<User>> {
    store.read(PRESENT, []).await?.into_iter().map(|mut row| read(&mut row)).collect()
}

/// Everybody but one who changed at or after a time, the offline too.
pub(crate) async fn changed(store: &Store, but: &UserId, since: Ms) -> Result<Vec<User>> {
    let rows = store.read(CHANGED, [since.into(), but.into()]).await?;
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

/// Those of these who are not offline.
pub(crate) async fn among(store: &Store, ids: &[String]) -> Result<Vec<User>> {
    let reads = ids.chunks(LIST).map(|part| {
        let numbers: Vec<String> = (1..=part.len()).map(|n| format!("${n}")).collect();
        let sql = format!(
            "SELECT {} FROM users u WHERE u.id IN ({}) AND u.status <> 'offline'{} ORDER BY u.id",
            columns!(),
            numbers.join(", "),
            shown!()
        );
        let args: Vec<Value> = part.iter().map(Value::from).collect();
        Read::new(sql, args)
    });
    let rows = store.read_all(reads.collect()).await?;
    rows.into_iter().flatten().map(|mut row| read(&mut row)).collect()
}
