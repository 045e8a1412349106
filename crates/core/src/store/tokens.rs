//! Login tokens, by their hash. At most fifty a user: the oldest go when more are made.

use super::{Change, Store, events, users};
use crate::account::User;
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::UserId;
use crate::time::Ms;

/// Tokens a user may hold (contract section 8.1).
const MOST: i64 = 50;

const ADD: &str = "INSERT INTO tokens (hash, usr, created, expires) VALUES ($1, $2, $3, $4)";
/// The user's tokens but the new one and the newest of the others. `$1` is the user, `$2` how many of
/// the others stay, `$3` the new one.
macro_rules! old {
    () => {
        "usr = $1 AND hash <> $3 AND hash NOT IN (SELECT hash FROM tokens
            WHERE usr = $1 AND hash <> $3 ORDER BY created DESC, hash LIMIT $2)"
    };
}
const ANNOUNCE_OLD: &str = concat!(
    "INSERT INTO events (pos, ts, kind, room, audience, ref)
        SELECT event_pos(), $4, 'session', NULL, usr, hash FROM tokens WHERE ",
    old!()
);
const DROP_OLD: &str = concat!("DELETE FROM tokens WHERE ", old!(), " RETURNING hash");
/// Locks the account, so that a login that was checked against an old password, or before a
/// deactivation, ends here.
const SEEN: &str = "UPDATE users SET last_login = $2
    WHERE id = $1 AND active AND password IS NOT DISTINCT FROM $3";
const FIND: &str = concat!(
    "SELECT t.expires, ",
    users::columns!(),
    " FROM tokens t JOIN users u ON u.id = t.usr WHERE t.hash = $1 AND u.active"
);
const REMOVE: &str = "DELETE FROM tokens WHERE hash = $1";
const REMOVE_ALL: &str = "DELETE FROM tokens WHERE usr = $1";

/// A token that is to be made for somebody whose password was checked against `password`.
pub(crate) struct NewToken<'a> {
    pub(crate) hash: &'a str,
    pub(crate) user: &'a UserId,
    pub(crate) password: Option<&'a str>,
    pub(crate) expires: Option<Ms>,
}

/// Adds a token; [`Error::BadCredentials`] if the password changed since, or the account is off.
/// Gives the hashes of the oldest tokens that had to go for it.
pub(crate) async fn add(store: &Store, new: &NewToken<'_>, now: Ms) -> Result<Vec<String>> {
    let (hash, user) = (new.hash, new.user);
    let mut change = Change::new();
    let args = [user.into(), now.into(), new.password.into()];
    change.expect(1, Error::BadCredentials, SEEN, args);
    change.run(ADD, [hash.into(), user.into(), now.into(), new.expires.into()]);
    let others = MOST - 1;
    change.run(ANNOUNCE_OLD, [user.into(), others.into(), hash.into(), now.into()]);
    let dropped = change.run(DROP_OLD, [user.into(), others.into(), hash.into()]);
    let mut rows = store.write(change).await?;
    let dropped = rows.get_mut(dropped).map(|rows| std::mem::take(&mut rows.rows));
    dropped.unwrap_or_default().into_iter().map(|mut row| row.text()).collect()
}

/// Whose token this is, if the account is active, and when it ends.
pub(crate) async fn find(store: &Store, hash: &str) -> Result<Option<(User, Option<Ms>)>> {
    let rows = store.read(FIND, [hash.into()]).await?;
    let Some(mut row) = rows.into_iter().next() else {
        return Ok(None);
    };
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
