//! Jobs: what a change left to do in batches (`job.rs` does it). A job is a row of the change that made
//! it, so it is there exactly when the change stands; each batch moves the job's place in the same
//! change, so that a batch is done once, whatever restarts and whoever else works at it.

use super::{Change, Read, Row, Store, Value, events};
use crate::error::{Error, Result};
use crate::event;
use crate::id::UserId;
use crate::time::Ms;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Writes an account's new name into what is there.
    Rename,
    /// Does with what a removed account wrote as the settings said then.
    Erase,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Rename => "rename",
            Self::Erase => "erase",
        }
    }
}

/// A job that is to be added.
pub(super) struct New<'a> {
    pub(super) id: &'a str,
    pub(super) kind: Kind,
    pub(super) user: &'a UserId,
    /// JSON object.
    pub(super) args: String,
}

/// A job that is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) user: UserId,
    /// JSON object.
    pub(crate) args: String,
    /// The last message that was gone through, beyond the job's rooms.
    pub(crate) place: String,
}

/// A room that a job has still to go through: what lies before this message is left.
#[derive(Clone, Debug)]
pub(crate) struct JobRoom {
    pub(crate) room: String,
    /// The room's kind; `None` if it is not there any more.
    pub(crate) kind: Option<String>,
    pub(crate) ts: Ms,
    pub(crate) id: String,
}

const ADD: &str = "INSERT INTO jobs (id, ts, kind, usr, args, place)
    VALUES ($1, $2, $3, $4, $5, '')";
/// Beyond the newest time that a message can have.
const ADD_ROOMS: &str = "INSERT INTO job_rooms (job, room, ts, id)
    SELECT CAST($1 AS KEYTEXT), s.room, 9007199254740991, '' FROM members s WHERE s.usr = $2";
const NEXT: &str = "SELECT j.id, j.kind, j.usr, j.args, j.place FROM jobs j
    ORDER BY j.ts, j.id LIMIT 1";
const NEXT_ROOM: &str = "SELECT x.room, r.kind, x.ts, x.id FROM job_rooms x
    LEFT JOIN rooms r ON r.id = x.room WHERE x.job = $1 ORDER BY x.room LIMIT 1";
const MOVE_ROOM: &str = "UPDATE job_rooms SET ts = $5, id = $6
    WHERE job = $1 AND room = $2 AND ts = $3 AND id = $4";
const DROP_ROOM: &str = "DELETE FROM job_rooms WHERE job = $1 AND room = $2";
const MOVE: &str = "UPDATE jobs SET place = $3 WHERE id = $1 AND place = $2";
const DROP: &str = "DELETE FROM jobs WHERE id = $1";

/// The refusal of a batch that somebody else has done, or whose messages changed meanwhile.
pub(crate) fn lost() -> Error {
    Error::unavailable("the batch was done, or changed, meanwhile")
}

/// Leaves a job behind, over all rooms of its user.
pub(super) fn add(change: &mut Change, new: &New<'_>, now: Ms) {
    let args: [Value; 5] = [
        new.id.into(),
        now.into(),
        new.kind.name().into(),
        new.user.into(),
        new.args.as_str().into(),
    ];
    change.run(ADD, args);
    change.run(ADD_ROOMS, [new.id.into(), new.user.into()]);
}

/// The oldest job, and the next of its rooms.
pub(crate) async fn next(store: &Store) -> Result<Option<(Job, Option<JobRoom>)>> {
    let Some(mut row) = store.read(NEXT, []).await?.into_iter().next() else {
        return Ok(None);
    };
    let (id, kind) = (row.text()?, row.text()?);
    let kind = [Kind::Rename, Kind::Erase].into_iter().find(|known| known.name() == kind);
    let kind = kind.ok_or_else(|| Error::internal("an unknown kind of job"))?;
    let (user, args, place) = (row.text()?.into(), row.text()?, row.text()?);
    let reads = vec![Read::new(NEXT_ROOM, [id.as_str().into()])];
    let rows = store.read_all(reads).await?.into_iter().flatten().next();
    let room = rows.map(|mut row| read_room(&mut row)).transpose()?;
    Ok(Some((Job { id, kind, user, args, place }, room)))
}

fn read_room(row: &mut Row) -> Result<JobRoom> {
    Ok(JobRoom { room: row.text()?, kind: row.opt_text()?, ts: row.int()?, id: row.text()? })
}

/// Moves a job on in one of its rooms, to before this message, as part of a batch.
pub(super) fn advance(change: &mut Change, job: &Job, room: &JobRoom, (ts, id): (Ms, &str)) {
    let args: [Value; 6] = [
        job.id.as_str().into(),
        room.room.as_str().into(),
        room.ts.into(),
        room.id.as_str().into(),
        ts.into(),
        id.into(),
    ];
    change.expect(1, lost(), MOVE_ROOM, args);
}

/// Moves a job on beyond its rooms, as part of a batch.
pub(super) fn move_on(change: &mut Change, job: &Job, place: &str) {
    let args: [Value; 3] = [job.id.as_str().into(), job.place.as_str().into(), place.into()];
    change.expect(1, lost(), MOVE, args);
}

/// Nothing is left in this room, as part of the change that says so.
pub(super) fn leave_room(change: &mut Change, job: &Job, room: &JobRoom) {
    change.expect(1, lost(), DROP_ROOM, [job.id.as_str().into(), room.room.as_str().into()]);
}

/// Ends a job, which those who keep messages hear of.
pub(crate) async fn finish(store: &Store, job: &Job, now: Ms) -> Result<()> {
    let mut change = Change::new();
    change.expect(1, lost(), DROP, [job.id.as_str().into()]);
    let user = job.user.as_str();
    events::add(&mut change, now, event::Kind::MessagesRewritten, None, None, user);
    store.write(change).await.map(drop)
}
