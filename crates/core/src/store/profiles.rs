//! Changing an account as a whole: names, addresses, roles, password, carried members, preferences. A
//! change says which state it was made of, so that two at once never undo each other, and brings with
//! it what follows for rooms and sessions.

use super::lifecycle::{keep_an_admin, switch};
use super::users::{ADD_EMAIL, DROP_EMAILS, NAME_TAKEN, args};
use super::{Change, Store, Value, events, rename, roles as held};
use crate::account::{User, fold};
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::UserId;
use crate::time::Ms;

const SET: &str =
    "UPDATE users SET username = $3, fold = $4, name = $5, name_fold = $6, roles = $7,
        emails = $8, status_default = $9, status_text = $10, body = $11, status = $12,
        password = coalesce($13, password), active = $15,
        updated = CASE WHEN updated >= $14 THEN updated + 1 ELSE $14 END
    WHERE id = $1 AND updated = $2";
const TELL_SESSIONS: &str = "INSERT INTO events (pos, ts, kind, room, audience, ref)
    SELECT event_pos(), CAST($2 AS BIGINT), 'session', NULL, usr, hash FROM tokens
    WHERE usr = $1 AND hash <> $3";
const END_SESSIONS: &str = "DELETE FROM tokens WHERE usr = $1 AND hash <> $2";
const SET_PREFERENCES: &str = "UPDATE users SET preferences = $3, highlights = $4,
        updated = CASE WHEN updated >= $5 THEN updated + 1 ELSE $5 END
    WHERE id = $1 AND updated = $2";
/// Every room of the account says whether anybody in it has such words; and takes a time, because the
/// account's view of it changes.
const MARK_ROOMS: &str = "UPDATE rooms SET
        last_ts = CASE WHEN last_ts >= $2 THEN last_ts + 1 ELSE $2 END,
        highlights = EXISTS (SELECT 1 FROM members o JOIN users u ON u.id = o.usr
            WHERE o.room = rooms.id AND u.highlights IS NOT NULL)
    WHERE id IN (SELECT s.room FROM members s WHERE s.usr = $1)";
const TOUCH: &str = "UPDATE members SET
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = members.room) WHERE usr = $1";
const WORDS: &str = "SELECT u.id, u.highlights FROM members s JOIN users u ON u.id = s.usr
    WHERE s.room = $1 AND s.usr <> $2 AND u.highlights IS NOT NULL";

/// An account as it shall be, made of what it was.
pub(crate) struct Update<'a> {
    pub(crate) was: &'a User,
    pub(crate) user: &'a User,
    /// The hash of another password; every session but the one of `keep` ends.
    pub(crate) password: Option<&'a str>,
    /// The hash of the token that stays.
    pub(crate) keep: Option<&'a str>,
    /// An id for the job, if one is left.
    pub(crate) job: &'a str,
}

/// Has an account be what it shall be; `false` if it is not what it was any more.
pub(crate) async fn set(store: &Store, update: &Update<'_>, now: Ms) -> Result<bool> {
    let Update { was, user, .. } = *update;
    let mut change = Change::new();
    held::keep(&mut change, user.roles.iter().filter(|role| !was.roles.contains(role)));
    let admin = |user: &User| user.active && user.roles.iter().any(|role| role == "admin");
    if admin(was) && !admin(user) {
        keep_an_admin(&mut change, &user.id, now);
    }
    if let (true, Some(name)) = (user.username != was.username, &user.username) {
        let names = [fold(name).into(), name.into(), (&user.id).into()];
        change.expect(0, Error::UsernameTaken(name.clone()), NAME_TAKEN, names);
    }
    let [id, username, fold_, name, name_fold, _, active, password, roles, emails, rest @ ..] =
        args(user, update.password)?;
    let [status, status_default, status_text, _, _, _, body, _, _] = rest;
    let all: [Value; 15] = [
        id,
        was.updated.into(),
        username,
        fold_,
        name,
        name_fold,
        roles,
        emails,
        status_default,
        status_text,
        body,
        status,
        password,
        now.into(),
        active,
    ];
    change.expect(1, Error::NoUser, SET, all);
    rename::follow(&mut change, was, user, update.job, now);
    held::follow(&mut change, was, user, now);
    if user.active != was.active {
        switch(&mut change, &user.id, user.active, now);
    }
    follow(&mut change, update, now);
    gone(store.write(change).await)
}

/// What follows for addresses, sessions, and those who listen.
fn follow(change: &mut Change, update: &Update<'_>, now: Ms) {
    let Update { was, user, .. } = *update;
    let id = user.id.as_str();
    if user.emails != was.emails {
        change.run(DROP_EMAILS, [id.into()]);
        for email in &user.emails {
            let taken = Error::EmailTaken(email.address.clone());
            change.expect(1, taken, ADD_EMAIL, [fold(&email.address).into(), id.into()]);
        }
    }
    if update.password.is_some() {
        let keep = update.keep.unwrap_or("");
        change.run(TELL_SESSIONS, [id.into(), now.into(), keep.into()]);
        change.run(END_SESSIONS, [id.into(), keep.into()]);
    }
    if (&user.status, &user.status_text) != (&was.status, &was.status_text) {
        events::add(change, now, Kind::Status, None, None, id);
    }
    events::add(change, now, Kind::User, None, None, id);
}

/// `false` for a state that is over.
fn gone<T>(done: Result<T>) -> Result<bool> {
    match done {
        Ok(_) => Ok(true),
        Err(Error::NoUser) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Replaces an account's preferences if it still is what it was; `false` if not. `touch`: do they
/// change how it sees its rooms?
pub(crate) async fn set_preferences(
    store: &Store,
    was: &User,
    (preferences, highlights): (&str, Option<&str>),
    touch: bool,
    now: Ms,
) -> Result<bool> {
    let id = &was.id;
    let mut change = Change::new();
    let args: [Value; 5] =
        [id.into(), was.updated.into(), preferences.into(), highlights.into(), now.into()];
    change.expect(1, Error::NoUser, SET_PREFERENCES, args);
    if touch {
        change.run(MARK_ROOMS, [id.into(), now.into()]);
        change.run(TOUCH, [id.into()]);
    }
    events::add(&mut change, now, Kind::User, None, None, id.as_str());
    gone(store.write(change).await)
}

/// Another picture of an account: its carried members with what names the picture.
pub(crate) async fn set_avatar(store: &Store, was: &User, user: &User, now: Ms) -> Result<bool> {
    let update = Update { was, user, password: None, keep: None, job: "" };
    let mut change = Change::new();
    let args: [Value; 4] =
        [(&was.id).into(), was.updated.into(), user.body.as_str().into(), now.into()];
    change.expect(1, Error::NoUser, SET_BODY, args);
    follow(&mut change, &update, now);
    events::add(&mut change, now, Kind::Avatar, None, None, was.id.as_str());
    gone(store.write(change).await)
}

const SET_BODY: &str = "UPDATE users SET body = $3,
        updated = CASE WHEN updated >= $4 THEN updated + 1 ELSE $4 END
    WHERE id = $1 AND updated = $2";

/// The words of a room's other members that count as a mention of them, as JSON arrays.
pub(crate) async fn highlights(
    store: &Store,
    room: &crate::id::RoomId,
    author: &UserId,
) -> Result<Vec<(UserId, String)>> {
    let rows = store.read(WORDS, [room.into(), author.into()]).await?;
    rows.into_iter().map(|mut row| Ok((row.text()?.into(), row.text()?))).collect()
}
