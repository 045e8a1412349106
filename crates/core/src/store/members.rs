//! Members: a user's own view of a room. Unread counts are derived (ruling A2): a member row holds
//! how far it has read, so a send touches the sender's row and nobody else's.

use super::{Change, Read, Row, Store, Value, clock, events, rooms, users};
use crate::account::User;
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::{RoomId, UserId};
use crate::open::NewMember;
use crate::reading::{Counting, Ended, Membership, UnreadThread};
use crate::room::Member;
use crate::time::Ms;
use std::collections::HashMap;

macro_rules! columns {
    () => {
        "s.usr, s.id, s.ts, s.updated, s.opened, s.closed_seq, s.read_seq, s.mentions, \
         s.group_mentions, s.marked, s.ls, s.lr, s.blocked, s.blocker, s.disabled, s.archived, s.name, s.fname, s.body"
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
// A membership changes at a time of its room's clock (clock.rs), so that it is newer than all that
// the member has seen of the room.
const TAKE_TIME_OF_PAIR: &str =
    concat!("UPDATE rooms SET ", clock::tick!(), " WHERE id = $1 AND users_count <= 2");
const OPEN: &str = "UPDATE members SET opened = TRUE, closed_seq = NULL,
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $1)
    WHERE room = $1 AND usr = $2 AND (closed_seq IS NOT NULL OR NOT opened)";
const CLOSE: &str = "UPDATE members SET opened = FALSE,
        closed_seq = (SELECT r.seq FROM rooms r WHERE r.id = $1),
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $1)
    WHERE room = $1 AND usr = $2";
const SET_BLOCK: &str = "UPDATE members SET blocker = CASE WHEN usr = $2 THEN $3 ELSE blocker END,
        blocked = CASE WHEN usr = $2 THEN blocked ELSE $3 END,
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $1)
    WHERE room = $1";
const SET_BODY: &str = "UPDATE members SET body = $4,
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $1)
    WHERE room = $1 AND usr = $2 AND body = $3";
const SET_READ_ONLY: &str = "UPDATE rooms SET ro = $2,
        last_ts = CASE WHEN last_ts >= $3 THEN last_ts + 1 ELSE $3 END,
        updated = CASE WHEN last_ts >= $3 THEN last_ts + 1 ELSE $3 END WHERE id = $1";

macro_rules! mine {
    () => {
        concat!(
            "SELECT ",
            rooms::columns!(),
            ", ",
            columns!(),
            " FROM members s JOIN rooms r ON r.id = s.room WHERE s.usr = $1 "
        )
    };
}
const ALL: &str = concat!(mine!(), "AND (s.updated > $2 OR r.updated > $2) ORDER BY r.ts, r.id");
const ONE: &str = concat!(mine!(), "AND s.room = $2");
const THREADS: &str = "SELECT room, thread, named, everyone FROM unread_threads
    WHERE usr = $1 ORDER BY room, thread";
const THREADS_OF_ONE: &str = "SELECT room, thread, named, everyone FROM unread_threads
    WHERE usr = $1 AND room = $2 ORDER BY room, thread";
const READERS: &str = concat!(
    "SELECT ",
    columns!(),
    ", ",
    users::columns!(),
    " FROM members s LEFT JOIN users u ON u.id = s.usr
      WHERE s.room = $1 AND s.ls >= $2 ORDER BY s.place, s.usr"
);
const ENDED: &str = "SELECT id, room, ts FROM tombstones
    WHERE kind = 'member' AND usr = $1 AND ts > $2 ORDER BY ts, id";

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
        marked: row.bool()?,
        last_seen: row.opt_int()?,
        last_reply: row.opt_int()?,
        blocked: row.bool()?,
        blocker: row.bool()?,
        disabled: row.bool()?,
        archived: row.opt_bool()?,
        name: row.text()?,
        fname: row.text()?,
        body: row.text()?,
    })
}

async fn memberships(
    store: &Store,
    reads: [Read; 2],
    counting: Counting,
) -> Result<Vec<Membership>> {
    let mut answers = store.read_all(reads.into()).await?.into_iter();
    let mut all = Vec::new();
    for mut row in answers.next().unwrap_or_default() {
        let room = rooms::read(&mut row)?;
        all.push(Membership::new(room, read(&mut row)?, counting));
    }
    let mut threads: HashMap<String, Vec<UnreadThread>> = HashMap::new();
    for mut row in answers.next().unwrap_or_default() {
        let room = row.text()?;
        let thread = UnreadThread { root: row.text()?, named: row.bool()?, everyone: row.bool()? };
        threads.entry(room).or_default().push(thread);
    }
    for membership in &mut all {
        membership.threads = threads.remove(membership.room.id.as_str()).unwrap_or_default();
    }
    Ok(all)
}

/// A user's memberships that changed (or whose room did) after `since`.
pub(crate) async fn all(
    store: &Store,
    user: &UserId,
    since: Ms,
    counting: Counting,
) -> Result<Vec<Membership>> {
    let args: [Value; 2] = [user.into(), since.into()];
    memberships(store, [Read::new(ALL, args), Read::new(THREADS, [user.into()])], counting).await
}

/// A user's membership in one room.
pub(crate) async fn one(
    store: &Store,
    user: &UserId,
    room: &str,
    counting: Counting,
) -> Result<Option<Membership>> {
    let args: [Value; 2] = [user.into(), room.into()];
    let reads = [Read::new(ONE, args.clone()), Read::new(THREADS_OF_ONE, args)];
    Ok(memberships(store, reads, counting).await?.pop())
}

/// Members of a room who looked at it at or after a time, in the order of joining.
pub(crate) async fn readers(
    store: &Store,
    room: &RoomId,
    since: Ms,
) -> Result<Vec<(Member, Option<User>)>> {
    let mut all = Vec::new();
    for mut row in store.read(READERS, [room.into(), since.into()]).await? {
        let member = read(&mut row)?;
        let user = if row.is_null()? { None } else { Some(users::read(&mut row)?) };
        all.push((member, user));
    }
    Ok(all)
}

/// A user's memberships that ended after `since`.
pub(crate) async fn ended(store: &Store, user: &UserId, since: Ms) -> Result<Vec<Ended>> {
    let rows = store.read(ENDED, [user.into(), since.into()]).await?;
    rows.into_iter()
        .map(|mut row| Ok(Ended { id: row.text()?, room: row.text()?, at: row.int()? }))
        .collect()
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
    clock::take(&mut change, room, now);
    for member in members {
        add(&mut change, room, member, now);
    }
    open_in(&mut change, room, opener, now);
    store.write(change).await.map(drop)
}

fn open_in(change: &mut Change, room: &RoomId, user: &UserId, now: Ms) {
    clock::take(change, room, now);
    change.run(OPEN, [room.into(), user.into()]);
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
    clock::take(&mut change, room, now);
    change.expect(1, Error::NotSubscribed, CLOSE, [room.into(), user.into()]);
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
    change.expect(1, Error::NoRoom, TAKE_TIME_OF_PAIR, [room.into(), now.into()]);
    change.run(SET_BLOCK, [room.into(), user.into(), block.into()]);
    let id = room.as_str();
    events::add(&mut change, now, Kind::RoomChanged, Some(id), None, id);
    store.write(change).await.map(drop)
}

/// Replaces a membership's carried members if they still are what they were; `false` if not.
pub(crate) async fn set_body(
    store: &Store,
    (room, user): (&RoomId, &UserId),
    was: &str,
    body: &str,
    now: Ms,
) -> Result<bool> {
    let mut change = Change::new();
    clock::take(&mut change, room, now);
    let args: [Value; 4] = [room.into(), user.into(), was.into(), body.into()];
    change.expect(1, Error::NotSubscribed, SET_BODY, args);
    let (room, user) = (room.as_str(), user.as_str());
    events::add(&mut change, now, Kind::MemberChanged, Some(room), Some(user), room);
    match store.write(change).await {
        Ok(_) => Ok(true),
        Err(Error::NotSubscribed) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Makes a room read-only, or writable again.
pub(crate) async fn set_read_only(store: &Store, room: &RoomId, on: bool, now: Ms) -> Result<()> {
    let mut change = Change::new();
    change.expect(1, Error::NoRoom, SET_READ_ONLY, [room.into(), on.into(), now.into()]);
    let id = room.as_str();
    events::add(&mut change, now, Kind::RoomChanged, Some(id), None, id);
    store.write(change).await.map(drop)
}
