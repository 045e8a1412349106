//! Rows of the audit: written once, never changed.

use super::{Change, Store, Value};
use crate::audit::Entry;
use crate::error::Result;

const ADD: &str = "INSERT INTO audit (id, ts, actor, name, ip, action, room, detail)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const LIST: &str = "SELECT ts, actor, name, ip, action, room, detail FROM audit
    ORDER BY ts DESC, id DESC LIMIT $1";

pub(crate) async fn add(store: &Store, id: &str, entry: &Entry) -> Result<()> {
    let mut change = Change::new();
    add_to(&mut change, id, entry);
    store.write(change).await.map(drop)
}

/// A row to be written with what it tells of.
pub(super) fn add_to(change: &mut Change, id: &str, entry: &Entry) {
    let args: [Value; 8] = [
        id.into(),
        entry.at.into(),
        entry.actor.as_str().into(),
        entry.name.as_str().into(),
        entry.ip.as_str().into(),
        entry.action.as_str().into(),
        entry.room.as_deref().into(),
        entry.detail.as_str().into(),
    ];
    change.run(ADD, args);
}

pub(crate) async fn list(store: &Store, limit: i64) -> Result<Vec<Entry>> {
    let rows = store.read(LIST, [limit.into()]).await?;
    let entry = |mut row: super::Row| {
        Ok(Entry {
            at: row.int()?,
            actor: row.text()?,
            name: row.text()?,
            ip: row.text()?,
            action: row.text()?,
            room: row.opt_text()?,
            detail: row.text()?,
        })
    };
    rows.into_iter().map(entry).collect()
}
