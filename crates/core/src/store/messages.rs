//! Messages: the send with its guards, the listings, and the marks on single messages.
//! A send assigns time and sequence in its first statement, under the room's row, so that a room's
//! times strictly rise in commit order (ruling A4); the statements after it read them from there.
//! Each guard carries its own refusal (A5, A6), and the rows it guards are rows it locks.

use super::fields::OfMessages;
use super::listing::Listing;
use super::{Change, Row, Rows, Store, Value, clock, edits, events, threads};
use crate::content::Mentions;
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::{MessageId, RoomId, UserId};
use crate::list::{Document, ListQuery, Marks, Page};
use crate::message::{Author, Message};
use crate::send::Draft;
use crate::time::Ms;

macro_rules! columns {
    () => {
        "m.id, m.room, m.usr, m.username, m.name, m.ts, m.updated, m.kind, m.msg, m.mentions, \
         m.body, m.reactions, m.thread, m.tshow, m.tcount, m.tlm, m.replies, m.pinned, \
         m.pinned_at, m.pinned_by, m.edited_at, m.edited_by, m.origin, st.usr"
    };
}
pub(crate) use columns;

/// The reader's star, which is `$2`. A star's room is its message's; it is named so that a filter on
/// stars can begin with them.
macro_rules! star {
    () => {
        " LEFT JOIN stars st ON st.message = m.id AND st.usr = $2 AND st.room = m.room"
    };
}
/// Messages of a room with the reader's star. `$1` is the room, `$2` the reader.
macro_rules! in_room {
    () => {
        concat!("messages m", star!())
    };
}

const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM ",
    in_room!(),
    " WHERE m.room = $1 ORDER BY m.ts DESC, m.id DESC LIMIT $3 OFFSET $4"
);
/// The kept count (ruling A12); the reader is named so that both statements take the same arguments.
const TOTAL: &str = "SELECT r.stored FROM rooms r WHERE r.id = $1 AND $2 = $2";
const ONE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM messages m LEFT JOIN stars st ON st.message = m.id AND st.usr = $2 WHERE m.id = $1"
);
const BY_KEY: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM client_keys k JOIN messages m ON m.id = k.message
      LEFT JOIN stars st ON st.message = m.id AND st.usr = k.usr
      WHERE k.usr = $1 AND k.room = $2 AND k.name = $3"
);
/// Top-level messages, newest first, before a time and id.
const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM ",
    in_room!(),
    " WHERE m.room = $1 AND (m.ts < $3 OR (m.ts = $3 AND m.id < $4)) AND m.kind IS NULL
        AND (m.thread IS NULL OR m.tshow IS TRUE)
      ORDER BY m.ts DESC, m.id DESC LIMIT $5"
);

// The statements of a send. $3: does it count as unread; $4: is it top-level (moves lm and the
// newest message); $6: may the author write although the room is read-only?
const TAKE_TIME: &str = concat!(
    "UPDATE rooms SET ",
    clock::tick_shown!(),
    ",
        seq = seq + $3, msgs = msgs + 1, stored = stored + 1,
        lm = CASE WHEN NOT $4 THEN lm WHEN last_ts >= $2 THEN last_ts + 1 ELSE $2 END,
        activity = CASE WHEN NOT $4 THEN activity WHEN last_ts >= $2 THEN last_ts + 1 ELSE $2 END,
        last_id = CASE WHEN $4 THEN $5 ELSE last_id END
    WHERE id = $1 AND (ro IS NOT TRUE OR $6) RETURNING last_ts"
);
const SENDER_READ: &str = "UPDATE members SET opened = TRUE, closed_seq = NULL, mentions = 0,
        group_mentions = 0, marked = FALSE, read_seq = (SELECT r.seq FROM rooms r WHERE r.id = $1),
        ls = (SELECT r.last_ts FROM rooms r WHERE r.id = $1),
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $1)
    WHERE room = $1 AND usr = $2 AND NOT blocked AND NOT blocker AND NOT disabled";
const SENDER_REPLIES: &str = "UPDATE members SET opened = TRUE, closed_seq = NULL,
        lr = (SELECT r.last_ts FROM rooms r WHERE r.id = $1),
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $1)
    WHERE room = $1 AND usr = $2 AND NOT blocked AND NOT blocker AND NOT disabled";
const ADD: &str = "INSERT INTO messages (id, room, usr, username, name, ts, updated, kind, msg,
        mentions, body, thread, tshow)
    SELECT CAST($1 AS KEYTEXT), r.id, u.id, coalesce(u.username, u.id), u.name, r.last_ts, r.last_ts, $4, $5, $6,
        $7, $8, $9
    FROM rooms r JOIN users u ON u.id = $3 WHERE r.id = $2 AND u.active
        AND NOT EXISTS (SELECT 1 FROM tombstones x WHERE x.kind = 'message' AND x.id = $1)
    ON CONFLICT (id) DO NOTHING RETURNING username, name";
const ADD_KEY: &str = "INSERT INTO client_keys (usr, room, name, message) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";
const ADD_MENTION: &str = "INSERT INTO mentioned (message, usr, room) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING";
const COUNT_MENTION: &str = "UPDATE members SET mentions = mentions + 1
    WHERE room = $1 AND usr = $2 AND usr <> $3";
const COUNT_ALL: &str = "UPDATE members SET group_mentions = group_mentions + 1
    WHERE room = $1 AND usr <> $2";
/// The time that was taken.
macro_rules! taken {
    () => {
        "updated = (SELECT r.last_ts FROM rooms r WHERE r.id = messages.room)"
    };
}
const MARK: &str = concat!("UPDATE messages SET ", taken!(), " WHERE id = $1");
const STAR: &str = "INSERT INTO stars (message, usr, room, ts)
    SELECT m.id, $2, m.room, $3 FROM messages m WHERE m.id = $1 ON CONFLICT DO NOTHING";
const UNSTAR: &str = "DELETE FROM stars WHERE message = $1 AND usr = $2";
const REACT: &str = concat!(
    "UPDATE messages SET reactions = $3, ",
    taken!(),
    " WHERE id = $1 AND reactions IS NOT DISTINCT FROM $2"
);
const PIN: &str = concat!(
    "UPDATE messages SET pinned = $2, pinned_at = coalesce($3, pinned_at),
        pinned_by = coalesce($4, pinned_by), ",
    taken!(),
    " WHERE id = $1"
);

/// Reads the columns of [`columns!`].
pub(crate) fn read(row: &mut Row) -> Result<Message> {
    Ok(Message {
        id: row.text()?.into(),
        room: row.text()?.into(),
        author: Author { id: row.text()?.into(), username: row.text()?, name: row.opt_text()? },
        ts: row.int()?,
        updated: row.int()?,
        kind: row.opt_text()?,
        msg: row.text()?,
        mentions: row.opt_text()?,
        body: row.text()?,
        reactions: row.opt_text()?,
        thread: row.opt_text()?.map(Into::into),
        tshow: row.opt_bool()?,
        tcount: row.opt_int()?,
        tlm: row.opt_int()?,
        replies: row.opt_text()?,
        pinned: row.opt_bool()?,
        pinned_at: row.opt_int()?,
        pinned_by: row.opt_text()?,
        edited_at: row.opt_int()?,
        edited_by: row.opt_text()?,
        origin: row.opt_text()?,
        starred_by: row.opt_text()?.map(Into::into),
    })
}

fn first(rows: Vec<Row>) -> Result<Option<Message>> {
    rows.into_iter().next().map(|mut row| read(&mut row)).transpose()
}

/// The message of this id, with the reader's star.
pub(crate) async fn by_id(store: &Store, id: &str, reader: &UserId) -> Result<Option<Message>> {
    first(store.read(ONE, [id.into(), reader.into()]).await?)
}

/// The message that the author sent into the room under this key of its own.
pub(crate) async fn by_key(
    store: &Store,
    author: &UserId,
    room: &RoomId,
    key: &str,
) -> Result<Option<Message>> {
    first(store.read(BY_KEY, [author.into(), room.into(), key.into()]).await?)
}

/// The messages of one room, newest first or as the query says.
pub(crate) async fn list(
    store: &Store,
    room: &RoomId,
    reader: &UserId,
    query: &ListQuery,
    marks: &Marks,
    document: Document<Message>,
) -> Result<Page<Message>> {
    let mut args: Vec<Value> = vec![room.into(), reader.into()];
    let mut condition = "m.room = $1 AND $2 = $2".to_owned();
    for (ids, table) in [(&marks.mentioned, "mentioned"), (&marks.starred, "stars")] {
        if ids.is_empty() {
            continue;
        }
        let numbers: Vec<String> =
            (0..ids.len()).map(|n| format!("${}", args.len() + n + 1)).collect();
        args.extend(ids.iter().map(Value::from));
        condition.push_str(" AND m.id IN (SELECT x.message FROM ");
        condition.push_str(table);
        condition.push_str(" x WHERE x.room = $1 AND x.usr IN (");
        condition.push_str(&numbers.join(", "));
        condition.push_str("))");
    }
    if marks.pinned {
        condition += " AND m.pinned";
    }
    let listing = Listing {
        columns: columns!(),
        from: "messages m",
        joins: &[("st.", star!())],
        condition,
        args,
        order: "m.ts DESC, m.id DESC",
        id: "m.id",
        place: Some(("m.ts", "<")),
        fixed: marks.is_empty().then_some((LIST, TOTAL)),
        fields: &OfMessages,
        among: None,
    };
    listing.page(store, query, read, document).await
}

/// Top-level messages of a room before (`before`, `before_id`), newest first.
pub(crate) async fn page(
    store: &Store,
    room: &RoomId,
    reader: &UserId,
    (before, before_id): (Ms, &str),
    limit: i64,
) -> Result<Vec<Message>> {
    let args = [room.into(), reader.into(), before.into(), before_id.into(), limit.into()];
    let rows = store.read(PAGE, args).await?;
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

/// What the store assigned to a message that was sent.
pub(crate) struct Sent {
    pub(crate) ts: Ms,
    pub(crate) username: String,
    pub(crate) name: Option<String>,
}

/// Writes a message with everything that follows from it, or refuses: [`Error::ReadOnly`],
/// [`Error::Blocked`] (the author's membership does not allow it), [`Error::DuplicateMessage`],
/// [`Error::DuplicateKey`], [`Error::NoThread`].
pub(crate) async fn send(store: &Store, draft: &Draft, now: Ms) -> Result<Sent> {
    let mut change = Change::new();
    let written = write_message(&mut change, draft, now);
    sent(&mut store.write(change).await?, written)
}

/// Pins a message and says so in the room, as one change.
pub(crate) async fn pin(
    store: &Store,
    message: &MessageId,
    by: &str,
    notice: &Draft,
    now: Ms,
) -> Result<Sent> {
    let mut change = Change::new();
    let written = write_message(&mut change, notice, now);
    let args: [Value; 4] = [message.into(), true.into(), now.into(), by.into()];
    change.expect(1, Error::NoMessage, PIN, args);
    events::add_message(&mut change, Kind::MessageChanged, message.as_str());
    sent(&mut store.write(change).await?, written)
}

/// What a send's statements gave, by their places.
fn sent(rows: &mut [Rows], (time, added): (usize, usize)) -> Result<Sent> {
    let mut take = |place: usize| {
        let row = rows.get_mut(place).and_then(|rows| rows.rows.pop());
        row.ok_or_else(|| Error::internal("a send gave no row"))
    };
    let ts = take(time)?.int()?;
    let mut author = take(added)?;
    Ok(Sent { ts, username: author.text()?, name: author.opt_text()? })
}

/// Adds the statements of a send; returns the places of the time and of the author's names.
pub(super) fn write_message(change: &mut Change, draft: &Draft, now: Ms) -> (usize, usize) {
    let (id, room, author) = (&draft.id, &draft.room, &draft.author);
    let top = draft.kind.as_deref().is_none_or(|kind| kind == "e2e")
        && (draft.thread.is_none() || draft.tshow);
    let args: [Value; 6] = [
        room.into(),
        now.into(),
        i64::from(top).into(),
        top.into(),
        id.into(),
        draft.although_read_only.into(),
    ];
    let time = change.expect(1, Error::ReadOnly, TAKE_TIME, args);
    let sender = match draft.kind {
        _ if top => SENDER_READ,
        None => SENDER_REPLIES,
        // What the server says in a room is no reply of whoever caused it (contract 6.5).
        Some(_) => edits::STILL,
    };
    change.expect(1, Error::Blocked, sender, [room.into(), author.into()]);
    let args: [Value; 9] = [
        id.into(),
        room.into(),
        author.into(),
        draft.kind.as_deref().into(),
        draft.msg.as_str().into(),
        draft.mentions.json.as_deref().into(),
        draft.body.as_str().into(),
        draft.thread.as_ref().map(MessageId::as_str).into(),
        draft.tshow.then_some(true).into(),
    ];
    let added = change.expect(1, Error::DuplicateMessage, ADD, args);
    if let Some(key) = &draft.key {
        let args = [author.into(), room.into(), key.as_str().into(), id.into()];
        change.expect(1, Error::DuplicateKey, ADD_KEY, args);
    }
    write_mentions(change, draft, top);
    if let Some(root) = &draft.thread {
        threads::replied(change, draft, root);
    }
    events::add_message(change, Kind::MessageNew, id.as_str());
    (time, added)
}

fn write_mentions(change: &mut Change, draft: &Draft, counts: bool) {
    let Mentions { everyone, .. } = &draft.mentions;
    let (room, author) = (&draft.room, &draft.author);
    for id in draft.mentions.ids() {
        change.run(ADD_MENTION, [(&draft.id).into(), id.into(), room.into()]);
    }
    if !counts {
        return;
    }
    for user in draft.mentions.counted() {
        change.run(COUNT_MENTION, [room.into(), user.into(), author.into()]);
    }
    // With a person named beside @all, only the named ones' counters move (contract 6.5).
    if !everyone.is_empty() && draft.mentions.counted().next().is_none() {
        change.run(COUNT_ALL, [room.into(), author.into()]);
    }
}

/// Stars or unstars a message for one user; no change, no event, if it is so already.
pub(crate) async fn star(
    store: &Store,
    message: &MessageId,
    user: &UserId,
    on: bool,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    clock::take_of(&mut change, message, now);
    if on {
        change.expect(1, Error::NoMessage, STAR, [message.into(), user.into(), now.into()]);
    } else {
        change.expect(1, Error::NoMessage, UNSTAR, [message.into(), user.into()]);
    }
    change.run(MARK, [message.into()]);
    events::add_message(&mut change, Kind::MessageChanged, message.as_str());
    match store.write(change).await {
        // It was so already.
        Ok(_) | Err(Error::NoMessage) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Takes a pin off; what says who pinned it and when stays (contract 7.1).
pub(crate) async fn unpin(
    store: &Store,
    (message, room): (&MessageId, &RoomId),
    user: &UserId,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    clock::take_of(&mut change, message, now);
    change.expect(1, Error::Blocked, edits::STILL, [room.into(), user.into()]);
    let args: [Value; 4] = [message.into(), false.into(), Value::Null, Value::Null];
    change.expect(1, Error::NoMessage, PIN, args);
    events::add_message(&mut change, Kind::MessageChanged, message.as_str());
    store.write(change).await.map(drop)
}

/// Replaces a message's reactions if they still are what they were; `false` if not. [`Error::Blocked`]
/// if the user may not write there any more.
pub(crate) async fn set_reactions(
    store: &Store,
    (message, room): (&MessageId, &RoomId),
    user: &UserId,
    (was, reactions): (Option<&str>, Option<&str>),
    now: Ms,
) -> Result<bool> {
    let mut change = Change::new();
    clock::take_of(&mut change, message, now);
    change.expect(1, Error::Blocked, edits::STILL, [room.into(), user.into()]);
    change.expect(1, Error::NoMessage, REACT, [message.into(), was.into(), reactions.into()]);
    events::add_message(&mut change, Kind::MessageChanged, message.as_str());
    match store.write(change).await {
        Ok(_) => Ok(true),
        Err(Error::NoMessage) => Ok(false),
        Err(other) => Err(other),
    }
}
