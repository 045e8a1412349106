//! Documents from outside, as statements of one change. What is here already is read before, in one
//! look for many lines, so that a line that is refused or known costs no statement; the statements
//! still carry their expectations, for a server that writes to the same database meanwhile.
//! An import tells nobody: the log is for what happens now.

use super::{Change, Read, Row, Store, Value, members, rooms, terms, users};
use crate::account::NewAccount;
use crate::error::{Error, Result};
use crate::id::{MessageId, UserId};
use crate::message::Message;
use crate::open::NewMember;
use crate::room::Room;
use crate::time::Ms;
use std::collections::{HashMap, HashSet};

/// Values in one list of a statement at most.
const LIST: usize = 1000;

const ADD_TOKEN: &str = "INSERT INTO tokens (hash, usr, created, expires) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";
const SILENCE: &str = "UPDATE members SET disabled = TRUE WHERE usr = $1";
const HIGHLIGHT: &str = "UPDATE rooms SET highlights = TRUE
    WHERE id IN (SELECT s.room FROM members s WHERE s.usr = $1)";
const ADD_ROOM: &str = "INSERT INTO rooms (id, kind, ts, updated, creator, member_key, users_count,
        uids, usernames, topic, ro, seq, msgs, stored, last_ts, lm, last_id, activity, body, react_ro)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14, $15, $16, $17, $18, $19)
    ON CONFLICT DO NOTHING";
const ADD_MESSAGE: &str = "INSERT INTO messages (id, room, usr, username, name, ts, updated, kind,
        msg, mentions, body, reactions, thread, tshow, tcount, tlm, replies, pinned, pinned_at,
        pinned_by, edited_at, edited_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, $22)
    ON CONFLICT (id) DO NOTHING";
/// A newer state of a message that is here. Its place (room, author, time) never changes.
const RENEW_MESSAGE: &str = "UPDATE messages SET username = $4, name = $5, updated = $7, kind = $8,
        msg = $9, mentions = $10, body = $11, reactions = $12, thread = $13, tshow = $14,
        tcount = $15, tlm = $16, replies = $17, pinned = $18, pinned_at = $19, pinned_by = $20,
        edited_at = $21, edited_by = $22
    WHERE id = $1 AND room = $2 AND usr = $3 AND ts = $6";
const ADD_FOLLOWER: &str = "INSERT INTO followers (thread, usr, room) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING";
const DROP_FOLLOWERS: &str = "DELETE FROM followers WHERE thread = $1";
const DROP_MENTIONS: &str = "DELETE FROM mentioned WHERE message = $1";
const DROP_STARS: &str = "DELETE FROM stars WHERE message = $1";
const ADD_MENTION: &str = "INSERT INTO mentioned (message, usr, room) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING";
const ADD_STAR: &str = "INSERT INTO stars (message, usr, room, ts) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";
/// A room's clock stands no earlier than the changes of its messages; takes the room's row.
const ADVANCE: &str = "UPDATE rooms SET last_ts = CASE WHEN last_ts < $2 THEN $2 ELSE last_ts END
    WHERE id = $1";
/// $4: an ordinary top-level message, which may be the room's newest.
const COUNT: &str = "UPDATE rooms SET stored = stored + 1,
        last_ts = CASE WHEN last_ts < $2 THEN $2 ELSE last_ts END,
        lm = CASE WHEN $4 AND (lm IS NULL OR lm < $2) THEN $2 ELSE lm END,
        activity = CASE WHEN $4 AND (last_id IS NULL OR activity < $2) THEN $2 ELSE activity END,
        last_id = CASE WHEN $4 AND (last_id IS NULL OR activity < $2
                OR (activity = $2 AND last_id < CAST($3 AS KEYTEXT)))
            THEN CAST($3 AS KEYTEXT) ELSE last_id END
    WHERE id = $1";

// A subscription. More unread messages than the room counts raise the room's count, and with it how
// far the others have read: for them nothing changes.
const RAISE_MEMBERS: &str = "UPDATE members SET
        read_seq = read_seq + ($2 - (SELECT r.seq FROM rooms r WHERE r.id = $1)),
        closed_seq = closed_seq + ($2 - (SELECT r.seq FROM rooms r WHERE r.id = $1))
    WHERE room = $1 AND EXISTS (SELECT 1 FROM rooms r WHERE r.id = $1 AND r.seq < $2)";
const RAISE_ROOM: &str = "UPDATE rooms SET seq = $2 WHERE id = $1 AND seq < $2";
/// A closed view of a 1:1 room in which nothing was written yet is one that was never opened.
const SUBSCRIBE: &str = "UPDATE members SET id = $3, ts = coalesce($4, ts),
        updated = coalesce($5, updated), opened = $6,
        closed_seq = CASE WHEN $6 THEN NULL ELSE (SELECT r.seq FROM rooms r WHERE r.id = $1
            AND NOT (r.seq = 0 AND r.users_count = 2 AND r.last_id IS NULL)) END,
        read_seq = (SELECT r.seq FROM rooms r WHERE r.id = $1) - $7,
        mentions = $8, group_mentions = $9, ls = $10, lr = $11, blocked = $12, blocker = $13,
        name = coalesce($14, name), fname = coalesce($15, fname), body = $16,
        archived = $17
    WHERE room = $1 AND usr = $2";

/// What must be known of the store before lines can be judged.
#[derive(Default)]
pub(crate) struct Wanted {
    /// User ids.
    pub(crate) users: Vec<String>,
    /// Folded usernames (and folded ids, which nobody may be called).
    pub(crate) folds: Vec<String>,
    /// Folded addresses.
    pub(crate) emails: Vec<String>,
    /// Room ids.
    pub(crate) rooms: Vec<String>,
    /// Member keys.
    pub(crate) keys: Vec<String>,
    /// Message ids.
    pub(crate) messages: Vec<String>,
    /// Subscription ids.
    pub(crate) subscriptions: Vec<String>,
}

/// What of it is here.
#[derive(Default)]
pub(crate) struct Here {
    /// User id to username and shown name.
    pub(crate) users: HashMap<String, (Option<String>, Option<String>)>,
    /// Folded username to user id.
    pub(crate) folds: HashMap<String, String>,
    /// Folded address to user id.
    pub(crate) emails: HashMap<String, String>,
    /// Room id to the JSON of its members' ids.
    pub(crate) rooms: HashMap<String, String>,
    /// Member keys that are taken.
    pub(crate) keys: HashSet<String>,
    /// Message id to its room and when it changed.
    pub(crate) messages: HashMap<String, (String, Ms)>,
    /// Room and user to the subscription's id.
    pub(crate) members: HashMap<(String, String), String>,
    /// Subscription ids that are taken.
    pub(crate) subscriptions: HashSet<String>,
}

/// Looks up everything that is wanted, on one snapshot.
pub(crate) async fn here(store: &Store, wanted: &Wanted) -> Result<Here> {
    let lists: [(&str, &Vec<String>); 8] = [
        ("SELECT id, username, name FROM users WHERE id", &wanted.users),
        ("SELECT fold, id FROM users WHERE fold", &wanted.folds),
        ("SELECT fold, usr FROM emails WHERE fold", &wanted.emails),
        ("SELECT id, uids FROM rooms WHERE id", &wanted.rooms),
        ("SELECT member_key FROM rooms WHERE member_key", &wanted.keys),
        ("SELECT id, room, updated FROM messages WHERE id", &wanted.messages),
        ("SELECT room, usr, id FROM members WHERE room", &wanted.rooms),
        ("SELECT id FROM members WHERE id", &wanted.subscriptions),
    ];
    let (mut reads, mut kinds) = (Vec::new(), Vec::new());
    for (kind, (sql, list)) in lists.into_iter().enumerate() {
        for part in list.chunks(LIST) {
            let numbers: Vec<String> = (1..=part.len()).map(|n| format!("${n}")).collect();
            let args: Vec<Value> = part.iter().map(Value::from).collect();
            reads.push(Read::new(format!("{sql} IN ({})", numbers.join(", ")), args));
            kinds.push(kind);
        }
    }
    let mut here = Here::default();
    if reads.is_empty() {
        return Ok(here);
    }
    for (rows, kind) in store.read_all(reads).await?.into_iter().zip(kinds) {
        for mut row in rows {
            here.take(kind, &mut row)?;
        }
    }
    Ok(here)
}

impl Here {
    fn take(&mut self, kind: usize, row: &mut Row) -> Result<()> {
        let first = row.text()?;
        match kind {
            0 => drop(self.users.insert(first, (row.opt_text()?, row.opt_text()?))),
            1 => drop(self.folds.insert(first, row.text()?)),
            2 => drop(self.emails.insert(first, row.text()?)),
            3 => drop(self.rooms.insert(first, row.text()?)),
            4 => drop(self.keys.insert(first)),
            5 => drop(self.messages.insert(first, (row.text()?, row.int()?))),
            6 => drop(self.members.insert((first, row.text()?), row.text()?)),
            _ => drop(self.subscriptions.insert(first)),
        }
        Ok(())
    }
}

/// Makes an account with the tokens that are still alive: hash, made, ends.
pub(crate) fn add_user(
    change: &mut Change,
    new: &NewAccount,
    tokens: &[(&str, Ms, Option<Ms>)],
) -> Result<()> {
    users::add_to(change, new)?;
    for (hash, created, expires) in tokens {
        let user = (&new.user.id).into();
        change.run(ADD_TOKEN, [(*hash).into(), user, (*created).into(), (*expires).into()]);
    }
    if !new.user.active {
        change.run(SILENCE, [(&new.user.id).into()]);
    }
    if new.user.highlights.is_some() {
        change.run(HIGHLIGHT, [(&new.user.id).into()]);
    }
    Ok(())
}

/// Makes a room and its members; `last_ts` is the newest time that is known of it, `usernames` are
/// the texts of the room's own array.
pub(crate) fn add_room(
    change: &mut Change,
    room: &Room,
    key: Option<&str>,
    last_ts: Ms,
    usernames: &[String],
    all: &[NewMember],
) {
    let args: [Value; 19] = [
        (&room.id).into(),
        room.kind.as_str().into(),
        room.ts.into(),
        room.updated.into(),
        room.creator.as_ref().map(UserId::as_str).into(),
        key.into(),
        room.users_count.into(),
        room.uids.as_str().into(),
        room.usernames.as_str().into(),
        room.topic.as_deref().into(),
        room.read_only.into(),
        room.seq.into(),
        room.msgs.into(),
        last_ts.into(),
        room.lm.into(),
        room.last_id.as_ref().map(MessageId::as_str).into(),
        room.activity.into(),
        room.body.as_str().into(),
        room.react_read_only.into(),
    ];
    change.expect(1, Error::BadId, ADD_ROOM, args);
    rooms::add_names(change, &room.id, usernames);
    for member in all {
        members::add(change, &room.id, member, room.ts);
    }
    rooms::mark_highlights(change, &room.id);
}

/// A member's own view of a room, as a document tells it.
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) room: String,
    pub(crate) user: String,
    pub(crate) ts: Option<Ms>,
    pub(crate) updated: Option<Ms>,
    pub(crate) open: bool,
    pub(crate) unread: i64,
    pub(crate) mentions: i64,
    pub(crate) group_mentions: i64,
    pub(crate) last_seen: Option<Ms>,
    pub(crate) last_reply: Option<Ms>,
    pub(crate) blocked: bool,
    pub(crate) blocker: bool,
    pub(crate) archived: Option<bool>,
    pub(crate) name: Option<String>,
    pub(crate) fname: Option<String>,
    pub(crate) body: String,
}

/// Makes a member's view what the document says it is.
pub(crate) fn subscribe(change: &mut Change, it: &Subscription) {
    if it.unread > 0 {
        let room = || Value::from(&it.room);
        change.run(RAISE_MEMBERS, [room(), it.unread.into()]);
        change.run(RAISE_ROOM, [room(), it.unread.into()]);
    }
    let args: [Value; 17] = [
        (&it.room).into(),
        (&it.user).into(),
        (&it.id).into(),
        it.ts.into(),
        it.updated.into(),
        it.open.into(),
        it.unread.into(),
        it.mentions.into(),
        it.group_mentions.into(),
        it.last_seen.into(),
        it.last_reply.into(),
        it.blocked.into(),
        it.blocker.into(),
        it.name.as_deref().into(),
        it.fname.as_deref().into(),
        it.body.as_str().into(),
        it.archived.into(),
    ];
    change.expect(1, Error::NotSubscribed, SUBSCRIBE, args);
}

fn columns(it: &Message) -> [Value; 22] {
    [
        (&it.id).into(),
        (&it.room).into(),
        (&it.author.id).into(),
        it.author.username.as_str().into(),
        it.author.name.as_deref().into(),
        it.ts.into(),
        it.updated.into(),
        it.kind.as_deref().into(),
        it.msg.as_str().into(),
        it.mentions.as_deref().into(),
        it.body.as_str().into(),
        it.reactions.as_deref().into(),
        it.thread.as_ref().map(MessageId::as_str).into(),
        it.tshow.into(),
        it.tcount.into(),
        it.tlm.into(),
        it.replies.as_deref().into(),
        it.pinned.into(),
        it.pinned_at.into(),
        it.pinned_by.as_deref().into(),
        it.edited_at.into(),
        it.edited_by.as_deref().into(),
    ]
}

/// Makes a message, with whom it mentions and who starred it, and counts it in its room. One that
/// is embedded in its room is the newest there already, and moves nothing.
pub(crate) fn add_message(
    change: &mut Change,
    it: &Message,
    mentioned: &[String],
    starred: &[String],
    embedded: bool,
) {
    change.expect(1, Error::DuplicateMessage, ADD_MESSAGE, columns(it));
    add_marks(change, it, mentioned, starred);
    let ordinary = it.kind.as_deref().is_none_or(|kind| kind == "e2e");
    let top = !embedded && ordinary && (it.thread.is_none() || it.tshow == Some(true));
    change.run(COUNT, [(&it.room).into(), it.ts.into(), (&it.id).into(), top.into()]);
}

/// Has a room's clock stand no earlier than `at`, and takes the room's row.
pub(crate) fn advance(change: &mut Change, room: &str, at: Ms) {
    change.run(ADVANCE, [room.into(), at.into()]);
}

/// Replaces what may change of a message that is here by a newer state of it. The change has taken the
/// room's row.
pub(crate) fn renew_message(
    change: &mut Change,
    it: &Message,
    mentioned: &[String],
    starred: &[String],
) {
    terms::forget(change, &it.id, &it.room);
    change.expect(1, Error::DuplicateMessage, RENEW_MESSAGE, columns(it));
    change.run(DROP_MENTIONS, [(&it.id).into()]);
    change.run(DROP_STARS, [(&it.id).into()]);
    change.run(DROP_FOLLOWERS, [(&it.id).into()]);
    add_marks(change, it, mentioned, starred);
}

fn add_marks(change: &mut Change, it: &Message, mentioned: &[String], starred: &[String]) {
    for user in mentioned {
        change.run(ADD_MENTION, [(&it.id).into(), user.into(), (&it.room).into()]);
    }
    for user in starred {
        change.run(ADD_STAR, [(&it.id).into(), user.into(), (&it.room).into(), it.ts.into()]);
    }
    // What is in the list and no text follows nothing.
    let followers: Vec<serde_json::Value> =
        it.replies.as_deref().and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
    for user in followers.iter().filter_map(serde_json::Value::as_str) {
        change.run(ADD_FOLLOWER, [(&it.id).into(), user.into(), (&it.room).into()]);
    }
}
