//! The event log's rows: written by the changes themselves, read in order, trimmed by age and size.

use super::{Change, Read, Row, Store, Value};
use crate::error::{Error, Result};
use crate::event::{Event, Kind};
use crate::list::count;
use crate::time::Ms;

/// Urgent events read at once; with more than that, everything is read again instead.
pub(crate) const MOST_URGENT: usize = 1024;
/// Positions read at once.
pub(crate) const PAGE: usize = 1024;

const ADD: &str = "INSERT INTO events (pos, ts, kind, room, audience, ref)
    VALUES (event_pos(), $1, $2, $3, $4, $5)";
/// The event of a message takes its time and is there only if the message is.
const ADD_MESSAGE: &str = "INSERT INTO events (pos, ts, kind, room, audience, ref)
    SELECT event_pos(), m.ts, $2, m.room, NULL, m.id FROM messages m WHERE m.id = $1";
const AFTER: &str = "SELECT pos, ts, kind, room, audience, ref FROM events
    WHERE pos > $1 ORDER BY pos LIMIT $2";
/// What changes who may do what; served by an index of its own.
const URGENT: &str = "SELECT pos, ts, kind, room, audience, ref FROM events
    WHERE pos > $1 AND kind IN ('session', 'user', 'settings', 'permissions', 'roles')
    ORDER BY pos LIMIT $2";
const HORIZON: &str = "SELECT event_horizon()";
const BOUND: &str = "SELECT event_bound()";
const NEWEST: &str = "SELECT coalesce(max(pos), 0) FROM events";
const FLOOR: &str = "SELECT value FROM meta WHERE name = 'event_floor'";
/// The newest row always stays, so that positions go on from it after a restart.
const TRIM_SIZE: &str = "DELETE FROM events
    WHERE pos <= (SELECT max(pos) FROM events) - CAST($1 AS BIGINT)";
const TRIM_AGE: &str = "DELETE FROM events WHERE ts < $1
    AND pos IN (SELECT pos FROM events ORDER BY pos LIMIT 20000)
    AND pos < (SELECT max(pos) FROM events)";
const SET_FLOOR: &str = "INSERT INTO meta (name, value)
    SELECT 'event_floor', CAST(coalesce(min(pos), 1) AS TEXT) FROM events WHERE TRUE
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// What happened in a change, to be written with it.
pub(crate) fn add(
    change: &mut Change,
    at: Ms,
    kind: Kind,
    room: Option<&str>,
    audience: Option<&str>,
    reference: &str,
) {
    let args: [Value; 5] =
        [at.into(), kind.name().into(), room.into(), audience.into(), reference.into()];
    change.run(ADD, args);
}

/// What happened to a message, to be written with its change.
pub(crate) fn add_message(change: &mut Change, kind: Kind, message: &str) {
    change.run(ADD_MESSAGE, [message.into(), kind.name().into()]);
}

/// A piece of the log, and what was running when it was read.
pub(crate) struct Tail {
    /// Positions in order; `None` for a kind that this version does not know.
    pub(crate) events: Vec<(i64, Option<Event>)>,
    /// Every transaction below this had ended; `i64::MAX` where one writer commits in order.
    pub(crate) horizon: i64,
}

/// The log after `position`, up to a page of it.
pub(crate) async fn after(store: &Store, position: i64) -> Result<Tail> {
    let reads =
        vec![Read::new(AFTER, [position.into(), count(PAGE).into()]), Read::new(HORIZON, [])];
    let mut answers = store.read_all(reads).await?.into_iter();
    let events = tail(answers.next().unwrap_or_default())?;
    let horizon = number(answers.next().unwrap_or_default())?;
    Ok(Tail { events, horizon })
}

pub(super) fn tail(rows: Vec<Row>) -> Result<Vec<(i64, Option<Event>)>> {
    let one = |mut row: Row| {
        let (position, at, kind) = (row.int()?, row.int()?, row.text()?);
        let room = row.opt_text()?.map(Into::into);
        let audience = row.opt_text()?.map(Into::into);
        let reference = row.text()?;
        let event =
            Kind::named(&kind).map(|kind| Event { position, at, kind, room, audience, reference });
        Ok((position, event))
    };
    rows.into_iter().map(one).collect()
}

/// What ends sessions or changes rights after `position`, whatever is still missing before it.
pub(crate) async fn urgent(store: &Store, position: i64) -> Result<Vec<Event>> {
    let args = [position.into(), count(MOST_URGENT).into()];
    let events = tail(store.read(URGENT, args).await?)?;
    Ok(events.into_iter().filter_map(|(_, event)| event).collect())
}

/// A transaction number above that of every transaction that has written anything by now.
pub(crate) async fn bound(store: &Store) -> Result<i64> {
    number(store.read(BOUND, []).await?)
}

fn number(rows: Vec<Row>) -> Result<i64> {
    let row = rows.into_iter().next();
    row.ok_or_else(|| Error::internal("the event log gave no number"))?.int()
}

/// The newest position that is visible.
pub(crate) async fn newest(store: &Store) -> Result<i64> {
    number(store.read(NEWEST, []).await?)
}

/// The log after `position`, up to `most` positions of it, and the oldest position from which it can still be
/// followed, on one snapshot.
pub(crate) async fn since(store: &Store, position: i64, most: usize) -> Result<(Tail, i64)> {
    let reads = vec![Read::new(AFTER, [position.into(), count(most).into()]), Read::new(FLOOR, [])];
    let mut answers = store.read_all(reads).await?.into_iter();
    let events = tail(answers.next().unwrap_or_default())?;
    Ok((Tail { events, horizon: 0 }, first(answers.next().unwrap_or_default())?))
}

/// The oldest position from which the log can still be followed.
pub(crate) async fn floor(store: &Store) -> Result<i64> {
    first(store.read(FLOOR, []).await?)
}

fn first(rows: Vec<Row>) -> Result<i64> {
    match rows.into_iter().next() {
        Some(mut row) => row.text()?.parse().map_err(Error::internal),
        None => Ok(1),
    }
}

/// Keeps the newest `rows` positions and what is younger than `oldest`.
pub(crate) async fn trim(store: &Store, rows: i64, oldest: Ms) -> Result<()> {
    let mut change = Change::new();
    change.run(TRIM_SIZE, [rows.into()]);
    change.run(TRIM_AGE, [oldest.into()]);
    change.run(SET_FLOOR, []);
    store.write(change).await.map(drop)
}
