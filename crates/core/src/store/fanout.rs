//! What a piece of the event log tells of, read for everybody at once: rooms with their newest messages,
//! members, messages with who starred them, accounts. One round for a whole piece, so that the cost of
//! telling people does not grow with how many they are.

use super::members::{columns as member_columns, read as read_member};
use super::{Read, Row, Store, Value, messages, rooms, users};
use crate::account::User;
use crate::error::Result;
use crate::event::Event;
use crate::id::UserId;
use crate::message::Message;
use crate::reading::UnreadThread;
use crate::room::{Member, Room};
use std::collections::HashMap;

/// Ids in one list of a statement at most.
const LIST: usize = 500;
/// The log is looked through for one reader so far at once, in positions.
pub(crate) const WINDOW: i64 = 4096;

/// The log's events for one reader: of the rooms it is in now, and its own.
const MISSED: &str = "SELECT e.pos, e.ts, e.kind, e.room, e.audience, e.ref FROM events e
    WHERE e.pos > $1 AND e.pos <= $2 AND (e.audience = $3 OR (e.audience IS NULL
        AND e.room IN (SELECT s.room FROM members s WHERE s.usr = $3)))
    ORDER BY e.pos";
const LEFT: &str = "SELECT x.id FROM tombstones x
    WHERE x.kind = 'member' AND x.room = $1 AND x.usr = $2 ORDER BY x.ts DESC LIMIT 1";

/// `$n, $n+1, …`, for a list of so many arguments.
fn numbers(from: usize, count: usize) -> String {
    let all: Vec<String> = (from..from + count).map(|n| format!("${n}")).collect();
    all.join(", ")
}

/// The ids as arguments, the last again and again up to a power of two: few different statements for
/// lists of any length.
fn padded<'a>(ids: &'a [&'a str]) -> impl Iterator<Item = Value> + 'a {
    let last = ids.last().into_iter().flat_map(std::iter::repeat);
    ids.iter().chain(last).take(ids.len().next_power_of_two()).map(|id| Value::from(*id))
}

/// Reads by lists of ids, `sql` being made of the list's numbers.
fn lists(ids: &[&str], sql: impl Fn(&str) -> String) -> Vec<Read> {
    let one = |some: &[&str]| {
        let args: Vec<Value> = padded(some).collect();
        Read::new(sql(&numbers(1, args.len())), args)
    };
    ids.chunks(LIST).map(one).collect()
}

async fn rows(store: &Store, reads: Vec<Read>) -> Result<Vec<Row>> {
    if reads.is_empty() {
        return Ok(Vec::new());
    }
    Ok(store.read_all(reads).await?.into_iter().flatten().collect())
}

/// The members of these rooms, in the order of joining.
pub(crate) async fn members(store: &Store, of: &[&str]) -> Result<HashMap<String, Vec<Member>>> {
    let reads = lists(of, |numbers| {
        let columns = member_columns!();
        format!(
            "SELECT s.room, {columns} FROM members s WHERE s.room IN ({numbers})
             ORDER BY s.room, s.place, s.usr"
        )
    });
    let mut all: HashMap<String, Vec<Member>> = HashMap::new();
    for mut row in rows(store, reads).await? {
        all.entry(row.text()?).or_default().push(read_member(&mut row)?);
    }
    Ok(all)
}

/// These rooms, with their newest messages, starred by nobody.
pub(crate) async fn rooms(store: &Store, of: &[&str]) -> Result<Vec<Room>> {
    let reads = lists(of, |numbers| {
        let (room, message) = (rooms::columns!(), messages::columns!());
        format!(
            "SELECT {room}, {message} FROM rooms r LEFT JOIN messages m ON m.id = r.last_id
             LEFT JOIN stars st ON st.message = m.id AND st.usr = ''
             WHERE r.id IN ({numbers})"
        )
    });
    let found = rows(store, reads).await?;
    found.into_iter().map(|mut row| rooms::read_with_last(&mut row)).collect()
}

/// These messages, starred by nobody.
pub(crate) async fn messages(store: &Store, of: &[&str]) -> Result<Vec<Message>> {
    let reads = lists(of, |numbers| {
        let columns = messages::columns!();
        format!(
            "SELECT {columns} FROM messages m
             LEFT JOIN stars st ON st.message = m.id AND st.usr = '' WHERE m.id IN ({numbers})"
        )
    });
    let found = rows(store, reads).await?;
    found.into_iter().map(|mut row| messages::read(&mut row)).collect()
}

/// Who starred these messages.
pub(crate) async fn stars(store: &Store, of: &[&str]) -> Result<HashMap<String, Vec<UserId>>> {
    let reads = lists(of, |numbers| {
        format!("SELECT st.message, st.usr FROM stars st WHERE st.message IN ({numbers})")
    });
    let mut all: HashMap<String, Vec<UserId>> = HashMap::new();
    for mut row in rows(store, reads).await? {
        all.entry(row.text()?).or_default().push(row.text()?.into());
    }
    Ok(all)
}

/// Threads in these rooms that these users have not read, by user and room.
pub(crate) async fn threads(
    store: &Store,
    of: &[&str],
    rooms: &[&str],
) -> Result<HashMap<(String, String), Vec<UnreadThread>>> {
    let mut reads = Vec::new();
    for users in of.chunks(LIST) {
        reads.extend(rooms.chunks(LIST).map(|rooms| {
            let mut args: Vec<Value> = padded(users).collect();
            let first = args.len();
            args.extend(padded(rooms));
            let (users, rooms) = (numbers(1, first), numbers(first + 1, args.len() - first));
            let sql = format!(
                "SELECT u.usr, u.room, u.thread, u.named, u.everyone FROM unread_threads u
                 WHERE u.usr IN ({users}) AND u.room IN ({rooms})
                 ORDER BY u.usr, u.room, u.thread"
            );
            Read::new(sql, args)
        }));
    }
    let mut all: HashMap<(String, String), Vec<UnreadThread>> = HashMap::new();
    for mut row in rows(store, reads).await? {
        let whose = (row.text()?, row.text()?);
        let thread = UnreadThread { root: row.text()?, named: row.bool()?, everyone: row.bool()? };
        all.entry(whose).or_default().push(thread);
    }
    Ok(all)
}

/// These accounts.
pub(crate) async fn users(store: &Store, of: &[&str]) -> Result<Vec<User>> {
    let reads = lists(of, |numbers| {
        let columns = users::columns!();
        format!("SELECT {columns} FROM users u WHERE u.id IN ({numbers})")
    });
    let found = rows(store, reads).await?;
    found.into_iter().map(|mut row| users::read(&mut row)).collect()
}

/// The id of a membership that ended.
pub(crate) async fn left(store: &Store, room: &str, user: &UserId) -> Result<Option<String>> {
    let found = store.read(LEFT, [room.into(), user.into()]).await?;
    found.into_iter().next().map(|mut row| row.text()).transpose()
}

/// What concerns a user among the events after `from`, up to `to`.
pub(crate) async fn missed(
    store: &Store,
    user: &UserId,
    (from, to): (i64, i64),
) -> Result<Vec<Event>> {
    let found = store.read(MISSED, [from.into(), to.into(), user.into()]).await?;
    let events = super::events::tail(found)?;
    Ok(events.into_iter().filter_map(|(_, event)| event).collect())
}
