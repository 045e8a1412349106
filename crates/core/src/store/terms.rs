//! The index of searches (ruling A10): which term stands in which room's messages, by their times. It
//! follows the messages, and each room says how far: what is not covered yet is read as it is, so a
//! search is exact whatever is missing here.
//! Whoever writes or removes terms of a room takes a turn in its row first. The indexer reads, and
//! writes only if nobody took one meanwhile; whoever changes a text takes one after the room's row and
//! removes the terms in the same change. So no term outlives its text, on either engine.

use super::{Change, Read, Row, Store, Value};
use crate::error::{Error, Result};
use crate::id::{MessageId, RoomId};
use crate::term;
use crate::time::Ms;
use std::sync::LazyLock;

/// Before every message; so large that SQL can spell it.
pub(super) const LOWEST: Ms = -Ms::MAX;
/// Where the indexer stands in the log.
const POSITION: &str = "search_position";
/// How far it is in going through all rooms, as a name and a room's id; empty if it is not.
const WALK: &str = "search_walk";
/// Rows of the long INSERT.
const MANY: usize = 32;
/// Rooms that a walk looks at together.
const PAGE: i64 = 500;

const PLACES: &str =
    "SELECT name, value FROM meta WHERE name IN ('search_position', 'search_walk')";
const PLACE: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const FIRST_PLACE: &str = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const MOVE: &str = "UPDATE meta SET value = $3 WHERE name = $1 AND value = $2";
const NO_PLACES: &str = "DELETE FROM meta WHERE name IN ('search_position', 'search_walk')";

const ROOMS: &str = "SELECT r.id, r.stored > 0 AND (s.until IS NULL OR s.until < r.last_ts)
    FROM rooms r LEFT JOIN searchable s ON s.room = r.id
    WHERE r.id > $1 ORDER BY r.id LIMIT $2";
/// Once for a room: waits for those who change a text without a turn, because there is none yet.
const HOLD_ROOM: &str = "UPDATE rooms SET updated = updated WHERE id = $1";
const ADD_ROOM: &str = "INSERT INTO searchable (room, n, until, turn)
    SELECT r.id, coalesce((SELECT max(s.n) FROM searchable s), 0) + 1, CAST($2 AS BIGINT), 0
    FROM rooms r WHERE r.id = $1 ON CONFLICT DO NOTHING";
const STATE: &str = "SELECT s.n, r.last_ts, s.until, s.turn
    FROM rooms r LEFT JOIN searchable s ON s.room = r.id WHERE r.id = $1";
/// What has terms.
macro_rules! has_terms {
    () => {
        " AND (m.kind IS NULL OR m.kind NOT IN ('rm', 'e2e'))"
    };
}
const WRITTEN: &str = concat!(
    "SELECT m.ts, m.ts, m.msg FROM messages m WHERE m.room = $1 AND m.ts > $2",
    has_terms!(),
    " ORDER BY m.ts LIMIT $3"
);
const CHANGED: &str = concat!(
    "SELECT m.updated, m.ts, m.msg FROM messages m
     WHERE m.room = $1 AND m.updated > m.ts AND m.updated > $2 AND m.ts <= $2",
    has_terms!(),
    " ORDER BY m.updated LIMIT $3"
);
const TAKE: &str =
    "UPDATE searchable SET until = $2, turn = turn + 1 WHERE room = $1 AND turn = $3";
const ADD: &str = "INSERT INTO terms (room, term, ts) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
static ADD_MANY: LazyLock<String> = LazyLock::new(|| {
    let rows = (0..MANY).map(|n| format!("(${}, ${}, ${})", 3 * n + 1, 3 * n + 2, 3 * n + 3));
    let rows = rows.collect::<Vec<_>>().join(", ");
    format!("INSERT INTO terms (room, term, ts) VALUES {rows} ON CONFLICT DO NOTHING")
});

/// Takes a turn for a message whose terms go. Imported messages may share its time, and lose theirs
/// with it: they are read again.
const TOUCH_MESSAGE: &str = "UPDATE searchable SET turn = turn + 1,
        until = CASE WHEN EXISTS (SELECT 1 FROM messages a JOIN messages b
                ON b.room = a.room AND b.ts = a.ts AND b.id <> a.id
                WHERE a.id = $2 AND a.ts <= searchable.until)
            THEN (SELECT m.ts - 1 FROM messages m WHERE m.id = $2) ELSE until END
    WHERE room = $1";
const FORGET_MESSAGE: &str = "DELETE FROM terms
    WHERE room = (SELECT s.n FROM searchable s WHERE s.room = $1)
        AND ts = (SELECT m.ts FROM messages m WHERE m.id = $2 AND m.room = $1)";
const LOWER: &str = "UPDATE searchable SET turn = turn + 1,
        until = CASE WHEN until > $2 THEN $2 ELSE until END
    WHERE room = $1";
const FORGET_ROOM: &str = "DELETE FROM terms
    WHERE room = (SELECT s.n FROM searchable s WHERE s.room = $1)";

const ANY_ROOM: &str = "SELECT s.room, s.n FROM searchable s WHERE s.n > 0 ORDER BY s.n LIMIT 1";
const CLEAR: &str = "DELETE FROM terms WHERE room = $1
    AND ts IN (SELECT t.ts FROM terms t WHERE t.room = $1 ORDER BY t.ts LIMIT 1000)";
const DROP_ROOM: &str = "DELETE FROM searchable WHERE room = $1
    AND NOT EXISTS (SELECT 1 FROM terms t WHERE t.room = searchable.n)";

/// Removes the terms of a message whose text changes or goes. The change has taken the room's row, and
/// the message is still there.
pub(super) fn forget(change: &mut Change, message: &MessageId, room: &RoomId) {
    change.run(TOUCH_MESSAGE, [room.into(), message.into()]);
    change.run(FORGET_MESSAGE, [room.into(), message.into()]);
}

/// Removes all terms of a room that goes. The change has taken the room's row.
pub(super) fn forget_room(change: &mut Change, room: &RoomId) {
    change.run(LOWER, [room.into(), LOWEST.into()]);
    change.run(FORGET_ROOM, [room.into()]);
}

/// Has the messages of these rooms from these times on read again; `walk` names the walk that finds
/// the rooms. The change has taken the rooms' rows.
pub(crate) fn read_again<'a>(
    change: &mut Change,
    rooms: impl Iterator<Item = (&'a str, Ms)>,
    walk: &str,
) {
    for (room, from) in rooms {
        change.run(LOWER, [room.into(), from.saturating_sub(1).into()]);
    }
    change.run(PLACE, [WALK.into(), format!("{walk} ").into()]);
}

/// Where the indexers stand, all nodes together, as it is written.
#[derive(Default)]
pub(crate) struct Places {
    pub(crate) position: Option<String>,
    pub(crate) walk: Option<String>,
}

pub(crate) async fn places(store: &Store) -> Result<Places> {
    let mut places = Places::default();
    for mut row in store.read(PLACES, []).await? {
        let (name, value) = (row.text()?, row.text()?);
        match name.as_str() {
            POSITION => places.position = Some(value),
            _ => places.walk = Some(value).filter(|walk| !walk.is_empty()),
        }
    }
    Ok(places)
}

/// Begins at a position of the log and with a walk through all rooms; [`Error::PositionTooOld`] if
/// another node was faster.
pub(crate) async fn begin(
    store: &Store,
    was: Option<&str>,
    position: i64,
    walk: &str,
) -> Result<()> {
    let (mut change, position) = (Change::new(), position.to_string());
    if let Some(was) = was {
        let args: [Value; 3] = [POSITION.into(), was.into(), position.into()];
        change.expect(1, Error::PositionTooOld, MOVE, args);
    } else {
        change.expect(1, Error::PositionTooOld, FIRST_PLACE, [POSITION.into(), position.into()]);
    }
    change.run(PLACE, [WALK.into(), format!("{walk} ").into()]);
    store.write(change).await.map(drop)
}

/// The rooms after `cursor`: those that have something to read, and the last one looked at (`None` if
/// there was none).
pub(crate) async fn rooms(store: &Store, cursor: &str) -> Result<(Vec<String>, Option<String>)> {
    let (mut behind, mut last) = (Vec::new(), None);
    for mut row in store.read(ROOMS, [cursor.into(), PAGE.into()]).await? {
        let room = row.text()?;
        if row.bool()? {
            behind.push(room.clone());
        }
        last = Some(room);
    }
    Ok((behind, last))
}

/// A step from one place to another.
pub(crate) struct Move {
    name: &'static str,
    from: String,
    to: String,
}

impl Move {
    /// On in the log.
    pub(crate) fn position(from: &str, to: i64) -> Self {
        Self { name: POSITION, from: from.to_owned(), to: to.to_string() }
    }

    /// On in the walk, or its end.
    pub(crate) fn walk(from: &str, to: Option<&str>) -> Self {
        Self { name: WALK, from: from.to_owned(), to: to.unwrap_or_default().to_owned() }
    }
}

/// What is to be added for one room.
pub(crate) struct Step {
    pub(crate) room: String,
    turn: i64,
    until: Ms,
    /// Is the room covered as far as it went when it was read?
    pub(crate) whole: bool,
    /// Did it come no further? Then more must be read at once.
    pub(crate) stuck: bool,
    terms: Vec<(i64, String, Ms)>,
    messages: usize,
}

/// Reads what a room's terms lack, the oldest first, at most `most` new and as many changed messages;
/// `None` if the room is gone.
pub(crate) async fn read(store: &Store, room: &str, most: i64) -> Result<Option<Step>> {
    let Some(mut row) = state(store, room).await? else {
        return Ok(None);
    };
    let (n, last, was, turn) = (row.int()?, row.int()?, row.int()?, row.int()?);
    let args: [Value; 3] = [room.into(), was.into(), most.into()];
    let reads = vec![Read::new(WRITTEN, args.clone()), Read::new(CHANGED, args)];
    // What comes after the state was read has a later time than the room had.
    let (mut until, mut whole) = (last.max(was), true);
    let (mut terms, mut messages) = (Vec::new(), 0);
    for rows in store.read_all(reads).await? {
        messages += rows.len();
        let full = crate::list::count(rows.len()) >= most;
        let mut newest = was;
        for mut row in rows {
            newest = row.int()?;
            let (ts, text) = (row.int()?, row.text()?);
            terms.extend(term::of_message(&text).into_iter().map(|term| (n, term, ts)));
        }
        if full {
            // The next may have the same time.
            whole = false;
            until = until.min(newest.saturating_sub(1)).max(was);
        }
    }
    let stuck = !whole && until == was;
    Ok(Some(Step { room: room.to_owned(), turn, until, whole, stuck, terms, messages }))
}

/// What is known of a room, which gets a row of its own the first time; `None` if it is gone.
async fn state(store: &Store, room: &str) -> Result<Option<Row>> {
    let one = async || Ok(store.read(STATE, [room.into()]).await?.pop());
    match one().await? {
        Some(row) if row.is_null()? => {
            let mut change = Change::new();
            change.expect(1, Error::NoRoom, HOLD_ROOM, [room.into()]);
            change.run(ADD_ROOM, [room.into(), LOWEST.into()]);
            store.write(change).await?;
            one().await
        }
        known => Ok(known),
    }
}

impl Step {
    /// Messages that were read.
    pub(crate) fn messages(&self) -> usize {
        self.messages
    }
}

/// Adds the terms of these rooms and moves on, in one change; [`Error::NoRoom`] if somebody took a
/// turn in one of them since it was read, [`Error::PositionTooOld`] if another node moved on.
pub(crate) async fn write(store: &Store, steps: Vec<Step>, moved: Option<Move>) -> Result<()> {
    let mut change = Change::new();
    let mut terms = Vec::new();
    for step in steps {
        let args: [Value; 3] = [step.room.into(), step.until.into(), step.turn.into()];
        change.expect(1, Error::NoRoom, TAKE, args);
        terms.extend(step.terms);
    }
    // In the order of the index.
    terms.sort_unstable();
    let mut chunks = terms.chunks_exact(MANY);
    let args = |(n, term, ts): &(i64, String, Ms)| [(*n).into(), term.into(), (*ts).into()];
    for chunk in &mut chunks {
        change.run_list(ADD_MANY.as_str(), chunk.iter().flat_map(args).collect());
    }
    for one in chunks.remainder() {
        change.run(ADD, args(one));
    }
    if let Some(Move { name, from, to }) = moved {
        change.expect(1, Error::PositionTooOld, MOVE, [name.into(), from.into(), to.into()]);
    }
    if change.0.is_empty() {
        return Ok(());
    }
    store.write(change).await.map(drop)
}

/// Removes a piece of the index, of one room after the other; `false` when nothing is left of it.
pub(crate) async fn clear(store: &Store) -> Result<bool> {
    let Some(mut row) = store.read(ANY_ROOM, []).await?.pop() else {
        if !store.read(PLACES, []).await?.is_empty() {
            let mut change = Change::new();
            change.run(NO_PLACES, []);
            store.write(change).await?;
        }
        return Ok(false);
    };
    let (room, n) = (row.text()?, row.int()?);
    // Nothing is covered any more before the first term goes.
    let mut change = Change::new();
    change.run(LOWER, [room.as_str().into(), LOWEST.into()]);
    change.run(CLEAR, [n.into()]);
    change.run(DROP_ROOM, [room.into()]);
    store.write(change).await.map(|_| true)
}
