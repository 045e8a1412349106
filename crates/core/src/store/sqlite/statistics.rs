//! What the planner is told of a grown store: how many rows share each beginning of an index.
//! Without it the planner takes a room for ten messages, and walks a large one where an index on
//! what is asked leads to a few. The numbers are fixed, not counted: a plan does not depend on when
//! somebody last looked, and the tests of the plans hold for every store.

use super::fault;
use crate::error::Result;
use rusqlite::Connection;

/// Table, index, and rows: of all, and of each longer beginning of the index.
const ASSUMED: [(&str, &str, &str); 19] = [
    ("users", "sqlite_autoindex_users_1", "100000 1"),
    ("users", "users_exact", "100000 1"),
    ("rooms", "sqlite_autoindex_rooms_1", "100000 1"),
    ("rooms", "rooms_ts", "100000 100000 1 1"),
    ("usernames", "sqlite_autoindex_usernames_1", "200000 20 1"),
    ("usernames", "usernames_room", "200000 2"),
    ("members", "sqlite_autoindex_members_1", "200000 3 1"),
    ("members", "members_usr", "200000 20 1"),
    ("messages", "sqlite_autoindex_messages_1", "1000000 1"),
    ("messages", "messages_room", "1000000 1000 1 1"),
    ("messages", "messages_pinned", "2000 5 1 1"),
    ("mentioned", "sqlite_autoindex_mentioned_1", "100000 2 1"),
    ("mentioned", "mentioned_room", "100000 20 5 1"),
    ("stars", "sqlite_autoindex_stars_1", "20000 2 1"),
    ("stars", "stars_room", "20000 5 2 1"),
    ("searchable", "sqlite_autoindex_searchable_1", "100000 1"),
    ("searchable", "sqlite_autoindex_searchable_2", "100000 1"),
    ("terms", "sqlite_autoindex_terms_1", "10000000 10000 10 1"),
    ("terms", "terms_ts", "10000000 10000 12"),
];

/// Has the planner of every connection that is opened from now on, and of this one, assume them.
pub(super) fn assume(connection: &Connection) -> Result<()> {
    // Makes the table that they stand in, and counts nothing but a few rows.
    connection.execute_batch("ANALYZE meta").map_err(fault)?;
    let rows = "SELECT count(*) FROM sqlite_stat1 WHERE (tbl, idx, stat) = (?1, ?2, ?3)";
    let mut known = 0;
    for row in ASSUMED {
        known += connection.query_row(rows, row, |row| row.get::<_, i64>(0)).map_err(fault)?;
    }
    if known < crate::list::count(ASSUMED.len()) {
        let change = connection.unchecked_transaction().map_err(fault)?;
        change.execute("DELETE FROM sqlite_stat1", []).map_err(fault)?;
        for row in ASSUMED {
            change.execute("INSERT INTO sqlite_stat1 VALUES (?1, ?2, ?3)", row).map_err(fault)?;
        }
        change.commit().map_err(fault)?;
    }
    connection.execute_batch("ANALYZE sqlite_schema").map_err(fault)
}
