//! Rooms: found by id or by exact member set, listed with their newest message, changed by guarded
//! statements. `lastMessage` is never copied into the row: the row names it, the listing joins it.

use super::fields::OfRooms;
use super::listing::Listing;
use super::{Change, Read, Row, Store, Value, clock, events, members, messages, terms, users};
use crate::account::User;
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::{RoomId, UserId};
use crate::list::{Document, ListQuery, Page, count};
use crate::message::Message;
use crate::open::NewRoom;
use crate::room::{Conversation, Member, Room};
use crate::time::Ms;
use serde_json::Value as Json;
use std::collections::HashMap;

macro_rules! columns {
    () => {
        "r.id, r.kind, r.ts, r.updated, r.creator, r.users_count, r.uids, r.usernames, r.topic, \
         r.ro, r.react_ro, r.highlights, r.seq, r.msgs, r.stored, r.lm, r.last_id, r.activity, r.body"
    };
}
pub(crate) use columns;

macro_rules! with_last {
    () => {
        concat!(columns!(), ", ", messages::columns!())
    };
}

const BY_ID: &str =
    concat!("SELECT ", columns!(), " FROM rooms r WHERE r.id = $1 AND r.kind <> 'gone'");
const MINE: &str = concat!(
    "SELECT ",
    columns!(),
    ", ",
    members::columns!(),
    " FROM rooms r JOIN members s ON s.room = r.id WHERE r.id = $1 AND s.usr = $2"
);
const BY_KEY: &str = concat!(
    "SELECT ",
    columns!(),
    ", (SELECT count(*) FROM members c WHERE c.room = r.id),
        (SELECT count(*) FROM members c WHERE c.room = r.id AND c.usr = $2
            AND c.opened AND c.closed_seq IS NULL)
     FROM rooms r WHERE r.member_key = $1"
);
const ADD: &str =
    "INSERT INTO rooms (id, kind, ts, updated, creator, member_key, users_count, uids,
        usernames, seq, msgs, stored, last_ts, activity, body, ro)
    VALUES ($1, 'd', $2, $2, $3, $4, $5, $6, $7, 0, 0, 0, $2, $2, $8, FALSE)
    ON CONFLICT DO NOTHING";
const ADD_NAME: &str = "INSERT INTO usernames (name, room) VALUES ($1, $2) ON CONFLICT DO NOTHING";
/// Locks an account, so that it is not switched on or off while a room is made for it.
const HOLD: &str = "UPDATE users SET updated = updated WHERE id = $1";
const HOLD_ROOM: &str =
    concat!("UPDATE rooms SET ", clock::tick!(), " WHERE id = $1 AND kind = 'd'");
const BURY_MEMBERS: &str = "INSERT INTO tombstones (kind, id, room, usr, ts)
    SELECT 'member', s.id, s.room, s.usr, r.last_ts
    FROM members s JOIN rooms r ON r.id = s.room WHERE s.room = $1 ON CONFLICT DO NOTHING";
const TELL_MEMBERS: &str = "INSERT INTO events (pos, ts, kind, room, audience, ref)
    SELECT event_pos(), CAST($2 AS BIGINT), CAST($3 AS KEYTEXT), s.room, s.usr, s.room
    FROM members s WHERE s.room = $1";
const FORGET_MESSAGES: &str = "DELETE FROM tombstones WHERE kind = 'message' AND room = $1";
const REMOVE: &str = "DELETE FROM rooms WHERE id = $1";
const SILENCE: &str = "UPDATE rooms SET ro = TRUE WHERE id = $1 AND users_count = 2
    AND EXISTS (SELECT 1 FROM members m WHERE m.room = $1 AND m.disabled)";
const HIGHLIGHTS: &str = "UPDATE rooms SET highlights = TRUE WHERE id = $1
    AND EXISTS (SELECT 1 FROM members s JOIN users u ON u.id = s.usr
        WHERE s.room = $1 AND u.highlights IS NOT NULL)";

/// Each room's newest message, and the caller's star on it. `$1` is the caller.
macro_rules! newest {
    () => {
        " LEFT JOIN messages m ON m.id = r.last_id"
    };
}
/// The same where documents are to have none: nothing is found, so nothing is shown, matched or sorted by.
macro_rules! none {
    () => {
        " LEFT JOIN messages m ON m.id = r.last_id AND FALSE"
    };
}
macro_rules! star {
    () => {
        " LEFT JOIN stars st ON st.message = m.id AND st.usr = $1"
    };
}
/// The caller's rooms.
macro_rules! my_rooms {
    () => {
        "members s JOIN rooms r ON r.id = s.room"
    };
}
macro_rules! mine {
    () => {
        "s.usr = $1 AND r.kind = 'd'"
    };
}
/// Paged by narrow rows first, as [`RECENT`] is.
const LIST: &str = concat!(
    "SELECT ",
    with_last!(),
    " FROM (SELECT r.id FROM members s JOIN rooms r ON r.id = s.room WHERE ",
    mine!(),
    " ORDER BY r.ts, r.id LIMIT $2 OFFSET $3) page JOIN rooms r ON r.id = page.id
      LEFT JOIN messages m ON m.id = r.last_id
      LEFT JOIN stars st ON st.message = m.id AND st.usr = $1 ORDER BY r.ts, r.id"
);
const COUNT: &str = "SELECT count(*) FROM members s JOIN rooms r ON r.id = s.room
    WHERE s.usr = $1 AND r.kind = 'd'";
const LIST_ALL: &str = concat!(
    "SELECT ",
    with_last!(),
    " FROM rooms r",
    newest!(),
    star!(),
    " WHERE r.kind = 'd' ORDER BY r.ts, r.id LIMIT $2 OFFSET $3"
);
const COUNT_ALL: &str = "SELECT count(*) FROM rooms r WHERE r.kind = 'd' AND $1 = $1";

/// A page of conversations by activity: not closed, before a time (and an id at that time).
macro_rules! recent {
    () => {
        "s.usr = $1 AND r.kind = 'd' AND (s.closed_seq IS NULL OR s.closed_seq < r.seq)
            AND (r.activity < $2 OR (r.activity = $2 AND r.id < $3))
         ORDER BY r.activity DESC, r.id DESC LIMIT $4"
    };
}
/// The ids of that page.
macro_rules! recent_page {
    () => {
        concat!(
            "(SELECT r.id FROM members s JOIN rooms r ON r.id = s.room WHERE ",
            recent!(),
            ") page"
        )
    };
}
/// Paged by narrow rows first: messages are joined to the rooms that are given, not to those that are
/// sorted. In no order; [`recent`] has the few rows in hand to sort.
const RECENT: &str = concat!(
    "SELECT ",
    with_last!(),
    " FROM ",
    recent_page!(),
    " JOIN rooms r ON r.id = page.id LEFT JOIN messages m ON m.id = r.last_id
      LEFT JOIN stars st ON st.message = m.id AND st.usr = $1"
);
/// The members of the rooms of that page, paged first so that a large group takes one place.
const RECENT_MEMBERS: &str = concat!(
    "SELECT p.room, p.usr, ",
    users::columns!(),
    " FROM ",
    recent_page!(),
    " JOIN members p ON p.room = page.id LEFT JOIN users u ON u.id = p.usr
     ORDER BY p.room, p.place, p.usr"
);
const ONE: &str = concat!(
    "SELECT ",
    with_last!(),
    " FROM ",
    my_rooms!(),
    newest!(),
    star!(),
    " WHERE s.usr = $1 AND r.id = $2"
);
const ONE_MEMBERS: &str = concat!(
    "SELECT p.room, p.usr, ",
    users::columns!(),
    " FROM members p LEFT JOIN users u ON u.id = p.usr WHERE p.room = $1 ORDER BY p.place, p.usr"
);

/// Reads the columns of [`columns!`].
pub(crate) fn read(row: &mut Row) -> Result<Room> {
    Ok(Room {
        id: row.text()?.into(),
        kind: row.text()?,
        ts: row.int()?,
        updated: row.int()?,
        creator: row.opt_text()?.map(Into::into),
        users_count: row.int()?,
        uids: row.text()?,
        usernames: row.text()?,
        topic: row.opt_text()?,
        read_only: row.opt_bool()?,
        react_read_only: row.opt_bool()?,
        highlights: row.bool()?,
        seq: row.int()?,
        msgs: row.int()?,
        stored: row.int()?,
        lm: row.opt_int()?,
        last_id: row.opt_text()?.map(Into::into),
        activity: row.int()?,
        body: row.text()?,
        last: None,
    })
}

pub(super) fn read_with_last(row: &mut Row) -> Result<Room> {
    let mut room = read(row)?;
    room.last = read_last(row)?.map(Box::new);
    Ok(room)
}

fn read_last(row: &mut Row) -> Result<Option<Message>> {
    // The first column of a message is its id; NULL where the join found none.
    if row.is_null()? { Ok(None) } else { messages::read(row).map(Some) }
}

pub(crate) async fn by_id(store: &Store, id: &str) -> Result<Option<Room>> {
    let rows = store.read(BY_ID, [id.into()]).await?;
    rows.into_iter().next().map(|mut row| read(&mut row)).transpose()
}

/// The room and the user's membership in it, if there are both.
pub(crate) async fn with_member(
    store: &Store,
    id: &str,
    user: &UserId,
) -> Result<Option<(Room, Member)>> {
    let rows = store.read(MINE, [id.into(), user.into()]).await?;
    let Some(mut row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let room = read(&mut row)?;
    Ok(Some((room, members::read(&mut row)?)))
}

/// A room found by its exact member set.
pub(crate) struct ByMembers {
    pub(crate) room: Room,
    /// Members that have a subscription.
    pub(crate) members: i64,
    /// Is it open for the one who asked?
    pub(crate) open: bool,
}

pub(crate) async fn by_members(
    store: &Store,
    key: &str,
    user: &UserId,
) -> Result<Option<ByMembers>> {
    let rows = store.read(BY_KEY, [key.into(), user.into()]).await?;
    let Some(mut row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let room = read(&mut row)?;
    Ok(Some(ByMembers { room, members: row.int()?, open: row.int()? > 0 }))
}

/// Makes a room with its members; [`Error::BadId`] when the id or the member set is there already.
pub(crate) async fn add(store: &Store, new: &NewRoom) -> Result<()> {
    let mut change = Change::new();
    for member in &new.members {
        change.expect(1, Error::NoUser, HOLD, [(&member.user).into()]);
    }
    let args: [Value; 8] = [
        (&new.id).into(),
        new.ts.into(),
        (&new.creator).into(),
        new.key.as_str().into(),
        count(new.members.len()).into(),
        new.uids.as_str().into(),
        Json::from(new.usernames.as_slice()).to_string().into(),
        new.body.as_str().into(),
    ];
    change.expect(1, Error::BadId, ADD, args);
    add_names(&mut change, &new.id, &new.usernames);
    for member in &new.members {
        members::add(&mut change, &new.id, member, new.ts);
    }
    change.run(SILENCE, [(&new.id).into()]);
    mark_highlights(&mut change, &new.id);
    let id = new.id.as_str();
    events::add(&mut change, new.ts, Kind::RoomNew, Some(id), None, id);
    store.write(change).await.map(drop)
}

/// Has a new room know whether a member has words that count as a mention.
pub(crate) fn mark_highlights(change: &mut Change, room: &RoomId) {
    change.run(HIGHLIGHTS, [room.into()]);
}

/// Has a new room found by its usernames.
pub(crate) fn add_names(change: &mut Change, room: &RoomId, usernames: &[String]) {
    for name in usernames {
        change.run(ADD_NAME, [name.into(), room.into()]);
    }
}

/// Removes a direct room with all in it; each member's own trace of that stays.
pub(crate) async fn remove(store: &Store, room: &RoomId, now: Ms) -> Result<()> {
    let mut change = Change::new();
    change.expect(1, Error::NoRoom, HOLD_ROOM, [room.into(), now.into()]);
    change.run(BURY_MEMBERS, [room.into()]);
    change.run(TELL_MEMBERS, [room.into(), now.into(), Kind::RoomDeleted.name().into()]);
    change.run(FORGET_MESSAGES, [room.into()]);
    terms::forget_room(&mut change, room);
    change.expect(1, Error::NoRoom, REMOVE, [room.into()]);
    store.write(change).await.map(drop)
}

/// Which rooms a listing is of.
#[derive(Clone, Copy)]
pub(crate) enum Whose {
    /// The reader's own.
    Own,
    /// Every direct room.
    All,
}

/// Rooms by creation, or as the query says; with `last` each with its newest message and the reader's star
/// on that.
pub(crate) async fn list(
    store: &Store,
    (whose, last): (Whose, bool),
    reader: &UserId,
    query: &ListQuery,
    document: Document<Room>,
) -> Result<Page<Room>> {
    let (from, condition, fixed) = match whose {
        Whose::Own => (my_rooms!(), mine!(), (LIST, COUNT)),
        Whose::All => ("rooms r", "r.kind = 'd' AND $1 = $1", (LIST_ALL, COUNT_ALL)),
    };
    let listing = Listing {
        columns: with_last!(),
        from,
        joins: if last {
            &[("m.", newest!()), ("st.", star!())]
        } else {
            &[("m.", none!()), ("st.", star!())]
        },
        condition: condition.to_owned(),
        args: vec![reader.into()],
        order: "r.ts, r.id",
        id: "r.id",
        place: Some(("r.ts", ">")),
        fixed: last.then_some(fixed),
        fields: &OfRooms,
        among: None,
    };
    listing.page(store, query, read_with_last, document).await
}

/// The caller's open conversations with activity before (`before`, `before_id`), newest first.
pub(crate) async fn recent(
    store: &Store,
    user: &UserId,
    before: Ms,
    before_id: &str,
    limit: i64,
) -> Result<Vec<Conversation>> {
    let args: Vec<Value> = vec![user.into(), before.into(), before_id.into(), limit.into()];
    let reads = vec![Read::new(RECENT, args.clone()), Read::new(RECENT_MEMBERS, args)];
    let mut all = conversations(store.read_all(reads).await?)?;
    all.sort_by(|a, b| (b.room.activity, &b.room.id).cmp(&(a.room.activity, &a.room.id)));
    Ok(all)
}

/// One conversation of the caller's.
pub(crate) async fn conversation(
    store: &Store,
    user: &UserId,
    room: &RoomId,
) -> Result<Option<Conversation>> {
    let reads =
        vec![Read::new(ONE, [user.into(), room.into()]), Read::new(ONE_MEMBERS, [room.into()])];
    Ok(conversations(store.read_all(reads).await?)?.pop())
}

fn conversations(answers: Vec<Vec<Row>>) -> Result<Vec<Conversation>> {
    let mut answers = answers.into_iter();
    let rooms = answers.next().unwrap_or_default();
    let mut all = Vec::with_capacity(rooms.len());
    for mut row in rooms {
        all.push(Conversation { room: read_with_last(&mut row)?, members: Vec::new() });
    }
    let places = all.iter().enumerate().map(|(place, one)| (one.room.id.to_string(), place));
    let places: HashMap<String, usize> = places.collect();
    for mut row in answers.next().unwrap_or_default() {
        let (room, id) = (row.text()?, UserId::from(row.text()?));
        let user: Option<User> = if row.is_null()? { None } else { Some(users::read(&mut row)?) };
        if let Some(conversation) = places.get(&room).and_then(|place| all.get_mut(*place)) {
            conversation.members.push((id, user));
        }
    }
    Ok(all)
}
