//! Counts of the whole server. Each reads a table or an index from end to end: asked for at most once an
//! hour (`crate::statistics`).

use super::{Read, Row, Store};
use crate::error::{Error, Result};
use crate::statistics::Statistics;
use crate::time::Ms;

const USERS: &str = "SELECT count(*), count(CASE WHEN active THEN 1 END),
        count(CASE WHEN kind = 'app' THEN 1 END),
        count(CASE WHEN active AND roles = '[\"guest\"]' THEN 1 END),
        count(CASE WHEN active AND status = 'online' THEN 1 END),
        count(CASE WHEN active AND status = 'away' THEN 1 END),
        count(CASE WHEN active AND status = 'busy' THEN 1 END), max(last_login) FROM users";
/// Messages by the rooms' kept counts.
const ROOMS: &str = "SELECT count(*), count(CASE WHEN kind = 'd' THEN 1 END),
        CAST(coalesce(sum(stored), 0) AS BIGINT),
        CAST(coalesce(sum(CASE WHEN kind = 'd' THEN stored END), 0) AS BIGINT) FROM rooms";
const THREADS: &str = "SELECT count(*) FROM messages WHERE tcount IS NOT NULL";
const PINNED: &str = "SELECT count(*) FROM messages WHERE pinned";
const STARRED: &str = "SELECT count(*) FROM stars";

pub(crate) async fn count(store: &Store, at: Ms) -> Result<Statistics> {
    let reads = [USERS, ROOMS, THREADS, PINNED, STARRED].map(|sql| Read::new(sql, []));
    let mut answers = store.read_all(reads.into()).await?.into_iter();
    let mut next = || -> Result<Row> {
        let rows = answers.next().and_then(|rows| rows.into_iter().next());
        rows.ok_or_else(|| Error::internal("a count gave no row"))
    };
    let (mut users, mut rooms) = (next()?, next()?);
    Ok(Statistics {
        at,
        users: users.int()?,
        active: users.int()?,
        apps: users.int()?,
        guests: users.int()?,
        online: users.int()?,
        away: users.int()?,
        busy: users.int()?,
        last_login: users.opt_int()?,
        rooms: rooms.int()?,
        direct: rooms.int()?,
        messages: rooms.int()?,
        direct_messages: rooms.int()?,
        threads: next()?.int()?,
        pinned: next()?.int()?,
        starred: next()?.int()?,
    })
}
