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
use std::sync::LazyLock;

/// Ids in one list of a statement at most: a power of two.
const LIST: usize = 512;
/// The log is looked through for one reader so far at once, in positions.
pub(crate) const WINDOW: i64 = 4096;

/// The log's events for one reader: of the rooms it is in now, and its own.
const MISSED: &str = "SELECT e.pos, e.ts, e.kind, e.room, e.audience, e.ref FROM events e
    WHERE e.pos > $1 AND e.pos <= $2 AND (e.audience = $3 OR (e.audience IS NULL
        AND e.room IN (SELECT s.room FROM members s WHERE s.usr = $3)))
    ORDER BY e.pos";
const LEFT: &str = "SELECT x.id FROM tombstones x
    WHERE x.kind = 'member' AND x.room = $1 AND x.usr = $2 ORDER BY x.ts DESC LIMIT 1";

/// A statement on a list of ids, by the length of the list: one for each power of two, made once.
type ByLength = LazyLock<Vec<String>>;

/// `$n, $n+1, …`, for a list of so many arguments.
fn numbers(from: usize, count: usize) -> String {
    let all: Vec<String> = (from..from + count).map(|n| format!("${n}")).collect();
    all.join(", ")
}

fn by_length(sql: impl Fn(usize) -> String) -> Vec<String> {
    (0..=LIST.ilog2()).map(|n| sql(1 << n)).collect()
}

/// The ids as so many arguments, the last again and again.
fn padded<'a>(ids: &'a [&'a str], length: usize) -> impl Iterator<Item = Value> + 'a {
    let last = ids.last().into_iter().flat_map(std::iter::repeat);
    ids.iter().chain(last).take(length).map(|id| Value::from(*id))
}

fn read(sql: &'static ByLength, length: usize, args: Vec<Value>) -> Option<Read> {
    let sql = sql.get(usize::try_from(length.ilog2()).ok()?)?;
    Some(Read::new(sql.as_str(), args))
}

/// Reads by lists of ids.
fn lists(sql: &'static ByLength, ids: &[&str]) -> Vec<Read> {
    let one = |some: &[&str]| {
        let length = some.len().next_power_of_two();
        read(sql, length, padded(some, length).collect())
    };
    ids.chunks(LIST).filter_map(one).collect()
}

static MEMBERS: ByLength = LazyLock::new(|| {
    by_length(|length| {
        let ids = numbers(1, length);
        let columns = member_columns!();
        format!("SELECT s.room, {columns} FROM members s WHERE s.room IN ({ids})")
    })
});
static ROOMS: ByLength = LazyLock::new(|| {
    by_length(|length| {
        let ids = numbers(1, length);
        let (room, message) = (rooms::columns!(), messages::columns!());
        format!(
            "SELECT {room}, {message} FROM rooms r LEFT JOIN messages m ON m.id = r.last_id
             LEFT JOIN stars st ON st.message = m.id AND st.usr = ''
             WHERE r.id IN ({ids})"
        )
    })
});
static MESSAGES: ByLength = LazyLock::new(|| {
    by_length(|length| {
        let ids = numbers(1, length);
        let columns = messages::columns!();
        format!(
            "SELECT {columns} FROM messages m
             LEFT JOIN stars st ON st.message = m.id AND st.usr = '' WHERE m.id IN ({ids})"
        )
    })
});
static STARS: ByLength = LazyLock::new(|| {
    by_length(|length| {
        let ids = numbers(1, length);
        format!("SELECT st.message, st.usr FROM stars st WHERE st.message IN ({ids})")
    })
});
static USERS: ByLength = LazyLock::new(|| {
    by_length(|length| {
        let ids = numbers(1, length);
        let columns = users::columns!();
        format!("SELECT {columns} FROM users u WHERE u.id IN ({ids})")
    })
});
/// As many users as rooms.
static THREADS: ByLength = LazyLock::new(|| {
    by_length(|length| {
        let (users, rooms) = (numbers(1, length), numbers(length + 1, length));
        format!(
            "SELECT u.usr, u.room, u.thread, u.named, u.everyone FROM unread_threads u
             WHERE u.usr IN ({users}) AND u.room IN ({rooms})"
        )
    })
});

async fn rows(store: &Store, reads: Vec<Read>) -> Result<Vec<Row>> {
    if reads.is_empty() {
        return Ok(Vec::new());
    }
    Ok(store.read_all(reads).await?.into_iter().flatten().collect())
}

/// The members of these rooms, in no order.
pub(crate) async fn members(store: &Store, of: &[&str]) -> Result<HashMap<String, Vec<Member>>> {
    let reads = lists(&MEMBERS, of);
    let mut all: HashMap<String, Vec<Member>> = HashMap::new();
    for mut row in rows(store, reads).await? {
        all.entry(row.text()?).or_default().push(read_member(&mut row)?);
    }
    Ok(all)
}

/// What a piece of the log names.
#[derive(Clone, Copy, Default)]
pub(crate) struct Named<'a> {
    pub(crate) rooms: &'a [&'a str],
    pub(crate) messages: &'a [&'a str],
    /// Messages of which it is wanted who starred them.
    pub(crate) starred: &'a [&'a str],
    /// Members of the rooms whose unread threads are wanted.
    pub(crate) members: &'a [&'a str],
    pub(crate) users: &'a [&'a str],
}

/// What it names, as it is now. Messages are starred by nobody here.
#[derive(Default)]
pub(crate) struct Found {
    /// With their newest messages.
    pub(crate) rooms: Vec<Room>,
    pub(crate) messages: Vec<Message>,
    /// Users by message.
    pub(crate) stars: HashMap<String, Vec<UserId>>,
    /// By user and room.
    pub(crate) threads: HashMap<(String, String), Vec<UnreadThread>>,
    pub(crate) users: Vec<User>,
}

/// Reads all that is named in one round.
pub(crate) async fn find(store: &Store, named: Named<'_>) -> Result<Found> {
    let mut threads = Vec::new();
    for users in named.members.chunks(LIST) {
        threads.extend(named.rooms.chunks(LIST).filter_map(|rooms| {
            let length = users.len().max(rooms.len()).next_power_of_two();
            let args = padded(users, length).chain(padded(rooms, length)).collect();
            read(&THREADS, length, args)
        }));
    }
    let parts = [
        lists(&ROOMS, named.rooms),
        lists(&MESSAGES, named.messages),
        lists(&STARS, named.starred),
        threads,
        lists(&USERS, named.users),
    ];
    let lengths = parts.each_ref().map(Vec::len);
    let reads: Vec<Read> = parts.into_iter().flatten().collect();
    if reads.is_empty() {
        return Ok(Found::default());
    }
    let mut answers = store.read_all(reads).await?.into_iter();
    let mut part = |n: usize| -> Vec<Row> { answers.by_ref().take(lengths[n]).flatten().collect() };
    let mut found = Found::default();
    for mut row in part(0) {
        found.rooms.push(rooms::read_with_last(&mut row)?);
    }
    for mut row in part(1) {
        found.messages.push(messages::read(&mut row)?);
    }
    for mut row in part(2) {
        found.stars.entry(row.text()?).or_default().push(row.text()?.into());
    }
    for mut row in part(3) {
        let whose = (row.text()?, row.text()?);
        let thread = UnreadThread { root: row.text()?, named: row.bool()?, everyone: row.bool()? };
        found.threads.entry(whose).or_default().push(thread);
    }
    // As a membership shows them.
    for threads in found.threads.values_mut() {
        threads.sort_by(|a, b| a.root.cmp(&b.root));
    }
    for mut row in part(4) {
        found.users.push(users::read(&mut row)?);
    }
    Ok(found)
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
