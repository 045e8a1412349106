//! The batches of a job: what is read of a piece of a room, and the changes that follow for it. Every
//! batch is one change with the job's place in it; what somebody else changed meanwhile makes the whole
//! batch fail, and it is read again.

use super::jobs::{self, Job, JobRoom, lost};
use super::{Change, Row, Store, Value, clock, edits, threads};
use crate::error::Result;
use crate::id::{MessageId, RoomId, UserId};
use crate::time::Ms;

/// Messages gone through at once.
pub(crate) const BATCH: i64 = 100;

/// What a batch must know of a message.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) id: MessageId,
    pub(crate) ts: Ms,
    pub(crate) author: UserId,
    pub(crate) username: String,
    pub(crate) kind: Option<String>,
    pub(crate) thread: Option<MessageId>,
    pub(crate) tcount: Option<i64>,
    pub(crate) edited_by: Option<String>,
    pub(crate) pinned_by: Option<String>,
    pub(crate) reactions: Option<String>,
    /// Does the job's user follow the thread that begins here?
    pub(crate) followed: bool,
    /// Carried members, of the job's user's own messages.
    pub(crate) body: Option<String>,
}

const PIECE: &str = "SELECT m.id, m.ts, m.usr, m.username, m.kind, m.thread, m.tcount, m.edited_by,
        m.pinned_by, m.reactions,
        EXISTS (SELECT 1 FROM followers f WHERE f.thread = m.id AND f.usr = $4),
        CASE WHEN m.usr = $4 THEN m.body END
    FROM messages m WHERE m.room = $1 AND (m.ts < $2 OR (m.ts = $2 AND m.id < $3))
    ORDER BY m.ts DESC, m.id DESC LIMIT $5";
const CALL: &str = "UPDATE messages SET username = $3,
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $1)
    WHERE room = $1 AND usr = $2 AND username <> $3 AND ts >= $4 AND ts <= $5";
const SET_MARKS: &str = "UPDATE messages SET edited_by = $3, pinned_by = $4, reactions = $5,
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $2)
    WHERE id = $1 AND room = $2 AND edited_by IS NOT DISTINCT FROM $6
        AND pinned_by IS NOT DISTINCT FROM $7 AND reactions IS NOT DISTINCT FROM $8";
const GIVE_AWAY: &str = "UPDATE messages SET usr = $3, username = $4, name = $5, body = $6,
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $2)
    WHERE id = $1 AND room = $2";
const NAMELESS: &str = "UPDATE messages SET username = usr, name = NULL WHERE id = $1";
const FORGET_VERSIONS: &str = "DELETE FROM versions WHERE message = $1";
const FORGET_STARS: &str = "DELETE FROM stars WHERE room = $1 AND usr = $2";

const NAMED: &str = "SELECT m.id, m.room, m.updated, m.msg, m.mentions, m.body
    FROM mentioned x JOIN messages m ON m.id = x.message
    WHERE x.usr = $1 AND x.message > $2 ORDER BY x.message LIMIT $3";
const SET_TEXT: &str = "UPDATE messages SET msg = $3, mentions = $4, body = $5,
        origin = coalesce(origin, $6),
        updated = (SELECT r.last_ts FROM rooms r WHERE r.id = $2)
    WHERE id = $1 AND room = $2 AND updated = $7";

const EMPTY: &str = "DELETE FROM messages WHERE id IN (SELECT m.id FROM messages m
    WHERE m.room = $1 ORDER BY m.ts, m.id LIMIT $2)";
const FORGET_TRACES: &str = "DELETE FROM tombstones WHERE kind = 'message' AND room = $1";
const REMOVE: &str = "DELETE FROM rooms WHERE id = $1 AND kind = 'gone'";

fn read(row: &mut Row) -> Result<Trace> {
    Ok(Trace {
        id: row.text()?.into(),
        ts: row.int()?,
        author: row.text()?.into(),
        username: row.text()?,
        kind: row.opt_text()?,
        thread: row.opt_text()?.map(Into::into),
        tcount: row.opt_int()?,
        edited_by: row.opt_text()?,
        pinned_by: row.opt_text()?,
        reactions: row.opt_text()?,
        followed: row.bool()?,
        body: row.opt_text()?,
    })
}

/// The next piece of a room, the newest message first.
pub(crate) async fn piece(store: &Store, job: &Job, room: &JobRoom) -> Result<Vec<Trace>> {
    let args: [Value; 5] = [
        room.room.as_str().into(),
        room.ts.into(),
        room.id.as_str().into(),
        (&job.user).into(),
        BATCH.into(),
    ];
    store.read(PIECE, args).await?.into_iter().map(|mut row| read(&mut row)).collect()
}

/// What becomes of one message.
pub(crate) enum Fate {
    /// Other names in what was done to it: who edited it, who pinned it, who reacted.
    Marks([Option<String>; 3]),
    /// It goes for good.
    Removed,
    /// Nothing of it stays but that there was something for others to reply to; JSON of who removed
    /// it and the members of the stub.
    Stub(String, String),
    /// It is the bot's now: its id, username, name, and the members that are carried.
    Given(UserId, String, String, String),
    /// The job's user follows its thread no more.
    Unfollowed,
}

/// Does what follows for a piece of a room and moves the job behind it; `call` is what its user's own
/// messages in it are called by.
pub(crate) async fn apply(
    store: &Store,
    (job, room): (&Job, &JobRoom),
    piece: &[Trace],
    call: Option<&str>,
    fates: &[(&Trace, Fate)],
    now: Ms,
) -> Result<()> {
    let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
        return Ok(());
    };
    let id = RoomId::from(room.room.as_str());
    let mut change = Change::new();
    jobs::advance(&mut change, job, room, (last.ts, last.id.as_str()));
    if call.is_some() || !fates.is_empty() {
        clock::take(&mut change, &id, now);
    }
    if let Some(name) = call {
        let (user, times) = ((&job.user).into(), (last.ts.into(), first.ts.into()));
        change.run(CALL, [(&id).into(), user, name.into(), times.0, times.1]);
    }
    for (trace, fate) in fates {
        add(&mut change, job, &id, (trace, fate), now);
    }
    store.write(change).await.map(drop)
}

fn add(change: &mut Change, job: &Job, room: &RoomId, (it, fate): (&Trace, &Fate), now: Ms) {
    let message = &it.id;
    let removal = |stub| edits::Removal {
        id: message,
        room,
        // The reply that a stub was is off its root's count already.
        thread: it.thread.as_ref().filter(|_| it.kind.as_deref() != Some("rm")),
        by: &job.user,
        stub,
        although_read_only: true,
        stubs_too: true,
        keep: false,
    };
    match fate {
        Fate::Marks([edited_by, pinned_by, reactions]) => {
            let text = |text: &Option<String>| Value::from(text.as_deref());
            let args: [Value; 8] = [
                message.into(),
                room.into(),
                text(edited_by),
                text(pinned_by),
                text(reactions),
                text(&it.edited_by),
                text(&it.pinned_by),
                text(&it.reactions),
            ];
            change.expect(1, lost(), SET_MARKS, args);
        }
        Fate::Removed => {
            edits::remove_in(change, &removal(None), now);
            change.run(FORGET_VERSIONS, [message.into()]);
        }
        Fate::Stub(by, body) => {
            edits::remove_in(change, &removal(Some((by.clone(), body.clone()))), now);
            change.run(NAMELESS, [message.into()]);
            change.run(FORGET_VERSIONS, [message.into()]);
        }
        Fate::Given(user, username, name, body) => {
            let args: [Value; 6] = [
                message.into(),
                room.into(),
                user.into(),
                username.as_str().into(),
                name.as_str().into(),
                body.as_str().into(),
            ];
            change.expect(1, lost(), GIVE_AWAY, args);
        }
        Fate::Unfollowed => threads::unfollow_in(change, message, &job.user),
    }
}

/// Nothing is left of a room for this job; the user's stars in it go too if the user is gone.
pub(crate) async fn leave(store: &Store, job: &Job, room: &JobRoom) -> Result<()> {
    let mut change = Change::new();
    jobs::leave_room(&mut change, job, room);
    if job.kind == jobs::Kind::Erase {
        change.run(FORGET_STARS, [room.room.as_str().into(), (&job.user).into()]);
    }
    store.write(change).await.map(drop)
}

/// Empties a room that is gone by a piece; removes it when it is empty.
pub(crate) async fn empty(store: &Store, job: &Job, room: &JobRoom) -> Result<()> {
    let id = room.room.as_str();
    let mut change = Change::new();
    let emptied = change.run(EMPTY, [id.into(), BATCH.into()]);
    let rows = store.write(change).await?;
    if rows.get(emptied).is_some_and(|rows| rows.affected > 0) {
        return Ok(());
    }
    let mut change = Change::new();
    change.run(FORGET_TRACES, [id.into()]);
    change.run(REMOVE, [id.into()]);
    jobs::leave_room(&mut change, job, room);
    store.write(change).await.map(drop)
}

/// A message that names the job's user.
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) room: RoomId,
    pub(crate) updated: Ms,
    pub(crate) msg: String,
    pub(crate) mentions: Option<String>,
    pub(crate) body: String,
}

/// The next messages that name the job's user.
pub(crate) async fn named(store: &Store, job: &Job) -> Result<Vec<Named>> {
    let args: [Value; 3] = [(&job.user).into(), job.place.as_str().into(), BATCH.into()];
    let one = |mut row: Row| {
        Ok(Named {
            id: row.text()?,
            room: row.text()?.into(),
            updated: row.int()?,
            msg: row.text()?,
            mentions: row.opt_text()?,
            body: row.text()?,
        })
    };
    store.read(NAMED, args).await?.into_iter().map(one).collect()
}

/// What a message that names somebody says now.
pub(crate) struct NewText {
    pub(crate) msg: String,
    pub(crate) mentions: String,
    pub(crate) body: String,
    /// The hash of the text before, if that is another one.
    pub(crate) origin: Option<String>,
}

/// Has messages say something else, and moves the job to behind `place`.
pub(crate) async fn set_texts(
    store: &Store,
    job: &Job,
    texts: &[(Named, NewText)],
    place: &str,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    jobs::move_on(&mut change, job, place);
    // In one order, whoever else takes the times of the same rooms.
    let mut rooms: Vec<&RoomId> = texts.iter().map(|(was, _)| &was.room).collect();
    rooms.sort_unstable();
    rooms.dedup();
    for room in rooms {
        clock::take(&mut change, room, now);
    }
    for (was, text) in texts {
        let args: [Value; 7] = [
            was.id.as_str().into(),
            (&was.room).into(),
            text.msg.as_str().into(),
            text.mentions.as_str().into(),
            text.body.as_str().into(),
            text.origin.as_deref().into(),
            was.updated.into(),
        ];
        change.expect(1, lost(), SET_TEXT, args);
    }
    store.write(change).await.map(drop)
}
