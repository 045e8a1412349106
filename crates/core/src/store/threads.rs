//! Threads: who follows one, who has not read it, and its lists. Followers are rows, so that a reply
//! reaches exactly those who follow when it is written; the root's own list of them is made from the
//! rows whenever they change.

use super::fields::OfMessages;
use super::listing::Listing;
use super::messages::{columns, read};
use super::{Change, Store, Value, clock, events};
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::{MessageId, RoomId, UserId};
use crate::list::{Document, ListQuery, Page};
use crate::message::Message;
use crate::send::Draft;
use crate::time::Ms;

/// The first reply of a thread makes every member a follower.
const FOLLOW_ALL: &str = "INSERT INTO followers (thread, usr, room)
    SELECT m.id, s.usr, m.room FROM messages m JOIN members s ON s.room = m.room
    WHERE m.id = $1 AND m.room = $2 AND m.tcount IS NULL
    ON CONFLICT DO NOTHING";
const FOLLOW: &str = "INSERT INTO followers (thread, usr, room)
    SELECT m.id, CAST($2 AS KEYTEXT), m.room FROM messages m WHERE m.id = $1
    ON CONFLICT DO NOTHING";
const UNFOLLOW: &str = "DELETE FROM followers WHERE thread = $1 AND usr = $2";
/// The root's list, as JSON text of the rows.
macro_rules! replies {
    () => {
        r#"replies = (SELECT '[' || coalesce(string_agg(
            '"' || replace(replace(f.usr, '\', '\\'), '"', '\"') || '"', ',' ORDER BY f.usr), '')
            || ']' FROM followers f WHERE f.thread = $1)"#
    };
}
const REPLIED: &str = concat!(
    "UPDATE messages SET tcount = coalesce(tcount, 0) + 1,
        tlm = (SELECT r.last_ts FROM rooms r WHERE r.id = $2),
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $2), ",
    replies!(),
    " WHERE id = $1 AND room = $2 AND thread IS NULL"
);
const LISTED: &str = concat!(
    "UPDATE messages SET updated = (SELECT r.last_ts FROM rooms r WHERE r.id = messages.room), ",
    replies!(),
    " WHERE id = $1"
);
/// `$3` wrote the reply `$4`, which names everyone if `$5`.
const UNREAD: &str = "INSERT INTO unread_threads (room, usr, thread, named, everyone)
    SELECT f.room, f.usr, f.thread,
        EXISTS (SELECT 1 FROM mentioned x WHERE x.message = $4 AND x.usr = f.usr), $5
    FROM followers f WHERE f.thread = $1 AND f.room = $2 AND f.usr <> $3
    ON CONFLICT (usr, room, thread) DO UPDATE SET
        named = unread_threads.named OR excluded.named,
        everyone = unread_threads.everyone OR excluded.everyone";
const NAMED: &str = "UPDATE unread_threads SET named = TRUE
    WHERE usr = $1 AND room = $2 AND thread = $3";
const FOLLOWERS_SEE: &str = "UPDATE members SET opened = TRUE, closed_seq = NULL,
        lr = (SELECT r.last_ts FROM rooms r WHERE r.id = $2),
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $2)
    WHERE room = $2 AND usr <> $3 AND usr IN (SELECT f.usr FROM followers f WHERE f.thread = $1)";
const READ: &str = "DELETE FROM unread_threads WHERE usr = $1 AND room = $2 AND thread = $3";
const TOUCH: &str = "UPDATE members SET updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $1)
    WHERE room = $1 AND usr = $2";

/// What follows from a reply for its thread, to be written with it; [`Error::NoThread`] if the root is
/// no root of this room.
pub(super) fn replied(change: &mut Change, draft: &Draft, root: &MessageId) {
    let (room, author) = (&draft.room, &draft.author);
    change.run(FOLLOW_ALL, [root.into(), room.into()]);
    change.run(FOLLOW, [root.into(), author.into()]);
    change.expect(1, Error::NoThread, REPLIED, [root.into(), room.into()]);
    if !draft.tshow {
        let everyone = !draft.mentions.everyone.is_empty();
        let args: [Value; 5] =
            [root.into(), room.into(), author.into(), (&draft.id).into(), everyone.into()];
        change.run(UNREAD, args);
        for user in &draft.mentions.highlighted {
            change.run(NAMED, [user.into(), room.into(), root.into()]);
        }
        change.run(FOLLOWERS_SEE, [root.into(), room.into(), author.into()]);
    }
    events::add_message(change, Kind::MessageChanged, root.as_str());
}

/// Has a user follow a thread, or not any more, which is to have read it.
pub(crate) async fn follow(
    store: &Store,
    (root, room): (&MessageId, &RoomId),
    user: &UserId,
    on: bool,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    clock::take_of(&mut change, root, now);
    change.run(if on { FOLLOW } else { UNFOLLOW }, [root.into(), user.into()]);
    if !on {
        change.run(READ, [user.into(), room.into(), root.into()]);
    }
    change.expect(1, Error::NoMessage, LISTED, [root.into()]);
    events::add_message(&mut change, Kind::MessageChanged, root.as_str());
    member_changed(&mut change, room, user, now);
    store.write(change).await.map(drop)
}

/// Has a user who is gone follow a thread no more, as part of a larger change that took the room's time.
pub(super) fn unfollow_in(change: &mut Change, root: &MessageId, user: &UserId) {
    change.run(UNFOLLOW, [root.into(), user.into()]);
    change.run(LISTED, [root.into()]);
}

/// A thread is read by a user.
pub(crate) async fn read_by(
    store: &Store,
    (root, room): (&MessageId, &RoomId),
    user: &UserId,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    clock::take(&mut change, room, now);
    change.run(READ, [user.into(), room.into(), root.into()]);
    member_changed(&mut change, room, user, now);
    store.write(change).await.map(drop)
}

fn member_changed(change: &mut Change, room: &RoomId, user: &UserId, now: Ms) {
    change.run(TOUCH, [room.into(), user.into()]);
    let (room, user) = (room.as_str(), user.as_str());
    events::add(change, now, Kind::MemberChanged, Some(room), Some(user), room);
}

/// Which roots a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roots {
    /// All.
    All,
    /// Those that the reader follows.
    Followed,
    /// Those with replies that the reader has not read.
    Unread,
}

/// Threads of a room, by their newest reply or as the query says.
pub(crate) async fn roots(
    store: &Store,
    room: &RoomId,
    reader: &UserId,
    which: Roots,
    query: &ListQuery,
    document: Document<Message>,
) -> Result<Page<Message>> {
    let mut condition = "m.room = $1 AND $2 = $2 AND m.tcount IS NOT NULL".to_owned();
    condition.push_str(match which {
        Roots::All => "",
        Roots::Followed => " AND m.id IN (SELECT f.thread FROM followers f WHERE f.usr = $2)",
        Roots::Unread => {
            " AND m.id IN (SELECT x.thread FROM unread_threads x WHERE x.usr = $2 AND x.room = $1)"
        }
    });
    let listing = Listing {
        columns: columns!(),
        from: "messages m",
        joins: &[("st.", JOIN)],
        condition,
        args: vec![room.into(), reader.into()],
        order: "m.tlm DESC, m.id DESC",
        id: "m.id",
        place: None,
        fixed: None,
        fields: &OfMessages,
        among: None,
    };
    listing.page(store, query, read, document).await
}

/// The reader's star, which is `$2`.
const JOIN: &str = " LEFT JOIN stars st
    ON st.message = m.id AND st.usr = $2 AND st.room = m.room";

/// The replies of a thread, oldest first or as the query says.
pub(crate) async fn replies(
    store: &Store,
    (root, room): (&MessageId, &RoomId),
    reader: &UserId,
    query: &ListQuery,
    document: Document<Message>,
) -> Result<Page<Message>> {
    let listing = Listing {
        columns: columns!(),
        from: "messages m",
        joins: &[("st.", JOIN)],
        condition: "m.room = $1 AND $2 = $2 AND m.thread = $3".to_owned(),
        args: vec![room.into(), reader.into(), root.into()],
        order: "m.ts, m.id",
        id: "m.id",
        place: None,
        fixed: None,
        fields: &OfMessages,
        among: None,
    };
    listing.page(store, query, read, document).await
}
