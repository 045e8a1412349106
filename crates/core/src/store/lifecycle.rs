//! Switching accounts on and off and removing them, with all that follows for their rooms (contract
//! section 6.3) in one change. What a removed account wrote is left to a job, as are the messages of its
//! 1:1 rooms: they are out of everybody's reach from the change on. Accounts are locked before rooms,
//! and rooms before members, as a send and the making of a room do.

use super::{Change, Store, Value, clock, events, jobs, rename, tokens, users};
use crate::account::User;
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::UserId;
use crate::time::Ms;

/// Whoever takes an administrator away does so one after the other.
const ONE_BY_ONE: &str = "INSERT INTO meta (name, value) VALUES ('admins', $1)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const ANOTHER_ADMIN: &str = "SELECT h.usr FROM holders h JOIN users u ON u.id = h.usr
    WHERE h.role = 'admin' AND u.active AND h.usr <> $1 LIMIT 1";

const SET_ACTIVE: &str = "UPDATE users SET active = $2,
        updated = CASE WHEN updated >= $3 THEN updated + 1 ELSE $3 END WHERE id = $1";
/// Writable again only if the other is active.
const SILENCE_ROOMS: &str = "UPDATE rooms SET react_ro = FALSE,
        ro = ($2 OR EXISTS (SELECT 1 FROM members o WHERE o.room = rooms.id AND o.usr <> $1
            AND o.disabled)),
        last_ts = CASE WHEN last_ts >= $3 THEN last_ts + 1 ELSE $3 END,
        updated = CASE WHEN last_ts >= $3 THEN last_ts + 1 ELSE $3 END
    WHERE kind = 'd' AND users_count = 2 AND id IN (SELECT room FROM members WHERE usr = $1)";
const SILENCE_MEMBER: &str = "UPDATE members SET disabled = $2 WHERE usr = $1";
const ARCHIVE: &str = "UPDATE members SET archived = $2,
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = members.room)
    WHERE usr <> $1 AND room IN (SELECT s.room FROM members s JOIN rooms r ON r.id = s.room
        WHERE s.usr = $1 AND r.kind = 'd' AND r.users_count = 2)";
const TELL_PAIRS: &str = "INSERT INTO events (pos, ts, kind, room, audience, ref)
    SELECT event_pos(), CAST($2 AS BIGINT), CAST($3 AS KEYTEXT), s.room, NULL, s.room
    FROM members s JOIN rooms r ON r.id = s.room
    WHERE s.usr = $1 AND r.kind = 'd' AND r.users_count = 2";

/// A room of the account, which is `$1`, that goes with it, or that stays without it.
macro_rules! small {
    () => {
        "(SELECT s.room FROM members s JOIN rooms r ON r.id = s.room
            WHERE s.usr = $1 AND r.kind = 'd' AND r.users_count <= 2)"
    };
}
const HOLD: &str = "UPDATE users SET active = FALSE WHERE id = $1 AND roles = $2";
const HOLD_ROOMS: &str = concat!(
    "UPDATE rooms SET ",
    clock::tick_shown!(),
    " WHERE id IN (SELECT s.room FROM members s WHERE s.usr = $1)"
);
const BURY: &str = concat!(
    "INSERT INTO tombstones (kind, id, room, usr, ts)
        SELECT 'member', o.id, o.room, o.usr, CAST($2 AS BIGINT) FROM members o
        WHERE o.room IN ",
    small!(),
    " OR o.usr = $1 ON CONFLICT DO NOTHING"
);
const TELL_MEMBERS: &str = concat!(
    "INSERT INTO events (pos, ts, kind, room, audience, ref)
        SELECT event_pos(), CAST($2 AS BIGINT), CAST($3 AS KEYTEXT), o.room, o.usr, o.room
        FROM members o WHERE o.room IN ",
    small!()
);
const TELL_GROUPS: &str = "INSERT INTO events (pos, ts, kind, room, audience, ref)
    SELECT event_pos(), CAST($2 AS BIGINT), CAST($3 AS KEYTEXT), s.room, NULL, s.room
    FROM members s JOIN rooms r ON r.id = s.room
    WHERE s.usr = $1 AND NOT (r.kind = 'd' AND r.users_count <= 2)";
const CLOSE_SMALL: &str =
    concat!("UPDATE rooms SET kind = 'gone', member_key = NULL WHERE id IN ", small!());
/// An id or a name of a JSON array, `$3` as JSON, in each place where it can stand.
macro_rules! without {
    ($list:literal, $name:literal) => {
        concat!(
            $list,
            " = replace(replace(replace(",
            $list,
            ", '[' || ",
            $name,
            " || ',', '['), ',' || ",
            $name,
            ", ''), '[' || ",
            $name,
            " || ']', '[]')"
        )
    };
}
const LEAVE_GROUPS: &str = concat!(
    "UPDATE rooms SET member_key = NULL, ",
    without!("uids", "CAST($2 AS KEYTEXT)"),
    ", ",
    without!("usernames", "CAST($3 AS KEYTEXT)"),
    " WHERE kind <> 'gone' AND id IN (SELECT s.room FROM members s WHERE s.usr = $1)"
);
const DROP_NAMES: &str = "DELETE FROM usernames WHERE room IN (SELECT s.room FROM members s
    JOIN rooms r ON r.id = s.room WHERE s.usr = $1 AND r.kind = 'gone')";
const DROP_NAME: &str = "DELETE FROM usernames WHERE name = $2
    AND room IN (SELECT s.room FROM members s WHERE s.usr = $1)";
const DROP_SMALL: &str = "DELETE FROM members WHERE usr <> $1 AND room IN (SELECT s.room
    FROM members s JOIN rooms r ON r.id = s.room WHERE s.usr = $1 AND r.kind = 'gone')";
const DROP_OWN: &str = "DELETE FROM members WHERE usr = $1";
const DROP_THREADS: &str = "DELETE FROM unread_threads WHERE usr = $1";
const BURY_USER: &str = "INSERT INTO tombstones (kind, id, room, usr, ts)
    VALUES ('user', $1, '', NULL, $2) ON CONFLICT DO NOTHING";
const REMOVE: &str = "DELETE FROM users WHERE id = $1";

const IDLE: &str = "SELECT u.id, u.last_login, u.roles FROM users u
    WHERE u.active AND (u.last_login, u.id) < ($1, $2)
    ORDER BY u.last_login DESC, u.id DESC LIMIT $3";

/// Lets the change pass only if there is an active administrator beside this account.
pub(super) fn keep_an_admin(change: &mut Change, id: &UserId, now: Ms) {
    change.run(ONE_BY_ONE, [now.to_string().into()]);
    change.expect(1, Error::LastAdmin, ANOTHER_ADMIN, [id.into()]);
}

/// Switches an account on or off: its 1:1 rooms become read-only, and writable again when both are
/// active; its partners' view of them is archived; it cannot write anywhere, and its sessions end.
/// `guard`: refuse if no administrator would be left.
pub(crate) async fn set_active(
    store: &Store,
    id: &UserId,
    active: bool,
    guard: bool,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    if guard {
        keep_an_admin(&mut change, id, now);
    }
    change.expect(1, Error::NoUser, SET_ACTIVE, [id.into(), active.into(), now.into()]);
    switch(&mut change, id, active, now);
    events::add(&mut change, now, Kind::User, None, None, id.as_str());
    store.write(change).await.map(drop)
}

/// What follows for rooms and sessions from an account being switched on or off, as part of the change
/// that does it.
pub(super) fn switch(change: &mut Change, id: &UserId, active: bool, now: Ms) {
    change.run(SILENCE_ROOMS, [id.into(), (!active).into(), now.into()]);
    change.run(SILENCE_MEMBER, [id.into(), (!active).into()]);
    change.run(ARCHIVE, [id.into(), (!active).into()]);
    if !active {
        tokens::remove_all(change, id, now);
    }
    change.run(TELL_PAIRS, [id.into(), now.into(), Kind::RoomChanged.name().into()]);
}

/// Removes an account: its 1:1 rooms are gone, groups stay without it, and a job does with its
/// messages as `args` says. `false` if its roles changed since it was read.
pub(crate) async fn remove(
    store: &Store,
    user: &User,
    (job, args): (&str, String),
    guard: bool,
    now: Ms,
) -> Result<bool> {
    let id = &user.id;
    let mut change = Change::new();
    if guard {
        keep_an_admin(&mut change, id, now);
    }
    let roles = serde_json::to_string(&user.roles).map_err(Error::internal)?;
    change.expect(1, Error::NoUser, HOLD, [id.into(), roles.into()]);
    change.run(HOLD_ROOMS, [id.into(), now.into()]);
    jobs::add(&mut change, &jobs::New { id: job, kind: jobs::Kind::Erase, user: id, args }, now);
    change.run(BURY, [id.into(), now.into()]);
    change.run(TELL_MEMBERS, [id.into(), now.into(), Kind::RoomDeleted.name().into()]);
    change.run(TELL_GROUPS, [id.into(), now.into(), Kind::RoomChanged.name().into()]);
    change.run(CLOSE_SMALL, [id.into()]);
    let (uid, name): (Value, Value) =
        (rename::quoted(id.as_str()).into(), rename::quoted(user.handle()).into());
    change.run(LEAVE_GROUPS, [id.into(), uid, name]);
    change.run(DROP_NAMES, [id.into()]);
    change.run(DROP_NAME, [id.into(), user.handle().into()]);
    change.run(DROP_SMALL, [id.into()]);
    rename::without(&mut change, id);
    change.run(DROP_OWN, [id.into()]);
    change.run(DROP_THREADS, [id.into()]);
    tokens::remove_all(&mut change, id, now);
    change.expect(1, Error::NoUser, REMOVE, [id.into()]);
    change.run(BURY_USER, [id.into(), now.into()]);
    events::add(&mut change, now, Kind::UserDeleted, None, None, id.as_str());
    match store.write(change).await {
        Ok(_) => Ok(true),
        // It is not there any more, or it is another account now: who asked looks again.
        Err(Error::NoUser) => users::by_id(store, id).await?.ok_or(Error::NoUser).map(|_| false),
        Err(other) => Err(other),
    }
}

/// An active account with the time of its last login and its roles.
pub(crate) struct Idle {
    pub(crate) user: UserId,
    pub(crate) last_login: Ms,
    pub(crate) roles: String,
}

/// Active accounts whose last login lies before a time (and an id at that time), the newest first.
pub(crate) async fn idle(
    store: &Store,
    (before, before_id): (Ms, &str),
    limit: i64,
) -> Result<Vec<Idle>> {
    let rows = store.read(IDLE, [before.into(), before_id.into(), limit.into()]).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Idle { user: row.text()?.into(), last_login: row.int()?, roles: row.text()? })
        })
        .collect()
}
