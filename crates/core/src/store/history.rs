//! A room's messages by time: what `dm.history` pages through, and what changed or went since a time.
//! "Since" works because every change takes its time from the room's clock (ruling A4); what changed
//! after it was written is found by an index of its own, which a send does not pay for.

use super::messages::{columns, read};
use super::{Read, Row, Store, Value};
use crate::error::Result;
use crate::id::{RoomId, UserId};
use crate::list::{Pieces, count};
use crate::message::Message;
use crate::time::Ms;
use futures_util::{StreamExt, stream};

/// Messages of one piece, where a whole stretch is read.
pub(crate) const PIECE: i64 = 100;

/// `$1` is the room, `$2` the reader.
macro_rules! from {
    () => {
        " FROM messages m LEFT JOIN stars st
            ON st.message = m.id AND st.usr = $2 AND st.room = m.room WHERE m.room = $1"
    };
}
const CHANGED: &str = concat!(
    "SELECT ",
    columns!(),
    from!(),
    " AND m.ts > $3 AND m.ts <= $4 UNION ALL SELECT ",
    columns!(),
    from!(),
    " AND m.updated > m.ts AND m.updated > $3 AND m.updated <= $4 AND m.ts <= $3"
);
const GONE: &str = "SELECT id, ts FROM tombstones
    WHERE kind = 'message' AND room = $1 AND ts > $2 AND ts <= $3 ORDER BY ts DESC, id DESC
    LIMIT $4 OFFSET $5";
const COUNT_GONE: &str = "SELECT count(*) FROM tombstones
    WHERE kind = 'message' AND room = $1 AND ts > $2 AND ts <= $3";

// Pages of what changed, in the order of the changes: what was written and left alone is found by its
// own time, the rest by the index of changes.
const WRITTEN_AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    from!(),
    " AND m.updated <= m.ts AND m.ts > $3 ORDER BY m.ts, m.id LIMIT $4"
);
const CHANGED_AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    from!(),
    " AND m.updated > m.ts AND m.updated > $3 ORDER BY m.updated, m.id LIMIT $4"
);
const WRITTEN_BEFORE: &str = concat!(
    "SELECT ",
    columns!(),
    from!(),
    " AND m.updated <= m.ts AND m.ts < $3 ORDER BY m.ts DESC, m.id DESC LIMIT $4"
);
const CHANGED_BEFORE: &str = concat!(
    "SELECT ",
    columns!(),
    from!(),
    " AND m.updated > m.ts AND m.updated < $3 ORDER BY m.updated DESC, m.id DESC LIMIT $4"
);
const GONE_AFTER: &str = "SELECT id, ts FROM tombstones
    WHERE kind = 'message' AND room = $1 AND ts > $2 ORDER BY ts, id LIMIT $3";
const GONE_BEFORE: &str = "SELECT id, ts FROM tombstones
    WHERE kind = 'message' AND room = $1 AND ts < $2 ORDER BY ts DESC, id DESC LIMIT $3";

/// Where a page of changes lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first after this time.
    After(Ms),
    /// The last before it.
    Before(Ms),
}

/// At most `limit` messages by the time of their last change, the nearest to the side's time first.
pub(crate) async fn changes_page(
    store: &Store,
    room: &RoomId,
    reader: &UserId,
    side: Side,
    limit: i64,
) -> Result<Vec<Message>> {
    let (written, changed, at) = match side {
        Side::After(at) => (WRITTEN_AFTER, CHANGED_AFTER, at),
        Side::Before(at) => (WRITTEN_BEFORE, CHANGED_BEFORE, at),
    };
    let args: [Value; 4] = [room.into(), reader.into(), at.into(), limit.into()];
    let reads = vec![Read::new(written, args.clone()), Read::new(changed, args)];
    let rows = store.read_all(reads).await?.into_iter().flatten();
    let mut all = rows.map(|mut row| read(&mut row)).collect::<Result<Vec<_>>>()?;
    all.sort_by(|a, b| (a.updated.max(a.ts), &a.id).cmp(&(b.updated.max(b.ts), &b.id)));
    if matches!(side, Side::Before(_)) {
        all.reverse();
    }
    all.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(all)
}

/// At most `limit` messages that went, the nearest to the side's time first: ids and times.
pub(crate) async fn goings(
    store: &Store,
    room: &RoomId,
    side: Side,
    limit: i64,
) -> Result<Vec<(String, Ms)>> {
    let (sql, at) = match side {
        Side::After(at) => (GONE_AFTER, at),
        Side::Before(at) => (GONE_BEFORE, at),
    };
    let rows = store.read(sql, [room.into(), at.into(), limit.into()]).await?;
    rows.into_iter().map(|mut row| Ok((row.text()?, row.int()?))).collect()
}

/// A stretch of a room's messages.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// Not before this.
    pub from: Ms,
    /// Not after this.
    pub to: Ms,
    /// Only what comes before this time and id.
    pub before: Option<(Ms, String)>,
    /// Replies too, that the room does not show?
    pub replies: bool,
    /// Kinds of system messages to leave out.
    pub hidden: Vec<String>,
}

impl Stretch {
    /// Everything.
    pub fn all() -> Self {
        Self { from: Ms::MIN, to: Ms::MAX, before: None, replies: true, hidden: Vec::new() }
    }
}

/// Condition and arguments of a stretch.
fn condition(room: &RoomId, reader: &UserId, stretch: &Stretch) -> (String, Vec<Value>) {
    let mut args: Vec<Value> = vec![
        room.into(),
        reader.into(),
        stretch.from.into(),
        stretch.to.into(),
        stretch.replies.into(),
    ];
    let mut sql = concat!(
        from!(),
        " AND $2 = $2 AND m.ts >= $3 AND m.ts <= $4 AND (m.thread IS NULL OR m.tshow IS TRUE OR $5)"
    )
    .to_owned();
    if let Some((ts, id)) = &stretch.before {
        let (at, then) = (args.len() + 1, args.len() + 2);
        sql = format!("{sql} AND (m.ts < ${at} OR (m.ts = ${at} AND m.id < ${then}))");
        args.extend([(*ts).into(), id.into()]);
    }
    if !stretch.hidden.is_empty() {
        let numbers = (1..=stretch.hidden.len()).map(|n| format!("${}", args.len() + n));
        let numbers = numbers.collect::<Vec<_>>().join(", ");
        sql = format!("{sql} AND (m.kind IS NULL OR m.kind NOT IN ({numbers}))");
        args.extend(stretch.hidden.iter().map(Value::from));
    }
    (sql, args)
}

/// The messages of a stretch, newest first.
pub(crate) async fn page(
    store: &Store,
    room: &RoomId,
    reader: &UserId,
    stretch: &Stretch,
    (offset, limit): (i64, i64),
) -> Result<Vec<Message>> {
    let (condition, mut args) = condition(room, reader, stretch);
    args.extend([limit.into(), offset.into()]);
    let sql = format!(
        concat!("SELECT ", columns!(), "{} ORDER BY m.ts DESC, m.id DESC LIMIT ${} OFFSET ${}"),
        condition,
        args.len() - 1,
        args.len()
    );
    store.read(sql, args).await?.into_iter().map(|mut row| read(&mut row)).collect()
}

/// The messages of a stretch, oldest first.
pub(crate) async fn page_up(
    store: &Store,
    room: &RoomId,
    reader: &UserId,
    stretch: &Stretch,
    limit: i64,
) -> Result<Vec<Message>> {
    let (condition, mut args) = condition(room, reader, stretch);
    args.push(limit.into());
    let sql = format!(
        concat!("SELECT ", columns!(), "{} ORDER BY m.ts, m.id LIMIT ${}"),
        condition,
        args.len()
    );
    store.read(sql, args).await?.into_iter().map(|mut row| read(&mut row)).collect()
}

/// The messages of a stretch behind its `before`, newest first, in pieces.
pub(crate) fn pieces(
    store: &Store,
    room: &RoomId,
    reader: &UserId,
    stretch: Stretch,
) -> Pieces<Message> {
    let state = (store.clone(), room.clone(), reader.clone(), stretch);
    let pieces = stream::try_unfold(Some(state), |state| async {
        let Some((store, room, reader, mut stretch)) = state else {
            return Ok(None);
        };
        let piece = page(&store, &room, &reader, &stretch, (0, PIECE)).await?;
        let Some(last) = piece.last() else {
            return Ok(None);
        };
        stretch.before = Some((last.ts, last.id.to_string()));
        let full = count(piece.len()) == PIECE;
        Ok(Some((piece, full.then_some((store, room, reader, stretch)))))
    });
    pieces.boxed()
}

/// The oldest message of a stretch, and how many there are in it.
pub(crate) async fn oldest(
    store: &Store,
    room: &RoomId,
    reader: &UserId,
    stretch: &Stretch,
) -> Result<(Option<Message>, i64)> {
    let (condition, args) = condition(room, reader, stretch);
    let first =
        format!(concat!("SELECT ", columns!(), "{} ORDER BY m.ts, m.id LIMIT 1"), condition);
    let count = format!("SELECT count(*){condition}");
    let reads = vec![Read::new(first, args.clone()), Read::new(count, args)];
    let mut answers = store.read_all(reads).await?.into_iter();
    let first = answers.next().unwrap_or_default().pop();
    let count = answers.next().unwrap_or_default().pop();
    let count = count.map(|mut row| row.int()).transpose()?.unwrap_or(0);
    Ok((first.map(|mut row| read(&mut row)).transpose()?, count))
}

/// Messages that went: ids and times.
pub(crate) type Gone = Vec<(String, Ms)>;

/// What was written or changed after `since` and not after `until`, the newest first, and what went
/// in that time, the last first. On one snapshot: the newest time of either list is one before which
/// nothing is missing in the other.
pub(crate) async fn changes(
    store: &Store,
    room: &RoomId,
    reader: &UserId,
    (since, until): (Ms, Ms),
) -> Result<(Vec<Message>, Gone)> {
    let changed: [Value; 4] = [room.into(), reader.into(), since.into(), until.into()];
    let all = [room.into(), since.into(), until.into(), i64::MAX.into(), 0.into()];
    let reads = vec![Read::new(CHANGED, changed), Read::new(GONE, all)];
    let mut answers = store.read_all(reads).await?.into_iter();
    let rows = answers.next().unwrap_or_default();
    let mut all = rows.into_iter().map(|mut row| read(&mut row)).collect::<Result<Vec<_>>>()?;
    all.sort_by(|a, b| (b.ts, &b.id).cmp(&(a.ts, &a.id)));
    let went = answers.next().unwrap_or_default().into_iter().map(gone_one);
    Ok((all, went.collect::<Result<_>>()?))
}

fn gone_one(mut row: Row) -> Result<(String, Ms)> {
    Ok((row.text()?, row.int()?))
}

/// Messages that went after `since` and not after `until`, the last first: ids and times, and how
/// many there are in all.
pub(crate) async fn gone(
    store: &Store,
    room: &RoomId,
    (since, until): (Ms, Ms),
    (offset, limit): (i64, Option<i64>),
) -> Result<(Gone, i64)> {
    let bounds: [Value; 3] = [room.into(), since.into(), until.into()];
    let mut args = bounds.to_vec();
    args.extend([limit.unwrap_or(i64::MAX).into(), offset.into()]);
    let reads = vec![Read::new(GONE, args), Read::new(COUNT_GONE, bounds)];
    let mut answers = store.read_all(reads).await?.into_iter();
    let gone = answers.next().unwrap_or_default().into_iter().map(gone_one);
    let gone = gone.collect::<Result<_>>()?;
    let count = answers.next().unwrap_or_default().pop();
    Ok((gone, count.map(|mut row| row.int()).transpose()?.unwrap_or(0)))
}
