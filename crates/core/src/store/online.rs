//! Connections by user and node, and the status that follows from them: of a user who chose another than
//! `online` that, while there is a connection at all.

use super::{Change, Store};
use crate::error::Result;
use crate::event::Kind;
use crate::online::Wanted;
use crate::time::Ms;

/// Locks an account first, so that of two nodes the second sees the first one's row.
const HOLD: &str = "UPDATE users SET updated = updated WHERE id = $1";
const SET: &str = "INSERT INTO connections (usr, node, away)
    SELECT u.id, CAST($2 AS KEYTEXT), $3 FROM users u WHERE u.id = $1
    ON CONFLICT (usr, node) DO UPDATE SET away = excluded.away";
const DROP: &str = "DELETE FROM connections WHERE usr = $1 AND node = $2";
/// What a user's connections make of it.
macro_rules! shown {
    () => {
        "CASE WHEN NOT EXISTS (SELECT 1 FROM connections c WHERE c.usr = users.id) THEN 'offline'
            WHEN status_default <> 'online' THEN status_default
            WHEN EXISTS (SELECT 1 FROM connections c WHERE c.usr = users.id AND NOT c.away)
                THEN 'online' ELSE 'away' END"
    };
}
const SHOW: &str = concat!(
    "UPDATE users SET updated = $2, status = ",
    shown!(),
    " WHERE id = $1 AND status <> ",
    shown!()
);
const TELL: &str = "INSERT INTO events (pos, ts, kind, room, audience, ref)
    SELECT event_pos(), CAST($2 AS BIGINT), CAST($3 AS KEYTEXT), NULL, NULL, u.id FROM users u
    WHERE u.id = $1 AND u.updated = $2";

const LIVE: &str = "UPDATE nodes SET seen = $2 WHERE id = $1";
const BORN: &str = "INSERT INTO nodes (id, seen) VALUES ($1, $2) ON CONFLICT DO NOTHING";
/// Nodes that have not said that they live since a time.
const DEAD: &str = "SELECT n.id FROM nodes n WHERE n.seen < $1 ORDER BY n.seen, n.id LIMIT 100";
const OWN: &str = "SELECT c.usr FROM connections c WHERE c.node = $1 ORDER BY c.usr LIMIT 500";
const DROP_NODE: &str = "DELETE FROM nodes WHERE id = $1";

/// What others see of a user follows from its rows.
fn show(change: &mut Change, user: &str, now: Ms) {
    change.run(SHOW, [user.into(), now.into()]);
    change.run(TELL, [user.into(), now.into(), Kind::Status.name().into()]);
}

/// Writes the rows of these users for this node.
pub(crate) async fn write(store: &Store, node: &str, wanted: &[Wanted], now: Ms) -> Result<()> {
    let mut change = Change::new();
    // In one order on every node, so that nobody waits for whoever waits for it.
    let mut wanted: Vec<&Wanted> = wanted.iter().collect();
    wanted.sort_by(|a, b| a.user.cmp(&b.user));
    for Wanted { user, away } in wanted {
        change.run(HOLD, [user.into()]);
        match away {
            Some(away) => change.run(SET, [user.into(), node.into(), (*away).into()]),
            None => change.run(DROP, [user.into(), node.into()]),
        };
        show(&mut change, user.as_str(), now);
    }
    store.write(change).await.map(drop)
}

/// This node lives; what others left that have not said so since `dead` is taken away. Where one process
/// has the store, there are no others. `false` if this node did not count as living: then nothing is left
/// of what it wrote before.
pub(crate) async fn live(store: &Store, node: &str, (now, dead): (Ms, Ms)) -> Result<bool> {
    bury(store, (now, if store.is_shared() { dead } else { Ms::MAX })).await?;
    let mut change = Change::new();
    let lived = change.run(LIVE, [node.into(), now.into()]);
    change.run(BORN, [node.into(), now.into()]);
    let rows = store.write(change).await?;
    Ok(rows.get(lived).is_some_and(|rows| rows.affected > 0))
}

/// Takes away what nodes left that have not said that they live since `dead`.
async fn bury(store: &Store, (now, dead): (Ms, Ms)) -> Result<()> {
    loop {
        let found = store.read(DEAD, [dead.into()]).await?;
        if found.is_empty() {
            return Ok(());
        }
        for mut row in found {
            leave(store, &row.text()?, now).await?;
        }
    }
}

/// Takes a node's rows away.
pub(crate) async fn leave(store: &Store, node: &str, now: Ms) -> Result<()> {
    loop {
        let own = store.read(OWN, [node.into()]).await?;
        let mut change = Change::new();
        if own.is_empty() {
            change.run(DROP_NODE, [node.into()]);
            return store.write(change).await.map(drop);
        }
        for mut row in own {
            let user = row.text()?;
            change.run(HOLD, [user.as_str().into()]);
            change.run(DROP, [user.as_str().into(), node.into()]);
            show(&mut change, &user, now);
        }
        store.write(change).await?;
    }
}
