//! Members: a user's own view of a room. Unread counts are derived (ruling A2): a member row holds
//! how far it has read, so a send touches the sender's row and nobody else's.

use super::{Change, Row, Store, Value, events};
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::{RoomId, UserId};
use crate::open::NewMember;
use crate::room::Member;
use crate::time::Ms;

macro_rules! columns {
    () => {
        "s.usr, s.id, s.ts, s.updated, s.opened, s.closed_seq, s.read_seq, s.mentions, \
         s.group_mentions, s.ls, s.blocked, s.blocker, s.disabled, s.name, s.fname, s.body"
    };
}
pub(crate) use columns;

const ADD: &str =
    "INSERT INTO members (room, usr, id, place, ts, updated, opened, read_seq, mentions,
        group_mentions, blocked, blocker, disabled, name, fname, body)
    SELECT r.id, CAST($2 AS KEYTEXT), $3, $4, $5, $5, $6, r.seq, 0, 0, FALSE, FALSE,
        EXISTS (SELECT 1 FROM users u WHERE u.id = $2 AND NOT u.active), $7, $8, '{}'
    FROM rooms r WHERE r.id = $1
    ON CONFLICT (room, usr) DO NOTHING";
const OPEN: &str = "UPDATE members SET opened = TRUE, closed_seq = NULL,
        updated = CASE WHEN updated >= $3 THEN updated + 1 ELSE $3 END
    WHERE room = $1 AND usr = $2 AND (closed_seq IS NOT NULL OR NOT opened)";
const CLOSE: &str = "UPDATE members SET opened = FALSE,
        closed_seq = (SELECT r.seq FROM rooms r WHERE r.id = $1),
        updated = CASE WHEN updated >= $3 THEN updated + 1 ELSE $3 END
    WHERE room = $1 AND usr = $2";
const SET_BLOCK: &str = "UPDATE members SET blocker = CASE WHEN usr = $2 THEN $3 ELSE blocker END,
        blocked = CASE WHEN usr = $2 THEN blocked ELSE $3 END,
        updated = CASE WHEN updated >= $4 THEN updated + 1 ELSE $4 END
    WHERE room = $1";
const SET_READ_ONLY: &str = "UPDATE rooms SET ro = $2,
        updated = CASE WHEN updated >= $3 THEN updated + 1 ELSE $3 END WHERE id = $1";

/// Reads the columns of [`columns!`].
pub(crate) fn read(row: &mut Row) -> Result<Member> {
    Ok(Member {
        user: row.text()?.into(),
        id: row.text()?,
        ts: row.int()?,
        updated: row.int()?,
        opened: row.bool()?,
        closed_seq: row.opt_int()?,
        read_seq: row.int()?,
        mentions: row.int()?,
        group_mentions: row.int()?,
        last_seen: row.opt_int()?,
        blocked: row.bool()?,
        blocker: row.bool()?,
        disabled: row.bool()?,
        name: row.text()?,
        fname: row.text()?,
        body: row.text()?,
    })
}

/// Makes a member as part of a larger change; one that is there stays as it is.
pub(crate) fn add(change: &mut Change, room: &RoomId, member: &NewMember, now: Ms) {
    let args: [Value; 8] = [
        room.into(),
        (&member.user).into(),
        member.id.as_str().into(),
        member.place.into(),
        now.into(),
        member.opened.into(),
        member.name.as_str().into(),
        member.fname.as_str().into(),
    ];
    change.run(ADD, args);
}

/// Makes what is missing of a room's memberships, and opens the room for one of them.
pub(crate) async fn complete(
    store: &Store,
    room: &RoomId,
    members: &[NewMember],
    opener: &UserId,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    for member in members {
        add(&mut change, room, member, now);
    }
    open_in(&mut change, room, opener, now);
    store.write(change).await.map(drop)
}

fn open_in(change: &mut Change, room: &RoomId, user: &UserId, now: Ms) {
    change.run(OPEN, [room.into(), user.into(), now.into()]);
    let (room, user) = (room.as_str(), user.as_str());
    events::add(change, now, Kind::MemberChanged, Some(room), Some(user), room);
}

/// Shows the room in its member's list.
pub(crate) async fn open(store: &Store, room: &RoomId, user: &UserId, now: Ms) -> Result<()> {
    let mut change = Change::new();
    open_in(&mut change, room, user, now);
    store.write(change).await.map(drop)
}

/// Hides the room from its member's list until the next message.
pub(crate) async fn close(store: &Store, room: &RoomId, user: &UserId, now: Ms) -> Result<()> {
    let mut change = Change::new();
    let args = [room.into(), user.into(), now.into()];
    change.expect(1, Error::NotSubscribed, CLOSE, args);
    let (id, usr) = (room.as_str(), user.as_str());
    events::add(&mut change, now, Kind::MemberChanged, Some(id), Some(usr), id);
    store.write(change).await.map(drop)
}

/// Blocks or unblocks the other side of a 1:1 room. Locks the room first, as a send does.
pub(crate) async fn set_block(
    store: &Store,
    room: &RoomId,
    user: &UserId,
    block: bool,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    let touch = "UPDATE rooms SET updated = updated WHERE id = $1 AND users_count <= 2";
    change.expect(1, Error::NoRoom, touch, [room.into()]);
    change.run(SET_BLOCK, [room.into(), user.into(), block.into(), now.into()]);
    let id = room.as_str();
    events::add(&mut change, now, Kind::RoomChanged, Some(id), None, id);
    store.write(change).await.map(drop)
}

/// Makes a room read-only, or writable again.
pub(crate) async fn set_read_only(store: &Store, room: &RoomId, on: bool, now: Ms) -> Result<()> {
    let mut change = Change::new();
    change.expect(1, Error::NoRoom, SET_READ_ONLY, [room.into(), on.into(), now.into()]);
    let id = room.as_str();
    events::add(&mut change, now, Kind::RoomChanged, Some(id), None, id);
    store.write(change).await.map(drop)
}
