//! What follows from another username or real name (contract section 6.3), as part of the change that
//! gives it: the rooms' lists of names and the other members' names for the room. What the account wrote
//! and where it is named can be millions of rows: a job goes through them behind the change.

use super::{Change, Value, clock, events, jobs};
use crate::account::User;
use crate::event::Kind;
use crate::id::UserId;
use crate::time::Ms;

/// The rooms of an account, which is `$1`.
macro_rules! own_rooms {
    () => {
        "(SELECT s.room FROM members s WHERE s.usr = $1)"
    };
}
/// The room's time that was just taken.
macro_rules! taken {
    () => {
        "updated = (SELECT r.last_ts FROM rooms r WHERE r.id = members.room)"
    };
}
/// One name of all others in a room, in the order of joining. A list of one is that name.
macro_rules! others {
    ($name:literal, $between:literal) => {
        concat!(
            "(SELECT string_agg(",
            $name,
            ", '",
            $between,
            "' ORDER BY o.place, o.usr) FROM members o JOIN users u ON u.id = o.usr
                WHERE o.room = members.room AND o.usr <> members.usr)"
        )
    };
}
macro_rules! fname {
    () => {
        concat!(
            "fname = coalesce(",
            others!("coalesce(nullif(u.name, ''), u.username, u.id)", ", "),
            ", fname)"
        )
    };
}
macro_rules! name {
    () => {
        concat!("name = coalesce(", others!("coalesce(u.username, u.id)", ","), ", name)")
    };
}
macro_rules! of_partners {
    () => {
        concat!(
            " WHERE usr <> $1 AND room IN ",
            own_rooms!(),
            " AND EXISTS (SELECT 1 FROM rooms r WHERE r.id = members.room AND r.kind = 'd')"
        )
    };
}

/// `$3` and `$4` are the old and the new name as they begin a JSON array, `$5` and `$6` as they follow
/// in one: neither can stand inside a text of it.
const ROOMS: &str = concat!(
    "UPDATE rooms SET usernames = replace(replace(usernames, $3, $4), $5, $6), ",
    clock::tick_shown!(),
    " WHERE id IN ",
    own_rooms!()
);
const ROOMS_STAY: &str =
    concat!("UPDATE rooms SET ", clock::tick!(), " WHERE id IN ", own_rooms!());
const ADD_NAMES: &str = concat!(
    "INSERT INTO usernames (name, room)
        SELECT CAST($3 AS KEYTEXT), x.room FROM usernames x WHERE x.name = $2 AND x.room IN ",
    own_rooms!(),
    " ON CONFLICT DO NOTHING"
);
const DROP_NAMES: &str =
    concat!("DELETE FROM usernames WHERE name = $2 AND room IN ", own_rooms!());
const BOTH: &str =
    concat!("UPDATE members SET ", name!(), ", ", fname!(), ", ", taken!(), of_partners!());
const FNAME: &str = concat!("UPDATE members SET ", fname!(), ", ", taken!(), of_partners!());
/// Whoever is alone in a room sees itself.
const ALONE: &str = concat!(
    "UPDATE members SET name = $2, fname = $3, ",
    taken!(),
    " WHERE usr = $1 AND NOT EXISTS (SELECT 1 FROM members o
        WHERE o.room = members.room AND o.usr <> $1)"
);
const TELL: &str = "INSERT INTO events (pos, ts, kind, room, audience, ref)
    SELECT event_pos(), CAST($2 AS BIGINT), CAST($3 AS KEYTEXT), s.room, NULL, s.room
    FROM members s WHERE s.usr = $1";

/// Names of groups without the account, whose row is still there.
const WITHOUT: &str = "UPDATE members SET
        name = coalesce((SELECT string_agg(coalesce(u.username, u.id), ',' ORDER BY o.place, o.usr)
            FROM members o JOIN users u ON u.id = o.usr
            WHERE o.room = members.room AND o.usr <> members.usr AND o.usr <> $1), name),
        fname = coalesce((SELECT string_agg(coalesce(nullif(u.name, ''), u.username, u.id), ', '
                ORDER BY o.place, o.usr) FROM members o JOIN users u ON u.id = o.usr
            WHERE o.room = members.room AND o.usr <> members.usr AND o.usr <> $1), fname),
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = members.room)
    WHERE usr <> $1 AND room IN (SELECT s.room FROM members s WHERE s.usr = $1)
        AND EXISTS (SELECT 1 FROM rooms r WHERE r.id = members.room AND r.kind = 'd')";

/// Names the groups of an account anew for their other members, as part of the change that takes it
/// out of them.
pub(super) fn without(change: &mut Change, id: &UserId) {
    change.run(WITHOUT, [id.into()]);
}

/// A text as JSON has it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Adds what follows from an account being called `user` that was called `was`; nothing if that is
/// the same.
pub(super) fn follow(change: &mut Change, was: &User, user: &User, job: &str, now: Ms) {
    let id = &user.id;
    let renamed = was.handle() != user.handle();
    if !renamed && was.shown_name() == user.shown_name() {
        return;
    }
    if renamed {
        let (old, new) = (quoted(was.handle()), quoted(user.handle()));
        let args: [Value; 6] = [
            id.into(),
            now.into(),
            format!("[{old}").into(),
            format!("[{new}").into(),
            format!(",{old}").into(),
            format!(",{new}").into(),
        ];
        change.run(ROOMS, args);
        change.run(ADD_NAMES, [id.into(), was.handle().into(), user.handle().into()]);
        change.run(DROP_NAMES, [id.into(), was.handle().into()]);
        change.run(BOTH, [id.into()]);
        let args = serde_json::json!({ "old": was.handle() }).to_string();
        jobs::add(change, &jobs::New { id: job, kind: jobs::Kind::Rename, user: id, args }, now);
    } else {
        change.run(ROOMS_STAY, [id.into(), now.into()]);
        change.run(FNAME, [id.into()]);
    }
    change.run(ALONE, [id.into(), user.handle().into(), user.shown_name().into()]);
    change.run(TELL, [id.into(), now.into(), Kind::RoomChanged.name().into()]);
    events::add(change, now, Kind::UserRenamed, None, None, id.as_str());
}
