//! Connections by user and node, and the status that follows from them: of a user who chose another than
//! `online` that, while there is a connection at all.

use super::{Change, Store};
use crate::error::Result;
use crate::event::Kind;
use crate::online::Wanted;
use crate::time::Ms;

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

const LIVE: &str = "INSERT INTO nodes (id, seen) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET seen = excluded.seen";
/// Whose rows are left of nodes that do not live.
const LOST: &str = "SELECT c.usr FROM connections c
    WHERE c.node <> $1 AND c.node NOT IN (SELECT n.id FROM nodes n WHERE n.seen >= $2)
    ORDER BY c.usr LIMIT 500";
const DROP_LOST: &str = "DELETE FROM connections WHERE usr = $3 AND node <> $1
    AND node NOT IN (SELECT n.id FROM nodes n WHERE n.seen >= $2)";
const DROP_NODES: &str = "DELETE FROM nodes WHERE id <> $1 AND seen < $2";
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
    for Wanted { user, away } in wanted {
        match away {
            Some(away) => change.run(SET, [user.into(), node.into(), (*away).into()]),
            None => change.run(DROP, [user.into(), node.into()]),
        };
        show(&mut change, user.as_str(), now);
    }
    store.write(change).await.map(drop)
}

/// This node lives; what others left that have not said so since `dead` is taken away. Where one process
/// has the store, there are no others.
pub(crate) async fn live(store: &Store, node: &str, (now, dead): (Ms, Ms)) -> Result<()> {
    let dead = if store.is_shared() { dead } else { Ms::MAX };
    let mut change = Change::new();
    change.run(LIVE, [node.into(), now.into()]);
    change.run(DROP_NODES, [node.into(), dead.into()]);
    store.write(change).await?;
    loop {
        let lost = store.read(LOST, [node.into(), dead.into()]).await?;
        if lost.is_empty() {
            return Ok(());
        }
        let mut change = Change::new();
        for mut row in lost {
            let user = row.text()?;
            change.run(DROP_LOST, [node.into(), dead.into(), user.as_str().into()]);
            show(&mut change, &user, now);
        }
        store.write(change).await?;
    }
}

/// Takes this node's rows away.
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
            change.run(DROP, [user.as_str().into(), node.into()]);
            show(&mut change, &user, now);
        }
        store.write(change).await?;
    }
}
