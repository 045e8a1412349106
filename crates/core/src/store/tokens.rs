//! Login tokens, by their hash: those of sessions, of which the oldest go when there are too many, and
//! those that a user made and named (personal access tokens), which stay until they are removed.
//! Whoever makes one locks the account's row first, so that it comes before or after what ends it.

use super::{Change, Row, Store, Value, events, users};
use crate::account::User;
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::UserId;
use crate::store::factors::Secrets;
use crate::time::Ms;

/// Named tokens of one user at most.
const MOST_NAMED: i64 = 100;

const ADD: &str = "INSERT INTO tokens (hash, usr, created, expires, factor_until, factor_by)
    VALUES ($1, $2, $3, $4, $5, $6)";
/// The user's sessions but the new one and the newest of the others. `$1` is the user, `$2` how many
/// of the others stay, `$3` the new one.
macro_rules! old {
    () => {
        "usr = $1 AND name IS NULL AND hash <> $3 AND hash NOT IN (SELECT hash FROM tokens
            WHERE usr = $1 AND name IS NULL AND hash <> $3 ORDER BY created DESC, hash LIMIT $2)"
    };
}
const ANNOUNCE_OLD: &str = concat!(
    "INSERT INTO events (pos, ts, kind, room, audience, ref)
        SELECT event_pos(), $4, 'session', NULL, usr, hash FROM tokens WHERE ",
    old!()
);
const DROP_OLD: &str = concat!("DELETE FROM tokens WHERE ", old!(), " RETURNING hash");
/// Locks the account, so that a login that was checked against an old password or other factors, or
/// before a deactivation, ends here.
const SEEN: &str = "UPDATE users SET last_login = $2
    WHERE id = $1 AND active AND password IS NOT DISTINCT FROM $3
        AND totp IS NOT DISTINCT FROM $4 AND email_factor = $5";
const LOCK: &str = "UPDATE users SET last_login = last_login WHERE id = $1 AND active";
/// Asked behind the lock: what ended meanwhile is gone by then.
const IS_ALIVE: &str = "SELECT hash FROM tokens WHERE hash = $1";
const FIND: &str = concat!(
    "SELECT t.expires, ",
    users::columns!(),
    " FROM tokens t JOIN users u ON u.id = t.usr WHERE t.hash = $1 AND u.active"
);
const REMOVE: &str = "DELETE FROM tokens WHERE hash = $1";
const REMOVE_ALL: &str = "DELETE FROM tokens WHERE usr = $1";
const ANNOUNCE_OTHERS: &str = "INSERT INTO events (pos, ts, kind, room, audience, ref)
    SELECT event_pos(), $3, 'session', NULL, usr, hash FROM tokens
    WHERE usr = $1 AND name IS NULL AND hash <> $2";
const REMOVE_OTHERS: &str = "DELETE FROM tokens WHERE usr = $1 AND name IS NULL AND hash <> $2";
const NAMED: &str = "SELECT name, created, part, bypass FROM tokens
    WHERE usr = $1 AND name IS NOT NULL ORDER BY created, name";
const TOO_MANY_NAMED: &str = "SELECT hash FROM tokens WHERE usr = $1 AND name IS NOT NULL
    LIMIT 1 OFFSET $2";
const ADD_NAMED: &str = "INSERT INTO tokens (hash, usr, created, name, part, bypass)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const ANNOUNCE_NAMED: &str = "INSERT INTO events (pos, ts, kind, room, audience, ref)
    SELECT event_pos(), $3, 'session', NULL, usr, hash FROM tokens WHERE usr = $1 AND name = $2";
const RENEW_NAMED: &str = "UPDATE tokens SET hash = $3, part = $4, created = $5,
    factor_until = NULL, factor_by = NULL WHERE usr = $1 AND name = $2";
const REMOVE_NAMED: &str = "DELETE FROM tokens WHERE usr = $1 AND name = $2";
const PROOF: &str = "SELECT bypass, factor_until, factor_by FROM tokens WHERE hash = $1";
const REMEMBER: &str = "UPDATE tokens SET factor_until = $2, factor_by = $3 WHERE hash = $1";

/// A token that is to be made for somebody who was checked against `secrets`.
pub(crate) struct NewToken<'a> {
    pub(crate) hash: &'a str,
    pub(crate) user: &'a UserId,
    pub(crate) secrets: &'a Secrets,
    pub(crate) expires: Option<Ms>,
    /// Until when a second factor counts that was given with the login, and for which client.
    pub(crate) factor: Option<(Ms, &'a str)>,
    /// Sessions that the user may have.
    pub(crate) most: i64,
}

/// A personal access token, without the token.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedToken {
    /// What its owner calls it.
    pub name: String,
    /// When it was made, or made anew.
    pub created: Ms,
    /// Its last characters.
    pub part: String,
    /// Is it free of the second factor?
    pub bypass: bool,
}

/// What a token says of the second factor.
#[derive(Default)]
pub(crate) struct Proof {
    pub(crate) bypass: bool,
    pub(crate) until: Option<Ms>,
    pub(crate) by: Option<String>,
}

/// Adds a token; [`Error::BadCredentials`] if the password or a factor changed since, or the account
/// is off. Gives the hashes of the oldest tokens that had to go for it.
pub(crate) async fn add(store: &Store, new: &NewToken<'_>, now: Ms) -> Result<Vec<String>> {
    let (hash, user) = (new.hash, new.user);
    let mut change = Change::new();
    let secrets = new.secrets;
    let args: [Value; 5] = [
        user.into(),
        now.into(),
        secrets.password.as_deref().into(),
        secrets.totp.as_deref().into(),
        secrets.email.into(),
    ];
    change.expect(1, Error::BadCredentials, SEEN, args);
    let (until, by) = new.factor.unzip();
    let args: [Value; 6] =
        [hash.into(), user.into(), now.into(), new.expires.into(), until.into(), by.into()];
    change.run(ADD, args);
    let others = new.most.max(1) - 1;
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

/// Ends every session of a user and every named token; [`Error::NoUser`] if there is no such account.
pub(crate) async fn remove_every(store: &Store, user: &UserId, now: Ms) -> Result<()> {
    let mut change = Change::new();
    change.expect(1, Error::NoUser, "SELECT id FROM users WHERE id = $1", [user.into()]);
    remove_all(&mut change, user, now);
    store.write(change).await.map(drop)
}

/// Has the change happen only while the account is on and this token of it is alive.
pub(crate) fn while_alive(change: &mut Change, user: &UserId, hash: &str) {
    change.expect(1, Error::NotLoggedIn, LOCK, [user.into()]);
    change.expect(1, Error::NotLoggedIn, IS_ALIVE, [hash.into()]);
}

/// Ends the user's other sessions, as part of a larger change; named tokens stay.
pub(crate) fn remove_others(change: &mut Change, user: &UserId, hash: &str, now: Ms) {
    change.run(ANNOUNCE_OTHERS, [user.into(), hash.into(), now.into()]);
    change.run(REMOVE_OTHERS, [user.into(), hash.into()]);
}

/// Ends the user's other sessions; named tokens stay.
pub(crate) async fn keep_only(store: &Store, user: &UserId, hash: &str, now: Ms) -> Result<()> {
    let mut change = Change::new();
    while_alive(&mut change, user, hash);
    remove_others(&mut change, user, hash, now);
    store.write(change).await.map(drop)
}

/// The user's named tokens, oldest first.
pub(crate) async fn named(store: &Store, user: &UserId) -> Result<Vec<NamedToken>> {
    let one = |mut row: Row| {
        let (name, created) = (row.text()?, row.int()?);
        let (part, bypass) = (row.opt_text()?.unwrap_or_default(), row.bool()?);
        Ok(NamedToken { name, created, part, bypass })
    };
    store.read(NAMED, [user.into()]).await?.into_iter().map(one).collect()
}

/// Adds a named token for a user who is logged in with `own`.
pub(crate) async fn add_named(
    store: &Store,
    user: &UserId,
    (own, hash): (&str, &str),
    new: &NamedToken,
) -> Result<()> {
    let mut change = Change::new();
    while_alive(&mut change, user, own);
    let last = MOST_NAMED - 1;
    change.expect(0, Error::TooManyTokens, TOO_MANY_NAMED, [user.into(), last.into()]);
    let args: [Value; 6] = [
        hash.into(),
        user.into(),
        new.created.into(),
        new.name.as_str().into(),
        new.part.as_str().into(),
        new.bypass.into(),
    ];
    change.expect(1, Error::TokenExists, ADD_NAMED, args);
    store.write(change).await.map(drop)
}

/// Puts a new token in the place of a named one, which ends.
pub(crate) async fn renew_named(
    store: &Store,
    user: &UserId,
    (own, hash): (&str, &str),
    (name, part): (&str, &str),
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    while_alive(&mut change, user, own);
    let announce = [user.into(), name.into(), now.into()];
    change.expect(1, Error::NoToken, ANNOUNCE_NAMED, announce);
    let args = [user.into(), name.into(), hash.into(), part.into(), now.into()];
    change.expect(1, Error::NoToken, RENEW_NAMED, args);
    store.write(change).await.map(drop)
}

/// Ends a named token.
pub(crate) async fn remove_named(store: &Store, user: &UserId, name: &str, now: Ms) -> Result<()> {
    let mut change = Change::new();
    let announce = [user.into(), name.into(), now.into()];
    change.expect(1, Error::NoToken, ANNOUNCE_NAMED, announce);
    change.expect(1, Error::NoToken, REMOVE_NAMED, [user.into(), name.into()]);
    store.write(change).await.map(drop)
}

/// What this token says of the second factor; nothing, if it is gone.
pub(crate) async fn proof(store: &Store, hash: &str) -> Result<Proof> {
    let rows = store.read(PROOF, [hash.into()]).await?;
    let Some(mut row) = rows.into_iter().next() else {
        return Ok(Proof::default());
    };
    Ok(Proof { bypass: row.bool()?, until: row.opt_int()?, by: row.opt_text()? })
}

/// Remembers until when a second factor counts, and for which client.
pub(crate) async fn remember(store: &Store, hash: &str, until: Ms, by: &str) -> Result<()> {
    let mut change = Change::new();
    change.run(REMEMBER, [hash.into(), until.into(), by.into()]);
    store.write(change).await.map(drop)
}
