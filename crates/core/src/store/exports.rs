//! Exports: orders that wait, what was made of them, and the messages that they are made of.
//! An order is taken by a conditional UPDATE that names the attempt and gives it a lease; every piece
//! that the attempt writes asks for both again, so that two never write the same export.

use super::messages::{columns, read, write_message};
use super::{Change, Row, Store, Value, audit};
use crate::audit::Entry;
use crate::error::{Error, Result};
use crate::export::{Export, Job, MOST_KEPT, MOST_WAITING, MOST_WAITING_OF_ONE};
use crate::id::{RoomId, UserId};
use crate::list::count;
use crate::message::Message;
use crate::send::Draft;
use crate::time::Ms;

/// Locks the account, so that its orders are counted one after the other.
const HOLD: &str = "UPDATE users SET updated = updated WHERE id = $1";
const ADD: &str =
    "INSERT INTO exports (id, usr, room, format, since, until, asked, state, due, tries)
    SELECT $1, CAST($2 AS KEYTEXT), $3, $4, $5, $6, $7, 'waiting', $7, 0
    WHERE (SELECT count(*) FROM exports e WHERE e.usr = $2 AND e.state = 'waiting') < $8
        AND (SELECT count(*) FROM exports e WHERE e.state = 'waiting') < $9";
macro_rules! export {
    () => {
        "id, usr, room, format, since, until, asked"
    };
}
const TAKE: &str = concat!(
    "UPDATE exports SET holder = $1, due = $3, tries = tries + 1
     WHERE state = 'waiting' AND due <= $2 AND id = (SELECT e.id FROM exports e
        WHERE e.state = 'waiting' AND e.due <= $2 ORDER BY e.due, e.id LIMIT 1)
     RETURNING ",
    export!(),
    ", tries"
);
const FREE: &str = "UPDATE exports SET due = asked WHERE state = 'waiting'";
const HOLDS: &str = "UPDATE exports SET due = $3
    WHERE id = $1 AND holder = $2 AND state = 'waiting'";
const ADD_PART: &str = "INSERT INTO export_parts (export, n, body) VALUES ($1, $2, $3)";
/// A few at a time: what was written is as large as it is.
const DROP_PARTS: &str = "DELETE FROM export_parts WHERE export = $1 AND n IN
    (SELECT p.n FROM export_parts p WHERE p.export = $1 ORDER BY p.n LIMIT 16)";
const DONE: &str =
    "UPDATE exports SET state = 'done', due = $2, size = $3, parts = $4 WHERE id = $1
    AND EXISTS (SELECT 1 FROM members m WHERE m.room = exports.room AND m.usr = exports.usr)";
const KEEP_FEW: &str = "UPDATE exports SET due = $2
    WHERE usr = $1 AND state = 'done' AND due > $2 AND id NOT IN (SELECT e.id FROM exports e
        WHERE e.usr = $1 AND e.state = 'done' ORDER BY e.asked DESC, e.id DESC LIMIT $3)";
const FAILED: &str = "UPDATE exports SET state = 'failed', due = $2 WHERE id = $1";
const FIND: &str = concat!(
    "SELECT ",
    export!(),
    ", size, parts FROM exports WHERE id = $1 AND usr = $2 AND state = 'done' AND due > $3"
);
const PART: &str = "SELECT body FROM export_parts WHERE export = $1 AND n = $2";
const NEXT: &str = "SELECT min(e.due) FROM exports e WHERE e.state = 'waiting'
    UNION ALL SELECT min(e.due) FROM exports e WHERE e.state = 'done'
    UNION ALL SELECT min(e.due) FROM exports e WHERE e.state = 'failed'";
const OVER: &str = "SELECT id FROM exports WHERE state IN ('done', 'failed') AND due <= $1 LIMIT 1";
const REMOVE: &str = "DELETE FROM exports WHERE id = $1 AND state IN ('done', 'failed')";
const NEWEST: &str = "SELECT last_ts FROM rooms WHERE id = $1";
const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM messages m LEFT JOIN stars st ON st.message = m.id AND st.usr = $2 AND st.room = m.room
      WHERE m.room = $1 AND m.ts >= $3 AND m.ts <= $5 AND (m.ts > $3 OR m.id > $4)
      ORDER BY m.ts, m.id LIMIT $6"
);

/// Reads the columns of [`export!`].
fn read_export(row: &mut Row) -> Result<Export> {
    Ok(Export {
        id: row.text()?,
        owner: row.text()?.into(),
        room: row.text()?.into(),
        format: row.text()?,
        from: row.opt_int()?,
        to: row.opt_int()?,
        asked: row.int()?,
        size: 0,
        parts: 0,
    })
}

/// Takes an order on, with its row in the audit, or refuses it: [`Error::TooManyExports`].
pub(crate) async fn add(store: &Store, new: &Export, told: &Entry) -> Result<()> {
    let mut change = Change::new();
    change.expect(1, Error::NoUser, HOLD, [(&new.owner).into()]);
    let args: [Value; 9] = [
        new.id.as_str().into(),
        (&new.owner).into(),
        (&new.room).into(),
        new.format.as_str().into(),
        new.from.into(),
        new.to.into(),
        new.asked.into(),
        MOST_WAITING_OF_ONE.into(),
        MOST_WAITING.into(),
    ];
    change.expect(1, Error::TooManyExports, ADD, args);
    audit::add_to(&mut change, told);
    store.write(change).await.map(drop)
}

/// Takes the order that has waited longest, for an attempt of this name, until `lease`.
pub(crate) async fn take(store: &Store, holder: &str, now: Ms, lease: Ms) -> Result<Option<Job>> {
    let mut change = Change::new();
    change.run(TAKE, [holder.into(), now.into(), lease.into()]);
    let rows = store.write(change).await?.into_iter().next().unwrap_or_default().rows;
    let Some(mut row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let export = read_export(&mut row)?;
    Ok(Some(Job { export, holder: holder.to_owned(), tries: row.int()? }))
}

/// Ends every lease: for a store that no other process can be writing to.
pub(crate) async fn free(store: &Store) -> Result<()> {
    let mut change = Change::new();
    change.run(FREE, []);
    store.write(change).await.map(drop)
}

/// The order is still this attempt's, and is until `lease`; else [`Error::NoExport`].
fn hold(change: &mut Change, job: &Job, lease: Ms) {
    let args = [job.export.id.as_str().into(), job.holder.as_str().into(), lease.into()];
    change.expect(1, Error::NoExport, HOLDS, args);
}

pub(crate) async fn renew(store: &Store, job: &Job, lease: Ms) -> Result<()> {
    let mut change = Change::new();
    hold(&mut change, job, lease);
    store.write(change).await.map(drop)
}

/// Removes some of what an earlier attempt left behind; how much that was.
pub(crate) async fn clear(store: &Store, job: &Job, lease: Ms) -> Result<u64> {
    let mut change = Change::new();
    hold(&mut change, job, lease);
    let dropped = change.run(DROP_PARTS, [job.export.id.as_str().into()]);
    Ok(store.write(change).await?.get(dropped).map_or(0, |rows| rows.affected))
}

/// Writes the part of this number.
pub(crate) async fn add_part(
    store: &Store,
    job: &Job,
    n: i64,
    body: &str,
    lease: Ms,
) -> Result<()> {
    let mut change = Change::new();
    hold(&mut change, job, lease);
    change.run(ADD_PART, [job.export.id.as_str().into(), n.into(), body.into()]);
    store.write(change).await.map(drop)
}

/// How an attempt ends.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// All of it is there: bytes, parts, and when it goes.
    Done { size: i64, parts: i64, goes: Ms },
    /// There will be nothing.
    Failed,
}

/// Ends an order and says so to whoever gave it, as one change: [`Error::NoExport`] if it is not this
/// attempt's any more, [`Error::NoAccess`] if what was made is of a room that is gone from its owner.
pub(crate) async fn end(
    store: &Store,
    job: &Job,
    end: End,
    word: Option<&Draft>,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    hold(&mut change, job, now);
    let (id, owner) = (job.export.id.as_str(), &job.export.owner);
    match end {
        End::Done { size, parts, goes } => {
            let args: [Value; 4] = [id.into(), goes.into(), size.into(), parts.into()];
            change.expect(1, Error::NoAccess, DONE, args);
            change.run(KEEP_FEW, [owner.into(), now.into(), MOST_KEPT.into()]);
        }
        End::Failed => {
            change.run(FAILED, [id.into(), now.into()]);
        }
    }
    if let Some(word) = word {
        write_message(&mut change, word, now);
    }
    store.write(change).await.map(drop)
}

/// The user's own export of this id, if it is there now.
pub(crate) async fn find(
    store: &Store,
    id: &str,
    user: &UserId,
    now: Ms,
) -> Result<Option<Export>> {
    let rows = store.read(FIND, [id.into(), user.into(), now.into()]).await?;
    let Some(mut row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let export = read_export(&mut row)?;
    Ok(Some(Export { size: row.int()?, parts: row.int()?, ..export }))
}

/// One part of an export; `None` if it is not there (any more).
pub(crate) async fn part(store: &Store, id: &str, n: i64) -> Result<Option<String>> {
    let rows = store.read(PART, [id.into(), n.into()]).await?;
    rows.into_iter().next().map(|mut row| row.text()).transpose()
}

/// When there is something to do next; `None` if nothing waits for a time.
pub(crate) async fn next(store: &Store) -> Result<Option<Ms>> {
    let mut next: Option<Ms> = None;
    for mut row in store.read(NEXT, []).await? {
        let due = row.opt_int()?;
        next = next.into_iter().chain(due).min();
    }
    Ok(next)
}

/// Removes some of an export whose time is over, if there is one.
pub(crate) async fn sweep(store: &Store, now: Ms) -> Result<()> {
    let Some(mut row) = store.read(OVER, [now.into()]).await?.into_iter().next() else {
        return Ok(());
    };
    let id = row.text()?;
    let mut change = Change::new();
    let dropped = change.run(DROP_PARTS, [id.as_str().into()]);
    let rows = store.write(change).await?;
    if rows.get(dropped).is_none_or(|rows| rows.affected == 0) {
        let mut change = Change::new();
        change.run(REMOVE, [id.into()]);
        store.write(change).await?;
    }
    Ok(())
}

/// The newest time that a room gave; `None` for a room that is gone.
pub(crate) async fn newest(store: &Store, room: &RoomId) -> Result<Option<Ms>> {
    let rows = store.read(NEWEST, [room.into()]).await?;
    rows.into_iter().next().map(|mut row| row.int()).transpose()
}

/// A room's messages after a time and id and not after `until`, oldest first, as the reader sees them.
pub(crate) async fn page(
    store: &Store,
    (room, reader): (&RoomId, &UserId),
    (after, after_id): (Ms, &str),
    until: Ms,
    limit: usize,
) -> Result<Vec<Message>> {
    let args: [Value; 6] = [
        room.into(),
        reader.into(),
        after.into(),
        after_id.into(),
        until.into(),
        count(limit).into(),
    ];
    store.read(PAGE, args).await?.into_iter().map(|mut row| read(&mut row)).collect()
}
