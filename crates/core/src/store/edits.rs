//! Changing and removing messages. Each takes its time from the room's clock (ruling A4), which every
//! change of a message moves on, so that whoever asks "what changed since" by the newest time it has
//! seen misses nothing; and each checks the caller's rights again by the rows it locks (A5).

use super::{Change, Store, Value, clock, events, terms};
use crate::content::Mentions;
use crate::edit::Version;
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::{MessageId, RoomId, UserId};
use crate::time::Ms;

/// The next time of a room. `$3`: may the caller write although the room is read-only?
const TAKE_TIME: &str = concat!(
    "UPDATE rooms SET ",
    clock::tick_shown!(),
    "
    WHERE id = $1 AND (ro IS NOT TRUE OR $3)"
);
/// The same for a message that goes: it no longer counts, and what was newest before it is again.
/// `$4` is the message, `$5` whether its row goes too, `$6` whether a stub, which counts no more, may.
const TAKE_AWAY: &str = concat!(
    "UPDATE rooms SET ",
    clock::tick_shown!(),
    ",
        msgs = CASE WHEN msgs > 0 AND EXISTS (SELECT 1 FROM messages m WHERE m.id = $4
                AND (m.kind IS NULL OR m.kind <> 'rm')) THEN msgs - 1 ELSE msgs END,
        stored = stored - CASE WHEN $5 THEN 1 ELSE 0 END,
        activity = CASE WHEN last_id = $4 THEN coalesce((SELECT m.ts FROM messages m
                WHERE m.room = $1 AND m.id <> $4 AND (m.kind IS NULL OR m.kind = 'e2e')
                    AND (m.thread IS NULL OR m.tshow IS TRUE)
                ORDER BY m.ts DESC, m.id DESC LIMIT 1), ts) ELSE activity END,
        last_id = CASE WHEN last_id = $4 THEN (SELECT m.id FROM messages m
                WHERE m.room = $1 AND m.id <> $4 AND (m.kind IS NULL OR m.kind = 'e2e')
                    AND (m.thread IS NULL OR m.tshow IS TRUE)
                ORDER BY m.ts DESC, m.id DESC LIMIT 1) ELSE last_id END
    WHERE id = $1 AND (ro IS NOT TRUE OR $3)
        AND EXISTS (SELECT 1 FROM messages m WHERE m.id = $4 AND m.room = $1
            AND (m.kind IS NULL OR m.kind <> 'rm' OR $6))"
);
/// May this member still write?
pub(super) const STILL: &str = "UPDATE members SET updated = updated
    WHERE room = $1 AND usr = $2 AND NOT blocked AND NOT blocker AND NOT disabled";
const KEEP: &str = "INSERT INTO versions (message, ts, room, usr, msg)
    SELECT m.id, r.last_ts, m.room, $3, m.msg FROM messages m JOIN rooms r ON r.id = m.room
    WHERE m.id = $1 AND m.room = $2";
const EDIT: &str = "UPDATE messages SET msg = $3, mentions = $4, body = $5,
        origin = coalesce(origin, $6), edited_by = $7,
        edited_at = (SELECT r.last_ts FROM rooms r WHERE r.id = $2),
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $2)
    WHERE id = $1 AND room = $2 AND (kind IS NULL OR kind <> 'rm')";
const FILL: &str = "UPDATE messages SET body = $3,
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = messages.room)
    WHERE id = $1 AND body = $2";
const DROP_MENTIONS: &str = "DELETE FROM mentioned WHERE message = $1";
const ADD_MENTION: &str = "INSERT INTO mentioned (message, usr, room) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING";
const STUB: &str = "UPDATE messages SET kind = 'rm', msg = '', mentions = '[]', body = $3,
        reactions = '{}', edited_by = $4,
        edited_at = (SELECT r.last_ts FROM rooms r WHERE r.id = $2),
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $2)
    WHERE id = $1 AND room = $2";
const BURY: &str = "INSERT INTO tombstones (kind, id, room, usr, ts)
    SELECT 'message', m.id, m.room, NULL, r.last_ts FROM messages m JOIN rooms r ON r.id = m.room
    WHERE m.id = $1 AND m.room = $2";
const LESS_REPLIES: &str = "UPDATE messages SET tcount = tcount - 1,
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $2)
    WHERE id = $1 AND room = $2 AND tcount > 0";
const REMOVE: &str = "DELETE FROM messages WHERE id = $1 AND room = $2";

/// What an edit makes of a message.
pub(crate) struct Edit<'a> {
    pub(crate) id: &'a MessageId,
    pub(crate) room: &'a RoomId,
    pub(crate) by: &'a UserId,
    /// JSON object: who edits, as the document shows it.
    pub(crate) edited_by: String,
    pub(crate) msg: &'a str,
    pub(crate) mentions: &'a Mentions,
    pub(crate) body: &'a str,
    /// The hash of the text that it had, kept if it is the first one.
    pub(crate) origin: String,
    pub(crate) although_read_only: bool,
    /// Keep what it said?
    pub(crate) keep: bool,
}

/// Edits a message, or refuses: [`Error::ReadOnly`], [`Error::Blocked`], [`Error::NoMessage`].
pub(crate) async fn edit(store: &Store, edit: &Edit<'_>, now: Ms) -> Result<()> {
    let Edit { id, room, by, .. } = *edit;
    let mut change = Change::new();
    let time = [room.into(), now.into(), edit.although_read_only.into()];
    change.expect(1, Error::ReadOnly, TAKE_TIME, time);
    change.expect(1, Error::Blocked, STILL, [room.into(), by.into()]);
    terms::forget(&mut change, id, room);
    if edit.keep {
        change.expect(1, Error::NoMessage, KEEP, [id.into(), room.into(), by.into()]);
    }
    let args: [Value; 7] = [
        id.into(),
        room.into(),
        edit.msg.into(),
        edit.mentions.json.as_deref().into(),
        edit.body.into(),
        edit.origin.as_str().into(),
        edit.edited_by.as_str().into(),
    ];
    change.expect(1, Error::NoMessage, EDIT, args);
    change.run(DROP_MENTIONS, [id.into()]);
    for user in edit.mentions.ids() {
        change.run(ADD_MENTION, [id.into(), user.into(), room.into()]);
    }
    events::add_message(&mut change, Kind::MessageChanged, id.as_str());
    store.write(change).await.map(drop)
}

/// Puts previews into a message that still holds what was read; [`Error::NoMessage`] if it was changed
/// or removed meanwhile.
pub(crate) async fn fill(
    store: &Store,
    id: &MessageId,
    was: &str,
    body: &str,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    clock::take_of(&mut change, id, now);
    change.expect(1, Error::NoMessage, FILL, [id.into(), was.into(), body.into()]);
    events::add_message(&mut change, Kind::MessageChanged, id.as_str());
    store.write(change).await.map(drop)
}

/// How a message goes.
pub(crate) struct Removal<'a> {
    pub(crate) id: &'a MessageId,
    pub(crate) room: &'a RoomId,
    /// The root of the thread it replied to.
    pub(crate) thread: Option<&'a MessageId>,
    pub(crate) by: &'a UserId,
    /// What stays in its place: who removed it and the members of the stub, as JSON; `None` if
    /// nothing does.
    pub(crate) stub: Option<(String, String)>,
    pub(crate) although_read_only: bool,
    /// May it be the stub of one that was removed before?
    pub(crate) stubs_too: bool,
    pub(crate) keep: bool,
}

/// Removes a message, or leaves a stub of it; refuses with [`Error::NoMessage`] if it is gone (or
/// the room turned read-only meanwhile).
pub(crate) async fn remove(store: &Store, removal: &Removal<'_>, now: Ms) -> Result<()> {
    remove_all(store, std::slice::from_ref(removal), now).await
}

/// Removes several messages in one change, or none.
pub(crate) async fn remove_all(store: &Store, all: &[Removal<'_>], now: Ms) -> Result<()> {
    let mut change = Change::new();
    for removal in all {
        remove_in(&mut change, removal, now);
    }
    store.write(change).await.map(drop)
}

/// Removes a message, or leaves a stub of it, as part of a larger change.
pub(super) fn remove_in(change: &mut Change, removal: &Removal<'_>, now: Ms) {
    let Removal { id, room, by, .. } = *removal;
    let args: [Value; 6] = [
        room.into(),
        now.into(),
        removal.although_read_only.into(),
        id.into(),
        removal.stub.is_none().into(),
        removal.stubs_too.into(),
    ];
    change.expect(1, Error::NoMessage, TAKE_AWAY, args);
    terms::forget(change, id, room);
    if removal.keep {
        change.expect(1, Error::NoMessage, KEEP, [id.into(), room.into(), by.into()]);
    }
    if let Some(root) = removal.thread {
        change.run(LESS_REPLIES, [root.into(), room.into()]);
        events::add_message(change, Kind::MessageChanged, root.as_str());
    }
    if let Some((edited_by, body)) = &removal.stub {
        let args = [id.into(), room.into(), body.into(), edited_by.into()];
        change.expect(1, Error::NoMessage, STUB, args);
        change.run(DROP_MENTIONS, [id.into()]);
        events::add_message(change, Kind::MessageChanged, id.as_str());
    } else {
        change.expect(1, Error::NoMessage, BURY, [id.into(), room.into()]);
        change.expect(1, Error::NoMessage, REMOVE, [id.into(), room.into()]);
        let (room, id) = (room.as_str(), id.as_str());
        events::add(change, now, Kind::MessageDeleted, Some(room), None, id);
    }
}

const REPORT: &str = "INSERT INTO reports (id, ts, message, room, usr, msg, description)
    SELECT CAST($1 AS KEYTEXT), CAST($2 AS BIGINT), m.id, m.room, CAST($4 AS KEYTEXT), m.msg,
        CAST($5 AS KEYTEXT)
    FROM messages m WHERE m.id = $3";

/// Keeps what somebody reports of a message.
pub(crate) async fn report(
    store: &Store,
    id: &str,
    message: &MessageId,
    by: &UserId,
    description: &str,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    let args: [Value; 5] = [id.into(), now.into(), message.into(), by.into(), description.into()];
    change.expect(1, Error::NoMessage, REPORT, args);
    store.write(change).await.map(drop)
}

const VERSIONS: &str = "SELECT v.ts, v.usr, u.username, v.msg
    FROM versions v LEFT JOIN users u ON u.id = v.usr WHERE v.message = $1 ORDER BY v.ts";

/// What a message said before, the oldest first.
pub(crate) async fn versions(store: &Store, message: &MessageId) -> Result<Vec<Version>> {
    let rows = store.read(VERSIONS, [message.into()]).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Version {
                until: row.int()?,
                by: row.text()?.into(),
                username: row.opt_text()?,
                text: row.text()?,
            })
        })
        .collect()
}
