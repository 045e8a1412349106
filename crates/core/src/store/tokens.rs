//! Login tokens, by their hash. At most fifty a user: the oldest go when more are made.

use super::{Change, Store, events, users};
use crate::account::User;
use crate::error::Result;
use crate::event::Kind;
use crate::id::UserId;
use crate::time::Ms;

/// Tokens a user may hold (contract section 8.1).
const MOST: i64 = 50;

const ADD: &str = "INSERT INTO tokens (hash, usr, created, expires) VALUES ($1, $2, $3, $4)";
const DROP_OLD: &str = "DELETE FROM tokens WHERE usr = $1 AND hash NOT IN
    (SELECT hash FROM tokens WHERE usr = $1 ORDER BY created DESC, hash LIMIT $2)";
const SEEN: &str = "UPDATE users SET last_login = $2 WHERE id = $1";
const FIND: &str = concat!(
    "SELECT t.expires, ",
    users::columns!(),
    " FROM tokens t JOIN users u ON u.id = t.usr WHERE t.hash = $1 AND u.active"
);
const REMOVE: &str = "DELETE FROM tokens WHERE hash = $1";
const REMOVE_ALL: &str = "DELETE FROM tokens WHERE usr = $1";

pub(crate) async fn add(
    store: &Store,
    hash: &str,
    user: &UserId,
    now: Ms,
    expires: Option<Ms>,
) -> Result<()> {
    let mut change = Change::new();
    change.run(ADD, [hash.into(), user.into(), now.into(), expires.into()]);
    change.run(DROP_OLD, [user.into(), MOST.into()]);
    change.run(SEEN, [user.into(), now.into()]);
    store.write(change).await.map(drop)
}

/// Whose token this is, if the account is active, and when it ends.
pub(crate) async fn find(store: &Store, hash: &str) -> Result<Option<(User, Option<Ms>)>> {
    let rows = store.read(FIND, [hash.into()]).await?;
    let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
    let expires = row.opt_int()?;
    Ok(Some((users::read(&mut row)?, expires)))
}

pub(crate) async fn remove(store: &Store, hash: &str, user: &UserId, now: Ms) -> Result<()> {
    let mut change = Change::new();
    change.run(REMOVE, [hash.into()]);
    events::add(&mut change, now, Kind::Session, None, Some(user.as_str()), hash);
    store.write(change).await.map(drop)
}

/// Ends every session of a user, as part of a larger change.
pub(crate) fn remove_all(change: &mut Change, user: &UserId, now: Ms) {
    change.run(REMOVE_ALL, [user.into()]);
    events::add(change, now, Kind::Session, None, Some(user.as_str()), "");
}
